"""What every vault promises, the fake in memory and the one on disk alike."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import soundfile

from recorder.custody.model import FileKind
from recorder.errors import NotFound, RecordingDamaged, RuleViolation, VaultUnavailable
from recorder.model import RecordingId
from recorder.ports import Vault
from tests.builders import NOON, RECORDING
from tests.fakes import FakeSpool, FakeVault
from tests.keys import a_vault

FOLDER = "2026/11/12"
OTHER = RecordingId(UUID(int=77))
SAMPLES = np.random.default_rng(1).integers(-9000, 9000, (40_000, 2), dtype="<i2").tobytes()
"""Three chunks of 64 KiB, the last not full."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A vault, and ways to reach past the port."""

    vault: Vault
    spool_audio: Callable[[bytes], Path]
    """Put audio of RECORDING into the spool."""
    damage: Callable[[], None]
    """Change a byte of RECORDING in the vault."""


@pytest.fixture(params=["fake", "disk"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    spool = FakeSpool()
    if request.param == "fake":
        fake = FakeVault(spool)

        def in_memory(audio: bytes) -> Path:
            spool.write(RECORDING, audio, NOON)
            return spool.audio_path(RECORDING)

        return Kept(fake, in_memory, lambda: fake.damaged.add(RECORDING))

    def on_disk(audio: bytes) -> Path:
        raw = tmp_path / f"{RECORDING}.raw"
        raw.write_bytes(audio)
        return raw

    def damage() -> None:
        with (tmp_path / "vault" / FOLDER / f"{RECORDING}.rec").open("r+b") as file:
            file.seek(70_000)
            byte = file.read(1)
            file.seek(70_000)
            file.write(bytes([byte[0] ^ 1]))

    return Kept(a_vault(tmp_path), on_disk, damage)


async def test_what_is_stored_is_a_wav_of_these_samples(kept: Kept) -> None:
    """R5.2a."""
    sealed = await kept.vault.store(RECORDING, raw=kept.spool_audio(SAMPLES), folder=FOLDER)
    size = await kept.vault.size(RECORDING, folder=FOLDER)
    whole = await kept.vault.read(RECORDING, folder=FOLDER, start=0, length=size)
    assert len(whole) == size == sealed.size_bytes
    samples, rate = soundfile.read(io.BytesIO(whole), dtype="int16")
    assert rate == sealed.sample_rate == 8000
    assert samples.shape == (sealed.frames, 2)
    assert samples.tobytes() == SAMPLES
    told = await kept.vault.digest(RECORDING, folder=FOLDER)
    assert told == sealed.sha256 == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (0, 44),
        (44, 1),
        (65_535, 2),
        (65_536, 65_536),
        (1, 160_042),
        (131_071, 10**9),
        (160_044, 10),
        (10**9, 1),
        (5, 0),
    ],
)
async def test_any_range_is_read_alone_and_cut_at_the_end(
    kept: Kept, start: int, length: int
) -> None:
    await kept.vault.store(RECORDING, raw=kept.spool_audio(SAMPLES), folder=FOLDER)
    size = await kept.vault.size(RECORDING, folder=FOLDER)
    whole = await kept.vault.read(RECORDING, folder=FOLDER, start=0, length=size)
    found = await kept.vault.read(RECORDING, folder=FOLDER, start=start, length=length)
    assert found == whole[start : start + length]


async def test_an_empty_file_is_a_recording_of_nothing(kept: Kept) -> None:
    """F13."""
    sealed = await kept.vault.store(RECORDING, raw=kept.spool_audio(b""), folder=FOLDER)
    assert sealed.frames == 0
    assert await kept.vault.size(RECORDING, folder=FOLDER) == 44
    assert await kept.vault.digest(RECORDING, folder=FOLDER) == sealed.sha256


async def test_what_is_not_there_is_told_apart_from_what_cannot_be_read(kept: Kept) -> None:
    """RG.3."""
    assert await kept.vault.digest(RECORDING, folder=FOLDER) is None
    with pytest.raises(NotFound):
        await kept.vault.read(RECORDING, folder=FOLDER, start=0, length=1)
    with pytest.raises(NotFound):
        await kept.vault.size(RECORDING, folder=FOLDER)
    assert await kept.vault.remains(RECORDING, folder=FOLDER) == (False, False)


async def test_audio_that_was_changed_is_refused_by_every_way_of_reading(
    kept: Kept, tmp_path: Path
) -> None:
    """RG.3, F13: refused, never garbage."""
    await kept.vault.store(RECORDING, raw=kept.spool_audio(SAMPLES), folder=FOLDER)
    kept.damage()
    with pytest.raises(RecordingDamaged):
        await kept.vault.digest(RECORDING, folder=FOLDER)
    with pytest.raises(RecordingDamaged):
        await kept.vault.read(RECORDING, folder=FOLDER, start=69_000, length=2000)
    with pytest.raises(RecordingDamaged):
        await kept.vault.export(RECORDING, folder=FOLDER, target=tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


async def test_a_copy_is_a_plain_wav_for_its_owner_alone_and_replaces_nothing(
    kept: Kept, tmp_path: Path
) -> None:
    sealed = await kept.vault.store(RECORDING, raw=kept.spool_audio(SAMPLES), folder=FOLDER)
    target = tmp_path / "out.wav"
    assert await kept.vault.export(RECORDING, folder=FOLDER, target=target) == sealed.sha256
    assert hashlib.sha256(target.read_bytes()).hexdigest() == sealed.sha256
    assert target.stat().st_mode & 0o777 == 0o600
    assert soundfile.info(target).frames == sealed.frames
    with pytest.raises(RuleViolation, match="overwritten"):
        await kept.vault.export(RECORDING, folder=FOLDER, target=target)
    with pytest.raises(NotFound):
        await kept.vault.export(OTHER, folder=FOLDER, target=tmp_path / "other.wav")
    assert list(tmp_path.glob("*.wav*")) == [target]


async def test_erasing_takes_the_key_and_then_the_audio_each_as_often_as_wanted(
    kept: Kept,
) -> None:
    """R7.2e, F16."""
    await kept.vault.store(RECORDING, raw=kept.spool_audio(SAMPLES), folder=FOLDER)
    assert await kept.vault.remains(RECORDING, folder=FOLDER) == (True, True)
    for _ in range(2):
        await kept.vault.destroy_key(RECORDING)
        assert await kept.vault.remains(RECORDING, folder=FOLDER) == (False, True)
    with pytest.raises(RecordingDamaged):
        await kept.vault.read(RECORDING, folder=FOLDER, start=0, length=1)
    for _ in range(2):
        await kept.vault.destroy_audio(RECORDING, folder=FOLDER)
        assert await kept.vault.remains(RECORDING, folder=FOLDER) == (False, False)
    assert list(kept.vault.present()) == []
    assert list(kept.vault.keys_present()) == []


async def test_what_is_there_is_listed(kept: Kept) -> None:
    """RG.5: rows and files are compared both ways."""
    await kept.vault.store(RECORDING, raw=kept.spool_audio(SAMPLES), folder=FOLDER)
    (found,) = kept.vault.present()
    assert (found.id, found.kind, found.folder) == (RECORDING, FileKind.SEALED, FOLDER)
    assert found.size_bytes >= len(SAMPLES)
    assert str(RECORDING) not in found.described
    assert list(kept.vault.keys_present()) == [RECORDING]


async def test_storing_twice_leaves_one_recording(kept: Kept) -> None:
    """F16."""
    raw = kept.spool_audio(SAMPLES)
    first = await kept.vault.store(RECORDING, raw=raw, folder=FOLDER)
    assert await kept.vault.store(RECORDING, raw=raw, folder=FOLDER) == first
    assert len(list(kept.vault.present())) == len(list(kept.vault.keys_present())) == 1
    assert await kept.vault.digest(RECORDING, folder=FOLDER) == first.sha256


async def test_a_spool_file_that_is_missing_is_a_vault_that_is_away(kept: Kept) -> None:
    """F10."""
    with pytest.raises(VaultUnavailable):
        await kept.vault.store(OTHER, raw=Path("/spool") / f"{OTHER}.raw", folder=FOLDER)
    assert await kept.vault.digest(OTHER, folder=FOLDER) is None
