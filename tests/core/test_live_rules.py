"""May an order be carried out, what holds in doubt, whose call is it (RG.12)?"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.accounts.model import Account, AccountId, Role
from recorder.live.model import Act, Answer, Health, State
from recorder.live.rules import (
    AFTER,
    NOBODY,
    SEEN_WITHIN,
    VALID_FOR,
    acts_for,
    entry_of,
    health_of,
    hindrance,
    judge,
    moment_of,
    owner_of,
    state_in_doubt,
)
from tests.builders import NOON
from tests.live_builders import a_node, in_progress

SECOND = timedelta(seconds=1)
MORE_AUDIO = (State.DISCARDED, State.STOPPED, State.PAUSED, State.RECORDING)
ZENOBIA = Account(
    id=AccountId(UUID(int=7)),
    login="zenobia",
    name="Zenobia Kwiatkowska",
    post="inspektor",
    roles=frozenset({Role.LISTENER}),
    created_at=NOON,
    password_set_at=NOON,
    must_change_password=False,
)


@pytest.mark.parametrize(
    ("state", "act", "answer"),
    [
        (State.RECORDING, Act.PAUSE, None),
        (State.RECORDING, Act.RESUME, Answer.ALREADY),
        (State.RECORDING, Act.STOP, None),
        (State.RECORDING, Act.DISCARD, None),
        (State.PAUSED, Act.PAUSE, Answer.ALREADY),
        (State.PAUSED, Act.RESUME, None),
        (State.PAUSED, Act.STOP, None),
        (State.PAUSED, Act.DISCARD, None),
        (State.STOPPED, Act.PAUSE, Answer.OVER),
        (State.STOPPED, Act.RESUME, Answer.OVER),
        (State.STOPPED, Act.STOP, Answer.ALREADY),
        (State.STOPPED, Act.DISCARD, None),
        (State.DISCARDED, Act.PAUSE, Answer.OVER),
        (State.DISCARDED, Act.RESUME, Answer.OVER),
        (State.DISCARDED, Act.STOP, Answer.OVER),
        (State.DISCARDED, Act.DISCARD, Answer.ALREADY),
        (None, Act.PAUSE, Answer.NOT_RECORDING),
    ],
)
def test_every_act_in_every_state(state: State | None, act: Act, answer: Answer | None) -> None:
    assert judge(act, state=state, in_doubt=False, asked_at=NOON, now=NOON) is answer
    if state is not None and act in acts_for(state):
        assert answer is None, "a page offers what is then refused"


@pytest.mark.parametrize("act", list(Act))
def test_an_order_is_refused_once_it_is_older_than_five_seconds(act: Act) -> None:
    def judged(late: timedelta) -> Answer | None:
        return judge(
            act, state=State.PAUSED, in_doubt=True, asked_at=NOON, now=NOON + VALID_FOR + late
        )

    assert VALID_FOR == 5 * SECOND
    assert judged(timedelta(0)) is None
    assert judged(timedelta(microseconds=1)) is Answer.EXPIRED


@given(st.sampled_from(Act), st.sampled_from(State))
def test_in_doubt_what_is_ordered_is_asked_for_again(act: Act, state: State) -> None:
    answer = judge(act, state=state, in_doubt=True, asked_at=NOON, now=NOON)
    assert answer is not Answer.ALREADY


@given(st.sampled_from(Act))
def test_in_doubt_the_state_with_less_audio_holds(act: Act) -> None:
    """Of what was so and what was ordered."""
    before = {Act.RESUME: State.PAUSED}.get(act, State.RECORDING)
    least = min(before, AFTER[act], key=MORE_AUDIO.index)
    assert state_in_doubt(act) is least


def test_only_what_is_done_is_called_done() -> None:
    for act in Act:
        for answer in Answer:
            done = entry_of(act, answer).startswith("recording:")
            assert done is (answer is Answer.DONE)
    assert moment_of(Act.DISCARD, Answer.DOUBTFUL) == "recording:discarded"
    assert moment_of(Act.STOP, Answer.DOUBTFUL) == "order:doubted"


def test_a_call_is_a_persons_own_while_their_telephone_is_on_the_line() -> None:
    """Who has passed it on has no more say; without a known telephone no call is one's own."""
    at_the_desk = replace(ZENOBIA, extension="desk")
    assert owner_of(in_progress(), at_the_desk) == ZENOBIA.id
    assert owner_of(in_progress(parties=("desk-2",)), at_the_desk) == NOBODY
    assert owner_of(in_progress(), ZENOBIA) == NOBODY
    assert owner_of(in_progress(parties=("",)), ZENOBIA) == NOBODY


@pytest.mark.parametrize(
    ("changes", "health"),
    [
        ({}, Health.WELL),
        ({"switchboard": False}, Health.CONTROL_AWAY),
        ({"switchboard": False, "control_set": False}, Health.CONTROL_OFF),
        ({"switchboard": False, "linked": False}, Health.UNLINKED),
        ({"switchboard": False, "linked": False, "control_set": False}, Health.UNLINKED),
    ],
)
def test_how_a_capture_process_does_is_told_apart(changes: dict[str, bool], health: Health) -> None:
    """An office without AMI is well; one without ARI records nothing."""
    assert health_of(a_node(**changes), NOON + SEEN_WITHIN) is health
    assert health_of(a_node(**changes), NOON + SEEN_WITHIN + SECOND) is Health.AWAY


def test_what_cannot_be_reached_says_which() -> None:
    assert hindrance(a_node(), NOON + SEEN_WITHIN) is None
    assert hindrance(a_node(), NOON + SEEN_WITHIN + SECOND) is Answer.CAPTURE_AWAY
    assert hindrance(None, NOON) is Answer.CAPTURE_AWAY
    assert hindrance(a_node(switchboard=False), NOON) is Answer.SWITCHBOARD_AWAY
