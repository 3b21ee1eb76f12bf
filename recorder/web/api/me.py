"""Who asks, and the description of all this."""

from typing import Annotated, Any

from fastapi.openapi.utils import get_openapi
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recorder.access.model import Permission
from recorder.accounts.model import Role
from recorder.accounts.service import SignInRefused
from recorder.web.api import routing
from recorder.web.api.routing import Body, Parts, ProblemDetails, Told, Who
from recorder.web.gate import Open, needs
from recorder.web.problems import Kind, Problem

ATTEMPTS_A_MINUTE = 30

router = routing.router("account")


class Me(Told):
    """Who asks, and what they may at least try."""

    login: str
    name: str
    roles: list[Role]
    permissions: list[Permission]
    """What the roles are for; whether one act is allowed is decided when it is tried."""


@router.get("/me")
@needs(Permission.OWN_ACCOUNT)
async def me(asker: Who) -> Me:
    """Tell who asks."""
    roles = sorted(asker.account.roles)
    return Me(login=asker.login, name=asker.name, roles=roles, permissions=asker.able)


class Proof(Body):
    """Password and code, for acts that ask for them anew."""

    password: Annotated[str, Field(max_length=256)]
    code: Annotated[str, Field(max_length=40)] = ""


@router.post("/me/proof", status_code=204)
@needs(Permission.OWN_ACCOUNT, a_minute=ATTEMPTS_A_MINUTE)
async def prove(proof: Proof, asker: Who, parts: Parts) -> None:
    """Prove again that it is this person; for ten minutes nothing more is asked."""
    try:
        await parts.doorkeeper.prove_again(asker.visitor, proof.password, proof.code.strip())
    except SignInRefused as refused:
        wait = {"Retry-After": str(round(refused.wait.total_seconds()))} if refused.wait else {}
        raise Problem(kind=Kind.PROVE_AGAIN, reason="wrong", headers=wait) from None


@router.get("/openapi.json", include_in_schema=False)
@needs(Open.TO_ALL)
async def description(request: Request) -> Response:
    """Return this description."""
    return JSONResponse(describe(request.app))


def describe(app: Any) -> dict[str, Any]:  # noqa: ANN401 - a FastAPI application
    """Return the OpenAPI 3.1 document."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            openapi_version="3.1.0",
            routes=app.routes,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
        document["components"]["securitySchemes"] = {
            "session": {"type": "apiKey", "in": "cookie", "name": "__Host-session"},
            "token": {"type": "http", "scheme": "bearer"},
        }
        app.openapi_schema = document
    return dict(app.openapi_schema)
