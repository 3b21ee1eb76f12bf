"""Completeness and incidents at the prompt: found, explained, closed (RG.13)."""

from datetime import timedelta
from pathlib import Path

import pytest

from recorder.accounts.model import Role
from recorder.adapters.clock import SystemClock
from recorder.adapters.pbx_records import NAME
from recorder.embedded.office import trial_regulation
from tests.postgres.test_commands import Run, run
from tests.signed_in import sign_in

pytestmark = pytest.mark.postgres
__all__ = ("run",)


@pytest.fixture
def records(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder, home = tmp_path / "records", tmp_path / "anna"
    folder.mkdir()
    home.mkdir()
    sign_in(monkeypatch, database_url, home, Role.ADMINISTRATOR, login="anna")
    regulation = tmp_path / "regulation.toml"
    regulation.write_text(trial_regulation(), encoding="utf-8")
    monkeypatch.setenv("RECORDER_REGULATION_FILE", str(regulation))
    monkeypatch.setenv("RECORDER_CALL_RECORD_DIRS", str(folder))
    return folder / NAME


def a_call(records: Path, channel: str) -> None:
    ended = SystemClock().now() - timedelta(minutes=16)
    at = (ended - timedelta(seconds=1)).timestamp()
    with records.open("a", encoding="utf-8") as file:
        file.write(f"{at},{ended.timestamp()},PJSIP/trunk-0000001a,ANSWERED,{channel}\n")


def test_what_is_unexplained_is_found_explained_and_closed(run: Run, records: Path) -> None:
    """RG.13."""
    a_call(records, "1732.1")
    a_call(records, "1732.2")
    day = (SystemClock().now() - timedelta(minutes=17)).astimezone().date()
    found = run("completeness", "--day", day.isoformat(), "--json")
    assert found.status == 1, found.err
    told = found.json
    assert [each["channel"] for each in told["unexplained"]] == ["1732.1", "1732.2"]
    shown = run("completeness", "--day", day.isoformat())
    assert "2 unexplained" in shown.out
    listed = run("incidents", "list", "--json").json
    assert [each["state"] for each in listed] == ["open", "open"]
    incident = listed[0]["id"]
    early = run("incidents", "close", incident)
    assert early.status == 1
    done = run("incidents", "explain", incident, "--reason", "a test line", "--all-alike")
    assert "2 explained." in done.out, done.err
    assert run("incidents", "close", incident).status == 0
    assert "closed" in run("incidents", "list", "--state", "closed").out
    assert run("incidents", "explain", incident, "--reason", "again").status == 1


def test_without_records_nothing_is_compared_and_it_says_what_is_missing(
    run: Run, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_CALL_RECORD_DIRS", "")
    answer = run("completeness")
    assert answer.status == 3
    records.parent.rmdir()
    monkeypatch.setenv("RECORDER_CALL_RECORD_DIRS", str(records.parent))
    assert run("completeness").status == 3
