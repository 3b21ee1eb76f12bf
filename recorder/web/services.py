"""All that the application is built with; chosen by the composition root alone."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from recorder.access.listening import Listening
from recorder.accounts.keeper import AccountKeeper
from recorder.accounts.model import Account, Session, SessionId
from recorder.accounts.ports import AccountStore
from recorder.accounts.programs import TokenDesk
from recorder.accounts.provider import ProviderDoor
from recorder.accounts.service import Doorkeeper
from recorder.adapters.postgres.trail_reading import Wanted
from recorder.announcements.changing import AnnouncementOffice
from recorder.announcements.periods import Signed
from recorder.announcements.ports import AnnouncementDesk
from recorder.announcements.service import Findings
from recorder.announcements.wording import Advice
from recorder.approvals.ports import Approvals
from recorder.audit.event import Actor, AuditEvent
from recorder.audit.rules import Entry, Position
from recorder.audit.service import Report
from recorder.authorisations.contractors import ContractorDesk
from recorder.authorisations.ports import ContractorAccesses, Papers
from recorder.authorisations.service import Registrar
from recorder.completeness.ports import Comparisons
from recorder.erasure.by_hand import ErasureByHand
from recorder.erasure.changing import RetentionDesk
from recorder.erasure.ports import PurgeLog
from recorder.erasure.rules import RetentionInForce
from recorder.holds.ports import Holds
from recorder.holds.service import HoldKeeper
from recorder.incidents.service import IncidentDesk
from recorder.live.service import LiveController
from recorder.maintenance.lines import Wanted as LinesWanted
from recorder.maintenance.model import Disk, FoundLines
from recorder.model import Announcement, AnnouncementId
from recorder.ports import Clock
from recorder.regulation import Regulation
from recorder.retention.model import JobState
from recorder.retention.ports import Reports
from recorder.web.answers import Answers
from recorder.web.bundling import Bundles
from recorder.web.door import Places, Refusal
from recorder.web.drawing import Drawing
from recorder.web.footing import Footing
from recorder.web.gate import Gate, Limits
from recorder.web.health import Supervision
from recorder.web.metrics import Measures
from recorder.web.ports import Desk, Erasing, Finder, Overview, Searches
from recorder.web.public_texts import PublicTexts
from recorder.web.rules import Origin
from recorder.web.streaming import Pace, Streams
from recorder.web.verifying import Verifications
from recorder.workstations.ports import Workstations
from recorder.workstations.service import WorkstationKeeper


class Sessions(Protocol):
    """Where people are signed in. Raises ``LedgerUnavailable``."""

    async def of_account(self, account: Account, *, now: datetime) -> Sequence[Session]:
        """Return the sessions that stand, the last used first."""

    async def end(self, session_id: SessionId, *, actor: Actor, at: datetime) -> None:
        """End one, with its entry in the trail."""


@dataclass(frozen=True, kw_only=True)
class People:
    """The services about people and places."""

    store: AccountStore
    papers: Papers
    accesses: ContractorAccesses
    workstations: Workstations
    registrar: Registrar
    contractors: ContractorDesk
    stations: WorkstationKeeper


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """The services about keeping longer and erasing earlier."""

    holds: HoldKeeper
    hold_rows: Holds
    approvals: Approvals
    by_hand: ErasureByHand
    retention: RetentionDesk


@dataclass(frozen=True, kw_only=True)
class Oversight:
    """What the pages of oversight read, and the few acts they have."""

    erasing: Erasing
    reports: Reports
    purge_log: PurgeLog
    overview: Overview
    comparisons: Comparisons
    incidents: IncidentDesk
    vault_free: Callable[[], Awaitable[int | None]]
    """Bytes that are free for recordings; None = this process cannot see their disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What runs here."""

    releases: Mapping[str, str]
    """By name: this program's, the system's, the libraries'."""
    schema: str | None
    """The revision of the database."""
    schema_needed: str | None


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """What whoever keeps the machine going reads: nothing of anybody (§ 6.3)."""

    versions: Callable[[], Awaitable[Versions]]
    disks: Callable[[], Awaitable[Mapping[str, Disk | None]]]
    """How full they are, by what is on them; None = this process cannot see it."""
    logs: Callable[[LinesWanted, int], Awaitable[FoundLines]]
    """The newest lines, at most so many, redacted. Raises ``Unavailable``."""
    bundles: Bundles


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is set, and what there is to say about it."""

    regulation: Regulation
    """As this process read it when it started."""
    announcement_findings: Callable[[], Awaitable[Findings]]
    """What a check of every sound finds, read anew."""
    retention: Callable[[], Awaitable[RetentionInForce]]
    erased_at_once: Callable[[int], Awaitable[int]]
    """How many recordings the next purge would erase if so many days were in force."""
    last_backup: Callable[[], Awaitable[datetime | None]]
    """When the last whole one was made; None = never."""


@dataclass(frozen=True, kw_only=True)
class Announcing:
    """What changes announcements, and what waits on the way."""

    office: AnnouncementOffice
    desk: AnnouncementDesk
    signed: Callable[[], Awaitable[Mapping[tuple[AnnouncementId, datetime], Signed]]]
    """Who had callers hear which version, from when."""
    advise: Callable[[Announcement], Sequence[Advice]]
    """What the text of a version does not seem to say."""


class TrailReader(Protocol):
    """Reads the trail, and notes that it was read. Raises ``LedgerUnavailable``."""

    async def find(self, wanted: Wanted) -> Sequence[Entry]:
        """Return entries, newest first."""

    async def entries_after(self, seq: int, *, limit: int) -> Sequence[Entry]:
        """Return entries in the order of their numbers."""

    async def head(self) -> Position | None:
        """Return where the trail ends; None = it does not say."""

    async def record(self, event: AuditEvent) -> None:
        """Leave an entry by itself."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts, and what the office's regulation says about them."""

    origin: Origin
    clock: Clock
    zone: ZoneInfo
    purposes: Collection[str]
    """§ 3.1, word for word."""
    drawing: Drawing
    public: PublicTexts
    footing: Footing
    answers: Answers
    measures: Measures
    places: Places
    note_refusal: Refusal
    gate: Gate
    limits: Limits
    supervision: Supervision
    doorkeeper: Doorkeeper
    provider: ProviderDoor | None
    """None = no OpenID provider is set."""
    accounts: AccountKeeper
    people: People
    keeping: Keeping
    oversight: Oversight
    maintenance: Maintenance
    setup: Setup
    announcing: Announcing
    days_in_force: Callable[[], Awaitable[int]]
    """§ 7.2: as persons decided, whatever regulation.toml says (ADR 0061)."""
    jobs: Callable[[], Awaitable[Sequence[JobState]]]
    """How each job of retention went."""
    tokens: TokenDesk
    trail: TrailReader
    verify_trail: Callable[[], Awaitable[Report]]
    verifications: Verifications
    export_trail: Callable[[], Awaitable[AsyncIterator[bytes]]]
    """The whole trail with its proofs, as one archive. Raises ``RuleViolation``."""
    announcements: Callable[[], Awaitable[tuple[Sequence[Announcement], Sequence[Announcement]]]]
    """Every version, and every activation of one."""
    announcement_samples: Callable[[AnnouncementId], Awaitable[bytes]]
    """What callers hear of a version. Raises ``RuleViolation`` and ``NotFound``."""
    sessions: Sessions
    finder: Finder
    desk: Desk
    searches: Searches
    new_id: Callable[[], UUID]
    listening: Listening
    live: LiveController
    """Calls in progress, and orders about their recording (RG.12)."""
    pace: Pace
    streams: Streams
    draw_factor: Callable[[str, str], str]
    """From a secret and a login the picture that a telephone reads, as SVG."""
