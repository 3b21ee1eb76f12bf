"""``recorder contractor``: the maintenance contractor, let in for one fault (§ 6.3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from recorder.access.model import Why
from recorder.access.service import AccessRefused
from recorder.authorisations.model import ContractorAccess
from recorder.authorisations.rules import open_access
from recorder.commands.asking import JsonOption
from recorder.commands.gatehouse import admitted
from recorder.commands.output import for_machines, print_json, print_table
from recorder.commands.parts import Parts
from recorder.commands.sign_in import LoginArgument
from recorder.commands.user import with_parts
from recorder.settings import load_settings

app = typer.Typer(help="The maintenance contractor, for one fault.", no_args_is_help=True)
COLUMNS = {
    "login": "login",
    "contract": "contract",
    "reason": "reason",
    "opened_at": "opened",
    "until": "until",
    "state": "state",
    "dpo_noted_at": "DPO noted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One opening as a list shows it."""

    login: str
    contract: str
    reason: str
    opened_at: datetime
    until: datetime
    state: str
    dpo_noted_at: datetime | None


@app.command("open")
def open_for(
    login: LoginArgument,
    *,
    contract: Annotated[str, typer.Option(help="The contract's number.")],
    reason: Annotated[str, typer.Option(help="The fault.")],
    hours: Annotated[float, typer.Option(min=0.1, max=8, help="It closes by itself.")] = 4,
) -> None:
    """Let a contractor in for one fault; it closes by itself after at most 8 hours (R6.3c).

    Examples: `recorder contractor open firma --contract UM/12/2026 --reason "disk"` ·
    `recorder contractor open firma --contract UM/12/2026 --reason "no calls" --hours 1`
    """
    settings = load_settings()

    async def use(parts: Parts) -> ContractorAccess:
        holder = await parts.keeper.by_login(login)
        return await parts.contractors.open(
            holder, contract=contract, reason=reason, hours=hours, by=admitted().actor
        )

    access = with_parts(settings, use)
    typer.echo(f"Open until {access.until.astimezone(settings.office_zone):%H:%M}.")


@app.command("close")
def close(login: LoginArgument) -> None:
    """Close what is open for a contractor; sessions end at once.

    Examples: `recorder contractor close firma` · `recorder contractor close firma && exit`
    """

    async def use(parts: Parts) -> None:
        holder = await parts.keeper.by_login(login)
        await parts.contractors.close(holder, by=admitted().actor)

    with_parts(load_settings(), use)
    typer.echo("Closed.")


@app.command("note")
def note() -> None:
    """Take note, as the DPO, of every opening since the last time; it is in the trail.

    Examples: `recorder contractor list && recorder contractor note` · `recorder contractor note`
    """
    visitor = admitted().visitor
    if visitor is None:
        raise AccessRefused(Why.NOT_SIGNED_IN)
    noted = with_parts(
        load_settings(),
        lambda parts: parts.contractors.note(visitor.account, by=admitted().actor),
    )
    typer.echo(f"Noted: {noted}.")


@app.command("list")
def list_accesses(*, as_json: JsonOption = False) -> None:
    """List every opening, newest first.

    Examples: `recorder contractor list` · `recorder contractor list --json`
    """
    settings = load_settings()

    async def use(parts: Parts) -> list[Line]:
        logins = {each.id: each.login for each in await parts.store.accounts()}
        now = parts.clock.now()
        return [
            Line(
                login=logins[each.account_id],
                contract=each.contract,
                reason=each.reason,
                opened_at=each.opened_at,
                until=each.closed_at or each.until,
                state="open" if open_access([each], now) else "closed",
                dpo_noted_at=each.noted_at,
            )
            for each in await parts.accesses.accesses()
        ]

    lines, zone = with_parts(settings, use), settings.office_zone
    if as_json:
        print_json([for_machines(each, zone, reveal=True) for each in lines])
    else:
        print_table(lines, COLUMNS, zone, reveal=True, empty="Nothing was ever opened.")
