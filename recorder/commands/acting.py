"""Who sits at the prompt."""

import os
import pwd
from pathlib import Path

from recorder.audit.event import Actor, ActorKind

NOBODY_LOGGED_IN = 2**32 - 1


def operator() -> Actor:
    """Return the person as the machine knows them: who logged in, also behind ``sudo``."""
    try:
        user = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        user = NOBODY_LOGGED_IN
    if user == NOBODY_LOGGED_IN:
        user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    return Actor(kind=ActorKind.OPERATOR, name=name)
