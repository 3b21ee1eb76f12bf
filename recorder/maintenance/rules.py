"""What of a log line a stranger may see, and does a text hold somebody's number or name?

Two guards, for one may fail: a line is cut down to fields that are known to be harmless, and what
is left is looked through as if nothing had been cut.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any

from recorder.maintenance.model import Bundle, Disk, Hit
from recorder.phone_numbers import normalise

CODE = frozenset({"event", "level", "logger", "timestamp", "places", "error", "file"})
"""Fields that the program itself writes: literals, names of modules and types."""
KNOWN = CODE | {
    *(
        "call_id",
        "recording_id",
        "incident",
        "why",
        "detail",
        "job",
        "progress",
        "reason",
        "number",
    ),
    *("method", "route", "command", "brakes", "server", "host", "record", "recorded", "hits"),
}
"""Fields whose texts are shown to a contractor; of any other only a figure is."""
REMOVED = "(removed)"

OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
HARMLESS = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"  # an id of ours
    r"|\b[0-9a-f]{32,64}\b"  # a hash
    r"|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    rf"|(?<![\d.]){OCTET}(?:\.{OCTET}){{3}}(?![\d.])(?::\d{{1,5}})?(?:/\d{{1,2}})?"
    r"|(?<![\d.])\d{1,3}\.\d{1,2}\.\d{1,2}(?![\d.])"  # a release
    r"|\b1[4-9]\d{8}\.\d{1,7}\b"  # a channel's unique id
)
"""What looks like a number and is nobody's."""
WRITTEN = re.compile(
    r"(?<![\w+.])\(?\+?\(?\d{1,15}\)?(?:[ \u00a0\u202f\-./()]{1,3}\d{2,}){0,6}(?!\w)"
)
"""Digits as people write telephone numbers: in one, or in groups of two and more."""
FEWEST_DIGITS, MOST_DIGITS = 7, 15
SHORTEST_NAME = 4
SHORTEST_WORD = 5
WORD = re.compile(r"[^\W\d_]+")


LEAST_FREE_PERCENT = 10
"""Of a disk; below, somebody should make room before calls go unrecorded."""


class Kind(StrEnum):
    """What a hit seems to be."""

    TELEPHONE_NUMBER = "telephone number"
    CALLERS_NUMBER = "number of a caller"
    NAME = "name of a caller or a person of the office"


def is_nearly_full(disk: Disk) -> bool:
    """Tell whether somebody should make room: for bytes, or for files.

    >>> disk = Disk(path="/", free_mib=9, size_mib=100, free_inodes_percent=50, read_only=False)
    >>> is_nearly_full(disk)
    True
    """
    files = disk.free_inodes_percent
    return 100 * disk.free_mib < LEAST_FREE_PERCENT * disk.size_mib or (
        files is not None and files < LEAST_FREE_PERCENT
    )


def cut_down(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a log line with the texts of our own fields alone.

    >>> cut_down({"event": "x", "why": "the disk is full", "who": "Jan", "calls": 3})
    {'event': 'x', 'why': 'the disk is full', 'who': '(removed)', 'calls': 3}
    """
    return {name: _cut(name, value) for name, value in line.items()}


def redacted(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a log line as a stranger may see it: cut down, and every telephone number taken out.

    >>> redacted({"event": "x", "why": "600 123 456 is busy"})
    {'event': 'x', 'why': '(removed) is busy'}
    """
    return {name: _taken_out(value) for name, value in cut_down(line).items()}


def _cut(name: str, value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if name not in KNOWN:
        return REMOVED
    if isinstance(value, list | tuple):
        return [_cut(name, each) for each in value]
    return str(value)


def _taken_out(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return REMOVED if _is_number(str(value)) else value
    if isinstance(value, list):
        return [_taken_out(each) for each in value]
    return without_numbers(str(value))


def without_numbers(text: str) -> str:
    """Return a text with every telephone number taken out."""
    for start, end, _ in sorted(_written(text), reverse=True):
        text = text[:start] + REMOVED + text[end:]
    return text


def numbers_in(text: str) -> Iterator[str]:
    """Yield each telephone number of a text as E.164, whatever its spelling.

    >>> list(numbers_in("call 74 664-08-00, then (+380) 44 279 12 34; 12 345 678 bytes"))
    ['+48746640800', '+380442791234']
    """
    for _, _, number in _written(text):
        yield number


def _written(text: str) -> Iterator[tuple[int, int, str]]:
    # Of the same length, so that places stay.
    bare = HARMLESS.sub(lambda found: "_" * len(found[0]), text)
    for found in WRITTEN.finditer(bare):
        if number := _is_number(found[0]):
            yield found.start(), found.end(), number


def _is_number(spelt: str) -> str | None:
    digits = re.sub(r"\D", "", spelt)
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS + 2:
        return None
    return normalise(f"+{digits}" if spelt.lstrip("( ").startswith("+") else digits)


def digits_in(text: str) -> Iterator[str]:
    """Yield each run of digits long enough to be somebody's, for comparing with the ledger."""
    bare = HARMLESS.sub(lambda found: "_" * len(found[0]), text)
    for found in WRITTEN.finditer(bare):
        digits = re.sub(r"\D", "", found[0])
        if len(digits) >= FEWEST_DIGITS:
            yield digits


def vocabulary(bundle: Bundle) -> frozenset[str]:
    """Return the words that the program itself writes: a caller named "capture" proves nothing."""
    words: set[str] = set()
    for part in bundle.parts:
        for place, text in texts_of(part.content):
            words.update(WORD.findall(place.casefold()))
            if is_code(place):
                words.update(WORD.findall(text.casefold()))
    return frozenset(words)


def said_in(bundle: Bundle) -> frozenset[str]:
    """Return every word of a bundle that the program did not write by itself."""
    return frozenset(
        word
        for part in bundle.parts
        for place, text in texts_of(part.content)
        if not is_code(place)
        for word in WORD.findall(text.casefold())
    )


def words_to_look_for(name: str, *, said: Collection[str], known: Collection[str]) -> Iterator[str]:
    """Yield what of one person's name is worth a look in a bundle that says these words.

    Each longer word that is no word of the program, and the whole name where all of it is short.
    """
    words = WORD.findall(name.casefold())
    long = [each for each in words if len(each) >= SHORTEST_WORD]
    yield from (each for each in long if each in said and each not in known)
    if (
        words
        and not long
        and len("".join(words)) >= SHORTEST_NAME
        and all(w in said for w in words)
    ):
        yield " ".join(words)


def hits_in(
    bundle: Bundle,
    *,
    callers: frozenset[str],
    names: Collection[str],
    public: frozenset[str],
) -> Iterator[Hit]:
    """Yield each place of a bundle that seems to be somebody's.

    ``callers`` are numbers of the ledger, as E.164 or as bare digits; ``names`` are what
    :func:`words_to_look_for` gave; ``public`` are the office's own numbers.
    """
    for part in bundle.parts:
        for place, text in texts_of(part.content):
            numbers = frozenset(numbers_in(text)) - public
            if callers & (numbers | frozenset(digits_in(text))):
                yield Hit(file=part.file, place=place, kind=Kind.CALLERS_NUMBER)
            elif numbers:
                yield Hit(file=part.file, place=place, kind=Kind.TELEPHONE_NUMBER)
            if not is_code(place) and _names_somebody(text, names):
                yield Hit(file=part.file, place=place, kind=Kind.NAME)


def _names_somebody(text: str, names: Collection[str]) -> bool:
    words = WORD.findall(text.casefold())
    plain = f" {' '.join(words)} "
    return any(f" {name} " in plain for name in names)


def is_code(place: str) -> bool:
    """Tell whether this is a field that the program itself fills, with literals alone."""
    return not CODE.isdisjoint(place.split(", "))


def texts_of(content: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield place and text of every value in a part."""
    match content:
        case Mapping():
            for name, value in content.items():
                yield from texts_of(value, f"{place}, {name}" if place else str(name))
        case list() | tuple():
            for index, value in enumerate(content, 1):
                yield from texts_of(value, f"{place}, {index}" if place else f"line {index}")
        case None | bool():
            return
        case _:
            yield place, str(content)
