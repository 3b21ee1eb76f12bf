"""Announcements at the prompt: a free place takes nobody else, what is heard takes two persons."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from recorder.accounts.model import Role
from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.changing_announcements import open_announcement_effect
from recorder.adapters.keeping import PROCESS
from recorder.adapters.regulation_file import load_regulation
from recorder.settings import load_settings
from tests.postgres.test_commands import run
from tests.postgres.test_keeping_commands import REGULATION, Office, office

pytestmark = pytest.mark.postgres
__all__ = ("office", "run")
WORDS = ("--language", "pl", "--text", "Nagrywamy rozmowy.")


def sound(path: Path, hz: int) -> str:
    tone = 6000 * np.sin(2 * np.pi * hz * np.arange(16_000) / 8000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(tone.astype("<i2").tobytes())
    return str(path)


def carry_out(office: Office) -> str:
    settings = load_settings()

    async def tell(_: str) -> None:
        pass

    return office.ask(
        lambda engine: open_announcement_effect(
            settings, load_regulation(REGULATION), engine, PROCESS
        ).work(tell)
    )


def test_the_first_of_its_place_is_activated_at_once_and_the_next_by_two(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """registers.md 2, R8.2d."""
    monkeypatch.setenv("RECORDER_ANNOUNCEMENT_DIR", str(office.directory / "announcements"))
    add = ("announcement", "add")
    first = office.run(*add, sound(office.directory / "1.wav", 440), *WORDS, "--activate")
    assert first.status == 0, first
    second = office.run(*add, sound(office.directory / "2.wav", 550), *WORDS, "--activate")
    assert second.status == 1, "another is heard already"
    catalogue = AnnouncementCatalogue(office.directory / "announcements")
    old, new = catalogue.versions()
    assert [each.id for each in catalogue.activations()] == [old.id]

    activate = ("announcement", "activate", str(new.id))
    assert office.run(*activate).status == 2, "it wants a reason"
    said = office.run(*activate, "--reason", "new address", "--json")
    assert json.loads(said.out)["state"] == "proposed"
    (proposal,) = office.run("approval", "list", "--json").json
    assert office.run("approval", "confirm", proposal["id"]).status == 1, "four eyes"
    assert carry_out(office) == "0 activated, 0 refused"
    office.sits_down("jan", Role.LISTENER)
    assert office.run(*activate, "--reason", "x").status == 1, "no administrator"
    assert office.run("approval", "confirm", proposal["id"]).status == 1
    office.sits_down("anna", Role.ADMINISTRATOR)
    assert office.run("approval", "confirm", proposal["id"]).status == 0
    assert carry_out(office) == "1 activated, 0 refused"
    assert [each.id for each in catalogue.activations()] == [old.id, new.id]
    signed = catalogue.signed()
    by = [signed[each.id, each.active_from] for each in catalogue.activations() if each.active_from]
    assert by[0].activated_by.startswith("operator:")
    assert by[1].proposed_by.startswith("account:")
    assert by[1].activated_by.startswith("account:")
    assert by[1].activated_by != by[1].proposed_by
