"""May this request be looked at at all: is it meant for us, and did a page of ours send it?

Nothing here knows who asks; that is `recorder/access/rules.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""What changes nothing (RFC 9110, 9.2.1). No route of ours changes anything by one of these."""

ONE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII | re.IGNORECASE)
"""A file has less than 10^19 bytes; 4,000 digits are an attack."""

LONGEST_PATH = 200
SAFE_PATH = re.compile(r"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*(?:/|$))*")


class Why(StrEnum):
    """The single reason for refusing a request before anybody is asked who they are."""

    WRONG_HOST = "wrong_host"
    ANOTHER_SITE = "another_site"
    """A page of another site, or another origin of the same site, sent it."""
    NO_ORIGIN = "no_origin"
    """Nothing says which page sent it; a browser always says."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where people find the application: scheme, host and port, as a browser says them."""

    scheme: str
    host: str
    port: int | None = None

    @property
    def secure(self) -> bool:
        """Tell whether browsers reach it by TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The ``Host`` header that belongs to it."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def on_loopback(self) -> bool:
        """Tell whether it never leaves this machine."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def parse_origin(text: str) -> Origin:
    """Return an origin without its default port. Raises ``ValueError`` if it is none.

    >>> str(parse_origin("https://Rejestrator.example:443/")), str(parse_origin("http://[::1]:81"))
    ('https://rejestrator.example', 'http://[::1]:81')
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an origin is https://host or http://host:port")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise ValueError("an origin has neither path nor user")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = 443 if parts.scheme == "https" else 80
    return Origin(parts.scheme, host, None if parts.port == default else parts.port)


def host_problem(hosts: Sequence[str], origin: Origin) -> Why | None:
    """Return why a request is not for us: exactly one ``Host``, and ours (A11)."""
    default = ":443" if origin.secure else ":80"
    if len(hosts) == 1 and hosts[0].lower().removesuffix(default) == origin.authority:
        return None
    return Why.WRONG_HOST


def sender_problem(
    method: str,
    *,
    origin: Origin,
    fetch_site: str | None,
    fetch_mode: str | None,
    sent_origin: str | None,
    for_machines: bool,
) -> Why | None:
    """Return why a request that may carry a session is refused, by the page that sent it (A4).

    What changes something must come from a page of ours, and say so: without any header it is
    refused too, stricter than what libraries do. What only reads may be followed from
    elsewhere as a link to a page, never be drawn into another site's page or script.
    ``for_machines`` is the JSON API, to which no link leads.
    """
    if method not in SAFE_METHODS:
        if fetch_site is not None and fetch_site != "same-origin":
            return Why.ANOTHER_SITE
        if sent_origin is not None and sent_origin != str(origin):
            return Why.ANOTHER_SITE
        return Why.NO_ORIGIN if fetch_site is None and sent_origin is None else None
    if fetch_site in {None, "same-origin", "none"}:
        return None
    return Why.ANOTHER_SITE if for_machines or fetch_mode != "navigate" else None


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` up to but not including ``end`` of a whole."""

    start: int
    end: int


def one_range(header: str | None, size: int) -> Span | None:
    """Return the one range that is asked for; the whole when none is; None = not satisfiable.

    Exactly one range (A8): several would let one request read a file many times over.

    >>> one_range("bytes=2-4", 10), one_range("bytes=-3", 10), one_range("bytes=8-99", 10)
    (Span(start=2, end=5), Span(start=7, end=10), Span(start=8, end=10))
    >>> one_range(None, 10), one_range("bytes=10-", 10), one_range("bytes=0-1,4-5", 10)
    (Span(start=0, end=10), None, None)
    """
    if header is None:
        return Span(0, size)
    found = ONE_RANGE.fullmatch(header.strip())
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last or 0), size)
        return Span(size - length, size) if length else None
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    return Span(start, end) if start < min(end, size) else None


def path_to_return_to(given: str | None) -> str:
    r"""Return where to lead a person after signing in: a path of ours, or the first page (A11).

    >>> [path_to_return_to(each) for each in ("/a/", "//evil.example", "/\\evil.example")]
    ['/a/', '/', '/']
    """
    if not given or len(given) > LONGEST_PATH or not SAFE_PATH.fullmatch(given):
        return "/"
    return given
