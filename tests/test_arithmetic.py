"""Operations counted from formulas, against loops over numbers that count each sum, product and quotient."""

from dataclasses import replace
from functools import partial
from math import exp, log, sqrt

import pytest
from sympy import expand

from symcost import arithmetic, ops, rules
from symcost.conventions import convention
from symcost.derive import Derivation
from symcost.lower import lower
from symcost.model import LETTERS
from symcost.symbols import b, c, d, d_ff, d_k, h, v
from symcost.tensors import Tensor
from symcost.terms import evaluator

ROWS, WIDTH = 3, 5
NUMBERS = {"b": 1, "c": ROWS, "d": WIDTH}
JAX = replace(convention("jax+operations"), index_operations={})


class Number(float):
    """A float that counts what is done with it, signs too, but not what is no arithmetic (exp, log)."""

    done = 0

    def _counted(self, value):
        Number.done += 1
        return Number(value)

    def __add__(self, other):
        return self._counted(float(self) + float(other))

    def __sub__(self, other):
        return self._counted(float(self) - float(other))

    def __mul__(self, other):
        return self._counted(float(self) * float(other))

    def __truediv__(self, other):
        return self._counted(float(self) / float(other))

    def __neg__(self):
        return self._counted(-float(self))


def total(row):
    first, *rest = row
    for each in rest:
        first = first + each
    return first


def largest(row):
    """The largest of a row and a lowest number to begin with: as many comparisons as elements."""
    Number.done += len(row)
    return max(row)


def rms_norm(row):
    rstd = Number(1 / sqrt(total([x * x for x in row]) / len(row) + Number(1e-6)))
    return [x * rstd * Number(2) for x in row]


def softmax(row):
    top = largest(row)
    shifted = [Number(exp(x - top)) for x in row]
    whole = total(shifted)
    return [x / whole for x in shifted]


def log_softmax(row):
    top = largest(row)
    shifted = [x - top for x in row]
    log_sum = Number(log(total([Number(exp(x)) for x in shifted])))
    return [x - log_sum for x in shifted]


def silu(row):
    return [x * (Number(1) / (Number(1) + Number(exp(-x)))) for x in row]


GAIN = ops.parameter("g", "d")
X = Tensor("x", ("b", "c", "d"))
BODIES = {
    "rms_norm": (partial(ops.rms_norm, "y", gain=GAIN), rms_norm),
    "softmax": (partial(ops.softmax, "y"), softmax),
    "log_softmax": (partial(ops.log_softmax, "y"), log_softmax),
    "silu": (partial(ops.silu, "y"), silu),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bodys_operations_are_those_that_a_loop_does(name):
    make, run = BODIES[name]
    steps = lower(make(X), JAX).steps
    counted = sum(evaluator(arithmetic.forward(step) + 0 * b)(NUMBERS) for step in steps)
    Number.done = 0
    for row in range(ROWS):
        run([Number(1 + row + place / 7) for place in range(WIDTH)])
    assert counted == Number.done


def test_a_gradient_that_lacks_axes_is_summed_over_them():
    """∂g = Σ x̂·∂y: a product for each element, and sums down to one for each gain."""
    gain = next(step for step in lower(ops.rms_norm("y", X, GAIN), JAX).steps if step.rule is rules.GAIN)
    assert expand(arithmetic.backward(gain, 1, {}) - (2 * b * c * d - d)) == 0


def test_three_gradients_of_one_tensor_take_two_sums():
    """Queries, keys and values read one x_norm."""
    found = Derivation(lower(LETTERS["cs190c"].loss, JAX)).backward_flops
    (added,) = (term for term in found if term.tensor == "∂x_norm" and "arrive" in str(term.because))
    assert added.amount == 2 * b * c * d


def test_products_alone_are_the_same_whether_operations_count_or_not():
    loss = LETTERS["llama"].loss
    every, products = (Derivation(lower(loss, convention(under))) for under in ("jax+operations", "jax"))
    chosen = {term.tensor for term in products.forward_flops}
    assert products.forward_flops == tuple(
        term
        for term in every.forward_flops
        if term.tensor in chosen and "product and a sum" in str(term.because)
    )


def test_a_causal_count_takes_half_of_all_pairs_and_all_else_as_it_is():
    """FlashAttention-2, section 4.1: with a causal mask FLOPs are divided by two."""
    loss = LETTERS["cs190c"].loss
    half, whole = (Derivation(lower(loss, convention(under))) for under in ("textbook+causal", "textbook"))
    for counted, every in zip(half.forward_flops, whole.forward_flops, strict=True):
        share = 2 if every.tensor in ("scores", "O") else 1
        assert counted.amount * share == every.amount
    assert {term.amount for term in half.forward_flops if term.tensor == "scores"} == {b * h * c**2 * d_k}
    assert {term.amount for term in half.forward_flops if term.tensor == "logits"} == {2 * b * c * d * v}
    assert {term.amount for term in half.forward_flops if term.tensor == "G"} == {2 * b * c * d * d_ff}
