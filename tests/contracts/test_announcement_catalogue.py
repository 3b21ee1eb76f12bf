"""R8.2d, R8.2e: announcements on disk are whole or absent, and never silently another one."""

import errno
import json
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import numpy as np
import pytest
import soundfile

from recorder.adapters import announcement_files, files
from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.announcements.rules import Sound, SoundFigures
from recorder.errors import NotFound, RuleViolation, Unavailable
from recorder.model import Announcement, AnnouncementId, IncidentKind, Layer
from recorder.ports import Announcements

NOON = datetime(2026, 11, 12, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SOUNDS = ("sound.alaw", "sound.ulaw", "sound.sln")


def a_sound(hertz: float = 440.0, seconds: float = 0.2) -> Sound:
    time = np.arange(round(8000 * seconds)) / 8000
    samples = np.rint(9000 * np.sin(2 * np.pi * hertz * time)).astype("<i2")
    return Sound(
        samples=samples.tobytes(),
        figures=SoundFigures(
            sample_rate=8000,
            channels=1,
            finite=True,
            clipped_share=0.0,
            seconds=seconds,
            level_dbfs=-14.2,
            leading_silence_s=0.5,
            trailing_silence_s=0.0,
            guard_added_s=0.0,
        ),
    )


def added(
    catalogue: AnnouncementCatalogue,
    hertz: float = 440.0,
    *,
    layer: Layer = Layer.FIRST,
    language: str = "pl",
    at: datetime = NOON,
    text: str = "Nagrywamy rozmowy.",
) -> Announcement:
    return catalogue.add(a_sound(hertz), layer=layer, language=language, text=text, at=at)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "announcements"


@pytest.fixture
def catalogue(directory: Path) -> AnnouncementCatalogue:
    return AnnouncementCatalogue(directory)


def test_it_is_what_the_call_path_asks_for(catalogue: AnnouncementCatalogue) -> None:
    port: Announcements = catalogue
    assert port.active(Layer.FIRST, "pl", NOON) is None
    assert list(port.versions()) == []
    assert catalogue.check() == []


def test_what_was_added_is_heard_only_once_activated(
    catalogue: AnnouncementCatalogue, directory: Path
) -> None:
    version = added(catalogue)
    assert catalogue.active(Layer.FIRST, "pl", NOON) is None
    activated = catalogue.activate(version.id, active_from=NOON, at=NOON)
    assert activated == replace(version, active_from=NOON)
    for reader in (catalogue, AnnouncementCatalogue(directory)):
        assert reader.active(Layer.FIRST, "pl", NOON) == activated
        assert list(reader.versions()) == [activated]
        assert reader.active(Layer.FIRST, "uk", NOON) is None
        assert reader.active(Layer.SECOND, "pl", NOON) is None


def test_the_files_are_what_asterisk_plays_without_transcoding(
    catalogue: AnnouncementCatalogue, directory: Path
) -> None:
    version = added(catalogue)
    folder = directory / str(version.id)
    assert {each.name for each in folder.iterdir()} == {"announcement.json", *SOUNDS}
    linear = np.frombuffer((folder / "sound.sln").read_bytes(), dtype="<i2")
    assert version.length_ms == linear.size / 8
    for name, subtype in (("sound.alaw", "ALAW"), ("sound.ulaw", "ULAW")):
        decoded, _ = soundfile.read(
            folder / name,
            dtype="int16",
            samplerate=8000,
            channels=1,
            subtype=subtype,
            format="RAW",
        )
        assert decoded.size == linear.size
        # G.711 keeps about 38 dB over its own noise.
        error = np.sqrt(np.mean((decoded.astype(float) - linear) ** 2))
        assert error < np.sqrt(np.mean(linear.astype(float) ** 2)) / 50


def test_only_the_group_reads_and_nobody_else(
    catalogue: AnnouncementCatalogue, directory: Path
) -> None:
    """The set-group-id bit of the catalogue is how Asterisk's group comes to read it."""
    directory.mkdir()
    directory.chmod(0o2750)
    old = os.umask(0o000)
    try:
        version = added(catalogue)
        catalogue.activate(version.id, active_from=NOON, at=NOON)
    finally:
        os.umask(old)
    for path in directory.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o2750 if path.is_dir() else 0o640), path.name


def test_the_same_sound_is_the_same_version(catalogue: AnnouncementCatalogue) -> None:
    first = added(catalogue)
    catalogue.activate(first.id, active_from=NOON, at=NOON)
    assert added(catalogue, at=NOON + DAY) == replace(first, active_from=NOON)
    assert len(catalogue.versions()) == 1
    elsewhere = added(catalogue, language="en")
    assert elsewhere.id != first.id
    with pytest.raises(RuleViolation, match="another text"):
        added(catalogue, text="Nagrywamy wszystko.")


def test_a_planned_activation_switches_at_its_instant(catalogue: AnnouncementCatalogue) -> None:
    old, new = added(catalogue, 440), added(catalogue, 550)
    catalogue.activate(old.id, active_from=NOON, at=NOON)
    catalogue.activate(new.id, active_from=NOON + DAY, at=NOON)

    def heard(at: datetime) -> AnnouncementId | None:
        active = catalogue.active(Layer.FIRST, "pl", at)
        return active.id if active else None

    tick = timedelta(microseconds=1)
    assert heard(NOON - tick) is None
    assert heard(NOON) == heard(NOON + DAY - tick) == old.id
    assert heard(NOON + DAY) == new.id


def test_planning_the_version_in_force_again_does_not_silence_it(
    catalogue: AnnouncementCatalogue,
) -> None:
    """The history is kept: a second activation does not take the first one back (R8.2d)."""
    version = added(catalogue)
    catalogue.activate(version.id, active_from=NOON, at=NOON)
    catalogue.activate(version.id, active_from=NOON + DAY, at=NOON)
    catalogue.activate(version.id, active_from=NOON + DAY, at=NOON)
    assert catalogue.active(Layer.FIRST, "pl", NOON) is not None
    assert [each.active_from for each in catalogue.activations()] == [NOON, NOON + DAY]


def test_a_running_reader_sees_every_change_of_another_process(directory: Path) -> None:
    writer, reader = AnnouncementCatalogue(directory), AnnouncementCatalogue(directory)
    assert reader.active(Layer.FIRST, "pl", NOON) is None
    # Faster than the kernel's clock ticks: directory times alone would hide some of these.
    for number in range(40):
        version = added(writer, 300 + number, at=NOON + timedelta(seconds=number))
        assert len(reader.versions()) == number + 1
        writer.activate(version.id, active_from=NOON + timedelta(seconds=number), at=NOON)
        active = reader.active(Layer.FIRST, "pl", NOON + DAY)
        assert active is not None
        assert active.id == version.id


def test_two_changes_in_one_tick_of_the_kernels_clock_are_both_seen(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader = AnnouncementCatalogue(directory), AnnouncementCatalogue(directory)
    old, new = added(writer, 440), added(writer, 550)
    writer.activate(old.id, active_from=NOON, at=NOON)
    assert reader.active(Layer.FIRST, "pl", NOON + DAY) is not None
    rename = Path.rename

    def rename_in_the_same_tick(path: Path, target: Path) -> Path:
        before = target.parent.stat().st_mtime_ns
        renamed = rename(path, target)
        os.utime(target.parent, ns=(before, before))
        return renamed

    monkeypatch.setattr(Path, "rename", rename_in_the_same_tick)
    writer.activate(new.id, active_from=NOON + DAY, at=NOON)
    active = reader.active(Layer.FIRST, "pl", NOON + DAY)
    assert active is not None
    assert active.id == new.id


@pytest.mark.parametrize("name", SOUNDS)
def test_a_deleted_sound_is_not_played_and_is_told(
    catalogue: AnnouncementCatalogue, directory: Path, name: str
) -> None:
    """F21, R8.2e."""
    version = added(catalogue)
    catalogue.activate(version.id, active_from=NOON, at=NOON)
    assert catalogue.active(Layer.FIRST, "pl", NOON) is not None
    (directory / str(version.id) / name).unlink()
    assert catalogue.active(Layer.FIRST, "pl", NOON) is None
    (damage,) = catalogue.check()
    assert (damage.kind, damage.announcement_id) == (
        IncidentKind.ANNOUNCEMENT_MISSING,
        version.id,
    )
    assert name in str(damage)
    with pytest.raises(RuleViolation, match="missing or changed"):
        catalogue.activate(version.id, active_from=NOON + DAY, at=NOON)


@pytest.mark.parametrize("name", SOUNDS)
def test_one_changed_byte_is_found(
    catalogue: AnnouncementCatalogue, directory: Path, name: str
) -> None:
    """R8.2e: same name, same length, another sound."""
    version = added(catalogue)
    catalogue.activate(version.id, active_from=NOON, at=NOON)
    assert catalogue.active(Layer.FIRST, "pl", NOON) is not None
    sound = directory / str(version.id) / name
    with sound.open("r+b") as file:
        file.seek(100)
        byte = file.read(1)[0]
        file.seek(100)
        file.write(bytes([byte ^ 1]))
    assert catalogue.active(Layer.FIRST, "pl", NOON) is None
    (damage,) = catalogue.check()
    assert damage.kind is IncidentKind.ANNOUNCEMENT_CHANGED
    assert "changed" in str(damage)
    assert name in str(damage)
    if name == "sound.sln":
        with pytest.raises(RuleViolation, match="changed"):
            catalogue.samples(version.id)


def test_a_truncated_sound_is_not_played(catalogue: AnnouncementCatalogue, directory: Path) -> None:
    version = added(catalogue)
    catalogue.activate(version.id, active_from=NOON, at=NOON)
    os.truncate(directory / str(version.id) / "sound.alaw", 100)
    assert catalogue.active(Layer.FIRST, "pl", NOON) is None
    assert len(catalogue.check()) == 1


def test_adding_the_same_sound_restores_a_damaged_version(
    catalogue: AnnouncementCatalogue, directory: Path
) -> None:
    version = added(catalogue)
    activated = catalogue.activate(version.id, active_from=NOON, at=NOON)
    (directory / str(version.id) / "sound.alaw").unlink()
    (directory / str(version.id) / "sound.ulaw").write_bytes(b"noise")
    assert added(catalogue).id == version.id
    assert catalogue.check() == []
    assert catalogue.active(Layer.FIRST, "pl", NOON) == activated


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"id": "../../etc"}',
        pytest.param(None, id="no card"),
    ],
)
def test_one_unreadable_version_hides_no_other(
    catalogue: AnnouncementCatalogue, directory: Path, content: bytes | None
) -> None:
    good, bad = added(catalogue, 440), added(catalogue, 550)
    for each in (good, bad):
        catalogue.activate(each.id, active_from=NOON, at=NOON)
    card = directory / str(bad.id) / "announcement.json"
    if content is None:
        card.unlink()
    else:
        card.write_bytes(content)
    reader = AnnouncementCatalogue(directory)
    active = reader.active(Layer.FIRST, "pl", NOON)
    assert active is not None
    assert active.id == good.id
    assert {each.announcement_id for each in reader.check()} == {bad.id}


def test_a_card_that_lies_about_its_length_is_not_believed(
    catalogue: AnnouncementCatalogue, directory: Path
) -> None:
    """The length decides whether a caller heard all of it (R8.2a)."""
    version = added(catalogue)
    catalogue.activate(version.id, active_from=NOON, at=NOON)
    card = directory / str(version.id) / "announcement.json"
    told = json.loads(card.read_text())
    card.write_text(json.dumps(told | {"length_ms": 10}))
    reader = AnnouncementCatalogue(directory)
    assert reader.active(Layer.FIRST, "pl", NOON) is None
    assert {each.announcement_id for each in reader.check()} == {version.id}


def test_an_unreadable_activation_is_told_and_hides_no_other(
    catalogue: AnnouncementCatalogue, directory: Path
) -> None:
    version = added(catalogue)
    catalogue.activate(version.id, active_from=NOON, at=NOON)
    (directory / "activations" / f"{UUID(int=5)}.json").write_text("{")
    assert catalogue.active(Layer.FIRST, "pl", NOON) is not None
    assert len(catalogue.check()) == 1


def test_a_version_whose_folder_was_removed_is_told(
    catalogue: AnnouncementCatalogue, directory: Path
) -> None:
    kept, lost = added(catalogue, 440), added(catalogue, 550)
    for each in (kept, lost):
        catalogue.activate(each.id, active_from=NOON, at=NOON)
    shutil.rmtree(directory / str(lost.id))
    (damage,) = catalogue.check()
    assert (damage.kind, damage.announcement_id) == (IncidentKind.ANNOUNCEMENT_MISSING, lost.id)
    assert [each.id for each in catalogue.versions()] == [kept.id]


@pytest.mark.parametrize("between", ["read_activations", "read_versions"])
def test_what_is_added_while_a_check_reads_is_not_called_lost(
    catalogue: AnnouncementCatalogue,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    between: str,
) -> None:
    """A false alarm would have an office restore what was never damaged."""
    added(catalogue, 440)
    reader = AnnouncementCatalogue(directory)
    read = getattr(announcement_files, between)
    sprung = False

    def read_and_then_another_process_adds(folder: Path) -> object:
        nonlocal sprung
        found = read(folder)
        if not sprung:
            sprung = True
            version = added(catalogue, 550, language="uk")
            catalogue.activate(version.id, active_from=NOON, at=NOON)
        return found

    monkeypatch.setattr(announcement_files, between, read_and_then_another_process_adds)
    assert reader.check() == []
    assert sprung
    assert reader.active(Layer.FIRST, "uk", NOON) is not None


def test_strangers_files_in_the_catalogue_are_ignored(
    catalogue: AnnouncementCatalogue, directory: Path
) -> None:
    version = added(catalogue)
    (directory / "lost+found").mkdir()
    (directory / "notes.txt").write_text("x")
    assert [each.id for each in catalogue.versions()] == [version.id]
    assert catalogue.check() == []


def test_a_vanished_catalogue_costs_the_recording_not_the_call(
    catalogue: AnnouncementCatalogue, directory: Path
) -> None:
    """Design, promise 1: ``active`` never raises, whatever became of the disk."""
    version = added(catalogue)
    catalogue.activate(version.id, active_from=NOON, at=NOON)
    aside = directory.rename(directory.with_name("aside"))
    assert catalogue.active(Layer.FIRST, "pl", NOON) is None
    directory.write_text("a file where the catalogue was")
    assert catalogue.active(Layer.FIRST, "pl", NOON) is None
    assert [each.kind for each in catalogue.check()] == [IncidentKind.ANNOUNCEMENT_MISSING]
    with pytest.raises(Unavailable, match="RECORDER_ANNOUNCEMENT_DIR"):
        added(catalogue)
    directory.unlink()
    aside.rename(directory)
    assert catalogue.active(Layer.FIRST, "pl", NOON) is not None


def test_activating_what_is_not_there_says_so(catalogue: AnnouncementCatalogue) -> None:
    with pytest.raises(NotFound):
        catalogue.activate(AnnouncementId(UUID(int=1)), active_from=NOON, at=NOON)


class Crash(BaseException):
    """The process ends here: nothing that would clean up runs in earnest."""


@contextmanager
def failing_at(
    monkeypatch: pytest.MonkeyPatch, step: int, failure: BaseException
) -> Iterator[Callable[[], int]]:
    """Fail before the ``step``-th change of the disk; a failed write leaves half of its bytes."""
    numbers = count()
    done = 0

    def wrapped(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def operation(*args: object, **kwargs: object) -> object:
            nonlocal done
            done = next(numbers) + 1
            if done == step + 1:
                if name == "write":
                    handle, content = args
                    assert isinstance(handle, int)
                    assert isinstance(content, bytes)
                    os.write(handle, content[: len(content) // 2])
                raise failure
            return real(*args, **kwargs)

        return operation

    names = ("open", "write", "fsync", "fchmod", "utime")
    faulty = SimpleNamespace(**{name: getattr(os, name) for name in dir(os)})
    for name in names:
        setattr(faulty, name, wrapped(name, getattr(os, name)))
    with monkeypatch.context() as patch:
        patch.setattr(announcement_files, "os", faulty)
        patch.setattr(files, "os", faulty)
        for name in ("rename", "mkdir", "chmod"):
            patch.setattr(Path, name, wrapped(name, getattr(Path, name)))
        yield lambda: done


def change(catalogue: AnnouncementCatalogue, name: str, existing: Announcement) -> None:
    match name:
        case "add":
            added(catalogue, 660, at=NOON + DAY)
        case "activate":
            catalogue.activate(existing.id, active_from=NOON + DAY, at=NOON)
        case _:
            added(catalogue, 440)


@pytest.mark.parametrize("name", ["add", "activate", "restore"])
@pytest.mark.parametrize(
    "failure", [Crash(), OSError(errno.ENOSPC, "full")], ids=["crash", "disk full"]
)
def test_a_failure_at_any_step_leaves_the_old_or_the_new_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, failure: BaseException
) -> None:
    """A crash at any line leaves a state that the next run can finish."""
    finished = False
    for step in range(100):
        directory = tmp_path / str(step)
        before = AnnouncementCatalogue(directory)
        existing = added(before, 440)
        before.activate(existing.id, active_from=NOON, at=NOON)
        other = added(before, 550)
        if name == "restore":
            (directory / str(existing.id) / "sound.alaw").unlink()
        old = (list(before.versions()), list(before.activations()))
        with failing_at(monkeypatch, step, failure) as steps_done:
            try:
                change(before, name, existing)
                finished = True
            except (Crash, Unavailable):
                pass
        if finished:
            assert steps_done() <= step, "the failure was swallowed"
            break
        after = AnnouncementCatalogue(directory)
        new = (list(after.versions()), list(after.activations()))
        if name == "add":
            assert (new == old) or ([v for v in new[0] if v in old[0]] == old[0])
            assert len(new[0]) in (2, 3)
        if name == "restore":
            # Each file is whole or missing, never half.
            assert all(d.kind is IncidentKind.ANNOUNCEMENT_MISSING for d in after.check())
        else:
            assert after.check() == []
            active = after.active(Layer.FIRST, "pl", NOON)
            assert active is not None
            assert active.id == existing.id
        # The same command again finishes, and clears away what the dead one left.
        change(after, name, existing)
        assert after.check() == []
        assert len(after.versions()) == (3 if name == "add" else 2)
        assert other.id in {each.id for each in after.versions()}
        assert not list(directory.rglob(".unfinished*"))
    assert finished
    assert step > 5


def test_readers_and_writers_at_once_see_only_whole_versions(directory: Path) -> None:
    problems: list[BaseException] = []
    stop = threading.Event()

    def write(base: int) -> None:
        try:
            own = AnnouncementCatalogue(directory)
            for number in range(15):
                version = added(own, base + 10 * number)
                own.activate(version.id, active_from=NOON + timedelta(seconds=number), at=NOON)
        except BaseException as error:  # noqa: BLE001 - carried to the test's own thread
            problems.append(error)

    def read() -> None:
        try:
            own, seen = AnnouncementCatalogue(directory), 0
            while not stop.is_set():
                versions = own.versions()
                assert len(versions) >= seen, "a version disappeared"
                seen = len(versions)
                active = own.active(Layer.FIRST, "pl", NOON + DAY)
                assert active is None or active.length_ms == 200
                assert own.check() == []
        except BaseException as error:  # noqa: BLE001 - carried to the test's own thread
            problems.append(error)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(base,)) for base in (300, 305)]
    reader.start()
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    stop.set()
    reader.join()
    assert problems == []
    assert len(AnnouncementCatalogue(directory).versions()) == 30
