"""Right formulas in words that are easily misread: none of them may be called wrong."""

import pytest

from symcost.check import check_text

LLAMA = (
    "A Llama-like model has $n$ blocks of width $e$, gate width $g$, $a$ heads and $w$ words, untied, no biases, RMSNorm; "
    "$m$ sequences of $t$ tokens each. "
)
CACHE = (
    "Letters: L layers, d model width, Hq query heads, Hkv key/value heads, k size of a head (d = Hq*k), B sequences, S tokens "
    "in the cache of each. Weights and cache are bf16. "
)
PALM = "$L$ layers, $H$ heads of size $Q$, context $T$, $N$ parameters. GELU MLP of width $4HQ$.\n\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{LLAMA}\n\n| part | forward FLOPs |\n|---|---|\n| Q, K, V and output | $8mte^2$ |\n| SwiGLU | $6mteg$ |",
        f"{LLAMA}Query and output matrices are $e\\times e$.",
        f"{LLAMA}For the backward pass a block keeps gate, SiLU, up and product ($4mtg$ numbers).",
        f"{CACHE}An 8-bit cache takes 2 * L * Hkv * k bytes per token.",
        "Let $\\Psi$ be the number of parameters. In fp32 we keep master weights, momentum and variance ($4\\Psi$ each).",
        f"{PALM}The forward costs $2N + 4LHQT$ per token. Backward is twice the forward, and we are done:\n\n$$6N + 12LHQT$$",
        f"{PALM}For the attention products in training some pages have $6LHQT$ per token: they count only the lower triangle.",
        "A token needs 131,072 bytes, a sequence of 8,192 tokens 1 GiB.",
    ],
)
def test_a_right_formula_is_not_called_wrong(text):
    assert {finding.verdict for finding in check_text(text, "a.md")} & {"differs"} == set()


@pytest.mark.parametrize(
    "text",
    [
        f"{LLAMA}\n\n| part | forward FLOPs |\n|---|---|\n| Q, K, V and output | $6mte^2$ |\n| SwiGLU | $6mteg$ |",
        f"{LLAMA}For the backward pass a block keeps gate, up and product ($4mtg$ numbers).",
        f"{CACHE}The cache takes 2 * L * Hkv * k bytes per token.",
        f"{PALM}The forward costs $2N + 4LHQT$ per token. The backward pass costs $4N + 12LHQT$ per token.",
    ],
)
def test_and_a_wrong_one_in_such_words_is(text):
    assert "differs" in {finding.verdict for finding in check_text(text, "a.md")}


def test_capitals_with_a_long_remark_are_a_heading():
    text = (
        "L layers, width D, FFN width F, SwiGLU, no biases.\n\nPARAMETERS PER LAYER\n\n  SwiGLU              3·D·F\n\n"
        "FLOPS PER TOKEN (forward, 2 per multiply-add, every token looks at all positions)\n\n  SwiGLU              6·D·F\n"
    )
    assert [finding.verdict for finding in check_text(text, "post.txt")] == ["holds", "holds"]


def test_a_sum_of_numbers_that_has_a_number_of_its_own_is_no_form():
    text = (
        "Width $d = 8192$, no biases, RMSNorm with a gain, $L = 80$. A layer has 150,994,944 in attention, 704,643,072 in the "
        "MLP and two norms: $150{,}994{,}944 + 704{,}643{,}072 + 2\\cdot8{,}192 = 855{,}654{,}400$ parameters."
    )
    assert check_text(text, "note.md")[-1].verdict == "holds"


@pytest.mark.parametrize(("each", "verdict"), [("34.4", "holds"), ("551", "differs")])
def test_what_one_of_eight_devices_has_is_not_bits_for_bytes(each, verdict):
    text = (
        "A GPT of $\\ell = 96$ layers, width $H = 12288$, $A = 96$ heads, sequences of $S = 2048$ tokens, microbatch $\\beta$, "
        "$t$-way tensor parallelism, dropout, bf16.\n\nThe activations of all layers take $\\ell\\beta S(34H+5AS)$ bytes. "
        f"Tensor and sequence parallelism divide this by $t$; for $\\beta=1$, $t=8$ it is ${each}$ GB per GPU."
    )
    assert check_text(text, "note.md")[-1].verdict == verdict
