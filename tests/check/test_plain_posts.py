"""Posts in plain text: headings that open a line, numbers for letters, the batch behind an arrow; right, and with a slip."""

import pytest

from symcost.check import check_text

POST = (
    "The model has L = 26 layers, width d = 3200, FFN width f = 8640 (SwiGLU, three matrices), 32 heads (no GQA), vocabulary "
    "V = 32000, RMSNorm, no biases, separate lm_head. b = sequences on the card, s = their length.\n\n"
)
KEPT = "3. ACTIVATIONS (bf16, flash attention, no dropout; I leave the row statistics out everywhere)\n\n"
LARGEST = "4. LARGEST BATCH at s = 2048, 4 GB set aside\n\n"


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(f"{POST}{text}", "a.txt")[-1].verdict


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # the capitals that open a numbered line are a heading
            f"{KEPT}A layer keeps so much: 16*b*s*d + 6*b*s*f bytes per layer.",
            f"{KEPT}A layer keeps so much: 16*b*s*d + 6*b*s^2*f bytes per layer.",
        ),
        (  # the largest batch is rounded down
            f"{LARGEST}  (80 - 54.8 - 4) / 6.168 = 3.4  ->  b = 3",
            f"{LARGEST}  (80 - 54.8 - 4) / 6.168 = 3.4  ->  b = 4",
        ),
    ],
)
def test_a_right_form_holds_and_a_slip_in_it_differs(right, wrong):
    assert said(right) == "holds"
    assert said(wrong) == "differs"


@pytest.mark.parametrize("heads, verdict", [("32", "holds"), ("40", "unchecked")])
def test_a_number_of_heads_in_a_form_stands_for_their_letter(heads, verdict):
    assert (
        said(f"{KEPT}Not using flash? Then add the softmax output, 2*b*{heads}*s^2 bytes per layer.")
        == verdict
    )


@pytest.mark.parametrize(
    "form, verdict", [("2*L*(4*d^2 + 3*d*f)", "holds"), ("2*L*(5*d^2 + 3*d*f)", "differs")]
)
def test_the_linear_maps_of_the_layers_are_all_their_matrices(form, verdict):
    assert said(f"Forward FLOPs per token for the linear maps of the layers: {form}") == verdict
