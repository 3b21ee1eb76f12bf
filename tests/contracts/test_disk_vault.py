"""Recordings on disk: whole or absent, for those who may, never past a link (RG.4-RG.7, L6)."""

import asyncio
import io
import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from recorder.adapters import wav
from recorder.adapters.vault import DiskVault
from recorder.custody.model import FileKind
from recorder.errors import KeyUnavailable, RecordingDamaged, VaultUnavailable
from recorder.model import RecordingId
from tests.builders import RECORDING
from tests.crashes import Stage
from tests.keys import SECRET, a_vault, some_keys

ROOT = Path(__file__).parents[2]
FOLDER = "2026/11/12"
CONTAINER = f"{FOLDER}/{RECORDING}.rec"
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


async def test_the_callers_voice_is_left_and_the_offices_right_with_their_levels(
    tmp_path: Path,
) -> None:
    """R5.2a."""
    left, right = a_tone(0.5), a_tone(0.1)
    raw = a_raw(tmp_path, np.column_stack([left, right]).tobytes())
    store = a_vault(tmp_path)
    sealed = await store.store(RECORDING, raw=raw, folder=FOLDER)
    whole = await store.read(RECORDING, folder=FOLDER, start=0, length=sealed.size_bytes)
    samples, _ = soundfile.read(io.BytesIO(whole), dtype="int16")
    np.testing.assert_array_equal(samples[:, 0], left)
    np.testing.assert_array_equal(samples[:, 1], right)
    assert sealed.seconds == 1.0
    # A sine's RMS lies 3 dB below its peak.
    assert sealed.caller_dbfs == pytest.approx(-6.0 - 3.0, abs=0.1)
    assert sealed.office_dbfs == pytest.approx(-20.0 - 3.0, abs=0.1)


def streamed(raw: Path) -> tuple[bytes, wav.Measured]:
    whole = bytearray()
    measured = wav.write_wav(raw, whole.extend, frames=wav.frames_in(raw))
    return bytes(whole), measured


@given(st.binary(max_size=100))
def test_any_bytes_are_kept_up_to_the_last_whole_frame(raw: Path, samples: bytes) -> None:
    """F13: 0 bytes, odd lengths, not a multiple of 4, anything."""
    raw.write_bytes(samples)
    whole, measured = streamed(raw)
    # Read by another reader: libsndfile takes samples that begin with "OggS" for another format.
    with wave.open(io.BytesIO(whole), "rb") as kept:
        assert kept.readframes(kept.getnframes()) == samples[: len(samples) // 4 * 4]
        assert (kept.getnchannels(), kept.getsampwidth(), kept.getframerate()) == (2, 2, 8000)
    assert measured.frames == len(samples) // 4
    assert len(whole) == wav.size_of(measured.frames)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wav") / "audio.raw"


@pytest.mark.parametrize("frames", [0, 1, 8000])
def test_the_header_is_the_one_that_libsndfile_writes(frames: int) -> None:
    theirs = io.BytesIO()
    with soundfile.SoundFile(
        theirs, "w", samplerate=8000, channels=2, subtype="PCM_16", format="WAV"
    ) as file:
        file.write(np.zeros((frames, 2), dtype="int16"))
    assert wav.header(frames) == theirs.getvalue()[: wav.HEADER.size]


def test_audio_longer_than_a_wav_can_be_is_not_cut_in_silence() -> None:
    """F13: 4 GiB."""
    assert len(wav.header(wav.MOST_FRAMES)) == 44
    with pytest.raises(OSError, match="longer"):
        wav.header(wav.MOST_FRAMES + 1)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_audio_longer_than_a_block_is_kept_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(wav, "BLOCK_FRAMES", 100)
    samples = np.random.default_rng(1).integers(-32768, 32768, (300 + more, 2), dtype="<i2")
    whole, measured = streamed(a_raw(tmp_path, samples.tobytes()))
    kept, _ = soundfile.read(io.BytesIO(whole), dtype="int16")
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
    sealed = await a_vault(tmp_path).store(RECORDING, raw=raw, folder=FOLDER)
    assert (sealed.silent, sealed.one_sided) == (silent, one_sided)


async def test_the_loudest_sound_does_not_overflow_its_measure(tmp_path: Path) -> None:
    raw = a_raw(tmp_path, np.full((200_000, 2), -32768, dtype="<i2").tobytes())
    sealed = await a_vault(tmp_path).store(RECORDING, raw=raw, folder=FOLDER)
    assert sealed.caller_dbfs == sealed.office_dbfs == 0.0


@pytest.fixture(params=[0o000, 0o077], ids=["umask 000", "umask 077"])
def some_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("some_umask")
async def test_files_and_folders_are_for_owner_and_group_whatever_the_umask(tmp_path: Path) -> None:
    """§ 6.3."""
    store = DiskVault(tmp_path / "vault", some_keys(tmp_path / "keys"))
    await store.store(RECORDING, raw=a_raw(tmp_path, stereo(0.5, 0.5)), folder=FOLDER)
    modes = {
        str(each.relative_to(tmp_path)): each.stat().st_mode & 0o7777
        for tree in (tmp_path / "vault", tmp_path / "keys")
        for each in [tree, *tree.rglob("*")]
    }
    assert modes == {
        "vault": 0o750,
        "vault/2026": 0o750,
        "vault/2026/11": 0o750,
        "vault/2026/11/12": 0o750,
        f"vault/{CONTAINER}": 0o640,
        "keys": 0o700,
        "keys/.lock": 0o600,
        "keys/master.check": 0o600,
        f"keys/{RECORDING}.key": 0o600,
    }


async def test_what_a_crash_left_unfinished_is_replaced(tmp_path: Path) -> None:
    """F16."""
    store, raw = a_vault(tmp_path), a_raw(tmp_path, stereo(0.5, 0.1))
    unfinished = tmp_path / "vault" / FOLDER / f"{RECORDING}.part"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"x" * 1_000_000)
    assert [each.kind for each in store.present()] == [FileKind.UNFINISHED]
    sealed = await store.store(RECORDING, raw=raw, folder=FOLDER)
    assert files_of(tmp_path / "vault") == [CONTAINER]
    assert await store.digest(RECORDING, folder=FOLDER) == sealed.sha256


async def store_again(directory: str) -> None:
    """Seal what lies in ``directory``: an act of ``tests/crashes.py``."""
    place = Path(directory)
    await a_vault(place).store(RECORDING, raw=place / f"{RECORDING}.raw", folder=FOLDER)


@pytest.mark.parametrize("replaces", [False, True], ids=["new", "replaced"])
def test_sealing_killed_before_any_step_is_finished_by_the_next(
    tmp_path: Path, replaces: bool
) -> None:
    """F16: a real process, killed before its Nth file operation, once with a file to replace."""
    places = (tmp_path / str(number) for number in count(1))

    def prepare() -> tuple[str, tuple[str]]:
        place = next(places)
        place.mkdir()
        store, raw = a_vault(place), a_raw(place, stereo(0.5, 0.1, seconds=5))
        if replaces:
            asyncio.run(store.store(RECORDING, raw=raw, folder=FOLDER))
        return "store_again", (str(place),)

    deaths = 0
    with Stage(__name__) as stage:
        for run in stage.every_crash(prepare):
            deaths += run.died_at is not None
            place = Path(run.arguments[0])
            store, raw = a_vault(place), place / f"{RECORDING}.raw"
            sealed = asyncio.run(store.store(RECORDING, raw=raw, folder=FOLDER))
            assert asyncio.run(store.digest(RECORDING, folder=FOLDER)) == sealed.sha256, run
            assert files_of(place / "vault") == [CONTAINER], run
            assert len(files_of(place / "keys")) == 3, run
    assert deaths > 10, "there are steps to die at"


async def test_the_same_audio_is_never_sealed_twice_under_one_key(tmp_path: Path) -> None:
    """RG.4: a nonce is never used again."""
    store, raw = a_vault(tmp_path), a_raw(tmp_path, stereo(0.5, 0.1))
    await store.store(RECORDING, raw=raw, folder=FOLDER)
    first = (tmp_path / "vault" / CONTAINER).read_bytes()
    key = (tmp_path / "keys" / f"{RECORDING}.key").read_bytes()
    await store.store(RECORDING, raw=raw, folder=FOLDER)
    second = (tmp_path / "vault" / CONTAINER).read_bytes()
    assert (first[:40], len(first)) == (second[:40], len(second))
    assert first[40:] != second[40:]
    assert (tmp_path / "keys" / f"{RECORDING}.key").read_bytes() != key


async def test_key_then_file_then_name_are_on_disk_before_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F17, RG.5."""
    store = DiskVault(tmp_path / "vault", some_keys(tmp_path / "keys"))
    raw = a_raw(tmp_path, stereo(0.5, 0.1))
    done: list[str] = []
    fsync, rename = os.fsync, os.rename

    def noted_fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        done.append(f"sync {path.suffix or path.name}")
        fsync(handle)

    def noted_rename(source: str, target: str, **folders: int) -> None:
        done.append(f"name {Path(target).suffix}")
        rename(source, target, **folders)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "rename", noted_rename)
    await store.store(RECORDING, raw=raw, folder=FOLDER)
    assert done == [
        *(f"sync {name}" for name in (tmp_path.name, "vault", "2026", "11")),
        *("sync .part", "name .key", "sync keys"),
        *("sync .part", "name .rec", "sync 12"),
    ]


async def test_a_disk_that_fails_leaves_no_recording_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F9, F11: what was not synced is not there."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    store, raw = a_vault(tmp_path), a_raw(tmp_path, stereo(0.5, 0.1))
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(VaultUnavailable, match="No space left"):
        await store.store(RECORDING, raw=raw, folder=FOLDER)
    assert await store.digest(RECORDING, folder=FOLDER) is None
    monkeypatch.undo()
    await store.store(RECORDING, raw=raw, folder=FOLDER)
    assert files_of(tmp_path / "vault") == [CONTAINER]


async def test_audio_that_shrinks_while_it_is_sealed_is_not_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F13."""
    store, raw = a_vault(tmp_path), a_raw(tmp_path, stereo(0.5, 0.1))
    monkeypatch.setattr(wav, "frames_in", lambda _: 8001)
    with pytest.raises(VaultUnavailable, match="shorter"):
        await store.store(RECORDING, raw=raw, folder=FOLDER)
    assert await store.digest(RECORDING, folder=FOLDER) is None


@pytest.mark.parametrize("what", ["raw missing", "raw a directory", "vault a file"])
async def test_what_cannot_be_read_or_written_is_a_vault_that_is_away(
    tmp_path: Path, what: str
) -> None:
    """F10, F13."""
    raw = a_raw(tmp_path, stereo(0.5, 0.1))
    store = a_vault(tmp_path)
    if what != "vault a file":
        raw.unlink()
    else:
        (tmp_path / "vault").rmdir()
        (tmp_path / "vault").touch()
    if what == "raw a directory":
        raw.mkdir()
    with pytest.raises(VaultUnavailable):
        await store.store(RECORDING, raw=raw, folder=FOLDER)


async def test_a_file_that_cannot_be_read_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    """RG.3."""
    store = a_vault(tmp_path)
    await store.store(RECORDING, raw=a_raw(tmp_path, stereo(0.5, 0.1)), folder=FOLDER)
    (tmp_path / "vault" / CONTAINER).unlink()
    (tmp_path / "vault" / CONTAINER).mkdir()
    with pytest.raises(VaultUnavailable):
        await store.digest(RECORDING, folder=FOLDER)


async def test_a_vault_that_is_not_mounted_is_no_vault_from_which_audio_has_gone(
    tmp_path: Path,
) -> None:
    """R7.2h: an erasure that found nothing to erase must have looked."""
    store = a_vault(tmp_path)
    (tmp_path / "vault").rmdir()
    with pytest.raises(VaultUnavailable):
        await store.digest(RECORDING, folder=FOLDER)
    with pytest.raises(VaultUnavailable):
        await store.destroy_audio(RECORDING, folder=FOLDER)
    with pytest.raises(VaultUnavailable):
        await store.remains(RECORDING, folder=FOLDER)
    with pytest.raises(VaultUnavailable):
        list(store.present())
    (tmp_path / "keys").rename(tmp_path / "elsewhere")
    with pytest.raises(KeyUnavailable):
        await store.destroy_key(RECORDING)
    with pytest.raises(KeyUnavailable):
        list(store.keys_present())


@pytest.mark.parametrize("swapped", ["file", "day", "year"])
async def test_no_link_in_the_vault_is_followed(tmp_path: Path, swapped: str) -> None:
    """A15: what authorisation was asked for is what is opened."""
    store, outside = a_vault(tmp_path), tmp_path / "outside"
    await store.store(RECORDING, raw=a_raw(tmp_path, stereo(0.5, 0.1)), folder=FOLDER)
    path = {
        "file": tmp_path / "vault" / CONTAINER,
        "day": tmp_path / "vault" / FOLDER,
        "year": tmp_path / "vault/2026",
    }[swapped]
    path.rename(outside)
    path.symlink_to(outside)
    before = {each: each.read_bytes() for each in [outside, *outside.rglob("*")] if each.is_file()}
    for act in (
        store.digest(RECORDING, folder=FOLDER),
        store.read(RECORDING, folder=FOLDER, start=0, length=1),
        store.export(RECORDING, folder=FOLDER, target=tmp_path / "out.wav"),
        store.destroy_audio(RECORDING, folder=FOLDER),
    ):
        with pytest.raises(VaultUnavailable):
            await act
    assert {each: each.read_bytes() for each in before} == before
    assert not (tmp_path / "out.wav").exists()


async def test_a_link_to_another_recording_inside_the_vault_is_refused_too(tmp_path: Path) -> None:
    """A15."""
    store, other = a_vault(tmp_path), RecordingId(UUID(int=9))
    await store.store(RECORDING, raw=a_raw(tmp_path, stereo(0.5, 0.1)), folder=FOLDER)
    (tmp_path / "vault" / FOLDER / f"{other}.rec").hardlink_to(tmp_path / "vault" / CONTAINER)
    (tmp_path / "keys" / f"{other}.key").hardlink_to(tmp_path / "keys" / f"{RECORDING}.key")
    with pytest.raises(RecordingDamaged):
        await store.read(other, folder=FOLDER, start=0, length=1)


async def test_key_files_that_changed_places_are_found(tmp_path: Path) -> None:
    """RG.4."""
    store, other = a_vault(tmp_path), RecordingId(UUID(int=9))
    raw = a_raw(tmp_path, stereo(0.5, 0.1))
    for each in (RECORDING, other):
        await store.store(each, raw=raw, folder=FOLDER)
    one, two = (tmp_path / "keys" / f"{each}.key" for each in (RECORDING, other))
    one.rename(tmp_path / "third")
    two.rename(one)
    (tmp_path / "third").rename(two)
    for each in (RECORDING, other):
        with pytest.raises(RecordingDamaged, match="key file"):
            await store.digest(each, folder=FOLDER)


@pytest.mark.parametrize("swapped", ["file", "key"])
async def test_a_pipe_in_a_files_place_keeps_nobody_waiting(tmp_path: Path, swapped: str) -> None:
    """P8: one that will not go must not stop the run."""
    store = a_vault(tmp_path)
    await store.store(RECORDING, raw=a_raw(tmp_path, stereo(0.5, 0.1)), folder=FOLDER)
    path = tmp_path / "vault" / CONTAINER
    destroy = store.destroy_audio(RECORDING, folder=FOLDER)
    if swapped == "key":
        destroy.close()
        path, destroy = tmp_path / "keys" / f"{RECORDING}.key", store.destroy_key(RECORDING)
    path.unlink()
    os.mkfifo(path)
    for act in (store.digest(RECORDING, folder=FOLDER), destroy):
        try:
            with pytest.raises((VaultUnavailable, RecordingDamaged)):
                await asyncio.wait_for(act, timeout=5)
        finally:
            # Whoever does wait is let go, so that the test ends.
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    assert any(await store.remains(RECORDING, folder=FOLDER))


async def test_foreign_files_are_listed_without_their_names(tmp_path: Path) -> None:
    """R10: a name may hold a telephone number."""
    store = a_vault(tmp_path)
    await store.store(RECORDING, raw=a_raw(tmp_path, stereo(0.5, 0.1)), folder=FOLDER)
    (tmp_path / "vault" / FOLDER / "600123456.rec").write_bytes(b"x")
    (tmp_path / "vault" / f"{RECORDING}.rec").write_bytes(b"xy")
    (tmp_path / "vault" / FOLDER / f"{RecordingId(UUID(int=9))}.wav").write_bytes(b"xyz")
    (tmp_path / "vault/2026/dangling").symlink_to("nowhere")
    (tmp_path / "vault/2025").symlink_to(tmp_path)
    found = {(each.kind, each.id, each.folder, each.size_bytes) for each in store.present()}
    assert {each for each in found if each[0] is FileKind.FOREIGN} == {
        (FileKind.FOREIGN, None, FOLDER, 1),
        (FileKind.FOREIGN, None, "", 2),
        (FileKind.FOREIGN, None, "", 7),
        (FileKind.FOREIGN, None, "", len(str(tmp_path))),
    }
    assert (FileKind.PLAIN, RecordingId(UUID(int=9)), FOLDER, 3) in found
    assert len(found) == 6
    assert not any("600123456" in each.described for each in store.present())


async def test_without_the_master_key_no_audio_is_found_in_vault_and_keys(tmp_path: Path) -> None:
    """RG.4: a copy of both volumes says nothing."""
    store = a_vault(tmp_path)
    raw = a_raw(tmp_path, b"MARKER OF THE PLAIN TEXT" * 10_000)
    await store.store(RECORDING, raw=raw, folder=FOLDER)
    key = some_keys(tmp_path / "keys").get(RECORDING)
    assert key is not None
    stolen = b"".join(
        each.read_bytes()
        for tree in ("vault", "keys")
        for each in (tmp_path / tree).rglob("*")
        if each.is_file()
    )
    assert b"MARKER" in raw.read_bytes()
    for secret in (b"MARKER", b"RIFF", b"WAVEfmt", key, SECRET):
        assert secret not in stolen


@pytest.mark.parametrize(
    "folder",
    ["", "../../etc", "2026/11", "2026/11/12/..", "/2026/11/12", "2026/11/12\n", "٢٠٢٦/11/12"],
)
async def test_no_folder_but_a_day_makes_a_path(tmp_path: Path, folder: str) -> None:
    """RG.7."""
    store = a_vault(tmp_path)
    with pytest.raises(ValueError, match="YYYY/MM/DD"):
        await store.read(RECORDING, folder=folder, start=0, length=1)
    with pytest.raises(ValueError, match="YYYY/MM/DD"):
        await store.destroy_audio(RECORDING, folder=folder)


MEASURE = """
import asyncio, resource, sys
from pathlib import Path
from uuid import UUID
from tests.keys import a_vault
place, spool = (Path(each) for each in sys.argv[1:])
def store(name):
    raw = spool / name
    sealed = asyncio.run(a_vault(place).store(UUID(int=1), raw=raw, folder="2026/11/12"))
    return sealed.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(*store("short.raw"), *store("long.raw"))
"""


def test_memory_does_not_grow_with_the_call(tmp_path: Path) -> None:
    """L6: four hours, 460 MB; a process of its own, since a peak is never taken back."""
    (tmp_path / "short.raw").write_bytes(stereo(0.5, 0.1, seconds=60))
    with (tmp_path / "long.raw").open("wb") as long:
        long.truncate(HOURS_4)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    short_frames, short_kib, long_frames, long_kib = (int(each) for each in run.stdout.split())
    assert short_frames == 60 * 8000
    assert long_frames == HOURS_4 // 4
    assert long_kib - short_kib <= 16 * 1024
    (stored,) = (tmp_path / "vault").rglob("*.rec")
    assert stored.stat().st_size > HOURS_4
