"""May an incident be explained, or closed?"""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from recorder.incidents.model import Incident, IncidentId, State
from recorder.incidents.rules import LONGEST, Why, may_close, may_explain

NOW = datetime(2026, 11, 24, 11, tzinfo=UTC)
OPEN = Incident(
    id=IncidentId(UUID(int=1)), kind="audio_gap", at=NOW, call_id=None, detail="12 s of 20"
)
EXPLAINED = replace(OPEN, explained_at=NOW, explained_by="account:1", explanation="power cut")
CLOSED = replace(EXPLAINED, closed_at=NOW, closed_by="account:1")
CURED = replace(OPEN, closed_at=NOW, closed_by="process:retention")


@pytest.mark.parametrize(
    ("incident", "state", "explain", "close"),
    [
        pytest.param(OPEN, State.OPEN, Why.ALLOWED, Why.NOT_EXPLAINED, id="open"),
        pytest.param(EXPLAINED, State.EXPLAINED, Why.ALLOWED, Why.ALLOWED, id="explained"),
        pytest.param(CLOSED, State.CLOSED, Why.CLOSED_ALREADY, Why.CLOSED_ALREADY, id="closed"),
        pytest.param(CURED, State.CLOSED, Why.CLOSED_ALREADY, Why.CLOSED_ALREADY, id="cured"),
    ],
)
def test_first_it_is_explained_then_it_is_closed(
    incident: Incident, state: State, explain: Why, close: Why
) -> None:
    assert incident.state is state
    assert may_explain(incident, explanation="a power cut") is explain
    assert may_close(incident) is close


@pytest.mark.parametrize(
    ("explanation", "why"),
    [
        ("", Why.NO_WORDS),
        (" \n", Why.NO_WORDS),
        ("x" * LONGEST, Why.ALLOWED),
        ("x" * (LONGEST + 1), Why.TOO_LONG),
    ],
)
def test_an_explanation_says_something_and_is_no_novel(explanation: str, why: Why) -> None:
    assert may_explain(OPEN, explanation=explanation) is why
