"""The feed-forward layer of two matrices. Source: measured with PyTorch 2.13, in units of bcf."""

from functools import partial

import pytest

from symcost import ops
from symcost.layers.mlp import mlp
from symcost.symbols import b, c, d, d_ff


@pytest.mark.parametrize(
    ("activation", "kept"),
    [(ops.gelu, 2), (ops.relu, 1), (ops.silu, 2), (ops.gelu_tanh, 2), (ops.relu_squared, 2)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_an_activation_keeps(alone, activation, kept):
    """ReLU's gradient is written in its own result, which the next product keeps anyway."""
    layer = alone(partial(mlp, activation=activation))
    assert layer.saved == b * c * d + kept * b * c * d_ff


def test_gelu_spelt_out_by_tanh_keeps_five(alone):
    """GPT-2's and Phi's GELU in transformers: x, tanh, 1 + tanh, x/2 and the result."""
    assert (
        alone(partial(mlp, activation=ops.gelu_tanh), under="hf-eager").saved == b * c * d + 5 * b * c * d_ff
    )


def test_biases_are_parameters_and_cost_nothing_else(alone):
    plain = alone(partial(mlp, activation=ops.gelu))
    biased = alone(partial(mlp, activation=ops.gelu, linear=partial(ops.linear, biased={"W_1", "W_2"})))
    assert biased.parameters - plain.parameters == d_ff + d
    assert (biased.saved, biased.forward) == (plain.saved, plain.forward)


def test_dropout_keeps_a_mask_of_the_size_of_its_result(alone):
    drops = alone(partial(mlp, activation=ops.gelu, drops=True))
    assert drops.saved - alone(partial(mlp, activation=ops.gelu)).saved == b * c * d
