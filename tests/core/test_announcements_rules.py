"""R8.2*: which sounds may be announcements, and which one a caller hears."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.announcements.periods import (
    Period,
    State,
    periods,
    standing,
    what_is_missing,
)
from recorder.announcements.rules import (
    SoundFigures,
    SoundReason,
    Weight,
    judge_sound,
    refusals,
    which_is_active,
)
from recorder.model import Announcement, AnnouncementId, Layer

NOON = datetime(2026, 11, 12, 12, tzinfo=UTC)
GOOD = SoundFigures(
    sample_rate=48_000,
    channels=1,
    finite=True,
    clipped_share=0.0,
    seconds=15.0,
    level_dbfs=-20.0,
    leading_silence_s=0.5,
    trailing_silence_s=0.3,
    guard_added_s=0.0,
)


def a_version(
    number: int,
    active_from: datetime | None = None,
    *,
    layer: Layer = Layer.FIRST,
    language: str = "pl",
    added_at: datetime = NOON,
) -> Announcement:
    return Announcement(
        id=AnnouncementId(UUID(int=number)),
        layer=layer,
        language=language,
        text="Nagrywamy rozmowy.",
        sha256=f"{number:064x}",
        length_ms=10_000,
        level_dbfs=-20.0,
        added_at=added_at,
        active_from=active_from,
    )


def judged(
    figures: SoundFigures, layer: Layer = Layer.FIRST, *, allow_long: bool = False
) -> dict[SoundReason, Weight]:
    findings = judge_sound(figures, layer=layer, longest_s=20.0, allow_long=allow_long)
    assert all(each.figure and each.advice for each in findings)
    return {each.reason: each.weight for each in findings}


def test_a_good_sound_is_accepted_without_a_word() -> None:
    assert judged(GOOD) == {}


@pytest.mark.parametrize(
    ("changes", "reason", "weight"),
    [
        pytest.param({"seconds": 20.0}, None, None, id="exactly the limit"),
        pytest.param({"seconds": 20.01}, SoundReason.TOO_LONG, Weight.REFUSED, id="over the limit"),
        pytest.param({"seconds": 0.0}, SoundReason.EMPTY, Weight.REFUSED, id="no samples"),
        pytest.param({"level_dbfs": -30.0}, None, None, id="quiet enough to be heard"),
        pytest.param({"level_dbfs": -30.1}, SoundReason.QUIET, Weight.WARNING, id="quiet"),
        pytest.param({"level_dbfs": -40.0}, SoundReason.QUIET, Weight.WARNING, id="hardly heard"),
        pytest.param({"level_dbfs": -40.1}, SoundReason.TOO_QUIET, Weight.REFUSED, id="too quiet"),
        pytest.param({"level_dbfs": -60.1}, SoundReason.SILENT, Weight.REFUSED, id="silent"),
        pytest.param({"clipped_share": 0.01}, SoundReason.CLIPPED, Weight.WARNING, id="clipped"),
        pytest.param(
            {"clipped_share": 0.011}, SoundReason.CLIPPED, Weight.REFUSED, id="badly clipped"
        ),
        pytest.param({"leading_silence_s": 1.5}, None, None, id="a pause"),
        pytest.param(
            {"leading_silence_s": 1.6}, SoundReason.SILENCE_AT_START, Weight.WARNING, id="late"
        ),
        pytest.param(
            {"trailing_silence_s": 1.6}, SoundReason.SILENCE_AT_END, Weight.WARNING, id="dead end"
        ),
        pytest.param({"sample_rate": 8000}, None, None, id="telephone quality"),
        pytest.param(
            {"sample_rate": 7999}, SoundReason.SAMPLE_RATE_LOW, Weight.REFUSED, id="below it"
        ),
        pytest.param({"channels": 2}, SoundReason.MIXED_DOWN, Weight.NOTICE, id="stereo"),
        pytest.param(
            {"guard_added_s": 0.5}, SoundReason.GUARD_ADDED, Weight.NOTICE, id="guard added"
        ),
        pytest.param({"finite": False}, SoundReason.NOT_A_NUMBER, Weight.REFUSED, id="NaN"),
    ],
)
def test_a_sound_is_judged_by_its_figures(
    changes: dict[str, object], reason: SoundReason | None, weight: Weight | None
) -> None:
    expected = {} if reason is None else {reason: weight}
    assert judged(replace(GOOD, **changes)) == expected  # type: ignore[arg-type]


def test_every_refusal_is_told_at_once_and_first() -> None:
    bad = replace(GOOD, seconds=30.0, channels=2, sample_rate=4000, trailing_silence_s=3.0)
    findings = judge_sound(bad, layer=Layer.FIRST, longest_s=20.0, allow_long=False)
    assert [each.weight for each in findings] == sorted(
        (each.weight for each in findings), key=list(Weight).index
    )
    assert {each.reason for each in refusals(findings)} == {
        SoundReason.TOO_LONG,
        SoundReason.SAMPLE_RATE_LOW,
    }


def test_only_the_second_layer_may_be_long_and_only_when_allowed() -> None:
    long = replace(GOOD, seconds=120.0)
    assert judged(long, Layer.SECOND, allow_long=True) == {}
    assert SoundReason.TOO_LONG in judged(long, Layer.SECOND)
    for layer in (Layer.FIRST, Layer.LANGUAGES):
        assert judged(long, layer, allow_long=True) == {
            SoundReason.LONG_NOT_ALLOWED: Weight.REFUSED,
            SoundReason.TOO_LONG: Weight.REFUSED,
        }


def test_a_planned_activation_takes_over_at_its_instant() -> None:
    old, new = a_version(1, NOON), a_version(2, NOON + timedelta(days=1))
    last = NOON + timedelta(days=1) - timedelta(microseconds=1)
    assert which_is_active([old, new], Layer.FIRST, "pl", last) == old
    assert which_is_active([old, new], Layer.FIRST, "pl", NOON + timedelta(days=1)) == new


def test_of_two_activated_for_the_same_instant_the_later_added_wins() -> None:
    older = a_version(2, NOON, added_at=NOON - timedelta(days=1))
    newer = a_version(1, NOON)
    assert which_is_active([newer, older], Layer.FIRST, "pl", NOON) == newer


INSTANTS = st.integers(-5, 5).map(lambda hours: NOON + timedelta(hours=hours))
VERSIONS = st.lists(
    st.builds(
        a_version,
        st.integers(0, 6),
        st.none() | INSTANTS,
        layer=st.sampled_from([Layer.FIRST, Layer.SECOND]),
        language=st.sampled_from(["pl", "uk"]),
        added_at=INSTANTS,
    ),
    max_size=12,
)


@given(VERSIONS, INSTANTS, st.randoms())
def test_nothing_unactivated_future_or_of_another_place_is_ever_heard(
    versions: list[Announcement], now: datetime, random: Random
) -> None:
    active = which_is_active(versions, Layer.FIRST, "pl", now)
    eligible = [
        each
        for each in versions
        if each.layer is Layer.FIRST
        and each.language == "pl"
        and each.active_from is not None
        and each.active_from <= now
    ]
    assert (active is None) == (not eligible)
    if active is not None:
        assert active in eligible
        assert active.active_from == max(each.active_from for each in eligible if each.active_from)
    # The order in which files are found on disk decides nothing.
    shuffled = list(versions)
    random.shuffle(shuffled)
    assert which_is_active(shuffled, Layer.FIRST, "pl", now) == active


@given(VERSIONS, INSTANTS)
def test_the_periods_tell_the_same_as_the_rule(versions: list[Announcement], now: datetime) -> None:
    # A version's layer and language never change: one id, one place.
    own = {each.id: each for each in versions}
    history = [replace(own[each.id], active_from=each.active_from) for each in versions]
    for layer in (Layer.FIRST, Layer.SECOND):
        for language in ("pl", "uk"):
            active = which_is_active(history, layer, language, now)
            covering = [
                each.announcement_id
                for each in periods(history)
                if own[each.announcement_id].layer is layer
                and own[each.announcement_id].language == language
                and each.valid_from <= now
                and (each.valid_until is None or now < each.valid_until)
            ]
            assert covering == ([] if active is None else [active.id])


def test_a_version_that_returns_has_two_periods() -> None:
    """R8.2d: valid from and to are kept, whatever is activated later."""
    day = timedelta(days=1)
    first, second = a_version(1, NOON), a_version(2, NOON + day)
    again = replace(first, active_from=NOON + 2 * day)
    known = periods([again, second, first])
    assert known == (
        Period(announcement_id=first.id, valid_from=NOON, valid_until=NOON + day),
        Period(announcement_id=second.id, valid_from=NOON + day, valid_until=NOON + 2 * day),
        Period(announcement_id=first.id, valid_from=NOON + 2 * day, valid_until=None),
    )
    assert standing(second.id, known, NOON).state is State.PLANNED
    assert standing(second.id, known, NOON + day).state is State.IN_FORCE
    superseded = standing(second.id, known, NOON + 2 * day)
    assert (superseded.state, superseded.at) == (State.SUPERSEDED, NOON + 2 * day)
    assert standing(AnnouncementId(UUID(int=9)), known, NOON).state is State.NOT_ACTIVATED


def test_activating_twice_in_a_row_is_one_period() -> None:
    first = a_version(1, NOON)
    again = replace(first, active_from=NOON + timedelta(days=1))
    (only,) = periods([first, again])
    assert (only.valid_from, only.valid_until) == (NOON, None)


def test_what_callers_are_offered_and_nobody_recorded_is_told() -> None:
    have = [a_version(1, NOON), a_version(2, NOON, layer=Layer.SECOND)]
    gaps = what_is_missing(have, language="pl", language_keys=["uk"], now=NOON)
    assert {(each.layer, each.language) for each in gaps} == {
        (Layer.FIRST, "uk"),
        (Layer.SECOND, "uk"),
        (Layer.LANGUAGES, "pl"),
    }
    (worst, *_) = what_is_missing([], language="pl", language_keys=[], now=NOON)
    assert (worst.layer, worst.language) == (Layer.FIRST, "pl")
    assert "no call is recorded" in worst.advice
