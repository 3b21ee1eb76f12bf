"""Diagnostic bundles made from a page: one at a time, beside the pages, kept for their maker.

Making one takes seconds, longer where a part is slow to answer: a page begins it and shows how far
it is. Nothing is written to a disk.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from recorder.accounts.model import AccountId
from recorder.audit.event import Actor
from recorder.errors import RecorderError
from recorder.maintenance.model import Hit
from recorder.maintenance.service import BundleBlocked
from recorder.ports import Clock

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(minutes=15)
"""How long a bundle waits to be taken. Then it is made anew: it would tell of the past."""
MOST_KEPT = 4
"""Of so many people, the newest of each."""
Health = list[dict[str, object]]


class Bundler(Protocol):
    """Makes a bundle and looks through it, beside the loop that serves."""

    @property
    def parts(self) -> Sequence[str]:
        """What one is made of, by name, in the order in which it is asked for."""

    async def make(
        self,
        *,
        actor: Actor,
        health: Health,
        leave_out: Collection[str],
        told: Callable[[str], None],
    ) -> tuple[str, bytes]:
        """Return a name and the content; tell what is being asked.

        Raises ``BundleBlocked`` and ``LedgerUnavailable``.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A bundle that somebody asked for."""

    account_id: AccountId
    actor: Actor
    health: Health
    leave_out: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundling:
    """How far a person's bundle is."""

    at: datetime
    """When it was begun; once it is ended, when it was."""
    leave_out: frozenset[str]
    steps: int = 0
    """How many parts were asked for."""
    over: bool = False
    name: str = ""
    content: bytes = b""
    """Empty = there is none: it is being made, or was not."""
    hits: Sequence[Hit] = ()
    """Where somebody seems to be in it; it is then not given to anybody."""


class Bundles:
    """What was asked for, is being made and waits to be taken, in this process."""

    def __init__(self, *, maker: Bundler, clock: Clock) -> None:
        self._maker, self._clock = maker, clock
        self._wanted: asyncio.Queue[Wanted] = asyncio.Queue()
        self._of: OrderedDict[AccountId, Bundling] = OrderedDict()

    @property
    def parts(self) -> Sequence[str]:
        """What a bundle is made of."""
        return self._maker.parts

    def begin(self, wanted: Wanted) -> None:
        """Have one made, unless one is being made for this person."""
        found = self.of(wanted.account_id)
        if found is not None and not found.over:
            return
        begun = Bundling(at=self._clock.now(), leave_out=wanted.leave_out)
        self._keep(wanted.account_id, begun)
        self._wanted.put_nowait(wanted)

    def of(self, account_id: AccountId) -> Bundling | None:
        """Return this person's, None if there is none; of nobody else's anything is told."""
        found = self._of.get(account_id)
        if found is not None and found.over and self._clock.now() - found.at > KEPT_FOR:
            del self._of[account_id]
            return None
        return found

    async def work(self) -> None:
        """Make what is asked for, for as long as the process serves."""
        while True:
            await self.one()

    async def one(self) -> None:
        """Make the next one."""
        wanted = await self._wanted.get()
        now = Bundling(at=self._clock.now(), leave_out=wanted.leave_out)
        try:
            name, content = await self._maker.make(
                actor=wanted.actor,
                health=wanted.health,
                leave_out=wanted.leave_out,
                told=lambda _: self._step(wanted.account_id),
            )
            now = replace(now, name=name, content=content)
        except BundleBlocked as blocked:
            now = replace(now, hits=tuple(blocked.hits))
        except RecorderError as error:
            log.warning("bundle_not_made", error=type(error).__name__)
        # Whatever goes wrong with one, the pages go on.
        except Exception:
            log.exception("bundle_not_made")
        self._keep(wanted.account_id, replace(now, at=self._clock.now(), over=True))

    def _step(self, account_id: AccountId) -> None:
        found = self._of.get(account_id)
        if found is not None and not found.over:
            self._of[account_id] = replace(found, steps=found.steps + 1)

    def _keep(self, account_id: AccountId, bundling: Bundling) -> None:
        self._of[account_id] = bundling
        self._of.move_to_end(account_id)
        ended = [each for each, known in self._of.items() if known.over]
        for each in ended[:-MOST_KEPT]:
            del self._of[each]
