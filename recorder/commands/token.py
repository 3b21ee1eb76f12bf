"""``recorder token``: what lets a program ask the API, under somebody's account (R8.1)."""

from typing import Annotated
from uuid import UUID

import typer

from recorder.access.model import Permission
from recorder.accounts.guarding import roles_of_token
from recorder.accounts.programs import IssuedToken, ProgramToken, TokenDesk
from recorder.adapters.postgres.web import PostgresPrograms
from recorder.commands.agreeing import agreed
from recorder.commands.asking import JsonOption
from recorder.commands.gatehouse import admitted
from recorder.commands.output import for_machines, print_json, print_table
from recorder.commands.parts import Parts
from recorder.commands.user import with_parts
from recorder.errors import NotFound
from recorder.settings import load_settings

app = typer.Typer(
    help="Tokens with which programs ask the API, under an account (§ 8.1).", no_args_is_help=True
)
COLUMNS = {
    "name": "name",
    "account": "account",
    "may": "may",
    "expires_at": "until",
    "revoked_at": "revoked",
    "id": "id",
}


@app.command("issue")
def issue(
    login: Annotated[str, typer.Argument(help="The account under whose papers it works.")],
    *,
    name: Annotated[str, typer.Option(help="What the program is called.")],
    may: Annotated[list[Permission], typer.Option(help="What it may do; once for each.")],
    days: Annotated[int, typer.Option(help="For how many days; at most 366.")] = 90,
) -> None:
    """Issue a token and print it, this once.

    Under an administrator's or the DPO's account, or for what who runs the machine may not do:
    with a present administrator, who proves password and code at this prompt.

    Examples: `recorder token issue statystyka --name raport --may report:read` ·
    `recorder token issue statystyka --name raport --may status:read --days 30 > token`
    """

    async def issued(parts: Parts) -> IssuedToken:
        for account in await parts.store.accounts():
            if account.login == login:
                return await desk(parts).issue(
                    account,
                    name=name,
                    may=may,
                    days=days,
                    by=admitted().actor,
                    agreed_by=await agreed(parts, roles_of_token(account.roles, may)),
                )
        raise NotFound("no account has this login; `recorder user list`")

    typer.echo(with_parts(load_settings(), issued).token)


@app.command("list")
def list_tokens(*, as_json: JsonOption = False) -> None:
    """List every token ever issued, the newest first; of the secrets nothing.

    Examples: `recorder token list` · `recorder token list --json`
    """

    async def listed(parts: Parts) -> list[ProgramToken]:
        return list(await desk(parts).all())

    settings = load_settings()
    tokens, zone = with_parts(settings, listed), settings.office_zone
    if as_json:
        print_json([for_machines(each, zone, reveal=True) for each in tokens])
    else:
        print_table(tokens, COLUMNS, zone, reveal=True, empty="No token was ever issued.")


@app.command("revoke")
def revoke(token_id: Annotated[UUID, typer.Argument(metavar="ID")]) -> None:
    """Revoke a token; the next request with it is refused.

    Examples: `recorder token revoke 01a20c69-337a-75a6-9b83-bf45ec100461` ·
    `recorder token list && recorder token revoke ID`
    """
    with_parts(load_settings(), lambda parts: desk(parts).revoke(token_id, by=admitted().actor))
    typer.echo("Revoked.")


def desk(parts: Parts) -> TokenDesk:
    """Return the desk on the command's own connection."""
    return TokenDesk(
        tokens=PostgresPrograms(parts.engine),
        clock=parts.clock,
        agreement=parts.keeper.agreement,
    )
