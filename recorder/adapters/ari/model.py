"""The REST side: one small class per resource, with the nicknames of Asterisk's own api-docs."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from recorder.adapters.ari.errors import AriUnreachable

Json = Any
"""Whatever Asterisk answers; callers check what they take from it."""


class Requester(Protocol):
    """Sends one request; ``operation`` is the nickname, for messages and counters."""

    async def __call__(
        self,
        operation: str,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Json:
        """Return the answer's JSON, None for an empty one. Raises ``AriError``."""


class _Resource:
    def __init__(self, request: Requester) -> None:
        self._request = request


class Channels(_Resource):
    """``/channels``."""

    async def list(self) -> Sequence[Mapping[str, Json]]:
        """Return all living channels."""
        return _objects("list", await self._request("list", "GET", "/channels"))

    async def originate(self, **params: str) -> Json:
        """Create a channel (api-docs: originate)."""
        return await self._request("originate", "POST", "/channels", params)

    async def answer(self, *, channelId: str) -> None:  # noqa: N803 - Asterisk's name
        """Answer the channel."""
        await self._request("answer", "POST", f"/channels/{_id(channelId)}/answer")

    async def hangup(self, *, channelId: str) -> None:  # noqa: N803
        """Hang the channel up."""
        await self._request("hangup", "DELETE", f"/channels/{_id(channelId)}")

    async def continueInDialplan(  # noqa: N802
        self,
        *,
        channelId: str,  # noqa: N803
        context: str = "",
        extension: str = "",
    ) -> None:
        """Leave Stasis for ``extension`` of ``context``, or for the dialplan's next priority."""
        path = f"/channels/{_id(channelId)}/continue"
        place = {"context": context, "extension": extension, "priority": "1"}
        await self._request("continueInDialplan", "POST", path, place if context else None)

    async def playWithId(  # noqa: N802
        self,
        *,
        channelId: str,  # noqa: N803
        playbackId: str,  # noqa: N803
        media: str,
    ) -> None:
        """Start playing ``media`` under an id of ours."""
        path = f"/channels/{_id(channelId)}/play/{_id(playbackId)}"
        await self._request("playWithId", "POST", path, {"media": media})

    async def getChannelVar(self, *, channelId: str, variable: str) -> str:  # noqa: N802, N803
        """Return a channel variable or the value of a dialplan function."""
        path = f"/channels/{_id(channelId)}/variable"
        answer = await self._request("getChannelVar", "GET", path, {"variable": variable})
        return str(answer.get("value", "")) if isinstance(answer, Mapping) else ""

    async def setChannelVar(  # noqa: N802
        self,
        *,
        channelId: str,  # noqa: N803
        variable: str,
        value: str,
    ) -> None:
        """Set a channel variable; blocks on Asterisk's side while a playback runs."""
        path = f"/channels/{_id(channelId)}/variable"
        params = {"variable": variable, "value": value}
        await self._request("setChannelVar", "POST", path, params)

    async def setChannelVars(  # noqa: N802
        self,
        *,
        channelId: str,  # noqa: N803
        variables: Mapping[str, str],
    ) -> None:
        """Set several channel variables in one request (Asterisk 22.10 and newer)."""
        path = f"/channels/{_id(channelId)}/variables"
        body = {"variables": dict(variables)}
        await self._request("setChannelVars", "POST", path, None, body)


class Playbacks(_Resource):
    """``/playbacks``."""

    async def stop(self, *, playbackId: str) -> None:  # noqa: N803
        """Stop a playback; it then ends with state ``done``, which proves nothing."""
        await self._request("stop", "DELETE", f"/playbacks/{_id(playbackId)}")


class Bridges(_Resource):
    """``/bridges``."""

    async def list(self) -> Sequence[Mapping[str, Json]]:
        """Return all bridges, those of the dialplan too."""
        return _objects("list", await self._request("list", "GET", "/bridges"))


class Applications(_Resource):
    """``/applications``."""

    async def subscribe(self, *, applicationName: str, eventSource: str) -> None:  # noqa: N803
        """Have the events of ``eventSource`` delivered to the application."""
        path = f"/applications/{_id(applicationName)}/subscription"
        await self._request("subscribe", "POST", path, {"eventSource": eventSource})

    async def filter(self, *, applicationName: str, body: Mapping[str, object]) -> None:  # noqa: N803
        """Set which event types are delivered; lost on reconnection."""
        path = f"/applications/{_id(applicationName)}/eventFilter"
        await self._request("filter", "PUT", path, None, body)


class Asterisk(_Resource):
    """``/asterisk``."""

    async def getInfo(self) -> Mapping[str, Json]:  # noqa: N802
        """Return version, start time and settings of this Asterisk."""
        answer = await self._request("getInfo", "GET", "/asterisk/info")
        if not isinstance(answer, Mapping):
            raise AriUnreachable("getInfo: not an object")
        return answer


def _id(value: str) -> str:
    return quote(value, safe="")


def _objects(operation: str, answer: Json) -> Sequence[Mapping[str, Json]]:
    """Return a list of objects. Raises ``AriUnreachable`` for anything else.

    What is left out of a list of channels would count as hung up.
    """
    if not isinstance(answer, list) or not all(isinstance(each, Mapping) for each in answer):
        raise AriUnreachable(f"{operation}: not a list of objects")
    return answer
