"""A mixture of experts by itself. Source: Jiang et al. 2024, Mixtral; measured with transformers 5.23."""

from functools import partial

from sympy import expand

from symcost import ops
from symcost.layers.mixture import mixture
from symcost.symbols import E, b, c, d, d_expert, k, symbol

d_shared = symbol("d_shared")


def test_all_experts_are_parameters_but_a_token_is_multiplied_by_k_of_them(alone):
    layer = alone(mixture)
    assert layer.parameters == d * E + 3 * E * d * d_expert
    assert layer.forward == 2 * b * c * d * E + 6 * b * c * k * d * d_expert
    assert layer.backward == 2 * layer.forward


def test_the_parameters_that_one_token_meets_have_k_in_place_of_the_experts(alone):
    active = alone(mixture)._sum(alone(mixture).derivation.active_parameters)
    assert active == d * E + 3 * k * d * d_expert


def test_experts_one_by_one_keep_what_was_measured(alone):
    """Mixtral's tiny record, tensor by tensor: for each token and expert x, z and its weighted sum, G, U,
    SiLU(G) and H, a weight; for each token the router's weights and their sum; indices of 8 bytes apart.
    """
    pair = k * (3 * d + 4 * d_expert + 1)
    token = d + E + k + 1
    counted = alone(partial(mixture, normalised=True), under="hf-eager")
    indices = k + 2 * k
    assert counted.saved == expand(b * c * (pair + token + indices))


def test_shared_experts_are_one_layer_for_every_token(alone):
    shared = alone(partial(mixture, shared="d_shared"))
    assert shared.parameters - alone(mixture).parameters == 3 * d * d_shared
    assert shared.forward - alone(mixture).forward == 6 * b * c * d * d_shared


def test_a_gate_for_the_shared_experts_is_one_column(alone):
    gated = alone(partial(mixture, shared="d_shared", shared_gate=True))
    assert gated.parameters - alone(partial(mixture, shared="d_shared")).parameters == d


def test_a_bias_to_choose_by_is_no_parameter(alone):
    """DeepSeek-V3's router: transformers holds it as a buffer."""
    balanced = alone(partial(mixture, scores=ops.sigmoid, balanced=True))
    assert balanced.parameters == alone(mixture).parameters


def test_biases_of_experts_and_router(alone):
    names = {"W_R", "W_1", "W_2", "W_3"}
    biased = alone(partial(mixture, linear=partial(ops.linear, biased=names)))
    assert biased.parameters - alone(mixture).parameters == E + 2 * E * d_expert + E * d
