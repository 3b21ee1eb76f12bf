"""Persons, papers and accounts that are in order; a test names only what it is about."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from recorder.access.model import Person
from recorder.accounts.model import AccountId, Role
from recorder.accounts.ports import AccountStore
from recorder.authorisations.model import Authorisation, AuthorisationId

NOW = datetime.fromisoformat("2026-11-12T12:00:00+00:00")
PURPOSES = ("zapewnienie bezpieczeństwa osób i mienia", "podniesienie standardu usług")
MINE = AccountId(UUID(int=11))
OTHER = AccountId(UUID(int=12))
ADMIN = AccountId(UUID(int=13))
LINE = "746640800"
RECORDING = UUID(int=77)


def a_person(*roles: Role, **changed: Any) -> Person:
    values: dict[str, Any] = {
        "account_id": MINE,
        "roles": frozenset(roles),
        "disabled": False,
        "fresh_at": NOW,
        "password_to_change": False,
        "second_factor_missing": False,
        "open_until": NOW + timedelta(hours=1),
    }
    return Person(**values | changed)


def a_paper(*roles: Role, **changed: Any) -> Authorisation:
    values: dict[str, Any] = {
        "id": AuthorisationId(UUID(int=21)),
        "year": 2026,
        "number": 7,
        "account_id": MINE,
        "name": "Zenobia Kwiatkowska",
        "post": "inspektor",
        "roles": frozenset(roles),
        "lines": None,
        "recording_id": None,
        "valid_from": NOW - timedelta(days=1),
        "valid_until": NOW + timedelta(days=1),
        "proposed_by": ADMIN,
        "proposed_at": NOW - timedelta(days=1),
        "granted_by": OTHER,
        "granted_at": NOW - timedelta(days=1),
    }
    return Authorisation(**values | changed)


async def whoever_agrees(store: AccountStore) -> AccountId | None:
    """Return whose word an administrator's or the DPO's account takes, None if there is nobody."""
    accounts = [each for each in await store.accounts() if each.disabled_at is None]
    for role in (Role.ADMINISTRATOR, Role.DPO):
        for each in accounts:
            if role in each.roles:
                return each.id
    return None
