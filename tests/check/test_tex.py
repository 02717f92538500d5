"""symcost/check/tex.py: formulas in LaTeX; the counterpart is pylatexenc, which reads TeX another way."""

from __future__ import annotations

from pathlib import Path

import pytest
from pylatexenc.latexwalker import LatexEnvironmentNode, LatexMathNode, LatexWalker

from symcost.check.documents import Cell, Document, find

SOURCE = (Path(__file__).parent / "fixtures" / "finding" / "paper.tex").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def paper() -> Document:
    return find(SOURCE, "tex")


def test_every_formula_is_found_at_its_place(paper):
    assert [(span.line, span.column, span.text) for span in paper.spans if span.form == "latex"] == [
        (5, 14, "16d^2"),
        (6, 7, "2d"),
        (11, 1, "N = L(16d^2 + 2d)"),
        (13, 11, "C = 6ND"),
        (14, 4, "T = C / P"),
        (17, 1, "N_B  = 20bcd"),
        (18, 6, "\\quad + bhc^2"),
        (23, 19, "8bcd"),
        (29, 10, "20bcd"),
        (30, 9, "bcv"),
    ]


def test_prose_between_formulas_is_read_too(paper):
    assert [
        (span.line, span.text) for span in paper.spans if span.form == "text" and not span.amount_only
    ] == [
        (7, "12 × 768 = 9216"),
        (24, "12·b·c·d elements"),
    ]


def test_the_dollar_that_is_left_open_is_reported(paper):
    (stray,) = paper.strays
    assert (stray.line, stray.column) == (20, 12)


def test_sections_items_and_cells_are_known(paper):
    spans = {span.text: span.block for span in paper.spans}
    assert spans["2d"].headings == ("Parameters",)
    assert spans["8bcd"].headings == ("Parameters", "Saved activations")
    assert spans["8bcd"].kind == "item"
    assert spans["bcv"].cell == Cell("size", "head")


def test_a_comment_can_direct_the_checker(paper):
    (directive,) = paper.directives
    assert (directive.text, directive.line) == ("scope=block", 9)
    assert paper.spans[directive.precedes].text == "N = L(16d^2 + 2d)"


@pytest.mark.parametrize(
    ("source", "formulas"),
    [
        ("$5$ is five", ["5"]),
        ("a $ spaced $ one", ["spaced"]),
        ("100\\% of $a$", ["a"]),
        ("\\verb!$a$! $b$", ["b"]),
        ("$a$ % $b$\n$c$", ["a", "c"]),
        ("\\label{$a$} \\cite[p.~2]{x} $b$", ["b"]),
        ("\\begin{comment}$a$\\end{comment}$b$", ["b"]),
        ("\\begin{lstlisting}\nx = $a$\n\\end{lstlisting}$b$", ["b"]),
        ("\\textbf{see $a$}", ["a"]),
        ("\\begin{equation*}\\begin{split} a &= b \\\\ &= c \\end{split}\\end{equation*}", ["a  = b", "= c"]),
        ("\\begin{multline} a \\\\ + b \\end{multline}", ["a \\\\ + b"]),
    ],
)
def test_what_is_typeset_as_a_formula(source, formulas):
    assert [span.text for span in find(source, "tex").spans if span.form == "latex"] == formulas


def test_another_parser_finds_the_same_formulas():
    """Without the line that leaves a dollar open, and with the rows of an align as one."""
    body = SOURCE.replace("One dollar $is left open.\n", "")
    body = body[body.index("\\begin{document}") : body.index("\\end{document}")]
    others: list[str] = []

    def walk(nodes):
        for node in nodes or []:
            if isinstance(node, LatexMathNode) or (
                isinstance(node, LatexEnvironmentNode) and node.environmentname in ("equation", "align*")
            ):
                others.append(node.latex_verbatim())
            elif hasattr(node, "nodelist") and getattr(node, "environmentname", "") != "verbatim":
                walk(node.nodelist)

    walk(LatexWalker(body + "\\end{document}").get_latex_nodes()[0])
    found = [
        span for span in find(body + "\\end{document}", "tex").spans if span.form == "latex" and not span.row
    ]
    assert len(found) == len(others)
    for span, other in zip(found, others, strict=True):
        assert span.text.split("=")[0].strip().rstrip("&").strip() in other
