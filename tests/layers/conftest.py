"""A layer by itself: what it keeps, multiplies and learns, in letters."""

import pytest
from sympy import Add, Integer

from symcost import ops
from symcost.conventions import convention
from symcost.derive import Derivation
from symcost.lower import lower


class Alone:
    """One layer that reads x [b c d] and whatever else it is given, under a convention, in elements."""

    def __init__(self, layer, *others, under="textbook", axes="b c d", name="layer"):
        x = ops.gather("x", ops.parameter("table", f"v {axes.split()[-1]}"), ops.index("tokens", "b c"), axes)
        self.derivation = Derivation(lower(ops.part(name, layer, x, *others), convention(under)))

    def _sum(self, terms):
        return Add(*(term.total for term in terms if term.tensor != "table")).expand()

    @property
    def saved(self):
        return self._sum(self.derivation.saved_activations)

    @property
    def kept(self):
        return [term.tensor for term in self.derivation.saved_activations]

    @property
    def parameters(self):
        return self._sum(self.derivation.parameters)

    @property
    def forward(self):
        return self._sum(self.derivation.forward_flops)

    @property
    def backward(self):
        return self._sum(self.derivation.backward_flops)


@pytest.fixture
def alone():
    return Alone


@pytest.fixture
def zero():
    return Integer(0)
