"""What a purge looks at before it erases anything: is there a reason to stop and ask (P5)?"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from recorder.erasure.brakes import Brake, Doubt, file_is_younger
from recorder.erasure.model import OpenBrake
from recorder.erasure.rules import Verdict
from recorder.model import RecordingId


def must_ask(brake: Brake, known: OpenBrake | None, *, found: str) -> bool:
    """Tell whether a brake is to be put on for what was found, given the one that is there.

    A clock is right or wrong whatever comes due by it. About holds and files a person has
    released only what was shown.
    """
    if known is None:
        return True
    return known.released and brake is not Brake.CLOCK_JUMP and known.detail != found


class Look:
    """Counts what is due, and finds what does not fit. ``released`` is of the younger files."""

    def __init__(self, *, doubt: Doubt, released: OpenBrake | None) -> None:
        self.due = 0
        self.unseen: set[RecordingId] = set()
        """Came due since a person saw which younger files there are: the next run asks."""
        self._doubt = doubt
        self._shown_at = released.at if released is not None and released.released else None
        self._younger: list[RecordingId] = []

    def at(self, due: Iterable[Verdict], written_at: Mapping[RecordingId, datetime | None]) -> None:
        """Take in one page of what is due, and when its files were written."""
        for each in due:
            self.due += 1
            recording, written = each.recording, written_at.get(each.recording.id)
            if written is None or not file_is_younger(
                written_at=written, sealed_at=recording.sealed_at
            ):
                continue
            if self._shown_at is not None and each.due_at > self._shown_at:
                self.unseen.add(recording.id)
            else:
                self._younger.append(recording.id)

    def anomalies(self, vanished: Collection[str]) -> Sequence[tuple[Brake, str]]:
        """Return every brake that there is a reason for, with the reason."""
        found = []
        # A clock that nobody vouches for can do no harm while nothing is due by it.
        if self._doubt is Doubt.JUMPED or (self._doubt is Doubt.NO_WITNESS and self.due):
            found.append(
                (Brake.CLOCK_JUMP, f"{self._doubt}; {self.due} recordings would be erased")
            )
        if vanished:
            detail = f"{len(vanished)} holds, {min(vanished)} among them"
            found.append((Brake.HOLDS_VANISHED, detail))
        if younger := self._younger:
            found.append((Brake.FILE_YOUNGER, f"{len(younger)} files, {younger[0]} among them"))
        return found
