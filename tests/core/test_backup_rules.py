"""How long a backup may live, where it may be restored, and by which tools."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.backup import rules
from recorder.backup.model import File, Manifest
from recorder.dates import erase_by
from tests.builders import NOON

HOUR = timedelta(hours=1)
WARSAW = ZoneInfo("Europe/Warsaw")
MASTER = "ab" * 16


def a_manifest(**changes: object) -> Manifest:
    file = File(path="file", size=1, sha256="0" * 64)
    values: dict[str, object] = {
        "format": 1,
        "id": UUID(int=1),
        "release": "0.1.0",
        "at": NOON,
        "finished_at": NOON + HOUR,
        "destroy_by": NOON + 7 * 24 * HOUR,
        "retention_days": 23,
        "key_days": 7,
        "server": 18,
        "revision": "0004",
        "trail_seq": 0,
        "trail_hash": "0" * 64,
        "master_key_id": MASTER,
        "dump": file,
        "keys": file,
        "vault": "/mnt/audio",
        "recordings": (),
        "erased": (),
        "missing": (),
        "files": (),
    }
    return Manifest.model_validate(values | changes)


@pytest.mark.parametrize(
    ("retention_days", "key_days", "allowed"),
    [(30, 0, True), (30, 1, False), (23, 7, True), (23, 8, False), (1, 29, True)],
)
def test_retention_and_key_backups_stay_within_thirty_days(
    retention_days: int, key_days: int, allowed: bool
) -> None:
    """RG.17."""
    problem = rules.days_problem(retention_days=retention_days, key_days=key_days)
    assert (problem == "") is allowed


@given(
    ended_at=st.datetimes(
        min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - made aware below
        max_value=datetime(2028, 12, 31),  # noqa: DTZ001 - made aware below
    ).map(lambda naive: naive.replace(tzinfo=UTC)),
    retention_days=st.integers(1, 29),
    age=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=29)),
)
def test_a_key_in_a_backup_never_outlives_the_thirty_days(
    ended_at: datetime, retention_days: int, age: timedelta
) -> None:
    """RG.17: whatever was not due when the backup was made, over changes of the clocks."""
    made_at = ended_at + age
    due = erase_by(ended_at, days=retention_days, office_zone=WARSAW) - HOUR
    if made_at >= due:
        return
    gone = rules.destroy_by(made_at, key_days=30 - retention_days) - HOUR
    assert gone < erase_by(ended_at, days=30, office_zone=WARSAW)


def test_keys_of_a_backup_go_before_their_limit() -> None:
    by = rules.destroy_by(NOON, key_days=7)
    last = by - HOUR
    assert rules.must_be_destroyed(by, lead=HOUR, now=last)
    assert not rules.must_be_destroyed(by, lead=HOUR, now=last - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("found", "order"),
    [
        ([], []),
        ([(15, "old")], []),
        ([(15, "old"), (18, "same")], ["same"]),
        ([(19, "newer"), (18, "same"), (17, "old")], ["same", "newer"]),
    ],
)
def test_the_servers_own_version_of_a_tool_wins(
    found: list[tuple[int, str]], order: list[str]
) -> None:
    assert rules.tool_order(found, server=18) == order


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"format": 2}, "newer release"),
        ({"revision": "0099"}, "0099"),
        ({"master_key_id": "cd" * 16}, "another master key"),
        ({"server": 19}, "PostgreSQL 19"),
        ({"at": NOON + 3 * HOUR}, "clock"),
    ],
)
def test_a_backup_is_restored_only_where_it_fits(changes: dict[str, object], says: str) -> None:
    problem = rules.restore_problem(
        a_manifest(**changes),
        master_key_id=MASTER,
        revisions=["0003", "0004"],
        server=18,
        now=NOON + 2 * HOUR,
    )
    assert says in problem
    assert bool(problem) is bool(says)


def test_a_ledger_must_be_younger_than_the_backup() -> None:
    assert rules.ledger_problem(ledger_at=NOON - HOUR, made_at=NOON)
    assert not rules.ledger_problem(ledger_at=NOON, made_at=NOON)
    assert not rules.ledger_problem(ledger_at=None, made_at=NOON)


def test_a_hold_wins_over_an_erasure_of_before() -> None:
    held, free = uuid4(), uuid4()
    assert rules.to_erase_again([held, free], held={held}) == {free}


@pytest.mark.parametrize("path", ["../keys", "/etc/passwd", "a//b", "a/../b", ".hidden", "a/b/"])
def test_a_manifest_names_no_file_outside_its_folder(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        File(path=path, size=1, sha256="0" * 64)
