"""How long recordings are kept: proposed by one person, confirmed by another (R7.2c)."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from recorder.access.model import Permission
from recorder.approvals.model import Action, Approval, ApprovalId
from recorder.erasure.changing import Proposed, proposed
from recorder.erasure.effect import Effect
from recorder.regulation import LONGEST_RETENTION_DAYS
from recorder.web.api import routing
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem
from recorder.web.services import Services

router = routing.router("retention")

Days = Annotated[int, Field(ge=1, le=LONGEST_RETENTION_DAYS)]
Seen = Annotated[int, Field(ge=0)]


class ChangeTold(Told):
    """One change that was made."""

    at: datetime
    from_days: int | None
    to_days: int
    proposed_by: str
    decided_by: str
    reason: str
    at_once: int
    held: int


class ChangeProposed(Told):
    """A change that waits for a second person, with the numbers its proposer saw."""

    id: UUID
    from_days: int
    to_days: int
    at_once: int
    held: int
    proposed_by: str
    proposed_at: datetime
    reason: str


class Retention(Told):
    """What holds, what the file says, what waits, and what was changed, newest first."""

    in_force: int
    regulation_toml: int
    waits_for_persons: bool
    """The file says fewer days than hold: they do nothing until persons decide."""
    proposal: ChangeProposed | None
    changes: list[ChangeTold]


class DayOfEffect(Told):
    """How many recordings go on one day: as things are, and with the change."""

    day: date
    before: int
    after: int


class CallsOfDay(Told):
    """How many of one day's calls lose their recordings at once."""

    day: date
    recordings: int


class EffectTold(Told):
    """What other days would do to the recordings that are there."""

    from_days: int
    to_days: int
    at_once: int
    held: int
    sooner: int
    later: int
    calls_on: list[CallsOfDay]
    days: list[DayOfEffect]


class OtherDays(Body):
    """Days to look at."""

    days: Days


class NewDays(Body):
    """Other days, why, and how many recordings the person was told go at once."""

    days: Days
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    seen: Seen


class SeenNow(Body):
    """How many recordings the second person was told go at once."""

    seen: Seen


class ChangeOutcome(Told):
    """In force, or proposed."""

    done: bool
    """False = a second person must confirm."""
    proposal: ChangeProposed | None


@router.get("/retention")
@needs(Permission.CONFIG_READ)
async def retention(parts: Parts) -> Retention:
    """Return what holds beside what the file says."""
    desk = parts.keeping.retention
    found, waiting = await desk.in_force(), await desk.waiting()
    return Retention(
        in_force=found.days,
        regulation_toml=found.configured,
        waits_for_persons=found.waits_for_a_person,
        proposal=None if waiting is None else _proposed(waiting),
        changes=[ChangeTold(**asdict(each)) for each in await desk.changes()],
    )


@router.post("/retention/effect")
@needs(Permission.RETENTION_CHANGE)
async def effect(wanted: OtherDays, parts: Parts) -> EffectTold:
    """Return what so many days would do. Nothing is changed."""
    return _effect(await parts.keeping.retention.effect(wanted.days))


@router.post("/retention/proposals", status_code=201)
@needs(Permission.RETENTION_CHANGE)
async def propose(new: NewDays, asker: Who, parts: Parts) -> ChangeOutcome:
    """Propose other days; where the office wants no second person, put them in force.

    Refused when more recordings would go at once than ``seen``: ask for the effect again.
    """
    desk = parts.keeping.retention
    asked = await desk.ask(new.days, reason=new.reason, seen=new.seen, actor=asker.actor)
    proposal = None if asked is None else _proposed(proposed(asked))
    return ChangeOutcome(done=asked is None, proposal=proposal)


@router.post("/retention/proposals/{proposal_id}/confirm")
@needs(Permission.RETENTION_CHANGE)
async def confirm(proposal_id: UUID, seen: SeenNow, asker: Who, parts: Parts) -> EffectTold:
    """Put in force what another person proposed; refused when more would go than ``seen``."""
    found = await _one(proposal_id, parts)
    done = await parts.keeping.retention.confirm(found, seen=seen.seen, actor=asker.actor)
    return _effect(done)


@router.post("/retention/proposals/{proposal_id}/refuse", status_code=204)
@needs(Permission.RETENTION_CHANGE)
async def refuse(proposal_id: UUID, asker: Who, parts: Parts) -> None:
    """Answer no; the days stay."""
    found = await _one(proposal_id, parts)
    await parts.keeping.approvals.refuse(found.id, actor=asker.actor, at=asker.now)


async def _one(proposal_id: UUID, parts: Services) -> Approval:
    found = await parts.keeping.approvals.get(ApprovalId(proposal_id))
    if found is None or found.action is not Action.CHANGE_RETENTION:
        raise Problem(kind=Kind.NOT_FOUND)
    return found


def _proposed(waiting: Proposed) -> ChangeProposed:
    approval = waiting.approval
    return ChangeProposed(
        id=approval.id,
        from_days=waiting.from_days,
        to_days=waiting.to_days,
        at_once=waiting.at_once,
        held=waiting.held,
        proposed_by=approval.proposed_by,
        proposed_at=approval.proposed_at,
        reason=approval.reason,
    )


def _effect(found: Effect) -> EffectTold:
    return EffectTold(
        from_days=found.from_days,
        to_days=found.to_days,
        at_once=found.at_once,
        held=found.held,
        sooner=found.sooner,
        later=found.later,
        calls_on=[CallsOfDay(day=day, recordings=count) for day, count in found.calls_on],
        days=[DayOfEffect(**asdict(each)) for each in found.days],
    )
