"""An OpenID provider over HTTPS: discovery, keys, and the exchange of a code for a token."""

import asyncio
import base64
import json
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus, urlencode

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from recorder.accounts.claims import Refused, problem_of_address
from recorder.accounts.provider import ProviderRefused
from recorder.adapters.certificates import tls_of
from recorder.adapters.clock import SystemClock
from recorder.errors import ConfigurationError, DirectoryUnavailable
from recorder.ports import Clock
from recorder.settings import Settings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Signatures by the provider's private key alone: neither ``none`` nor a shared secret."""
KEY_KINDS: dict[object, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}
WITHIN = ClientTimeout(total=10)
LARGEST_ANSWER = 256 << 10
KNOWN_FOR_S = 3600
ASKED_AGAIN_AFTER_S = 30
"""An unknown key has the keys fetched again, but not for every forged token."""
REFUSED_STATUS = range(400, 500)

log = structlog.get_logger(__name__)


class OidcProvider:
    """See ``recorder.accounts.provider.Provider`` for the promises."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        return_to: str,
        tls: ssl.SSLContext,
        plain_loopback: bool,
        clock: Clock,
    ) -> None:
        self._issuer, self._client_id, self._secret = issuer, client_id, client_secret
        self._return_to, self._tls, self._plain = return_to, tls, plain_loopback
        self._clock = clock
        self._about: tuple[float, dict[str, str]] | None = None
        self._keys: tuple[float, list[RSAKey | ECKey]] | None = None
        self._turn = asyncio.Lock()

    @property
    def issuer(self) -> str:
        """Its name, as its tokens say it."""
        return self._issuer

    @property
    def client_id(self) -> str:
        """What it calls this service."""
        return self._client_id

    async def address(self, *, state: str, nonce: str, challenge: str) -> str:
        """Return where the browser is sent to prove who it is."""
        endpoint = (await self._endpoints())["authorization_endpoint"]
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client_id,
                "redirect_uri": self._return_to,
                "scope": "openid",
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
                # A workstation is shared: whoever comes is asked, not whoever came before.
                "prompt": "login",
            }
        )
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    async def count_keys(self) -> int:
        """Return with how many keys it signs: discovery and keys, asked now.

        Raises ``DirectoryUnavailable``.
        """
        return len(await self._signing_keys(fresh=True))

    async def claims(self, code: str, *, verifier: str) -> Mapping[str, object]:
        """Return what a rightly signed token says. Raises ``ProviderRefused``."""
        token = await self._exchanged(code, verifier)
        kid = _kid_of(token)
        for fresh in (False, True):
            for key in await self._signing_keys(fresh=fresh):
                if kid is None or key.kid == kid:
                    # Any other key, or the same one replaced, may still fit.
                    with suppress(JoseError, ValueError, TypeError, KeyError, RecursionError):
                        return jwt.decode(token, key, algorithms=ALGORITHMS).claims
        raise ProviderRefused(Refused.TOKEN)

    async def _exchanged(self, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._return_to,
            "code_verifier": verifier,
        }
        headers = {}
        if self._secret:
            # RFC 6749, 2.3.1: each half as in a form, then joined.
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self._client_id
        endpoint = (await self._endpoints())["token_endpoint"]
        answer = await self._asked("POST", endpoint, data=form, headers=headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderRefused(Refused.PROVIDER_SAYS_NO)
        return token

    async def _endpoints(self) -> dict[str, str]:
        async with self._turn:
            now = self._clock.monotonic()
            if self._about is None or now - self._about[0] > KNOWN_FOR_S:
                address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                found = await self._asked("GET", address)
                names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
                about = {name: str(found.get(name, "")) for name in names}
                wrong = found.get("issuer") != self._issuer or any(
                    problem_of_address(each, plain_loopback=self._plain) for each in about.values()
                )
                if wrong:
                    log.warning("provider_refused", reason="discovery")
                    raise DirectoryUnavailable(
                        "the provider describes itself as another, or without TLS: "
                        "check RECORDER_OIDC_ISSUER"
                    )
                self._about = (now, about)
            return self._about[1]

    async def _signing_keys(self, *, fresh: bool) -> list[RSAKey | ECKey]:
        endpoint = (await self._endpoints())["jwks_uri"]
        async with self._turn:
            now = self._clock.monotonic()
            age = None if self._keys is None else now - self._keys[0]
            stale = age is None or age > (ASKED_AGAIN_AFTER_S if fresh else KNOWN_FOR_S)
            if self._keys is None or stale:
                found = (await self._asked("GET", endpoint)).get("keys")
                self._keys = (now, _keys_in(found if isinstance(found, list) else []))
            return self._keys[1]

    async def _asked(self, method: str, address: str, **how: Any) -> dict[str, Any]:  # noqa: ANN401 - aiohttp's
        try:
            async with (
                ClientSession(
                    timeout=WITHIN, connector=TCPConnector(ssl=self._tls), trust_env=False
                ) as session,
                session.request(method, address, allow_redirects=False, **how) as answer,
            ):
                raw = await answer.content.read(LARGEST_ANSWER)
                # `read` gives what has come; an answer is short, and whole or of no use.
                while not answer.content.at_eof() and len(raw) < LARGEST_ANSWER:
                    raw += await answer.content.read(LARGEST_ANSWER - len(raw))
                if method == "POST" and answer.status in REFUSED_STATUS:
                    raise ProviderRefused(Refused.PROVIDER_SAYS_NO)
                found = json.loads(raw) if answer.status == 200 else None  # noqa: PLR2004 - HTTP's
        except (ClientError, TimeoutError, OSError, ValueError, RecursionError) as error:
            log.warning("provider_away", error=type(error).__name__)
            raise DirectoryUnavailable("the OpenID provider does not answer") from None
        if not isinstance(found, dict):
            log.warning("provider_away", error="answer")
            raise DirectoryUnavailable("the OpenID provider does not answer as one")
        return found


def provider_of(settings: Settings, *, return_to: str, clock: Clock | None = None) -> OidcProvider:
    """Return the provider that is set. Raises ``ConfigurationError``."""
    plain = settings.oidc_plain_loopback
    if problem := problem_of_address(settings.oidc_issuer, plain_loopback=plain):
        raise ConfigurationError(f"RECORDER_OIDC_ISSUER: {problem}")
    if not settings.oidc_client_id:
        raise ConfigurationError("RECORDER_OIDC_CLIENT_ID is needed beside RECORDER_OIDC_ISSUER")
    return OidcProvider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        return_to=return_to,
        tls=tls_of(settings.oidc_ca_file, "RECORDER_OIDC_CA_FILE"),
        plain_loopback=plain,
        clock=clock or SystemClock(),
    )


def _keys_in(found: list[Any]) -> list[RSAKey | ECKey]:
    """Return the keys that sign; others, and kinds we do not know, are not ours to judge."""
    keys: list[RSAKey | ECKey] = []
    for each in found:
        kind = KEY_KINDS.get(each.get("kty")) if isinstance(each, dict) else None
        if kind is None or each.get("use", "sig") != "sig":
            continue
        try:
            keys.append(kind.import_key(each))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return keys


def _kid_of(token: str) -> str | None:
    """Return which key a token names, before anything of it is believed."""
    head = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        raise ProviderRefused(Refused.TOKEN) from None
    if not isinstance(header, dict):
        raise ProviderRefused(Refused.TOKEN)
    kid = header.get("kid")
    return kid if isinstance(kid, str) else None
