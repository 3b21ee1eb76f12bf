"""A thin asyncio client for Asterisk's REST Interface, with ari-py's object model and names.

It knows nothing of the rest of this project and may be lifted out. What it adds to ari-py:
reconnection, heartbeat, bounded connections, time limits, errors that keep status and message,
and never a blind repetition of a POST (ADR 0001).
"""

from recorder.adapters.ari.client import AriClient
from recorder.adapters.ari.errors import (
    AriError,
    AriHTTPError,
    AriRefused,
    AriReplaced,
    AriUnreachable,
    Conflict,
    NotFound,
)
from recorder.adapters.ari.events import Event, parse_event

__all__ = [
    "AriClient",
    "AriError",
    "AriHTTPError",
    "AriRefused",
    "AriReplaced",
    "AriUnreachable",
    "Conflict",
    "Event",
    "NotFound",
    "parse_event",
]
