"""The shipped list of what is guessed first (script/make-blocklist)."""

from functools import cache
from importlib.resources import files


@cache
def common_passwords() -> tuple[frozenset[str], frozenset[str]]:
    """Return whole common passwords, and words that are dressed up with figures."""
    text = files("recorder.accounts").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    whole, _, words = text.partition("\n--\n")
    return frozenset(whole.split()), frozenset(words.split())
