"""``recorder config``: what an auditor and an administrator read, without a database."""

from pathlib import Path

import pytest

from recorder.settings import Settings
from tests.keys import MASTER_KEY_TEXT, some_keys
from tests.postgres.test_commands import Run, as_a_person

SHIPPED = Path(__file__).parents[2] / "regulation.toml"
ON = (
    ("recording = false", "recording = true"),
    ("trunks = []", 'trunks = [{ endpoint = "operator", context = "from-operator" }]'),
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """An office with everything in its place; a test takes something away."""
    monkeypatch.chdir(tmp_path)
    for folder in ("spool", "vault", "announcements"):
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(f"RECORDER_{folder.rstrip('s').upper()}_DIR", str(tmp_path / folder))
    some_keys(tmp_path / "keys")
    monkeypatch.setenv("RECORDER_KEY_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("RECORDER_MASTER_KEY", MASTER_KEY_TEXT)
    monkeypatch.setenv("RECORDER_SPOOL_FLOOR_MIB", "1")
    monkeypatch.setenv("RECORDER_ARI_PASSWORD", "hush")
    regulate(*ON)
    as_administrator = as_a_person(monkeypatch, capsys)
    assert as_administrator("announcement", "install-starters", "--activate").status == 0
    return as_administrator


def regulate(*changes: tuple[str, str]) -> None:
    """Write the shipped regulation, changed, where the commands look for it."""
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    Path("regulation.toml").write_text(text, encoding="utf-8")


def wrong(run: Run) -> list[str]:
    said = run("config", "check", "--json")
    found = [each["says"] for each in said.json if each["weight"] == "wrong"]
    assert said.status == (1 if found else 0)
    return found


def test_what_is_in_force_stands_beside_its_paragraph(run: Run) -> None:
    """R1.1b."""
    lines = run("config", "show").out.splitlines()
    assert any(each.split() == ["§", "7.2", "retention.days", "30"] for each in lines)
    assert any(each.split() == ["RECORDER_NODE", "pbx1"] for each in lines)
    found = run("config", "show", "--json").json
    assert {"name": "retention.days", "value": 30, "paragraph": "§ 7.2"} in found["regulation"]
    assert set(found["settings"]) == {f"RECORDER_{each.upper()}" for each in Settings.model_fields}


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("RECORDER_ARI_PASSWORD", "hush", "(set)"),
        (
            "RECORDER_DATABASE_URL",
            "postgresql+psycopg://recorder:hush@db/calls?sslpassword=hush",
            "postgresql+psycopg://recorder@db/calls",
        ),
        ("RECORDER_DATABASE_URL", "hush", "(no address of PostgreSQL)"),
        ("RECORDER_ARI_URL", "http://me:hush@pbx:8088/ari", "http://me:(set)@pbx:8088/ari"),
    ],
)
def test_no_password_is_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, shown: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert run("config", "show", "--json").json["settings"][variable] == shown
    for command in ("show", "check"):
        said = run("config", command)
        assert "hush" not in said.out + said.err


def test_who_mistyped_a_setting_is_shown_all_of_them(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_SPOL_DIR", "spool")
    said = run("config", "show")
    assert (said.status, said.out) == (2, "")
    assert "RECORDER_SPOL_DIR: no such setting" in said.err
    assert "RECORDER_SPOOL_DIR " in said.err


def test_an_office_with_everything_in_its_place_has_nothing_wrong(run: Run) -> None:
    said = run("config", "check")
    assert wrong(run) == []
    assert said.out.splitlines()[-1].startswith("0 wrong, ")


def test_without_an_ami_account_it_says_what_cannot_be_stopped(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3.4h: a remark, since everything else works."""
    assert "remark: RECORDER_AMI_PASSWORD is empty" in run("config", "check").out
    monkeypatch.setenv("RECORDER_AMI_PASSWORD", "long and random")
    assert "AMI" not in run("config", "check").out


def test_a_new_installation_is_told_that_nothing_is_recorded_yet(run: Run) -> None:
    """R3.2b: this is how it ships, and no mistake."""
    regulate()
    said = run("config", "check")
    assert said.status == 0
    assert "remark: scope.recording is false" in said.out


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (ON[:1], "scope.trunks is empty"),
        ((*ON, ('lines = "all"', "lines = []")), "scope.lines is empty"),
    ],
)
def test_a_scope_that_holds_no_call_is_wrong(
    run: Run, changes: tuple[tuple[str, str], ...], says: str
) -> None:
    """R3.4a, R3.2a: recording is on, and still nothing would ever be recorded."""
    regulate(*changes)
    (only,) = wrong(run)
    assert says in only


def test_a_line_that_is_no_public_number_is_remarked(run: Run) -> None:
    regulate(*ON, ('lines = "all"', 'lines = ["74 664 08 00", "664"]'))
    said = run("config", "check").out
    assert "scope.lines: 664 is no public number" in said
    assert "74 664 08 00" not in said


def test_the_mode_without_an_unrecorded_way_is_doubted(run: Run) -> None:
    """RG.1."""
    assert "doubt" not in run("config", "check").out
    regulate(*ON, ('mode = "opt_out"', 'mode = "notice"'))
    assert "doubt" in run("config", "check").out


def test_a_default_language_without_its_announcement_is_wrong_and_another_a_remark(
    run: Run,
) -> None:
    """R8.2e."""
    regulate(*ON, ('language = "pl"', 'language = "de"'))
    assert any("(first, de): no call is recorded" in each for each in wrong(run))
    regulate(*ON, ('5 = "en"', '5 = "de"'))
    assert wrong(run) == []
    assert "remark: no announcement is in force (first, de)" in run("config", "check").out


def test_a_changed_announcement_is_wrong(run: Run, tmp_path: Path) -> None:
    """R8.2e."""
    sound = next((tmp_path / "announcements").glob("*/sound.alaw"))
    sound.write_bytes(sound.read_bytes()[:-1])
    (only,) = wrong(run)
    assert sound.parent.name in only


@pytest.mark.parametrize("gone", ["spool", "vault"])
def test_a_missing_folder_is_wrong(run: Run, tmp_path: Path, gone: str) -> None:
    (tmp_path / gone).rmdir()
    (only,) = wrong(run)
    assert f"the {gone} is missing" in only
    assert f"RECORDER_{gone.upper()}_DIR" in only


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RECORDER_SPOOL_FLOOR_MIB", "1000000000"),
        ("RECORDER_ARI_PASSWORD", ""),
        ("RECORDER_DATABASE_URL", "sqlite:///calls"),
    ],
)
def test_a_setting_that_cannot_work_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    (only,) = wrong(run)
    assert variable in only


@pytest.mark.parametrize("command", ["show", "check"])
@pytest.mark.parametrize("days", ["31", "0", "-1", '"thirty"', "true"])
def test_a_wrong_regulation_is_wrong_use(run: Run, tmp_path: Path, command: str, days: str) -> None:
    (tmp_path / "regulation.toml").write_text(f"[retention]\ndays = {days}\n", encoding="utf-8")
    said = run("config", command)
    assert (said.status, said.out) == (2, "")
    assert "retention.days (§ 7.2)" in said.err


@pytest.mark.parametrize(
    "address", ["garbage", "postgresql://a:hush@h:port/x", "mysql://a:hush@h/x"]
)
def test_a_search_in_no_postgresql_is_wrong_use_and_tells_no_password(
    run: Run, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("RECORDER_DATABASE_URL", address)
    answer = run("calls", "list")
    assert answer.status == 2
    assert "hush" not in f"{answer}"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("RECORDER_MASTER_KEY", "", "there is no master key"),
        ("RECORDER_MASTER_KEY", "00" * 32, "not the one of the key directory"),
        ("RECORDER_KEY_DIR", "missing", "cannot be read or written"),
        ("RECORDER_KEY_DIR", "spool", "no master.check"),
        ("RECORDER_KEY_DIR", "vault/keys", "lie in one another"),
    ],
)
def test_keys_that_cannot_be_used_or_lie_with_the_vault_are_wrong(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    """RG.4."""
    assert wrong(run) == []
    some_keys(Path("vault/keys"))
    monkeypatch.setenv(variable, value)
    assert any(says in each for each in wrong(run))


def test_recordings_that_lie_in_plain_are_wrong(run: Run) -> None:
    """RG.4."""
    day = Path("vault/2026/11/12")
    day.mkdir(parents=True)
    (day / "00000000-0000-0000-0000-000000000001.wav").touch()
    assert any("keys adopt" in each for each in wrong(run))


def test_keys_and_a_master_key_that_others_can_reach_are_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RG.4."""
    said = [each["says"] for each in run("config", "check", "--json").json]
    assert any("on one volume" in each for each in said)
    Path("keys").chmod(0o750)
    file = Path("keys/master-key")
    file.write_text(MASTER_KEY_TEXT)
    file.chmod(0o644)
    monkeypatch.delenv("RECORDER_MASTER_KEY")
    monkeypatch.setenv("RECORDER_MASTER_KEY_FILE", str(file.resolve()))
    said = [each["says"] for each in run("config", "check", "--json").json]
    for each in ("chmod 0700", "lies beside what it protects", "chmod 0600"):
        assert any(each in one for one in said), each
