"""The nouns of maintenance: what is scanned, and what a diagnostic bundle is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something in a bundle that may be a person's. Where, and of what kind; never the value."""

    file: str
    place: str
    """Line and field, as in ``line 12, why``."""
    kind: str
    """One of :class:`recorder.maintenance.rules.Kind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a bundle, as JSON can hold it; a log is a list of lines."""

    file: str
    content: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a sysadmin or a contractor is sent to see what is wrong."""

    parts: tuple[Part, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    """What could not be asked, and why; a part besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLines:
    """Log lines, newest first, and how far they were looked for."""

    lines: tuple[Mapping[str, Any], ...]
    back_to: datetime | None
    """Only younger lines were looked for, for there was too much to read; None = all were."""
    unread: tuple[str, ...]
    """Services whose files could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The file system under one folder."""

    path: str
    free_mib: int
    size_mib: int
    free_inodes_percent: int | None
    read_only: bool
