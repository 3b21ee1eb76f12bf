"""What nobody will seal is told once, and stays."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from recorder.capture.journal import FORMAT, entry, fold
from recorder.custody.leftovers import Inspector
from recorder.errors import LedgerUnavailable
from recorder.model import CallId, IncidentKind, RecordingId
from tests.builders import CALL, NOON, RECORDING
from tests.fakes import FakeClock, FakeJournals, FakeSpool
from tests.fakes_ledger import FakeLedger

ARRIVAL = {
    "call_id": str(CALL),
    "node": "pbx1",
    "channel_id": "1.1",
    "endpoint": "operator",
    "context": "from-operator",
    "line": "746640800",
    "caller_number": "600123456",
}
LONG_AGO = NOON - timedelta(minutes=5)


class Spool:
    """A spool with whatever a test leaves in it, and who looks at it."""

    def __init__(self) -> None:
        self.journals, self.audio = FakeJournals(), FakeSpool()
        self.ledger, self.clock = FakeLedger(), FakeClock()
        self.live: set[CallId] = set()

    def inspector(self) -> Inspector:
        return Inspector(
            journals=self.journals,
            spool=self.audio,
            ledger=self.ledger,
            clock=self.clock,
            fold=fold,
            in_hand=lambda: self.live,
        )

    def note(self, kind: str, **fields: Any) -> None:
        self.journals.append(CALL, entry(kind, NOON, fields), durable=False)

    def told(self) -> list[tuple[IncidentKind, str]]:
        return [(each.kind, each.detail) for each in self.ledger.incidents]


@pytest.fixture
def spool() -> Iterator[Spool]:
    made = Spool()
    yield made
    assert RECORDING not in made.audio.audio or made.audio.audio[RECORDING] == b"audio"


async def test_audio_that_no_journal_names_is_told_once_and_stays(spool: Spool) -> None:
    """R3.4g: whoever looks again, also after a restart, adds no second row."""
    spool.audio.write(RECORDING, b"audio", LONG_AGO)
    for inspector in (spool.inspector(), spool.inspector()):
        for _ in range(2):
            await inspector.look()
    assert spool.told() == [(IncidentKind.ORPHAN_AUDIO, f"spool: {RECORDING}")]
    assert RECORDING in spool.audio.audio


async def test_audio_of_a_call_that_waits_to_be_sealed_is_no_orphan(spool: Spool) -> None:
    spool.note("call:entered", **ARRIVAL)
    permitted = {"record": True, "reason": "stayed_on_the_line", "rule_version": "1"}
    spool.note("consent:decided", recording_id=str(RECORDING), **permitted)
    spool.audio.write(RECORDING, b"audio", LONG_AGO)
    await spool.inspector().look()
    assert spool.told() == []


async def test_audio_that_was_just_written_is_not_judged_yet(spool: Spool) -> None:
    spool.audio.write(RECORDING, b"audio", NOON)
    inspector = spool.inspector()
    await inspector.look()
    assert spool.told() == []
    spool.clock.pass_by(61)
    await inspector.look()
    assert len(spool.told()) == 1


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (b"", "JournalIncomplete"),
        (b'{"v":1,"kind":"call:entered","at":', "JournalIncomplete"),
        (b'{"v":%d,"kind":"call:entered"}\n' % (FORMAT + 1), "JournalTooNew"),
        (b'{"v":1,"kind":"call:entered","at":"yesterday","node":"600123456"}\n', "Incomplete"),
    ],
)
async def test_a_journal_that_cannot_be_read_is_told_once_and_stays(
    spool: Spool, stored: bytes, why: str
) -> None:
    """F15; and nothing of what stands in it."""
    spool.journals.stored[CALL] = stored
    for inspector in (spool.inspector(), spool.inspector()):
        await inspector.look()
    ((kind, detail),) = spool.told()
    assert kind is IncidentKind.JOURNAL_UNREADABLE
    assert detail.startswith(f"{CALL}.journal: ")
    assert detail.endswith(why)
    assert "600123456" not in detail
    assert spool.journals.stored[CALL] == stored


async def test_the_first_line_of_a_call_in_hand_may_just_be_on_its_way(spool: Spool) -> None:
    spool.journals.stored[CALL] = b""
    spool.live = {CALL}
    await spool.inspector().look()
    assert spool.told() == []


async def test_an_unreadable_journal_still_owns_the_audio_it_names(spool: Spool) -> None:
    """F15: one incident says what is to be done; two would send a person looking twice."""
    spool.note("from:tomorrow", v=FORMAT + 1, recording_id=str(RECORDING))
    spool.audio.write(RECORDING, b"audio", LONG_AGO)
    spool.audio.write(RecordingId(UUID(int=9)), b"other", LONG_AGO)
    await spool.inspector().look()
    kinds = [kind for kind, _ in spool.told()]
    assert kinds == [IncidentKind.JOURNAL_UNREADABLE, IncidentKind.ORPHAN_AUDIO]
    assert str(UUID(int=9)) in spool.told()[1][1]


async def test_what_could_not_be_told_is_told_later(spool: Spool) -> None:
    """F6."""
    spool.audio.write(RECORDING, b"audio", LONG_AGO)
    inspector = spool.inspector()
    spool.ledger.away = True
    with pytest.raises(LedgerUnavailable):
        await inspector.look()
    spool.ledger.away = False
    await inspector.look()
    assert len(spool.told()) == 1
