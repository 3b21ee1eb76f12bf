"""Death before each step of backing up and restoring; the next run ends the same."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest

from recorder.adapters import restorer
from recorder.adapters.backup_check import dump_of, problems_of
from recorder.adapters.backup_places import Places
from recorder.adapters.backup_set import Opened, sets_in
from recorder.adapters.master_key import MasterKey
from recorder.adapters.postgres import migrate
from recorder.adapters.restore_marker import read_marker
from recorder.adapters.vault import open_vault
from recorder.custody.rules import folder_of
from recorder.embedded.postgres import EmbeddedPostgres
from recorder.errors import BackupUnavailable, ConfigurationError, RuleViolation
from recorder.model import RecordingId
from tests.builders import NOON
from tests.crashes import Stage
from tests.keys import SECRET
from tests.postgres.backing_up import LATER
from tests.postgres.conftest import create, url_of
from tests.restoring import Installation, opened_set, places_in, quiet

pytestmark = pytest.mark.postgres
DAY = timedelta(days=1)
_names = count(1)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage("tests.postgres.backing_up") as stage:
        yield stage


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Installation:
    office = Installation(database_url, tmp_path / "office")
    office.open()
    return office


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path / "backup")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
def test_a_backup_that_dies_before_any_step_is_whole_or_unfinished(
    office: Installation, places: Places, tmp_path: Path, stage: Stage, power_cut: bool
) -> None:
    """F16, F17. And the next one leaves nothing of it behind, keys least of all."""
    ids = {office.seal(number, age=DAY) for number in (1, 2)}
    arguments = (office.url, str(office.directory), str(tmp_path / "backup"))
    steps: list[str] = []
    for run in stage.every_crash(lambda: ("back_up", arguments), power_cut=power_cut):
        steps = [*run.steps]
        for folder in list(sets_in(places.sets)) if places.sets.exists() else []:
            backup = opened_set(folder, places)
            vault = places.vault / folder.name
            assert {each.id for each in backup.manifest.recordings} == ids, run
            problems = problems_of(backup, vault=vault, master=MasterKey(SECRET), progress=quiet)
            assert not problems, run
    assert {"start pg_dump", "wait for pg_dump"} <= set(steps)
    office.clock.at += timedelta(seconds=5)
    office.back_up(places)
    whole = {each.name for each in sets_in(places.sets)}
    assert {each.name for each in places.sets.iterdir() if each.is_dir()} == whole
    assert {each.name for each in places.vault.iterdir()} == whole
    assert {each.name.partition(".")[0] for each in places.keys.iterdir()} == whole


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
def test_a_restore_that_dies_before_any_step_is_done_by_the_next(
    office: Installation,
    places: Places,
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    stage: Stage,
    power_cut: bool,
) -> None:
    """RG.17, F16, F17: until then nothing opens, and what is due is never to be heard."""
    due, held = office.seal(1, age=DAY), office.seal(2, age=20 * DAY)
    office.hold(held)
    folder, _ = office.back_up(places)
    folders = {due: folder_of(NOON - DAY), held: folder_of(NOON - 20 * DAY)}
    offices: list[Installation] = []

    def prepare() -> tuple[str, Sequence[str]]:
        name = f"restored_{next(_names)}"
        create(postgres, name)
        offices.append(Installation(url_of(postgres, name), tmp_path / name))
        return "restore", (
            *(offices[-1].url, str(offices[-1].directory)),
            *(str(tmp_path / "backup"), str(folder)),
        )

    steps: list[str] = []
    for run in stage.every_crash(prepare, power_cut=power_cut):
        office, steps = offices[-1], [*run.steps]
        office.clock.at += LATER
        if run.died_at is not None:
            require_shut(office, due, folders)
            finish(office, opened_set(folder, places))
        assert read_marker(office.keys) is None
        open_vault(office.settings)
        assert office.playable([due, held], folders) == {held}, run
        assert recordings_in(office.url) == {held}
    assert {"start pg_restore", "wait for pg_restore"} <= set(steps)


def finish(office: Installation, backup: Opened) -> None:
    """Do what the person does who finds a restore broken off: say it again."""
    marker = read_marker(office.keys) if office.keys.exists() else None
    over = marker is None and recordings_in(office.url)
    if over:
        return
    if marker is None or not marker.is_back:
        wait_for_orphans(office.url)
        office.bring_back(backup)
        with pytest.raises(ConfigurationError, match="restore"):
            open_vault(office.settings)
    office.end()


def wait_for_orphans(url: str) -> None:
    """Let a pg_restore end whose restore was killed: the next one refuses to work beside it."""
    give_up = time.monotonic() + 30
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        while connection.execute(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'pg_restore'"
        ).fetchone():
            assert time.monotonic() < give_up, "pg_restore goes on without its restore"
            time.sleep(0.05)


def recordings_in(url: str) -> set[RecordingId]:
    """Return which recordings the database has; none while it has no such table."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT to_regclass('public.recording')").fetchone()
        if found == (None,):
            return set()
        return {RecordingId(each) for (each,) in connection.execute("SELECT id FROM recording")}


def test_a_dump_that_breaks_off_leaves_no_half_database(
    office: Installation,
    places: Places,
    tmp_path: Path,
    empty_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office.seal(1, age=DAY)
    folder, _ = office.back_up(places)
    elsewhere = Installation(empty_url, tmp_path / "elsewhere")

    def breaks_off(backup: Opened) -> Iterator[bytes]:
        yield b"".join(dump_of(backup))[:-2000]
        raise BackupUnavailable("the medium was pulled out")

    with monkeypatch.context() as patched:
        patched.setattr(restorer, "dump_of", breaks_off)
        with pytest.raises(BackupUnavailable, match="pulled out"):
            elsewhere.bring_back(opened_set(folder, places))
    assert migrate.current(empty_url) is None
    with pytest.raises(ConfigurationError, match="restore"):
        open_vault(elsewhere.settings)
    elsewhere.bring_back(opened_set(folder, places))
    elsewhere.end()


def require_shut(office: Installation, due: RecordingId, folders: dict[RecordingId, str]) -> None:
    """A restore broken off lets no process start while anything due is there, row or audio."""
    if office.keys.exists() and read_marker(office.keys) is not None:
        with pytest.raises(ConfigurationError, match="restore"):
            open_vault(office.settings)
        return
    # It died before it began, or after its last step.
    assert due not in recordings_in(office.url)
    if (office.keys / "master.check").exists():
        assert not office.playable([due], folders)


def test_the_restore_of_another_backup_is_not_gone_on_with(
    office: Installation, places: Places, tmp_path: Path, empty_url: str
) -> None:
    office.seal(1, age=DAY)
    one, _ = office.back_up(places)
    office.clock.at += DAY
    two, _ = office.back_up(places)
    elsewhere = Installation(empty_url, tmp_path / "elsewhere")
    elsewhere.clock.at = office.clock.at
    elsewhere.bring_back(opened_set(one, places))
    with pytest.raises(RuleViolation, match="another backup"):
        elsewhere.bring_back(opened_set(two, places))
    elsewhere.bring_back(opened_set(two, places), replace=True)
    elsewhere.end()
