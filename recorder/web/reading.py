"""Reads days, hours and numbers as people write them; says what is wrong, never what was sent."""

import re
from datetime import date, time, timedelta

EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)
"""Days that can be meant. Near the ends of the calendar a day more, or another zone, is none."""
WORDS = {"dziś": 0, "dzis": 0, "dzisiaj": 0, "today": 0, "wczoraj": 1, "yesterday": 1}
MONTHS = (
    ("stycznia", "january"), ("lutego", "february"), ("marca", "march"), ("kwietnia", "april"),
    ("maja", "may"), ("czerwca", "june"), ("lipca", "july"), ("sierpnia", "august"),
    ("września", "september"), ("października", "october"), ("listopada", "november"),
    ("grudnia", "december"),
)  # fmt: skip
DAY = re.compile(r"(\d{1,2})[. /-](\d{1,2})(?:[. /-](\d{4}))?\.?", re.ASCII)
ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
WRITTEN = re.compile(r"([0-9]{1,2}) ([a-ząćęłńóśźż]{3,12})(?: ([0-9]{4}))?")
HOUR = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?", re.ASCII)
NUMBER = re.compile(r"[0-9 +()/.-]+", re.ASCII)


def read_day(text: str, *, today: date) -> date | None:
    """Return the day that is meant, None if it is none. Without a year it is the last such day.

    A day far from all calls is no day that is meant.

    >>> today = date(2026, 11, 25)
    >>> [str(read_day(each, today=today)) for each in ("12.11", "1 grudnia", "wczoraj")]
    ['2026-11-12', '2025-12-01', '2026-11-24']
    >>> [read_day(each, today=today) for each in ("31.02.2026", "1.1.0001", "31.12.9999")]
    [None, None, None]
    """
    day = _read(" ".join(text.lower().split()), today)
    return day if day and EARLIEST <= day < LATEST else None


def _read(text: str, today: date) -> date | None:
    if text in WORDS:
        return today - timedelta(days=WORDS[text])
    if found := ISO.fullmatch(text):
        year, month, day = (int(each) for each in found.groups())
        return _date(year, month, day)
    if found := DAY.fullmatch(text):
        return _recent(found[3], int(found[2]), int(found[1]), today)
    if found := WRITTEN.fullmatch(text):
        for number, names in enumerate(MONTHS, start=1):
            if any(each.startswith(found[2]) for each in names):
                return _recent(found[3], number, int(found[1]), today)
    return None


def read_hour(text: str) -> time | None:
    """Return the hour that is meant, None if it is none.

    >>> read_hour("14:30"), read_hour("9"), read_hour("25:00")
    (datetime.time(14, 30), datetime.time(9, 0), None)
    """
    found = HOUR.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a clock


def _recent(year: str | None, month: int, day: int, today: date) -> date | None:
    if year is not None:
        return _date(int(year), month, day)
    this = _date(today.year, month, day)
    return this if this is None or this <= today else _date(today.year - 1, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
