"""A private Asterisk: its own root filesystem from Debian, its own configuration and ports.

It runs in a mount namespace of its own, so that a test may mount a small or a read-only disk
where it really sees it, and shares the host's network: everything is on loopback.
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

from recorder.embedded.asterisk_config import configuration
from recorder.embedded.postgres import free_port
from recorder.errors import ConfigurationError

RELEASE = "forky"
"""The Debian release that carries Asterisk 22.10 LTS; stable ones carry none."""

PACKAGES = "asterisk,asterisk-core-sounds-en-gsm,ca-certificates"
READY_WITHIN_S = 20.0


def ensure_rootfs(cache: Path, report: Callable[[str], None]) -> Path:
    """Return a root filesystem with Asterisk, building it at the first time (25 s, 350 MB).

    Raises ``ConfigurationError`` saying what is needed.
    """
    root = cache / f"asterisk-{RELEASE}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (root / "usr/sbin/asterisk").exists():
            return root
        if os.geteuid() != 0:
            raise ConfigurationError(
                "A private Asterisk needs root (it lives in a root filesystem of its own). "
                "Run this as root, or use docker compose."
            )
        ensure_package("mmdebstrap", "mmdebstrap", report)
        report("fetching Asterisk 22 from Debian (once, about half a minute)")
        unfinished = cache / f"{root.name}.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        made = subprocess.run(
            [
                "mmdebstrap",
                *("--quiet", "--variant=minbase", "--mode=root", f"--include={PACKAGES}"),
                '--aptopt=APT::Install-Recommends "false"',
                # A mirror's index may be a few days old.
                '--aptopt=Acquire::Check-Valid-Until "false"',
                *(RELEASE, str(unfinished)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise ConfigurationError(
                f"Asterisk could not be fetched; check the access to Debian's mirrors:\n"
                f"{made.stderr[-2000:]}"
            )
        unfinished.rename(root)
        return root


def ensure_package(program: str, package: str, report: Callable[[str], None]) -> None:
    """Install a Debian package unless its program is there. Raises ``ConfigurationError``."""
    if shutil.which(program):
        return
    if os.geteuid() != 0:
        raise ConfigurationError(f"{program} is missing; as root: apt-get install {package}")
    report(f"installing {package}")
    subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
    made = subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        raise ConfigurationError(f"{package} could not be installed:\n{made.stderr[-1000:]}")


class PrivateAsterisk:
    """One Asterisk with everything it writes under ``directory``."""

    def __init__(
        self,
        rootfs: Path,
        directory: Path,
        *,
        globals_: Mapping[str, str],
        dialplan: str,
        features: str = "",
    ) -> None:
        self._rootfs = rootfs
        self.directory = directory.resolve()
        self.ari_password = secrets.token_urlsafe(24)
        self.ari_port = free_port()
        self.ami_password = secrets.token_urlsafe(24)
        self.ami_port = free_port()
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.desk_port = free_port(socket.SOCK_DGRAM)
        self._globals = globals_
        self._dialplan = dialplan
        self._features = features
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def ari_url(self) -> str:
        """Where ARI answers."""
        return f"http://127.0.0.1:{self.ari_port}/ari"

    @property
    def pid(self) -> int:
        """Process id of the running Asterisk itself."""
        if self._process is None:
            raise RuntimeError("Asterisk is not running")
        return self._process.pid

    def start(self) -> None:
        """Start and wait until ARI answers. Raises ``ConfigurationError`` with its log."""
        self._write_configuration()
        inside = Path(str(self._rootfs) + str(self.directory))
        inside.mkdir(parents=True, exist_ok=True)
        script = (
            'mount --bind /proc "$1/proc" && mount --rbind /dev "$1/dev" && '
            'mount --rbind "$2" "$3" && umask 007 && '
            'exec chroot "$1" /usr/sbin/asterisk -C "$2/etc/asterisk.conf" -f'
        )
        with (self.directory / "console.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"),
                    *(str(self._rootfs), str(self.directory), str(inside)),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop in order; calls are hung up and files closed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill at once, as a fault would."""
        self._end(signal.SIGKILL)

    def cli(self, command: str) -> str:
        """Return what ``asterisk -rx`` prints."""
        conf = self.directory / "etc/asterisk.conf"
        enter = ["nsenter", "-t", str(self.pid), "-m", "chroot", str(self._rootfs)]
        answer = subprocess.run(
            [*enter, "/usr/sbin/asterisk", "-C", str(conf), "-rx", command],
            capture_output=True,
            text=True,
            check=False,
        )
        return answer.stdout

    def cpu_seconds(self) -> float:
        """Return the processor time that Asterisk has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=READY_WITHIN_S)
            self._process = None

    def _write_configuration(self) -> None:
        files = configuration(
            self.directory,
            ari_port=self.ari_port,
            ari_password=self.ari_password,
            ami_port=self.ami_port,
            ami_password=self.ami_password,
            sip_port=self.sip_port,
            desk_port=self.desk_port,
            globals_=self._globals,
            dialplan=self._dialplan,
            features=self._features,
        )
        for folder in ("etc", "log/cdr-custom", "run", "spool/recording", "db"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = self.directory / "etc" / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        token = b64encode(f"recorder:{self.ari_password}".encode()).decode()
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.ari_url}/asterisk/info", headers={"Authorization": f"Basic {token}"}
        )
        while True:
            try:
                with urllib.request.urlopen(request, timeout=1):  # noqa: S310 - as above
                    return
            except (urllib.error.URLError, OSError):
                died = self._process is None or self._process.poll() is not None
                if died or time.monotonic() > deadline:
                    log = (self.directory / "console.log").read_text(errors="replace")
                    raise ConfigurationError(f"Asterisk did not start:\n{log[-2000:]}") from None
                time.sleep(0.05)
