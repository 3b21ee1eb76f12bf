"""What every test shares: how long Hypothesis searches, and which tests run beside which."""

import pytest
from hypothesis import HealthCheck, settings

# The machines are shared: an example that took long says nothing about the code.
settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", settings.get_profile("quick"), max_examples=20_000)
settings.load_profile("quick")

OFFICE_ONE = {"test_capture_in_trouble", "test_faults", "test_dialplan_ways_in", "test_calls"}
"""Half the files with a real Asterisk, by the time they take. The others are the second office."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays together, for its fixtures; of the real Asterisks at most two run at once.

    A test may name a group of its own.
    """
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        group = str(item.path)
        if item.get_closest_marker("asterisk"):
            group = "office one" if item.path.stem in OFFICE_ONE else "office two"
        item.add_marker(pytest.mark.xdist_group(group))
