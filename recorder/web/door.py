"""Who may come to the door: our own name, a listed workstation, a page of ours (R6.2a, A4, A11)."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from recorder.access.model import Place
from recorder.access.model import Why as AccessWhy
from recorder.ports import Clock
from recorder.web.answers import is_for_machines
from recorder.web.languages import SPOKEN
from recorder.web.metrics import Measures
from recorder.web.problems import Kind, Problem
from recorder.web.rules import Origin, host_problem, sender_problem
from recorder.workstations.rules import Address

OPEN_TO_ALL = frozenset({"/healthz"})
"""What tells that the process is alive, and nothing else."""
PUBLIC = frozenset(
    {
        *("/information-clause", "/accessibility"),
        *(f"/{page}/{each}" for page in ("information-clause", "accessibility") for each in SPOKEN),
        *("/static/rejestrator.css", "/static/icon.svg"),
    }
)
"""Pages of the regulation's own words, with nothing of anybody behind them (ADR 0051)."""
OWN_RULE = frozenset({"/readyz", "/metrics"})
"""For the machine's own supervision: they decide by loopback or token themselves."""

NOTED_AGAIN_AFTER = timedelta(minutes=1)
SOURCES_REMEMBERED = 1000


class Places(Protocol):
    """Tells from where it is asked. Raises ``LedgerUnavailable``."""

    async def locate(self, *, peer: str, forwarded_for: list[str]) -> tuple[Address | None, Place]:
        """Return the effective client address, and whether it is on the list (R6.2b)."""


Refusal = Callable[[Address | None, str, int], Awaitable[None]]
"""Writes a refusal into the trail: from where, why, and how many were not written before it."""


class Door:
    """Refuses what must not come in, before anybody is asked who they are."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        origin: Origin,
        places: Places,
        note: Refusal,
        measures: Measures,
        clock: Clock,
        public: frozenset[str],
    ) -> None:
        """``public`` = paths that answer any address."""
        self._app, self._origin, self._places = app, origin, places
        self._public = public
        self._note, self._measures = note, measures
        self._refusals = Refusals(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or raise its ``Problem``."""
        if scope["type"] == "http":
            await self._check(scope)
        await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        state = scope.setdefault("state", {})
        state["peer"] = scope["client"][0] if scope.get("client") else ""
        if scope["path"] in OPEN_TO_ALL | OWN_RULE:
            return
        if scope["path"] in self._public and scope["method"] in {"GET", "HEAD"}:
            # Nobody is looked up for them, neither address nor account.
            if why := host_problem(headers.getlist("host"), self._origin):
                raise Problem(kind=Kind.WRONG_HOST, reason=why)
            return
        address, place = await self._places.locate(
            peer=state["peer"], forwarded_for=headers.getlist("x-forwarded-for")
        )
        state["address"], state["place"] = address, place
        if place is Place.UNLISTED:
            await self._refuse(address, AccessWhy.ADDRESS_NOT_LISTED)
        if why := host_problem(headers.getlist("host"), self._origin):
            await self._refuse(address, why, Kind.WRONG_HOST)
        why = sender_problem(
            scope["method"],
            origin=self._origin,
            fetch_site=headers.get("sec-fetch-site"),
            fetch_mode=headers.get("sec-fetch-mode"),
            sent_origin=headers.get("origin"),
            for_machines=is_for_machines(scope),
        )
        # A token in a header is sent by no browser on its own, and a session's cookie beside
        # it is not looked at: there is nothing for another site to borrow.
        if why and not headers.get("authorization", "").startswith("Bearer "):
            await self._refuse(address, why)

    async def _refuse(self, address: Address | None, why: str, kind: Kind = Kind.REFUSED) -> None:
        self._measures.refused(why)
        unsaid = self._refusals.count(f"{address} {why}")
        if unsaid is not None:
            await self._note(address, why, unsaid)
        raise Problem(kind=kind)


class Refusals:
    """Keeps a flood of refusals from flooding the trail: one entry a minute for each source."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def count(self, key: str) -> int | None:
        """Return how many were not written since the last entry; None = this one is not either."""
        now = self._clock.now()
        last, unsaid = self._seen.pop(key, (None, 0))
        if last is not None and now - last < NOTED_AGAIN_AFTER:
            self._seen[key] = (last, unsaid + 1)
            return None
        self._seen[key] = (now, 0)
        if len(self._seen) > SOURCES_REMEMBERED:
            self._seen.popitem(last=False)
        return unsaid
