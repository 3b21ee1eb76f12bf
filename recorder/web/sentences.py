"""What rules and services answer to a person who insists, for translation.

The sentences are theirs; here they are only named. One that is missing is shown in English.
"""

from collections.abc import Callable

from recorder.web.languages import later

KNOWN = (
    later("this password will not do"),
    later("it has fewer than 12 characters"),
    later("it has more than 256 characters"),
    later("it is on the list of common passwords"),
    later("it repeats a few characters"),
    later("it is a row of the keyboard or of the alphabet"),
    later("it is a word that is guessed early, dressed up; take several unrelated words"),
    later("it is made of your name, your login or the office's name"),
    later("the new password is the old one"),
    later("a login is 2 to 32 of a-z, 0-9, dot and hyphen, and begins with a letter"),
    later("an account is a person's: name and post are needed"),
    later("this login is taken"),
    later("this person changes the first password, which somebody else gave, before that"),
    later("this person sets a second factor before that"),
    later("the account is disabled"),
    later("its period lies in this century or the next"),
    later("name and post have at most 120 characters"),
    later("a second factor is set; a sysadmin resets a lost one"),
    later("no second factor waits to be confirmed"),
    later("this is not the code; check the telephone's clock"),
)


def in_words(text: str, say: Callable[[str], str]) -> str:
    """Return a rule's sentence in a person's language, part by part where it has a colon."""
    whole = say(text)
    if whole != text:
        return whole
    return ": ".join(say(each) for each in text.split(": "))
