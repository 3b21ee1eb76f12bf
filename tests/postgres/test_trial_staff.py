"""The trial office's one person: no fixed password, and the same gate as everywhere."""

import stat
from pathlib import Path

import psycopg
import pytest

from recorder.embedded.staff import employ
from recorder.settings import load_settings
from tests.builders import IN_SCOPE, a_call
from tests.postgres.test_commands import Run, as_a_person, keep
from tests.signed_in import PURPOSE, REGULATION

pytestmark = pytest.mark.postgres


def test_the_trial_office_has_somebody_who_may_listen_at_every_start(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment = {
        "RECORDER_DATABASE_URL": database_url,
        "RECORDER_SESSION_FILE": str(tmp_path / "session"),
        "RECORDER_REGULATION_FILE": str(REGULATION),
        "RECORDER_TOTP": "optional",
        "RECORDER_FOUR_EYES": "off",
        "RECORDER_PASSWORD_MEMORY_MIB": "1",
        "RECORDER_PASSWORD_PASSES": "1",
    }
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    run: Run = as_a_person(monkeypatch, capsys)
    keep(database_url, a_call(scope=IN_SCOPE))
    answers = tmp_path / "answers"
    passwords = set()
    for _ in range(2):
        employ(environment, answers=answers)
        assert stat.S_IMODE(answers.stat().st_mode) == 0o600
        passwords.add(answers.read_text(encoding="ascii"))
        assert "600123456" in run("calls", "list", "--reveal", "--purpose", PURPOSE).out
    assert len(passwords) == 2, "drawn anew at each start"
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        listed = connection.execute("SELECT network::text FROM workstation").fetchall()
    assert listed == [("127.0.0.1/32",)], "the browser of this machine, and no other"
    with answers.open(encoding="ascii") as typed:
        monkeypatch.setattr("sys.stdin", typed)
        assert run("sign-in", "demo").status == 0
    assert load_settings().four_eyes == "off"
