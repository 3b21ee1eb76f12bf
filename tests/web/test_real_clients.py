"""`recorder web` as a process of its own, and curl: the middle of a recording plays (A8)."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import soundfile

from recorder.accounts.model import Role
from recorder.adapters.keys import PENDING
from recorder.embedded.postgres import free_port
from recorder.web.rules import parse_origin
from tests.signed_in import PURPOSE
from tests.web.office import PASSWORD, WebOffice, open_office

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here"),
]
COOKIE = "rejestrator-demo-session"
WEB = [sys.executable, "-m", "recorder", "web"]


@asynccontextmanager
async def process(
    url: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[WebOffice, str]]:
    """Run ``recorder web`` on the database and the vault of an office, on loopback."""
    port = free_port()
    origin = parse_origin(f"http://127.0.0.1:{port}")
    async with open_office(url, directory, origin=origin, listed="127.0.0.1") as office:
        for name, value in office.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("RECORDER_WEB_PORT", str(port))
        monkeypatch.setenv("RECORDER_WEB_PLAIN_HTTP", "true")
        running = started(directory)
        try:
            yield office, str(origin)
        finally:
            assert stopped(running) == 0


def started(directory: Path) -> "subprocess.Popen[bytes]":
    running = subprocess.Popen(WEB, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert running.stdout is not None
    said = []
    for line in running.stdout:
        said.append(line)
        if b"web_serves" in line:
            return running
    running.communicate()
    pytest.fail(b"".join(said).decode())


def stopped(running: "subprocess.Popen[bytes]") -> int:
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=15)
    return running.returncode


def ended(directory: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        WEB, cwd=directory, capture_output=True, text=True, check=False, timeout=30
    )


def curl(*arguments: str) -> bytes:
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "20", *arguments],
        capture_output=True,
        check=True,
    ).stdout


def processes() -> str:
    return subprocess.run(
        ["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout


async def test_curl_signs_in_and_plays_from_the_middle(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(database_url, tmp_path, monkeypatch) as (office, origin):
        call = await office.call(seconds=20)
        account = await office.person(Role.LISTENER, login="olga")
        await office.authorise(account, [Role.LISTENER])
        head = curl(
            *("--data", "login=olga", "--data-urlencode", f"password={PASSWORD}"),
            *("--header", f"Origin: {origin}", "--dump-header", "-"),
            *("--output", os.devnull, f"{origin}/sign-in"),
        ).decode()
        assert "303" in head.splitlines()[0]
        assert "server:" not in head.lower()
        token = re.search(rf"{COOKIE}=([^;]+)", head)
        assert token is not None
        cookie = ("--cookie", f"{COOKIE}={token[1]}")
        opened = json.loads(
            curl(
                *cookie,
                *("--json", json.dumps({"purpose": PURPOSE}), "--header", f"Origin: {origin}"),
                f"{origin}/api/v1/recordings/{call.recording_id}/playbacks",
            )
        )
        address = f"{origin}{opened['audio']}"
        whole = curl(*cookie, address)
        samples, rate = soundfile.read(io.BytesIO(whole), dtype="int16")
        assert (rate, samples.shape) == (8000, (160_000, 2))
        middle = curl(*cookie, "--range", "320044-352043", address)
        assert middle == whole[320_044:352_044]
        code = curl(*cookie, "--range", "1-2,4-5", "--write-out", "%{http_code}", address)
        assert code.endswith(b"416")
        resumed = tmp_path / "resumed.wav"
        resumed.write_bytes(whole[:100_000])
        curl(*cookie, "--continue-at", "-", "--output", str(resumed), address)
        assert resumed.read_bytes() == whole


async def test_a_second_web_on_the_same_port_says_so(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(database_url, tmp_path, monkeypatch):
        second = ended(tmp_path)
        assert second.returncode == 2
        assert "RECORDER_WEB_PORT" in second.stderr
        assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "RECORDER_WEB_ORIGIN is needed"),
        ({"RECORDER_WEB_ORIGIN": "rejestrator.example"}, "an origin is https://host"),
        ({"RECORDER_WEB_ORIGIN": "http://127.0.0.1:1"}, "RECORDER_WEB_PLAIN_HTTP=true"),
        (
            {"RECORDER_WEB_ORIGIN": "http://10.0.0.1", "RECORDER_WEB_PLAIN_HTTP": "true"},
            "on loopback alone",
        ),
    ],
)
def test_without_a_safe_address_the_web_does_not_start(
    settings: dict[str, str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B9."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    refused = ended(tmp_path)
    assert refused.returncode == 2
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_an_unfinished_restore_keeps_the_web_from_starting_and_from_playing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RG.10: what was erased since the backup must not be listened to."""
    async with process(database_url, tmp_path, monkeypatch) as (office, _):
        call = await office.call(seconds=1)
        account = await office.person(Role.LISTENER, login="olga")
        await office.authorise(account, [Role.LISTENER])
        browser = await office.sign_in("olga", address="127.0.0.1")
        path = f"/api/v1/recordings/{call.recording_id}/playbacks"
        opened = (await browser.post(path, json={"purpose": PURPOSE})).json()
        (office.settings.key_dir / PENDING).touch()
        assert (await browser.get(opened["audio"])).status_code == 503
        later = await browser.post(path, json={"purpose": PURPOSE})
        if later.status_code == 201:
            assert (await browser.get(later.json()["audio"])).status_code == 503
        monkeypatch.setenv("RECORDER_WEB_PORT", str(free_port()))
        refused = ended(tmp_path)
        assert (refused.returncode, "recorder restore --finish" in refused.stderr) == (2, True)
        assert "Traceback" not in refused.stderr


async def test_a_public_key_that_is_none_is_refused_at_the_start(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B9: not when somebody wants the trail verified."""
    async with process(database_url, tmp_path, monkeypatch):
        monkeypatch.setenv("RECORDER_AUDIT_PUBLIC_KEY", "nonsense")
        monkeypatch.setenv("RECORDER_WEB_PORT", str(free_port()))
        refused = ended(tmp_path)
    assert (refused.returncode, "RECORDER_AUDIT_PUBLIC_KEY" in refused.stderr) == (2, True)
    assert "Traceback" not in refused.stderr


async def test_no_secret_is_in_the_arguments_and_no_file_is_others(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A12."""
    async with process(database_url, tmp_path, monkeypatch) as (office, _):
        call = await office.call(seconds=1)
        secrets = [
            office.settings.database_url.get_secret_value(),
            office.settings.master_key.get_secret_value(),
        ]
        seen = processes()
        assert "recorder web" in seen
        assert not any(each in seen for each in secrets)
        kept = [
            path
            for folder in (office.settings.vault_dir, office.settings.key_dir)
            for path in folder.rglob("*")
        ]
        assert any(str(call.recording_id) in path.name for path in kept)
        assert [path for path in kept if path.stat().st_mode & 0o007] == []
