"""Documents with several models: which sizes a number is of, what the names of letters are short for, and exact counts."""

import pytest

from symcost.check import check_text
from symcost.notation.reading import read_part

LEGEND = (
    "We write $V$ for the vocabulary, $T$ for the sequence length, $L$ for the layers, $D$ for the width, $H$ for the heads "
    "and $F$ for the feed-forward width of a SwiGLU. RMSNorm, no biases, no learned positions, the head is not tied.\n\n"
    "A model has $P = 2VD + L(4D^2 + 3DF + 2D) + D$ parameters.\n\n"
)
LARGE = "The large shape of GPT-2 ($V=50257$, $L=36$, $D=1280$, $H=20$, $F=5120$) and the TinyStories model "
BOTH = LEGEND + LARGE + "($V=10000$, $L=4$, $D=512$, $H=16$, $F=1344$) are ours.\n\n"


def of_line(text, words, file="a.md"):
    """The finding whose formula has some words in it."""
    return [found for found in check_text(text, file) if words in found.text][-1]


@pytest.mark.parametrize(
    "sentence, verdict",
    [
        ("By that formula TinyStories has 22,696,448 parameters.", "holds"),
        ("By that formula TinyStories has 17,576,448 parameters.", "differs"),  # one table of V·D short
        ("By that formula GPT-2 has 1,072,469,760 parameters.", "holds"),
        ("Without its head TinyStories has 17,576,448 parameters.", "unchecked"),
    ],
)
def test_an_exact_count_is_of_the_model_that_its_sentence_names(sentence, verdict):
    found = [each for each in check_text(BOTH + sentence, "a.md") if each.text.endswith("parameters")]
    assert [each.verdict for each in found] == ([verdict] if verdict != "unchecked" else [])
    assert verdict != "differs" or "dv = 5,120,000" in found[0].message


def test_a_name_that_was_rounded_leaves_room_in_the_last_digits():
    text = "Let $A$ be the activations, $A = 2.75\\times10^9$ numbers. In fp32 $4A = 10.99$ GB."
    assert of_line(text, "4A").verdict == "holds"
    assert of_line(text.replace("10.99", "10.59"), "4A").verdict == "differs"


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("That is $1.40\\times10^6$ s, 389 hours.", "That is $1.40\\times10^6$ s, 389 days."),
        ("It needs $3.14\\times10^{23}$ FLOPs, which is 3634 PF-days.",
         "It needs $3.14\\times10^{23}$ FLOPs, which is 364 PF-days."),
        ("On 96 A100s the run takes $5.2\\times10^6$ s or 138,700 GPU-hours.",
         "On 96 A100s the run takes $5.2\\times10^6$ s or 1444 GPU-hours."),
        ("The smallest number of chips that holds it is $328/96 \\to 4$.",
         "The smallest number of chips that holds it is $328/96 \\to 3$."),
        ("Training needs $6 \\cdot 32.8\\text{e}9 \\cdot 36\\text{e}12 = 7.08\\text{e}24$ FLOPs.",
         "Training needs $6 \\cdot 32.8\\text{e}9 \\cdot 36\\text{e}12 = 7.08\\text{e}23$ FLOPs."),
    ],
)  # fmt: skip
def test_a_number_in_another_unit_and_its_slip(right, wrong):
    assert check_text(right, "a.md")[-1].verdict == "holds"
    assert check_text(wrong, "a.md")[-1].verdict == "differs"


def test_a_quotient_that_is_no_count_of_devices_is_not_rounded_up():
    text = "We need at least 8 GPUs, so the run takes 1000/30 = 33 hours."
    assert check_text(text, "a.md")[-1].verdict == "holds"


@pytest.mark.parametrize(
    "text",
    [
        "We have 8 GPUs. On a single A100 the small model takes 60 hours, that is 60 GPU-hours.",
        "The cluster has 64 GPUs.\n\nThe ablation ran for 40 hours on one GPU, 40 GPU-hours.",
        "The cluster has 64 GPUs. One GPU was enough for us. It took 40 hours, 40 GPU-hours.",
        "On 8 GPUs the run takes 100 h; one card would need 800 h, 800 GPU-hours.",
    ],
)
def test_hours_of_the_one_device_last_spoken_of_are_its_gpu_hours(text):
    assert "differs" not in [each.verdict for each in check_text(text, "a.md")]


def test_an_upright_e_is_a_power_of_ten():
    for written in (r"7.08\text{e}24", r"7.08\mathrm{e}24", "7.08e24"):
        assert read_part(written, "latex").expr == 708 * 10**22


def test_every_digit_of_a_round_number_tells():
    text = "The run took 1,760,000 s, about 20 days."
    assert of_line(text, "20 days").verdict == "holds"


def test_a_card_of_80_gb_is_none_of_80_gib_and_a_number_no_half_of_itself():
    said = check_text("If the card has 80 GiB, one more fits. It says 9 already at 80 GB.", "a.txt")
    again = check_text(
        "The run costs 8.4e23 FLOPs, and 8.4e23 FLOPs it is, at a utilisation of 50%.", "a.txt"
    )
    assert [each.text for each in (*said, *again) if each.verdict == "holds"] == []


def test_letters_of_the_playbook_are_names_where_the_legend_says_so():
    text = (
        "A GPT in fp16 with dropout, after Korthikanti et al.: $h$ hidden size, $seq$ sequence length, $bs$ micro-batch size, "
        "$n_{heads}$ heads, $TP$ tensor-parallel size.\n\n| scheme | bytes per layer and GPU |\n|---|---|\n"
        "| TP + SP | $\\frac{seq\\cdot bs\\cdot h}{TP}\\left(34+\\frac{5\\,n_{heads}\\,seq}{h}\\right)$ |\n"
    )
    assert of_line(text, "frac").verdict == "holds"
    assert (
        of_line("The batch has $bs$ tokens for $b$ sequences of $s$ tokens, $3bs = 2bs + bs$.", "3bs").verdict
        == "holds"
    )


def test_names_of_code_tell_what_letters_are():
    text = "Write $s$ for seq_len, $d$ for d_model, $n$ for num_heads, $f$ for ffw_size. Forward, one layer: MLP $4sdf$."
    wrong = text.replace("4sdf", "3sdf")
    assert of_line(text, "4sdf").verdict == "holds" and of_line(wrong, "3sdf").verdict != "holds"


def test_each_state_is_told_by_the_words_behind_it():
    text = (
        "Let $N$ be the number of parameters. Mixed precision with Adam: $2N$ for the weights, $2N$ for the gradients, "
        "$4N$ for the fp32 master copy, $8N$ for the two moments, so $16N$ bytes."
    )
    assert [each.verdict for each in check_text(text, "a.md") if "N" in each.text and each.text != "N"] == [
        "holds"
    ] * 5
    wrong = check_text(text.replace("$8N$ for", "$6N$ for"), "a.md")
    assert [each.verdict for each in wrong if each.text == "6N"] == ["differs"]


def test_a_term_without_its_batch():
    text = "Let $B$ be the batch size, $T$ the length, $D$ the width, $H$ the heads, $F$ the inner width. We keep ${}$ numbers."
    assert of_line(text.replace("{}", "8BTD + 4BTF + 2HT^2"), "8BTD").verdict == "differs"
    for right in ("8TD + 4TF + 2HT^2", "8BTD + 4BTF + 2T^2"):  # of one sequence; with a mask that all share
        assert of_line(text.replace("{}", right), right).verdict != "differs"


def test_a_condition_behind_a_chain_holds_for_it():
    text = (
        "A GPT with width $d$, inner width $f$, $n$ layers, $N$ parameters without embeddings, biases and norms: "
        "$$N = n(4d^2 + 2df) = 12nd^2 \\qquad (f = CASE)$$"
    )
    assert of_line(text.replace("CASE", "4d"), "12nd").verdict == "holds"
    assert of_line(text.replace("CASE", "3d"), "12nd").verdict != "holds"


def test_one_part_over_another_where_words_compare():
    text = (
        "A SwiGLU block: $T$ tokens in a sequence, $D$ width, $F$ feed-forward width, $N$ query heads of size $H$. "
        "Compare the forward FLOPs of scores and weighted values with the feed-forward. The ratio is $\\frac{2NHT}{3DF}$."
    )
    assert of_line(text, "frac").verdict == "holds"
    assert of_line(text.replace("2NHT", "4NHT"), "frac").verdict != "holds"


MLA = (
    "Letters of DeepSeek-V2: $n_h$ heads of size $d_h$, $n_g$ key/value groups, $l$ layers, $d$ width, $d_c$ KV latent, "
    "$d_h^R$ rotary key. We count the elements that the KV cache has per token.\n\n| | elements per token |\n|---|---|\n"
    "| MHA | $2n_hd_hl$ |\n| MQA | $2d_hl$ |\n| MLA | $(d_c + d_h^R)l$ |\n"
)


@pytest.mark.parametrize("formula", ["2n_hd_hl", "2d_hl", "(d_c + d_h^R)l"])
def test_what_a_cache_holds_for_one_token(formula):
    assert of_line(MLA, formula).verdict == "holds"
    assert of_line(MLA.replace(formula, f"{formula}l"), f"{formula}l").verdict != "holds"


def test_bytes_behind_a_product_of_words_are_its_unit():
    text = "With checkpoints at layer inputs alone a step keeps, in bf16, 2 * batch * seq * hidden * layers bytes."
    part = read_part("2 * batch * seq * hidden * layers bytes", "text")
    assert part.unit.powers == {"byte": 1} and len(part.expr.free_symbols) == 4
    assert of_line(text, "layers", "a.txt").verdict == "holds"


def test_gigabytes_that_were_converted_the_wrong_way():
    text = "In bf16 the weights are 2 x 13.02e9 = 26.0 GB. These 26.0 GB show up as 24.2 GiB."
    assert of_line(text, "GiB", "a.txt").verdict == "holds"
    assert of_line(text.replace("24.2", "27.9"), "GiB", "a.txt").verdict == "differs"


BLOOM = (
    "One model is worked through: BLOOM-7B1, `h = 4096`, `L = 30`, `n_heads = 32`, `v = 250,880`. A GPT with biases, two "
    "LayerNorms a block, no position table, the head tied to the embedding, NORM. A block has {} parameters.\n\n"
    "The whole has $hv + L(12h^2 + 13h) + 4h$ parameters."
)


def test_the_sizes_of_a_known_model_tell_what_its_letters_are():
    text = BLOOM.replace("NORM", "and one extra LayerNorm after the embedding")
    for form, verdict in (("12h^2 + 13h", "holds"), ("12h^2 + 15h", "differs")):
        found = check_text(text.format(f"${form}$"), "a.md")
        assert [each.verdict for each in found if each.text == form] == [verdict]


def test_a_norm_more_than_usual_is_no_slip():
    usual, extra = (BLOOM.format("$12h^2+13h$").replace("NORM", each) for each in
                    ("and one LayerNorm at the end", "and one extra LayerNorm after the embedding"))  # fmt: skip
    assert check_text(usual, "a.md")[-1].verdict == "differs"
    assert check_text(extra, "a.md")[-1].verdict != "differs"


def test_both_products_of_attention_in_one_row():
    text = (
        "Letters: $B$ sequences, $T$ length, $D$ width, $N$ heads of size $H$.\n\n| operation, one layer | training FLOPs |\n"
        "|---|---|\n| $QK^\\top$ and the sum over V | $12BT^2NH$ |\n"
    )
    assert of_line(text, "12BT").verdict == "holds"
    assert of_line(text.replace("12BT", "18BT"), "18BT").verdict != "holds"
