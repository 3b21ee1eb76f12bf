"""Is this password good enough, may this attempt be tried, does this session still stand?"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from recorder.accounts.claims import LONGEST_SUBJECT
from recorder.accounts.guarding import GUARDED
from recorder.accounts.model import Account, Ended, Link, Role, Session, SignsInBy

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
"""Longer ones are refused: hashing must not become a way to keep the service busy."""

LONGEST_NAME = 120
LOGIN = re.compile(r"[a-z][a-z0-9.-]{1,31}")
EXTENSION = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=8)
SEEN_EVERY = timedelta(seconds=30)
"""How exactly the last use of a session is stored; idle time is shortened by it, never longer."""

FIRST_TOKEN_VALID = timedelta(hours=24)
TOTP_STEP_S = 30
RECOVERY_CODES = 10

_LEET = str.maketrans("013457@$!", "oleastasi")
_PLAIN = str.maketrans("ąćęłńóśźż", "acelnoszz")
_FEWEST_CHARACTERS = 5
"""A password made of fewer different characters is a pattern."""


def problem_of_extension(extension: str) -> str:
    """Return why this is no telephone of the office; empty when it may be one, or is none.

    >>> problem_of_extension("101"), problem_of_extension("")
    ('', '')
    """
    if not extension or EXTENSION.fullmatch(extension):
        return ""
    return "an extension is the telephone's name at the switchboard, for example 101"


def problem_of_login(login: str) -> str:
    """Return why a login cannot be used; empty when it can."""
    if LOGIN.fullmatch(login):
        return ""
    return "a login is 2 to 32 of a-z, 0-9, dot and hyphen, and begins with a letter"


def problem_of_person(name: str, post: str) -> str:
    """Return why an account cannot be this person's; empty when it can."""
    if not (name.strip() and post.strip()):
        return "an account is a person's: name and post are needed"
    if max(len(name), len(post)) > LONGEST_NAME:
        return f"name and post have at most {LONGEST_NAME} characters"
    return ""


def problem_of_password(
    password: str, *, context: Iterable[str], common: Collection[str], words: Collection[str]
) -> str:
    """Return why a password is too weak; empty when it will do.

    Length and a list of what is guessed first; no rule of composition (NIST SP 800-63B).
    ``context`` are words that everybody here knows: login, name, office. ``common`` are whole
    passwords, ``words`` the words that are dressed up with figures.

    >>> problem_of_password("zima2026!!!!", context=[], common=[], words=["zima"])
    'it is a word that is guessed early, dressed up; take several unrelated words'
    """
    if len(password) < SHORTEST_PASSWORD:
        return f"it has fewer than {SHORTEST_PASSWORD} characters"
    if len(password) > LONGEST_PASSWORD:
        return f"it has more than {LONGEST_PASSWORD} characters"
    plain = password.casefold()
    if plain in common:
        return "it is on the list of common passwords"
    if len(set(plain)) < _FEWEST_CHARACTERS:
        return "it repeats a few characters"
    if _is_run(plain):
        return "it is a row of the keyboard or of the alphabet"
    dressing = "".join({each for each in plain if not each.isalpha()})
    undressed = plain.strip(dressing)
    cores = {_letters(each) for each in (plain, plain.translate(_LEET), undressed.translate(_LEET))}
    known = {_letters(each) for each in context if len(_letters(each)) > 2}  # noqa: PLR2004 - shorter is in many words
    if cores & set(words):
        return "it is a word that is guessed early, dressed up; take several unrelated words"
    for core in cores:
        rest = core
        for word in sorted(known, key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < _FEWEST_CHARACTERS and rest != core:
            return "it is made of your name, your login or the office's name"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """What is remembered of the attempts under one key."""

    failures: int
    """Since the last success. An attempt counts as failed from its beginning to its success."""
    last_at: datetime | None


NO_ATTEMPTS = Throttle(failures=0, last_at=None)
FREE_ATTEMPTS = 5
FORGET_AFTER = timedelta(hours=24)
LONGEST_WAIT = timedelta(minutes=5)
LONGEST_WAIT_WHERE_KNOWN = timedelta(seconds=30)


def wait_before(
    *,
    pair: Throttle,
    account: Throttle,
    source: Throttle,
    known_here: bool,
    now: datetime,
) -> timedelta:
    """Return how long this attempt has to wait; zero = it may be tried now.

    Three counts: of this account from this address, of the account from anywhere, of the
    address for any account. The delay grows with each, but it is measured from the last attempt
    *of this account from this address*, or of the address: so a stranger at another workstation
    lengthens a clerk's wait, never beyond the longest, and cannot take her turn. Where she has
    signed in before (``known_here``) the longest wait is half a minute.
    """
    pair, account, source = (_remembered(each, now) for each in (pair, account, source))
    longest = LONGEST_WAIT_WHERE_KNOWN if known_here else LONGEST_WAIT
    own = _delay(max(pair.failures, account.failures // 4), longest)
    general = _delay(source.failures // 2, longest)
    waits = [timedelta(0)]
    if pair.last_at is not None:
        waits.append(pair.last_at + own - now)
    if source.last_at is not None:
        waits.append(source.last_at + general - now)
    # A clock that went back must not keep anybody out for longer than the rule says.
    return min(max(waits), longest)


def counted(throttle: Throttle, now: datetime) -> Throttle:
    """Count one attempt more, at its beginning."""
    return Throttle(failures=_remembered(throttle, now).failures + 1, last_at=now)


def problem_of_session(session: Session, *, account: Account, now: datetime) -> Ended | None:
    """Return why a session does not stand; None = it stands."""
    if session.ended_at is not None:
        return Ended.SIGNED_OUT
    if account.disabled_at is not None:
        return Ended.ACCOUNT_DISABLED
    if now - session.created_at >= ABSOLUTE:
        return Ended.TOO_OLD
    if now - session.seen_at >= IDLE:
        return Ended.IDLE
    return None


def seen(session: Session, now: datetime) -> Session | None:
    """Return the session with its last use noted, or None when that is too soon to store."""
    if now - session.seen_at < SEEN_EVERY:
        return None
    return replace(session, seen_at=now)


def step_of_code(matching: Iterable[int], last_step: int | None) -> int | None:
    """Return the time step whose code was given; None = wrong, or used already.

    ``matching`` are the steps whose code it is: the present one and its neighbours.
    """
    fresh = [each for each in matching if last_step is None or each > last_step]
    return min(fresh, default=None)


class FirstTokenProblem(StrEnum):
    """Why a first-run token does not open the door. People are told one text for all."""

    UNKNOWN = "unknown"
    USED = "used"
    TOO_OLD = "too_old"
    NOT_THE_FIRST = "not_the_first"


def problem_of_roles(account: Account, *, after: frozenset[Role], changed_by: str) -> str:
    """Return why these roles cannot be given by this person; empty when they can.

    A first password is known to whoever gave it: who grants or oversees has one of his own first.
    """
    if str(account.id) == changed_by and after != account.roles:
        return "nobody changes his own roles"
    if account.must_change_password and GUARDED & (after - account.roles):
        return "this person changes the first password, which somebody else gave, before that"
    return ""


def problem_of_link(link: Link) -> str:
    """Return why an account cannot be linked so; empty when it can."""
    if not link.subject.strip() or len(link.subject) > LONGEST_SUBJECT:
        return "a link needs the person's name there"
    if link.by is SignsInBy.OIDC and not link.issuer:
        return "a link to a provider needs its issuer; example: https://login.example/tenant"
    if link.by is SignsInBy.LDAP and link.issuer:
        return "a directory has no issuer"
    if link.by is SignsInBy.LOCAL:
        return "whose password is kept here is not linked"
    return ""


def _delay(failures: int, longest: timedelta) -> timedelta:
    beyond = failures - FREE_ATTEMPTS
    if beyond < 0:
        return timedelta(0)
    # The exponent is bounded before the power is: ten thousand failures make no great number.
    return min(timedelta(seconds=1 << min(beyond, 16)), longest)


def _remembered(throttle: Throttle, now: datetime) -> Throttle:
    if throttle.last_at is None or now - throttle.last_at >= FORGET_AFTER:
        return NO_ATTEMPTS
    return throttle


def _letters(text: str) -> str:
    """Return the letters alone, Polish ones as they are typed in a hurry."""
    return "".join(each for each in text.casefold().translate(_PLAIN) if each.isalpha())


_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "12345678901234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "zaq12wsxcde34rfvbgt56yhn",
)


def _is_run(plain: str) -> bool:
    return any(plain in row * 2 or plain in (row * 2)[::-1] for row in _ROWS)
