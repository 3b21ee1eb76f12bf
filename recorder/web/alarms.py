"""What a person should look at: counts of what is wrong, of nobody, the worst first."""

from dataclasses import dataclass

from starlette.requests import Request

from recorder.adapters.postgres.rows import Standing
from recorder.web.api.routing import asker_of, services_of
from recorder.web.condition import Condition
from recorder.web.languages import later
from recorder.web.navigation import links
from recorder.web.told import INCIDENTS

SILENT = later("Recording services that record no call now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something a person should look at."""

    text: str
    """A message; ``number`` of it, if it has one."""
    number: int
    path: str
    """Where more of it is; empty = nowhere for this person."""


async def alarms_for(request: Request, standing: Standing, condition: Condition) -> list[Alarm]:
    """Return what a person should look at, the worst first."""
    oversight, asker = services_of(request).oversight, asker_of(request)
    reached = {each.path for each in links(asker.able, asker.account.roles, request.url.path)}
    report, holds, incidents = (
        path if path in reached else "" for path in ("/deletions", "/holds", "/incidents")
    )
    past, _ = await oversight.erasing.past(asker.now)
    brakes = [each for each in await oversight.purge_log.brakes() if not each.released]
    found = [
        Alarm(text=SILENT, number=condition.silent, path=""),
        Alarm(text=later("The purge has stopped itself"), number=len(brakes), path=report),
        Alarm(text=later("Recordings past their time"), number=past, path=report),
        Alarm(text=later("Damaged or missing recordings"), number=standing.unwell, path=incidents),
        Alarm(text=later("Jobs that are late"), number=len(condition.late), path=report),
        Alarm(text=later("Reviews of holds overdue"), number=standing.reviews_overdue, path=holds),
    ]
    found += [
        Alarm(
            text=INCIDENTS.get(each.kind, each.kind),
            number=each.open,
            path=f"/incidents?state=open&kind={each.kind}" if incidents else "",
        )
        for each in await oversight.incidents.rows.counts()
        # The brake itself is told above.
        if not (brakes and each.kind in {"purge_braked", "clock_jump"})
    ]
    return [each for each in found if each.number]
