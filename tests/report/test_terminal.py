"""The terminal: nothing wider than asked, aligned at the sign, the model as a tree."""

import re

import pytest
from rich.cells import cell_len

from symcost.report import document, write
from symcost.report.blocks import Document, Section, Table, line
from symcost.report.terminal import terminal


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal(lecture, width):
    rows = terminal(lecture, width).splitlines()
    long = [row for row in rows if cell_len(row) > width]
    assert not long


def test_the_model_is_drawn_as_a_tree_with_its_costs_on_every_line(lecture):
    text = write(lecture, "text")
    tree = re.findall(r"^ (model|[│├└].*)$", text, re.MULTILINE)
    assert [row.split("  ")[0].rstrip() for row in tree] == [
        "├─ embedding", "├─ block", "│", "│", "│", "│", "├─ final_norm", "└─ head",
    ]  # fmt: skip
    assert re.search(r"│  ├─ attention +4d² +4,194,304 +5bcd \+ bhc² +9,437,184", text)
    assert re.search(r"│  └─ mlp +12d² +12,582,912 +13bcd +13,631,488", text)


def test_forms_are_aligned_at_the_sign(lecture):
    text = write(lecture, "text")
    start = text.index("  N = L(16d² + 2d)")
    rows = text[start:].split("\n\n")[0].splitlines()
    assert len(rows) == 4
    assert {row.index("=") for row in rows} == {4}


def test_markup_of_the_tables_engine_is_shown_as_it_stands():
    made = Document("[red]t[/red]", "", (Section(line("s"), (Table(("a",), ((line("[bold]x"),),), "l"),)),))
    assert "[red]t[/red]" in terminal(made)
    assert "[bold]x" in terminal(made)


def test_colours_come_on_request_only(lecture):
    assert "\x1b[" not in terminal(lecture)
    assert "\x1b[" in terminal(lecture, color=True)


def test_nothing_is_cut_off_where_a_table_is_narrow():
    text = terminal(document("gpt", notation="kaplan"), 80)
    assert "…" not in text
