"""What was learnt of an Asterisk, and what is to be said of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Grade(StrEnum):
    """What one check came to."""

    OK = "ok"
    REMARK = "remark"
    """It works; a person should know."""
    WRONG = "wrong"
    """Calls are not recorded, or not as intended, until it is put right."""
    UNASKED = "not asked"
    """Nobody answers for it from here."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the answer: what was looked at, what it is like, what to do."""

    check: str
    weight: Grade
    says: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The trunks of regulation.toml, and what the settings say of this machine."""

    trunks: Sequence[tuple[str, str]]
    """Endpoint and context of each."""
    probe_urls: Sequence[str]
    spool: str
    ari_host: str
    ari_port: int
    ari_is_plain: bool
    ami_host: str
    ami_port: int
    ami_user: str
    ari_user: str
    log_dirs: bool
    """Whether RECORDER_PBX_LOG_DIRS names any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByAri:
    """What ARI and the HTTP server beside it told."""

    version: str
    modules: Mapping[str, str]
    """Name without ``.so`` → status, ``Running`` when it works."""
    variables: Mapping[str, str]
    applications: frozenset[str]
    endpoints: frozenset[str] | None
    """None = the module that tells them is not loaded."""
    may_act: bool
    """Whether the account may do more than read."""
    lets_strangers_in: bool
    any_origin: bool
    """Whether a page of anybody's may ask ARI from a browser."""
    shows_status: bool
    ami_over_http: bool
    clock_ahead: timedelta
    """How far Asterisk's clock is ahead of this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByConsole:
    """What Asterisk's console told, read into words: see ``recorder.pbx.console``."""

    http_addresses: tuple[str, ...]
    https_addresses: tuple[str, ...]
    ari_account_is_bound: bool
    """Whether ari.conf lets the account in from named addresses alone."""
    ami_addresses: tuple[str, ...]
    ami_reads: frozenset[str]
    ami_writes: frozenset[str]
    ami_account_is_bound: bool
    log_levels: Sequence[tuple[str, frozenset[str]]]
    """Each log channel, and what is written to it."""
    cel_is_on: bool
    features: frozenset[str]
    dialplan: Mapping[str, Mapping[str, str]]
    """Context → extension → its steps, one text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder or file as it lies there."""

    mode: int
    uid: int
    gid: int
    identity: tuple[int, int] = (0, 0)
    """Device and inode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByMachine:
    """What the operating system told of the process that is Asterisk."""

    uid: int
    gids: frozenset[int]
    umask: int
    spool_here: Folder | None
    spool_there: Folder | None
    """The folder of RECORDER_SPOOL as Asterisk sees it."""
    announcements: Mapping[str, Sequence[Folder] | None]
    """Sound file → the folders on the way and itself, as Asterisk sees them; None = not there."""
    may_be_dangerous: bool | None
    """``live_dangerously`` of asterisk.conf; None = could not be read."""
    open_files: tuple[str, ...]
    """Configuration files with passwords that everybody may read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """Everything that was learnt; None = it was not answered, and why stands in ``away``."""

    ari: ByAri | None = None
    ami: Mapping[str, str] | None = None
    """Action that the AMI account may send → the classes that it belongs to."""
    console: ByConsole | None = None
    machine: ByMachine | None = None
    probe_says: str | None = None
    """What the address of RECORDER_PROBE_URL answers; None = it was not asked."""
    listeners: frozenset[tuple[str, int]] | None = None
    """Addresses and ports of this machine on which somebody listens; None = unknown."""
    strays: int | None = None
    """Files of the PBX that are older than any recording may be."""
    away: Mapping[str, str] = field(default_factory=dict)
    """ari, ami, console → why it did not answer."""
