"""Log lines as the services write them: read, chosen, cut down, made readable. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LEVELS = ("debug", "info", "warning", "error", "critical")
HEAD = frozenset({"event", "level", "logger", "timestamp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines a person asked for."""

    call_id: str | None = None
    component: str | None = None
    """Part of the logger's name, or of the file's."""
    text: str = ""
    """Somewhere in the line, in any case."""
    level: str = "debug"
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, line: Mapping[str, Any]) -> bool:
        """Tell whether this line was asked for."""
        level = str(line.get("level", "info"))
        known = LEVELS.index(level) if level in LEVELS else len(LEVELS)
        if known < LEVELS.index(self.level):
            return False
        if self.call_id is not None and line.get("call_id") != self.call_id:
            return False
        if self.component is not None and self.component not in _places_of(line):
            return False
        if self.text and self.text.casefold() not in readable(line).casefold():
            return False
        at = moment_of(line)
        if self.since is not None and (at is None or at < self.since):
            return False
        return self.until is None or (at is not None and at < self.until)


def parse(text: str) -> dict[str, Any] | None:
    """Return one line's fields; None for what is no line of ours, such as a torn one."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "event" in line else None


def moment_of(line: Mapping[str, Any]) -> datetime | None:
    """Return when a line was written."""
    try:
        at = datetime.fromisoformat(str(line.get("timestamp", "")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def readable(line: Mapping[str, Any]) -> str:
    """Return a line as a person reads it: when, how grave, what, and the rest by name."""
    rest = " ".join(f"{name}={text}" for name, text in rest_of(line))
    when = str(line.get("timestamp", ""))[:19].replace("T", " ")
    text = f"{when} {line.get('level', '')!s:8}{line['event']!s:28} {rest}".rstrip()
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def rest_of(line: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a line says besides when, how grave, what and where; by name.

    >>> rest_of({"event": "x", "level": "info", "why": "busy", "calls": 3})
    [('calls', '3'), ('why', 'busy')]
    """
    return [(name, _plain(line[name])) for name in sorted(set(line) - HEAD)]


def _places_of(line: Mapping[str, Any]) -> str:
    return f"{line.get('logger', '')} {line.get('file', '')}"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
