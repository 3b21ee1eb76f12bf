"""What the linter cannot see."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("root", ["ari_app.py", "retention.py"])
def test_a_composition_root_only_wires(root: str) -> None:
    source = (ROOT / root).read_text(encoding="utf-8")
    decisions = [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While | ast.Match)
        and not ast.unparse(node).startswith("if __name__")
    ]
    assert decisions == [], "move the decision to a stage's rules.py"
    assert len(source.splitlines()) <= 100


def test_every_module_of_rules_has_its_test() -> None:
    rules = {path.parent.name for path in ROOT.glob("recorder/*/rules.py")}
    tested = {path.stem for path in ROOT.glob("tests/core/test_*_rules.py")}
    assert {f"test_{stage}_rules" for stage in rules} == tested


def test_only_the_clock_reads_the_time() -> None:
    readers = [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("recorder/**/*.py")
        if "datetime.now(" in path.read_text(encoding="utf-8")
    ]
    assert readers == ["recorder/adapters/clock.py"]
