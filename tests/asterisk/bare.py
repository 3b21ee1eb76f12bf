"""A bare Asterisk with the shipped dialplan, and in capture's place a probe and an application
that do exactly as a test says. Proves the dialplan alone."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp

from recorder.embedded.asterisk import PrivateAsterisk
from recorder.embedded.office import CHECKOUT

DIALPLAN = CHECKOUT / "dialplan"
PROBE_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"


class BareAsterisk(PrivateAsterisk):
    """Like the office's own, with more configuration files or other ones."""

    def __init__(
        self,
        rootfs: Path,
        directory: Path,
        *,
        probe_port: int,
        dialplan: str = "",
        files: Callable[["BareAsterisk"], Mapping[str, str]] = lambda _: {},
    ) -> None:
        self.spool = directory.resolve() / "calls"
        self.spool.mkdir(parents=True)
        self.globals = {
            "RECORDER_PROBE_URL": f"http://127.0.0.1:{probe_port}/probe",
            "RECORDER_SPOOL": str(self.spool),
            "RECORDER_WATCHDOG": "3",
            "NOTES": str(directory.resolve()),
        }
        recorder = (DIALPLAN / "recorder.conf").read_text(encoding="utf-8")
        super().__init__(
            rootfs, directory, globals_=self.globals, dialplan=f"{recorder}\n{dialplan}"
        )
        self._files = files

    def _write_configuration(self) -> None:
        super()._write_configuration()
        (self.directory / "log/cdr-custom").mkdir(exist_ok=True)
        for name, text in self._files(self).items():
            path = self.directory / "etc" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def sample(self, name: str) -> str:
        """Return a configuration file as Debian's package ships it."""
        return (self._rootfs / "etc/asterisk" / name).read_text(encoding="utf-8")

    def notes(self, name: str) -> list[list[str]]:
        """Return what the dialplan of a test wrote down, fields divided by ``|``."""
        path = self.directory / name
        if not path.exists():
            return []
        return [line.split("|") for line in path.read_text(encoding="utf-8").splitlines()]

    def complaints(self) -> list[str]:
        """Return the warnings and errors that Asterisk has logged."""
        log = (self.directory / "log/messages").read_text(encoding="utf-8", errors="replace")
        return [line for line in log.splitlines() if "WARNING" in line or "ERROR" in line]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextlib.contextmanager
def probe(port: int, body: bytes | None) -> Iterator[None]:
    """Answer the dialplan's question with ``body``; None = take the question, answer nothing."""
    started = threading.Event()
    over: list[Callable[[], object]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if body is not None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(PROBE_ANSWER % (len(body), body))
        else:
            await reader.read()
        writer.close()

    async def serve() -> None:
        end, loop = asyncio.Event(), asyncio.get_running_loop()
        async with await asyncio.start_server(answer, "127.0.0.1", port):
            over.append(lambda: loop.call_soon_threadsafe(end.set))
            started.set()
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(5)
    try:
        yield
    finally:
        over[0]()
        thread.join(5)


@dataclass
class Application:
    """What the Stasis application saw."""

    arrivals: list[list[str]] = field(default_factory=list)
    """The arguments of each call that was handed over."""


@contextlib.asynccontextmanager
async def application(
    asterisk: PrivateAsterisk,
    *,
    release: str | None,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[Application]:
    """Stand in for capture: answer, and continue in ``release``; None = let nobody go.

    ``variables`` are set on the channel before that.
    """
    seen = Application()
    login = aiohttp.encode_basic_auth("recorder", asterisk.ari_password)
    async with (
        aiohttp.ClientSession(headers={"Authorization": login}) as session,
        session.ws_connect(f"{asterisk.ari_url}/events?app=recorder") as socket,
        asyncio.TaskGroup() as group,
    ):

        async def serve() -> None:
            async for message in socket:
                event = message.json()
                if event["type"] != "StasisStart":
                    continue
                seen.arrivals.append(event["args"])
                if release is None:
                    continue
                channel = f"{asterisk.ari_url}/channels/{event['channel']['id']}"
                await session.post(f"{channel}/answer")
                for name, value in (variables or {}).items():
                    query = {"variable": name, "value": value}
                    await session.post(f"{channel}/variable", params=query)
                # Without an extension: the line after Stasis.
                where = {"context": "recorder", "extension": release, "priority": "1"}
                await session.post(f"{channel}/continue", params=where if release else {})

        task = group.create_task(serve())
        yield seen
        task.cancel()
