"""Who acts at the prompt."""

import os
import pwd
from pathlib import Path

from recorder.audit.event import Actor, ActorKind

LOGIN = Path("/proc/self/loginuid")
"""Who signed in on this machine; it stays the same behind ``sudo`` and ``su``."""
NOBODY_SIGNED_IN = 2**32 - 1


def acting() -> Actor:
    """Return the person at the prompt, by the name under which they signed in.

    Two persons who both work as root through ``sudo`` are two; where nobody signed in (a
    container, cron), it is the user whom the process runs as.
    """
    try:
        uid = int(LOGIN.read_text(encoding="ascii"))
    except (OSError, ValueError):
        uid = NOBODY_SIGNED_IN
    if uid == NOBODY_SIGNED_IN:
        uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    return Actor(kind=ActorKind.OPERATOR, name=name)
