"""How the service is now, as far as the web can see it: its parts, the recording, the jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recorder.live.model import RECORDS, Health, Node
from recorder.live.rules import health_of
from recorder.retention.model import JobState
from recorder.retention.rules import is_late
from recorder.web.health import PartState
from recorder.web.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How everything stands; nothing of anybody."""

    parts: Sequence[PartState]
    captures: Sequence[tuple[Node, Health]]
    """Each recording service, and how it does."""
    in_progress: int
    jobs: Sequence[JobState]
    late: frozenset[str]
    """Names of jobs that are."""

    @property
    def silent(self) -> int:
        """How many recording services record no call that comes now."""
        return sum(health not in RECORDS for _, health in self.captures)

    def told(self) -> list[dict[str, object]]:
        """Return it as a diagnostic bundle has it."""
        parts: list[dict[str, object]] = [
            {"name": each.name, "state": "ok" if each.reachable else "down", "says": each.says}
            for each in self.parts
        ]
        captures: list[dict[str, object]] = [
            {
                "name": f"capture at {node.name}",
                "state": "ok" if health in RECORDS else "down",
                "says": f"{health.value}, seen at {node.seen_at.isoformat()}",
            }
            for node, health in self.captures
        ]
        late: list[dict[str, object]] = [
            {"name": name, "state": "attention", "says": "late"} for name in sorted(self.late)
        ]
        return [*parts, *captures, *late]


async def condition_of(services: Services, now: datetime) -> Condition:
    """Ask everything that the web can ask. Raises ``LedgerUnavailable``."""
    jobs = await services.jobs()
    board = await services.live.board()
    return Condition(
        parts=await services.supervision.parts.ask(),
        captures=[(each, health_of(each, now)) for each in board.nodes],
        in_progress=len(board.calls),
        jobs=jobs,
        late=frozenset(
            each.name
            for each in jobs
            if each.last_started is None
            or each.next_due is None
            or is_late(each, every=each.next_due - each.last_started, now=now)
        ),
    )
