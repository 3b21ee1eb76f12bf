"""Checkpoints: signed notes that say how the trail ended at an instant, to be kept elsewhere.

The envelope is the signed note of C2SP (Ed25519), so that others' programs verify it; the text in
it is ours: a chain of hashes is not the tree of a C2SP checkpoint. docs/audit-trail.md has both.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from recorder.audit.rules import Position, instant

ED25519 = b"\x01"
"""The algorithm, as C2SP numbers it."""
KEY_ID_BYTES = 4
SECRET = "PRIVATE+KEY+"  # noqa: S105 - what such a key begins with
KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,63}")
TEXT = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<seq>0|[1-9][0-9]{0,18})\n(?P<hash>[A-Za-z0-9+/]{43}=)\n"
    r"(?P<kind>[a-z]+)\n(?P<at>[0-9TZ:.-]{27})\n"
)


class BadNote(ValueError):
    """A key or a note is not one, or its signature is wrong; the message says which."""


class Kind(StrEnum):
    """What a note says of its entry."""

    CHECKPOINT = "checkpoint"
    """The trail ended with it."""
    FORGOTTEN = "forgotten"
    """All up to it were dropped when their time was up (R8.1f)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a note says."""

    origin: str
    """Whose trail: the name of the key."""
    position: Position
    kind: Kind
    at: datetime
    """When it was signed."""

    @property
    def text(self) -> str:
        """What is signed."""
        position = f"{self.position.seq}\n{_base64(self.position.hash)}"
        return f"{self.origin}\n{position}\n{self.kind.value}\n{instant(self.at)}\n"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What verifies; the data protection officer keeps it off the machine."""

    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        told = self.name.encode() + b"\n" + ED25519 + self.raw
        return hashlib.sha256(told).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(ED25519 + self.raw)}"

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """Read what ``str`` gives. Raises ``BadNote``."""
        name, raw = _key(text, "public key: name+id+base64")
        key = cls(name, raw)
        if str(key) != text.strip():
            raise BadNote("the public key does not fit its own id: is it whole?")
        return key

    def open(self, note: str) -> Note:
        """Return what a note says, once its signature is found right. Raises ``BadNote``."""
        return _read(self.open_text(note), self.name)

    def open_text(self, note: str) -> str:
        """Return the text that this key signed. Raises ``BadNote``."""
        text, found, signatures = note.rpartition("\n\n")
        text += "\n"
        if not found:
            raise BadNote("not a signed note")
        for line in signatures.splitlines():
            dash, _, rest = line.partition(" ")
            name, _, encoded = rest.rpartition(" ")
            if dash != "\u2014" or name != self.name:
                continue
            signature = _bytes(encoded)
            if signature[:KEY_ID_BYTES] != self.id:
                continue
            try:
                Ed25519PublicKey.from_public_bytes(self.raw).verify(
                    signature[KEY_ID_BYTES:], text.encode()
                )
            except InvalidSignature:
                raise BadNote("its signature is wrong: the note was changed") from None
            return text
        raise BadNote("this key did not sign it")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs; lives in a file that only the signing process may read."""

    name: str
    seed: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    @property
    def public(self) -> PublicKey:
        """What verifies its notes."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return PublicKey(self.name, private.public_key().public_bytes_raw())

    @property
    def secret(self) -> str:
        """As it is kept in its file."""
        return f"{SECRET}{self.name}+{self.public.id.hex()}+{_base64(ED25519 + self.seed)}"

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Read what ``secret`` gives. Raises ``BadNote``, which never quotes it."""
        if not text.startswith(SECRET):
            raise BadNote("not a private key of the trail")
        name, seed = _key(text.removeprefix(SECRET), "private key")
        key = cls(name, seed)
        if key.secret != text.strip():
            raise BadNote("the private key does not fit its own id: is it whole?")
        return key

    def sign(self, position: Position, *, kind: Kind, at: datetime) -> str:
        """Return a signed note about a place of the trail."""
        text = Note(origin=self.name, position=position, kind=kind, at=at).text
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"{text}\n\u2014 {self.name} {_base64(self.public.id + signature)}\n"


def checked_name(name: str) -> str:
    """Return a name that a key may have. Raises ``BadNote``."""
    if not KEY_NAME.fullmatch(name):
        raise BadNote("a key's name is letters, digits, . / _ -; example: mops.example.pl/audit")
    return name


def _read(text: str, name: str) -> Note:
    found = TEXT.fullmatch(text)
    if found is None or found["origin"] != name:
        raise BadNote("signed, but no note about a trail of this origin")
    try:
        return Note(
            origin=name,
            position=Position(seq=int(found["seq"]), hash=_bytes(found["hash"])),
            kind=Kind(found["kind"]),
            at=datetime.fromisoformat(found["at"]),
        )
    except ValueError:
        raise BadNote("signed, but no note about a trail") from None


def _key(text: str, what: str) -> tuple[str, bytes]:
    parts = text.strip().split("+", 2)
    raw = _bytes(parts[-1])
    if len(parts) != 3 or raw[:1] != ED25519 or len(raw) != 33:  # noqa: PLR2004
        raise BadNote(f"not a {what}")
    return checked_name(parts[0]), raw[1:]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("not base64") from None
