"""``recorder sizing``: which machine an office needs."""

from dataclasses import asdict
from typing import Annotated

import typer

from recorder.commands.asking import JsonOption
from recorder.commands.output import print_json
from recorder.sizing import need

SAYS = {
    "calls_at_once": "calls at once in the busiest hour",
    "vault_gib": "GiB for the vault (RECORDER_VAULT_DIR)",
    "spool_gib": "GiB for the spool, with a day of calls that cannot be sealed",
    "database_gib": "GiB for PostgreSQL, two years of rows",
    "backup_gib": "GiB for one backup",
    "floor_mib": "MiB as RECORDER_SPOOL_FLOOR_MIB: half an hour of the busiest calls",
    "cores": "cores for Asterisk, capture, PostgreSQL and the web together",
    "memory_gib": "GiB of memory",
    "rtp_ports": "UDP ports for RTP: RTP_START to RTP_END",
}


def sizing(
    *,
    calls: Annotated[int, typer.Option(min=1, prompt="Calls from outside a day", help="A day.")],
    minutes: Annotated[
        float, typer.Option(min=0.1, prompt="Minutes that one lasts", help="Mean length.")
    ],
    days: Annotated[int, typer.Option(min=1, max=30, help="Days that recordings are kept.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """Say what disk, database, processors and memory an office needs; asks what is not given.

    Examples: `recorder sizing --calls 500 --minutes 4` · `recorder sizing --calls 500 --minutes 4
    --days 14 --json`
    """
    found = asdict(need(calls_a_day=calls, mean_minutes=minutes, days=days))
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        typer.echo(f"{value:>8}  {SAYS[name]}")
    typer.echo("Sums over what was measured on 2 cores (bench/results), with 30 % to spare.")
