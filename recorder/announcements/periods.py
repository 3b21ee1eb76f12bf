"""When is each version heard, and what is missing that callers are offered? Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recorder.announcements.rules import which_is_active
from recorder.model import Announcement, AnnouncementId, Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """When callers heard, hear or will hear one version (R8.2d)."""

    announcement_id: AnnouncementId
    valid_from: datetime
    valid_until: datetime | None
    """None = until another version of its layer and language is activated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who had callers hear a version, as people sign in a row; empty = not noted."""

    activated_by: str
    proposed_by: str
    """The first of two persons; empty where one was enough."""


def place_is_free(activations: Iterable[Announcement], announcement: Announcement) -> bool:
    """Tell whether nothing was ever activated for the layer and the language of a version.

    Whoever sets the machine up fills a free place alone; what callers hear already is changed
    by two persons.
    """
    return not any(
        (each.layer, each.language) == (announcement.layer, announcement.language)
        for each in activations
    )


def periods(activations: Iterable[Announcement]) -> tuple[Period, ...]:
    """Return when each version was, is or will be in force, oldest first (R8.2d).

    Follows ``which_is_active``: a version that a later activation displaced at the very same
    instant has no period.
    """
    lines: dict[tuple[Layer, str], set[datetime]] = {}
    known = tuple(activations)
    for each in known:
        if each.active_from is not None:
            lines.setdefault((each.layer, each.language), set()).add(each.active_from)
    found: list[Period] = []
    for (layer, language), instants in lines.items():
        starts = sorted(instants)
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            active = which_is_active(known, layer, language, start)
            assert active is not None  # noqa: S101 - an activation at ``start`` exists
            if found and found[-1].announcement_id == active.id and found[-1].valid_until == start:
                found[-1] = Period(
                    announcement_id=active.id, valid_from=found[-1].valid_from, valid_until=end
                )
            else:
                found.append(Period(announcement_id=active.id, valid_from=start, valid_until=end))
    return tuple(sorted(found, key=lambda period: period.valid_from))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A language that callers are offered and nothing is played in."""

    layer: Layer
    language: str
    advice: str


def what_is_missing(
    activations: Sequence[Announcement],
    *,
    language: str,
    language_keys: Iterable[str],
    now: datetime,
) -> tuple[Gap, ...]:
    """Return what no version is in force for, the worst first; for ``config check`` (R8.2e).

    ``language`` is played to whoever chose nothing, ``language_keys`` are the languages that
    have a key. Without a first layer nobody who hears it would be recorded.
    """
    gaps = []
    others = sorted(set(language_keys) - {language})
    for each in (language, *others):
        if which_is_active(activations, Layer.FIRST, each, now) is None:
            consequence = "no call is recorded" if each == language else "its key does nothing"
            gaps.append(
                Gap(
                    layer=Layer.FIRST,
                    language=each,
                    advice=f"{consequence} until one is added and activated",
                )
            )
    gaps += [
        Gap(layer=Layer.SECOND, language=each, advice="key 3 does nothing in this language")
        for each in (language, *others)
        if which_is_active(activations, Layer.SECOND, each, now) is None
    ]
    if others and which_is_active(activations, Layer.LANGUAGES, language, now) is None:
        gaps.append(
            Gap(
                layer=Layer.LANGUAGES,
                language=language,
                advice="callers are not told of the keys for other languages",
            )
        )
    return tuple(gaps)


class State(StrEnum):
    """Where a version stands at one instant."""

    IN_FORCE = "in_force"
    PLANNED = "planned"
    SUPERSEDED = "superseded"
    NOT_ACTIVATED = "not_activated"


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a version, and the instant that it is told by: since, from, or until."""

    state: State
    at: datetime | None


def standing(announcement_id: AnnouncementId, known: Iterable[Period], now: datetime) -> Standing:
    """Return where a version stands at ``now``, given the periods of all."""
    own = [each for each in known if each.announcement_id == announcement_id]
    for each in own:
        if each.valid_from <= now and (each.valid_until is None or now < each.valid_until):
            return Standing(State.IN_FORCE, each.valid_from)
    coming = [each.valid_from for each in own if each.valid_from > now]
    if coming:
        return Standing(State.PLANNED, min(coming))
    ended = [each.valid_until for each in own if each.valid_until is not None]
    if ended:
        return Standing(State.SUPERSEDED, max(ended))
    return Standing(State.NOT_ACTIVATED, None)
