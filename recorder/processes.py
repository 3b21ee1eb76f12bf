"""How a process starts and ends: settings, logs, signals, and a sentence when it cannot."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import structlog

from recorder.errors import RecorderError
from recorder.settings import Settings, load_settings

log = structlog.get_logger(__name__)


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
        asyncio.run(_until_signalled(serve, settings))
    except RecorderError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        sys.stderr.write(f"{type(first).__name__}: {first}\n")
        sys.exit(getattr(first, "exit_code", 1))


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
