"""What nobody seals in the spool goes when its days are over: real rows, real files (R7.2l)."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import select

from recorder.adapters.journals import DiskJournals
from recorder.adapters.keeping import open_reconciler
from recorder.adapters.postgres import tables
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.tables_audit import AuditEventTable
from recorder.adapters.spool import DiskSpool
from recorder.capture.journal import fold
from recorder.custody.leftovers import Inspector
from recorder.erasure.brakes import Brake
from recorder.errors import SpoolUnavailable, VaultUnavailable
from recorder.model import CallId
from recorder.settings import Settings
from tests.builders import NOON
from tests.builders_keeping import OLGA
from tests.postgres.test_reconciling import Office

pytestmark = pytest.mark.postgres
NUMBER = b"600123456"
OVER = timedelta(days=31)
ENTERED = (
    b'{"v":1,"kind":"call:entered","at":"2026-10-01T10:00:00+00:00","call_id":"%b","node":"pbx",'
    b'"channel_id":"1.1","endpoint":"trunk","context":"in","line":"746640800",'
    b'"caller_number":"600123456"}\n'
)
DAMAGED = {
    "torn": b'{"v":1,"kind":"call:entered","caller_number":"600123456","li',
    "garbage": bytes(range(256)) * 20 + NUMBER,
    "zeros": bytes(4096),
    "empty": b"",
    "a hole in it": b'{"v":1,"kind":"call:entered","caller_number":"600123456"}\n',
    "of a newer release": ENTERED.replace(b'"v":1', b'"v":9'),
    "deep": b"[" * 100_000 + NUMBER + b"\n",
}


def an_id(number: int, at: datetime) -> UUID:
    """An id as capture makes it: it begins with its time."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | number)


class Spool:
    """The spool of an office, with what lies in it."""

    def __init__(self, office: Office) -> None:
        self.office, self.directory = office, office.directory / "spool"

    def journal(
        self, number: int, stored: bytes, *, age: timedelta = OVER, named: datetime | None = None
    ) -> Path:
        at = NOON - age
        call_id = an_id(number, named or at)
        path = self.directory / f"{call_id}.journal"
        path.write_bytes(stored.replace(b"%b", str(call_id).encode()))
        self.office.age(path, at)
        return path

    @property
    def names(self) -> set[str]:
        return {each.name for each in self.directory.iterdir()}


@pytest.fixture
async def spool(database_url: str, tmp_path: Path) -> AsyncIterator[Spool]:
    async with connect(database_url) as engine:
        yield Spool(Office(engine, tmp_path))


async def trail(office: Office) -> list[tuple[str, str, str]]:
    table = AuditEventTable
    query = select(table.action, table.subject, table.reason).order_by(table.seq)
    async with office.engine.connect() as connection:
        rows = await connection.execute(query)
        return [(act, of, why) for act, of, why in rows if act == "orphan:erased"]


@pytest.mark.parametrize("what", DAMAGED)
async def test_a_journal_that_cannot_be_read_is_told_and_goes_when_its_days_are_over(
    spool: Spool, what: str
) -> None:
    """R7.2l: it holds a number, and is of no row."""
    old = spool.journal(1, DAMAGED[what])
    young = spool.journal(2, DAMAGED[what], age=timedelta(days=29))
    assert await spool.office.reconcile() == {"journal": 1, "journal_erased": 1}
    assert spool.names == {young.name}
    assert await trail(spool.office) == [("orphan:erased", f"journal:{old.stem}", "expired")]
    incidents = await spool.office.incidents()
    assert [kind for kind, _ in incidents] == ["journal_unreadable"] * 2
    assert NUMBER.decode() not in str(incidents)
    assert await spool.office.reconcile() == {"journal": 1}
    assert len(await spool.office.incidents()) == 2, "told once"


async def test_it_is_erased_within_the_lead_and_not_before(spool: Spool) -> None:
    """R7.2b: 30 days after its last byte, less the hour that erasing may take."""
    spool.journal(1, DAMAGED["torn"], age=timedelta(days=30))
    spool.journal(2, DAMAGED["torn"], age=timedelta(days=30) - timedelta(minutes=59))
    later = spool.journal(3, DAMAGED["torn"], age=timedelta(days=30) - timedelta(minutes=61))
    assert await spool.office.reconcile() == {"journal": 1, "journal_erased": 2}
    assert spool.names == {later.name}


async def test_no_stray_outlives_its_limit_between_two_runs(spool: Spool) -> None:
    """R7.2b: whatever lead is set for recordings, which are looked at every five minutes."""
    directory = spool.office.directory
    settings = Settings(
        spool_dir=directory / "spool",
        vault_dir=directory / "vault",
        erasure_lead_minutes=10,
    )
    keeping = SimpleNamespace(vault=None, shredder=None, purge_log=None)
    reconciler = open_reconciler(settings, spool.office.engine, keeping)  # type: ignore[arg-type]
    every = {each.name: each.every for each in spool.office.work.jobs()}["reconcile"]
    assert reconciler._lead >= every


async def test_its_bytes_are_overwritten_before_its_name_goes(spool: Spool) -> None:
    """§ 7.2: seen through a second name of the same file."""
    path = spool.journal(1, DAMAGED["garbage"])
    seen = spool.office.directory / "seen"
    os.link(path, seen)
    await spool.office.reconcile()
    assert not path.exists()
    assert seen.read_bytes() == bytes(len(DAMAGED["garbage"]))


async def test_a_name_without_an_id_is_told_without_the_name_and_goes(spool: Spool) -> None:
    """Capture never looks at such names, so that nothing would ever seal it."""
    for name in ("Jan Nowak 600123456.journal", "600123456.raw"):
        path = spool.directory / name
        path.write_bytes(ENTERED)
        spool.office.age(path, NOON - timedelta(days=3))
    assert await spool.office.reconcile() == {"journal": 1, "spool": 1}
    assert len(spool.names) == 2
    for path in spool.directory.iterdir():
        spool.office.age(path, NOON - OVER)
    assert await spool.office.reconcile() == {"journal_erased": 1, "spool_erased": 1}
    assert not spool.names
    told = str(await spool.office.incidents()) + str(await trail(spool.office))
    assert "Nowak" not in told
    assert "600123456" not in told


async def test_what_is_of_no_kind_of_the_spool_stays(spool: Spool) -> None:
    for name in (".lock", "bypassed", "probe.sock", "notes.txt"):
        path = spool.directory / name
        path.write_bytes(b"x")
        spool.office.age(path, NOON - OVER)
    assert await spool.office.reconcile() == {}
    assert len(spool.names) == 4


async def test_a_time_ahead_of_the_clock_lengthens_nothing(spool: Spool) -> None:
    """A hand, or a clock that was wrong: the time in its id counts then."""
    ahead = timedelta(days=-400)
    spool.journal(1, DAMAGED["torn"], age=ahead, named=NOON - OVER)
    young = spool.journal(2, DAMAGED["torn"], age=ahead, named=NOON - timedelta(days=3))
    assert await spool.office.reconcile() == {"journal": 1, "journal_erased": 1}
    assert spool.names == {young.name}


async def test_what_nothing_tells_the_age_of_is_told_and_kept(spool: Spool) -> None:
    """Even the time that nobody can set is ahead: the clock itself is wrong, or was."""
    path = spool.journal(1, DAMAGED["torn"], age=timedelta(days=-400))
    assert datetime.fromtimestamp(path.stat().st_ctime, NOON.tzinfo) > NOON
    assert await spool.office.reconcile() == {"journal": 1}
    assert path.exists()


async def test_a_journal_that_can_be_read_is_left_to_capture_however_old(spool: Spool) -> None:
    path = spool.journal(1, ENTERED)
    torn_at_the_end = spool.journal(2, ENTERED + b'{"v":1,"kind":"call:en')
    assert await spool.office.reconcile() == {}
    assert spool.names == {path.name, torn_at_the_end.name}


async def test_a_journal_that_capture_writes_is_left_whatever_its_times_say(spool: Spool) -> None:
    """A live call whose journal is damaged: capture has it open."""
    path = spool.journal(1, DAMAGED["a hole in it"])
    journals = DiskJournals(spool.directory)
    call_id = CallId(UUID(path.stem))
    journals.append(call_id, {"v": 1, "kind": "key:pressed"}, durable=True)
    spool.office.age(path, NOON - OVER)
    assert await spool.office.reconcile() == {"journal": 1}
    assert path.exists()
    assert "cannot be erased" in str(await spool.office.incidents())
    journals.close(call_id)
    assert await spool.office.reconcile() == {"journal_erased": 1}


async def test_a_journal_written_a_moment_ago_is_nobodys_concern(spool: Spool) -> None:
    """A call that goes on may be just about to write its first line."""
    spool.journal(1, b"", age=timedelta(hours=1))
    assert await spool.office.reconcile() == {}
    assert await spool.office.incidents() == []


async def test_what_can_be_read_by_now_is_kept(spool: Spool) -> None:
    """The release that wrote it came back between the look and the erasing."""
    path = spool.journal(1, DAMAGED["torn"])
    strays = spool.office.reconciler._sweeper._strays
    (found,) = strays.found()
    with path.open("r+b") as journal:
        journal.write(ENTERED.replace(b"%b", path.stem.encode()))
    assert strays.erase(found) == "in_use"
    assert path.exists()
    path.unlink()
    assert strays.erase(found) == "gone"


async def test_another_file_under_the_same_name_is_kept(spool: Spool) -> None:
    path = spool.journal(1, DAMAGED["torn"])
    strays = spool.office.reconciler._sweeper._strays
    (found,) = strays.found()
    spool.journal(2, DAMAGED["torn"]).rename(path)
    assert strays.erase(found) == "in_use"
    assert path.exists()


@pytest.fixture
def stuck(spool: Spool) -> Iterator[Path]:
    path = spool.journal(1, DAMAGED["garbage"])
    made = subprocess.run(["chattr", "+i", str(path)], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("this file system knows no immutable files")
    yield path
    subprocess.run(["chattr", "-i", str(path)], check=True)


async def test_a_file_that_will_not_go_stops_no_other(spool: Spool, stuck: Path) -> None:
    """P8: told every day, and the vault is compared all the same."""
    audio = DiskSpool(spool.directory).audio_path(an_id(5, NOON - OVER))  # type: ignore[arg-type]
    audio.write_bytes(b"audio")
    spool.office.age(audio, NOON - OVER)
    spool.journal(2, DAMAGED["torn"])
    await spool.office.add(1)
    await spool.office.orphan(7, days_old=31)
    assert await spool.office.reconcile() == {
        "journal": 1,
        "journal_erased": 1,
        "spool_erased": 1,
        "orphan_erased": 1,
    }
    assert spool.names == {stuck.name}
    assert "cannot be erased" in str(await spool.office.incidents())


async def test_a_link_is_not_followed(spool: Spool) -> None:
    target = spool.office.directory / "kept"
    target.write_bytes(b"kept")
    link = spool.directory / f"{an_id(1, NOON - OVER)}.journal"
    link.symlink_to(target)
    os.utime(link, (0, 0), follow_symlinks=False)
    spool.journal(2, DAMAGED["torn"])
    assert await spool.office.reconcile() == {"journal": 1, "journal_erased": 1}
    assert target.read_bytes() == b"kept"


async def test_a_vault_that_is_away_does_not_keep_the_spool(spool: Spool) -> None:
    await spool.office.add(1)
    (spool.office.directory / "vault").rename(spool.office.directory / "away")
    (spool.office.directory / "vault").mkdir()
    spool.journal(1, DAMAGED["torn"])
    with pytest.raises(VaultUnavailable, match="mounted"):
        await spool.office.reconcile()
    assert not spool.names


async def test_a_spool_that_is_away_does_not_keep_the_vault(spool: Spool) -> None:
    await spool.office.add(1)
    await spool.office.orphan(7, days_old=31)
    spool.directory.rmdir()
    spool.directory.write_bytes(b"no folder")
    with pytest.raises(SpoolUnavailable):
        await spool.office.reconcile()
    assert await trail(spool.office)


@pytest.mark.parametrize("kept", [True, False])
async def test_by_a_clock_that_jumped_nothing_goes_before_a_person_looked(
    spool: Spool, *, kept: bool
) -> None:
    """F12: neither journals, nor files in the vault, nor keys of a sealing that goes on."""
    office = spool.office
    await office.add(1)
    await office.work.purge(lambda _: _nothing())
    spool.journal(1, DAMAGED["torn"], age=timedelta(days=2))
    orphan = await office.orphan(7, days_old=2)
    office.vault._keys.create(an_id(9, NOON))  # type: ignore[arg-type]
    office.clock.pass_by(timedelta(days=35).total_seconds())
    # The clock that never jumps says that a minute passed, or nobody vouches after a start.
    office.witness.instant = replace(
        office.witness.instant,
        at=office.clock.now(),
        boot_id="boot" if kept else "another",
        boot_s=office.witness.instant.boot_s + 60,
    )
    office.witness.kept = kept
    first = await office.reconcile()
    assert (first["journal"], first["orphan"]) == (1, 1)
    assert not {"journal_erased", "orphan_erased", "key_erased"} & set(first)
    assert len(spool.names) == 1
    assert orphan in office.files
    (on,) = await office.log.brakes()
    assert on.brake is Brake.CLOCK_JUMP
    await office.log.release(on.token, actor=OLGA, at=office.clock.now())
    second = await office.reconcile()
    assert (second["journal_erased"], second["orphan_erased"], second["key_erased"]) == (1, 1, 1)


async def test_what_capture_told_is_not_told_again(spool: Spool) -> None:
    """In the same words, so that the same file is one incident."""
    spool.journal(1, DAMAGED["of a newer release"], age=timedelta(days=2))
    inspector = Inspector(
        journals=DiskJournals(spool.directory),
        spool=DiskSpool(spool.directory),
        ledger=PostgresLedger(spool.office.engine),
        clock=spool.office.clock,
        fold=fold,
        in_hand=list,
    )
    await inspector.look()
    before = await spool.office.incidents()
    assert [kind for kind, _ in before] == ["journal_unreadable"]
    assert await spool.office.reconcile() == {"journal": 1}
    assert await spool.office.incidents() == before


async def test_nothing_held_is_in_the_spool(spool: Spool) -> None:
    """A hold is on a row: what has none cannot be held, and no row is touched."""
    held = await spool.office.add(1)
    spool.journal(1, DAMAGED["torn"])
    await spool.office.reconcile()
    table = tables.RecordingTable
    async with spool.office.engine.connect() as connection:
        assert await connection.scalar(select(table.id)) == held


async def _nothing() -> None:
    pass
