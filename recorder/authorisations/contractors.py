"""Contractors who are let in for one fault, and out by themselves (R6.3c)."""

from datetime import timedelta

import uuid_utils.compat as uuids

from recorder.accounts.model import Account, Role
from recorder.audit.event import Actor, AuditEvent
from recorder.authorisations.model import ContractorAccess
from recorder.authorisations.ports import ContractorAccesses
from recorder.authorisations.rules import problem_of_opening
from recorder.errors import RuleViolation
from recorder.ports import Clock


class ContractorDesk:
    """Opens the system to a contractor for one fault, and closes it (R6.3c)."""

    def __init__(self, *, accesses: ContractorAccesses, clock: Clock) -> None:
        self._accesses = accesses
        self._clock = clock

    async def open(
        self, holder: Account, *, contract: str, reason: str, hours: float, by: Actor
    ) -> ContractorAccess:
        """Open for some hours, at most eight. Raises ``RuleViolation``."""
        now = self._clock.now()
        until = now + timedelta(hours=hours)
        if problem := problem_of_opening(
            roles=holder.roles, contract=contract, reason=reason, now=now, until=until
        ):
            raise RuleViolation(problem)
        access = ContractorAccess(
            id=uuids.uuid7(),
            account_id=holder.id,
            contract=contract.strip(),
            reason=reason.strip(),
            opened_at=now,
            until=until,
            opened_by=by.name,
        )
        entry = AuditEvent(
            action="contractor:opened",
            at=now,
            actor=by,
            subject=f"account:{holder.id}",
            details={"until": until.isoformat()},
            personal={"contract": access.contract, "reason": access.reason},
        )
        await self._accesses.open(access, [entry])
        return access

    async def close(self, holder: Account, *, by: Actor) -> None:
        """Close before its time; sessions end at once. Raises ``RuleViolation``."""
        now = self._clock.now()
        entry = AuditEvent(
            action="contractor:closed", at=now, actor=by, subject=f"account:{holder.id}"
        )
        if not await self._accesses.close(holder.id, at=now, events=[entry]):
            raise RuleViolation("nothing is open for this account")

    async def note(self, dpo: Account, *, by: Actor) -> int:
        """Take note, as the DPO, of every opening not noted before; return how many.

        The register has the DPO told of each. Raises ``RuleViolation`` for anybody else.
        """
        if Role.DPO not in dpo.roles:
            raise RuleViolation("the DPO takes note; `recorder contractor list` shows what waits")
        now = self._clock.now()
        entry = AuditEvent(action="contractor:noted", at=now, actor=by)
        return await self._accesses.note(at=now, events=[entry])
