"""The values the regulation fixes, each beside its paragraph (R1.1a).

One file, ``regulation.toml``, holds them all. Nothing has a default here: the shipped file
states it. Reading the file is :mod:`recorder.adapters.regulation_file`'s business.
"""

import tomllib
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from recorder.errors import ConfigurationError
from recorder.model import Mode
from recorder.phone_numbers import normalise

LONGEST_RETENTION_DAYS = 30
"""§ 7.2. Shorter is allowed, longer is not."""

Text = Annotated[str, Field(min_length=1)]
Key = Annotated[str, Field(pattern=r"^[0-9*#]$")]
Paragraph = Annotated[str, Field(pattern=r"^[1-8](\.[1-9])?$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Controller(_Section):
    """§ 2.1: the data controller, as printed in every document (R2.1a)."""

    name: Text
    seat: Text
    phone: Text


class DataProtectionOfficer(_Section):
    """§ 2.2: without a contact the service does not start (R2.2a)."""

    contact: Text


class Trunk(_Section):
    """A way in from outside: a PJSIP endpoint and the context its calls enter (R3.4a)."""

    endpoint: Text
    context: Text


class Scope(_Section):
    """§ 3.2 and § 3.4: which calls are recorded."""

    recording: bool
    """False = nothing is recorded: the state of a new installation (R3.2b)."""
    trunks: tuple[Trunk, ...]
    lines: Literal["all"] | tuple[Text, ...]
    """The office's numbers that are recorded, or all of them (§ 3.2)."""
    internal_numbers: tuple[Text, ...]
    """Numbers and extensions of the office; a call from one is internal (§ 3.4)."""
    forwarded_outside: Literal["stop", "continue"]
    """R3.4h: what happens to the recording when the caller is passed on to the outside."""

    def line_listed(self, called: str) -> bool:
        """Tell whether the dialled number is to be recorded, in any usual spelling."""
        return self.lines == "all" or _listed(called, self.lines)

    def is_internal(self, caller: str) -> bool:
        """Tell whether the caller's number is one of the office's own."""
        return _listed(caller, self.internal_numbers)


class AnnouncementTerms(_Section):
    """§ 8.2 and RG.1: how callers are told, and how they choose."""

    mode: Mode
    choice_wait_s: Annotated[float, Field(ge=0, le=15)]
    """How long after the announcement a key still counts."""
    longest_s: Annotated[float, Field(gt=0, le=60)]
    """A first layer longer than this is refused."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    """What is played when the caller has chosen nothing."""
    language_keys: dict[Key, Annotated[str, Field(pattern=r"^[a-z]{2}$")]]

    @model_validator(mode="after")
    def _keys_are_free(self) -> "AnnouncementTerms":
        taken = {"1", "2", "3"} & set(self.language_keys)
        if taken:
            raise ValueError(f"key {min(taken)} is fixed: 1 record, 2 do not, 3 the details")
        return self


class Retention(_Section):
    """§ 7.2: how long a recording is kept."""

    days: Annotated[int, Field(ge=1, le=LONGEST_RETENTION_DAYS, strict=True)]
    """Strict: ``true`` is no day, and would erase after one."""


class Backups(_Section):
    """RG.17: how long the keys of a backup live; with ``retention.days`` at most 30 days."""

    key_days: Annotated[int, Field(ge=0, lt=LONGEST_RETENTION_DAYS, strict=True)]
    """0 = no backup is made."""


class HoldTerms(_Section):
    """§ 7.3: who may let a held recording go."""

    four_eyes: bool
    """R7.3e: lifting a hold, and erasing by hand, take a second person."""


class Requests(_Section):
    """§ 7.4: how long a request is in time."""

    filing_days: Annotated[int, Field(ge=1)]


class Copies(_Section):
    """§ 7.9: how long a copy made for a person is kept."""

    months: Annotated[int, Field(ge=1, le=4)]


class InformationClause(_Section):
    """Annex 2: where the information clause can be read (RK.5a)."""

    address: Text
    from_anywhere: bool = False
    """Whether the public pages answer any address, and not listed workstations alone (§ 6.2)."""


class Accessibility(_Section):
    """Act of 4 April 2019 on digital accessibility, art. 10: what the statement must name."""

    contact: Text
    """Who answers questions and complaints: e-mail."""
    phone: Text
    published: date
    reviewed: date
    building: Text
    """How the building is reached by whoever cannot climb stairs, hear or see."""


class Regulation(_Section):
    """One office's regulation, whole."""

    controller: Controller
    dpo: DataProtectionOfficer
    purposes: Annotated[tuple[Text, ...], Field(min_length=1)]
    """§ 3.1: a closed list; each playback names one (R3.1a)."""
    scope: Scope
    announcement: AnnouncementTerms
    retention: Retention
    backups: Backups
    holds: HoldTerms
    requests: Requests
    copies: Copies
    information_clause: InformationClause
    accessibility: Accessibility | None = None
    """None = the office has made no statement yet; its page says so."""
    paragraphs: dict[Paragraph, Text] = {}
    """The office's own words where they differ from those of ``web/paragraphs.toml``."""


PARAGRAPHS = {
    "controller": "§ 2.1",
    "dpo": "§ 2.2",
    "purposes": "§ 3.1",
    "scope.recording": "§ 3.2",
    "scope.trunks": "§ 3.4",
    "scope.lines": "§ 3.2",
    "scope.internal_numbers": "§ 3.4",
    "scope.forwarded_outside": "§ 3.4",
    "announcement": "§ 8.2",
    "retention": "§ 7.2",
    "backups": "§ 7.2",
    "holds": "§ 7.3",
    "requests": "§ 7.4",
    "copies": "§ 7.9",
    "information_clause": "§ 8.2, annex 2",
    "accessibility": "Act of 4 April 2019, art. 10",
    "paragraphs": "§ 1",
}
"""The paragraph behind each value; a longer name wins over its section (R1.1b)."""


def parse_regulation(text: str, *, source: str) -> Regulation:
    """Read a regulation from TOML. ``source`` names the file in messages.

    Raises ``ConfigurationError`` naming every wrong value at once.
    """
    try:
        return Regulation.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{source} is not valid TOML: {error}") from error
    except ValidationError as error:
        problems = "\n".join(
            f"  {'.'.join(str(part) for part in each['loc'])} ({paragraph_of(each['loc'])}): "
            f"{each['msg']}"
            for each in error.errors()
        )
        raise ConfigurationError(f"{source} does not fit the regulation:\n{problems}") from error


def paragraph_of(location: tuple[int | str, ...]) -> str:
    """Return the paragraph that fixes the value at ``location``; empty if none does."""
    parts = [str(part) for part in location]
    for length in range(len(parts), 0, -1):
        if paragraph := PARAGRAPHS.get(".".join(parts[:length])):
            return paragraph
    return ""


def effective_values(regulation: Regulation) -> Iterator[tuple[str, object, str]]:
    """Yield (name, value, paragraph) of every value in force, for an auditor (R1.1b)."""
    for section, values in regulation.model_dump(mode="json").items():
        if isinstance(values, dict):
            for name, value in values.items():
                yield f"{section}.{name}", value, paragraph_of((section, name))
        else:
            yield section, values, paragraph_of((section,))


def _listed(number: str, listed: tuple[str, ...]) -> bool:
    # Exact spelling first: an extension such as 101 has no public form.
    if number in listed:
        return True
    public = normalise(number)
    return public is not None and any(normalise(each) == public for each in listed)
