"""Announcements as a catalogue of files, so that the call path needs no database.

::

    <catalogue>/<version>/announcement.json   text, layer, language, hashes
                          sound.alaw .ulaw .sln
                activations/<id>.json         from when a version is heard
                .lock                         one writer at a time

Every version and every activation is written under another name, put on disk and renamed: a
crash leaves it whole or absent. Nothing is edited afterwards, so what a caller heard years ago
can be played again (R8.2d).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from uuid import UUID

import uuid_utils.compat as uuid_utils

from recorder.adapters import announcement_files as files
from recorder.adapters.announcement_cards import (
    LINEAR,
    ActivationCard,
    VersionCard,
    describe,
    sha256,
)
from recorder.adapters.sounds import encode
from recorder.announcements.periods import Signed
from recorder.announcements.rules import Damage, Sound, which_is_active
from recorder.errors import NotFound, RuleViolation, Unavailable
from recorder.model import Announcement, AnnouncementId, IncidentKind, Layer

Signature = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class _Loaded:
    """The catalogue as it was read once."""

    signature: Signature | None = None
    cards: dict[AnnouncementId, VersionCard] = field(default_factory=dict)
    activations: tuple[ActivationCard, ...] = ()
    damage: tuple[Damage, ...] = ()

    @cached_property
    def announcements(self) -> tuple[Announcement, ...]:
        return tuple(
            card.announcement()
            for card in sorted(self.cards.values(), key=lambda card: (card.added_at, card.id))
        )

    @cached_property
    def activated(self) -> tuple[Announcement, ...]:
        return tuple(
            replace(card.announcement(), active_from=each.active_from)
            for each in self.activations
            if (card := self.cards.get(AnnouncementId(each.announcement_id))) is not None
        )


class AnnouncementCatalogue:
    """The versions on disk, cheap enough to ask for every call.

    What is read is kept in memory and read again when the catalogue changes. Whether a sound is
    still the one that was approved is looked at for every call by its size and its times, and
    by its hash when these changed.
    """

    def __init__(self, directory: Path, *, new_id: Callable[[], UUID] = uuid_utils.uuid7) -> None:
        self._directory = directory
        self._new_id = new_id
        self._loaded = _Loaded()
        self._intact: dict[AnnouncementId, tuple[Signature, bool]] = {}

    def active(self, layer: Layer, language: str, now: datetime) -> Announcement | None:
        """Return the version in force, None if there is none or its sound is not intact.

        Never raises: a catalogue that cannot be read is one without announcements, and the
        call goes on unrecorded.
        """
        found = which_is_active(self._read().activated, layer, language, now)
        return found if found is not None and self._is_intact(found.id) else None

    def versions(self) -> Sequence[Announcement]:
        """Return every version ever added, oldest first, each with its latest activation."""
        loaded = self._read()
        latest = {each.announcement_id: each.active_from for each in loaded.activations}
        return tuple(
            replace(each, active_from=latest.get(each.id)) for each in loaded.announcements
        )

    def activations(self) -> Sequence[Announcement]:
        """Return the history: each version once for every time it was activated (R8.2d)."""
        return self._read().activated

    def signed(self) -> Mapping[tuple[AnnouncementId, datetime], Signed]:
        """Return who activated a version, by the version and from when it was heard (R8.2d)."""
        return {
            (AnnouncementId(each.announcement_id), each.active_from): Signed(
                activated_by=each.activated_by, proposed_by=each.proposed_by
            )
            for each in self._read().activations
        }

    def samples(self, announcement_id: AnnouncementId) -> bytes:
        """Return the linear samples of a version: what callers hear, or heard, of it.

        Raises ``RuleViolation`` when they are missing or not the ones that were approved.
        """
        try:
            content = (self._directory / str(announcement_id) / LINEAR).read_bytes()
        except OSError as error:
            raise RuleViolation("its sound is missing; add the same sound again") from error
        if sha256(content) != self._read().cards[announcement_id].sha256:
            raise RuleViolation("its sound was changed: this is not what callers heard")
        return content

    def add(
        self,
        sound: Sound,
        *,
        layer: Layer,
        language: str,
        text: str,
        at: datetime,
        announcement_id: AnnouncementId | None = None,
    ) -> Announcement:
        """Keep a sound as a version and return it; when this returns it survives a power cut.

        The same sound for the same layer and language is the same version, and its files are
        put back if they were damaged. Raises ``RuleViolation`` if that version has another
        text, ``Unavailable`` if the catalogue cannot be written. ``announcement_id`` None = a
        new one.
        """
        encoded = encode(sound.samples)
        digest = sound.sha256
        with files.writing(self._directory):
            for known in self._read_again().cards.values():
                if (known.sha256, known.layer, known.language) == (digest, layer, language):
                    return self._same_sound(known, encoded, text)
            card = VersionCard(
                id=announcement_id or self._new_id(),
                layer=layer,
                language=language,
                text=text,
                sha256=digest,
                length_ms=sound.length_ms,
                level_dbfs=round(sound.figures.level_dbfs, 1),
                added_at=at,
                files=describe(encoded),
            )
            files.write_version(self._directory, card, encoded)
        return card.announcement()

    def activate(
        self,
        announcement_id: AnnouncementId,
        *,
        active_from: datetime,
        at: datetime,
        by: str = "",
        proposed_by: str = "",
    ) -> Announcement:
        """Have callers hear a version from an instant on. The same twice is once.

        Raises ``NotFound``, ``RuleViolation`` if its sound is not intact, ``Unavailable``.
        """
        with files.writing(self._directory):
            loaded = self._read_again()
            card = loaded.cards.get(announcement_id)
            if card is None:
                raise NotFound("no announcement has this id; `recorder announcement list`")
            if not self._is_intact(announcement_id):
                raise RuleViolation(
                    "its sound is missing or changed: add the same sound again, which restores it"
                )
            activated = replace(card.announcement(), active_from=active_from)
            if activated not in loaded.activated:
                files.write_activation(
                    self._directory,
                    ActivationCard(
                        id=self._new_id(),
                        announcement_id=announcement_id,
                        active_from=active_from,
                        activated_at=at,
                        activated_by=by,
                        proposed_by=proposed_by,
                    ),
                )
        return activated

    def check(self) -> list[Damage]:
        """Read everything again from disk and return what is missing or changed (R8.2e)."""
        self._intact.clear()
        try:
            loaded = self._read_again()
        except Unavailable as error:
            return [
                Damage(
                    kind=IncidentKind.ANNOUNCEMENT_MISSING,
                    announcement_id=None,
                    detail=str(error),
                )
            ]
        return [
            *loaded.damage,
            *(
                damage
                for card in loaded.cards.values()
                for damage in files.damage_of(self._directory, card)
            ),
        ]

    def _same_sound(self, known: VersionCard, encoded: dict[str, bytes], text: str) -> Announcement:
        if known.text != text:
            raise RuleViolation(
                f"this sound is version {known.id} already, with another text: a text that "
                "changed needs a sound that says it"
            )
        if not self._is_intact(AnnouncementId(known.id)):
            files.restore_sounds(self._directory, known, encoded)
        latest = {each.announcement_id: each.active_from for each in self._loaded.activations}
        return replace(known.announcement(), active_from=latest.get(known.id))

    def _read(self) -> _Loaded:
        """Return the catalogue, read again if it changed; empty if it cannot be read."""
        try:
            if self._loaded.signature != files.signature_of_catalogue(self._directory):
                self._read_again()
        except Unavailable:
            return _Loaded()
        return self._loaded

    def _read_again(self) -> _Loaded:
        # The signature first: what changes while we read is then read once more, not missed.
        signature = files.signature_of_catalogue(self._directory)
        # Activations before versions: a version is there before it is activated, so what is
        # added while we read cannot look like a version that was lost.
        activations, damaged_activations = files.read_activations(self._directory)
        cards, damaged_cards = files.read_versions(self._directory)
        there = {*cards, *(each.announcement_id for each in damaged_cards)}
        self._loaded = _Loaded(
            signature,
            cards,
            activations,
            (
                *damaged_cards,
                *damaged_activations,
                *files.without_version(activations, there),
            ),
        )
        return self._loaded

    def _is_intact(self, announcement_id: AnnouncementId) -> bool:
        card = self._loaded.cards[announcement_id]
        signature = files.signature_of_sounds(self._directory, card)
        if signature is None:
            return False
        known = self._intact.get(announcement_id)
        if known is None or known[0] != signature:
            known = (signature, not files.damage_of(self._directory, card))
            self._intact[announcement_id] = known
        return known[1]
