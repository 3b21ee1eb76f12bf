"""Whoever sends a request: who they are, from where, and what they were found to be allowed."""

from dataclasses import dataclass, field
from datetime import datetime

from recorder.access.matrix import NEEDS_GROUND, NEEDS_PAPER, mark_of
from recorder.access.model import (
    AccessDecision,
    Answer,
    Ground,
    Permission,
    Target,
    Why,
)
from recorder.access.rules import NO_GROUND, NOTHING
from recorder.access.service import AccessRefused, Asking, Gate
from recorder.accounts.model import Account, Session
from recorder.accounts.service import Visitor
from recorder.audit.event import Actor, ActorKind
from recorder.web.metrics import Measures
from recorder.web.problems import Kind, Problem
from recorder.workstations.rules import Address

KINDS = {
    Answer.SIGN_IN: Kind.NOT_SIGNED_IN,
    Answer.FORBIDDEN: Kind.FORBIDDEN,
    Answer.NOT_FOUND: Kind.NOT_FOUND,
    Answer.PROVE_AGAIN: Kind.PROVE_AGAIN,
    Answer.SAY_WHY: Kind.PURPOSE_NEEDED,
    Answer.FINISH_ACCOUNT: Kind.FINISH_ACCOUNT,
}
UNTIL_LATER = frozenset({Why.NOT_YOURS, Why.PURPOSE_MISSING, Why.PURPOSE_UNKNOWN})
"""What can be told only once the route knows what it is about."""


@dataclass(kw_only=True)
class Asker:
    """Whoever sends this request, and what they were found to be allowed."""

    asking: Asking
    address: Address | None
    may: frozenset[Permission] | None
    """What a program's token is for; None = a person, or nobody."""
    now: datetime
    gate: Gate
    measures: Measures
    granted: set[Permission] = field(default_factory=set)

    @property
    def signed_in(self) -> bool:
        """Tell whether it is known who asks."""
        return self.asking.account is not None

    @property
    def account(self) -> Account:
        """Whose request it is. Only behind a permission."""
        assert self.asking.account is not None  # noqa: S101 - a permission has somebody
        return self.asking.account

    @property
    def name(self) -> str:
        """The person's name."""
        return self.account.name

    @property
    def login(self) -> str:
        """The person's login."""
        return self.account.login

    @property
    def second_factor(self) -> bool:
        """Tell whether a code is asked for at sign-in."""
        return self.account.totp_since is not None

    @property
    def session(self) -> Session | None:
        """The person's session; None for a program."""
        return self.asking.session

    @property
    def visitor(self) -> Visitor:
        """The person at a browser. A program has nothing of its own to change."""
        if self.session is None:
            raise Problem(kind=Kind.FORBIDDEN)
        return Visitor(session=self.session, account=self.account)

    @property
    def actor(self) -> Actor:
        """Who acts, as the trail says it."""
        kind = ActorKind.ACCOUNT if self.session else ActorKind.MACHINE
        return Actor(kind=kind, name=str(self.account.id))

    @property
    def able(self) -> list[Permission]:
        """What the roles of this person are for at all, papers and purposes left aside."""
        return [
            each
            for each in Permission
            if any(mark_of(each, role) != "–" for role in self.account.roles)
            and (self.may is None or each in self.may)
        ]

    async def require(
        self,
        permission: Permission,
        *,
        target: Target = NOTHING,
        ground: Ground = NO_GROUND,
    ) -> AccessDecision:
        """Return the decision if it is yes; else raise its ``Problem``. A no is in the trail."""
        self._within_token(permission)
        try:
            decision = await self.gate.require(
                permission, self.asking, target=target, ground=ground, source=str(self.address)
            )
        except AccessRefused as refused:
            raise self._refused(refused.reason) from None
        self.granted.add(permission)
        return decision

    async def require_at_all(self, permission: Permission) -> None:
        """Refuse whoever could never be allowed this, before anything is looked up."""
        if permission not in NEEDS_PAPER | NEEDS_GROUND:
            await self.require(permission)
            return
        self._within_token(permission)
        decision = await self.gate.decide(permission, self.asking)
        if not decision.allowed and decision.reason not in UNTIL_LATER:
            await self.require(permission)

    def _within_token(self, permission: Permission) -> None:
        if self.may is not None and permission not in self.may:
            raise self._refused(Why.ROLE_LACKS_IT)

    def _refused(self, why: Why) -> Problem:
        self.measures.refused(why)
        kind = KINDS[why.answer]
        # Who is not told that it exists is not told why either.
        return Problem(kind=kind, reason="" if kind is Kind.NOT_FOUND else why.value)
