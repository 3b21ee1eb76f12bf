"""What every test shares: how long Hypothesis searches, and which tests run beside which."""

import pytest
from hypothesis import HealthCheck, settings

# The machines are shared: an example that took long says nothing about the code.
settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", settings.get_profile("quick"), max_examples=20_000)
settings.load_profile("quick")

LONGEST = ("test_every_page", "asterisk", "test_backup_crashes", "test_who_may_do_what")
"""Files, or the files of a mark, that begin first: left for the end, all else would wait for one.
One worker looks at the pages while the other two place calls: two Asterisks at once, mostly."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first where several workers take one file each."""
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    for rank, name in enumerate(LONGEST):
        if item.path.stem == name or item.get_closest_marker(name):
            return rank
    return len(LONGEST)
