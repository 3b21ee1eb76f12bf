"""Logs for the operator and the contractor: JSON lines that carry ids, never numbers or names.

What a library logs may quote anything: an address, a row, a message of the PBX. Of it only where
it was said is written (docs/adr/0059).
"""

import logging
import logging.handlers
import sys
from pathlib import Path

import structlog

FILE_BYTES = 10 << 20
FILES_KEPT = 5
OURS = "recorder"
"""Loggers of this name and below it are ours: their messages are names of events."""
LIBRARY_WARNED = "library_warned"
"""The event in place of what a library says."""


def configure(*, level: str, file: Path | None, to_stdout: bool = True) -> None:
    """Send structlog and the libraries' warnings to standard output and, if given, a file.

    A command sends them to the file alone: its output is for the person at the prompt.
    """
    handlers: list[logging.Handler] = [
        logging.StreamHandler(sys.stdout) if to_stdout else logging.NullHandler()
    ]
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT)
        )
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _only_where_a_library_spoke],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            # Where it happened, without the values that a message or a local may hold.
            _only_places,
            structlog.processors.JSONRenderer(),
        ],
    )
    for handler in handlers:
        handler.setFormatter(formatter)
        handler.addFilter(_is_ours_or_grave)
    logging.captureWarnings(capture=True)
    # Else a full disk would print whole records, arguments and all, to standard error.
    logging.raiseExceptions = False
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=to_stdout,
    )


def send_to_stderr() -> None:
    """Send our warnings to standard error: what a command prints is its answer, for machines too.

    Until the command says otherwise by ``configure``.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_places,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        # Where standard error is when something is said: who runs commands may exchange it.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _is_ours_or_grave(record: logging.LogRecord) -> bool:
    return is_ours(record.name) or record.levelno >= logging.WARNING


def is_ours(name: str) -> bool:
    """Tell whether a logger is this package's own."""
    return name == OURS or name.startswith(f"{OURS}.")


def _only_where_a_library_spoke(
    _logger: object, _name: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Drop a library's words and keep their place."""
    record: logging.LogRecord = event["_record"]
    if not is_ours(record.name):
        event["event"] = LIBRARY_WARNED
        event["places"] = [f"{record.filename}:{record.lineno} {record.funcName}"]
    return event


def _only_places(
    _logger: object, _name: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Replace an exception by its type and the places it passed: its message may quote a number."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        places, frame = [], error.__traceback__
        while frame is not None:
            code = frame.tb_frame.f_code
            places.append(f"{Path(code.co_filename).name}:{frame.tb_lineno} {code.co_name}")
            frame = frame.tb_next
        event["places"] = places
    return event
