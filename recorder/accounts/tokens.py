"""How a person is named in the trail, and what is kept of a token."""

import hashlib

from recorder.accounts.model import AccountId
from recorder.accounts.ports import AttemptKeys
from recorder.audit.event import Actor, ActorKind

TOKEN_BYTES = 32
TEMPORARY_BYTES = 15
RECOVERY_BYTES = 10


def actor_of(account_id: AccountId) -> Actor:
    """Return what the trail calls a person who signed in."""
    return Actor(kind=ActorKind.ACCOUNT, name=str(account_id))


def sha256_of(token: str) -> str:
    """Return what is kept of a token of ours; it is random, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def attempt_keys(login: str, source: str) -> AttemptKeys:
    """Return under what an attempt is counted."""
    return AttemptKeys(
        pair=sha256_of(f"pair\0{login}\0{source}"),
        account=sha256_of(f"account\0{login}"),
        source=sha256_of(f"source\0{source}"),
    )
