"""Draws pages: everything escaped, nothing undefined, every word in the reader's language."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse
from starlette.types import Scope

from recorder.web.languages import LANGUAGES, catalogue, language_of

HARMLESS = frozenset("\n\u00a0\u202f")
"""Space of our own texts and dates, which is not printable to Python."""
FOLDER = Path(__file__).parent / "templates"


class Drawing:
    """The templates, once for each language."""

    def __init__(self, *, office: str, zone: ZoneInfo) -> None:
        self._environments = {each: _environment(each, zone) for each in LANGUAGES}
        self._office = office

    def page(
        self, template: str, scope: Scope, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        """Return a page. A name that the template misses is a defect, never an empty place."""
        language = language_of(scope)
        text = (
            self._environments[language]
            .get_template(template)
            .render(
                language=language,
                languages=LANGUAGES,
                office=self._office,
                asker=scope.get("state", {}).get("asker"),
                path=scope["path"],
                **values,
            )
        )
        headers = {"Content-Language": language, "Vary": "Accept-Language, Cookie"}
        return HTMLResponse(text, status_code=status, headers=headers)


def _environment(language: str, zone: ZoneInfo) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        # Of every value, so that no template can forget it. Markup is our own.
        finalize=lambda value: (
            shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        catalogue(language), newstyle=True
    )

    def day(instant: datetime) -> str:
        pattern = "EEEE, d MMMM y, HH:mm"
        return format_datetime(instant.astimezone(zone), pattern, locale=language)

    def stamp(instant: datetime) -> str:
        return instant.astimezone(zone).isoformat(sep=" ", timespec="seconds")

    environment.filters |= {"day": day, "stamp": stamp, "shown": shown}
    return environment


def shown(text: str) -> str:
    r"""Show control and direction characters as escapes: a caller's name turns no page around.

    >>> shown("a\u202eb\x07")
    'a\\u202eb\\u0007'
    """
    return "".join(
        each if each.isprintable() or each in HARMLESS else f"\\u{ord(each):04x}" for each in text
    )
