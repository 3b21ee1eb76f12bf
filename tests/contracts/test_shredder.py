"""What erasing may rely on of the disk, the fake in memory and real files alike."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from recorder.adapters.shredder import DiskShredder
from recorder.erasure.ports import Shredder
from recorder.model import RecordingId
from tests.builders import NOON, RECORDING
from tests.fakes_erasure import FakeShredder
from tests.keys import a_vault

FOLDER = "2026/11/12"


@dataclass(frozen=True)
class Kept:
    shredder: Shredder
    unmount: Callable[[], object]


async def _on_disk(directory: Path) -> Kept:
    vault, raw = a_vault(directory), directory / "audio.raw"
    raw.write_bytes(bytes(3200))
    await vault.store(RECORDING, raw=raw, folder=FOLDER)
    at = NOON.timestamp()
    os.utime(directory / "vault" / FOLDER / f"{RECORDING}.rec", (at, at))
    away = directory / "away"
    return Kept(
        DiskShredder(directory / "vault", vault),
        lambda: (directory / "vault").rename(away),
    )


async def _in_memory(_: Path) -> Kept:
    fake = FakeShredder()
    fake.put(RECORDING, NOON)
    return Kept(fake, lambda: setattr(fake, "mounted", False))


@pytest.fixture(params=[_in_memory, _on_disk], ids=["fake", "disk"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    make: Callable[[Path], Awaitable[Kept]] = request.param
    return await make(tmp_path)


async def test_a_file_is_dated_and_gone_it_is_none(kept: Kept) -> None:
    files = [(RECORDING, FOLDER)]
    assert await kept.shredder.written_at(files) == {RECORDING: NOON}
    assert await kept.shredder.remains(RECORDING, folder=FOLDER) == (True, True)
    for _ in range(2):
        await kept.shredder.destroy_key(RECORDING)
    assert await kept.shredder.remains(RECORDING, folder=FOLDER) == (False, True)
    for _ in range(2):
        await kept.shredder.destroy_audio(RECORDING, folder=FOLDER)
    assert await kept.shredder.remains(RECORDING, folder=FOLDER) == (False, False)
    assert await kept.shredder.written_at(files) == {RECORDING: None}


async def test_in_a_vault_that_is_not_there_nothing_is_called_gone(kept: Kept) -> None:
    kept.unmount()
    assert await kept.shredder.written_at([(RECORDING, FOLDER)]) == {}


async def test_of_nothing_nothing_is_asked(kept: Kept) -> None:
    nothing: list[tuple[RecordingId, str]] = []
    assert await kept.shredder.written_at(nothing) == {}
