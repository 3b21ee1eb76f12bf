from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.custody.rules import describe, has_gap, incidents_of, is_settled, outcome_of
from recorder.model import Decision, IncidentKind, Moment, Reason, SealedAudio, Span
from tests.builders import IN_SCOPE, NOON, RECORDING, a_call

WARSAW = ZoneInfo("Europe/Warsaw")
TWENTY = (Span(since=NOON, until=NOON + timedelta(seconds=20)),)


def some_audio(seconds: float) -> SealedAudio:
    return SealedAudio(
        sha256="0" * 64,
        size_bytes=1,
        frames=round(seconds * 8000),
        sample_rate=8000,
        caller_dbfs=-20.0,
        office_dbfs=-20.0,
        silent=False,
        one_sided=False,
    )


@pytest.mark.parametrize(
    ("changes", "recorded", "reason"),
    [
        ({"bridged": TWENTY, "answered_at": NOON}, True, Reason.STAYED_ON_THE_LINE),
        ({}, False, Reason.NOT_ANSWERED),
        ({"pbx_lost": True}, False, Reason.PBX_LOST),
        ({"bridged": TWENTY, "answered_at": NOON}, False, Reason.AUDIO_LOST),
        (
            {"consent": Decision(record=False, reason=Reason.DECLINED), "bridged": TWENTY},
            False,
            Reason.DECLINED,
        ),
    ],
)
def test_permission_to_record_is_not_yet_a_recording(
    changes: dict[str, object], recorded: bool, reason: Reason
) -> None:
    """R3.4f."""
    call = a_call(**({"scope": IN_SCOPE, "consent": IN_SCOPE, "recording_id": RECORDING} | changes))
    outcome = outcome_of(call, recorded=recorded)
    assert outcome.reason is reason
    assert outcome.record is recorded


@pytest.mark.parametrize(
    ("audio_s", "bridged_s", "gap"),
    [(19.0, 20.0, False), (18.99, 20.0, True), (98.0, 100.0, False), (97.9, 100.0, True)],
)
def test_a_gap_is_more_than_a_second_or_two_percent(
    audio_s: float, bridged_s: float, gap: bool
) -> None:
    assert has_gap(audio_s=audio_s, bridged_s=bridged_s) is gap


def test_a_recording_with_a_gap_is_kept_marked_and_reported() -> None:
    """RG.5, I3."""
    call = a_call(recording_id=RECORDING, bridged=TWENTY, ended_at=NOON)
    recording = describe(call, some_audio(10), retention_days=30, office_zone=WARSAW, now=NOON)
    assert recording.incomplete
    assert incidents_of(call, recording) == (IncidentKind.AUDIO_GAP,)


@pytest.mark.parametrize(("audio_s", "gap"), [(10, False), (9.1, False), (8.9, True), (20, True)])
def test_a_recording_that_was_stopped_lasts_until_then(audio_s: float, gap: bool) -> None:
    """R3.4h, RG.6: one that was said to have stopped and went on is an incident."""
    stopped = (Moment(at=TWENTY[0].since + timedelta(seconds=10), kind="recording:stopped"),)
    call = a_call(recording_id=RECORDING, bridged=TWENTY, ended_at=NOON, timeline=stopped)
    recording = describe(call, some_audio(audio_s), retention_days=30, office_zone=WARSAW, now=NOON)
    assert recording.incomplete is gap


def test_who_talked_with_the_outside_alone_has_no_recording_and_no_audio_was_lost() -> None:
    """R3.4h."""
    stopped = (Moment(at=TWENTY[0].since, kind="recording:stopped"),)
    call = a_call(
        scope=IN_SCOPE, consent=IN_SCOPE, answered_at=NOON, bridged=TWENTY, timeline=stopped
    )
    assert outcome_of(call, recorded=False).reason is Reason.FORWARDED_OUTSIDE
    assert incidents_of(call, None) == ()


def test_the_retention_period_counts_from_the_calls_end() -> None:
    """§ 7.2, R7.2a."""
    call = a_call(recording_id=RECORDING, bridged=TWENTY, ended_at=NOON)
    recording = describe(
        call, some_audio(20), retention_days=30, office_zone=WARSAW, now=NOON + timedelta(days=2)
    )
    assert recording.erase_by == NOON + timedelta(days=30)
    assert recording.stored_on == "2026/11/12"


def test_a_file_is_settled_when_it_is_whole_or_grows_no_more() -> None:
    whole = 32_000 * 20
    assert is_settled(size=whole, bridged_s=20, unwatched=False, since_write_s=0)
    assert not is_settled(size=whole - 32_000, bridged_s=20, unwatched=False, since_write_s=1)
    assert is_settled(size=whole - 32_000, bridged_s=20, unwatched=False, since_write_s=2)
    assert not is_settled(size=whole, bridged_s=20, unwatched=True, since_write_s=0)


@given(
    bridged_s=st.floats(0, 36_000),
    audio_s=st.floats(0, 36_000),
    unwatched=st.booleans(),
    pbx_lost=st.booleans(),
)
def test_audio_is_whole_or_marked_and_a_marked_recording_is_reported(
    bridged_s: float, audio_s: float, unwatched: bool, pbx_lost: bool
) -> None:
    """I3; where nobody watched, connected time is a guess and marks nothing."""
    call = a_call(
        recording_id=RECORDING,
        bridged=(Span(since=NOON, until=NOON + timedelta(seconds=bridged_s)),),
        ended_at=NOON + timedelta(seconds=bridged_s),
        unwatched=unwatched,
        pbx_lost=pbx_lost,
        scope=IN_SCOPE,
        consent=IN_SCOPE,
    )
    audio = some_audio(audio_s)
    recording = describe(call, audio, retention_days=30, office_zone=WARSAW, now=NOON)
    whole = abs(audio.seconds - call.bridged_seconds) <= max(1.0, 0.02 * call.bridged_seconds)
    assert recording.incomplete == (not whole and not unwatched)
    assert (IncidentKind.AUDIO_GAP in incidents_of(call, recording)) == recording.incomplete
    assert recording.truncated == pbx_lost
    assert IncidentKind.AUDIO_LOST not in incidents_of(call, recording)


def test_an_incident_seen_by_capture_and_by_sealing_is_reported_once() -> None:
    call = a_call(
        recording_id=RECORDING, bridged=TWENTY, ended_at=NOON, incidents=(IncidentKind.AUDIO_GAP,)
    )
    recording = describe(call, some_audio(10), retention_days=30, office_zone=WARSAW, now=NOON)
    assert incidents_of(call, recording) == (IncidentKind.AUDIO_GAP,)


def test_a_gap_seen_while_the_call_lasted_marks_a_recording_of_the_right_length() -> None:
    """RG.6: bytes did not come when they should have."""
    call = a_call(
        recording_id=RECORDING, bridged=TWENTY, ended_at=NOON, incidents=(IncidentKind.AUDIO_GAP,)
    )
    recording = describe(call, some_audio(20), retention_days=30, office_zone=WARSAW, now=NOON)
    assert recording.incomplete


def test_a_call_without_permission_never_becomes_a_recording() -> None:
    """Promise 2."""
    with pytest.raises(ValueError, match="without permission"):
        describe(a_call(), some_audio(1), retention_days=30, office_zone=WARSAW, now=NOON)
