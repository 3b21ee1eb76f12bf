"""The command line's session: one token in a file that its owner alone can read."""

import os
import stat
from pathlib import Path

from recorder.errors import RuleViolation

LONGEST = 200


def keep_token(path: Path, token: str) -> None:
    """Write the token; whoever reads the folder meanwhile finds the old one or the new one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(token)
    unfinished.rename(path)


def read_token(path: Path) -> str:
    """Return the token; empty when nobody is signed in. Raises ``RuleViolation``."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as file:
        state = os.fstat(file.fileno())
        if stat.S_IMODE(state.st_mode) & 0o077 or state.st_uid != os.geteuid():
            raise RuleViolation("the session's file is not this user's alone: recorder sign-in")
        return file.read(LONGEST).decode("ascii", "replace").strip()


def forget_token(path: Path) -> None:
    """Remove the token. Gone already is done."""
    path.unlink(missing_ok=True)
