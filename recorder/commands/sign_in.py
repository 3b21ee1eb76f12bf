"""``recorder sign-in`` and ``sign-out``: who is at the prompt."""

import asyncio
import sys
from getpass import getpass
from typing import Annotated

import typer

from recorder.accounts.model import SessionKind
from recorder.accounts.service import SignedIn
from recorder.adapters.session_file import forget_token, keep_token, read_token
from recorder.commands.parts import open_parts
from recorder.settings import load_settings, session_path

LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN", help="Who.")]


def sign_in(login: LoginArgument) -> None:
    """Sign in at this prompt, for 15 idle minutes and 8 hours at most. Again = freshly proved.

    Password and code are asked for, or read from standard input, a line each.

    Examples: `recorder sign-in zenobia` · `recorder sign-in zenobia < /dev/shm/answers`
    """
    settings = load_settings()
    path = session_path(settings)
    password, code = secret("Password"), secret("Code (empty if none is set)")

    async def ask() -> SignedIn:
        async with open_parts(settings) as parts:
            if (old := read_token(path)) and (visitor := await parts.door.visitor(old)):
                await parts.door.sign_out(visitor)
            return await parts.door.sign_in(
                login, password, code, source="prompt", kind=SessionKind.PROMPT
            )

    signed = asyncio.run(ask())
    keep_token(path, signed.token)
    typer.echo(f"Signed in as {login}.")
    if signed.account.must_change_password:
        typer.echo("This password must be changed first: recorder user password", err=True)
    elif signed.account.totp_since is None and settings.totp == "required":
        typer.echo("A second factor is needed first: recorder user totp", err=True)


def sign_out() -> None:
    """Sign out at this prompt.

    Examples: `recorder sign-out` · `recorder sign-out && exit`
    """
    settings = load_settings()
    path = session_path(settings)
    token = read_token(path)

    async def ask() -> None:
        async with open_parts(settings) as parts:
            if visitor := await parts.door.visitor(token):
                await parts.door.sign_out(visitor)

    if token:
        asyncio.run(ask())
    forget_token(path)
    typer.echo("Signed out.")


def secret(what: str) -> str:
    """Ask for a secret without showing it; from a pipe, read a line. Never from an argument."""
    if sys.stdin.isatty():
        return getpass(f"{what}: ")
    return sys.stdin.readline().rstrip("\n")
