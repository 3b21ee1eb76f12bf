"""Compares files and rows both ways, and brings what has no row under the same days (R7.2l)."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import structlog

from recorder.custody.model import StoredFile
from recorder.dates import erase_by
from recorder.erasure.brakes import Brake, Doubt, are_many_orphans, doubt_of_clock
from recorder.erasure.looking import must_ask
from recorder.erasure.ports import PurgeLog, Shredder, Witness
from recorder.erasure.rules import Orphan, judge_orphan
from recorder.errors import SpoolUnavailable, VaultUnavailable
from recorder.model import IncidentKind, RecordingId
from recorder.ports import Clock
from recorder.retention.model import Tell
from recorder.retention.ports import Inventory, SpoolStrays, StoredAudio
from recorder.retention.rules import made_at_ms
from recorder.retention.strays import SpoolSweeper

log = structlog.get_logger(__name__)

PAGE = 500


class Reconciler:
    """Finds files without rows and rows without files; erases only what its days are over for.

    The counts it returns name what it found: ``orphan``, ``orphan_erased``, ``foreign``,
    ``missing``, ``corrected``, ``spool``, ``spool_erased``, ``journal``, ``journal_erased``,
    ``key_erased``, ``unpermitted``. By a clock in doubt nothing new is erased.
    """

    def __init__(
        self,
        *,
        inventory: Inventory,
        vault: StoredAudio,
        shredder: Shredder,
        spool: SpoolStrays,
        purge_log: PurgeLog,
        clock: Clock,
        witness: Witness,
        office_zone: ZoneInfo,
        lead: timedelta,
        new_token: Callable[[], str],
    ) -> None:
        self._inventory = inventory
        self._vault = vault
        self._shredder = shredder
        self._purge_log = purge_log
        self._clock = clock
        self._witness = witness
        self._office_zone = office_zone
        self._lead = lead
        self._new_token = new_token
        self._sweeper = SpoolSweeper(
            inventory=inventory, strays=spool, clock=clock, office_zone=office_zone, lead=lead
        )

    async def run(self, days: int, tell: Tell) -> Counter[str]:
        """Compare everything once.

        Raises ``VaultUnavailable``, ``LedgerUnavailable``, and ``SpoolUnavailable`` at its end.
        """
        found: Counter[str] = Counter()
        spool_away: SpoolUnavailable | None = None
        # First, and for itself: neither the spool nor the vault waits for the other.
        try:
            await self._sweeper.run(days, found, may_erase=self._clock_is_sure)
        except SpoolUnavailable as error:
            spool_away = error
        with_files = await self._files(days, found, tell)
        await self._keys(days, with_files, found)
        await self._rows(days, found, tell)
        await self._decisions(found)
        if spool_away is not None:
            raise spool_away
        return found

    async def _files(self, days: int, found: Counter[str], tell: Tell) -> set[RecordingId]:
        now = self._clock.now()
        files, seen = self._vault.present(), 0
        with_files: set[RecordingId] = set()
        expired: list[tuple[RecordingId, str, Orphan]] = []
        while batch := await asyncio.to_thread(lambda: list(islice(files, PAGE))):
            seen += len(batch)
            await tell(f"{seen} files")
            with_files |= {each.id for each in batch if each.id is not None}
            for each, verdict in await self._orphans(batch, days, now):
                if verdict is None or each.id is None:
                    found["foreign"] += 1
                    await self._report(f"vault: {each.described}", now)
                elif verdict in {Orphan.EXPIRED, Orphan.ALREADY_ERASED}:
                    expired.append((each.id, each.folder, verdict))
                elif verdict is Orphan.WAITING:
                    found["orphan"] += 1
                    await self._report(f"vault: {each.id}", now)
        await self._erase_orphans(expired, found)
        return with_files

    async def _orphans(
        self, batch: Sequence[StoredFile], days: int, now: datetime
    ) -> list[tuple[StoredFile, Orphan | None]]:
        """Return the files that no row knows, each with what it is; None = not ours."""
        ids = {each.id for each in batch if each.id is not None}
        rowless = ids - await self._inventory.rows_among(ids)
        buried = await self._inventory.tombstones_among(rowless) if rowless else frozenset()
        return [
            (
                each,
                None
                if each.id is None
                else judge_orphan(
                    each.created_at,
                    has_tombstone=each.id in buried,
                    retention_days=days,
                    office_zone=self._office_zone,
                    lead=self._lead,
                    now=now,
                ),
            )
            for each in batch
            if each.id is None or each.id in rowless
        ]

    async def _erase_orphans(
        self, expired: Collection[tuple[RecordingId, str, Orphan]], found: Counter[str]
    ) -> None:
        # What has a tombstone was erased once, rightly: lost rows are no doubt there.
        unknown = sum(verdict is Orphan.EXPIRED for _, _, verdict in expired)
        rows = await self._inventory.count()
        braked = (
            are_many_orphans(orphans=unknown, rows=rows) and await self._is_braked(unknown)
        ) or (unknown > 0 and not await self._clock_is_sure(unknown))
        for recording_id, folder, verdict in expired:
            if braked and verdict is Orphan.EXPIRED:
                found["orphan"] += 1
                continue
            try:
                await self._shredder.destroy_key(recording_id)
                await self._shredder.destroy_audio(recording_id, folder=folder)
            except VaultUnavailable as error:
                # One file that will not go must not keep the others; it is told again tomorrow.
                found["orphan"] += 1
                log.warning("orphan_stays", recording_id=str(recording_id), why=str(error))
                await self._report(f"vault: {recording_id} cannot be erased", self._clock.now())
                continue
            found["orphan_erased"] += 1
            now = self._clock.now()
            await self._inventory.orphan_erased(f"recording:{recording_id}", verdict, at=now)
        if not braked:
            await self._purge_log.use_up(Brake.MANY_ORPHANS, at=self._clock.now())

    async def _is_braked(self, orphans: int) -> bool:
        return await self._is_on(Brake.MANY_ORPHANS, f"{orphans} files have no row")

    async def _clock_is_sure(self, due: int) -> bool:
        """Tell whether so much may be erased by the wall clock (F12)."""
        doubt = doubt_of_clock(
            last=await self._purge_log.last_instant(),
            this=self._witness.read(),
            synchronised=self._witness.synchronised(),
        )
        known = {each.brake for each in await self._purge_log.brakes()}
        if doubt is Doubt.NONE and Brake.CLOCK_JUMP not in known:
            return True
        detail = f"{doubt}; {due} files without a row would be erased"
        return not await self._is_on(Brake.CLOCK_JUMP, detail)

    async def _is_on(self, wanted: Brake, detail: str) -> bool:
        """Tell whether a person must look first; puts the brake on where it is not."""
        known = {each.brake: each for each in await self._purge_log.brakes()}
        brake = known.get(wanted)
        if brake is None or must_ask(wanted, brake, found=detail):
            now, token = self._clock.now(), self._new_token()
            brake = await self._purge_log.put_on(wanted, detail=detail, at=now, token=token)
        return not brake.released

    async def _keys(self, days: int, with_files: set[RecordingId], found: Counter[str]) -> None:
        """Destroy keys of nothing: no file, no row, and an id older than the retention."""
        oldest = self._clock.now() - timedelta(days=days)
        alone = [
            each
            for each in await asyncio.to_thread(lambda: list(self._vault.keys_present()))
            if each not in with_files and made_at_ms(each) < oldest.timestamp() * 1000
        ]
        for start in range(0, len(alone), PAGE):
            page = alone[start : start + PAGE]
            nobodys = set(page) - await self._inventory.rows_among(page)
            if nobodys and not await self._clock_is_sure(len(nobodys)):
                return
            for each in nobodys:
                await self._vault.destroy_key(each)
                found["key_erased"] += 1

    async def _rows(self, days: int, found: Counter[str], tell: Tell) -> None:
        after: RecordingId | None = None
        seen = unknown = 0
        while page := await self._inventory.page(after, limit=PAGE):
            after, seen = page[-1].id, seen + len(page)
            await tell(f"{seen} rows")
            written = await self._shredder.written_at([(each.id, each.stored_on) for each in page])
            unknown += sum(each.id not in written for each in page)
            missing = [each for each in page if each.id in written and written[each.id] is None]
            for each in missing:
                found["missing"] += 1
                if each.missing_at is None:
                    log.error("recording_missing", recording_id=str(each.id))
                    await self._inventory.found_missing(each, at=self._clock.now())
            right = {
                each.id: erase_by(each.ended_at, days=days, office_zone=self._office_zone)
                for each in page
            }
            corrected = {
                each.id: right[each.id] for each in page if each.erase_by != right[each.id]
            }
            if corrected:
                found["corrected"] += len(corrected)
                await self._inventory.correct_erase_by(corrected)
        if unknown:
            raise VaultUnavailable(
                f"the folders of {unknown} recordings are not in the vault: is it mounted?"
            )

    async def _decisions(self, found: Counter[str]) -> None:
        """Raise an alarm for each recording that its call's decision does not permit (R3.4g)."""
        for each in await self._inventory.unpermitted(limit=PAGE):
            found["unpermitted"] += 1
            log.error("recorded_unpermitted", recording_id=str(each.id))
            await self._inventory.report(
                IncidentKind.RECORDED_UNPERMITTED,
                str(each.id),
                at=self._clock.now(),
                call_id=each.call_id,
            )

    async def _report(self, detail: str, at: datetime) -> None:
        await self._inventory.report(IncidentKind.ORPHAN_AUDIO, detail, at=at)
