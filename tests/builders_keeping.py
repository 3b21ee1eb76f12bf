"""Valid objects of keeping and erasing; a test names only what it is about."""

from datetime import timedelta
from uuid import UUID

from recorder.approvals.model import Action, Approval, ApprovalId
from recorder.audit.event import Actor, ActorKind
from recorder.erasure.model import Candidate, RetentionChange, Stage
from recorder.holds.model import BatchId, Ground, Hold, HoldId
from recorder.model import CallId, RecordingId
from tests.builders import CALL, NOON, RECORDING

OLGA = Actor(kind=ActorKind.OPERATOR, name="olga")
KAMIL = Actor(kind=ActorKind.OPERATOR, name="kamil")
DIRECTOR = Actor(kind=ActorKind.OPERATOR, name="director")
PURGE = Actor(kind=ActorKind.PROCESS, name="retention")


def a_candidate(**changes: object) -> Candidate:
    values: dict[str, object] = {
        "id": RECORDING,
        "call_id": CALL,
        "stored_on": "2026/11/12",
        "ended_at": NOON,
        "sealed_at": NOON + timedelta(seconds=3),
        "stage": Stage.KEPT,
    }
    return Candidate(**(values | changes))  # type: ignore[arg-type]


def a_hold(recording_id: RecordingId = RECORDING, **changes: object) -> Hold:
    values: dict[str, object] = {
        "id": HoldId(UUID(int=77)),
        "recording_id": recording_id,
        "batch_id": BatchId(UUID(int=78)),
        "ground": Ground.REQUEST_OF_AUTHORITY,
        "reference": "RSD 12/2026",
        "reason": "threats on the telephone",
        "placed_by": "operator:olga",
        "placed_at": NOON,
        "review_by": NOON + timedelta(days=90),
        "lapses_at": None,
    }
    return Hold(**(values | changes))  # type: ignore[arg-type]


def an_approval(**changes: object) -> Approval:
    values: dict[str, object] = {
        "id": ApprovalId(UUID(int=90)),
        "action": Action.LIFT_HOLD,
        "subject": UUID(int=77),
        "proposed_by": "operator:olga",
        "proposed_at": NOON,
        "reason": "the proceedings have ended",
        "reference": "RSD 12/2026, final",
    }
    return Approval(**(values | changes))  # type: ignore[arg-type]


def a_change(**changes: object) -> RetentionChange:
    values: dict[str, object] = {
        "at": NOON,
        "from_days": None,
        "to_days": 30,
        "proposed_by": "",
        "decided_by": "operator:kamil",
        "reason": "",
        "at_once": 0,
        "held": 0,
    }
    return RetentionChange(**(values | changes))  # type: ignore[arg-type]


def numbered(number: int) -> tuple[RecordingId, CallId]:
    return RecordingId(UUID(int=number + 1_000_000)), CallId(UUID(int=number))
