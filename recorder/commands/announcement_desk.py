"""What the commands about announcements share: their parts, and how they speak."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.changing_announcements import open_announcement_office
from recorder.adapters.clock import SystemClock
from recorder.adapters.regulation_file import load_regulation
from recorder.announcements.periods import Standing, State, periods, place_is_free, standing
from recorder.announcements.rules import Sound
from recorder.announcements.service import Added, AnnouncementKeeper
from recorder.approvals.model import Approval, signature
from recorder.commands.acting import operator
from recorder.commands.asking import ask_database
from recorder.commands.gatehouse import acting_as, actor
from recorder.commands.permissions import DISPLACES
from recorder.errors import ConfigurationError, RuleViolation
from recorder.model import Announcement, Layer
from recorder.settings import load_settings

SHORT = 8
"""Characters of the end of an id that a list shows: versions of one minute begin alike."""


class Desk:
    """The parts that the commands work with."""

    def __init__(self) -> None:
        settings = load_settings()
        self.settings = settings
        self.zone: ZoneInfo = settings.office_zone
        self.clock = SystemClock()
        self.catalogue = AnnouncementCatalogue(settings.announcement_dir)
        self.regulation = load_regulation(settings.regulation_file)
        self.keeper = AnnouncementKeeper(
            catalogue=self.catalogue,
            regulation=self.regulation,
            clock=self.clock,
        )

    def is_first(self, announcement: Announcement) -> bool:
        """Tell whether one person may activate it: nothing was ever heard in its place."""
        return place_is_free(self.catalogue.activations(), announcement)

    def activate(
        self, announcement: Announcement, active_from: datetime | None = None
    ) -> Announcement:
        """Fill a free place. Raises ``RuleViolation`` where callers hear something already."""
        if not self.is_first(announcement):
            raise RuleViolation(
                "callers hear another version already: two administrators change it; "
                f"recorder announcement activate {str(announcement.id)[-SHORT:]}"
            )
        return self.keeper.activate(announcement.id, active_from, by=signature(operator()))

    def propose(
        self, announcement: Announcement, *, active_from: datetime | None, reason: str
    ) -> Approval:
        """Propose to change what callers hear, as the administrator who is signed in."""
        if not reason.strip():
            raise ConfigurationError('callers hear another version already: --reason "…" says why')

        async def act(engine: AsyncEngine) -> Approval:
            office = open_announcement_office(self.settings, self.regulation, engine)
            return await office.propose(
                announcement.id, active_from=active_from, reason=reason, actor=actor()
            )

        with acting_as(DISPLACES):
            return ask_database(self.settings, act)

    def standing_of(self) -> Callable[[Announcement], Standing]:
        """Return what tells where a version stands now."""
        known, now = periods(self.catalogue.activations()), self.clock.now()
        return lambda announcement: standing(announcement.id, known, now)

    def as_mapping(self, announcement: Announcement) -> Mapping[str, object]:
        """Return a version for machines."""
        known = periods(self.catalogue.activations())
        told = standing(announcement.id, known, self.clock.now())
        values = asdict(announcement)
        del values["active_from"]
        return values | {
            "state": told.state,
            "state_at": told.at,
            "periods": [
                {"valid_from": each.valid_from, "valid_until": each.valid_until}
                for each in known
                if each.announcement_id == announcement.id
            ],
        }

    def day(self, instant: datetime) -> str:
        """Return an instant as the office reads it."""
        return f"{instant.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def words(self, told: Standing) -> str:
        """Return where a version stands, in words."""
        at = self.day(told.at) if told.at else ""
        return {
            State.IN_FORCE: f"in force since {at}",
            State.PLANNED: f"from {at}",
            State.SUPERSEDED: f"until {at}",
            State.NOT_ACTIVATED: "not activated",
        }[told.state]


def text_of(text: str, file: Path | None) -> str:
    """Return the words spoken, from exactly one of the two. Raises ``ConfigurationError``."""
    if (file is None) == (not text):
        raise ConfigurationError('give the words spoken: --text "…" or --text-file FILE')
    if file is None:
        return text
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("--text-file: cannot be read as UTF-8; check it") from error


def instant_of(given: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant a person gave, in office time unless it names a zone; None = now."""
    if given.strip().lower() == "now":
        return None
    try:
        instant = datetime.fromisoformat(given.strip())
    except ValueError as error:
        raise ConfigurationError("--from: 2026-12-01, '2026-12-01 08:00', or now") from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)


def print_json(value: object) -> None:
    """Print for machines, on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def say_so(sentence: str) -> None:
    """Say what was done, on standard error: standard output is for what was asked."""
    typer.echo(sentence, err=True)


def say_proposed(announcement: Announcement, approval: Approval, *, as_json: bool) -> None:
    """Say that a second administrator is waited for."""
    if as_json:
        print_json({"id": announcement.id, "state": "proposed", "proposal": approval.id})
        return
    say_so(f"Proposed. Another administrator: recorder approval confirm {approval.id}")


def warn(remarks: Iterable[str]) -> None:
    """Say what a person should look at, on standard error."""
    for each in remarks:
        typer.secho(each, err=True, fg=typer.colors.YELLOW)


def console() -> Console:
    """Return where tables go."""
    found = Console()
    # A file or a pipe is not 80 columns wide: nothing may be cut or wrapped for it.
    return found if found.is_terminal else Console(width=240)


def add_sound(
    desk: Desk,
    sound: Sound,
    *,
    language: str,
    text: str,
    layer: Layer,
    allow_long: bool,
    activate: bool,
    as_json: bool,
) -> None:
    """Add a sound, say everything there is to say about it, activate it if asked to."""
    added = desk.keeper.add(sound, layer=layer, language=language, text=text, allow_long=allow_long)
    announcement = added.announcement
    warn(_remarks(added))
    if activate:
        announcement = desk.activate(announcement)
    if as_json:
        remarks = {
            "new": added.new,
            "findings": [asdict(each) for each in added.findings],
            "advice": [asdict(each) for each in added.advice],
        }
        print_json({**desk.as_mapping(announcement), **remarks})
        return
    what = f"{announcement.id} ({layer}, {language}, {announcement.length_ms / 1000:.1f} s)"
    done = f"Added {what}." if added.new else f"This sound is {what} already."
    say_so(
        f"{done} Callers hear it from now on."
        if activate
        else f"{done} `recorder announcement activate {str(announcement.id)[-SHORT:]}` "
        "has callers hear it."
    )


def _remarks(added: Added) -> Sequence[str]:
    return [
        *(f"{each.weight}: {each}" for each in added.findings),
        *(f"look at the text: it {each}" for each in added.advice),
    ]
