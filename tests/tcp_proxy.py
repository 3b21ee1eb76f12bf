"""A TCP proxy that makes a healthy server slow, silent, or gone in the middle of a sentence."""

import asyncio
import re
import socket
import struct
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Hold:
    """One request that is held: the client has sent it, the server never gets it."""

    def __init__(self, pattern: bytes) -> None:
        self.pattern = re.compile(pattern)
        self.held = threading.Event()


class TcpProxy:
    """Forwards 127.0.0.1:``port`` to ``target_port``; its attributes may change at any time."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.latency_s = 0.0
        """Added to every piece, both ways."""
        self.silent = False
        """A black hole: takes everything, forwards nothing, closes nothing."""
        self.reset_at: bytes | None = None
        """Reset the connection when a client sends this..."""
        self.reset_lets_it_pass = False
        """...after the server has got it, so that only the answer is lost."""
        self.resets = 0
        self.said: list[tuple[int, bytes]] | None = None
        """What the server says, with the number of its connection; None = not kept."""
        self.holds: list[Hold] = []
        """A client's piece that one of these matches stops here, and all that follows it."""
        self._target_port = target_port
        self._over = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["TcpProxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self._over.set()
            server.close()
            self.reset()
            await server.wait_closed()

    def forward_to(self, port: int) -> None:
        """Have another server behind it from now on."""
        self._target_port = port

    def reset(self) -> None:
        """Reset every connection, both sides."""
        for writer in tuple(self._writers):
            self._abort(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs_reader, theirs = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            # As a client of a dead server would be told.
            self._abort(writer)
            return
        self._writers |= {writer, theirs}
        try:
            with suppress(ConnectionError):
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._forward(reader, theirs, answer_to=writer))
                    tasks.create_task(self._forward(theirs_reader, writer))
        except* ConnectionError:
            pass
        finally:
            self._writers -= {writer, theirs}
            writer.close()
            theirs.close()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer_to: asyncio.StreamWriter | None = None,
    ) -> None:
        while piece := await reader.read(65536):
            if self.silent:
                continue
            if answer_to is not None:
                await self._hold_up(piece)
            elif self.said is not None:
                self.said.append((id(writer), piece))
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            last = answer_to is not None and self.reset_at is not None and self.reset_at in piece
            if not last or self.reset_lets_it_pass:
                writer.write(piece)
                await writer.drain()
            if last and answer_to is not None:
                self.reset_at, self.resets = None, self.resets + 1
                self._abort(answer_to)
                if not self.reset_lets_it_pass:
                    self._abort(writer)
                return
        if not self.silent:
            writer.close()

    async def _hold_up(self, piece: bytes) -> None:
        for hold in tuple(self.holds):
            if hold.pattern.search(piece):
                hold.held.set()
                # Whoever sent it waits for good, or dies with it: it never arrives.
                await self._over.wait()
                raise ConnectionAbortedError

    def _abort(self, writer: asyncio.StreamWriter) -> None:
        raw: socket.socket | None = writer.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        writer.transport.abort()
