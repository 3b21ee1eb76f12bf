import pytest

from recorder.capture.rules import (
    decide_consent,
    decide_scope,
    judge_playback,
    outside_parties,
)
from recorder.model import Mode, PlaybackResult, Reason
from tests.builders import a_scope


@pytest.mark.parametrize(
    ("endpoint", "context", "line", "caller", "changes", "reason"),
    [
        ("operator", "from-operator", "746640800", "600123456", {}, Reason.STAYED_ON_THE_LINE),
        ("operator", "from-operator", "0048746640800", "", {}, Reason.STAYED_ON_THE_LINE),
        ("operator", "from-operator", "746640801", "600123456", {}, Reason.LINE_NOT_LISTED),
        ("operator", "from-internal", "746640800", "600123456", {}, Reason.NOT_FROM_A_TRUNK),
        ("desk", "from-operator", "746640800", "600123456", {}, Reason.NOT_FROM_A_TRUNK),
        ("", "", "", "", {}, Reason.NOT_FROM_A_TRUNK),
        ("operator", "from-operator", "746640800", "101", {}, Reason.CALLER_INTERNAL),
        ("operator", "from-operator", "746640800", "+48 74 664 08 99", {}, Reason.CALLER_INTERNAL),
        (
            "operator",
            "from-operator",
            "746640800",
            "600123456",
            {"recording": False},
            Reason.NOT_ENABLED,
        ),
    ],
)
def test_only_calls_from_outside_to_a_listed_line_are_in_scope(
    endpoint: str,
    context: str,
    line: str,
    caller: str,
    changes: dict[str, object],
    reason: Reason,
) -> None:
    """R3.2a, R3.2b, R3.4a, R3.4b, R3.4f."""
    decision = decide_scope(
        endpoint=endpoint,
        context=context,
        line=line,
        caller_number=caller,
        scope=a_scope(**changes),
    )
    assert decision.reason is reason
    assert decision.record == (reason is Reason.STAYED_ON_THE_LINE)
    assert decision.rule_version


@pytest.mark.parametrize(
    ("mode", "heard", "key", "record", "reason"),
    [
        (Mode.OPT_OUT, True, None, True, Reason.STAYED_ON_THE_LINE),
        (Mode.OPT_OUT, True, "1", True, Reason.STAYED_ON_THE_LINE),
        (Mode.OPT_OUT, True, "2", False, Reason.DECLINED),
        (Mode.OPT_OUT, False, None, False, Reason.ANNOUNCEMENT_FAILED),
        (Mode.OPT_OUT, False, "1", False, Reason.ANNOUNCEMENT_FAILED),
        (Mode.OPT_OUT, False, "2", False, Reason.DECLINED),
        (Mode.OPT_IN, True, "1", True, Reason.CONSENTED_BY_KEY),
        (Mode.OPT_IN, True, None, False, Reason.NO_CONSENT),
        (Mode.OPT_IN, True, "2", False, Reason.DECLINED),
        (Mode.OPT_IN, False, "1", False, Reason.ANNOUNCEMENT_FAILED),
        (Mode.NOTICE, True, None, True, Reason.STAYED_ON_THE_LINE),
        (Mode.NOTICE, True, "2", True, Reason.STAYED_ON_THE_LINE),
        (Mode.NOTICE, False, None, False, Reason.ANNOUNCEMENT_FAILED),
    ],
)
def test_consent_follows_what_was_heard_and_pressed(
    mode: Mode, heard: bool, key: str | None, record: bool, reason: Reason
) -> None:
    """RG.1, R8.2a, R8.2b, RK.2a."""
    decision = decide_consent(mode=mode, heard=heard, key=key)
    assert (decision.record, decision.reason) == (record, reason)


@pytest.mark.parametrize(
    ("done", "stopped", "measured", "witnessed", "result"),
    [
        (True, False, 10_000, 10_000, PlaybackResult.HEARD),
        (True, False, 9_900, 9_500, PlaybackResult.HEARD),
        (True, False, 9_899, 10_000, PlaybackResult.CUT),
        (True, False, 10_000, 9_499, PlaybackResult.CUT),
        (False, False, 10_000, 10_000, PlaybackResult.CUT),
        (True, True, 10_000, 10_000, PlaybackResult.INTERRUPTED),
        (True, False, None, None, PlaybackResult.NOT_REPORTED),
    ],
)
def test_done_alone_does_not_prove_that_the_announcement_was_heard(
    done: bool,
    stopped: bool,
    measured: int | None,
    witnessed: int | None,
    result: PlaybackResult,
) -> None:
    """R8.2a, RG.6."""
    assert (
        judge_playback(
            done=done,
            stopped_by_us=stopped,
            length_ms=10_000,
            measured_ms=measured,
            witnessed_ms=witnessed,
        )
        is result
    )


def test_a_party_that_came_by_a_trunk_is_from_outside() -> None:
    """R3.4h."""
    found = outside_parties(["desk", "operator"], trunk_endpoints=["operator"])
    assert found == {"operator"}
