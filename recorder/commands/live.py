"""``recorder calls live``, ``pause``, ``resume``, ``stop``: recording while a call goes on."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
import uuid_utils.compat as uuids

from recorder.access.model import Permission, Target
from recorder.adapters.postgres.live import PostgresOrderBook
from recorder.commands.asking import JsonOption
from recorder.commands.gatehouse import admitted, leave_entry, require
from recorder.commands.output import for_machines, print_json, print_table
from recorder.commands.parts import Parts, open_parts
from recorder.errors import NotFound, RuleViolation, SwitchboardUnavailable
from recorder.live.model import CARRIED_OUT, Act, Answer
from recorder.live.rules import hindrance, owner_of
from recorder.live.service import LiveController
from recorder.settings import load_settings

IdArgument = Annotated[UUID, typer.Argument(metavar="ID", help="The call: `recorder calls live`.")]
ReasonOption = Annotated[str, typer.Option(help="Why, in your own words; for the trail alone.")]
COLUMNS = {
    "arrived_at": "arrived",
    "caller_number": "caller",
    "line": "called",
    "parties": "on the line",
    "state": "recording",
    "since": "since",
    "reachable": "reachable",
    "id": "id",
}
SAID = {
    Answer.DONE: "Done.",
    Answer.ALREADY: "It was so before; nothing was done.",
    Answer.DOUBTFUL: "Asterisk did not confirm it. It is asked for until it does; meanwhile the "
    "recording may go on.",
    Answer.EXPIRED: "Nothing was done: the order was older than five seconds.",
    Answer.NOT_RECORDING: "Nothing was done: this call is not being recorded.",
    Answer.OVER: "Nothing was done: the recording was stopped before.",
    Answer.CALL_OVER: "Nothing was done: the call is over.",
    Answer.SWITCHBOARD_AWAY: "Nothing was done: Asterisk cannot be reached through AMI.",
    Answer.CAPTURE_AWAY: "Nothing was done: capture does not answer.",
    Answer.NOT_OF_THE_OFFICE: "Nothing was done.",
}
AWAY = frozenset({Answer.SWITCHBOARD_AWAY, Answer.CAPTURE_AWAY, Answer.DOUBTFUL})


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLine:
    """A call in progress as a list shows it."""

    id: UUID
    arrived_at: datetime
    caller_number: str
    line: str
    parties: str
    state: str
    since: datetime | None
    reachable: str


def list_live(*, as_json: JsonOption = False) -> None:
    """List the calls that are being recorded now; numbers are masked.

    Examples: `recorder calls live` · `recorder calls live --json`
    """
    settings = load_settings()

    async def ask() -> list[LiveLine]:
        async with open_parts(settings) as parts:
            await leave_entry(parts, "live:shown")
            board = await _controller(parts).board()
            now = parts.clock.now()
            return [
                LiveLine(
                    id=each.call_id,
                    arrived_at=each.arrived_at,
                    caller_number=each.caller,
                    line=each.line,
                    parties=", ".join(each.parties),
                    state=f"{each.state}{' (not confirmed)' if each.in_doubt else ''}",
                    since=each.since,
                    reachable=hindrance(board.node_of(each), now) or "yes",
                )
                for each in board.calls
            ]

    found, zone = asyncio.run(ask()), settings.office_zone
    # What is shown is masked already.
    if as_json:
        print_json([for_machines(each, zone, reveal=True) for each in found])
    else:
        print_table(found, COLUMNS, zone, reveal=True, empty="No call is being recorded now.")


def pause(call_id: IdArgument, *, reason: ReasonOption = "") -> None:
    """Record silence in place of both sides, until it is resumed (RG.12).

    Examples: `recorder calls pause 01a20c69-337a-75a6-9b83-bf45ec100461` ·
    `recorder calls pause 01a20c69-337a-75a6-9b83-bf45ec100461 --reason "numer karty"`
    """
    _order(call_id, Act.PAUSE, reason)


def resume(call_id: IdArgument, *, reason: ReasonOption = "") -> None:
    """Record both sides again.

    Examples: `recorder calls resume 01a20c69-337a-75a6-9b83-bf45ec100461` ·
    `recorder calls resume 01a20c69-337a-75a6-9b83-bf45ec100461 --reason "po przerwie"`
    """
    _order(call_id, Act.RESUME, reason)


def stop(
    call_id: IdArgument,
    *,
    discard: Annotated[
        bool, typer.Option("--discard/--keep", help="Whether anything of it stays.")
    ],
    reason: ReasonOption = "",
) -> None:
    """Record no further, and keep what there is or leave no byte of it; needs a reason.

    Examples: `recorder calls stop 01a20c69-337a-75a6-9b83-bf45ec100461 --keep --reason "koniec
    sprawy"` · `recorder calls stop 01a20c69-337a-75a6-9b83-bf45ec100461 --discard --reason "na
    prośbę dzwoniącego"`
    """
    if not reason.strip():
        raise typer.BadParameter("say why: --reason")
    _order(call_id, Act.DISCARD if discard else Act.STOP, reason)


def _order(call_id: UUID, act: Act, reason: str) -> None:
    answer = asyncio.run(_give(call_id, act, reason.strip()))
    if answer is None:
        raise SwitchboardUnavailable("No answer came: whether it was done is not known.")
    if answer in CARRIED_OUT:
        typer.echo(SAID[answer])
        return
    raise (SwitchboardUnavailable if answer in AWAY else RuleViolation)(SAID[answer])


async def _give(call_id: UUID, act: Act, reason: str) -> Answer | None:
    async with open_parts(load_settings()) as parts:
        controller = _controller(parts)
        board = await controller.board()
        call = board.call(call_id)
        visitor = admitted().visitor
        if call is None or visitor is None:
            raise NotFound("no such call is being recorded now; `recorder calls live`")
        target = Target(line=call.line, owner=owner_of(call, visitor.account))
        await require(parts, Permission.CALL_CONTROL, target=target)
        order_id = await controller.order(
            call, act, node=board.node_of(call), by=admitted().actor, reason=reason
        )
        _, answer = await controller.answer(order_id)
        return answer


def _controller(parts: Parts) -> LiveController:
    return LiveController(
        book=PostgresOrderBook(parts.engine), clock=parts.clock, new_id=uuids.uuid7
    )
