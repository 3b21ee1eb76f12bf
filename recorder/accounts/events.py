"""What the audit trail is told of accounts."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from recorder.accounts.model import Account, Role
from recorder.audit.event import Actor, AuditEvent

NOTHING: Mapping[str, str] = {}


def about(
    action: str,
    account: Account,
    *,
    actor: Actor,
    at: datetime,
    details: Mapping[str, str] = NOTHING,
    personal: Mapping[str, str] = NOTHING,
) -> AuditEvent:
    """Return the entry of an act on an account."""
    return AuditEvent(
        action=action,
        at=at,
        actor=actor,
        subject=f"account:{account.id}",
        details=details,
        personal=personal,
    )


def added(
    account: Account, *, actor: Actor, at: datetime, agreed: Mapping[str, str] = NOTHING
) -> AuditEvent:
    """Return the entry of a new account."""
    return about(
        "account:added",
        account,
        actor=actor,
        at=at,
        details={"roles": listed(account.roles), **agreed},
        personal={"login": account.login, "name": account.name, "post": account.post},
    )


def listed(roles: Iterable[Role]) -> str:
    """Return roles as an entry lists them.

    >>> listed({Role.LISTENER, Role.COPY_MAKER})
    'copy_maker, listener'
    """
    return ", ".join(sorted(roles))
