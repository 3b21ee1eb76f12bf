"""What the retention process does for backups: keys go in time, the ledger is kept elsewhere."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from recorder.audit.event import Actor, AuditEvent
from recorder.backup import events
from recorder.backup.model import Pruned
from recorder.errors import BackupUnavailable
from recorder.ports import Clock
from recorder.retention.model import Job, Tell


class KeyBackups(Protocol):
    """The keys of backups, in every place that is watched over."""

    def prune(self, now: datetime) -> Pruned:
        """Destroy what is due. A place that is away does not keep the others."""


class TrailOfBackups(Protocol):
    """The audit trail, for acts that change no row. Raises ``LedgerUnavailable``."""

    async def append(self, entries: Iterable[AuditEvent]) -> None:
        """Write entries."""


class LedgerExport(Protocol):
    """The ledger of erasures, off the machine."""

    async def export(self, *, at: datetime) -> int | None:
        """Write it where the settings say; None = they say nothing.

        Raises ``LedgerUnavailable`` and ``BackupUnavailable``.
        """


class BackupWork:
    """The jobs, each by its name in the table ``job``."""

    def __init__(
        self,
        *,
        pruner: KeyBackups,
        trail: TrailOfBackups,
        ledger: LedgerExport,
        clock: Clock,
        actor: Actor,
    ) -> None:
        self._pruner, self._trail, self._ledger = pruner, trail, ledger
        self._clock, self._actor = clock, actor

    def jobs(self) -> Sequence[Job]:
        """Return what is done and how often; more often than the shortest lead."""
        return (
            Job(
                name="destroy_key_backups",
                every=timedelta(minutes=5),
                work=self.destroy_key_backups,
            ),
            Job(name="export_erasures", every=timedelta(hours=1), work=self.export_erasures),
        )

    async def destroy_key_backups(self, _: Tell) -> str:
        """Destroy the keys of backups whose days are over (RG.17)."""
        now = self._clock.now()
        done = await asyncio.to_thread(self._pruner.prune, now)
        await self._trail.append(
            events.destroyed(each, why="expired", actor=self._actor, at=now)
            for each in done.destroyed
        )
        if done.stuck:
            raise BackupUnavailable(f"{len(done.stuck)} key backups would not go: {done.stuck[0]}")
        return f"{len(done.destroyed)} destroyed"

    async def export_erasures(self, _: Tell) -> str:
        """Write what was erased and what is held to where a restore finds it."""
        lines = await self._ledger.export(at=self._clock.now())
        return "RECORDER_ERASURE_LEDGER_FILE is not set" if lines is None else f"{lines} lines"
