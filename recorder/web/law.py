"""The sentences of the regulation that stand beside the acts they rule (ux: the law, quietly).

The shipped words are in ``paragraphs.toml``; an office whose regulation differs gives its own
under ``[paragraphs]`` of ``regulation.toml``.
"""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files

SPELLINGS = re.compile(r"§ ?(\d+)(?:(?:\.| ust\. ?)(\d+))?")


class Paragraphs:
    """The regulation, paragraph by paragraph."""

    def __init__(self, own: Mapping[str, str]) -> None:
        """``own`` = the office's words where they differ, by number: ``7.4``."""
        shipped = files("recorder.web").joinpath("paragraphs.toml").read_text(encoding="utf-8")
        self._words: dict[str, str] = tomllib.loads(shipped) | dict(own)

    def words(self, paragraph: str) -> str:
        """Return the words of ``§ 7.4`` or ``§ 7 ust. 4``. A missing one is a defect."""
        return self._words[number_of(paragraph)]


def number_of(paragraph: str) -> str:
    """Return the number of a paragraph. Raises ``KeyError`` for what is none.

    >>> number_of("§ 7 ust. 4"), number_of("§ 7.4"), number_of("§ 1")
    ('7.4', '7.4', '1')
    """
    found = SPELLINGS.fullmatch(paragraph)
    if found is None:
        raise KeyError(paragraph)
    return ".".join(each for each in found.groups() if each)


def spelt(paragraph: str, language: str) -> str:
    """Return a paragraph as it is written: § 7 ust. 4 in Polish, § 7.4 elsewhere.

    >>> spelt("§ 7.4", "pl"), spelt("§ 7 ust. 4", "en")
    ('§ 7 ust. 4', '§ 7.4')
    """
    number = number_of(paragraph)
    return f"§ {number.replace('.', ' ust. ')}" if language == "pl" else f"§ {number}"
