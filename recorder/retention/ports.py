"""What the retention process needs beside erasing itself."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from recorder.custody.model import StoredFile
from recorder.model import CallId, IncidentKind, RecordingId
from recorder.retention.model import DeletionReport, JobState, SpoolStray, Stored, Swept


class WorkerLock(Protocol):
    """Elects one worker among many processes."""

    async def held(self) -> bool:
        """Tell whether this process is the one that works, taking its turn if nobody is.

        Raises ``LedgerUnavailable``.
        """


class Jobs(Protocol):
    """How the jobs went. Raises ``LedgerUnavailable``."""

    async def started(self, name: str, *, worker: str, at: datetime, next_due: datetime) -> None:
        """Note a start."""

    async def told(self, name: str, progress: str) -> None:
        """Note how far it is."""

    async def succeeded(self, name: str, *, at: datetime, progress: str) -> None:
        """Note a success."""

    async def failed(self, name: str, *, at: datetime, error: str) -> None:
        """Note a failure by its type."""

    async def states(self) -> Sequence[JobState]:
        """Return every job that ever started, by name."""


class Inventory(Protocol):
    """The rows of recordings, to be compared with the vault. Raises ``LedgerUnavailable``."""

    async def rows_among(self, ids: Collection[RecordingId]) -> frozenset[RecordingId]:
        """Return which of these have a row."""

    async def tombstones_among(self, ids: Collection[RecordingId]) -> frozenset[RecordingId]:
        """Return which of these have a tombstone."""

    async def page(self, after: RecordingId | None, *, limit: int) -> Sequence[Stored]:
        """Return kept recordings in the order of ids, from behind ``after``."""

    async def to_verify(self, *, share: int) -> Sequence[Stored]:
        """Return so many kept recordings, the longest unseen first."""

    async def count(self) -> int:
        """Return how many recordings are kept."""

    async def correct_erase_by(self, corrected: Mapping[RecordingId, datetime]) -> None:
        """Put right the stored day, which is a cache."""

    async def verified(self, ids: Collection[RecordingId], *, at: datetime) -> None:
        """Note that these were read and are whole."""

    async def found_missing(self, recording: Stored, *, at: datetime) -> None:
        """Mark a recording's file missing, with one incident."""

    async def orphan_erased(self, subject: str, why: str, *, at: datetime) -> None:
        """Write the entry of a file without a row that was erased."""

    async def report(
        self,
        kind: IncidentKind,
        detail: str,
        *,
        at: datetime,
        call_id: CallId | None = None,
        once: bool = False,
    ) -> None:
        """Write an incident, unless the same one was written within a day; with ``once``, ever."""

    async def unpermitted(self, *, limit: int) -> Sequence[Stored]:
        """Return kept recordings whose call's row does not say that it was to be recorded."""

    async def remind_of_reviews(self, *, overdue_at: datetime, at: datetime) -> int:
        """Write an incident for each hold whose review is overdue and untold; return how many."""


class Reports(Protocol):
    """The daily reports. Raises ``LedgerUnavailable``."""

    async def last_day(self) -> date | None:
        """Return the last day that has one."""

    async def make(self, day: date, *, since: datetime, until: datetime, at: datetime) -> None:
        """Count and keep the report of a day; made again it is the same row."""

    async def newest(self, *, limit: int) -> Sequence[DeletionReport]:
        """Return the newest reports, newest first."""

    async def of_day(self, day: date) -> DeletionReport | None:
        """Return the report of one day, None if it has none yet."""


class Traces(Protocol):
    """Folders of the PBX that may hold numbers."""

    def older_than(self, instant: datetime) -> Sequence[Path]:
        """Return files last written before. A folder that cannot be read is left out."""


class StoredAudio(Protocol):
    """The part of the vault that comparing needs. Raises ``VaultUnavailable``."""

    def present(self) -> Iterator[StoredFile]:
        """Yield every file in the vault, ours or not."""

    def keys_present(self) -> Iterator[RecordingId]:
        """Yield every recording of which anything of a key is there."""

    async def destroy_key(self, recording_id: RecordingId) -> None:
        """Make the audio unreadable for ever. Gone is a success."""

    async def destroy_audio(self, recording_id: RecordingId, *, folder: str) -> None:
        """Overwrite and remove what is stored. Gone is a success."""


class SpoolStrays(Protocol):
    """What lies in the spool and may be nobody's. Raises ``SpoolUnavailable``."""

    def found(self) -> Sequence[SpoolStray]:
        """Return all audio, and the journals that no call can be read from, in order of names.

        A spool that is not there has none.
        """

    def erase(self, stray: SpoolStray) -> Swept:
        """Overwrite and remove it, unless capture works on it or it can be read by now."""
