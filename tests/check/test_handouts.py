"""What handouts write: lists of tensors, memory as a function of the batch, largest batches; right, and with a slip."""

import pytest

from symcost.check import check_text

GPT = (
    "A GPT with $L=36$ blocks of width $d=1280$, $h=20$ heads, $n=1024$ tokens per sequence, a vocabulary of $v=50257$ and "
    "$b$ sequences per step. The MLP has width $4d$ and a GELU; linear layers have biases, positions are learned, the head "
    "is tied, there is no dropout. One GB is $10^9$ bytes.\n\n"
)


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.tex")[-1].verdict


def kept(*rows):
    """A text that lists what a block keeps."""
    listed = " \\\\\n".join(rows)
    return f"{GPT}What a block saves for backward, in bf16, two bytes a number:\n\\begin{{align}}\n{listed}\n\\end{{align}}\n"


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # the tensor is said in brackets
            kept(r"g = \mathrm{GELU}(u)\ \text{(input of } W_2) &: \quad 8bnd"),
            kept(r"g = \mathrm{GELU}(u)\ \text{(input of } W_2) &: \quad 2bnd"),
        ),
        (
            kept(r"Z = PV\ \text{(input of the output projection)} &: \quad 2bnd"),
            kept(r"Z = PV\ \text{(input of the output projection)} &: \quad 8bnd"),
        ),
    ],
)
def test_a_row_of_a_list_of_tensors_is_judged(right, wrong):
    assert (said(right), said(wrong)) == ("holds", "differs")


def test_how_a_tensor_is_made_is_a_label():
    rows = (
        r"y_1 = \mathrm{LN}(x_1) &: \quad 2bnd",
        r"P = \mathrm{softmax}(QK^\top/\sqrt{d/h}) &: \quad 2bhn^2",
        r"u = y_2W_1 + c_1 &: \quad 8bnd",
    )
    found = check_text(kept(*rows), "a.tex")[-len(rows) :]
    assert [finding.verdict for finding in found] == ["holds"] * len(rows)


PEAK = f"{GPT}With $N = 774{{,}}030{{,}}080$ parameters we take states plus activations, $M(b) = 16N + L(32bnd + 2bhn^2)$ bytes, "


@pytest.mark.parametrize(
    "right, wrong",
    [
        (f"{PEAK}so $M(8) = 36.5$ GB.", f"{PEAK}so $M(8) = 15.4$ GB."),  # at b = 1
        (  # a conversion, and the same the wrong way
            "The states take $16 \\times 0.774 = 12.38$ GB, or $11.53$ GiB.",
            "The states take $16 \\times 0.774 = 12.38$ GB, or $13.30$ GiB.",
        ),
        (  # the head is named, but the form is of a whole step
            f"{GPT}Blocks are run twice forward, the head only once, so a step with recomputation costs "
            "$4L(24bnd^2 + 4bn^2d) + 6bndv$ FLOPs.",
            f"{GPT}Blocks are run twice forward, the head only once, so a step with recomputation costs "
            "$4L(24bnd^2 + 4bn^2d) + 8bndv$ FLOPs.",
        ),
    ],
)
def test_a_formula_with_a_slip_differs(right, wrong):
    assert (said(right), said(wrong)) == ("holds", "differs")


def test_what_a_function_of_the_batch_gives_each_sequence():
    assert said(f"{PEAK}so every sequence costs $3.02$ GB.") == "holds"
    assert said(f"{PEAK}so every sequence costs $3.92$ GB.") != "holds"
