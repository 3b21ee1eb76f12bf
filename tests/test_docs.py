"""What the documents promise exists, and what exists is documented."""

import re
from pathlib import Path

from recorder.model import IncidentKind
from recorder.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_setting_is_documented_and_no_other() -> None:
    documented = set(
        re.findall(r"^\| `(RECORDER_[A-Z_]+)`", text_of("OPERATIONS.md"), re.MULTILINE)
    )
    assert documented == {f"RECORDER_{name.upper()}" for name in Settings.model_fields}


def test_every_incident_has_a_heading() -> None:
    headings = set(re.findall(r"^### (\w+)$", text_of("OPERATIONS.md"), re.MULTILINE))
    assert headings == {kind.value for kind in IncidentKind}


def test_every_path_named_in_the_architecture_exists() -> None:
    named = re.findall(r"`([\w/]+\.(?:py|conf))`", text_of("ARCHITECTURE.md"))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_test_named_in_compliance_exists() -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    named = re.findall(r"`(test_\w+)`", text_of("docs/compliance.md"))
    assert named
    assert [name for name in named if f"def {name}(" not in written] == []


def test_decision_records_have_numbers_of_their_own() -> None:
    numbers = [path.name[:4] for path in ROOT.glob("docs/adr/*.md")]
    assert len(numbers) == len(set(numbers))
