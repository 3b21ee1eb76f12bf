"""What is shipped to put it into service must keep its promises: D1 to D4, R6.1b, R6.3d."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from recorder.embedded.office import trial_regulation
from recorder.settings import PREFIX, SECRETS, Settings
from recorder.settings_directory import DirectorySettings

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate", "cli", "backup", "demo-call"}
PUBLISHED = {"proxy", "asterisk"}
"""Who may be reached from outside this machine: people's browsers, and SIP with RTP."""
SEAL_S = 60


def each_service() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", sorted(SERVICES))


@each_service()
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert not service.get("privileged")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", service["user"])
    assert service["init"] is True
    assert any(each.startswith("/tmp:") for each in service["tmpfs"])  # noqa: S108 - a mount
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service.get("network_mode") is None
    assert service.get("pid") is None


@each_service()
def test_a_container_comes_back_and_says_whether_it_is_alive(name: str) -> None:
    service = SERVICES[name]
    expected = {"migrate": "on-failure", "cli": "no", "backup": "no", "demo-call": "no"}
    assert service["restart"] == expected.get(name, "unless-stopped")
    check = service["healthcheck"]
    assert check.get("disable") is True or (check["test"] and check["interval"])
    assert ("disable" in check) == (name in ONE_SHOT | {"demo-desk"})


@pytest.mark.parametrize("name", ["capture", "web", "retention", "proxy", "asterisk"])
def test_a_dead_database_makes_nothing_look_dead(name: str) -> None:
    """D4: a health check may end in a restart; readiness is asked elsewhere."""
    check = " ".join(SERVICES[name]["healthcheck"]["test"])
    assert "readyz" not in check
    assert "recorder status" not in check
    assert "postgres" not in SERVICES[name].get("depends_on", {})


def test_the_check_for_the_retention_process_does_not_find_itself() -> None:
    check = SERVICES["retention"]["healthcheck"]["test"][-1]
    pattern = re.findall(r"'(.*)'", check)[0]
    assert re.search(pattern, "python retention.py")
    assert not re.search(pattern, check)


def test_the_web_listens_where_the_proxy_is_and_nowhere_else() -> None:
    address = SERVICES["web"]["networks"]["front"]["ipv4_address"]
    assert SERVICES["web"]["environment"]["RECORDER_WEB_HOST"] == address
    assert SERVICES["proxy"]["environment"]["WEB_ADDRESS"] == f"{address}:8080"


@pytest.mark.parametrize("name", ["capture", "retention", "postgres", "web", "migrate"])
def test_ending_waits_for_what_is_being_sealed(name: str) -> None:
    """D3."""
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= SEAL_S


@each_service()
def test_only_people_and_telephones_get_in(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        default = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", port)
        if name not in PUBLISHED:
            assert default.startswith("127.0.0.1:"), port


@each_service()
def test_no_secret_stands_in_the_environment(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        plain = variable.removeprefix(PREFIX).lower()
        assert plain not in {*SECRETS, "master_key"}, variable
        assert not re.search(r"PASSWORD$|SECRET$|TOKEN$", variable), variable
        if variable == "RECORDER_AUDIT_KEY_FILE":
            # Made here and never typed in: on a volume that migrate writes and retention reads.
            assert name in {"migrate", "retention"}
            assert f"audit-key:{Path(value).parent}" in SERVICES[name]["volumes"][0]
        elif variable.endswith(("PASSWORD_FILE", "URL_FILE", "TOKEN_FILE", "KEY_FILE")):
            assert value.startswith("/run/secrets/")


@each_service()
def test_every_secret_that_is_read_is_given_and_none_besides(name: str) -> None:
    service = SERVICES[name]
    read = {
        str(value).removeprefix("/run/secrets/")
        for value in service.get("environment", {}).values()
        if str(value).startswith("/run/secrets/")
    }
    given = set(service.get("secrets", []))
    assert read <= given
    assert given <= set(COMPOSE["secrets"])
    if name in {"capture", "retention", "web", "migrate", "cli"}:
        assert given == read


@each_service()
def test_no_socket_of_the_engine_and_no_folder_of_the_machine_is_mounted(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":/")[0]
        named = source in COMPOSE["volumes"]
        assert named or source.startswith(("${REGULATION_FILE:-./", "${PBX_DIR:-./")), volume
        assert named or volume.endswith(":ro"), volume


@each_service()
def test_every_image_is_built_here_or_named_by_its_digest(name: str) -> None:
    service = SERVICES[name]
    built = {each["image"] for each in SERVICES.values() if "build" in each}
    assert service["image"] in built or "@sha256:" in service["image"]


def test_postgresql_keeps_its_data_in_the_named_volume() -> None:
    """D2: mounted one folder too deep, PostgreSQL 18's data go to an anonymous volume."""
    (volume,) = SERVICES["postgres"]["volumes"]
    assert volume == "database:/var/lib/postgresql"
    dockerfile = (ROOT / "deploy/postgres/Dockerfile").read_text("utf-8")
    assert "PGDATA=/var/lib/postgresql/18/docker" in dockerfile


def test_ari_and_ami_are_reachable_from_capture_alone() -> None:
    on_switch = {name for name, each in SERVICES.items() if "switch" in each["networks"]}
    assert on_switch == {"asterisk", "capture"}
    assert COMPOSE["networks"]["switch"]["internal"] is True
    asterisk, capture = (
        SERVICES[name]["networks"]["switch"]["ipv4_address"] for name in ("asterisk", "capture")
    )
    environment = SERVICES["asterisk"]["environment"]
    assert (environment["SWITCH_ADDRESS"], environment["CAPTURE_ADDRESS"]) == (asterisk, capture)
    for file in ("http.conf", "manager.conf"):
        text = (ROOT / "deploy/asterisk/etc" / file).read_text("utf-8")
        assert re.search(r"(?m)^bindaddr = @SWITCH_ADDRESS@$", text)
    manager = (ROOT / "deploy/asterisk/etc/manager.conf").read_text("utf-8")
    assert "permit = @CAPTURE_ADDRESS@/255.255.255.255" in manager
    assert re.search(r"(?m)^read =$", manager)
    assert re.search(r"(?m)^write = call$", manager)


def test_prometheus_reaches_captures_figures_and_neither_ari_nor_ami() -> None:
    on_watch = {name for name, each in SERVICES.items() if "watch" in each["networks"]}
    assert on_watch == {"capture", "prometheus"}
    assert "switch" not in SERVICES["prometheus"]["networks"]
    address = SERVICES["capture"]["networks"]["watch"]["ipv4_address"]
    environment = SERVICES["capture"]["environment"]
    assert environment["RECORDER_PROBE_WATCH_HOST"] == address
    text = (ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8")
    jobs = {each["job_name"]: each for each in yaml.safe_load(text)["scrape_configs"]}
    asked = jobs["rejestrator-capture"]
    port = environment["RECORDER_PROBE_PORT"]
    assert asked["static_configs"] == [{"targets": [f"{address}:{port}"]}]
    assert "authorization" not in asked


def test_what_handles_recordings_reaches_nothing_outside_the_machine() -> None:
    """R6.1a."""
    internal = {name for name, each in COMPOSE["networks"].items() if each.get("internal")}
    assert internal == {"database", "switch", "front", "watch"}
    for name in ("postgres", "migrate", "capture", "retention", "web"):
        assert set(SERVICES[name]["networks"]) <= internal, name


def test_what_callers_hear_is_written_by_nobody_whom_strangers_reach() -> None:
    """ADR 0056: the pages order, the retention process writes, capture and Asterisk read."""
    catalogue = "announcements:/var/lib/rejestrator/announcements"
    for name in ("web", "capture", "asterisk"):
        assert f"{catalogue}:ro" in SERVICES[name]["volumes"], name
    assert catalogue in SERVICES["retention"]["volumes"]
    units = ROOT / "deploy" / "systemd"
    for name in ("web", "capture"):
        unit = (units / f"rejestrator-{name}.service").read_text()
        (read_only,) = re.findall(r"^ReadOnlyPaths=(.*)$", unit, re.MULTILINE)
        assert "/var/lib/rejestrator/announcements" in read_only.split(), name
    assert "announcements" not in (units / "rejestrator-retention.service").read_text()


def test_recordings_keys_and_database_lie_on_volumes_apart() -> None:
    """R6.1b."""
    targets = {
        each.split(":")[0]: each.split(":")[1]
        for service in SERVICES.values()
        for each in service.get("volumes", [])
        if not each.startswith("$")
    }
    assert set(targets) == set(COMPOSE["volumes"])
    assert (
        len({targets[each] for each in ("vault", "keys", "database", "spool", "backup-keys")}) == 5
    )


def test_the_web_can_change_neither_audio_nor_keys() -> None:
    mounted = SERVICES["web"]["volumes"]
    assert "vault:/var/lib/rejestrator/vault:ro" in mounted
    assert "keys:/var/lib/rejestrator-keys:ro" in mounted


def test_the_web_reads_the_log_of_every_service_of_ours() -> None:
    """ADR 0057: one folder, one user; else *Maintenance* shows the web's own lines alone."""
    ours = {
        name: service
        for name, service in SERVICES.items()
        if "RECORDER_LOG_FILE" in service.get("environment", {})
    }
    assert {"capture", "retention", "web", "cli", "backup"} <= set(ours)
    for name, service in ours.items():
        file = Path(service["environment"]["RECORDER_LOG_FILE"])
        assert file.parent == Path("/var/log/rejestrator"), name
        assert "logs:/var/log/rejestrator" in service["volumes"], name
        assert service["user"] == SERVICES["web"]["user"], name
    for unit in (ROOT / "deploy/systemd").glob("*.service"):
        text = unit.read_text("utf-8")
        assert re.search(r"(?m)^Environment=RECORDER_LOG_FILE=/var/log/rejestrator/\w+\.log$", text)
        assert re.search(r"(?m)^User=recorder$", text), unit.name


def test_the_web_believes_the_proxy_alone() -> None:
    """R6.2b."""
    environment = SERVICES["web"]["environment"]
    assert (
        environment["RECORDER_TRUSTED_PROXY"]
        == (SERVICES["proxy"]["networks"]["front"]["ipv4_address"])
    )
    text = (ROOT / "deploy/proxy/haproxy.cfg").read_text("utf-8")
    assert "http-request del-header X-Forwarded-For" in text
    assert "http-request set-header X-Forwarded-For %[src]" in text


def test_the_proxys_log_holds_no_address_of_a_page_and_nobodys_address() -> None:
    """R6.3d, A10."""
    text = (ROOT / "deploy/proxy/haproxy.cfg").read_text("utf-8")
    for line in re.findall(r"(?m)^\s*(?:error-)?log-format (.*)$", text):
        assert not re.search(r"%(ci|hr|hs|r|HP|HU|HQ|HV|b)\b|%\[(src|req|path|url)", line), line


def test_asterisk_writes_no_number_down() -> None:
    """R6.3d: neither call records, nor lines that name callers."""
    folder = ROOT / "deploy/asterisk/etc"
    records = (folder / "cdr_custom.conf").read_text("utf-8")
    fields = re.findall(r"(?m)^fields = (.*)$", records)
    assert fields == ["start(double),end(double),channel,disposition,uniqueid"]
    off = set(re.findall(r"(?m)^noload = (cdr_\w+)\.so$", (folder / "modules.conf").read_text()))
    assert {"cdr_csv", "cdr_manager", "cdr_syslog", "cdr_sqlite3_custom"} <= off
    assert "enable = no" in (folder / "cel.conf").read_text("utf-8")
    logger = (folder / "logger.conf").read_text("utf-8")
    assert re.search(r"(?m)^queue_log = no$", logger)
    assert re.findall(r"(?m)^\w\S* => (.*)$", logger) == ["error"]


def test_every_setting_is_in_the_example_with_its_meaning_and_value() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        assert field.description is not None
        assert re.search(rf"(?m)^# {re.escape(field.description)}\n#? ?{variable}=", text), variable
    named = set(re.findall(rf"(?m)^#? ?({PREFIX}[A-Z_]+)=", text))
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert named <= known | {f"{PREFIX}{each.upper()}_FILE" for each in SECRETS}


def test_every_variable_of_the_compose_files_is_in_the_example() -> None:
    files = (ROOT / "docker-compose.yml", *(ROOT / "deploy/compose").glob("*.yml"))
    used = {
        name for each in files for name in re.findall(r"\$\{(\w+):[-?]", each.read_text("utf-8"))
    }
    text = (ROOT / ".env.example").read_text("utf-8")
    assert used - set(re.findall(r"(?m)^#? ?(\w+)=", text)) == set()


def test_the_demo_differs_from_the_office_by_recording_at_once_and_its_trunk() -> None:
    assert (ROOT / "deploy/demo/regulation.toml").read_text("utf-8") == trial_regulation()


def test_the_images_hold_exactly_the_locked_versions() -> None:
    command = [sys.executable, "script/runtime-requirements", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
KNOWN_SUFFIXES = ("_total", "_bucket", "_sum", "_count")


def metrics_of_the_code() -> set[str]:
    text = "".join(each.read_text("utf-8") for each in (ROOT / "recorder").rglob("*.py"))
    return set(re.findall(r'"(recorder_[a-z_]+)"', text))


def named_in(expression: str) -> set[str]:
    found = set(re.findall(r"\brecorder_[a-z_]+", expression))
    known = metrics_of_the_code()
    return {
        next((n for s in KNOWN_SUFFIXES if (n := each.removesuffix(s)) in known), each)
        for each in found
    }


def test_every_alarm_asks_for_figures_that_exist() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))
    alarms = [each for group in rules["groups"] for each in group["rules"]]
    assert alarms
    for each in alarms:
        assert named_in(each["expr"]) <= metrics_of_the_code(), each["alert"]
        assert each["annotations"]["summary"]
        assert each["labels"]["severity"] in {"page", "warn"}


def test_the_rules_load_in_prometheus_and_the_alarms_are_raised_at_their_limits() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    for what, file in (("check", "rules.yml"), ("test", "rules-test.yml")):
        command = [promtool, what, "rules", f"deploy/prometheus/{file}"]
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_panel_shows_figures_that_exist() -> None:
    board = json.loads((ROOT / "deploy/grafana/rejestrator.json").read_text("utf-8"))
    places = set()
    for panel in board["panels"]:
        places.add((panel["gridPos"]["x"], panel["gridPos"]["y"]))
        for target in panel["targets"]:
            assert named_in(target["expr"]) <= metrics_of_the_code(), panel["title"]
    assert len(places) == len(board["panels"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda each: each.stem)
def test_a_unit_is_hardened(unit: Path) -> None:
    """D6."""
    lines = unit.read_text("utf-8").splitlines()
    for wanted in (
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "User=recorder",
        "UMask=0007",
        "RestartPreventExitStatus=1 2" if unit.stem == "rejestrator-backup" else "Restart=always",
    ):
        assert wanted in lines
    if analyze := shutil.which("systemd-analyze"):
        command = [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda each: each.stem)
def test_a_unit_may_call_what_its_program_calls(unit: Path) -> None:
    """Without setpriority() a program that makes itself nicer ends as soon as it begins."""
    lines = unit.read_text("utf-8").splitlines()
    (started,) = [each for each in lines if each.startswith("ExecStart=")]
    started = started.partition("/bin/")[2].removeprefix("python /opt/rejestrator/app/")
    commands = {"recorder web": "web.py", "recorder backup": "backup.py"}
    command = " ".join(started.split()[:2])
    source = ROOT / (f"recorder/commands/{commands[command]}" if command in commands else started)
    nicer = "os.nice(" in source.read_text("utf-8")
    assert nicer == (unit.stem in {"rejestrator-retention", "rejestrator-web"})
    taken, given = "SystemCallFilter=~@privileged @resources", "SystemCallFilter=setpriority"
    assert (given in lines[lines.index(taken) :]) == nicer


def test_the_web_under_systemd_can_change_neither_audio_nor_keys() -> None:
    text = (ROOT / "deploy/systemd/rejestrator-web.service").read_text("utf-8")
    written = re.findall(r"(?m)^ReadWritePaths=(.*)$", text)[0].split()
    assert written == ["/var/lib/rejestrator/scans", "/var/log/rejestrator"]


def test_a_backup_is_made_nightly_on_two_media_or_not_at_all() -> None:
    folder = ROOT / "deploy/systemd"
    lines = (folder / "rejestrator-backup.service").read_text("utf-8").splitlines()
    (made,) = [each for each in lines if each.startswith("ExecStart=")]
    places = re.findall(r" (/mnt/\w+)", made)
    assert len(set(places)) == 2
    for place in places:
        assert f"AssertPathIsMountPoint={place}" in lines
    (written,) = [each for each in lines if each.startswith("ReadWritePaths=")]
    assert set(re.findall(r"-(/\S+)", written)) == set(places)
    assert "/var/lib/rejestrator" not in written
    timer = (folder / "rejestrator-backup.timer").read_text("utf-8")
    assert "OnCalendar=*-*-* " in timer
    assert "Persistent=true" in timer
    retention = (folder / "rejestrator-retention.service").read_text("utf-8")
    assert f"-{places[1]} " in retention, "it destroys the keys of backups that are due"


def test_installing_shows_first_what_it_would_do(tmp_path: Path) -> None:
    command = ["script/install", "--dry-run", "--root", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "-m 0700" in done.stdout
    assert "rejestrator-backup.timer" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_the_caller_sets_goes_before_the_files(tmp_path: Path) -> None:
    """`RECORDER_DATABASE_URL=... recorder db upgrade` takes the owner's."""
    (tmp_path / "rejestrator.env").write_text(
        "RECORDER_DATABASE_URL_FILE=/etc/x\nRECORDER_NODE=pbx1\nRECORDER_LOG_LEVEL=info\n",
        "utf-8",
    )
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nenv | grep ^RECORDER_ | sort\n", "utf-8")
    program.chmod(0o755)
    text = (ROOT / "deploy/systemd/recorder").read_text("utf-8").replace("id -u", "echo 1")
    text = text.replace("/opt/rejestrator/bin/recorder", str(program))
    command = tmp_path / "recorder"
    command.write_text(text.replace("/etc/rejestrator", str(tmp_path)), "utf-8")
    done = subprocess.run(
        ["/bin/sh", str(command)],
        env={"PATH": "/bin:/usr/bin", "RECORDER_DATABASE_URL": "it's", "RECORDER_NODE": "b c"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "RECORDER_DATABASE_URL=it's",
        "RECORDER_LOG_FILE=/var/log/rejestrator/prompt.log",
        "RECORDER_LOG_LEVEL=info",
        "RECORDER_NODE=b c",
    ]


def test_root_keeps_one_capability_and_only_to_look_at_asterisk(tmp_path: Path) -> None:
    """Without it spool, umask and announcements are not looked at."""
    (tmp_path / "rejestrator.env").write_text("RECORDER_NODE=pbx1\n", "utf-8")
    fake = tmp_path / "setpriv"
    fake.write_text('#!/bin/sh\necho "$@"\n', "utf-8")
    fake.chmod(0o755)
    text = (ROOT / "deploy/systemd/recorder").read_text("utf-8").replace("$(id -u)", "0")
    command = tmp_path / "recorder"
    command.write_text(text.replace("/etc/rejestrator", str(tmp_path)), "utf-8")

    def said(*arguments: str) -> str:
        return subprocess.run(
            ["/bin/sh", str(command), *arguments],
            env={"PATH": f"{tmp_path}:/bin:/usr/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert re.findall(r"caps (\S+)", said("config", "check", "--json", "--asterisk")) == [
        "+sys_ptrace",
        "+sys_ptrace",
    ]
    for other in (("status",), ("config", "check"), ("user", "list")):
        assert "caps" not in said(*other)
        assert "--reuid recorder" in said(*other)


def test_asterisk_on_the_machines_own_network_keeps_ari_and_ami_to_capture() -> None:
    text = (ROOT / "deploy/compose/host-network.yml").read_text("utf-8")
    plain = yaml.safe_load(re.sub(r"!reset \S+", "null", text))["services"]
    assert set(plain) == {"asterisk", "capture"}
    gateway = plain["asterisk"]["environment"]["SWITCH_ADDRESS"]
    assert COMPOSE["networks"]["switch"]["ipam"]["config"][0]["subnet"] == f"{gateway[:-1]}0/24"
    assert gateway in plain["capture"]["environment"]["RECORDER_ARI_URL"]
    assert gateway == plain["capture"]["environment"]["RECORDER_AMI_HOST"]


def test_mail_gives_retention_alone_a_way_out() -> None:
    mail = yaml.safe_load((ROOT / "deploy/compose/mail.yml").read_text("utf-8"))
    assert set(mail["services"]) == {"retention"}
    assert "ports" not in mail["services"]["retention"]
    assert set(mail["services"]["retention"]["networks"]) == {"database", "outward"}
    known = {f"RECORDER_{name.upper()}" for name in Settings.model_fields}
    told = {each.removesuffix("_FILE") for each in mail["services"]["retention"]["environment"]}
    assert told <= known


def test_the_directory_gives_the_web_alone_a_way_out_and_nobody_a_way_in() -> None:
    given = yaml.safe_load((ROOT / "deploy/compose/directory.yml").read_text("utf-8"))
    assert set(given["services"]) == {"web"}
    web = given["services"]["web"]
    assert "ports" not in web
    assert web["networks"] == {"outward": None}
    told = {each.removesuffix("_FILE") for each in web["environment"]}
    fields = {*DirectorySettings.model_fields} - {"oidc_plain_loopback"}
    assert told == {f"{PREFIX}{each.upper()}".removesuffix("_FILE") for each in fields}
    read = {
        str(value).removeprefix("/run/secrets/")
        for value in web["environment"].values()
        if str(value).startswith("/run/secrets/")
    }
    assert set(web["secrets"]) == read == set(given["secrets"])
    lock = (ROOT / "deploy/requirements.lock").read_text("utf-8")
    assert re.findall(r"(?m)^(ldap3|joserfc)==", lock) == ["joserfc", "ldap3"]


def test_whoever_looks_into_asterisk_can_do_no_more_than_it_and_ends() -> None:
    """No service that stays has Asterisk's console."""
    given = yaml.safe_load((ROOT / "deploy/compose/asterisk-check.yml").read_text("utf-8"))
    ((name, service),) = given["services"].items()
    assert name == "asterisk-check"
    for key in ("read_only", "cap_drop", "security_opt", "tmpfs"):
        assert service[key] == SERVICES["asterisk"][key]
    assert service["user"] == SERVICES["asterisk"]["user"]
    assert service["restart"] == "no"
    assert service["profiles"]
    assert not {"cap_add", "privileged", "ports"} & set(service)
    assert (service["pid"], service["network_mode"]) == ("service:asterisk", "service:capture")
    assert set(service["secrets"]) == set(SERVICES["asterisk"]["secrets"])
    assert all(each.endswith(":ro") for each in service["volumes"])
    for variable, value in SERVICES["capture"]["environment"].items():
        if variable.startswith(("RECORDER_ARI_", "RECORDER_AMI_", "RECORDER_PROBE_")):
            assert service["environment"][variable] == value


def test_asterisk_loads_what_the_subroutine_needs() -> None:
    """Without ExecIf, for one, a call that goes past capture would end at once."""
    text = (ROOT / "docs/dialplan.md").read_text("utf-8")
    needed = set(re.findall(r"`((?:app|func|res)_\w+)`", text[text.index("## Common to all") :]))
    off = (ROOT / "deploy/asterisk/etc/modules.conf").read_text("utf-8")
    assert "app_exec" in needed
    assert needed & set(re.findall(r"(?m)^noload = (\w+)\.so$", off)) == set()
