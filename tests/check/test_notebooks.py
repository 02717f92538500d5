"""Documents in other clothes: every finding stands where the reader will look for it."""

from __future__ import annotations

import json

import pytest

import symcost
from symcost.check.notebooks import taken_apart
from symcost.check.pieces import Origin, Pieces
from symcost.check.working import Options, Task, check_document
from symcost.errors import UsageError


def notebook(*cells: tuple[str, str]) -> str:
    made = [
        {"cell_type": kind, "metadata": {}, "source": source}
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for kind, source in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def wrong(text: str, name: str) -> list[tuple[str, int, int, str]]:
    """File, line, column and text of each formula that differs."""
    found = check_document(Task(name, text), Options())
    assert not found.error
    return [
        (each.file, each.line, each.column, each.text) for each in found.findings if each.verdict == "differs"
    ]


def test_a_finding_in_a_notebook_names_cell_line_and_column():
    text = notebook(("markdown", "# Costs\n\nLet $d$=`d_model`."), ("markdown", "So it is\n$3d^2 = 2d*2d$."))
    assert wrong(text, "n.ipynb") == [("n.ipynb:cell 2", 2, 2, "3d^2 = 2d*2d")]


def test_comments_of_code_cells_are_read_and_code_is_not():
    text = notebook(("code", "x = 12 * 24 == 298  # 12 × 24 = 298\ny = '# 12 × 24 = 299'\n"))
    assert wrong(text, "n.ipynb") == [("n.ipynb:cell 1", 1, 23, "12 × 24 = 298")]


def test_comments_are_read_where_the_cell_is_no_python():
    text = notebook(("code", "%%bash\n  echo 'x  # 12 × 24 = 298\n"))
    assert wrong(text, "n.ipynb") == [("n.ipynb:cell 1", 2, 14, "12 × 24 = 298")]


def test_a_letter_that_one_cell_declares_is_known_in_the_next():
    text = notebook(("markdown", "$q$=`d_model`"), ("code", "pass"), ("markdown", "So $4q^2 = 2q*3q$."))
    assert wrong(text, "n.ipynb") == [("n.ipynb:cell 3", 1, 5, "4q^2 = 2q*3q")]


def test_a_comment_in_a_cell_silences_the_next_formula():
    text = notebook(("code", "# symcost: ignore SC203\n# 12 × 24 = 298\n# 12 × 24 = 299"))
    assert [formula for *_, formula in wrong(text, "n.ipynb")] == ["12 × 24 = 299"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "{" * 9999, '{"cells": 3, "nbformat": 4}', '{"nbformat": 4, "cells": [1]}', "null"],
)
def test_what_is_no_notebook_is_told_in_one_line(text):
    with pytest.raises(UsageError, match=r"n.ipynb: expected a Jupyter notebook") as told:
        taken_apart(text, "n.ipynb")[0]
    assert "\n" not in str(told.value)


def test_roles_and_directives_of_restructured_text_are_formulas():
    text = (
        "Let :math:`d` be the model width.\n\n"
        ".. math::\n   :label: one\n\n   3d^2 = 2d*2d\n\n"
        "Then :math:`4d^2 = 2d*2d`.\n\n"
        "* .. math:: 5d^2 = 2d*2d\n\n"
        ".. math:: 6d^2 = 2d*2d\n"
    )
    places = [(line, column, formula) for _, line, column, formula in wrong(text, "a.rst")]
    assert (6, 4, "3d^2 = 2d*2d") in places and (12, 11, "6d^2 = 2d*2d") in places
    assert not any(formula.startswith("4") for *_, formula in places)


def test_a_blank_line_in_a_math_directive_begins_another_formula():
    """docutils, "math" directive: blocks that are set apart by blank lines are formulas of their own."""
    text = ".. math::\n   :label: one\n\n   12 \\times 24 = 298\n\n   3 + 4 =\n   8\n\nEnd.\n"
    places = [(line, column, formula) for _, line, column, formula in wrong(text, "a.rst")]
    assert places == [(4, 4, "12 \\times 24 = 298"), (6, 4, "3 + 4 =\n8")]


def test_a_literal_block_of_restructured_text_is_no_formula():
    assert wrong("As in::\n\n    12 × 24 = 298\n\nthis.\n", "a.rst") == []


def test_docstrings_and_comments_of_python_are_read():
    text = '''"""Costs.

Let :math:`d` be the model width.
"""


def area(d):
    """The area, :math:`3d^2 = 2d*2d`.

    >>> 12 * 24 == 298
    False
    """
    return 4 * d**2  # 12 × 24 = 298
'''
    assert wrong(text, "a.py") == [("a.py", 8, 25, "3d^2 = 2d*2d"), ("a.py", 13, 24, "12 × 24 = 298")]


def test_what_is_no_python_is_told_in_one_line():
    assert check_document(Task("a.py", "def ("), Options()).error.startswith("a.py: expected Python")


def test_a_file_that_tex_brings_in_is_read_in_its_place(tmp_path):
    (tmp_path / "part.tex").write_text("Then\n$3d^2 = 2d*2d$.\n", encoding="utf-8")
    main = tmp_path / "main.tex"
    main.write_text("Let $d$ be the model width.\n\n\\input{part}\n\nSo $5d^2 = 2d*2d$.\n", encoding="utf-8")
    found = wrong(main.read_text(encoding="utf-8"), str(main))
    assert found == [(str(tmp_path / "part.tex"), 2, 2, "3d^2 = 2d*2d"), (str(main), 5, 5, "5d^2 = 2d*2d")]


def test_an_abbreviation_may_be_a_name_with_words_below_and_is_read_by_the_library_too(tmp_path):
    document = tmp_path / "notes.tex"
    document.write_text(
        r"\newcommand{\Nact}{N_{\mathrm{act}}}\begin{document}With $\Nact = 2\cdot 10^9$, $6\Nact = 1.2\cdot 10^{10}$."
        r"\end{document}"
    )
    assert [finding.verdict for finding in symcost.check(document)][-1] == "holds"


@pytest.mark.parametrize("definition", [r"\newcommand{\width}{d}", r"\newcommand\width{d}", r"\def\width{d}"])
def test_a_plain_abbreviation_of_tex_is_written_out(definition):
    text = f"{definition}\nLet $d$ be the model width.\n\n$3\\width^2 = 2\\width\\cdot 2d$ and $4\\width^2 = 2d\\cdot 2d$"
    assert [(line, column) for _, line, column, _ in wrong(text, "a.tex")] == [(4, 2)]


@pytest.mark.parametrize(
    "text",
    [
        r"\input{main}\input{main}",
        r"\input{../../../../../../etc/hostname}\input{/etc/hostname}",
        r"\def\a{\b\b}\def\b{\c\c}\def\c{\a\a} $\a$",
        r"\newcommand{\a}{\a\a} $\a$",
    ],
)
def test_tex_that_brings_in_itself_or_others_files_or_grows_comes_to_an_end(tmp_path, text):
    (tmp_path / "main.tex").write_text(text, encoding="utf-8")
    pieces, _ = taken_apart(text, str(tmp_path / "main.tex"))
    assert len(pieces.text) < 10_000
    assert {origin.file for origin in pieces.origins} <= {str(tmp_path / "main.tex")}


def test_tex_that_grows_beyond_bounds_is_refused():
    text = r"\def\long{" + "x" * 100 + "}" + r"$\long$" * 60_000
    with pytest.raises(UsageError, match="with all that it brings in"):
        taken_apart(text, "a.tex")


def test_pieces_know_the_place_of_every_character():
    made = Pieces()
    made.add("ab\ncd", Origin("one", 5, 3))
    made.add("MOVED", Origin("two", 9, 9, moved=True))
    made.add("x\ny", Origin("three", 1, 4))
    places = [made.place(*each) for each in ((1, 1), (1, 2), (2, 1), (2, 2), (2, 5), (2, 8), (3, 1))]
    assert places == [
        ("one", 5, 3),
        ("one", 5, 4),
        ("one", 6, 1),
        ("one", 6, 2),
        ("two", 9, 9),
        ("three", 1, 4),
        ("three", 2, 1),
    ]
