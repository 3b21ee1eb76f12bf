"""Acts on what Asterisk records right now, through AMI, in a thread of its own (ADR 0012).

Capture's loop only waits for an
answer, never longer than :data:`ANSWER_WITHIN_S`.
"""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, Self

import structlog

from recorder.adapters.ami_session import ANSWER_WITHIN_S, AmiAccount, AmiSession
from recorder.errors import CallGone, SwitchboardSilent, SwitchboardUnavailable
from recorder.settings import Settings

log = structlog.get_logger(__name__)

MONITOR_VARIABLE = "RECORDER_MIXMONITOR_ID"
"""Where the dialplan keeps the id of the one MixMonitor that is ours."""

ANSWER_VARIABLE = "RECORDER_ANSWER"
"""Where a telephone that pressed a code finds what became of it."""

PING_EVERY_S = 5.0
LONGEST_PAUSE_S = 10.0


def open_ami(settings: Settings) -> contextlib.AbstractContextManager["AmiControl | None"]:
    """Return a connection to be entered; None inside when there is no password."""
    if not settings.ami_password.get_secret_value():
        return contextlib.nullcontext()
    account = AmiAccount(
        host=settings.ami_host,
        port=settings.ami_port,
        user=settings.ami_user,
        password=settings.ami_password,
    )
    return AmiControl(account)


class AmiControl:
    """Stops and mutes recordings on one Asterisk. See ``recorder.ports.LiveControl``.

    Used as a context manager; the connection is made, watched and made again inside.
    """

    def __init__(self, account: AmiAccount, *, ping_every_s: float = PING_EVERY_S) -> None:
        self._account = account
        self._ping_every_s = ping_every_s
        self._session: AmiSession | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="ami", daemon=True)
        self._ended = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Tell whether Asterisk has accepted the account and answers."""
        return self._session is not None and not self._session.lost.is_set()

    def __enter__(self) -> Self:
        """Start connecting; does not wait for it."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the connection. A thread that hangs is left behind; it cannot hold the process."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(ANSWER_WITHIN_S)

    async def stop(self, channel_id: str) -> None:
        """End the recording of this call. Stopping what has stopped is a success."""
        await self._within_limit(self._stop(channel_id))

    async def mute(self, channel_id: str) -> None:
        """Write silence in place of both sides, until ``unmute``; time goes on in the file."""
        await self._within_limit(self._set_mute(channel_id, muted=True))

    async def unmute(self, channel_id: str) -> None:
        """Write both sides again."""
        await self._within_limit(self._set_mute(channel_id, muted=False))

    async def tell(self, channel_id: str, word: str) -> None:
        """Leave a word for the dialplan that waits on this channel.

        By AMI's own thread, so that it marks the channel's as ARI's would not be (see
        :class:`recorder.adapters.switchboard.AriSwitchboard`).
        """
        await self._within_limit(self._tell(channel_id, word))

    async def _within_limit(self, what: Coroutine[Any, Any, None]) -> None:
        try:
            waiting = asyncio.run_coroutine_threadsafe(what, self._loop)
        except RuntimeError:
            what.close()
            raise SwitchboardUnavailable("AMI is closed") from None
        try:
            await asyncio.wait_for(asyncio.wrap_future(waiting), 2 * ANSWER_WITHIN_S)
        except (TimeoutError, concurrent.futures.CancelledError):
            raise SwitchboardSilent("AMI did not answer in time") from None

    async def _stop(self, channel_id: str) -> None:
        monitor = await self._monitor_of(channel_id)
        if monitor:
            # Refused for a channel that lives: nothing under this id is being recorded.
            await self._ask(
                {"Action": "StopMixMonitor", "Channel": channel_id, "MixMonitorID": monitor},
                excused="could not stop",
            )

    async def _set_mute(self, channel_id: str, *, muted: bool) -> None:
        monitor = await self._monitor_of(channel_id)
        if not monitor:
            raise CallGone("this call is not being recorded")
        await self._ask(
            {
                "Action": "MixMonitorMute",
                "Channel": channel_id,
                "MixMonitorID": monitor,
                "Direction": "both",
                "State": str(int(muted)),
            }
        )

    async def _tell(self, channel_id: str, word: str) -> None:
        name = {"Channel": channel_id, "Variable": ANSWER_VARIABLE}
        await self._ask({"Action": "Setvar", **name, "Value": word})

    async def _monitor_of(self, channel_id: str) -> str:
        try:
            answer = await self._ask(
                {"Action": "Getvar", "Channel": channel_id, "Variable": MONITOR_VARIABLE}
            )
        except SwitchboardSilent as error:
            # Only a question: nothing can have been done.
            raise SwitchboardUnavailable(str(error)) from None
        return str(answer.get("value") or "")

    async def _ask(self, action: dict[str, str], *, excused: str = "") -> Any:  # noqa: ANN401 - panoramisk's
        session = self._session
        if session is None or session.lost.is_set():
            raise SwitchboardUnavailable("AMI is not connected")
        if not all(value.isprintable() for value in action.values()):
            raise SwitchboardUnavailable("a value for AMI holds control characters")
        answer = await session.ask(action)
        if answer.success:
            return answer
        # Asterisk's own words; they hold no data of a call.
        why = str(answer.get("message") or "").lower()
        if "no such channel" in why or "not found" in why:
            raise CallGone("the channel is gone")
        if excused and excused in why:
            return answer
        raise SwitchboardUnavailable(f"{action['Action']} was refused: {why}")

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._keep_connected())
        finally:
            self._loop.close()

    async def _keep_connected(self) -> None:
        pause = 0.2
        while not self._ended.is_set():
            try:
                async with asyncio.timeout(2 * ANSWER_WITHIN_S):
                    session = await AmiSession.open(self._account)
            # Whatever the library stumbles over: capture goes on, and a stop is refused meanwhile.
            except Exception as error:  # noqa: BLE001 - logged by its type
                # The first times only: capture's own connection tells of an Asterisk that is away.
                if pause <= ANSWER_WITHIN_S:
                    log.warning("ami_unreachable", why=type(error).__name__)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                pause = 0.2
                self._session = session
                log.info("ami_connected")
                await self._watch(session)
                self._session = None
                session.abort()
                if not self._ended.is_set():
                    log.warning("ami_connection_lost")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), pause)

    async def _watch(self, session: AmiSession) -> None:
        """Return when the connection is lost or no longer answers."""
        over = (session.lost, self._ended)
        while not any(each.is_set() for each in over):
            waits = [asyncio.ensure_future(each.wait()) for each in over]
            await asyncio.wait(
                waits, timeout=self._ping_every_s, return_when=asyncio.FIRST_COMPLETED
            )
            for each in waits:
                each.cancel()
            if not any(each.is_set() for each in over):
                with contextlib.suppress(SwitchboardUnavailable):
                    await session.ask({"Action": "Ping"})
