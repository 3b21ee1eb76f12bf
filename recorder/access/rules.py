"""May this person do this to that, from here, now, and if not, why not? Default: no."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from recorder.access.matrix import (
    COLUMNS,
    NEEDS_GROUND,
    NEEDS_PAPER,
    demand_of,
    mark_of,
    pair_problem,
    view_of,
)
from recorder.access.model import (
    AccessDecision,
    Demand,
    Ground,
    Permission,
    Person,
    Place,
    Target,
    View,
    Why,
)
from recorder.accounts.model import Role
from recorder.authorisations.model import Authorisation, Standing
from recorder.authorisations.rules import ROLES_OF_PAPER, covers_line, standing

FRESH_FOR = timedelta(minutes=10)
"""How long a proof of password and second factor counts as fresh."""

REQUEST_NUMBER = re.compile(r"[A-Z]{1,3}/\d{1,6}/\d{4}")

NOTHING = Target()
NO_GROUND = Ground()

_SAYS_MOST = (Standing.REVOKED, Standing.ENDED, Standing.FUTURE)
_WHY = {
    Standing.REVOKED: Why.AUTHORISATION_REVOKED,
    Standing.ENDED: Why.AUTHORISATION_ENDED,
    Standing.FUTURE: Why.AUTHORISATION_FUTURE,
}


def decide(
    permission: Permission,
    *,
    person: Person | None,
    authorisations: Iterable[Authorisation],
    place: Place,
    target: Target,
    ground: Ground,
    purposes: Collection[str],
    now: datetime,
) -> AccessDecision:
    """Decide one act of one person at one instant. Asked at every request (R8.1b).

    ``authorisations`` may hold anybody's: only the person's own count. The order of the checks
    decides the reason, nothing else; place comes first, so that a stranger learns nothing more.
    """
    if place is Place.UNLISTED:
        return _no(Why.ADDRESS_NOT_LISTED)
    if person is None:
        return _no(Why.NOT_SIGNED_IN)
    if why := _problem_of_person(person, permission, now):
        return _no(why)
    roles = [role for role in COLUMNS if role in person.roles]
    able = [role for role in roles if mark_of(permission, role) != "–"]
    if not able:
        return _no(Why.ROLE_LACKS_IT)
    mine = [each for each in authorisations if each.account_id == person.account_id]
    answers = [
        _by_role(
            permission, role, person=person, mine=mine, target=target, ground=ground,
            purposes=purposes, now=now,
        )
        for role in able
    ]  # fmt: skip
    return max(answers, key=_worth)


def decide_operator(permission: Permission) -> AccessDecision:
    """Decide for the operating system's administrator at the prompt, who is a sysadmin by office.

    Without account and without paper: what needs one of them is refused (R6.3e).
    """
    if mark_of(permission, Role.SYSADMIN) == "–" or permission is Permission.OWN_ACCOUNT:
        return _no(Why.ROLE_LACKS_IT)
    return AccessDecision(
        allowed=True,
        reason=Why.ALLOWED,
        view=view_of(permission, Role.SYSADMIN),
        needs_second_person=demand_of(permission, Role.SYSADMIN) is Demand.SECOND_PERSON,
    )


def decide_confirming(decision: AccessDecision, *, proposed_by: str, person: str) -> AccessDecision:
    """Decide whether a person who may do the act may be its second person."""
    if decision.allowed and proposed_by == person:
        return _no(Why.SAME_PERSON)
    return decision


def _problem_of_person(person: Person, permission: Permission, now: datetime) -> Why | None:
    if person.disabled:
        return Why.ACCOUNT_DISABLED
    if pair_problem(person.roles):
        return Why.FORBIDDEN_PAIR
    # Whoever has still to finish the account may do that and no more.
    if permission is not Permission.OWN_ACCOUNT:
        if person.password_to_change:
            return Why.PASSWORD_TO_CHANGE
        if person.second_factor_missing:
            return Why.SECOND_FACTOR_NOT_SET
    if Role.CONTRACTOR in person.roles and (person.open_until is None or now >= person.open_until):
        return Why.ACCESS_NOT_OPEN
    return None


def _by_role(
    permission: Permission,
    role: Role,
    *,
    person: Person,
    mine: Collection[Authorisation],
    target: Target,
    ground: Ground,
    purposes: Collection[str],
    now: datetime,
) -> AccessDecision:
    view = view_of(permission, role)
    if view is View.OWN and target.owner not in {None, person.account_id}:
        return _no(Why.NOT_YOURS)
    paper: Authorisation | None = None
    if permission in NEEDS_PAPER and role in ROLES_OF_PAPER:
        found = _paper(mine, role=role, target=target, now=now)
        if isinstance(found, Why):
            return _no(found)
        paper = found
    if permission in NEEDS_GROUND and (why := _problem_of_ground(ground, purposes)):
        return _no(why)
    demand = demand_of(permission, role)
    if demand is not None and not _is_fresh(person, now):
        return _no(Why.FRESH_FACTOR_NEEDED)
    return AccessDecision(
        allowed=True,
        reason=Why.ALLOWED,
        view=view,
        needs_second_person=demand is Demand.SECOND_PERSON,
        authorisation_id=paper.id if paper else None,
        marks=frozenset({"by_employee"} if permission is Permission.EMPLOYEE_SEARCH else ()),
    )


def _paper(
    mine: Collection[Authorisation], *, role: Role, target: Target, now: datetime
) -> Authorisation | Why:
    """Return the authorisation that gives the right, or why none does."""
    fitting = [
        each
        for each in mine
        # ¹: whatever is in the table of a database, the DPO's paper is for one recording.
        if role in each.roles and (role is not Role.DPO or each.recording_id is not None)
    ]
    by_standing = {each.id: standing(each, now) for each in fitting}
    valid = [each for each in fitting if by_standing[each.id] is Standing.VALID]
    for each in valid:
        if _covers(each, target):
            return each
    if valid:
        return Why.NOT_YOURS
    for state in _SAYS_MOST:
        if state in by_standing.values():
            return _WHY[state]
    return Why.NO_AUTHORISATION


def _covers(authorisation: Authorisation, target: Target) -> bool:
    if authorisation.recording_id not in {None, target.recording_id}:
        return False
    # An act on nothing single may touch any line: a paper for some does not cover it.
    if target.line is None:
        return authorisation.lines is None
    return covers_line(authorisation, target.line)


def _problem_of_ground(ground: Ground, purposes: Collection[str]) -> Why | None:
    if ground.request:
        return None if REQUEST_NUMBER.fullmatch(ground.request) else Why.PURPOSE_UNKNOWN
    if not ground.purpose:
        return Why.PURPOSE_MISSING
    return None if ground.purpose in purposes else Why.PURPOSE_UNKNOWN


def _is_fresh(person: Person, now: datetime) -> bool:
    return person.fresh_at is not None and now - person.fresh_at < FRESH_FOR


def _worth(decision: AccessDecision) -> tuple[bool, int, int]:
    """Order what several roles of one person give: most open first."""
    views = list(View)
    return (
        decision.allowed,
        -views.index(decision.view),
        -int(decision.needs_second_person),
    )


def _no(reason: Why) -> AccessDecision:
    return AccessDecision(allowed=False, reason=reason)
