"""The shapes of small charts: numbers in, places on a canvas out. Every chart starts at zero. Pure.

A chart is drawn without a style of its own (strict CSP), and its table always stands behind it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import get_day_names

STEP, HEIGHT = 10, 100
"""Of the canvas, in its own units: one bar's place, and the whole height."""
LEVELS = 4
WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Rect:
    """One part of one bar."""

    series: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is drawn, in a canvas of ``width`` by ``HEIGHT``."""

    width: int
    most: float
    """What the full height stands for."""
    rects: tuple[Rect, ...] = ()
    points: str = ""
    """The corners of a line."""
    limit_y: float | None = None


def stacks(rows: Sequence[tuple[str, Sequence[float]]]) -> Chart:
    """Return bars side by side, the parts of each one above another.

    >>> [(each.y, each.height) for each in stacks([("1", [3, 1])]).rects]
    [(25.0, 75.0), (0.0, 25.0)]
    """
    most = max((sum(parts) for _, parts in rows), default=0) or 1
    rects = []
    for place, (_, parts) in enumerate(rows):
        top = float(HEIGHT)
        for series, part in enumerate(parts):
            height = round(part / most * HEIGHT, 2)
            top = round(top - height, 2)
            if height:
                rects.append(
                    Rect(series=series, x=place * STEP + 1, y=top, width=STEP - 2, height=height)
                )
    return Chart(width=max(len(rows), 1) * STEP, most=most, rects=tuple(rects))


def curve(values: Sequence[float], *, limit: float | None = None) -> Chart:
    """Return a line through the values, and where the limit lies.

    >>> curve([0, 5], limit=10).points, curve([0, 5], limit=10).limit_y
    ('0,100.0 10,50.0', 0.0)
    """
    most = max([*values, limit or 0], default=0) or 1
    points = " ".join(
        f"{place * STEP},{round(HEIGHT - value / most * HEIGHT, 2)}"
        for place, value in enumerate(values)
    )
    limit_y = None if limit is None else round(HEIGHT - limit / most * HEIGHT, 2)
    width = max(len(values) - 1, 1) * STEP
    return Chart(width=width, most=most, points=points, limit_y=limit_y)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One cell of a calendar."""

    day: date
    count: int
    level: int
    """0 = none, to ``LEVELS`` = as many as on the fullest day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Weeks from Monday to Sunday; a day outside what was asked for is None."""

    names: tuple[tuple[str, str], ...]
    """Each day of the week, short and whole."""
    weeks: tuple[tuple[Day | None, ...], ...]


def calendar(counts: Mapping[date, int], *, language: str) -> Calendar:
    """Return the weeks from the first to the last day of ``counts``."""
    names = tuple(
        (get_day_names("abbreviated", locale=language)[each], get_day_names(locale=language)[each])
        for each in range(WEEK)
    )
    if not counts:
        return Calendar(names=names, weeks=())
    first, last, most = min(counts), max(counts), max(counts.values())
    monday = first - timedelta(days=first.weekday())
    weeks = []
    while monday <= last:
        days = (monday + timedelta(days=each) for each in range(WEEK))
        weeks.append(tuple(_cells(days, counts, first, last, most)))
        monday += timedelta(days=WEEK)
    return Calendar(names=names, weeks=tuple(weeks))


def level(count: int, most: int) -> int:
    """Return how dark a cell is; one that holds anything is never as light as an empty one.

    >>> level(0, 8), level(1, 8), level(4, 8), level(8, 8)
    (0, 1, 2, 4)
    """
    return -(-count * LEVELS // most) if most else 0


def _cells(
    days: Iterable[date], counts: Mapping[date, int], first: date, last: date, most: int
) -> Iterable[Day | None]:
    for each in days:
        if first <= each <= last:
            count = counts.get(each, 0)
            yield Day(day=each, count=count, level=level(count, most))
        else:
            yield None
