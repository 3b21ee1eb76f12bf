"""Whose accounts nobody gives, takes or opens alone: who grants, and who oversees (R6.3e)."""

from collections.abc import Collection, Sequence

from recorder.accounts.guarding import (
    problem_of_agreeing,
    roles_opened,
    takes_an_administrator,
    who_agrees,
)
from recorder.accounts.model import Account, AccountId, Role
from recorder.accounts.ports import AccountStore
from recorder.audit.event import Actor
from recorder.authorisations.ports import Papers
from recorder.authorisations.rules import opens
from recorder.errors import RuleViolation
from recorder.ports import Clock

TAKES_TWO = (
    "this takes a present administrator, who proves password and code at the machine: the account "
    "is an administrator's or the data protection officer's, or an authorisation opens recordings "
    "under it; recorder user add, recorder user roles, recorder user reset"
)
NOBODY = "nobody"
"""What the entry says where the office has switched the second person off."""


class TakesTwo(RuleViolation):
    """A present administrator must agree, and none did, or not the one whose word counts."""


class Agreement:
    """Asks for the word of whoever must agree. How they proved it is asked before."""

    def __init__(
        self, *, store: AccountStore, papers: Papers, clock: Clock, four_eyes: bool
    ) -> None:
        self._store = store
        self._papers = papers
        self._clock = clock
        self._four_eyes = four_eyes

    async def by_password(self, account: Account) -> frozenset[Role]:
        """Return the roles that replacing this account's password, or who keeps it, touches."""
        return await self._opened(account, factor_stays=account.totp_since is not None)

    async def by_factor(self, account: Account) -> frozenset[Role]:
        """Return the roles that taking this account's second factor away touches."""
        return await self._opened(account, factor_stays=False)

    async def needed(self, touched: Collection[Role]) -> bool:
        """Tell whether a present administrator must agree to what touches these roles."""
        return takes_an_administrator(
            touched, administrators=len(await self._administrators()), four_eyes=self._four_eyes
        )

    async def whose(self) -> Role:
        """Return whose word it takes now."""
        return who_agrees(await self._administrators())

    async def noted(
        self, touched: Collection[Role], *, agreed_by: AccountId | None, actor: Actor
    ) -> dict[str, str]:
        """Return what the act's entry says about who agreed. Raises ``TakesTwo``."""
        administrators = await self._administrators()
        if not takes_an_administrator(
            touched, administrators=len(administrators), four_eyes=self._four_eyes
        ):
            would = takes_an_administrator(
                touched, administrators=len(administrators), four_eyes=True
            )
            return {"agreed_by": NOBODY} if would else {}
        found = await self._store.by_id(agreed_by) if agreed_by else None
        if found is None:
            raise TakesTwo(TAKES_TWO)
        if problem := problem_of_agreeing(
            found[0], wanted=who_agrees(administrators), changed_by=actor.name
        ):
            raise TakesTwo(problem)
        return {"agreed_by": str(found[0].id)}

    async def _opened(self, account: Account, *, factor_stays: bool) -> frozenset[Role]:
        # Whatever its roles are now: taken before and given back after would be the way round.
        papers = await self._papers.of(account.id)
        return roles_opened(
            account.roles,
            under_paper=opens(papers, self._clock.now()),
            factor_stays=factor_stays,
        )

    async def _administrators(self) -> Sequence[Account]:
        """Return the administrators, disabled ones too: else disabling were the way round."""
        accounts = await self._store.accounts()
        return [each for each in accounts if Role.ADMINISTRATOR in each.roles]
