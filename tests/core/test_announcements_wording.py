"""RK.3a: what a text of an announcement must say, in Polish, English and Ukrainian."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from recorder.announcements.wording import (
    Content,
    Expected,
    judge_wording,
    mode_mismatch,
    mode_of_text,
)
from recorder.model import Announcement, AnnouncementId, Layer, Mode

OFFICE = Expected(
    controller="Dyrektor Miejskiego Ośrodka Pomocy Społecznej w Wałbrzychu",
    mode=Mode.OPT_OUT,
    retention_days=30,
    language="pl",
    language_keys={"4": "uk", "5": "en"},
)

OPT_OUT = {
    "pl": "Miejski Ośrodek Pomocy Społecznej w Wałbrzychu. Nagrywamy rozmowy dla bezpieczeństwa i "
    "lepszej obsługi, najwyżej na 30 dni. Aby rozmawiać bez nagrywania, proszę wybrać 2. Sprawę "
    "załatwimy tak samo. Państwa prawa i szczegóły: 3 lub mops.walbrzych.pl.",
    "en": "Municipal Social Welfare Centre in Wałbrzych. We record calls for safety and better "
    "service, for at most 30 days. To talk without recording, press 2. We will help you just the "
    "same. For your rights and details, press 3 or visit mops.walbrzych.pl.",
    "uk": "Міський центр соціальної допомоги у Валбжиху. Ми записуємо розмови для безпеки та "
    "кращого обслуговування, щонайбільше на 30 днів. Щоб розмовляти без запису, натисніть 2. Вам "
    "допоможуть так само. Ваші права і подробиці: 3 або mops.walbrzych.pl.",
}
OPT_IN = {
    "pl": "Miejski Ośrodek Pomocy Społecznej w Wałbrzychu. Za Państwa zgodą nagramy rozmowę dla "
    "bezpieczeństwa i lepszej obsługi, najwyżej na 30 dni. Zgoda, z prawem cofnięcia: 1. Bez zgody "
    "porozmawiamy bez nagrania. Państwa prawa: 3 lub mops.walbrzych.pl.",
    "en": "Municipal Social Welfare Centre in Wałbrzych. With your consent we will record this "
    "call for safety and better service, for at most 30 days. To consent, press 1; you may "
    "withdraw it later. Without consent we talk unrecorded. For your rights and details, press 3 "
    "or visit mops.walbrzych.pl.",
    "uk": "Міський центр соціальної допомоги у Валбжиху. За вашою згодою ми запишемо розмову для "
    "безпеки та кращого обслуговування, щонайбільше на 30 днів. Згода, яку можна відкликати: "
    "натисніть 1. Без згоди розмовляємо без запису. Ваші права і подробиці: 3 або "
    "mops.walbrzych.pl.",
}
LANGUAGES = ["pl", "en", "uk"]


def lacks(
    text: str, language: str = "pl", layer: Layer = Layer.FIRST, office: Expected = OFFICE
) -> set[Content]:
    found = judge_wording(text, layer=layer, language=language, expected=office)
    assert all(str(each) for each in found)
    return {each.content for each in found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_model_texts_say_all_they_must(language: str) -> None:
    assert lacks(OPT_OUT[language], language) == set()
    assert lacks(OPT_IN[language], language, office=replace(OFFICE, mode=Mode.OPT_IN)) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_of_the_other_mode_is_noticed(language: str) -> None:
    """RG.1: told to press 1, recorded for not pressing 2: that must not happen unnoticed."""
    assert lacks(OPT_IN[language], language) == {Content.MODE}
    assert lacks(OPT_OUT[language], language, office=replace(OFFICE, mode=Mode.OPT_IN)) == {
        Content.MODE
    }
    assert mode_of_text(OPT_IN[language], language) is Mode.OPT_IN
    assert mode_of_text(OPT_OUT[language], language) is Mode.OPT_OUT


@pytest.mark.parametrize(
    ("cut", "missing"),
    [
        ("Miejski Ośrodek Pomocy Społecznej w Wałbrzychu. ", Content.CONTROLLER),
        ("Aby rozmawiać bez nagrywania, proszę wybrać 2. ", Content.KEY),
        ("Państwa prawa i szczegóły: 3 lub mops.walbrzych.pl.", Content.WHERE),
        (", najwyżej na 30 dni", Content.HOW_LONG),
    ],
)
def test_what_was_left_out_is_named(cut: str, missing: Content) -> None:
    assert cut in OPT_OUT["pl"]
    assert lacks(OPT_OUT["pl"].replace(cut, "")) == {missing}


def test_a_text_that_never_says_recording_is_noticed() -> None:
    text = OPT_OUT["pl"].replace("Nagrywamy rozmowy", "Dbamy o jakość").replace("nagrywania", "")
    assert Content.RECORDED in lacks(text)


def test_days_that_differ_from_the_regulation_are_noticed() -> None:
    """RK.4a, RK.1a: the days that callers are told are those of § 7.2."""
    assert lacks(OPT_OUT["pl"], office=replace(OFFICE, retention_days=14)) == {Content.HOW_LONG}


def test_staying_on_the_line_may_not_be_called_consent() -> None:
    text = OPT_OUT["pl"] + " Pozostanie na linii oznacza zgodę na nagrywanie."
    assert lacks(text) == {Content.SILENCE_IS_NO_CONSENT}


def test_notice_mode_must_say_that_continuing_means_being_recorded() -> None:
    office = replace(OFFICE, mode=Mode.NOTICE)
    text = OPT_OUT["pl"].replace("Aby rozmawiać bez nagrywania, proszę wybrać 2. ", "")
    assert lacks(text, office=office) == {Content.CONTINUING}
    told = text + " Kontynuowanie połączenia oznacza nagranie."
    assert lacks(told, office=office) == set()
    assert lacks(OPT_OUT["pl"], office=office) == {Content.CONTINUING, Content.MODE}


@pytest.mark.parametrize(
    ("text", "language", "mode"),
    [
        ("Proszę wybrać dwójkę.", "pl", Mode.OPT_OUT),
        ("Proszę nacisnąć klawisz jeden.", "pl", Mode.OPT_IN),
        ("Na podstawie art. 6 ust. 1 nagrywamy rozmowy przez 2 miesiące.", "pl", Mode.NOTICE),
        ("Naciśnij 1 lub 2.", "pl", None),
        ("Press two to talk unrecorded.", "en", Mode.OPT_OUT),
        ("No one is recorded for 1 month.", "en", Mode.NOTICE),
        ("Натисніть два.", "uk", Mode.OPT_OUT),
        ("Drücken Sie 1.", "de", None),
    ],
)
def test_keys_are_told_from_other_numbers(text: str, language: str, mode: Mode | None) -> None:
    assert mode_of_text(text, language) is mode


def test_a_language_without_a_word_list_is_left_to_a_person() -> None:
    assert lacks("Wir zeichnen auf.", "de") == {Content.LANGUAGE}


def test_the_offer_of_languages_names_every_key() -> None:
    assert lacks("Українською – 4. English – 5.", layer=Layer.LANGUAGES) == set()
    assert lacks("Українською – 4.", layer=Layer.LANGUAGES) == {Content.LANGUAGE_KEYS}
    assert lacks("Українською – 45.", layer=Layer.LANGUAGES) == {Content.LANGUAGE_KEYS}


def test_the_second_layer_must_speak_of_rights_and_complaint() -> None:
    text = "Podstawa: artykuł 6. Odbiorcami są uprawnione organy. Inspektor: iod@mops.walbrzych.pl."
    assert lacks(text, layer=Layer.SECOND) == {Content.RIGHTS, Content.COMPLAINT}


def test_only_a_first_layer_can_mismatch_the_mode() -> None:
    announcement = Announcement(
        id=AnnouncementId(UUID(int=1)),
        layer=Layer.FIRST,
        language="pl",
        text=OPT_IN["pl"],
        sha256="0" * 64,
        length_ms=1000,
        level_dbfs=-20.0,
        added_at=datetime(2026, 11, 12, tzinfo=UTC),
    )
    assert mode_mismatch(announcement, Mode.OPT_OUT) is not None
    assert mode_mismatch(announcement, Mode.OPT_IN) is None
    assert mode_mismatch(replace(announcement, layer=Layer.SECOND), Mode.OPT_OUT) is None
