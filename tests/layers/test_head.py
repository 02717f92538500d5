"""The LM head by itself. Source: CS190C 2026, lecture 9; measured with transformers 5.23."""

from functools import partial

import pytest

from symcost import ops
from symcost.layers.head import head
from symcost.symbols import b, c, d, symbol, v

d_emb = symbol("d_emb")


@pytest.fixture
def ends(alone):
    def build(under="textbook", width="d", **arguments):
        others = ops.index("targets", "b c"), ops.parameter("W_U", f"v {width}")
        return alone(partial(head, **arguments), *others, under=under)

    return build


def test_it_keeps_its_input_and_the_logits(ends):
    assert ends().kept == ["x", "logits"] and ends().saved == b * c * d + b * c * v


def test_it_is_one_product_with_the_vocabulary(ends):
    assert (ends().parameters, ends().forward) == (v * d, 2 * b * c * d * v)


def test_a_soft_cap_keeps_a_second_tensor_of_the_logits_size(ends):
    """Measured: Gemma 2 keeps bcv more."""
    assert ends(under="hf-eager", capped=True).saved - ends(under="hf-eager").saved == b * c * v


def test_scaled_logits_keep_nothing_more(ends):
    assert ends(scaled=True).saved == ends().saved


def test_a_narrow_table_is_met_by_a_product_before(ends):
    """OPT-350M."""
    narrow = ends(width="d_emb")
    assert narrow.parameters == v * d_emb + d * d_emb
    assert narrow.forward == 2 * b * c * d_emb * d + 2 * b * c * d_emb * v
