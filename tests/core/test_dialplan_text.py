"""What the text of the shipped dialplan promises by itself, without an Asterisk."""

import base64
import re
from pathlib import Path

import pytest

DIALPLAN = Path(__file__).resolve().parents[2] / "dialplan"
EXTENSIONS = sorted(
    path
    for path in DIALPLAN.rglob("*.conf")
    if re.search(r"^exten =>", path.read_text(), re.MULTILINE)
)
SUBROUTINE = (DIALPLAN / "recorder.conf").read_text(encoding="utf-8")
STEPS = [line for line in SUBROUTINE.splitlines() if line.lstrip().startswith(("exten", "same"))]


@pytest.mark.parametrize("path", EXTENSIONS, ids=lambda path: path.relative_to(DIALPLAN).as_posix())
def test_every_context_says_who_enters_and_what_leaves(path: Path) -> None:
    contexts = re.split(r"^\[", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for context in contexts:
        if context.startswith("globals]"):
            continue
        opening = context.split("exten =>", 1)[0]
        assert "; Who enters:" in opening, context.split("]")[0]
        assert "What leaves:" in opening, context.split("]")[0]


def test_every_variable_of_the_subroutine_is_its_own() -> None:
    names = re.findall(r"[,?]Set\(([A-Za-z_]+)=", SUBROUTINE)
    assert names
    # Asterisk's own name for the codes of a telephone.
    others = [name for name in names if not name.startswith("RECORDER_")]
    assert others == ["DYNAMIC_FEATURES"]


def test_what_a_caller_sends_stands_in_base64_alone() -> None:
    """RG.7: it never reaches an expression, a path or an application's argument."""
    guarded = r"\$\{BASE64_ENCODE\(\$\{RECORDER_GUARD\}\$\{[^{}]*\}\)\}"
    bare = re.sub(guarded, "", SUBROUTINE)
    assert "CALLERID" not in bare
    assert "${RECORDER_DID}" not in bare
    assert "${RECORDER_WHO}" not in [step for step in STEPS if "$[" in step]


def test_the_guard_is_cut_off_to_the_character() -> None:
    (guard,) = re.findall(r"Set\(RECORDER_GUARD=(\(+)\)", SUBROUTINE)
    assert len(base64.b64encode(guard.encode()).rstrip(b"=")) == 112
    assert len(guard) % 3 == 0
    assert len(guard) > 79, "Asterisk keeps no longer name"


def test_a_number_is_filtered_before_it_is_dialled() -> None:
    """A number such as 1&PJSIP/2 would dial two."""
    for path in EXTENSIONS:
        for dialled in re.findall(r"Dial\(PJSIP/([^@)]*)@", path.read_text(encoding="utf-8")):
            assert dialled == "${CALLED}" or "FILTER" in dialled, path.name
        for called in re.findall(r"Set\(CALLED=(.*)\)", path.read_text(encoding="utf-8")):
            assert called.startswith("${FILTER("), path.name


def test_every_jump_has_its_landing() -> None:
    labels = set(re.findall(r"n\((\w+)\)", SUBROUTINE))
    jumps = set(re.findall(r"(?:Goto\((?:inbound,)?|\?)(\w+)\)$", SUBROUTINE, re.MULTILINE))
    assert jumps
    assert jumps <= labels


def test_the_limit_of_the_watchdog_is_lifted_on_both_ways_out() -> None:
    """A call longer than the watchdog must not be cut (F2)."""
    (stasis,) = [number for number, step in enumerate(STEPS) if ",Stasis(" in step]
    assert STEPS[stasis + 1].endswith("Set(TIMEOUT(absolute)=0)")
    assert "exten => T,1,Set(TIMEOUT(absolute)=0)" in STEPS
    assert "exten => _decided!,1,Set(TIMEOUT(absolute)=0)" in STEPS
