"""RMSNorm by itself. Source: CS190C 2026, lecture 9; measured with PyTorch 2.13."""

from functools import partial

from symcost.layers.rms_norm import rms_norm
from symcost.symbols import b, c, d, d_k, h


def test_a_lecturer_keeps_the_input_of_a_norm_and_no_more(alone):
    norm = alone(rms_norm)
    assert (norm.kept, norm.saved, norm.parameters) == (["x"], b * c * d, d)


def test_pytorch_keeps_the_normalised_input_and_a_number_a_row_besides(alone):
    assert alone(rms_norm, under="torch-eager").saved == 2 * b * c * d + b * c


def test_a_gain_around_one_is_made_from_the_parameter_so_pytorch_keeps_it(alone):
    """Measured: Gemma's norms keep 1 + w, d elements each."""
    gemma = partial(rms_norm, around_one=True)
    assert alone(gemma, under="torch-eager").saved - alone(rms_norm, under="torch-eager").saved == d
    assert alone(gemma).saved == alone(rms_norm).saved


def test_a_norm_without_a_gain_has_no_parameter_and_keeps_no_normalised_input(alone):
    plain = partial(rms_norm, learned=False)
    assert alone(plain).parameters == 0
    assert alone(plain, under="torch-eager").saved == b * c * d + b * c


def test_a_norm_of_each_head_has_a_statistic_for_each_head_one_over_all_heads_for_each_token(alone):
    by_head = alone(rms_norm, under="torch-eager", axes="b h c d_k")
    all_heads = alone(partial(rms_norm, over="h d_k"), under="torch-eager", axes="b h c d_k")
    assert by_head.parameters == d_k and by_head.saved == 2 * b * c * h * d_k + b * c * h
    assert all_heads.parameters == h * d_k and all_heads.saved == 2 * b * c * h * d_k + b * c
