"""Whatever a library logs, its words stay out of our logs (I8, RG.16, docs/adr/0059)."""

import asyncio
import errno
import io
import json
import logging
import logging.handlers
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from recorder import logs, processes
from recorder.errors import ConfigurationError
from recorder.settings import Settings

NUMBER, NAME = "600987654", "Canary Kanarkowska"
LIBRARIES = (
    *("ldap3", "joserfc", "uvicorn", "uvicorn.error", "uvicorn.access", "panoramisk", "asyncio"),
    *("apscheduler.scheduler", "apscheduler.executors.default", "sqlalchemy.engine.Engine"),
    *("sqlalchemy.pool", "httpx", "httpcore.connection", "aiohttp.client", "aiohttp.access"),
    *("psycopg", "psycopg.pool", "alembic.runtime.migration", "fastapi", "python_multipart"),
    *("urllib3", "concurrent.futures", "recorderish", "root"),
)


class Full(io.StringIO):
    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "capture.log"
    logs.configure(level="debug", file=file, to_stdout=False)
    yield file
    logging.captureWarnings(capture=False)
    logging.getLogger().handlers.clear()


def lines(file: Path) -> list[dict[str, Any]]:
    logging.shutdown()
    return [json.loads(each) for each in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("library", LIBRARIES)
def test_of_what_a_library_says_its_place_alone_is_written(
    written: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger(library)
    # A server of another test has silenced its own; here it is to speak.
    monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    logger.info("calling %s %s", NUMBER, NAME)
    logger.warning("calling %s %s", NUMBER, NAME)
    logger.warning(f"{NUMBER} {NAME}", extra={"caller": NUMBER})  # noqa: G004 - as libraries do
    try:
        int(f"{NUMBER} {NAME}")
    except ValueError:
        logger.exception("no %s", {"caller": NUMBER})
    told = lines(written)
    assert [each["event"] for each in told] == [logs.LIBRARY_WARNED] * 3
    assert all(each["places"][0].startswith("test_library_logs.py:") for each in told)
    assert told[-1]["error"] == "ValueError"
    text = written.read_text(encoding="utf-8")
    assert NUMBER not in text
    assert NAME not in text


def test_our_own_events_are_written_as_they_are(written: Path) -> None:
    structlog.get_logger("recorder.capture").info("call_over", dropped_events=0)
    logging.getLogger("recorder.adapters.ari.client").warning("ari_connection_lost: %s", "Timeout")
    assert [each["event"] for each in lines(written)] == [
        "call_over",
        "ari_connection_lost: Timeout",
    ]


def test_a_warning_of_python_and_a_failing_task_are_told_by_their_place(written: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        # Python's own hook, which the test runner replaces meanwhile.
        logging.captureWarnings(capture=True)
        logging._showwarning(UserWarning(f"{NUMBER} {NAME}"), UserWarning, "x.py", 1)  # type: ignore[attr-defined]

    async def fails() -> None:
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": NUMBER, "exception": ValueError(NAME)})

    asyncio.run(fails())
    told = lines(written)
    assert {each["event"] for each in told} == {logs.LIBRARY_WARNED}
    assert {each["logger"] for each in told} == {"py.warnings", "asyncio"}
    assert NUMBER not in written.read_text(encoding="utf-8")
    assert NAME not in written.read_text(encoding="utf-8")


def test_a_full_disk_prints_no_record_to_standard_error(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file,) = [
        each
        for each in logging.getLogger().handlers
        if isinstance(each, logging.handlers.RotatingFileHandler)
    ]
    file.close()
    file.stream = Full()  # type: ignore[assignment]
    logging.getLogger("psycopg").warning("%s %s", NUMBER, NAME)
    assert NUMBER not in capsys.readouterr().err
    logging.getLogger().removeHandler(file)


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_process_that_ends_by_a_defect_says_its_type_and_no_message(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    wrapped: bool,
) -> None:
    """RG.16: standard error ends in the journal, where the contractor reads."""
    file = tmp_path / "capture.log"
    monkeypatch.setattr(processes, "load_settings", lambda: Settings(log_file=file))

    async def serve(_: Settings) -> None:
        error = ValueError(f"row of {NUMBER} {NAME}")
        raise ExceptionGroup("tasks", [error]) if wrapped else error

    with pytest.raises(SystemExit) as ended:
        processes.run_process(serve, configure_logs=logs.configure)
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert "ValueError: a defect" in said.err
    (told,) = [each for each in lines(file) if each["event"] == "process_failed"]
    assert told["error"] == "ValueError"
    for text in (said.err, said.out, file.read_text(encoding="utf-8")):
        assert NUMBER not in text
        assert NAME not in text


def test_a_process_that_cannot_work_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes, "load_settings", Settings)

    async def serve(_: Settings) -> None:
        raise ExceptionGroup("tasks", [ConfigurationError("RECORDER_NODE: too long")])

    with pytest.raises(SystemExit) as ended:
        processes.run_process(serve, configure_logs=logs.configure)
    assert ended.value.code == ConfigurationError.exit_code
    assert "RECORDER_NODE: too long" in capsys.readouterr().err
