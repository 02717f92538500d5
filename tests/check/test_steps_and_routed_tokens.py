"""What ranks send in a step of several micro-batches, and what the tokens of a batch cost: right, and with a slip."""

import pytest

from symcost.check import check_text

STAGES = "`Ψ` is the number of parameters, `N` the number of GPUs, all of them data-parallel.\n\n"
STEP = f"{STAGES}## Traffic\n\nElements that each GPU sends in a step of `A` micro-batches, N large:\n\n"
EXPERTS = (
    "$L$ blocks of width $d$; keys and values have width $e$ (grouped-query attention); each block holds $E$ experts, of "
    "which the router picks $k$ for every token; an expert is a SwiGLU network of inner width $m$ (three matrices); $V$ "
    "vocabulary, $T$ tokens in the batch. No biases, two RMSNorms per block and one at the end, rotary positions, output "
    "head separate from the input table. Everything is bf16.\n\n"
)


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "document, right, wrong",
    [
        (f"{STAGES}Model states under ZeRO-1 with mixed-precision Adam, bytes per GPU: `{{}}`", "4Ψ + 12Ψ/N", "2Ψ + 12Ψ/N"),
        (f"{STEP}* ZeRO-1, gradients kept until the last micro-batch: `{{}}`", "2Ψ", "2AΨ"),
        (f"{STEP}* ZeRO-2, gradients averaged after every micro-batch: `{{}}`", "(A + 1)Ψ", "2(A + 1)Ψ"),
        (f"{STEP}* ZeRO-3, gradients averaged after every micro-batch: `{{}}`", "3AΨ", "6AΨ"),
        (f"{EXPERTS}The stored model is $${{}}$$", "Ld(2d+2e+3Em+E+2)+2Vd+d", "Ld(2d+2e+3Em+k+2)+2Vd+d"),
    ],
)  # fmt: skip
def test_a_form_holds_and_its_slip_differs(document, right, wrong):
    assert (said(document.format(right)), said(document.format(wrong))) == ("holds", "differs")


@pytest.mark.parametrize(
    "text",
    [
        f"{STEP}* ZeRO-3, gradients left unsharded until the last micro-batch (`no_sync`): `(2A + 1)Ψ`",
        f"{EXPERTS}With perfect balance an expert receives $kT/E$ tokens.",
        f"{EXPERTS}One block keeps for the backward pass of its experts $kT(d+3m)$ numbers.",
        f"{EXPERTS}What sleeps during one token is $N_{{tot}}-N_{{act}} = 3L(E-k)dm$.",
        "Batch $b$, sequence length $s$, target length $u$, width $d$, $a$ heads. The probabilities have $b*a*u*s = abus$"
        " entries.",
    ],
)
def test_holds(text):
    assert said(text) == "holds"


@pytest.mark.parametrize(
    "text",
    [
        f"{STEP}* ZeRO-3, gradients left unsharded until the last micro-batch: `3AΨ`",
        f"{STEP}* ZeRO-1, gradients kept until the last micro-batch: `(A + 1)Ψ`",
        f"{EXPERTS}Every head has $n$ numbers, keys and values have width $e$ per head: $N_{{tot}}-N_{{act}} = Ld$.",
    ],
)
def test_neither_holds_nor_differs_for_sure(text):
    assert said(text) != "holds"


def test_a_size_on_one_side_alone_is_no_error():
    """The document gives all parameters a form and those of one token none, so that a difference of both tells nothing."""
    text = (
        "$d$ is the width, $L$ the layers, $N_{act}$ the active parameters. $N = 12Ld^2$ parameters. "
        "Then $N - N_{act} = 8Ld^2$."
    )
    assert said(text) not in ("holds", "differs")
