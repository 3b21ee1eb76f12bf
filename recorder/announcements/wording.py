"""Does the text of an announcement say what it must (RK.3a)? Advice, never a refusal. Pure.

Words are found by their stems, so a finding means "not found", not "not there": a person
decides, with the checklist of ``docs/announcements.md``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from recorder.model import Announcement, Layer, Mode

KEY_OF_MODE = {Mode.OPT_OUT: "2", Mode.OPT_IN: "1"}
"""RG.1: the key that the text of each mode must name."""

STEM_LENGTH = 5
"""So much of a word survives Polish declension: Ośrodek, Ośrodka; Wałbrzych, Wałbrzychu."""


class Content(StrEnum):
    """What a text must say, or must not."""

    CONTROLLER = "controller"
    RECORDED = "recorded"
    HOW_LONG = "how_long"
    KEY = "key"
    CONTINUING = "continuing"
    WHERE = "where"
    MODE = "mode"
    SILENCE_IS_NO_CONSENT = "silence_is_no_consent"
    LANGUAGE_KEYS = "language_keys"
    LEGAL_BASIS = "legal_basis"
    RECIPIENTS = "recipients"
    RIGHTS = "rights"
    DPO = "dpo"
    COMPLAINT = "complaint"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that the text does not seem to say, or says wrongly."""

    content: Content
    advice: str

    def __str__(self) -> str:
        return self.advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the regulation of the office makes a text say."""

    controller: str
    mode: Mode
    retention_days: int
    language: str
    """Of callers who chose none: the offer of languages is played in it."""
    language_keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Words:
    """Patterns of one language."""

    office: str
    recorded: str
    days: str
    other_times: str
    press: str
    one: str
    two: str
    where: str
    continuing: str
    consent: str
    second: Mapping[Content, str]


WORDS = {
    "pl": _Words(
        office=r"ośrod|urząd|urzęd|dyrektor|centrum|gmin|miejsk|powiat|starost|zakład",
        recorded=r"nagr(?:yw|a)|rejestr|utrwal",
        days=r"(?:dni|dnia|dniach)\b",
        other_times=r"trzydzie\w+ dni|miesi[ąę]c|tygod|godzin",
        press=r"klawisz\w*|cyfr\w+|wybra\w+|wybier\w+|naci[sś]\w+|wci[sś]\w+",
        one=r"jeden|jedynk\w*",
        two=r"dwa|dwójk\w*",
        where=r"stron\w+ internet|klauzul|\bbip\b|siedzib|biulety",
        continuing=r"kontynu|pozosta\w+|nieprzerw|dalsz\w+ rozmow",
        consent=r"zgod[aąęoy]|zgadza",
        second={
            Content.LEGAL_BASIS: r"podstaw|art\.|artyku",
            Content.RECIPIENTS: r"odbiorc|udostępni|przekaż|przekazuj",
            Content.RIGHTS: r"praw[oa]\b.*(?:dostęp|sprostow|usuni)",
            Content.DPO: r"inspektor",
            Content.COMPLAINT: r"skarg",
        },
    ),
    "en": _Words(
        office=r"cent(?:re|er)|office|municipal|council|authority|director|department",
        recorded=r"record",
        days=r"days?\b",
        other_times=r"thirty days|months?\b|weeks?\b|hours?\b",
        press=r"press|dial|choose|select|key",
        one=r"one",
        two=r"two",
        where=r"website|web page|our office|notice board",
        continuing=r"staying on|stay on|remain|continu",
        consent=r"consent|agree",
        second={
            Content.LEGAL_BASIS: r"legal basis|article",
            Content.RECIPIENTS: r"recipient|disclose|given (?:only )?to|receive",
            Content.RIGHTS: r"right\b.*(?:access|correct|rectif|eras)",
            Content.DPO: r"data protection officer",
            Content.COMPLAINT: r"complain",
        },
    ),
    "uk": _Words(
        office=r"центр|закла|управлін|директор|міськ|служб|адміністрац",
        recorded=r"запис|запиш",
        days=r"(?:дн(?:ів|я|і)|день)\b",
        other_times=r"тридцят\w+ дн|місяц|тижн|годин",
        press=r"натисн\w+|клавіш\w*|кнопк\w*|цифр\w+|оберіть|виберіть",
        one=r"один|одиниц\w+",
        two=r"два|двійк\w+",
        where=r"сайт|вебсторін|інтернет|офіс|приміщен",
        continuing=r"продовж|залиша|залиши",
        consent=r"згод|погодж",
        second={
            Content.LEGAL_BASIS: r"підстав|статт",
            Content.RECIPIENTS: r"одержувач|переда|отриму",
            Content.RIGHTS: r"прав[оа]\b.*(?:доступ|виправ|видал)",
            Content.DPO: r"інспектор|захисту даних|уповноважен",
            Content.COMPLAINT: r"скарг",
        },
    ),
}


def judge_wording(
    text: str, *, layer: Layer, language: str, expected: Expected
) -> tuple[Advice, ...]:
    """Return what a text of this layer and language does not seem to say (RK.3a).

    Empty = nothing to say about it. The offer of languages speaks several of them, so only its
    keys are looked at.
    """
    if layer is Layer.LANGUAGES:
        return tuple(_language_keys(text, expected))
    words = WORDS.get(language)
    if words is None:
        known = ", ".join(sorted(WORDS))
        return (
            Advice(
                Content.LANGUAGE,
                f"no word list for '{language}' (there is one for {known}): "
                "go through the checklist by hand",
            ),
        )
    if layer is Layer.SECOND:
        return tuple(_second(text, words))
    return tuple(_first(text, words, expected))


def mode_of_text(text: str, language: str) -> Mode | None:
    """Return the mode a first layer speaks of, by the keys it names; None if it names both."""
    words = WORDS.get(language)
    if words is None:
        return None
    one, two = (_names_key(text, key, words) for key in ("1", "2"))
    if one and two:
        return None
    if one:
        return Mode.OPT_IN
    return Mode.OPT_OUT if two else Mode.NOTICE


def mode_mismatch(announcement: Announcement, mode: Mode) -> Advice | None:
    """Return advice if a first layer explains another mode than the one in force (RG.1).

    For ``announcement add`` and ``config check``: a caller told to press 1 in a mode in which
    silence records would be recorded against what they were told.
    """
    if announcement.layer is not Layer.FIRST:
        return None
    return _mode(mode_of_text(announcement.text, announcement.language), mode)


def _first(text: str, words: _Words, expected: Expected) -> Iterable[Advice]:
    # § 2.1: the controller, by the words of its name, which may be declined or translated.
    if not (_shares_words(text, expected.controller) or _has(words.office, text)):
        yield Advice(Content.CONTROLLER, "does not seem to say who the controller is (§ 2.1)")
    if not _has(words.recorded, text):
        yield Advice(Content.RECORDED, "does not seem to say that the call is recorded (§ 8.2)")
    yield from _how_long(text, words, expected.retention_days)
    yield from _keys(text, words, expected.mode)
    # "3" alone is enough: the second layer is reached by it.
    if not (
        _names_key(text, "3", words) or _has(words.where, text) or _has(r"\w\.[a-z]{2,}\b", text)
    ):
        yield Advice(
            Content.WHERE, "does not seem to say where the details are: key 3 or an address (§ 8.2)"
        )
    sentences = re.split(r"[.;!?]\s", text)
    if any(_has(words.continuing, each) and _has(words.consent, each) for each in sentences):
        yield Advice(
            Content.SILENCE_IS_NO_CONSENT,
            "seems to call staying on the line a consent: supervisory authorities do not "
            "accept that; say what is done and how to avoid it",
        )


def _how_long(text: str, words: _Words, retention_days: int) -> Iterable[Advice]:
    said = {int(days) for days in re.findall(rf"(\d{{1,4}})\s*{words.days}", text.lower())}
    if not said and not _has(words.other_times, text):
        yield Advice(Content.HOW_LONG, "does not seem to say how long recordings are kept (§ 7.2)")
    elif said and retention_days not in said:
        yield Advice(
            Content.HOW_LONG,
            f"says {min(said)} days, the regulation in force says {retention_days} (§ 7.2)",
        )


def _keys(text: str, words: _Words, mode: Mode) -> Iterable[Advice]:
    one, two = (_names_key(text, key, words) for key in ("1", "2"))
    spoken = None if one and two else Mode.OPT_IN if one else Mode.OPT_OUT if two else Mode.NOTICE
    if mode is Mode.NOTICE:
        if not _has(words.continuing, text):
            yield Advice(
                Content.CONTINUING,
                "does not seem to say that continuing means being recorded (annex 2, 3)",
            )
    elif spoken is Mode.NOTICE:
        yield Advice(
            Content.KEY, f"does not seem to name key {KEY_OF_MODE[mode]}, the choice of {mode}"
        )
        return
    if mismatch := _mode(spoken, mode):
        yield mismatch


def _mode(spoken: Mode | None, mode: Mode) -> Advice | None:
    if spoken is mode:
        return None
    said = "names keys 1 and 2" if spoken is None else f"reads like {spoken}"
    return Advice(
        Content.MODE, f"{said}, but the mode in force is {mode}: callers would be told wrongly"
    )


def _second(text: str, words: _Words) -> Iterable[Advice]:
    for content, pattern in words.second.items():
        if not _has(pattern, text):
            named = content.value.replace("_", " ")
            yield Advice(content, f"does not seem to speak of: {named}")


def _language_keys(text: str, expected: Expected) -> Iterable[Advice]:
    for key, language in sorted(expected.language_keys.items()):
        if language != expected.language and not re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text):
            yield Advice(Content.LANGUAGE_KEYS, f"does not name key {key} for '{language}'")


def _names_key(text: str, key: str, words: _Words) -> bool:
    """Tell whether ``text`` names a key, as a digit or as a word after a verb of pressing."""
    # Paragraphs, periods and dates are digits too, but not keys.
    as_digit = (
        rf"(?<!§ )(?<!ust\. )(?<!art\. )(?<!lit\. )(?<!pkt )(?<![\w.,]){key}(?![\w]|[.,]\d)"
        rf"(?!\s*(?:{words.days}|{words.other_times}))"
    )
    if _has(as_digit, text):
        return True
    word = {"1": words.one, "2": words.two}.get(key)
    return word is not None and _has(rf"\b(?:{words.press})\s+(?:\w+\s+)?(?:{word})\b", text)


def _shares_words(text: str, name: str) -> bool:
    stems = {word[:STEM_LENGTH] for word in re.findall(r"\w{4,}", name.casefold())}
    spoken = {word[:STEM_LENGTH] for word in re.findall(r"\w{4,}", text.casefold())}
    return len(stems) > 0 and len(stems & spoken) * 2 >= len(stems)


def _has(pattern: str, text: str) -> bool:
    return re.search(pattern, text.casefold(), re.DOTALL) is not None
