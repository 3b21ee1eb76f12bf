"""What can go wrong between this client and Asterisk.

::

    AriError
    ├── AriHTTPError       Asterisk answered with an error; ``status`` and ``message`` are its own
    │   ├── NotFound       404: no such channel, playback, bridge
    │   └── Conflict       409: it exists, but not in a state for this (not in Stasis)
    ├── AriUnreachable     no answer, or none that can be understood
    ├── AriRefused         the account is wrong: trying again does not help
    └── AriReplaced        another client took over the application's name

Messages name the operation, never its arguments: those may be personal data.
"""


class AriError(Exception):
    """Base of all errors of this client."""


class AriHTTPError(AriError):
    """Asterisk answered with an error."""

    def __init__(self, operation: str, status: int, message: str) -> None:
        # One printable line: it ends in logs, and it came over the network.
        message = "".join(each if each.isprintable() else " " for each in message[:200]).strip()
        super().__init__(f"{operation}: {status} {message}".strip())
        self.operation = operation
        self.status = status
        self.message = message


class NotFound(AriHTTPError):
    """404: the object does not exist, or does no longer."""


class Conflict(AriHTTPError):
    """409: the object is not in a state for this; a channel has left Stasis, for example."""


class AriUnreachable(AriError):
    """No answer came, or none that can be understood.

    ``sent`` is False if the request surely did not reach Asterisk; else it may have been
    carried out.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class AriRefused(AriError):
    """401 or 403 on connecting: somebody must correct the account."""

    exit_code = 2


class AriReplaced(AriError):
    """Another client connected with the same application name; this one is out."""


def http_error(operation: str, status: int, message: str) -> AriHTTPError:
    """Return the error class that belongs to a status."""
    return {404: NotFound, 409: Conflict}.get(status, AriHTTPError)(operation, status, message)
