"""What a description makes: kinds of block, frozen parts, adapters, quantised matrices."""

import json
from pathlib import Path

import pytest
from sympy import expand

import symcost
from symcost.errors import ConfigError
from symcost.families import load
from symcost.model import (
    LETTERS,
    STORED_BYTES,
    Architecture,
    Attention,
    Block,
    Experts,
    FeedForward,
    Model,
    parameters_of,
)
from symcost.symbols import L, d, d_expert, d_ff, h, h_kv, symbol, v

FROZEN = json.loads((Path(__file__).parent / "fixtures" / "frozen.json").read_text(encoding="utf-8"))
r, E = symbol("r"), symbol("E")


def total(model, quantity, **arguments):
    return expand(symcost.derive(model, **arguments)[quantity].total)


# ---------------------------------------------------------------------------------------------- architectures


def test_the_lectures_model_has_twelve_square_matrices_a_block():
    """N_p = L(16d² + 2d) + 2dv + d."""
    assert total("cs190c", "parameters") == 16 * L * d**2 + 2 * L * d + 2 * d * v + d


def test_grouped_heads_shrink_two_of_the_four_projections():
    assert total("llama", "parameters").coeff(h_kv) == expand(2 * L * d**2 / h)


def test_a_tied_head_is_counted_once_and_multiplied_all_the_same():
    apart = Model("apart", Architecture())
    tied = Model("tied", Architecture(tied=True))
    assert total(apart, "parameters") - total(tied, "parameters") == d * v
    assert total(apart, "forward_flops") == total(tied, "forward_flops")


def test_two_kinds_of_block_count_by_their_own_letters():
    kinds = (Block(name="dense", times="L_dense"), Block(feed_forward=Experts(), name="moe", times="L_moe"))
    parameters = total(Model("mixed", Architecture(kinds)), "parameters")
    assert parameters.coeff(symbol("L_dense")).coeff(d_ff) == 3 * d
    assert parameters.coeff(symbol("L_moe")).coeff(d_expert) == 3 * d * E


def test_blocks_that_name_the_same_table_share_it():
    """Gemma 3 keeps two tables of angles, one for its windows: 4·c·d_k elements where others keep 2·c·d_k."""
    kept = [
        term
        for term in symcost.derive("gemma-3-1b", under="hf-eager")["saved_activations"]
        if term.tensor == "angles"
    ]
    assert len(kept) == 2
    assert (
        len(
            [
                t
                for t in symcost.derive("gemma-2-2b", under="hf-eager")["saved_activations"]
                if t.tensor == "angles"
            ]
        )
        == 1
    )


def test_every_parameter_is_found_with_the_place_that_reads_it():
    places = {place for place, _ in parameters_of(LETTERS["llama"].loss)}
    assert places == {
        "embedding", "block.norm_1", "block.attention", "block.norm_2", "block.mlp", "final_norm", "head"
    }  # fmt: skip


def test_a_description_is_plain_data():
    assert Architecture() == Architecture() and hash(Architecture()) == hash(Architecture())
    assert Block(Attention("rope"), FeedForward("geglu")) != Block()


# ----------------------------------------------------------------------------------- what wants no gradient


def test_an_adapter_has_r_times_the_sum_of_its_widths_and_nothing_else_is_trained():
    """Hu et al. 2021: r(d_in + d_out) for each adapted matrix."""
    model = LETTERS["cs190c"].with_adapters(["Q", "V"])
    assert total(model, "gradient_memory") == 4 * (2 * L * 2 * d * r)
    assert total(model, "optimizer_memory") == 2 * total(model, "gradient_memory")


def test_adapters_of_rank_16_on_queries_and_values_of_llama_2_7b_train_8_388_608_parameters():
    """The number that PEFT prints for it."""
    costs = symcost.derive(load("llama-2-7b", adapters={"r": 16, "on": ["Q", "V"], "alpha": 32}))
    assert costs["gradient_memory"].at() == 4 * 8_388_608


def test_biases_have_no_adapter():
    """Hu et al. 2021: r(d_in + d_out) for each of the six matrices of a GPT block, none for its ten vectors."""
    model = LETTERS["gpt"].with_adapters(["all"])
    assert total(model, "gradient_memory") == expand(4 * L * (8 * d * r + 2 * r * (d + d_ff)))


CASES = {
    "qv": lambda model: model.with_adapters(["Q", "V"], r=3),
    "all": lambda model: model.with_adapters(["all"], r=3),
    "embedding": lambda model: model.with_frozen("embedding"),
    "blocks": lambda model: model.with_frozen_blocks(2),
    "head-only": lambda model: model.with_frozen("embedding", "block", "final_norm"),
    "norms-only": lambda model: model.with_frozen("embedding", "block.attention", "block.mlp", "head"),
}


@pytest.mark.parametrize("case", FROZEN["cases"])
def test_what_is_frozen_saves_memory_and_work_as_measured(case):
    """Parameters, trained ones, bytes kept, FLOPs forward and both ways: no rule knows of freezing."""
    fact, at = FROZEN["cases"][case], {"b": 2, "c": 6}
    costs = symcost.derive(CASES[case](load(FROZEN["config"])), under="hf-eager")
    forward = costs["forward_flops"].at(**at)
    assert costs["parameters"].at() == fact["params"]
    assert costs["gradient_memory"].at() == 4 * fact["trained"]
    assert costs["activation_memory"].at(**at) == fact["saved"]
    assert (forward, forward + costs["backward_flops"].at(**at)) == (fact["flops_fwd"], fact["flops_fwd_bwd"])


def test_freezing_the_blocks_leaves_the_work_of_the_head():
    model = LETTERS["cs190c"].with_frozen("embedding", "block", "final_norm")
    b, c = symbol("b"), symbol("c")
    assert total(model, "backward_flops") == 2 * b * c * d * v


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda: load("llama", adapters={"on": ["X"]}), "'W_X' is no matrix"),
        (lambda: load("llama", adapters={"on": ["W_E"]}), "'W_E' is no matrix"),
        (lambda: load("llama", adapters={"on": "QV"}), "a list of matrices"),
        (lambda: load("llama", adapters={"r": 0}), "positive whole number"),
        (lambda: load("llama", adapters={"rank": 8}), "'rank' is not understood"),
        (lambda: load("llama", freeze=["embeding"]), "Did you mean 'embedding'"),
        (lambda: load("llama", quantised="nf3"), "Did you mean 'nf4'"),
        (lambda: load("deepseek-v3").with_frozen_blocks(3), "several"),
    ],
)
def test_a_wrong_name_is_told_when_it_is_given(change, told):
    with pytest.raises(ConfigError) as caught:
        change()
    assert told in str(caught.value)


# ---------------------------------------------------------------------------------------------- quantised


def test_four_bit_blocks_cost_what_qlora_says():
    """Dettmers et al. 2023, section 3: constants cost 0.5 bit a parameter, with double quantisation 0.127."""
    assert 8 * STORED_BYTES["nf4"] == 4.5
    assert round(float(8 * STORED_BYTES["nf4-double"]) - 4, 3) == 0.127


def test_frozen_matrices_of_the_blocks_are_stored_so_and_nothing_else():
    model = load("llama", adapters={"on": ["Q"]}, quantised="nf4")
    stored = {tensor.name for _, tensor in parameters_of(model.loss) if tensor.stored == "nf4"}
    assert stored == {"W_Q", "W_K", "W_V", "W_O", "W_1", "W_2", "W_3"}
