"""Names that only a table or the code itself explains, states added up over a sentence, and products of named shapes."""

import pytest

from symcost.check import check_text

FP32 = "Everything is in fp32 (4 bytes). $N$ is the number of parameters, $B$ sequences of $S$ tokens are a batch. "
GQA = (
    "A decoder with $L$ layers of width $D$, $N$ query heads, $K$ key/value heads of size $H$, SwiGLU with three matrices, "
    "no biases. "
)


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # the moments alone
            f"{FP32}\n\nThe two Adam moments take $8N$ bytes.",
            f"{FP32}\n\nThe two Adam moments take $4N$ bytes.",
        ),
        (  # what comes on top of what the sentence has named
            f"{FP32}\n\nThe two moments take $8N$ bytes; with weights and gradients $16N$.",
            f"{FP32}\n\nThe two moments take $8N$ bytes; with weights and gradients $12N$.",
        ),
        (  # compared with one pass, and of both
            f"{FP32}\n\n## Forward FLOPs\n\nTraining step $= 3\\times$ forward; attention left out, $6NBS$.",
            f"{FP32}\n\n## Forward FLOPs\n\nTraining step $= 3\\times$ forward; attention left out, $3NBS$.",
        ),
        (  # the width of an MLP with an adjective
            f"{GQA}$F$ is the width of the gated MLP.\n\nParameters of the MLP: $3DF$.",
            f"{GQA}$F$ is the width of the gated MLP.\n\nParameters of the MLP: $2DF$.",
        ),
    ],
)
def test_right_holds_and_a_slip_differs(right, wrong):
    assert (said(right), said(wrong)) == ("holds", "differs")


@pytest.mark.parametrize(
    "text",
    [
        f"{FP32}\n\nThe two moments are $2N$ numbers.",
        f"{FP32}\n\nEach of the two moments takes $4N$ bytes.",
        f"{FP32}\n\n## FLOPs of AdamW\n\nBoth moments and the weights: $14N$.",
        # $F$ and $D$ both seem to be the width, so that the number tells nothing
        "$D$ is the width and $F$ the width too, with $D = 8$ and $F = 32$.\n\nThen $3DF = 12345$.",
    ],
)
def test_what_is_not_certain_is_not_told_wrong(text):
    assert said(text) != "differs"
