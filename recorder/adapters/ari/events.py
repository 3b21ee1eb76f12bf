"""What arrives on the websocket, made safe to look at. Pure.

Everything in an event may be hostile or broken: accessors return a default instead of raising,
and strings are made encodable.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LONGEST_MESSAGE = 1 << 20
"""Characters; Asterisk's own events stay below 10,000."""

MOST_BRACKETS = 1000
"""How deep JSON may nest depends on the release of Python; Asterisk's events hold a few dozen."""

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
"""The only ways in which a string that no encoding takes can stand in a message."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``raw`` is Asterisk's JSON object as it came, with encodable strings."""

    type: str
    raw: Mapping[str, Any]

    @property
    def timestamp(self) -> datetime | None:
        """When Asterisk says it happened, UTC; None if it does not say so readably."""
        return parse_time(self.raw.get("timestamp"))

    def text(self, *path: str) -> str:
        """Return the string at ``path``, empty if there is none.

        >>> Event("X", {"channel": {"id": "1.2", "caller": None}}).text("channel", "id")
        '1.2'
        >>> Event("X", {"channel": {"id": 7}}).text("channel", "id", "deeper")
        ''
        """
        found = self.get(*path)
        return found if isinstance(found, str) else ""

    def get(self, *path: str) -> Any:  # noqa: ANN401 - whatever the JSON holds
        """Return the value at ``path``, None if there is none."""
        found: Any = self.raw
        for name in path:
            if not isinstance(found, Mapping):
                return None
            found = found.get(name)
        return found

    @property
    def channel_id(self) -> str:
        """Id of the channel the event is about, empty if there is none."""
        return self.text("channel", "id")


def parse_event(message: str | bytes) -> Event | None:
    """Return the event in a message, None if it holds none (B1). Never raises."""
    if len(message) > LONGEST_MESSAGE:
        return None
    if isinstance(message, bytes):
        message = message.decode("utf-8", "replace")
    if message.count("{") + message.count("[") > MOST_BRACKETS:
        return None
    try:
        parsed = _DECODER.decode(message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("type"), str):
        return None
    # Two looks that cost nothing first: hardly any event has either.
    if ("\\u" in message or not message.isascii()) and SURROGATE.search(message):
        try:
            parsed = _encodable(parsed)
        except RecursionError:
            return None
    return Event(parsed["type"], parsed)


def parse_time(value: object) -> datetime | None:
    """Return ARI's time stamp (``2026-11-24T05:02:31.123+0000``) as UTC, None if it is none.

    >>> parse_time("2026-11-24T06:02:31.123+0100").isoformat()
    '2026-11-24T05:02:31.123000+00:00'
    """
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _refuse_constant(name: str) -> float:
    """Refuse ``NaN`` and ``Infinity``: Python reads them, JSON does not have them."""
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _encodable(value: Any) -> Any:  # noqa: ANN401 - whatever the JSON holds
    """Replace lone surrogates, which no encoding takes, by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_encodable(name): _encodable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_encodable(each) for each in value]
    return value
