"""Every command × everybody who may sit at the prompt (A1, A12)."""

import hashlib
import io
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pyotp
import pytest

from recorder import cli
from recorder.access.matrix import mark_of
from recorder.access.model import Permission, Why
from recorder.access.rules import decide_operator
from recorder.access.service import AccessRefused
from recorder.accounts.model import Role
from recorder.adapters.factor_seal import seal_of
from recorder.adapters.totp import TotpBook
from recorder.commands import gatehouse
from recorder.commands.permissions import DECLARED, Door
from recorder.errors import RuleViolation
from recorder.settings import load_settings
from tests.builders import IN_SCOPE, a_call
from tests.keys import MASTER_KEY_TEXT, some_keys
from tests.postgres.test_commands import Run, as_a_person, keep
from tests.signed_in import PASSWORD, PURPOSE, sign_in

pytestmark = pytest.mark.postgres
COMMANDS = dict(gatehouse.commands_of(cli.command()))
ENDED = """UPDATE authorisation
SET valid_from = valid_from - interval '1 day', valid_until = now() - interval '1 second'"""
ALWAYS = {Door.OPEN, Door.FILES}
SignIn = Callable[..., Any]


@pytest.fixture
def run(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECORDER_SCAN_DIR", str(tmp_path / "scans"))
    return as_a_person(monkeypatch, capsys)


@pytest.fixture
def at_the_prompt(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SignIn:
    def signed_in(*roles: Role, **how: Any) -> Any:
        return sign_in(monkeypatch, database_url, tmp_path, *roles, **how)

    return signed_in


def nobody_special(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gatehouse, "is_machines_administrator", lambda _: False)


def outcome(name: str) -> Why | str:
    try:
        gatehouse.admit(name)
    except AccessRefused as refused:
        return refused.reason
    return "in"


def query(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_every_command_has_a_declared_right() -> None:
    assert set(COMMANDS) - set(DECLARED) == set()
    for name, declared in DECLARED.items():
        assert (declared.permission is None) == (declared.door in ALWAYS), name


def test_a_command_without_a_declared_right_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(DECLARED, "calls list")
    with pytest.raises(RuleViolation, match="no right declared"):
        gatehouse.admit("calls list")


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_to_the_commands_of_the_matrix_and_no_other(
    at_the_prompt: SignIn, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    """A1 for the command line: with every paper the role takes."""
    nobody_special(monkeypatch)
    at_the_prompt(role)
    for name, declared in DECLARED.items():
        found = outcome(name)
        if declared.door in ALWAYS:
            assert found == "in", name
        elif declared.door is Door.MACHINE:
            assert found is Why.NOT_SIGNED_IN, name
        elif role is Role.CONTRACTOR:
            assert found is Why.ACCESS_NOT_OPEN, name
        else:
            assert declared.permission is not None
            may = mark_of(declared.permission, role) != "–"
            # A role that lacks it comes to an EITHER door as the machine's user, who is nobody.
            no = Why.NOT_SIGNED_IN if declared.door is Door.EITHER else Why.ROLE_LACKS_IT
            assert found == ("in" if may else no), name


def test_nobody_gets_to_anything_but_the_door(
    at_the_prompt: SignIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at_the_prompt(Role.LISTENER)
    (tmp_path / "session").unlink()
    nobody_special(monkeypatch)
    for name, declared in DECLARED.items():
        expected = "in" if declared.door in ALWAYS else Why.NOT_SIGNED_IN
        assert outcome(name) == expected, name


def test_the_machines_administrator_keeps_the_machine_and_hears_nothing(
    at_the_prompt: SignIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """R6.3e."""
    at_the_prompt(Role.LISTENER)
    (tmp_path / "session").unlink()
    monkeypatch.setattr(gatehouse, "is_machines_administrator", lambda _: True)
    for name, declared in DECLARED.items():
        if declared.door is Door.ACCOUNT:
            assert outcome(name) is Why.NOT_SIGNED_IN, name
        elif declared.permission is not None:
            may = decide_operator(declared.permission).allowed
            assert (outcome(name) == "in") == may, name
    assert not decide_operator(Permission.NUMBER_REVEAL).allowed


def test_a_number_is_shown_whole_only_under_a_paper_and_a_purpose(
    run: Run, at_the_prompt: SignIn, database_url: str
) -> None:
    """R3.1a, R8.1b: and each time leaves its entry."""
    at_the_prompt(Role.LISTENER)
    keep(database_url, a_call(scope=IN_SCOPE))
    (call,) = run("calls", "list", "--json").json
    for reveal in (["calls", "list", "--reveal"], ["calls", "show", call["id"], "--reveal"]):
        for ground in ([], ["--purpose", "ciekawość"], ["--request", "x"]):
            said = run(*reveal, *ground)
            assert said.status == 1
            assert "600123456" not in said.out + said.err
        assert "600123456" in run(*reveal, "--purpose", PURPOSE).out
        assert "600123456" in run(*reveal, "--request", "W/31/2026").out
    shown = "SELECT reason FROM audit_event WHERE action = 'number:revealed' ORDER BY seq"
    assert {row[0] for row in query(database_url, shown)} == {PURPOSE, "W/31/2026"}

    query(database_url, ENDED)
    said = run("calls", "list", "--reveal", "--purpose", PURPOSE)
    assert (said.status, "authorisation_ended" in said.err) == (1, True)
    assert "600123456" not in said.out
    assert run("calls", "list").status == 0, "masked, it is the role's alone"


def test_without_the_trail_nothing_is_shown_or_handed_out(
    run: Run, at_the_prompt: SignIn, database_url: str
) -> None:
    """RG.15."""
    at_the_prompt(Role.LISTENER)
    keep(database_url, a_call(scope=IN_SCOPE))
    query(database_url, "ALTER TABLE audit_event RENAME TO away")
    for command in (["calls", "list"], ["calls", "list", "--reveal", "--purpose", PURPOSE]):
        said = run(*command)
        assert (said.status, said.out) == (3, "")


def test_what_is_searched_by_is_in_the_trail_and_for_whom_is_not(
    run: Run, at_the_prompt: SignIn, database_url: str
) -> None:
    """R8.1e, RG.16."""
    account = at_the_prompt(Role.LISTENER)
    run("calls", "list", "--caller", "600123456", "--day", "2026-11-12")
    rows = query(
        database_url,
        "SELECT actor_name, details, commitment FROM audit_event WHERE action = 'call:searched'",
    )
    assert [(row[0], row[2]) for row in rows] == [(str(account.id), None)]
    assert "caller, day" in rows[0][1]
    assert "600123456" not in str(rows)


def test_a_refusal_leaves_its_entry(run: Run, at_the_prompt: SignIn, database_url: str) -> None:
    at_the_prompt(Role.DPO)
    assert run("recordings", "export", "01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11", "x").status == 1
    rows = query(
        database_url, "SELECT reason, details FROM audit_event WHERE action = 'access:refused'"
    )
    assert [row[0] for row in rows] == ["role_lacks_it"]
    assert "copy:make" in rows[0][1]


def test_the_session_is_in_a_file_of_its_owner_alone(
    run: Run, at_the_prompt: SignIn, tmp_path: Path
) -> None:
    """A12."""
    at_the_prompt(Role.LISTENER)
    path = tmp_path / "session"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run("calls", "list").status == 0
    path.chmod(0o640)
    said = run("calls", "list")
    assert (said.status, "alone" in said.err) == (1, True)
    path.chmod(0o600)
    assert run("sign-out").status == 0
    assert not path.exists()
    assert run("calls", "list").status == 1
    path.symlink_to("/etc/hostname")
    assert run("calls", "list").status == 1


def test_no_secret_is_ever_an_argument() -> None:
    """A12: what is in argv is in ``ps``."""
    for name, command in COMMANDS.items():
        options = {each for one in command.params for each in (*one.opts, one.name or "")}
        for word in ("password", "token", "code", "secret", "key"):
            assert not {each for each in options if each.strip("-") == word}, name


def test_an_office_begins_with_a_token_and_ends_with_an_authorised_listener(
    run: Run,
    at_the_prompt: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    tmp_path: Path,
) -> None:
    """From the empty database to the first whole number, as a person types it (A7, R8.1a)."""
    at_the_prompt(Role.LISTENER)  # for its settings; the office itself begins empty
    query(database_url, "TRUNCATE account, first_run_token, authorisation_number CASCADE")

    def typed(*lines: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{each}\n" for each in lines)))

    (tmp_path / "session").unlink()
    token = run("user", "first-token").out.splitlines()[0]
    office = ["--name", "Anna Nowak", "--post", "Dyrektor"]
    typed("wrong", PASSWORD)
    assert run("user", "first", "anna", *office).status == 1
    typed(token, PASSWORD)
    assert run("user", "first", "anna", *office).status == 0
    typed(token, PASSWORD)
    assert run("user", "first", "beata", *office).status == 1
    assert run("user", "first-token").status == 1

    # A second administrator takes the first one's word.
    more = ["user", "add", "beata", *office, "--role", "administrator"]
    typed("anna", "wrong", "")
    assert run(*more).status == 1
    typed("anna", PASSWORD, "")
    passwords = {"beata": run(*more).out.splitlines()[0]}
    listener = ["--name", "Jan Lis", "--post", "inspektor", "--role", "listener"]
    passwords["jan"] = run("user", "add", "jan", *listener).out.splitlines()[0]

    def signed_in(login: str, password: str = PASSWORD) -> None:
        typed(password, "")
        assert run("sign-in", login).status == 0

    for login, temporary in passwords.items():
        signed_in(login, temporary)
        assert run("calls", "list").status == 1, "the password must be changed first"
        typed(temporary, f"{PASSWORD} {login[0]}")
        assert run("user", "password").status == 0

    signed_in("anna")
    granted = run("authorisation", "grant", "jan", "--role", "listener", "--to", "2099-12-31")
    paper = granted.out.split()[-1]
    assert run("authorisation", "confirm", paper).status == 1
    signed_in("beata", f"{PASSWORD} b")
    assert "Granted: 1/" in run("authorisation", "confirm", paper).out
    (row,) = run("authorisation", "list", "--json").json
    assert (row["standing"], row["name"]) == ("valid", "Jan Lis")
    form = run("authorisation", "print", row["number"]).out
    assert "UPOWAŻNIENIE" in form
    assert "Anna Nowak" in form

    keep(database_url, a_call(scope=IN_SCOPE))
    signed_in("jan", f"{PASSWORD} j")
    assert "600123456" in run("calls", "list", "--reveal", "--purpose", PURPOSE).out
    signed_in("anna")
    _revoked_with_a_reason(run, row["number"])
    signed_in("jan", f"{PASSWORD} j")
    assert run("calls", "list", "--reveal", "--purpose", PURPOSE).status == 1


def _revoked_with_a_reason(run: Run, number: str) -> None:
    revoke = ["authorisation", "revoke", number]
    assert run(*revoke).status == 2
    assert run(*revoke, "--reason", " ").status == 1
    assert run(*revoke, "--reason", "koniec zatrudnienia").status == 0
    shown = run("authorisation", "show", number, "--json").json
    assert (shown["standing"], shown["revoked_for"]) == ("revoked", "koniec zatrudnienia")


def test_a_programs_token_is_told_once_kept_by_its_hash_and_revoked(
    run: Run, at_the_prompt: SignIn, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    """R8.1: a program works under somebody's account, for as long as was said."""
    at_the_prompt(Role.SYSADMIN)
    issue = ["token", "issue", "zenobia", "--name", "raport", "--may", "report:read"]
    assert run("token", "issue", "nikt", *issue[3:]).status == 1
    assert run(*issue, "--days", "367").status == 1
    assert run(*issue[:-1], "fly:high").status == 2
    assert "No token was ever issued" in run("token", "list").out
    token = run(*issue, "--days", "30").out.strip()
    ((kept,),) = query(database_url, "SELECT token_sha256 FROM program_token")
    assert kept == hashlib.sha256(token.encode()).hexdigest()
    listed = run("token", "list", "--json")
    (row,) = listed.json
    assert (row["name"], row["may"], row["revoked_at"]) == ("raport", ["report:read"], None)
    assert token not in listed.out + run("token", "list").out
    assert run("token", "revoke", row["id"]).status == 0
    assert run("token", "revoke", row["id"]).status == 1
    assert run("token", "list", "--json").json[0]["revoked_at"]
    acts = [each for (each,) in query(database_url, "SELECT action FROM audit_event ORDER BY seq")]
    assert [each for each in acts if each.startswith("token:")] == ["token:issued", "token:revoked"]
    nobody_special(monkeypatch)
    at_the_prompt(Role.LISTENER, login="jan")
    assert run(*issue).status == 1


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def type_in(*lines: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{each}\n" for each in lines)))

    return type_in


def agreed(url: str) -> list[tuple[str, str]]:
    """Return the acts on accounts that say who agreed, each with that person's login."""
    return query(
        url,
        "SELECT e.action, a.login FROM audit_event e JOIN account a "
        "ON a.id::text = e.details::json->>'agreed_by' "
        "WHERE e.action <> 'account:added' ORDER BY e.seq",
    )


@pytest.mark.parametrize("overseer", [Role.ADMINISTRATOR, Role.DPO])
def test_an_overseers_account_is_opened_only_with_a_present_administrator(
    run: Run,
    at_the_prompt: SignIn,
    typed: Callable[..., None],
    database_url: str,
    overseer: Role,
) -> None:
    """R6.3e: who runs the machine would else be that person, with a password of his own."""
    for login, role in (("anna", Role.ADMINISTRATOR), ("ewa", overseer), ("olga", Role.LISTENER)):
        at_the_prompt(role, login=login, paper=False)
    at_the_prompt(Role.SYSADMIN)
    told = "SELECT password_hash, roles, disabled_at, issuer, totp_secret FROM account WHERE login"
    before = query(database_url, f"{told} = 'ewa'")
    issuer = ["--issuer", "https://login.example", "--subject", "1"]
    acts = {
        "password:reset": ["user", "reset", "ewa"],
        "second_factor:reset": ["user", "reset", "ewa", "--totp"],
        "token:issued": ["token", "issue", "ewa", "--name", "x", "--may", "status:read"],
        "account:linked": ["user", "link", "ewa", *issuer],
        "account:unlinked": ["user", "unlink", "ewa"],
        "role:assigned": ["user", "roles", "ewa", "--take", overseer.value],
    }
    for name, act in acts.items():
        if name == "account:unlinked":
            continue
        for nobody in (("olga", PASSWORD, ""), ("zenobia", PASSWORD, "")):
            typed(*nobody)
            assert run(*act).status == 1, (name, nobody)
    for wrong in (("",), ("anna", "wrong", "")):
        typed(*wrong)
        assert run("user", "reset", "ewa").status == 1
    assert query(database_url, f"{told} = 'ewa'") == before
    assert agreed(database_url) == []
    for act in acts.values():
        typed("anna", PASSWORD, "")
        assert run(*act).status == 0, act
    typed("anna", PASSWORD, "")
    again = run("user", "roles", "ewa", "--give", overseer.value)
    assert (again.status, "first password" in again.err) == (1, True)
    assert agreed(database_url) == [(each, "anna") for each in acts]
    assert run("user", "reset", "olga").status == 0, "everybody else is helped at once"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2200-01-01"])
def test_a_day_at_the_ends_of_the_calendar_is_wrong_use(
    run: Run, at_the_prompt: SignIn, day: str
) -> None:
    at_the_prompt(Role.ADMINISTRATOR)
    for command in (
        ["authorisation", "grant", "jan", "--role", "listener", "--to", day],
        [
            "authorisation",
            "grant",
            "jan",
            "--role",
            "listener",
            "--to",
            "2099-01-01",
            "--from",
            day,
        ],
        ["audit", "show", "--since", day],
        ["audit", "show", "--until", day],
        ["calls", "list", "--day", day],
        ["completeness", "--day", day],
        ["logs", "--until", f"{day} 10:00"],
    ):
        assert run(*command).status == 2, command


def test_what_no_table_holds_is_refused_with_a_sentence(run: Run, at_the_prompt: SignIn) -> None:
    """B7: a byte that is no text, and a name of pages."""
    at_the_prompt(Role.SYSADMIN)
    post = ["--post", "inspektor", "--role", "listener"]
    assert "120" in run("user", "add", "jan", "--name", "x" * 121, *post).err
    assert run("user", "add", "jan", "--name", "Jan \udcff", *post).status == 0
    odd = ["--issuer", "https://login.example/\udcff", "--subject", "1"]
    assert run("user", "link", "jan", *odd).status == 0
    assert "120" in run("workstation", "add", "10.1.1.1", "--name", "x" * 121, "--place", "y").err


def test_under_a_paper_the_second_factor_goes_only_with_a_present_administrator(
    run: Run, at_the_prompt: SignIn, typed: Callable[..., None], database_url: str
) -> None:
    """R6.3e: who runs the machine would else hear in a listener's name."""
    at_the_prompt(Role.LISTENER, login="olga")
    at_the_prompt(Role.SYSADMIN)
    told = "SELECT password_hash, issuer, totp_since, totp_secret FROM account WHERE login = 'olga'"
    before = query(database_url, told)
    link = ["user", "link", "olga", "--issuer", "https://login.example", "--subject", "1"]
    acts = {
        "password:reset": ["user", "reset", "olga"],
        "account:linked": link,
        "second_factor:reset": ["user", "reset", "olga", "--totp"],
    }
    for act in acts.values():
        for nobody in ((), ("olga", PASSWORD, ""), ("zenobia", PASSWORD, "")):
            typed(*nobody)
            assert run(*act).status == 1, (act, nobody)
    assert query(database_url, told) == before
    query(database_url, "UPDATE account SET totp_since = now(), totp_secret = 'x'")
    assert run("user", "reset", "olga").status == 0, "the telephone is asked for as before"
    typed()
    assert run("user", "reset", "olga", "--totp").status == 1
    query(database_url, "UPDATE account SET totp_since = NULL, totp_secret = NULL")
    for act in acts.values():
        typed("olga-anna", PASSWORD, "")
        told_at_last = run(*act)
        assert told_at_last.status == 0, act
    assert "stays until the person has signed in" in told_at_last.out
    assert agreed(database_url) == [(each, "olga-anna") for each in acts]
    typed("olga-anna", PASSWORD, "")
    assert run("user", "unlink", "olga").status == 0


def test_where_no_administrator_is_left_the_dpo_agrees_and_nobody_else(
    run: Run, at_the_prompt: SignIn, typed: Callable[..., None], database_url: str
) -> None:
    """R6.3e: locking the last administrator is no way round, and the office is not locked out."""
    for login, role in (
        ("anna", Role.ADMINISTRATOR),
        ("daria", Role.DPO),
        ("olga", Role.LISTENER),
    ):
        at_the_prompt(role, login=login, paper=False)
    at_the_prompt(Role.SYSADMIN)
    assert run("user", "disable", "anna").status == 0
    office = ["--name", "Beata Lis", "--post", "Zastępca", "--role", "administrator"]
    acts = (
        ["user", "reset", "anna"],
        ["user", "reset", "anna", "--totp"],
        ["user", "enable", "anna"],
    )
    for act in (*acts, ["user", "add", "beata", *office]):
        for nobody in (("anna", PASSWORD, ""), ("olga", PASSWORD, ""), ("zenobia", PASSWORD, "")):
            typed(*nobody)
            assert run(*act).status == 1, (act, nobody)
    for act in acts:
        typed("daria", PASSWORD, "")
        assert run(*act).status == 0, act
    assert [login for _, login in agreed(database_url)] == ["daria"] * len(acts)
    typed("daria", PASSWORD, "")
    assert run("user", "add", "beata", *office).status == 1, "an administrator is there again"


def test_an_administrator_alone_agrees_by_a_recovery_code_even_without_the_accounts_key(
    run: Run,
    at_the_prompt: SignIn,
    typed: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    tmp_path: Path,
) -> None:
    """R6.3e, R8.1d: the telephone is lost, or the key under which the factors lie."""
    monkeypatch.setenv("RECORDER_KEY_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("RECORDER_MASTER_KEY", MASTER_KEY_TEXT)
    some_keys(tmp_path / "keys")
    at_the_prompt(Role.ADMINISTRATOR)
    monkeypatch.setattr("sys.stdin", Telephone(database_url))
    codes = run("user", "totp").out.splitlines()[-10:]
    (tmp_path / "keys" / "accounts.key").unlink()
    reset = ["user", "reset", "zenobia", "--totp"]
    typed("zenobia", PASSWORD, "0" * 20)
    assert run(*reset).status == 1
    typed("zenobia", PASSWORD, codes[0])
    assert run(*reset).status == 0
    assert query(database_url, "SELECT totp_since FROM account") == [(None,)]
    assert agreed(database_url) == [("second_factor:reset", "zenobia")]


def test_workstations_and_contractors_are_kept_at_the_prompt(
    run: Run, at_the_prompt: SignIn
) -> None:
    """R6.2a, R6.3c."""
    at_the_prompt(Role.SYSADMIN)
    assert "nobody may connect" in run("workstation", "list").out
    add = ["workstation", "add", "--name", "biuro", "--place", "p. 12"]
    assert run(*add, "10.1.2.0/24").status == 0
    assert run(*add, "0.0.0.0/0").status == 1
    (row,) = run("workstation", "list", "--json").json
    assert row["network"] == "10.1.2.0/24"
    assert run("workstation", "remove", row["id"]).status == 0
    assert run("workstation", "list", "--json").json == []
    firm = ["--name", "Firma", "--post", "serwis", "--role", "contractor"]
    assert run("user", "add", "firma", *firm).status == 0
    opening = ["contractor", "open", "firma", "--contract", "UM/1", "--reason", "disk"]
    assert run(*opening, "--hours", "9").status == 2
    assert run(*opening).out.startswith("Open until ")
    (row,) = run("contractor", "list", "--json").json
    assert row["state"] == "open"
    assert run("contractor", "close", "firma").status == 0
    assert run("contractor", "list", "--json").json[0]["state"] == "closed"


class Telephone:
    """Standard input of a person who reads the code off the telephone when asked for it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def isatty(self) -> bool:
        return False

    def readline(self) -> str:
        ((account_id, stored),) = query(
            self._url, "SELECT id, totp_secret FROM account WHERE login = 'zenobia'"
        )
        assert stored.startswith("sealed1:")
        secret = TotpBook(seal_of(load_settings())).opened(stored, account_id)
        return f"{pyotp.TOTP(secret).now()}\n"


def test_where_a_second_factor_is_required_nothing_else_comes_first(
    run: Run,
    at_the_prompt: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    tmp_path: Path,
) -> None:
    """R8.1d."""
    monkeypatch.setenv("RECORDER_KEY_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("RECORDER_MASTER_KEY", MASTER_KEY_TEXT)
    some_keys(tmp_path / "keys")
    at_the_prompt(Role.LISTENER)
    monkeypatch.setenv("RECORDER_TOTP", "required")
    said = run("calls", "list")
    assert (said.status, "second_factor_not_set" in said.err) == (1, True)
    monkeypatch.setattr("sys.stdin", Telephone(database_url))
    set_up = run("user", "totp")
    assert set_up.status == 0
    assert "otpauth://totp/" in set_up.out
    codes = set_up.out.splitlines()[-10:]
    assert len({*codes}) == 10
    assert run("calls", "list").status == 0, "the session that set it stays"

    def signs_in(*lines: str) -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{each}\n" for each in lines)))
        return run("sign-in", "zenobia").status

    assert signs_in(PASSWORD, "") == 1
    assert signs_in(PASSWORD, "000000") == 1
    assert signs_in(PASSWORD, codes[0]) == 0
    assert signs_in(PASSWORD, codes[0]) == 1
    assert run("calls", "list").status == 1, "signing in again ended the session before"
