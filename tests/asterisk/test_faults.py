"""What breaks: the announcement, Asterisk itself, each of the disks. The caller gets through."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from recorder.embedded import sipp
from recorder.embedded.office import Office
from tests.asterisk.conftest import CACHE, REGULATION, add_announcement
from tests.asterisk.inotify import watching
from tests.asterisk.observed import (
    assert_sides_are_right,
    audio_of,
    begin,
    place,
    restart_capture,
    row_of,
    rows,
    wait_until,
)

pytestmark = pytest.mark.asterisk
MIB = {"asterisk/spool/rejestrator": 80, "vault": 8, "postgres": 256, "logs": 1}
"""The disks of this office, each on its own, seen alike by Asterisk and capture."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    directory = tmp_path_factory.mktemp("office")
    log = directory / "logs/capture.log"
    settings = {"RECORDER_LOG_FILE": str(log)}
    office = Office(directory, cache=CACHE, regulation=REGULATION, report=print, settings=settings)
    with ExitStack() as disks:
        for name, mib in MIB.items():
            disks.enter_context(disk(directory / name, mib))
        try:
            office.open()
            add_announcement(office)
            office.start_capture()
            with sipp.desk(office.directory / "desk", port=office.asterisk.desk_port):
                yield office
        finally:
            office.close()


@contextmanager
def disk(at: Path, mib: int) -> Iterator[None]:
    at.mkdir(parents=True)
    mode = "mode=2770" if at.name == "rejestrator" else "mode=0755"
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,{mode}", "tmpfs", str(at)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@contextmanager
def full(at: Path) -> Iterator[None]:
    """Fill a disk to its last byte, and keep it full whatever is taken away meanwhile."""
    filler, over = at / "filler", threading.Event()
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(bytes(max(MIB.values()) << 20))

    def top_up() -> None:
        with filler.open("ab", buffering=0) as file:
            while not over.wait(0.01):
                with suppress(OSError):
                    while not over.is_set():
                        file.write(bytes(4096))

    keeping = threading.Thread(target=top_up)
    keeping.start()
    try:
        yield
    finally:
        over.set()
        keeping.join()
        filler.unlink()


@contextmanager
def read_only(office: Office) -> Iterator[None]:
    """Put a read-only disk over the spool, where capture sees it and where Asterisk does."""
    sees: tuple[list[str], ...] = ([], ["nsenter", "-t", str(office.asterisk.pid), "-m"])
    for inside in sees:
        mount = [*inside, "mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(office.spool)]
        subprocess.run(mount, check=True)
    try:
        yield
    finally:
        for inside in sees:
            subprocess.run([*inside, "umount", str(office.spool)], check=True)


def test_a_deleted_announcement_costs_the_recording_not_the_call(office: Office) -> None:
    """R8.2b, R8.2e, F21."""
    sounds = list(office.announcements.glob("*/sound.*"))
    assert sounds
    kept = {each: each.read_bytes() for each in sounds}
    for each in sounds:
        each.unlink()
    try:
        with watching(office.spool) as watched:
            row = row_of(office, place(office, talk_s=3.0))
        restart_capture(office)
        at_start = "SELECT 1 FROM incident WHERE call_id IS NULL AND kind = 'announcement_missing'"
        wait_until(lambda: bool(rows(office, at_start)), 10)
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "announcement_missing")
    assert watched.audio_that_came() == set()
    assert row["answered_by"] == "desk"
    assert rows(office, "SELECT 1 FROM incident WHERE call_id = %s", row["id"])


def test_too_little_space_refuses_the_recording_not_the_call(office: Office) -> None:
    """R7.2j, F9."""
    filler = office.spool / "filler"
    filler.write_bytes(bytes(40 << 20))
    try:
        row = row_of(office, place(office, talk_s=3.0))
    finally:
        filler.unlink()
    assert (row["outcome"], row["reason"]) == ("not_recorded", "disk_low")
    assert row["answered_by"] == "desk"


def test_a_spool_that_is_full_from_the_start_keeps_nobody_from_the_desk(office: Office) -> None:
    """F9: and recording is back without another start."""
    with full(office.spool):
        restart_capture(office)
        row = row_of(office, place(office, talk_s=3.0))
    assert (row["outcome"], row["reason"]) == ("not_recorded", "disk_low")
    assert row["answered_by"] == "desk"
    assert row_of(office, place(office, talk_s=5.0))["outcome"] == "recorded"


def test_a_disk_that_fills_during_a_call_is_noticed(office: Office) -> None:
    """F9: what was written is kept and marked incomplete."""
    number, placed = begin(office, talk_s=14.0)
    with placed:
        wait_until(
            lambda: any(each.stat().st_size > 60_000 for each in office.spool.glob("*.raw")), 20
        )
        with full(office.spool):
            time.sleep(6)
        assert placed.wait(timeout_s=30) == 0
    row = row_of(office, number)
    assert row["outcome"] == "recorded"
    assert row["incomplete"]
    kinds = rows(office, "SELECT kind FROM incident WHERE call_id = %s", row["id"])
    assert {"kind": "audio_gap"} in kinds
    assert len(audio_of(office, row)) > 8000


def assert_recorded(office: Office, number: str) -> None:
    row = row_of(office, number, within_s=60)
    assert (row["outcome"], row["incomplete"]) == ("recorded", False)
    assert_sides_are_right(audio_of(office, row))


def test_a_full_vault_makes_sealing_wait_and_loses_nothing(office: Office) -> None:
    """F9: calls go on; the audio waits in the spool."""
    with full(office.vault):
        first, second = place(office, talk_s=5.0), place(office, talk_s=5.0)
        assert len(list(office.spool.glob("*.raw"))) == 2
    for number in (first, second):
        assert_recorded(office, number)


def test_a_full_disk_of_the_database_makes_sealing_wait_and_loses_nothing(office: Office) -> None:
    """F9: the audio is in the vault by then; its row follows."""
    # Before any audio the announcement is registered, once: that too wants a page.
    assert_recorded(office, place(office, talk_s=5.0))
    kept = len(list(office.vault.rglob("*.rec")))
    # One connection for all of it: to begin one the server may have to write a file.
    with psycopg.connect(office.postgres.plain_url, autocommit=True) as connection:
        # Every row wants a page of its own, which the disk does not have.
        connection.execute("ALTER TABLE call SET (fillfactor = 10, autovacuum_enabled = off)")
        with full(office.directory / "postgres"):
            first = place(office, talk_s=5.0)
            wait_until(lambda: len(list(office.vault.rglob("*.rec"))) == kept + 1, 20)
            second = place(office, talk_s=5.0)
            found = connection.execute("SELECT FROM call WHERE caller_number = %s", [first])
            assert found.fetchall() == []
            assert len(list(office.spool.glob("*.journal"))) == 2
    for number in (first, second):
        assert_recorded(office, number)


def test_a_full_disk_of_logs_costs_lines_and_nothing_else(office: Office) -> None:
    """F9: recorded and sealed meanwhile; logged again once there is space."""
    logs = office.directory / "logs"
    with full(logs):
        assert_recorded(office, place(office, talk_s=5.0))
    size = (logs / "capture.log").stat().st_size
    assert_recorded(office, place(office, talk_s=5.0))
    assert (logs / "capture.log").stat().st_size > size


def test_a_read_only_spool_refuses_the_recording_not_the_call(office: Office) -> None:
    """F10: the call has its row even though its journal could not be written."""
    with read_only(office):
        number = place(office, talk_s=3.0)
    row = row_of(office, number, within_s=60)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "spool_unavailable")
    assert row["answered_by"] == "desk"


def test_the_death_of_asterisk_loses_at_most_the_last_second(office: Office) -> None:
    """F4, RG.5: marked truncated, and it plays."""
    number, placed = begin(office, talk_s=60.0)
    with placed:
        wait_until(lambda: any(each.stat().st_size for each in office.spool.glob("*.raw")), 20)
        time.sleep(4)
        office.asterisk.kill()
    office.asterisk.start()
    row = row_of(office, number, within_s=60)
    assert row["outcome"] == "recorded"
    assert row["pbx_lost"]
    assert row["truncated"]
    samples = audio_of(office, row)
    assert_sides_are_right(samples)
    assert row["bridged_seconds"] - len(samples) / 8000 <= 1.1
    assert row["frames"] == len(samples)
    wait_until(office.takes_calls, 15)
    after = row_of(office, place(office, talk_s=5.0))
    assert after["outcome"] == "recorded"
