"""What the web does by itself: ends playbacks nobody listens to, forgets counts and searches."""

import asyncio

import structlog

from recorder.errors import Unavailable
from recorder.web.services import Services

log = structlog.get_logger(__name__)

EVERY_S = 30.0


async def keep_up(services: Services) -> None:
    """Go on until cancelled; what cannot be done now is done next time."""
    while True:
        try:
            await services.listening.end_idle()
            await services.limits.forget(services.clock.now())
            await services.searches.forget(services.clock.now())
        except Unavailable as error:
            log.warning("part_unavailable", error=type(error).__name__, why=str(error))
        await asyncio.sleep(EVERY_S)
