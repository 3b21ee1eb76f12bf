"""Verifying the trail from a page: it goes on by itself, can be left, and its answer stays."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from recorder.audit.event import Actor, AuditEvent
from recorder.audit.service import Report
from recorder.errors import RecorderError
from recorder.ports import Clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What one verification found."""

    at: datetime
    report: Report


class Verifications:
    """At most one runs in this process; who starts one, and what it found, is in the trail."""

    def __init__(
        self,
        *,
        verify: Callable[[], Awaitable[Report]],
        record: Callable[[AuditEvent], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._verify, self._record, self._clock = verify, record, clock
        self._wanted: asyncio.Queue[Actor] = asyncio.Queue()
        self.since: datetime | None = None
        """When the one that runs was begun; None = none runs."""
        self.last: Verified | None = None
        self.failed = False
        """Whether the last one could not be ended."""

    def begin(self, actor: Actor) -> None:
        """Begin one, unless one runs."""
        if self.since is None:
            self.since, self.failed = self._clock.now(), False
            self._wanted.put_nowait(actor)

    async def work(self) -> None:
        """Carry out what was begun, for as long as the process serves."""
        while True:
            await self.one()

    async def one(self) -> None:
        """Carry out the next one."""
        actor = await self._wanted.get()
        try:
            report = await self._verify()
            found = {"sound": report.sound, "entries": report.last.seq}
            now = self._clock.now()
            self.last = Verified(at=now, report=report)
            await self._record(
                AuditEvent(action="audit:verified", at=now, actor=actor, details=found)
            )
        except RecorderError as error:
            self.failed = True
            log.warning("trail_not_verified", error=type(error).__name__, why=str(error))
        finally:
            self.since = None
