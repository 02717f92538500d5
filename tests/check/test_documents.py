"""symcost/check/documents.py: kinds of file, places, and what holds for every document."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from symcost.check.assembly import LONGEST_SENTENCE
from symcost.check.documents import Kind, find, kind_of
from symcost.errors import UsageError

KINDS: tuple[Kind, ...] = ("markdown", "tex", "text")

ODD = [
    "",
    "\n",
    "\0$d\0$\0",
    "\ud800 $d^2$ \udfff 2 × 3 = 6",
    "one\r\n$d$\r\ntwo\r$h$",
    "\ufeff---\nmarp: true\n---\n$d$",
    "---\nno end of front matter $d$",
    "\u2028$d$\u2029 \x0b $h$ \x0c 2·d",
    "e\u0301 🙂 $d$ 中文 $h$",
    "<div>\n<b $d$",
    "```math",
    "$$\n\n$$",
    "$$$$$",
    "\\begin{align}\\end{align}",
    "|a|\n|-|\n|",
]

LONG = [
    "{", "}", "$", "$$a\n", "$$a\n# b\n", "> $$a\n> # b\n", "\\[a\n# b\n", "\\begin{align}\n\n",
    "`", "``a` ", "<a ", "<!--", "(", "(1+", "((1)+", "](", "[a](b \"", "1,000", "1^", "6N^",
    "6ND ", "a^", "_", "1_", "* a*", "a.", "a/", "a-", "=", "1=", "1=²é", "1 B/", "- ", "> ",
    "| a ", "  - a\n", "\\", "\\(", "\\item[", "\\verb!", "\\section{", "\\begin{tabular}",
    "$5 and $", "$`", "<sup>2", "&amp;", "http://", "\n\n", "\0", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("deck.md", "markdown"),
        ("notes/README.MD", "markdown"),
        ("report.qmd", "markdown"),
        ("paper.tex", "tex"),
        ("mail.txt", "text"),
        ("-", "text"),
        ("Makefile", "text"),
    ],
)
def test_the_suffix_says_how_a_file_is_read(path, kind):
    assert kind_of(path) == kind


def test_another_kind_is_refused():
    with pytest.raises(UsageError, match="markdown, tex or text"):
        find("$d$", "docx")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_read_and_every_place_is_inside_them(text, kind):
    document = find(text, kind)
    for span in document.spans:
        assert 0 <= span.start <= span.end <= len(text)
        assert document.place(span.start) == (span.line, span.column)
        assert document.place(span.end) == (span.end_line, span.end_column)
        assert span.sentence.start <= span.start <= span.sentence.end


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", LONG)
def test_endless_repetition_is_read_to_its_end(unit, kind):
    """Five thousand characters of it. Four times as many were seen to take four times as long."""
    find("1 = " + unit * (5_000 // len(unit)), kind)


def test_a_hundred_thousand_nested_braces_and_a_line_of_a_megabyte_do_no_harm():
    for kind in KINDS:
        find("{" * 100_000 + "$d$" + "}" * 100_000, kind)
        assert len(find("word " * 200_000 + "$d$", kind).spans) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system_count_one_line(end):
    spans = find(f"# a{end}{end}so $d^2${end}and $h$", "markdown").spans
    assert [(span.line, span.column, span.text) for span in spans] == [(3, 5, "d^2"), (4, 6, "h")]


def test_columns_count_code_points():
    (span,) = find("🙂é中 $d$", "markdown").spans
    assert (span.line, span.column, span.end_column) == (1, 6, 7)


def test_the_sentence_and_the_neighbours_of_a_formula_can_be_read_off():
    text = (
        "One is gone. Take `a`=`b`, then $L$*$N_B$ approximately\nholds in total. I used to believe $T = d$."
    )
    spans = {span.text: span for span in find(text, "markdown").spans}
    assert (spans["a"].after, spans["b"].before) == ("=", "=")
    assert (spans["L"].before, spans["L"].after) == (", then", "*")
    assert spans["N_B"].after == "approximately holds in total."
    assert spans["N_B"].sentence.text.startswith("Take `a`")
    assert spans["T = d"].before == "I used to believe"
    for span in spans.values():
        sentence = span.sentence
        assert sentence.text[span.start - sentence.start : span.end - sentence.start] == span.text


def test_documents_can_be_pickled():
    document = find("So $d^2$.", "markdown")
    assert pickle.loads(pickle.dumps(document)) == document


def test_finding_needs_no_sympy():
    """Finding only reads text. The room around it does need sympy, so its modules are loaded without it."""
    program = """
import importlib.util, pathlib, sys, types
room = pathlib.Path(sys.argv[1])
for name, path in (("symcost", room.parent), ("symcost.check", room)):
    module = types.ModuleType(name)
    module.__path__ = [str(path)]
    sys.modules[name] = module
from symcost.check.documents import find
assert [len(find("so $d$", kind).spans) for kind in ("markdown", "tex", "text")] == [1, 1, 1]
assert "sympy" not in sys.modules
"""
    from symcost.check import documents

    room = documents.__file__.rpartition("/")[0]
    subprocess.run([sys.executable, "-c", program, room], check=True)


def test_a_sentence_without_end_is_cut_behind_its_formulas():
    """Else the words around each formula would be those around all, and the time their product."""
    spans = find("and $3d$ with `2 * d` is 4 × 5 = 20 " * 400, "markdown").spans
    assert len(spans) == 1200 and max(len(span.sentence.text) for span in spans) < LONGEST_SENTENCE + 50
    for span in spans:
        at = span.start - span.sentence.start
        assert span.sentence.text[at:].startswith(span.text)
