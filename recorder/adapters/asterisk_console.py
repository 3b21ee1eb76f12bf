"""Asterisk's own console, by its socket: what ``asterisk -rx`` does, without the program."""

import asyncio
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import SwitchboardUnavailable

WITHIN_S = 10.0
LONGEST_ANSWER = 16 << 20
CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Console:
    """The socket of one running Asterisk."""

    path: Path

    async def says(self, command: str) -> str:
        """Return what Asterisk prints. Raises ``SwitchboardUnavailable``."""
        try:
            async with asyncio.timeout(WITHIN_S):
                reader, writer = await asyncio.open_unix_connection(self.path)
                try:
                    writer.write(f"cli quit after {command}\0".encode())
                    await writer.drain()
                    text = (await reader.read(LONGEST_ANSWER)).decode("utf-8", "replace")
                    while not reader.at_eof() and len(text) < LONGEST_ANSWER:
                        text += (await reader.read(LONGEST_ANSWER)).decode("utf-8", "replace")
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            raise SwitchboardUnavailable(
                f"Asterisk's console does not answer at {self.path} ({_kind(error)})"
            ) from None
        # The first line names machine, process and release.
        return text.partition("\n")[2].replace("\0", "")

    def process(self) -> int:
        """Return the id of the process that listens. Raises ``SwitchboardUnavailable``."""
        try:
            with socket.socket(socket.AF_UNIX) as door:
                door.settimeout(WITHIN_S)
                door.connect(str(self.path))
                told = door.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        except OSError as error:
            raise SwitchboardUnavailable(
                f"Asterisk's console does not answer at {self.path} ({_kind(error)})"
            ) from None
        return int(CREDENTIALS.unpack(told)[0])


def _kind(error: OSError | TimeoutError) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
