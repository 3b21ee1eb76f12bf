"""What ``recorder config check`` finds."""

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """How much a finding matters."""

    WRONG = "wrong"
    """Calls are not recorded, or not as intended, until it is put right."""

    REMARK = "remark"
    """It works; a person should know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that ``config check`` says."""

    weight: Weight
    says: str
