"""Completeness: every call of a day, recorded or not and why; unexplained ones first (RG.13)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission, View
from recorder.adapters.postgres.rows import DayCall, OutcomeCount
from recorder.audit.event import AuditEvent
from recorder.model import IncidentKind
from recorder.retention.rules import day_of_office
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.pages.days import day_of, id_of
from recorder.web.routes import Routes
from recorder.web.told import STATE_KINDS, STATES
from recorder.web.words import OUTCOMES, REASONS

REPORT = Permission.REPORT_READ
PAGE = 50
DAYS = 14
"""So many days are listed with what was found."""


@needs(REPORT)
async def today(request: Request) -> Response:
    """Show the present day."""
    return await _page(request, asker_of(request).now.astimezone(services_of(request).zone).date())


@needs(REPORT)
async def day(request: Request) -> Response:
    """Show one day."""
    return await _page(request, day_of(request.path_params["day"]))


async def _page(request: Request, asked: date) -> Response:
    services, asker = services_of(request), asker_of(request)
    whole = (await asker.require(REPORT)).view is View.FULL
    since, until = day_of_office(asked, office_zone=services.zone)
    oversight = services.oversight
    found = await oversight.comparisons.of_day(asked)
    unexplained = await oversight.incidents.rows.of_details(
        IncidentKind.UNEXPLAINED_CALL.value, found.unexplained if found else ()
    )
    reason = request.query_params.get("reason", "")
    calls, more = await _calls(request, since, until, whole=whole, reason=reason)
    present = asker.now.astimezone(services.zone).date()
    return services.drawing.page(
        "completeness.html",
        request.scope,
        day=asked,
        before=asked - timedelta(days=1),
        following=asked + timedelta(days=1) if asked < present else None,
        found=found,
        unexplained=sorted(unexplained, key=lambda each: (each.state.value != "open", each.at)),
        without_record=await oversight.overview.some(found.without_record)
        if found and whole
        else (),
        outcomes=await _outcomes(request, asked, since, until),
        calls=calls,
        more=more,
        reason=reason,
        whole=whole,
        days=await oversight.comparisons.newest(limit=DAYS),
        may_see_calls=Permission.CALL_LIST in asker.able,
        outcomes_named=OUTCOMES,
        reasons=REASONS,
        states=STATES,
        state_kinds=STATE_KINDS,
        now=asker.now,
    )


async def _outcomes(
    request: Request, asked: date, since: datetime, until: datetime
) -> Sequence[OutcomeCount]:
    """Return a day's counts, as they were counted; of a day that was not, counted now."""
    overview = services_of(request).oversight.overview
    if asked < asker_of(request).now.astimezone(services_of(request).zone).date():
        counted = await overview.days(asked, asked + timedelta(days=1))
        if asked in counted:
            return counted[asked]
    return await overview.outcomes(since, until)


async def _calls(
    request: Request, since: datetime, until: datetime, *, whole: bool, reason: str
) -> tuple[list[DayCall], str]:
    """Return one page of the calls of a day, and from behind which the next one begins."""
    services, asker = services_of(request), asker_of(request)
    if not whole:
        return [], ""
    behind = request.query_params.get("after", "")
    rows = list(
        await services.oversight.overview.calls(
            since,
            until,
            reason=reason or None,
            after=id_of(behind) if behind else None,
            limit=PAGE + 1,
        )
    )
    entry = AuditEvent(
        action="call:listed",
        at=asker.now,
        actor=asker.actor,
        details={"day": since.isoformat(), "calls": len(rows[:PAGE])},
    )
    await services.finder.note(entry)
    return rows[:PAGE], str(rows[PAGE - 1].id) if len(rows) > PAGE else ""


ROUTES: Routes = (
    ("GET", "/completeness", today),
    ("GET", "/completeness/{day}", day),
)
