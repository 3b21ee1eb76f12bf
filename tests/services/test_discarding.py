"""A discarded recording at sealing: no byte, a row with its reason, whatever crashes (RG.12)."""

from typing import Any

import pytest

from recorder.capture.journal import entry
from recorder.custody.rules import outcome_of
from recorder.live.model import Act, Answer
from recorder.model import CallId, Reason, RecordingId
from tests.builders import NOON
from tests.live_builders import an_order
from tests.services.test_custody import Crash, Steps, World


def discard(world: World, call_id: CallId, answer: Answer = Answer.DONE) -> None:
    order = an_order(Act.DISCARD, call_id=call_id)
    fields: dict[str, Any] = {
        "order_id": str(order.id),
        "act": order.act,
        "by_kind": order.by.kind,
        "by": order.by.name,
        "asked_at": NOON.isoformat(),
        "answer": answer,
    }
    world.journals.append(call_id, entry("order:settled", NOON, fields), durable=True)


def assert_gone(world: World, call_id: CallId) -> None:
    call = world.ledger.calls[call_id]
    assert outcome_of(call, recorded=False).reason is Reason.DISCARDED
    assert (world.spool.audio, world.vault.files, world.vault.keys) == ({}, {}, set())
    assert world.ledger.recordings == {}
    assert world.journals.stored == {}
    assert [each.answer for each in world.ledger.orders] in ([Answer.DONE], [Answer.DOUBTFUL])
    assert [each.action for each in world.ledger.entries] == ["discarding:verified"]
    assert world.ledger.incidents == []


@pytest.mark.parametrize("answer", [Answer.DONE, Answer.DOUBTFUL])
async def test_what_is_discarded_is_never_sealed(answer: Answer) -> None:
    """Also when the PBX did not confirm the stop: it was decided for good."""
    world = World()
    call_id = world.a_call(1)
    discard(world, call_id, answer)
    await world.custodian().seal(call_id)
    assert world.vault.stores == 0
    assert_gone(world, call_id)


async def test_whatever_a_half_sealed_one_left_is_destroyed_too() -> None:
    world = World()
    call_id = world.a_call(1)
    recording_id = RecordingId(world.spool.all_audio()[0])
    world.vault.keys.add(recording_id)
    world.vault.files["2026/11/12", recording_id] = b"audio"
    discard(world, call_id)
    await world.custodian().seal(call_id)
    assert_gone(world, call_id)


async def test_a_crash_at_any_step_leaves_what_the_next_run_finishes() -> None:
    crash_at = 0
    while True:
        crash_at += 1
        for done in (False, True):
            world = World()
            call_id = world.a_call(1)
            discard(world, call_id)
            steps = Steps(crash_at, done=done)
            try:
                await world.custodian(steps).seal(call_id)
            except Crash:
                # As the next start does: what still has a journal.
                for each in world.journals.all_calls():
                    await world.custodian().seal(each)
            else:
                assert crash_at > 3
                return
            assert_gone(world, call_id)
