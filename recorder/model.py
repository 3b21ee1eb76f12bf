"""The nouns of the service. Plain, frozen values: no I/O, no clock, no library above them.

Instants are aware and UTC, durations carry their unit. A telephone number in a value is
personal data; the values that hold one say so, and none of them is ever logged whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

CallId = NewType("CallId", UUID)
"""UUIDv7 of a call, ours; never Asterisk's channel id and never derived from caller data."""

RecordingId = NewType("RecordingId", UUID)
"""UUIDv7 of a recording; names its audio in the spool and in the vault (RG.7)."""

AnnouncementId = NewType("AnnouncementId", UUID)
"""UUIDv7 of one version of one announcement."""

RULE_VERSION = "2026-11"
"""Version of the rule set; stored with every decision (R3.4f). Changes whenever a rule does."""


class Mode(StrEnum):
    """How consent is taken (RG.1, `regulation.toml` [announcement] mode)."""

    OPT_OUT = "opt_out"
    """The announcement, then 2 = not recorded; staying on the line = recorded. The default."""

    OPT_IN = "opt_in"
    """1 = recorded; staying on the line = not recorded."""

    NOTICE = "notice"
    """The regulation's letter: heard to the end = recorded; there is no unrecorded path."""


class Layer(StrEnum):
    """Which announcement a sound is."""

    FIRST = "first"
    """What everybody hears before anything is recorded (§ 8.2)."""

    SECOND = "second"
    """The longer text behind key 3: rights, recipients, contact."""

    LANGUAGES = "languages"
    """The short offer of other languages, played before the first layer."""


class Outcome(StrEnum):
    """What became of a call."""

    RECORDED = "recorded"
    NOT_RECORDED = "not_recorded"


class Reason(StrEnum):
    """The single reason behind a decision. It is what is stored and shown."""

    # Recorded.
    STAYED_ON_THE_LINE = "stayed_on_the_line"
    CONSENTED_BY_KEY = "consented_by_key"
    # Out of scope (§ 3.4, § 3.2).
    NOT_ENABLED = "not_enabled"
    NOT_FROM_A_TRUNK = "not_from_a_trunk"
    LINE_NOT_LISTED = "line_not_listed"
    CALLER_INTERNAL = "caller_internal"
    # The caller's own choice, or no choice made.
    DECLINED = "declined"
    NO_CONSENT = "no_consent"
    CALLER_LEFT = "caller_left"
    # Nobody of the office came on the line.
    NOT_ANSWERED = "not_answered"
    # Connected from the start with somebody outside the office only.
    FORWARDED_OUTSIDE = "forwarded_outside"
    # Somebody ordered it while the call went on (RG.12).
    STOPPED = "stopped"
    """Before anything was written."""
    DISCARDED = "discarded"
    # Something failed; each of these leaves an incident.
    ANNOUNCEMENT_MISSING = "announcement_missing"
    ANNOUNCEMENT_FAILED = "announcement_failed"
    DISK_LOW = "disk_low"
    SPOOL_UNAVAILABLE = "spool_unavailable"
    LINK_LOST = "link_lost"
    APP_RESTARTED = "app_restarted"
    APP_ABSENT = "app_absent"
    APP_UNRESPONSIVE = "app_unresponsive"
    PBX_LOST = "pbx_lost"
    AUDIO_LOST = "audio_lost"


class IncidentKind(StrEnum):
    """What a person must look at. Each has a heading of its own in OPERATIONS.md."""

    ANNOUNCEMENT_MISSING = "announcement_missing"
    ANNOUNCEMENT_FAILED = "announcement_failed"
    ANNOUNCEMENT_CHANGED = "announcement_changed"
    AUDIO_GAP = "audio_gap"
    AUDIO_LOST = "audio_lost"
    DISK_LOW = "disk_low"
    SPOOL_UNAVAILABLE = "spool_unavailable"
    APP_ABSENT = "app_absent"
    APP_UNRESPONSIVE = "app_unresponsive"
    APP_RESTARTED = "app_restarted"
    LINK_LOST = "link_lost"
    PBX_LOST = "pbx_lost"
    JOURNAL_UNREADABLE = "journal_unreadable"
    ORPHAN_AUDIO = "orphan_audio"
    ERASURE_FAILED = "erasure_failed"
    PURGE_BRAKED = "purge_braked"
    CLOCK_JUMP = "clock_jump"
    RECORDING_MISSING = "recording_missing"
    REVIEW_OVERDUE = "review_overdue"
    RETENTION_SHORTENED = "retention_shortened"
    STRAY_TRACES = "stray_traces"
    RECORDING_DAMAGED = "recording_damaged"
    STOP_REFUSED = "stop_refused"
    ANNOUNCEMENT_FAILING = "announcement_failing"
    RECORDED_UNPERMITTED = "recorded_unpermitted"
    UNEXPLAINED_CALL = "unexplained_call"
    PBX_RECORDS_MISSING = "pbx_records_missing"


class PlaybackResult(StrEnum):
    """What is known of one playing of an announcement to one caller."""

    HEARD = "heard"
    """Played to its end: the PBX said done and two clocks agree that it took its full length."""

    CUT = "cut"
    """Ended before its length: failed, stopped from outside, or the caller left."""

    INTERRUPTED = "interrupted"
    """Stopped by us because the caller pressed a key."""

    NOT_REPORTED = "not_reported"
    """The PBX never said that it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with its reason (R3.4f)."""

    record: bool
    reason: Reason
    rule_version: str = RULE_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One version of one announcement; two versions never share a sound (R8.2d)."""

    id: AnnouncementId
    layer: Layer
    language: str
    """BCP 47 language, two letters here: pl, en, uk."""
    text: str
    """The words spoken, as the office approved them."""
    sha256: str
    """Of the 16-bit, 8 kHz mono samples that the caller hears, headerless (64 hex digits)."""
    length_ms: int
    level_dbfs: float
    """Root mean square level of the sound, relative to full scale."""
    added_at: datetime
    active_from: datetime | None = None
    """From when callers hear it; None = added, not activated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementPlayed:
    """Proof of one playing of an announcement to the caller (R8.2c)."""

    announcement_id: AnnouncementId
    layer: Layer
    language: str
    sha256: str
    length_ms: int
    started_at: datetime | None = None
    finished_at: datetime | None = None
    measured_ms: int | None = None
    """From the PBX's own start and end; None while unknown."""
    result: PlaybackResult = PlaybackResult.NOT_REPORTED


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPress:
    """One key the caller pressed before the decision."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of a call's timeline, for people: what happened and when.

    ``detail`` may hold an extension of the office, never the caller's number.
    """

    at: datetime
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time; ``until`` None = still going on."""

    since: datetime
    until: datetime | None = None

    @property
    def seconds(self) -> float:
        """Length in seconds, 0 while open or when a clock went backwards."""
        if self.until is None:
            return 0.0
        return max(0.0, (self.until - self.since).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """All that is known of one call, folded from its journal. Holds personal data."""

    id: CallId
    node: str
    """Which capture process took it (RECORDER_NODE)."""
    channel_id: str
    """Asterisk's unique id of the caller's channel; with ``node`` it identifies the call."""
    linked_id: str = ""
    arrived_at: datetime
    endpoint: str
    """PJSIP endpoint that the call came in by; direction evidence (R3.4f)."""
    context: str
    """Dialplan context that entered the subroutine; direction evidence (R3.4f)."""
    line: str
    """The office's number that was dialled, as the trunk delivered it."""
    caller_number: str
    """As delivered; empty = withheld."""
    caller_name: str = ""
    scope: Decision | None = None
    consent: Decision | None = None
    mode: Mode | None = None
    language: str = ""
    announcements: tuple[AnnouncementPlayed, ...] = ()
    keys: tuple[KeyPress, ...] = ()
    recording_id: RecordingId | None = None
    """Given at consent, before any sample exists; None = no audio may exist."""
    bridged: tuple[Span, ...] = ()
    """When the caller was connected with somebody: what a complete recording lasts."""
    answered_at: datetime | None = None
    answered_by: str = ""
    """Endpoint or extension of the first person of the office on the line."""
    parties: tuple[str, ...] = ()
    """Endpoints of everybody of the office who was on the line, in order."""
    timeline: tuple[Moment, ...] = ()
    ended_at: datetime | None = None
    hangup_cause: int | None = None
    """Q.850 cause, or None when the PBX did not live to tell."""
    pbx_lost: bool = False
    """The PBX went away during the call; the end is when that was noticed."""
    unwatched: bool = False
    """Part of the call passed while no application followed it: times are the file's own."""
    quality: Mapping[str, float] = field(default_factory=dict)
    """RTP figures of the caller's leg at its end: loss, jitter, MES."""
    incidents: tuple[IncidentKind, ...] = ()

    @property
    def decision(self) -> Decision | None:
        """The last word on recording: consent where it was asked, else scope."""
        return self.consent or self.scope

    @property
    def bridged_seconds(self) -> float:
        """Seconds that a complete recording of this call lasts."""
        return sum(span.seconds for span in self.bridged)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedAudio:
    """What sealing measured of one recording; from level and length only (RG.14)."""

    sha256: str
    """Of the whole WAV file (64 hex digits)."""
    size_bytes: int
    frames: int
    sample_rate: int
    """Hertz."""
    caller_dbfs: float
    """RMS level of the left channel; -120.0 for digital silence."""
    office_dbfs: float
    """RMS level of the right channel; -120.0 for digital silence."""
    silent: bool
    one_sided: bool

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return self.frames / self.sample_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A sealed recording at rest in the vault."""

    id: RecordingId
    call_id: CallId
    audio: SealedAudio
    stored_on: str
    """Folder in the vault, ``YYYY/MM/DD``: the day of the call's end, UTC."""
    first_sample_at: datetime
    """R8.2c: when the first recorded sample was heard."""
    ended_at: datetime
    """The retention period counts from here (§ 7.2)."""
    erase_by: datetime
    """§ 7.2, R7.2a: by this instant it must be gone, unless held."""
    sealed_at: datetime
    truncated: bool
    """The PBX died while recording: the last second may be missing."""
    incomplete: bool
    """Audio and connected time disagree by more than max(1 s, 2 %)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something a person must look at. Holds ids, never numbers or names."""

    kind: IncidentKind
    at: datetime
    call_id: CallId | None = None
    detail: str = ""
