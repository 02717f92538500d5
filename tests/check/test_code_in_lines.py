"""Lines of arithmetic that are set in like code: names that only the document knows, `int` and a letter e."""

from __future__ import annotations

import pytest

from symcost.check import check_text
from symcost.check.documents import find
from symcost.check.prose import formulas

README = """* `psi` parameters, `nl` layers, `hid` width, `ff` width of the SwiGLU, `voc` vocabulary; RMSNorm, no biases,
head not tied.

The model has

    psi = nl*({attention}*hid**2 + 3*hid*ff + 2*hid) + hid*(2*voc + 1)

parameters.
"""


@pytest.mark.parametrize(("attention", "verdict"), [(4, "holds"), (3, "differs")])
def test_a_line_of_names_of_its_own_is_read(attention, verdict):
    assert check_text(README.format(attention=attention), "README.md")[-1].verdict == verdict


@pytest.mark.parametrize(("printed", "verdict"), [(8, "holds"), (9, "differs")])
def test_int_rounds_down(printed, verdict):
    text = f"The largest batch:\n\n    mb_max = int((40e9 - 8.52e9) / 3.52e9) = {printed}\n"
    assert check_text(text, "README.md")[-1].verdict == verdict


def test_e_is_a_letter_between_signs_and_none_in_a_number():
    assert [
        span.text for span in find("| a | 2·L·e·w |\n|---|---|\n| b | 2·E² + 2·E·Hk·e |", "markdown").spans
    ] == [
        "2·L·e·w",
        "2·E² + 2·E·Hk·e",
    ]
    assert not any("e" in "8.4*e pow 23"[start:end] for start, end, _ in formulas("8.4*e pow 23"))


def test_no_learned_positions_are_none():
    text = "SwiGLU of width $f$, RMSNorm, no biases, head not tied, no learned positions; $L$ blocks of width $d$, $v$ words."
    found = check_text(f"{text}\n\nParameters: $L(4d^2 + 3df + 2d) + 2dv + d$", "note.md")
    assert found[-1].verdict == "holds"
    assert "learned" not in found[-1].pairs[0].message
