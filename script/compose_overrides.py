"""The files of deploy/compose, each started once beside docker-compose.yml by compose-test."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from aiosmtpd.controller import Controller
from compose_backup import sql

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.directory.certificates import Authority
from tests.directory.open_ldap import BASE, FINDER, FINDER_PASSWORD, OpenLdap, install

ROOT = Path(__file__).resolve().parents[1]
FIREWALL = ROOT / "deploy/compose/host-network.nft"
TABLE = "rejestrator-test"
HOST_NETWORK, MAIL = "deploy/compose/host-network.yml", "deploy/compose/mail.yml"
DIRECTORY, ASTERISK_CHECK = "deploy/compose/directory.yml", "deploy/compose/asterisk-check.yml"
ON_LINES, ON_SWITCH = "172.30.92.1", "172.30.91.1"
"""The machine itself, as callers and as capture see it."""
MACHINE = "172.30.94.1"
"""An address of this machine that no network of another container leads to."""
DPO = "iod@urzad.example"
SMTP_PORT = 10025
MAIL_SETTINGS = {
    "RECORDER_AUDIT_MAIL_TO": DPO,
    "RECORDER_MAIL_FROM": "rejestrator@urzad.example",
    "RECORDER_MAIL_HOST": MACHINE,
    "RECORDER_MAIL_PORT": str(SMTP_PORT),
    "RECORDER_MAIL_SECURITY": "none",
}
KNOCK = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 3):
    print("open")
"""


class Trial(Protocol):
    """A service under test."""

    engine: Any

    def start(self) -> None:
        """Start everything."""

    def employ(self) -> None:
        """Let one person in."""

    def call(self, *, host: tuple[str, int]) -> None:
        """Ring the office."""

    def hear(self) -> None:
        """Listen to the only recording."""


def host_network(trial: Trial, sip_port: int, say: Callable[[str], None]) -> None:
    """Asterisk on the machine's own network records; ARI and AMI answer capture alone."""
    trial.start()
    trial.employ()
    trial.call(host=(ON_LINES, sip_port))
    trial.hear()
    with firewall():
        knock(trial)
    say("Asterisk on the machine's own network: called and heard; ARI and AMI answer capture alone")


@contextmanager
def firewall() -> Iterator[None]:
    """Load the rules that go with it, in a table of the trial's own."""
    rules = FIREWALL.read_text("utf-8").replace("inet rejestrator", f"inet {TABLE}")
    subprocess.run(["nft", "--file", "-"], input=rules, text=True, check=True)  # noqa: S607
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", TABLE], check=True)  # noqa: S603, S607


def knock(trial: Trial) -> None:
    """Each container knocks at ARI and at AMI."""
    for port in ("8088", "5038"):
        for service, allowed in (("capture", True), ("web", False), ("demo-desk", False)):
            said = trial.engine.execute(
                service, "python3", "-c", KNOCK, ON_SWITCH, port, check=False
            )
            if bool(said) != allowed:
                raise SystemExit(f"on the machine's network {service} reaches {port}: {bool(said)}")


class Mailbox:
    """The office's mail server, as far as a trial needs one."""

    def __init__(self) -> None:
        self.came = threading.Event()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: ANN401, N802 - aiosmtpd's
        """Note that something came for the right person."""
        if envelope.rcpt_tos == [DPO] and b"Rejestrator" in envelope.content:
            self.came.set()
        return "250 OK"


def mail(
    trial: Trial, secrets: Path, until: Callable[..., float], say: Callable[[str], None]
) -> None:
    """Retention posts its first checkpoint; nobody else gets a way out."""
    password = secrets / "mail_password"
    password.touch()
    os.chown(password, 10001, 10001)
    password.chmod(0o400)
    box = Mailbox()
    # The network on which retention reaches it is made later.
    server = Controller(box, hostname="0.0.0.0", port=SMTP_PORT)  # noqa: S104 - for a minute
    server.start()
    try:
        trial.start()
        # With Docker it begins when the migration has made its key. Here it may have begun before,
        # and would ask for the key again a day later.
        trial.engine.act("stop", "retention")
        sql(trial.engine, "DELETE FROM job WHERE name = 'keep_trail' RETURNING name")
        trial.engine.act("start", "retention")
        took = until("the checkpoint is posted", box.came.is_set, within_s=120)
    finally:
        server.stop()
    shut_in(trial.engine, "capture", "web", "postgres")
    say(f"a checkpoint was posted within {took:.0f} s; only retention has a way out")


def shut_in(engine: Any, *services: str) -> None:  # noqa: ANN401 - an engine
    """None of these leads anywhere outside."""
    for service in services:
        routes = engine.execute(service, "cat", "/proc/net/route")
        if any(line.split()[1] == "00000000" for line in routes.splitlines()[1:]):
            raise SystemExit(f"{service} has a way out")


class Directory:
    """The office's directory, as far as a trial needs one."""

    def __init__(self, work: Path) -> None:
        folder = work / "directory"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.authority = Authority(folder, "office")
        certificate, key = self.authority.certify(MACHINE)
        install()
        self.server = OpenLdap(folder=folder, certificate=certificate, key=key, address=MACHINE)

    def settings(self) -> dict[str, str]:
        """Return what an office writes into its .env."""
        return {
            "DIRECTORY_CA": str(self.authority.file),
            "RECORDER_LDAP_SERVERS": self.server.with_ldaps,
            "RECORDER_LDAP_BIND_DN": FINDER,
            "RECORDER_LDAP_BASE": BASE,
            "RECORDER_LDAP_NAME_ATTRIBUTE": "uid",
        }

    def tried(self, trial: Trial, secrets: Path, say: Callable[[str], None]) -> None:
        """See the web ask it under TLS, tell one that is away, and be alone in having a way out."""
        for name, text in (("ldap_bind_password", FINDER_PASSWORD), ("oidc_client_secret", "")):
            (secrets / name).write_text(text, "utf-8")
            os.chown(secrets / name, 10001, 10001)
            (secrets / name).chmod(0o400)
        self.server.fill()
        # Connecting to one's own address waits until the networks have given it to this machine.
        trial.start()
        self.server.start()
        ask = ("recorder", "config", "check", "--only", "--directory")
        try:
            said = trial.engine.execute("web", *ask)
        finally:
            self.server.kill()
        if "lets this service look people up" not in said:
            raise SystemExit(f"the directory was not asked: {said}")
        said = trial.engine.execute("web", *ask, check=False)
        if "does not answer" not in said:
            raise SystemExit(f"a directory that is away is not told: {said}")
        shut_in(trial.engine, "capture", "retention", "postgres")
        say("the web asks the directory under TLS; only the web has a way out")


def asterisk_check(engine: Any, work: Path, say: Callable[[str], None]) -> None:  # noqa: ANN401
    """Everything at the shipped Asterisk can be asked, and is right."""
    text = (ROOT / ASTERISK_CHECK).read_text("utf-8")
    if not engine.docker:
        # podman-compose knows the services of networks, not those of processes.
        text = text.replace(
            "pid: service:asterisk", f"pid: container:{engine.container('asterisk')}"
        )
    (work / "asterisk-check.yml").write_text(text, "utf-8")
    engine.beside = str(work / "asterisk-check.yml")
    try:
        said = engine.compose("--profile", "check", "run", "--rm", "--no-deps", "asterisk-check")
    finally:
        engine.beside = ""
    if "0 wrong" not in said or "0 not asked" not in said:
        raise SystemExit(f"asked of Asterisk in its container: {said}")
    say(f"config check --asterisk in a container: {said.strip().splitlines()[-1]}")
