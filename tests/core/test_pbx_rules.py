"""What an office's own Asterisk must have: the parts that no Asterisk here can be made to show."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recorder.pbx import console, shipped
from recorder.pbx.model import ByAri, ByConsole, ByMachine, Check, Folder, Grade, Learnt, Place
from recorder.pbx.rules import MODULES, OLDEST_ASTERISK, judge, too_old
from recorder.pbx.sight import ENTER, READ, WRITE, allowed

ROOT = Path(__file__).parents[2]
PLACE = Place(
    trunks=[("operator", "from-operator")],
    probe_urls=["http://127.0.0.1:8090/probe"],
    spool="/var/spool/rejestrator",
    ari_host="127.0.0.1",
    ari_port=8088,
    ari_is_plain=True,
    ami_host="127.0.0.1",
    ami_port=5038,
    ami_user="recorder",
    ari_user="recorder",
    log_dirs=True,
)
ARI = ByAri(
    version="22.10.1",
    modules={each: "Running" for names in MODULES.values() for each in names},
    variables={
        "RECORDER_PROBE_URL": "http://127.0.0.1:8090/probe",
        "RECORDER_SPOOL": "/var/spool/rejestrator",
        "RECORDER_WATCHDOG": "",
    },
    applications=frozenset({"recorder"}),
    endpoints=frozenset({"operator"}),
    may_act=True,
    lets_strangers_in=False,
    any_origin=False,
    shows_status=False,
    ami_over_http=False,
    clock_ahead=timedelta(0),
)
AMI = {"StopMixMonitor": "call,all", "MixMonitorMute": "call,all", "Setvar": "call,all"}
LEARNT = Learnt(ari=ARI, ami=AMI, listeners=frozenset({("127.0.0.1", 8088), ("127.0.0.1", 5038)}))


def of(name: str, learnt: Learnt, place: Place = PLACE) -> list[Check]:
    return [each for each in judge(learnt, place) if each.check == name]


def test_an_asterisk_with_everything_has_nothing_wrong_as_far_as_it_can_be_asked() -> None:
    found = list(judge(LEARNT, PLACE))
    assert {each.weight for each in found} == {Grade.OK, Grade.UNASKED}
    assert [each.check for each in found if each.weight is Grade.UNASKED] == ["console"]


def test_whatever_is_not_right_comes_with_what_to_do() -> None:
    broken = replace(
        ARI,
        version="22.9.0",
        modules={},
        variables=dict.fromkeys(ARI.variables, ""),
        applications=frozenset(),
        endpoints=frozenset(),
        lets_strangers_in=True,
        clock_ahead=timedelta(hours=-1),
    )
    found = list(judge(Learnt(ari=broken, strays=3), replace(PLACE, log_dirs=False)))
    assert len([each for each in found if each.weight is Grade.WRONG]) > 8
    assert [each for each in found if each.weight is not Grade.OK and not each.remedy] == []


@pytest.mark.parametrize(
    ("version", "old"),
    [
        ("22.10.1", False),
        ("22.11.0-rc1", False),
        ("23.0.0", False),
        ("22.10.0", True),
        ("22.10.1-rc1", True),
        ("20.18.2", True),
        ("GIT-master-1f2e3d", False),
    ],
)
def test_releases_with_holes_are_refused(version: str, old: bool) -> None:
    assert too_old(version) is old
    (check,) = of("release", replace(LEARNT, ari=replace(ARI, version=version)))
    assert (check.weight is Grade.WRONG) is old
    assert ".".join(map(str, OLDEST_ASTERISK)) in check.says + check.remedy


def test_what_of_the_machine_was_not_looked_at_is_said_to_be_so() -> None:
    """Silence is never a yes: neither spool nor umask nor announcements were asked for."""
    console = ByConsole(
        http_addresses=(),
        https_addresses=(),
        ari_account_is_bound=True,
        ami_addresses=(),
        ami_reads=frozenset(),
        ami_writes=frozenset(),
        ami_account_is_bound=True,
        log_levels=(),
        cel_is_on=False,
        features=frozenset(),
        dialplan={},
    )
    (check,) = of("folders", replace(LEARNT, console=console))
    assert check.weight is Grade.UNASKED
    assert "as root" in check.remedy


@pytest.mark.parametrize("seconds", [-3600, -3, 3, 86400])
def test_clocks_that_differ_are_told(seconds: int) -> None:
    ari = replace(ARI, clock_ahead=timedelta(seconds=seconds))
    (check,) = of("clock", replace(LEARNT, ari=ari))
    assert check.weight is Grade.WRONG
    assert f"{seconds:+d} s" in check.says


@pytest.mark.parametrize(
    ("address", "weight"),
    [
        ("127.0.0.1", Grade.OK),
        ("::1", Grade.OK),
        ("172.30.91.1", Grade.OK),
        ("0.0.0.0", Grade.WRONG),  # noqa: S104 - looked for, not bound to
        ("::", Grade.WRONG),
        ("203.0.114.7", Grade.WRONG),
    ],
)
def test_an_address_that_more_than_this_machine_reaches_is_wrong(
    address: str, weight: Grade
) -> None:
    listening = frozenset({(address, 8088), ("127.0.0.1", 5038)})
    (check,) = of("ARI's address", replace(LEARNT, listeners=listening))
    assert check.weight is weight


def test_an_address_that_nobody_here_listens_on_is_not_called_right() -> None:
    (check,) = of("ARI's address", replace(LEARNT, listeners=frozenset()))
    assert check.weight is Grade.UNASKED


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", 0), ("localhost", 0), ("10.0.0.5", 1)])
def test_passwords_that_leave_the_machine_in_the_clear_are_told(host: str, told: int) -> None:
    place = replace(PLACE, ari_host=host)
    said = [each for each in of("ARI's address", LEARNT, place) if "in the clear" in each.says]
    assert len(said) == told
    secure = replace(place, ari_is_plain=False)
    assert not [e for e in of("ARI's address", LEARNT, secure) if "in the clear" in e.says]


@pytest.mark.parametrize(
    ("classes", "weight"),
    [("system,all", Grade.WRONG), ("command,all", Grade.WRONG), ("user,all", Grade.REMARK)],
)
def test_an_ami_account_with_more_than_it_needs_is_told(classes: str, weight: Grade) -> None:
    (check,) = of("AMI account", replace(LEARNT, ami=AMI | {"Another": classes}))
    assert check.weight is weight
    assert classes.partition(",")[0] in check.says


def test_an_action_of_several_classes_is_no_sign_of_more_than_call() -> None:
    (check,) = of("AMI account", replace(LEARNT, ami=AMI | {"Status": "system,call,reporting,all"}))
    assert check.weight is Grade.OK


MACHINE = ByMachine(
    uid=101,
    gids=frozenset({101, 10002}),
    umask=0o007,
    spool_here=Folder(mode=0o2770, uid=10001, gid=10002, identity=(1, 2)),
    spool_there=Folder(mode=0o2770, uid=10001, gid=10002, identity=(1, 2)),
    announcements={},
    may_be_dangerous=False,
    open_files=(),
)


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "may"),
    [
        (0o2770, 10001, 10002, True),
        (0o2770, 10001, 10003, False),
        (0o2750, 10001, 10002, False),
        (0o0700, 101, 101, True),
        # The owner's bits hold for the owner, whatever the group's say.
        (0o0070, 101, 10002, False),
        (0o0777, 10001, 10003, True),
    ],
)
def test_who_may_write_a_folder_is_told_as_the_kernel_does(
    mode: int, uid: int, gid: int, may: bool
) -> None:
    folder = Folder(mode=mode, uid=uid, gid=gid)
    assert allowed(folder, MACHINE, READ | WRITE | ENTER) is may


@pytest.mark.parametrize(
    ("umask", "weight"),
    [
        (0o007, Grade.OK),
        (0o002, Grade.REMARK),
        (0o022, Grade.WRONG),
        (0o027, Grade.WRONG),
        (0o077, Grade.WRONG),
    ],
)
def test_a_umask_that_keeps_audio_from_capture_is_wrong(umask: int, weight: Grade) -> None:
    (check,) = of("umask", replace(LEARNT, machine=replace(MACHINE, umask=umask)))
    assert check.weight is weight


def test_a_folder_on_the_way_that_asterisk_may_not_enter_hides_the_announcement() -> None:
    root = Folder(mode=0o755, uid=0, gid=0)
    way = [root, Folder(mode=0o750, uid=0, gid=0), Folder(mode=0o644, uid=0, gid=0)]
    machine = replace(MACHINE, announcements={"/a/sound.alaw": way})
    (check,) = of("announcements", replace(LEARNT, machine=machine))
    assert check.weight is Grade.WRONG
    assert "may not read /a/sound.alaw" in check.says


def test_the_digests_are_those_of_the_dialplan_that_is_shipped() -> None:
    text = (ROOT / "dialplan/recorder.conf").read_text(encoding="utf-8")
    steps = console.written(text)[shipped.CONTEXT]
    assert {name: shipped.digest(each) for name, each in steps.items()} == shipped.EXTENSIONS


def test_the_codes_are_those_that_are_shipped() -> None:
    text = (ROOT / "dialplan/features.conf").read_text(encoding="utf-8")
    assert all(f"\n{each} =>" in text for each in shipped.FEATURES)
    assert text.count("\nrecorder_") == len(shipped.FEATURES)


def test_every_application_and_function_of_the_dialplan_has_its_module_in_the_list() -> None:
    """What one adds to the dialplan, one adds to the list: these are where each comes from."""
    text = (ROOT / "dialplan/recorder.conf").read_text(encoding="utf-8")
    needed = {name for names in MODULES.values() for name in names}
    for word, module in {
        "Gosub(": "app_stack",
        "ExecIf(": "app_exec",
        "UserEvent(": "app_userevent",
        "MixMonitor(": "app_mixmonitor",
        "Playtones(": "app_playtones",
        "Stasis(": "app_stasis",
        "BASE64_ENCODE(": "func_base64",
        "CALLERID(": "func_callerid",
        "CDR(": "func_cdr",
        "CHANNEL(": "func_channel",
        "CURL(": "func_curl",
        "CUT(": "func_cut",
        "DIALPLAN_EXISTS(": "func_dialplan",
        "FILE(": "func_env",
        "IF(": "func_logic",
        "STRFTIME(": "func_strings",
        "TIMEOUT(": "func_timeout",
    }.items():
        assert word in text
        assert module in needed
