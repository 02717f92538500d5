"""Documents in the manner of real notes, with right and mutated formulas: what the checker says of them.

Set `develop` was in view while the checker was made, `held-out` was looked at later, `fresh` after that. The authors of
`later` had not seen the checker; it has been mended by their documents since, so a new one fares a little worse. Nor had
those of `latest` and `newest`; by these the checker has been mended least: what a new document may expect. `closest` and
`nearest` were written as near to the manner of one collection of lecture notes and posts as their authors could.
"""

import json
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from symcost.check import check

DOCUMENTS = sorted((Path(__file__).parent / "documents").glob("*.expected.json"))
WORST_FIRST = ("differs", "depends", "approximates", "holds", "unchecked", "no claim")


def expected(path):
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def judged(path):
    """Each formula that is listed for a document, with what was found there: (expected, verdict, formula)."""
    facts = expected(path)
    by_line = {}
    for finding in check(path.parent / facts["document"]):
        by_line.setdefault(finding.line, []).append(finding)
    rows = []
    for formula in facts["formulas"]:
        start, end = formula["column"], formula["column"] + len(formula["text"])
        there = [
            finding.verdict
            for finding in by_line.get(formula["line"], [])
            if finding.column < end and (finding.end_line > finding.line or finding.end_column > start)
        ]
        rows.append(
            (formula["expect"], min(there, key=WORST_FIRST.index, default="silence"), formula["text"])
        )
    return rows


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name.removesuffix(".expected.json"))
def test_every_formula_stands_where_the_list_says(path):
    facts = expected(path)
    lines = (path.parent / facts["document"]).read_text(encoding="utf-8").splitlines()
    listed = [(each["line"], each["column"], each["text"].split("\n")[0]) for each in facts["formulas"]]
    assert [row for row in listed if not lines[row[0] - 1].startswith(row[2], row[1] - 1)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name.removesuffix(".expected.json"))
def test_no_right_formula_is_called_wrong(path):
    assert [
        text for expect, verdict, text in judged(path) if verdict == "differs" and expect != "differs"
    ] == []


def shares(name):
    """Of a set's documents: which share of the wrong formulas is caught, and of the right ones proven."""
    rows = [row for path in DOCUMENTS if expected(path)["set"] == name for row in judged(path)]
    wrong = [verdict == "differs" for expect, verdict, _ in rows if expect == "differs"]
    right = [verdict == "holds" for expect, verdict, _ in rows if expect == "holds"]
    return Fraction(sum(wrong), len(wrong)), Fraction(sum(right), len(right))


@pytest.mark.parametrize("name", ["develop", "held-out", "fresh"])
def test_nine_of_ten_wrong_formulas_are_caught_and_eight_of_ten_right_ones_proven(name):
    wrong, right = shares(name)
    assert wrong >= Fraction(9, 10) and right >= Fraction(8, 10)


@pytest.mark.parametrize(
    ("name", "caught", "proven"),
    [
        ("later", Fraction(3, 5), Fraction(4, 5)),
        ("latest", Fraction(9, 20), Fraction(3, 4)),
        ("newest", Fraction(1, 4), Fraction(3, 4)),
        ("closest", Fraction(1, 2), Fraction(4, 5)),
        ("nearest", Fraction(2, 5), Fraction(3, 4)),
    ],
)
def test_most_formulas_of_strangers_are_judged(name, caught, proven):
    wrong, right = shares(name)
    assert wrong >= caught and right >= proven
