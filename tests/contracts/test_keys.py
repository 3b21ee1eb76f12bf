"""Keys of recordings: durable before audio, gone when destroyed, rotated without audio (RG.4)."""

import os
import stat
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from recorder.adapters.key_rotation import keys_under_another, rotate
from recorder.adapters.keys import DiskKeys, prepare
from recorder.adapters.master_key import (
    MasterKey,
    load_master_key,
    make_master_key,
    parse_master_key,
    read_master_key,
)
from recorder.errors import ConfigurationError, KeyUnavailable, RecordingDamaged, RuleViolation
from recorder.model import RecordingId
from tests.builders import RECORDING
from tests.crashes import Stage
from tests.keys import MASTER_KEY_TEXT, OTHER_SECRET, SECRET, some_keys

OTHER = RecordingId(UUID(int=9))
OLD, NEW = MasterKey(SECRET), MasterKey(OTHER_SECRET)


def bytes_under(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(folder.iterdir()))


def silent(done: int, total: int) -> None:
    pass


def test_a_key_is_kept_until_it_is_destroyed(tmp_path: Path) -> None:
    keys = some_keys(tmp_path)
    assert keys.get(RECORDING) is None
    key = keys.create(RECORDING)
    assert len(key) == 32
    assert keys.get(RECORDING) == key
    assert keys.holds(RECORDING)
    assert list(keys.present()) == [RECORDING]
    for _ in range(2):
        keys.destroy(RECORDING)
        assert keys.get(RECORDING) is None
        assert not keys.holds(RECORDING)
    assert list(keys.present()) == []


def test_a_key_made_again_is_another_and_only_the_last_is_kept(tmp_path: Path) -> None:
    keys = some_keys(tmp_path)
    first = keys.create(RECORDING)
    second = keys.create(RECORDING)
    assert first != second == keys.get(RECORDING)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        ".lock",
        f"{RECORDING}.key",
        "master.check",
    ]


def test_a_destroyed_key_is_overwritten_before_its_name_goes(tmp_path: Path) -> None:
    """§ 7.2: what a second name still shows is no key any more."""
    keys = some_keys(tmp_path)
    keys.create(RECORDING)
    file, kept = tmp_path / f"{RECORDING}.key", tmp_path / "kept"
    before = file.read_bytes()
    kept.hardlink_to(file)
    keys.destroy(RECORDING)
    assert not file.exists()
    assert len(kept.read_bytes()) == len(before)
    assert kept.read_bytes()[8:] != before[8:]
    with pytest.raises(RecordingDamaged):
        OLD.unwrap(kept.read_bytes(), RECORDING)


@pytest.mark.parametrize("leftover", [".key", ".part", ".old"])
def test_whatever_a_crash_left_of_a_key_is_seen_and_destroyed(
    tmp_path: Path, leftover: str
) -> None:
    """F16."""
    keys = some_keys(tmp_path)
    (tmp_path / f"{RECORDING}{leftover}").write_bytes(OLD.wrap(SECRET, RECORDING))
    assert keys.holds(RECORDING)
    assert list(keys.present()) == [RECORDING]
    keys.destroy(RECORDING)
    assert not keys.holds(RECORDING)


def test_key_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys = some_keys(tmp_path / "keys")
        keys.create(RECORDING)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "keys").iterdir()} == {0o600}


@pytest.mark.parametrize("at", range(84))
def test_a_key_file_damaged_at_any_byte_gives_no_key(tmp_path: Path, at: int) -> None:
    keys = some_keys(tmp_path)
    keys.create(RECORDING)
    file = tmp_path / f"{RECORDING}.key"
    damaged = bytearray(file.read_bytes())
    damaged[at] ^= 0x40
    file.write_bytes(damaged)
    # A changed id of the master key reads as one of another master key.
    with pytest.raises(KeyUnavailable if 8 <= at < 24 else RecordingDamaged):
        keys.get(RECORDING)


@pytest.mark.parametrize("size", [0, 1, 83, 85])
def test_a_key_file_of_another_length_gives_no_key(tmp_path: Path, size: int) -> None:
    keys = some_keys(tmp_path)
    (tmp_path / f"{RECORDING}.key").write_bytes(OLD.wrap(SECRET, RECORDING).ljust(85)[:size])
    with pytest.raises(RecordingDamaged):
        keys.get(RECORDING)


def test_a_key_under_anothers_name_gives_no_key(tmp_path: Path) -> None:
    keys = some_keys(tmp_path)
    keys.create(RECORDING)
    (tmp_path / f"{RECORDING}.key").rename(tmp_path / f"{OTHER}.key")
    with pytest.raises(RecordingDamaged):
        keys.get(OTHER)


def test_no_link_is_followed_to_a_key(tmp_path: Path) -> None:
    """A15."""
    keys = some_keys(tmp_path / "keys")
    outside = tmp_path / "outside"
    content = OLD.wrap(SECRET, RECORDING)
    outside.write_bytes(content)
    (tmp_path / "keys" / f"{RECORDING}.key").symlink_to(outside)
    with pytest.raises(KeyUnavailable):
        keys.get(RECORDING)
    with pytest.raises(KeyUnavailable):
        keys.destroy(RECORDING)
    assert outside.read_bytes() == content


# The master key.


def test_the_right_master_key_passes_and_a_wrong_one_is_refused_at_start(tmp_path: Path) -> None:
    some_keys(tmp_path).check()
    with pytest.raises(ConfigurationError, match="not the one"):
        DiskKeys(tmp_path, NEW).check()


def test_a_key_volume_that_is_not_mounted_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="mounted"):
        DiskKeys(tmp_path, OLD).check()
    with pytest.raises(KeyUnavailable, match="RECORDER_KEY_DIR"):
        DiskKeys(tmp_path / "missing", OLD).check()


def test_a_check_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    some_keys(tmp_path)
    (tmp_path / "master.check").write_bytes(OLD.wrap(b"x" * 32, UUID(int=0)))
    with pytest.raises(ConfigurationError, match="damaged"):
        DiskKeys(tmp_path, OLD).check()


def test_a_key_directory_is_bound_to_a_master_key_once(tmp_path: Path) -> None:
    some_keys(tmp_path)
    with pytest.raises(RuleViolation, match="rotate"):
        prepare(tmp_path, NEW)
    some_keys(tmp_path).create(RECORDING)
    (tmp_path / "master.check").unlink()
    with pytest.raises(RuleViolation, match="backup"):
        prepare(tmp_path, NEW)


@pytest.mark.parametrize(
    "text",
    [MASTER_KEY_TEXT, f"  {MASTER_KEY_TEXT}\n", SECRET.hex(), SECRET.hex().upper()],
)
def test_a_master_key_is_32_bytes_in_base64_or_hex(text: str) -> None:
    assert parse_master_key(text).id == OLD.id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        MASTER_KEY_TEXT[:-4],
        SECRET.hex()[:-2],
        "ż" * 44,
        "eA==",
    ],
)
def test_anything_else_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_master_key(text)
    assert not text or text not in str(caught.value)


def test_a_master_key_comes_from_one_place(tmp_path: Path) -> None:
    file = tmp_path / "master"
    file.write_text(MASTER_KEY_TEXT)
    assert load_master_key(file=file, text="").id == OLD.id
    assert load_master_key(file=None, text=MASTER_KEY_TEXT).id == OLD.id
    with pytest.raises(ConfigurationError, match="not both"):
        load_master_key(file=file, text=MASTER_KEY_TEXT)
    with pytest.raises(ConfigurationError, match="keys init"):
        load_master_key(file=None, text="")
    with pytest.raises(ConfigurationError, match="keys init"):
        load_master_key(file=tmp_path / "missing", text="")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="32 bytes"):
        load_master_key(file=file, text="")


def test_a_new_master_key_is_for_its_owner_alone_and_never_overwrites(tmp_path: Path) -> None:
    file = tmp_path / "master"
    made = make_master_key(file)
    assert read_master_key(file).id == made.id
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(RuleViolation, match="overwritten"):
        make_master_key(file)
    assert file.read_bytes() == before
    assert make_master_key(tmp_path / "second").id != made.id


# Rotation.


def test_after_a_rotation_the_new_master_key_opens_everything_and_the_old_nothing(
    tmp_path: Path,
) -> None:
    keys = some_keys(tmp_path)
    kept = {RecordingId(UUID(int=number)): b"" for number in range(1, 21)}
    for each in kept:
        kept[each] = keys.create(each)
    heard: list[tuple[int, int]] = []
    done = rotate(tmp_path, old=OLD, new=NEW, progress=lambda *said: heard.append(said))
    assert (done.wrapped, done.already, done.damaged) == (20, 0, ())
    assert heard[0] == (0, 20)
    assert heard[-1] == (20, 20)
    after = DiskKeys(tmp_path, NEW)
    after.check()
    assert {each: after.get(each) for each in after.present()} == kept
    with pytest.raises(ConfigurationError):
        keys.check()
    with pytest.raises(KeyUnavailable):
        keys.get(RECORDING)
    assert OLD.id not in bytes_under(tmp_path)
    again = rotate(tmp_path, old=OLD, new=NEW, progress=silent)
    assert (again.wrapped, again.already) == (0, 20)


def test_a_process_with_the_old_master_key_writes_no_key_once_a_rotation_began(
    tmp_path: Path,
) -> None:
    """Its recordings wait in the spool until it is started with the new one."""
    keys = some_keys(tmp_path)
    rotate(tmp_path, old=OLD, new=NEW, progress=silent)
    with pytest.raises(KeyUnavailable, match="new one"):
        keys.create(RECORDING)
    assert not keys.holds(RECORDING)


def test_a_third_master_key_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    some_keys(tmp_path).create(RECORDING)
    before = bytes_under(tmp_path)
    third = MasterKey(bytes(32))
    with pytest.raises(ConfigurationError, match="neither"):
        rotate(tmp_path, old=third, new=NEW, progress=silent)
    with pytest.raises(RuleViolation):
        rotate(tmp_path, old=OLD, new=OLD, progress=silent)
    assert bytes_under(tmp_path) == before


def test_one_damaged_key_does_not_stop_a_rotation(tmp_path: Path) -> None:
    keys = some_keys(tmp_path)
    keys.create(RECORDING)
    key = keys.create(OTHER)
    (tmp_path / f"{RECORDING}.key").write_bytes(b"x")
    done = rotate(tmp_path, old=OLD, new=NEW, progress=silent)
    assert done.damaged == (RECORDING,)
    assert DiskKeys(tmp_path, NEW).get(OTHER) == key


def test_a_key_destroyed_while_keys_are_rotated_does_not_come_back(tmp_path: Path) -> None:
    keys = some_keys(tmp_path)
    every = [RecordingId(UUID(int=number)) for number in range(1, 301)]
    for each in every:
        keys.create(each)
    started = threading.Event()

    def erase() -> None:
        started.wait(10)
        for each in every:
            keys.destroy(each)

    eraser = threading.Thread(target=erase)
    eraser.start()
    rotate(tmp_path, old=OLD, new=NEW, progress=lambda done, _: started.set() if done else None)
    eraser.join()
    assert list(keys.present()) == []


def rotate_all(directory: str) -> None:
    """An act of ``tests/crashes.py``, as are the two below."""
    rotate(Path(directory), old=OLD, new=NEW, progress=silent)


def create(directory: str) -> None:
    DiskKeys(Path(directory), OLD).create(RECORDING)


def destroy(directory: str) -> None:
    DiskKeys(Path(directory), OLD).destroy(RECORDING)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(__name__) as stage:
        yield stage


def test_a_rotation_killed_before_any_step_is_finished_by_the_next(
    tmp_path: Path, stage: Stage
) -> None:
    """F16: a real process, killed before its Nth file operation, N = 1, 2, 3 …"""
    places = (tmp_path / str(number) for number in count(1))
    kept: dict[RecordingId, bytes] = {}

    def prepare() -> tuple[str, tuple[str]]:
        place = next(places)
        keys = some_keys(place)
        kept.update({each: keys.create(each) for each in (RECORDING, OTHER)})
        return "rotate_all", (str(place),)

    deaths = 0
    for run in stage.every_crash(prepare):
        deaths += run.died_at is not None
        place = Path(run.arguments[0])
        # In between every key is readable with the master key that its file names.
        for each, key in kept.items():
            opened = [_get(master, place, each) for master in (OLD, NEW)]
            assert key in opened, run
        rotate(place, old=OLD, new=NEW, progress=silent)
        after = DiskKeys(place, NEW)
        after.check()
        assert {each: after.get(each) for each in after.present()} == kept, run
        assert keys_under_another(place, NEW) == 0
        assert len(list(place.iterdir())) == 4, "nothing is left over"
        assert OLD.id not in bytes_under(place)
    assert deaths > 30, "there are steps to die at"


@pytest.mark.parametrize("what", ["create", "destroy"])
def test_whatever_kills_a_key_being_replaced_or_destroyed_destroying_it_finishes(
    tmp_path: Path, stage: Stage, what: str
) -> None:
    """F16, R7.2e."""
    places = (tmp_path / str(number) for number in count(1))

    def prepare() -> tuple[str, tuple[str]]:
        place = next(places)
        some_keys(place).create(RECORDING)
        return what, (str(place),)

    deaths = 0
    for run in stage.every_crash(prepare):
        deaths += run.died_at is not None
        place = Path(run.arguments[0])
        keys = some_keys(place)
        keys.destroy(RECORDING)
        assert not keys.holds(RECORDING), run
        assert sorted(each.name for each in place.iterdir()) == [".lock", "master.check"], run
        keys.create(RECORDING)
        assert keys.get(RECORDING) is not None
    assert deaths > 4, "there are steps to die at"


def _get(master: MasterKey, directory: Path, recording_id: RecordingId) -> bytes | None:
    try:
        return DiskKeys(directory, master).get(recording_id)
    except KeyUnavailable:
        return None
