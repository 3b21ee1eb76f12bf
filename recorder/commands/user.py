"""``recorder user``: personal accounts (§ 8.1)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import typer

from recorder.access.model import Why
from recorder.access.service import AccessRefused
from recorder.accounts.model import Account, Role
from recorder.accounts.service import Visitor
from recorder.adapters.totp import enrolment_uri, qr_for_terminal
from recorder.authorisations.rules import standing_findings
from recorder.commands.agreeing import agreed
from recorder.commands.asking import JsonOption
from recorder.commands.gatehouse import admitted, echo_findings
from recorder.commands.output import print_fields, print_json, print_table
from recorder.commands.parts import Parts, open_parts
from recorder.commands.sign_in import LoginArgument, secret
from recorder.errors import RuleViolation
from recorder.settings import Settings, load_settings

app = typer.Typer(help="Personal accounts.", no_args_is_help=True)
Result = TypeVar("Result")
RoleOption = Annotated[list[Role], typer.Option("--role", help="May be given again.")]
NameOption = Annotated[str, typer.Option(help="Name and surname.")]
PostOption = Annotated[str, typer.Option(help="The person's post.")]
STAY = "\nWhoever agreed stays until the person has signed in and set it."
COLUMNS = {
    "login": "login",
    "name": "name",
    "post": "post",
    "roles": "roles",
    "signs_in_by": "signs in by",
    "second_factor": "second factor",
    "state": "state",
    "id": "id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLine:
    """One account as a list shows it."""

    id: str
    login: str
    name: str
    post: str
    roles: list[str]
    signs_in_by: str
    second_factor: bool
    state: str


def with_parts(settings: Settings, use: Callable[[Parts], Awaitable[Result]]) -> Result:
    """Run one use case on the services."""

    async def run() -> Result:
        async with open_parts(settings) as parts:
            return await use(parts)

    return asyncio.run(run())


@app.command("first-token")
def first_token() -> None:
    """Print the token with which the first administrator is made: once, for 24 hours.

    Examples: `recorder user first-token` · `recorder user first-token > /dev/tty1`
    """
    token = with_parts(load_settings(), lambda parts: parts.keeper.first_token(admitted().actor))
    typer.echo(f"{token}\nIt makes the first administrator, once, within 24 hours:")
    typer.echo("recorder user first LOGIN --name NAME --post POST")


@app.command("first")
def first(login: LoginArgument, *, name: NameOption, post: PostOption) -> None:
    """Make the first administrator. Asks for the token and a password of one's own.

    Examples: `recorder user first anna --name "Anna Nowak" --post Dyrektor` ·
    `recorder user first anna --name "Anna Nowak" --post Dyrektor < /dev/shm/answers`
    """
    token, password = secret("Token"), secret("New password")
    account = with_parts(
        load_settings(),
        lambda parts: parts.keeper.add_first(
            token, login=login, name=name, post=post, password=password
        ),
    )
    typer.echo(f"{account.login} is the first administrator: recorder sign-in {account.login}")


@app.command("add")
def add(login: LoginArgument, *, name: NameOption, post: PostOption, role: RoleOption) -> None:
    """Add a person; prints a password that lets them set their own.

    Examples: `recorder user add zenobia --name "Zenobia Kwiatkowska" --post inspektor --role
    listener` · `recorder user add jan --name "Jan Lis" --post informatyk --role sysadmin`
    """
    settings = load_settings()

    async def use(parts: Parts) -> tuple[Account, str]:
        by = await agreed(parts, role)
        return await parts.keeper.add(
            login=login, name=name, post=post, roles=role, actor=admitted().actor, agreed_by=by
        )

    account, temporary = with_parts(settings, use)
    typer.echo(f"{temporary}\nThe first password of {account.login}; it must be changed at once.")
    echo_findings(list(standing_findings(account.roles)))


@app.command("list")
def list_users(*, as_json: JsonOption = False) -> None:
    """List accounts, disabled ones too.

    Examples: `recorder user list` · `recorder user list --json`
    """
    settings = load_settings()
    lines = [_line(each) for each in with_parts(settings, lambda parts: parts.store.accounts())]
    if as_json:
        print_json([_plain(each) for each in lines])
    else:
        print_table(
            lines, COLUMNS, settings.office_zone, reveal=True,
            empty="No account: recorder user first-token",
        )  # fmt: skip


@app.command("show")
def show(login: LoginArgument, *, as_json: JsonOption = False) -> None:
    """Print one account.

    Examples: `recorder user show zenobia` · `recorder user show zenobia --json`
    """
    account = with_parts(load_settings(), lambda parts: parts.keeper.by_login(login))
    plain = _plain(_line(account)) | {"findings": list(standing_findings(account.roles))}
    (print_json if as_json else print_fields)(plain)


@app.command("disable")
def disable(login: LoginArgument) -> None:
    """Disable an account; its sessions end at once.

    Examples: `recorder user disable zenobia` · `recorder user disable jan && recorder user list`
    """

    async def use(parts: Parts) -> None:
        account = await parts.keeper.by_login(login)
        await parts.keeper.disable(account.id, actor=admitted().actor)

    with_parts(load_settings(), use)
    typer.echo("Disabled.")


@app.command("enable")
def enable(login: LoginArgument) -> None:
    """Enable an account again; an administrator's or the DPO's with a present administrator.

    Examples: `recorder user enable zenobia` · `recorder user enable jan && recorder user list`
    """

    async def use(parts: Parts) -> None:
        account = await parts.keeper.by_login(login)
        by = await agreed(parts, account.roles)
        await parts.keeper.enable(account.id, actor=admitted().actor, agreed_by=by)

    with_parts(load_settings(), use)
    typer.echo("Enabled.")


@app.command("reset")
def reset(
    login: LoginArgument,
    *,
    totp: Annotated[bool, typer.Option("--totp", help="The lost second factor instead.")] = False,
) -> None:
    """Give a person who forgot it a new first password, or take a lost second factor away.

    A present administrator agrees, by password and code or one of the recovery codes, where the
    account is an administrator's or the DPO's, or where an authorisation opens recordings under
    it and no second factor of its owner's stays.

    Examples: `recorder user reset zenobia` · `recorder user reset zenobia --totp`
    """

    async def use(parts: Parts) -> str:
        account = await parts.keeper.by_login(login)
        agreement, actor = parts.keeper.agreement, admitted().actor
        touched = await (agreement.by_factor if totp else agreement.by_password)(account)
        by = await agreed(parts, touched)
        if not totp:
            return await parts.keeper.reset_password(account.id, actor=actor, agreed_by=by)
        await parts.keeper.reset_totp(account.id, actor=actor, agreed_by=by)
        return f"The second factor is gone; a new one must be set.{STAY if by else ''}"

    typer.echo(with_parts(load_settings(), use))


@app.command("password")
def password() -> None:
    """Change one's own password; sessions elsewhere end.

    Examples: `recorder user password` · `recorder user password < /dev/shm/answers`
    """
    old, new = secret("Present password"), secret("New password")
    visitor = _visitor()
    with_parts(
        load_settings(), lambda parts: parts.keeper.change_password(visitor, old=old, new=new)
    )
    typer.echo("Changed.")


@app.command("totp")
def totp() -> None:
    """Set one's own second factor: a picture for the telephone, then a code from it.

    Examples: `recorder user totp` · `recorder sign-in anna && recorder user totp`
    """
    settings, visitor = load_settings(), _visitor()
    key = with_parts(settings, lambda parts: parts.keeper.begin_totp(visitor))
    uri = enrolment_uri(key, visitor.account.login)
    typer.echo(f"{qr_for_terminal(uri)}\n{uri}")
    code = secret("Code from the telephone")
    codes = with_parts(settings, lambda parts: parts.keeper.confirm_totp(visitor, code))
    typer.echo("Set. Each of these opens once when the telephone is lost; keep them on paper:")
    typer.echo("\n".join(codes))


@app.command("roles")
def roles(
    login: LoginArgument,
    *,
    give: Annotated[list[Role] | None, typer.Option("--give", help="A role more.")] = None,
    take: Annotated[list[Role] | None, typer.Option("--take", help="A role less.")] = None,
) -> None:
    """Change what a person does in the office; their sessions end.

    The roles of administrator and DPO are given and taken with a present administrator, who
    proves password and code at this prompt.

    Examples: `recorder user roles zenobia --give copy_maker` ·
    `recorder user roles jan --take listener --give sysadmin`
    """
    settings = load_settings()

    async def use(parts: Parts) -> Account:
        account = await parts.keeper.by_login(login)
        wanted = (account.roles | set(give or ())) - set(take or ())
        if wanted == account.roles:
            raise RuleViolation("nothing would change; say --give or --take")
        by = await agreed(parts, account.roles ^ wanted)
        return await parts.keeper.set_roles(
            account.id, frozenset(wanted), actor=admitted().actor, agreed_by=by
        )

    account = with_parts(settings, use)
    typer.echo(f"{login}: {', '.join(sorted(account.roles)) or 'no role'}")
    echo_findings(list(standing_findings(account.roles)))


def _visitor() -> Visitor:
    visitor = admitted().visitor
    if visitor is None:
        raise AccessRefused(Why.NOT_SIGNED_IN)
    return visitor


def _line(account: Account) -> UserLine:
    return UserLine(
        id=str(account.id),
        login=account.login,
        name=account.name,
        post=account.post,
        roles=sorted(account.roles),
        signs_in_by=account.signs_in_by.value,
        second_factor=account.totp_since is not None,
        state="disabled" if account.disabled_at else "enabled",
    )


def _plain(line: UserLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in UserLine.__dataclass_fields__}
