"""May this sound be an announcement, and which announcement does a caller hear now?"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from recorder.model import Announcement, AnnouncementId, IncidentKind, Layer

TELEPHONE_RATE = 8000
"""Hertz, mono: what A-law and µ-law trunks carry."""

LOWEST_SAMPLE_RATE = 8000
"""Hertz. Less holds less than a telephone carries."""

GUARD_S = 0.5
"""Silence every announcement starts with: the first half second after the answer may be lost."""

REFUSED_LEVEL_DBFS = -40.0
"""Quieter than this is lost in the noise of a street or of a bad line."""

QUIET_LEVEL_DBFS = -30.0
"""Quieter than this is hard to follow for an elderly caller."""

SILENT_LEVEL_DBFS = -60.0
"""Nothing in a sound below this level can be heard on a telephone."""

REFUSED_CLIPPED_SHARE = 0.01
"""More clipped samples than this make words unclear."""

LONGEST_PAUSE_S = 1.5
"""A longer silence at either end makes callers think that the line is dead."""


class Weight(StrEnum):
    """What follows from a finding."""

    REFUSED = "refused"
    WARNING = "warning"
    NOTICE = "notice"


class SoundReason(StrEnum):
    """The single reason behind a finding about a sound."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    SAMPLE_RATE_LOW = "sample_rate_low"
    TOO_LONG = "too_long"
    LONG_NOT_ALLOWED = "long_not_allowed"
    SILENT = "silent"
    TOO_QUIET = "too_quiet"
    QUIET = "quiet"
    CLIPPED = "clipped"
    SILENCE_AT_START = "silence_at_start"
    SILENCE_AT_END = "silence_at_end"
    MIXED_DOWN = "mixed_down"
    GUARD_ADDED = "guard_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found about a sound: why, by what figure, and what to do about it."""

    weight: Weight
    reason: SoundReason
    figure: str
    advice: str

    def __str__(self) -> str:
        return f"{self.figure}; {self.advice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFigures:
    """What was measured of a sound, before and after it was made fit for the telephone."""

    sample_rate: int
    """Hertz, of the file as it was given."""
    channels: int
    """Of the file as it was given."""
    finite: bool
    """False when the file holds samples that are no numbers."""
    clipped_share: float
    """Share of samples in runs of three or more at full scale, in the file as it was given."""
    seconds: float
    """Length of what the caller hears, the guard included."""
    level_dbfs: float
    """Root mean square level of what the caller hears."""
    leading_silence_s: float
    trailing_silence_s: float
    guard_added_s: float
    """Silence put before the sound so that it starts with ``GUARD_S`` of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A sound as the caller hears it: 8 kHz, mono, guard included."""

    samples: bytes = field(repr=False)
    """Headerless, 16-bit, little-endian."""
    figures: SoundFigures

    @property
    def length_ms(self) -> int:
        """Length in milliseconds."""
        return round(len(self.samples) / 2 / TELEPHONE_RATE * 1000)

    @property
    def sha256(self) -> str:
        """SHA-256 of the samples (hex): what names the sound in every proof (R8.2c)."""
        return sha256(self.samples).hexdigest()


def judge_sound(
    figures: SoundFigures, *, layer: Layer, longest_s: float, allow_long: bool
) -> tuple[Finding, ...]:
    """Return everything there is to say about a sound, refusals first (§ 8.2).

    It is refused if any finding is. ``longest_s`` is the limit of what every caller must
    hear; only the second layer, which a caller asks for by a key, may exceed it.
    """
    findings = [*_length(figures, layer=layer, longest_s=longest_s, allow_long=allow_long)]
    findings += _samples(figures)
    if figures.finite and figures.seconds > 0:
        findings += _level(figures)
        findings += _pauses(figures)
    order = list(Weight)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.weight)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What is wrong with one version in the catalogue (R8.2e)."""

    kind: IncidentKind
    """``ANNOUNCEMENT_MISSING`` or ``ANNOUNCEMENT_CHANGED``."""
    announcement_id: AnnouncementId | None
    """None when it concerns the catalogue as a whole."""
    detail: str

    def __str__(self) -> str:
        subject = f"{self.announcement_id}: " if self.announcement_id else ""
        return f"{subject}{self.detail}"


def refusals(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that forbid the sound."""
    return tuple(each for each in findings if each.weight is Weight.REFUSED)


def which_is_active(
    versions: Iterable[Announcement], layer: Layer, language: str, now: datetime
) -> Announcement | None:
    """Return the version in force at ``now``: the one activated last, not in the future.

    Of two activated for the same instant the one added later wins. A version that was
    activated several times may stand in ``versions`` once for each.
    """
    candidates = [
        (each.active_from, each.added_at, each.id.bytes, each)
        for each in versions
        if each.layer is layer
        and each.language == language
        and each.active_from is not None
        and each.active_from <= now
    ]
    return max(candidates, key=lambda candidate: candidate[:3])[-1] if candidates else None


def _length(
    figures: SoundFigures, *, layer: Layer, longest_s: float, allow_long: bool
) -> Iterable[Finding]:
    if figures.seconds <= 0:
        yield _refused(SoundReason.EMPTY, "the file holds no sound", "record it again")
    if allow_long and layer is not Layer.SECOND:
        yield _refused(
            SoundReason.LONG_NOT_ALLOWED,
            f"a long sound is allowed for the second layer only, not for {layer}",
            "every caller must sit through this one: leave out --allow-long",
        )
    if figures.seconds > longest_s and not (allow_long and layer is Layer.SECOND):
        hint = " or pass --allow-long" if layer is Layer.SECOND else ""
        yield _refused(
            SoundReason.TOO_LONG,
            f"{figures.seconds:.1f} s with the silence at its start, at most {longest_s:g} s",
            f"shorten the text{hint}",
        )


def _samples(figures: SoundFigures) -> Iterable[Finding]:
    if not figures.finite:
        yield _refused(
            SoundReason.NOT_A_NUMBER,
            "the file holds samples that are not numbers",
            "export it again as 16-bit WAV",
        )
    if figures.sample_rate < LOWEST_SAMPLE_RATE:
        yield _refused(
            SoundReason.SAMPLE_RATE_LOW,
            f"{figures.sample_rate} Hz, at least {LOWEST_SAMPLE_RATE} Hz",
            "record it again at 16,000 Hz or more; converting it up does not help",
        )
    if figures.clipped_share > 0:
        weight = Weight.REFUSED if figures.clipped_share > REFUSED_CLIPPED_SHARE else Weight.WARNING
        yield Finding(
            weight=weight,
            reason=SoundReason.CLIPPED,
            figure=f"{figures.clipped_share:.2%} of the samples are clipped",
            advice="record it again at a lower level",
        )
    if figures.channels > 1:
        yield Finding(
            weight=Weight.NOTICE,
            reason=SoundReason.MIXED_DOWN,
            figure=f"{figures.channels} channels",
            advice="mixed down to the one that a telephone has",
        )


def _level(figures: SoundFigures) -> Iterable[Finding]:
    level = f"the level is {figures.level_dbfs:.0f} dBFS"
    if figures.level_dbfs < SILENT_LEVEL_DBFS:
        hint = "; two channels that cancel each other give silence too" * (figures.channels > 1)
        yield _refused(
            SoundReason.SILENT,
            f"silent: {level}",
            f"nothing of it would be heard on a telephone: record it again{hint}",
        )
    elif figures.level_dbfs < REFUSED_LEVEL_DBFS:
        yield _refused(
            SoundReason.TOO_QUIET,
            f"{level}, at least {REFUSED_LEVEL_DBFS:.0f}",
            "make it louder: about -20 dBFS is right",
        )
    elif figures.level_dbfs < QUIET_LEVEL_DBFS:
        yield Finding(
            weight=Weight.WARNING,
            reason=SoundReason.QUIET,
            figure=level,
            advice="make it louder: about -20 dBFS is right",
        )


def _pauses(figures: SoundFigures) -> Iterable[Finding]:
    if figures.level_dbfs < SILENT_LEVEL_DBFS:
        return
    for reason, seconds, where in (
        (SoundReason.SILENCE_AT_START, figures.leading_silence_s, "start"),
        (SoundReason.SILENCE_AT_END, figures.trailing_silence_s, "end"),
    ):
        if seconds > LONGEST_PAUSE_S:
            yield Finding(
                weight=Weight.WARNING,
                reason=reason,
                figure=f"{seconds:.1f} s of silence at the {where}",
                advice="cut it: callers think that the line is dead",
            )
    if figures.guard_added_s > 0:
        yield Finding(
            weight=Weight.NOTICE,
            reason=SoundReason.GUARD_ADDED,
            figure=f"{figures.guard_added_s:.2f} s of silence put before it",
            advice="the first half second after the answer may not reach the caller",
        )


def _refused(reason: SoundReason, figure: str, advice: str) -> Finding:
    return Finding(weight=Weight.REFUSED, reason=reason, figure=figure, advice=advice)
