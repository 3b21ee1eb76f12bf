"""``recorder logs``: what the services wrote, for whoever keeps them going. Ids, no numbers."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from recorder.commands.asking import JsonOption
from recorder.commands.log_lines import LEVELS, Wanted, moment_of, parse, readable
from recorder.commands.output import print_json
from recorder.errors import ConfigurationError, Unavailable
from recorder.settings import load_settings

LOOK_EVERY_S = 0.5
MOMENT = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"]


def logs(
    *,
    call: Annotated[str | None, typer.Option(help="Lines of one call, by its id.")] = None,
    component: Annotated[
        str | None, typer.Option(help="Part of the logger's name: capture, custody, web.")
    ] = None,
    level: Annotated[str, typer.Option(help="Least level: debug, info, warning, error.")] = "info",
    since: Annotated[
        datetime | None, typer.Option(formats=MOMENT, help="Not before, the office's time.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=MOMENT, help="Before, the office's time.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="At most so many lines, the newest.")] = 200,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as lines come.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the services wrote: ids and events, no numbers and no names.

    Examples: `recorder logs --level warning --since 2026-11-25` · `recorder logs --call
    019a2f5e-7c1d-7e40-8a3b-2f1d5c6b7a80 --follow`
    """
    if level not in LEVELS:
        raise typer.BadParameter(f"one of {', '.join(LEVELS)}", param_hint="--level")
    settings = load_settings()
    if settings.log_file is None:
        raise ConfigurationError(
            "RECORDER_LOG_FILE is not set: the lines are on standard output alone; "
            "see `journalctl -u rejestrator-capture` or `docker compose logs capture`"
        )
    zone = settings.office_zone
    wanted = Wanted(
        call_id=call,
        component=component,
        level=level,
        since=since.replace(tzinfo=zone) if since else None,
        until=until.replace(tzinfo=zone) if until else None,
    )
    folder = settings.log_file.parent
    tails = Tails(folder)
    found = [line for line in tails.new() if wanted.takes(line)]
    # Several services write side by side: by the time, not by the file.
    found.sort(key=lambda line: str(moment_of(line)))
    for line in found[-last:]:
        _show(line, as_json=as_json)
    while follow:
        time.sleep(LOOK_EVERY_S)
        for line in tails.new():
            if wanted.takes(line):
                _show(line, as_json=as_json)


class Tails:
    """The services' log files in one folder, read on from where they were read last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[tuple[int, int], int] = {}

    def new(self) -> Iterator[dict[str, object]]:
        """Yield the lines written since the last time. Raises ``Unavailable``."""
        try:
            files = sorted(self._folder.glob("*.log*"), reverse=True)
        except OSError as error:
            raise Unavailable(f"{self._folder}: {error.strerror}") from error
        for path in files:
            try:
                with path.open("rb") as file:
                    yield from self._lines(path, file)
            except PermissionError as error:
                raise Unavailable(
                    f"{path} cannot be read; run this as the service's user"
                ) from error
            except FileNotFoundError:
                # Rotated away between the listing and the reading; its next name is read.
                continue

    def _lines(self, path: Path, file: object) -> Iterator[dict[str, object]]:
        stat = path.stat()
        # A rotated file keeps its inode: what was read is not read again under its new name.
        key = (stat.st_dev, stat.st_ino)
        file.seek(self._read.get(key, 0))  # type: ignore[attr-defined]
        for raw in file:  # type: ignore[attr-defined]
            if not raw.endswith(b"\n"):
                break
            self._read[key] = self._read.get(key, 0) + len(raw)
            if (line := parse(raw.decode("utf-8", "replace"))) is not None:
                yield line


def _show(line: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(line)
    else:
        typer.echo(readable(line))
