"""The test call that a new installation ends with: did it arrive, was it told, can it be heard?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from starlette.requests import Request

from recorder.access.model import Permission
from recorder.erasure.model import Stage
from recorder.model import Layer, PlaybackResult
from recorder.retention.rules import day_of_office
from recorder.web.api.routing import asker_of, services_of
from recorder.web.languages import later
from recorder.web.words import REASONS

LOOKED_AT = 20
"""So many recorded calls of a day are looked at for one that can be listened to."""
LATELY = timedelta(minutes=15)
MOST_LATELY = 500
OFF = later("Recording is switched off: write recording = true under [scope] of regulation.toml.")
CALL_IT = later("Call a number of the office from an outside telephone, and stay on the line.")
NOT_RECORDED = later("Calls came today and none was recorded, most often:")
NOT_LISTENABLE = later("A call was recorded, and its recording is not sealed or not sound.")
STAGES = (
    later("It arrived."),
    later("The announcement was heard to its end."),
    later("It was recorded."),
    later("It can be listened to."),
)
"""In order; a call that stopped at one did not reach the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCall:
    """How far the test call of today came."""

    done: bool
    reached: int
    """So many of ``STAGES``."""
    todo: str = ""
    reason: str = ""
    """Why it was not recorded; a message."""
    at: datetime | None = None
    path: str = ""


async def look(request: Request) -> TrialCall:
    """Return the best call of today, else how far the newest of the last minutes came."""
    services, asker = services_of(request), asker_of(request)
    today = asker.now.astimezone(services.zone).date()
    since, _ = day_of_office(today, office_zone=services.zone)
    until = asker.now + timedelta(minutes=1)
    outcomes = await services.oversight.overview.outcomes(since, until)
    for each in outcomes:
        if each.outcome == "recorded":
            found = await _listenable(request, each.reason, since, until)
            if found is not None:
                return TrialCall(
                    done=True, reached=len(STAGES), at=found[1], path=_path(request, found[0])
                )
    if not outcomes:
        recording = services.setup.regulation.scope.recording
        return TrialCall(done=False, reached=0, todo=CALL_IT if recording else OFF)
    newest = await _newest(request, max(since, asker.now - LATELY), until)
    reached, at, path = (1, None, "") if newest is None else newest
    if any(each.outcome == "recorded" for each in outcomes):
        return TrialCall(done=False, reached=reached, todo=NOT_LISTENABLE, at=at, path=path)
    reason = max(outcomes, key=lambda each: each.calls).reason
    why = REASONS.get(reason, reason)
    return TrialCall(done=False, reached=reached, todo=NOT_RECORDED, reason=why, at=at, path=path)


async def _newest(
    request: Request, since: datetime, until: datetime
) -> tuple[int, datetime, str] | None:
    """Return how far the newest call came, when it arrived and its page."""
    services = services_of(request)
    calls = await services.oversight.overview.calls(
        since, until, reason=None, after=None, limit=MOST_LATELY
    )
    if not calls:
        return None
    call = calls[-1]
    played = await services.finder.announcements_of(call.id)
    told = any(each.layer == Layer.FIRST and each.result == PlaybackResult.HEARD for each in played)
    reached = 3 if call.outcome == "recorded" else 1 + told
    return reached, call.arrived_at, _path(request, call.id)


async def _listenable(
    request: Request, reason: str, since: datetime, until: datetime
) -> tuple[UUID, datetime] | None:
    services = services_of(request)
    calls = await services.oversight.overview.calls(
        since, until, reason=reason, after=None, limit=LOOKED_AT
    )
    kept = (await services.desk.around([each.id for each in calls])).recordings
    for each in calls:
        recording = kept.get(each.id)
        if recording and recording.stage == Stage.KEPT and recording.damaged_at is None:
            return each.id, each.arrived_at
    return None


def _path(request: Request, call_id: UUID) -> str:
    return f"/calls/{call_id}" if Permission.CALL_LIST in asker_of(request).able else ""
