"""The nouns of completeness (RG.13)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from recorder.model import CallId


class Judgement(StrEnum):
    """What a call of the PBX's records is."""

    EXPLAINED = "explained"
    """It has its row, which says recorded, or not and why."""
    IN_HAND = "in_hand"
    """Its journal, or its line of a call past capture, waits in the spool: its row follows."""
    NEVER_ANSWERED = "never_answered"
    """It has no row, and nobody was ever connected: there was nothing to record."""
    UNEXPLAINED = "unexplained"
    """It was answered, and nothing of ours knows of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxCall:
    """One call from outside, as the PBX's own records have it. No number is read."""

    channel_id: str
    """``uniqueid``: the same id as ARI's and the journal's."""
    endpoint: str
    started_at: datetime
    ended_at: datetime
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One call's row, as far as comparing needs it."""

    call_id: CallId
    channel_id: str
    arrived_at: datetime
    pbx_lost: bool
    """The PBX stopped during it, and its record with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One day of the office, compared."""

    day: date
    compared_at: datetime
    settled_until: datetime
    """Calls that ended later were not judged yet."""
    pbx_calls: int
    explained: int
    never_answered: int
    in_hand: int
    unexplained: tuple[PbxCall, ...]
    without_record: tuple[CallId, ...]
    """Rows that the PBX's records do not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison as it is kept."""

    day: date
    compared_at: datetime
    settled_until: datetime
    pbx_calls: int
    explained: int
    never_answered: int
    in_hand: int
    unexplained: tuple[str, ...]
    """Channel ids of the PBX."""
    without_record: tuple[CallId, ...]
    """The first of them."""
    without_record_count: int

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing is left to explain."""
        return not self.unexplained
