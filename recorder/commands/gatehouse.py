"""Before every command: who is at the prompt, and may they? Default: no."""

import asyncio
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from recorder.access.model import AccessDecision, Ground, Permission, Place, Target, Why
from recorder.access.rules import NO_GROUND, NOTHING, decide_operator
from recorder.access.service import AccessRefused, Asking
from recorder.accounts.model import AccountId
from recorder.accounts.service import Visitor
from recorder.accounts.tokens import actor_of
from recorder.adapters.session_file import read_token
from recorder.audit.event import Actor, AuditEvent, Scalar
from recorder.commands.acting import operator
from recorder.commands.db import url_of
from recorder.commands.parts import Parts, open_parts
from recorder.commands.permissions import DECLARED, Declared, Door
from recorder.errors import ConfigurationError, RuleViolation, Unavailable
from recorder.settings import Settings, load_settings, session_path

NOT_DECLARED = "this command has no right declared: recorder/commands/permissions.py"
JUDGED_LATER = frozenset({Permission.COPY_MAKE, Permission.RECORDING_ERASE})
"""What a command asks for itself, once it knows the recording, the purpose and the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Who was let in, and on what terms."""

    actor: Actor
    decision: AccessDecision
    visitor: Visitor | None
    """None = the operating system's administrator."""


_admitted: ContextVar[Admitted | None] = ContextVar("admitted", default=None)


def guard(whole: TyperCommand | TyperGroup) -> None:
    """Put the gate in front of every command."""
    for name, command in commands_of(whole):
        command.callback = _guarded(name, command.callback)


def commands_of(whole: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, TyperCommand]]:  # noqa: ANN401 - typer keeps click to itself
    """Yield every command with its name, as in ``calls list``."""
    if isinstance(whole, TyperGroup):
        for name, command in whole.commands.items():
            yield from commands_of(command, (*path, name))
    else:
        yield " ".join(path), whole


def admitted() -> Admitted:
    """Return who was let in to the running command."""
    found = _admitted.get()
    if found is None:
        raise RuleViolation(NOT_DECLARED)
    return found


def actor() -> Actor:
    """Return what the trail calls the person at the prompt: account, or machine's user."""
    found = _admitted.get()
    return found.actor if found else operator()


def account_id() -> AccountId:
    """Return the account of the person at the prompt. Raises ``AccessRefused`` if there is none."""
    visitor = admitted().visitor
    if visitor is None:
        raise AccessRefused(Why.NOT_SIGNED_IN)
    return visitor.account.id


async def require(
    parts: Parts,
    permission: Permission,
    *,
    target: Target = NOTHING,
    ground: Ground = NO_GROUND,
) -> AccessDecision:
    """Ask the gate again, for what the command has learnt meanwhile. Raises ``AccessRefused``."""
    visitor = admitted().visitor
    if visitor is None:
        raise AccessRefused(Why.NOT_SIGNED_IN)
    asking = Asking(account=visitor.account, session=visitor.session, place=Place.PROMPT)
    return await parts.gate.require(
        permission, asking, target=target, ground=ground, source="prompt"
    )


async def leave_entry(
    parts: Parts,
    action: str,
    *,
    subject: str = "",
    ground: Ground = NO_GROUND,
    details: dict[str, Scalar] | None = None,
) -> None:
    """Write what is about to be shown or handed out; without the entry it is not (RG.15)."""
    await parts.store.note(
        [
            AuditEvent(
                action=action,
                at=parts.clock.now(),
                actor=admitted().actor,
                subject=subject,
                reason=ground.request or ground.purpose,
                details=details or {},
            )
        ]
    )


def is_machines_administrator(settings: Settings) -> bool:
    """Tell whether this is root, or the user whom the vault belongs to."""
    me = os.geteuid()
    if me == 0:
        return True
    try:
        return settings.vault_dir.stat().st_uid == me
    except OSError:
        # Nothing is recorded here yet; what guards the installation are its files' modes.
        return True


def _guarded(name: str, callback: Any) -> Any:  # noqa: ANN401 - click's own
    @functools.wraps(callback)
    def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's own
        token = _admitted.set(admit(name))
        try:
            return callback(*args, **kwargs)
        finally:
            _admitted.reset(token)

    return guarded


@contextmanager
def acting_as(declared: Declared) -> Iterator[None]:
    """Ask for more than the command itself takes, and act as whoever was let in.

    Raises ``AccessRefused``.
    """
    token = _admitted.set(_let_in(declared, name=""))
    try:
        yield
    finally:
        _admitted.reset(token)


def admit(name: str) -> Admitted | None:
    """Let the person at the prompt in to one command, or raise ``AccessRefused``."""
    declared = DECLARED.get(name)
    if declared is None:
        raise RuleViolation(f"{name}: {NOT_DECLARED}")
    return _let_in(declared, name=name)


def _let_in(declared: Declared, *, name: str) -> Admitted | None:
    if declared.door in {Door.OPEN, Door.FILES} or declared.permission is None:
        return None
    try:
        settings = load_settings()
    except ConfigurationError:
        # It tells what is wrong with them, by failing itself.
        if name == "config show":
            return None
        raise
    if declared.door is Door.MACHINE:
        return _as_operator(declared.permission, settings)
    token = read_token(session_path(settings))
    if declared.door is Door.EITHER and not token:
        return _as_operator(declared.permission, settings)
    try:
        # A wrong address is wrong use, whoever asks.
        url_of(settings)
        if not token:
            raise AccessRefused(Why.NOT_SIGNED_IN)
        return asyncio.run(_as_visitor(declared, token, settings))
    except (Unavailable, ConfigurationError):
        # `status` must be able to say that the database is down, or where it is not.
        if declared.door is Door.EITHER:
            return _as_operator(declared.permission, settings)
        raise


def _as_operator(permission: Permission, settings: Settings) -> Admitted:
    if not is_machines_administrator(settings):
        raise AccessRefused(Why.NOT_SIGNED_IN)
    decision = decide_operator(permission)
    if not decision.allowed:
        raise AccessRefused(decision.reason)
    return Admitted(actor=operator(), decision=decision, visitor=None)


async def _as_visitor(declared: Declared, token: str, settings: Settings) -> Admitted:
    permission = declared.permission
    if permission is None:
        raise RuleViolation(NOT_DECLARED)
    async with open_parts(settings) as parts:
        visitor = await parts.door.visitor(token)
        if visitor is None:
            if declared.door is Door.EITHER:
                return _as_operator(permission, settings)
            raise AccessRefused(Why.NOT_SIGNED_IN)
        asking = Asking(account=visitor.account, session=visitor.session, place=Place.PROMPT)
        decision = await parts.gate.decide(permission, asking)
        if decision.reason is Why.ROLE_LACKS_IT and declared.door is Door.EITHER:
            return _as_operator(permission, settings)
        # Judged in full by the command itself, which knows the recording and its line.
        later = permission in JUDGED_LATER and decision.reason in {
            Why.PURPOSE_MISSING,
            Why.NOT_YOURS,
        }
        if not decision.allowed and not later:
            await parts.gate.require(permission, asking, source="prompt")
        return Admitted(actor=actor_of(visitor.account.id), decision=decision, visitor=visitor)


def echo_findings(says: list[str]) -> None:
    """Print what the DPO must know."""
    for each in says:
        typer.echo(f"finding: {each}", err=True)
