"""Rules: every gradient against finite differences of the same function written in NumPy."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from math import erf, sqrt

import numpy as np
import pytest
from sympy import Expr, Symbol, diff, lambdify

from symcost import rules
from symcost.rules import RULES, Rule, dy, u, w, x, y

SIZES = {"b": 2, "c": 3, "d": 4, "e": 3, "v": 5}
NUMBERS = np.random.default_rng(190)
STEP = 1e-6

CONSTANT, SHIFT, COUNT, TOKENS = 0.7, 1e-5, 4, 6


def sigma(z):
    return 1 / (1 + np.exp(-z))


def phi(z):
    return np.exp(-(z**2) / 2) / sqrt(2 * np.pi)


Phi = np.vectorize(lambda z: (1 + erf(z / sqrt(2))) / 2)


def softmax(z):
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def rstd_of(z):
    return 1 / np.sqrt((z**2).mean(-1) + SHIFT)


@dataclass
class Case:
    """One rule on small arrays: the axes it reads and makes, and what it computes, written anew in NumPy.

    `joint` are the axes that its work runs over. `reads` gives arrays for slots without a gradient, `numbers`
    constants, `statistics` what a kernel writes down, and `products` the matrix products that a formula
    writes as x·w; `positive` keeps inputs above zero.
    """

    takes: str
    makes: str
    computes: Callable[..., np.ndarray]
    joint: str = ""
    reads: dict[Symbol, np.ndarray] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    statistics: Callable[..., dict[str, tuple[np.ndarray, str]]] = lambda *inputs: {}
    products: dict[Expr, tuple[Callable[..., np.ndarray], str]] = field(default_factory=dict)
    onehot: np.ndarray | None = None
    positive: bool = False


IDS = np.array([[1, 0, 4], [2, 2, 3]])  # [b c]
HOT = np.eye(5)[IDS]  # [b c v]
TABLE = NUMBERS.normal(size=(3, 4))  # [c d]
MASKED = np.array([0.0, 1.0, 0.0, 0.0])  # [d]
DROPPED = np.array([[0.0, 2.0, 2.0, 0.0]] * 3)  # [c d]


def log_softmax(z):
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def cross_entropy(logits):
    return -(log_softmax(logits) * HOT).sum() / TOKENS


def attention(q, k, value):
    return softmax(q @ k.T) @ value


def layer_norm(z, gain, shift):
    centred = z - z.mean(-1, keepdims=True)
    return centred * rstd_of(centred)[..., None] * gain + shift


def loss_statistics(logits):
    largest = logits.max(-1)
    return {
        "row_max": (largest, "b c"),
        "log_sum": (np.log(np.exp(logits - largest[..., None]).sum(-1)), "b c"),
        "total_weight": (np.array(TOKENS), ""),
    }


one = {"takes": "c d", "makes": "c d"}
two = {"takes": "c d, c d", "makes": "c d"}

CASES: dict[str, Case] = {
    "contract": Case("c d, d e", "c e", lambda a, b: a @ b, "c d e"),
    "add": Case(**two, computes=lambda a, b: a + b),
    "bias": Case("c d, d", "c d", lambda a, b: a + b),
    "multiply": Case(**two, computes=lambda a, b: a * b),
    "scale": Case(**one, computes=lambda a: CONSTANT * a, numbers={"constant": CONSTANT}),
    "cast": Case(**one, computes=lambda a: a),
    "repeat_heads": Case("c", "e c", lambda a: np.stack([a] * 3)),
    "split": Case(**one, computes=lambda a: a),
    "broadcast": Case("d", "c d", lambda a: np.stack([a] * 3)),
    "lay_out": Case(**one, computes=lambda a: a.copy()),
    "gather": Case("v d", "b c d", lambda table: table[IDS], "b c v d", onehot=HOT[..., None]),
    "mask": Case(**one, computes=lambda a: np.where(MASKED == 1, -3.0, a), reads={rules.m: MASKED}),
    "rotate": Case(**one, computes=lambda a: a * TABLE, reads={rules.t: TABLE}),
    "pick": Case(
        "b c v", "b c", lambda a: np.take_along_axis(a, IDS[..., None], 2)[..., 0], "b c v", onehot=HOT
    ),
    "dropout": Case(**one, computes=lambda a: a * DROPPED, reads={rules.m: DROPPED}),
    "exp": Case(**one, computes=np.exp),
    "sigmoid": Case(**one, computes=sigma),
    "silu": Case(**one, computes=lambda a: a * sigma(a)),
    "gelu": Case(**one, computes=lambda a: a * Phi(a)),
    "tanh": Case(**one, computes=np.tanh),
    "relu": Case(**one, computes=lambda a: np.maximum(a, 0)),
    "square": Case(**one, computes=lambda a: a * a),
    "cube": Case(**one, computes=lambda a: a * a * a),
    "clamp": Case(**one, computes=lambda a: np.clip(a, -0.5, 0.5)),
    "one_plus": Case(**one, computes=lambda a: 1 + a),
    "rsqrt": Case(
        **one, computes=lambda a: 1 / np.sqrt(a + SHIFT), numbers={"epsilon": SHIFT}, positive=True
    ),
    "log": Case(**one, computes=np.log, positive=True),
    "divide": Case("c d, c", "c d", lambda a, b: a / b[:, None], positive=True),
    "mean_square": Case("c d", "c", lambda a: (a * a).mean(-1), "c d", numbers={"count": COUNT}),
    "normalise": Case("c d, c", "c d", lambda a, b: a * b[:, None]),
    "gain": Case("c d, d", "c d", lambda a, b: a * b),
    "mean": Case("c d", "c", lambda a: a.mean(-1), "c d", numbers={"count": COUNT}),
    "centre": Case("c d, c", "c d", lambda a, b: a - b[:, None]),
    "rms_norm": Case(
        "c d, d",
        "c d",
        lambda a, gain: a * rstd_of(a)[:, None] * gain,
        statistics=lambda a, gain: {"rstd": (rstd_of(a), "c")},
    ),
    "layer_norm": Case(
        "c d, d, d",
        "c d",
        layer_norm,
        statistics=lambda a, *_: {
            "mean": (a.mean(-1), "c"),
            "rstd": (rstd_of(a - a.mean(-1, keepdims=True)), "c"),
        },
    ),
    "centred_norm": Case(
        "c d, d",
        "c d",
        lambda a, gain: layer_norm(a, gain, 0),
        statistics=lambda a, _: {
            "mean": (a.mean(-1), "c"),
            "rstd": (rstd_of(a - a.mean(-1, keepdims=True)), "c"),
        },
    ),
    "row_sum": Case("c d", "c", lambda a: a.sum(-1), "c d"),
    "softmax": Case(**one, computes=softmax),
    "sink_softmax": Case(
        "c d, c",
        "c d",
        lambda a, sink: softmax(np.concatenate([a, sink[:, None]], 1))[:, :-1],
        statistics=lambda a, sink: {"sunk": (softmax(np.concatenate([a, sink[:, None]], 1))[:, -1], "c")},
    ),
    "log_softmax": Case(**one, computes=log_softmax),
    "nll": Case(
        "b c v",
        "",
        lambda log_p: -(log_p * HOT).sum() / TOKENS,
        "b c v",
        statistics=lambda a: {"total_weight": (np.array(TOKENS), "")},
        onehot=HOT,
    ),
    "cross_entropy": Case("b c v", "", cross_entropy, "b c v", statistics=loss_statistics, onehot=HOT),
    "attention": Case(
        "c e, d e, d e",
        "c e",
        attention,
        statistics=lambda q, k, _: {"lse": (np.log(np.exp(q @ k.T).sum(-1)), "c")},
        products={
            x * w: (lambda q, k, _, arriving: q @ k.T, "c d"),
            dy * u: (lambda q, k, v, arriving: arriving @ v.T, "c d"),
        },
    ),
    "gate": Case(**two, computes=lambda a, b: a * sigma(a) * b),
    "gelu_gate": Case(**two, computes=lambda a, b: a * Phi(a) * b),
    "gelu_tanh": Case(
        **one,
        computes=lambda a: a * (1 + np.tanh(sqrt(2 / np.pi) * (a + 0.044715 * a**3))) / 2,
        numbers={"pi": np.pi},
    ),
}

# Rules whose work is to route tokens: what they read is an index, and what they sum is told by axes alone.
ROUTING = {"join", "dispatch", "combine", "top", "route"}
WITHOUT_GRADIENT = {"draw", "row_max", "top", "route"}
WITH_BODY_ONLY = {"part", "branch", "repeat"}

FUNCTIONS = {
    "sigma": sigma,
    "phi": phi,
    "Phi": Phi,
    "softmax_of": softmax,
    "Heaviside": lambda z, *_: (np.asarray(z) > 0).astype(float),
    "inside": lambda z: (np.abs(z) < 0.5).astype(float),
}


def spread(array: np.ndarray, axes: str, joint: str) -> np.ndarray:
    """An array laid along the joint axes, of length one along those that it lacks."""
    shape = [SIZES[axis] if axis in axes.split() else 1 for axis in joint.split()]
    order = [axes.split().index(axis) for axis in joint.split() if axis in axes.split()]
    return np.transpose(array, order).reshape(shape)


def inputs_of(case: Case) -> tuple[list[str], list[np.ndarray]]:
    axes = [each.strip() for each in case.takes.split(",")]
    arrays = [NUMBERS.normal(size=[SIZES[axis] for axis in each.split()]) for each in axes]
    return axes, [np.abs(array) + 0.5 for array in arrays] if case.positive else arrays


def analytic(
    rule: Rule, case: Case, slot: Symbol, axes: list[str], arrays: list[np.ndarray], arriving: np.ndarray
):
    """The rule's own gradient of one input, summed over the joint axes that this input lacks."""
    joint = case.joint or " ".join(dict.fromkeys(" ".join([*axes, case.makes]).split()))
    rows = joint.split().index(case.makes.split()[-1]) if case.makes else None
    slots = [each for each in rule.takes if each not in rules.WITHOUT_GRADIENT]
    known = {each: spread(array, axis, joint) for each, array, axis in zip(slots, arrays, axes, strict=True)}
    known |= {each: np.asarray(array) for each, array in case.reads.items()} | {rules.i: np.zeros(())}
    known |= {Symbol(name): np.asarray(number) for name, number in case.numbers.items()}
    for name, (array, along) in case.statistics(*arrays).items():
        known[Symbol(name)] = spread(array, along, joint)
    known |= {y: spread(case.computes(*arrays), case.makes, joint), dy: spread(arriving, case.makes, joint)}

    def value(form: Expr) -> np.ndarray:
        symbols = sorted(form.free_symbols, key=str)
        compute = lambdify(symbols, form, [FUNCTIONS | {"onehot": lambda _: case.onehot}, "numpy"])
        return np.asarray(compute(*(known[each] for each in symbols)))

    if rule.row is not None:
        known[rules.row] = value(rule.row).sum(rows, keepdims=True)
    for name, form in rule.means.items():
        known[name] = value(form).mean(rows, keepdims=True)
    gradient = rule.gradient(slot)
    for product, (multiplied, along) in case.products.items():
        stand_in = Symbol(f"product of {product}")
        gradient = gradient.subs(product, stand_in)
        known[stand_in] = spread(multiplied(*arrays, arriving), along, joint)
    if rule.after is not None and rule.value is not None:
        gradient = gradient * diff(rule.after, y)
    found = value(gradient)
    found = found.reshape([1] * (len(joint.split()) - found.ndim) + list(found.shape))
    own = axes[slots.index(slot)].split()
    summed = found.sum(tuple(place for place, axis in enumerate(joint.split()) if axis not in own))
    order = [axis for axis in joint.split() if axis in own]
    summed = np.broadcast_to(summed, [SIZES[axis] for axis in order])
    return np.transpose(summed, [order.index(axis) for axis in own])


def numeric(case: Case, position: int, arrays: list[np.ndarray], arriving: np.ndarray) -> np.ndarray:
    """Σ of the result times what arrives for it, as each element of one input is moved a little."""
    gradient = np.zeros_like(arrays[position])
    for index in np.ndindex(gradient.shape):
        at = []
        for move in (STEP, -STEP):
            moved = [array.copy() for array in arrays]
            moved[position][index] += move
            at.append(np.sum(case.computes(*moved) * arriving))
        gradient[index] = (at[0] - at[1]) / (2 * STEP)
    return gradient


SLOTS = [(name, position) for name, case in CASES.items() for position in range(case.takes.count(",") + 1)]


@pytest.mark.parametrize(("name", "position"), SLOTS)
def test_a_gradient_is_what_moving_each_element_shows(name, position):
    rule, case = RULES[name], CASES[name]
    axes, arrays = inputs_of(case)
    arriving = NUMBERS.normal(size=[SIZES[axis] for axis in case.makes.split()])
    slot = [each for each in rule.takes if each not in rules.WITHOUT_GRADIENT][position]
    expected = numeric(case, position, arrays, arriving)
    assert np.allclose(analytic(rule, case, slot, axes, arrays, arriving), expected, rtol=1e-5, atol=1e-7)


def test_every_rule_with_a_gradient_is_tried():
    tried = set(CASES) | ROUTING | WITHOUT_GRADIENT | WITH_BODY_ONLY
    assert tried == set(RULES)


@pytest.mark.parametrize("name", sorted(WITHOUT_GRADIENT | WITH_BODY_ONLY))
def test_what_has_no_gradient_says_why(name):
    rule = RULES[name]
    assert rule.meaning
    assert all(rule.gradient(slot) is None for slot in rule.takes) or name == "draw"


@pytest.mark.parametrize(
    ("name", "slot", "kept"),
    [
        ("contract", x, {w}),  # each factor is the other's slope
        ("contract", w, {x}),
        ("add", x, set()),  # slope 1
        ("multiply", x, {w}),
        ("silu", x, {x}),  # σ'(x) needs x
        ("gate", x, {x, w}),
        ("gate", w, {x}),
        ("softmax", x, {y}),  # written in its own result
        ("exp", x, {y}),
        ("sigmoid", x, {y}),
        ("relu", x, {y}),
        ("rsqrt", x, {y}),
        ("log_softmax", x, {y}),
        ("dropout", x, {rules.m}),  # the mask alone
        ("mask", x, {rules.m}),
        ("gather", w, {rules.i}),
        ("rms_norm", w, {x, rules.rstd}),
        ("attention", x, {x, w, u, y, rules.lse}),  # flash attention: scores are made again from lse
    ],
)
def test_what_a_gradient_mentions_is_what_is_kept(name, slot, kept):
    """As autograd's own derivative formulas read (PyTorch, derivatives.yaml)."""
    assert RULES[name].reads(slot) == kept


@pytest.mark.parametrize("name", RULES)
def test_a_rule_pickles_as_itself(name):
    assert pickle.loads(pickle.dumps(RULES[name])) is RULES[name]


@pytest.mark.parametrize(
    ("name", "slot", "words"),
    [
        ("softmax", x, "P ⊙ (∂P − Σ)"),
        ("add", x, "∂P"),
        ("multiply", x, "w ⊙ ∂P"),
    ],
)
def test_a_gradient_is_written_in_the_names_at_hand(name, slot, words):
    names = {y: "P", dy: "∂P", rules.row: "Σ"}
    assert rules.write(RULES[name].gradient(slot), names) == words


@pytest.mark.parametrize("name", [name for name in RULES if RULES[name].differentiable])
def test_every_gradient_can_be_written_in_words_and_in_latex(name):
    for slot in RULES[name].takes:
        gradient = RULES[name].gradient(slot)
        if gradient is not None:
            names = {symbol: symbol.name for symbol in gradient.free_symbols}
            assert rules.write(gradient, names)
            written = rules.write(gradient, names, rules.LATEX)
            assert written.count("{") == written.count("}") and written.count("(") == written.count(")")
