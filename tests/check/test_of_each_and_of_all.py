"""What is of each layer and what of all together; names that tell their quantity; letters of one's own in sums of states."""

import pytest

from symcost.check import check_text

GPT = (
    "Let $L$ be the layers, $d$ the width, $h$ the heads, $b$ the batch, $c$ the context and $v$ the vocabulary of a GPT "
    "without biases. The MLP is $4d$ wide.\n\n"
)
LLAMA = (
    "Let $L$ be the layers, $d$ the width, $f$ the feed-forward width of the SwiGLU, $h$ the heads, $v$ the vocabulary of a "
    "Llama in fp32, trained with AdamW: 16 bytes for each of its $N_p=2dv+d+L(2d+4d^2+3df)$ parameters.\n\n"
)


def verdicts(text, formula, **how):
    return [found.verdict for found in check_text(text, "a.md", **how) if found.text == formula]


@pytest.mark.parametrize(
    "sentence",
    [
        "All layers are alike: attention has $4d^2$ parameters.",
        "In all blocks the attention has $4d^2$ parameters.",
        "All layers have the same attention, $4d^2$ weights.",
        "The parameters of the attention are $4d^2$ in every layer of the whole model.",
    ],
)
def test_what_each_of_all_layers_has_is_no_total(sentence):
    assert "differs" not in verdicts(GPT + sentence, "4d^2")


@pytest.mark.parametrize(
    "sentence",
    [
        "The attention projections of the whole model have $FORM$ parameters.",
        "Parameters of the attention, all layers together: $FORM$.",
    ],
)
def test_a_total_has_the_number_of_layers(sentence):
    assert verdicts(GPT + sentence.replace("FORM", "4d^2"), "4d^2") == ["differs"]
    assert verdicts(GPT + sentence.replace("FORM", "4Ld^2"), "4Ld^2") == ["holds"]


def test_the_name_of_a_form_tells_its_quantity_and_a_width_of_two_models_stays_a_letter():
    older = "With $f=\\frac{8}{3}d$ a block would be smaller; on the old slides $f=4d$.\n\nPeak memory: "
    right = "M_{static}=L(64d^2+48df+32d)+32dv+16d"
    assert verdicts(f"{LLAMA}{older}${right}$.", right) == ["holds"]
    wrong = right.replace("48df", "32df")
    assert verdicts(f"{LLAMA}{older}${wrong}$.", wrong) == ["differs"]


def test_states_in_letters_of_ones_own_are_those_of_their_numbers():
    text = (
        "Ψ parameters, `K = 12` bytes of optimizer state per parameter, $N_d$ data-parallel GPUs. Mixed precision with Adam.\n\n"
        "$$\\Psi = L(12h^2+13h)+2Vh+2h$$\n\n"
        "| ZeRO stage | bytes per GPU | Ψ = 12B |\n|---|---|---|\n"
        "| 1 | $4\\Psi+\\frac{K\\Psi}{N_d}$ | |\n| 2 | $2\\Psi+\\frac{(2+K)\\Psi}{N_d}$ | |\n"
    )
    found = [(each.line, each.verdict) for each in check_text(text, "a.md") if "N_d}" in each.text]
    assert found == [(7, "holds"), (8, "holds")]


def test_a_subscript_is_a_size_of_the_mesh_where_it_is_declared():
    legend = (
        "$s$ sequence length, $b$ microbatch, $h$ hidden size, $a$ heads, $t$ tensor-parallel size. A GPT, $4h$ wide, in fp16 "
        "with dropout.\n\n"
    )
    with_parallelism = "With tensor parallelism one layer keeps, in bytes of activations,\n\n$$M_t = "
    right = "sbh\\left(10 + \\frac{24}{t} + 5\\frac{as}{ht}\\right)"
    assert verdicts(f"{legend}{with_parallelism}{right}$$", f"M_t = {right}") == ["holds"]
    wrong = right.replace("{ht}", "{h}")
    assert verdicts(f"{legend}{with_parallelism}{wrong}$$", f"M_t = {wrong}") == ["differs"]


def test_what_not_every_op_outputs_is_what_gradients_need():
    text = f"{LLAMA}$b$ batch, $c$ context. We keep what the gradients need, not what every op outputs.\n\nPer block: "
    assert verdicts(f"{text}activations $8bcd+3bcf+bhc^2$.", "8bcd+3bcf+bhc^2") == ["holds"]


@pytest.mark.parametrize(
    "number, verdict",
    [
        ("5.38 GB", "holds"),
        ("5.01 GiB", "holds"),
        ("5.38 GiB", "differs"),
        ("a tool says 5.38 GiB", "silence"),
    ],
)
def test_a_number_of_bytes_is_in_the_unit_printed_behind_it(number, verdict):
    text = f"{LLAMA}With $L=24$, $d=2048$, $h=16$, $f=5504$ and $v=32000$ the weights need {number}."
    found = [each.verdict for each in check_text(text, "a.md") if number[-8:] in each.text]
    assert found == ([verdict] if verdict != "silence" else [])


def test_a_number_in_a_table_may_be_with_the_sizes_of_before():
    text = (
        f"{GPT}$f$ = `d_ff`. GPT-2 XL: `L = 48`, `d = 1600`, `f = 6400`, `c = 1024`. With `f = 4288` a gated one is as large.\n\n"
        "| component | FLOPs of one sequence | number |\n|---|---|---|\n| Q, K, V | $6Lcd^2$ | 7.550e11 |\n"
        "| MLP | $4Lcdf$ | 2.013e12 |\n| output projection | $2Lcd^2$ | 2.517e11 |\n"
    )
    assert "differs" not in [found.verdict for found in check_text(text, "a.md")]


def test_what_is_run_again_is_a_share_of_all_that_is_run():
    text = (
        "$s$ sequence length, $b$ batch, $h$ hidden size, $a$ heads of a GPT whose MLP is $4h$ wide.\n\nSelective recompute "
        "repeats only the two score products, $\\frac{4bs^2h}{72bsh^2+12bs^2h}=\\frac{s}{18h+3s}$ of the training FLOPs of a "
        "layer.\n"
    )
    assert [each.verdict for each in check_text(text, "a.md")][-1] == "holds"


def test_where_one_thing_overtakes_another_is_no_length_of_the_model():
    text = (
        f"{LLAMA}$L=24$, $d=2048$, $c=1024$ is the context. FLOPs of a block: attention scores overtake the other matmuls of a "
        "block when $c=2d+1.5f=12352$ with $f=5504$.\n\nThat is $c/4 = 256$."
    )
    assert {each.text: each.verdict for each in check_text(text, "a.md")}["c/4 = 256"] == "holds"


@pytest.mark.parametrize(
    "product", ["1024\\times33.3\\approx34{,}100", "1024\\times2.88\\times10^6\\approx2.95\\times10^9"]
)
def test_days_and_seconds_of_all_devices_are_no_hours(product):
    text = f"The run takes 33.3 days on 1024 A800. The bill is ${product}$ GPU hours."
    assert verdicts(text, product) == ["differs"]
    days = text.replace("GPU hours", "GPU days")
    assert verdicts(days, product) == (["holds"] if "33.3\\approx" in product else ["differs"])


def test_a_number_in_the_middle_of_a_chain_keeps_its_unit():
    text = "The run takes 6 × 13e9 × 2e12 / (1024 × 312e12 × 0.45) = 1.085e6 s ≈ 12.6 days on 1024 A100.\n\nTogether: PRODUCT."
    wrong, right = "1024 × 1.085e6 = 1.11e9 GPU-hours", "1024 × 1.085e6 / 3600 = 3.09e5 GPU-hours"
    assert verdicts(text.replace("PRODUCT", wrong), wrong) == ["differs"]
    assert verdicts(text.replace("PRODUCT", right), right) == ["holds"]


PALM = (
    "$L$ layers, $H$ heads, $Q$ head size, $T$ sequence length, $N$ parameters, $V$ vocabulary, $R$ tokens per second, $C$ "
    "chips, $P$ peak FLOP/s of a chip. The MLP is $4HQ$ wide with GELU, no biases, the head is tied. $N$ keeps the token "
    "table and leaves out the learned positions and the norms.\n\n"
)


@pytest.mark.parametrize(
    "form, verdict",
    [
        ("\\text{MFU} = \\frac{R\\,(6N+12LHQT)}{C\\,P}", "holds"),
        ("\\text{MFU} = \\frac{R\\,(2N+12LHQT)}{C\\,P}", "differs"),
        ("N = 12L(HQ)^2 + VHQ", "holds"),
        ("N = 10L(HQ)^2 + VHQ", "differs"),
    ],
)
def test_an_mfu_and_the_parameters_that_it_counts(form, verdict):
    words = "The number of parameters is" if form.startswith("N") else "The utilisation is"
    assert verdicts(f"{PALM}{words} ${form}$.", form) == [verdict]


@pytest.mark.parametrize(
    "sentence",
    [
        "Training FLOPs per token.\n\nThe MLP of one block costs $16d^2$ FLOPs per token in the forward pass. Attention's scores "
        "and sum add $4cd$, the head $2dv$.",
        "Parameters, gradients, $m_t$, $v_t$: $4N_p+4N_p+8N_p=16N_p$ bytes in fp32.",
        "Weights and gradients in bf16 over 16 GPUs: $4N/16$ bytes for $N$ parameters.",
        "1T tokens = 476,837 iterations.",
        "Parameters, gradients, optimizer.\n\n$N = v \\cdot d + L \\cdot (12 d^2 + 2d) + d$ with RMSNorm.",
    ],
)
def test_no_right_sentence_is_called_wrong(sentence):
    assert "differs" not in [found.verdict for found in check_text(GPT + sentence, "a.md")]


def test_a_model_described_in_words_is_the_one_spoken_of_from_there_on():
    text = (
        "A GPT without biases has $12Ld^2$ parameters in the matrices of its $L$ layers of width $d$. For GPT-3, $L=96$ and "
        "$d=12288$: $12Ld^2 = 1.74\\times10^{11}$.\n\nMy test model: 48 layers, `d_model` 5120, 40 heads of 128, a vocabulary of "
        "32,000. So $12Ld^2 = 1.51\\times10^{10}$."
    )
    assert [each.verdict for each in check_text(text, "a.md") if "times10" in each.text] == ["holds", "holds"]


def test_what_one_device_costs_is_not_the_bill_of_eight():
    text = "On 8 H100 the run takes about 16.2 days. At \\$2 per GPU-hour: PRODUCT dollars."
    assert verdicts(text.replace("PRODUCT", "16.2 × 24 × 2 = 778"), "16.2 × 24 × 2 = 778 dollars") == [
        "differs"
    ]
    assert verdicts(
        text.replace("PRODUCT", "8 × 16.2 × 24 × 2 = 6,221"), "8 × 16.2 × 24 × 2 = 6,221 dollars"
    ) == ["holds"]


@pytest.mark.parametrize(("form", "verdict"), [("24Lcd^2", "holds"), ("20Lcd^2", "differs")])
def test_a_form_with_something_put_in_for_a_letter(form, verdict):
    text = f"{GPT}$f$ is the inner width. The products cost $L(8cd^2 + 4cdf)$, which at $f = 4d$ is ${form}$."
    assert verdicts(text, form) == [verdict]


@pytest.mark.parametrize(
    ("form", "verdict"),
    [
        ("\\frac{34 \\cdot seq \\cdot b \\cdot h}{tp}", "holds"),
        ("dp \\cdot mbs", "unchecked"),
        ("bsh", "unchecked"),
    ],
)
def test_a_run_with_a_letter_that_nobody_declares_is_a_name(form, verdict):
    text = (
        "$h$ hidden size, $v$ vocabulary, $L$ layers, $b$ micro-batch in samples, $a$ heads; a GPT block with $4h$, dropout, "
        "fp16. $tp$ and $dp$ are the sizes of the parallel groups.\n\nActivations of one layer, bytes per GPU, with tensor and "
        f"sequence parallelism and selective recompute: ${form}$."
    )
    found = [each for each in check_text(text, "a.md") if each.text == form]
    assert [each.verdict for each in found] == [verdict]
    if verdict == "unchecked":
        assert ("does not say" in found[0].message) == (
            form == "bsh"
        )  # s is declared nowhere: it stays a product


MEGATRON = (
    "$l$ layers, $h$ hidden size, $a$ heads, $s$ sequence length, $b$ microbatch, $B$ global batch, $V$ vocabulary, $P$ "
    "parameters; $t$ tensor, $p$ pipeline, $d$ data parallel size. GELU MLP with $4h$, biases, LayerNorm, learned positions, "
    "tied head; bf16 with dropout, Adam with an fp32 master copy.\n\n"
)


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (
            "F_{sel} &= 72Blsh^2\\left(1+\\frac{2s}{9h}+\\frac{V}{12lh}\\right) & \\text{selective} \\\\",
            "holds",
        ),
        (
            "F_{sel} &= 72Blsh^2\\left(1+\\frac{s}{3h}+\\frac{V}{12lh}\\right) & \\text{selective} \\\\",
            "differs",
        ),
        ("F_{full} &= 96Blsh^2\\left(1+\\frac{s}{6h}+\\frac{V}{16lh}\\right) & \\text{full} \\\\", "holds"),
    ],
)
def test_words_in_a_column_of_their_own_belong_to_the_row(rows, verdict):
    text = f"{MEGATRON}## FLOPs of an iteration\n\n\\begin{{align}}\n{rows}\n\\end{{align}}\n"
    assert check_text(text, "a.md")[-1].verdict == verdict


def test_sizes_of_a_mesh_share_the_noun_behind_the_last():
    form = "sbh\\left(10+\\frac{24}{t}+\\frac{5as}{ht}\\right)"
    assert verdicts(f"{MEGATRON}Activations of one layer, tensor parallel, in bytes: ${form}$.", form) == [
        "holds"
    ]
    states = "Two bytes for weights, two for gradients, twelve for Adam, i.e. $16P/(tp)$ per GPU before any sharding."
    assert "differs" not in verdicts(MEGATRON + states, "16P/(tp)")


@pytest.mark.parametrize(
    ("form", "verdict"),
    [
        ("N = \\sqrt{\\frac{C}{6r}}", "holds"),
        ("D = \\sqrt{\\frac{rC}{6}}", "holds"),
        ("D = \\frac{\\sqrt{rC}}{6}", "differs"),
    ],
)
def test_a_budget_is_split_by_the_ratio_of_tokens_to_parameters(form, verdict):
    text = (
        f"$C$ FLOPs, $N$ parameters, $D$ tokens, $C = 6ND$. With a ratio $r = D/N$ it follows that ${form}$."
    )
    assert verdicts(text, form) == [verdict]


def test_what_a_fused_kernel_keeps_of_its_rows_is_no_term_that_an_approximation_drops():
    text = f"{GPT}Activations with flash attention in bf16, no dropout: about $32bcd$ bytes per layer."
    assert verdicts(text, "32bcd") == ["holds"]
    assert verdicts(text.replace("32bcd", "12d^2").replace("bytes", "parameters"), "12d^2") != ["differs"]
