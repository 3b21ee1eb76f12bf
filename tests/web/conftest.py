"""A PostgreSQL for the tests of the web, and an office on it."""

import gc
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from recorder import logs
from tests.postgres.conftest import database_url, empty_url, postgres
from tests.web.office import WebOffice, open_office

__all__ = ["database_url", "empty_url", "office", "postgres"]


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[WebOffice]:
    async with open_office(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True, scope="module")
def _leaves_nothing_open() -> Iterator[None]:
    """What a test leaves open is told in its own file, not in whichever test runs much later."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _logs_as_in_operation() -> None:
    logs.configure(level="info", file=None)
    # The client of the tests would write a line a request: seconds, where there are thousands.
    logging.getLogger("httpx").setLevel(logging.WARNING)
