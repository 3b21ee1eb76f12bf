"""R7.3e: four eyes are those of two persons."""

from datetime import datetime, timedelta

import pytest

from recorder.approvals.rules import Why, judge_confirming
from tests.builders import NOON
from tests.builders_keeping import an_approval


@pytest.mark.parametrize(
    ("person", "decided_at", "later", "why"),
    [
        ("operator:kamil", None, timedelta(0), Why.SECOND_PERSON),
        ("operator:olga", None, timedelta(0), Why.SAME_PERSON),
        ("operator:kamil", NOON, timedelta(0), Why.ALREADY_DECIDED),
        ("operator:kamil", None, timedelta(days=7), Why.TOO_OLD),
        ("operator:kamil", None, timedelta(days=7, seconds=-1), Why.SECOND_PERSON),
    ],
)
def test_only_another_person_confirms_and_only_once_and_in_time(
    person: str, decided_at: datetime | None, later: timedelta, why: Why
) -> None:
    approval = an_approval(decided_at=decided_at)
    assert judge_confirming(approval, person=person, now=NOON + later) is why
