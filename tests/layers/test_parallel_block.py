"""The parallel block by itself. Source: Black et al. 2022, GPT-NeoX, section 2.1."""

from functools import partial

import pytest

from symcost.layers.attention import attention
from symcost.layers.block import block
from symcost.layers.layer_norm import layer_norm
from symcost.layers.parallel_block import parallel_block
from symcost.layers.swiglu import swiglu
from symcost.symbols import b, c, d

PARTS = {"norm": layer_norm, "attention": attention, "mlp": swiglu}


@pytest.fixture
def one(alone):
    return lambda norms="one": alone(partial(parallel_block, norms=norms, **PARTS))


def test_with_one_norm_both_layers_read_the_same_tensor_which_is_kept_once(one, alone):
    serial = alone(partial(block, **PARTS))
    assert serial.saved - one().saved == 2 * b * c * d  # x_res and a second x_norm
    assert serial.parameters - one().parameters == 2 * d


def test_with_two_norms_the_input_is_still_kept_once(one):
    assert one("two").saved - one().saved == b * c * d
    assert one("two").kept.count("x") == 1


def test_the_work_is_that_of_the_block_with_one_after_the_other(one, alone):
    serial = alone(partial(block, **PARTS))
    assert (one().forward, one().backward) == (serial.forward, serial.backward)
