"""All that the application is built with; chosen by the composition root alone."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from recorder.access.listening import Listening
from recorder.accounts.keeper import AccountKeeper
from recorder.accounts.model import Account, Session, SessionId
from recorder.accounts.service import Doorkeeper
from recorder.audit.event import Actor
from recorder.ports import Clock
from recorder.web.answers import Answers
from recorder.web.door import Places, Refusal
from recorder.web.drawing import Drawing
from recorder.web.gate import Gate, Limits
from recorder.web.health import Supervision
from recorder.web.metrics import Measures
from recorder.web.ports import Finder
from recorder.web.rules import Origin
from recorder.web.streaming import Pace


class Sessions(Protocol):
    """Where people are signed in. Raises ``LedgerUnavailable``."""

    async def of_account(self, account: Account, *, now: datetime) -> Sequence[Session]:
        """Return the sessions that stand, the last used first."""

    async def end(self, session_id: SessionId, *, actor: Actor, at: datetime) -> None:
        """End one, with its entry in the trail."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts, and what the office's regulation says about them."""

    origin: Origin
    clock: Clock
    zone: ZoneInfo
    purposes: Collection[str]
    """§ 3.1, word for word."""
    drawing: Drawing
    answers: Answers
    measures: Measures
    places: Places
    note_refusal: Refusal
    gate: Gate
    limits: Limits
    supervision: Supervision
    doorkeeper: Doorkeeper
    accounts: AccountKeeper
    sessions: Sessions
    finder: Finder
    listening: Listening
    pace: Pace
    draw_factor: Callable[[str, str], str]
    """From a secret and a login the picture that a telephone reads, as SVG."""
