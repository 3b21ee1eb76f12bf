"""Recordings from before there were keys are taken over: sealed, noted, and only then destroyed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from recorder.custody.model import FileKind, SealedAs, StoredFile
from recorder.errors import RecordingDamaged
from recorder.model import RecordingId
from recorder.ports import Vault


class Row(Protocol):
    """What is asked of a recording's row."""

    @property
    def sha256(self) -> str:
        """Of the WAV."""

    @property
    def stored_on(self) -> str:
        """Folder in the vault."""

    @property
    def sealed_as(self) -> str:
        """In which form the row says that it lies there."""


class Plain(Protocol):
    """The plain WAVs. Raises ``RecordingDamaged`` when WAV or container is not the row's."""

    async def seal(self, recording_id: RecordingId, *, folder: str, sha256: str) -> None:
        """Put a container beside the WAV, on disk and read back; the WAV stays."""

    async def destroy(self, recording_id: RecordingId, *, folder: str, sha256: str) -> None:
        """Overwrite and remove the WAV, once its container is read and found the same."""


class SealedLedger(Protocol):
    """Notes the form in which a recording lies in the vault."""

    async def mark_sealed(self, recording_id: RecordingId, sealed_as: SealedAs) -> None:
        """Note it. Raises ``LedgerUnavailable``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What a run did."""

    sealed: int
    refused: tuple[tuple[RecordingId, str], ...]
    """Recordings whose WAV is not what their row says, each with the reason."""
    without_row: int
    """Plain WAVs of no recording: reconciliation's business, not ours."""


class Adopter:
    """Takes over every plain WAV of the vault.

    Key and container on disk and read back → row → WAV overwritten and removed. Killed after any
    of them, the next run does the rest: as long as the WAV is there it is the truth, and it goes
    only when its container has just been read and found to be the same.
    """

    def __init__(
        self,
        *,
        vault: Vault,
        plain: Plain,
        ledger: SealedLedger,
        row_of: Callable[[RecordingId], Awaitable[Row | None]],
    ) -> None:
        self._vault, self._plain, self._ledger, self._row_of = vault, plain, ledger, row_of

    async def run(self, progress: Callable[[int, int], None]) -> Adopted:
        """Take over all there are; ``progress`` hears done and total.

        One that is refused does not stop the others. Raises ``VaultUnavailable`` and
        ``LedgerUnavailable``.
        """
        every = [each for each in self._vault.present() if each.kind is FileKind.PLAIN]
        sealed, without_row, refused = 0, 0, []
        for done, file in enumerate(every):
            progress(done, len(every))
            try:
                if await self._adopt(file):
                    sealed += 1
                else:
                    without_row += 1
            except RecordingDamaged as error:
                refused.append((_id_of(file), str(error)))
        progress(len(every), len(every))
        return Adopted(sealed=sealed, refused=tuple(refused), without_row=without_row)

    async def _adopt(self, file: StoredFile) -> bool:
        recording_id = _id_of(file)
        row = await self._row_of(recording_id)
        if row is None or row.stored_on != file.folder:
            return False
        if row.sealed_as != SealedAs.REC1:
            await self._plain.seal(recording_id, folder=file.folder, sha256=row.sha256)
            await self._ledger.mark_sealed(recording_id, SealedAs.REC1)
        await self._plain.destroy(recording_id, folder=file.folder, sha256=row.sha256)
        return True


def _id_of(file: StoredFile) -> RecordingId:
    if file.id is None:
        raise ValueError("a foreign file is no recording")
    return file.id
