"""Bounds what a request may bring, and how long it may take to bring it."""

import asyncio
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recorder.web.problems import Kind, Problem

LARGEST_HEAD = 16 << 10
LARGEST = 1 << 20
LARGEST_UPLOAD = 20 << 20
UPLOADS = re.compile(r"(?:/api/v1)?/authorisations/[^/]+/scans|/announcements/new")
FORM_OVERHEAD = 64 << 10
"""What a form wraps around its file."""
WITHIN_S = 20.0
UPLOAD_WITHIN_S = 120.0


class Bodies:
    """Hands on a body only as far as it is short enough and quick enough."""

    def __init__(self, app: ASGIApp, *, within_s: float = WITHIN_S) -> None:
        self._app, self._within_s = app, within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is too large or too slow raises its ``Problem``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEAD:
            raise Problem(kind=Kind.BAD_REQUEST, headers={"Connection": "close"})
        upload = UPLOADS.fullmatch(scope["path"]) is not None
        limit = LARGEST_UPLOAD + FORM_OVERHEAD if upload else LARGEST
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced[:12]) > limit:
            raise Problem(kind=Kind.TOO_LARGE, headers={"Connection": "close"})
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (UPLOAD_WITHIN_S if upload else self._within_s)
        taken, whole = 0, False

        async def bounded() -> Message:
            nonlocal taken, whole
            if whole:
                # Only the end of the connection can follow; a stream may wait long for it.
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise Problem(kind=Kind.TOO_SLOW, headers={"Connection": "close"}) from None
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > limit:
                raise Problem(kind=Kind.TOO_LARGE, headers={"Connection": "close"})
            return message

        await self._app(scope, bounded, send)
