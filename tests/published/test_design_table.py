"""Published per-block forms of several sources, from the same layers: sums, and the names of what is kept."""

import pytest
from sympy import expand

import symcost
from symcost.symbols import b, c, d, d_ff, h, h_kv, v

f = d_ff
LLAMA = {"h_kv": "h"}
FOUR = {"d_ff": "4*d"}
CORE = "x x_norm Q K V P O x_res x_ffin G U H"

TABLE = [
    ("cs190c", "textbook", {}, 20 * b * c * d + b * h * c**2, 2 * b * c * d + b * c * v),
    ("llama", "textbook", LLAMA, 8 * b * c * d + 3 * b * c * f + b * h * c**2, 2 * b * c * d + b * c * v),
    (
        "llama", "torch-eager", LLAMA,
        10 * b * c * d + 4 * b * c * f + b * h * c**2 + 2 * b * c, 3 * b * c * d + b * c * v + b * c + 1,
    ),
    (
        "llama", "torch-compile", LLAMA,
        8 * b * c * d + 3 * b * c * f + b * h * c**2 + 2 * b * c, 2 * b * c * d + b * c * v + 3 * b * c + 1,
    ),
    ("llama", "textbook+flash", LLAMA, 8 * b * c * d + 3 * b * c * f + b * h * c, 2 * b * c * d + b * c * v),
    ("llama", "textbook+checkpoint", LLAMA, b * c * d, 2 * b * c * d + b * c * v),
    ("llama", "torch-eager+flash+checkpoint", LLAMA, b * c * d, 3 * b * c * d + b * c * v + b * c + 1),
]  # fmt: skip


@pytest.mark.parametrize(("model", "under", "given", "block", "outside"), TABLE)
def test_saved_elements(model, under, given, block, outside):
    saved = symcost.derive(model, under=under, given=given)["saved_activations"]
    assert expand(saved.of("block").total - block) == 0
    assert expand(saved.where(lambda term: not term.place.startswith("block")).total - outside) == 0


def test_cs336_keeps_the_result_of_every_listed_operation():
    """Stanford CS336 2025, assignment 1, in bcd: norms 2, Q K V 3, P·V 1, W_O 1, W_1 4, SiLU 4, W_2 1."""
    saved = symcost.derive("cs336", under="every-output")["saved_activations"].of("block")
    assert expand(saved.total - (16 * b * c * d + 2 * b * h * c**2)) == 0
    assert " ".join(term.tensor for term in saved) == "x_norm Q K V scores P O y x_ffin U H z"


def test_megatron_counts_two_bytes_an_element_and_one_a_mask():
    """Korthikanti et al. 2022, equation 1."""
    memory = symcost.derive("gpt", under="megatron-2022", given=FOUR)["activation_memory"].of("block")
    assert expand(memory.total - (34 * b * c * d + 5 * b * h * c**2)) == 0
    assert memory.latex("megatron") == "34sbh+5as^2b"


def test_megatron_by_layer():
    """Korthikanti et al. 2022, section 4.1: attention 11sbh + 5as²b, MLP 19sbh, layer norms 4sbh."""
    memory = symcost.derive("gpt", under="megatron-2022", given=FOUR)["activation_memory"]
    assert expand(memory.of("block.attention").total - (11 * b * c * d + 5 * b * h * c**2)) == 0
    assert expand(memory.of("block.mlp").total - 19 * b * c * d) == 0
    assert expand((memory.of("block.norm_1") + memory.of("block.norm_2")).total - 4 * b * c * d) == 0


@pytest.mark.parametrize(
    ("under", "names"),
    [
        ("textbook", CORE),
        ("torch-eager", "x rstd x_hat x_norm Q K V P O x_res rstd x_hat x_ffin G U silu_G H"),
        ("torch-compile", "x rstd x_norm Q K V P O x_res rstd x_ffin G U H"),
        ("textbook+flash", "x x_norm Q K V lse O x_res x_ffin G U H"),
        ("textbook+checkpoint", "x"),
    ],
)
def test_the_names_of_what_one_block_keeps(under, names):
    """Equal counts can hide wrong names, so the tensors are compared as well."""
    saved = symcost.derive("cs190c", under=under)["saved_activations"].of("block")
    assert sorted(term.tensor for term in saved) == sorted(names.split())


@pytest.mark.parametrize(
    ("under", "again"),
    [
        ("textbook+flash", 2 * b * c**2 * d),
        ("textbook+checkpoint", 8 * b * c * d**2 + 6 * b * c * d * f + 4 * b * c**2 * d),
        ("torch-eager+checkpoint", 8 * b * c * d**2 + 4 * b * c * d * f + 4 * b * c**2 * d),
        ("torch-eager+flash+checkpoint", 8 * b * c * d**2 + 4 * b * c * d * f + 6 * b * c**2 * d),
    ],
)
def test_what_is_computed_again(under, again):
    """Flash attention makes its scores twice; PyTorch's checkpoint stops before the last product, unlike a
    textbook's.
    """
    costs = symcost.derive("llama", under=under, given=LLAMA)
    assert expand(costs["recompute_flops"].of("block").total - again) == 0


def test_grouped_heads_save_keys_and_values_of_each_group_in_a_textbook_and_of_each_head_in_pytorch():
    """PyTorch 2.13, measured: repeated heads are copies of their own."""
    wide = {"d_k": "d_k"}
    book = symcost.derive("llama", given=wide)["saved_activations"]
    eager = symcost.derive("llama", given=wide, under="torch-eager")["saved_activations"]
    d_k = symcost.symbols.d_k
    assert book.of("block.attention.K_rotated").total == b * c * h_kv * d_k
    assert eager.of("block.attention.K_repeated").total == b * c * h * d_k


OUTSIDE = "x_out x_final"


@pytest.mark.parametrize(
    ("model", "under", "block", "outside"),
    [
        ("cs190c", "textbook", CORE, f"{OUTSIDE} logits"),
        ("cs190c", "torch-eager", None, f"{OUTSIDE} rstd x_hat log_p total_weight"),
        ("cs190c", "torch-compile", None, f"{OUTSIDE} rstd logits row_max log_sum total_weight"),
        (
            "gpt",
            "megatron-2022",
            "x x_norm Q_biased K_biased V_biased P mask_P_dropped P_dropped O mask_y_dropped "
            "x_res x_ffin U_biased H mask_z_dropped",
            f"mask_x_dropped {OUTSIDE} logits",
        ),
    ],
)
def test_the_names_of_what_is_kept_in_a_block_and_outside(model, under, block, outside):
    """Megatron's 34bcd + 5bhc²: dropout masks of one byte; weights before and after dropout, of two."""
    saved = symcost.derive(model, under=under)["saved_activations"]
    if block is not None:
        assert sorted(term.tensor for term in saved.of("block")) == sorted(block.split())
    kept = saved.where(lambda term: not term.place.startswith("block"))
    assert sorted(term.tensor for term in kept) == sorted(outside.split())


def test_flash_attention_computes_its_scores_twice():
    """Dao et al. 2022: forward 4bc²d, backward 8bc²d, and 2bc²d for the scores made again."""
    costs = symcost.derive("llama", under="textbook+flash", given=LLAMA)
    every = [
        costs[f"{each}_flops"].of("block.attention").total for each in ("forward", "backward", "recompute")
    ]
    scores = expand(sum(every)).coeff(c, 2)
    assert expand(scores * c**2 - 14 * b * c**2 * d) == 0


@pytest.mark.parametrize(("under", "inner"), [("textbook+checkpoint", 24), ("torch-eager+checkpoint", 22)])
def test_a_block_run_a_second_time_costs_a_forward_pass_more(under, inner):
    """PyTorch does not run the block's last product again: nothing after it is saved."""
    costs = symcost.derive("llama", under=under, given=LLAMA)
    every = [costs[f"{each}_flops"].of("block").total for each in ("forward", "backward", "recompute")]
    assert expand(sum(every) - (32 * b * c * d**2 + inner * b * c * d * f + 16 * b * c**2 * d)) == 0
