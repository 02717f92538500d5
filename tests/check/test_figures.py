"""Numbers that documents print, each in a sentence or two: right as it stands, and with a slip."""

import pytest

from symcost.check import check_text

LLAMA = (
    "It has 40 layers, width d = 5120, 40 heads, SwiGLU with inner width 13824, no biases, a vocabulary of 32,000, "
    "separate input and output embeddings. "
)


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # numbers put in for letters
            f"{LLAMA}\n\nParameters of the MLP of one layer: $3 \\cdot 5120 \\cdot 13824 = 212{{,}}336{{,}}640$.",
            f"{LLAMA}\n\nParameters of the MLP of one layer: $2 \\cdot 5120 \\cdot 13824 = 141{{,}}557{{,}}760$.",
        ),
        (  # what the form before comes to
            "$T$ tokens, $P$ parameters, $n$ GPUs, $X$ achieved FLOP/s. The run takes $\\frac{6TP}{nX}$. "
            "For $T=10^{12}$, $P=10^{10}$, $n=1000$, $X=10^{14}$ that is 167 hours.",
            "$T$ tokens, $P$ parameters, $n$ GPUs, $X$ achieved FLOP/s. The run takes $\\frac{6TP}{nX}$. "
            "For $T=10^{12}$, $P=10^{10}$, $n=1000$, $X=10^{14}$ that is 6.94 hours.",
        ),
        (  # the bytes of an element type
            "The weights in bf16 are 7.24e9 × 2 bytes = 14.5 GB.",
            "The weights in int8 are 7.24e9 × 2 bytes = 14.5 GB.",
        ),
        (  # which states the words name
            "Let $N$ be the number of parameters. Everything is fp32: weights, gradients and two moments take $16N$ bytes.",
            "Let $N$ be the number of parameters. Everything is fp32: weights, gradients and two moments take $24N$ bytes.",
        ),
        (  # shared out among devices
            "A step sees 16M tokens. They are split across 16,000 GPUs, so each gets 1,000 tokens.",
            "A step sees 16M tokens. They are split across 16,000 GPUs, so each gets 10,000 tokens.",
        ),
        (  # an energy, whose units are inside
            "The energy is 512 × 0.7 kW × 100 h = 35,840 kWh.",
            "The energy is 512 × 0.7 kW × 100 h = 35.84 kWh.",
        ),
        (  # a single W behind a number and a space is the unit, not a matrix
            "Each card draws 400 W: 624,000 h × 400 W = 250 MWh.",
            "Each card draws 400 W: 624,000 h × 400 W = 250 GWh.",
        ),
    ],
)
def test_a_number_holds_and_its_slip_differs(right, wrong):
    assert (said(right), said(wrong)) == ("holds", "differs")


def test_what_was_listed_adds_up():
    listed = (
        "With $b$ sequences, $s$ tokens and width $d$, a layer keeps:\n\n- its input, $2bsd$\n- what it gates, $3bsd$\n\n"
        "That makes ${}$ in all."
    )
    assert said(listed.format("5bsd")) == "holds"
    assert said(listed.format("7bsd")) != "holds"


@pytest.mark.parametrize(
    "text",
    [
        "Take $c = 1024$. Then $6c = 6144$. Make it $c = 16384$. Before, $6c = 6144$.",  # an earlier number
        "# One\n\nA model has $3d^2$ of it.\n\n# Two\n\n$= 4 \\times 2 = 8$",  # another section
        "Let $h$ be the number of heads, $K$ the key/value heads. Compared with $K = h$, grouping is smaller.",
    ],
)
def test_silence_is_kept_where_a_slip_is_not_certain(text):
    assert all(finding.verdict != "differs" for finding in check_text(text, "a.md"))


@pytest.mark.parametrize(
    "text",
    [
        "Blocks have 12 × 12 × 768² = 84.9M parameters, plus 50257 × 768 = 38.6M in the table => 123.5M",  # a sum
        "It takes 4 × 250 = 1,000 s. With the other kernel it takes 2 × 435 = 870 s, 13% less.",  # a share
        "Set $6d = c$. Let $d$ be the width, so $c = 6d$, i.e. 4,608 for $d = 768$.",  # with the number behind it
    ],
)
def test_numbers_of_a_sentence_hold_together(text):
    assert any(finding.verdict == "holds" for finding in check_text(text, "a.md")[-2:])


def test_millions_that_are_mebi_depend_on_it():
    text = "The sum is 300 × 1,182,743 = 354.8M, but >> 20 prints 338M."
    assert said(text) == "depends"


@pytest.mark.parametrize("width, verdict", [("2*d", "holds"), ("3*d", "differs")])
def test_a_form_that_the_caller_gives_a_letter_is_the_one_a_formula_is_held_against(width, verdict):
    text = "Let $d$=`d_model`. Parameters of the SwiGLU MLP of one layer: $6d^2$."
    assert check_text(text, given={"d_ff": width})[-1].verdict == verdict
