"""What every route of the API is: behind the gate, with its permission in the description."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.web.asker import Asker
from recorder.web.gate import Gate, need_of, never_asked
from recorder.web.problems import MEDIA_TYPE, Fault, Kind, Problem
from recorder.web.services import Services

PREFIX = "/api/v1"

ALWAYS = (
    Kind.BAD_REQUEST,
    Kind.NOT_SIGNED_IN,
    Kind.FORBIDDEN,
    Kind.NOT_FOUND,
    Kind.WRONG_METHOD,
    Kind.TOO_SLOW,
    Kind.CONFLICT,
    Kind.TOO_LARGE,
    Kind.WRONG_MEDIA,
    Kind.WRONG_HOST,
    Kind.INVALID,
    Kind.TOO_MANY,
    Kind.UNAVAILABLE,
)
"""What any route may answer instead of what it is for."""


class Body(BaseModel):
    """What a program sends: names we do not know are mistakes, not decoration."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Told(BaseModel):
    """What a program is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemDetails(Told):
    """Why a request was not carried out (RFC 9457)."""

    type: str
    """Stable; what a program decides by."""
    title: str
    status: int
    detail: str = ""
    reason: str = ""
    """The code of the rule that refused."""
    errors: list[dict[str, str]] = []
    instance: str = ""


class GuardedRoute(APIRoute):
    """A route that declares what it needs; without a declaration it does not come into being."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **rest: Any) -> None:  # noqa: ANN401
        need, _ = need_of(endpoint)
        extra = dict(rest.get("openapi_extra") or {})
        if isinstance(need, Permission):
            extra["x-permission"] = need.value
        extra["security"] = [{"session": []}, {"token": []}]
        super().__init__(path, endpoint, **rest | {"openapi_extra": extra})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler behind the gate: who asks comes before what they sent."""
        handler = super().get_route_handler()
        need, a_minute = need_of(self.endpoint)

        async def behind(request: Request) -> Response:
            gate: Gate = services_of(request).gate
            request.scope["state"]["route"] = self.path
            asker = await gate.admit(request, need, a_minute)
            try:
                response = await handler(request)
            except RequestValidationError as error:
                raise invalid(error) from None
            never_asked(asker, need)
            return response

        return behind


def router(tag: str) -> APIRouter:
    """Return a router whose routes are all behind the gate."""
    return APIRouter(
        prefix=PREFIX, route_class=GuardedRoute, tags=[tag], responses=described(*ALWAYS)
    )


def described(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """Return how the description tells of problems."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        kind.status: {"description": kind.title, "content": {MEDIA_TYPE: {"schema": schema}}}
        for kind in kinds
    }


def services_of(request: Request) -> Services:
    """Return what the application was built with."""
    services: Services = request.app.state.services
    return services


def asker_of(request: Request) -> Asker:
    """Return who asks."""
    asker: Asker = request.scope["state"]["asker"]
    return asker


Who = Annotated[Asker, Depends(asker_of)]
Parts = Annotated[Services, Depends(services_of)]


def invalid(error: RequestValidationError) -> Problem:
    """Return what is wrong with a request: the fields and the rules, never what was sent."""
    return Problem(kind=Kind.INVALID, faults=tuple(_faults(error.errors())))


def _faults(errors: Sequence[Any]) -> list[Fault]:
    faults = []
    for each in errors:
        where = ".".join(str(part) for part in each["loc"][1:]) or str(each["loc"][0])
        # Names of fields that we do not know come from whoever sent them.
        named = where if each["type"] != "extra_forbidden" else "body"
        faults.append(Fault(named[:100], RULES.get(each["type"], each["type"])))
    return faults


RULES = {
    "missing": "is missing",
    "extra_forbidden": "holds a name that is not known",
    "json_invalid": "is no JSON",
}
