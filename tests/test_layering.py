"""The walk through the house: each room imports only from its left."""

import ast
from pathlib import Path

import pytest

ROOMS = """errors symbols notation dimensions arrays rules tensors ops layers model families conventions terms lower arithmetic
derive tables layouts training solve compare sweep measure check report cli""".split()
HOUSE = Path(__file__).parent.parent / "symcost"
FACES = {"__init__", "__main__", "spec"}


def imported_rooms(path):
    """The rooms of symcost that a file names in any import, also inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "symcost" and len(parts) > 1 and parts[1] in ROOMS:
                yield parts[1]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_its_left(room):
    files = (
        [HOUSE / f"{room}.py"] if (HOUSE / f"{room}.py").exists() else sorted((HOUSE / room).rglob("*.py"))
    )
    right = set(ROOMS[ROOMS.index(room) + 1 :])
    for path in files:
        wrong = right & set(imported_rooms(path))
        assert not wrong, (
            f"{path.relative_to(HOUSE)} imports {', '.join(sorted(wrong))}, which stand to its right"
        )


def test_every_module_is_a_room():
    found = {path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - FACES <= set(ROOMS)


@pytest.mark.parametrize("path", sorted(HOUSE.rglob("*.py")), ids=lambda path: str(path.relative_to(HOUSE)))
def test_nothing_runs_what_a_user_wrote(path):
    """No eval, exec, sympify or parse_expr anywhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert name not in {"eval", "exec", "sympify", "parse_expr"}, f"line {node.lineno} calls {name}"


@pytest.mark.parametrize("path", sorted(HOUSE.rglob("*.py")), ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_module_begins_with_its_caption(path):
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_only_the_command_line_prints():
    for path in HOUSE.rglob("*.py"):
        if path.stem != "cli":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                called = node.func if isinstance(node, ast.Call) else None
                assert not (isinstance(called, ast.Name) and called.id == "print"), (
                    f"{path} line {node.lineno} prints"
                )
