"""Destroys what is claimed: key, audio, a look for both, tombstone."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence

import structlog

from recorder.erasure.model import Candidate
from recorder.erasure.ports import Erasures, Shredder
from recorder.errors import VaultUnavailable
from recorder.model import RecordingId
from recorder.ports import Clock

log = structlog.get_logger(__name__)

AT_ONCE = 16
"""How many files are destroyed side by side: the disk's flushes are shared."""


class Destroyer:
    """Destroys, in an order that survives any crash, and tells of what would not go."""

    def __init__(self, *, erasures: Erasures, vault: Shredder, clock: Clock) -> None:
        self._erasures = erasures
        self._vault = vault
        self._clock = clock

    async def destroy(self, claimed: Sequence[Candidate]) -> tuple[int, int]:
        """Destroy what is claimed; return how many are gone and how many would not go."""
        present, problems = await self.sort_out(claimed)
        gone: list[RecordingId] = []
        queue = iter(present)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(AT_ONCE, len(present))):
                tasks.create_task(self._destroy_each(queue, gone, problems))
        if gone:
            await self._erasures.close(gone, at=self._clock.now())
        await self.note(problems)
        return len(gone), len(problems)

    async def _destroy_each(
        self,
        queue: Iterable[Candidate],
        gone: list[RecordingId],
        problems: dict[RecordingId, str],
    ) -> None:
        for recording in queue:
            # One that will not go must not keep the others (P8): it stays claimed for the next run.
            if problem := await self._destroy_one(recording):
                problems[recording.id] = problem
            else:
                gone.append(recording.id)

    async def _destroy_one(self, recording: Candidate) -> str:
        """Destroy a key and its audio; return why something is left, empty when nothing is."""
        vault, folder = self._vault, recording.stored_on
        key = await _why_not(vault.destroy_key(recording.id))
        # Without either of the two nobody hears it, so a key that stays keeps no audio.
        audio = await _why_not(vault.destroy_audio(recording.id, folder=folder))
        return key or audio or await _why_not(self._require_gone(recording))

    async def _require_gone(self, recording: Candidate) -> None:
        if any(await self._vault.remains(recording.id, folder=recording.stored_on)):
            raise VaultUnavailable("it is still there after it was destroyed")

    async def note(self, problems: dict[RecordingId, str]) -> None:
        """Write down what would not go, and raise the alarm."""
        for recording_id, problem in problems.items():
            log.error("erasure_failed", recording_id=str(recording_id), why=problem)
        if problems:
            await self._erasures.note_failures(problems, at=self._clock.now())

    async def sort_out(
        self, due: Sequence[Candidate]
    ) -> tuple[Sequence[Candidate], dict[RecordingId, str]]:
        """Part what can be destroyed from what the vault cannot even show."""
        seen = await self._vault.written_at([(each.id, each.stored_on) for each in due])
        absent = {
            each.id: "its folder in the vault is not there" for each in due if each.id not in seen
        }
        return [each for each in due if each.id in seen], absent


async def _why_not(act: Awaitable[None]) -> str:
    try:
        await act
    except VaultUnavailable as error:
        return str(error)
    return ""
