"""What script/compose-test asks of the running service: who reaches what, what was written down."""

import json
import random
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.invariants import Caller, Site, broken
from tests.stored import Stored

ARI, AMI = ("172.30.91.2", 8088), ("172.30.91.2", 5038)
PROBE, DATABASE, WEB = ("172.30.91.3", 8090), ("172.30.90.2", 5432), ("172.30.93.2", 8080)
FIGURES = ("172.30.95.3", 8090)
ON_LINES = ("172.30.92.2", 8088), ("172.30.92.2", 5038)
ON_DATABASE = ("172.30.90.3", 8080), ("172.30.90.4", 8080), ("172.30.90.5", 8080)


class Engine(Protocol):
    """What runs the containers, by the names of their services."""

    def pid(self, service: str) -> int:
        """Return a container's first process."""

    def execute(self, service: str, *command: str, text: str = "", check: bool = True) -> str:
        """Return what a command in a container printed."""

    def act(self, what: str, service: str) -> None:
        """Stop or start a container."""

    def said(self, service: str) -> str:
        """Return all that a container printed."""

    def volume(self, name: str) -> Path:
        """Return where a volume lies on this machine."""


REACHED: dict[str, set[tuple[str, int]]] = {
    "capture": {ARI, AMI, PROBE, FIGURES, DATABASE},
    "retention": {DATABASE},
    "web": {DATABASE, WEB},
    "demo-desk": set(),
    "prometheus": {WEB, FIGURES},
}
"""What each container may open a connection to; everything else must refuse or be silent."""

LISTENING = {
    "postgres": {"*:5432"},
    "asterisk": {"172.30.91.2:8088", "172.30.91.2:5038"},
    "capture": {"172.30.91.3:8090", "172.30.95.3:8090"},
    "retention": set(),
    "web": {"172.30.93.2:8080"},
    "proxy": {"*:8443", "127.0.0.1:8404"},
    "prometheus": {"*:9090"},
}
"""Every TCP socket that listens, by container. PostgreSQL's network is shut and holds our own."""

KNOCK = """
import asyncio, sys
async def knock(each):
    host, port = each.rsplit(":", 1)
    try:
        await asyncio.wait_for(asyncio.open_connection(host, int(port)), 2)
        print(each)
    except OSError:
        pass
async def knock_at_all():
    await asyncio.gather(*map(knock, sys.argv[1:]))
asyncio.run(knock_at_all())
"""
KNOCK_BY_SHELL = """
for each; do
    timeout 2 bash -c "exec 3<>/dev/tcp/${each%:*}/${each#*:}" 2>/dev/null && echo "$each"
done
:
"""
"""The same where there is no Python."""
ASK = """
import sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"X-Forwarded-For": sys.argv[2]})
try:
    print(urllib.request.urlopen(request, timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def doors(engine: Engine, listed: str, say: Callable[[str], None]) -> None:
    """Only the proxy and SIP are there for others; ARI and AMI answer capture alone."""
    every = {ARI, AMI, PROBE, FIGURES, DATABASE, WEB, *ON_LINES, *ON_DATABASE}
    targets = [f"{host}:{port}" for host, port in sorted(every)]
    for service, allowed in REACHED.items():
        how = (
            ("python3", "-c", KNOCK)
            if service != "prometheus"
            else ("bash", "-c", KNOCK_BY_SHELL, "-")
        )
        said = engine.execute(service, *how, *targets)
        reached = {(host, int(port)) for host, port in (e.rsplit(":", 1) for e in said.split())}
        if reached != allowed:
            raise SystemExit(f"{service} reaches {sorted(reached)}, not {sorted(allowed)}")
    for service, allowed in LISTENING.items():
        found = listening(engine.pid(service))
        if found != allowed:
            raise SystemExit(f"{service} listens on {sorted(found)}, not {sorted(allowed)}")
    # From the web's own container, as a proxy that is none, for a workstation that is listed.
    asked = f"http://{WEB[0]}:{WEB[1]}/sign-in"
    status = engine.execute("web", "python3", "-c", ASK, asked, listed).strip()
    if status != "403":
        raise SystemExit(f"who is not the proxy got {status}, not 403")
    say("nothing listens but where it must; ARI and AMI answer capture alone; no false proxy")


def listening(pid: int) -> set[str]:
    """Return the TCP sockets that listen in a process's network."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text("ascii").splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            if state == "0A":
                address, port = local.split(":")
                if len(address) == 8:  # noqa: PLR2004 - IPv4, little endian
                    plain = ".".join(str(each) for each in bytes.fromhex(address)[::-1])
                else:
                    plain = "*" if not int(address, 16) else address
                plain = "*" if plain == "0.0.0.0" else plain  # noqa: S104 - compared, not bound
                found.add(f"{plain}:{int(port, 16)}")
    return {each for each in found if not each.startswith("127.0.0.11:")}


UNPACK = """
import sys, tarfile
with tarfile.open(sys.argv[1]) as bundle:
    for each in bundle:
        print(each.name, bundle.extractfile(each).read().decode())
"""


def bundle(engine: Engine, login: str, password: str) -> str:
    """Return all that a diagnostic bundle holds; one that is blocked ends the trial."""
    engine.execute("capture", "recorder", "sign-in", login, text=f"{password}\n\n")
    engine.execute("capture", "recorder", "diagnose", "--to", "/tmp/bundle")  # noqa: S108 - its own
    return engine.execute("capture", "python3", "-c", UNPACK, "/tmp/bundle")  # noqa: S108


def texts(engine: Engine, work: Path, more: Mapping[str, str]) -> list[Path]:
    """Bring everything that was written down anywhere into files of ``work``; return them."""
    folder = work / "written"
    folder.mkdir(exist_ok=True)
    token = (work / "secrets/metrics_token").read_text("ascii").strip()
    with urllib.request.urlopen(f"http://{FIGURES[0]}:{FIGURES[1]}/metrics", timeout=10) as answer:
        of_capture = answer.read().decode()
    request = urllib.request.Request(
        f"http://{WEB[0]}:{WEB[1]}/metrics", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http, above
        metrics = answer.read().decode()
    if "recorder_" not in metrics:
        raise SystemExit("there are no metrics")
    # Asterisk's own places, whatever lies there.
    listed = "find /var/log/asterisk /tmp/asterisk/log /tmp/asterisk/spool -type f"
    asterisk = engine.execute("asterisk", "sh", "-c", f"{listed} -print -exec cat {{}} +")
    if "queue_log" in asterisk:
        raise SystemExit("Asterisk writes its log of queues")
    written = {
        "metrics": metrics,
        "metrics-of-capture": of_capture,
        "asterisk-files": asterisk,
        "call-records": engine.execute(
            "asterisk", "sh", "-c", "cat /var/spool/rejestrator/records/*"
        ),
        "service-logs": engine.execute("capture", "sh", "-c", "cat /var/log/rejestrator/*.log"),
        "recorder-logs": engine.execute("capture", "recorder", "logs", "--json"),
        "recorder-status": engine.execute("capture", "recorder", "status", check=False),
        **more,
    }
    for service in ("postgres", "migrate", *REACHED, "proxy", "asterisk"):
        written[service] = engine.said(service)
    if '"status":200' not in written["proxy"]:
        raise SystemExit("the proxy has no access log")
    paths = []
    for name, text in written.items():
        path = folder / f"{name}.txt"
        path.write_text(text, "utf-8")
        paths.append(path)
    return paths


def invariants(
    engine: Engine,
    work: Path,
    callers: Iterable[Caller],
    names: list[str],
    more: Mapping[str, str],
) -> tuple[int, int]:
    """Judge database and volumes by I1 to I10; return how many calls and recordings there are.

    No number and no name is in what was written anywhere, and in ``more``.
    """
    password = (work / "secrets/owner_password").read_text("ascii").strip()
    site = Site(
        database=f"postgresql://recorder:{password}@{DATABASE[0]}/recorder",
        spool=engine.volume("spool"),
        stored=Stored(
            vault=engine.volume("vault"),
            keys=engine.volume("keys"),
            master_key=work / "secrets/master_key",
        ),
        logs=texts(engine, work, more),
        callers=list(callers),
        names=names,
    )
    found = broken(site)
    if found:
        lines = "\n".join(f"  {each.invariant}: {each.what}" for each in found)
        raise SystemExit(f"what must hold does not:\n{lines}")
    return sum(each.calls for each in site.callers), len(site.heard)


STARTED = ("postgres", "asterisk", "capture", "retention", "web", "proxy")


def any_order(
    engine: Engine,
    ready: Callable[[], object],
    until: Callable[..., float],
    say: Callable[..., None],
) -> None:
    """F18: whatever is started first, everything finds together."""
    shuffle = random.Random()  # noqa: S311 - an order, no secret
    for _ in range(3):
        order = list(STARTED)
        shuffle.shuffle(order)
        for service in STARTED:
            engine.act("stop", service)
        for service in order:
            engine.act("start", service)
            time.sleep(shuffle.uniform(0, 2))
        took = until(f"ready, started in the order {order}", ready, within_s=60)
        say(f"started {', '.join(order)}: ready {took:.0f} s after the last")


def ready(engine: Engine) -> bool:
    """Ask the web whether it reaches all its parts, and retention whether it is there."""
    try:
        with urllib.request.urlopen(f"http://{WEB[0]}:{WEB[1]}/readyz", timeout=3) as answer:
            if not json.loads(answer.read())["ready"]:
                return False
    except (OSError, urllib.error.URLError):
        return False
    return "retention.py" in Path(f"/proc/{engine.pid('retention')}/cmdline").read_text()


def finds_itself(engine: Engine, check: str) -> bool:
    """Return whether the check for retention also succeeds where no retention runs."""
    said = engine.execute("capture", "sh", "-c", f"{check} && echo found", check=False)
    return bool(re.search("found", said))
