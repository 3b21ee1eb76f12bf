"""How days and ids stand in addresses: nothing of anybody."""

from datetime import date
from uuid import UUID

from recorder.web.problems import Kind, Problem
from recorder.web.reading import EARLIEST, LATEST


def day_of(text: str) -> date:
    """Return the day of an address. Raises ``Problem``: there is no such page."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Problem(kind=Kind.NOT_FOUND) from None
    if not EARLIEST <= day < LATEST:
        raise Problem(kind=Kind.NOT_FOUND)
    return day


def id_of(text: str) -> UUID:
    """Return the id of an address. Raises ``Problem``."""
    try:
        return UUID(text)
    except ValueError:
        raise Problem(kind=Kind.NOT_FOUND) from None
