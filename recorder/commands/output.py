"""How the commands about calls print: a table on a terminal, JSON for machines, numbers masked."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recorder import phone_numbers

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PERSONAL = ("caller_number", "caller_e164", "caller_name")
PIPE_WIDTH = 1000
masked = phone_numbers.masked


def for_machines(row: "DataclassInstance", zone: ZoneInfo, *, reveal: bool) -> dict[str, Any]:
    """Return a row as JSON can hold it: instants in the office's zone, absence as null."""
    plain = {}
    for name, value in asdict(row).items():
        if name in PERSONAL and value and not reveal:
            plain[name] = masked(value)
        elif isinstance(value, datetime):
            plain[name] = value.astimezone(zone).isoformat(timespec="milliseconds")
        else:
            plain[name] = str(value) if isinstance(value, UUID) else value
    return plain


def for_people(row: "DataclassInstance", zone: ZoneInfo, *, reveal: bool) -> dict[str, str]:
    """Return a row as a person reads it: days by name, absence as a dash."""
    plain = for_machines(row, zone, reveal=reveal)
    for name, value in asdict(row).items():
        if isinstance(value, datetime):
            plain[name] = f"{value.astimezone(zone):%a %d %b %Y, %H:%M}"
        elif name in PERSONAL and not value:
            plain[name] = "forgotten" if value is None else "withheld" if "name" not in name else ""
    return {name: _worded(value) for name, value in plain.items()}


def print_json(value: object) -> None:
    """Print for machines, one document."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def print_table(
    rows: Sequence["DataclassInstance"],
    columns: dict[str, str],
    zone: ZoneInfo,
    *,
    reveal: bool,
    empty: str,
) -> None:
    """Print rows as a table; ``columns`` gives each column's name and heading."""
    if not rows:
        typer.echo(empty)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, heading in columns.items():
        # An id broken over two lines cannot be copied.
        table.add_column(heading, overflow="fold", no_wrap=name == "id")
    for row in rows:
        plain = for_people(row, zone, reveal=reveal)
        table.add_row(*(escape(plain[name]) for name in columns))
    # A pipe has no width: no line of a table is broken for it.
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def print_fields(values: dict[str, Any]) -> None:
    """Print one thing whole, a line a value; a list takes a line for each of its items."""
    for name, value in values.items():
        for each in value if isinstance(value, list) and value else [value]:
            typer.echo(f"{name:22} {_worded(each)}")


def visible(text: str) -> str:
    r"""Show control and direction characters as escapes: a caller's name commands no terminal.

    >>> visible("a\x1b[2Jb")
    'a\\u001b[2Jb'
    """
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def _worded(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, dict):
        return visible("  ".join(_pairs(value)))
    if isinstance(value, list):
        return visible(", ".join(str(each) for each in value))
    return visible(str(value))


def _pairs(value: dict[str, Any]) -> Iterator[str]:
    for name, each in value.items():
        if each not in (None, ""):
            yield f"{name}={each}"
