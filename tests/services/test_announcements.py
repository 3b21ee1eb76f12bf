"""R8.2d, R8.2e, RK.3a: an office adds, plans and checks its announcements."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from recorder.adapters import speech
from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.sounds import read_sound
from recorder.adapters.starters import load_starters
from recorder.announcements.rules import Sound
from recorder.announcements.service import Added, AnnouncementKeeper
from recorder.announcements.wording import Content
from recorder.commands.announcement import app
from recorder.errors import (
    AnnouncementRefused,
    ConfigurationError,
    NotFound,
    RuleViolation,
    Unavailable,
)
from recorder.model import Layer, Mode
from recorder.regulation import Regulation

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 12, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TEXT = (
    "Miejski Ośrodek Pomocy Społecznej w Wałbrzychu. Nagrywamy rozmowy, najwyżej na 30 dni. "
    "Aby rozmawiać bez nagrywania, proszę wybrać 2. Szczegóły: 3."
)


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


def a_file(path: Path, hertz: float = 440, seconds: float = 2.0, peak: float = 0.3) -> Path:
    tone = peak * np.sin(2 * np.pi * hertz * np.arange(round(16_000 * seconds)) / 16_000)
    soundfile.write(path, tone, 16_000)
    return path


def a_sound(folder: Path, hertz: float = 440, seconds: float = 2.0) -> Sound:
    return read_sound(a_file(folder / f"{hertz}-{seconds}.wav", hertz, seconds))


@pytest.fixture
def regulation() -> Regulation:
    return load_regulation(ROOT / "regulation.toml")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalogue(tmp_path: Path) -> AnnouncementCatalogue:
    return AnnouncementCatalogue(tmp_path / "announcements")


@pytest.fixture
def keeper(
    catalogue: AnnouncementCatalogue, regulation: Regulation, clock: Clock
) -> AnnouncementKeeper:
    return AnnouncementKeeper(catalogue=catalogue, regulation=regulation, clock=clock)


def added(
    keeper: AnnouncementKeeper, sound: Sound, layer: Layer = Layer.FIRST, language: str = "pl"
) -> Added:
    return keeper.add(sound, layer=layer, language=language, text=TEXT, allow_long=False)


def test_a_refused_sound_leaves_nothing_behind(
    keeper: AnnouncementKeeper, catalogue: AnnouncementCatalogue, tmp_path: Path
) -> None:
    with pytest.raises(AnnouncementRefused, match=r"30\.5 s .* at most 20 s"):
        added(keeper, a_sound(tmp_path, seconds=30))
    for text, reason in ((" \n\u00ad", "text is empty"), ("Nagr\udcb1", "UTF-8")):
        with pytest.raises(AnnouncementRefused, match=reason):
            keeper.add(
                a_sound(tmp_path), layer=Layer.FIRST, language="pl", text=text, allow_long=False
            )
    assert list(catalogue.versions()) == []


def test_a_text_that_lacks_something_is_added_with_advice(
    keeper: AnnouncementKeeper, tmp_path: Path
) -> None:
    """RK.3a: the checklist advises, a person decides."""
    assert added(keeper, a_sound(tmp_path)).advice == ()
    bare = keeper.add(
        a_sound(tmp_path, 550),
        layer=Layer.FIRST,
        language="pl",
        text="Nagrywamy. Zgoda: 1.",
        allow_long=False,
    )
    assert {each.content for each in bare.advice} >= {Content.CONTROLLER, Content.MODE}


def test_the_same_sound_again_is_not_new(keeper: AnnouncementKeeper, tmp_path: Path) -> None:
    first, again = (added(keeper, a_sound(tmp_path)) for _ in range(2))
    assert (first.new, again.new) == (True, False)
    assert first.announcement.id == again.announcement.id


def test_a_version_is_planned_and_takes_over_at_its_time(
    keeper: AnnouncementKeeper, catalogue: AnnouncementCatalogue, clock: Clock, tmp_path: Path
) -> None:
    old = added(keeper, a_sound(tmp_path, 440)).announcement
    new = added(keeper, a_sound(tmp_path, 550)).announcement
    keeper.activate(old.id)
    keeper.activate(new.id, NOON + DAY)
    for later, heard in ((timedelta(0), old), (DAY - timedelta(seconds=1), old), (DAY, new)):
        active = catalogue.active(Layer.FIRST, "pl", NOON + later)
        assert active is not None
        assert active.id == heard.id


def test_the_past_cannot_be_rewritten(keeper: AnnouncementKeeper, tmp_path: Path) -> None:
    """R8.2d: the periods say what callers heard."""
    version = added(keeper, a_sound(tmp_path)).announcement
    with pytest.raises(RuleViolation, match="in the past"):
        keeper.activate(version.id, NOON - timedelta(seconds=1))


def test_a_version_is_found_by_the_beginning_or_the_end_of_its_id(
    keeper: AnnouncementKeeper, tmp_path: Path
) -> None:
    one = added(keeper, a_sound(tmp_path, 440)).announcement
    two = added(keeper, a_sound(tmp_path, 550)).announcement
    for reference in (str(one.id), str(one.id)[-8:], one.sha256[:8], str(one.id).upper()):
        assert keeper.find(reference).id == one.id
    with pytest.raises(NotFound, match="more than one"):
        keeper.find(str(two.id)[:4])
    with pytest.raises(NotFound, match="list"):
        keeper.find("zzzzzzzz")
    with pytest.raises(NotFound, match="at least 4"):
        keeper.find("1")


def test_the_starters_are_complete_and_say_what_they_must(
    keeper: AnnouncementKeeper, regulation: Regulation
) -> None:
    installed = keeper.install(load_starters(), activate=True)
    assert all(each.new and each.activated and not each.kept_back for each in installed)
    findings = keeper.check()
    assert (findings.damage, findings.gaps, findings.advice) == ((), (), ())
    places = {(each.announcement.layer, each.announcement.language) for each in installed}
    assert places == {
        *((layer, each) for layer in (Layer.FIRST, Layer.SECOND) for each in ("pl", "en", "uk")),
        (Layer.LANGUAGES, "pl"),
    }
    for each in installed:
        if each.announcement.layer is not Layer.SECOND:
            assert each.announcement.length_ms <= regulation.announcement.longest_s * 1000
        if each.announcement.language == "uk":
            assert "native speaker" in each.remark


def test_installing_the_starters_twice_changes_nothing(
    keeper: AnnouncementKeeper, catalogue: AnnouncementCatalogue
) -> None:
    keeper.install(load_starters(), activate=True)
    before = (catalogue.versions(), catalogue.activations())
    again = keeper.install(load_starters(), activate=True)
    assert not any(each.new or each.activated for each in again)
    assert (catalogue.versions(), catalogue.activations()) == before


def test_starters_never_displace_what_the_office_chose(
    keeper: AnnouncementKeeper, catalogue: AnnouncementCatalogue, tmp_path: Path
) -> None:
    own = added(keeper, a_sound(tmp_path)).announcement
    keeper.activate(own.id)
    installed = keeper.install(load_starters(), activate=True)
    (kept,) = [each for each in installed if not each.activated]
    assert "stays so" in kept.kept_back
    active = catalogue.active(Layer.FIRST, "pl", NOON + DAY)
    assert active is not None
    assert active.id == own.id


def test_starters_of_another_mode_are_not_activated(
    catalogue: AnnouncementCatalogue, regulation: Regulation, clock: Clock
) -> None:
    terms = regulation.announcement.model_copy(update={"mode": Mode.OPT_IN})
    keeper = AnnouncementKeeper(
        catalogue=catalogue,
        regulation=regulation.model_copy(update={"announcement": terms}),
        clock=clock,
    )
    installed = keeper.install(load_starters(), activate=True)
    for each in installed:
        assert each.activated == (each.announcement.layer is not Layer.FIRST)


def test_the_starters_fit_into_the_repository() -> None:
    starters = ROOT / "recorder" / "announcements" / "starters"
    assert sum(each.stat().st_size for each in starters.iterdir()) <= 3 << 20


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="apt install espeak-ng")
def test_a_text_is_spoken_and_hostile_words_stay_words(tmp_path: Path) -> None:
    slow = speech.speak("Nagrywamy rozmowy.", language="pl", words_per_minute=120)
    fast = speech.speak("Nagrywamy rozmowy.", language="pl", words_per_minute=240)
    assert slow.length_ms > fast.length_ms > 600
    target = tmp_path / "pwned"
    speech.speak(
        f'--help "; touch {target}; $(touch {target})', language="pl", words_per_minute=175
    )
    assert not target.exists()
    with pytest.raises(AnnouncementRefused, match="--voices"):
        speech.speak("Hello", language="xx", words_per_minute=175)
    with pytest.raises(AnnouncementRefused, match="longer"):
        speech.speak("a" * 10_001, language="pl", words_per_minute=175)


def test_without_espeak_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="apt install espeak-ng"):
        speech.speak("Nagrywamy.", language="pl", words_per_minute=175)


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    environment = {
        "RECORDER_ANNOUNCEMENT_DIR": str(tmp_path / "announcements"),
        "RECORDER_REGULATION_FILE": str(ROOT / "regulation.toml"),
        "NO_COLOR": "1",
    }

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env=environment)

    return invoke


def test_an_empty_catalogue_says_what_to_do(run: Run) -> None:
    result = run("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "install-starters --activate" in result.stderr
    assert json.loads(run("list", "--json").stdout) == []


def test_from_a_file_to_what_callers_hear(run: Run, tmp_path: Path) -> None:
    wav = a_file(tmp_path / "studio.wav")
    result = run("add", str(wav), "--language", "pl", "--text", TEXT, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["state"], told["new"], told["layer"]) == ("not_activated", True, "first")
    assert told["length_ms"] == 2500
    assert "notice: 0.50 s of silence put before it" in result.stderr

    short = told["id"][-8:]
    result = run("activate", short)
    assert result.exit_code == 0
    assert "Callers hear" in result.stderr
    result = run("list")
    assert short in result.stdout
    assert "in force since" in result.stdout
    assert "Miejski Ośrodek" in result.stdout
    assert TEXT in run("show", short).stdout
    (period,) = json.loads(run("show", short, "--json").stdout)["periods"]
    assert period["valid_until"] is None


def test_a_date_is_the_offices_own_time(run: Run, tmp_path: Path) -> None:
    wav = a_file(tmp_path / "studio.wav")
    told = json.loads(run("add", str(wav), "--language", "pl", "--text", TEXT, "--json").stdout)
    result = run("activate", told["id"], "--from", "2020-01-01")
    assert isinstance(result.exception, RuleViolation)
    result = run("activate", told["id"], "--from", "2126-07-01 08:00", "--json")
    planned = json.loads(result.stdout)
    assert (planned["state"], planned["state_at"]) == ("planned", "2126-07-01T06:00:00+00:00")
    assert "from 2126-07-01 08:00" in run("list").stdout
    result = run("activate", told["id"], "--from", "1st of May")
    assert isinstance(result.exception, ConfigurationError)


def test_a_refused_file_is_explained_without_a_traceback(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "page.wav"
    page.write_text("<html>404</html>")
    result = run("add", str(page), "--language", "pl", "--text", TEXT)
    assert isinstance(result.exception, AnnouncementRefused)
    assert "not a sound file" in str(result.exception)
    for language in ("polski", "PL", "../", "p\n"):
        wav = a_file(tmp_path / "studio.wav")
        result = run("add", str(wav), "--language", language, "--text", TEXT)
        assert isinstance(result.exception, AnnouncementRefused)
    result = run("add", str(wav), "--language", "pl")
    assert isinstance(result.exception, ConfigurationError)


def test_a_long_second_layer_comes_from_files(run: Run, tmp_path: Path) -> None:
    wav = a_file(tmp_path / "rights.wav", seconds=25)
    words = tmp_path / "rights.txt"
    words.write_text("Państwa prawa.\nSkargę można wnieść.", encoding="utf-8")
    add = ("add", str(wav), "--language", "pl", "--layer", "second", "--text-file", str(words))
    assert isinstance(run(*add).exception, AnnouncementRefused)
    result = run(*add, "--allow-long", "--activate", "--json")
    told = json.loads(result.stdout)
    assert (told["state"], told["text"]) == ("in_force", "Państwa prawa. Skargę można wnieść.")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="apt install espeak-ng")
def test_a_text_of_the_wrong_mode_is_said_but_its_mode_is_warned_of(run: Run) -> None:
    result = run("say", "--language", "pl", "--text", "Nagrywamy. Zgoda: proszę wybrać 1.")
    assert result.exit_code == 0
    assert "the mode in force is opt_out" in result.stderr
    assert isinstance(run("say", "--language", "-w", "--text", "x").exception, AnnouncementRefused)


def test_check_fails_when_a_sound_is_missing(run: Run, tmp_path: Path) -> None:
    """R8.2e."""
    assert run("install-starters", "--activate").exit_code == 0
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "")
    first = json.loads(run("list", "--json").stdout)[0]
    (tmp_path / "announcements" / first["id"] / "sound.alaw").unlink()
    result = run("check")
    assert result.exit_code == 1
    assert first["id"] in result.stdout
    assert "sound.alaw" in result.stdout
    damage = json.loads(run("check", "--json").stdout)["damage"]
    assert [each["kind"] for each in damage] == ["announcement_missing"]
    assert run("install-starters").exit_code == 0
    assert run("check").exit_code == 0, "the same sound added again restores it"


def test_what_callers_heard_can_be_played_again(run: Run, tmp_path: Path) -> None:
    """R8.2d."""
    wav = a_file(tmp_path / "studio.wav")
    told = json.loads(run("add", str(wav), "--language", "pl", "--text", TEXT, "--json").stdout)
    heard = tmp_path / "heard.wav"
    assert run("export", told["id"], str(heard)).exit_code == 0
    assert read_sound(heard).sha256 == told["sha256"]
    assert isinstance(run("export", told["id"], str(heard)).exception, RuleViolation)


@pytest.mark.parametrize(
    "command", ["add", "say", "list", "activate", "show", "export", "check", "install-starters"]
)
def test_every_command_shows_two_examples(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.count("recorder announcement ") >= 2
