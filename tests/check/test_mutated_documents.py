"""Documents mutated at random: whatever becomes of their formulas, each is judged and nothing is raised."""

import re
from pathlib import Path
from random import Random

import pytest

from symcost.check import check_text

DOCUMENTS = sorted(
    path
    for path in (Path(__file__).parent / "documents").rglob("*.*")
    if path.suffix in (".md", ".tex", ".txt")
)
NUMBER = re.compile(r"(?<![A-Za-z_\d])\d+")
LETTER = re.compile(r"\b[a-zA-Z]\b")
SIGNS = "dbchLNtp+-*/^2{}()$=0 _\\"


def zeros(line, random):
    """A line in which every third number is 0."""
    return NUMBER.sub(lambda number: "0" if random.random() < 0.3 else number[0], line)


def letters(line, random):
    """A line in which every third letter is another."""
    return LETTER.sub(
        lambda letter: random.choice("bcdhLNstpVEkraw") if random.random() < 0.3 else letter[0], line
    )


def signs(line, random):
    """A line with one sign more, or one less."""
    at = random.randrange(len(line) + 1)
    return line[:at] + random.choice((random.choice(SIGNS) + line[at:], line[at + 1 :]))


@pytest.mark.parametrize("mutated", [zeros, letters, signs])
@pytest.mark.parametrize("path", DOCUMENTS[::8], ids=lambda path: path.stem)
def test_a_mutated_document_is_judged(path, mutated):
    random = Random(path.stem)
    lines = [mutated(line, random) for line in path.read_text(encoding="utf-8").splitlines()]
    assert check_text("\n".join(lines), path.name)


@pytest.mark.parametrize(
    "text",
    [
        "With $d=0$, $L=12$ and $h=8$, attention takes $12Ld^2/h$, and each head $4cd/(dh)$ of $1024$.",
        "It takes $0 \\text{ FLOPs} / 4\\text{ s} = 12$ GFLOP/s, or $8 \\times 0 / 3 = 11$ GB.",
        "That is 0 hours, which is 86400 days, or 12 % of 0.",
        "A head has $d/h = 64$ with $d=4096$ and $h=0$: $b_{max} = (24\\times10^9 - 16N)/(8cd/h) = 65$.",
    ],
)
def test_nothing_is_divided_by_a_zero(text):
    assert all(finding.verdict != "holds" for finding in check_text(text, "a.md"))


def test_a_cell_and_a_width_that_cannot_be_read_are_passed_over():
    assert check_text("| layer | count |\n|---|---|\n| $2 \\cdot 3$ | 1,0,00 x, |\n", "a.md")
    assert check_text("SwiGLU has inner width $0d$, so a block has $12d^2$ parameters.", "a.md")
