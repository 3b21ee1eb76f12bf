"""Whose account nobody gives, takes or opens alone, and whose word it takes (R6.3e)."""

from collections.abc import Collection, Iterable

from recorder.access.matrix import mark_of
from recorder.access.model import Permission
from recorder.accounts.model import Account, Role

GUARDED = frozenset({Role.ADMINISTRATOR, Role.DPO})
"""Who grants, and who oversees: whoever had their accounts would need nobody else."""


def takes_an_administrator(
    touched: Collection[Role], *, administrators: int, four_eyes: bool
) -> bool:
    """Tell whether a present administrator must agree to what touches these roles (R6.3e).

    Touched is a role that is given or taken, and every role of an account whose password or
    second factor somebody else replaces, or which is unlocked: who administers the machine
    would else make himself a grantor of authorisations, or his own overseer. The first
    administrator of an office has nobody to ask.

    >>> takes_an_administrator([Role.ADMINISTRATOR], administrators=1, four_eyes=True)
    True
    >>> takes_an_administrator([Role.ADMINISTRATOR], administrators=0, four_eyes=True)
    False
    """
    return four_eyes and administrators > 0 and not GUARDED.isdisjoint(touched)


def who_agrees(administrators: Iterable[Account]) -> Role:
    """Return whose word it takes: an administrator's, or the DPO's while none can sign in."""
    if any(each.disabled_at is None for each in administrators):
        return Role.ADMINISTRATOR
    return Role.DPO


def problem_of_agreeing(person: Account, *, wanted: Role, changed_by: str) -> str:
    """Return why this person's word does not count; empty when it does."""
    if str(person.id) == changed_by:
        return "whoever does it agrees to nothing: it takes a second person"
    if person.disabled_at is not None or wanted not in person.roles:
        return (
            "an administrator has to agree"
            if wanted is Role.ADMINISTRATOR
            else "no administrator is enabled: the data protection officer has to agree"
        )
    return ""


def roles_of_token(holder: Collection[Role], may: Iterable[Permission]) -> frozenset[Role]:
    """Return the roles that a program's token touches (R6.3e).

    Its account's; and the administrator's, when it is for what who runs the machine may not do:
    a program would else hear under a listener's paper, and nobody would notice.

    >>> sorted(roles_of_token([Role.LISTENER], [Permission.STATUS_READ]))
    [<Role.LISTENER: 'listener'>]
    >>> Role.ADMINISTRATOR in roles_of_token([Role.LISTENER], [Permission.RECORDING_LISTEN])
    True
    """
    beyond = any(mark_of(each, Role.SYSADMIN) == "–" for each in may)
    return frozenset(holder) | ({Role.ADMINISTRATOR} if beyond else set())


def roles_opened(
    holder: Collection[Role], *, under_paper: bool, factor_stays: bool
) -> frozenset[Role]:
    """Return the roles that whoever replaces what proves this account touches (R6.3e).

    Its own; and the administrator's, where an authorisation opens recordings under it, unless a
    second factor of its owner's stays: the new password alone then opens nothing. Whoever runs
    the machine would else hear in that person's name.

    >>> sorted(roles_opened([Role.LISTENER], under_paper=True, factor_stays=True))
    [<Role.LISTENER: 'listener'>]
    >>> Role.ADMINISTRATOR in roles_opened([Role.LISTENER], under_paper=True, factor_stays=False)
    True
    """
    alone = factor_stays or not under_paper
    return frozenset(holder) | (set() if alone else {Role.ADMINISTRATOR})
