"""The nouns of access: what may be done, from where, for what, and the answer."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from recorder.accounts.model import AccountId, Role
from recorder.authorisations.model import AuthorisationId


class Permission(StrEnum):
    """Every act that somebody may be asked to have a right to. Default: nobody has it."""

    # Calls and recordings.
    CALL_LIST = "call:list"
    """See and search calls and recordings; numbers are masked."""
    EMPLOYEE_SEARCH = "call:search_by_employee"
    """Search by an extension or a person of the office (R4.2b)."""
    NUMBER_REVEAL = "number:reveal"
    RECORDING_LISTEN = "recording:listen"
    RECORDING_ERASE = "recording:erase"
    """By hand (R7.2f)."""
    RECORDING_VERIFY = "recording:verify"
    """Compare hashes; nothing is heard."""
    CALL_CONTROL = "call:control"
    """Pause, resume, stop a recording while the call runs (RG.12)."""
    # Requests and holds.
    REQUEST_REGISTER = "request:register"
    REQUEST_READ = "request:read"
    REQUEST_DECIDE = "request:decide"
    SUBJECT_REQUEST_DECIDE = "subject_request:decide"
    SUBJECT_REQUEST_ADVISE = "subject_request:advise"
    HOLD_PLACE_PROVISIONAL = "hold:place_provisional"
    HOLD_PLACE = "hold:place"
    HOLD_REVIEW = "hold:review"
    HOLD_LIFT = "hold:lift"
    HOLD_LIST = "hold:list"
    # Copies and disclosures.
    COPY_MAKE = "copy:make"
    COPY_SIGN = "copy:sign"
    COPY_DEPOSIT = "copy:deposit"
    COPY_DISCLOSE = "copy:disclose"
    COPY_DESTROY = "copy:destroy"
    COPY_READ = "copy:read"
    """The register of copies and disclosures (§ 7.8)."""
    # Authorisations and the office's own rules.
    AUTHORISATION_GRANT = "authorisation:grant"
    AUTHORISATION_REVOKE = "authorisation:revoke"
    AUTHORISATION_READ = "authorisation:read"
    SCOPE_CHANGE = "scope:change"
    RETENTION_CHANGE = "retention:change"
    MODE_CHANGE = "mode:change"
    ANNOUNCEMENT_ACTIVATE = "announcement:activate"
    ANNOUNCEMENT_READ = "announcement:read"
    CONTRACTOR_OPEN = "contractor:open"
    CONTRACTOR_CLOSE = "contractor:close"
    CONTRACTOR_READ = "contractor:read"
    # Evidence.
    AUDIT_READ = "audit:read"
    AUDIT_VERIFY = "audit:verify"
    AUDIT_EXPORT = "audit:export"
    REPORT_READ = "report:read"
    """Deletion reports, reconciliation, what is overdue."""
    INCIDENT_READ = "incident:read"
    """What a person must look at: ids, kinds, times; of nobody."""
    INCIDENT_EXPLAIN = "incident:explain"
    """Say what an incident was, and close it."""
    LOG_READ = "log:read"
    # The machine.
    STATUS_READ = "status:read"
    """Health and metrics."""
    CONFIG_READ = "config:read"
    ACCOUNT_MANAGE = "account:manage"
    ACCOUNT_READ = "account:read"
    ROLE_ASSIGN = "account:assign_role"
    DIRECTORY_MANAGE = "directory:manage"
    CERTIFICATE_MANAGE = "certificate:manage"
    WORKSTATION_MANAGE = "workstation:manage"
    WORKSTATION_READ = "workstation:read"
    BACKUP_MAKE = "backup:make"
    DATABASE_UPGRADE = "database:upgrade"
    RETENTION_RUN = "retention:run"
    """Start by hand what is scheduled: purge, reconciliation."""
    KEY_ROTATE = "key:rotate"
    KEY_DESTROY = "key:destroy"
    """Out of schedule."""
    # One's own account.
    OWN_ACCOUNT = "account:own"
    """Change one's own password and second factor, sign out."""


class View(StrEnum):
    """How much of it is shown; each is less than the one before."""

    FULL = "full"
    MASKED = "masked"
    """Numbers and names with their middle hidden, log lines redacted."""
    OWN = "own"
    """Only what is about or of this person."""
    COUNTS = "counts"
    """How many, never which."""


class Demand(StrEnum):
    """What an act needs beyond the role (◐ in the matrix)."""

    SECOND_PERSON = "second_person"
    FRESH_FACTOR = "fresh_factor"


class Place(StrEnum):
    """From where it is asked."""

    LISTED = "listed"
    """A workstation on the list (§ 6.2)."""
    UNLISTED = "unlisted"
    PROMPT = "prompt"
    """The command line on the server itself: the server room is its guard (§ 6.1)."""


class Why(StrEnum):
    """The single reason behind an access decision; what the trail stores of a refusal."""

    ALLOWED = "allowed"
    ADDRESS_NOT_LISTED = "address_not_listed"
    NOT_SIGNED_IN = "not_signed_in"
    ACCOUNT_DISABLED = "account_disabled"
    ACCESS_NOT_OPEN = "access_not_open"
    """A contractor outside an opened fault (R6.3c)."""
    FORBIDDEN_PAIR = "forbidden_pair"
    PASSWORD_TO_CHANGE = "password_to_change"  # noqa: S105 - a reason, no password
    SECOND_FACTOR_NOT_SET = "second_factor_not_set"
    ROLE_LACKS_IT = "role_lacks_it"
    NO_AUTHORISATION = "no_authorisation"
    AUTHORISATION_FUTURE = "authorisation_future"
    AUTHORISATION_ENDED = "authorisation_ended"
    AUTHORISATION_REVOKED = "authorisation_revoked"
    NOT_YOURS = "not_yours"
    """Outside the scope of lines, another's recording, another's entry. Answered like absence."""
    PURPOSE_MISSING = "purpose_missing"
    PURPOSE_UNKNOWN = "purpose_unknown"
    FRESH_FACTOR_NEEDED = "fresh_factor_needed"
    SAME_PERSON = "same_person"
    """Nobody confirms what he proposed."""

    @property
    def answer(self) -> "Answer":
        """How an application answers it, so that nothing is told that must not be."""
        match self:
            case Why.ALLOWED:
                return Answer.DO_IT
            case Why.NOT_SIGNED_IN:
                return Answer.SIGN_IN
            case Why.NOT_YOURS:
                return Answer.NOT_FOUND
            case Why.FRESH_FACTOR_NEEDED:
                return Answer.PROVE_AGAIN
            case Why.PURPOSE_MISSING | Why.PURPOSE_UNKNOWN:
                return Answer.SAY_WHY
            case Why.PASSWORD_TO_CHANGE | Why.SECOND_FACTOR_NOT_SET:
                return Answer.FINISH_ACCOUNT
            case _:
                return Answer.FORBIDDEN


class Answer(StrEnum):
    """What an application does with a decision."""

    DO_IT = "do_it"
    SIGN_IN = "sign_in"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    """The same answer as for what does not exist."""
    PROVE_AGAIN = "prove_again"
    SAY_WHY = "say_why"
    """Ask for a purpose or a request's number."""
    FINISH_ACCOUNT = "finish_account"
    """Lead to the page where the person changes the password or sets the second factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks, with all that the decision needs to know of them."""

    account_id: AccountId
    roles: frozenset[Role]
    disabled: bool
    fresh_at: datetime | None
    """When password and second factor were last proved; None = never (a machine's token)."""
    password_to_change: bool
    second_factor_missing: bool
    """A second factor is required and not set."""
    open_until: datetime | None = None
    """A contractor's access for one fault; None = not open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What it is about. An act on nothing single has an empty one."""

    line: str | None = None
    """The office's number of the call."""
    recording_id: UUID | None = None
    owner: AccountId | None = None
    """Whose it is, where a role sees only its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Why somebody listens, copies or searches by employee (R3.1a)."""

    purpose: str = ""
    """One of § 3.1's, word for word."""
    request: str = ""
    """A request's number, W/31/2026."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDecision:
    """Yes or no, with the single reason, and on what terms."""

    allowed: bool
    reason: Why
    view: View = View.FULL
    needs_second_person: bool = False
    """It may be proposed; another person with the same right must confirm it."""
    authorisation_id: AuthorisationId | None = None
    """The paper it rests on, where one is needed."""
    marks: frozenset[str] = field(default_factory=frozenset)
    """What the entry in the trail must say besides, for example ``by_employee`` (R4.2b)."""
