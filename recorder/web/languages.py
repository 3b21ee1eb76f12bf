"""Polish by default, English complete: what people read, and the catalogues behind it (RG.18).

A message is its English text; the catalogue gives the Polish one. A message without a
translation fails the suite.
"""

import gettext
import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

FIRST = "pl"
LANGUAGES = ("pl", "en")
SPOKEN = ("pl", "en", "uk")
"""Of callers: what is told to them before and beside a call."""
FOLDER = Path(__file__).parent / "translations"
LONGEST_HEADER = 200
COOKIE = "language"
"""The person's own choice; no secret, and nothing else is in it."""


def later(message: str) -> str:
    """Mark a message that is translated when it is shown."""
    return message


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the messages of a language; English is what the messages are."""
    file = FOLDER / language / "LC_MESSAGES" / "web.po"
    if not file.exists():
        return gettext.NullTranslations()
    with file.open("rb") as source:
        messages = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def speaker(language: str) -> Callable[[str], str]:
    """Return what translates into a language; the empty text stays empty."""
    translate = catalogue(language).gettext
    return lambda message: translate(message) if message else ""


def choose(*, chosen: str | None, accepted: str | None) -> str:
    """Return the language to speak: the person's own choice, else what the browser asks for.

    >>> choose(chosen=None, accepted="en-GB,en;q=0.8"), choose(chosen=None, accepted="de")
    ('en', 'pl')
    >>> choose(chosen="pl", accepted="en"), choose(chosen="xx", accepted=None)
    ('pl', 'pl')
    """
    if chosen in LANGUAGES:
        return chosen
    for wanted in _in_order((accepted or "")[:LONGEST_HEADER]):
        if wanted in LANGUAGES:
            return wanted
    return FIRST


def language_of(scope: Scope) -> str:
    """Return the language in which this request is answered."""
    headers = Headers(scope=scope)
    cookies = cookie_parser(headers.get("cookie", ""))
    return choose(chosen=cookies.get(COOKIE), accepted=headers.get("accept-language"))


def _in_order(accepted: str) -> Sequence[str]:
    weighed = []
    for each in accepted.split(","):
        name, _, parameter = each.partition(";")
        _, _, weight = parameter.partition("q=")
        try:
            weighed.append((float(weight) if weight else 1.0, name.strip()[:2].lower()))
        except ValueError:
            continue
    return [name for weight, name in sorted(weighed, key=lambda each: -each[0]) if weight > 0]
