"""Does what a provider signed prove who signs in here, now (OpenID Connect Core 1.0, 3.1.3.7)?"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

LEEWAY = timedelta(seconds=60)
"""By how much a provider's clock may differ from ours."""
BEGUN_VALID = timedelta(minutes=10)
LONGEST_SUBJECT = 255
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Refused(StrEnum):
    """Why nobody is signed in; the trail alone is told."""

    NOT_BEGUN = "not_begun_here"
    """No sign-in of this browser waits under this state: replayed, too old, or another's."""
    PROVIDER_SAYS_NO = "provider_says_no"
    TOKEN = "token_refused"  # noqa: S105 - a reason
    """Its signature, its algorithm or its form is not right."""
    ISSUER = "wrong_issuer"
    AUDIENCE = "wrong_audience"
    NONCE = "wrong_nonce"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    NOT_NOW = "proved_earlier"
    """The provider did not ask the person now."""
    SUBJECT = "no_subject"
    NOT_LINKED = "not_linked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What this very sign-in has to be answered with."""

    issuer: str
    client_id: str
    nonce: str
    begun_at: datetime


def problem_of_claims(
    claims: Mapping[str, object], *, expected: Expected, now: datetime
) -> Refused | None:
    """Return why the claims prove nobody; None = ``sub`` is who signs in."""
    if claims.get("iss") != expected.issuer:
        return Refused.ISSUER
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    azp = claims.get("azp")
    if expected.client_id not in audiences or (azp is None and len(audiences) > 1):
        return Refused.AUDIENCE
    if azp is not None and azp != expected.client_id:
        return Refused.AUDIENCE
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode("utf-8", "replace"), expected.nonce.encode()
    ):
        return Refused.NONCE
    expires, issued = _instant(claims.get("exp")), _instant(claims.get("iat"))
    if expires is None or expires <= now.timestamp() - LEEWAY.total_seconds():
        return Refused.EXPIRED
    latest = now.timestamp() + LEEWAY.total_seconds()
    not_before = _instant(claims.get("nbf", 0))
    if issued is None or issued > latest or not_before is None or not_before > latest:
        return Refused.FROM_THE_FUTURE
    earliest = expected.begun_at.timestamp() - LEEWAY.total_seconds()
    proved = _instant(claims.get("auth_time", issued))
    if issued < earliest or proved is None or proved < earliest:
        return Refused.NOT_NOW
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        return Refused.SUBJECT
    return None


def problem_of_address(address: str, *, plain_loopback: bool) -> str:
    """Return why a provider's address will not do; empty when it will.

    >>> problem_of_address("http://login.example", plain_loopback=True)
    'a provider is https://…'
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return "it is no address"
    if not host or parts.username is not None or parts.fragment:
        return "it is no address"
    if parts.scheme == "https" or (parts.scheme == "http" and plain_loopback and host in LOOPBACK):
        return ""
    return "a provider is https://…"


def _instant(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1 << 40:
        return None
    return float(value)
