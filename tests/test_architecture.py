"""What the linter cannot see."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
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


def test_every_module_can_be_imported_first() -> None:
    """No module needs itself by way of others: which of them came first would decide."""
    graph = grimp.build_graph("recorder", exclude_type_checking_imports=True, cache_dir=None)
    imported = {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    assert len(imported) > 400
    TopologicalSorter(imported).prepare()
