"""What the retention process does for completeness, and how often (RG.13)."""

from collections.abc import Sequence
from datetime import timedelta

from recorder.completeness.service import Completeness
from recorder.retention.model import Job, Tell

COMPARES_EVERY = timedelta(minutes=15)


def jobs_of(completeness: Completeness) -> Sequence[Job]:
    """Return the comparison and the counting of days."""

    async def compare(_: Tell) -> str:
        return await completeness.run()

    async def count(_: Tell) -> str:
        return await completeness.count_calls()

    return (
        Job(name="completeness", every=COMPARES_EVERY, work=compare),
        Job(name="count_calls", every=timedelta(hours=1), work=count),
    )
