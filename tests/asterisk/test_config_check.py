"""``recorder config check --asterisk`` on a real Asterisk from which a test takes things away."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from recorder.embedded.asterisk import ensure_rootfs
from recorder.embedded.office import trial_regulation
from recorder.embedded.postgres import free_port
from tests.asterisk.bare import DIALPLAN, BareAsterisk, probe
from tests.asterisk.conftest import CACHE
from tests.postgres.test_commands import Run, as_a_person

pytestmark = pytest.mark.asterisk
STOPS_NOTHING = (
    "may not StopMixMonitor, MixMonitorMute, Setvar: a recording is not stopped when it must be"
)
WRONG, REMARK, OK, UNASKED = "wrong", "remark", "ok", "not asked"


@dataclass(frozen=True)
class Site:
    """An Asterisk and a command line that knows it."""

    asterisk: "Changed"
    run: Run

    def checks(self, *more: str) -> list[dict[str, Any]]:
        console = str(self.asterisk.directory / "run/asterisk.ctl")
        said = self.run("config", "check", "--asterisk", "--console", console, "--json", *more)
        found = [each for each in said.json if "check" in each]
        every = [each["weight"] for each in said.json]
        assert said.status == (1 if WRONG in every else 0)
        for each in found:
            assert each["remedy"] or each["weight"] == OK, each
        return found

    def of(self, name: str, *more: str) -> list[tuple[str, str]]:
        found = self.checks(*more)
        return [(each["weight"], each["says"]) for each in found if each["check"] == name]


class Changed(BareAsterisk):
    """One with the shipped codes, and with files that a test changes."""

    def __init__(self, directory: Path, changed: Mapping[str, Callable[[str], str]]) -> None:
        self.probe_port = free_port()
        super().__init__(ensure_rootfs(CACHE, print), directory, probe_port=self.probe_port)
        self._features = (DIALPLAN / "features.conf").read_text(encoding="utf-8")
        self._changed = changed

    def _write_configuration(self) -> None:
        super()._write_configuration()
        logs = self.directory / "etc/logger.conf"
        logs.write_text("[general]\nqueue_log=no\n[logfiles]\nmessages => error\n", "utf-8")
        for name, change in self._changed.items():
            path = self.directory / f"etc/{name}.conf"
            old = path.read_text(encoding="utf-8") if path.exists() else ""
            new = change(old)
            assert new != old, f"{name}: nothing was taken away"
            path.touch(mode=0o600)
            path.write_text(new, encoding="utf-8")


def put(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


Enter = Callable[["Changed"], Site]


@pytest.fixture
def enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Enter:
    """Sit down at the prompt of an Asterisk."""

    def entered(asterisk: Changed) -> Site:
        monkeypatch.chdir(tmp_path)
        Path("regulation.toml").write_text(trial_regulation(), encoding="utf-8")
        announcements = asterisk.directory / "announcements"
        for name, value in {
            "ARI_URL": asterisk.ari_url,
            "ARI_PASSWORD": asterisk.ari_password,
            "AMI_PORT": str(asterisk.ami_port),
            "AMI_PASSWORD": asterisk.ami_password,
            "PROBE_PORT": str(asterisk.probe_port),
            "SPOOL_DIR": str(asterisk.spool),
            "ANNOUNCEMENT_DIR": str(announcements),
            "PBX_LOG_DIRS": str(asterisk.directory / "log"),
        }.items():
            monkeypatch.setenv(f"RECORDER_{name}", value)
        run = as_a_person(monkeypatch, capsys)
        if not announcements.exists():
            announcements.mkdir()
            assert run("announcement", "install-starters", "--activate").status == 0
        return Site(asterisk, run)

    return entered


@contextlib.contextmanager
def running(directory: Path, **changed: Callable[[str], str]) -> Iterator[Changed]:
    """Start an Asterisk of which files are changed: name → what becomes of its text."""
    asterisk = Changed(directory, changed)
    asterisk.spool.chmod(0o2770)
    with asterisk, probe(asterisk.probe_port, b"ok"):
        yield asterisk


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    with running(tmp_path_factory.mktemp("whole") / "asterisk") as asterisk:
        yield asterisk


GONE = (
    *("app_exec", "func_curl", "app_mixmonitor", "format_sln"),
    *("res_ari_playbacks", "res_ari_applications"),
)
SELDOM = ("app_playtones", "res_ari_endpoints")


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    """Much is missing, and the account may do too little."""
    noload = "".join(f"noload={each}.so\n" for each in (*GONE, *SELDOM))
    directory = tmp_path_factory.mktemp("lacking") / "asterisk"
    with running(
        directory,
        modules=lambda text: text + noload,
        features=put("recorder_discard =>", ";recorder_discard =>"),
        ari=put("type=user", "type=user\nread_only=yes"),
        manager=put("write=call", "write=user"),
        extensions=lambda text: re.sub(r"^RECORDER_\w+=.*\n", "", text, flags=re.MULTILINE).replace(
            "[recorder]", "[recorded]"
        ),
    ) as asterisk:
        yield asterisk


@pytest.fixture(scope="module")
def open_wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    """Everything works, and much more besides."""
    directory = tmp_path_factory.mktemp("open") / "asterisk"
    with running(
        directory,
        ari=put("pretty=no", "pretty=no\nallowed_origins=*"),
        http=lambda text: text.replace("127.0.0.1", "0.0.0.0").replace(  # noqa: S104 - the fault
            "enable_status=no", "enable_status=yes"
        ),
        manager=lambda text: (
            text.replace("bindaddr=127.0.0.1", "bindaddr=0.0.0.0")
            .replace("deny=0.0.0.0/0.0.0.0\npermit=127.0.0.1/255.255.255.255\n", "")
            .replace("webenabled=no", "webenabled=yes")
            .replace("read=\nwrite=call", "read=call,cdr\nwrite=call,command,system")
        ),
        extensions=lambda text: (
            text.replace("Set(TIMEOUT(absolute)=0)\n same => n,Set(RECORDER_FILE=)", "NoOp()")
            .replace("Gosub(recorder,inbound", "NoOp(")
            .replace("Gosub(recorder,leaving", "NoOp(")
        ),
        logger=put("messages => error", "messages => error\nfull => verbose,notice,error"),
        cel=lambda _: "[general]\nenable=yes\napps=all\nevents=ALL\n",
        cdr=put("enable=yes", "enable=yes\n[csv]\nusegmtime=yes"),
        asterisk=put("live_dangerously=no", "live_dangerously=yes"),
    ) as asterisk:
        yield asterisk


def test_of_an_office_with_everything_in_its_place_nothing_is_wrong(
    whole: Changed, enter: Enter
) -> None:
    found = enter(whole).checks()
    assert [each for each in found if each["weight"] == WRONG] == []
    right = {each["check"] for each in found if each["weight"] == OK}
    assert right >= {
        *("release", "trunks", "ARI account", "modules", "clock", "AMI account", "dialplan"),
        *("ARI's address", "AMI's address", "way in", "way out", "[globals]", "codes"),
        *("spool", "umask", "announcements", "Asterisk's records"),
    }
    # Nobody is connected yet, which is no fault of Asterisk's.
    assert [each["check"] for each in found if each["weight"] == REMARK] == ["capture"]


def test_the_table_says_what_to_do(open_wide: Changed, enter: Enter) -> None:
    site = enter(open_wide)
    console = str(open_wide.directory / "run/asterisk.ctl")
    said = site.run("config", "check", "--asterisk", "--console", console)
    row = next(line for line in said.out.splitlines() if "Who has its password" in line)
    assert "command, system" in row
    assert "manager.conf: write=call, nothing else" in row
    assert said.status == 1
    last = said.out.splitlines()[-1]
    assert re.fullmatch(r"\d+ wrong, \d+ to know, \d+ right, 0 not asked\.", last)
    for secret in (open_wide.ami_password, open_wide.ari_password):
        assert secret not in said.out + said.err


def test_each_module_that_is_missing_is_named_with_what_it_is_for(
    lacking: Changed, enter: Enter
) -> None:
    said = enter(lacking).of("modules")
    (tones,) = [each for each in said if "app_playtones" in each[1]]
    assert tones[0] == REMARK
    said.remove(tones)
    assert {weight for weight, _ in said} == {WRONG}
    told = " ".join(says for _, says in said)
    assert all(each in told for each in GONE)
    assert "app_stack" not in told


def test_endpoints_that_nobody_tells_are_not_called_right(lacking: Changed, enter: Enter) -> None:
    ((weight, says),) = enter(lacking).of("trunks")
    assert weight == UNASKED
    assert "res_ari_endpoints" in says


def test_codes_that_nobody_can_press_are_told(lacking: Changed, enter: Enter) -> None:
    said = enter(lacking).of("codes")
    assert said == [(REMARK, "no telephone has recorder_discard (RG.12)")]


def test_accounts_that_may_do_too_little_are_told(lacking: Changed, enter: Enter) -> None:
    site = enter(lacking)
    assert site.of("ARI account") == [
        (WRONG, "the account may only read: capture cannot let callers go on")
    ]
    assert site.of("AMI account")[0] == (WRONG, STOPS_NOTHING)


def test_a_dialplan_and_globals_that_are_not_there_are_told(lacking: Changed, enter: Enter) -> None:
    site = enter(lacking)
    assert site.of("dialplan") == [(WRONG, "there is no context [recorder]")]
    assert site.of("[globals]") == [
        (WRONG, "RECORDER_PROBE_URL is not set: every call goes on unrecorded"),
        (WRONG, "RECORDER_SPOOL is not set: nothing can be recorded"),
    ]


def test_a_dialplan_of_another_release_is_told_by_its_extensions(
    open_wide: Changed, enter: Enter
) -> None:
    said = enter(open_wide).of("dialplan")
    assert said == [(WRONG, "[recorder] is of another release or was changed: T")]


def test_calls_that_never_come_to_the_subroutine_are_told(open_wide: Changed, enter: Enter) -> None:
    site = enter(open_wide)
    assert site.of("way in") == [
        (WRONG, "calls that enter [from-trunk] do not come to [recorder] there")
    ]
    assert [weight for weight, _ in site.of("way out")] == [REMARK]


def test_a_trunk_that_asterisk_does_not_have_is_told(whole: Changed, enter: Enter) -> None:
    site = enter(whole)
    text = Path("regulation.toml").read_text(encoding="utf-8")
    text = text.replace('endpoint = "outside"', 'endpoint = "operator"')
    text = text.replace('context = "from-trunk"', 'context = "from-operator"')
    Path("regulation.toml").write_text(text, encoding="utf-8")
    ((weight, says),) = site.of("trunks")
    assert weight == WRONG
    assert "operator" in says
    assert site.of("way in") == [
        (WRONG, "regulation.toml names the context from-operator, which the dialplan does not have")
    ]


def test_what_a_page_or_a_stranger_could_use_is_told(open_wide: Changed, enter: Enter) -> None:
    site = enter(open_wide)
    assert site.of("ARI account") == [(WRONG, "a page of anybody's may ask ARI through a browser")]
    assert [weight for weight, _ in site.of("HTTP server")] == [REMARK, WRONG]


def test_doors_that_are_open_to_more_than_this_machine_are_told(
    open_wide: Changed, enter: Enter
) -> None:
    site = enter(open_wide)
    for name in ("ARI's address", "AMI's address"):
        ((weight, says),) = site.of(name)
        assert weight == WRONG
        assert "0.0.0.0" in says  # noqa: S104 - looked for, not bound to
        # By the operating system too, where nobody asks the console.
        assert site.of(name, "--console", "/nowhere/asterisk.ctl") == [(weight, says)]
    assert (WRONG, "is let in from any address") in site.of("AMI account")


def test_an_ami_account_with_more_classes_than_it_needs_is_told(
    open_wide: Changed, enter: Enter
) -> None:
    site = enter(open_wide)
    more, reads, _ = site.of("AMI account")
    assert more[0] == WRONG
    assert "more than it needs: command, system." in more[1]
    assert reads == (REMARK, "is sent what it does not need: call, cdr")
    assert site.of("AMI account", "--console", "/nowhere/asterisk.ctl") == [more]


def test_wrong_passwords_are_told_and_nothing_is_a_traceback(
    whole: Changed, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = enter(whole)
    monkeypatch.setenv("RECORDER_ARI_PASSWORD", "wrong")
    monkeypatch.setenv("RECORDER_AMI_PASSWORD", "wrong")
    assert "refuses the account" in site.of("ARI")[0][1]
    assert "refuses the AMI account" in site.of("AMI account")[0][1]
    # What the console knows is told all the same.
    assert site.of("dialplan")[0][0] == OK


def test_an_asterisk_that_is_away_is_told_and_nothing_is_a_traceback(
    whole: Changed, enter: Enter
) -> None:
    site = enter(whole)
    whole.stop()
    try:
        found = site.checks()
    finally:
        whole.start()
    told = {each["check"]: each["weight"] for each in found}
    assert (told["ARI"], told["AMI account"], told["console"]) == (WRONG, WRONG, UNASKED)
    assert all("Traceback" not in each["says"] for each in found)


def test_globals_that_lead_elsewhere_are_told(
    whole: Changed, enter: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = enter(whole)
    monkeypatch.setenv("RECORDER_PROBE_PORT", "8091")
    (tmp_path / "another-spool").mkdir()
    monkeypatch.setenv("RECORDER_SPOOL_DIR", str(tmp_path / "another-spool"))
    assert "capture answers at http://127.0.0.1:8091/probe" in site.of("[globals]")[0][1]
    ((weight, says),) = site.of("spool")
    assert weight == WRONG
    assert "another folder than capture looks into" in says
    assert [each for each, _ in site.of("spool", "--console", "/nowhere/asterisk.ctl")] == [REMARK]


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        (0o2777, "anybody on this machine may come into the spool"),
        (0o770, "does not belong to the group of both"),
    ],
)
def test_a_spool_with_other_modes_is_told(
    whole: Changed, enter: Enter, mode: int, says: str
) -> None:
    site = enter(whole)
    whole.spool.chmod(mode)
    try:
        (weight, said), *_ = site.of("spool")
    finally:
        whole.spool.chmod(0o2770)
    assert weight == WRONG
    assert says in said


def test_an_announcement_that_asterisk_does_not_see_is_told(
    whole: Changed, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = enter(whole)
    monkeypatch.setenv("RECORDER_PBX_ANNOUNCEMENT_DIR", "/elsewhere")
    (weight, said), *_ = site.of("announcements")
    assert weight == WRONG
    assert said.startswith("Asterisk does not see /elsewhere/")


def test_logs_and_records_that_hold_numbers_are_told(open_wide: Changed, enter: Enter) -> None:
    site = enter(open_wide)
    (weight, said), *_ = site.of("Asterisk's log")
    assert weight == WRONG
    assert "NOTICE, VERBOSE" in said
    told = " ".join(says for _, says in site.of("Asterisk's records"))
    assert "channel events (CEL)" in told
    assert "cdr_csv" in told
    old = open_wide.directory / "log/Master.csv"
    old.touch()
    os.utime(old, (0, 0))
    assert (WRONG, "1 files are older than any recording may be") in site.of("Asterisk's records")


def test_what_lets_others_act_on_the_machine_is_told(open_wide: Changed, enter: Enter) -> None:
    site = enter(open_wide)
    (open_wide.directory / "etc/manager.conf").chmod(0o644)
    assert [weight for weight, _ in site.of("asterisk.conf")] == [WRONG]
    assert "manager.conf holds passwords" in site.of("files")[0][1]
