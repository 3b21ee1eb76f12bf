"""Who asks, and whether they may: each route says beside itself what it needs (R8.1b).

The answer is `recorder.access.rules.decide`'s. It is asked anew at every request; a route that
was declared to need something and never asked for it does not answer at all.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import wraps
from typing import Protocol, TypeVar
from urllib.parse import quote

from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response

from recorder.access.model import Permission, Place
from recorder.access.service import Asking
from recorder.access.service import Gate as AccessGate
from recorder.accounts.model import Account
from recorder.accounts.service import Doorkeeper
from recorder.ports import Clock
from recorder.web.asker import Asker
from recorder.web.footing import Footing
from recorder.web.metrics import Measures
from recorder.web.pages.forms import is_form
from recorder.web.problems import Kind, Problem
from recorder.web.rules import Origin


class Open(Enum):
    """What a route needs that needs nobody's permission."""

    TO_ALL = "open"
    """To whoever is let through the door: signing in, error pages, the style sheet."""


Need = Permission | Open
Handler = TypeVar("Handler", bound=Callable[..., Awaitable[object]])

A_MINUTE = 300
"""Requests that one person or one address may send in a minute, unless a route says fewer."""

AskForProof = Callable[[Request, Asker], Awaitable[Response | None]]
"""Returns the page that asks for a fresh proof; None = it came with the form, and is right."""

HELPED_BY = {
    Kind.NOT_SIGNED_IN: "/sign-in?next={next}",
    Kind.FINISH_ACCOUNT: "/account",
}
"""Where a person at a page is led instead of being refused."""


def needs(need: Need, *, a_minute: int = A_MINUTE) -> Callable[[Handler], Handler]:
    """Declare what a route needs, and how often it may be used."""

    def declared(handler: Handler) -> Handler:
        handler.__needs__ = (need, a_minute)  # type: ignore[attr-defined]
        return handler

    return declared


def need_of(handler: object) -> tuple[Need, int]:
    """Return what a route declared. Raises ``TypeError`` when it declared nothing."""
    found = getattr(handler, "__needs__", None)
    if found is None:
        raise TypeError(f"{handler} declares no permission: put @needs(...) beside its route")
    need: tuple[Need, int] = found
    return need


class AskAgain(Exception):
    """A form was not filled in as it must be: it is shown again, and nothing was done."""

    def __init__(self, response: Response) -> None:
        super().__init__("a form is shown again")
        self.response = response


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that showed a token of its own."""

    account: Account
    """Whose it is, and under whose papers it works."""
    may: frozenset[Permission]
    """What the token is for; its account's rights bound it besides."""


class Programs(Protocol):
    """Knows programs by their tokens. Raises ``LedgerUnavailable``."""

    async def known(self, token: str, *, now: datetime) -> Program | None:
        """Return whose token this is, None if it is unknown, revoked or over."""


class Limits(Protocol):
    """Counts requests for all processes together. Raises ``LedgerUnavailable``."""

    async def within(self, key: str, *, a_minute: int, now: datetime) -> bool:
        """Count one more; False when there were enough this minute."""

    async def forget(self, now: datetime) -> None:
        """Drop the counts of whoever has not asked for an hour."""


class Gate:
    """Stands before every route that is not open to all."""

    def __init__(
        self,
        *,
        access: AccessGate,
        doorkeeper: Doorkeeper,
        programs: Programs,
        limits: Limits,
        measures: Measures,
        clock: Clock,
        origin: Origin,
    ) -> None:
        self._access, self._doorkeeper, self._programs = access, doorkeeper, programs
        self._limits, self._measures, self._clock = limits, measures, clock
        self.cookie = cookie_name(origin)

    async def admit(self, request: Request, need: Need, a_minute: int) -> Asker:
        """Return who asks, if they may ask at all. Raises ``Problem``."""
        asker = await self.who(request)
        request.scope["state"]["asker"] = asker
        await self._limit(asker, request, a_minute)
        if isinstance(need, Permission):
            await asker.require_at_all(need)
        return asker

    async def who(self, request: Request, *, place: Place | None = None) -> Asker:
        """Return who asks as it is at this instant; ``place`` None = as the door found it."""
        state = request.scope["state"]
        now = self._clock.now()
        account = session = may = None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme == "Bearer":
            program = await self._programs.known(token, now=now) if token else None
            if program is not None:
                account, may = program.account, program.may
        else:
            cookies = cookie_parser(request.headers.get("cookie", ""))
            held = cookies.get(self.cookie)
            visitor = await self._doorkeeper.visitor(held) if held else None
            if visitor is not None:
                account, session = visitor.account, visitor.session
        return Asker(
            asking=Asking(account=account, session=session, place=place or state["place"]),
            address=state["address"],
            may=may,
            now=now,
            gate=self._access,
            measures=self._measures,
        )

    async def again(self, request: Request) -> Asker:
        """Return who asks, and from where, as it is now: for what goes on for long (R8.1b)."""
        return await self.who(
            request, place=await self._access.place(request.scope["state"]["address"])
        )

    async def _limit(self, asker: Asker, request: Request, a_minute: int) -> None:
        whose = asker.account.id if asker.signed_in else asker.address
        key = f"{whose} {'' if a_minute == A_MINUTE else request.scope['state']['route']}"
        if not await self._limits.within(key, a_minute=a_minute, now=asker.now):
            raise Problem(kind=Kind.TOO_MANY, headers={"Retry-After": "60"})


def guarded(
    gate: Gate,
    footing: Footing,
    ask_for_proof: AskForProof,
    path: str,
    handler: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return a page's handler behind the gate.

    Where an act wants a fresh proof, it is asked for there and then, and the form is kept.
    """
    need, a_minute = need_of(handler)

    @wraps(handler)
    async def behind(request: Request) -> Response:
        request.scope["state"]["route"] = path
        try:
            return await answered(request)
        except Problem as problem:
            if problem.kind is not Kind.PROVE_AGAIN or not is_form(request):
                raise
            asking = await ask_for_proof(request, request.scope["state"]["asker"])
        # Proved: the whole way anew, as if the form were sent again.
        return asking or await answered(request)

    async def answered(request: Request) -> Response:
        try:
            asker = await gate.admit(request, need, a_minute)
        except Problem as problem:
            if (helped := HELPED_BY.get(problem.kind)) and request.method == "GET":
                return RedirectResponse(helped.format(next=quote(request.url.path)), 303)
            raise
        if asker.session is not None:
            request.scope["state"]["foot"] = await footing.of(asker.account)
        try:
            response = await handler(request)
        except AskAgain as again:
            return again.response
        never_asked(asker, need)
        return response

    return behind


def named(
    path: str, handler: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that no gate stands before, under its name for logs and figures."""

    @wraps(handler)
    async def known(request: Request) -> Response:
        request.scope["state"]["route"] = path
        return await handler(request)

    return known


def never_asked(asker: Asker, need: Need) -> None:
    """Refuse to answer when a route did not ask for what it declared: a defect, not an answer."""
    if isinstance(need, Permission) and need not in asker.granted:
        raise RuntimeError(f"a route declared {need} and did not ask for it")


def cookie_name(origin: Origin) -> str:
    """Return the session cookie's name; ``__Host-`` binds it to this very host, by TLS alone."""
    return "__Host-session" if origin.secure else "rejestrator-demo-session"
