"""Valid objects; a test names only what it is about."""

from datetime import UTC, datetime
from uuid import UUID

from recorder.capture.call_flow import Flow
from recorder.capture.events import Terms
from recorder.model import (
    Announcement,
    AnnouncementId,
    CallId,
    CallRecord,
    Decision,
    Layer,
    Mode,
    Reason,
    RecordingId,
)
from recorder.regulation import Scope, Trunk

NOON = datetime(2026, 11, 12, 12, tzinfo=UTC)
CALL = CallId(UUID(int=1))
RECORDING = RecordingId(UUID(int=2))
IN_SCOPE = Decision(record=True, reason=Reason.STAYED_ON_THE_LINE)


def an_announcement(layer: Layer = Layer.FIRST, language: str = "pl") -> Announcement:
    number = list(Layer).index(layer) * 100 + sum(language.encode())
    return Announcement(
        id=AnnouncementId(UUID(int=number)),
        layer=layer,
        language=language,
        text="Nagrywamy rozmowy.",
        sha256="0" * 64,
        length_ms=10_000,
        level_dbfs=-20.0,
        added_at=NOON,
        active_from=NOON,
    )


def some_terms(mode: Mode = Mode.OPT_OUT, *announcements: Announcement) -> Terms:
    given = announcements or (
        an_announcement(),
        an_announcement(Layer.SECOND),
        an_announcement(language="uk"),
    )
    return Terms(
        mode=mode,
        choice_wait_s=3.0,
        language="pl",
        language_keys={"4": "uk"},
        announcements={(each.layer, each.language): each for each in given},
        recording_id=RECORDING,
    )


def a_flow(mode: Mode = Mode.OPT_OUT, scope: Decision = IN_SCOPE) -> Flow:
    return Flow(call_id="call", terms=some_terms(mode), scope=scope)


def a_scope(**changes: object) -> Scope:
    values: dict[str, object] = {
        "recording": True,
        "trunks": (Trunk(endpoint="operator", context="from-operator"),),
        "lines": ("746640800",),
        "internal_numbers": ("101", "746640899"),
        "forwarded_outside": "stop",
    }
    return Scope.model_validate(values | changes)


def a_call(**changes: object) -> CallRecord:
    values: dict[str, object] = {
        "id": CALL,
        "node": "pbx1",
        "channel_id": "1764000000.1",
        "arrived_at": NOON,
        "endpoint": "operator",
        "context": "from-operator",
        "line": "746640800",
        "caller_number": "600123456",
    }
    return CallRecord(**(values | changes))  # type: ignore[arg-type]
