"""``recorder status`` and ``db current``: each part on its own, whatever the others do."""

import asyncio
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import psycopg
import pytest

from recorder.adapters.postgres import migrate
from recorder.adapters.probe import serve_probe
from recorder.embedded.postgres import free_port
from recorder.model import CallId, Decision, Reason
from tests.builders import IN_SCOPE, a_call
from tests.postgres.test_commands import Run, keep, run

pytestmark = pytest.mark.postgres
__all__ = ("run",)

SHIPPED = Path(__file__).parents[2] / "regulation.toml"
RECORDING_ON = (
    SHIPPED.read_text(encoding="utf-8")
    .replace("recording = false", "recording = true")
    .replace("trunks = []", 'trunks = [{ endpoint = "operator", context = "from-operator" }]')
)
DECLINED = Decision(record=False, reason=Reason.DECLINED)


@contextmanager
def capture(*, connected: bool) -> Iterator[int]:
    """The real probe in a thread of its own; yields its port."""
    port, serving = free_port(), threading.Event()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with serve_probe("127.0.0.1", port, is_ready=lambda: connected):
            serving.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert serving.wait(10)
        yield port
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@pytest.fixture
def office(run: Run, runtime_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """An office with everything in its place but capture, which a test starts."""
    monkeypatch.setenv("RECORDER_DATABASE_URL", runtime_url)
    (tmp_path / "regulation.toml").write_text(RECORDING_ON, encoding="utf-8")
    for folder in ("spool", "vault", "announcements"):
        (tmp_path / folder).mkdir(exist_ok=True)
    monkeypatch.setenv("RECORDER_REGULATION_FILE", "regulation.toml")
    monkeypatch.setenv("RECORDER_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("RECORDER_SPOOL_FLOOR_MIB", "1")
    monkeypatch.setenv("RECORDER_ANNOUNCEMENT_DIR", str(tmp_path / "announcements"))
    monkeypatch.setenv("RECORDER_PROBE_PORT", str(free_port()))
    assert run("announcement", "install-starters", "--activate").status == 0
    return run


def states(office: Run) -> dict[str, str]:
    return {each["name"]: each["state"] for each in office("status", "--json").json["parts"]}


WELL = dict.fromkeys(
    ("capture", "asterisk", "postgresql", "spool", "vault", "keys", "regulation", "announcements"),
    "ok",
) | {"ami": "attention", "retention": "attention", "days kept": "ok"}
"""What a whole service says whose retention process never ran, and that uses no AMI."""


@contextmanager
def ami(*allowed: str, lets_in: bool = True) -> Iterator[int]:
    """An AMI that lets its account do so much; yields its port."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"Asterisk Call Manager/9.0.0\r\n")
            for line in self.rfile:
                action = line.decode().partition("Action: ")[2].strip()
                if action == "Login":
                    word = "Success" if lets_in else "Error"
                    self.wfile.write(f"Response: {word}\r\nActionID: Login\r\n\r\n".encode())
                    self.wfile.write(b"Event: FullyBooted\r\n\r\n")
                elif action == "ListCommands":
                    told = "".join(f"{each}: Does it.  (Priv: call,all)\r\n" for each in allowed)
                    text = f"Response: Success\r\nActionID: ListCommands\r\n{told}\r\n"
                    self.wfile.write(text.encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Talk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("allowed", "lets_in", "state", "says"),
    [
        (("StopMixMonitor", "MixMonitorMute", "Hangup"), True, "ok", "may stop and mute"),
        (("Hangup", "MixMonitorMute"), True, "attention", "may not StopMixMonitor"),
        ((), False, "attention", "refuses the AMI account"),
    ],
)
def test_ami_is_asked_whether_its_account_can_do_what_is_needed(
    office: Run,
    monkeypatch: pytest.MonkeyPatch,
    *,
    allowed: tuple[str, ...],
    lets_in: bool,
    state: str,
    says: str,
) -> None:
    """R3.4h."""
    monkeypatch.setenv("RECORDER_AMI_PASSWORD", "hush")
    with ami(*allowed, lets_in=lets_in) as port:
        monkeypatch.setenv("RECORDER_AMI_PORT", str(port))
        said = office("status", "--json")
    (part,) = (each for each in said.json["parts"] if each["name"] == "ami")
    assert part["state"] == state
    assert says in part["says"]
    assert "hush" not in said.out


def test_an_ami_that_is_away_is_told_and_takes_no_service_down(
    office: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_AMI_PASSWORD", "hush")
    monkeypatch.setenv("RECORDER_AMI_PORT", str(free_port()))
    with capture(connected=True) as port:
        monkeypatch.setenv("RECORDER_PROBE_PORT", str(port))
        assert states(office) == WELL
        assert office("status").status == 0


def test_a_login_that_owns_the_tables_wants_attention(
    office: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A13: whoever owns them can take the guards of the trail away."""
    monkeypatch.setenv("RECORDER_DATABASE_URL", database_url)
    said = office("status", "--json")
    (part,) = (each for each in said.json["parts"] if each["name"] == "postgresql")
    assert part["state"] == "attention"
    assert "could edit the audit trail" in part["says"]


def test_a_whole_service_is_ok(office: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with capture(connected=True) as port:
        monkeypatch.setenv("RECORDER_PROBE_PORT", str(port))
        assert states(office) == WELL
        said = office("status")
    assert (said.status, said.err) == (0, "")
    assert f"revision {migrate.head()}" in said.out
    assert "0 calls live or not sealed yet" in said.out
    assert "pl: first + second + languages, en: first + second" in said.out


def test_an_absent_capture_is_down_and_the_others_are_told_all_the_same(office: Run) -> None:
    said = office("status")
    assert said.status == 3
    assert said.err == "Down: capture.\n"
    left = {name: state for name, state in WELL.items() if name not in ("capture", "asterisk")}
    assert states(office) == left | {"capture": "down"}


def test_capture_without_asterisk_is_told_from_an_absent_capture(
    office: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture(connected=False) as port:
        monkeypatch.setenv("RECORDER_PROBE_PORT", str(port))
        assert office("status").status == 3
        assert states(office) == WELL | {"asterisk": "down"}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql+psycopg://recorder:hush@127.0.0.1:1/recorder", "does not answer"),
        ("hush", "no address of PostgreSQL"),
        ("postgresql+psycopg://recorder:hush@127.0.0.1:port/recorder", "no address of PostgreSQL"),
        ("sqlite:///hush", "no address of PostgreSQL"),
    ],
)
def test_a_database_away_or_misnamed_is_down_without_a_word_of_its_password(
    office: Run, monkeypatch: pytest.MonkeyPatch, url: str, says: str
) -> None:
    """F6."""
    monkeypatch.setenv("RECORDER_DATABASE_URL", url)
    said = office("status", "--json")
    assert said.status == 3
    (part,) = (each for each in said.json["parts"] if each["name"] == "postgresql")
    assert part["state"] == "down"
    assert says in part["says"]
    assert said.json["calls_today"] is None
    assert "hush" not in said.out + said.err


@pytest.mark.parametrize("gone", ["spool", "vault"])
def test_a_missing_folder_is_down(office: Run, tmp_path: Path, gone: str) -> None:
    """F3."""
    (tmp_path / gone).rmdir()
    assert states(office)[gone] == "down"
    (tmp_path / gone).touch()
    assert states(office)[gone] == "down"


def test_a_wrong_master_key_is_down(office: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """RG.4."""
    monkeypatch.setenv("RECORDER_MASTER_KEY", "00" * 32)
    assert states(office)["keys"] == "down"


def test_a_spool_below_its_floor_is_down(office: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDER_SPOOL_FLOOR_MIB", "1000000000")
    assert states(office)["spool"] == "down"


def test_what_is_not_sealed_yet_is_counted(office: Run, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / "spool" / f"{UUID(int=number)}.journal").touch()
    assert "2 calls live or not sealed yet" in office("status").out


def test_an_announcement_that_is_missing_wants_attention(office: Run, tmp_path: Path) -> None:
    """R8.2e."""
    for sound in (tmp_path / "announcements").glob("*/sound.*"):
        sound.unlink()
    said = office("status", "--json")
    (part,) = (each for each in said.json["parts"] if each["name"] == "announcements")
    assert part["state"] == "attention"
    assert part["says"].startswith("pl: none, ")


def test_a_wrong_regulation_is_told_and_hides_nothing_else(office: Run, tmp_path: Path) -> None:
    (tmp_path / "regulation.toml").write_text("nonsense", encoding="utf-8")
    found = states(office)
    assert (found["regulation"], found["announcements"]) == ("down", "attention")
    assert found["postgresql"] == "ok"


def test_the_calls_of_the_offices_day_are_counted_by_reason(
    office: Run,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The day begins at midnight in Warsaw: 23:00 UTC in November."""
    midnight = datetime(2026, 11, 11, 23, tzinfo=UTC)
    call = a_call(scope=IN_SCOPE, consent=DECLINED)
    for number, arrived in enumerate(
        [midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=2)]
    ):
        id_, channel = CallId(UUID(int=number + 1)), str(number)
        keep(database_url, replace(call, id=id_, channel_id=channel, arrived_at=arrived))
    now = SimpleNamespace(now=lambda: midnight + timedelta(hours=12))
    monkeypatch.setattr("recorder.commands.status.SystemClock", lambda: now)
    assert office("status", "--json").json["calls_today"] == [
        {"outcome": "not_recorded", "reason": "declined", "calls": 2}
    ]
    assert "not_recorded: declined 2" in office("status").out


@pytest.mark.parametrize(
    ("revision", "says"),
    [("9999", "newer release"), (None, "recorder db upgrade")],
)
def test_a_schema_of_another_release_is_down(
    office: Run, database_url: str, revision: str | None, says: str
) -> None:
    """F18."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = coalesce(%s, '')", [revision])
        if revision is None:
            connection.execute("DELETE FROM alembic_version")
    assert states(office)["postgresql"] == "down"
    said = office("db", "current")
    assert said.status == 3
    assert said.out == f"The database is at revision {revision or 'none'}.\n"
    assert says in said.err


def test_the_schema_of_this_release_is_told(office: Run) -> None:
    said = office("db", "current")
    assert (said.status, said.out, said.err) == (
        0,
        f"The database is at revision {migrate.head()}.\n",
        "",
    )
