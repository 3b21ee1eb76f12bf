"""The dialogue of the announcement: events in, commands out (F14, B5)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TypeGuard

from hypothesis import given
from hypothesis import strategies as st

from recorder.capture import events as ev
from recorder.capture.call_flow import Flow, Phase, advance
from recorder.model import Decision, Layer, Mode, Reason
from tests.builders import IN_SCOPE, NOON, RECORDING, a_flow, an_announcement, some_terms

OUT = Decision(record=False, reason=Reason.NOT_FROM_A_TRUNK)


def at(seconds: float) -> dict[str, object]:
    return {"at": NOON + timedelta(seconds=seconds), "mono": seconds}


def entered() -> ev.Event:
    return ev.CallerEntered(**at(0))  # type: ignore[arg-type]


def answered() -> ev.Event:
    return ev.Answered(**at(0))  # type: ignore[arg-type]


def started(number: int, seconds: float) -> ev.Event:
    return ev.PlaybackStarted(playback_id=f"call-{number}", **at(seconds))  # type: ignore[arg-type]


def finished(number: int, seconds: float, *, done: bool = True) -> ev.Event:
    return ev.PlaybackFinished(playback_id=f"call-{number}", done=done, **at(seconds))  # type: ignore[arg-type]


def key(pressed: str, seconds: float) -> ev.Event:
    return ev.KeyPressed(key=pressed, **at(seconds))  # type: ignore[arg-type]


def timer(name: str, seconds: float) -> ev.Event:
    return ev.TimerExpired(timer=name, **at(seconds))  # type: ignore[arg-type]


def run(flow: Flow, events: Iterable[ev.Event]) -> tuple[Flow, list[ev.Command]]:
    commands: list[ev.Command] = []
    for event in events:
        flow, new = advance(flow, event)
        commands += new
    return flow, commands


def released(commands: Iterable[ev.Command]) -> ev.Release | None:
    found = [each for each in commands if isinstance(each, ev.Release)]
    assert len(found) <= 1, "a caller is given back once"
    return found[0] if found else None


def played(commands: Iterable[ev.Command]) -> list[tuple[Layer, str]]:
    return [
        (each.announcement.layer, each.announcement.language)
        for each in commands
        if isinstance(each, ev.Play)
    ]


AROUND = [ev.LeftApplication(**at(2)), entered()]  # type: ignore[arg-type]
"""Out to the dialplan for more time, and handed over anew."""

HEARD = [entered(), answered(), started(1, 0), finished(1, 10)]


def test_a_caller_who_heard_all_and_stays_is_recorded() -> None:
    flow, commands = run(a_flow(), [*HEARD, timer("choice-1", 13)])
    release = released(commands)
    assert release == ev.Release(reason=Reason.STAYED_ON_THE_LINE, recording_id=RECORDING)
    assert flow.phase is Phase.RELEASED
    decided = [c for c in commands if isinstance(c, ev.Note) and c.kind == "consent:decided"]
    assert decided[0].durable
    assert commands.index(decided[0]) < commands.index(release)


def test_a_call_out_of_scope_is_neither_answered_nor_announced() -> None:
    _, commands = run(a_flow(scope=OUT), [entered()])
    assert commands == [ev.Release(reason=Reason.NOT_FROM_A_TRUNK, recording_id=None)]


def test_key_2_at_any_moment_declines_at_once() -> None:
    """RG.1."""
    for events in ([entered(), answered(), started(1, 0), key("2", 1)], [*HEARD, key("2", 11)]):
        _, commands = run(a_flow(), events)
        release = released(commands)
        assert release == ev.Release(reason=Reason.DECLINED, recording_id=None)


def test_key_1_during_the_announcement_does_not_shorten_it() -> None:
    """R8.2a."""
    _, commands = run(a_flow(Mode.OPT_IN), [entered(), answered(), started(1, 0), key("1", 2)])
    assert released(commands) is None
    _, commands = run(
        a_flow(Mode.OPT_IN),
        [entered(), answered(), started(1, 0), key("1", 2), finished(1, 10)],
    )
    release = released(commands)
    assert release is not None
    assert release.reason is Reason.CONSENTED_BY_KEY


def test_silence_is_no_consent_in_opt_in() -> None:
    _, commands = run(a_flow(Mode.OPT_IN), [*HEARD, timer("choice-1", 13)])
    release = released(commands)
    assert release is not None
    assert release.reason is Reason.NO_CONSENT


def test_a_cut_announcement_costs_the_recording_not_the_call() -> None:
    """R8.2b."""
    for end in (finished(1, 4), finished(1, 10, done=False), timer("call-1", 12)):
        _, commands = run(a_flow(), [entered(), answered(), started(1, 0), end])
        release = released(commands)
        assert release == ev.Release(reason=Reason.ANNOUNCEMENT_FAILED, recording_id=None)
        assert any(isinstance(each, ev.Raise) for each in commands)


def test_key_3_plays_the_second_layer_and_then_the_first_again_if_it_was_cut() -> None:
    _, commands = run(
        a_flow(),
        [
            *(entered(), answered(), started(1, 0), key("3", 2), *AROUND),
            *(started(2, 2), finished(2, 12), *AROUND),
        ],
    )
    assert played(commands) == [
        (Layer.FIRST, "pl"),
        (Layer.SECOND, "pl"),
        (Layer.FIRST, "pl"),
    ]


def test_a_language_key_starts_the_announcement_anew_in_that_language() -> None:
    flow, commands = run(a_flow(), [entered(), answered(), started(1, 0), key("4", 2), *AROUND])
    assert played(commands) == [(Layer.FIRST, "pl"), (Layer.FIRST, "uk")]
    assert flow.language == "uk"


def test_whoever_is_taken_from_the_application_is_not_recorded() -> None:
    left = ev.LeftApplication(**at(3))  # type: ignore[arg-type]
    _, commands = run(a_flow(), [entered(), answered(), started(1, 0), left])
    release = released(commands)
    assert release == ev.Release(reason=Reason.APP_UNRESPONSIVE, recording_id=None)


def test_nobody_who_presses_no_key_has_a_variable_set_through_ari() -> None:
    """R5.1b: it would cost a FreePBX its DB() for the rest of the call."""
    offer = an_announcement(Layer.LANGUAGES)
    flow = Flow(
        call_id="call", terms=some_terms(Mode.OPT_OUT, offer, an_announcement()), scope=IN_SCOPE
    )
    through = [entered(), answered(), started(1, 0), finished(1, 10), started(2, 10)]
    _, commands = run(flow, [*through, finished(2, 20), timer("choice-2", 23)])
    assert played(commands) == [(Layer.LANGUAGES, "pl"), (Layer.FIRST, "pl")]
    assert released(commands) is not None
    assert not any(isinstance(each, ev.ExtendWatchdog) for each in commands)


def test_whoever_asks_for_more_gets_the_time_for_it_and_hears_it_once_back() -> None:
    flow, commands = run(a_flow(), [entered(), answered(), started(1, 0), key("3", 2)])
    (extended,) = [each for each in commands if isinstance(each, ev.ExtendWatchdog)]
    assert extended.seconds == 10 + 3 + 10
    assert played(commands) == [(Layer.FIRST, "pl")]
    _, commands = run(flow, [*AROUND, *AROUND])
    assert played(commands) == [(Layer.SECOND, "pl")]


def test_whoever_says_no_on_the_way_is_let_go_once_back() -> None:
    """RG.1: given back before, the call would stand in the application with nobody to serve it."""
    flow, commands = run(a_flow(), [entered(), answered(), started(1, 0), key("3", 2), key("2", 3)])
    assert released(commands) is None
    assert released(run(flow, AROUND)[1]) == ev.Release(reason=Reason.DECLINED, recording_id=None)


def test_whoever_does_not_come_back_is_not_recorded() -> None:
    """F2: the dialplan's watchdog was faster."""
    events = [entered(), answered(), started(1, 0), key("3", 2), AROUND[0], timer("return-1", 4)]
    _, commands = run(a_flow(), events)
    assert released(commands) == ev.Release(reason=Reason.APP_UNRESPONSIVE, recording_id=None)


ANY_EVENT = st.sampled_from(
    [
        *HEARD,
        started(2, 11),
        finished(2, 21),
        finished(1, 3),
        finished(1, 10, done=False),
        *(key(each, 5) for each in "0123459*#"),
        timer("call-1", 12),
        timer("choice-1", 13),
        timer("choice-2", 24),
        timer("return-1", 5),
        entered(),
        ev.LinkRestored(**at(6)),  # type: ignore[arg-type]
        ev.LeftApplication(**at(7)),  # type: ignore[arg-type]
        ev.HangupRequested(**at(8)),  # type: ignore[arg-type]
        ev.CommandRefused(gone=False, **at(9)),  # type: ignore[arg-type]
        ev.CommandRefused(gone=True, **at(9)),  # type: ignore[arg-type]
    ]
)


@given(st.lists(ANY_EVENT, max_size=40), st.sampled_from(Mode))
def test_no_order_of_events_records_anybody_who_was_not_told_to_the_end(
    events: list[ev.Event], mode: Mode
) -> None:
    """F14: duplicated, reordered and missing events never raise and never record too much."""
    _, commands = run(a_flow(mode), events)
    release = released(commands)
    if release is not None and release.recording_id is not None:
        results = [
            each.fields["result"]
            for each in commands
            if isinstance(each, ev.Note) and each.kind == "announcement:finished"
        ]
        assert "heard" in results
        assert not (mode is not Mode.NOTICE and release.reason is Reason.DECLINED)


@given(st.lists(ANY_EVENT, max_size=40))
def test_nothing_is_ever_played_to_or_recorded_of_a_call_out_of_scope(
    events: list[ev.Event],
) -> None:
    """R3.4b."""
    _, commands = run(a_flow(scope=OUT), [entered(), *events])
    assert commands == [ev.Release(reason=Reason.NOT_FROM_A_TRUNK, recording_id=None)]


def test_of_a_flood_of_keys_little_is_noted_but_a_change_of_mind_is() -> None:
    """B5."""
    flow, noted = replace(a_flow(), phase=Phase.ANNOUNCING), []
    for each_key in "7" * 1000 + "11112":
        pressed = ev.KeyPressed(key=each_key, at=NOON, mono=0.0)
        flow, commands = advance(flow, pressed)
        noted += [each.fields["key"] for each in commands if is_key(each)]
    assert "".join(str(each) for each in noted) == "7" * 16 + "12"
    assert flow.phase is Phase.RELEASED


def is_key(command: ev.Command) -> TypeGuard[ev.Note]:
    return isinstance(command, ev.Note) and command.kind == "key:pressed"
