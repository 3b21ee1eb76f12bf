"""`recorder logs` on real files, rotated and torn (R6.3b)."""

import json
import logging
from pathlib import Path

import pytest
import structlog

from recorder import logs
from recorder.adapters.log_files import LONGEST_LINE, LogFolder
from recorder.errors import Unavailable
from recorder.maintenance.lines import Wanted


def line(event: str, second: int) -> str:
    return json.dumps(
        {"event": event, "level": "info", "timestamp": f"2026-11-25T10:00:{second:02}Z"}
    )


def events(folder: LogFolder) -> list[str]:
    return [each["event"] for each in folder.new()]


def test_what_was_read_is_not_read_again_when_its_file_is_rotated(tmp_path: Path) -> None:
    current = tmp_path / "capture.log"
    current.write_text(line("one", 1) + "\n")
    folder = LogFolder(tmp_path)
    assert events(folder) == ["one"]
    current.rename(tmp_path / "capture.log.1")
    current.write_text(line("two", 2) + "\n" + line("three", 3))
    assert events(folder) == ["two"]
    with current.open("a") as file:
        file.write("\n")
    assert events(folder) == ["three"]


def test_a_file_that_was_emptied_is_read_from_its_beginning(tmp_path: Path) -> None:
    current = tmp_path / "capture.log"
    current.write_text(line("one", 1) + "\n" + line("two", 2) + "\n")
    folder = LogFolder(tmp_path)
    assert events(folder) == ["one", "two"]
    with current.open("w") as file:
        file.write(line("new", 3) + "\n")
    assert events(folder) == ["new"]


@pytest.mark.parametrize("torn", ["", "{", '"text"', "[]", "\x00" * 20, "x" * LONGEST_LINE])
def test_a_torn_line_hides_no_other(tmp_path: Path, torn: str) -> None:
    (tmp_path / "web.log").write_text(f"{line('one', 1)}\n{torn}\n{line('two', 2)}\n")
    assert events(LogFolder(tmp_path)) == ["one", "two"]


def test_the_lines_of_all_services_stand_in_the_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "capture.log.1").write_text(line("first", 1) + "\n")
    (tmp_path / "capture.log").write_text(line("third", 3) + "\n")
    (tmp_path / "retention.log").write_text(line("second", 2) + "\n" + line("last", 4) + "\n")
    folder = LogFolder(tmp_path)
    found = folder.found(Wanted(), last=3)
    assert [(each["event"], each["file"]) for each in found] == [
        ("second", "retention"),
        ("third", "capture"),
        ("last", "retention"),
    ]


def test_a_folder_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        LogFolder(tmp_path / "none").files()


def test_what_a_process_writes_past_ten_megabytes_is_found_in_its_rotated_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 2000)
    logs.configure(level="info", file=tmp_path / "capture.log", to_stdout=False)
    log = structlog.get_logger("recorder.capture.service")
    for number in range(50):
        log.info("call_over", turn=number)
    logging.shutdown()
    assert len(list(tmp_path.iterdir())) > 2
    found = LogFolder(tmp_path).found(Wanted(component="capture"), last=100)
    turns = [each["turn"] for each in found]
    # The oldest are gone by rotation; what there is is in order and without a gap.
    assert turns == list(range(turns[0], 50))
    assert len(turns) > 20
