"""``recorder workstation``: from where the application may be used (§ 6.2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from recorder.commands.asking import JsonOption
from recorder.commands.gatehouse import admitted
from recorder.commands.output import for_machines, print_json, print_table
from recorder.commands.user import with_parts
from recorder.settings import load_settings

app = typer.Typer(help="From where the application may be used (§ 6.2).", no_args_is_help=True)
COLUMNS = {"network": "network", "name": "name", "place": "place", "added_at": "since", "id": "id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One network as a list shows it."""

    id: UUID
    network: str
    name: str
    place: str
    added_at: datetime


@app.command("add")
def add(
    network: Annotated[str, typer.Argument(help="An address or a network: 10.1.2.0/24.")],
    *,
    name: Annotated[str, typer.Option(help="What it is called.")],
    place: Annotated[str, typer.Option(help="Where it stands.")],
) -> None:
    """List a workstation or a network of them.

    Examples: `recorder workstation add 10.1.2.3 --name biuro-1 --place "pokój 12"` ·
    `recorder workstation add 10.1.2.0/24 --name kadry --place "I piętro"`
    """
    added = with_parts(
        load_settings(),
        lambda parts: parts.stations.add(network, name=name, place=place, by=admitted().actor),
    )
    typer.echo(f"Listed: {added.network}")


@app.command("list")
def list_workstations(*, as_json: JsonOption = False) -> None:
    """List what may connect; an empty list is nobody.

    Examples: `recorder workstation list` · `recorder workstation list --json`
    """
    settings = load_settings()
    listed = with_parts(settings, lambda parts: parts.workstations.listed())
    lines = [
        Line(
            id=each.id,
            network=str(each.network),
            name=each.name,
            place=each.place,
            added_at=each.added_at,
        )
        for each in listed
    ]
    zone = settings.office_zone
    if as_json:
        print_json([for_machines(each, zone, reveal=True) for each in lines])
    else:
        empty = "No workstation: nobody may connect."
        print_table(lines, COLUMNS, zone, reveal=True, empty=empty)


@app.command("remove")
def remove(workstation_id: Annotated[UUID, typer.Argument(metavar="ID")]) -> None:
    """Take a network off the list; the next request from it is refused.

    Examples: `recorder workstation remove 01a20c69-337a-75a6-9b83-bf45ec100461` ·
    `recorder workstation list && recorder workstation remove ID`
    """
    with_parts(
        load_settings(),
        lambda parts: parts.stations.remove(workstation_id, by=admitted().actor),
    )
    typer.echo("Removed.")
