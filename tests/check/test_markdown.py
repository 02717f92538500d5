"""symcost/check/markdown.py and delimiters.py: where formulas hide in Markdown, and what is none.

The counterpart is markdown-it's own inline parser with the dollarmath plugin, which finds the same formulas
another way (it has no columns).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from symcost.check.delimiters import TAKEN, rows, scan, without_emphasis
from symcost.check.documents import Cell, Document, find
from symcost.check.markdown import symcost_block

FIXTURES = Path(__file__).parent / "fixtures" / "finding"
PLACEMENTS = (FIXTURES / "placements.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def placements() -> Document:
    return find(PLACEMENTS, "markdown")


def found(text: str, form: str = "latex") -> list[str]:
    return [span.text for span in find(text, "markdown").spans if span.form == form]


@pytest.mark.parametrize(
    ("name", "line", "column", "display"),
    [
        ("b_1", 9, 13, False),  # in a heading
        ("c_1", 12, 38, False),  # in an HTML block
        ("c_2", 12, 51, False),  # in a tag in an HTML block
        ("d_1", 17, 42, False),  # between two HTML blocks
        ("e_1", 28, 18, False),  # in a quote
        ("e_2", 30, 3, True),  # over several lines of a quote
        ("f_1", 35, 12, False),  # in a table
        ("g_1", 38, 25, False),  # split over two lines
        ("g_3", 39, 63, True),  # $$ within a line
        ("h_1", 43, 1, True),  # the rows of an aligned
        ("h_2", 44, 1, True),
        ("\\quad", 45, 6, True),
        ("i_1", 50, 1, True),  # an equation
        ("j_1", 53, 4, True),  # \\[ \\]
        ("k_1", 55, 14, False),  # \\( \\)
        ("k_2", 55, 34, False),  # \\\\( \\\\)
        ("l_3", 57, 61, False),  # $`…`$
        ("m_1", 64, 1, True),  # a math fence
        ("m_2", 69, 1, True),  # a MyST fence with an option
        ("m_3", 72, 15, False),  # a MyST role
        ("m_4", 75, 1, True),  # with Quarto's label
        ("n_1", 78, 10, False),  # in a list
        ("n_2", 79, 12, False),  # in a list in a list
        ("n_3", 81, 7, True),  # in a second paragraph of an item
        ("o_1", 84, 23, False),  # in a <p>
        ("p_1", 87, 15, False),  # in a <span>
        ("q_1", 89, 16, False),  # in a picture's description
        ("q_2", 89, 58, False),  # in a link's text
    ],
)
def test_every_placement_is_found_at_its_place(placements, name, line, column, display):
    (span,) = [span for span in placements.spans if span.form == "latex" and span.text.startswith(name)]
    assert (span.line, span.column, span.display) == (line, column, display)


def test_what_is_hidden_is_not_found(placements):
    """Front matter, style sheets, comments, programs, addresses, footnotes."""
    texts = [span.text for span in placements.spans]
    assert not [text for text in texts if "no_" in text or "a_1" in text]
    assert "1" not in texts
    assert "see above" not in texts


def test_every_place_points_at_the_text(placements):
    lines = PLACEMENTS.split("\n")
    for span in placements.spans:
        start = lines[span.line - 1][span.column - 1 :]
        assert start.lstrip("\\").startswith(span.text.lstrip("\\")[:3].rstrip())


def test_code_says_whether_it_may_be_arithmetic(placements):
    code = {span.text: span.arithmetic for span in placements.spans if span.form == "code"}
    assert code == {"f_2  | g": False, "l_1*l_2": True, "d_model": False}


def test_prices_are_amounts_and_no_formulas(placements):
    assert [span.text for span in placements.spans if span.line == 39 and span.amount_only] == [
        "$5",
        "$5",
        "US$ 6",
    ]


def test_html_spells_signs_its_own_way(placements):
    (span,) = [span for span in placements.spans if span.line == 84 and span.form == "text"]
    assert "".join(span.text.split()) == "12×d²=12·d^2"


def test_rows_of_an_aligned_are_numbered_and_lose_their_layout(placements):
    rows_of_h = [span for span in placements.spans if 43 <= span.line <= 45]
    assert [(span.row, span.text) for span in rows_of_h] == [
        (0, "h_1  = 2bcd"),
        (1, "h_2  = 4bcd"),
        (2, "\\quad + bhc^2"),
    ]


def test_the_dollar_that_is_left_open_is_reported_with_its_place(placements):
    (stray,) = placements.strays
    assert (stray.line, stray.column) == (91, 26)
    assert "expected a closing $" in stray.message
    assert "$r_1 is never closed." in stray.message


def test_headings_and_introductions_lead_to_a_formula(placements):
    spans = {span.text: span for span in placements.spans}
    assert spans["n_3"].block.headings == ("Costs of $b_1$ a block",)
    assert spans["n_3"].block.lead[-2:] == ("outer $n_1$", "inner $n_2$:")
    assert spans["m_4 = 6PD"].block.lead == ("A role {math}`m_3^2`, an equation with a label",)


def test_a_cell_knows_its_column_and_its_row(placements):
    spans = {span.text: span for span in placements.spans}
    assert spans["f_1 = 16d^2"].block.cell == Cell("size", "block")
    assert spans["2·d·L"].block.cell == Cell("size", "norm")


def test_directives_say_what_they_precede(placements):
    (directive,) = placements.directives
    assert directive.text == "scope=block"
    assert placements.spans[directive.precedes].text == "e_1"


def test_front_matter_is_read_for_symcost_alone(placements):
    assert placements.front_matter == {"model": "llama", "given": {"d_ff": "4*d"}}
    assert find("---\nmarp: true\n---\n", "markdown").front_matter is None


@pytest.mark.parametrize("value", ["&x 1", "*x", "!!python/object:os.system", "{a: 1}", "[1, 2]", "| text"])
def test_front_matter_knows_no_yaml_beyond_keys_and_values(value):
    read, broken = symcost_block(f"symcost:\n  model: gpt\n  given: {value}\n")
    assert read == {"model": "gpt"}
    assert broken[0][1].startswith("expected 'key: value'")


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("It costs $5 per hour and $d$ wide", ["d"]),
        ("between $5 and $10 for $x$", ["x"]),
        ("$147k a month, 10$ a week and 20$ a day", []),
        ("a formula $2d$, then $5/h", ["2d"]),
        ("an open $d^2 in total. And $x$ is fine", ["x"]),
        ("$d$$h$ touch", ["d", "h"]),
        ("escaped \\$d\\$ and \\\\$d$", ["d"]),
        ("`$no$` and ``a ` $no$`` $yes$", ["yes"]),
        ("**$a$**, *$b$* and ~~$c$~~", ["a", "b", "c"]),
        ("$ spaces $ on both sides", ["spaces"]),
        ("$PATH and $HOME", []),
        ("$$a$$ and $$b$$", ["a", "b"]),
        ("> > - $$\n> >   a\n> >   - b\n> >   $$", ["a\n      - b"]),
        ("$$\na\n\n= b\n$$", ["a\n\n= b"]),
        ("```math\na\n```\n~~~math\nb\n~~~", ["a", "b"]),
        ("```python\n$a$\n```", []),
        ("    $a$ in indented code", []),
        ("\\begin{gather}\na \\\\ b\n\\end{gather}", ["a", "b"]),
        (
            "$$\\begin{cases} a & b \\\\ c & d \\end{cases}$$",
            ["\\begin{cases} a & b \\\\ c & d \\end{cases}"],
        ),
        ("<https://a.b/$c$> [$d$]: https://a.b/$e$", ["d"]),
        ("a\n===\n$b$", ["b"]),
        ("1) $a$\n2) $b$", ["a", "b"]),
        ("<details><summary>$a$</summary>\n\n$b$\n\n</details>", ["a", "b"]),
        ("<script>$a$</script> $b$", ["b"]),
        ("| a |\n|---|\n| $x\\|y$ |", ["x |y"]),
    ],
)
def test_what_dollars_enclose(text, formulas):
    assert found(text) == formulas


def test_the_same_formulas_are_found_by_another_parser():
    """Here without prices and HTML blocks, where the other parser is known to err."""
    text = "\n".join(PLACEMENTS.split("\n")[26:36] + PLACEMENTS.split("\n")[76:82])
    parser = (
        MarkdownIt("commonmark")
        .enable("table")
        .use(dollarmath_plugin, double_inline=True, allow_digits=False)
    )
    others = []
    for token in parser.parse(text):
        for inner in [token, *(token.children or [])]:
            if inner.type.startswith("math"):
                others.append("".join(inner.content.split()))
    assert ["".join(text.split()) for text in found(text)] == others


def test_emphasis_is_told_from_multiplication():
    assert without_emphasis("**6ND** and 2*N*D, *not* 3 * N").replace(" ", "") == "6NDand2*N*D,not3*N"


def test_the_prose_is_as_long_as_the_text_and_covers_what_was_found():
    text = "So $a$, `b` and <b>12 &times; d</b> [here](there)."
    seen = scan(text)
    assert len(seen.prose) == len(text)
    assert seen.prose.count(TAKEN) == len("$a$") + len("`b`")
    assert " ".join(seen.prose.replace(TAKEN, " ").split()) == "So , and 12 × d [here ."


def test_only_the_outer_rows_are_split():
    text = r"\begin{aligned} a &= \begin{cases} 1 \\ 2 \end{cases} \\[2pt] b &= {c \\ d} \end{aligned}"
    assert [text[start:end] for start, end in rows(text, 0, len(text))] == [
        r"a &= \begin{cases} 1 \\ 2 \end{cases}",
        r"b &= {c \\ d}",
    ]


def places(text: str) -> list[tuple[str, int, int]]:
    return [(span.text.strip(), span.line, span.column) for span in find(text, "markdown").spans]


@pytest.mark.parametrize(
    ("text", "expected"),  # MyST-Parser's and Quarto's guides: directives, colon fences, divs
    [
        ("```{note}\nThe $a$.\n```", [("a", 2, 6)]),
        ("````{admonition} A\n:class: tip\nThe $a$.\n\n```{math}\nb\n```\n````\n$c$", [("a", 3, 6), ("b", 6, 1), ("c", 9, 2)]),
        (":::{math}\n:label: one\na\n:::\n", [("a", 3, 1)]),
        ("::: {.callout-note}\nThe $a$.\n:::\n", [("a", 2, 6)]),
        ("```{prf:theorem} A\nThe $a$.\n```", [("a", 2, 6)]),
        ("```{code-block} python\n$a$\n```", []),
        ("```{python}\n# $a$\n```\n$b$", [("b", 4, 2)]),
        ("````markdown\n```{note}\n$a$\n```\n````\n$b$", [("b", 6, 2)]),
        ("```{note}\nThe $a$, never closed.", [("a", 2, 6)]),
        ("```{note}``` in a line, and $a$.", [("{note}", 1, 4), ("a", 1, 30)]),
    ],
)  # fmt: skip
def test_directives_of_text_are_read_and_those_of_code_are_not(text, expected):
    assert places(text) == expected
