"""Recordings outlive this service: another program reads them by their description alone."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from recorder.model import RecordingId
from tests.builders import RECORDING
from tests.keys import MASTER_KEY_TEXT, OTHER_SECRET, a_vault

ROOT = Path(__file__).parents[2]
READER = ROOT / "script/read-recording"
FOLDER = "2026/11/12"


def read(*arguments: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", str(READER), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def block(name: str) -> str:
    text = (ROOT / "docs/vault-format.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{name}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found)


def dumped(name: str) -> bytes:
    return bytes.fromhex("".join(line[4:] for line in block(name).splitlines()))


@pytest.fixture(params=["base64", "hex"])
def master_key(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / "master-key"
    file.write_text(MASTER_KEY_TEXT if request.param == "base64" else bytes(range(32)).hex())
    return file


@pytest.mark.parametrize("frames", [0, 1, 16_373, 16_374, 100_000])
async def test_what_the_service_sealed_is_read_without_it(
    tmp_path: Path, master_key: Path, frames: int
) -> None:
    raw, target = tmp_path / "a.raw", tmp_path / "a.wav"
    samples = np.random.default_rng(2).integers(-9000, 9000, (frames, 2), dtype="<i2").tobytes()
    raw.write_bytes(samples)
    sealed = await a_vault(tmp_path).store(RECORDING, raw=raw, folder=FOLDER)
    container = tmp_path / "vault" / FOLDER / f"{RECORDING}.rec"
    key = tmp_path / "keys" / f"{RECORDING}.key"
    done = read(container, key, master_key, target)
    assert (done.returncode, done.stderr) == (0, "")
    assert hashlib.sha256(target.read_bytes()).hexdigest() == sealed.sha256
    assert target.read_bytes()[44:] == samples
    assert target.stat().st_mode & 0o777 == 0o600, "what leaves the vault is for its owner alone"


async def test_it_refuses_what_was_changed_cut_lengthened_or_is_anothers(
    tmp_path: Path, master_key: Path
) -> None:
    raw, target = tmp_path / "a.raw", tmp_path / "a.wav"
    raw.write_bytes(bytes(200_000))
    other = RecordingId(UUID(int=9))
    for each in (RECORDING, other):
        await a_vault(tmp_path).store(each, raw=raw, folder=FOLDER)
    container = tmp_path / "vault" / FOLDER / f"{RECORDING}.rec"
    key, wrong_key = (tmp_path / "keys" / f"{each}.key" for each in (RECORDING, other))
    wrong_master = tmp_path / "other"
    wrong_master.write_text(OTHER_SECRET.hex())
    whole = container.read_bytes()
    cases = [(container, wrong_key, master_key), (container, key, wrong_master)]
    for number, bad in enumerate(
        (whole[:-1], whole + b"x", whole[:50_000] + b"x" + whole[50_001:], whole[:65_592])
    ):
        damaged = tmp_path / f"{number}.rec"
        damaged.write_bytes(bad)
        cases.append((damaged, key, master_key))
    for case in cases:
        assert read(*case, target).returncode != 0
        assert not target.exists()
        target.with_name("a.wav.part").unlink(missing_ok=True)


def test_the_example_of_the_description_is_true(tmp_path: Path) -> None:
    """`docs/vault-format.md`."""
    (tmp_path / "master").write_text(block("master-key"))
    (tmp_path / "a.key").write_bytes(dumped("key"))
    (tmp_path / "a.rec").write_bytes(dumped("rec"))
    done = read(*(tmp_path / each for each in ("a.rec", "a.key", "master", "a.wav")))
    assert (done.returncode, done.stderr) == (0, "")
    wav = (tmp_path / "a.wav").read_bytes()
    assert wav == dumped("wav")
    assert hashlib.sha256(wav).hexdigest() in (ROOT / "docs/vault-format.md").read_text()
