"""One connection to AMI. panoramisk speaks the protocol and nothing more.

Whatever it does of its own accord (connecting again, sending actions again, answering nothing) is
replaced here.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol
from pydantic import SecretStr

from recorder.errors import SwitchboardSilent, SwitchboardUnavailable

log = structlog.get_logger(__name__)

ANSWER_WITHIN_S = 1.0
"""An answer takes about a millisecond; a clerk waits 2 s at most for all (RG.12)."""

MOST_UNREAD = 1 << 16
"""Characters of one unfinished message; an answer of ours has a few hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiAccount:
    """Where AMI answers, and as whom."""

    host: str
    port: int
    user: str
    password: SecretStr


class _Protocol(AMIProtocol):  # type: ignore[misc]
    """panoramisk's reader, which may fail at nothing and keep nothing without bound."""

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        # Whatever the library stumbles over, it is this connection's end and nothing else.
        except Exception:
            log.exception("ami_message_failed")
            self.transport.abort()
        if sum(len(each) for each in self.queue) > MOST_UNREAD:
            self.transport.abort()


class AmiSession(Manager):  # type: ignore[misc]
    """One connection: never made again by itself, and nothing is ever sent a second time."""

    def __init__(self, account: AmiAccount) -> None:
        # Nothing of panoramisk's log: it would hold whole messages.
        super().__init__(
            username=account.user,
            secret=account.password.get_secret_value(),
            events="off",
            ping_delay=1 << 30,
            log=_Silent(),
        )
        self.loop = asyncio.get_running_loop()
        # Whatever is pending when the connection ends is dropped here, not kept to be re-sent.
        self.awaiting_actions: deque[Any] = deque(maxlen=0)
        self.lost = asyncio.Event()

    @classmethod
    async def open(cls, account: AmiAccount) -> "AmiSession":
        """Connect and log in. Raises ``OSError`` and ``SwitchboardUnavailable``."""
        session = cls(account)
        loop = session.loop
        made = loop.create_future()
        made.set_result(await loop.create_connection(_Protocol, account.host, account.port))
        session.connection_made(made)
        try:
            answer = await asyncio.wait_for(
                asyncio.shield(session.authenticated_future), ANSWER_WITHIN_S
            )
        except BaseException:
            session.abort()
            raise
        if not answer.success:
            session.abort()
            raise SwitchboardUnavailable("Asterisk refuses the AMI account; compare manager.conf")
        return session

    def connection_lost(self, exc: object) -> None:  # noqa: ARG002 - panoramisk's signature
        """Say so, and do nothing of what the library would."""
        self.lost.set()

    def dispatch(self, event: object) -> list[str]:  # noqa: ARG002 - panoramisk's signature
        """Skip events: none is asked for."""
        return []

    async def ask(self, action: dict[str, str]) -> Any:  # noqa: ANN401 - panoramisk's
        """Send one action and return its answer; no answer in time ends the connection."""
        answered = asyncio.ensure_future(self.send_action(action))
        lost = asyncio.ensure_future(self.lost.wait())
        await asyncio.wait(
            (answered, lost), timeout=ANSWER_WITHIN_S, return_when=asyncio.FIRST_COMPLETED
        )
        lost.cancel()
        if answered.done() and not answered.cancelled():
            return answered.result()
        answered.cancel()
        self.abort()
        raise SwitchboardSilent("AMI did not answer in time")

    def abort(self) -> None:
        """End the connection now."""
        self.lost.set()
        self.close()
        self.protocol.transport.abort()


class _Silent:
    """A log that keeps nothing."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None
