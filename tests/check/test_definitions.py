"""Forms with names of their own, and what layouts and options make of them: right as they stand, and with a slip."""

import pytest

from symcost.check import check_text

GPT = (
    "$s$ sequence length, $b$ microbatch size, $h$ hidden size, $a$ attention heads, $L$ transformer layers, $v$ vocabulary "
    "size, $t$ tensor-parallel size, $p$ pipeline stages, $m$ number of interleaved chunks per stage. A value takes two bytes "
    "(16-bit floating point) and an element of a dropout mask one. The model is a GPT: LayerNorm, GELU MLP of inner size "
    "$4h$, biases everywhere, learned positions, output layer tied to the token embedding.\n\n"
)
LLAMA = (
    "Let `B` be the batch size, `T` the context length, `D` the width, `H` the number of heads, `F` the inner width of the "
    "SwiGLU, `V` the vocabulary size, `L` the layers. RMSNorm, no biases, head not tied, fp32 throughout.\n\n"
)
LISTED = (
    "# Activations\n\nThe output of each listed operation is kept: both norms, Q, K, V, scores, softmax, weighted sum of the "
    "values, output projection, $W_1x$, $W_3x$, the SiLU, the product, $W_2$; then the final norm, the logits and their "
    "log-probabilities.\n\n"
)
ATTENTION = (
    "b sequences of n tokens, h heads of dimension d each, so the model is h*d wide; bf16, a multiply-add is 2 FLOPs.\n\n"
    "# FlashAttention\n\n"
)
COSTS = "# FLOPs of an iteration\n\n"
KEPT = "# Activation memory\n\n"


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "text, right, wrong",
    [  # Korthikanti et al. 2022, equations 1 to 6 and appendix A; Stanford CS336 2025, assignment 1
        (f"{GPT}{KEPT}One layer in total:\n$$M_1 = {{}}$$",
         r"sbh\left(34+\frac{5as}{h}\right)", r"sbh\left(32+\frac{5as}{h}\right)"),
        (f"{GPT}{KEPT}Under tensor parallelism each GPU keeps of a layer\n$$M_{{TP}} = {{}}$$",
         r"sbh\left(10+\frac{24}{t}+\frac{5as}{ht}\right)", r"sbh\left(10+\frac{24}{t}+\frac{5as}{h}\right)"),
        (f"{GPT}{KEPT}Interleaved, the first stage keeps, with tensor and sequence parallelism,\n$$M_{{first}} = {{}}$$",
         r"\frac{sbhL}{t}\left(34+\frac{5as}{h}\right)\left(1+\frac{p-1}{pm}\right)",
         r"\frac{sbhL}{t}\left(34+\frac{5as}{h}\right)\left(1+\frac{p-1}{m}\right)"),
        (f"{GPT}{KEPT}With $t$-way tensor parallelism without sequence parallelism a GPU has for all $L$ layers\n\n"
         "| recomputation | bytes |\n|---|---|\n| none | ${}$ |",
         r"sbhL\left(10+\frac{24}{t}+\frac{5as}{ht}\right)", r"sbhL\left(10+\frac{24}{t}+\frac{5as}{h}\right)"),
        (f"{GPT}{COSTS}If selective recompute repeats the two attention products, the hardware performs\n$$F_{{hw}} = {{}}$$",
         r"72bLsh^2\left(1+\frac{2s}{9h}+\frac{v}{12hL}\right)", r"72bLsh^2\left(1+\frac{s}{3h}+\frac{v}{12hL}\right)"),
        (f"{GPT}{COSTS}For a model with $L$ layers, forward and backward of one iteration need ${{}}$.",
         "L(72bsh^2+12bs^2h)+6bshv", "L(24bsh^2+4bs^2h)+2bshv"),
        (f"{LLAMA}# Forward FLOPs\n\nFor one sequence\n$$\\text{{fwd}} = {{}}$$",
         "L(8TD^2 + 4T^2D + 6TDF) + 2TDV", "L(8TD^2 + 4T^2D + 4TDF) + 2TDV"),
        (f"{LLAMA}{LISTED}$$A_{{block}} = {{}}$$", "8BTD + 4BTF + 2BHT^2", "8BTD + 3BTF + 2BHT^2"),
        (f"{LLAMA}{LISTED}In bytes:\n$$M_{{act}} = {{}}$$",
         "4L(8BTD + 4BTF + 2BHT^2) + 4BTD + 8BTV", "4L(8BTD + 4BTF + 2BHT^2) + BTD + 2BTV"),
    ],
)  # fmt: skip
def test_a_definition_holds_and_its_slip_differs(text, right, wrong):
    assert [said(text.replace("{}", form)) for form in (right, wrong)] == ["holds", "differs"]


@pytest.mark.parametrize(
    "text",
    [
        f"{GPT}{KEPT}| technique | bytes per layer and GPU |\n|---|---|\n| TP + SP + selective | $34\\frac{{sbh}}{{t}}$ |",
        f"{GPT}{KEPT}The last LayerNorm and the output layer keep one 16-bit input each, the loss the logits in 32 bits; "
        "split $t$ ways this is $\\frac{4sbh}{t}\\left(1+\\frac{v}{h}\\right)$.",
        f"{GPT}{COSTS}Every layer's forward run once more (checkpointing), the head not: $24bLsh^2(4+\\frac{{2s}}{{3h}})+6bshv$.",
        f"{GPT}{COSTS}Selective recomputation adds a share of $\\frac{{s}}{{18h}}$ to those of forward and backward.",
        # Dao 2023, FlashAttention-2, section 4.1; the diagonal counted by hand: n(n + 1)/2 pairs
        f"{ATTENTION}The backward pass of the fused kernel: 10 * b * n^2 * h * d FLOPs.",
        f"{ATTENTION}A query sees itself and what is before it, so the causal forward takes 2 * b * h * d * n * (n + 1) FLOPs.",
        f"{ATTENTION}The kernel saves Q, K, V, O and one fp32 number per row of the scores: 8*b*n*h*d + 4*b*h*n bytes.",
    ],
)  # fmt: skip
def test_what_options_and_layouts_make_of_a_form_holds(text):
    assert said(text) == "holds"


def test_what_comes_on_top_is_judged_by_itself():
    """Korthikanti et al. 2022, section 6: recomputing attention's products adds about s/(18h), not s/(6h)."""
    text = (
        f"{GPT}{COSTS}With $s = 2048$, $h = 6144$, $L = 48$, $v = 51200$ it needs "
        "$F = 72bLsh^2(1+\\frac{s}{6h}+\\frac{v}{12hL})$, "
        "with selective recomputation $F_s = 72bLsh^2(1+\\frac{2s}{9h}+\\frac{v}{12hL})$, so $F_s/F \\approx 1 + \\frac{s}{%sh}$."
    )
    assert [said(text % number) for number in ("18", "6")] == ["approximates", "differs"]


def test_bytes_of_a_recipe_that_nobody_named_are_not_taken_for_right():
    text = "A model has $N$ parameters, trained in mixed precision with AdamW. The model states take $14N$ bytes."
    assert said(text) != "holds"


@pytest.mark.parametrize(
    "text, right, wrong",
    [  # Austin et al. 2025, How to Scale Your Model, chapters 1 and 5
        ("Multiply X[B, D] with W[D, F] in bf16. FLOPs: $2BDF$. Read both, write the result: $2BD + 2DF + 2BF$ bytes. "
         "The intensity is ${}$.", r"\frac{BDF}{BD+DF+BF}", r"\frac{2BDF}{BD+DF+BF}"),
        ("A model of width $D$ with a GELU MLP of inner width $F$, no biases, weights in bf16, a bandwidth of $W$ bytes/s. "
         "Gathering both matrices of the MLP takes $T_{comms} = {}$.", r"\frac{4DF}{W}", r"\frac{2DF}{W}"),
        ("$L$ layers, width $d$, context length $c$, $N$ parameters in the blocks.\n\nThe forward pass of a token costs "
         "$C = 2N + 4Lcd$. Relative to $2N$ the second term is ${}$.", r"\frac{2Lcd}{N}", r"\frac{4Lcd}{N}"),
    ],
)  # fmt: skip
def test_quotients_and_rates(text, right, wrong):
    assert said(text.replace("{}", right)) == "holds"
    assert said(text.replace("{}", wrong)) != "holds"


def test_the_items_of_a_list_are_the_stages_of_zero():
    """Rajbhandari et al. 2020, figure 1."""
    text = (
        "A model of $P$ parameters, fp16 weights and gradients, AdamW with an fp32 copy: $16P$ bytes. ZeRO over $n$ "
        "data-parallel GPUs leaves on each of them\n\n1. optimizer sharded: $4P + \\frac{12P}{n}$\n"
        "2. gradients as well: $2P + \\frac{14P}{n}$\n3. weights as well: $\\frac{16P}{n}$\n"
    )
    assert [each.verdict for each in check_text(text, "a.md")][-3:] == ["holds"] * 3
