"""``recorder backup``, ``restore`` and ``erasures`` as a person runs them, and what stays shut."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from recorder.adapters.backup_places import Places
from recorder.adapters.backup_pruning import KeyPruner
from recorder.adapters.clock import SystemClock
from recorder.adapters.erasure_ledger import LedgerFile, read_ledger
from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.restoring import Restored
from recorder.adapters.restore_marker import read_marker
from recorder.backup.work import BackupWork
from recorder.model import RecordingId
from tests.builders_keeping import PURGE
from tests.postgres.test_commands import Run, as_a_person
from tests.restoring import KEY_DAYS, LEAD, Installation, regulation_text

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Installation:
    office = Installation(database_url, tmp_path / "office")
    office.open()
    office.clock.at = SystemClock().now()
    return office


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return as_a_person(monkeypatch, capsys)


def work_at(office: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in office.environment.items():
        monkeypatch.setenv(name, value)


def outlive(url: str, recording_id: RecordingId, days: int) -> None:
    """Make a recording so much older, since a process cannot be given another clock."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for column in ("ended_at", "first_sample_at", "erase_by"):
            connection.execute(
                f"UPDATE recording SET {column} = {column} - %s WHERE id = %s".encode(),
                [days * DAY, recording_id],
            )


def test_there_and_back_at_the_prompt(
    office: Installation,
    empty_url: str,
    tmp_path: Path,
    recorder: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RG.17: made, verified, and restored on another machine."""
    office.seal(1, age=DAY)
    office.seal(2, age=DAY)
    work_at(office, monkeypatch)
    sets, keys = str(tmp_path / "sets"), str(tmp_path / "opens")
    said = recorder("backup", sets, "--keys-to", keys)
    assert said.status == 0
    assert "Backed up 2 recordings" in said.out
    assert "nothing destroys its keys" in said.err
    said = recorder("backup", "verify", sets, "--keys-from", keys)
    assert (said.status, said.out.split(": ")[1].strip()) == (0, "2 recordings, 0 problems.")

    elsewhere = Installation(empty_url, tmp_path / "elsewhere")
    work_at(elsewhere, monkeypatch)
    said = recorder("restore", sets, "--keys-from", keys)
    assert (said.status, "--without-ledger" in said.err) == (2, True)
    work_at(office, monkeypatch)
    said = recorder("erasures", "export", str(tmp_path / "off.jsonl"))
    assert said.out.startswith("Wrote 0 erasures and 0 holds")
    work_at(elsewhere, monkeypatch)
    said = recorder("restore", sets, "--keys-from", keys, "--ledger", str(tmp_path / "off.jsonl"))
    assert said.status == 0, said.err
    assert "Processes may start" in said.out
    assert (elsewhere.directory / "regulation.toml").read_text() == regulation_text()
    said = recorder("recordings", "verify", "--all")
    assert (said.status, said.out) == (0, "Read 2 recordings; 0 missing or changed.\n")


def test_until_a_restore_is_finished_no_process_starts_and_no_audio_is_read(
    office: Installation,
    empty_url: str,
    tmp_path: Path,
    recorder: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RG.17, R7.2k: before the first port answers. Nobody vouches for the clock: a person does."""
    fresh, due = office.seal(1, age=DAY), office.seal(2, age=DAY)
    work_at(office, monkeypatch)
    sets, keys = str(tmp_path / "sets"), str(tmp_path / "opens")
    assert recorder("backup", sets, "--keys-to", keys).status == 0
    elsewhere = Installation(empty_url, tmp_path / "elsewhere")
    work_at(elsewhere, monkeypatch)
    # A machine whose kernel vouches for nothing, with something due: the brake asks a person.
    monkeypatch.setattr("recorder.adapters.kernel_clock.KernelClock.synchronised", lambda _: False)
    upgrade = migrate.upgrade

    def aged(url: str) -> str:
        outlive(url, due, 40)
        return upgrade(url)

    monkeypatch.setattr(migrate, "upgrade", aged)
    said = recorder("restore", sets, "--keys-from", keys, "--without-ledger")
    assert (said.status, "clock_jump" in said.err) == (1, True)
    token = said.err.split("--confirm ")[1].split()[0]
    for program in ("ari_app.py", "retention.py"):
        ended = subprocess.run(
            [sys.executable, str(ROOT / program)],
            env={**elsewhere.environment, "RECORDER_ARI_PASSWORD": "x", "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, "recorder restore --finish" in ended.stderr) == (2, True), program
    assert recorder("recordings", "export", str(fresh), str(tmp_path)).status == 1
    for command in (
        ("recordings", "verify", "--all"),
        ("purge",),
        ("keys", "rotate", "--new-master-key-file", str(tmp_path / "new-master-key")),
        ("backup", str(tmp_path / "again"), "--keys-to", keys),
    ):
        said = recorder(*command)
        assert (said.status, "recorder restore --finish" in said.err) == (2, True), command
    said = recorder("restore", "--finish", "--confirm", token)
    assert said.status == 0, said.err
    assert "Erased 1 recordings that were due" in said.out
    assert read_marker(elsewhere.keys) is None
    assert recorder("recordings", "verify", "--all").out.startswith("Read 1 recordings; 0")
    said = recorder("restore", "--finish")
    assert (said.status, "no restore is at work" in said.err) == (1, True)


def test_config_check_refuses_keys_that_outlive_thirty_days(
    office: Installation, recorder: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RG.17."""
    work_at(office, monkeypatch)
    file = office.directory / "regulation.toml"
    file.write_text(regulation_text(days=23, key_days=8))
    said = recorder("config", "check")
    assert said.status == 1
    assert "wrong: retention.days (23) and backups.key_days (8) are more than 30" in said.out
    file.write_text(regulation_text(days=30, key_days=0))
    assert "remark: backups.key_days is 0" in recorder("config", "check").out
    said = recorder("backup", "/nowhere", "--keys-to", "/elsewhere")
    assert (said.status, "key_days is 0" in said.err) == (1, True)


def test_pruning_is_told_to_the_trail(
    office: Installation, tmp_path: Path, recorder: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.seal(1, age=DAY)
    work_at(office, monkeypatch)
    monkeypatch.setenv("RECORDER_BACKUP_KEY_DIRS", str(tmp_path / "opens"))
    assert recorder("backup", str(tmp_path / "sets")).err == ""
    assert recorder("backup", "prune", str(tmp_path / "sets")).out.startswith(
        "Destroyed the keys of 0 backups"
    )
    (listed,) = recorder("backup", "list", str(tmp_path / "sets"), "--json").json
    assert (listed["recordings"], listed["missing"], listed["opens"]) == (1, 0, True)
    assert listed["name"] in recorder("backup", "list", str(tmp_path / "sets")).out
    said = recorder("backup", "prune", str(tmp_path / "sets"), "--all")
    assert said.out == "Destroyed the keys of 1 backups, removed 1.\n"
    assert list((tmp_path / "opens").iterdir()) == []
    assert [each.name for each in (tmp_path / "sets").iterdir()] == [".lock", "vault"]
    assert list((tmp_path / "sets/vault").iterdir()) == []
    query = "SELECT action, reason FROM audit_event WHERE action LIKE 'backup:%' ORDER BY seq"
    with psycopg.connect(office.url.replace("+psycopg", "")) as connection:
        told = connection.execute(query.encode()).fetchall()
    assert told == [("backup:made", ""), ("backup:destroyed", "by_hand")]
    said = recorder("backup", "verify", str(tmp_path / "sets"))
    assert (said.status, "no finished backup" in said.err) == (1, True)


def test_the_retention_process_destroys_expired_keys_and_writes_the_ledger(
    office: Installation, tmp_path: Path
) -> None:
    """RG.17, by its own jobs."""

    held = office.seal(1, age=DAY)
    office.hold(held)
    places = Places(sets=tmp_path / "s", vault=tmp_path / "v", keys=tmp_path / "k")
    office.back_up(places)
    office.clock.at += KEY_DAYS * DAY

    async def work() -> list[str]:
        async def tell(_: str) -> None:
            pass

        async with connect(office.url) as engine:
            backups = BackupWork(
                pruner=KeyPruner([places.keys], key_days=KEY_DAYS, lead=LEAD),
                trail=Restored(engine, actor=PURGE),
                ledger=LedgerFile(engine, tmp_path / "off/erasures.jsonl"),
                clock=office.clock,
                actor=PURGE,
            )
            return [await job.work(tell) for job in backups.jobs()]

    assert asyncio.run(work()) == ["1 destroyed", "1 lines"]
    assert list(places.keys.iterdir()) == []
    ledger = read_ledger(tmp_path / "off/erasures.jsonl")
    assert [each.recording for each in ledger.holds] == [held]
    assert ledger.at == office.clock.at
