"""Attention by itself. Source: CS190C 2026, lecture 9; measured with PyTorch 2.13 and transformers 5.23."""

from functools import partial

import pytest

from symcost import ops
from symcost.layers.attention import attention
from symcost.layers.rms_norm import rms_norm
from symcost.symbols import b, c, d, d_k, h, h_kv, symbol

d_r = symbol("d_r")
HEADS = b * c * h * d_k
GROUPS = b * c * h_kv * d_k
SCORES = b * h * c**2


def test_it_keeps_its_input_queries_keys_values_weights_and_result(alone):
    layer = alone(attention)
    assert layer.kept == ["x", "K", "Q", "P", "V", "O"]
    assert layer.saved == b * c * d + 4 * HEADS + SCORES


def test_it_costs_four_projections_and_two_products_of_all_pairs(alone):
    layer = alone(attention)
    assert layer.parameters == 4 * d * h * d_k
    assert layer.forward == 8 * b * c * d * h * d_k + 4 * b * h * c**2 * d_k
    assert layer.backward == 2 * layer.forward


def test_grouped_heads_have_fewer_parameters_but_pytorch_saves_no_activation_by_them(alone):
    grouped = partial(attention, grouped=True)
    assert alone(grouped).parameters == 2 * d * h * d_k + 2 * d * h_kv * d_k
    assert alone(grouped).saved == b * c * d + 2 * HEADS + 2 * GROUPS + SCORES
    assert alone(grouped, under="torch-eager").saved == alone(attention, under="torch-eager").saved


def test_one_matrix_for_all_three_has_as_many_parameters_and_does_as_much_work(alone):
    for grouped in (False, True):
        packed = alone(partial(attention, grouped=grouped, packed=True))
        apart = alone(partial(attention, grouped=grouped))
        assert (packed.parameters, packed.forward) == (apart.parameters, apart.forward)


def test_rope_keeps_a_table_and_no_activation(alone):
    for width in ("d_k", "d_r"):
        turned = alone(lambda x, width=width: attention(x, ops.constant("angles", f"2 c {width}")))
        assert turned.saved == alone(attention).saved
    partly = alone(lambda x: attention(x, ops.constant("angles", "2 c d_r")), under="hf-eager")
    assert partly.saved - alone(attention, under="hf-eager").saved == 2 * c * d_r


def test_alibi_adds_a_table_to_the_scores_and_keeps_nothing(alone):
    sloped = alone(lambda x: attention(x, slopes=ops.constant("slopes", "h c")))
    assert sloped.saved == alone(attention).saved


def test_norms_of_queries_and_keys_keep_these_before_and_normalised(alone):
    """Measured: four tensors of the heads' size and a number for each head's row, twice."""
    normed = alone(partial(attention, qk_norm=rms_norm), under="torch-eager")
    assert normed.saved - alone(attention, under="torch-eager").saved == 4 * HEADS + 2 * b * c * h
    assert normed.parameters - alone(attention).parameters == 2 * d_k


def test_a_soft_cap_keeps_the_hyperbolic_tangent_of_the_scores(alone):
    """Measured: Gemma 2 keeps bhc² more in each block."""
    capped = alone(partial(attention, capped=True), under="hf-eager")
    assert capped.saved - alone(attention, under="hf-eager").saved == SCORES


def test_sinks_are_one_parameter_a_head_and_pytorch_keeps_their_weight_in_each_row(alone):
    sinks = partial(attention, sinks=True)
    assert alone(sinks).parameters - alone(attention).parameters == h
    assert alone(sinks).saved == alone(attention).saved
    assert alone(sinks, under="torch-eager").saved - alone(attention, under="torch-eager").saved == b * h * c


def test_clamped_projections_keep_what_was_clamped(alone):
    """Measured: OLMo with clip_qkv keeps queries, keys and values once more."""
    clamped = alone(partial(attention, clamped=True), under="hf-eager")
    assert clamped.saved - alone(attention, under="hf-eager").saved == 3 * HEADS


def test_dropout_on_the_weights_keeps_a_mask_and_the_dropped_weights(alone):
    drops = alone(partial(attention, drops=True))
    assert drops.saved - alone(attention).saved == 2 * SCORES


def test_flash_keeps_a_log_sum_exp_a_row_in_place_of_the_weights(alone):
    flash, plain = alone(attention, under="textbook+flash"), alone(attention)
    assert flash.saved == plain.saved - SCORES + b * h * c


@pytest.mark.parametrize("biased", [(), ("W_Q", "W_K", "W_V"), ("W_Q", "W_K", "W_V", "W_O")])
def test_each_projection_may_have_a_bias(alone, biased):
    layer = alone(partial(attention, linear=partial(ops.linear, biased=biased)))
    widths = {"W_Q": h * d_k, "W_K": h * d_k, "W_V": h * d_k, "W_O": d}
    assert layer.parameters == alone(attention).parameters + sum(widths[name] for name in biased)
