"""An office whose backups are made and restored on days of choice: real files, real PostgreSQL."""

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from recorder.adapters.backup_maker import BackupMaker, Source
from recorder.adapters.backup_places import Places
from recorder.adapters.backup_set import Opened, open_set
from recorder.adapters.keeping import Keeping, open_keeping
from recorder.adapters.keys import DiskKeys
from recorder.adapters.master_key import MasterKey
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.holds import PostgresHolds
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.restore_end import Ended, RestoreEnd
from recorder.adapters.restore_marker import read_marker
from recorder.adapters.restorer import Orders, Restorer, Target
from recorder.adapters.vault import DiskVault
from recorder.backup.model import ErasureLedger, Manifest
from recorder.custody.rules import describe, folder_of
from recorder.erasure.service import Eraser
from recorder.holds.model import HoldId
from recorder.holds.service import HoldKeeper
from recorder.model import RecordingId
from recorder.regulation import Regulation, parse_regulation
from recorder.settings import Settings, load_settings
from tests.builders import IN_SCOPE, NOON, a_call
from tests.builders_keeping import OLGA, PURGE, a_hold, numbered
from tests.fakes import FakeClock
from tests.fakes_erasure import FakeWitness
from tests.keys import MASTER_KEY_TEXT, SECRET, some_keys

WARSAW = ZoneInfo("Europe/Warsaw")
LEAD = timedelta(hours=1)
ROOT = Path(__file__).parents[1]
DAYS, KEY_DAYS = 23, 7


def quiet(*_: object) -> None:
    """Hear of progress and say nothing."""


def regulation_text(days: int = DAYS, key_days: int = KEY_DAYS) -> str:
    text = (ROOT / "regulation.toml").read_text(encoding="utf-8")
    text = text.replace("\ndays = 30", f"\ndays = {days}")
    return text.replace("key_days = 0\n", f"key_days = {key_days}\n")


async def quietly(_: object) -> None:
    """Hear how a purge goes and say nothing."""


class Installation:
    """One office: its database, vault, keys and files under one folder."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url, self.directory = url, directory
        self.vault, self.keys = directory / "vault", directory / "keys"
        self.announcements = directory / "announcements"
        self.checkpoints = directory / "checkpoints"
        self.clock = FakeClock()
        self.clock.at = NOON
        directory.mkdir(exist_ok=True)

    def open(self, *, days: int = DAYS, key_days: int = KEY_DAYS) -> None:
        """Make what a running office has."""
        self.vault.mkdir()
        self.announcements.mkdir()
        (self.announcements / "first.pl.wav").write_bytes(b"a sound")
        self.checkpoints.mkdir()
        (self.checkpoints / "000000000001.json").write_bytes(b"a signed note")
        (self.directory / "regulation.toml").write_text(regulation_text(days, key_days))
        some_keys(self.keys)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "RECORDER_DATABASE_URL": self.url,
            "RECORDER_VAULT_DIR": str(self.vault),
            "RECORDER_KEY_DIR": str(self.keys),
            "RECORDER_MASTER_KEY": MASTER_KEY_TEXT,
            "RECORDER_ANNOUNCEMENT_DIR": str(self.announcements),
            "RECORDER_REGULATION_FILE": str(self.directory / "regulation.toml"),
            "RECORDER_AUDIT_CHECKPOINT_DIR": str(self.checkpoints),
            "RECORDER_SPOOL_DIR": str(self.directory / "spool"),
        }

    @property
    def settings(self) -> Settings:
        return load_settings(self.environment)

    @property
    def regulation(self) -> Regulation:
        text = (self.directory / "regulation.toml").read_text()
        return parse_regulation(text, source="test")

    def opened_vault(self) -> DiskVault:
        return DiskVault(self.vault, DiskKeys(self.keys, MasterKey(SECRET)))

    def seal(self, number: int, *, age: timedelta, length: int = 800) -> RecordingId:
        """Record a call that ended ``age`` ago."""
        recording_id, call_id = numbered(number)
        ended = self.clock.at - age
        call = a_call(
            id=call_id,
            channel_id=str(number),
            scope=IN_SCOPE,
            consent=IN_SCOPE,
            recording_id=recording_id,
            arrived_at=ended,
            ended_at=ended,
        )
        raw = self.directory / "audio.raw"
        raw.write_bytes(number.to_bytes(2, "little") * 2 * length)

        async def write() -> None:
            audio = await self.opened_vault().store(recording_id, raw=raw, folder=folder_of(ended))
            path = self.vault / folder_of(ended) / f"{recording_id}.rec"
            os.utime(path, (ended.timestamp(), ended.timestamp()))
            recording = describe(call, audio, retention_days=DAYS, office_zone=WARSAW, now=ended)
            async with connect(self.url) as engine:
                ledger = PostgresLedger(engine)
                assert await ledger.record_call(call, recording=recording, incidents=[], at=ended)

        asyncio.run(write())
        return recording_id

    def hold(self, recording_id: RecordingId, **changes: object) -> HoldId:
        """Place a hold."""
        hold = a_hold(recording_id, **({"id": HoldId(uuid4())} | changes))

        async def write() -> None:
            async with connect(self.url) as engine:
                answers = await PostgresHolds(engine).place([hold], actor=OLGA)
                assert answers[recording_id].allowed

        asyncio.run(write())
        return hold.id

    def purge(self) -> None:
        """Erase what is due, as the retention process does."""

        async def act() -> None:
            async with connect(self.url) as engine:
                await self.keeping(engine).eraser.run()

        asyncio.run(act())

    def keeping(self, engine: object) -> Keeping:
        """Return the parts of erasing, on this office's clock."""
        vault = self.opened_vault()
        keeping = open_keeping(self.settings, self.regulation, engine, vault=vault)  # type: ignore[arg-type]
        witness = FakeWitness()
        witness.instant = replace(witness.instant, at=self.clock.at, boot_id=str(self.clock.at))
        eraser = Eraser(
            erasures=PostgresErasures(engine, actor=PURGE),  # type: ignore[arg-type]
            purge_log=keeping.purge_log,
            vault=keeping.shredder,
            clock=self.clock,
            witness=witness,
            actor=PURGE,
            retention_days=self.regulation.retention.days,
            office_zone=WARSAW,
            lead=LEAD,
            new_token=lambda: "token",
        )
        holds = HoldKeeper(
            holds=keeping.hold_rows,
            approvals=keeping.approvals,
            clock=self.clock,
            new_id=uuid4,
            four_eyes=False,
        )
        return replace(keeping, eraser=eraser, holds=holds)

    def source(self) -> Source:
        return Source(
            database_url=self.url,
            vault=self.vault,
            keys=self.keys,
            announcements=self.announcements,
            checkpoints=self.checkpoints,
            regulation=self.directory / "regulation.toml",
            master=MasterKey(SECRET),
            retention_days=self.regulation.retention.days,
            key_days=self.regulation.backups.key_days,
            office_zone=WARSAW,
            lead=LEAD,
        )

    def back_up(self, places: Places) -> tuple[Path, Manifest]:
        return BackupMaker(self.source(), places, self.clock, uuid4).make(quiet)

    def bring_back(
        self, backup: Opened, *, ledger: ErasureLedger | None = None, **orders: bool
    ) -> list[str]:
        """Restore up to the marker."""
        target = Target(
            database_url=self.url,
            vault=self.vault,
            keys=self.keys,
            announcements=self.announcements,
            checkpoints=self.checkpoints,
            regulation=self.directory / "regulation.toml",
            master=MasterKey(SECRET),
        )
        given = {"replace": False, "despite_damage": False} | orders
        return Restorer(backup, audio=Path(backup.manifest.vault), target=target).run(
            Orders(ledger=None, ledger_at=ledger.at if ledger else None, **given),
            now=self.clock.at,
            progress=quiet,
        )

    def end(self, ledger: ErasureLedger | None = None) -> Ended:
        """Erase what is due and take the marker away."""
        marker = read_marker(self.keys)
        assert marker is not None

        async def act() -> Ended:
            async with connect(self.url) as engine:
                end = RestoreEnd(
                    settings=self.settings,
                    regulation=self.regulation,
                    engine=engine,
                    master=MasterKey(SECRET),
                    clock=self.clock,
                    keeping=self.keeping(engine),
                )
                return await end.run(marker, ledger, actor=OLGA, confirm=None, progress=quietly)

        return asyncio.run(act())

    def playable(self, ids: list[RecordingId], folders: dict[RecordingId, str]) -> set[RecordingId]:
        """Return which recordings can be heard, by key and file, rows aside."""

        async def listen() -> set[RecordingId]:
            vault = self.opened_vault()
            heard = set()
            for each in ids:
                key, audio = await vault.remains(each, folder=folders[each])
                if key and audio and await vault.digest(each, folder=folders[each]):
                    heard.add(each)
            return heard

        return asyncio.run(listen())


def places_in(directory: Path) -> Places:
    return Places(sets=directory / "sets", vault=directory / "audio", keys=directory / "opens")


def opened_set(folder: Path, places: Places) -> Opened:
    return open_set(folder, keys_at=places.keys, master=MasterKey(SECRET))
