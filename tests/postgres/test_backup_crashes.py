"""kill -9 before file operations of backing up and restoring; the next run ends the same."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

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
from tests.crashing import crashes
from tests.keys import SECRET
from tests.postgres.conftest import create, url_of
from tests.restoring import Installation, opened_set, places_in, quiet

pytestmark = pytest.mark.postgres
DAY = timedelta(days=1)
BACK_UP = """
from datetime import datetime
from pathlib import Path
from tests.restoring import Installation, places_in
office = Installation(sys.argv[1], Path(sys.argv[2]))
places = places_in(Path(sys.argv[3]))
from_now_on()
office.back_up(places)
"""
RESTORE = """
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tests.restoring import Installation, opened_set, places_in
office = Installation(sys.argv[1], Path(sys.argv[2]))
office.clock.at += timedelta(days=25)
places = places_in(Path(sys.argv[3]))
backup = opened_set(Path(sys.argv[4]), places)
from_now_on()
office.bring_back(backup)
office.end()
"""
# Not each step: every run starts a Python and PostgreSQL's tools. The last is never reached.
STEPS_OF_BACKUP = (8, 18, 54, 72, 97, 99, 110, 119, 10_000)
STEPS_OF_RESTORE = (24, 33, 44, 84, 116, 148, 150, 156, 168, 178, 10_000)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Installation:
    office = Installation(database_url, tmp_path / "office")
    office.open()
    return office


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path / "backup")


@pytest.mark.timeout(600)
def test_a_backup_killed_before_any_step_is_whole_or_unfinished(
    office: Installation, places: Places, tmp_path: Path
) -> None:
    """And the next one leaves nothing of it behind, keys least of all."""
    ids = [office.seal(number, age=DAY) for number in (1, 2)]
    killed = 0
    for step in STEPS_OF_BACKUP:
        died = crashes(BACK_UP, step, office.url, office.directory, tmp_path / "backup")
        killed += died
        for folder in list(sets_in(places.sets)) if places.sets.exists() else []:
            backup = opened_set(folder, places)
            vault = places.vault / folder.name
            assert {each.id for each in backup.manifest.recordings} == set(ids)
            assert not problems_of(backup, vault=vault, master=MasterKey(SECRET), progress=quiet)
    assert killed == len(STEPS_OF_BACKUP) - 1
    office.clock.at += timedelta(seconds=5)
    office.back_up(places)
    whole = {each.name for each in sets_in(places.sets)}
    assert {each.name for each in places.sets.iterdir() if each.is_dir()} == whole
    assert {each.name for each in places.vault.iterdir()} == whole
    assert {each.name.partition(".")[0] for each in places.keys.iterdir()} == whole


@pytest.mark.timeout(600)
def test_a_restore_killed_before_any_step_is_done_by_the_next(
    office: Installation, places: Places, tmp_path: Path, postgres: EmbeddedPostgres
) -> None:
    """RG.17: until then nothing opens, and what is due is never to be heard."""
    ages = {1: 1 * DAY, 2: 20 * DAY}
    due, held = (office.seal(number, age=age) for number, age in ages.items())
    office.hold(held)
    folder, _ = office.back_up(places)
    folders = {due: folder_of(NOON - DAY), held: folder_of(NOON - 20 * DAY)}
    killed = 0
    for step in STEPS_OF_RESTORE:
        name = f"restored_{step}"
        create(postgres, name)
        office = Installation(url_of(postgres, name), tmp_path / f"restored_{step}")
        died = crashes(RESTORE, step, office.url, office.directory, tmp_path / "backup", folder)
        killed += died
        office.clock.at += 25 * DAY
        if died:
            require_shut(office, [due, held], folders)
            marker = read_marker(office.keys)
            if marker is None or not marker.is_back:
                office.bring_back(opened_set(folder, places))
                with pytest.raises(ConfigurationError, match="restore"):
                    open_vault(office.settings)
            office.end()
        assert read_marker(office.keys) is None
        open_vault(office.settings)
        assert office.playable([due, held], folders) == {held}
    assert killed == len(STEPS_OF_RESTORE) - 1


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


def require_shut(
    office: Installation, ids: list[RecordingId], folders: dict[RecordingId, str]
) -> None:
    """A half restore lets no process start, unless it had not begun or was done."""
    if not office.keys.exists() or not (office.keys / "master.check").exists():
        return
    if read_marker(office.keys) is None:
        # Killed after its last step.
        assert len(office.playable(ids, folders)) == 1
        with pytest.raises(AssertionError):
            office.end()
        return
    with pytest.raises(ConfigurationError, match="restore"):
        open_vault(office.settings)


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
