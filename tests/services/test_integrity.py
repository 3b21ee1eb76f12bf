"""A recording that is not what was sealed is refused, marked and told once (RG.3, F13)."""

import pytest

from recorder.custody.integrity import Integrity, Verifier
from recorder.errors import LedgerUnavailable
from recorder.model import IncidentKind
from tests.fakes import FakeClock
from tests.services.test_custody import World, sealed

FOLDER = "2026/11/12"


async def look(world: World, **changes: str) -> Integrity:
    (recording,) = world.ledger.recordings.values()
    verifier = Verifier(vault=world.vault, ledger=world.ledger, clock=FakeClock())
    asked = {"folder": FOLDER, "sha256": recording.audio.sha256} | changes
    return await verifier.verify(recording.id, **asked)


async def test_a_whole_recording_is_whole_and_leaves_no_trace() -> None:
    world = await sealed(seconds=20)
    assert await look(world) is Integrity.WHOLE
    assert world.ledger.damaged_at == {}


@pytest.mark.parametrize("how", ["damaged", "another WAV", "key gone"])
async def test_a_damaged_recording_is_marked_and_told_once(how: str) -> None:
    world = await sealed(seconds=20)
    (recording,) = world.ledger.recordings.values()
    changes = {"sha256": "0" * 64} if how == "another WAV" else {}
    if how == "damaged":
        world.vault.damaged.add(recording.id)
    if how == "key gone":
        world.vault.keys.clear()
    for _ in range(2):
        assert await look(world, **changes) is Integrity.DAMAGED
    assert list(world.ledger.damaged_at) == [recording.id]
    (incident,) = world.ledger.incidents
    assert (incident.kind, incident.call_id) == (
        IncidentKind.RECORDING_DAMAGED,
        recording.call_id,
    )
    assert str(recording.id) not in incident.detail


async def test_a_vault_that_is_away_and_a_missing_file_damage_nothing() -> None:
    world = await sealed(seconds=20)
    world.vault.away = True
    assert await look(world) is Integrity.UNREADABLE
    world.vault.away = False
    world.vault.files.clear()
    assert await look(world) is Integrity.MISSING
    assert world.ledger.damaged_at == {}


async def test_damage_that_cannot_be_written_is_not_passed_over() -> None:
    world = await sealed(seconds=20)
    world.vault.damaged.update(world.vault.keys)
    world.ledger.away = True
    with pytest.raises(LedgerUnavailable):
        await look(world)
