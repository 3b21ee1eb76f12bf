"""What erasing needs from the outside world."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from recorder.approvals.model import Approval
from recorder.audit.event import Actor
from recorder.erasure.brakes import Brake, Instant
from recorder.erasure.model import Applied, Candidate, Claim, OpenBrake, RetentionChange
from recorder.holds.model import Hold
from recorder.model import RecordingId


class Erasures(Protocol):
    """The rows about recordings that go, each change with its entry in the audit trail.

    Raises ``LedgerUnavailable``. "No holds" is never the answer to a question that failed (P3).
    """

    async def candidates(
        self, *, ended_before: datetime, after: Candidate | None, limit: int
    ) -> Sequence[Candidate]:
        """Return kept recordings that ended before, oldest end first, from behind ``after``."""

    async def half_erased(self, *, after: RecordingId | None, limit: int) -> Sequence[Candidate]:
        """Return recordings claimed by a run that did not finish them, in the order of ids."""

    async def get(self, recording_id: RecordingId) -> Candidate | None:
        """Return one recording, None if it has no row."""

    async def holds_on(self, ids: Collection[RecordingId]) -> Sequence[Hold]:
        """Return every hold that stands on these recordings."""

    async def claim(
        self, ids: Collection[RecordingId], claim: Claim, *, approval: Approval | None
    ) -> frozenset[RecordingId]:
        """Write the intent, and claim what is kept and free; return which those are.

        Holds are looked at again under the lock of each recording: one placed a moment ago wins.
        An automatic claim under days that do not hold any more gets nothing.
        """

    async def close(self, ids: Collection[RecordingId], *, at: datetime) -> int:
        """Put tombstones where claimed recordings were; return how many there were to close.

        Whatever tells of a person goes with them, in the same transaction (RK.4c).
        """

    async def note_failures(self, failures: Mapping[RecordingId, str], *, at: datetime) -> None:
        """Count a failed attempt, and raise the incident at the first of each recording."""


class PurgeLog(Protocol):
    """What one run leaves for the next. Raises ``LedgerUnavailable``."""

    async def last_instant(self) -> Instant | None:
        """Return the clocks at the last run that was let through."""

    async def vanished_holds(self) -> Collection[str]:
        """Return holds that stood at the last run and ended without a word in the trail."""

    async def brakes(self) -> Sequence[OpenBrake]:
        """Return the brakes that are on, and those released but not yet used."""

    async def put_on(self, brake: Brake, *, detail: str, at: datetime, token: str) -> OpenBrake:
        """Put a brake on, with incident and entry; one that is on already stays as it is.

        One that was released for another ``detail`` covers it no more, and is used up.
        """

    async def release(self, token: str, *, actor: Actor, at: datetime) -> OpenBrake | None:
        """Let the next run through. None if no brake has this token."""

    async def passed(self, instant: Instant) -> None:
        """Note the clocks and the holds of this run; the purge's released brakes are used up."""

    async def use_up(self, brake: Brake, *, at: datetime) -> None:
        """Note that what a person released was done; one that is on stays on."""

    async def applied(self) -> Applied | None:
        """Return the retention that was put in force last."""

    async def note_written(self, written: int) -> None:
        """Note what regulation.toml says; the days in force stay as they are."""

    async def apply(
        self, change: RetentionChange, *, written: int, actor: Actor, approval: Approval | None
    ) -> bool:
        """Put the days of a change in force, with its entry and its line in the list of changes.

        ``approval`` is answered with yes in the same transaction. False, and nothing is done, if
        it was answered meanwhile, or other days hold by now than the change begins from. No claim
        is made under the old days once this has returned, and the next reconciliation, which puts
        right the day stored with each recording, is due at once.
        """

    async def changes(self, *, limit: int) -> Sequence[RetentionChange]:
        """Return the changes, newest first."""


class Witness(Protocol):
    """The machine's clocks, and whether anybody vouches for them."""

    def read(self) -> Instant:
        """Return wall clock and the clock that never jumps, read together."""

    def synchronised(self) -> bool:
        """Tell whether the kernel says that its clock follows a source of time."""


class Shredder(Protocol):
    """The part of the vault that erasing needs. Raises ``VaultUnavailable``."""

    async def written_at(
        self, files: Sequence[tuple[RecordingId, str]]
    ) -> Mapping[RecordingId, datetime | None]:
        """Return when each file was written, None where it is gone.

        A recording whose folder is not there at all is left out: no file can be called gone
        in a vault that is not mounted.
        """

    async def destroy_key(self, recording_id: RecordingId) -> None:
        """Overwrite and remove the key. Gone is a success."""

    async def destroy_audio(self, recording_id: RecordingId, *, folder: str) -> None:
        """Overwrite and remove the audio. Gone is a success."""

    async def remains(self, recording_id: RecordingId, *, folder: str) -> tuple[bool, bool]:
        """Tell whether the key and the file are still there."""
