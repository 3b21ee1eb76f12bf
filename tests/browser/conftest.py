"""A real Chromium in front of a real web, with one office for all tests of the run."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from recorder import logs
from recorder.embedded.postgres import EmbeddedPostgres, free_port
from recorder.web.rules import parse_origin
from recorder.web.server import listen, server_for
from tests.browser.desk import OfficeDesk
from tests.browser.seeded import HOSTILE, PLAIN, Seeded, seed
from tests.postgres.conftest import create, postgres, url_of
from tests.web.office import open_office

__all__ = ["postgres"]

FLAGS = (
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio"),
    *("--autoplay-policy=no-user-gesture-required", "--disable-background-networking"),
)


def chromium() -> str:
    """Return Debian's Chromium, installed when there is none and we may."""
    found = shutil.which("chromium")
    if found is None and os.geteuid() == 0:
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
        ):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = shutil.which("chromium")
    if found is None:
        pytest.skip("Chromium is not here: apt-get install chromium")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield launched
        finally:
            await launched.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(
    postgres: EmbeddedPostgres, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OfficeDesk]:
    async with a_desk(postgres, browser, tmp_path_factory.mktemp("office"), "browser") as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tidy(
    postgres: EmbeddedPostgres, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Seeded]:
    """Return an office that has something to show on every page."""
    async with a_desk(postgres, browser, tmp_path_factory.mktemp("tidy"), "tidy") as opened:
        yield await seed(opened, PLAIN)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hostile(
    postgres: EmbeddedPostgres, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Seeded]:
    """Return the same office, in which whoever could write something wrote what is hostile."""
    async with a_desk(postgres, browser, tmp_path_factory.mktemp("hostile"), "hostile") as opened:
        yield await seed(opened, HOSTILE)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def trial(
    postgres: EmbeddedPostgres, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Seeded]:
    """Return the same office again, for whoever changes something in it."""
    async with a_desk(postgres, browser, tmp_path_factory.mktemp("trial"), "trial") as opened:
        yield await seed(opened, PLAIN)


@asynccontextmanager
async def a_desk(
    postgres: EmbeddedPostgres, browser: Browser, directory: Path, name: str, **settings: Any
) -> AsyncIterator[OfficeDesk]:
    """Give a new office, served on loopback, and desks at it."""
    logs.configure(level="warning", file=None)
    create(postgres, name, template="template")
    port = free_port()
    origin = parse_origin(f"http://127.0.0.1:{port}")
    async with open_office(
        url_of(postgres, name),
        directory,
        origin=origin,
        listed="127.0.0.1",
        log_file=directory / "logs" / "web.log",
        **settings,
    ) as office:
        with listen("127.0.0.1", port) as listening:
            serving = asyncio.ensure_future(
                server_for(office.app, origin=origin).run_until_cancelled(listening)
            )
            bundles = asyncio.ensure_future(office.services.maintenance.bundles.work())
            opened = OfficeDesk(office=office, browser=browser)
            try:
                yield opened
            finally:
                await opened.close()
                serving.cancel()
                bundles.cancel()
                await asyncio.gather(serving, bundles, return_exceptions=True)
