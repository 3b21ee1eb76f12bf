"""What script/compose-test does; see there."""

import argparse
import io
import json
import os
import re
import resource
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import compose_backup as backup
import compose_checks as checks
import compose_figures as figures
import compose_overrides as overrides
import soundfile
import yaml

from recorder.embedded import tones
from tests.invariants import Caller

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".local" / "compose-test"
PROJECT = "rejestrator-test"
PORT, SIP_PORT = 8443, 15060
PROFILES = ("--profile", "demo", "--profile", "metrics")
CANARY, CANARY_NAME = "600987654", "Kanarek Zolty"
PASSWORD = "czerwony rower za stodola"  # noqa: S105 - a trial's
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
BASES = {
    "docker.io/library/debian:trixie-slim": "trixie",
    "docker.io/library/debian:forky-slim": "forky",
}
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={tasks}:{tasks}"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


def run(*command: str, check: bool = True, within_s: int = 300, **more: Any) -> str:
    """Run a program and return what it printed; a failure shows its end."""
    done = subprocess.run(
        ["timeout", "--kill-after=5", str(within_s), *command],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        env=os.environ | ENV,
        **more,
    )
    if check and done.returncode != 0:
        print(done.stdout[-3000:], done.stderr[-3000:], file=sys.stderr)
        raise SystemExit(f"failed ({done.returncode}): {' '.join(command)[:200]}")
    return done.stdout


LIMITS = (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC)
ENV: dict[str, str] = {}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))


class Engine:
    """Docker, or podman beside buildah."""

    def __init__(self) -> None:
        self.docker = (
            shutil.which("docker") is not None
            and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
            and subprocess.run(
                ["docker", "compose", "version"], capture_output=True, check=False
            ).returncode
            == 0
        )
        self.name = "docker" if self.docker else "podman"
        self.beside = ""
        """A file of deploy/compose that is taken beside docker-compose.yml."""
        if not self.docker:
            self._install_podman()

    def _install_podman(self) -> None:
        wanted = [
            each
            for each in ("podman", "buildah", "runc", "mmdebstrap", "nft")
            if not shutil.which(each)
        ]
        if wanted or not Path("/usr/libexec/podman/catatonit").exists():
            say("installing podman, buildah and runc")
            packages = ["podman", "buildah", "runc", "netavark", "aardvark-dns", "catatonit"]
            packages += ["iptables", "mmdebstrap", "nftables"]
            run("apt-get", "update", "-qq")
            run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)
        files, tasks = (min(resource.getrlimit(which)[1] % 2**63, 4096) for which in LIMITS)
        conf = CONTAINERS_CONF.format(files=files, tasks=tasks)
        (WORK / "containers.conf").write_text(conf, "utf-8")
        ENV["CONTAINERS_CONF"] = str(WORK / "containers.conf")
        venv = ROOT / ".local" / "compose-venv"
        if not (venv / "bin/podman-compose").exists():
            run(sys.executable, "-m", "venv", str(venv))
            run(str(venv / "bin/pip"), "install", "--quiet", "podman-compose==1.6.0")
        self.program = [str(venv / "bin/podman-compose"), "--in-pod=false"]
        self.program += ["--project-name", PROJECT, "--file", str(WORK / "compose.yml")]
        # podman 4 never sees an ended container as "stopped", so nothing would start after the
        # migration: here all start at once, in any order, and must find together (F18).
        services = {
            name: {k: v for k, v in each.items() if k not in {"depends_on", "build"}}
            for name, each in COMPOSE["services"].items()
        }
        text = yaml.safe_dump(COMPOSE | {"services": services}, sort_keys=False)
        (WORK / "compose.yml").write_text(text, "utf-8")

    def compose(self, *arguments: str, check: bool = True, **more: Any) -> str:
        """Run the compose program on our file."""
        env_file = ("--env-file", str(WORK / "env"))
        program = ["docker", "compose", "--file", "docker-compose.yml"]
        program = program if self.docker else self.program
        beside = ("--file", self.beside) if self.beside else ()
        return run(*program, *beside, *env_file, *arguments, check=check, **more)

    def build(self) -> None:
        """Build every image."""
        if self.docker:
            self.compose("build")
            return
        for name, release in BASES.items():
            if not run("podman", "images", "--quiet", name).strip():
                say(f"making {name} with mmdebstrap")
                self._base(name, release)
        for image, build in images():
            say(f"building {image}")
            target = ["--target", build["target"]] if "target" in build else []
            run(
                *("buildah", "bud", "--isolation", "chroot", "--layers", "--quiet"),
                *("--ulimit", "nofile=1024:1024", *target, "--tag", image),
                *("--file", build["dockerfile"], "."),
            )

    def _base(self, name: str, release: str) -> None:
        archive = WORK / f"{release}.tar"
        run(
            *("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root"),
            '--aptopt=APT::Install-Recommends "false"',
            '--aptopt=Acquire::Check-Valid-Until "false"',
            # This machine's own certificates: an office behind a mirror has its own, too.
            f"--customize-hook=upload {CERTIFICATES} {CERTIFICATES}",
            *("--include=ca-certificates", release, str(archive)),
        )
        run("podman", "import", str(archive), name)
        archive.unlink()

    def container(self, service: str) -> str:
        """Return a container's name."""
        found = run(
            *(self.name, "ps", "--all", "--format", "{{.Names}}"),
            *("--filter", f"label=com.docker.compose.project={PROJECT}"),
            *("--filter", f"label=com.docker.compose.service={service}"),
        ).split()
        return found[0]

    def pid(self, service: str) -> int:
        """Return the process that is a container's first, 0 when it does not run."""
        name = self.container(service)
        text = run(self.name, "inspect", "--format", "{{.State.Pid}}", name, check=False)
        return int(text.strip() or 0)

    def execute(self, service: str, *command: str, text: str = "", check: bool = True) -> str:
        """Run a command in a running container, ``text`` on its standard input."""
        return run(
            self.name, "exec", "-i", self.container(service), *command, input=text, check=check
        )

    def attempt(self, *command: str) -> tuple[int, str]:
        """Return a program's status and all that it printed."""
        done = subprocess.run(
            ["timeout", "--kill-after=5", "200", *command],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | ENV,
        )
        return done.returncode, done.stdout + done.stderr

    def build_later(self) -> None:
        """Build what makes and restores backups on another day."""
        file = WORK / "Later"
        file.write_text(backup.LATER_FILE, "utf-8")
        tag = ["--tag", backup.LATER, "--file", str(file), "."]
        if self.docker:
            run("docker", "build", *tag)
        else:
            run("buildah", "bud", "--isolation", "chroot", "--ulimit", "nofile=1024:1024", *tag)

    def act(self, what: str, service: str) -> None:
        """Stop or start a container."""
        run(self.name, what, self.container(service))

    def said(self, service: str) -> str:
        """Return all that a container printed."""
        done = subprocess.run(
            [self.name, "logs", self.container(service)],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | ENV,
        )
        return done.stdout + done.stderr

    def volume(self, name: str) -> Path:
        """Return where a volume lies on this machine."""
        named = f"{PROJECT}_{name}"
        return Path(
            run(self.name, "volume", "inspect", "--format", "{{.Mountpoint}}", named).strip()
        )


def images() -> list[tuple[str, dict[str, Any]]]:
    """Return each image once, with how it is built."""
    return [
        (each["image"], each["build"]) for each in COMPOSE["services"].values() if "build" in each
    ]


def say(text: str) -> None:
    """Tell what goes on."""
    print(f"[{time.monotonic() - BEGAN:5.0f} s] {text}", flush=True)


BEGAN = time.monotonic()


def until(what: str, holds: Callable[[], object], *, within_s: float = 60) -> float:
    """Wait until something holds; return how long it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > within_s:
            raise SystemExit(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.25)
    return time.monotonic() - began


class Browser:
    """What a person's browser does, over TLS, trusting the trial's certificate alone."""

    def __init__(self) -> None:
        context = ssl.create_default_context(cafile=str(WORK / "secrets/trial-certificate.pem"))
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(self.jar),
        )
        self.base = f"https://127.0.0.1:{PORT}"

    def ask(
        self, path: str, *, form: dict[str, str] | None = None, data: Any = None, **headers: str
    ) -> tuple[int, bytes]:
        """Return status and body."""
        head = {
            "Origin": self.base,
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Mode": "cors",
            **headers,
        }
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form).encode()
        elif data is not None:
            body, head["Content-Type"] = json.dumps(data).encode(), "application/json"
        request = urllib.request.Request(self.base + path, data=body, headers=head)
        try:
            with self._opener.open(request, timeout=15) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (urllib.error.URLError, OSError, ssl.SSLError):
            return 0, b""


class Trial:
    """The service under test."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._browser: Browser | None = None
        self.placed = 0
        self.calls: Counter[str] = Counter()
        """How many were placed from each number; one that fails ends the test at once."""

    @property
    def browser(self) -> Browser:
        """The browser of the person who listens."""
        if self._browser is None:
            self._browser = Browser()
        return self._browser

    def prepare(self, **more: str) -> None:
        """Write the environment and the secrets."""
        text = (ROOT / ".env.demo").read_text("utf-8")
        text = re.sub(r"(?m)^COMPOSE_PROJECT_NAME=.*$", f"COMPOSE_PROJECT_NAME={PROJECT}", text)
        text += (
            f"SECRETS_DIR={WORK / 'secrets'}\nSIP_PORT={SIP_PORT}\nRTP_START=15100\nRTP_END=15139\n"
            f"PROMETHEUS_PORT={figures.PORT}\n"
        )
        text = re.sub(r"(?m)^RTP_END=10039\n", "", text)
        text = re.sub(r"(?m)^PBX_DIR=\./", f"PBX_DIR={ROOT}/", text)
        # Backups take a key that may live, and that is taken from the recordings' days (RG.17).
        regulation = (ROOT / "deploy/demo/regulation.toml").read_text("utf-8")
        regulation = re.sub(r"(?m)^days = 30$", "days = 23", regulation)
        regulation = re.sub(r"(?m)^key_days = 0$", "key_days = 7", regulation)
        (WORK / "regulation.toml").write_text(regulation, "utf-8")
        text = re.sub(r"(?m)^REGULATION_FILE=.*$", f"REGULATION_FILE={WORK}/regulation.toml", text)
        if not self.engine.docker:
            text += "LOG_DRIVER=k8s-file\n"
        for name, value in more.items():
            text = re.sub(rf"(?m)^{name}=.*\n", "", text) + f"{name}={value}\n"
        (WORK / "env").write_text(text, "utf-8")
        run("script/compose-secrets", str(WORK / "secrets"))

    def start(self) -> None:
        """Start everything and let one person in."""
        if not self.engine.docker and not Path("/run/systemd/private").exists():
            # podman leaves it to systemd's timers to ask whether containers are healthy.
            threading.Thread(target=self._ask_health, daemon=True).start()
        self.engine.compose(
            *PROFILES,
            "up",
            "--detach",
            *(["--no-build"] if not self.engine.docker else []),
        )
        took = until(
            "the web answers through the proxy",
            lambda: self.browser.ask("/healthz")[0] == 200,
            within_s=180,
        )
        say(f"the web answers over TLS after {took:.0f} s")
        until("capture takes calls", self.takes_calls)

    def _ask_health(self) -> None:
        while True:
            for name in run("podman", "ps", "--format", "{{.Names}}", check=False).split():
                if name.startswith(PROJECT):
                    run("podman", "healthcheck", "run", name, check=False)
            time.sleep(2)

    def takes_calls(self) -> bool:
        """Ask capture as the dialplan does."""
        name = self.engine.container("capture")
        asked = [self.engine.name, "exec", name, "alive", "8090", "/probe", "172.30.91.3"]
        done = subprocess.run(asked, capture_output=True, check=False, env=os.environ | ENV)
        return done.returncode == 0

    def employ(self) -> None:
        """From the first-run token to a person who may listen."""

        def prompt(*command: str, text: str = "") -> str:
            return self.engine.execute("web", "recorder", *command, text=text)

        status, _ = self.browser.ask("/sign-in")
        if status != 403:
            raise SystemExit(f"a workstation that is not listed got {status}, not 403")
        prompt("workstation", "add", "172.30.94.0/24", "--name", "trial", "--place", "here")
        token = prompt("user", "first-token").split()[0]
        status, body = self.browser.ask(
            "/first-run",
            form={"token": token, "name": "Anna Nowak", "login": "anna", "password": PASSWORD},
        )
        if b"token" in body.lower() and status >= 400:
            raise SystemExit(f"the first account was refused: {status}")
        prompt("sign-in", "anna", text=f"{PASSWORD}\n\n")
        temporary = prompt(
            "user",
            "add",
            "zenobia",
            "--name",
            "Zenobia Lis",
            "--post",
            "inspektor",
            "--role",
            "listener",
        ).split()[0]
        until_day = time.strftime("%Y-%m-%d", time.localtime(time.time() + 20 * 86400))
        # Nobody is authorised before the password is their own (R6.3e).
        prompt("sign-in", "zenobia", text=f"{temporary}\n\n")
        prompt("user", "password", text=f"{temporary}\n{PASSWORD} 2\n")
        prompt("sign-in", "anna", text=f"{PASSWORD}\n\n")
        prompt("authorisation", "grant", "zenobia", "--role", "listener", "--to", until_day)
        self.sign_in()
        status, body = self.browser.ask("/account/second-factor", form={})
        if status != 200 or b'class="select"' not in body:
            raise SystemExit(f"nobody can set a second factor: {status}")
        say("somebody who may listen has signed in over TLS and may set a second factor")

    def sign_in(self) -> None:
        """Sign in at the browser."""
        self.browser.jar.clear()
        self.browser.ask(
            "/sign-in",
            form={"login": "zenobia", "password": f"{PASSWORD} 2", "code": "", "next": "/"},
        )
        status, body = self.browser.ask("/api/v1/me")
        if status != 200:
            raise SystemExit(f"signing in failed: {status} {body[:300]!r}")

    def call(
        self, number: str = CANARY, calls: int = 1, host: tuple[str, int] | None = None
    ) -> None:
        """Ring the office; whatever is down, the caller must reach the desk."""
        where = () if host is None else ("--host", host[0], "--port", str(host[1]))
        self.engine.compose(
            *(
                "--profile",
                "call",
                "run",
                "--rm",
                "demo-call",
                *COMPOSE["services"]["demo-call"]["command"],
            ),
            *("--number", number, "--display", CANARY_NAME, "--calls", str(calls), "--talk", "4"),
            *where,
        )
        self.placed += calls
        self.calls[number] += calls

    def recordings(self) -> list[dict[str, Any]]:
        """Return what the API lists."""
        status, body = self.browser.ask("/api/v1/recordings/search", data={"limit": 200})
        if status != 200:
            return []
        answer: dict[str, Any] = json.loads(body)
        rows = answer.get("items") or answer.get("recordings") or []
        return list(rows)

    def hear(self) -> None:
        """Wait for the only recording and judge it."""
        until("the recording is sealed", self.recordings)
        judge(self.listen(self.recordings()[0]))

    def listen(self, row: dict[str, Any]) -> bytes:
        """Play one recording from beginning to end."""
        name = row["id"]
        purpose = yaml_purpose()
        status, body = self.browser.ask(
            f"/api/v1/recordings/{name}/playbacks", data={"purpose": purpose}
        )
        if status != 201:
            raise SystemExit(f"no playback: {status} {body[:300]!r}")
        audio = json.loads(body)["audio"]
        whole, start = b"", 0
        while True:
            status, part = self.browser.ask(audio, Range=f"bytes={start}-")
            if status not in {200, 206} or not part:
                break
            whole, start = whole + part, start + len(part)
            if status == 200 or len(part) < 1024:
                break
            size = int.from_bytes(whole[4:8], "little") + 8
            if start >= size:
                break
        return whole


def yaml_purpose() -> str:
    """Return the first purpose of § 3.1."""
    text = (ROOT / "regulation.toml").read_text("utf-8")
    found = re.search(r'purposes = \[\s*"([^"]+)"', text)
    return found[1] if found else ""


def judge(whole: bytes) -> None:
    """Both sides must be there, each on its own channel, and nothing from before consent."""
    samples, rate = soundfile.read(io.BytesIO(whole), always_2d=True)
    left, right = (
        tones.share_of(samples[:, 0], tones.CALLER_HZ),
        tones.share_of(samples[:, 1], tones.OFFICE_HZ),
    )
    before = max(tones.share_of(samples[:, side], tones.MARKER_HZ) for side in (0, 1))
    say(
        f"heard {len(samples) / rate:.1f} s: caller left {left:.0%}, office right {right:.0%}, "
        f"before consent {before:.1%}"
    )
    if rate != tones.SAMPLE_RATE or left < 0.95 or right < 0.95 or before > 0.001:
        raise SystemExit("the recording is not right")


FAULTY = ("capture", "web", "proxy", "postgres", "asterisk", "retention", "prometheus")


def faults(trial: Trial, services: Sequence[str], *, which: str, stopped_for: float) -> None:
    """Kill each part, and stop each for a while; calls go through and nothing is lost.

    What is not touched must go on as the same process: a dead database restarts nothing (D4).
    """
    engine = trial.engine
    for service in services:
        if service not in running(engine):
            raise SystemExit(f"{service} does not run")
        others = {each: engine.pid(each) for each in FAULTY if each != service}
        before = engine.pid(service)
        os.kill(before, 9)
        if service != "asterisk":
            trial.call(number=f"60010{trial.placed:04}")
        took = until(
            f"{service} comes back after kill -9",
            lambda service=service, before=before: engine.pid(service) not in {0, before},
            within_s=60,
        )
        until("the web answers", lambda: trial.browser.ask("/healthz")[0] == 200)
        took += until("capture takes calls", trial.takes_calls)
        say(f"{service}: killed, back within {took:.0f} s, the call went through")
        if which == "all":
            engine.act("stop", service)
            began = time.monotonic()
            if service != "asterisk":
                trial.call(number=f"60020{trial.placed:04}")
            time.sleep(max(0.0, stopped_for - (time.monotonic() - began)))
            alarm = figures.ALARMED.get(service)
            if alarm and stopped_for >= figures.LONG_ENOUGH_S and alarm not in figures.alarms():
                raise SystemExit(f"{service} is stopped and {alarm} is not on its way")
            engine.act("start", service)
            until("the web answers", lambda: trial.browser.ask("/healthz")[0] == 200)
            until("capture takes calls", trial.takes_calls)
            say(f"{service}: stopped for {time.monotonic() - began:.0f} s, the call went through")
        now = {each: engine.pid(each) for each in others}
        if now != others:
            raise SystemExit(f"{service} was touched and others restarted: {others} -> {now}")
    trial.call()


def running(engine: Engine) -> set[str]:
    """Return which services run."""
    return {service for service in FAULTY if engine.pid(service)}


def rows(engine: Engine) -> dict[str, int]:
    """Count calls by what became of them, in the database."""
    text = engine.execute(
        "postgres",
        "psql",
        "-U",
        "postgres",
        "-At",
        "-F",
        " ",
        "recorder",
        "-c",
        "SELECT coalesce(reason, ''), count(*) FROM call GROUP BY 1",
    )
    return {line.split()[0]: int(line.split()[1]) for line in text.splitlines() if line}


def wanted() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="script/compose-test", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave it running")
    parser.add_argument("--no-build", action="store_true", help="take the images that are there")
    parser.add_argument("--faults", choices=("none", "kill", "all"), default="all")
    parser.add_argument("--stopped-for", type=float, default=60, help="seconds")
    parser.add_argument("--only", action="append", choices=FAULTY, help="fault these alone")
    parser.add_argument("--backup", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--trial", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--overrides", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--orders", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def everything(trial: Trial, arguments: argparse.Namespace) -> None:
    """Start, call, listen, break, look, back up and restore."""
    engine = trial.engine
    trial.start()
    trial.employ()
    trial.call()
    trial.hear()
    figures.watched(until, say)
    if arguments.faults != "none":
        faults(
            trial,
            arguments.only or FAULTY,
            which=arguments.faults,
            stopped_for=arguments.stopped_for,
        )
        until(
            f"all {trial.placed} calls have their row",
            lambda: sum(rows(engine).values()) >= trial.placed,
            within_s=90,
        )
        say(f"{trial.placed} calls placed; rows by reason: {rows(engine)}")
        trial.sign_in()
        for row in trial.recordings():
            judge(trial.listen(row))
    if arguments.orders:
        checks.any_order(engine, lambda: checks.ready(engine) and trial.takes_calls(), until, say)
        trial.call()
        until("the last call has its row", lambda: sum(rows(engine).values()) >= trial.placed)
        trial.sign_in()
    check = COMPOSE["services"]["retention"]["healthcheck"]["test"][-1]
    if checks.finds_itself(engine, check):
        raise SystemExit("the check for retention finds itself")
    checks.doors(engine, "172.30.94.1", say)
    overrides.asterisk_check(engine, WORK, say)
    callers = [Caller(number=each, calls=calls) for each, calls in trial.calls.items()]
    names = [f"48{CANARY}", *CANARY_NAME.split()]
    bundle = {"bundle": checks.bundle(engine, "anna", PASSWORD)}
    calls, heard = checks.invariants(engine, WORK, callers, names, bundle)
    say(f"I1 to I10 hold of {calls} calls, {heard} recordings; no number or name in any log")
    if arguments.backup:
        while len(trial.recordings()) < backup.LEAST:
            trial.call()
        # Whoever was signed in at a container's prompt is so until it ends.
        prompt = f"{PASSWORD} 2\n\n"
        engine.execute("web", "recorder", "sign-in", "zenobia", text=prompt)
        backup.there_and_back(backup.Backups(engine, WORK, PROJECT), engine, say)


def beside(engine: Engine, file: str, tries: Callable[[Trial], None], **more: str) -> None:
    """Start all of it anew with one of the files of deploy/compose."""
    engine.beside = file
    trial = Trial(engine)
    trial.prepare(**more)
    try:
        tries(trial)
    finally:
        take_away(engine)
        engine.beside = ""


def take_away(engine: Engine) -> None:
    """Remove containers, networks and volumes."""
    engine.compose(*PROFILES, "--profile", "call", "down", "--volumes", check=False)


def main() -> int:
    """Do it all."""
    arguments = wanted()
    if os.geteuid() != 0:
        raise SystemExit("script/compose-test needs root: it builds and starts containers")
    WORK.mkdir(parents=True, exist_ok=True)
    engine = Engine()
    trial = Trial(engine)
    say(f"with {engine.name}")
    if not arguments.no_build:
        engine.build()
        engine.build_later()
    trial.prepare()
    take_away(engine)
    try:
        if arguments.trial:
            everything(trial, arguments)
    finally:
        if arguments.keep:
            say(f"it goes on running: {PROJECT}")
        else:
            take_away(engine)
    if arguments.overrides and not arguments.keep:
        beside(
            engine,
            overrides.HOST_NETWORK,
            lambda trial: overrides.host_network(trial, SIP_PORT, say),
            SIP_BIND="0.0.0.0",  # noqa: S104 - the demo's endpoints are known by their addresses
        )
        beside(
            engine,
            overrides.MAIL,
            lambda trial: overrides.mail(trial, WORK / "secrets", until, say),
            **overrides.MAIL_SETTINGS,
        )
        directory = overrides.Directory(WORK)
        beside(
            engine,
            overrides.DIRECTORY,
            lambda trial: directory.tried(trial, WORK / "secrets", say),
            **directory.settings(),
        )
    say("all of it holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
