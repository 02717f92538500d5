"""Forms that equal several derived quantities: the words beside each say which one is meant."""

import pytest

from symcost.check import check_text

MODEL = (
    "$B$ sequences of $T$ tokens, model dimension $D$, MLP dimension $F$, $N$ query heads, $K$ key/value heads of size $H$, "
    "$L$ layers. The MLP is gated; no biases.\n\n"
)


@pytest.mark.parametrize(
    "words, form, quantity",
    [
        ("Training FLOPs of gate and up", "12BTDF", "step_flops"),
        ("Backward FLOPs of the MLP", "12BTDF", "backward_flops"),
        ("Training FLOPs of the two attention products of a layer", "12BT^2NH", "step_flops"),
    ],
)
def test_what_a_form_is_follows_from_the_words(words, form, quantity):
    finding = check_text(f"{MODEL}{words}: ${form}$.")[-1]
    assert (finding.verdict, finding.quantity) == ("holds", quantity)


def test_the_products_of_attention_have_all_query_heads():
    text = f"{MODEL}Training FLOPs of the two attention products of a layer: $12BT^2KH$."
    assert check_text(text)[-1].verdict == "differs"
