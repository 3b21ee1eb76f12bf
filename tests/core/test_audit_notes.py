"""Signed notes: read by others' programs, and false when one byte differs."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.audit.notes import BadNote, Kind, Note, PublicKey, SigningKey
from recorder.audit.rules import Position
from tests.builders import NOON

KEY = SigningKey("mops.example.pl/audit", bytes(range(32)))
OTHER = SigningKey("mops.example.pl/audit", bytes(32))
PLACE = Position(seq=42, hash=bytes(range(32)))
NOTE = KEY.sign(PLACE, kind=Kind.CHECKPOINT, at=NOON)


def test_what_was_signed_is_read_back() -> None:
    assert KEY.public.open(NOTE) == Note(
        origin="mops.example.pl/audit", position=PLACE, kind=Kind.CHECKPOINT, at=NOON
    )


def test_keys_are_read_back_from_what_they_are_kept_as() -> None:
    assert PublicKey.parse(f"{KEY.public}\n") == KEY.public
    assert SigningKey.parse(f"{KEY.secret}\n") == KEY
    assert KEY.secret not in repr(KEY)


def test_a_note_of_another_program_is_verified() -> None:
    """The example in the documentation of Go's ``golang.org/x/mod/sumdb/note``."""
    key = PublicKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = (
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcE"
        "lZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    assert key.open_text(f"{text}\n\u2014 PeterNeumann {signature}\n") == text


@given(st.integers(0, len(NOTE) - 1), st.characters(codec="utf-8"))
def test_a_note_with_one_character_changed_says_nothing(at: int, new: str) -> None:
    changed = NOTE[:at] + new + NOTE[at + 1 :]
    if changed != NOTE:
        try:
            read = KEY.public.open(changed)
        except BadNote:
            return
        # Only the line ends around the signature may differ: they are not signed.
        assert read == KEY.public.open(NOTE)
        assert changed.partition("\n\n")[0] == NOTE.partition("\n\n")[0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note[:0],
        lambda note: note.replace("42", "43"),
        lambda note: note.replace("checkpoint", "forgotten"),
        lambda note: note.partition("\u2014")[0],
        lambda _: OTHER.sign(PLACE, kind=Kind.CHECKPOINT, at=NOON),
        lambda note: note.replace("\u2014 mops", "\u2014 other"),
        lambda note: note + note,
    ],
)
def test_what_this_key_did_not_sign_says_nothing(spoil: Callable[[str], str]) -> None:
    with pytest.raises(BadNote):
        KEY.public.open(spoil(NOTE))


@pytest.mark.parametrize(
    "text",
    ["", "a+b", "PRIVATE+KEY+x", str(KEY.public)[:-4], str(KEY.public).replace("mops", "gops")],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        PublicKey.parse(text)


def test_a_private_key_is_never_quoted() -> None:
    with pytest.raises(BadNote) as caught:
        SigningKey.parse(KEY.secret.replace("audit", "other"))
    assert KEY.secret[-20:] not in str(caught.value)
