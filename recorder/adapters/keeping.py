"""Builds the parts of keeping and erasing, the same for the process and for the command line."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

import uuid_utils.compat as uuids
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.audit_files import CheckpointFolder, read_key
from recorder.adapters.checkpoint_mail import CheckpointMail
from recorder.adapters.clock import SystemClock
from recorder.adapters.in_hand import SpoolInHand
from recorder.adapters.kernel_clock import KernelClock
from recorder.adapters.pbx_records import PbxRecordFiles
from recorder.adapters.postgres.approvals import PostgresApprovals
from recorder.adapters.postgres.completeness import PostgresComparisons
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.holds import PostgresHolds
from recorder.adapters.postgres.inventory import PostgresInventory
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.adapters.shredder import DiskShredder
from recorder.adapters.spool_strays import DiskSpoolStrays
from recorder.adapters.vault import DiskVault, open_vault
from recorder.approvals.ports import Approvals
from recorder.audit.event import Actor, ActorKind
from recorder.audit.keeping import TrailKeeper
from recorder.completeness.service import Completeness
from recorder.erasure.by_hand import ErasureByHand
from recorder.erasure.changing import RetentionDesk
from recorder.erasure.ports import PurgeLog, Shredder
from recorder.erasure.service import Eraser
from recorder.errors import ConfigurationError
from recorder.holds.ports import Holds
from recorder.holds.service import HoldKeeper
from recorder.regulation import Regulation
from recorder.retention.reconciling import Reconciler
from recorder.retention.rules import RECONCILE_EVERY
from recorder.settings import Settings

PROCESS = Actor(kind=ActorKind.PROCESS, name="retention")
"""Who signs what no person decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldDesk:
    """What holds and proposals need; no vault, no key."""

    holds: HoldKeeper
    hold_rows: Holds
    approvals: Approvals


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping(HoldDesk):
    """And what erasing needs."""

    process: Actor
    vault: DiskVault
    shredder: Shredder
    purge_log: PurgeLog
    eraser: Eraser
    by_hand: ErasureByHand
    retention: RetentionDesk


class TrailAtWork:
    """Keeps the trail with the key as it is then: a bad one must not keep audio from going."""

    def __init__(self, settings: Settings, engine: AsyncEngine) -> None:
        self._settings, self._engine = settings, engine

    async def daily(self) -> str:
        """Forget, then sign; return what was done. Raises ``ConfigurationError`` for the key."""
        return await open_trail_keeper(self._settings, self._engine, actor=PROCESS).daily()


def open_trail_keeper(settings: Settings, engine: AsyncEngine, *, actor: Actor) -> TrailKeeper:
    """Return who keeps the audit trail. Raises ``ConfigurationError`` without a usable key."""
    if settings.audit_key_file is None:
        raise ConfigurationError("RECORDER_AUDIT_KEY_FILE is not set: `recorder audit init-key`")
    return TrailKeeper(
        PostgresTrail(engine),
        CheckpointFolder(settings.audit_checkpoint_dir),
        SystemClock(),
        key=read_key(settings.audit_key_file),
        actor=actor,
        keep_days=settings.audit_days,
        keep_personal_days=settings.audit_personal_days,
        post=CheckpointMail(settings, SystemClock()) if settings.audit_mail_to else None,
    )


def open_reconciler(settings: Settings, engine: AsyncEngine, keeping: "Keeping") -> Reconciler:
    """Return what compares files and rows."""
    return Reconciler(
        inventory=PostgresInventory(engine, actor=PROCESS),
        vault=keeping.vault,
        shredder=keeping.shredder,
        spool=DiskSpoolStrays(settings.spool_dir),
        purge_log=keeping.purge_log,
        clock=SystemClock(),
        witness=KernelClock(),
        office_zone=settings.office_zone,
        lead=max(settings.erasure_lead, RECONCILE_EVERY),
        new_token=lambda: secrets.token_hex(4),
    )


def open_completeness(
    settings: Settings, regulation: Regulation, engine: AsyncEngine
) -> Completeness:
    """Return what compares calls with the PBX's own records."""
    folders, trunks = settings.call_record_folders, regulation.scope.trunks
    names = frozenset(each.endpoint for each in trunks)
    keep = timedelta(days=regulation.retention.days)
    return Completeness(
        records=PbxRecordFiles(folders, keep=keep) if folders else None,
        in_hand=SpoolInHand(settings.spool_dir),
        comparisons=PostgresComparisons(engine, actor=PROCESS, trunks=names),
        clock=SystemClock(),
        trunks=names,
        office_zone=settings.office_zone,
    )


def open_desk(regulation: Regulation, engine: AsyncEngine) -> HoldDesk:
    """Return what holds and proposals need."""
    rows, approvals = PostgresHolds(engine), PostgresApprovals(engine)
    holds = HoldKeeper(
        holds=rows,
        approvals=approvals,
        clock=SystemClock(),
        new_id=uuids.uuid7,
        four_eyes=regulation.holds.four_eyes,
    )
    return HoldDesk(holds=holds, hold_rows=rows, approvals=approvals)


def open_keeping(
    settings: Settings,
    regulation: Regulation,
    engine: AsyncEngine,
    *,
    vault: DiskVault | None = None,
) -> Keeping:
    """Return everything. Raises ``ConfigurationError`` and ``KeyUnavailable`` for the keys.

    ``vault`` stands in for the one of the settings while a restore is not finished.
    """
    desk, clock = open_desk(regulation, engine), SystemClock()
    vault = vault or open_vault(settings)
    shredder = DiskShredder(settings.vault_dir, vault)
    purge_log = PostgresPurgeLog(engine, actor=PROCESS)
    eraser = Eraser(
        erasures=PostgresErasures(engine, actor=PROCESS),
        purge_log=purge_log,
        vault=shredder,
        clock=clock,
        witness=KernelClock(),
        actor=PROCESS,
        retention_days=regulation.retention.days,
        office_zone=settings.office_zone,
        lead=settings.erasure_lead,
        new_token=lambda: secrets.token_hex(4),
    )
    by_hand = ErasureByHand(
        eraser=eraser,
        approvals=desk.approvals,
        clock=clock,
        new_id=uuids.uuid7,
        four_eyes=regulation.holds.four_eyes,
    )
    retention = RetentionDesk(
        eraser=eraser,
        purge_log=purge_log,
        approvals=desk.approvals,
        clock=clock,
        new_id=uuids.uuid7,
        four_eyes=regulation.holds.four_eyes,
    )
    return Keeping(
        holds=desk.holds,
        hold_rows=desk.hold_rows,
        approvals=desk.approvals,
        process=PROCESS,
        vault=vault,
        shredder=shredder,
        purge_log=purge_log,
        eraser=eraser,
        by_hand=by_hand,
        retention=retention,
    )
