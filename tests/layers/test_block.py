"""The block by itself. Source: CS190C 2026, lecture 9; measured with PyTorch 2.13."""

from functools import partial

import pytest

from symcost.layers.attention import attention
from symcost.layers.block import block
from symcost.layers.rms_norm import rms_norm
from symcost.layers.swiglu import swiglu
from symcost.symbols import b, c, d, d_ff, d_k, h

PARTS = {"norm": rms_norm, "attention": attention, "mlp": swiglu}


@pytest.fixture
def one(alone):
    return lambda norms="before", under="textbook": alone(partial(block, norms=norms, **PARTS), under=under)


def test_it_keeps_twenty_widths_a_token_and_the_weights_of_attention(one):
    """N_B = 20bcd + bhc² with d_k = d/h and d_ff = 4d."""
    saved = one().saved.subs({d_k: d / h, d_ff: 4 * d})
    assert saved == 20 * b * c * d + b * h * c**2


@pytest.mark.parametrize(("norms", "many"), [("before", 2), ("after", 2), ("around", 4), ("residual", 2)])
def test_how_many_norms_it_has(one, norms, many):
    assert one(norms).parameters - one().parameters == (many - 2) * d


def test_a_norm_behind_a_layer_makes_its_result_kept(one):
    """Measured: OLMo 2 keeps 14bcd where Llama keeps 10bcd, two of them by its norms behind."""
    before, after = one(under="torch-eager").saved, one("after", under="torch-eager").saved
    assert after == before
    kept = one("after").kept
    assert "y" in kept and "z" in kept and "x_norm" not in kept


def test_the_residual_sum_is_kept_because_the_second_norm_reads_it(one):
    assert one().kept.count("x_res") == 1
    assert "x_out" not in one().kept
