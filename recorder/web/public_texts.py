"""What the public pages say: the regulation's values, under the version that they make up."""

import hashlib
import json
from dataclasses import dataclass

from recorder.regulation import Regulation

SHOWN = 12
"""Digits of a version; enough to tell two texts of one office apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTexts:
    """What the information clause (Art. 13 GDPR, annex 2) and the statement are made of."""

    regulation: Regulation
    version: str
    """Changes with any value that a text shows (R8.2g)."""

    @property
    def from_anywhere(self) -> bool:
        """Whether they answer any address."""
        return self.regulation.information_clause.from_anywhere


def public_texts(regulation: Regulation) -> PublicTexts:
    """Return the texts of an office."""
    values = regulation.model_dump(mode="json", exclude={"paragraphs", "scope"})
    spelt = json.dumps(values, sort_keys=True, ensure_ascii=False)
    version = hashlib.sha256(spelt.encode()).hexdigest()[:SHOWN]
    return PublicTexts(regulation=regulation, version=version)
