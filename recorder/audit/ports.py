"""What the audit trail's service asks of whoever keeps the trail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from recorder.audit.event import AuditEvent
from recorder.audit.rules import Entry, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where the kept part of the trail begins."""

    position: Position
    note: str
    """Signed; empty when nothing was forgotten yet."""


class Trail(Protocol):
    """The trail as it is kept. Every method raises ``LedgerUnavailable``."""

    async def head(self) -> Position | None:
        """Return where the trail says that it ends; None = it does not say."""

    async def start(self) -> Start | None:
        """Return where its kept part begins; None = it does not say."""

    async def entries_after(self, seq: int, *, limit: int) -> Sequence[Entry]:
        """Return entries in the order of their numbers."""

    async def last_before(self, at: datetime) -> int:
        """Return the last number up to which every entry is older; 0 = none."""

    async def forget(self, through: Position, *, note: str, event: AuditEvent) -> int:
        """Drop all entries up to this one, leave the note, tell the trail; return how many."""

    async def forget_personal(self, *, before: datetime, event: AuditEvent) -> int:
        """Drop personal parts of older entries, and tell the trail if there were any."""


class Post(Protocol):
    """Takes checkpoints away from this machine."""

    def post(self, notes: Mapping[str, str]) -> str:
        """Send the newest note unless it was taken before; return its name, or nothing.

        Raises ``MailUnavailable``.
        """


class Checkpoints(Protocol):
    """Where signed notes are kept. Both methods raise ``VaultUnavailable``."""

    def keep(self, seq: int, note: str) -> Path:
        """Write a checkpoint durably, unless there is one; return where."""

    def notes(self) -> Mapping[str, str]:
        """Return all checkpoints by name."""
