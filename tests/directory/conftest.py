"""A directory and a provider for every file here, and the PostgreSQL of the other tests."""

from collections.abc import Iterator

import pytest

from tests.directory.certificates import Authority
from tests.directory.open_ldap import HERE, OpenLdap, install
from tests.directory.provider import tell
from tests.directory.serving import serving
from tests.postgres.conftest import *  # noqa: F403 - its fixtures


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
    with serving() as issuer:
        yield issuer


@pytest.fixture
async def issuer(running: str) -> str:
    """Return the provider, which tells the truth until it is told to lie."""
    await tell(running)
    return running
