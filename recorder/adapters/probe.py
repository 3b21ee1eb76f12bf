"""What the dialplan asks before it hands a caller over: is capture there, and awake?"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def serve_probe(host: str, port: int, *, is_ready: Callable[[], bool]) -> AsyncIterator[None]:
    """Answer ``/probe`` and ``/healthz`` from the very loop that handles calls.

    A frozen loop answers nothing, and the dialplan's one second runs out; that is the point.
    ``/probe`` says ``ok`` only while calls are served: with the link to Asterisk up, and whoever
    was found waiting after a connection let go first.
    """

    async def probe(_request: web.Request) -> web.Response:
        ready = is_ready()
        return web.Response(text="ok" if ready else "no", status=200 if ready else 503)

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get("/probe", probe), web.get("/healthz", healthz)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
