"""``recorder logs``: what the services wrote, for whoever keeps them going. Ids, no numbers."""

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from recorder.access.model import View
from recorder.adapters.log_files import LogFolder
from recorder.commands.asking import JsonOption, in_calendar
from recorder.commands.gatehouse import admitted
from recorder.commands.output import print_json
from recorder.errors import ConfigurationError
from recorder.maintenance.lines import LEVELS, Wanted, readable
from recorder.maintenance.rules import redacted
from recorder.settings import Settings, load_settings

LOOK_EVERY_S = 0.5
MOMENT = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
NOT_SET = (
    "RECORDER_LOG_FILE is not set: the lines are on standard output alone; "
    "see `journalctl -u rejestrator-capture` or `docker compose logs capture`"
)


def logs(
    *,
    call: Annotated[str | None, typer.Option(help="Lines of one call, by its id.")] = None,
    component: Annotated[
        str | None,
        typer.Option(help="Part of the logger's name or the service's: custody, web, retention."),
    ] = None,
    text: Annotated[str, typer.Option(help="Lines in which this stands, in any case.")] = "",
    level: Annotated[str, typer.Option(help="Least level: debug, info, warning, error.")] = "info",
    since: Annotated[
        datetime | None,
        typer.Option(formats=MOMENT, callback=in_calendar, help="Not before, the office's time."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=MOMENT, callback=in_calendar, help="Before, the office's time."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="At most so many lines, the newest.")] = 200,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as lines come.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the services wrote, rotated files too: ids and events, no numbers and no names.

    Examples: `recorder logs --level warning --since 2026-11-25` · `recorder logs --call
    019a2f5e-7c1d-7e40-8a3b-2f1d5c6b7a80 --follow`
    """
    if level not in LEVELS:
        raise typer.BadParameter(f"one of {', '.join(LEVELS)}", param_hint="--level")
    settings = load_settings()
    zone = settings.office_zone
    wanted = Wanted(
        call_id=call,
        component=component,
        text=text,
        level=level,
        since=since.replace(tzinfo=zone) if since else None,
        until=until.replace(tzinfo=zone) if until else None,
    )
    folder = LogFolder(log_folder(settings))
    for line in folder.found(wanted, last=last):
        _show(line, as_json=as_json)
    while follow:
        time.sleep(LOOK_EVERY_S)
        for line in folder.new():
            if wanted.takes(line):
                _show(line, as_json=as_json)


def log_folder(settings: Settings) -> Path:
    """Return where the services write. Raises ``ConfigurationError`` when that is nowhere."""
    if settings.log_file is None:
        raise ConfigurationError(NOT_SET)
    return settings.log_file.parent


def _show(line: dict[str, Any], *, as_json: bool) -> None:
    # What a contractor is shown is cut down to what is known to be harmless (R6.3b).
    if admitted().decision.view is View.MASKED:
        line = redacted(line)
    if as_json:
        print_json(line)
    else:
        typer.echo(readable(line))
