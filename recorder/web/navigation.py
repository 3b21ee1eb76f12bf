"""The areas of the pages, in order: who may go there, where it is, what it is called. Pure.

One table. A new area is a line here; it is drawn for whoever's roles are for it at all. Areas of
one group stand behind one word in the row, and in a row of their own once one of them is open.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import groupby

from recorder.access.model import Permission
from recorder.accounts.model import Role
from recorder.web.languages import later

OVERSIGHT, ADMINISTRATION = later("Oversight"), later("Administration")


@dataclass(frozen=True, slots=True)
class Area:
    """One area of the pages."""

    permission: Permission
    path: str
    label: str
    also: tuple[str, ...] = ()
    """Where else its pages are: the beginnings of their paths."""
    group: str = ""
    """What it belongs to; empty = it stands alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An area as it is drawn on one page."""

    path: str
    label: str
    current: str
    """The value of ``aria-current``; empty = another area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Areas that stand behind one word, or one area alone."""

    label: str
    links: tuple[Link, ...]

    @property
    def path(self) -> str:
        """Where its word leads: to the first of its areas that is the person's."""
        return self.links[0].path

    @property
    def current(self) -> str:
        """The value of ``aria-current`` for its word."""
        marks = [each.current for each in self.links if each.current]
        return (marks[0] if len(self.links) == 1 else "true") if marks else ""


MAINTENANCE = "/maintenance"
_ALONE = (
    Area(Permission.CALL_LIST, "/", later("Search"), ("/search", "/calls")),
    Area(Permission.CALL_LIST, "/live", later("Calls in progress")),
    Area(Permission.HOLD_LIST, "/holds", later("Holds")),
)
_OVERSIGHT = (
    Area(Permission.STATUS_READ, "/dashboard", later("Dashboard")),
    Area(Permission.REPORT_READ, "/deletions", later("Deletion")),
    Area(Permission.REPORT_READ, "/completeness", later("Completeness")),
    Area(Permission.INCIDENT_READ, "/incidents", later("Incidents")),
    Area(Permission.AUDIT_READ, "/audit", later("Audit trail")),
)
_ADMINISTRATION = (
    Area(Permission.ACCOUNT_READ, "/accounts", later("Accounts")),
    Area(Permission.AUTHORISATION_READ, "/authorisations", later("Authorisations")),
    Area(Permission.CONTRACTOR_READ, "/contractor", later("Access for maintenance")),
    Area(Permission.WORKSTATION_READ, "/workstations", later("Workstations")),
    Area(Permission.ANNOUNCEMENT_READ, "/announcements", later("Announcements")),
    Area(Permission.CONFIG_READ, "/settings", later("Settings")),
    Area(Permission.CONFIG_READ, "/first-steps", later("First steps")),
    Area(Permission.LOG_READ, MAINTENANCE, later("Maintenance")),
)
AREAS = (
    *_ALONE,
    *(replace(each, group=OVERSIGHT) for each in _OVERSIGHT),
    *(replace(each, group=ADMINISTRATION) for each in _ADMINISTRATION),
)


def links(able: Collection[Permission], roles: Collection[Role], path: str) -> list[Link]:
    """Return the areas that a person may go to, and which of them a page is in.

    A contractor has one: what they may see is there (R6.3b).

    >>> [(each.label, each.current) for each in links([Permission.HOLD_LIST], [], "/holds/list")]
    [('Holds', 'true')]
    """
    return [
        Link(path=each.path, label=each.label, current=_current(each, path))
        for each in AREAS
        if each.permission in able and (Role.CONTRACTOR not in roles or each.path == MAINTENANCE)
    ]


def groups(able: Collection[Permission], roles: Collection[Role], path: str) -> list[Group]:
    """Return the same as it is drawn: a group of which one area is the person's is that area.

    >>> [each.label for each in groups([Permission.HOLD_LIST, Permission.AUDIT_READ], [], "/")]
    ['Holds', 'Audit trail']
    >>> [each.label for each in groups(list(Permission), [], "/audit")][-2:]
    ['Oversight', 'Administration']
    """
    drawn = {each.path: each for each in links(able, roles, path)}
    mine = [each for each in AREAS if each.path in drawn]
    found = []
    for label, areas in groupby(mine, key=lambda each: each.group or each.label):
        behind = tuple(drawn[each.path] for each in areas)
        found.append(Group(label=label if len(behind) > 1 else behind[0].label, links=behind))
    return found


def _current(area: Area, path: str) -> str:
    if path == area.path:
        return "page"
    begins = (*area.also, *([] if area.path == "/" else [area.path]))
    return "true" if any(path == each or path.startswith(f"{each}/") for each in begins) else ""
