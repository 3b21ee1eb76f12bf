"""Capture refuses to start without the right master key, and says what to do (RG.4)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.keys import MASTER_KEY_TEXT, some_keys

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "recorder keys init"),
        ({"RECORDER_MASTER_KEY": "00" * 32}, "not the one of the key directory"),
        ({"RECORDER_MASTER_KEY": "hush"}, "32 bytes"),
        ({"RECORDER_MASTER_KEY_FILE": "missing"}, "file of the master key is missing"),
        (
            {"RECORDER_MASTER_KEY": MASTER_KEY_TEXT, "RECORDER_KEY_DIR": "spool"},
            "is its volume mounted",
        ),
    ],
)
def test_a_missing_or_wrong_master_key_is_a_clear_refusal(
    tmp_path: Path, given: dict[str, str], says: str
) -> None:
    some_keys(tmp_path / "keys")
    for folder in ("spool", "vault", "announcements"):
        (tmp_path / folder).mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RECORDER_")}  # noqa: TID251 - handed on, not read
    environment |= {
        "RECORDER_SPOOL_DIR": "spool",
        "RECORDER_VAULT_DIR": "vault",
        "RECORDER_KEY_DIR": "keys",
        "RECORDER_ANNOUNCEMENT_DIR": "announcements",
        "RECORDER_REGULATION_FILE": str(ROOT / "regulation.toml"),
        "PYTHONPATH": str(ROOT),
    }
    ended = subprocess.run(
        [sys.executable, str(ROOT / "ari_app.py")],
        cwd=tmp_path,
        env=environment | given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hush" not in ended.stderr + ended.stdout
