"""How an area of pages lists its routes: method, path, handler."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

Routes = tuple[tuple[str, str, Callable[[Request], Awaitable[Response]]], ...]
