"""The first steps of an installation, each found done or not by looking; none is ticked by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.accounts.model import Account, Role
from recorder.announcements.rules import which_is_active
from recorder.authorisations.model import Authorisation, Standing
from recorder.authorisations.rules import standing
from recorder.backup.rules import destroy_by
from recorder.erasure.model import Stage
from recorder.model import Announcement, Layer
from recorder.retention.rules import day_of_office
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.languages import later
from recorder.web.routes import Routes
from recorder.web.services import Services
from recorder.web.words import REASONS

ADMINISTRATORS = 2
LOOKED_AT = 20
"""So many recorded calls of a day are looked at for one that can be listened to."""
OFF = later("Recording is switched off: write recording = true under [scope] of regulation.toml.")
CALL_IT = later("Call a number of the office from an outside telephone, and stay on the line.")
NOT_RECORDED = later("Calls came today and none was recorded, most often:")
NOT_LISTENABLE = later("A call was recorded, and its recording is not sealed or not sound.")
NO_KEYS = later("No backup is allowed: write days of keys under [backups] of regulation.toml.")
NO_BACKUP = later("There is no backup whose keys still live. At the machine:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: whether it is done, and if not, what does it."""

    title: str
    done: bool
    paragraph: str = ""
    todo: str = ""
    """What to do while it is not done."""
    reason: str = ""
    """Why a call was not recorded; a message."""
    path: str = ""
    """The page where it is done, or seen."""
    link: str = ""
    command: str = ""
    at: datetime | None = None
    """When what makes it done was."""


@needs(Permission.CONFIG_READ)
async def overview(request: Request) -> Response:
    """Show every step."""
    await asker_of(request).require(Permission.CONFIG_READ)
    steps = await steps_of(request)
    return services_of(request).drawing.page(
        "first_steps.html", request.scope, steps=steps, done=sum(each.done for each in steps)
    )


async def undone(request: Request) -> int:
    """Return how many steps are not done; 0 for whoever may not see them."""
    if Permission.CONFIG_READ not in asker_of(request).able:
        return 0
    return sum(not each.done for each in await steps_of(request))


async def steps_of(request: Request) -> list[Step]:
    """Look at everything, and return the steps in order."""
    services, asker = services_of(request), asker_of(request)
    accounts = [each for each in await services.people.store.accounts() if each.disabled_at is None]
    listed = await services.people.workstations.listed()
    _, activations = await services.announcements()
    papers = await services.people.papers.all()
    return [
        Step(
            title=later("The first account"),
            done=bool(accounts),
            todo=later("At the machine:"),
            command="recorder user first-token",
        ),
        Step(
            title=later("Your own second factor"),
            done=asker.second_factor,
            paragraph="§ 8.1",
            todo=later("Set it at your account, with a telephone."),
            path="/account",
            link=later("My account"),
        ),
        Step(
            title=later("A workstation on the list"),
            done=bool(listed),
            paragraph="§ 6.2",
            todo=later("List the workstations from which people work."),
            path="/workstations",
            link=later("Workstations"),
        ),
        Step(
            title=later("The announcement is in force"),
            done=is_told(activations, services=services, now=asker.now),
            paragraph="§ 8.2",
            todo=later("Add one and activate it, or start with those that ship. At the machine:"),
            path="/announcements",
            link=later("Announcements"),
            command="recorder announcement install-starters --activate",
        ),
        Step(
            title=later("A second administrator"),
            done=administrators_of(accounts) >= ADMINISTRATORS,
            paragraph="§ 8.1",
            todo=later("Some acts take two persons. At the machine:"),
            command='recorder user add LOGIN --name "…" --post "…" --role administrator',
        ),
        Step(
            title=later("A listener with a valid authorisation"),
            done=is_authorised(papers, accounts=accounts, now=asker.now),
            paragraph="§ 8.1",
            todo=later("Grant one; another administrator confirms it. At the machine:"),
            command="recorder authorisation grant LOGIN --role listener --to 2027-06-30",
        ),
        await _backup(services, asker.now),
        await _call(request),
    ]


def is_told(activations: Sequence[Announcement], *, services: Services, now: datetime) -> bool:
    """Tell whether the notice of recording is in force for whoever chose no language."""
    language = services.setup.regulation.announcement.language
    return which_is_active(activations, Layer.FIRST, language, now) is not None


def administrators_of(accounts: Sequence[Account]) -> int:
    """Return how many are there."""
    return sum(Role.ADMINISTRATOR in each.roles for each in accounts)


def is_authorised(
    papers: Sequence[Authorisation], *, accounts: Sequence[Account], now: datetime
) -> bool:
    """Tell whether anybody who is a listener may listen by a paper."""
    listeners = {each.id for each in accounts if Role.LISTENER in each.roles}
    return any(
        each.account_id in listeners
        and Role.LISTENER in each.roles
        and standing(each, now) is Standing.VALID
        for each in papers
    )


async def _backup(services: Services, now: datetime) -> Step:
    key_days = services.setup.regulation.backups.key_days
    made = await services.setup.last_backup()
    lives = made is not None and now < destroy_by(made, key_days=key_days)
    return Step(
        title=later("A backup that can be read"),
        done=lives,
        paragraph="§ 7.2",
        todo=NO_BACKUP if key_days else NO_KEYS,
        path="" if key_days else "/settings",
        link=later("Settings"),
        command="recorder backup /mnt/backup --keys-to /mnt/keys" if key_days else "",
        at=made,
    )


async def _call(request: Request) -> Step:
    """Return the step of a call of today that was decided, recorded and can be listened to."""
    services, asker = services_of(request), asker_of(request)
    title, today = later("A test call today"), asker.now.astimezone(services.zone).date()
    since, _ = day_of_office(today, office_zone=services.zone)
    until = asker.now + timedelta(minutes=1)
    outcomes = await services.oversight.overview.outcomes(since, until)
    for each in outcomes:
        if each.outcome == "recorded":
            found = await _listenable(services, each.reason, since, until)
            if found is None:
                continue
            call_id, at = found
            seen = Permission.CALL_LIST in asker.able
            path = f"/calls/{call_id}" if seen else ""
            return Step(title=title, done=True, path=path, link=later("The call"), at=at)
    if any(each.outcome == "recorded" for each in outcomes):
        return Step(title=title, done=False, paragraph="§ 3.2", todo=NOT_LISTENABLE)
    if outcomes:
        reason = max(outcomes, key=lambda each: each.calls).reason
        why = REASONS.get(reason, reason)
        return Step(title=title, done=False, paragraph="§ 3.2", todo=NOT_RECORDED, reason=why)
    todo = CALL_IT if services.setup.regulation.scope.recording else OFF
    return Step(title=title, done=False, paragraph="§ 3.2", todo=todo)


async def _listenable(
    services: Services, reason: str, since: datetime, until: datetime
) -> tuple[UUID, datetime] | None:
    calls = await services.oversight.overview.calls(
        since, until, reason=reason, after=None, limit=LOOKED_AT
    )
    kept = (await services.desk.around([each.id for each in calls])).recordings
    for each in calls:
        recording = kept.get(each.id)
        if recording and recording.stage == Stage.KEPT and recording.damaged_at is None:
            return each.id, each.arrived_at
    return None


ROUTES: Routes = (("GET", "/first-steps", overview),)
