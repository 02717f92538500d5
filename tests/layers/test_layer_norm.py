"""LayerNorm by itself. Source: measured with PyTorch 2.13: native_layer_norm keeps x, mean and rstd."""

from functools import partial

from symcost.layers.layer_norm import centred_norm, layer_norm
from symcost.symbols import b, c, d, d_k, h


def test_it_keeps_its_input_and_pytorch_two_numbers_a_row(alone):
    assert alone(layer_norm).saved == b * c * d
    assert alone(layer_norm, under="torch-eager").saved == b * c * d + 2 * b * c


def test_it_learns_a_gain_and_a_shift_or_a_gain_alone_or_nothing(alone):
    norms = (layer_norm, partial(layer_norm, shifted=False), partial(layer_norm, learned=False))
    assert [alone(norm).parameters for norm in norms] == [2 * d, d, 0]


def test_each_head_may_have_a_gain_of_its_own(alone):
    assert alone(partial(layer_norm, shifted=False, by_head=True), axes="b h c d_k").parameters == h * d_k


def test_spelt_out_without_a_shift_it_keeps_x_centred_twice_and_normalised(alone):
    """Measured: the norm of Command R keeps three tensors of the size of x and a number a row."""
    assert alone(centred_norm, under="hf-eager").saved == 3 * b * c * d + b * c
    assert alone(centred_norm).saved == b * c * d
    assert alone(centred_norm).parameters == d


def test_a_gain_around_one_is_finished_before_the_step_reads_it(alone):
    """Measured: each norm of Nemotron keeps 1 + w."""
    assert alone(partial(layer_norm, around_one=True), under="torch-eager").saved == b * c * d + 2 * b * c + d
