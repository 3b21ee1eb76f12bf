"""The dashboard: how recording and keeping stand, as much of it as a role sees; of nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.adapters.postgres.rows import OutcomeCount
from recorder.erasure.coming import DueDay, days_ahead
from recorder.retention.rules import day_of_office
from recorder.sizing import GIB, Flow, forecast
from recorder.web.alarms import alarms_for
from recorder.web.api.routing import asker_of, services_of
from recorder.web.condition import condition_of
from recorder.web.gate import needs
from recorder.web.languages import later
from recorder.web.pages.first_steps import undone
from recorder.web.routes import Routes
from recorder.web.services import Services
from recorder.web.told import JOBS, PARTS

STATUS = Permission.STATUS_READ
CHART_DAYS = 30
WEEK = 7
SERIES = (
    later("recorded"),
    later("the caller's choice"),
    later("a fault"),
    later("not to be recorded"),
    later("nobody answered, or the caller left"),
)
CHOSEN = frozenset({"declined", "no_consent"})
UNHEARD = frozenset({"not_answered", "caller_left"})
OUT_OF_SCOPE = frozenset(
    {"not_enabled", "not_from_a_trunk", "line_not_listed", "caller_internal", "forwarded_outside"}
    | {"stopped", "discarded"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How full the vault is and will be, in GiB."""

    stored: float
    rows: list[tuple[date, float]]
    limit: float | None
    """None = this process cannot see the disk."""
    full_on: date | None


@needs(STATUS)
async def show(request: Request) -> Response:
    """Show how everything stands."""
    await asker_of(request).require(STATUS)
    return await page(request)


async def page(request: Request, findings: Sequence[str] = ()) -> Response:
    """Draw the dashboard of whoever asks, for whom it may also be the first page."""
    services, asker = services_of(request), asker_of(request)
    reports = Permission.REPORT_READ in asker.able
    today = asker.now.astimezone(services.zone).date()
    standing = await services.oversight.overview.standing(asker.now)
    condition = await condition_of(services, asker.now)
    since, _ = day_of_office(today, office_zone=services.zone)
    present = await services.oversight.overview.outcomes(since, asker.now + timedelta(minutes=1))
    days = await services.oversight.overview.days(today - timedelta(days=CHART_DAYS - 1), today)
    return services.drawing.page(
        "dashboard.html",
        request.scope,
        findings=findings,
        condition=condition,
        steps_undone=await undone(request),
        parts_named=PARTS,
        jobs_named=JOBS,
        alarms=await alarms_for(request, standing, condition),
        today_calls=sum(each.calls for each in present),
        today_recorded=sum(each.calls for each in present if each.outcome == "recorded"),
        series=SERIES,
        calls=calls_by_day({**days, today: present}, today=today),
        standing=standing,
        storage=await _storage(services, today) if reports else None,
        reports=reports,
        retention_days=await services.days_in_force(),
        today=today,
        now=asker.now,
    )


def calls_by_day(
    days: Mapping[date, Sequence[OutcomeCount]], *, today: date
) -> list[tuple[date, list[int]]]:
    """Return each of the last thirty days with a number for each of ``SERIES``.

    >>> row = calls_by_day({date(2026, 11, 25): [OutcomeCount(outcome="not_recorded",
    ...     reason="declined", calls=3)]}, today=date(2026, 11, 25))[-1]
    >>> row[1]
    [0, 3, 0, 0, 0]
    """
    rows = []
    for back in range(CHART_DAYS - 1, -1, -1):
        day, numbers = today - timedelta(days=back), [0] * len(SERIES)
        for each in days.get(day, ()):
            numbers[_series_of(each)] += each.calls
        rows.append((day, numbers))
    return rows


def _series_of(count: OutcomeCount) -> int:
    if count.outcome == "recorded":
        return 0
    if count.reason in CHOSEN:
        return 1
    if count.reason in UNHEARD:
        return 4
    return 3 if count.reason in OUT_OF_SCOPE else 2


def storage_of(
    coming: Mapping[date, DueDay], *, today: date, days: int, free: int | None, overdue: int = 0
) -> Storage:
    """Return how full the vault will be, if calls come as in the last week.

    ``overdue`` is what holds keep past its time: it stays.
    """
    stored = overdue + sum(each.size_bytes for each in coming.values())
    # What was taken in the last week ends its time in the last week of what is to come.
    newest = [coming.get(today + timedelta(days=days - back)) for back in range(1, WEEK + 1)]
    taken = sum(each.size_bytes for each in newest if each) // WEEK
    freed = [
        each.size_bytes * each.due // (each.due + each.held) if each.due else 0
        for each in days_ahead(coming, today=today)
    ]
    sizes = forecast(stored, Flow(freed=freed, taken_a_day=taken), days=days)
    limit = None if free is None else stored + free
    ahead = [today + timedelta(days=number) for number in range(len(sizes))]
    rows = list(zip(ahead, sizes, strict=True))
    full = [day for day, size in rows if limit is not None and size > limit]
    return Storage(
        stored=round(stored / GIB, 2),
        rows=[(day, round(size / GIB, 2)) for day, size in rows],
        limit=None if limit is None else round(limit / GIB, 2),
        full_on=full[0] if full else None,
    )


async def _storage(services: Services, today: date) -> Storage:
    days = await services.days_in_force()
    _, until = day_of_office(today + timedelta(days=days + 1), office_zone=services.zone)
    since, _ = day_of_office(today, office_zone=services.zone)
    coming = await services.oversight.erasing.due(since, until)
    free = await services.oversight.vault_free()
    overdue = await services.oversight.erasing.size_of_past(since)
    return storage_of(coming, today=today, days=days, free=free, overdue=overdue)


ROUTES: Routes = (("GET", "/dashboard", show),)
