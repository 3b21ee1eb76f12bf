"""kill -9 while PostgreSQL's own tools are at work: of the backup or restore, or of the tool."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
import pytest

from recorder.adapters.backup_check import problems_of
from recorder.adapters.backup_places import Places
from recorder.adapters.backup_set import sets_in
from recorder.adapters.master_key import MasterKey
from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.restoring import processes_at
from recorder.adapters.restore_marker import read_marker
from recorder.adapters.vault import open_vault
from recorder.custody.rules import folder_of
from recorder.errors import ConfigurationError
from tests.builders import NOON
from tests.keys import SECRET
from tests.postgres.backing_up import LATER
from tests.postgres.test_search import MANY_CALLS
from tests.restoring import Installation, opened_set, places_in, quiet

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)
VICTIMS = ["us", "the tool"]
SOME_OF_IT = 1 << 20


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Installation:
    """An office with so many calls that dumping and restoring them takes a while."""
    office = Installation(database_url, tmp_path / "office")
    office.open()
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(MANY_CALLS.replace("i::text", "'m' || i"))
    office.seal(1, age=DAY)
    return office


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path / "backup")


@contextmanager
def at_work(act: str, *arguments: object) -> Iterator[psutil.Popen]:
    process = psutil.Popen(
        [sys.executable, "-m", "tests.postgres.backing_up", act, *map(str, arguments)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=20)


def wait_until(true: Callable[[], bool], process: psutil.Popen | None = None) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        assert process is None or process.poll() is None, "it was over too soon"
        time.sleep(0.001)


def kill(victim: str, process: psutil.Popen, tool: str) -> None:
    """End one of the two at once, and see both end."""
    (child,) = [each for each in process.children() if each.name() == tool]
    (process if victim == "us" else child).kill()
    assert process.wait(timeout=20) != 0
    # Its other end is gone: it has nobody to write to or to read from.
    psutil.wait_procs([child], timeout=20)
    assert not child.is_running()


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_backup_that_dies_during_pg_dump_is_no_backup(
    office: Installation, places: Places, tmp_path: Path, victim: str
) -> None:
    """RG.17, F16."""

    def dumped() -> int:
        return sum(each.stat().st_size for each in places.sets.glob("*.unfinished/database.dump"))

    with at_work("back_up", office.url, office.directory, tmp_path / "backup") as process:
        wait_until(lambda: dumped() > SOME_OF_IT, process)
        kill(victim, process, "pg_dump")
    assert not list(sets_in(places.sets))
    folder, _ = office.back_up(places)
    assert list(sets_in(places.sets)) == [folder]
    assert {each.name for each in places.sets.iterdir() if each.is_dir()} == {folder.name}
    backup, vault = opened_set(folder, places), places.vault / folder.name
    assert not problems_of(backup, vault=vault, master=MasterKey(SECRET), progress=quiet)


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_restore_that_dies_during_pg_restore_leaves_nothing_of_it_and_nothing_opens(
    office: Installation, places: Places, tmp_path: Path, empty_url: str, victim: str
) -> None:
    """RG.17, F16: one transaction, so that no row of it is there."""
    held = office.seal(2, age=20 * DAY)
    office.hold(held)
    folder, _ = office.back_up(places)
    elsewhere = Installation(empty_url, tmp_path / "elsewhere")

    def copying() -> bool:
        query = "SELECT FROM pg_stat_progress_copy WHERE datname = current_database()"
        return watching.execute(query).fetchone() is not None

    with (
        psycopg.connect(empty_url.replace("+psycopg", ""), autocommit=True) as watching,
        at_work("restore", empty_url, elsewhere.directory, tmp_path / "backup", folder) as process,
    ):
        wait_until(copying, process)
        kill(victim, process, "pg_restore")
    wait_until(lambda: not processes_at(empty_url))
    assert migrate.current(empty_url) is None
    with pytest.raises(ConfigurationError, match="restore"):
        open_vault(elsewhere.settings)
    elsewhere.clock.at += LATER
    elsewhere.bring_back(opened_set(folder, places))
    elsewhere.end()
    assert read_marker(elsewhere.keys) is None
    folders = {held: folder_of(NOON - 20 * DAY)}
    assert elsewhere.playable([held], folders) == {held}
