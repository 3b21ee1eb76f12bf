"""What is a call's last word, may it be sealed now, and what does its recording say of itself?"""

import errno
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from recorder.dates import erase_by
from recorder.live.rules import AT_A_PAGE, AT_A_TELEPHONE
from recorder.model import (
    CallRecord,
    Decision,
    IncidentKind,
    Reason,
    Recording,
    SealedAudio,
)

AUDIO_TOLERANCE_S = 1.0
AUDIO_TOLERANCE_SHARE = 0.02
"""Audio and connected time may differ by the larger of the two before it is a gap."""

BYTES_PER_SECOND = 32_000
"""Two channels of 16 bits at 8 kHz."""

FLUSH_WITHIN_S = 0.1
"""Audio this close to the connected time is whole: the PBX has closed the file."""

SETTLED_AFTER_S = 2.0
"""A file that has not grown for so long will not grow any more: the PBX writes every second."""


SHORT_OF = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
"""What the kernel says when a process may have no more descriptors, memory or threads."""
NO_THREAD = "can't start new thread"


def is_shortage(error: Exception) -> bool:
    """Tell whether it is the machine that was short of something: the same may succeed later.

    >>> is_shortage(MemoryError()), is_shortage(RuntimeError("can't start new thread"))
    (True, True)
    >>> is_shortage(OSError(errno.ENOENT, "")), is_shortage(RuntimeError("a defect"))
    (False, False)
    """
    if isinstance(error, OSError):
        return error.errno in SHORT_OF
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and str(error) == NO_THREAD
    )


def outcome_of(call: CallRecord, *, recorded: bool) -> Decision:
    """Return what became of the call, given whether audio was sealed.

    Permission to record is not a recording: nobody may have answered, or the audio was lost.
    """
    decision = call.decision or Decision(record=False, reason=Reason.APP_RESTARTED)
    if decision.record and is_discarded(call):
        return Decision(record=False, reason=Reason.DISCARDED)
    if recorded or not decision.record:
        return decision
    if recordable_seconds(call) > AUDIO_TOLERANCE_S:
        return Decision(record=False, reason=Reason.AUDIO_LOST)
    if call.pbx_lost:
        return Decision(record=False, reason=Reason.PBX_LOST)
    if call.answered_at is None:
        return Decision(record=False, reason=Reason.NOT_ANSWERED)
    if _stopped_at(call) is not None:
        return Decision(record=False, reason=_why_stopped(call))
    return Decision(record=False, reason=Reason.AUDIO_LOST)


def recordable_seconds(call: CallRecord) -> float:
    """Return how long a complete recording lasts: the connected time until it was stopped."""
    stopped_at = _stopped_at(call)
    if stopped_at is None:
        return call.bridged_seconds
    return sum(
        replace(span, until=min(span.until or stopped_at, stopped_at)).seconds
        for span in call.bridged
        if span.since < stopped_at
    )


def is_discarded(call: CallRecord) -> bool:
    """Tell whether somebody ordered that nothing of the recording stays (RG.12)."""
    return any(each.kind == "recording:discarded" for each in call.timeline)


def _stopped_at(call: CallRecord) -> datetime | None:
    stops = (each.at for each in call.timeline if each.kind == "recording:stopped")
    return min(stops, default=None)


def _why_stopped(call: CallRecord) -> Reason:
    ordered = {AT_A_PAGE, AT_A_TELEPHONE}
    details = {each.detail for each in call.timeline if each.kind == "recording:stopped"}
    return Reason.STOPPED if details & ordered else Reason.FORWARDED_OUTSIDE


def is_settled(*, size: int, bridged_s: float, unwatched: bool, since_write_s: float) -> bool:
    """Tell whether the PBX has written the last of a call's audio."""
    if since_write_s >= SETTLED_AFTER_S:
        return True
    return not unwatched and size / BYTES_PER_SECOND >= bridged_s - FLUSH_WITHIN_S


def has_gap(*, audio_s: float, bridged_s: float) -> bool:
    """Tell whether audio and connected time disagree by more than max(1 s, 2 %).

    >>> has_gap(audio_s=19.98, bridged_s=20.0), has_gap(audio_s=9.6, bridged_s=16.0)
    (False, True)
    """
    allowed = max(AUDIO_TOLERANCE_S, AUDIO_TOLERANCE_SHARE * bridged_s)
    return abs(audio_s - bridged_s) > allowed


def folder_of(ended_at: datetime) -> str:
    """Return the vault's folder for a call that ended then: its day, UTC."""
    return f"{ended_at:%Y/%m/%d}"


def describe(
    call: CallRecord,
    audio: SealedAudio,
    *,
    retention_days: int,
    office_zone: ZoneInfo,
    now: datetime,
) -> Recording:
    """Return the recording that a sealed call has become.

    The period of § 7.2 counts from the call's end; a call whose end nobody saw ends with its
    last sample. Needs ``call.recording_id``.
    """
    if call.recording_id is None:
        raise ValueError("a call without permission to record has no recording")
    ended_at = call.ended_at or now
    first_sample_at = (
        call.bridged[0].since if call.bridged else ended_at - timedelta(seconds=audio.seconds)
    )
    # Where the application did not watch, connected time is a guess; the file is the measure.
    gap = not call.unwatched and has_gap(audio_s=audio.seconds, bridged_s=recordable_seconds(call))
    return Recording(
        id=call.recording_id,
        call_id=call.id,
        audio=audio,
        stored_on=folder_of(ended_at),
        first_sample_at=first_sample_at,
        ended_at=ended_at,
        erase_by=erase_by(ended_at, days=retention_days, office_zone=office_zone),
        sealed_at=now,
        truncated=call.pbx_lost,
        incomplete=gap or IncidentKind.AUDIO_GAP in call.incidents,
    )


def incidents_of(call: CallRecord, recording: Recording | None) -> tuple[IncidentKind, ...]:
    """Return what a person must look at, once each: what capture saw and what sealing found."""
    found = list(call.incidents)
    if recording is not None and recording.incomplete:
        found.append(IncidentKind.AUDIO_GAP)
    if outcome_of(call, recorded=recording is not None).reason is Reason.AUDIO_LOST:
        found.append(IncidentKind.AUDIO_LOST)
    return tuple(dict.fromkeys(found))
