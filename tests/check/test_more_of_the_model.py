"""Experts, latent attention, adapters, bytes in letters, shares and crossings: right as it stands, and with a slip."""

import pytest
from sympy import Rational

from symcost.check import check_text
from symcost.check.catalogue import BLOCK, book
from symcost.check.supposing import LIKE_LLAMA, Supposed
from symcost.symbols import symbol

EXPERTS = (
    "Every block has grouped attention without biases, $h$ query heads and $g$ key/value heads of size $k$, $d = hk$, two "
    "RMSNorms with a gain, and a mixture of experts: a router and $E$ SwiGLU experts of inner width $f$, of which each token "
    "uses $K$. There are $L$ blocks of width $d$, a vocabulary of $V$ entries, an untied head; a batch has $b$ sequences of "
    "$s$ tokens."
)
SHARED = (
    "Every block has attention with $n$ heads of size $a$ ($d = na$), two RMSNorms and, in place of the feed-forward layer, "
    "$E$ routed SwiGLU experts and $S$ shared experts, each of inner width $m$; a token is sent to $k$ of the routed experts. "
    "$L$ layers, model width $d$, vocabulary size $V$, untied, no biases. Batch of $B$ sequences with $T$ tokens each."
)
LATENT = (
    "Multi-head latent attention with $h$ heads, $L$ layers and model width $d$. The cache has for each token a latent of "
    "width $c$ and a rotary key of width $r$, with $p$ bytes per number; batch $b$, sequence length $s$."
)
SERVING = (
    "Serving: $L$ layers, width $d$, $H$ query heads and $G$ key/value heads of size $k$, $s$ tokens in the context, batch "
    "size $B$, $N$ parameters, $w$ bytes per weight, $W$ the memory bandwidth in bytes/s. Llama-like blocks."
)
PREFILL = (
    "A Llama-like model has $L$ blocks of width $d$, $N$ parameters of which $M$ parameters in matrices, prompts of $s$ "
    "tokens; multiply-add is two FLOPs, no causal discount."
)
ADAPTERS = (
    "We fine-tune with LoRA of rank $r$ on all seven matrices of every block of a Llama model: $L$ blocks, width $d$, SwiGLU "
    "inner width $f$, full heads, no biases, $N$ base parameters in bf16. $P$ are the adapter parameters. $b$ sequences of $s$ "
    "tokens."
)
SQUARE = (
    "A block has RMSNorm, four $d\\times d$ attention matrices and a SwiGLU MLP of inner width $4d$; $b$ sequences of $c$ "
    "tokens, $h$ heads, model width $d$."
)
GPT = (
    "GPT blocks: LayerNorm, attention with $h$ heads, GELU MLP of inner width $4d$. $b$ sequences of $c$ tokens, model width "
    "$d$."
)

CLAIMS = [  # what is supposed, what is said, the right form, and slips of it
    (EXPERTS, "One expert has {} parameters.", "3df", ["2df"]),
    (EXPERTS, "Parameters of one block: {}.", "2d^2+2dgk+dE+3Edf+2d", ["2d^2+2dgk+dK+3Edf+2d", "2d^2+2dgk+dE+2Edf+2d"]),
    (EXPERTS, "Active parameters of one block: {}.", "2d^2+2dgk+dE+3Kdf+2d", ["2d^2+2dgk+dK+3Kdf+2d"]),
    (EXPERTS, "The router has {} parameters in each block.", "dE", ["dK"]),
    (EXPERTS, "A token leaves {} parameters idle in the whole model.", "3Ldf(E-K)", ["2Ldf(E-K)"]),
    (EXPERTS, "Forward FLOPs of one block for the batch: router {}.", "2bsdE", ["2bsdK"]),
    (EXPERTS, "Forward FLOPs of one block for the batch, experts: {}.", "6Kbsdf", ["6Ebsdf", "4Kbsdf"]),
    (EXPERTS, "Tokens per expert, on average: {}.", "\\frac{Kbs}{E}", ["\\frac{bs}{E}", "\\frac{Ebs}{K}"]),
    (EXPERTS, "With a capacity factor of 1.25 each expert gets room for {} tokens.", "1.25\\,Kbs/E", ["1.25\\,bs/E"]),
    (EXPERTS, "In bf16 the dispatch to the experts and back moves {} bytes per block.", "4Kbsd", ["4bsd"]),
    (SHARED, "Parameters per layer: {}.", "4d^2+3dm(E+S)+dE+2d", ["4d^2+3dmE+dE+2d", "4d^2+2dm(E+S)+dE+2d"]),
    (SHARED, "Active parameters of a layer: {}.", "4d^2+3dm(k+S)+dE+2d", ["4d^2+3dmk+dE+2d"]),
    (SHARED, "Forward FLOPs per token of one layer, experts: {}.", "6dm(k+S)", ["6dm(E+S)", "4dm(k+S)"]),
    (LATENT, "The KV cache has {} numbers per token.", "(c+r)L", ["2(c+r)L", "cL"]),
    (LATENT, "KV cache of the whole batch: {} bytes.", "bs(c+r)Lp", ["2bs(c+r)Lp", "b(c+r)Lp"]),
    (SERVING, "The KV cache takes {} bytes per token.", "2LGkw", ["LGkw", "2LHkw", "4LGkw"]),
    (PREFILL, "Prefill of one prompt costs {} FLOPs.", "2Ms + 4Ls^2d", ["2Ms + 2Ls^2d", "2Ms + 4Lsd", "Ms + 4Ls^2d"]),
    (PREFILL, "A new token with $s$ tokens behind it costs {} FLOPs in its forward pass.", "2M + 4Lsd", ["2M + 4Lsd^2"]),
    (PREFILL, "Training costs {} FLOPs per token, forward and backward.", "6M + 12Lsd", ["6M + 4Lsd"]),
    (ADAPTERS, "Adapter parameters of one block: {}.", "r(11d+3f)", ["r(8d+3f)", "r(11d+f)"]),
    (ADAPTERS, "Mixed precision with Adam: model states take {} bytes.", "2N + 16P", ["4N + 16P", "2N + 12P"]),
    (ADAPTERS, "Training FLOPs per token, forward and backward, with $M$ parameters in matrices: {}.", "4M + 12Lsd + 6P",
     ["6M + 12Lsd + 6P", "4M + 8Lsd + 6P"]),
    (SQUARE, "Scores and values are the fraction {} of a block's forward FLOPs.", "\\frac{c}{8d+c}", ["\\frac{c}{4d+c}"]),
    (GPT, "Scores and values are the share {} of the forward FLOPs of a block.", "\\frac{c}{6d+c}", ["\\frac{c}{12d+c}"]),
    (SQUARE, "Saved activations of a block: the quadratic part exceeds the linear one when {}.", "c > 20d/h", ["c > 10d/h"]),
    (SQUARE, "Forward FLOPs of scores and values exceed those of the block's matrices when {}.", "c > 8d", ["c > 4d"]),
]  # fmt: skip


def said(supposed, words, form):
    """The verdict of a form, the last but those that only name a letter."""
    text = f"{supposed}\n\n{words.format(f'${form}$')}"
    return [finding.verdict for finding in check_text(text, "a.md") if finding.text == form][-1]


@pytest.mark.parametrize(("supposed", "words", "right", "slips"), CLAIMS, ids=[claim[2] for claim in CLAIMS])
def test_a_form_holds_and_each_of_its_slips_differs(supposed, words, right, slips):
    assert said(supposed, words, right) == "holds"
    assert [said(supposed, words, slip) for slip in slips] == ["differs"] * len(slips)


@pytest.mark.parametrize(
    ("supposed", "words", "right"),
    [
        (SERVING, "One decode step takes at least {} seconds.", "(wN + 2BsLGkw)/W"),
        (SERVING, "The weights take {} bytes.", "wN"),
        (PREFILL, "Attention in the prefill of one prompt: {} FLOPs.", "4Ls^2d"),
        (PREFILL, "The matrices cost {} FLOPs in the prefill of one prompt.", "2Ms"),
        (ADAPTERS, "A matrix gets {} adapter parameters.", "r(d_{in}+d_{out})"),
        (
            ADAPTERS,
            "Query, key, value and output projections together: {} adapter parameters per block.",
            "8rd",
        ),
        (GPT, "Forward FLOPs of scores and values exceed those of the MLP when {}.", "c > 4d"),
    ],
)
def test_a_form_in_letters_holds(supposed, words, right):
    assert said(supposed, words, right) == "holds"


@pytest.mark.parametrize(
    ("supposed", "words", "other"),
    [
        (
            SQUARE,
            "Scores and values are the fraction {} of a GPT block's FLOPs.",
            "\\frac{c}{6d+c}",
        ),  # another design
        (
            PREFILL,
            "With half of the scores, a token costs {} FLOPs forward.",
            "2M + 2Lsd",
        ),  # another convention
        (SERVING, "Per head and token, that is {} bytes.", "2Lkw"),  # a part of it
        (ADAPTERS, "With the base in fp32, {} bytes.", "4N + 16P"),
        (EXPERTS, "Each of the experts of one GPU in $n$ sees {} tokens.", "Kbs/n"),
    ],
)
def test_silence_is_kept_where_a_slip_is_not_certain(supposed, words, other):
    assert said(supposed, words, other) != "differs"


def at(entry, sizes):
    """What a form comes to."""
    return entry.total.subs({symbol(name): value for name, value in sizes.items()})


def test_experts_have_the_parameters_that_mixtral_publishes():
    """Jiang et al. 2024, table 1; 46,702,792,704 and 12,879,925,248 are what its weights sum up to."""
    design = LIKE_LLAMA.but(experts=True, grouped=True)
    sizes = {"L": 32, "d": 4096, "h": 32, "h_kv": 8, "E": 8, "k": 2, "d_expert": 14336, "v": 32000}
    forms = book(Supposed(design))
    entries = {name: forms.entry(name) for name in ("parameters", "active_parameters", "idle_parameters")}
    total, active, idle = (at(entry, sizes) for entry in entries.values())
    assert (total, active, idle) == (46_702_792_704, 12_879_925_248, 46_702_792_704 - 12_879_925_248)


def test_a_latent_cache_has_the_numbers_that_deepseek_v2_publishes():
    """DeepSeek-AI 2024, table 1: (512 + 64) numbers a layer, as many as 2.25 key/value heads of width 128."""
    entry = book(Supposed(LIKE_LLAMA.but(latent=True))).entry("kv_cache", BLOCK, every=False, per="token")
    assert at(entry, {"d_c": 512, "d_r": 64}) == Rational(9, 4) * 2 * 128


def test_adapters_of_a_block_are_those_of_its_seven_matrices():
    """Hu et al. 2021: r(d_in + d_out) for each matrix, counted one by one."""
    d, d_ff, r = 4096, 11008, 16
    shapes = [(d, d)] * 4 + [(d, d_ff), (d, d_ff), (d_ff, d)]
    forms = book(Supposed(LIKE_LLAMA.written_in({"r"}), ties=(("h_kv", "h"),)))
    entry = forms.entry("adapter_parameters", BLOCK, every=False)
    assert at(entry, {"d": d, "d_ff": d_ff, "r": r}) == sum(r * (n + m) for n, m in shapes)
