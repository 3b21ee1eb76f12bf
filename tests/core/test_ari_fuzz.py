"""Twenty thousand broken events (B1): real ones of Asterisk, each with something wrong in it."""

import json
import math
import random
from pathlib import Path
from typing import Any

from recorder.adapters.ari import parse_event
from recorder.capture import events as ev
from recorder.capture.following import Following, follow
from recorder.capture.journal import encode, entry
from tests.builders import RECORDING
from tests.core.test_ari_events import Office

HOW_MANY, SEED = 20_000, 2026
CALLS = sorted((Path(__file__).parents[1] / "calls").glob("*.jsonl"))


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


WRONG: list[Any] = [
    *(None, True, 0, -1, 10**30, 0.5, math.nan, math.inf, "", [], {}, [None], {"id": {}}),
    *("\ud800", "\udfff\x00", "\x1b[31m", "1e400", "v1", "x" * 1000, nested(30), nested(900)),
]


def broken(message: Any, dice: random.Random) -> Any:
    """Return the message with one value, somewhere inside, replaced, repeated or gone."""
    if not isinstance(message, (dict, list)) or not message or dice.random() < 0.08:
        return dice.choice(WRONG)
    changed = message.copy()
    where = dice.choice(list(message) if isinstance(message, dict) else range(len(message)))
    if dice.random() < 0.15:
        del changed[where]
    else:
        changed[where] = broken(message[where], dice)
    return changed


def as_sent(message: Any, dice: random.Random) -> str | bytes:
    text = json.dumps(message)
    match dice.randrange(40):
        case 0:
            return text[: dice.randrange(len(text) + 1)]
        case 1:
            return text.encode("utf-16")
        case 2:
            return dice.randbytes(200)
        case 3 if dice.random() < 0.05:
            return text.replace('"', '"' + "y" * (1 << 20), 1)
        case _:
            return text


def test_twenty_thousand_broken_events_are_dropped_or_handled_and_none_raises() -> None:
    """B1: type swaps, nulls, deep nesting, 1 MB, NaN, lone surrogates, bytes, no JSON."""
    real = [json.loads(line) for path in CALLS for line in path.read_text().splitlines()]
    dice, office = random.Random(SEED), Office()
    following = Following(recording_id=RECORDING, trunk_endpoints=frozenset(), stop_outside=True)
    handled = 0
    for _ in range(HOW_MANY):
        message = dice.choice(real)
        for _ in range(dice.randint(1, 3)):
            message = broken(message, dice)
        event = parse_event(as_sent(message, dice))
        if event is None:
            continue
        handled += 1
        office.events(event)
        for channel_id, told in office.told:
            channel_id.encode()
            following, commands = follow(following, told)
            for each in commands:
                if isinstance(each, ev.Note):
                    encode(entry(each.kind, told.at, each.fields))
        office.told.clear()
    assert HOW_MANY / 2 < handled < HOW_MANY
    office.hear(**next(each for each in real if each["type"] == "StasisStart"))
    assert office.arrivals, "it hears as before"
