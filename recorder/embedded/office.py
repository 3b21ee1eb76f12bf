"""A whole office on loopback: PostgreSQL, Asterisk, capture, retention, a trunk and a desk."""

import asyncio
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

from recorder.adapters.audit_files import create_key
from recorder.adapters.keys import CHECK_FILE, DiskKeys, prepare
from recorder.adapters.master_key import make_master_key, read_master_key
from recorder.adapters.postgres import migrate
from recorder.adapters.vault import DiskVault
from recorder.embedded import staff
from recorder.embedded.asterisk import PrivateAsterisk, ensure_package, ensure_rootfs
from recorder.embedded.postgres import EmbeddedPostgres, free_port
from recorder.errors import ConfigurationError
from recorder.model import RecordingId

CHECKOUT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 15.0


def trial_regulation(*, choice_wait_s: float | None = None) -> str:
    """Return the shipped regulation with recording on and the private trunk listed.

    ``choice_wait_s`` shortens the wait for a key; None = as shipped.
    """
    text = (CHECKOUT / "regulation.toml").read_text(encoding="utf-8")
    text = text.replace("recording = false", "recording = true")
    listed = ", ".join(
        f'{{ endpoint = "{each}", context = "from-trunk" }}' for each in ("trunk", "outside")
    )
    text = text.replace("trunks = []", f"trunks = [{listed}]")
    if choice_wait_s is not None:
        text = text.replace("choice_wait_s = 3.0", f"choice_wait_s = {choice_wait_s}")
    return text


class Office:
    """Everything that one machine needs; all state lives under ``directory``."""

    def __init__(
        self,
        directory: Path,
        *,
        cache: Path,
        regulation: str,
        report: Callable[[str], None],
        settings: dict[str, str] | None = None,
        dialplan: str = "",
    ) -> None:
        """``dialplan`` is added to the office's own."""
        self.directory = directory.resolve()
        self._cache = cache
        self._regulation = regulation
        self._report = report
        self._more = {} if settings is None else settings
        self._dialplan = dialplan
        self.spool = self.directory / "asterisk/spool/rejestrator"
        self.vault = self.directory / "vault"
        self.keys = self.directory / "keys"
        self.master_key = self.directory / "master-key"
        self.audit_key = self.directory / "audit.key"
        self.announcements = self.directory / "asterisk/announcements"
        self.log = self.directory / "capture.log"
        self.probe_port, self.web_port = free_port(), free_port()
        self.postgres = EmbeddedPostgres(self.directory / "postgres")
        self._asterisk: PrivateAsterisk | None = None
        self._capture: subprocess.Popen[bytes] | None = None
        self._retention: subprocess.Popen[bytes] | None = None
        self._web: subprocess.Popen[bytes] | None = None

    @property
    def web_address(self) -> str:
        """Where the pages and the API are, on this machine alone."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def asterisk(self) -> PrivateAsterisk:
        """The running Asterisk."""
        if self._asterisk is None:
            raise RuntimeError("the office is not open")
        return self._asterisk

    @property
    def capture_pid(self) -> int:
        """Process id of the running capture."""
        if self._capture is None:
            raise RuntimeError("capture is not running")
        return self._capture.pid

    @property
    def environment(self) -> dict[str, str]:
        """Settings under which every command sees this office."""
        return {
            "RECORDER_ARI_URL": self.asterisk.ari_url,
            "RECORDER_ARI_PASSWORD": self.asterisk.ari_password,
            # As in a real installation: no process is the owner of the tables.
            "RECORDER_DATABASE_URL": self.postgres.member_url("recorder_runtime"),
            "RECORDER_AMI_PORT": str(self.asterisk.ami_port),
            "RECORDER_AMI_PASSWORD": self.asterisk.ami_password,
            "RECORDER_SPOOL_DIR": str(self.spool),
            "RECORDER_VAULT_DIR": str(self.vault),
            "RECORDER_KEY_DIR": str(self.keys),
            "RECORDER_MASTER_KEY_FILE": str(self.master_key),
            "RECORDER_ANNOUNCEMENT_DIR": str(self.announcements),
            "RECORDER_REGULATION_FILE": str(self.directory / "regulation.toml"),
            "RECORDER_PROBE_PORT": str(self.probe_port),
            "RECORDER_SPOOL_FLOOR_MIB": "64",
            "RECORDER_CALL_RECORD_DIRS": str(self.directory / "asterisk/log/cdr-custom"),
            "RECORDER_AUDIT_KEY_FILE": str(self.audit_key),
            "RECORDER_AUDIT_CHECKPOINT_DIR": str(self.directory / "checkpoints"),
            "RECORDER_SCAN_DIR": str(self.directory / "scans"),
            "RECORDER_SESSION_FILE": str(self.directory / "session"),
            # Without TLS, because it cannot be reached but from this machine.
            "RECORDER_WEB_ORIGIN": self.web_address,
            "RECORDER_WEB_PORT": str(self.web_port),
            "RECORDER_WEB_PLAIN_HTTP": "true",
            # One person tries it out, without a telephone for codes and without a colleague.
            "RECORDER_TOTP": "optional",
            "RECORDER_FOUR_EYES": "off",
            **self._more,
        }

    def open(self) -> None:
        """Start everything; what is there already is kept. Raises ``ConfigurationError``."""
        for folder in (self.directory, self.spool, self.vault, self.announcements):
            folder.mkdir(parents=True, exist_ok=True)
        # As in a real office: what either makes in there belongs to the group of both.
        self.spool.chmod(0o2770)
        self._make_keys()
        (self.directory / "regulation.toml").write_text(self._regulation, encoding="utf-8")
        rootfs = ensure_rootfs(self._cache, self._report)
        ensure_package("sipp", "sip-tester", self._report)
        self._report("starting PostgreSQL")
        self.postgres.start()
        migrate.upgrade(self.postgres.url)
        self._report("starting Asterisk")
        self._asterisk = PrivateAsterisk(
            rootfs,
            self.directory / "asterisk",
            globals_={
                "RECORDER_PROBE_URL": f"http://127.0.0.1:{self.probe_port}/probe",
                "RECORDER_SPOOL": str(self.spool),
            },
            dialplan=(CHECKOUT / "dialplan/recorder.conf").read_text(encoding="utf-8")
            + self._dialplan,
            features=(CHECKOUT / "dialplan/features.conf").read_text(encoding="utf-8"),
        )
        self._asterisk.start()

    def audio_of(self, recording_id: UUID, stored_on: str) -> bytes:
        """Return the WAV of one recording. Raises ``NotFound`` and ``RecordingDamaged``."""
        return audio_of(self.directory, recording_id, stored_on)

    def _make_keys(self) -> None:
        if not self.master_key.exists():
            make_master_key(self.master_key)
        if not (self.keys / CHECK_FILE).exists():
            prepare(self.keys, read_master_key(self.master_key))
        if not self.audit_key.exists():
            create_key(self.audit_key, name="trial/audit")

    def start_capture(self) -> None:
        """Start capture and wait until it takes calls. Raises ``ConfigurationError``."""
        self._report("starting capture")
        self._capture = self._launch([str(CHECKOUT / "ari_app.py")], self.log)
        deadline = time.monotonic() + READY_WITHIN_S
        while not self.takes_calls():
            if self._capture.poll() is not None or time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-2000:]
                raise ConfigurationError(f"capture did not start:\n{tail}")
            time.sleep(0.05)

    def start_retention(self) -> None:
        """Start retention; what it does is seen in ``recorder status``."""
        self._report("starting retention")
        # Of the processes only this one may forget what is in the audit trail.
        login = {"RECORDER_DATABASE_URL": self.postgres.member_url("recorder_retention")}
        program = [str(CHECKOUT / "retention.py")]
        self._retention = self._launch(program, self.directory / "retention.log", login)

    def start_web(self) -> None:
        """Start the web and wait until it answers. Raises ``ConfigurationError``."""
        self._report("starting the web")
        log = self.directory / "web.log"
        self._web = self._launch(["-m", "recorder", "web"], log)
        deadline = time.monotonic() + READY_WITHIN_S
        while not answers(f"{self.web_address}/healthz"):
            if self._web.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(errors="replace")[-2000:]
                raise ConfigurationError(f"the web did not start:\n{tail}")
            time.sleep(0.05)

    def _launch(
        self, program: list[str], log_file: Path, more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("RECORDER_")}  # noqa: TID251 - handed on, not read
        with log_file.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *program],
                cwd=self.directory,
                env={**inherited, **self.environment, **(more or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def employ(self) -> Path:
        """Sign somebody in who may listen; return the file with what ``sign-in`` asks for."""
        answers = self.directory / "answers"
        staff.employ(self.environment, answers=answers)
        return answers

    def kill_capture(self) -> None:
        """Kill capture at once, as a fault would."""
        if self._capture is not None:
            self._capture.kill()
            self._capture.wait()

    def close(self) -> None:
        """Stop everything that runs, in order."""
        for process in (self._web, self._retention, self._capture):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(timeout=READY_WITHIN_S)
        if self._asterisk is not None:
            self._asterisk.stop()
        self.postgres.stop()

    def takes_calls(self) -> bool:
        """Tell whether capture says that it takes calls."""
        return takes_calls(self.probe_port)


def audio_of(state: Path, recording_id: UUID, stored_on: str) -> bytes:
    """Return the WAV of one recording of the office that lives under ``state``."""
    keys = DiskKeys(state / "keys", read_master_key(state / "master-key"))
    vault, name = DiskVault(state / "vault", keys), RecordingId(recording_id)

    async def whole() -> bytes:
        size = await vault.size(name, folder=stored_on)
        return await vault.read(name, folder=stored_on, start=0, length=size)

    return asyncio.run(whole())


def takes_calls(probe_port: int) -> bool:
    """Ask capture itself, as the dialplan does."""
    return answers(f"http://127.0.0.1:{probe_port}/probe")


def answers(url: str) -> bool:
    """Tell whether an address of this machine says yes."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - ours, http
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False
