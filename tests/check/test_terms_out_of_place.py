"""Forms that no words name sharply: a term of a size that nothing has, a sum with one odd term, and direct speech."""

import pytest

from symcost.check import check_text

LLAMA = (
    "A Llama-like model has $L$ layers of width $D$, $N$ query heads and $K$ key/value heads of size $H$, a SwiGLU of inner "
    "width $F$ and $V$ words, untied, no biases; $B$ sequences have $T$ tokens each. "
)
GPT = (
    "Letters: $L$ layers, $h$ hidden size, $a$ attention heads, $s$ sequence length, $b$ sequences, $v$ vocabulary. GELU MLP "
    "of inner width $4h$, biases, LayerNorm, 16-bit values and one-byte dropout masks. "
)


def verdict(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "right, wrong",
    [
        (
            f"{LLAMA}Scores and their sums cost $12BT^2NH$ in a training step; grouping leaves $12BT^2NH$.",
            f"{LLAMA}Scores and their sums cost $12BT^2NH$ in a training step; grouping leaves $12BT^2KH$.",
        ),
        (  # of what the row names nothing is known, but of no row has a product this size
            f"{LLAMA}\n\n| part | training FLOPs |\n|---|---|\n| dot products | $12BT^2NH$ |",
            f"{LLAMA}\n\n| part | training FLOPs |\n|---|---|\n| dot products | $12BT^2KH$ |",
        ),
        (
            f"{LLAMA}Keys and values have $2DKH$ parameters.",
            f"{LLAMA}Keys and values have $2DKN$ parameters.",
        ),
        (
            f"{LLAMA}Attention has four projection matrices in each layer, together $2DNH + 2DKH$.",
            f"{LLAMA}Attention has four projection matrices in each layer, together $2DNH + 4DKH$.",
        ),
        (  # the head's logits are left out
            f"{LLAMA}The forward pass of the whole model takes $LB(4TDH(N + K) + 6TDF + 4T^2NH) + 2BTDV$ FLOPs.",
            f"{LLAMA}The forward pass of the whole model takes $LB(4TDH(N + K) + 6TDF + 4T^2NH)$ FLOPs.",
        ),
        (
            f"{GPT}All activations kept are $sbhL\\left(34+5\\frac{{as}}{{h}}\\right)+5sbh+4sbv$ bytes.",
            f"{GPT}All activations kept are $sbhL\\left(34+5\\frac{{as}}{{h}}\\right)+5sbh+2sbv$ bytes.",
        ),
        (
            f"{LLAMA}Queries and outputs have $2DNH$ parameters. A reader says: \"$2DNH$\".",
            f"{LLAMA}Queries and outputs have $2DNH$ parameters. A reader says: \"$4DNH$\".",
        ),
    ],
)  # fmt: skip
def test_a_term_out_of_place_differs(right, wrong):
    assert verdict(right) == "holds"
    assert verdict(wrong) == "differs"


@pytest.mark.parametrize(
    "text",
    [
        f"{LLAMA}The score matrix of a head is $T \\times T$.",
        f"{LLAMA}With one more key head a token needs $4LH$ bytes more.",
        f"{LLAMA}Grouping saves $2DH(N-K)$ parameters.",
    ],
)
def test_what_may_be_of_one_head_or_a_difference_is_not_called_wrong(text):
    assert verdict(text) != "differs"
