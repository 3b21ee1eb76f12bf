"""Builds the parts of keeping and erasing, the same for the process and for the command line."""

import secrets
from dataclasses import dataclass

import uuid_utils.compat as uuids
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.clock import SystemClock
from recorder.adapters.kernel_clock import KernelClock
from recorder.adapters.postgres.approvals import PostgresApprovals
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.holds import PostgresHolds
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.shredder import DiskShredder
from recorder.adapters.vault import DiskVault, open_vault
from recorder.approvals.ports import Approvals
from recorder.audit.event import Actor, ActorKind
from recorder.erasure.by_hand import ErasureByHand
from recorder.erasure.ports import PurgeLog, Shredder
from recorder.erasure.service import Eraser
from recorder.holds.ports import Holds
from recorder.holds.service import HoldKeeper
from recorder.regulation import Regulation
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


def open_keeping(settings: Settings, regulation: Regulation, engine: AsyncEngine) -> Keeping:
    """Return everything. Raises ``ConfigurationError`` and ``KeyUnavailable`` for the keys."""
    desk, clock = open_desk(regulation, engine), SystemClock()
    vault = open_vault(settings)
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
    )
