"""What is derived, against a small engine that really runs the lecture's model, forwards and backwards.

The engine knows nothing of symcost: it multiplies matrices with loops that count, and each of its backward
steps may use only arrays that were put away for it. That it is right is shown by finite differences.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from sympy import expand

import symcost
from symcost.derive import Derivation
from symcost.lower import lower
from symcost.symbols import b, c, d, d_ff, d_k, h, h_kv, v

B, C, D, HEADS, BLOCKS, WORDS = 2, 3, 4, 2, 2, 5
WIDTH, INNER = D // HEADS, 4 * D
NUMBERS = {"b": B, "c": C, "d": D, "h": HEADS, "L": BLOCKS, "v": WORDS}
SIZES = {"b": B, "c": C, "s": C, "d": D, "h": HEADS, "k": WIDTH, "f": INNER, "v": WORDS}


class Engine:
    """Runs a model, puts away what its gradients read, counts each product and each sum of its matrices."""

    def __init__(self) -> None:
        self.kept: dict[int, np.ndarray] = {}  # by identity: an array that two gradients read lies there once
        self.gradients: dict[int, np.ndarray] = {}
        self.steps: list[Callable[[], None]] = []
        self.flops = {"forward": 0, "backward": 0}

    def keep(self, *arrays: np.ndarray) -> None:
        self.kept |= {id(array): array for array in arrays}

    def arrives(self, array: np.ndarray, gradient: np.ndarray) -> None:
        self.gradients[id(array)] = self.gradients.get(id(array), 0) + gradient

    def multiply(
        self, pattern: str, left: np.ndarray, right: np.ndarray, when: str = "forward"
    ) -> np.ndarray:
        reads, target = pattern.split("->")
        first, second = reads.split(",")
        joint = "".join(dict.fromkeys(first + second))
        result = np.zeros([SIZES[axis] for axis in target])
        for point in product(*(range(SIZES[axis]) for axis in joint)):
            at = dict(zip(joint, point, strict=True))
            value = left[tuple(at[axis] for axis in first)] * right[tuple(at[axis] for axis in second)]
            result[tuple(at[axis] for axis in target)] += value
            self.flops[when] += 2
        return result

    def product(self, pattern: str, x: np.ndarray, W: np.ndarray) -> np.ndarray:
        """x·W: each factor is the other's slope."""
        self.keep(x, W)
        (first, second), target = pattern.split("->")[0].split(","), pattern.split("->")[1]
        y = self.multiply(pattern, x, W)

        def back() -> None:
            dy = self.gradients[id(y)]
            self.arrives(x, self.multiply(f"{target},{second}->{first}", dy, W, "backward"))
            self.arrives(W, self.multiply(f"{first},{target}->{second}", x, dy, "backward"))

        self.steps.append(back)
        return y

    def add(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Slope 1: nothing is put away."""
        y = x + z
        self.steps.append(
            lambda: (self.arrives(x, self.gradients[id(y)]), self.arrives(z, self.gradients[id(y)]))
        )
        return y

    def rms_norm(self, x: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Zhang and Sennrich 2019; one over the root mean square is made again on the way back."""
        self.keep(x, g)
        y = x / np.sqrt((x**2).mean(-1, keepdims=True)) * g

        def back() -> None:
            dy, r = self.gradients[id(y)], 1 / np.sqrt((x**2).mean(-1, keepdims=True))
            self.arrives(x, r * (g * dy - x * r**2 * (x * g * dy).mean(-1, keepdims=True)))
            self.arrives(g, (x * r * dy).reshape(-1, D).sum(0))

        self.steps.append(back)
        return y

    def softmax(self, scores: np.ndarray) -> np.ndarray:
        """Its gradient is written in its own result."""
        P = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        self.keep(P)

        def back() -> None:
            dP = self.gradients[id(P)]
            self.arrives(scores, P * (dP - (P * dP).sum(-1, keepdims=True)))

        self.steps.append(back)
        return P

    def scale(self, x: np.ndarray, number: float) -> np.ndarray:
        """A constant slope: nothing is put away."""
        y = x * number
        self.steps.append(lambda: self.arrives(x, number * self.gradients[id(y)]))
        return y

    def gate(self, G: np.ndarray, U: np.ndarray) -> np.ndarray:
        """SiLU(G)·U as one step."""
        self.keep(G, U)
        y = G / (1 + np.exp(-G)) * U

        def back() -> None:
            dy, s = self.gradients[id(y)], 1 / (1 + np.exp(-G))
            self.arrives(G, dy * U * s * (1 + G * (1 - s)))
            self.arrives(U, dy * G * s)

        self.steps.append(back)
        return y

    def cross_entropy(self, logits: np.ndarray, targets: np.ndarray) -> float:
        self.keep(logits)
        rows = logits.reshape(-1, WORDS)
        log_p = rows - np.log(np.exp(rows).sum(-1, keepdims=True))

        def back() -> None:
            wanted = np.eye(WORDS)[targets.reshape(-1)]
            self.arrives(
                logits,
                ((np.exp(rows) / np.exp(rows).sum(-1, keepdims=True) - wanted) / len(rows)).reshape(
                    logits.shape
                ),
            )

        self.steps.append(back)
        return -log_p[range(len(rows)), targets.reshape(-1)].mean()

    def embedding(self, W_E: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        x = W_E[tokens]

        def back() -> None:
            gradient = np.zeros_like(W_E)
            np.add.at(gradient, tokens, self.gradients[id(x)])
            self.arrives(W_E, gradient)

        self.steps.append(back)
        return x


def parameters() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(190).normal
    shapes = {"W_E": (WORDS, D), "g": (D,), "W_U": (WORDS, D)}
    for block in range(BLOCKS):
        shapes |= {f"g_1 {block}": (D,), f"g_2 {block}": (D,)}
        shapes |= {f"{name} {block}": (D, HEADS, WIDTH) for name in ("W_Q", "W_K", "W_V")}
        shapes |= {f"W_O {block}": (HEADS, WIDTH, D)}
        shapes |= {f"W_1 {block}": (D, INNER), f"W_3 {block}": (D, INNER), f"W_2 {block}": (INNER, D)}
    return {name: draw(size=shape) / 2 for name, shape in shapes.items()}


def run(W: dict[str, np.ndarray]) -> tuple[Engine, float]:
    """One training step of the lecture's model: RMSNorm, attention, RMSNorm, SwiGLU, head, loss."""
    draw = np.random.default_rng(9)
    tokens, targets = draw.integers(WORDS, size=(2, B, C))
    engine = Engine()
    x = engine.embedding(W["W_E"], tokens)
    for block in range(BLOCKS):
        x_norm = engine.rms_norm(x, W[f"g_1 {block}"])
        Q, K, V = (engine.product("bcd,dhk->bhck", x_norm, W[f"W_{name} {block}"]) for name in "QKV")
        S = engine.scale(engine.product("bhck,bhsk->bhcs", Q, K), WIDTH**-0.5)
        O = engine.product("bhcs,bhsk->bhck", engine.softmax(S), V)
        x_res = engine.add(x, engine.product("bhck,hkd->bcd", O, W[f"W_O {block}"]))
        x_ffin = engine.rms_norm(x_res, W[f"g_2 {block}"])
        G, U = (engine.product("bcd,df->bcf", x_ffin, W[f"{name} {block}"]) for name in ("W_1", "W_3"))
        x = engine.add(x_res, engine.product("bcf,fd->bcd", engine.gate(G, U), W[f"W_2 {block}"]))
    logits = engine.product("bcd,vd->bcv", engine.rms_norm(x, W["g"]), W["W_U"])
    loss = engine.cross_entropy(logits, targets)
    for back in reversed(engine.steps):
        back()
    return engine, loss


@pytest.fixture(scope="module")
def weights():
    return parameters()


@pytest.fixture(scope="module")
def engine(weights):
    return run(weights)[0]


@pytest.fixture(scope="module")
def costs():
    return symcost.derive("cs190c")


@pytest.mark.parametrize("name", ["W_E", "g_1 0", "W_K 1", "W_O 0", "W_3 1", "g", "W_U"])
def test_the_engine_itself_is_right(weights, engine, name):
    """Its gradient of a weight is what moving the weight a little does to the loss."""
    move = np.zeros_like(weights[name])
    move[(0,) * move.ndim] = 1e-6
    up, down = (run(weights | {name: weights[name] + sign * move})[1] for sign in (1, -1))
    assert np.isclose(
        engine.gradients[id(weights[name])][(0,) * move.ndim], (up - down) / 2e-6, rtol=1e-4, atol=1e-8
    )


def test_saved_activations_are_what_the_engine_puts_away(weights, engine, costs):
    own = {id(weight) for weight in weights.values()}
    put_away = sum(array.size for key, array in engine.kept.items() if key not in own)
    assert costs["saved_activations"].at(**NUMBERS) == put_away


@pytest.mark.parametrize("quantity", ["forward", "backward"])
def test_flops_are_the_products_and_sums_that_the_engine_does(engine, costs, quantity):
    assert costs[f"{quantity}_flops"].at(**NUMBERS) == engine.flops[quantity]


def test_parameters_are_the_weights_that_the_engine_has(weights, costs):
    assert costs["parameters"].at(**NUMBERS) == sum(weight.size for weight in weights.values())


# ----------------------------------------------------------------------- what follows from identity


def test_a_tensor_that_several_gradients_read_is_kept_once(costs):
    [x_norm] = [term for term in costs["saved_activations"].of("block") if term.tensor == "x_norm"]
    assert x_norm.amount == b * c * d
    assert x_norm.also == ("block.attention.K", "block.attention.V")


def test_a_tied_embedding_is_counted_once_and_read_twice():
    """GPT-2: the head reads the embedding's own table."""
    parameters = symcost.derive("gpt")["parameters"]
    assert [term.place for term in parameters if term.tensor == "W_E"] == ["embedding"]
    assert "head" not in {term.place for term in parameters}


def test_a_boundary_between_blocks_is_charged_to_the_block_that_reads_it(costs):
    saved = costs["saved_activations"]
    assert [term.tensor for term in saved.of("block.norm_1")] == ["x"]
    assert [term.tensor for term in saved.of("final_norm")] == ["x_out"]


def test_grouped_heads_keep_fewer_keys_and_values():
    """Ainslie et al. 2023: h_kv heads of keys and values instead of h."""
    saved = symcost.derive("llama", given={"d_k": "d_k"})["saved_activations"]
    assert saved.of("block.attention.V").total == b * c * h_kv * d_k
    assert saved.of("block.attention.K_rotated").total == b * c * h_kv * d_k
    assert saved.of("block.attention.Q_rotated").total == b * c * h * d_k


def test_every_term_of_the_lecture_has_the_gradient_that_asks_for_it(costs):
    reasons = {term.tensor: str(term.because) for term in costs["saved_activations"]}
    assert reasons["x_norm"] == "block.attention.Q: ∂W_Q = x_normᵀ·∂Q"
    assert reasons["K"] == "block.attention.scores: ∂Q = ∂scores·K"
    assert reasons["P"] == "block.attention.P: ∂S = P ⊙ (∂P − Σ(P ⊙ ∂P))"
    assert reasons["H"] == "block.mlp.z: ∂W_2 = Hᵀ·∂z"


def test_a_reason_is_also_written_in_latex(costs):
    [P] = [term for term in costs["saved_activations"] if term.tensor == "P"]
    assert P.because.latex == r"\partial S = P \odot (\partial P - \textstyle\sum (P \odot \partial P))"


@pytest.mark.parametrize(
    ("scope", "answer"),
    [
        ("block.attention.S", "no gradient reads it"),
        ("block.attention.W_Q", "it is a parameter, which is there in any case"),
        ("block.attention.y", "no gradient reads it"),
        ("block.attention.P", "P is kept and charged to block.attention"),
        ("block.x_res", "x_res is kept and charged to block.norm_2"),
    ],
)
def test_what_is_kept_and_what_is_not_says_why(costs, scope, answer):
    assert answer in costs.why(scope)


def test_a_tensor_that_there_is_not_is_answered_with_the_nearest(costs):
    with pytest.raises(
        symcost.SymcostError, match=r"is no tensor of this model\. Did you mean 'block\.attention\.P'"
    ):
        costs.why("block.attention.PP")


# --------------------------------------------------------------------------- numbers of small shape


@pytest.mark.parametrize(
    ("under", "block"),
    [
        ("textbook", 8 * b * c * d + 3 * b * c * d_ff + b * h * c**2),
        ("textbook+flash", 8 * b * c * d + 3 * b * c * d_ff + b * h * c),
        ("textbook+checkpoint", b * c * d),
    ],
)
def test_how_a_composite_is_taken_changes_what_is_kept_and_nothing_else_does(under, block):
    derived = symcost.derive("llama", under=under, given={"h_kv": "h"})
    assert expand(derived["saved_activations"].of("block").total - block) == 0
    assert derived["parameters"].total == symcost.derive("llama", given={"h_kv": "h"})["parameters"].total


def test_a_step_that_is_lowered_alone_keeps_what_its_gradient_mentions():
    """Without a model around it: y = SiLU(G)·U."""
    from symcost import ops
    from symcost.conventions import CONVENTIONS
    from symcost.tensors import Role, Tensor

    G = Tensor("G", ("b", "c", "d_ff"), Role.PARAMETER)
    U = Tensor("U", ("b", "c", "d_ff"), Role.PARAMETER)
    H = ops.gate("H", ops.scale("g", G), ops.scale("up", U))
    whole = Derivation(lower(H, CONVENTIONS["textbook"]))
    apart = Derivation(lower(H, CONVENTIONS["torch-eager"]))
    assert [term.tensor for term in whole.saved_activations] == ["g", "up"]
    assert [term.tensor for term in apart.saved_activations] == ["g", "up", "silu_g"]


def test_many_blocks_have_as_many_terms_as_few():
    """L is a letter: a model of 126 blocks has no more terms than one of two, so it is derived as quickly."""
    few, many = (symcost.derive("cs190c", given={"L": blocks}) for blocks in (2, 126))
    assert len(few["saved_activations"]) == len(many["saved_activations"]) == 15
    assert few["saved_activations"].total == many["saved_activations"].total
    assert v in few["saved_activations"].total.free_symbols
