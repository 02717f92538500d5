"""The document model knows nothing of formats."""

import ast
from pathlib import Path

from symcost.report import blocks as model
from symcost.report.blocks import Equation, Math, Substitution, joined, line


def test_the_model_imports_no_writer():
    imported = {
        node.module
        for node in ast.walk(ast.parse(Path(model.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }
    assert not {name for name in imported if "jinja" in name or "writers" in name or "rich" in name}


def test_runs_of_pieces_are_joined_with_a_sign():
    assert joined([line("a", "b"), "c"], "; ") == ("a", "b", "; ", "c")


def test_a_substitution_shows_itself_in_a_notebook_and_on_a_screen():
    x, y, z = (Math(sign, sign) for sign in "xyz")
    shown = Substitution(x, (y,), (z,), Math("1", "1"))
    assert repr(shown) == "x = y\n  = z\n  = 1"
    assert (
        shown._repr_latex_() == "$\\displaystyle\\begin{aligned}x &= y \\\\\n&= z \\\\\n&= 1\\end{aligned}$"
    )
    assert repr(Equation(x, (y,), "≈")) == "x ≈ y"
