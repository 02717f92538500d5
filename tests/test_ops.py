"""Ops: what each makes, and that a composite's body computes what the composite says."""

from __future__ import annotations

from itertools import product
from math import erf, sqrt

import numpy as np
import pytest
from sympy import Symbol, lambdify

from symcost import ops, rules
from symcost.errors import AxisError
from symcost.symbols import GLOSSARY, b, c, d, d_ff, h
from symcost.tensors import Op, Role, Tensor, size_of

SIZES = {"b": 2, "c": 3, "d": 4, "h": 2, "h_kv": 2, "d_k": 3, "d_ff": 5, "v": 5}
NUMBERS = np.random.default_rng(9)
EPSILON = 1e-5


def tensor(name: str, axes: str) -> Tensor:
    return Tensor(name, tuple(axes.split()))


def length(axis: str) -> int:
    return SIZES[axis.rstrip("'")]


def numbers(axes: str) -> np.ndarray:
    return NUMBERS.normal(size=[length(axis) for axis in axes.split()])


# ------------------------------------------ running a body: each op by its rule's formula, in NumPy


def sigma(z):
    return 1 / (1 + np.exp(-z))


Phi = np.vectorize(lambda z: (1 + erf(z / sqrt(2))) / 2)
PLAIN_NUMBERS = {"S": 1 / sqrt(SIZES["d_k"]), "half": 0.5, "scaled_cube": 0.044715, "inner": sqrt(2 / np.pi)}
FUNCTIONS = {"sigma": sigma, "Phi": Phi, "Max": np.maximum}


def laid(array: np.ndarray, axes: tuple[str, ...], joint: tuple[str, ...]) -> np.ndarray:
    order = [axes.index(axis) for axis in joint if axis in axes]
    return np.transpose(array, order).reshape([length(axis) if axis in axes else 1 for axis in joint])


def run(op: Op, arrays: list[np.ndarray]) -> np.ndarray:
    """What an op computes: its rule's formula at each point, summed over the axes that the result lacks."""
    if op.body is not None:
        return run_body(op, arrays)
    joint, result = op.axes, op.result.axes
    if op.rule is rules.NLL:
        log_p, targets = arrays
        return -np.mean(np.take_along_axis(log_p, targets[..., None], -1))
    lost = tuple(place for place, axis in enumerate(joint) if axis not in result)
    read = [each.axes for each in op.inputs]
    if op.rule is rules.CONTRACT:  # the right factor is read by its primed axis, where there is one
        read[1] = tuple(f"{axis}'" if f"{axis}'" in joint else axis for axis in read[1])
    laid_out = [laid(array, axes, joint) for array, axes in zip(arrays, read, strict=True)]
    if op.rule is rules.ROW_MAX:
        return laid_out[0].max(lost)
    if op.rule is rules.MASK:
        return np.where(laid_out[1] > 0, -np.inf, laid_out[0])
    known = dict(zip(op.rule.takes, laid_out, strict=True)) | {Symbol("constant"): PLAIN_NUMBERS.get(op.name)}
    full = np.broadcast_to(evaluated(op.rule.value, known), [length(axis) for axis in joint])
    total = full.sum(lost)
    kept = tuple(axis for axis in joint if axis in result)
    if op.rule.after is not None:
        count = np.prod([length(axis) for axis in joint if axis not in result])
        total = evaluated(op.rule.after, {rules.y: total, Symbol("count"): count})
    return np.transpose(total, [kept.index(axis) for axis in result])


def evaluated(form, known):
    symbols = sorted(form.free_symbols, key=str)
    values = [EPSILON if symbol.name == "epsilon" else known[symbol] for symbol in symbols]
    return lambdify(symbols, form, [FUNCTIONS, "numpy"])(*values)


def run_body(op: Op, arrays: list[np.ndarray]) -> np.ndarray:
    values = dict(zip(op.inputs, arrays, strict=True))
    for inner in op.body_ops():
        values[inner.result] = run(inner, [values[each] for each in inner.inputs])
    return values[op.body]


# ------------------------------------------------ the same, as its source's equation says, in NumPy


def softmax(z):
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def rms_norm(z, gain=1.0):
    """Zhang and Sennrich 2019, equation 4."""
    return z / np.sqrt((z**2).mean(-1, keepdims=True) + EPSILON) * gain


def layer_norm(z, gain=1.0, shift=0.0):
    """Ba et al. 2016, equation 4."""
    return (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + EPSILON) * gain + shift


def attention(Q, K, V, hidden=None):
    """Vaswani et al. 2017, equation 1."""
    S = np.einsum("bhqk,bhsk->bhqs", Q, K) / sqrt(SIZES["d_k"])
    return np.einsum("bhqs,bhsk->bhqk", softmax(S if hidden is None else np.where(hidden, -np.inf, S)), V)


def cross_entropy(logits, targets):
    picked = np.take_along_axis(np.log(softmax(logits)), targets[..., None], -1)
    return -picked.sum() / picked.size


X, GAIN, SHIFT, LOGITS = tensor("x", "b c d"), tensor("g", "d"), tensor("s", "d"), tensor("logits", "b c v")
G, U = tensor("G", "b c d_ff"), tensor("U", "b c d_ff")
Q, K, V = (tensor(name, "b h c d_k") for name in "QKV")
CAUSAL = ops.constant("causal", "c c'")
TARGETS = ops.index("targets", "b c")

NOT_YET = np.triu(np.ones((3, 3)), 1)
IDS = np.array([[0, 3, 1], [4, 4, 2]])

COMPOSITES = {
    "softmax": (ops.softmax("y", LOGITS), softmax),
    "log_softmax": (ops.log_softmax("y", LOGITS), lambda z: np.log(softmax(z))),
    "silu": (ops.silu("y", X), lambda z: z / (1 + np.exp(-z))),
    "gate": (ops.gate("H", G, U), lambda g, up: g * sigma(g) * up),
    "gelu_gate": (ops.gelu_gate("H", G, U), lambda g, up: g * Phi(g) * up),
    "gelu_tanh": (
        ops.gelu_tanh("y", X),
        lambda z: z / 2 * (1 + np.tanh(sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    ),
    "rms_norm": (ops.rms_norm("y", X, GAIN), rms_norm),
    "rms_norm without a gain": (ops.rms_norm("y", X), rms_norm),
    "rms_norm around one": (ops.rms_norm("y", X, GAIN, around_one=True), lambda z, g: rms_norm(z, 1 + g)),
    "layer_norm": (ops.layer_norm("y", X, GAIN, SHIFT), layer_norm),
    "layer_norm without a gain": (ops.layer_norm("y", X), layer_norm),
    "attention": (ops.attention_core("O", Q, K, V), attention),
    "masked attention": (ops.attention_core("O", Q, K, V, CAUSAL), attention),
    "cross_entropy": (ops.cross_entropy("loss", LOGITS, TARGETS), cross_entropy),
}
GIVEN = {CAUSAL: NOT_YET, TARGETS: IDS}


@pytest.mark.parametrize("name", COMPOSITES)
def test_a_body_computes_what_the_equation_of_its_source_says(name):
    result, equation = COMPOSITES[name]
    op = result.made_by
    arrays = [GIVEN[each] if each in GIVEN else numbers(" ".join(each.axes)) for each in op.inputs]
    assert np.allclose(run_body(op, arrays), equation(*arrays))


@pytest.mark.parametrize("name", ["silu", "gate", "gelu_gate", "gelu_tanh"])
def test_a_composite_that_also_has_a_formula_says_the_same_in_both(name):
    op = COMPOSITES[name][0].made_by
    arrays = [numbers(" ".join(each.axes)) for each in op.inputs]
    known = dict(zip(op.rule.takes, arrays, strict=True)) | {Symbol("pi"): np.pi}
    assert np.allclose(run_body(op, arrays), evaluated(op.rule.value, known))


def test_a_gate_taken_apart_is_silu_and_a_product():
    assert [inner.rule for inner in COMPOSITES["gate"][0].made_by.body_ops()] == [rules.SILU, rules.MULTIPLY]


# ---------------------------------------------------------------------------------- matrix products

PATTERNS = [
    ("b c d, d d_ff -> b c d_ff", 2 * b * c * d * d_ff),
    ("b c d, d h d_k -> b h c d_k", None),
    ("b h c d_k, b h c' d_k -> b h c c'", None),
    ("b h c c', b h c' d_k -> b h c d_k", None),
    ("b h c d_k, h d_k d -> b c d", None),
    ("b c d, v d -> b c v", None),
]


def multiplied(pattern, left, right):
    """A product by its definition, element by element; answers the result and the FLOPs that were done."""
    (first, second), target = (
        [each.split() for each in pattern.split("->")[0].split(",")],
        pattern.split("->")[1].split(),
    )
    joint = list(dict.fromkeys(first + second))
    result, flops = np.zeros([length(axis) for axis in target]), 0
    for point in product(*(range(length(axis)) for axis in joint)):
        at = dict(zip(joint, point, strict=True))
        term = left[tuple(at[axis] for axis in first)] * right[tuple(at[axis] for axis in second)]
        result[tuple(at[axis] for axis in target)] += term
        flops += 2  # one product, one sum
    return result, flops


@pytest.mark.parametrize(("pattern", "form"), PATTERNS)
def test_a_contraction_costs_two_flops_for_each_product_that_a_loop_does(pattern, form):
    left, right = (
        tensor(name, axes) for name, axes in zip("AB", pattern.split("->")[0].split(","), strict=True)
    )
    made = ops.contract("C", pattern, left, right)
    arrays = [numbers(" ".join(left.axes)), numbers(" ".join(right.axes))]
    by_hand, flops = multiplied(pattern, *arrays)
    assert np.allclose(run(made.made_by, arrays), by_hand)
    amount = 2 * size_of(made.made_by.axes)
    assert amount.xreplace({GLOSSARY[name].symbol: number for name, number in SIZES.items()}) == flops
    assert form is None or amount == form


def test_a_pattern_must_read_a_tensor_as_it_was_made():
    with pytest.raises(
        AxisError, match=r"^G: the pattern reads x as 'b c d_ff', but x was made as 'b c d'\.$"
    ):
        ops.contract("G", "b c d_ff, d_ff d -> b c d", X, tensor("W", "d_ff d"))


def test_a_result_has_no_axis_that_its_factors_lack():
    with pytest.raises(AxisError, match="are not all among those of its factors"):
        ops.contract("G", "b c d, d d_ff -> b c h", X, tensor("W", "d d_ff"))


def test_a_residual_connection_adds_equal_shapes():
    with pytest.raises(AxisError, match=r"^x_res: x has the axes 'b c d', G 'b c d_ff'\.$"):
        ops.add("x_res", X, G)


def test_a_body_may_not_read_what_was_not_passed_to_it():
    """A composite that closes over a tensor would keep it without saying so."""
    hidden = ops.scale("hidden", X)
    with pytest.raises(
        AxisError, match=r"its body reads hidden, which was made outside\. Pass it as an argument\."
    ):
        ops.part("layer", lambda z: ops.add("z", z, hidden), X)


# ------------------------------------------------------------------------------------ what ops make


def test_dropout_makes_a_mask_of_the_shape_of_what_it_drops():
    dropped = ops.dropout("P_dropped", tensor("P", "b h c c'"))
    mask = dropped.made_by.inputs[1]
    assert (mask.role, mask.axes) == (Role.MASK, ("b", "h", "c", "c'"))


def test_repeated_heads_have_as_many_heads_as_there_are_queries():
    assert ops.repeat_heads("K_repeated", tensor("K", "b h_kv c d_k")).axes == ("b", "h", "c", "d_k")


def test_a_norm_writes_down_one_number_for_each_token():
    [rstd] = ops.rms_norm("x_norm", X, GAIN).made_by.statistics
    assert (rstd.name, rstd.axes) == ("rstd", ("b", "c"))


def test_the_chosen_experts_axis_adds_no_work():
    """Of E matrices each token is multiplied with one for each of its k choices."""
    tokens, W = tensor("x", "b c k d"), tensor("W", "E d d_expert")
    made = ops.contract("G", "b c k d, E d d_expert -> b c k d_expert", tokens, W, chosen="E")
    assert made.made_by.axes == ("b", "c", "k", "d", "d_expert")


def test_a_repeated_block_counts_l_times_and_what_it_shares_once():
    mask = ops.constant("causal", "c c'")
    made = ops.repeat("block", Symbol("L", positive=True), lambda x, m: ops.scale("y", x), X, mask)
    op = made.made_by
    assert op.times == Symbol("L", positive=True)
    assert op.carried.axes == X.axes and op.inputs == (X, mask)
    assert [inner.name for inner in op.body_ops()] == ["y"]


def test_scores_are_one_for_each_head_and_pair_of_tokens():
    P = next(inner.result for inner in COMPOSITES["attention"][0].made_by.body_ops() if inner.name == "P")
    assert P.size == b * h * c**2
