"""The power fails at every step of erasing: what was said to be gone stays gone (F17, R7.2e)."""

import asyncio
import shutil
from itertools import count
from pathlib import Path

import pytest

from tests.contracts.erasing import CLOSED, FOLDER, RECORDING, erase
from tests.crashes import Stage
from tests.keys import a_vault
from tests.power_cut import Disk

AUDIO = bytes(range(256)) * 1250


def test_what_is_erased_does_not_come_back_with_the_power(tmp_path: Path) -> None:
    worlds: list[Path] = []
    names = count()

    def prepare() -> tuple[str, tuple[str]]:
        world = tmp_path / str(next(names))
        raw = world / "audio.raw"
        world.mkdir()
        raw.write_bytes(AUDIO)
        asyncio.run(a_vault(world).store(RECORDING, raw=raw, folder=FOLDER))
        worlds.append(world)
        return "erase", (str(world),)

    deaths = 0
    with Stage("tests.contracts.erasing") as stage:
        for run in stage.every_crash(prepare, power_cut=True):
            world = worlds[-1]
            deaths += run.died_at is not None
            vault = a_vault(world)
            key, audio = asyncio.run(vault.remains(RECORDING, folder=FOLDER))
            if any(step.endswith(CLOSED) for step in run.steps):
                assert (key, audio) == (False, False), run
            if not audio:
                assert not key, f"the audio went before its key: {run}"
            asyncio.run(erase(str(world)))
            assert asyncio.run(vault.remains(RECORDING, folder=FOLDER)) == (False, False)
            shutil.rmtree(world)
    assert deaths >= 6, "there are steps to die at"


@pytest.mark.parametrize("lost", ["key", "audio"])
def test_the_cut_takes_back_what_was_not_put_on_disk(tmp_path: Path, lost: str) -> None:
    """The test above can fail: without the folder's fsync the removed file is there again."""
    kept = tmp_path / "kept"
    kept.mkdir()
    file = tmp_path / lost
    file.write_bytes(b"x")
    disk = Disk(kept)
    disk.unlinking(file)
    file.unlink()
    disk.cut()
    assert file.exists()
