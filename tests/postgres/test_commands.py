"""The commands about calls and recordings, on a real database and a real vault."""

import asyncio
import json
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
import soundfile

from recorder import cli
from recorder.accounts.model import Role
from recorder.adapters.files import sha256_of
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.custody.rules import describe, folder_of
from recorder.model import CallId, CallRecord, Moment, RecordingId, Span
from tests.builders import IN_SCOPE, NOON, a_call
from tests.keys import MASTER_KEY_TEXT, a_vault, some_keys
from tests.signed_in import PURPOSE, sign_in

pytestmark = pytest.mark.postgres
WARSAW = ZoneInfo("Europe/Warsaw")
NOBODY = UUID(int=404)
REVEAL = ("--reveal", "--purpose", PURPOSE)


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and how it ended."""

    out: str
    err: str
    status: int

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


def as_a_person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs ``recorder`` to its exit status."""

    def run(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["recorder", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return Said(told.out, told.err, int(ended.value.code or 0))

    return run


@pytest.fixture
def run(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run ``recorder`` as a person does, to its exit status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECORDER_DATABASE_URL", database_url)
    monkeypatch.setenv("RECORDER_VAULT_DIR", str(tmp_path / "vault"))
    monkeypatch.setenv("RECORDER_KEY_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("RECORDER_MASTER_KEY", MASTER_KEY_TEXT)
    some_keys(tmp_path / "keys")
    (tmp_path / "home").mkdir()
    sign_in(monkeypatch, database_url, tmp_path / "home", Role.LISTENER, Role.COPY_MAKER)
    return as_a_person(monkeypatch, capsys)


def keep(database_url: str, call: CallRecord) -> None:
    async def write() -> None:
        async with connect(database_url) as engine:
            ledger = PostgresLedger(engine)
            await ledger.record_call(call, recording=None, incidents=[], at=NOON)

    asyncio.run(write())


def damaged_in(database_url: str) -> list[tuple[UUID, int]]:
    """Return the recordings marked damaged, each with the number of its incidents."""
    query = """SELECT recording.id, count(incident.id)
                 FROM recording LEFT JOIN incident
                   ON incident.call_id = recording.call_id AND kind = 'recording_damaged'
                WHERE damaged_at IS NOT NULL GROUP BY recording.id"""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def recorded(database_url: str, tmp_path: Path) -> Path:
    """Where the audio of one sealed recording is; its id is the file's name."""
    return seal(database_url, tmp_path, number=1)


def seal(database_url: str, directory: Path, *, number: int) -> Path:
    recording_id = RecordingId(UUID(int=number + 1000))
    call = a_call(
        id=CallId(UUID(int=number)),
        channel_id=str(number),
        scope=IN_SCOPE,
        consent=IN_SCOPE,
        recording_id=recording_id,
        answered_by="desk-1",
        bridged=(Span(since=NOON, until=NOON + timedelta(seconds=2)),),
        ended_at=NOON + timedelta(seconds=2),
    )
    raw = directory / "audio.raw"
    raw.write_bytes(b"\x10\x00\x20\x00" * 16_000)
    vault = a_vault(directory)
    folder = folder_of(NOON)

    async def write() -> None:
        audio = await vault.store(recording_id, raw=raw, folder=folder)
        recording = describe(call, audio, retention_days=30, office_zone=WARSAW, now=NOON)
        async with connect(database_url) as engine:
            ledger = PostgresLedger(engine)
            assert await ledger.record_call(call, recording=recording, incidents=[], at=NOON)

    asyncio.run(write())
    return directory / "vault" / folder / f"{recording_id}.rec"


def test_numbers_are_masked_unless_revealed(run: Run, database_url: str) -> None:
    keep(database_url, a_call(scope=IN_SCOPE, caller_name="Zenobia Kwiatkowska"))
    for command in (["calls", "list"], ["calls", "list", "--json"]):
        assert "600123456" not in run(*command).out
        assert "600***456" in run(*command).out
        assert "600123456" in run(*command, *REVEAL).out
    (call,) = run("calls", "list", "--json").json
    for command in (["calls", "show", call["id"]], ["calls", "show", call["id"], "--json"]):
        said = run(*command)
        assert said.status == 0
        assert "600123456" not in said.out
        assert "Zenobia" not in said.out
        assert "Zenobia Kwiatkowska" in run(*command, *REVEAL).out


def test_a_list_tells_when_who_and_why(run: Run, database_url: str) -> None:
    keep(database_url, a_call(scope=IN_SCOPE, caller_number=""))
    said = run("calls", "list").out
    for each in ("Thu 12 Nov 2026, 13:00", "withheld", "746640800", "not_recorded"):
        assert each in said
    (call,) = run("calls", "list", "--json").json
    assert call["arrived_at"] == "2026-11-12T13:00:00.000+01:00"
    assert call["recording_id"] is None
    assert call["caller_number"] == ""


def test_a_search_takes_the_four_fields(run: Run, database_url: str) -> None:
    """R7.5a."""
    keep(database_url, a_call(scope=IN_SCOPE))
    known = ["--caller", "0048 600 123 456", "--called", "74 664 08 00", "--day", "2026-11-12"]
    assert len(run("calls", "list", "--json", *known, "--hour", "13:45").json) == 1
    assert run("calls", "list", "--json", *known, "--hour", "16:00").json == []
    assert "widen --window" in run("calls", "list", *known, "--hour", "16:00").out


@pytest.mark.parametrize(
    "wrong",
    [
        ["calls", "list", "--hour", "10:00"],
        ["calls", "list", "--day", "yesterday"],
        ["calls", "list", "--outcome", "perhaps"],
        ["calls", "list", "--limit", "0"],
        ["calls", "show", "not-an-id"],
        ["recordings", "verify"],
        ["recordings", "verify", "--all", str(NOBODY)],
    ],
)
def test_wrong_use_says_so_with_status_2(run: Run, wrong: list[str]) -> None:
    said = run(*wrong)
    assert (said.status, said.out) == (2, "")
    assert said.err


@pytest.mark.parametrize(
    "absent",
    [
        ["calls", "show", str(NOBODY)],
        ["recordings", "show", str(NOBODY)],
        ["recordings", "export", str(NOBODY), "call.wav"],
        ["recordings", "verify", str(NOBODY)],
    ],
)
def test_what_does_not_exist_is_refused(run: Run, absent: list[str]) -> None:
    said = run(*absent)
    assert (said.status, said.out) == (1, "")
    assert "list" in said.err


def test_an_unreachable_database_ends_with_status_3_and_no_password(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_DATABASE_URL", "postgresql+psycopg://recorder:hush@127.0.0.1:1/x")
    said = run("calls", "list")
    assert (said.status, said.out) == (3, "")
    assert "hush" not in said.err


def test_a_hostile_name_commands_no_terminal(run: Run, database_url: str) -> None:
    """B3: control and direction characters are shown, not obeyed; markup is text."""
    name = "\x1b[2J[red]Jan[/red]\u202e\n"
    moment = Moment(at=NOON, kind="call:transferred", detail=name)
    keep(database_url, a_call(scope=IN_SCOPE, caller_name=name, line=name, timeline=(moment,)))
    (call,) = run("calls", "list", "--json").json
    for said in (run("calls", "list", *REVEAL), run("calls", "show", call["id"], *REVEAL)):
        assert said.status == 0
        assert "\x1b" not in said.out
        assert "\u202e" not in said.out
        assert "\\u001b[2J[red]Jan[/red]\\u202e\\u000a" in said.out
    assert run("calls", "show", call["id"], "--json", *REVEAL).json["caller_name"] == name


def test_a_recording_is_shown_with_its_length_and_its_last_day(run: Run, recorded: Path) -> None:
    (row,) = run("recordings", "list", "--json").json
    assert row["id"] == recorded.stem
    shown = run("recordings", "show", recorded.stem, "--json").json
    assert shown["seconds"] == 2.0
    assert shown["erase_by"].startswith("2026-12-12T13:00:02")
    assert "desk-1" in run("recordings", "list").out
    assert run("recordings", "show", recorded.stem).status == 0


def test_an_exported_recording_is_the_sealed_one_and_private(
    run: Run, recorded: Path, tmp_path: Path
) -> None:
    said = run("recordings", "export", recorded.stem, str(tmp_path), *REVEAL[1:])
    copy = tmp_path / f"{recorded.stem}.wav"
    assert said.status == 0
    assert said.out.startswith("Copied 2.0 s of audio")
    shown = run("recordings", "show", recorded.stem, "--json").json
    assert sha256_of(copy) == shown["sha256"]
    assert soundfile.info(copy).channels == 2
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    again = run("recordings", "export", recorded.stem, str(tmp_path), *REVEAL[1:])
    assert (again.status, "overwritten" in again.err) == (1, True)


def test_a_changed_recording_is_not_handed_out_and_is_marked(
    run: Run, recorded: Path, tmp_path: Path, database_url: str
) -> None:
    """RG.3."""
    changed = bytearray(recorded.read_bytes())
    changed[-1] ^= 1
    recorded.write_bytes(changed)
    said = run("recordings", "export", recorded.stem, str(tmp_path / "call.wav"), *REVEAL[1:])
    assert said.status == 1
    assert "not handed out" in said.err
    assert damaged_in(database_url) == [(UUID(recorded.stem), 1)]
    assert sorted(each.name for each in tmp_path.glob("call*")) == []


def test_verifying_all_names_each_recording_that_is_not_whole(
    run: Run, recorded: Path, database_url: str, tmp_path: Path
) -> None:
    """RG.3."""
    whole = seal(database_url, tmp_path, number=2)
    missing = seal(database_url, tmp_path, number=3)
    said = run("recordings", "verify", "--all")
    assert (said.status, said.out) == (0, "Read 3 recordings; 0 missing or changed.\n")
    recorded.write_bytes(b"")
    missing.unlink()
    said = run("recordings", "verify", "--all")
    assert said.status == 1
    assert f"{recorded.stem} is damaged" in said.out
    assert damaged_in(database_url) == [(UUID(recorded.stem), 1)]
    run("recordings", "verify", "--all")
    assert damaged_in(database_url) == [(UUID(recorded.stem), 1)], "told once"
    assert run("recordings", "show", recorded.stem, "--json").json["damaged_at"]
    assert f"{missing.stem} is missing" in said.out
    assert whole.stem not in said.out
    assert said.out.endswith("Read 3 recordings; 2 missing or changed.\n")
    assert said.err == "", "a progress bar belongs on a terminal only"
    assert run("recordings", "verify", whole.stem).status == 0


@pytest.mark.parametrize(
    "command",
    [
        ["calls", "list"],
        ["calls", "show"],
        ["recordings", "list"],
        ["recordings", "show"],
        ["recordings", "export"],
        ["recordings", "verify"],
        ["status"],
        ["config", "show"],
        ["config", "check"],
        ["db", "upgrade"],
        ["db", "current"],
        ["sign-in"],
        ["sign-out"],
        ["user", "first-token"],
        ["user", "first"],
        ["user", "add"],
        ["user", "list"],
        ["user", "show"],
        ["user", "disable"],
        ["user", "enable"],
        ["user", "reset"],
        ["user", "password"],
        ["user", "totp"],
        ["user", "roles"],
        ["authorisation", "grant"],
        ["authorisation", "confirm"],
        ["authorisation", "refuse"],
        ["authorisation", "revoke"],
        ["authorisation", "review"],
        ["authorisation", "list"],
        ["authorisation", "show"],
        ["authorisation", "print"],
        ["authorisation", "attach"],
        ["workstation", "add"],
        ["workstation", "list"],
        ["workstation", "remove"],
        ["contractor", "open"],
        ["contractor", "close"],
        ["contractor", "list"],
    ],
)
def test_every_command_has_two_examples(run: Run, command: list[str]) -> None:
    said = " ".join(run(*command, "--help").out.split())
    assert said.partition("Examples:")[2].count("`recorder ") == 2
