"""Is this call to be recorded, and if not, why not?"""

from collections.abc import Iterable

from recorder.model import Decision, Mode, PlaybackResult, Reason
from recorder.regulation import Scope

LENGTH_TOLERANCE_MS = 100
"""A playing this much shorter than its file still counts as whole: the PBX reports in steps."""

WITNESS_TOLERANCE_MS = 500
"""How far our own clock may fall behind the PBX's while both watch one announcement."""


def decide_scope(
    *, endpoint: str, context: str, line: str, caller_number: str, scope: Scope
) -> Decision:
    """Apply § 3.2 and § 3.4: only calls that come in from outside are recorded.

    What is not proven is not recorded: an unknown way in counts as internal (R3.4a). The
    order of the checks decides which reason is stored, nothing else.
    """
    if not scope.recording:
        return Decision(record=False, reason=Reason.NOT_ENABLED)
    if not any((endpoint, context) == (each.endpoint, each.context) for each in scope.trunks):
        return Decision(record=False, reason=Reason.NOT_FROM_A_TRUNK)
    if not scope.line_listed(line):
        return Decision(record=False, reason=Reason.LINE_NOT_LISTED)
    if scope.is_internal(caller_number):
        return Decision(record=False, reason=Reason.CALLER_INTERNAL)
    return Decision(record=True, reason=Reason.STAYED_ON_THE_LINE)


def judge_playback(
    *,
    done: bool,
    stopped_by_us: bool,
    length_ms: int,
    measured_ms: int | None,
    witnessed_ms: int | None,
) -> PlaybackResult:
    """Tell whether an announcement was heard to its end (R8.2a, RK.2a).

    The PBX's word "done" proves nothing: it also says so when a playing was stopped. Heard
    means done, not stopped, and two clocks agree that the whole length passed:
    ``measured_ms`` by the PBX's own time stamps and ``witnessed_ms`` by our monotonic clock. A
    clock that jumped, or an application that slept through it, cannot fake both.
    """
    if stopped_by_us:
        return PlaybackResult.INTERRUPTED
    if measured_ms is None or witnessed_ms is None:
        return PlaybackResult.NOT_REPORTED
    whole = (
        measured_ms >= length_ms - LENGTH_TOLERANCE_MS
        and witnessed_ms >= length_ms - WITNESS_TOLERANCE_MS
    )
    return PlaybackResult.HEARD if done and whole else PlaybackResult.CUT


def decide_consent(*, mode: Mode, heard: bool, key: str | None) -> Decision:
    """Apply § 8.2 and clause 3 to what the caller heard and pressed (RG.1).

    ``key`` is the last of 1 and 2 that was pressed. Whoever was not told to the end is not
    recorded, whatever they pressed, except that a refusal needs no announcement.
    """
    if key == "2" and mode is not Mode.NOTICE:
        return Decision(record=False, reason=Reason.DECLINED)
    if not heard:
        return Decision(record=False, reason=Reason.ANNOUNCEMENT_FAILED)
    match mode:
        case Mode.OPT_IN if key == "1":
            return Decision(record=True, reason=Reason.CONSENTED_BY_KEY)
        case Mode.OPT_IN:
            return Decision(record=False, reason=Reason.NO_CONSENT)
        case Mode.OPT_OUT | Mode.NOTICE:
            return Decision(record=True, reason=Reason.STAYED_ON_THE_LINE)


def outside_parties(parties: Iterable[str], *, trunk_endpoints: Iterable[str]) -> frozenset[str]:
    """Return those on the line who came by a trunk, so from outside the office (R3.4h, R8.2f)."""
    return frozenset(parties) & frozenset(trunk_endpoints)
