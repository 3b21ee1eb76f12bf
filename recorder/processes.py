"""How a process starts and ends: settings, logs, signals, and a sentence when it cannot."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from recorder.capture.journal import fold
from recorder.capture.service import Capture
from recorder.custody.leftovers import Inspector
from recorder.custody.service import Custodian
from recorder.errors import LedgerUnavailable, RecorderError
from recorder.model import IncidentKind
from recorder.ports import Clock, Journals, Ledger, Spool
from recorder.settings import Settings, load_settings

try:
    from uvloop import new_event_loop
except ImportError:
    # Where there is no wheel of it Python's own loop does the same for more processor time.
    from asyncio import new_event_loop  # type: ignore[assignment]

log = structlog.get_logger(__name__)

BYPASSED_EVERY_S = 2.0
"""How often the dialplan's notes are looked at."""

LOOK_AGAIN_S = 0.5
"""How often it is asked whether the calls of these notes have their rows."""

SPOOL_EVERY_S = 60.0
"""How often the spool is looked through for what nobody seals."""

SOUNDS_EVERY_S = 24 * 3600.0
"""How often all announcements are read and compared (R8.2e)."""


class ConfigureLogs(Protocol):
    """Sets the logs up, once."""

    def __call__(self, *, level: str, file: Path | None) -> None:
        """Apply the settings of the logs."""


def run_process(
    serve: Callable[[Settings], Awaitable[None]], *, configure_logs: ConfigureLogs
) -> None:
    """Run ``serve`` until SIGTERM or SIGINT; a known error ends with its exit status."""
    try:
        settings = load_settings()
        configure_logs(level=settings.log_level, file=settings.log_file)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_until_signalled(serve, settings))
    except RecorderError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the boundary of the process
        sys.exit(_told(error))


def _told(error: Exception) -> int:
    """Tell why the process ends, and return its exit status.

    Our own errors hold no data of anybody; of another the message may quote a row, and with it a
    caller, so its type is told and no more.
    """
    first: BaseException = error
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if type(first).__module__.startswith("recorder."):
        sys.stderr.write(f"{type(first).__name__}: {first}\n")
    else:
        log.error("process_failed", exc_info=first)
        sys.stderr.write(f"{type(first).__name__}: a defect; the log says where\n")
    return int(getattr(first, "exit_code", 1))


class BypassedCalls(Protocol):
    """Lines of the dialplan about calls that went past capture."""

    def take(self) -> Sequence[str]:
        """Return the next lines, empty if there are none yet."""

    def done(self) -> None:
        """Forget the lines last taken."""


async def take_bypassed_calls(
    log_of_dialplan: BypassedCalls, capture: Capture, custodian: Custodian
) -> None:
    """Give every call that went past capture its row, until cancelled.

    The lines are forgotten once their own calls are sealed, whatever else cannot be.
    """
    while True:
        lines = log_of_dialplan.take()
        handed_on = [capture.take_bypassed(line) for line in lines]
        while any(each and custodian.waits_for(each) for each in handed_on):  # noqa: ASYNC110 - seldom
            await asyncio.sleep(LOOK_AGAIN_S)
        if lines:
            # Overwriting waits for the disk; the calls that live must not.
            await asyncio.to_thread(log_of_dialplan.done)
            log.warning("calls_bypassed", calls=len(lines))
        await asyncio.sleep(BYPASSED_EVERY_S)


class Damage(Protocol):
    """A sound that is missing or is no longer what was approved."""

    @property
    def kind(self) -> IncidentKind:
        """Which of the two."""

    @property
    def detail(self) -> str:
        """Which version, and what to do."""


class CheckedAnnouncements(Protocol):
    """A catalogue that can look itself over."""

    def check(self) -> Sequence[Damage]:
        """Read all sounds again and return what is wrong."""


async def watch_announcements(announcements: CheckedAnnouncements, custodian: Custodian) -> None:
    """Look for missing and changed sounds now and daily, not at the first caller (R8.2e)."""
    while True:
        for damage in await asyncio.to_thread(announcements.check):
            log.error("announcement_damaged", incident=damage.kind, detail=damage.detail)
            try:
                await custodian.report(damage.kind, damage.detail)
            except LedgerUnavailable as error:
                log.warning("incident_not_written", why=str(error))
        await asyncio.sleep(SOUNDS_EVERY_S)


async def watch_spool(
    journals: Journals, spool: Spool, ledger: Ledger, clock: Clock, capture: Capture
) -> None:
    """Look for what nobody will seal, now and every minute, until cancelled (R3.4g)."""
    inspector = Inspector(
        journals=journals,
        spool=spool,
        ledger=ledger,
        clock=clock,
        fold=fold,
        in_hand=capture.in_hand,
    )
    while True:
        try:
            await inspector.look()
        except LedgerUnavailable as error:
            log.info("spool_not_inspected", why=str(error))
        await asyncio.sleep(SPOOL_EVERY_S)


async def _until_signalled(
    serve: Callable[[Settings], Awaitable[None]], settings: Settings
) -> None:
    task = asyncio.ensure_future(serve(settings))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        log.info("process_stopped")
