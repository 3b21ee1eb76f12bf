"""The handbook inside the product: a chapter for each area, and which role reads which. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from recorder.accounts.model import Role
from recorder.web.languages import later

EVERYBODY = frozenset(Role)
OFFICE = EVERYBODY - {Role.CONTRACTOR}
SEARCHERS = frozenset(
    {Role.REGISTRY_CLERK, Role.LISTENER, Role.COPY_MAKER, Role.ADMINISTRATOR, Role.DPO}
)
LISTENERS = frozenset({Role.LISTENER, Role.COPY_MAKER})
REGISTRARS = frozenset({Role.ADMINISTRATOR, Role.DPO})
OVERSEERS = frozenset({Role.ADMINISTRATOR, Role.DPO, Role.SYSADMIN})

MAINTAINERS = frozenset({Role.CONTRACTOR, Role.SYSADMIN, Role.DPO})


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter. Its text is ``help/<name>.<language>.html``."""

    name: str
    title: str
    roles: frozenset[Role]
    """Whose handbook it is in."""
    paths: tuple[str, ...]
    """The beginnings of the paths of the pages that it explains."""


CHAPTERS = (
    Chapter("search", later("Finding a call"), SEARCHERS, ("/search", "/calls")),
    Chapter("listening", later("Listening"), LISTENERS, ()),
    Chapter("live", later("Calls in progress"), SEARCHERS, ("/live",)),
    Chapter("holds", later("Holding a recording"), SEARCHERS, ("/holds",)),
    Chapter(
        "retention", later("How long recordings are kept"), OVERSEERS, ("/settings/retention",)
    ),
    Chapter("deletion", later("Deletion"), OVERSEERS, ("/deletions",)),
    Chapter(
        "completeness", later("Completeness and incidents"), OVERSEERS,
        ("/completeness", "/incidents", "/dashboard"),
    ),
    Chapter("accounts", later("Accounts of others"), OVERSEERS, ("/accounts",)),
    Chapter("workstations", later("Workstations"), OVERSEERS, ("/workstations",)),
    Chapter("audit", later("The audit trail"), SEARCHERS - {Role.REGISTRY_CLERK}, ("/audit",)),
    Chapter("steps", later("First steps"), OVERSEERS, ("/first-steps",)),
    Chapter("announcements", later("Announcements"), OVERSEERS, ("/announcements",)),
    Chapter("settings", later("Settings"), OVERSEERS, ("/settings",)),
    Chapter("maintenance", later("Maintenance"), MAINTAINERS, ("/maintenance",)),
    Chapter(
        "review", later("The quarterly review"), REGISTRARS, ("/authorisations/review",),
    ),
    Chapter(
        "papers", later("Authorisations"), REGISTRARS | LISTENERS, ("/authorisations",)
    ),
    Chapter("contractor", later("The contractor's access"), OVERSEERS, ("/contractor",)),
    Chapter("account", later("Your account"), EVERYBODY, ("/account",)),
)  # fmt: skip


def chapters_for(roles: Collection[Role]) -> list[Chapter]:
    """Return the handbook of a person, in order."""
    return [each for each in CHAPTERS if each.roles & set(roles)]


def chapter_of(path: str, roles: Collection[Role]) -> Chapter | None:
    """Return the chapter that explains a page to a person; None = the list of chapters does.

    >>> chapter_of("/holds/list", [Role.LISTENER]).name, chapter_of("/holdings", [Role.DPO])
    ('holds', None)
    """
    if path == "/" and SEARCHERS & set(roles):
        return CHAPTERS[0]
    if path == "/" and Role.CONTRACTOR in roles:
        path = "/maintenance"
    if "/playbacks/" in path and LISTENERS & set(roles):
        return CHAPTERS[1]
    for each in chapters_for(roles):
        if any(path == begins or path.startswith(f"{begins}/") for begins in each.paths):
            return each
    return None
