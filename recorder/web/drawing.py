"""Draws pages: everything escaped, nothing undefined, every word in the reader's language."""

from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse
from starlette.types import Scope

from recorder.web.asker import Asker
from recorder.web.charts import calendar, curve, stacks
from recorder.web.handbook import chapter_of
from recorder.web.languages import LANGUAGES, SPOKEN, catalogue, language_of, later
from recorder.web.law import Paragraphs, spelt
from recorder.web.navigation import groups

HARMLESS = frozenset("\n\u00a0\u202f")
"""Space of our own texts and dates, which is not printable to Python."""
DAYS_FROM = 2
LAST_DAY = later("%(day)s, that day included")
FOLDER = Path(__file__).parent / "templates"


class Drawing:
    """The templates, once for each language."""

    def __init__(self, *, office: str, zone: ZoneInfo, paragraphs: Paragraphs) -> None:
        self._environments = {each: _environment(each, zone, paragraphs) for each in SPOKEN}
        self._office = office

    def page(
        self,
        template: str,
        scope: Scope,
        *,
        status: int = 200,
        spoken: str = "",
        **values: object,
    ) -> HTMLResponse:
        """Return a page. A name that the template misses is a defect, never an empty place.

        ``spoken`` = the language of a text that is there in more languages than the pages are.
        """
        language, state = spoken or language_of(scope), scope.get("state", {})
        asker = state.get("asker")
        able = asker.able if asker and asker.signed_in else ()
        roles = asker.account.roles if asker and asker.signed_in else ()
        text = (
            self._environments[language]
            .get_template(template)
            .render(
                language=language,
                languages=LANGUAGES,
                office=self._office,
                asker=asker,
                path=scope["path"],
                areas=groups(able, roles, scope["path"]),
                foot=state.get("foot"),
                help_path=_help(asker, scope["path"]),
                **values,
            )
        )
        headers = {"Content-Language": language, "Vary": "Accept-Language, Cookie"}
        return HTMLResponse(text, status_code=status, headers=headers)


def _help(asker: Asker | None, path: str) -> str:
    chapter = chapter_of(path, asker.account.roles) if asker and asker.signed_in else None
    return f"/help/{chapter.name}" if chapter else "/help"


def _environment(language: str, zone: ZoneInfo, paragraphs: Paragraphs) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        # They come with the program: a look at each file for each page finds nothing new.
        auto_reload=False,
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

    def brief(instant: datetime) -> str:
        return format_datetime(instant.astimezone(zone), "EEE, d MMM y, HH:mm", locale=language)

    def clock(instant: datetime) -> str:
        return format_datetime(instant.astimezone(zone), "HH:mm:ss", locale=language)

    def date_of(instant: datetime | date) -> str:
        local = instant.astimezone(zone) if isinstance(instant, datetime) else instant
        return format_date(local, "EEEE, d MMMM y", locale=language)

    def dayshort(each: date) -> str:
        return format_date(each, "d.MM" if language == "pl" else "d MMM", locale=language)

    def within(instant: datetime, now: datetime) -> str:
        apart = instant - now
        days = abs(apart) / timedelta(days=1)
        # In days, as a deadline is counted; babel would say weeks. Below two days, in hours.
        threshold = days / 7 + 0.01 if days >= DAYS_FROM else days + 0.01
        if abs(apart) < timedelta(hours=1):
            threshold = 1
        return format_timedelta(apart, threshold=threshold, add_direction=True, locale=language)

    environment.filters |= {"day": day, "stamp": stamp, "shown": shown, "brief": brief}
    environment.filters["through"] = partial(through, zone=zone, language=language)

    def decimal(value: float, digits: int = 2) -> str:
        return format_decimal(value, format=f"#,##0.{'#' * digits}", locale=language)

    environment.filters |= {"decimal": decimal}
    environment.filters |= {"clock": clock, "date": date_of, "within": within, "dayshort": dayshort}
    environment.filters |= {"number": number, "length": length, "length_of": len}
    environment.filters["bytes"] = partial(in_bytes, language=language)
    environment.filters |= {"words": paragraphs.words, "spelt": partial(spelt, language=language)}
    environment.globals |= {
        "stacks": stacks,
        "curve": curve,
        "calendar": partial(calendar, language=language),
    }
    return environment


def through(instant: datetime, *, zone: ZoneInfo, language: str, short: bool = False) -> str:
    """Say until when: what ends with a day ends with that day, as people count."""
    local = instant.astimezone(zone)
    pattern = "d MMM y" if short else "EEEE, d MMMM y"
    if local.time() != time():
        return format_datetime(local, f"{pattern}, HH:mm", locale=language)
    last = format_date(local.date() - timedelta(days=1), pattern, locale=language)
    return catalogue(language).gettext(LAST_DAY) % {"day": last}


def in_bytes(size: float, *, language: str) -> str:
    """Return a size in the unit that fits, with one decimal.

    >>> [in_bytes(each, language="pl") for each in (0, 1536, 5 << 30)]
    ['0 B', '1,5 KiB', '5,0 GiB']
    """
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    unit = 0
    while size >= 1024 and unit < len(units) - 1:  # noqa: PLR2004 - of one unit, the next
        size, unit = size / 1024, unit + 1
    written = format_decimal(size, format="#,##0.0" if unit else "0", locale=language)
    return f"{written} {units[unit]}"


def number(raw: str) -> Markup:
    """Return a telephone number in groups that are copied without spaces.

    >>> str(number("746640800"))
    '<span class="number"><b>+48</b><b>74</b><b>664</b><b>08</b><b>00</b></span>'
    """
    try:
        parsed = phonenumbers.parse(raw, "PL")
        valid = phonenumbers.is_valid_number(parsed)
    except phonenumbers.NumberParseException:
        valid = False
    if not valid:
        return Markup("{}").format(shown(raw))
    form = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    groups = phonenumbers.format_number(parsed, form).split()
    parts = Markup().join(Markup("<b>{}</b>").format(each) for each in groups)
    return Markup('<span class="number">{}</span>').format(parts)


def length(seconds: float) -> str:
    """Return a length as a clock shows it.

    >>> length(245.4), length(3600)
    ('4:05', '1:00:00')
    """
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def shown(text: str) -> str:
    r"""Show control and direction characters as escapes: a caller's name turns no page around.

    >>> shown("a\u202eb\x07")
    'a\\u202eb\\u0007'
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in HARMLESS else f"\\u{ord(each):04x}" for each in text
    )
