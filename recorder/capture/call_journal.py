"""Keeps one live call's journal: in the spool, and in memory once the spool refuses it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog

from recorder.errors import SpoolUnavailable
from recorder.model import CallId
from recorder.ports import Journals

log = structlog.get_logger(__name__)


class CallJournal:
    """One call's journal. ``kept`` keeps it in memory from the start; None = in the spool."""

    def __init__(
        self, call_id: CallId, journals: Journals, *, kept: Iterable[Mapping[str, object]] | None
    ) -> None:
        self._call_id = call_id
        self._journals = journals
        self._noted: list[Mapping[str, object]] = []
        """What this process wrote to the journal, should the spool be gone with it."""
        self._in_memory = list(kept) if kept is not None else None

    @property
    def in_memory(self) -> Sequence[Mapping[str, object]] | None:
        """The journal since the spool refused it; None = it is on disk."""
        return self._in_memory

    async def note(self, line: Mapping[str, object], *, durable: bool) -> None:
        """Add an entry; when ``durable``, without keeping the other calls waiting."""
        if durable and self._in_memory is None:
            # An fsync may take long on a busy disk; the other calls must not wait for it.
            await asyncio.to_thread(self.append, line, durable=True)
        else:
            self.append(line, durable=durable)

    def append(self, line: Mapping[str, object], *, durable: bool = False) -> None:
        """Add to the journal; once the spool refuses, the journal goes on in memory.

        Raises ``SpoolUnavailable`` only for a permission to record, which memory cannot hold.
        """
        if self._in_memory is None:
            try:
                self._journals.append(self._call_id, line, durable=durable)
            except SpoolUnavailable:
                log.warning("journal_in_memory")
                kept = self._journals.recall(self._call_id)
                self._in_memory = list(kept if len(kept) > len(self._noted) else self._noted)
            else:
                self._noted.append(line)
                return
        if line["kind"] == "consent:decided" and line["record"]:
            raise SpoolUnavailable("permission to record cannot be put on disk")
        self._in_memory.append(line)
