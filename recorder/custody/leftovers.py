"""What lies in the spool and nobody will seal by itself: found, told once, never touched."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta

import structlog

from recorder.errors import SpoolUnavailable
from recorder.model import CallId, CallRecord, Incident, IncidentKind, RecordingId
from recorder.ports import Clock, Journals, Ledger, Spool

log = structlog.get_logger(__name__)

STANDS_STILL_S = 60.0
"""Audio that was written to a shorter while ago may yet find its call."""


class Inspector:
    """Looks for journals that cannot be read and for audio that no journal names.

    Reconciliation, a day later, tells of audio in the spool in the same words, so that whichever
    sees it first tells it alone; it alone tells of the vault, and erases.

    What it finds must be judged by a person: the audio may be of a caller who did not agree, the
    journal may be all that is left of one who did. So it is told, as an incident, and left alone.

    ``fold`` turns a journal's entries into the call, ``in_hand`` names the calls going on.
    """

    def __init__(
        self,
        *,
        journals: Journals,
        spool: Spool,
        ledger: Ledger,
        clock: Clock,
        fold: Callable[[Sequence[Mapping[str, object]]], CallRecord],
        in_hand: Callable[[], Collection[CallId]],
    ) -> None:
        self._journals = journals
        self._spool = spool
        self._ledger = ledger
        self._clock = clock
        self._fold = fold
        self._in_hand = in_hand
        self._told: set[str] = set()

    async def look(self) -> None:
        """Look once and tell what is new. Raises ``LedgerUnavailable``; then look again later."""
        unreadable, orphans = await asyncio.to_thread(self._find)
        live = {str(each) for each in self._in_hand()}
        for name, why in unreadable.items():
            # A call that goes on may be just about to write its first line.
            if name not in live:
                await self._tell(IncidentKind.JOURNAL_UNREADABLE, f"{name}.journal: {why}")
        for each in orphans:
            await self._tell(IncidentKind.ORPHAN_AUDIO, f"spool: {each}")

    def _find(self) -> tuple[dict[str, str], list[RecordingId]]:
        # Audio first: a journal exists before its audio and is wiped after it, so that whatever
        # audio is seen here has its journal later, or is gone by then.
        audio = [each for each in self._spool.all_audio() if self._stands_still(each)]
        named, unreadable, unknown = self._read(self._journals.all_calls())
        # A call that was sealed meanwhile took its journal with it.
        still_there = {str(each) for each in self._journals.all_calls()}
        unreadable = {name: why for name, why in unreadable.items() if name in still_there}
        orphans = [
            each
            for each in audio
            if str(each) not in named and self._spool.audio_size(each) is not None
        ]
        # A journal that cannot be opened at all may name any of them.
        return unreadable, [] if unknown else orphans

    def _read(self, calls: Iterable[CallId]) -> tuple[set[str], dict[str, str], bool]:
        named: set[str] = set()
        unreadable: dict[str, str] = {}
        unknown = False
        for call_id in calls:
            try:
                entries = self._journals.read(call_id)
                named |= {str(each.get("recording_id")) for each in entries}
                self._fold(entries)
            except SpoolUnavailable as error:
                unknown = True
                unreadable[str(call_id)] = type(error).__name__
            # Whatever is wrong with it: damaged, or of a newer release.
            except Exception as error:  # noqa: BLE001 - the boundary of one journal
                unreadable[str(call_id)] = type(error).__name__
        return named, unreadable, unknown

    def _stands_still(self, recording_id: RecordingId) -> bool:
        written = self._spool.audio_written_at(recording_id)
        return written is not None and self._clock.now() - written > timedelta(
            seconds=STANDS_STILL_S
        )

    async def _tell(self, kind: IncidentKind, detail: str) -> None:
        if detail in self._told:
            return
        incident = Incident(kind=kind, at=self._clock.now(), detail=detail)
        if await self._ledger.record_incident(incident, once=True):
            log.warning("incident", incident=kind, detail=detail)
        self._told.add(detail)
