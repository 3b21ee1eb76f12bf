"""Process 2: erases what is due, reviews, compares, verifies, reports. Wiring only."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import uuid_utils.compat as uuids

from recorder import logs
from recorder.adapters.backup_pruning import KeyPruner
from recorder.adapters.changing_announcements import open_announcement_effect
from recorder.adapters.clock import SystemClock
from recorder.adapters.erasure_ledger import LedgerFile
from recorder.adapters.keeping import TrailAtWork, open_completeness, open_keeping, open_reconciler
from recorder.adapters.postgres.accounts import PostgresAccounts
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.inventory import PostgresInventory
from recorder.adapters.postgres.jobs import PostgresJobs, PostgresReports, PostgresWorkerLock
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.restoring import Restored
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.scheduler import wake_jobs
from recorder.adapters.traces import PbxFolders
from recorder.backup.work import BackupWork
from recorder.completeness.work import jobs_of
from recorder.custody.integrity import Verifier
from recorder.processes import run_process
from recorder.retention.service import JobRunner
from recorder.retention.work import PURGE, RetentionWork
from recorder.settings import Settings

NICENESS = 15
"""Where the processor is short, calls, sealing and searches come before erasing."""

THREADS = 8
"""Files are destroyed side by side: so many share the disk's flushes. More crowd the calls out."""


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
        work = RetentionWork(
            eraser=keeping.eraser,
            holds=keeping.holds,
            ledger=ledger,
            reconciler=open_reconciler(settings, engine, keeping),
            verifier=Verifier(vault=keeping.vault, ledger=ledger, clock=clock),
            inventory=inventory,
            reports=PostgresReports(engine),
            traces=PbxFolders(settings.pbx_log_folders),
            trail=TrailAtWork(settings, engine),
            attempts=PostgresAccounts(engine),
            clock=clock,
            actor=keeping.process,
            office_zone=settings.office_zone,
            lead=settings.erasure_lead,
        )
        backups = BackupWork(
            pruner=KeyPruner(
                settings.backup_key_folders,
                key_days=regulation.backups.key_days,
                lead=settings.erasure_lead,
            ),
            trail=Restored(engine, actor=keeping.process),
            ledger=LedgerFile(engine, settings.erasure_ledger_file),
            clock=clock,
            actor=keeping.process,
        )
        announcements = open_announcement_effect(settings, regulation, engine, keeping.process)
        completeness = open_completeness(settings, regulation, engine)
        lock = PostgresWorkerLock(engine)
        stack.push_async_callback(lock.release)
        runner = JobRunner(
            jobs=[
                *(*work.jobs(), *backups.jobs()),
                *(*jobs_of(completeness), *announcements.jobs()),
            ],
            rows=PostgresJobs(engine),
            lock=lock,
            clock=clock,
            worker=f"{settings.node}:{os.getpid()}:{uuids.uuid7().hex[-4:]}",
            at_start=[PURGE],
        )
        await wake_jobs(runner, clock, first=PURGE)


if __name__ == "__main__":
    os.nice(NICENESS)
    run_process(serve, configure_logs=logs.configure)
