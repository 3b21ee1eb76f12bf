"""Recordings at rest: sample for sample, whole or absent, for those who may (RG.5, RG.7, L6)."""

import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.adapters import files, vault, wav
from recorder.adapters.vault import DiskVault
from recorder.adapters.wav import write_wav
from recorder.errors import VaultUnavailable
from recorder.model import RecordingId
from tests.builders import RECORDING

ROOT = Path(__file__).parents[2]
FOLDER = "2026/11/12"
HOURS_4 = 4 * 3600 * 32_000


def a_raw(tmp_path: Path, samples: bytes) -> Path:
    raw = tmp_path / f"{RECORDING}.raw"
    raw.write_bytes(samples)
    return raw


def a_tone(amplitude: float, seconds: float = 1.0) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    instants = np.arange(round(8000 * seconds)) / 8000
    return (amplitude * 32767 * np.sin(2 * np.pi * 440 * instants)).astype("<i2")


def stereo(left: float, right: float, seconds: float = 1.0) -> bytes:
    return np.column_stack([a_tone(left, seconds), a_tone(right, seconds)]).tobytes()


def files_of(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


async def test_the_callers_voice_is_left_and_the_offices_right_sample_for_sample(
    tmp_path: Path,
) -> None:
    """R5.2a."""
    left, right = a_tone(0.5), a_tone(0.1)
    raw = a_raw(tmp_path, np.column_stack([left, right]).tobytes())
    store = DiskVault(tmp_path / "vault")
    sealed = await store.store(RECORDING, raw=raw, folder=FOLDER)
    samples, rate = soundfile.read(store.path(RECORDING, folder=FOLDER), dtype="int16")
    assert rate == sealed.sample_rate == 8000
    assert soundfile.info(store.path(RECORDING, folder=FOLDER)).subtype == "PCM_16"
    np.testing.assert_array_equal(samples[:, 0], left)
    np.testing.assert_array_equal(samples[:, 1], right)
    assert sealed.frames == 8000
    assert sealed.seconds == 1.0
    # A sine's RMS lies 3 dB below its peak.
    assert sealed.caller_dbfs == pytest.approx(-6.0 - 3.0, abs=0.1)
    assert sealed.office_dbfs == pytest.approx(-20.0 - 3.0, abs=0.1)


async def test_what_is_told_of_a_file_is_what_the_file_is(tmp_path: Path) -> None:
    """RG.3."""
    store = DiskVault(tmp_path / "vault")
    sealed = await store.store(RECORDING, raw=a_raw(tmp_path, stereo(0.5, 0.5)), folder=FOLDER)
    path = store.path(RECORDING, folder=FOLDER)
    assert path == tmp_path / "vault" / FOLDER / f"{RECORDING}.wav"
    assert sealed.sha256 == files.sha256_of(path) == await store.digest(RECORDING, folder=FOLDER)
    assert sealed.size_bytes == path.stat().st_size
    with path.open("r+b") as damaged:
        damaged.seek(1000)
        damaged.write(b"\x01")
    assert await store.digest(RECORDING, folder=FOLDER) != sealed.sha256
    path.unlink()
    assert await store.digest(RECORDING, folder=FOLDER) is None


@given(st.binary(max_size=100))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_kept_up_to_the_last_whole_frame(
    raw_and_wav: tuple[Path, Path], samples: bytes
) -> None:
    """F13: 0 bytes, odd lengths, not a multiple of 4, anything."""
    raw, target = raw_and_wav
    raw.write_bytes(samples)
    measured = write_wav(raw, target)
    # Read by another reader: libsndfile takes samples that begin with "OggS" for another format.
    with wave.open(str(target), "rb") as kept:
        assert kept.readframes(kept.getnframes()) == samples[: len(samples) // 4 * 4]
        assert (kept.getnchannels(), kept.getsampwidth(), kept.getframerate()) == (2, 2, 8000)
    assert measured.frames == len(samples) // 4


@pytest.fixture(scope="module")
def raw_and_wav(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("wav")
    return folder / "audio.raw", folder / "audio.wav"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_audio_longer_than_a_block_is_kept_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(wav, "BLOCK_FRAMES", 100)
    samples = np.random.default_rng(1).integers(-32768, 32768, (300 + more, 2), dtype="<i2")
    measured = write_wav(a_raw(tmp_path, samples.tobytes()), tmp_path / "audio.wav")
    kept, _ = soundfile.read(tmp_path / "audio.wav", dtype="int16")
    np.testing.assert_array_equal(kept, samples)
    assert measured.frames == 300 + more


@pytest.mark.parametrize(
    ("left", "right", "silent", "one_sided"),
    [
        pytest.param(0.5, 0.5, False, False, id="both"),
        pytest.param(0.5, 0.0, False, True, id="caller alone"),
        pytest.param(0.0, 0.5, False, True, id="office alone"),
        pytest.param(0.0, 0.0, True, False, id="nobody"),
        pytest.param(0.002, 0.0005, False, True, id="just above and just below -60 dBFS"),
        pytest.param(0.0005, 0.0005, True, False, id="both just below"),
    ],
)
async def test_silence_is_told_by_level_for_each_side(
    tmp_path: Path, left: float, right: float, silent: bool, one_sided: bool
) -> None:
    """RG.14, F22."""
    raw = a_raw(tmp_path, stereo(left, right))
    sealed = await DiskVault(tmp_path).store(RECORDING, raw=raw, folder=FOLDER)
    assert (sealed.silent, sealed.one_sided) == (silent, one_sided)


async def test_the_loudest_sound_does_not_overflow_its_measure(tmp_path: Path) -> None:
    raw = a_raw(tmp_path, np.full((200_000, 2), -32768, dtype="<i2").tobytes())
    sealed = await DiskVault(tmp_path).store(RECORDING, raw=raw, folder=FOLDER)
    assert sealed.caller_dbfs == sealed.office_dbfs == 0.0


async def test_an_empty_file_is_a_recording_of_nothing(tmp_path: Path) -> None:
    """F13."""
    sealed = await DiskVault(tmp_path).store(RECORDING, raw=a_raw(tmp_path, b""), folder=FOLDER)
    assert sealed.frames == 0
    assert sealed.silent
    assert sealed.caller_dbfs == sealed.office_dbfs == -120.0


@pytest.fixture(params=[0o000, 0o077], ids=["umask 000", "umask 077"])
def some_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("some_umask")
async def test_files_and_folders_are_for_owner_and_group_whatever_the_umask(tmp_path: Path) -> None:
    """§ 6.3."""
    store = DiskVault(tmp_path / "vault")
    await store.store(RECORDING, raw=a_raw(tmp_path, stereo(0.5, 0.5)), folder=FOLDER)
    modes = {
        str(each.relative_to(tmp_path)): each.stat().st_mode & 0o7777
        for each in [tmp_path / "vault", *(tmp_path / "vault").rglob("*")]
    }
    assert modes == {
        "vault": 0o750,
        "vault/2026": 0o750,
        "vault/2026/11": 0o750,
        "vault/2026/11/12": 0o750,
        f"vault/2026/11/12/{RECORDING}.wav": 0o640,
    }


async def test_storing_twice_leaves_one_file_with_the_same_bytes(tmp_path: Path) -> None:
    """F16."""
    store, raw = DiskVault(tmp_path / "vault"), a_raw(tmp_path, stereo(0.5, 0.1))
    first = await store.store(RECORDING, raw=raw, folder=FOLDER)
    # A crash before may also have left a longer unfinished file.
    unfinished = store.path(RECORDING, folder=FOLDER).with_suffix(".part")
    unfinished.write_bytes(b"x" * 1_000_000)
    second = await store.store(RECORDING, raw=raw, folder=FOLDER)
    assert first == second
    assert files_of(tmp_path / "vault") == [f"{FOLDER}/{RECORDING}.wav"]
    assert await store.digest(RECORDING, folder=FOLDER) == first.sha256


async def test_the_file_is_on_disk_before_its_name_and_its_name_before_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F17, RG.5: file → name → directory."""
    done: list[str] = []
    replace = Path.replace

    def rename(source: Path, target: Path) -> Path:
        done.append("rename")
        return replace(source, target)

    monkeypatch.setattr(vault, "sync_file", lambda path: done.append(f"sync {path.suffix}"))
    monkeypatch.setattr(vault, "sync_directory", lambda path: done.append(f"sync {path.name}"))
    monkeypatch.setattr(Path, "replace", rename)
    raw = a_raw(tmp_path, stereo(0.5, 0.1))
    await DiskVault(tmp_path / "vault").store(RECORDING, raw=raw, folder=FOLDER)
    folders = [f"sync {name}" for name in (tmp_path.name, "vault", "2026", "11")]
    assert done == [*folders, "sync .part", "rename", "sync 12"]


async def test_a_disk_that_fails_leaves_no_recording_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F9, F11: what was not synced is not there."""

    def fail(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vault, "sync_file", fail)
    store, raw = DiskVault(tmp_path / "vault"), a_raw(tmp_path, stereo(0.5, 0.1))
    with pytest.raises(VaultUnavailable, match="No space left"):
        await store.store(RECORDING, raw=raw, folder=FOLDER)
    assert await store.digest(RECORDING, folder=FOLDER) is None
    monkeypatch.undo()
    await store.store(RECORDING, raw=raw, folder=FOLDER)
    assert files_of(tmp_path / "vault") == [f"{FOLDER}/{RECORDING}.wav"]


@pytest.mark.parametrize("what", ["raw missing", "raw a directory", "vault a file"])
async def test_what_cannot_be_read_or_written_is_a_vault_that_is_away(
    tmp_path: Path, what: str
) -> None:
    """F10, F13."""
    raw = a_raw(tmp_path, stereo(0.5, 0.1))
    if what != "vault a file":
        raw.unlink()
    else:
        (tmp_path / "vault").touch()
    if what == "raw a directory":
        raw.mkdir()
    with pytest.raises(VaultUnavailable):
        await DiskVault(tmp_path / "vault").store(RECORDING, raw=raw, folder=FOLDER)


async def test_a_file_that_cannot_be_read_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    """RG.3."""
    store = DiskVault(tmp_path)
    store.path(RECORDING, folder=FOLDER).mkdir(parents=True)
    with pytest.raises(VaultUnavailable):
        await store.digest(RECORDING, folder=FOLDER)


@pytest.mark.parametrize(
    "folder",
    ["", "../../etc", "2026/11", "2026/11/12/..", "/2026/11/12", "2026/11/12\n", "٢٠٢٦/11/12"],
)
def test_no_folder_but_a_day_makes_a_path(tmp_path: Path, folder: str) -> None:
    """RG.7."""
    with pytest.raises(ValueError, match="YYYY/MM/DD"):
        DiskVault(tmp_path).path(RecordingId(UUID(int=1)), folder=folder)


MEASURE = """
import asyncio, resource, sys
from pathlib import Path
from uuid import UUID
from recorder.adapters.vault import DiskVault
vault, spool = (Path(each) for each in sys.argv[1:])
def store(name):
    raw = spool / name
    sealed = asyncio.run(DiskVault(vault).store(UUID(int=1), raw=raw, folder="2026/11/12"))
    return sealed.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(*store("short.raw"), *store("long.raw"))
"""


def test_memory_does_not_grow_with_the_call(tmp_path: Path) -> None:
    """L6: four hours, 460 MB; a process of its own, since a peak is never taken back."""
    (tmp_path / "short.raw").write_bytes(stereo(0.5, 0.1, seconds=60))
    with (tmp_path / "long.raw").open("wb") as long:
        long.truncate(HOURS_4)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "vault"), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    short_frames, short_kib, long_frames, long_kib = (int(each) for each in run.stdout.split())
    assert short_frames == 60 * 8000
    assert long_frames == HOURS_4 // 4
    assert long_kib - short_kib <= 16 * 1024
    (stored,) = (tmp_path / "vault").rglob("*.wav")
    assert stored.stat().st_size > HOURS_4
