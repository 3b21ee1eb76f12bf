"""The register of authorisations (§ 8.1)."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import uuid_utils.compat as uuids

from recorder.accounts.model import Account, AccountId, Role
from recorder.accounts.ports import AccountStore
from recorder.accounts.tokens import actor_of
from recorder.audit.event import AuditEvent
from recorder.authorisations.model import (
    Authorisation,
    AuthorisationId,
    Scan,
    ScanKind,
    Standing,
)
from recorder.authorisations.ports import Papers, Scans
from recorder.authorisations.rules import (
    LONGEST_SCAN_BYTES,
    due_for_review,
    kind_of_scan,
    problem_of_confirming,
    problem_of_grant,
    problem_of_holder,
    problem_of_revoking,
    standing,
)
from recorder.errors import NotFound, RuleViolation
from recorder.ports import Clock


class Registrar:
    """Keeps the register. Who may is asked before, by the access rules.

    ``four_eyes``: a grant is a proposal until another administrator confirms it. Without, the
    administrator's fresh password and second factor are the second look.
    """

    def __init__(
        self,
        *,
        papers: Papers,
        scans: Scans,
        accounts: AccountStore,
        clock: Clock,
        zone: ZoneInfo,
        four_eyes: bool,
        totp_required: bool,
    ) -> None:
        self._papers = papers
        self._accounts = accounts
        self._totp_required = totp_required
        self._scans = scans
        self._clock = clock
        self._zone = zone
        self._four_eyes = four_eyes

    @property
    def four_eyes(self) -> bool:
        """Whether another administrator confirms a grant."""
        return self._four_eyes

    async def grant(
        self,
        holder: Account,
        *,
        roles: frozenset[Role],
        lines: tuple[str, ...] | None,
        recording_id: UUID | None,
        valid_from: datetime,
        valid_until: datetime,
        by: AccountId,
    ) -> Authorisation:
        """Grant, or propose where a second person is needed. Raises ``RuleViolation``."""
        now = self._clock.now()
        problem = problem_of_grant(
            holder=holder.id,
            holder_roles=holder.roles,
            grantor=by,
            roles=roles,
            one_recording=recording_id is not None,
            valid_from=valid_from,
            valid_until=valid_until,
            now=now,
        )
        if problem := problem or await self.problem_of_holder(holder.id):
            raise RuleViolation(problem)
        paper = Authorisation(
            id=AuthorisationId(uuids.uuid7()),
            year=None,
            number=None,
            account_id=holder.id,
            name=holder.name,
            post=holder.post,
            roles=roles,
            lines=lines,
            recording_id=recording_id,
            valid_from=valid_from,
            valid_until=valid_until,
            proposed_by=by,
            proposed_at=now,
        )
        entry = AuditEvent(
            action="authorisation:proposed",
            at=now,
            actor=actor_of(by),
            subject=f"authorisation:{paper.id}",
            details={
                "account": str(holder.id),
                "roles": ", ".join(sorted(roles)),
                "lines": "all" if lines is None else len(lines),
                "valid_from": valid_from.isoformat(),
                "valid_until": valid_until.isoformat(),
            },
            personal={"name": holder.name, "post": holder.post},
        )
        await self._papers.propose(paper, [entry])
        return paper if self._four_eyes else await self._number(paper, by=by)

    async def confirm(self, authorisation_id: AuthorisationId, *, by: AccountId) -> Authorisation:
        """Confirm a proposal as its second person; it gets its number. Raises ``RuleViolation``."""
        paper = await self.get(authorisation_id)
        if problem := await self.problem_of_confirming(paper, by=by):
            raise RuleViolation(problem)
        return await self._number(paper, by=by)

    async def problem_of_holder(self, account_id: AccountId) -> str:
        """Return why this account gets no authorisation as it stands; empty when it may."""
        found = await self._accounts.by_id(account_id)
        if found is None:
            raise NotFound("no account has this id; `recorder user list`")
        return problem_of_holder(found[0], totp_required=self._totp_required)

    async def problem_of_confirming(self, paper: Authorisation, *, by: AccountId) -> str:
        """Return why this person cannot confirm this proposal now; empty when it can."""
        problem = problem_of_confirming(paper, by=by, now=self._clock.now())
        return problem or await self.problem_of_holder(paper.account_id)

    async def refuse(self, authorisation_id: AuthorisationId, *, by: AccountId) -> None:
        """Refuse a proposal. Raises ``RuleViolation`` if it is decided already."""
        entry = self._entry("authorisation:refused", authorisation_id, by)
        await self.get(authorisation_id)
        if not await self._papers.refuse(authorisation_id, at=entry.at, events=[entry]):
            raise RuleViolation("it is decided already")

    async def revoke(
        self, authorisation_id: AuthorisationId, *, by: AccountId, reason: str
    ) -> None:
        """Revoke from this instant: the next request already finds it gone (R8.1b).

        The reason is a person's words: it stays in the trail as long as those do.
        """
        if problem := problem_of_revoking(reason):
            raise RuleViolation(problem)
        await self.get(authorisation_id)
        entry = replace(
            self._entry("authorisation:revoked", authorisation_id, by),
            personal={"reason": reason.strip()},
        )
        if not await self._papers.revoke(authorisation_id, by=by, at=entry.at, events=[entry]):
            raise RuleViolation("it was never granted, or is revoked already")

    async def review(self, authorisation_id: AuthorisationId, *, by: AccountId) -> None:
        """Note that a valid authorisation is still needed."""
        paper = await self.get(authorisation_id)
        if standing(paper, self._clock.now()) is not Standing.VALID:
            raise RuleViolation("only a valid authorisation is reviewed")
        entry = self._entry("authorisation:reviewed", authorisation_id, by)
        await self._papers.review(authorisation_id, at=entry.at, events=[entry])

    async def due(self) -> Sequence[Authorisation]:
        """Return what stands for a quarter without anybody's word."""
        now = self._clock.now()
        return [each for each in await self._papers.all() if due_for_review(each, now)]

    async def attach(
        self, authorisation_id: AuthorisationId, content: bytes, *, by: AccountId
    ) -> Scan:
        """Keep a signed scan beside the register, by its hash. Raises ``RuleViolation``."""
        await self.get(authorisation_id)
        if len(content) > LONGEST_SCAN_BYTES:
            raise RuleViolation("a scan has at most 20 MB")
        kind = kind_of_scan(content)
        if kind is None:
            known = ", ".join(ScanKind)
            raise RuleViolation(f"this is none of {known}, whatever its name says")
        scan = Scan(
            id=uuids.uuid7(),
            authorisation_id=authorisation_id,
            kind=kind,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            added_at=self._clock.now(),
            added_by=by,
        )
        entry = replace(
            self._entry("authorisation:scan_attached", authorisation_id, by),
            details={"sha256": scan.sha256, "size_bytes": scan.size_bytes},
        )
        # The file first: a row never names what is not there.
        await self._scans.store(scan.id, content)
        await self._papers.attach(scan, [entry])
        return scan

    async def scan(
        self, authorisation_id: AuthorisationId, scan_id: UUID, *, by: AccountId
    ) -> tuple[Scan, bytes]:
        """Return a signed scan, leaving an entry first.

        Raises ``NotFound``; ``RuleViolation`` if it is another file.
        """
        scans = await self._papers.scans(authorisation_id)
        kept = next((each for each in scans if each.id == scan_id), None)
        content = await self._scans.read(scan_id) if kept else None
        if kept is None or content is None:
            raise NotFound("no such scan")
        if hashlib.sha256(content).hexdigest() != kept.sha256:
            raise RuleViolation("the file is not what was attached")
        entry = replace(
            self._entry("authorisation:scan_shown", authorisation_id, by),
            details={"sha256": kept.sha256},
        )
        await self._papers.note([entry])
        return kept, content

    async def get(self, authorisation_id: AuthorisationId) -> Authorisation:
        """Return one. Raises ``NotFound``."""
        paper = await self._papers.get(authorisation_id)
        if paper is None:
            raise NotFound("no authorisation has this id; `recorder authorisation list`")
        return paper

    async def _number(self, paper: Authorisation, *, by: AccountId) -> Authorisation:
        now = self._clock.now()
        year = now.astimezone(self._zone).year
        entry = replace(
            self._entry("authorisation:granted", paper.id, by),
            details={"year": year, "account": str(paper.account_id)},
        )
        number = await self._papers.grant(paper.id, by=by, at=now, year=year, events=[entry])
        if number is None:
            raise RuleViolation("it is decided already")
        return replace(paper, year=year, number=number, granted_by=by, granted_at=now)

    def _entry(self, action: str, authorisation_id: AuthorisationId, by: AccountId) -> AuditEvent:
        return AuditEvent(
            action=action,
            at=self._clock.now(),
            actor=actor_of(by),
            subject=f"authorisation:{authorisation_id}",
        )
