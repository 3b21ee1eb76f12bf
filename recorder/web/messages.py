"""Finds every message of the pages: what templates mark by ``_`` and modules by ``later``."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from recorder.web.languages import FOLDER

ROOT = Path(__file__).parent
ALWAYS = datetime(2026, 11, 1, tzinfo=UTC)
KEYWORDS = {"later": None, "_": None, "gettext": None, "ngettext": (1, 2)}
OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}


def messages() -> Catalog:
    """Return the catalogue of all messages, untranslated."""
    found = Catalog(project="Rejestrator", charset="utf-8")
    for place, message in _in_sources():
        found.add(message, locations=[(place, 0)])
    return found


def update(language: str) -> Catalog:
    """Bring a language's file up to date with the messages, and return it."""
    file = FOLDER / language / "LC_MESSAGES" / "web.po"
    if file.exists():
        with file.open("rb") as source:
            known = read_po(source, locale=language)
    else:
        known = Catalog(locale=language)
    # A guess by likeness would say in the office's name what nobody wrote.
    known.update(messages(), no_fuzzy_matching=True, keep_user_comments=False)
    known.obsolete.clear()
    known.fuzzy = False
    # A file that says when it was written differs without a difference.
    known.creation_date = known.revision_date = ALWAYS
    written = BytesIO()
    write_po(written, known, omit_header=False, sort_output=True, no_location=True, width=100)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(written.getvalue())
    return known


def _in_sources() -> Iterator[tuple[str, str | tuple[str, str]]]:
    for kind, method in (("*.py", "python"), ("*.html", "jinja2")):
        for path in sorted(ROOT.rglob(kind)):
            with path.open("rb") as source:
                for found in extract(method, source, keywords=KEYWORDS, options=OPTIONS):
                    # A plural comes as its two English forms.
                    message = found[1] if isinstance(found[1], str) else (found[1][0], found[1][1])
                    if message:
                        yield path.relative_to(ROOT).as_posix(), message
