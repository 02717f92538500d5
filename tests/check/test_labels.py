"""Words in columns of their own label the formula behind them, each its own."""

from __future__ import annotations

import pytest

from symcost.check import check_text

NOTE = r"""A GPT with $l$ layers, width $h$, $a$ heads, sequence length $s$, batch $B$, MLP width $4h$.

Forward FLOPs of one layer:
\begin{align}
\text{Q, K, V and output:}\quad & 8Bsh^2, & \text{scores and context:}\quad & SCORES, & \text{MLP:}\quad & 16Bsh^2,
\end{align}
"""


@pytest.mark.parametrize(("scores", "verdict"), [("4Bs^2h", "holds"), ("2Bs^2h", "differs")])
def test_each_formula_of_a_line_has_its_own_words(scores, verdict):
    [finding] = [each for each in check_text(NOTE.replace("SCORES", scores), "note.md") if each.line == 5]
    assert finding.verdict == verdict
    assert len(finding.pairs) == 3


def test_a_label_that_names_more_than_is_known_is_judged_for_nothing():
    text = NOTE.replace("scores and context", "scores and whatnot").replace("SCORES", "4Bs^2h")
    assert all(finding.verdict != "differs" for finding in check_text(text, "note.md"))
