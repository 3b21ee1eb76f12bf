"""What somebody looks for, kept beside their session so that no address holds a number."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.web.api.routing import asker_of, services_of
from recorder.web.pages.forms import see

KIND = "kind"
"""Of what kind a search is; calls', the first there were, say none."""


async def keep(request: Request, path: str, wanted: Mapping[str, Any]) -> Response:
    """Keep a search, and lead to its answer under ``path``."""
    services, asker = services_of(request), asker_of(request)
    search_id = services.new_id()
    session_id = asker.visitor.session.id
    await services.searches.keep(search_id, wanted, session_id=session_id, at=asker.now)
    return see(f"{path}/{search_id}")


async def kept(request: Request, search_id: UUID, *, kind: str = "") -> Mapping[str, Any] | None:
    """Return a search of this very session and of this kind; None = there is none."""
    session_id = asker_of(request).visitor.session.id
    found = await services_of(request).searches.get(search_id, session_id=session_id)
    return found if found is not None and found.get(KIND, "") == kind else None
