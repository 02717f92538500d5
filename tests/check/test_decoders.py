"""Encoder and decoder: blocks with cross-attention, whose rows are the target's and whose keys are the source's."""

import pytest

from symcost.check import check_text

HANDOUT = (
    "Batch $b$, source length $s$, target length $u$, width $d$, $a$ heads. Blocks are built as in GPT-2: every linear map "
    "has a bias, the MLP is $d\\to4d\\to d$ with GELU. A decoder block has self-attention, cross-attention and MLP (three "
    "LayerNorms). Activations are 16-bit, dropout masks take one byte; as in Korthikanti et al. we count bytes. One "
    "multiply-add is 2 FLOPs; masks give no discount.\n\n"
)
PLAIN = HANDOUT.replace("source length $s$, target length $u$", "sequence length $s$").replace(
    "cross-attention and ", ""
)


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "words, right, wrong",
    [
        ("Parameters of a decoder block:", "P_{dec} = 16d^2+19d", "P_{dec} = 16d^2+17d"),
        ("Saved activations:", "A_{cross} = 7bud+4bsd+5abus", "A_{cross} = 7bud+4bsd+5abu^2"),
        ("Saved activations:", "A_{dec} = 43bud+5abu^2+5abus+4bsd", "A_{dec} = 41bud+5abu^2+5abus+4bsd"),
        ("Forward FLOPs:", "F_{cross} = 4bud^2+4bsd^2+4busd", "F_{cross} = 4bud^2+4bsd^2+2busd"),
        ("Forward FLOPs of cross-attention:", "4bud^2+4bsd^2+4busd", "8bud^2+4bsd^2+4busd"),
    ],
)
def test_a_form_holds_and_its_slip_differs(words, right, wrong):
    assert (said(f"{HANDOUT}{words} ${right}$"), said(f"{HANDOUT}{words} ${wrong}$")) == ("holds", "differs")


@pytest.mark.parametrize(
    "text",
    [
        f"{HANDOUT}Saved activations with the encoder's output: $A_{{cross}} = 7bud+6bsd+5abus$",
        f"{HANDOUT}Forward FLOPs of the keys and values of cross-attention: $4bsd^2$",
        f"{HANDOUT}A decoder-only block has $12d^2+13d$ parameters.",
        f"{PLAIN}Parameters of a decoder block: $P_{{dec}} = 12d^2+13d$",
    ],
)
def test_right_in_another_way(text):
    assert said(text) != "differs"
