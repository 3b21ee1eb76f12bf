"""The file becomes a recording: sealed into the vault, written to the ledger, wiped from spool."""

import asyncio
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import structlog

from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.custody import rules
from recorder.custody.streak import ALARM_AFTER, Streak
from recorder.errors import LedgerUnavailable, SpoolUnavailable, VaultUnavailable
from recorder.live.model import Settled
from recorder.model import (
    Announcement,
    CallId,
    CallRecord,
    Incident,
    IncidentKind,
    Recording,
    RecordingId,
)
from recorder.ports import Announcements, Clock, Journals, Ledger, Spool, Vault

log = structlog.get_logger(__name__)

LOOK_AGAIN_S = 0.5
"""How often a file that still grows is looked at."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""Pauses while the ledger or the vault is away double from the first to the longest."""

MOST_LOOKS = 240
"""A file that will not settle within two minutes is sealed as it is, and says so."""


class Custodian:
    """Seals ended calls, oldest first, in an order that survives a crash.

    Audio durable in the vault → all rows in one transaction → spool wiped. A crash before the
    rows leaves a file that the next run overwrites with the same bytes; one after them leaves
    a journal whose call is known, so that only the wiping is done again.

    ``read_call`` turns a journal into the call, ``read_orders`` tells what was ordered about its
    recording; they are handed in, because the journal's form is capture's business.
    """

    def __init__(
        self,
        *,
        journals: Journals,
        spool: Spool,
        vault: Vault,
        ledger: Ledger,
        announcements: Announcements,
        clock: Clock,
        configured_days: int,
        office_zone: ZoneInfo,
        read_call: Callable[[CallId], CallRecord],
        read_orders: Callable[[CallRecord], Sequence[Settled]],
    ) -> None:
        self._journals = journals
        self._spool = spool
        self._vault = vault
        self._ledger = ledger
        self._announcements = announcements
        self._clock = clock
        self._configured_days = configured_days
        self._office_zone = office_zone
        self._read_call = read_call
        self._read_orders = read_orders
        self._waiting: asyncio.Queue[tuple[CallId, CallRecord | None]] = asyncio.Queue()
        self._taken: set[CallId] = set()
        self._kept: set[Announcement] = set()
        self._announcing = Streak()
        self.sealed = 0

    @property
    def waiting(self) -> int:
        """How many ended calls are not sealed yet."""
        return self._waiting.qsize()

    async def all_sealed(self) -> None:
        """Wait until every call taken so far is sealed."""
        await self._waiting.join()

    def take(self, call_id: CallId, record: CallRecord | None) -> None:
        """Queue an ended call, once however often it is handed over.

        ``record`` stands in for a journal that could not be written.
        """
        if call_id not in self._taken:
            self._taken.add(call_id)
            self._waiting.put_nowait((call_id, record))

    def waits_for(self, call_id: CallId) -> bool:
        """Tell whether this call was taken and is neither sealed nor given up."""
        return call_id in self._taken

    async def run(self) -> None:
        """Seal calls until cancelled. Waits while ledger or vault are away; loses nothing."""
        pause = FIRST_PAUSE_S
        while True:
            call_id, record = await self._waiting.get()
            with structlog.contextvars.bound_contextvars(call_id=str(call_id)):
                done = await self._try_to_seal(call_id, record)
            if done:
                self._taken.discard(call_id)
                pause = FIRST_PAUSE_S
            else:
                # To the end: one file that cannot be stored must not hold up the others (F13).
                self._waiting.put_nowait((call_id, record))
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)
            self._waiting.task_done()

    async def _try_to_seal(self, call_id: CallId, record: CallRecord | None) -> bool:
        """Seal one call; False if it is to be tried again."""
        try:
            await self.seal(call_id, record)
        except (LedgerUnavailable, VaultUnavailable, SpoolUnavailable) as error:
            log.warning("sealing_waits", why=str(error))
            return False
        # One call that cannot be sealed must not stop the others; its journal and audio
        # stay in the spool, and the next start tries again.
        except Exception as error:
            if rules.is_shortage(error):
                log.warning(
                    "sealing_waits", why="this process has no memory, thread or file to spare"
                )
                return False
            log.exception("sealing_failed")
        return True

    async def seal(self, call_id: CallId, record: CallRecord | None = None) -> bool:
        """Seal one ended call; True if this call made its rows. Safe to repeat.

        Raises ``LedgerUnavailable``, ``VaultUnavailable`` and ``SpoolUnavailable``.
        """
        call = record if record is not None else self._read_call(call_id)
        await self._keep_announcements()
        if await self._ledger.knows_channel(call.node, call.channel_id):
            await self._wipe(call)
            return False
        discarded = rules.is_discarded(call)
        recording = None if discarded else await self._store(call)
        entries = await self._destroy(call) if discarded else ()
        now = self._clock.now()
        kinds = [*rules.incidents_of(call, recording)]
        if failing := self._announcing.is_due(call):
            kinds.append(IncidentKind.ANNOUNCEMENT_FAILING)
        incidents = [
            Incident(kind=kind, at=call.ended_at or now, call_id=call.id) for kind in kinds
        ]
        new = await self._ledger.record_call(
            call,
            recording=recording,
            incidents=incidents,
            at=now,
            # A call whose journal the spool refused has told its orders as they were settled.
            orders=() if record is not None else self._read_orders(call),
            entries=entries,
        )
        self._announcing.take(call)
        if failing:
            log.error("announcement_failing", in_a_row=ALARM_AFTER)
        await self._wipe(call)
        self.sealed += 1
        outcome = rules.outcome_of(call, recorded=recording is not None)
        log.info("call_sealed", reason=outcome.reason, recorded=outcome.record)
        return new

    async def _store(self, call: CallRecord) -> Recording | None:
        if call.recording_id is None:
            return None
        size = await self._settled_size(call, call.recording_id)
        if not size:
            # A spool that is away has no audio either: only one that is there says there is none.
            self._spool.free_bytes()
            return None
        folder = rules.folder_of(call.ended_at or self._clock.now())
        audio = await self._vault.store(
            call.recording_id, raw=self._spool.audio_path(call.recording_id), folder=folder
        )
        return rules.describe(
            call,
            audio,
            retention_days=await self._ledger.retention_days(self._configured_days),
            office_zone=self._office_zone,
            now=self._clock.now(),
        )

    async def _destroy(self, call: CallRecord) -> Sequence[AuditEvent]:
        """Leave no byte of a discarded recording; return the entry that says so (RG.12).

        Before the rows: what they say has happened.
        """
        if call.recording_id is None:
            return ()
        # A spool that is away may hold it: only one that is there says that nothing is.
        self._spool.free_bytes()
        await self._settled_size(call, call.recording_id)
        await asyncio.to_thread(self._spool.wipe_audio, call.recording_id)
        folder = rules.folder_of(call.ended_at or self._clock.now())
        if any(await self._vault.remains(call.recording_id, folder=folder)):
            await self._vault.destroy_key(call.recording_id)
            await self._vault.destroy_audio(call.recording_id, folder=folder)
        if self._spool.audio_size(call.recording_id) is not None or any(
            await self._vault.remains(call.recording_id, folder=folder)
        ):
            raise SpoolUnavailable("discarded audio is still there")
        return (
            AuditEvent(
                action="discarding:verified",
                at=self._clock.now(),
                actor=Actor(kind=ActorKind.PROCESS, name="capture"),
                subject=f"call:{call.id}",
                details={"recording": str(call.recording_id)},
            ),
        )

    async def _settled_size(self, call: CallRecord, recording_id: RecordingId) -> int:
        """Wait until the PBX has written the last byte, and return how many there are."""
        size = 0
        for _ in range(MOST_LOOKS):
            written = self._spool.audio_written_at(recording_id)
            size = self._spool.audio_size(recording_id) or 0
            since = (self._clock.now() - written).total_seconds() if written else float("inf")
            if rules.is_settled(
                size=size,
                bridged_s=call.bridged_seconds,
                unwatched=call.unwatched,
                since_write_s=since,
            ):
                return size
            await asyncio.sleep(LOOK_AGAIN_S)
        log.warning("audio_never_settled")
        return size

    async def _keep_announcements(self) -> None:
        for version in self._announcements.versions():
            if version not in self._kept:
                await self._ledger.keep_announcement(version)
                self._kept.add(version)

    async def _wipe(self, call: CallRecord) -> None:
        # Audio first: a journal without audio is harmless, audio without a journal is an orphan.
        if call.recording_id is not None:
            # Overwriting waits for the disk; the calls that live must not.
            await asyncio.to_thread(self._spool.wipe_audio, call.recording_id)
        self._journals.wipe(call.id)

    async def report(self, kind: IncidentKind, detail: str) -> None:
        """Write an incident that belongs to no call. Raises ``LedgerUnavailable``."""
        await self._ledger.record_incident(Incident(kind=kind, at=self._clock.now(), detail=detail))
