"""The same said in other words, or in another form of a chain: right as it stands, and with a slip."""

import pytest

from symcost.check import check_text

GATED = "Width $d$, $L$ blocks with RMSNorm, attention and SwiGLU, no biases. "
GPT = (
    "Let $b$ be the batch size, $c$ the context length, $d$ the width, $v$ the vocabulary size, $L$ the number of layers "
    "of a GPT with a GELU MLP of inner width $4d$. "
)
COMPUTE = "$N$ is the number of parameters, $D$ the number of training tokens, $C$ the training FLOPs. "


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # a list of matrices
            f"{GATED}\n\nParameters of the query, key, value, output matrices of a block: $4d^2$.",
            f"{GATED}\n\nParameters of the query, key, value, output matrices of a block: $3d^2$.",
        ),
        (  # a list of what they make
            f"{GPT}\n\nForward FLOPs of queries, keys and values, one layer: $6bcd^2$.",
            f"{GPT}\n\nForward FLOPs of queries, keys and values, one layer: $2bcd^2$.",
        ),
        (  # all norms, the last among them
            f"{GATED}\n\nParameters of the norms, all blocks: $(2L+1)d$.",
            f"{GATED}\n\nParameters of the norms, all blocks: $(2L+1)d^2$.",
        ),
        (  # what something is compared with
            f"{GPT}{COMPUTE}\n\n## Forward FLOPs for one token\n\n"
            "Training is three times the forward pass, $6N + 12Lcd$ per token.",
            f"{GPT}{COMPUTE}\n\n## Forward FLOPs for one token\n\n"
            "Training is three times the forward pass, $5N + 12Lcd$ per token.",
        ),
        (  # computed a second time
            f"{GPT}\n\nFLOPs of one training iteration. With every layer run forward a second time: "
            "$F = 96bLcd^2\\left(1 + \\frac{c}{6d} + \\frac{v}{16dL}\\right)$.",
            f"{GPT}\n\nFLOPs of one training iteration. With every layer run forward a second time: "
            "$F = 96bLcd^2\\left(1 + \\frac{c}{6d} + \\frac{v}{8dL}\\right)$.",
        ),
        (  # one form of a chain in the parameters, another in the width
            f"{GPT}{COMPUTE}Only matrices count, so $N = 12Ld^2$.\n\nForward, one token: "
            "$$F = 2N + 4Lcd = 2N\\left(1 + \\frac{c}{6d}\\right)$$",
            f"{GPT}{COMPUTE}Only matrices count, so $N = 12Ld^2$.\n\nForward, one token: "
            "$$F = 2N + 4Lcd = 2N\\left(1 + \\frac{c}{12d}\\right)$$",
        ),
        (  # two equations
            f"{COMPUTE}The usual shorthand is $D \\approx 20N$. With $C = 6ND$ we then have $D_{{opt}} = \\sqrt{{10C/3}}$.",
            f"{COMPUTE}The usual shorthand is $D \\approx 20N$. With $C = 6ND$ we then have $D_{{opt}} = \\sqrt{{20C/3}}$.",
        ),
        (  # which of two models
            "- **Big** (like GPT-3): $d = 12288$, $c = 2048$\n- **Small** (GPT-2 large): $d = 1280$, $c = 1024$\n\n"
            "Width $d$, context $c$. Then $c/(18d) = 0.93\\%$ for Big.",
            "- **Big** (like GPT-3): $d = 12288$, $c = 2048$\n- **Small** (GPT-2 large): $d = 1280$, $c = 1024$\n\n"
            "Width $d$, context $c$. Then $c/(18d) = 1.93\\%$ for Big.",
        ),
    ],
)
def test_the_right_form_holds_and_its_slip_does_not(right, wrong):
    assert said(right) == "holds"
    assert said(wrong) != "holds"


@pytest.mark.parametrize(
    "words, verdict",
    [
        ("The causal mask is worth a factor of two.", "holds"),
        ("On average a token looks at $c/2$ positions.", "holds"),
        ("The causal mask is ignored.", "depends"),
    ],
)
def test_a_causal_mask_halves_the_square_where_it_is_said_to(words, verdict):
    text = f"{GPT}{words}\n\nForward FLOPs of scores and weighted sum, one layer: $2bc^2d$."
    assert said(text) == verdict
