"""What breaks: the announcement, Asterisk itself, the spool's disk. The caller gets through."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

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
    row_of,
    rows,
    wait_until,
)

pytestmark = pytest.mark.asterisk
SPOOL_BYTES = 80 << 20


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office whose spool is a small disk of its own, seen alike by Asterisk and capture."""
    office = Office(
        tmp_path_factory.mktemp("office"), cache=CACHE, regulation=REGULATION, report=print
    )
    office.spool.mkdir(parents=True)
    disk = ["mount", "-t", "tmpfs", "-o", f"size={SPOOL_BYTES},mode=2770", "tmpfs"]
    subprocess.run([*disk, str(office.spool)], check=True)
    try:
        office.open()
        add_announcement(office)
        office.start_capture()
        with sipp.desk(office.directory / "desk", port=office.asterisk.desk_port):
            yield office
    finally:
        office.close()
        subprocess.run(["umount", "-l", str(office.spool)], check=True)


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
        office.kill_capture()
        office.start_capture()
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


def test_a_disk_that_fills_during_a_call_is_noticed(office: Office) -> None:
    """F9: what was written is kept and marked incomplete."""
    number, placed = begin(office, talk_s=14.0)
    filler = office.spool / "filler"
    with placed:
        wait_until(
            lambda: any(each.stat().st_size > 60_000 for each in office.spool.glob("*.raw")), 20
        )
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(bytes(SPOOL_BYTES))
        time.sleep(6)
        filler.unlink()
        assert placed.wait(timeout_s=30) == 0
    row = row_of(office, number)
    assert row["outcome"] == "recorded"
    assert row["incomplete"]
    kinds = rows(office, "SELECT kind FROM incident WHERE call_id = %s", row["id"])
    assert {"kind": "audio_gap"} in kinds
    assert len(audio_of(office, row)) > 8000


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
