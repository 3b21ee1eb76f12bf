"""The newest lines of big files, read from their ends: as many bytes as needed, and no more."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recorder.adapters.log_files import LONGEST_LINE
from recorder.adapters.log_tails import BLOCK, LogTails
from recorder.errors import Unavailable
from recorder.maintenance.lines import Wanted
from recorder.maintenance.rules import redacted

BEGAN = datetime(2026, 11, 25, 10, tzinfo=UTC)
PLENTY = 64 << 20


def line(number: int, **fields: Any) -> str:
    at = (BEGAN + timedelta(seconds=number)).isoformat()
    known = {"event": f"e{number}", "level": "info", "logger": "recorder.x", "timestamp": at}
    return json.dumps(known | fields) + "\n"


def big(path: Path, since: int, until: int) -> None:
    """Write lines of a quarter of a kibibyte."""
    path.write_text("".join(line(each, pad="x" * 150) for each in range(since, until)))


def events(found: Any) -> list[str]:
    return [each["event"] for each in found.lines]


def test_the_newest_lines_of_all_services_and_rotated_files_come_first(tmp_path: Path) -> None:
    (tmp_path / "capture.log.1").write_text(line(0) + line(1))
    (tmp_path / "capture.log").write_text(line(3) + line(5))
    (tmp_path / "web.log").write_text(line(2) + line(4))
    tails = LogTails(tmp_path, most_bytes=PLENTY)
    found = tails.newest(Wanted(), most=5)
    assert events(found) == ["e5", "e4", "e3", "e2", "e1"]
    assert (found.back_to, found.unread) == (None, ())


def test_of_a_big_file_the_end_alone_is_read(tmp_path: Path) -> None:
    """RG.16: a page answers at once, whatever the services wrote."""
    big(tmp_path / "capture.log", 0, 20_000)
    tails = LogTails(tmp_path, most_bytes=2 * BLOCK)
    assert events(tails.newest(Wanted(), most=2)) == ["e19999", "e19998"]
    found = tails.newest(Wanted(text="e100 "), most=2)
    assert found.lines == ()
    assert found.back_to is not None
    assert found.back_to > BEGAN + timedelta(seconds=18_000), "more was read than allowed"


def test_looking_further_back_goes_on_where_the_last_look_ended(tmp_path: Path) -> None:
    big(tmp_path / "capture.log", 5000, 9000)
    big(tmp_path / "capture.log.1", 0, 5000)
    tails, until, seen = LogTails(tmp_path, most_bytes=2 * BLOCK), None, []
    for _ in range(40):
        found = tails.newest(Wanted(until=until), most=10_000)
        seen += events(found)
        until = found.back_to
        if until is None:
            break
    assert len(seen) == len(set(seen))
    # What was written in the very moment at which a look ended is looked at by the next one.
    assert len(seen) >= 9000 - 40


def test_lines_before_a_moment_are_found_without_what_came_after(tmp_path: Path) -> None:
    big(tmp_path / "capture.log", 0, 20_000)
    tails = LogTails(tmp_path, most_bytes=2 * BLOCK)
    until = BEGAN + timedelta(seconds=7000)
    assert events(tails.newest(Wanted(until=until), most=1)) == ["e6999"]
    since = until - timedelta(seconds=3)
    found = tails.newest(Wanted(since=since, until=until), most=9)
    assert events(found) == ["e6999", "e6998", "e6997"]
    assert found.back_to is None, "before the moment nothing was wanted"


@pytest.mark.parametrize("torn", ["{", "[]", "\x00" * 20, "x" * (LONGEST_LINE + 9), '{"event": 1'])
def test_a_torn_line_hides_no_other(tmp_path: Path, torn: str) -> None:
    (tmp_path / "web.log").write_text(line(1) + torn + "\n" + line(2) + '{"event": "being wri')
    assert events(LogTails(tmp_path, most_bytes=PLENTY).newest(Wanted(), most=9)) == ["e2", "e1"]


def test_what_is_not_shown_cannot_be_found_by_asking_for_it(tmp_path: Path) -> None:
    """R6.3b: else a contractor could try numbers until a line answers."""
    (tmp_path / "web.log").write_text(line(1, who="600123456") + line(2, why="row of 600123456"))
    tails = LogTails(tmp_path, most_bytes=PLENTY)
    for text in ("600123456", "600", "who=6", "of 600"):
        assert tails.newest(Wanted(text=text), most=9, shown=redacted).lines == ()
    found = tails.newest(Wanted(text="Row of"), most=9, shown=redacted)
    assert [each["why"] for each in found.lines] == ["row of (removed)"]


def test_a_file_that_may_not_be_read_hides_no_other_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "capture.log").write_text(line(1))
    (tmp_path / "web.log").mkdir()
    found = LogTails(tmp_path, most_bytes=PLENTY).newest(Wanted(), most=9)
    assert [each["file"] for each in found.lines] == ["capture"]
    assert found.unread == ("web",)


def test_a_folder_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        LogTails(tmp_path / "none", most_bytes=PLENTY).newest(Wanted(), most=9)
