"""Process 2: erases what is due, reviews, reconciles, verifies, reports. Wiring only."""

import asyncio
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import uuid_utils.compat as uuids

from recorder import logs
from recorder.adapters.clock import SystemClock
from recorder.adapters.keeping import open_keeping
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.inventory import PostgresInventory
from recorder.adapters.postgres.jobs import PostgresJobs, PostgresReports, PostgresWorkerLock
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.scheduler import wake_jobs
from recorder.adapters.spool import DiskSpool
from recorder.adapters.traces import PbxFolders
from recorder.custody.integrity import Verifier
from recorder.processes import run_process
from recorder.retention.reconciling import Reconciler
from recorder.retention.service import JobRunner
from recorder.retention.work import PURGE, RetentionWork
from recorder.settings import Settings

THREADS = 16
"""Files are destroyed side by side: so many share the disk's flushes."""


async def serve(settings: Settings) -> None:
    """Build the parts and run them until the process is told to stop."""
    regulation = load_regulation(settings.regulation_file)
    clock = SystemClock()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(
            connect(settings.database_url.get_secret_value(), application="retention")
        )
        keeping = open_keeping(settings, regulation, engine)
        ledger = PostgresLedger(engine)
        inventory = PostgresInventory(engine, actor=keeping.process)
        reconciler = Reconciler(
            inventory=inventory,
            vault=keeping.vault,
            shredder=keeping.shredder,
            spool=DiskSpool(settings.spool_dir),
            purge_log=keeping.purge_log,
            clock=clock,
            office_zone=settings.office_zone,
            lead=settings.erasure_lead,
            new_token=lambda: secrets.token_hex(4),
        )
        work = RetentionWork(
            eraser=keeping.eraser,
            holds=keeping.holds,
            ledger=ledger,
            reconciler=reconciler,
            verifier=Verifier(vault=keeping.vault, ledger=ledger, clock=clock),
            inventory=inventory,
            reports=PostgresReports(engine),
            traces=PbxFolders([*settings.pbx_log_folders, settings.spool_dir]),
            clock=clock,
            actor=keeping.process,
            office_zone=settings.office_zone,
            lead=settings.erasure_lead,
        )
        lock = PostgresWorkerLock(engine)
        stack.push_async_callback(lock.release)
        runner = JobRunner(
            jobs=work.jobs(),
            rows=PostgresJobs(engine),
            lock=lock,
            clock=clock,
            worker=f"{settings.node}:{os.getpid()}:{uuids.uuid7().hex[-4:]}",
        )
        await wake_jobs(runner, clock, first=PURGE)


if __name__ == "__main__":
    run_process(serve, configure_logs=logs.configure)
