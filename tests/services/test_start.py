"""Capture refuses to start without the right master key, and says what to do (RG.4)."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from recorder.embedded.office import takes_calls
from recorder.embedded.postgres import free_port
from tests.keys import MASTER_KEY_TEXT, some_keys

ROOT = Path(__file__).parents[2]


def machine(tmp_path: Path) -> dict[str, str]:
    """Prepare folders and keys; return the settings, without the master key."""
    some_keys(tmp_path / "keys")
    for folder in ("spool", "vault", "announcements"):
        (tmp_path / folder).mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RECORDER_")}  # noqa: TID251 - handed on, not read
    return environment | {
        "RECORDER_SPOOL_DIR": "spool",
        "RECORDER_VAULT_DIR": "vault",
        "RECORDER_KEY_DIR": "keys",
        "RECORDER_ANNOUNCEMENT_DIR": "announcements",
        "RECORDER_REGULATION_FILE": str(ROOT / "regulation.toml"),
        "PYTHONPATH": str(ROOT),
    }


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
    environment = machine(tmp_path)
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


def test_capture_tells_prometheus_that_asterisk_is_away(tmp_path: Path) -> None:
    """The whole process, with neither Asterisk nor PostgreSQL behind it."""
    port, nobody = free_port(), free_port()
    given = {
        "RECORDER_MASTER_KEY": MASTER_KEY_TEXT,
        "RECORDER_ARI_URL": f"http://127.0.0.1:{nobody}/ari",
        "RECORDER_AMI_PORT": str(nobody),
        "RECORDER_AMI_PASSWORD": "hush",
        "RECORDER_DATABASE_URL": f"postgresql+psycopg://recorder@127.0.0.1:{nobody}/recorder",
        "RECORDER_PROBE_PORT": str(port),
        "RECORDER_PROBE_WATCH_HOST": "127.0.0.2",
    }
    with subprocess.Popen(
        [sys.executable, str(ROOT / "ari_app.py")],
        cwd=tmp_path,
        env=machine(tmp_path) | given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as capture:
        try:
            told = figures_of(f"http://127.0.0.2:{port}/metrics", within_s=30)
            assert told["recorder_ari_connected"] == told["recorder_ami_connected"] == 0
            assert told["recorder_calls_in_progress"] == 0
            assert told["recorder_spool_bytes"] == 0
            assert not takes_calls(port)
        finally:
            capture.terminate()
        assert capture.wait(20) == 0


def figures_of(url: str, *, within_s: float) -> dict[str, float]:
    """Ask until the spool has been looked at."""
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - ours, http
                families = [*text_string_to_metric_families(answer.read().decode("utf-8"))]
        except urllib.error.URLError:
            families = []
        found = {each.name: each.value for family in families for each in family.samples}
        if "recorder_spool_bytes" in found:
            return found
        time.sleep(0.1)
    raise AssertionError("capture does not tell its figures")
