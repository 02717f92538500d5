"""Every layer's file has a test file, and no layer speaks of costs."""

import ast
from pathlib import Path

import symcost.layers

HERE, THERE = Path(__file__).parent, Path(symcost.layers.__file__).parent
LAYERS = {path.stem for path in THERE.glob("*.py")} - {"__init__"}


def test_every_layer_has_a_worked_example():
    examples = {path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")} - {"layers"}
    assert examples == LAYERS


def test_a_layer_imports_ops_tensors_and_other_layers_alone():
    for path in THERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("symcost"):
                assert str(node.module).split(".")[1:2] in ([], ["ops"], ["tensors"], ["layers"]), path.name


def test_every_layer_names_its_source():
    for name in LAYERS:
        assert "Source:" in (THERE / f"{name}.py").read_text(encoding="utf-8"), name
