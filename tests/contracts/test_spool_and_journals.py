"""What capture may rely on of its spool, for the one on disk and the one in memory."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from recorder.adapters import journals as module
from recorder.adapters.journals import DiskJournals, SpoolLock
from recorder.adapters.spool import DiskSpool
from recorder.capture.journal import encode, entry
from recorder.errors import ConfigurationError, SpoolUnavailable
from recorder.model import CallId, RecordingId
from recorder.ports import Journals, Spool
from tests.builders import CALL, NOON, RECORDING
from tests.fakes import FakeJournals, FakeSpool

ONE, TWO, THREE = (entry("key:pressed", NOON, {"key": key}) for key in "123")
OTHER = CallId(UUID(int=9))


@dataclass(frozen=True)
class Kept:
    """Journals, and how a crash tears one at a byte."""

    journals: Journals
    tear: Callable[[CallId, int], None]
    reopen: Callable[[], Journals]


@pytest.fixture(params=["disk", "memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "memory":
        fake = FakeJournals()

        def tear(call_id: CallId, length: int) -> None:
            fake.stored[call_id] = fake.stored[call_id][:length]

        return Kept(fake, tear, lambda: fake)

    def truncate(call_id: CallId, length: int) -> None:
        os.truncate(tmp_path / f"{call_id}.journal", length)

    return Kept(DiskJournals(tmp_path), truncate, lambda: DiskJournals(tmp_path))


def test_entries_come_back_in_order_and_each_call_has_its_own(kept: Kept) -> None:
    kept.journals.append(CALL, ONE, durable=False)
    kept.journals.append(OTHER, THREE, durable=True)
    kept.journals.append(CALL, TWO, durable=True)
    assert kept.journals.read(CALL) == [ONE, TWO]
    assert kept.reopen().read(CALL) == [ONE, TWO]
    assert kept.journals.recall(OTHER) == [THREE]
    assert kept.journals.all_calls() == [CALL, OTHER]


def test_a_call_without_a_journal_has_no_entries(kept: Kept) -> None:
    assert kept.journals.read(CALL) == []
    assert kept.journals.recall(CALL) == []
    assert kept.journals.all_calls() == []


def test_closing_and_wiping_what_is_not_there_are_successes(kept: Kept) -> None:
    kept.journals.close(CALL)
    kept.journals.wipe(CALL)
    kept.journals.append(CALL, ONE, durable=True)
    kept.journals.close(CALL)
    kept.journals.close(CALL)
    kept.journals.append(CALL, TWO, durable=True)
    assert kept.journals.read(CALL) == [ONE, TWO]
    kept.journals.wipe(CALL)
    kept.journals.wipe(CALL)
    assert kept.journals.read(CALL) == []
    assert kept.journals.all_calls() == []


def test_a_journal_torn_at_any_byte_goes_on_with_the_next_entry(kept: Kept) -> None:
    """F15: the torn entry is lost, none before and none after it."""
    kept.journals.append(CALL, ONE, durable=True)
    before = len(encode(ONE))
    for torn in range(before, before + len(encode(TWO))):
        kept.journals.wipe(CALL)
        kept.journals.append(CALL, ONE, durable=True)
        kept.journals.append(CALL, TWO, durable=True)
        kept.journals.close(CALL)
        kept.tear(CALL, torn)
        kept.reopen().append(CALL, THREE, durable=True)
        # Torn in front of its line end alone, an entry is whole.
        whole = [ONE, TWO, THREE] if torn == before + len(encode(TWO)) - 1 else [ONE, THREE]
        assert kept.reopen().read(CALL) == whole


def test_a_durable_entry_is_on_disk_with_its_name_even_after_others_that_were_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F17: a file whose directory was never synced may be gone after a power cut."""
    synced: list[str] = []
    monkeypatch.setattr(module, "sync_directory", lambda _: synced.append("directory"))
    monkeypatch.setattr(os, "fsync", lambda _: synced.append("file"))
    journals = DiskJournals(tmp_path)
    journals.append(CALL, ONE, durable=False)
    assert synced == []
    journals.append(CALL, TWO, durable=True)
    assert synced == ["file", "directory"]
    journals.append(CALL, THREE, durable=True)
    assert synced == ["file", "directory", "file"]
    journals.append(OTHER, ONE, durable=True)
    assert synced[3:] == ["file", "directory"]
    journals.close(CALL)
    journals.close(OTHER)


def test_a_journal_is_for_its_owner_and_group(tmp_path: Path) -> None:
    journals = DiskJournals(tmp_path)
    journals.append(CALL, ONE, durable=True)
    journals.close(CALL)
    (journal,) = tmp_path.iterdir()
    assert journal.name == f"{CALL}.journal"
    assert journal.stat().st_mode & 0o7777 & ~0o640 == 0


def test_a_journal_is_never_written_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"")
    (tmp_path / f"{CALL}.journal").symlink_to(elsewhere)
    with pytest.raises(SpoolUnavailable):
        DiskJournals(tmp_path).append(CALL, ONE, durable=True)
    assert elsewhere.read_bytes() == b""


def test_what_is_no_journal_of_ours_is_left_alone(tmp_path: Path) -> None:
    for name in ("a.journal", ".journal", f"{CALL}.raw", f"{CALL}.journal~", "../x", "{CALL}"):
        (tmp_path / Path(name).name).touch()
    (tmp_path / f"{UUID(int=5).hex}.journal").touch()
    assert DiskJournals(tmp_path).all_calls() == []


def test_a_missing_spool_refuses_entries_and_knows_no_calls(tmp_path: Path) -> None:
    """F10."""
    journals = DiskJournals(tmp_path / "gone")
    with pytest.raises(SpoolUnavailable):
        journals.append(CALL, ONE, durable=False)
    assert journals.recall(CALL) == []
    assert journals.all_calls() == []


def test_a_journal_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    """F10: recalled best effort, but read only whole."""
    (tmp_path / f"{CALL}.journal").mkdir()
    journals = DiskJournals(tmp_path)
    with pytest.raises(SpoolUnavailable):
        journals.read(CALL)
    with pytest.raises(SpoolUnavailable):
        journals.wipe(CALL)
    assert journals.recall(CALL) == []


def test_a_full_disk_refuses_an_entry_and_keeps_those_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F9: the disk takes half of a line."""
    journals = DiskJournals(tmp_path)
    journals.append(CALL, ONE, durable=False)
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, line: write(handle, line[:10]))
    with pytest.raises(SpoolUnavailable, match="No space left"):
        journals.append(CALL, TWO, durable=False)
    monkeypatch.undo()
    assert journals.read(CALL) == [ONE]
    journals.close(CALL)
    DiskJournals(tmp_path).append(CALL, THREE, durable=False)
    assert journals.read(CALL) == [ONE, THREE]


@pytest.mark.parametrize("how", ["never in this process", "closed before"])
def test_a_disk_that_fills_within_one_process_loses_the_torn_entry_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """F9: the space comes back, and the journal goes on where it was torn."""
    journals = DiskJournals(tmp_path)
    journals.append(CALL, ONE, durable=False)
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda handle, line: write(handle, line[:10]))
        with pytest.raises(SpoolUnavailable):
            journals.append(CALL, TWO, durable=False)
    if how == "closed before":
        journals.close(CALL)
    journals.append(CALL, THREE, durable=False)
    assert journals.read(CALL) == [ONE, THREE]


def test_an_fsync_that_fails_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F11."""

    def fail(handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SpoolUnavailable, match="Input/output error"):
        DiskJournals(tmp_path).append(CALL, ONE, durable=True)


def test_a_second_capture_is_refused_a_spool_in_use_and_told_what_to_do(tmp_path: Path) -> None:
    """F15."""
    spool = tmp_path / "spool"
    with SpoolLock(spool):
        with pytest.raises(ConfigurationError, match="RECORDER_SPOOL_DIR"), SpoolLock(spool):
            pytest.fail("two captures on one spool")
        assert spool.stat().st_mode & 0o007 == 0
    with SpoolLock(spool):
        pass


def test_refused_locks_leave_no_file_open(tmp_path: Path) -> None:
    """F19."""
    with ExitStack() as stack:
        stack.enter_context(SpoolLock(tmp_path))
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(5):
            with pytest.raises(ConfigurationError):
                SpoolLock(tmp_path).__enter__()
        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_spool_that_cannot_be_made_is_refused_with_its_path(tmp_path: Path) -> None:
    """F10."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="file/spool"), SpoolLock(tmp_path / "file/spool"):
        pytest.fail("there is no spool")


@dataclass(frozen=True)
class Audio:
    spool: Spool
    write: Callable[[RecordingId, bytes, datetime], None]


@pytest.fixture(params=["disk", "memory"])
def audio(request: pytest.FixtureRequest, tmp_path: Path) -> Audio:
    if request.param == "memory":
        fake = FakeSpool()
        return Audio(fake, fake.write)

    def write(recording_id: RecordingId, samples: bytes, at: datetime) -> None:
        path = tmp_path / f"{recording_id}.raw"
        path.write_bytes(samples)
        os.utime(path, (at.timestamp(), at.timestamp()))

    return Audio(DiskSpool(tmp_path), write)


def test_audio_has_its_size_and_the_time_of_its_last_byte(audio: Audio) -> None:
    assert audio.spool.audio_size(RECORDING) is None
    assert audio.spool.audio_written_at(RECORDING) is None
    audio.write(RECORDING, b"", NOON)
    assert audio.spool.audio_size(RECORDING) == 0
    later = NOON + timedelta(seconds=2)
    audio.write(RECORDING, b"12345", later)
    assert audio.spool.audio_size(RECORDING) == 5
    assert audio.spool.audio_written_at(RECORDING) == later
    written_at = audio.spool.audio_written_at(RECORDING)
    assert written_at is not None
    assert written_at.tzinfo is UTC
    assert audio.spool.audio_path(RECORDING).name == f"{RECORDING}.raw"
    assert audio.spool.free_bytes() > 0


def test_wiped_audio_is_gone_and_wiping_it_again_is_a_success(audio: Audio) -> None:
    audio.write(RECORDING, b"1234", NOON)
    audio.spool.wipe_audio(RECORDING)
    audio.spool.wipe_audio(RECORDING)
    assert audio.spool.audio_size(RECORDING) is None
    assert audio.spool.audio_written_at(RECORDING) is None


def test_audio_is_overwritten_before_it_is_removed(tmp_path: Path) -> None:
    """§ 7.2: another name of the same file shows what the disk holds."""
    audio, second_name = tmp_path / f"{RECORDING}.raw", tmp_path / "second-name"
    audio.write_bytes(b"voice" * 1_000_000)
    second_name.hardlink_to(audio)
    DiskSpool(tmp_path).wipe_audio(RECORDING)
    assert not audio.exists()
    assert second_name.read_bytes() == bytes(5_000_000)


def test_wiping_follows_no_link_out_of_the_spool(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"voice")
    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / f"{RECORDING}.raw").symlink_to(elsewhere)
    with pytest.raises(SpoolUnavailable):
        DiskSpool(spool).wipe_audio(RECORDING)
    assert elsewhere.read_bytes() == b"voice"


def test_only_audio_under_an_id_of_ours_is_ours(tmp_path: Path) -> None:
    """RG.7."""
    for name in (f"{RECORDING}.raw", "foreign.raw", f"{CALL}.journal"):
        (tmp_path / name).touch()
    assert list(DiskSpool(tmp_path).all_audio()) == [RECORDING]


def test_a_missing_spool_has_no_space(tmp_path: Path) -> None:
    """F10."""
    with pytest.raises(SpoolUnavailable, match="missing"):
        DiskSpool(tmp_path / "gone").free_bytes()


def test_a_spool_mounted_read_only_has_no_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F10: root may write anywhere but there, so the mount is asked and not the mode."""
    assert DiskSpool(tmp_path).free_bytes() > 0
    read_only = SimpleNamespace(f_flag=os.ST_RDONLY)
    monkeypatch.setattr(os, "statvfs", lambda _: read_only)
    with pytest.raises(SpoolUnavailable, match="read-only"):
        DiskSpool(tmp_path).free_bytes()


def test_a_journal_without_its_folder_is_not_said_to_be_empty(tmp_path: Path) -> None:
    """F10: a call whose spool was unmounted waits; it has not lost its journal."""
    spool = tmp_path / "spool"
    spool.mkdir()
    journals = DiskJournals(spool)
    assert journals.read(CALL) == []
    spool.rmdir()
    with pytest.raises(SpoolUnavailable):
        journals.read(CALL)
    assert journals.recall(CALL) == []
