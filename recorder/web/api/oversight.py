"""What is due and what was erased, whether every call is explained, and incidents."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from recorder.access.model import Permission, View
from recorder.erasure.coming import SHOWN_DAYS, days_ahead
from recorder.errors import RuleViolation
from recorder.incidents.model import Incident, IncidentId, State
from recorder.incidents.rules import LONGEST
from recorder.retention.rules import day_of_office
from recorder.web.api import routing
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem

router = routing.router("oversight")


class DueTold(Told):
    """How many recordings go by the end of a day of the office, and how many a hold keeps."""

    day: date
    due: int
    held: int
    size_bytes: int


class ComingTold(Told):
    """The days to come, and what is past its time already."""

    days: list[DueTold]
    past: int
    past_held: int


class ReportTold(Told):
    """One day: expired = erased + held + failed, and failed is 0 (§ 7.2)."""

    day: date
    expired: int
    erased: int
    held: int
    failed: int
    by_hand: int
    made_at: datetime


class Reports(Told):
    """Daily reports, newest first."""

    reports: list[ReportTold]


class ComparedTold(Told):
    """One day compared with the PBX's own call records (RG.13)."""

    day: date
    compared_at: datetime
    settled_until: datetime
    pbx_calls: int
    explained: int
    never_answered: int
    in_hand: int
    unexplained: int
    without_record: int


class Days(Told):
    """Compared days, newest first."""

    days: list[ComparedTold]


class IncidentTold(Told):
    """One incident; ids and kinds, of nobody."""

    id: UUID
    kind: str
    at: datetime
    call_id: UUID | None
    detail: str
    state: str
    explanation: str
    explained_at: datetime | None
    closed_at: datetime | None


class CountTold(Told):
    """How many of one kind are not closed."""

    kind: str
    open: int
    explained: int
    oldest_at: datetime


class IncidentsTold(Told):
    """Counts of what is not closed; and a page, for whoever may see which."""

    counts: list[CountTold]
    incidents: list[IncidentTold]


class Explanation(Body):
    """What an incident was, without names and numbers."""

    explanation: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    all_alike: bool = False
    """And every open one of its kind and day."""


class ExplainedTold(Told):
    """How many have the explanation now."""

    explained: int


@router.get("/deletions/coming")
@needs(Permission.REPORT_READ)
async def coming(asker: Who, parts: Parts) -> ComingTold:
    """Return how much goes on each of the next thirty days."""
    today = asker.now.astimezone(parts.zone).date()
    since, _ = day_of_office(today, office_zone=parts.zone)
    _, until = day_of_office(today + timedelta(days=SHOWN_DAYS), office_zone=parts.zone)
    found = await parts.oversight.erasing.due(since, until)
    past, past_held = await parts.oversight.erasing.past(asker.now)
    return ComingTold(
        days=[
            DueTold(**{name: getattr(each, name) for name in DueTold.model_fields})
            for each in days_ahead(found, today=today)
        ],
        past=past,
        past_held=past_held,
    )


@router.get("/deletions/reports")
@needs(Permission.REPORT_READ)
async def reports(parts: Parts, limit: Annotated[int, Query(ge=1, le=400)] = 30) -> Reports:
    """Return the daily reports."""
    found = await parts.oversight.reports.newest(limit=limit)
    return Reports(
        reports=[
            ReportTold(**{name: getattr(each, name) for name in ReportTold.model_fields})
            for each in found
        ]
    )


@router.get("/completeness")
@needs(Permission.REPORT_READ)
async def completeness(parts: Parts, limit: Annotated[int, Query(ge=1, le=400)] = 14) -> Days:
    """Return what comparing found, day by day."""
    found = await parts.oversight.comparisons.newest(limit=limit)
    counted = {"unexplained", "without_record"}
    return Days(
        days=[
            ComparedTold(
                **{
                    name: getattr(each, name)
                    for name in ComparedTold.model_fields
                    if name not in counted
                },
                unexplained=len(each.unexplained),
                without_record=each.without_record_count,
            )
            for each in found
        ]
    )


@router.get("/incidents")
@needs(Permission.INCIDENT_READ)
async def incidents(
    asker: Who,
    parts: Parts,
    state: State = State.OPEN,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> IncidentsTold:
    """Return incidents of one state, newest first."""
    whole = (await asker.require(Permission.INCIDENT_READ)).view is View.FULL
    rows = parts.oversight.incidents.rows
    found = (
        await rows.page(state, kind=None, after=IncidentId(after) if after else None, limit=limit)
        if whole
        else ()
    )
    return IncidentsTold(
        counts=[
            CountTold(**{name: getattr(each, name) for name in CountTold.model_fields})
            for each in await rows.counts()
        ],
        incidents=[_told(each) for each in found],
    )


@router.post("/incidents/{incident_id}/explain")
@needs(Permission.INCIDENT_EXPLAIN)
async def explain(incident_id: UUID, words: Explanation, asker: Who, parts: Parts) -> ExplainedTold:
    """Say what an incident was."""
    explained = await parts.oversight.incidents.explain(
        IncidentId(incident_id), words.explanation, all_alike=words.all_alike, actor=asker.actor
    )
    return ExplainedTold(explained=explained)


@router.post("/incidents/{incident_id}/close", status_code=204)
@needs(Permission.INCIDENT_EXPLAIN)
async def close(incident_id: UUID, asker: Who, parts: Parts) -> None:
    """Close an explained incident."""
    try:
        await parts.oversight.incidents.close(IncidentId(incident_id), actor=asker.actor)
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT) from None


def _told(incident: Incident) -> IncidentTold:
    known = {name: getattr(incident, name) for name in IncidentTold.model_fields if name != "state"}
    return IncidentTold(**known, state=incident.state.value)
