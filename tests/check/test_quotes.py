"""Chains, definitions, contradictions and quotes, each in a few sentences: right as they stand, and with a slip."""

import pytest

from symcost.check import check_text

LLAMA = (
    "Let $b$ be the batch size, $c$ the context length, $d$ the width, $f$ the inner width of the feed-forward, $h$ heads, "
    "$L$ layers, $v$ vocabulary. Blocks are as in Llama, no grouping, no biases, untied head, bf16. "
)
GPT = (
    "GPT-2 small: `n_layer = 12`, `n_head = 12`, `n_embd = 768`, `vocab_size = 50257`; every Linear has a bias, GELU, "
    "LayerNorm.\n\n"
)


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


def worst(text):
    """Whether some formula of a text is called wrong."""
    return {finding.verdict for finding in check_text(text, "a.md")}


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # what a bound leaves is rounded down
            r"The card leaves $\frac{24 - 5.37}{3.364} = 5.54 \;\Rightarrow\; b_{\max} = 5$.",
            r"The card leaves $\frac{24 - 5.37}{3.364} = 5.54 \;\Rightarrow\; b_{\max} = 6$.",
        ),
        (  # and up, where the least is asked for
            r"States need $\frac{370}{80} = 4.63 \Rightarrow n_{\min} = 5$ cards.",
            r"States need $\frac{370}{80} = 4.63 \Rightarrow n_{\min} = 4$ cards.",
        ),
        (  # modules of GPT-2 by their names in code, with the numbers of tied letters put in
            f"{GPT}| tensor | parameters |\n|---|---|\n| `mlp.c_proj` | `3072 * 768 + 768 = 2,360,064` |",
            f"{GPT}| tensor | parameters |\n|---|---|\n| `mlp.c_proj` | `3072 * 768 + 3072 = 2,362,368` |",
        ),
    ],
)  # fmt: skip
def test_a_chain_holds_and_differs_where_it_slips(right, wrong):
    assert said(right) == "holds"
    assert said(wrong) == "differs"


@pytest.mark.parametrize(
    "text",
    [
        f"{LLAMA}The MLP keeps its input, ${{}}bcd$ elements, for the backward pass.",
        f"{LLAMA}A layer keeps input and output of both norms ($4bcd$ numbers).",
        "Let $N$ be the number of parameters. Weights, gradients and the two Adam moments are $N$ numbers each.",
        "# A training step\n\nLet $N$ be the number of parameters. In bf16 the all-reduce of plain data "
        "parallelism is $2N$ elements per step, and ZeRO-3 sends more.",
        f"{GPT}The token table and the learned positions are $(v + c) d$ weights, $v$ the vocabulary, $c$ the context "
        "length and $d$ the width.",
        f"{GPT}| tensor | parameters |\n|---|---|\n| `attn.c_proj` | `768 * 768 + 768 = 590,592` |",
    ],
)  # fmt: skip
def test_what_is_right_is_never_called_wrong(text):
    assert "differs" not in worst(text)


def test_a_name_that_is_given_an_exact_and_a_near_form_may_come_to_either():
    """With d = 2048, h = 32, c = 1024, L = 24, b = 1: 4A is 7.396 GB in full and 7.248 GB without the ends."""
    text = (
        "Let $b=1$ be the batch size, $c=1024$ the context length, $d=2048$ the width, $h=32$ heads, $L=24$ layers, "
        "$v=32000$ vocabulary. We keep $A = L(20bcd + bhc^2) + 2bcd + bcv$, or $A \\approx bcL(20d + hc)$, so $4A = {}$ GB."
    )
    assert said(text.replace("{}", "7.40")) == "holds"
    assert said(text.replace("{}", "7.25")) == "holds"
    assert said(text.replace("{}", "3.70")) == "differs"


LAYER = (
    "Let $b$ be the batch size, $s$ the sequence length, $h$ the hidden size, $a$ the number of heads, $L$ the number of "
    "layers, $V$ the vocabulary. GPT with GELU, no biases, full attention, nothing discounted.\n\nThe forward pass of a layer "
    "costs $24bsh^2 + 4bs^2h$ FLOPs. "
)


@pytest.mark.parametrize(
    "quote",
    [
        "A slide writes {}.",
        "On a forum I read {}.",
        "A colleague has {} on his whiteboard.",
        "Seen elsewhere: {}.",
        "Some notes keep {}.",
        'A reader wrote in: "it is {}".',
        "Last year's sheet had {}.",
        "One often sees {}.",
        "An older version of this page gave {}.",
        "Several people write {} for it.",
        "According to a blog post it is {}.",
        "I have seen {} in a paper.",
        "Our intern's version was {}.",
        "(One of the posts prints {} for the same thing.)",
        "*Common error.* Several of you wrote {}.",
        "{}, says a slide.",
    ],
)
def test_a_quote_is_held_against_what_the_document_has_proven(quote):
    """24bsh² + 4bs²h: Narayanan et al. 2021, appendix; written another way, with a slip, and with two."""
    assert said(LAYER + quote.replace("{}", "$4bsh(6h + s)$")) == "holds"
    assert said(LAYER + quote.replace("{}", "$24bsh^2 + 2bs^2h$")) == "differs"
    assert said(LAYER + quote.replace("{}", "$20bsh^2 + 2bs^2h$")) == "differs"


@pytest.mark.parametrize(
    "quote",
    [
        "A slide writes $8bsh^2$ for the projections.",
        "A colleague has $48bsh^2 + 8bs^2h$ for the backward pass.",
        "A forum says $72bsh^2 + 12bs^2h$ for training.",
        "Papers that count a multiply-add as one operation print $12bsh^2 + 2bs^2h$.",
        "A slide writes $24bsh^2 + 2bs^2h$, counting only the causal half.",
        "Some codebases have $24bsh^2$ without the scores.",
        "A slide gives $24h^2 + 4sh$ per token.",
        "A colleague writes $4bs^2h$ for scores and values.",
        "Some write $L(24bsh^2 + 4bs^2h)$ for all layers.",
        "For long sequences people write $\\approx 4bs^2h$.",
        "It has $12h^2 + 13h$ parameters if biases count; many papers write $12h^2$.",
    ],
)
def test_a_quote_of_something_else_is_not_held_against_it(quote):
    assert "differs" not in worst(LAYER + quote)


@pytest.mark.parametrize(
    "quote, verdict",
    [
        ('An earlier version of this page had "MFU = 12 * 8.757e11 / 0.576 / 312e12 = 5.8%".', "differs"),
        ('An earlier version of this page had "MFU = 12 * 5 * 8.757e11 / 0.576 / 312e12 = 29.2%".', "holds"),
        ("A colleague has `4 * 12 * 8.757e11 / 0.461 / 312e12 = 29.2%` on his cluster.", "holds"),
        ("A colleague has `3 * 12 * 8.757e11 / 0.576 / 312e12 = 17.5%` on his cluster.", "holds"),
        ("With one accumulation step it is `12 * 8.757e11 / 0.576 / 312e12 = 5.8%`.", "holds"),
    ],
)
def test_a_quoted_product_is_held_against_the_one_that_shares_its_factors(quote, verdict):
    """120 sequences of 8.757e11 FLOPs in 0.576 s on 8 GPUs of 312 TFLOP/s are 36.5 PFLOP/s of 124.8."""
    own = "MFU of one GPU: `5 * 12 * 8.757e11 / 0.576 / 312e12 = 29.2%`. "
    assert said(own + quote) == verdict


FP32 = (
    "A llama in fp32 with AdamW, a separate head and no grouping: $b$ sequences of $c$ tokens, width $d$, $d_{ff}=4d$, $h$ "
    "heads, $L$ layers, vocabulary $v$. It has $N = L(16d^2+2d) + 2dv + d$ parameters and saves $A = L(20bcd + bhc^2) + 2bcd "
    "+ bcv$ elements for the backward pass. "
)
GELU = (
    "Model S has $L=24$ blocks of width $d=1024$, $h=16$ heads, $v=32768$; the feed-forward is two matrices with GELU, no "
    "biases, fp32, $N$ parameters. $b$ sequences of $c=1024$ tokens."
)
CACHE = "A GPT of $L$ layers, $h$ heads, width $d$, in bf16; $b$ prompts of length $s$, $n$ generated tokens. The KV cache has "


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # a total of names
            FP32 + "Peak memory: $M = 16N + 4A$ bytes.",
            FP32 + "Peak memory: $M = 16N + 4A$ bytes. Last year's sheet had $M = 16N + A$ bytes.",
        ),
        (  # the largest batch, by a number that was computed for one sequence
            GELU
            + r" A sequence needs $A = 4\cdot 840{,}957{,}952 \approx 3.364$ GB per sequence. The largest batch is "
            r"$b_{\max} = \left\lfloor \frac{M - 16N}{A} \right\rfloor$.",
            GELU
            + r" A sequence needs $A = 4\cdot 840{,}957{,}952 \approx 3.364$ GB per sequence. The largest batch is "
            r"$b_{\max} = \left\lfloor \frac{M - 16N}{A} \right\rfloor$. Several of you wrote "
            r"$b_{\max} = \left\lfloor \frac{M}{16N + A} \right\rfloor$.",
        ),
        (  # a context in two parts, and a quote that says that it is of the same
            CACHE + "$4bLd(s+n)$ bytes.",
            CACHE + "$4bLd(s+n)$ bytes. A post prints $4bd(s+n)$ for the same thing.",
        ),
        (  # what a document says of itself counts before the models that it mentions; what comes later is another model's
            GELU
            + " Forward, one block: $24bcd^2 + 4bc^2d$.\n\n# Others\n\nLlama-2-7B and Mistral-7B (8 key/value heads).",
            GELU
            + " Forward, one block: $24bcd^2 + 2bc^2d$.\n\n# Others\n\nLlama-2-7B and Mistral-7B (8 key/value heads).",
        ),
    ],
)
def test_a_name_is_held_against_what_it_stands_for(right, wrong):
    assert "differs" not in worst(right) and said(right) == "holds"
    assert "differs" in worst(wrong)


@pytest.mark.parametrize(
    "text, verdict",
    [
        (r"Then $D_{opt} = 20\sqrt{C/120} = \sqrt{10C/3}$.", "holds"),
        (r"Then $D_{opt} = 20\sqrt{C/120} = \sqrt{C/6}$.", "differs"),
        (r"Then $x = \sqrt{N} = \sqrt{2N}\,\sqrt{1/2}$.", "holds"),
        (r"We solve $\sqrt{N} = 2\sqrt{D}$.", "unchecked"),
    ],
)
def test_roots_in_a_chain_are_compared_by_their_squares(text, verdict):
    assert said(text) == verdict


BLOCK = (
    "Letters: $b$ sequences, $c$ tokens each, $d$ model width, $h$ heads, $L$ layers. A llama: SwiGLU of width $4d$, RMSNorm, "
    "no biases, no grouping. One block saves $A = 20bcd + bhc^2$ elements for the backward pass.\n\n# Summary\n\n"
)


@pytest.mark.parametrize(
    "restated, verdict",
    [
        ("$A = bc(20d + hc)$, as above.", "holds"),
        ("$A = 16bcd + bhc^2$, as above.", "differs"),
        ("With every result kept it is $A = 22bcd + bhc^2$.", "unchecked"),
    ],
)
def test_a_name_that_is_given_two_forms_differs_where_one_of_them_is_derived(restated, verdict):
    """20bcd + bhc²: CS190C 2026, lecture 9."""
    assert said(BLOCK + restated) == verdict


STAGES = (
    "$\\Psi$ parameters, $N_d$ GPUs, $K$ bytes of optimizer for each parameter.\n\n| stage | bytes |\n|---|---|\n"
    "| ZeRO-1 | $4\\Psi + \\frac{K\\Psi}{N_d}$ |\n| ZeRO-2 | $2\\Psi + \\frac{(2+K)\\Psi}{N_d}$ |\n\n"
    "With $M$ bytes for each GPU. Solving the row for $\\Psi$:\n\n"
)


@pytest.mark.parametrize(
    "text, verdict",
    [
        (r"We train with $C = 120\,N^2$ FLOPs. Then $N_{opt} = \sqrt{C/120}$.", "holds"),
        (r"We train with $C = 120\,N^2$ FLOPs. Then $N_{opt} = \sqrt{C}/120$.", "no claim"),
        (STAGES + r"$$\text{ZeRO-2:}\quad \Psi_{max} = \frac{M N_d}{2N_d + 2 + K}$$", "holds"),
        (STAGES + r"$$\text{ZeRO-2:}\quad \Psi_{max} = \frac{M N_d}{2N_d + K}$$", "differs"),
        (STAGES + r"$$\Psi_{max} = \frac{M N_d}{2N_d + K}$$", "no claim"),
    ],
)
def test_a_best_or_largest_value_is_put_into_what_it_solves(text, verdict):
    assert said(text) == verdict


def test_what_somebody_else_says_of_a_letter_is_not_in_force():
    text = (
        "The model has $N = 7.0\\times10^9$ parameters. A number that turned up in several submissions is "
        "$N = 6.4\\times10^9$.\n\nIn bf16 the weights take $2N = 14.0$ GB.\n"
    )
    assert check_text(text)[-1].verdict == "holds"
