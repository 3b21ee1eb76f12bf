"""Process 1: takes calls from Asterisk, decides, follows, seals. Wiring only."""

import asyncio
from contextlib import AsyncExitStack

import uuid_utils.compat as uuids

from recorder import logs
from recorder.adapters.ami import open_ami
from recorder.adapters.ari import AriClient
from recorder.adapters.bypassed import BypassedLog
from recorder.adapters.capture_figures import CaptureFigures
from recorder.adapters.clock import SystemClock
from recorder.adapters.custody import open_custody
from recorder.adapters.journals import SpoolLock
from recorder.adapters.loop_guard import guarded_loop
from recorder.adapters.pbx_events import AriEvents, take_snapshot
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.live import PostgresBoard
from recorder.adapters.probe import serve_probe
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.switchboard import AriSwitchboard, links_of
from recorder.capture.service import Capture
from recorder.live.desk import OrderDesk
from recorder.model import CallId
from recorder.processes import run_process, take_bypassed_calls, watch_announcements, watch_spool
from recorder.settings import Settings


async def serve(settings: Settings) -> None:
    """Build the parts and run them until the process is told to stop."""
    regulation = load_regulation(settings.regulation_file)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stack.enter_context(SpoolLock(settings.spool_dir))
        stack.enter_context(guarded_loop(asyncio.get_running_loop()))
        engine = await stack.enter_async_context(
            connect(settings.database_url.get_secret_value(), application="capture")
        )
        custody = open_custody(settings, regulation, engine, clock)
        custodian, journals, spool = custody.custodian, custody.journals, custody.spool
        # Client and capture need each other: the later is named in functions called once both are.
        client = AriClient(
            url=str(settings.ari_url),
            user=settings.ari_user,
            password=settings.ari_password.get_secret_value(),
            application="recorder",
            on_event=lambda event: events(event),  # noqa: PLW0108
            on_connect=lambda: reconcile(),  # noqa: PLW0108
            on_disconnect=lambda: capture.disconnected(),  # noqa: PLW0108
        )
        live = stack.enter_context(open_ami(settings))
        capture = Capture(
            switchboard=AriSwitchboard(client, sounds=settings.announcement_dir_of_pbx, live=live),
            journals=journals,
            spool=spool,
            announcements=custody.announcements,
            clock=clock,
            scope=regulation.scope,
            terms=regulation.announcement,
            node=settings.node,
            floor_bytes=settings.spool_floor_bytes,
            new_id=lambda: CallId(uuids.uuid7()),
            on_ended=lambda ended: custodian.take(ended.call_id, ended.record),
            on_settled=lambda settled: desk.tell(settled),  # noqa: PLW0108
        )
        desk = OrderDesk(
            board=PostgresBoard(engine),
            hands=capture,
            node=settings.node,
            clock=clock,
            links=lambda: links_of(client, live),
        )
        events = AriEvents(clock=clock, arrive=capture.arrive, deliver=capture.deliver)

        async def reconcile() -> None:
            await capture.reconcile(await take_snapshot(client, events, clock))

        await stack.enter_async_context(client)
        spool_dir, calls = settings.spool_dir, lambda: capture.live_calls
        floor = settings.spool_floor_bytes
        figures = CaptureFigures(spool_dir, floor, clock=clock, ari=client, ami=live, calls=calls)
        hosts, ready = settings.probe_hosts, lambda: client.serves
        probe = serve_probe(hosts, settings.probe_port, is_ready=ready, figures=figures.text)
        await stack.enter_async_context(probe)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(capture.run(), name="capture")
            tasks.create_task(custodian.run(), name="custodian")
            tasks.create_task(client.run(), name="ari")
            tasks.create_task(desk.run(), name="orders")
            tasks.create_task(figures.run(), name="figures")
            notes = BypassedLog(spool_dir)
            tasks.create_task(take_bypassed_calls(notes, capture, custodian), name="bypassed")
            tasks.create_task(watch_announcements(custody.announcements, custodian), name="sounds")
            spool_watched = watch_spool(journals, spool, custody.ledger, clock, capture)
            tasks.create_task(spool_watched, name="spool")


if __name__ == "__main__":
    run_process(serve, configure_logs=logs.configure)
