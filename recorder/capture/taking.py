"""Makes calls: of a caller who arrives, of one who cannot be taken, of one found again.

Each begins with what is fixed for it then: scope, announcements, the room on the disk.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from recorder.capture import events as ev
from recorder.capture import recovery
from recorder.capture.call_flow import INCIDENTS, Flow, Phase
from recorder.capture.following import Following
from recorder.capture.journal import entry, verdict
from recorder.capture.live_call import About, LiveCall, Tools
from recorder.capture.ordering import orders_of, remembering
from recorder.capture.rules import decide_scope
from recorder.errors import SpoolUnavailable
from recorder.model import CallId, CallRecord, Decision, Layer, Reason, RecordingId
from recorder.phone_numbers import masked
from recorder.ports import Announcements
from recorder.regulation import AnnouncementTerms, Scope


class CallMaker:
    """Makes calls that nobody follows yet. ``new_id`` makes UUIDv7s."""

    def __init__(
        self,
        *,
        tools: Tools,
        announcements: Announcements,
        scope: Scope,
        terms: AnnouncementTerms,
        node: str,
        floor_bytes: int,
        new_id: Callable[[], CallId],
    ) -> None:
        self._tools = tools
        self._announcements = announcements
        self._scope = scope
        self._terms = terms
        self._node = node
        self._floor_bytes = floor_bytes
        self._new_id = new_id
        self._no_terms = ev.Terms(
            mode=terms.mode,
            choice_wait_s=0,
            language=terms.language,
            language_keys={},
            announcements={},
            recording_id=RecordingId(UUID(int=0)),
        )

    def take(self, arrival: ev.Arrival, phase: Phase) -> tuple[LiveCall, Flow]:
        """Return the call of a caller who arrived, with its scope in its journal."""
        call_id = self._new_id()
        scope = decide_scope(
            endpoint=arrival.endpoint,
            context=arrival.context,
            line=arrival.line,
            caller_number=arrival.caller_number,
            scope=self._scope,
        )
        flow = Flow(
            call_id=str(call_id), terms=self._fix_terms(arrival.at), scope=scope, phase=phase
        )
        call = LiveCall(
            call_id=call_id,
            channel_id=arrival.channel_id,
            arrived_at=arrival.at,
            about=self._about(arrival.line, arrival.caller_number),
            flow=flow,
            following=self._following(None),
            tools=self._tools,
        )
        call.append(entry("call:entered", arrival.at, self._arrival_fields(call_id, arrival)))
        call.append(entry("scope:decided", arrival.at, verdict(scope)))
        return call, flow

    def refuse(self, arrival: ev.Arrival, reason: Reason) -> LiveCall:
        """Return the call of a caller who cannot be taken; it has a row all the same.

        It asks for nothing that may have failed before: no announcement, no disk.
        """
        refusal = Decision(record=False, reason=reason)
        call_id = self._new_id()
        return LiveCall(
            call_id=call_id,
            channel_id=arrival.channel_id,
            arrived_at=arrival.at,
            about=self._about(arrival.line, arrival.caller_number),
            flow=Flow(
                call_id=str(call_id), terms=self._no_terms, scope=refusal, phase=Phase.RELEASED
            ),
            following=self._following(None),
            tools=self._tools,
            journal=[
                entry("call:entered", arrival.at, self._arrival_fields(call_id, arrival)),
                entry("scope:decided", arrival.at, verdict(refusal)),
                entry("incident:raised", arrival.at, {"incident": INCIDENTS[refusal.reason]}),
            ],
        )

    def find_again(self, record: CallRecord) -> tuple[LiveCall, Flow]:
        """Return a call that another process left behind."""
        flow = Flow(
            call_id=str(record.id),
            terms=self._fix_terms(record.arrived_at),
            scope=record.scope or recovery.UNDECIDED,
            phase=Phase.RELEASED,
        )
        orders = orders_of(record, self._tools.journals.recall(record.id))
        following = replace(
            self._following(record.recording_id),
            bridged=bool(record.bridged) and record.bridged[-1].until is None,
            stopped=any(each.kind == "recording:stopped" for each in record.timeline),
            answered_at=record.answered_at,
            state_since=record.answered_at,
            last_parties=record.parties[-1:],
        )
        call = LiveCall(
            call_id=record.id,
            channel_id=record.channel_id,
            arrived_at=record.arrived_at,
            about=self._about(record.line, record.caller_number),
            flow=flow,
            following=remembering(following, orders),
            tools=self._tools,
            orders=orders,
        )
        return call, flow

    def _about(self, line: str, caller_number: str) -> About:
        return About(node=self._node, line=line, caller=masked(caller_number))

    def _arrival_fields(self, call_id: CallId, arrival: ev.Arrival) -> dict[str, object]:
        return {
            "call_id": str(call_id),
            "node": self._node,
            "channel_id": arrival.channel_id,
            "linked_id": arrival.linked_id,
            "endpoint": arrival.endpoint,
            "context": arrival.context,
            "line": arrival.line,
            "caller_number": arrival.caller_number,
            "caller_name": arrival.caller_name,
        }

    def _fix_terms(self, at: datetime) -> ev.Terms:
        terms = self._terms
        languages = {terms.language, *terms.language_keys.values()}
        found = {
            (layer, language): announcement
            for layer in Layer
            for language in languages
            if (announcement := self._announcements.active(layer, language, at)) is not None
        }
        return ev.Terms(
            mode=terms.mode,
            choice_wait_s=terms.choice_wait_s,
            language=terms.language,
            language_keys=terms.language_keys,
            announcements=found,
            recording_id=RecordingId(self._new_id()),
            hindrance=self._hindrance(),
        )

    def _hindrance(self) -> Reason | None:
        try:
            free = self._tools.spool.free_bytes()
        except SpoolUnavailable:
            return Reason.SPOOL_UNAVAILABLE
        return Reason.DISK_LOW if free < self._floor_bytes else None

    def _following(self, recording_id: RecordingId | None) -> Following:
        return Following(
            recording_id=recording_id,
            trunk_endpoints=frozenset(each.endpoint for each in self._scope.trunks),
            stop_outside=self._scope.forwarded_outside == "stop",
        )
