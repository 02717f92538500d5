"""What follows from a bound or an equation that a sentence has just written."""

import pytest

from symcost.check import check_text


def verdicts(text, name="a.md"):
    """The verdicts of a text by what stands there."""
    return {finding.text: finding.verdict for finding in check_text(text, name)}


@pytest.mark.parametrize(
    "text, right, wrong",
    [
        ("Stage 3: $208/N \\le 32$, so $X$.", "N = 7", "N = 6"),
        ("Stage 2: $26 + 182/N \\le 32$, so $X$.", "N \\ge 31", "N \\ge 30"),
        ("It fits as long as $16 + 1.5b \\le 80$, i.e. $X$.", "b \\le 42", "b \\le 43"),
    ],
)
def test_what_follows_from_a_bound(text, right, wrong):
    text = "$N$ GPUs, $b$ sequences. " + text
    assert verdicts(text.replace("X", right))[right] == "holds"
    assert verdicts(text.replace("X", wrong))[wrong] == "differs"


def test_an_equation_is_solved_and_another_letter_is_not():
    found = verdicts("We set $3x^2 = 48$, so $x = 4$. Or $3x^2 = 75$, which gives $y = 4$.")
    assert (found["x = 4"], found["y = 4"]) == ("holds", "no claim")
