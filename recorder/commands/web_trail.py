"""The audit trail for the web: verified beside the loop that serves, exported piece by piece."""

import asyncio
from collections.abc import AsyncIterator

from recorder.adapters.audit_files import CheckpointFolder, read_key
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.audit.notes import BadNote, PublicKey
from recorder.audit.service import Auditor, Report
from recorder.commands.audit_export import zipped_export
from recorder.commands.db import url_of
from recorder.errors import ConfigurationError, RuleViolation
from recorder.settings import Settings


def verify_trail(settings: Settings) -> Report:
    """Verify beside the loop that serves: hashing a long trail takes its time."""

    async def verify() -> Report:
        async with connect(url_of(settings), application="web audit") as engine:
            checkpoints = CheckpointFolder(settings.audit_checkpoint_dir).notes()
            return await Auditor(PostgresTrail(engine), public=public_key(settings)).verify(
                checkpoints
            )

    return asyncio.run(verify())


async def exported(settings: Settings, trail: PostgresTrail) -> AsyncIterator[bytes]:
    """Return the trail with its proofs as one archive. Raises ``RuleViolation``."""
    public = public_key(settings)
    if public is None:
        raise RuleViolation("an export without a key proves little")
    notes = await asyncio.to_thread(CheckpointFolder(settings.audit_checkpoint_dir).notes)
    return await zipped_export(trail, public, notes)


def public_key(settings: Settings) -> PublicKey | None:
    """Return what verifies checkpoints; None = no key is set. Raises ``ConfigurationError``."""
    if not settings.audit_public_key:
        return read_key(settings.audit_key_file).public if settings.audit_key_file else None
    try:
        return PublicKey.parse(settings.audit_public_key)
    except BadNote as error:
        raise ConfigurationError(f"RECORDER_AUDIT_PUBLIC_KEY: {error}") from None
