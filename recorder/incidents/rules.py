"""May this incident be explained, or closed?"""

from enum import StrEnum

from recorder.incidents.model import Incident, State

LONGEST = 1000
"""Characters of an explanation."""


class Why(StrEnum):
    """The single reason behind an answer."""

    ALLOWED = "allowed"
    CLOSED_ALREADY = "closed_already"
    NOT_EXPLAINED = "not_explained"
    """Closing says that nothing is left to do: first somebody says what it was."""
    NO_WORDS = "no_words"
    TOO_LONG = "too_long"


def may_explain(incident: Incident, *, explanation: str) -> Why:
    """Return whether this may be said of it; an explanation may be put right until it is closed."""
    if incident.state is State.CLOSED:
        return Why.CLOSED_ALREADY
    if not explanation.strip():
        return Why.NO_WORDS
    return Why.TOO_LONG if len(explanation) > LONGEST else Why.ALLOWED


def may_close(incident: Incident) -> Why:
    """Return whether it may be closed."""
    if incident.state is State.CLOSED:
        return Why.CLOSED_ALREADY
    return Why.ALLOWED if incident.state is State.EXPLAINED else Why.NOT_EXPLAINED
