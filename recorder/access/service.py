"""The one gate in front of every act: who asks, from where, may they, and the trace of a no."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from recorder.access.model import (
    AccessDecision,
    Answer,
    Ground,
    Permission,
    Person,
    Place,
    Target,
    Why,
)
from recorder.access.rules import NO_GROUND, NOTHING, decide
from recorder.accounts.model import Account, Role, Session
from recorder.accounts.ports import AccountStore
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.authorisations.ports import ContractorAccesses, Papers
from recorder.authorisations.rules import open_access
from recorder.errors import RuleViolation
from recorder.ports import Clock
from recorder.workstations.ports import Workstations
from recorder.workstations.rules import Address, place_of

SAID = {
    Answer.SIGN_IN: "sign in first",
    Answer.FORBIDDEN: "you may not do this",
    Answer.NOT_FOUND: "nothing has this id",
    Answer.PROVE_AGAIN: "prove password and code again",
    Answer.SAY_WHY: "name one of the purposes of § 3.1 or a request's number",
    Answer.FINISH_ACCOUNT: "first change the password and set the second factor",
}


class AccessRefused(RuleViolation):
    """The gate said no; ``reason.answer`` tells an application how to say it."""

    def __init__(self, reason: Why) -> None:
        said = SAID[reason.answer]
        # Not a word more than for what does not exist.
        super().__init__(said if reason.answer is Answer.NOT_FOUND else f"{said} ({reason})")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks, and from where. ``account`` None = nobody signed in."""

    account: Account | None
    session: Session | None
    place: Place


class Gate:
    """Decides each act anew: nothing of an earlier answer is remembered (R8.1b)."""

    def __init__(
        self,
        *,
        store: AccountStore,
        papers: Papers,
        accesses: ContractorAccesses,
        workstations: Workstations,
        clock: Clock,
        purposes: Collection[str],
        totp_required: bool,
    ) -> None:
        self._store = store
        self._papers = papers
        self._accesses = accesses
        self._workstations = workstations
        self._clock = clock
        self._purposes = purposes
        self._totp_required = totp_required

    async def place(self, address: Address | None) -> Place:
        """Tell whether an address is on the list now."""
        return place_of(address, await self._workstations.listed())

    async def decide(
        self,
        permission: Permission,
        asking: Asking,
        *,
        target: Target = NOTHING,
        ground: Ground = NO_GROUND,
    ) -> AccessDecision:
        """Answer whether, reading papers and openings as they are at this instant."""
        person = await self._person(asking)
        papers = await self._papers.of(person.account_id) if person else ()
        return decide(
            permission,
            person=person,
            authorisations=papers,
            place=asking.place,
            target=target,
            ground=ground,
            purposes=self._purposes,
            now=self._clock.now(),
        )

    async def require(
        self,
        permission: Permission,
        asking: Asking,
        *,
        target: Target = NOTHING,
        ground: Ground = NO_GROUND,
        source: str = "",
    ) -> AccessDecision:
        """Return the decision of a yes; leave an entry and raise ``AccessRefused`` on a no.

        A no for want of a purpose or of a fresh proof is a question, and leaves none.
        """
        decision = await self.decide(permission, asking, target=target, ground=ground)
        if decision.allowed:
            return decision
        if decision.reason.answer not in {Answer.SAY_WHY, Answer.PROVE_AGAIN}:
            await self._store.note(
                [self._refusal(permission, asking, decision.reason, target, source)]
            )
        raise AccessRefused(decision.reason)

    async def findings(self) -> Sequence[str]:
        """Return the logins and roles that the DPO must know of for as long as they stand."""
        return [
            each.login
            for each in await self._store.accounts()
            if each.disabled_at is None and {Role.SYSADMIN, Role.COPY_MAKER} <= each.roles
        ]

    async def _person(self, asking: Asking) -> Person | None:
        account, session = asking.account, asking.session
        if account is None:
            return None
        opened = None
        if Role.CONTRACTOR in account.roles:
            opened = open_access(await self._accesses.accesses_of(account.id), self._clock.now())
        return Person(
            account_id=account.id,
            roles=account.roles,
            disabled=account.disabled_at is not None,
            fresh_at=session.fresh_at if session else None,
            password_to_change=account.must_change_password,
            second_factor_missing=self._totp_required and account.totp_since is None,
            open_until=opened.until if opened else None,
        )

    def _refusal(
        self, permission: Permission, asking: Asking, reason: Why, target: Target, source: str
    ) -> AuditEvent:
        account = asking.account
        actor = (
            Actor(kind=ActorKind.ACCOUNT, name=str(account.id))
            if account
            else Actor(kind=ActorKind.PROCESS, name="gate")
        )
        subject = f"recording:{target.recording_id}" if target.recording_id else ""
        return AuditEvent(
            action="access:refused",
            at=self._clock.now(),
            actor=actor,
            subject=subject,
            reason=reason.value,
            details={"permission": permission.value},
            personal={"source": source} if source else {},
        )
