"""An OpenID provider in a process of its own that signs as it is told, lies too."""

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientSession, web
from cryptography.hazmat.primitives import serialization
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "rejestrator", "a secret of two: 1"
DEEP = b"[" * 20_000 + b"]" * 20_000
"""JSON over which a reader that calls itself falls."""
BASIC = "Basic " + base64.b64encode(b"rejestrator:a+secret+of+two%3A+1").decode()


class TestProvider:
    """Its issuer is where it listens; ``lie`` says what is wrong with its next answers."""

    __test__ = False

    def __init__(self) -> None:
        self.issuer = ""
        self.key = self._new_key("one")
        self.published = [self.key]
        self.lie: dict[str, Any] = {}
        self.asked: dict[str, dict[str, str]] = {}
        self.served: list[str] = []

    def _new_key(self, kid: str) -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})

    async def about(self, request: web.Request) -> web.Response:
        self.served.append("about")
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return web.json_response(found | self.lie.get("about", {}))

    async def keys(self, request: web.Request) -> web.Response:
        self.served.append("keys")
        other = [{"kty": "unheard-of"}, {"kty": "RSA", "n": 1}, 7]
        return web.json_response({"keys": other + [each.as_dict() for each in self.published]})

    async def authorize(self, request: web.Request) -> web.Response:
        """Sign the person in at once, as ``zenobia-at-the-provider``."""
        asked = dict(request.query)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = base64.urlsafe_b64encode(hashlib.sha256(asked["state"].encode()).digest()).decode()
        self.asked[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(back)}")

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self.asked.pop(str(form["code"]), None)
        verifier = str(form["code_verifier"]).encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=")
        right = (
            asked is not None
            and request.headers["Authorization"] == BASIC
            and asked["code_challenge"].encode() == challenge
            and asked["redirect_uri"] == form["redirect_uri"]
        )
        if asked is None or not right:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if self.lie.get("answer") == "deep":
            return web.Response(body=DEEP, content_type="application/json")
        now = int(time.time())  # noqa: TID251 - a provider has a clock of its own
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "zenobia-at-the-provider",
            "nonce": asked["nonce"],
            "iat": now,
            "auth_time": now,
            "exp": now + 300,
        } | {
            name: now + value if name in {"iat", "exp", "nbf", "auth_time"} else value
            for name, value in self.lie.get("claims", {}).items()
        }
        return web.json_response({"id_token": self.signed(claims), "token_type": "Bearer"})

    def signed(self, claims: dict[str, Any]) -> str:
        way = self.lie.get("sign", "")
        header: dict[str, Any] = {"alg": "RS256", "kid": self.key.kid}
        if way == "none":
            return _joined({"alg": "none", "kid": self.key.kid}, claims, b"")
        if way == "shared":
            public = self.key.public_key.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            head = {"alg": "HS256", "kid": self.key.kid}
            text = _joined(head, claims, b"").rstrip(".")
            return f"{text}.{_plain(hmac.digest(public, text.encode(), 'sha256'))}"
        if way == "jwk in the header":
            other = self._new_key("one")
            header["jwk"] = other.as_dict(private=False)
            return jwt.encode(header, claims, other)
        if way == "other key":
            return jwt.encode(header, claims, self._new_key("one"))
        if way == "altered":
            first, _, signature = jwt.encode(header, claims, self.key).split(".")
            return f"{first}.{_plain(json.dumps(claims | {'sub': 'anna'}).encode())}.{signature}"
        if way == "deep head":
            return f"{_plain(DEEP)}.e30."
        if way == "deep":
            return jws.serialize_compact(header, DEEP, self.key)
        if way == "nonsense":
            return "a.b"
        return jwt.encode(header, claims, self.key)

    async def told(self, request: web.Request) -> web.Response:
        """Take an order of the test's: what to lie about, or to change keys."""
        order = await request.json()
        if order.get("rotate"):
            self.key = self._new_key(order["rotate"])
            self.published = [self.key]
        self.lie = order.get("lie", {})
        served, self.served = self.served, []
        return web.json_response(served)


async def serve() -> None:
    provider = TestProvider()
    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", provider.about),
            web.get("/keys", provider.keys),
            web.get("/authorize", provider.authorize),
            web.post("/token", provider.token),
            web.post("/told", provider.told),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    provider.issuer = f"http://127.0.0.1:{port}"
    sys.stdout.write(f"{provider.issuer}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def tell(issuer: str, **lie: Any) -> list[str]:
    """Tell a provider that runs how to lie from now on; return what it was asked for since."""
    async with ClientSession() as session, session.post(f"{issuer}/told", json=lie) as answer:
        served: list[str] = await answer.json()
        return served


def _plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _joined(header: dict[str, Any], claims: dict[str, Any], signature: bytes) -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(_plain(each) for each in parts)


if __name__ == "__main__":
    asyncio.run(serve())
