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
from recorder.erasure.brakes import Brake, are_many_orphans
from recorder.erasure.ports import PurgeLog, Shredder
from recorder.erasure.rules import Orphan, due_at, judge_orphan
from recorder.errors import VaultUnavailable
from recorder.model import IncidentKind, RecordingId
from recorder.ports import Clock
from recorder.retention.model import Tell
from recorder.retention.ports import Inventory, SpooledAudio, StoredAudio

log = structlog.get_logger(__name__)

PAGE = 500
UNSEALED_FOR = timedelta(days=1)
"""Audio that lies in the spool for so long is told; it is not erased before its days are over."""

BEGINNING_OF_TIME_MS = 48
"""UUIDv7 begins with so many bits of milliseconds."""


class Reconciler:
    """Finds files without rows and rows without files; erases only what its days are over for.

    The counts it returns name what it found: ``orphan``, ``orphan_erased``, ``foreign``,
    ``missing``, ``corrected``, ``spool``, ``spool_erased``, ``key_erased``, ``unpermitted``.
    """

    def __init__(
        self,
        *,
        inventory: Inventory,
        vault: StoredAudio,
        shredder: Shredder,
        spool: SpooledAudio,
        purge_log: PurgeLog,
        clock: Clock,
        office_zone: ZoneInfo,
        lead: timedelta,
        new_token: Callable[[], str],
    ) -> None:
        self._inventory = inventory
        self._vault = vault
        self._shredder = shredder
        self._spool = spool
        self._purge_log = purge_log
        self._clock = clock
        self._office_zone = office_zone
        self._lead = lead
        self._new_token = new_token

    async def run(self, days: int, tell: Tell) -> Counter[str]:
        """Compare everything once. Raises ``VaultUnavailable`` and ``LedgerUnavailable``."""
        found: Counter[str] = Counter()
        with_files = await self._files(days, found, tell)
        await self._keys(days, with_files, found)
        await self._rows(days, found, tell)
        await self._audio_in_spool(days, found)
        await self._decisions(found)
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
        braked = are_many_orphans(orphans=unknown, rows=rows) and await self._is_braked(unknown)
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

    async def _is_braked(self, orphans: int) -> bool:
        """Tell whether a person must look first; puts the brake on where it is not."""
        known = {each.brake: each for each in await self._purge_log.brakes()}
        brake = known.get(Brake.MANY_ORPHANS)
        if brake is None:
            now, detail = self._clock.now(), f"{orphans} files have no row"
            token = self._new_token()
            brake = await self._purge_log.put_on(
                Brake.MANY_ORPHANS, detail=detail, at=now, token=token
            )
        return not brake.released

    async def _keys(self, days: int, with_files: set[RecordingId], found: Counter[str]) -> None:
        """Destroy keys of nothing: no file, no row, and an id older than the retention."""
        oldest = self._clock.now() - timedelta(days=days)
        alone = [
            each
            for each in await asyncio.to_thread(lambda: list(self._vault.keys_present()))
            if each not in with_files and _made_at_ms(each) < oldest.timestamp() * 1000
        ]
        for start in range(0, len(alone), PAGE):
            page = alone[start : start + PAGE]
            for each in set(page) - await self._inventory.rows_among(page):
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

    async def _audio_in_spool(self, days: int, found: Counter[str]) -> None:
        """Tell of audio that nobody seals; erase it when its days are over all the same."""
        now = self._clock.now()
        for each in self._spool.all_audio():
            written_at = self._spool.audio_written_at(each)
            if written_at is None or now - written_at < UNSEALED_FOR:
                continue
            # Capture tells of what no journal names in the same words, and mostly earlier.
            await self._report(f"spool: {each}", now, once=True)
            due = due_at(
                written_at, retention_days=days, office_zone=self._office_zone, lead=self._lead
            )
            if now < due:
                found["spool"] += 1
                continue
            self._spool.wipe_audio(each)
            found["spool_erased"] += 1
            await self._inventory.orphan_erased(f"spool:{each}", Orphan.EXPIRED, at=now)

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

    async def _report(self, detail: str, at: datetime, *, once: bool = False) -> None:
        await self._inventory.report(IncidentKind.ORPHAN_AUDIO, detail, at=at, once=once)


def _made_at_ms(recording_id: RecordingId) -> int:
    return recording_id.int >> (128 - BEGINNING_OF_TIME_MS)
