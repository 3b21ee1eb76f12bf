"""The PostgreSQL of the other tests."""

from tests.postgres.conftest import *  # noqa: F403 - its fixtures
