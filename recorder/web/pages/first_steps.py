"""The first steps of an installation, each found done or not by looking; none is ticked by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.accounts.model import Account, Role
from recorder.announcements.rules import which_is_active
from recorder.authorisations.model import Authorisation, Standing
from recorder.authorisations.rules import standing
from recorder.backup.rules import destroy_by
from recorder.model import Announcement, Layer
from recorder.web.api.routing import asker_of, services_of
from recorder.web.asker import Asker
from recorder.web.gate import needs
from recorder.web.languages import later
from recorder.web.pages.trial_call import OFF, STAGES, look
from recorder.web.routes import Routes
from recorder.web.services import Services

ADMINISTRATORS = 2
ADD_USER = 'recorder user add LOGIN --name "…" --post "…" --role'
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
    detail: str = ""
    """What was found, as it stands in the regulation."""
    stages: tuple[tuple[str, bool], ...] = ()
    """How far it came, each with whether it got there."""


@needs(Permission.CONFIG_READ)
async def overview(request: Request) -> Response:
    """Show every step."""
    await asker_of(request).require(Permission.CONFIG_READ)
    steps = await steps_of(request)
    return services_of(request).drawing.page(
        "first_steps.html",
        request.scope,
        steps=steps,
        done=sum(each.done for each in steps),
        current=next((place for place, each in enumerate(steps) if not each.done), None),
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
    regulation = services.setup.regulation
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
            title=later("The office and the numbers that are recorded"),
            done=regulation.scope.recording,
            paragraph="§ 3.2",
            detail=regulation.controller.name,
            todo=OFF,
            path="/settings",
            link=later("Settings"),
        ),
        Step(
            title=later("The announcement is in force"),
            done=is_told(activations, services=services, now=asker.now),
            paragraph="§ 8.2",
            todo=later("Upload your own, or start with those that ship. At the machine:"),
            path="/announcements",
            link=later("Announcements"),
            command="recorder announcement install-starters --activate",
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
            title=later("A second administrator"),
            done=administrators_of(accounts) >= ADMINISTRATORS,
            paragraph="§ 8.1",
            todo=later("Some acts take two persons. At the machine:"),
            command=f"{ADD_USER} administrator",
            path="/accounts",
            link=later("Accounts"),
        ),
        _listener(accounts, papers, asker),
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


def _listener(accounts: Sequence[Account], papers: Sequence[Authorisation], asker: Asker) -> Step:
    """Return the step of somebody who may listen: the account first, then its paper."""
    step = Step(
        title=later("A listener with a valid authorisation"),
        done=is_authorised(papers, accounts=accounts, now=asker.now),
        paragraph="§ 8.1",
        todo=later(
            "Once the listener has signed in and finished the account, grant one; another "
            "administrator confirms it."
        ),
        path="/authorisations",
        link=later("Authorisations"),
    )
    if any(Role.LISTENER in each.roles for each in accounts):
        if Permission.AUTHORISATION_GRANT not in asker.able:
            return step
        return replace(step, path="/authorisations/new", link=later("Grant an authorisation"))
    if Permission.ACCOUNT_MANAGE in asker.able:
        todo = later("Add the account of a listener; an administrator then grants one.")
        return replace(step, todo=todo, path="/accounts", link=later("Accounts"))
    todo = later("Add the account of a listener, then grant one. At the machine:")
    return replace(step, todo=todo, path="", link="", command=f"{ADD_USER} listener")


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
    """Return the step of a call of today that was announced, recorded and can be listened to."""
    found = await look(request)
    return Step(
        title=later("A test call today"),
        done=found.done,
        paragraph="§ 3.2",
        todo=found.todo,
        reason=found.reason,
        path=found.path,
        link=later("The call"),
        at=found.at,
        stages=tuple((text, place < found.reached) for place, text in enumerate(STAGES)),
    )


ROUTES: Routes = (("GET", "/first-steps", overview),)
