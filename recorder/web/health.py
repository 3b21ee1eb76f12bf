"""Whether the process is alive, whether its parts can be reached, and figures for Prometheus."""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from recorder.errors import Unavailable
from recorder.web.gate import Open, needs
from recorder.web.metrics import Measures
from recorder.web.problems import Kind, Problem

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class PartState:
    """One part that this process needs."""

    name: str
    reachable: bool
    says: str


class Parts(Protocol):
    """Asks each part, each within a few seconds; raises nothing."""

    async def ask(self) -> Sequence[PartState]:
        """Return how each part is."""


Figures = Callable[[Measures], Awaitable[None]]
"""Sets the gauges of the whole service. Raises ``Unavailable``."""


class Supervision:
    """The three addresses that a supervisor and Prometheus ask."""

    def __init__(
        self, *, parts: Parts, figures: Figures, measures: Measures, metrics_token: str
    ) -> None:
        self.parts, self._figures = parts, figures
        self._measures, self._token = measures, metrics_token

    @needs(Open.TO_ALL)
    async def healthz(self, _request: Request) -> Response:
        """Say that the process answers; it asks nothing and nobody."""
        return PlainTextResponse("ok")

    @needs(Open.TO_ALL)
    async def readyz(self, request: Request) -> Response:
        """Say whether every part is reachable; which is not is told to the machine alone."""
        parts = await self.parts.ask()
        ready = all(each.reachable for each in parts)
        answer: dict[str, object] = {"ready": ready}
        if self._is_ours(request):
            answer["parts"] = [
                {"name": each.name, "reachable": each.reachable, "says": each.says}
                for each in parts
            ]
        return JSONResponse(answer, 200 if ready else 503)

    @needs(Open.TO_ALL)
    async def metrics(self, request: Request) -> Response:
        """Give the figures to whoever holds the token, or asks on this very machine."""
        if not self._is_ours(request):
            raise Problem(kind=Kind.REFUSED)
        try:
            await self._figures(self._measures)
            self._measures.set("recorder_database_up", "PostgreSQL answers.", 1)
        except Unavailable:
            self._measures.set("recorder_database_up", "PostgreSQL answers.", 0)
        return Response(self._measures.text(), media_type=PROMETHEUS)

    def _is_ours(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self._token:
            given, wanted = token.encode(), self._token.encode()
            return scheme == "Bearer" and hmac.compare_digest(given, wanted)
        # Behind a proxy on this machine everybody seems to be here: then only a token will do.
        forwarded = {"x-forwarded-for", "forwarded"} & set(request.headers)
        return not forwarded and _on_loopback(request.scope["state"]["peer"])


def _on_loopback(peer: str) -> bool:
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False
