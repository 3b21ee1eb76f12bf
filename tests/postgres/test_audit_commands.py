"""``recorder audit``, and the verifier that needs nothing of ours."""

import asyncio
import hashlib
import json
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from recorder.accounts.model import Role
from recorder.adapters.clock import SystemClock
from recorder.adapters.postgres.connect import connect
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.audit.notes import Kind, PublicKey, SigningKey
from recorder.audit.rules import Position
from tests.builders import NOON
from tests.postgres.test_commands import Run, as_a_person
from tests.postgres.test_trail import append
from tests.signed_in import sit_down

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).resolve().parents[2]
ANNA = Actor(kind=ActorKind.ACCOUNT, name="a.nowak")
NUMBER = "600123456"
OF_THE_THIRD = ", hash = (SELECT hash FROM audit_event WHERE seq = 3)"


@pytest.fixture
def run(
    runtime_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECORDER_DATABASE_URL", runtime_url)
    (tmp_path / "home").mkdir()
    sit_down(monkeypatch, runtime_url, tmp_path / "home", Role.DPO)
    monkeypatch.setenv("RECORDER_AUDIT_KEY_FILE", str(tmp_path / "audit.key"))
    monkeypatch.setenv("RECORDER_AUDIT_CHECKPOINT_DIR", str(tmp_path / "checkpoints"))
    return as_a_person(monkeypatch, capsys)


def tell(url: str, count: int, *, at: datetime = NOON, action: str = "recording:played") -> None:
    events = [
        AuditEvent(
            action=action,
            at=at,
            actor=ANNA,
            subject=f"recording:{nth}",
            reason="W/31/2026",
            details={"seconds": nth},
            personal={"caller": NUMBER},
        )
        for nth in range(count)
    ]

    async def write() -> None:
        async with connect(url) as engine:
            await append(engine, events)

    asyncio.run(write())


def tamper(url: str, *statements: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as superuser:
        superuser.execute("SET session_replication_role = replica")
        for statement in statements:
            superuser.execute(statement.encode())


def test_entries_are_listed_by_who_what_and_when(run: Run, runtime_url: str) -> None:
    """R8.1e."""
    tell(runtime_url, 3)
    tell(runtime_url, 1, action="hold:placed", at=NOON - timedelta(days=2))
    assert run("audit", "show").out.count("W/31/2026") == 4
    day = f"{NOON:%Y-%m-%d}"
    for options, found in [
        (("--actor", "a.nowak"), 4),
        (("--actor", "b.kowal"), 0),
        (("--action", "hold"), 1),
        (("--action", "recording:played"), 3),
        (("--action", "rec%"), 0),
        (("--subject", "recording:2"), 1),
        (("--since", day), 3),
        (("--until", day), 4),
        (("--until", day, "--action", "hold", "--limit", "1"), 1),
        (("--offset", "3"), 1),
    ]:
        listed = run("audit", "show", *options, "--json").json
        assert len(listed) == found, options
    assert "No entry fits" in run("audit", "show", "--actor", "nobody").out


def test_numbers_in_entries_are_shown_on_demand_and_that_leaves_an_entry(
    run: Run, runtime_url: str
) -> None:
    """RG.15."""
    tell(runtime_url, 1)
    assert NUMBER not in run("audit", "show").out + run("audit", "show", "--json").out
    assert NUMBER in run("audit", "show", "--reveal").out
    (newest, _) = run("audit", "show", "--json").json
    assert newest["action"] == "audit:revealed"
    assert newest["actor_kind"] == "account"


def test_a_whole_trail_is_said_to_be_whole(run: Run, runtime_url: str, database_url: str) -> None:
    tell(runtime_url, 5)
    public = run("audit", "init-key", "office/audit").out
    assert "entry 5" in run("audit", "checkpoint").out
    assert run("audit", "checkpoint").out.startswith("Nothing was added")
    tell(runtime_url, 2)
    said = run("audit", "verify")
    assert (said.status, said.err) == (0, "")
    assert "whole up to entry 7" in said.out
    assert "1 checkpoint" in said.out
    found = run("audit", "verify", "--json", "--public-key", public.strip()).json
    assert (found["sound"], found["verified_to"], found["checkpoints"]) == (True, 7, 1)
    assert not found["editable_by_this_login"]


def test_a_login_that_could_edit_the_trail_is_told(
    run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_DATABASE_URL", database_url)
    run("audit", "init-key", "office/audit")
    assert "who can edit the trail" in run("audit", "verify").err


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        (["UPDATE audit_event SET subject = '' WHERE seq = 3"], "entry 3: altered"),
        (["DELETE FROM audit_event WHERE seq = 3"], "entry 3: missing"),
        (["DELETE FROM audit_event WHERE seq < 3"], "entry 1: missing"),
        (["TRUNCATE audit_event, audit_personal"], "entry 1: cut off"),
        (["DELETE FROM audit_head"], "entry 6: cut off"),
        (["DELETE FROM audit_start"], "entry 1: missing"),
        (
            ["UPDATE audit_event SET seq = -1 WHERE seq = 5"],
            "entry -1: out of order",
        ),
        (
            ["DELETE FROM audit_event WHERE seq > 3",
             "UPDATE audit_head SET seq = 3" + OF_THE_THIRD],
            "entry 4: cut off",
        ),
        (
            ["UPDATE audit_start SET seq = 3" + OF_THE_THIRD,
             "DELETE FROM audit_event WHERE seq <= 3"],
            "entry 1: missing",
        ),
    ],
)  # fmt: skip
def test_a_broken_trail_is_exit_1_with_the_first_bad_entry_and_gets_no_signature(
    statements: list[str], first_bad: str, run: Run, runtime_url: str, database_url: str
) -> None:
    """A13, R8.1e."""
    tell(runtime_url, 5)
    run("audit", "init-key", "office/audit")
    run("audit", "checkpoint")
    tamper(database_url, *statements)
    said = run("audit", "verify")
    assert said.status == 1
    assert first_bad in said.out


def test_a_trail_rewritten_whole_is_found_against_a_checkpoint_and_not_signed(
    run: Run, runtime_url: str, database_url: str
) -> None:
    """A13."""
    tell(runtime_url, 5)
    run("audit", "init-key", "office/audit")
    run("audit", "checkpoint")
    tamper(
        database_url,
        "TRUNCATE audit_event, audit_personal",
        r"UPDATE audit_head SET seq = 0, hash = decode(repeat('00', 32), 'hex')",
    )
    tell(runtime_url, 8, action="recording:listed")
    said = run("audit", "verify")
    assert said.status == 1
    assert "entry 5: not as signed" in said.out
    refused = run("audit", "checkpoint")
    assert (refused.status, refused.out) == (1, "")
    assert "not signed" in refused.err


def test_a_forged_checkpoint_is_named(run: Run, runtime_url: str, tmp_path: Path) -> None:
    tell(runtime_url, 5)
    run("audit", "init-key", "office/audit")
    run("audit", "checkpoint")
    other = SigningKey("office/audit", bytes(32))
    forged = other.sign(Position(seq=3, hash=bytes(32)), kind=Kind.CHECKPOINT, at=NOON)
    (tmp_path / "checkpoints" / "000000000003.note").write_text(forged, encoding="utf-8")
    said = run("audit", "verify")
    assert said.status == 1
    assert "000000000003.note" in said.out
    assert run("audit", "checkpoint").status == 1


def test_the_key_is_its_owners_alone_and_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    public = PublicKey.parse(run("audit", "init-key", "office/audit").out)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.parse(path.read_text(encoding="ascii")).public == public
    assert run("audit", "init-key", "office/audit").status == 1
    path.chmod(0o640)
    refused = run("audit", "checkpoint")
    assert (refused.status, "chmod 600" in refused.err) == (2, True)
    path.unlink()
    assert run("audit", "init-key", "two words").status == 2
    assert run("audit", "checkpoint").status == 2


def test_entries_past_their_time_are_dropped_by_retention_alone_and_the_rest_verifies(
    run: Run, runtime_url: str, retention_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R8.1f, R8.1e."""
    now = SystemClock().now()
    run("audit", "init-key", "office/audit")
    for days in (800, 740, 732, 700, 40, 1):
        tell(runtime_url, 2, at=now - timedelta(days=days))
        run("audit", "checkpoint")
    refused = run("audit", "forget")
    assert (refused.status, "this login" in refused.err) == (3, True)
    monkeypatch.setenv("RECORDER_DATABASE_URL", retention_url)
    said = run("audit", "forget")
    assert "10 entries, and 6 entries" in said.out
    assert "0 entries, and 0 entries" in run("audit", "forget").out
    kept = run("audit", "show", "--json").json
    assert [each["seq"] for each in kept] == list(range(14, 6, -1))
    assert [each["action"] for each in kept[:2]] == ["audit:forgotten", "personal:forgotten"]
    assert sum(each["has_personal"] for each in kept) == 2
    assert run("audit", "verify").status == 0
    assert run("audit", "checkpoint").status == 0


def test_a_beginning_cut_off_with_a_checkpoint_as_its_excuse_is_found(
    run: Run, runtime_url: str, database_url: str, tmp_path: Path
) -> None:
    """A checkpoint says where the trail ended, not that its beginning may go."""
    tell(runtime_url, 3)
    run("audit", "init-key", "office/audit")
    run("audit", "checkpoint")
    tell(runtime_url, 2)
    note = (tmp_path / "checkpoints" / "000000000003.note").read_text(encoding="utf-8")
    tamper(
        database_url,
        f"UPDATE audit_start SET note = '{note}', seq = 3" + OF_THE_THIRD,
        "DELETE FROM audit_event WHERE seq <= 3",
    )
    said = run("audit", "verify")
    assert (said.status, "entry 1: missing" in said.out) == (1, True)


# -- the export and its verifier ------------------------------------------------------------------


def verified(folder: Path, key: str) -> tuple[int, str]:
    """Run the verifier as a stranger does: from elsewhere, with nothing of ours on its path."""
    done = subprocess.run(
        [sys.executable, "-I", str(ROOT / "script/verify-audit"), str(folder), key],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def exported(run: Run, runtime_url: str, tmp_path: Path) -> tuple[Path, str]:
    public = run("audit", "init-key", "office/audit").out.strip()
    tell(runtime_url, 4)
    run("audit", "checkpoint")
    tell(runtime_url, 3)
    said = run("audit", "export", "--reveal", str(tmp_path / "trail"))
    assert said.out == f"Wrote 8 entries to {tmp_path / 'trail'}.\n"
    return tmp_path / "trail", public


def test_an_export_verifies_without_our_program(exported: tuple[Path, str]) -> None:
    folder, public = exported
    status, said = verified(folder, public)
    assert (status, said.startswith("Whole from entry 1 to 8, signed on ")) == (0, True)
    assert stat.S_IMODE((folder / "entries.jsonl").stat().st_mode) == 0o600
    assert NUMBER in (folder / "entries.jsonl").read_text(encoding="utf-8")


def test_an_export_without_numbers_verifies_as_well(
    run: Run, exported: tuple[Path, str], tmp_path: Path
) -> None:
    _, public = exported
    assert run("audit", "export", str(tmp_path / "masked")).status == 0
    assert NUMBER not in (tmp_path / "masked/entries.jsonl").read_text(encoding="utf-8")
    assert verified(tmp_path / "masked", public)[0] == 0


def test_an_export_whose_beginning_was_forgotten_verifies(
    run: Run, runtime_url: str, retention_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    public = run("audit", "init-key", "office/audit").out.strip()
    tell(runtime_url, 3, at=SystemClock().now() - timedelta(days=800))
    tell(runtime_url, 2, at=SystemClock().now())
    monkeypatch.setenv("RECORDER_DATABASE_URL", retention_url)
    run("audit", "forget")
    assert run("audit", "export", str(tmp_path / "trail")).status == 0
    status, said = verified(tmp_path / "trail", public)
    assert (status, "Whole from entry 4 (the older ones were forgotten" in said) == (0, True)
    (tmp_path / "trail/start.note").unlink()
    assert "entry 1: missing" in verified(tmp_path / "trail", public)[1]


def test_an_export_needs_a_key_a_checkpoint_and_a_new_folder(
    run: Run, runtime_url: str, tmp_path: Path
) -> None:
    tell(runtime_url, 1)
    assert run("audit", "export", str(tmp_path / "trail")).status == 2
    run("audit", "init-key", "office/audit")
    (tmp_path / "trail").mkdir()
    assert run("audit", "export", str(tmp_path / "trail")).status == 1


Lines = list[dict[str, str]]


def reworded(line: dict[str, str], **changes: object) -> dict[str, str]:
    body = json.loads(line["body"]) | changes
    return line | {"body": json.dumps(body, ensure_ascii=False, separators=(",", ":"))}


def rehashed(line: dict[str, str]) -> dict[str, str]:
    return line | {"hash": hashlib.sha256(line["body"].encode()).hexdigest()}


def rewrite(lines: Lines) -> Lines:
    previous, written = "0" * 64, []
    for line in lines:
        written.append(rehashed(reworded(line, reason="new", previous=previous)))
        previous = written[-1]["hash"]
    return written


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda all_: [*all_[:2], reworded(all_[2], reason="x"), *all_[3:]], "entry 3: altered"),
        (lambda all_: [*all_[:2], all_[2] | {"hash": "0" * 64}, *all_[3:]], "entry 3: altered"),
        (
            lambda all_: [*all_[:2], rehashed(reworded(all_[2], reason="x")), *all_[3:]],
            "entry 4: altered, or replaced the one before",
        ),
        (
            lambda all_: [*all_[:3], rehashed(reworded(all_[3], reason="x")), *all_[4:]],
            "entry 4: a checkpoint signed another",
        ),
        (lambda all_: [*all_[:2], *all_[3:]], "entry 3: missing"),
        (lambda all_: all_[1:], "entry 1: missing"),
        (lambda all_: [*all_[:2], all_[3], all_[2], *all_[4:]], "entry 3: missing"),
        (lambda all_: [*all_[:3], all_[2], *all_[3:]], "entry 3: out of order"),
        (lambda all_: [*all_, rehashed(reworded(all_[-1], seq=9))], "entry 9: altered"),
        (lambda all_: all_[:-1], "entry 8: cut off"),
        (lambda all_: all_[:0], "entry 1: cut off"),
        (rewrite, "entry 4: a checkpoint signed another"),
        (
            lambda all_: [*all_[:2], all_[2] | {"personal": '{"caller":"1"}'}, *all_[3:]],
            "entry 3: personal part altered",
        ),
        (lambda all_: [*all_[:2], {"body": "{"}, *all_[3:]], "entry 3: altered, it cannot be read"),
    ],
)
def test_every_tampering_of_an_export_is_found(
    spoil: Callable[[Lines], Lines], said: str, exported: tuple[Path, str]
) -> None:
    """A13."""
    folder, public = exported
    path = folder / "entries.jsonl"
    lines = [json.loads(each) for each in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in spoil(lines)), encoding="utf-8")
    status, told = verified(folder, public)
    assert (status, told.startswith("NOT WHOLE. "), said in told) == (1, True, True), told


@pytest.mark.parametrize("odd", [b"\xff\xfe", b"[" * 100_000, b"null", b"", b"9" * 5000])
@pytest.mark.parametrize("place", [2, 8])
def test_what_cannot_be_read_in_an_export_is_named_as_an_entry(
    place: int, odd: bytes, exported: tuple[Path, str]
) -> None:
    """A13: not with an error that names nothing."""
    folder, public = exported
    path = folder / "entries.jsonl"
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"".join(each + b"\n" for each in [*lines[:place], odd, *lines[place:]]))
    assert f"entry {place + 1}: altered" in verified(folder, public)[1]
    path.write_bytes(b"\n".join(lines) + b"\n")
    note = folder / "checkpoints/000000000008.note"
    note.write_bytes(odd)
    status, told = verified(folder, public)
    assert (status, told.startswith("NOT WHOLE. 000000000008.note")) == (1, True), told


def test_a_tail_cut_with_its_checkpoint_is_seen_by_the_day_it_was_signed(
    exported: tuple[Path, str],
) -> None:
    """The export alone cannot tell: whoever keeps checkpoints elsewhere can."""
    folder, public = exported
    (folder / "checkpoints/000000000008.note").unlink()
    assert "entry 5: no checkpoint covers it" in verified(folder, public)[1]
    path = folder / "entries.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:4]))
    assert "to 4, signed on " in verified(folder, public)[1]


def test_another_key_verifies_nothing(exported: tuple[Path, str]) -> None:
    folder, public = exported
    other = SigningKey("office/audit", bytes(32)).public
    assert "not signed by this key" in verified(folder, str(other))[1]
    assert verified(folder, public[:-2])[0] == 2
    for note in (folder / "checkpoints").iterdir():
        note.write_text(note.read_text(encoding="utf-8").replace("\n8\n", "\n9\n"))
    assert "its signature is wrong" in verified(folder, public)[1]
