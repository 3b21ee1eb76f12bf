"""Calls that the dialplan let through because capture was not there: their line, their row. Pure.

The subroutine leaves one line a call, fields divided by ``|``, caller data in base64:
``1|epoch|reason|unique id|channel|context|dialled|number|name``.
"""

from datetime import UTC, datetime

from recorder.capture.dialplan_text import from_base64
from recorder.capture.parties import endpoint_of
from recorder.capture.rules import decide_scope
from recorder.model import CallId, CallRecord, Decision, IncidentKind, Reason
from recorder.regulation import Scope

FIELDS = 9
FORMAT = "1"
REASONS = {
    "app_absent": (Reason.APP_ABSENT, IncidentKind.APP_ABSENT),
    "app_unresponsive": (Reason.APP_UNRESPONSIVE, IncidentKind.APP_UNRESPONSIVE),
}


def read_bypassed(line: str, *, call_id: CallId, node: str, scope: Scope) -> CallRecord | None:
    """Return the call of one line, None if the line is torn or not ours (R3.4f, R5.1b)."""
    fields = line.strip().split("|")
    if len(fields) != FIELDS or fields[0] != FORMAT or fields[2] not in REASONS:
        return None
    try:
        arrived_at = datetime.fromtimestamp(float(fields[1]), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    channel, context, called, number, name = (from_base64(each) for each in fields[4:])
    endpoint = endpoint_of(channel)
    decided = decide_scope(
        endpoint=endpoint, context=context, line=called, caller_number=number, scope=scope
    )
    reason, incident = REASONS[fields[2]]
    return CallRecord(
        id=call_id,
        node=node,
        channel_id=fields[3],
        arrived_at=arrived_at,
        endpoint=endpoint,
        context=context,
        line=called,
        caller_number=number,
        caller_name=name,
        scope=decided,
        consent=Decision(record=False, reason=reason) if decided.record else None,
        unwatched=True,
        incidents=(incident,) if decided.record else (),
    )
