"""The shipped configuration of what Asterisk writes by itself: no numbers, or not for long."""

import configparser
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "dialplan" / "asterisk-traces"
NAMES_CALLERS = {"verbose", "debug", "dtmf", "notice", "fax", "security", "*"}


def read(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(comment_prefixes=(";",), strict=False)
    text = (FOLDER / name).read_text(encoding="utf-8").replace("=>", "=").replace("%", "%%")
    parser.read_string(text)
    return parser


def test_no_log_of_asterisk_takes_the_levels_that_name_callers() -> None:
    """R7.2k."""
    logs = read("logger.conf")["logfiles"]
    assert set(logs) == {"console", "messages.log"}
    for levels in logs.values():
        assert not {each.strip() for each in levels.split(",")} & NAMES_CALLERS


def test_call_records_are_off_and_rotation_is_shorter_than_the_retention() -> None:
    """R7.2k."""
    assert read("cdr.conf")["general"]["enable"] == "no"
    rotation = (FOLDER / "logrotate.conf").read_text(encoding="utf-8")
    words = [line.split() for line in rotation.splitlines() if line.strip()]
    settings = {each[0]: each[1:] for each in words}
    assert "daily" in settings
    assert "shred" in settings
    assert int(settings["rotate"][0]) < int(settings["maxage"][0]) < 30
