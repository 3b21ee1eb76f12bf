"""Telephone numbers as people write them and as machines compare them."""

from functools import lru_cache

import phonenumbers

LONGEST_DIALLABLE = 32
"""E.164 allows 15 digits; longer input than this is not a number but an attack or noise."""

WITHHELD_AS_DELIVERED = ("", "anonymous", "Anonymous", "restricted", "unavailable", "unknown")
"""How trunks deliver a caller who sends no number."""

DIGITS = frozenset("0123456789")
ENDS = 3
"""Characters of a masked number that stay at each end."""
POLAND = "48"


def beginnings(raw: str) -> list[str]:
    """Return what public numbers begin with that begin as ``raw`` does; empty if it is none.

    Without +, 00 or 48 the digits are a Polish number's; 48 may be Poland or Nowy Sącz.

    >>> beginnings("74 664"), beginnings("0048 74"), beginnings("+380"), beginnings("48123")
    (['+4874664'], ['+4874'], ['+380'], ['+4848123', '+48123'])
    """
    text = raw.strip()
    digits = "".join(each for each in text if each in DIGITS)[:LONGEST_DIALLABLE]
    if text.startswith("+"):
        return [f"+{digits}"] if digits else []
    if digits.startswith("00"):
        return [f"+{digits[2:]}"] if digits[2:] else []
    national = digits.removeprefix("0")
    if not national:
        return []
    begun = [f"+{POLAND}{national}"]
    return [*begun, f"+{national}"] if national.startswith(POLAND) else begun


@lru_cache(maxsize=1024)
def normalise(raw: str, *, region: str = "PL") -> str | None:
    """Return ``raw`` as E.164 ("+48746640800"), or None if it is not a full public number.

    Ignores formatting and understands +48, 0048, 48 and 0 prefixes (R7.5c). Short numbers of a
    PBX, withheld numbers and hostile input have no public form: compare those as they are.

    >>> normalise("74 664 08 00"), normalise("0048746640800"), normalise("48746640800")
    ('+48746640800', '+48746640800', '+48746640800')
    >>> normalise("101") is None, normalise("anonymous") is None
    (True, True)
    """
    text = raw.strip()
    if not text or len(text) > LONGEST_DIALLABLE:
        return None
    # "sip" users arrive without a plus: 48746640800 is international, 746640800 is not.
    candidates = (text, f"+{text}") if text.isdigit() else (text,)
    for candidate in candidates:
        try:
            number = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def same_number(one: str, other: str, *, region: str = "PL") -> bool:
    """Tell whether two spellings mean the same subscriber (R7.5c)."""
    if one == other:
        return bool(one)
    left = normalise(one, region=region)
    return left is not None and left == normalise(other, region=region)


def masked(text: str) -> str:
    """Return a number or a name with its middle hidden; the ends tell two callers apart.

    What stands for a number that was withheld is nobody's, and stays.

    >>> masked("600123456"), masked("101"), masked("anonymous")
    ('600***456', '***', 'anonymous')
    """
    if text in WITHHELD_AS_DELIVERED:
        return text
    if len(text) <= 2 * ENDS:
        return "*" * len(text)
    return f"{text[:ENDS]}***{text[-ENDS:]}"
