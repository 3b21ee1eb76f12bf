"""Carries orders about one recording out on the PBX, and says what it said."""

import contextlib
from typing import assert_never

from recorder.errors import CallGone, SwitchboardSilent, SwitchboardUnavailable
from recorder.live.model import Act, Answer, Settled, State
from recorder.live.rules import AFTER
from recorder.model import RecordingId
from recorder.ports import Switchboard


async def act_on(
    switchboard: Switchboard, channel_id: str, recording_id: RecordingId | None, act: Act
) -> Answer:
    """Do what was ordered; return what became of it."""
    try:
        await _bring_about(switchboard, channel_id, recording_id, AFTER[act])
    except SwitchboardSilent:
        return Answer.DOUBTFUL
    except SwitchboardUnavailable:
        return Answer.SWITCHBOARD_AWAY
    except CallGone:
        # Who has hung up is recorded no further; what there is is kept or discarded all the same.
        return Answer.NOT_RECORDING if act in {Act.PAUSE, Act.RESUME} else Answer.DONE
    return Answer.DONE


async def enforce(
    switchboard: Switchboard, channel_id: str, recording_id: RecordingId | None, state: State
) -> bool:
    """Ask for a state once more; False = the PBX did not confirm it."""
    try:
        await _bring_about(switchboard, channel_id, recording_id, state)
    except SwitchboardUnavailable:
        return False
    except CallGone:
        # Nothing is recorded under this call any more, so nothing that must not be.
        return True
    return True


async def answer_at_telephone(switchboard: Switchboard, settled: Settled) -> None:
    """Let the telephone hear what became of its code; if it cannot be told, it hears that too."""
    if settled.order.asked_on:
        with contextlib.suppress(CallGone, SwitchboardUnavailable):
            await switchboard.tell(settled.order.asked_on, settled.order.act, settled.answer)


async def _bring_about(
    switchboard: Switchboard, channel_id: str, recording_id: RecordingId | None, state: State
) -> None:
    if recording_id is None:
        raise CallGone("this call is not being recorded")
    match state:
        case State.RECORDING:
            await switchboard.resume_recording(channel_id)
        case State.PAUSED:
            await switchboard.pause_recording(channel_id)
        case State.STOPPED | State.DISCARDED:
            await switchboard.stop_recording(channel_id, recording_id)
        case _:
            assert_never(state)
