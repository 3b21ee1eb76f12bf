"""What regulation.toml says, each value beside its paragraph; nothing is changed here (R1.1a)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.regulation import LONGEST_RETENTION_DAYS, Regulation, effective_values
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.law import SPELLINGS
from recorder.web.routes import Routes

LABELS = {
    "purposes": later("Purposes of recording"),
    "controller.name": later("Controller"),
    "controller.seat": later("Seat of the controller"),
    "controller.phone": later("Telephone of the controller"),
    "dpo.contact": later("Contact of the data protection officer"),
    "scope.recording": later("Recording is switched on"),
    "scope.trunks": later("Ways in from outside"),
    "scope.lines": later("Numbers of the office that are recorded"),
    "scope.internal_numbers": later("Numbers of the office itself"),
    "scope.forwarded_outside": later("When a caller is passed on to the outside"),
    "announcement.mode": later("How callers choose"),
    "announcement.choice_wait_s": later("Seconds in which a key still counts"),
    "announcement.longest_s": later("Longest announcement, in seconds"),
    "announcement.language": later("Language of whoever chose none"),
    "announcement.language_keys": later("Keys of other languages"),
    "retention.days": later("Days for which a recording is kept"),
    "backups.key_days": later("Days for which the keys of a backup live"),
    "holds.four_eyes": later("A hold is lifted by two persons"),
    "requests.filing_days": later("Days in which a request is in time"),
    "copies.months": later("Months for which a copy is kept"),
    "information_clause.address": later("Where the information clause is"),
    "information_clause.from_anywhere": later("Public pages answer everybody"),
    "accessibility": later("Accessibility statement"),
    "accessibility.contact": later("Contact about accessibility"),
    "accessibility.phone": later("Telephone about accessibility"),
    "accessibility.published": later("Accessibility statement made on"),
    "accessibility.reviewed": later("Accessibility statement reviewed on"),
    "accessibility.building": later("How the building is reached"),
}
OWN_WORDS = later("The office's own words")
MEANT = {
    ("scope.lines", "all"): later("all"),
    ("scope.forwarded_outside", "stop"): later("the recording ends"),
    ("scope.forwarded_outside", "continue"): later("the recording goes on"),
    ("announcement.mode", "opt_out"): later("key 2 talks unrecorded; staying on is recorded"),
    ("announcement.mode", "opt_in"): later("key 1 is recorded; anything else is not"),
    ("announcement.mode", "notice"): later("no choice; staying on is recorded"),
}
"""Words for what a value means; the others are shown as they are."""
ELSEWHERE = (later("§ 8.2, annex 2"), later("Act of 4 April 2019, art. 10"))
"""How the paragraphs that are not the regulation's alone are named."""
FEWER = later("Days: give a whole number from 1 to %(most)s, for example 14.")
MOST_DIGITS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value in force, as it is drawn."""

    name: str
    label: str
    shown: str
    paragraph: str
    by_number: bool
    """Whether ``paragraph`` is one of the regulation's, whose words can be opened."""


@needs(Permission.CONFIG_READ)
async def overview(request: Request) -> Response:
    """Show the values; with ``days``, how many recordings so short a retention would erase."""
    services = services_of(request)
    await asker_of(request).require(Permission.CONFIG_READ)
    setup, say = services.setup, speaker(language_of(request.scope))
    given = request.query_params.get("days", "").strip()
    days = days_of(given)
    faults = {}
    if given and days is None:
        faults["days"] = say(FEWER) % {"most": LONGEST_RETENTION_DAYS}
    return services.drawing.page(
        "settings.html",
        request.scope,
        status=422 if faults else 200,
        values=[
            Value(
                name=each.name,
                label=say(each.label),
                shown=say(each.shown),
                paragraph=say(each.paragraph) if each.paragraph else "",
                by_number=each.by_number,
            )
            for each in values_of(setup.regulation)
        ],
        retention=await setup.retention(),
        days=days,
        erased=None if days is None else await setup.erased_at_once(days),
        given=given,
        faults=faults,
        most=LONGEST_RETENTION_DAYS,
    )


def values_of(regulation: Regulation) -> Iterator[Value]:
    """Yield every value of the file in its order, with a name a person reads."""
    for name, value, paragraph in effective_values(regulation):
        yield Value(
            name=name,
            label=LABELS.get(name, OWN_WORDS),
            shown=shown_as(name, value),
            paragraph=paragraph,
            by_number=SPELLINGS.fullmatch(paragraph) is not None,
        )


def shown_as(name: str, value: object) -> str:
    """Return a value as a person reads it: a message, or what stands in the file.

    >>> shown_as("holds.four_eyes", True), shown_as("scope.trunks", []), shown_as("purposes", ["a"])
    ('yes', '–', 'a')
    """
    if isinstance(value, bool):
        return YES if value else NO
    if value is None or value in ([], {}, ""):
        return "–"
    if isinstance(value, str):
        return MEANT.get((name, value), value)
    if isinstance(value, list):
        return "; ".join(shown_as(name, each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    return json.dumps(value)


def days_of(given: str) -> int | None:
    """Return a number of days that the regulation allows, None for anything else.

    >>> days_of("14"), days_of("31"), days_of("0"), days_of("²"), days_of("")
    (14, None, None, None, None)
    """
    if not (given.isascii() and given.isdecimal() and len(given) <= MOST_DIGITS):
        return None
    return int(given) if 1 <= int(given) <= LONGEST_RETENTION_DAYS else None


YES, NO = later("yes"), later("no")
ROUTES: Routes = (("GET", "/settings", overview),)
