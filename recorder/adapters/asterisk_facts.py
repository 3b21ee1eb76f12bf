"""What ARI tells of Asterisk itself: its release, its modules, its global variables."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp

from recorder.errors import SwitchboardUnavailable
from recorder.ports import Clock
from recorder.settings import Settings

WITHIN_S = 3.0
NOT_ALLOWED = (401, 403)
OK = 200
NOT_THERE = 404
READ_ONLY = 403
MUST_BE = object()
"""No answer in place of one that is not there."""
STRANGE_ORIGIN = "https://origin.invalid"
NOBODYS = "/channels/nobody-has-this-id/answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskFacts:
    """One answer of Asterisk about itself."""

    version: str
    modules: Mapping[str, str]
    """Name without ``.so`` → status, ``Running`` when it works."""


class AriAsker:
    """Asks ARI with the settings' account. Every method raises ``SwitchboardUnavailable``."""

    def __init__(self, settings: Settings) -> None:
        password = settings.ari_password.get_secret_value()
        self._url = str(settings.ari_url).rstrip("/")
        header = aiohttp.encode_basic_auth(settings.ari_user, password)
        self._session = aiohttp.ClientSession(
            headers={"Authorization": header}, timeout=aiohttp.ClientTimeout(total=WITHIN_S)
        )

    async def __aenter__(self) -> Self:
        """Nothing is sent yet."""
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._session.close()

    async def facts(self) -> AsteriskFacts:
        """Return release and modules."""
        info = await self._get("/asterisk/info")
        modules = await self._get("/asterisk/modules")
        return AsteriskFacts(
            version=str(info.get("system", {}).get("version", "")),
            modules={
                str(each.get("name", "")).removesuffix(".so"): str(each.get("status", ""))
                for each in modules
            },
        )

    async def variable(self, name: str) -> str:
        """Return a global variable; empty when it is not set."""
        answer = await self._get("/asterisk/variable", absent={}, variable=name)
        return str(answer.get("value") or "")

    async def seconds_ahead(self, clock: Clock) -> float:
        """Return how far Asterisk's clock is ahead of ours."""
        before = clock.now()
        told = datetime.fromisoformat((await self._get("/asterisk/ping"))["timestamp"])
        # It was read somewhere between question and answer.
        return (told - before).total_seconds() - (clock.now() - before).total_seconds() / 2

    async def applications(self) -> frozenset[str]:
        """Return the applications that take calls; none where the module for it is missing."""
        found = await self._get("/applications", absent=[])
        return frozenset(str(each.get("name")) for each in found)

    async def endpoints(self) -> frozenset[str] | None:
        """Return the names of all endpoints; None where the module for it is missing."""
        found = await self._get("/endpoints", absent=None)
        return None if found is None else frozenset(str(each.get("resource")) for each in found)

    async def may_act(self) -> bool:
        """Tell whether the account may do more than read: asked of a channel that nobody has."""
        async with self._asked("POST", self._url + NOBODYS) as answer:
            return answer.status != READ_ONLY

    async def lets_strangers_in(self) -> bool:
        """Tell whether ARI answers who has no account."""
        async with (
            aiohttp.ClientSession(timeout=self._session.timeout) as nobody,
            self._asked("GET", f"{self._url}/asterisk/info", nobody) as answer,
        ):
            return answer.status == OK

    async def any_origin(self) -> bool:
        """Tell whether a page of another origin may read ARI's answers in a browser."""
        origin = {"Origin": STRANGE_ORIGIN}
        async with self._asked("GET", f"{self._url}/asterisk/ping", headers=origin) as answer:
            return bool(answer.headers.get("Access-Control-Allow-Origin"))

    async def serves(self, path: str) -> bool:
        """Tell whether the HTTP server under ARI has something at a path."""
        base = self._url.rpartition("/ari")[0]
        async with self._asked("GET", base + path) as answer:
            return answer.status != NOT_THERE

    @asynccontextmanager
    async def _asked(
        self,
        method: str,
        url: str,
        session: aiohttp.ClientSession | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with (session or self._session).request(method, url, headers=headers) as answer:
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._away(error) from None

    async def _get(self, path: str, *, absent: object = MUST_BE, **params: str) -> Any:  # noqa: ANN401 - whatever ARI answers
        try:
            async with self._session.get(self._url + path, params=params) as answer:
                if answer.status in NOT_ALLOWED:
                    raise SwitchboardUnavailable(f"ARI at {self._url} refuses the account")
                if answer.status == NOT_THERE and absent is not MUST_BE:
                    return absent
                if answer.status == NOT_THERE:
                    raise SwitchboardUnavailable(
                        f"an HTTP server answers at {self._url}, but not as ARI: ari.conf wants "
                        "enabled=yes, Asterisk its modules res_ari and res_ari_*"
                    )
                answer.raise_for_status()
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._away(error) from None

    def _away(self, error: Exception) -> SwitchboardUnavailable:
        return SwitchboardUnavailable(
            f"ARI does not answer at {self._url} ({type(error).__name__})"
        )
