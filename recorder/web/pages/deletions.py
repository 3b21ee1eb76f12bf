"""Deletion: what is due when, what became of each day, and what stops the purge (§ 7.2)."""

from datetime import timedelta
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission, View
from recorder.approvals.model import Action
from recorder.audit.event import AuditEvent
from recorder.erasure.coming import SHOWN_DAYS, days_ahead
from recorder.erasure.model import OpenBrake
from recorder.retention.rules import day_of_office
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.days import day_of, id_of
from recorder.web.pages.forms import fields_of, see
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.told import BRAKES, JOBS, progress_of
from recorder.web.words import ROUTES as ERASED_BY

REPORT, RUN = Permission.REPORT_READ, Permission.RETENTION_RUN
PAGE = 50
SHOWN_REPORTS = 30
SHOWN_BY_HAND = 20
DONE = {
    "released": later("The brake is released: the next run erases what is due, within minutes."),
    "refused": later("The proposal is refused; nothing was erased."),
}
NOT_FOUND = later("Number: nothing has this number; copy it from the page of a call.")
GONE = later("This brake is not on any more; nothing was done.")


@needs(REPORT)
async def overview(request: Request) -> Response:
    """Show the days to come, the last runs and the last reports."""
    return await _page(request)


@needs(REPORT)
async def day(request: Request) -> Response:
    """Show one day: its report, and each recording that was erased on it."""
    services, asker = services_of(request), asker_of(request)
    decision = await asker.require(REPORT)
    asked = day_of(request.path_params["day"])
    since, until = day_of_office(asked, office_zone=services.zone)
    erasing = services.oversight.erasing
    behind, rows = request.query_params.get("after", ""), []
    if decision.view is View.FULL:
        after = None
        if behind:
            at = await erasing.erased_at(id_of(behind))
            if at is None:
                raise Problem(kind=Kind.NOT_FOUND)
            after = (at, id_of(behind))
        rows = list(await erasing.erased(since, until, after=after, limit=PAGE + 1))
        entry = AuditEvent(
            action="erasures:listed",
            at=asker.now,
            actor=asker.actor,
            details={"day": asked.isoformat(), "recordings": len(rows[:PAGE])},
        )
        await services.finder.note(entry)
    today = asker.now.astimezone(services.zone).date()
    return services.drawing.page(
        "deletions_day.html",
        request.scope,
        day=asked,
        before=asked - timedelta(days=1),
        following=asked + timedelta(days=1) if asked < today else None,
        report=await services.oversight.reports.of_day(asked),
        over=asked < today,
        rows=rows[:PAGE],
        more=rows[PAGE - 1].id if len(rows) > PAGE else None,
        whole=decision.view is View.FULL,
        names=await names_of(services),
        routes=ERASED_BY,
        now=asker.now,
    )


@needs(Permission.RECORDING_ERASE)
async def find(request: Request) -> Response:
    """Lead from the number of a recording or of a call to erasing it by hand."""
    services = services_of(request)
    await asker_of(request).require(Permission.RECORDING_ERASE)
    (number,) = await fields_of(request, "number")
    try:
        wanted = UUID(number.strip())
    except ValueError:
        return await _page(request, faults={"number": NOT_FOUND}, number=number)
    call_id = await services.desk.call_of(wanted)
    if call_id is None and await services.finder.call(wanted) is not None:
        call_id = wanted
    if call_id is None:
        return await _page(request, faults={"number": NOT_FOUND}, number=number)
    return see(f"/calls/{call_id}/erasure")


@needs(RUN)
async def check_release(request: Request) -> Response:
    """Say what releasing a brake will do, before it is done."""
    services = services_of(request)
    return services.drawing.page(
        "brake_confirm.html",
        request.scope,
        brake=await _brake(request),
        due=await _due_now(request),
        brakes=BRAKES,
    )


@needs(RUN)
async def release(request: Request) -> Response:
    """Let the next run through (P5)."""
    services, asker = services_of(request), asker_of(request)
    brake = await _brake(request)
    released = await services.oversight.purge_log.release(
        brake.token, actor=asker.actor, at=asker.now
    )
    if released is None:
        raise Problem(kind=Kind.CONFLICT, detail=GONE)
    return see("/deletions?done=released")


async def _page(
    request: Request, *, faults: dict[str, str] | None = None, number: str = ""
) -> Response:
    services, asker = services_of(request), asker_of(request)
    decision = await asker.gate.decide(REPORT, asker.asking)
    full = decision.allowed and decision.view is View.FULL
    say = speaker(language_of(request.scope))
    today = asker.now.astimezone(services.zone).date()
    since, _ = day_of_office(today, office_zone=services.zone)
    _, until = day_of_office(today + timedelta(days=SHOWN_DAYS), office_zone=services.zone)
    erasing, keeping = services.oversight.erasing, services.keeping
    coming = await erasing.due(since, until)
    past, past_held = await erasing.past(asker.now)
    waiting = await keeping.approvals.waiting() if full else ()
    month_ago = asker.now - timedelta(days=SHOWN_DAYS)
    return services.drawing.page(
        "deletions.html",
        request.scope,
        status=422 if faults else 200,
        coming=days_ahead(coming, today=today),
        past=past,
        past_held=past_held,
        brakes_on=await services.oversight.purge_log.brakes(),
        brakes=BRAKES,
        jobs=await services.jobs(),
        jobs_named=JOBS,
        progress_of=progress_of,
        reports=await services.oversight.reports.newest(limit=SHOWN_REPORTS),
        waiting=[each for each in waiting if each.action is Action.ERASE_BY_HAND],
        calls={
            each.id: await services.desk.call_of(each.subject)
            for each in waiting
            if each.action is Action.ERASE_BY_HAND
        },
        by_hand=await erasing.by_hand(month_ago, limit=SHOWN_BY_HAND) if full else (),
        whole=full,
        may_run=RUN in asker.able,
        may_erase=Permission.RECORDING_ERASE in asker.able,
        names=await names_of(services) if full else {},
        days=await services.days_in_force(),
        number=number,
        faults={name: say(text) for name, text in (faults or {}).items()},
        done=say(DONE.get(request.query_params.get("done", ""), "")),
        today=today,
        now=asker.now,
    )


async def _brake(request: Request) -> OpenBrake:
    (token,) = await fields_of(request, "token")
    for each in await services_of(request).oversight.purge_log.brakes():
        if each.token == token and not each.released:
            return each
    raise Problem(kind=Kind.CONFLICT, detail=GONE)


async def _due_now(request: Request) -> int:
    """Return how many recordings end their time by the end of today, held ones left out."""
    services, asker = services_of(request), asker_of(request)
    today = asker.now.astimezone(services.zone).date()
    since, until = day_of_office(today, office_zone=services.zone)
    past, _ = await services.oversight.erasing.past(asker.now)
    rest = await services.oversight.erasing.due(max(since, asker.now), until)
    return past + sum(each.due for each in rest.values())


ROUTES: Routes = (
    ("GET", "/deletions", overview),
    ("GET", "/deletions/days/{day}", day),
    ("POST", "/deletions/find", find),
    ("POST", "/deletions/brakes/check", check_release),
    ("POST", "/deletions/brakes/release", release),
)
