"""Who asks, and the description of all this."""

from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from recorder.access.model import Permission
from recorder.accounts.model import Role
from recorder.web.api import routing
from recorder.web.api.routing import ProblemDetails, Told, Who
from recorder.web.gate import Open, needs

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
