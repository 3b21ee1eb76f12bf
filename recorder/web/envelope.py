"""The outermost layer: every response leaves with its headers, every failure as a plain answer.

What is logged of a request is its method, the route's template, the status and the time it
took: neither the path as it was sent nor anything of its content.
"""

import structlog
import uuid_utils.compat as uuids
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recorder.accounts.agreeing import TakesTwo
from recorder.errors import (
    ConfigurationError,
    NotFound,
    RecorderError,
    RuleViolation,
    Unavailable,
)
from recorder.ports import Clock
from recorder.web.answers import Answers
from recorder.web.headers import NOT_KEPT, headers_for
from recorder.web.metrics import Measures
from recorder.web.problems import BY_STATUS, Kind, Problem
from recorder.web.rules import Origin
from recorder.web.streaming import Broken

log = structlog.get_logger(__name__)

UNMATCHED = "unmatched"
CUT = Problem(kind=Kind.UNAVAILABLE)
RETRY_S = "30"
AT_ONCE = 300
"""Requests being answered, streams among them; more are told to come back."""


class Envelope:
    """Wraps the whole application. Exceptions end here and nowhere else."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        origin: Origin,
        answers: Answers,
        measures: Measures,
        clock: Clock,
        at_once: int = AT_ONCE,
    ) -> None:
        self._app, self._answers, self._measures, self._clock = app, answers, measures, clock
        self._free = at_once
        self._always = headers_for(origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass the server's own start and stop on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic()
        status = 0

        async def sealed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._completed(message.get("headers", []))
            await send(message)

        self._free -= 1
        try:
            await (self._app if self._free >= 0 else _busy)(scope, receive, sealed)
        except Exception as error:  # noqa: BLE001 - the boundary of one request
            # A stream that was broken off on purpose is no defect.
            problem = CUT if isinstance(error, Broken) else self._problem_of(error)
            if status:
                # Half an answer is out: cutting the connection says that it is not whole.
                log.info("answer_cut", error=type(error).__name__)
                raise Cut from None
            await self._answers.problem(problem, scope)(scope, receive, sealed)
        finally:
            self._free += 1
            took = self._clock.monotonic() - began
            route = scope.get("state", {}).get("route", UNMATCHED)
            self._measures.request(scope["method"], route, status, took)
            log.info(
                "request",
                method=_known(scope["method"]),
                route=route,
                status=status,
                ms=round(took * 1000),
            )

    def _completed(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in given}
        missing = [each for each in self._always.items() if each[0] not in names]
        if b"cache-control" not in names:
            missing.append((b"cache-control", NOT_KEPT))
        return [*given, *missing]

    def _problem_of(self, error: Exception) -> Problem:
        match error:
            case Problem():
                return error
            case HTTPException():
                # What a layer of ours said while a framework read the body.
                if isinstance(error.__cause__, Problem):
                    return error.__cause__
                kind = BY_STATUS.get(error.status_code, Kind.BAD_REQUEST)
                return Problem(kind=kind, headers=dict(error.headers or {}))
            case Unavailable() | ConfigurationError():
                # Its message names the part that is away, or its setting, for the operator alone.
                log.warning("part_unavailable", error=type(error).__name__, why=str(error))
                return Problem(kind=Kind.UNAVAILABLE, headers={"Retry-After": RETRY_S})
            case ClientDisconnect():
                # Nobody is there to be answered.
                return Problem(kind=Kind.BAD_REQUEST)
            case NotFound():
                return Problem(kind=Kind.NOT_FOUND)
            case TakesTwo():
                return Problem(kind=Kind.CONFLICT, reason="second_person", detail=str(error))
            case RuleViolation():
                return Problem(kind=Kind.CONFLICT, detail=str(error))
            case _:
                return self._defect(error)

    def _defect(self, error: Exception) -> Problem:
        number = str(uuids.uuid7())
        log.error("request_failed", number=number, exc_info=error)
        refused = isinstance(error, RecorderError)
        return Problem(kind=Kind.DEFECT, instance=number, reason="refused" if refused else "")


async def _busy(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Problem(kind=Kind.UNAVAILABLE, headers={"Retry-After": RETRY_S})


class Cut(Exception):
    """An answer could not be ended as it was begun."""


def _known(method: str) -> str:
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "OTHER"
