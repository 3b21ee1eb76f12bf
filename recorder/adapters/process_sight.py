"""What another process on this machine is, and what it sees: its user, its umask, its files."""

import re
from collections.abc import Iterator
from configparser import ConfigParser
from configparser import Error as ConfigError
from ipaddress import ip_address
from pathlib import Path

from recorder.pbx.model import Folder

LISTENING = "0A"


class ProcessSight:
    """One process, by its id. What may not be looked at is None."""

    def __init__(self, pid: int) -> None:
        self._proc = Path("/proc") / str(pid)

    def user(self) -> tuple[int, frozenset[int], int] | None:
        """Return user, groups and umask of the process."""
        try:
            text = (self._proc / "status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        told = dict(re.findall(r"^(\w+):[ \t]*(.*)$", text, re.MULTILINE))
        groups = {int(told["Gid"].split()[1]), *(int(each) for each in told["Groups"].split())}
        return int(told["Uid"].split()[1]), frozenset(groups), int(told.get("Umask", "0"), 8)

    def folder(self, path: str) -> Folder | None:
        """Return what the process finds under a path."""
        return folder_of(self._seen(path))

    def way_to(self, path: str) -> list[Folder] | None:
        """Return each folder on the way to a file, and the file; None = it is not there."""
        parts = [self.folder(str(each)) for each in (*reversed(Path(path).parents), path)]
        return None if None in parts else [each for each in parts if each is not None]

    def option(self, file: str, section: str, name: str) -> str | None:
        """Return a value of one of Asterisk's files; empty when not set, None = not readable."""
        parser = ConfigParser(strict=False, allow_no_value=True, interpolation=None)
        try:
            text = self._seen(file).read_text(encoding="utf-8", errors="replace")
            plain = [
                line.partition(";")[0].replace("=>", "=").strip() for line in text.splitlines()
            ]
            parser.read_string("\n".join(each for each in plain if not each.startswith("#")))
        except (OSError, ConfigError):
            return None
        return parser.get(re.sub(r"\W", "", section), name, fallback="") or ""

    def _seen(self, path: str) -> Path:
        return self._proc / "root" / path.lstrip("/")


def folder_of(path: Path) -> Folder | None:
    """Return how a file or folder lies there; None = it does not, or may not be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Folder(
        mode=found.st_mode & 0o7777,
        uid=found.st_uid,
        gid=found.st_gid,
        identity=(found.st_dev, found.st_ino),
    )


def listeners() -> frozenset[tuple[str, int]] | None:
    """Return every address and port of this machine on which somebody listens by TCP."""
    try:
        return frozenset(each for name in ("tcp", "tcp6") for each in _listening(name))
    except OSError:
        return None


def _listening(name: str) -> Iterator[tuple[str, int]]:
    file = Path("/proc/net") / name
    if not file.exists():
        return
    for line in file.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[3] != LISTENING:
            continue
        raw, _, port = fields[1].partition(":")
        # Words of four bytes in the machine's own order.
        words = (bytes.fromhex(raw[at : at + 8])[::-1] for at in range(0, len(raw), 8))
        yield str(ip_address(b"".join(words))), int(port, 16)
