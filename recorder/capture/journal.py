"""A live call's journal: what its entries look like, and the call that they fold into. Pure.

One JSON object a line, appended as things happen. Folding never fails on what a crash leaves
behind; a journal written by a newer release is refused, not guessed at (F15).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from recorder.audit.event import ActorKind
from recorder.capture.parties import first_of_the_office
from recorder.live.model import Act, Answer
from recorder.live.rules import detail_of, moment_of
from recorder.model import (
    AnnouncementId,
    AnnouncementPlayed,
    CallId,
    CallRecord,
    Decision,
    IncidentKind,
    KeyPress,
    Layer,
    Mode,
    Moment,
    PlaybackResult,
    Reason,
    RecordingId,
    Span,
)

FORMAT = 1
"""Version of the entries; every line carries it."""

Entry: TypeAlias = Mapping[str, Any]

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)


class JournalTooNew(Exception):
    """A newer release wrote this journal; only that release may touch the call."""


class JournalIncomplete(Exception):
    """No call can be read: the line of its arrival is missing, or an entry is damaged."""


def entry(kind: str, at: datetime, fields: Mapping[str, object]) -> dict[str, object]:
    """Return one entry; ``fields`` may bring a more exact ``at`` of its own."""
    return {"v": FORMAT, "kind": kind, "at": at.isoformat(), **fields}


def verdict(decision: Decision) -> dict[str, object]:
    """Return a decision's fields, as every entry about one carries them."""
    return {
        "record": decision.record,
        "reason": decision.reason,
        "rule_version": decision.rule_version,
    }


def encode(line: Mapping[str, object]) -> bytes:
    """Return the line as stored. ASCII only: no character of a caller can break a line."""
    return _ENCODER.encode(line).encode("ascii") + b"\n"


def decode(stored: bytes) -> list[Entry]:
    """Return the entries. What follows the last line end was torn by a crash and is no entry."""
    whole, _, _torn = stored.rpartition(b"\n")
    entries: list[Entry] = []
    for line in whole.split(b"\n"):
        try:
            parsed = json.loads(line)
        except (ValueError, RecursionError):
            # A torn line in the middle: an append after a crash closed it with a line end.
            continue
        if isinstance(parsed, dict):
            entries.append(parsed)
    return entries


def fold(entries: Iterable[Entry]) -> CallRecord:
    """Return the call that the entries tell of.

    Raises ``JournalTooNew`` and ``JournalIncomplete``. An unknown kind is skipped, since
    this format may gain kinds without gaining a version.
    """
    call: CallRecord | None = None
    for each in entries:
        if not isinstance(each.get("v"), int) or each["v"] > FORMAT:
            raise JournalTooNew
        try:
            call = _next(call, each)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # Not skipped: a call without its decision would be another call. No cause in the
            # message: it may hold what the caller sent.
            raise JournalIncomplete(f"damaged entry ({type(error).__name__})") from None
    if call is None:
        raise JournalIncomplete
    return call


def _next(call: CallRecord | None, line: Entry) -> CallRecord | None:
    if call is not None:
        return _apply(call, line)
    return _entered(line) if line.get("kind") == "call:entered" else None


def _entered(line: Entry) -> CallRecord:
    return CallRecord(
        id=CallId(UUID(line["call_id"])),
        node=line["node"],
        channel_id=line["channel_id"],
        linked_id=line.get("linked_id", ""),
        arrived_at=_instant(line["at"]),
        endpoint=line["endpoint"],
        context=line["context"],
        line=line["line"],
        caller_number=line["caller_number"],
        caller_name=line.get("caller_name", ""),
        timeline=(Moment(at=_instant(line["at"]), kind="call:entered"),),
    )


def _apply(call: CallRecord, line: Entry) -> CallRecord:  # noqa: C901, PLR0912 - one case per kind
    at = _instant(line["at"])
    match line["kind"]:
        case "scope:decided":
            return replace(call, scope=_decision(line))
        case "announcement:started":
            return replace(call, announcements=(*call.announcements, _played(line)))
        case "announcement:finished":
            return _finished(call, line)
        case "key:pressed":
            return replace(call, keys=(*call.keys, KeyPress(key=line["key"], at=at)))
        case "consent:decided":
            return _consented(call, line)
        case "line:changed":
            return _line(call, at, bridged=line["bridged"], parties=tuple(line["parties"]))
        case "hold:changed":
            kind = "call:held" if line["held"] else "call:unheld"
            return _moment(call, at, kind)
        case "call:transferred":
            kind = "attended" if line["attended"] else "blind"
            return _moment(call, at, "call:transferred", f"{kind} → {line['to']}")
        case "order:settled":
            return _ordered(call, at, line)
        case "recording:armed" | "recording:stopped" | "recording:wiped" | "call:released":
            return _moment(call, at, line["kind"], str(line.get("why", "")))
        case "quality:reported":
            return replace(call, quality=line["figures"])
        case "incident:raised":
            return _incident(call, line)
        case "call:unwatched":
            return replace(call, unwatched=True)
        case "call:ended":
            return _ended(call, at, line)
        case _:
            return call


def _played(line: Entry) -> AnnouncementPlayed:
    return AnnouncementPlayed(
        announcement_id=AnnouncementId(UUID(line["announcement_id"])),
        layer=Layer(line["layer"]),
        language=line["language"],
        sha256=line["sha256"],
        length_ms=line["length_ms"],
    )


def _finished(call: CallRecord, line: Entry) -> CallRecord:
    index = line["playback"] - 1
    if not 0 <= index < len(call.announcements):
        return call
    finished = replace(
        call.announcements[index],
        started_at=_instant_or_none(line.get("started_at")),
        finished_at=_instant_or_none(line.get("finished_at")),
        measured_ms=line.get("measured_ms"),
        result=PlaybackResult(line["result"]),
    )
    announcements = (*call.announcements[:index], finished, *call.announcements[index + 1 :])
    return replace(call, announcements=announcements)


def _consented(call: CallRecord, line: Entry) -> CallRecord:
    recording_id = line.get("recording_id")
    decided = replace(
        call,
        consent=_decision(line),
        mode=Mode(line["mode"]) if line.get("mode") else call.mode,
        language=line.get("language", call.language),
        recording_id=RecordingId(UUID(recording_id)) if recording_id else None,
    )
    return _moment(decided, _instant(line["at"]), "consent:decided", line["reason"])


def _line(call: CallRecord, at: datetime, *, bridged: bool, parties: tuple[str, ...]) -> CallRecord:
    spans = call.bridged
    is_open = bool(spans) and spans[-1].until is None
    if bridged and not is_open:
        spans = (*spans, Span(since=at))
    elif not bridged and is_open:
        spans = (*spans[:-1], replace(spans[-1], until=at))
    newcomers = tuple(each for each in parties if each not in call.parties)
    call = replace(call, bridged=spans, parties=(*call.parties, *newcomers))
    if newcomers and not call.answered_by:
        call = replace(call, answered_at=at, answered_by=first_of_the_office(newcomers))
    if bridged:
        return _moment(call, at, "call:connected", ", ".join(parties))
    return _moment(call, at, "call:disconnected")


def _ordered(call: CallRecord, at: datetime, line: Entry) -> CallRecord:
    act, answer, by = Act(line["act"]), Answer(line["answer"]), ActorKind(line["by_kind"])
    if answer is Answer.ALREADY:
        return call
    return _moment(call, at, moment_of(act, answer), detail_of(act, answer, by))


def _ended(call: CallRecord, at: datetime, line: Entry) -> CallRecord:
    if call.ended_at is not None:
        return call
    call = _line(call, at, bridged=False, parties=()) if _is_bridged(call) else call
    return _moment(
        replace(
            call,
            ended_at=at,
            hangup_cause=line.get("cause"),
            pbx_lost=bool(line.get("pbx_lost")),
        ),
        at,
        "call:ended",
    )


def _is_bridged(call: CallRecord) -> bool:
    return bool(call.bridged) and call.bridged[-1].until is None


def _incident(call: CallRecord, line: Entry) -> CallRecord:
    kind = IncidentKind(line["incident"])
    if kind in call.incidents:
        return call
    return replace(call, incidents=(*call.incidents, kind))


def _moment(call: CallRecord, at: datetime, kind: str, detail: str = "") -> CallRecord:
    return replace(call, timeline=(*call.timeline, Moment(at=at, kind=kind, detail=detail)))


def _decision(line: Entry) -> Decision:
    return Decision(
        record=line["record"], reason=Reason(line["reason"]), rule_version=line["rule_version"]
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _instant_or_none(text: str | None) -> datetime | None:
    return _instant(text) if text else None
