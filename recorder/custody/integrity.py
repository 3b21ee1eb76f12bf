"""Is a stored recording still what was sealed? What is not is marked, told once, and refused."""

from enum import StrEnum

import structlog

from recorder.errors import RecordingDamaged, VaultUnavailable
from recorder.model import RecordingId
from recorder.ports import Clock, Ledger, Vault

log = structlog.get_logger(__name__)


class Integrity(StrEnum):
    """What reading a whole recording showed."""

    WHOLE = "whole"
    DAMAGED = "damaged"
    """It does not authenticate, or is another WAV than its row says."""
    MISSING = "missing"
    UNREADABLE = "unreadable"
    """The vault or the keys did not answer: nothing is known."""


class Verifier:
    """Reads recordings whole and compares them with their rows (RG.3)."""

    def __init__(self, *, vault: Vault, ledger: Ledger, clock: Clock) -> None:
        self._vault, self._ledger, self._clock = vault, ledger, clock

    async def verify(self, recording_id: RecordingId, *, folder: str, sha256: str) -> Integrity:
        """Read one recording. Raises ``LedgerUnavailable`` when damage cannot be written."""
        try:
            found = await self._vault.digest(recording_id, folder=folder)
        except RecordingDamaged as error:
            await self.report(recording_id, str(error))
            return Integrity.DAMAGED
        except VaultUnavailable:
            return Integrity.UNREADABLE
        if found is None:
            return Integrity.MISSING
        if found != sha256:
            await self.report(recording_id, "the audio is not the one of its row")
            return Integrity.DAMAGED
        return Integrity.WHOLE

    async def report(self, recording_id: RecordingId, why: str) -> None:
        """Mark a recording as damaged and raise the alarm, whoever's reading found it."""
        log.error("recording_damaged", recording_id=str(recording_id), why=why)
        await self._ledger.mark_damaged(recording_id, at=self._clock.now(), detail=why)
