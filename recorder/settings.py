"""What the machine needs to know: ``RECORDER_*`` from the environment. The only reader of it.

Secrets may also come as files: ``RECORDER_ARI_PASSWORD_FILE`` names a file whose content is
the password, as container secrets do. What the regulation fixes is not here, but in
``regulation.toml``.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from recorder.errors import ConfigurationError
from recorder.settings_directory import DirectorySettings
from recorder.settings_mail import MailSettings
from recorder.workstations.model import Network
from recorder.workstations.rules import parse_network

PREFIX = "RECORDER_"
SECRETS = (
    *("ami_password", "ari_password", "database_url", "metrics_token"),
    *("ldap_bind_password", "oidc_client_secret", "mail_password"),
)
"""Settings that are also read from a file named by ``RECORDER_<NAME>_FILE``."""


class Settings(DirectorySettings, MailSettings):
    """Every setting, once. Its description is what ``recorder config show`` prints."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True
    )

    node: str = Field(
        default="pbx1",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$",
        description="name of the Asterisk that this capture process serves",
    )
    ari_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("http://127.0.0.1:8088/ari"), description="where ARI answers"
    )
    ari_user: str = Field(default="recorder", description="ARI account")
    ari_password: SecretStr = Field(
        default=SecretStr(""), description="password of the ARI account"
    )
    ami_host: str = Field(default="127.0.0.1", description="address on which AMI answers")
    ami_port: int = Field(default=5038, ge=1, le=65535, description="port on which AMI answers")
    ami_user: str = Field(default="recorder", description="AMI account")
    ami_password: SecretStr = Field(
        default=SecretStr(""),
        description="password of the AMI account; empty = AMI is not used, and recordings are "
        "stopped by the dialplan alone",
    )
    probe_host: str = Field(
        default="127.0.0.1", description="address on which the dialplan asks capture"
    )
    probe_port: int = Field(
        default=8090, ge=1, le=65535, description="port on which the dialplan asks capture"
    )
    probe_watch_host: str = Field(
        default="",
        description="second address of the same port, for Prometheus; empty = none",
    )
    database_url: SecretStr = Field(
        default=SecretStr("postgresql+psycopg://recorder@127.0.0.1/recorder"),
        description="PostgreSQL, as an SQLAlchemy URL",
    )
    spool_dir: Path = Field(
        default=Path("/var/spool/rejestrator"),
        description="audio and journals of live calls",
    )
    spool_floor_mib: int = Field(
        default=2048,
        ge=1,
        description="free space in MiB below which no recording starts",
    )
    vault_dir: Path = Field(
        default=Path("/var/lib/rejestrator/vault"), description="recordings at rest"
    )
    key_dir: Path = Field(
        default=Path("/var/lib/rejestrator-keys"),
        description="the keys of the recordings, on another volume than they",
    )
    master_key_file: Path | None = Field(
        default=None, description="file of the master key, base64 or hex"
    )
    master_key: SecretStr = Field(
        default=SecretStr(""), description="the master key itself, in place of its file"
    )
    announcement_dir: Path = Field(
        default=Path("/var/lib/rejestrator/announcements"),
        description="the catalogue of announcements",
    )
    pbx_announcement_dir: Path | None = Field(
        default=None, description="the catalogue as Asterisk sees it, when that differs"
    )
    regulation_file: Path = Field(
        default=Path("regulation.toml"), description="what the regulation fixes"
    )
    erasure_lead_minutes: int = Field(
        default=60,
        ge=10,
        le=720,
        description="how long before its limit a recording is erased",
    )
    backup_key_dirs: str = Field(
        default="",
        description="folders of key backups, destroyed in time, separated by colons",
    )
    erasure_ledger_file: Path | None = Field(
        default=None, description="where the ledger of erasures is written hourly, off the machine"
    )
    pbx_log_dirs: str = Field(
        default="",
        description="folders of the PBX's own records and logs, separated by colons",
    )
    call_record_dirs: str = Field(
        default="",
        description="folders in which each Asterisk writes rejestrator-calls.csv, separated by "
        "colons; empty = calls are not compared with the PBX's records",
    )
    audit_key_file: Path | None = Field(
        default=None, description="private key that signs checkpoints of the audit trail"
    )
    audit_public_key: str = Field(
        default="",
        description="what verifies checkpoints; unless set, the private key's other half",
    )
    audit_checkpoint_dir: Path = Field(
        default=Path("/var/lib/rejestrator/checkpoints"),
        description="signed checkpoints of the audit trail, to be copied elsewhere",
    )
    audit_days: int = Field(
        default=731, ge=366, description="days for which entries of the audit trail are kept"
    )
    audit_personal_days: int = Field(
        default=30,
        ge=1,
        le=731,
        description="days for which numbers and texts in them are kept",
    )
    office_zone: ZoneInfo = Field(
        default=ZoneInfo("Europe/Warsaw"), description="zone in which days are counted"
    )
    web_host: str = Field(default="127.0.0.1", description="address on which the web answers")
    web_port: int = Field(default=8080, ge=1, le=65535, description="port on which the web answers")
    web_origin: str | None = Field(
        default=None, description="where people find the web: https://rejestrator.example"
    )
    web_plain_http: bool = Field(
        default=False, description="let the web work without TLS, on loopback alone, for a trial"
    )
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="what Prometheus sends; empty = only from this machine"
    )
    totp: str = Field(
        default="required",
        pattern="^(required|optional)$",
        description="whether every account needs a second factor",
    )
    four_eyes: str = Field(
        default="on",
        pattern="^(on|off)$",
        description="whether a second administrator confirms what one grants",
    )
    password_memory_mib: int = Field(
        default=64, ge=1, le=4096, description="memory in MiB that one password's hash takes"
    )
    password_passes: int = Field(default=3, ge=1, le=100, description="passes over that memory")
    trusted_proxy: str = Field(
        default="", description="addresses of the proxies whose X-Forwarded-For counts"
    )
    scan_dir: Path = Field(
        default=Path("/var/lib/rejestrator/scans"), description="signed scans of authorisations"
    )
    session_file: Path | None = Field(
        default=None, description="where the command line keeps who is signed in"
    )
    log_file: Path | None = Field(
        default=None, description="rotating JSON log beside standard output"
    )
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="least level logged"
    )

    @field_validator("office_zone", mode="before")
    @classmethod
    def _zone_exists(cls, value: object) -> object:
        if isinstance(value, str):
            try:
                return ZoneInfo(value)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError("not a time zone; example: Europe/Warsaw") from error
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what ``load_settings`` hands over: one reader, one order of precedence."""
        return (init_settings,)

    @field_validator("trusted_proxy")
    @classmethod
    def _proxies_are_networks(cls, value: str) -> str:
        for each in filter(None, (part.strip() for part in value.split(","))):
            if parse_network(each) is None:
                raise ValueError("not an address; example: 10.0.0.2 or 10.0.0.2, 10.0.0.3")
        return value

    @property
    def trusted_proxies(self) -> tuple[Network, ...]:
        """The proxies whose word on a client's address counts (R6.2b)."""
        parts = (parse_network(each) for each in self.trusted_proxy.split(",") if each.strip())
        return tuple(each for each in parts if each is not None)

    @property
    def probe_hosts(self) -> tuple[str, ...]:
        """Where capture answers the dialplan, and Prometheus besides."""
        return tuple(each for each in (self.probe_host, self.probe_watch_host) if each)

    @property
    def spool_floor_bytes(self) -> int:
        """Free space below which no recording starts."""
        return self.spool_floor_mib << 20

    @property
    def erasure_lead(self) -> timedelta:
        """How long before its limit a recording is erased."""
        return timedelta(minutes=self.erasure_lead_minutes)

    @property
    def pbx_log_folders(self) -> tuple[Path, ...]:
        """The PBX's folders in which old files are looked for."""
        return tuple(Path(each) for each in self.pbx_log_dirs.split(":") if each)

    @property
    def call_record_folders(self) -> tuple[Path, ...]:
        """Where the PBX's own call records are read (RG.13)."""
        return tuple(Path(each) for each in self.call_record_dirs.split(":") if each)

    @property
    def backup_key_folders(self) -> tuple[Path, ...]:
        """The places of key backups that are watched over."""
        return tuple(Path(each) for each in self.backup_key_dirs.split(":") if each)

    @property
    def announcement_dir_of_pbx(self) -> Path:
        """The announcement catalogue as Asterisk sees it."""
        return self.pbx_announcement_dir or self.announcement_dir


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings once, from ``.env`` and the process's environment, which wins.

    ``environment`` stands in for both.

    Raises ``ConfigurationError`` naming every missing, wrong or unknown name at once: a typo
    must not pass silently.
    """
    if environment is None:
        environment = {k: v for k, v in dotenv_values(".env").items() if v is not None}
        environment |= os.environ
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX)
    }
    problems = []
    for secret in SECRETS:
        path = given.pop(f"{secret}_file", None)
        if path is None:
            continue
        try:
            given[secret] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = type(error).__name__
            problems.append(f"{_name(secret)}_FILE: cannot be read ({reason}); check its path")
    problems += [
        f"{_name(name)}: no such setting; `recorder config show` lists them all"
        for name in sorted(set(given) - set(Settings.model_fields))
    ]
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [
            f"{_name(str(each['loc'][0]))}: {each['msg']} "
            f"({Settings.model_fields[str(each['loc'][0])].description})"
            for each in error.errors()
        ]
        raise ConfigurationError("\n".join(problems)) from None
    if problems:
        raise ConfigurationError("\n".join(problems))
    return settings


def session_path(settings: Settings) -> Path:
    """Return where the command line keeps its session: a place of this user's alone."""
    if settings.session_file is not None:
        return settings.session_file
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "rejestrator" / "session"
    return Path.home() / ".local" / "state" / "rejestrator" / "session"


def _name(field: str) -> str:
    return f"{PREFIX}{field.upper()}"
