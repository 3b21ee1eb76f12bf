"""Calls that went past capture, given their rows while something else cannot be sealed."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from recorder import processes
from recorder.custody import service
from recorder.model import RecordingId
from tests.services import test_capture
from tests.services.test_capture import bypassed
from tests.services.test_custody import World, until


class Notes:
    """The dialplan's lines, and whether they may be forgotten."""

    def __init__(self, *lines: str) -> None:
        self.lines: Sequence[str] = lines
        self.kept = True

    def take(self) -> Sequence[str]:
        lines, self.lines = self.lines, ()
        return lines

    def done(self) -> None:
        self.kept = False


async def test_a_recording_that_cannot_be_stored_keeps_no_bypassed_calls_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F13, R5.1b: each waits for its own alone."""
    monkeypatch.setattr(service, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(service, "LONGEST_PAUSE_S", 0.002)
    monkeypatch.setattr(processes, "LOOK_AGAIN_S", 0.001)
    world, office, notes = World(), test_capture.Office(), Notes(bypassed("1.9"))
    world.vault.broken.add(RecordingId(UUID(int=1005)))
    async with world.sealing() as custodian:
        broken = world.a_call(5)
        custodian.take(broken, None)
        capture = office.start_anew()
        capture._on_ended = lambda ended: custodian.take(ended.call_id, ended.record)
        notes_taken = asyncio.ensure_future(
            processes.take_bypassed_calls(notes, capture, custodian)
        )
        await until(lambda: not notes.kept)
        notes_taken.cancel()
        assert custodian.waits_for(broken)
    assert [each.channel_id for each in world.ledger.calls.values()] == ["1.9"]
