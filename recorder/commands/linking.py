"""``recorder user link`` and ``unlink``: who keeps an account's password."""

from typing import Annotated

import typer

from recorder.accounts.model import Link, SignsInBy
from recorder.commands.agreeing import agreed
from recorder.commands.gatehouse import admitted
from recorder.commands.parts import Parts
from recorder.commands.sign_in import LoginArgument
from recorder.commands.user import with_parts
from recorder.errors import RuleViolation
from recorder.settings import load_settings


def link(
    login: LoginArgument,
    *,
    directory: Annotated[str, typer.Option(help="Their name in the directory (LDAP).")] = "",
    issuer: Annotated[str, typer.Option(help="The OpenID provider.")] = "",
    subject: Annotated[str, typer.Option(help="Their subject there.")] = "",
) -> None:
    """Have the directory or a provider keep a person's password; their sessions end.

    Roles stay what they are here: the directory gives none.

    Examples: `recorder user link zenobia --directory zkwiatkowska` · `recorder user link zenobia
    --issuer https://login.example/office --subject 8f14e45f`
    """
    if bool(directory) == bool(issuer or subject):
        raise RuleViolation("say --directory, or --issuer and --subject")
    wanted = (
        Link(by=SignsInBy.LDAP, subject=directory)
        if directory
        else Link(by=SignsInBy.OIDC, subject=subject, issuer=issuer)
    )

    async def use(parts: Parts) -> None:
        account = await parts.keeper.by_login(login)
        by = await agreed(parts, await parts.keeper.agreement.by_password(account))
        await parts.linker.link(account, wanted, actor=admitted().actor, agreed_by=by)

    with_parts(load_settings(), use)
    typer.echo("Linked; the password kept here opens nothing any more.")


def unlink(login: LoginArgument) -> None:
    """Keep a person's password here again; prints one that lets them set their own.

    Examples: `recorder user unlink zenobia` · `recorder user unlink zenobia > /dev/tty1`
    """

    async def use(parts: Parts) -> str:
        account = await parts.keeper.by_login(login)
        by = await agreed(parts, await parts.keeper.agreement.by_password(account))
        return await parts.linker.unlink(account, actor=admitted().actor, agreed_by=by)

    temporary = with_parts(load_settings(), use)
    typer.echo(f"{temporary}\nThe first password of {login}; it must be changed at once.")
