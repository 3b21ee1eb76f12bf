"""The areas of the pages, in order: who may go there, where it is, what it is called. Pure.

One table. A new area is a line here; it is drawn for whoever's roles are for it at all.
"""

from collections.abc import Collection
from dataclasses import dataclass

from recorder.access.model import Permission
from recorder.accounts.model import Role
from recorder.web.languages import later


@dataclass(frozen=True, slots=True)
class Area:
    """One area of the pages."""

    permission: Permission
    path: str
    label: str
    also: tuple[str, ...] = ()
    """Where else its pages are: the beginnings of their paths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An area as it is drawn on one page."""

    path: str
    label: str
    current: str
    """The value of ``aria-current``; empty = another area."""


MAINTENANCE = "/maintenance"
AREAS = (
    Area(Permission.CALL_LIST, "/", later("Search"), ("/search", "/calls")),
    Area(Permission.CALL_LIST, "/live", later("Calls in progress")),
    Area(Permission.HOLD_LIST, "/holds", later("Holds")),
    Area(Permission.REPORT_READ, "/deletions", later("Deletion")),
    Area(Permission.REPORT_READ, "/completeness", later("Completeness")),
    Area(Permission.INCIDENT_READ, "/incidents", later("Incidents")),
    Area(Permission.STATUS_READ, "/dashboard", later("Dashboard")),
    Area(Permission.ACCOUNT_READ, "/accounts", later("Accounts")),
    Area(Permission.WORKSTATION_READ, "/workstations", later("Workstations")),
    Area(Permission.AUTHORISATION_READ, "/authorisations", later("Authorisations")),
    Area(Permission.CONTRACTOR_READ, "/contractor", later("Access for maintenance")),
    Area(Permission.ANNOUNCEMENT_READ, "/announcements", later("Announcements")),
    Area(Permission.CONFIG_READ, "/settings", later("Settings")),
    Area(Permission.CONFIG_READ, "/first-steps", later("First steps")),
    Area(Permission.LOG_READ, MAINTENANCE, later("Maintenance")),
    Area(Permission.AUDIT_READ, "/audit", later("Audit trail")),
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


def _current(area: Area, path: str) -> str:
    if path == area.path:
        return "page"
    begins = (*area.also, *([] if area.path == "/" else [area.path]))
    return "true" if any(path == each or path.startswith(f"{each}/") for each in begins) else ""
