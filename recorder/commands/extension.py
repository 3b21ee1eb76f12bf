"""``recorder user extension``: at which telephone a person answers (RG.12)."""

from typing import Annotated

import typer

from recorder.commands.gatehouse import admitted
from recorder.commands.parts import Parts
from recorder.commands.sign_in import LoginArgument
from recorder.commands.user import with_parts
from recorder.settings import load_settings

ExtensionArgument = Annotated[
    str, typer.Argument(help="The telephone's name at the switchboard; nothing takes it away.")
]


def extension(login: LoginArgument, extension: ExtensionArgument = "") -> None:
    """Say at which telephone a person answers: its calls are their own to pause and to stop.

    Examples: `recorder user extension zenobia 101` · `recorder user extension zenobia`
    """

    async def use(parts: Parts) -> None:
        account = await parts.keeper.by_login(login)
        await parts.keeper.set_extension(account.id, extension, actor=admitted().actor)

    with_parts(load_settings(), use)
    typer.echo(f"{login} answers at {extension}." if extension else f"{login} has no telephone.")
