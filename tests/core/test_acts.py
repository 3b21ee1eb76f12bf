"""Every act that the audit trail is told has words for the person who reads it (R8.1e)."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from recorder.approvals.model import Answer
from recorder.audit.event import ACTION
from recorder.holds.model import Ending
from recorder.web.acts import ACTS, DETAILS

SOURCE = Path(__file__).parents[2] / "recorder"
MADE_UP = {
    *(f"approval:{each.value}" for each in Answer),
    *(f"hold:{each.value}" for each in Ending),
    *(f"{kind}:searched" for kind in ("call", "recording")),
}
"""Acts put together from a noun and what was said of it."""


@cache
def told() -> list[ast.Call]:
    """Return each place where the source builds an entry of the trail."""
    sources = (path.read_text() for path in sorted(SOURCE.rglob("*.py")))
    return [
        node
        for source in sources
        if "AuditEvent" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AuditEvent"
    ]


def literals(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def acts() -> set[str]:
    of_entries = {
        text
        for call in told()
        for given in call.keywords
        if given.arg == "action"
        for text in literals(given.value)
        if ACTION.fullmatch(text)
    }
    return of_entries | MADE_UP


def names() -> set[str]:
    return {
        key.value
        for call in told()
        for given in call.keywords
        if given.arg in ("details", "personal") and isinstance(given.value, ast.Dict)
        for key in given.value.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


@pytest.mark.parametrize("act", sorted(acts()))
def test_an_act_has_words(act: str) -> None:
    assert act in ACTS


@pytest.mark.parametrize("name", sorted(names()))
def test_what_an_entry_says_beside_has_a_word(name: str) -> None:
    assert name in DETAILS
