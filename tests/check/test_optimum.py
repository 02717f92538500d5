"""The best size and the best number of tokens of a fit, put into C = 6ND: Hoffmann et al. 2022, appendix A.3."""

from __future__ import annotations

import pytest

from symcost.check import check_text

FIT = r"""With $C = 6ND$ and $L(N, D) = E + \frac{{A}}{{N^{{\alpha}}}} + \frac{{B}}{{D^{{\beta}}}}$,

\begin{{align}}
N_{{\text{{opt}}}} &= G\left(\frac{{C}}{{6}}\right)^{{\frac{{\beta}}{{\alpha+\beta}}}} \\
D_{{\text{{opt}}}} &= {tokens}
\end{{align}}
"""


@pytest.mark.parametrize(
    ("tokens", "verdict"),
    [
        (r"G^{-1}\left(\frac{C}{6}\right)^{\frac{\alpha}{\alpha+\beta}}", "holds"),
        (r"\frac{1}{G}\left(\frac{C}{6}\right)^{\frac{\alpha}{\alpha+\beta}}", "holds"),
        (r"G^{-1}\left(\frac{C}{6}\right)^{\frac{\beta}{\alpha+\beta}}", "differs"),
        (r"G\left(\frac{C}{6}\right)^{\frac{\alpha}{\alpha+\beta}}", "differs"),
        (r"\frac{1}{G}\left(\frac{C}{2}\right)^{\frac{\alpha}{\alpha+\beta}}", "differs"),
    ],
)
def test_both_together_spend_the_budget(tokens, verdict):
    assert check_text(FIT.format(tokens=tokens), "note.md")[-1].verdict == verdict


def test_square_roots_spend_it_too():
    text = r"With $C = 6ND$ and $D = 20N$: $N_{opt} = \sqrt{C/120}$ and $D_{opt} = 20\sqrt{C/120}$."
    assert check_text(text, "note.md")[-1].verdict == "holds"
