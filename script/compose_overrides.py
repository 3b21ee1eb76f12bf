"""The files of deploy/compose, each started once beside docker-compose.yml by compose-test."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from aiosmtpd.controller import Controller
from compose_backup import sql

FIREWALL = Path(__file__).resolve().parents[1] / "deploy/compose/host-network.nft"
TABLE = "rejestrator-test"
HOST_NETWORK, MAIL = "deploy/compose/host-network.yml", "deploy/compose/mail.yml"
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
    for service in ("capture", "web", "postgres"):
        routes = trial.engine.execute(service, "cat", "/proc/net/route")
        if any(line.split()[1] == "00000000" for line in routes.splitlines()[1:]):
            raise SystemExit(f"{service} has a way out")
    say(f"a checkpoint was posted within {took:.0f} s; only retention has a way out")
