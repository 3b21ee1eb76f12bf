"""Valid orders and calls in progress; a test names only what it is about."""

from typing import Any
from uuid import UUID

from recorder.audit.event import Actor, ActorKind
from recorder.live.model import Act, InProgress, Node, Order, OrderId, State
from tests.builders import CALL, NOON

PERSON = Actor(kind=ActorKind.ACCOUNT, name=str(UUID(int=7)))
DESK = Actor(kind=ActorKind.EXTENSION, name="desk")


def an_order(act: Act = Act.PAUSE, *, number: int = 1, **changes: Any) -> Order:
    values: dict[str, Any] = {
        "id": OrderId(UUID(int=5000 + number)),
        "call_id": CALL,
        "act": act,
        "by": PERSON,
        "asked_at": NOON,
    }
    return Order(**(values | changes))


def in_progress(**changes: Any) -> InProgress:
    values: dict[str, Any] = {
        "call_id": CALL,
        "node": "pbx1",
        "arrived_at": NOON,
        "line": "746640800",
        "caller": "600***456",
        "answered_at": NOON,
        "parties": ("desk",),
        "connected": True,
        "state": State.RECORDING,
        "since": NOON,
        "in_doubt": False,
    }
    return InProgress(**(values | changes))


def a_node(**changes: Any) -> Node:
    values: dict[str, Any] = {"name": "pbx1", "seen_at": NOON, "switchboard": True}
    return Node(**(values | changes))
