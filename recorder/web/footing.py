"""What stands at the foot of every page: whether recording works, how long one may work here.

Whether it works is told by the recording services themselves, and by what became of the last call.

It is asked at every page, so an answer is kept for some seconds. It decides nothing: whether
somebody may is asked anew at every request (R8.1b).
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recorder.accounts.model import Account, AccountId, Role
from recorder.authorisations.model import Authorisation, Standing
from recorder.authorisations.rules import standing
from recorder.errors import Unavailable
from recorder.live.model import RECORDS, Health, Node
from recorder.live.rules import health_of
from recorder.model import Reason
from recorder.ports import Clock

KEPT_S = 5.0
PEOPLE = 1000
TAKES_PAPER = frozenset({Role.LISTENER, Role.COPY_MAKER})
"""Whose every day at work takes a paper (§ 8.1)."""
FAULTS = frozenset(
    {
        Reason.ANNOUNCEMENT_MISSING,
        Reason.ANNOUNCEMENT_FAILED,
        Reason.DISK_LOW,
        Reason.SPOOL_UNAVAILABLE,
        Reason.LINK_LOST,
        Reason.APP_RESTARTED,
        Reason.APP_ABSENT,
        Reason.APP_UNRESPONSIVE,
        Reason.PBX_LOST,
        Reason.AUDIO_LOST,
    }
)
"""Why a call was not recorded that should have been; each has an incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The calls of today, as the database has them."""

    calls: int
    unexplained: int
    """Of which nobody can say yet why they were not recorded."""
    faults: int
    """Not recorded through a fault."""
    last: str | None
    """The reason of the last one; None = none came today."""


class State(StrEnum):
    """How recording does."""

    OFF = "off"
    """The office has not switched it on (§ 3.2)."""
    QUIET = "quiet"
    WORKS = "works"
    FAILS = "fails"
    """The last call was lost to a fault."""
    AWAY = "away"
    """No recording service was heard of, or none has a link with the PBX: calls go unrecorded."""
    IN_PART = "in_part"
    """Of several recording services not all record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foot:
    """What is told at the foot of a page."""

    state: State | None
    """None = it is not known now."""
    today: Today | None
    paper: bool
    """Whether this person's work takes a paper at all."""
    until: datetime | None
    """How long the authorisation lasts; None = none is in force."""


def state_of(today: Today, captures: Collection[Health], *, recording: bool) -> State:
    """Tell how recording does: from the switch, the recording services and the last call.

    A service that is away is told before any call is lost to it.
    """
    if not recording:
        return State.OFF
    if RECORDS.isdisjoint(captures):
        return State.AWAY
    if not RECORDS.issuperset(captures):
        return State.IN_PART
    if today.last is None:
        return State.QUIET
    return State.FAILS if today.last in FAULTS else State.WORKS


def lasts_until(
    papers: Collection[Authorisation], roles: Collection[Role], now: datetime
) -> datetime | None:
    """Return when the last of the papers in force ends; None = none is."""
    ends = [
        each.valid_until
        for each in papers
        if standing(each, now) is Standing.VALID and TAKES_PAPER & each.roles & set(roles)
    ]
    return max(ends, default=None)


class Footing:
    """Asks for the foot of a page, and keeps the answers for some seconds."""

    def __init__(
        self,
        *,
        recording: bool,
        today: Callable[[], Awaitable[Today]],
        captures: Callable[[], Awaitable[Sequence[Node]]],
        papers: Callable[[AccountId], Awaitable[Sequence[Authorisation]]],
        clock: Clock,
    ) -> None:
        self._recording, self._today, self._papers, self._clock = recording, today, papers, clock
        self._captures = captures
        self._calls: tuple[float, Today, Collection[Health]] | None = None
        self._people: OrderedDict[AccountId, tuple[float, Sequence[Authorisation]]] = OrderedDict()

    async def of(self, account: Account) -> Foot:
        """Return the foot of a page of this person. A part that is away fails no page."""
        paper = bool(TAKES_PAPER & account.roles)
        try:
            today, captures = await self._recording_now()
            papers = await self._papers_of(account.id) if paper else ()
        except Unavailable:
            return Foot(state=None, today=None, paper=False, until=None)
        return Foot(
            state=state_of(today, captures, recording=self._recording),
            today=today,
            paper=paper,
            until=lasts_until(papers, account.roles, self._clock.now()),
        )

    async def _recording_now(self) -> tuple[Today, Collection[Health]]:
        if self._calls is None or self._is_over(self._calls[0]):
            asked, now = self._clock.monotonic(), self._clock.now()
            nodes = await self._captures()
            captures = [health_of(each, now) for each in nodes]
            self._calls = (asked, await self._today(), captures)
        return self._calls[1], self._calls[2]

    async def _papers_of(self, account_id: AccountId) -> Sequence[Authorisation]:
        asked, papers = self._people.pop(account_id, (None, ()))
        if asked is None or self._is_over(asked):
            asked, papers = self._clock.monotonic(), await self._papers(account_id)
        self._people[account_id] = (asked, papers)
        if len(self._people) > PEOPLE:
            self._people.popitem(last=False)
        return papers

    def _is_over(self, asked: float) -> bool:
        return self._clock.monotonic() - asked > KEPT_S
