"""What ARI tells of Asterisk itself: its release, its modules, its global variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from recorder.errors import SwitchboardUnavailable
from recorder.settings import Settings

WITHIN_S = 3.0
NOT_ALLOWED = (401, 403)
NOT_THERE = 404


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
        answer = await self._get("/asterisk/variable", variable=name)
        return str(answer.get("value") or "")

    async def _get(self, path: str, **params: str) -> Any:  # noqa: ANN401 - whatever ARI answers
        try:
            async with self._session.get(self._url + path, params=params) as answer:
                if answer.status in NOT_ALLOWED:
                    raise SwitchboardUnavailable(f"ARI at {self._url} refuses the account")
                if answer.status == NOT_THERE and params:
                    return {}
                answer.raise_for_status()
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SwitchboardUnavailable(
                f"ARI does not answer at {self._url} ({type(error).__name__})"
            ) from None
