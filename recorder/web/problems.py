"""What is told when something is not done: problem details (RFC 9457), or a page that says it.

A problem says what is and what next, in the reader's language; it never says anything about
what it was asked for. Its type is stable and can be relied upon by programs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from recorder.web.languages import later

TYPE = "urn:rejestrator:problem:"
MEDIA_TYPE = "application/problem+json"


class Kind(Enum):
    """Every kind of problem: its name, its status, its title, and what to do about it."""

    BAD_REQUEST = (
        "bad-request",
        400,
        later("The request cannot be read"),
        later("Check its form and send it again."),
    )
    INVALID = (
        "invalid",
        422,
        later("Something is missing or wrong"),
        later("Correct the fields named below."),
    )
    NOT_SIGNED_IN = (
        "not-signed-in",
        401,
        later("You are not signed in"),
        later("Sign in and try again. After 15 minutes without use you are signed out."),
    )
    FORBIDDEN = (
        "forbidden",
        403,
        later("You may not do this"),
        later("If it belongs to your work, ask the Administrator for an authorisation."),
    )
    REFUSED = (
        "refused",
        403,
        later("Refused"),
        "",
    )
    PROVE_AGAIN = (
        "prove-again",
        403,
        later("Confirm that it is you"),
        later("This act asks for your password and code given in the last ten minutes."),
    )
    FINISH_ACCOUNT = (
        "finish-account",
        403,
        later("Finish setting up your account first"),
        later("Change your password and set the second factor under “My account”."),
    )
    PURPOSE_NEEDED = (
        "purpose-needed",
        422,
        later("Say what for"),
        later("Choose a purpose from the list of § 3.1, or give the number of a request."),
    )
    NOT_FOUND = (
        "not-found",
        404,
        later("There is no such thing here"),
        later("It may have been erased, or it is not yours to see."),
    )
    WRONG_METHOD = (
        "wrong-method",
        405,
        later("This address does not do that"),
        later("Use one of the methods that the answer names."),
    )
    TOO_SLOW = (
        "too-slow",
        408,
        later("The request did not arrive in time"),
        later("Send it again."),
    )
    CONFLICT = (
        "conflict",
        409,
        later("It cannot be done"),
        later("See the reason, and look at the present state."),
    )
    DAMAGED = (
        "damaged",
        409,
        later("The recording is damaged and is not played"),
        later("Tell the system administrator; give the recording's id."),
    )
    GONE = (
        "gone",
        410,
        later("The recording has been erased"),
        later("It was erased when its time was up (§ 7.2)."),
    )
    TOO_LARGE = (
        "too-large",
        413,
        later("That is too much at once"),
        later("Send at most 1 MiB, as a signed scan at most 20 MiB."),
    )
    WRONG_MEDIA = (
        "wrong-media",
        415,
        later("This form of content is not taken"),
        later("Send JSON, or a file of a kind that the description names."),
    )
    RANGE = (
        "range-not-satisfiable",
        416,
        later("There is no such part of the recording"),
        later("Ask for one range of bytes within its length."),
    )
    WRONG_HOST = (
        "wrong-host",
        421,
        later("This is not the address of the application"),
        later("Use the address that your office gave you."),
    )
    TOO_MANY = (
        "too-many-requests",
        429,
        later("Too many requests"),
        later("Wait a minute and try again."),
    )
    DEFECT = (
        "defect",
        500,
        later("Something went wrong on our side"),
        later("Tell the system administrator the number below."),
    )
    UNAVAILABLE = (
        "unavailable",
        503,
        later("The system cannot answer now"),
        later("The telephones do not depend on it. Try again in a minute."),
    )

    def __init__(self, slug: str, status: int, title: str, advice: str) -> None:
        self.slug, self.status, self.title, self.advice = slug, status, title, advice

    @property
    def uri(self) -> str:
        """The stable type of the problem."""
        return f"{TYPE}{self.slug}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that is missing or wrong. It names the field and the rule, never the value."""

    where: str
    what: str


@dataclass(kw_only=True, eq=False)
class Problem(Exception):
    """Ends a request with an answer that says why."""

    kind: Kind
    reason: str = ""
    """A rule's reason code, for programs; empty where it would tell a stranger something."""
    detail: str = ""
    """A sentence of a rule; holds no personal data."""
    faults: tuple[Fault, ...] = ()
    instance: str = ""
    """The number under which the log tells more; on a defect only (A14)."""
    headers: Mapping[str, str] = field(default_factory=dict)


BY_STATUS = {
    each.status: each
    for each in (
        Kind.BAD_REQUEST,
        Kind.NOT_SIGNED_IN,
        Kind.FORBIDDEN,
        Kind.NOT_FOUND,
        Kind.WRONG_METHOD,
        Kind.TOO_LARGE,
        Kind.WRONG_MEDIA,
        Kind.INVALID,
    )
}
"""For what the framework itself refuses."""
