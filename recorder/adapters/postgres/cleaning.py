"""Texts as PostgreSQL can keep them."""


def clean(text: str) -> str:
    r"""Return text as PostgreSQL can keep it: NUL and lone surrogates become U+FFFD.

    >>> clean("a\x00b") == "a\ufffdb"
    True
    """
    # utf-16 with surrogatepass joins what is a pair and leaves alone what is none.
    safe = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return safe.replace("\x00", "\ufffd")
