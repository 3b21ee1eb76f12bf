"""What the bundle's maker asks of the world."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Protocol

Source = Callable[[], Awaitable[object]]
"""Returns one file of a bundle, as JSON can hold it. Raises ``RecorderError`` when it cannot."""


class KnownPeople(Protocol):
    """Whose numbers and names the ledger holds. Both raise ``LedgerUnavailable``."""

    async def callers_among(self, numbers: Collection[str]) -> frozenset[str]:
        """Return those of ``numbers`` that a caller has, in either spelling of the ledger."""

    def names(self) -> AsyncIterator[str]:
        """Yield the names of callers, of persons with an account, and of whoever asked."""
