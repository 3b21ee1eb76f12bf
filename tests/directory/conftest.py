"""A directory and a provider for every file here, and the PostgreSQL of the other tests."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directory.certificates import Authority
from tests.directory.open_ldap import HERE, OpenLdap, install
from tests.directory.provider import tell
from tests.postgres.conftest import *  # noqa: F403 - its fixtures

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "office")


@pytest.fixture(scope="session")
def filled(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenLdap]:
    install()
    certificate, key = authority.certify(HERE)
    server = OpenLdap(folder=tmp_path_factory.mktemp("ldap"), certificate=certificate, key=key)
    server.fill()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(filled: OpenLdap) -> OpenLdap:
    if filled.process is None:
        filled.start()
    return filled


@pytest.fixture(scope="session")
def running() -> Iterator[str]:
    """Give the issuer of a provider in a process of its own, which lies as it is told."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.directory.provider"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    with process, process.stdout:
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture
async def issuer(running: str) -> str:
    """Return the provider, which tells the truth until it is told to lie."""
    await tell(running)
    return running
