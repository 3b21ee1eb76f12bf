"""``recorder diagnose``: everything about the machine, nothing about anybody (R6.3b, RG.16, I8)."""

import json
import os
import stat
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from recorder.accounts.model import Role
from recorder.commands.diagnosis import PARTS
from recorder.embedded.postgres import free_port
from recorder.model import CallId
from tests.builders import a_call
from tests.postgres.test_commands import Run, as_a_person, keep
from tests.signed_in import sign_in

pytestmark = pytest.mark.postgres

NUMBER, NAME, SHORT = "600987654", "Canary Kanarkowska", "77001122"
HUSH = "hush-hush-password"


def line(event: str, level: str = "info", **fields: Any) -> str:
    known = {"event": event, "level": level, "logger": "recorder.capture.service"}
    return json.dumps(known | {"timestamp": "2026-11-25T10:00:00Z"} | fields) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    file = tmp_path / "logs" / "capture.log"
    file.write_text(line("call_over") + line("call_failed", "error", places=["a.py:1 f"]))
    return file


@pytest.fixture
def office(
    database_url: str,
    tmp_path: Path,
    log: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """An office with callers in its ledger, and one line of each kind in its log."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "VAULT_DIR": str(tmp_path / "vault"),
        "KEY_DIR": str(tmp_path / "keys"),
        "SPOOL_DIR": str(tmp_path),
        "LOG_FILE": str(log.with_name("prompt.log")),
        "ARI_PASSWORD": HUSH,
        "ARI_URL": f"http://127.0.0.1:{free_port()}/ari",
        "LDAP_BIND_DN": f"CN={NAME}",
    }.items():
        monkeypatch.setenv(f"RECORDER_{name}", value)
    (tmp_path / "vault").mkdir()
    sign_in(monkeypatch, database_url, tmp_path, Role.SYSADMIN)
    monkeypatch.setenv("RECORDER_SPOOL_DIR", str(tmp_path))
    call = a_call(caller_number=NUMBER, caller_name=NAME)
    keep(database_url, call)
    keep(database_url, replace(call, id=CallId(UUID(int=77)), channel_id="2", caller_number=SHORT))
    return as_a_person(monkeypatch, capsys)


def bundle_in(folder: Path) -> dict[str, str]:
    (path,) = folder.glob("rejestrator-diagnosis-*.tar.gz")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as tar:
        return {
            Path(each.name).name: tar.extractfile(each).read().decode()  # type: ignore[union-attr]
            for each in tar.getmembers()
        }


def trail(database_url: str) -> list[tuple[str, Any]]:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        query = "SELECT action, details FROM audit_event WHERE action LIKE 'diagnosis:%'"
        return connection.execute(query).fetchall()


def test_a_bundle_tells_all_about_the_machine_and_nothing_of_anybody(
    office: Run, tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "out").mkdir()
    said = office("diagnose", "--to", str(tmp_path / "out"))
    assert said.status == 0, said.err
    assert "nobody found in it" in said.out
    assert "not in it: asterisk: ARI does not answer" in said.out
    found = bundle_in(tmp_path / "out")
    asked = set(PARTS) - {"asterisk"}
    assert {Path(name).stem for name in found} == asked | {"README", "missing"}
    assert json.loads(found["schema.json"])["database"]
    assert json.loads(found["versions.json"])["rejestrator"]
    assert json.loads(found["machine.json"])["disks"]["vault"]["size_mib"] > 0
    settings = json.loads(found["settings_in_force.json"])
    assert settings["RECORDER_ARI_PASSWORD"] == "(set)"
    assert settings["RECORDER_LDAP_BIND_DN"] == "(set)"
    assert {each["name"] for each in map(json.loads, found["health.jsonl"].splitlines())} >= {
        "postgresql",
        "vault",
    }
    assert [json.loads(each)["event"] for each in found["errors.jsonl"].splitlines()] == [
        "call_failed"
    ]
    assert len(found["logs.jsonl"].splitlines()) == 2
    whole = "".join(found.values()) + said.out + said.err
    for secret in (NUMBER, NAME, "Kanarkowska", SHORT, HUSH, "Kwiatkowska"):
        assert secret not in whole
    assert [action for action, _ in trail(database_url)] == ["diagnosis:made"]


@pytest.mark.parametrize(
    "planted",
    [
        NUMBER,
        "+48 600-987-654",
        "501 234 567",
        SHORT,
        NAME,
        "kanarkowska",
        "Zenobia Kwiatkowska",
    ],
)
def test_whatever_of_a_person_stands_in_a_log_blocks_it_and_is_not_repeated(
    office: Run, log: Path, tmp_path: Path, database_url: str, planted: str
) -> None:
    """What a redaction would hide silently is a defect that must be told."""
    with log.open("a", encoding="utf-8") as file:
        file.write(line("sealing_waits", "error", why=f"row of {planted} is locked"))
    (tmp_path / "out").mkdir()
    said = office("diagnose", "--to", str(tmp_path / "out"), "--json")
    assert said.status == 1
    assert list((tmp_path / "out").iterdir()) == []
    assert {each["place"].rpartition(", ")[2] for each in said.json["hits"]} == {"why"}
    assert planted.lower() not in (said.out + said.err).lower()
    assert [action for action, _ in trail(database_url)] == ["diagnosis:blocked"]


def test_what_blocks_a_bundle_can_be_left_out(office: Run, log: Path, tmp_path: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(line("sealing_waits", why=NAME))
    (tmp_path / "out").mkdir()
    said = office("diagnose", "--to", str(tmp_path / "out"), "--leave-out", "logs")
    assert said.status == 0, said.err
    found = bundle_in(tmp_path / "out")
    assert "logs.jsonl" not in found
    assert "left out by whoever made this" in found["missing.json"]
    assert office("diagnose", "--leave-out", "nonsense").status == 2


@pytest.mark.parametrize("where", ["health", "settings"])
def test_a_name_in_any_other_part_blocks_it_too(
    office: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "settings":
        monkeypatch.setenv("RECORDER_ANNOUNCEMENT_DIR", f"/srv/{NAME}/sounds")
    else:
        monkeypatch.setenv("RECORDER_VAULT_DIR", f"/srv/{NUMBER}")
    said = office("diagnose", "--to", str(tmp_path / "out.tar.gz"), "--json")
    assert said.status == 1
    assert not (tmp_path / "out.tar.gz").exists()
    assert NAME not in said.out + said.err
    assert NUMBER not in said.out + said.err


def test_without_postgresql_only_the_machines_administrator_gets_an_uncompared_one(
    office: Run, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_DATABASE_URL", "postgresql+psycopg://x:hush@127.0.0.1:1/x")
    to = str(tmp_path / "out.tar.gz")
    said = office("diagnose", "--to", to)
    assert said.status == 3
    assert "Root may say --uncompared" in said.err
    said = office("diagnose", "--to", to, "--uncompared")
    assert said.status == 0, said.err
    assert "not in it: jobs: " in said.out
    with tarfile.open(to) as tar:
        readme = tar.extractfile("rejestrator-diagnosis/README.txt")
        assert readme is not None
        assert "PostgreSQL was away, so not for names" in readme.read().decode()
    with log.open("a", encoding="utf-8") as file:
        file.write(line("sealing_waits", why=f"row of {NUMBER}"))
    assert office("diagnose", "--to", f"{to}.2", "--uncompared").status == 1
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    monkeypatch.setattr("recorder.commands.gatehouse.is_machines_administrator", lambda _: False)
    assert office("diagnose", "--to", f"{to}.3", "--uncompared").status == 1


def test_nothing_is_overwritten(office: Run, tmp_path: Path) -> None:
    to = tmp_path / "out.tar.gz"
    to.write_text("mine")
    said = office("diagnose", "--to", str(to))
    assert (said.status, to.read_text()) == (1, "mine")
    assert "nothing is overwritten" in said.err


@pytest.mark.parametrize("role", [Role.LISTENER, Role.ADMINISTRATOR, Role.DPO])
def test_who_may_read_logs_may_make_a_bundle(
    office: Run, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    monkeypatch.setattr("recorder.commands.gatehouse.is_machines_administrator", lambda _: False)
    (tmp_path / "home").mkdir()
    sign_in(monkeypatch, database_url, tmp_path / "home", role, login="other", paper=False)
    said = office("diagnose", "--to", str(tmp_path / "out.tar.gz"))
    assert said.status == (0 if role is Role.DPO else 1)
