"""The largest batch of a document, held against the document's own peak memory."""

from __future__ import annotations

import pytest

from symcost.check import check_text

SLIDE = r"""$b$ batch, $c$ context, $d$ width, $h$ heads, $L$ blocks, $v$ vocabulary; SwiGLU of width $4d$, RMSNorm, no biases.

Saved numbers of the whole model: $A = L(20bcd + bhc^2) + 2bcd + bcv$. Peak memory in fp32: $16N + 4A$ bytes.

On a card of $X$ bytes: {quotient}
"""


def largest(quotient: str) -> str:
    return check_text(SLIDE.format(quotient=quotient), "slide.md")[-1].verdict


@pytest.mark.parametrize(
    "quotient",
    [
        r"$b_{\max} = \left\lfloor\frac{X - 16N}{4\left(L(20cd + hc^2) + 2cd + cv\right)}\right\rfloor$",
        r"$b_{\max} = \left\lfloor\frac{X/4 - 4N}{L(20cd + hc^2) + 2cd + cv}\right\rfloor$",
    ],
)
def test_the_memory_left_over_that_of_a_sequence_holds(quotient):
    assert largest(quotient) == "holds"


@pytest.mark.parametrize(
    "quotient",
    [
        r"$b_{\max} = \left\lfloor\frac{X - 16N}{L(20cd + hc^2) + 2cd + cv}\right\rfloor$",  # numbers for bytes
        r"$b_{\max} = \left\lfloor\frac{X - 12N}{4\left(L(20cd + hc^2) + 2cd + cv\right)}\right\rfloor$",  # no gradients
        r"$b_{\max} = \left\lfloor\frac{X - 16N}{4\left(L(20cd + h^2c) + 2cd + cv\right)}\right\rfloor$",
    ],
)
def test_a_slip_in_either_part_of_it_differs(quotient):
    assert largest(quotient) == "differs"


def test_what_leaves_terms_out_is_another_case():
    assert (
        largest(r"without the head $b_{\max} = \left\lfloor\frac{X - 16N}{4L(20cd + hc^2)}\right\rfloor$")
        != "differs"
    )


ONE_CARD = r"""A model of $N = 1.235\cdot10^9$ parameters in fp32 with AdamW: $16N$ bytes of weights, gradients,
moments, $19.8$ GB.
Activations of one sequence take $14.64$ GB, with $B$ sequences in the batch.

On an 80 GB card {quotient}.
"""


@pytest.mark.parametrize(
    ("quotient", "verdict"),
    [
        (r"$B = \lfloor (80 - 19.8)/14.64 \rfloor = 4$", "holds"),
        (r"$B = \lfloor 80/14.64 \rfloor = 5$", "differs"),  # the states are not taken off
        (r"the quotient is $80/14.64 = 5.46$", "holds"),
    ],
)
def test_a_batch_leaves_room_for_the_states(quotient, verdict):
    assert check_text(ONE_CARD.format(quotient=quotient), "card.md")[-1].verdict == verdict
