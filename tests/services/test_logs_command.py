"""`recorder logs` on real files, rotated and torn (R6.3b)."""

import json
from pathlib import Path

import pytest

from recorder.commands.log import Tails


def line(event: str, second: int) -> str:
    return json.dumps(
        {"event": event, "level": "info", "timestamp": f"2026-11-25T10:00:{second:02}Z"}
    )


def test_what_was_read_is_not_read_again_when_its_file_is_rotated(tmp_path: Path) -> None:
    current = tmp_path / "capture.log"
    current.write_text(line("one", 1) + "\n")
    tails = Tails(tmp_path)
    assert [each["event"] for each in tails.new()] == ["one"]
    current.rename(tmp_path / "capture.log.1")
    current.write_text(line("two", 2) + "\n" + line("three", 3))
    assert [each["event"] for each in tails.new()] == ["two"]
    with current.open("a") as file:
        file.write("\n")
    assert [each["event"] for each in tails.new()] == ["three"]


@pytest.mark.parametrize("torn", ["", "{", '"text"', "[]", "\x00" * 20])
def test_a_torn_line_hides_no_other(tmp_path: Path, torn: str) -> None:
    (tmp_path / "web.log").write_text(f"{line('one', 1)}\n{torn}\n{line('two', 2)}\n")
    assert [each["event"] for each in Tails(tmp_path).new()] == ["one", "two"]
