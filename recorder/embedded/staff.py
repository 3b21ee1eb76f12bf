"""Somebody who may listen in the trial office: an account, its paper, and a session at the prompt.

No password is fixed: it is drawn at each start and lies in a file that its owner alone can read.
"""

import asyncio
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from recorder.accounts.keeper import AccountKeeper
from recorder.accounts.model import Account, Role, SessionKind
from recorder.accounts.service import Visitor
from recorder.adapters.session_file import keep_token
from recorder.audit.event import Actor, ActorKind
from recorder.authorisations.model import Standing
from recorder.authorisations.rules import standing
from recorder.commands.parts import Parts, open_parts
from recorder.settings import load_settings, session_path

LOGIN = "demo"
ROLES = frozenset({Role.LISTENER, Role.COPY_MAKER})
TRIAL = Actor(kind=ActorKind.PROCESS, name="trial")
LOOPBACK = "127.0.0.1"
TELEPHONE = "desk"
AUTHORISED_FOR = timedelta(days=30)


def employ(environment: Mapping[str, str], *, answers: Path) -> None:
    """Make the person, or give the one who is there a new password, and sign them in.

    ``answers`` gets what ``recorder sign-in`` asks for: the password and an empty code.
    """
    password = asyncio.run(_employ(environment))
    answers.unlink(missing_ok=True)
    handle = os.open(answers, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{password}\n\n")


async def _employ(environment: Mapping[str, str]) -> str:
    settings = load_settings(environment)
    async with open_parts(settings, application="trial") as parts:
        account, temporary = await _person(parts.keeper, LOGIN, ROLES)
        director, _ = await _person(parts.keeper, "dyrektor", frozenset({Role.ADMINISTRATOR}))
        signed = await parts.door.sign_in(
            LOGIN, temporary, "", source="trial", kind=SessionKind.PROMPT
        )
        password = secrets.token_urlsafe(18)
        visitor = Visitor(session=signed.session, account=signed.account)
        await parts.keeper.change_password(visitor, old=temporary, new=password)
        await parts.keeper.set_extension(account.id, TELEPHONE, actor=TRIAL)
        await _authorise(parts, account, director)
        await _list_this_machine(parts)
    keep_token(session_path(settings), signed.token)
    return password


async def _person(keeper: AccountKeeper, login: str, roles: frozenset[Role]) -> tuple[Account, str]:
    for account in await keeper.all():
        if account.login == login:
            return account, await keeper.reset_password(account.id, actor=TRIAL)
    return await keeper.add(
        login=login, name="Osoba Próbna", post="biuro próbne", roles=roles, actor=TRIAL
    )


async def _authorise(parts: Parts, account: Account, director: Account) -> None:
    now = parts.clock.now()
    papers = await parts.papers.of(account.id)
    if any(standing(each, now) is Standing.VALID for each in papers):
        return
    await parts.registrar.grant(
        account,
        roles=ROLES,
        lines=None,
        recording_id=None,
        valid_from=now,
        valid_until=now + AUTHORISED_FOR,
        by=director.id,
    )


async def _list_this_machine(parts: Parts) -> None:
    listed = {str(each.network) for each in await parts.workstations.listed()}
    if f"{LOOPBACK}/32" not in listed:
        await parts.stations.add(LOOPBACK, name="trial", place="this machine", by=TRIAL)
