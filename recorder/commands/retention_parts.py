"""What ``recorder status`` tells of erasing: each job, each brake, what would not go."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.keeping import PROCESS
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.inventory import PostgresInventory
from recorder.adapters.postgres.jobs import PostgresJobs
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.commands.health import Part, State
from recorder.erasure.rules import RetentionInForce, retention_in_force
from recorder.retention.model import JobState
from recorder.retention.rules import is_late

MOST_TOLD = 100


async def retention_parts(
    engine: AsyncEngine, now: datetime, *, configured: int | None
) -> list[Part]:
    """Return the parts that the retention process is seen by. Raises ``LedgerUnavailable``.

    ``configured`` is what regulation.toml says; None = it cannot be read.
    """
    jobs = await PostgresJobs(engine).states()
    parts = list(_jobs(jobs, now))
    if configured is not None:
        parts.append(days_part(await days_in_force(engine, configured)))
    for each in await PostgresPurgeLog(engine, actor=PROCESS).brakes():
        says = f"{each.detail}; look, then: recorder purge --confirm {each.token}"
        if not each.released:
            parts.append(Part(f"brake {each.brake}", State.DOWN, says))
    half = await PostgresErasures(engine, actor=PROCESS).half_erased(after=None, limit=MOST_TOLD)
    failed = [each for each in half if each.failures]
    if failed:
        says = f"{len(failed)} recordings would not go, {failed[0].id} among them"
        parts.append(Part("erasing", State.ATTENTION, says))
    limit = await PostgresInventory(engine, actor=PROCESS).next_limit()
    if limit is not None:
        # R7.2i: whatever the reason, this must never be seen.
        late = limit <= now
        says = f"the oldest recording not on hold must be gone by {limit:%Y-%m-%d %H:%M} UTC"
        parts.append(Part("oldest", State.DOWN if late else State.OK, says))
    return parts


async def days_in_force(engine: AsyncEngine, configured: int) -> RetentionInForce:
    """Return the days that hold. Raises ``LedgerUnavailable``."""
    applied = await PostgresPurgeLog(engine, actor=PROCESS).applied()
    return retention_in_force(configured=configured, applied=applied)


def days_part(found: RetentionInForce) -> Part:
    """Say how long recordings are kept now, and what regulation.toml says beside it (R7.2c)."""
    says = f"{found.days} days are in force"
    if found.waits_for_a_person:
        says += (
            f"; regulation.toml says {found.configured} and waits for two persons: "
            "recorder config apply-retention, or /settings/retention"
        )
        return Part("days kept", State.ATTENTION, says)
    if found.was_decided_shorter:
        says += f" by a decision; regulation.toml says {found.configured}"
    else:
        says += ", as regulation.toml says"
    return Part("days kept", State.OK, says)


def _jobs(jobs: Sequence[JobState], now: datetime) -> Iterator[Part]:
    if not jobs:
        yield Part("retention", State.ATTENTION, "never ran: nothing is erased")
    for job in jobs:
        every = None
        if job.next_due is not None and job.last_started is not None:
            every = job.next_due - job.last_started
        late = every is None or is_late(job, every=every, now=now)
        says = job.progress or "-"
        if job.last_succeeded is not None:
            says += f"; last done {job.last_succeeded:%Y-%m-%d %H:%M} UTC by {job.worker}"
        if job.last_error:
            says += f"; last failed with {job.last_error}"
        yield Part(f"job {job.name}", State.ATTENTION if late or job.last_error else State.OK, says)
