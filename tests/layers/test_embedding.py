"""The embedding by itself. Source: CS190C 2026, lecture 9: a look-up keeps nothing and costs nothing."""

import pytest
from sympy import Add

from symcost import ops
from symcost.conventions import convention
from symcost.derive import Derivation
from symcost.layers.embedding import embedding
from symcost.layers.layer_norm import layer_norm
from symcost.lower import lower
from symcost.symbols import b, c, c_max, d, symbol, v

d_emb = symbol("d_emb")


@pytest.fixture
def looked_up():
    def build(under="textbook", width="d", **arguments):
        tokens, W_E = ops.index("tokens", "b c"), ops.parameter("W_E", f"v {width}")
        return Derivation(lower(embedding(tokens, W_E, **arguments), convention(under)))

    return build


def total(terms):
    return Add(*(term.total for term in terms))


def test_a_look_up_keeps_nothing_and_costs_nothing(looked_up):
    plain = looked_up()
    assert total(plain.parameters) == v * d
    assert total(plain.saved_activations) == total(plain.forward_flops) == 0


def test_learned_positions_are_a_second_table_and_the_framework_keeps_their_indices(looked_up):
    """Measured: GPT-2's indices [1, c] are kept, 8 bytes each; OPT has them for each sequence."""
    for axes, size in (("c", 8 * c), ("b c", 8 * b * c)):
        placed = looked_up(under="hf-eager", positions=axes)
        assert total(placed.parameters) == v * d + c_max * d
        assert total(placed.activation_memory) == size


def test_scaling_by_a_number_keeps_nothing(looked_up):
    assert total(looked_up(scaled=True).saved_activations) == 0


def test_a_norm_behind_it_keeps_its_input(looked_up):
    """BLOOM's embedding."""
    normed = looked_up(norm=layer_norm)
    assert total(normed.saved_activations) == b * c * d and total(normed.parameters) == v * d + 2 * d


def test_a_narrow_table_is_widened_by_a_product(looked_up):
    """OPT-350M: 512 to 1024."""
    narrow = looked_up(width="d_emb")
    assert total(narrow.parameters) == v * d_emb + d_emb * d
    assert total(narrow.forward_flops) == 2 * b * c * d_emb * d
