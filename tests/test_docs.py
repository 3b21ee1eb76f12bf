"""What the documents promise exists, and what exists is documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import SecretStr

from recorder.logs import LIBRARY_WARNED
from recorder.model import IncidentKind
from recorder.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
WANTS_A_PERSON = {"warning", "error", "exception", "critical"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def topics(section: str) -> dict[str, str]:
    """Return heading → text of one section of OPERATIONS.md."""
    _, _, after = text_of("OPERATIONS.md").partition(f"\n## {section}\n")
    parts = re.split(r"^### (\w+)\n", after.partition("\n## ")[0], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def logged_for_a_person(path: Path) -> Iterator[str]:
    """Yield the names of the events that a module logs at WARNING or above."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in WANTS_A_PERSON
            and ast.unparse(node.func.value) in {"log", "logger"}
        ):
            event = ast.literal_eval(node.args[0])
            yield event.partition(":")[0]


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    rows = re.findall(
        r"^\| `(RECORDER_[A-Z_]+)` \| (?:`([^`]*)`)? \|", text_of("OPERATIONS.md"), re.MULTILINE
    )
    given = {name: field.default for name, field in Settings.model_fields.items()}
    shown = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in given.items()
    }
    assert dict(rows) == {
        f"RECORDER_{name.upper()}": "" if value is None else str(value)
        for name, value in shown.items()
    }


def test_every_incident_has_a_heading() -> None:
    assert set(topics("Incidents")) == {kind.value for kind in IncidentKind}


def test_every_log_event_that_wants_a_person_has_a_heading() -> None:
    events = {
        event
        for path in (ROOT / "ari_app.py", ROOT / "retention.py", *ROOT.glob("recorder/**/*.py"))
        for event in logged_for_a_person(path)
    }
    assert set(topics("Log events")) == events | {LIBRARY_WARNED}


def test_every_alarm_has_a_heading_and_names_it() -> None:
    rules = yaml.safe_load(text_of("deploy/prometheus/rules.yml"))
    alarms = {each["alert"]: each for group in rules["groups"] for each in group["rules"]}
    assert set(topics("Alarms")) == set(alarms)
    for name, each in alarms.items():
        assert each["annotations"]["runbook"] == f"OPERATIONS.md#{name.lower()}"


def test_every_alarm_incident_and_event_begins_with_a_command() -> None:
    told = topics("Alarms") | topics("Incidents") | topics("Log events")
    assert [name for name, text in told.items() if not text.lstrip().startswith("`")] == []


def test_every_path_named_in_a_document_exists() -> None:
    documents = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "OPERATIONS.md"]
    documents += [ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
    for document in documents:
        named = re.findall(
            r"`((?:recorder|dialplan|docs|script|tests|migrations|bench)/[\w/.-]+)`",
            document.read_text(encoding="utf-8"),
        )
        assert [path for path in named if not (ROOT / path).exists()] == [], document.name


def test_the_walk_along_one_call_names_its_files() -> None:
    named = re.findall(r"`([\w/]+\.(?:py|conf))`", text_of("ARCHITECTURE.md"))
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_test_named_in_compliance_exists() -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    named = re.findall(r"`(test_\w+)`", text_of("docs/compliance.md"))
    assert named
    assert [name for name in named if f"def {name}(" not in written] == []


def test_no_rule_is_called_proved_and_open_at_once() -> None:
    proved, _, still_open = text_of("docs/compliance.md").partition("\n## Not proved yet\n")
    assert still_open
    numbers = re.compile(r"\bR(?:K|G|\d)\.\d+[a-z]?\b")
    in_table = {each for row in proved.splitlines() for each in numbers.findall(row[:40])}
    listed = set(numbers.findall("\n".join(re.findall(r"^- (.+?):", still_open, re.MULTILINE))))
    assert in_table & listed == set()


def test_decision_records_have_numbers_of_their_own_and_a_status() -> None:
    records = sorted(ROOT.glob("docs/adr/*.md"))
    numbers = [path.name[:4] for path in records]
    assert len(numbers) == len(set(numbers))
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}. ")
        for part in ("Status: ", "**Context.**", "**Decision.**", "**Consequences.**"):
            assert part in text, path.name
