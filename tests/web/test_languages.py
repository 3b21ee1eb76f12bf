"""Polish and English, both complete (RG.18)."""

import re

import pytest

from recorder.web.languages import FOLDER, choose
from recorder.web.messages import messages, update

PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


def test_every_message_has_its_polish() -> None:
    file = FOLDER / "pl" / "LC_MESSAGES" / "web.po"
    before = file.read_bytes()
    catalogue = update("pl")
    after = file.read_bytes()
    file.write_bytes(before)
    for each in catalogue:
        forms = each.string if isinstance(each.string, tuple) else (each.string,)
        assert not each.id or all(forms), each.id
    assert [each.id for each in catalogue if each.id and each.fuzzy] == []
    assert before == after, "run script/messages"


def test_a_translation_keeps_the_places_for_values() -> None:
    for each in update("pl"):
        if isinstance(each.id, str) and isinstance(each.string, str) and each.id:
            wanted = sorted(PLACEHOLDERS.findall(each.id))
            assert sorted(PLACEHOLDERS.findall(each.string)) == wanted, each.id


def test_messages_are_found_in_templates_and_modules() -> None:
    found = {each.id for each in messages()}
    assert {"Sign in", "You are not signed in"} <= found


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, None, "pl"),
        (None, "en;q=0.5, pl;q=0.9", "pl"),
        (None, "de, en;q=0.1", "en"),
        (None, "pl;q=0, en;q=0.1", "en"),
        (None, "x" * 10_000, "pl"),
        (None, "en;q=ten", "pl"),
        ("en", "pl", "en"),
        ("../../etc", "en", "en"),
    ],
)
def test_a_persons_choice_wins_over_the_browsers(
    chosen: str | None, accepted: str | None, language: str
) -> None:
    assert choose(chosen=chosen, accepted=accepted) == language
