"""The office's directory by LDAP: look a person up, then bind as them. Nothing is ever written.

Every server is asked under TLS alone, its certificate checked by name (ADR 0043). What ldap3
does not bound, a deadline does: it cuts the connection, so that no thread waits for ever.
"""

import asyncio
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import structlog
from ldap3 import NONE, SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException, LDAPInvalidFilterError
from ldap3.utils.conv import escape_filter_chars

from recorder.adapters.certificates import tls_of
from recorder.errors import ConfigurationError, DirectoryUnavailable
from recorder.settings import Settings

AT_ONCE = 4
LONGEST_NAME = 256
SUCCESS, SIZE_LIMIT_EXCEEDED, NO_SUCH_OBJECT, INVALID_CREDENTIALS = 0, 4, 32, 49
SAYS_NO = frozenset({INVALID_CREDENTIALS, 19, 50, 53})
"""Results of a bind that are about this person: wrong, locked, not allowed, unwilling."""
ACCOUNT_CONTROL, DISABLED_BIT = "userAccountControl", 0x2
LOCKED = ("pwdAccountLockedTime", "nsAccountLock")
ASKED_FOR = (ACCOUNT_CONTROL, *LOCKED)
NO_LDAP = (LookupError, TypeError, AttributeError, RecursionError)
"""What ldap3 ends in over an answer that is none of a directory's."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """One server."""

    host: str
    port: int
    tls_from_the_start: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Where people are found, and as whom they are looked up."""

    base: str
    name_attribute: str
    narrowed_by: str
    bind_dn: str
    bind_password: str = field(repr=False)


class LdapDirectory:
    """See ``recorder.accounts.ports.Directory`` for the promises."""

    def __init__(
        self, addresses: Sequence[Address], book: Book, *, tls: ssl.SSLContext, timeout_s: int
    ) -> None:
        self._addresses, self._book = addresses, book
        self._tls, self._timeout_s = tls, timeout_s
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ldap")
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def proves(self, name: str, password: str | None) -> bool:
        """Tell whether this is the password of somebody whom the directory lets in."""
        if not name or len(name) > LONGEST_NAME or _is_no_text(name + (password or "")):
            return False
        loop = asyncio.get_running_loop()
        async with self._turn:
            for address in self._addresses:
                try:
                    # A name server that hangs is not bounded by the thread's own deadlines.
                    async with asyncio.timeout(self._timeout_s * 3):
                        return await loop.run_in_executor(
                            self._threads, self._ask, address, name, password
                        )
                except (LDAPException, OSError, ValueError, *NO_LDAP) as error:
                    # The kind alone: its text may hold a name.
                    log.warning("directory_away", server=address.host, error=type(error).__name__)
        raise DirectoryUnavailable("no server of the directory answers; `recorder config check`")

    async def problems(self) -> dict[str, str]:
        """Return for each server, in turn, what keeps it from proving anybody; empty = nothing."""
        loop = asyncio.get_running_loop()
        return {
            f"{each.host}:{each.port}": await loop.run_in_executor(
                self._threads, self._problem_of, each
            )
            for each in self._addresses
        }

    def _problem_of(self, address: Address) -> str:
        server = self._server(address)
        finder = self._connection(server, self._book.bind_dn, self._book.bind_password)
        try:
            with Deadline(finder, self._timeout_s):
                self._open(finder, address)
                if not finder.bind():
                    return "refuses RECORDER_LDAP_BIND_DN with its password"
                finder.search(self._book.base, self._book.narrowed_by, SUBTREE, size_limit=1)
                found, code = finder.response, finder.result["result"]
        except LDAPException as error:
            if isinstance(error, LDAPInvalidFilterError):
                return "RECORDER_LDAP_FILTER is no filter"
            # Of a socket's failure the text names the certificate's fault, and no person.
            return f"does not answer as it should: {type(error).__name__}: {str(error)[:200]}"
        except (OSError, ValueError) as error:
            return f"does not answer: {type(error).__name__}: {error}"
        except NO_LDAP:
            return "answers, but not as a directory does"
        if code == NO_SUCH_OBJECT:
            return "has nothing at RECORDER_LDAP_BASE, or shows it to nobody by that account"
        if code not in {SUCCESS, SIZE_LIMIT_EXCEEDED}:
            return f"cannot search (result {code})"
        if not any(each["type"] == "searchResEntry" for each in found or ()):
            return "shows nobody who fits RECORDER_LDAP_FILTER to that account"
        return ""

    def _server(self, address: Address) -> Server:
        return Server(
            address.host,
            port=address.port,
            use_ssl=address.tls_from_the_start,
            tls=CheckedTls(self._tls),
            get_info=NONE,
            connect_timeout=self._timeout_s,
        )

    def _ask(self, address: Address, name: str, password: str | None) -> bool:
        server = self._server(address)
        finder = self._connection(server, self._book.bind_dn, self._book.bind_password)
        with Deadline(finder, self._timeout_s):
            self._open(finder, address)
            if not finder.bind():
                raise LDAPException("the directory does not let this service look names up")
            found = self._find(finder, name)
        # An empty password is an anonymous bind, which succeeds for anybody.
        if found is None or not password:
            return False
        person = self._connection(server, found, password)
        with Deadline(person, self._timeout_s):
            self._open(person, address)
            person.bind()
            result = person.result["result"]
        if result == SUCCESS:
            return True
        if result in SAYS_NO:
            return False
        raise LDAPException("the directory could not say")

    def _find(self, finder: Connection, name: str) -> str | None:
        """Return whose name it is; None = nobody's, several people's, or somebody's disabled."""
        finder.search(
            self._book.base,
            f"(&({self._book.name_attribute}={escape_filter_chars(name)}){self._book.narrowed_by})",
            search_scope=SUBTREE,
            attributes=list(ASKED_FOR),
            size_limit=2,
            time_limit=self._timeout_s,
        )
        if finder.result["result"] not in {SUCCESS, SIZE_LIMIT_EXCEEDED}:
            raise LDAPException("the directory could not search")
        entries = [each for each in finder.response or () if each["type"] == "searchResEntry"]
        if len(entries) != 1 or _is_disabled(entries[0]["raw_attributes"]):
            return None
        return str(entries[0]["dn"]) or None

    def _connection(self, server: Server, dn: str, password: str) -> Connection:
        return Connection(
            server,
            user=dn,
            # As it was typed: ldap3 would change what is not ASCII, and no directory does.
            password=password.encode(),
            authentication="SIMPLE" if dn else "ANONYMOUS",
            auto_bind="NONE",
            auto_referrals=False,
            read_only=True,
            check_names=False,
            receive_timeout=self._timeout_s,
        )

    def _open(self, connection: Connection, address: Address) -> None:
        connection.open(read_server_info=False)
        if not address.tls_from_the_start and not connection.start_tls(read_server_info=False):
            raise LDAPException("the directory refused TLS")


class CheckedTls(Tls):  # type: ignore[misc]
    """TLS by the standard library's own checks of certificate and name."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:  # noqa: ARG002 - ldap3's signature
        """Put TLS around the connection, or raise."""
        connection.socket = self._context.wrap_socket(
            connection.socket,
            server_hostname=connection.server.host,
            do_handshake_on_connect=False,
        )
        connection.socket.do_handshake()


class Deadline:
    """Cuts a connection that takes longer than it may, whatever it drips meanwhile."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._connection = connection
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        """Begin to count."""
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        """Stop counting, and close."""
        self._timer.cancel()
        used = self._connection.socket
        with suppress(LDAPException, OSError):
            self._connection.unbind()
        # What failed while it was opened, ldap3 leaves open.
        if used is not None:
            used.close()

    def _cut(self) -> None:
        with suppress(OSError, AttributeError):
            self._connection.socket.shutdown(2)


def directory_of(settings: Settings) -> LdapDirectory | None:
    """Return the directory; None where none is set. Raises ``ConfigurationError``."""
    addresses = [parse_address(each) for each in settings.ldap_servers.replace(",", " ").split()]
    if not addresses:
        return None
    if not settings.ldap_base:
        raise ConfigurationError("RECORDER_LDAP_BASE is needed; example: DC=office,DC=example")
    return LdapDirectory(
        addresses,
        Book(
            base=settings.ldap_base,
            name_attribute=settings.ldap_name_attribute,
            narrowed_by=settings.ldap_filter,
            bind_dn=settings.ldap_bind_dn,
            bind_password=settings.ldap_bind_password.get_secret_value(),
        ),
        tls=tls_of(settings.ldap_ca_file, "RECORDER_LDAP_CA_FILE"),
        timeout_s=settings.ldap_timeout_s,
    )


def parse_address(text: str) -> Address:
    """Return a server. Raises ``ConfigurationError``.

    >>> parse_address("ldap://dc1.office.example")
    Address(host='dc1.office.example', port=389, tls_from_the_start=False)
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"ldap", "ldaps"} or not host or parts.path.strip("/") or parts.query:
        raise ConfigurationError(
            "RECORDER_LDAP_SERVERS: a server is ldaps://host or ldap://host (StartTLS), then :port"
        )
    secure = parts.scheme == "ldaps"
    return Address(host, port or (636 if secure else 389), secure)


def _is_no_text(text: str) -> bool:
    return "\0" in text or any("\ud800" <= each <= "\udfff" for each in text)


def _is_disabled(attributes: dict[str, Any]) -> bool:
    """Tell whether the entry says so itself: Active Directory's bit, or a lock."""
    plain = {name.casefold(): values for name, values in attributes.items()}
    control = plain.get(ACCOUNT_CONTROL.casefold()) or [b"0"]
    if int(control[0]) & DISABLED_BIT:
        return True
    locks = [each for name in LOCKED for each in plain.get(name.casefold()) or ()]
    return any(each.upper() != b"FALSE" for each in locks)
