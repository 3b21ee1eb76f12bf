"""Keeps the announcements of an office: adds, activates, finds, checks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from recorder.announcements.periods import Gap, what_is_missing
from recorder.announcements.ports import Catalogue
from recorder.announcements.rules import (
    Damage,
    Finding,
    Sound,
    judge_sound,
    refusals,
    which_is_active,
)
from recorder.announcements.wording import Advice, Expected, judge_wording, mode_mismatch
from recorder.errors import AnnouncementRefused, NotFound, RuleViolation
from recorder.model import Announcement, AnnouncementId, Layer
from recorder.ports import Clock
from recorder.regulation import Regulation

SHORTEST_REFERENCE = 4
"""Characters of an id or of a hash that may stand for the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """One of the announcements that ship: made from text, for a start."""

    layer: Layer
    language: str
    text: str
    sound: Sound
    remark: str
    """What a person must check before callers hear it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A version in the catalogue, with what there is to say about it."""

    announcement: Announcement
    new: bool
    """False when the same sound was there already."""
    findings: tuple[Finding, ...]
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What became of one starter."""

    announcement: Announcement
    new: bool
    activated: bool
    remark: str
    """What a person must check before callers hear it."""
    kept_back: str
    """Why it was not activated; empty when it was, or was not to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The state of the catalogue: what ``announcement check`` and ``config check`` say."""

    damage: tuple[Damage, ...]
    """Missing or changed sounds (R8.2e): each is an incident."""
    gaps: tuple[Gap, ...]
    advice: tuple[tuple[Announcement, Advice], ...]
    """What the texts in force seem to lack, or say wrongly."""


class AnnouncementKeeper:
    """Adds what the rules accept, and activates what an office approved.

    Adding never changes what callers hear; activating does, from its date on.
    """

    def __init__(self, *, catalogue: Catalogue, regulation: Regulation, clock: Clock) -> None:
        self._catalogue = catalogue
        self._regulation = regulation
        self._clock = clock

    def add(
        self,
        sound: Sound,
        *,
        layer: Layer,
        language: str,
        text: str,
        allow_long: bool,
        announcement_id: AnnouncementId | None = None,
    ) -> Added:
        """Keep a sound as a new version, not activated.

        Raises ``AnnouncementRefused`` with every reason at once, ``RuleViolation`` if the same
        sound is there with another text, ``Unavailable``.
        """
        check_language(language)
        spoken = clean(text)
        findings = self.judge(sound, layer=layer, allow_long=allow_long)
        if refused := refusals(findings):
            raise AnnouncementRefused("\n".join(str(each) for each in refused))
        known = {each.id for each in self._catalogue.versions()}
        announcement = self._catalogue.add(
            sound,
            layer=layer,
            language=language,
            text=spoken,
            at=self._clock.now(),
            announcement_id=announcement_id,
        )
        return Added(
            announcement=announcement,
            new=announcement.id not in known,
            findings=findings,
            advice=self.advise(announcement),
        )

    def judge(self, sound: Sound, *, layer: Layer, allow_long: bool) -> tuple[Finding, ...]:
        """Return everything there is to say about a sound, refusals first."""
        return judge_sound(
            sound.figures,
            layer=layer,
            longest_s=self._regulation.announcement.longest_s,
            allow_long=allow_long,
        )

    def activate(
        self,
        announcement_id: AnnouncementId,
        active_from: datetime | None = None,
        *,
        by: str = "",
        proposed_by: str = "",
    ) -> Announcement:
        """Have callers hear a version from ``active_from``, or from now on.

        Whether one person is enough for it is asked before: ``place_is_free``.

        Raises ``RuleViolation`` for a date in the past, or if the sound is not intact.
        """
        now = self._clock.now()
        if active_from is not None and active_from < now:
            # R8.2d: the periods say what callers heard. They cannot have heard this one then.
            raise RuleViolation(
                "the date is in the past, and callers heard something else then; "
                "leave --from out, or give a date to come"
            )
        return self._catalogue.activate(
            announcement_id,
            active_from=active_from or now,
            at=now,
            by=by,
            proposed_by=proposed_by,
        )

    def find(self, reference: str) -> Announcement:
        """Return the version that an id, its beginning or end, or a hash's beginning names.

        Versions added in one minute share the beginning of their ids, hence the end. Raises
        ``NotFound`` when no version, or more than one, is meant.
        """
        wanted = reference.strip().lower()
        if len(wanted) < SHORTEST_REFERENCE:
            raise NotFound(f"give at least {SHORTEST_REFERENCE} characters of the id")
        found = [
            each
            for each in self._catalogue.versions()
            if str(each.id).startswith(wanted)
            or str(each.id).endswith(wanted)
            or each.sha256.startswith(wanted)
        ]
        if not found:
            raise NotFound("no announcement has this id; `recorder announcement list` shows them")
        if len(found) > 1:
            ids = ", ".join(str(each.id) for each in found)
            raise NotFound(f"more than one announcement is meant: {ids}")
        return found[0]

    def advise(self, announcement: Announcement) -> tuple[Advice, ...]:
        """Return what the text of a version does not seem to say (RK.3a)."""
        return judge_wording(
            announcement.text,
            layer=announcement.layer,
            language=announcement.language,
            expected=self._expected(),
        )

    def install(
        self, starters: Iterable[Starter], *, activate: bool, by: str = ""
    ) -> list[Installed]:
        """Add what ships; twice is once.

        With ``activate``, each is activated unless its place is taken or its text explains
        another mode: what an office chose for itself is never displaced.
        """
        installed = []
        for starter in starters:
            added = self.add(
                starter.sound,
                layer=starter.layer,
                language=starter.language,
                text=starter.text,
                allow_long=starter.layer is Layer.SECOND,
            )
            kept_back = self._hindrance(added.announcement) if activate else ""
            activated = activate and not kept_back
            if activated:
                self.activate(added.announcement.id, by=by)
            installed.append(
                Installed(
                    announcement=added.announcement,
                    new=added.new,
                    activated=activated,
                    remark=starter.remark,
                    kept_back=kept_back,
                )
            )
        return installed

    def check(self) -> Findings:
        """Read the catalogue again, every hash with it, and say what a person must look at."""
        damage = tuple(self._catalogue.check())
        terms = self._regulation.announcement
        activations = self._catalogue.activations()
        now = self._clock.now()
        languages = {terms.language, *terms.language_keys.values()}
        in_force = [
            active
            for layer in Layer
            for language in sorted(languages)
            if (active := which_is_active(activations, layer, language, now)) is not None
        ]
        return Findings(
            damage=damage,
            gaps=what_is_missing(
                activations,
                language=terms.language,
                language_keys=terms.language_keys.values(),
                now=now,
            ),
            advice=tuple((each, advice) for each in in_force for advice in self.advise(each)),
        )

    def _hindrance(self, announcement: Announcement) -> str:
        now = self._clock.now()
        layer, language = announcement.layer, announcement.language
        mode = self._regulation.announcement.mode
        taken = which_is_active(self._catalogue.activations(), layer, language, now)
        if taken is not None:
            same = taken.id == announcement.id
            return "already in force" if same else "another version is in force and stays so"
        if mismatch := mode_mismatch(announcement, mode):
            return str(mismatch)
        return ""

    def _expected(self) -> Expected:
        regulation = self._regulation
        return Expected(
            controller=regulation.controller.name,
            mode=regulation.announcement.mode,
            retention_days=regulation.retention.days,
            language=regulation.announcement.language,
            language_keys=regulation.announcement.language_keys,
        )


def check_language(language: str) -> None:
    """Raise ``AnnouncementRefused`` for what is no language, before a voice or a file sees it."""
    if not re.fullmatch(r"[a-z]{2}", language):
        raise AnnouncementRefused("the language is two small letters, for example pl")


def clean(text: str) -> str:
    """Return a text on one line, without what nobody sees, such as soft hyphens."""
    spoken = "".join(each for each in " ".join(text.split()) if each.isprintable())
    if not spoken:
        raise AnnouncementRefused("the text is empty; give the words that the sound says")
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise AnnouncementRefused("the text is not valid UTF-8; save it as UTF-8")
    return spoken
