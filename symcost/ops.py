"""The verbs that a layer is written in. Each makes one tensor; composites also carry a body of simpler verbs."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr

from symcost import rules
from symcost.errors import AxisError
from symcost.rules import Rule
from symcost.tensors import Op, Role, Tensor


def parameter(name: str, axes: str) -> Tensor:
    """A learned tensor, as in `parameter("W_1", "d d_ff")`."""
    return Tensor(name, tuple(axes.split()), Role.PARAMETER)


def index(name: str, axes: str) -> Tensor:
    """Whole numbers that pick rows (token ids, targets): no gradient, not counted among activations."""
    return Tensor(name, tuple(axes.split()), Role.INDEX, element="int64")


def constant(name: str, axes: str, element: str | None = None) -> Tensor:
    """A table made once and never learned: RoPE's angles, a causal mask."""
    return Tensor(name, tuple(axes.split()), Role.CONSTANT, element=element)


def contract(name: str, pattern: str, left: Tensor, right: Tensor) -> Tensor:
    """A product summed over the axes that the result lacks, as in `contract("G", "b c d, d d_ff -> b c d_ff", x, W_1)`.

    It costs 2 FLOPs for each point of its joint axes. A primed axis has the length of the plain one.
    Raises AxisError where a tensor does not have the axes that the pattern reads.
    """
    sources, target = pattern.split("->")
    reads = [tuple(source.split()) for source in sources.split(",")]
    for read, tensor in zip(reads, (left, right), strict=True):
        if [axis.rstrip("'") for axis in read] != [axis.rstrip("'") for axis in tensor.axes]:
            raise AxisError(
                f"{name}: the pattern reads {tensor.name} as '{' '.join(read)}', "
                f"but {tensor.name} was made as '{' '.join(tensor.axes)}'."
            )
    result = tuple(target.split())
    joint = tuple(dict.fromkeys(axis for read in reads for axis in read))
    if not set(result) <= set(joint):
        raise AxisError(f"{name}: the result's axes '{' '.join(result)}' are not all among those of its factors.")
    return _made(rules.CONTRACT, name, (left, right), result, joint=joint)


def linear(name: str, pattern: str, x: Tensor, W: Tensor, *, biased: bool = False) -> Tensor:
    """x·W, and a bias over the axes that W adds where `biased`."""
    y = contract(name, pattern, x, W)
    if not biased:
        return y
    added = " ".join(axis for axis in y.axes if axis in W.axes)
    return bias(f"{name}_biased", y, parameter(f"bias_{name}", added))


def add(name: str, left: Tensor, right: Tensor) -> Tensor:
    """left + right, of equal axes (a residual connection)."""
    if left.axes != right.axes:
        raise AxisError(
            f"{name}: {left.name} has the axes '{' '.join(left.axes)}', {right.name} '{' '.join(right.axes)}'."
        )
    return _made(rules.ADD, name, (left, right), left.axes)


def bias(name: str, x: Tensor, b: Tensor) -> Tensor:
    """x + b, the bias b repeated over the axes that it lacks."""
    return _made(rules.BIAS, name, (x, b), x.axes)


def multiply(name: str, left: Tensor, right: Tensor) -> Tensor:
    """left · right, element by element; right may lack axes of left."""
    return _made(rules.MULTIPLY, name, (left, right), left.axes)


def scale(name: str, x: Tensor) -> Tensor:
    """x times a plain number, such as 1/√d_k: nothing is kept for a slope that is constant."""
    return _made(rules.SCALE, name, (x,), x.axes)


def repeat_heads(name: str, x: Tensor) -> Tensor:
    """[b h_kv c d_k] → [b h c d_k]: each key or value head stands for a group of query heads."""
    return _made(rules.REPEAT_HEADS, name, (x,), tuple("h" if axis == "h_kv" else axis for axis in x.axes))


def split(name: str, x: Tensor, axes: str) -> Tensor:
    """One part of x, seen through its own axes (Q, K, V of a packed projection)."""
    return _made(rules.SPLIT, name, (x,), tuple(axes.split()))


def gather(name: str, table: Tensor, ids: Tensor, axes: str) -> Tensor:
    """Rows of a table: costs no FLOPs; its gradient reads the ids alone."""
    return _made(rules.GATHER, name, (table, ids), tuple(axes.split()))


def mask(name: str, x: Tensor, where: Tensor) -> Tensor:
    """Scores with −∞ where the mask is set; the gradient reads the mask alone."""
    return _made(rules.MASK, name, (x, where), x.axes)


def rotate(name: str, x: Tensor, table: Tensor) -> Tensor:
    """RoPE: pairs of elements turned by the table's angles, linear in x.

    Source: Su et al. 2021, RoFormer, section 3.2.
    """
    return _made(rules.ROTATE, name, (x, table), x.axes)


def dropout(name: str, x: Tensor) -> Tensor:
    """x with some elements dropped: the mask is the slope, so the mask is kept and x is not."""
    drawn = Tensor(f"mask_{name}", x.axes, Role.MASK)
    drawn.made_by = op = Op(rules.DRAW, drawn.name, (), x.axes)
    op.result = drawn
    return _made(rules.DROPOUT, name, (x, drawn), x.axes)


def softmax(name: str, x: Tensor) -> Tensor:
    """Softmax over the last axis; its gradient is written in its own result."""
    return _made(rules.SOFTMAX, name, (x,), x.axes)


def silu(name: str, x: Tensor) -> Tensor:
    """SiLU(x) = x·σ(x)."""
    return _made(rules.SILU, name, (x,), x.axes)


def gelu(name: str, x: Tensor) -> Tensor:
    """GELU(x) = x·Φ(x). Source: Hendrycks and Gimpel 2016."""
    return _made(rules.GELU, name, (x,), x.axes)


def relu(name: str, x: Tensor) -> Tensor:
    """max(x, 0); its gradient is written in its own result."""
    return _made(rules.RELU, name, (x,), x.axes)


def gelu_tanh(name: str, x: Tensor) -> Tensor:
    """GELU by tanh, as GPT-2 writes it: ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).

    Source: Hendrycks and Gimpel 2016, section 2; GPT-2's code spells it out step by step.
    """

    def body(x: Tensor) -> Tensor:
        half = scale("half", x)
        cube = _made(rules.CUBE, "cube", (x,), x.axes)
        inner = scale("inner", add("polynomial", x, scale("scaled_cube", cube)))
        tangent = _made(rules.TANH, "tangent", (inner,), x.axes)
        shifted = scale("one_plus_tangent", tangent)
        return multiply(name, half, shifted)

    return composite(rules.GELU_TANH, name, body, x)


def gate(name: str, g: Tensor, up: Tensor) -> Tensor:
    """SiLU(g)·up as one step, or taken apart into SiLU and a product. Source: Shazeer 2020, section 2."""
    return composite(rules.GATE, name, lambda g, up: multiply(name, silu(f"silu_{g.name}", g), up), g, up)


def gelu_gate(name: str, g: Tensor, up: Tensor) -> Tensor:
    """GELU(g)·up as one step, or taken apart into GELU and a product. Source: Shazeer 2020, section 2."""
    return composite(rules.GELU_GATE, name, lambda g, up: multiply(name, gelu(f"gelu_{g.name}", g), up), g, up)


def rms_norm(name: str, x: Tensor, gain: Tensor) -> Tensor:
    """x / √(mean x² + ε) · gain over the last axis. Source: Zhang and Sennrich 2019, equation 4."""

    def body(x: Tensor, gain: Tensor) -> Tensor:
        square = _made(rules.MEAN_SQUARE, "mean_square", (x,), x.axes[:-1], joint=x.axes)
        rstd = _made(rules.RSQRT, "rstd", (square,), x.axes[:-1])
        x_hat = _made(rules.NORMALISE, "x_hat", (x, rstd), x.axes)
        return _made(rules.GAIN, name, (x_hat, gain), x.axes)

    return composite(rules.RMS_NORM, name, body, x, gain)


def layer_norm(name: str, x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """(x − mean) / √(variance + ε) · gain + shift over the last axis. Source: Ba et al. 2016, equation 4."""

    def body(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
        mean = _made(rules.MEAN, "mean", (x,), x.axes[:-1], joint=x.axes)
        centred = _made(rules.CENTRE, "centred", (x, mean), x.axes)
        square = _made(rules.MEAN_SQUARE, "variance", (centred,), x.axes[:-1], joint=x.axes)
        rstd = _made(rules.RSQRT, "rstd", (square,), x.axes[:-1])
        x_hat = _made(rules.NORMALISE, "x_hat", (centred, rstd), x.axes)
        return bias(name, _made(rules.GAIN, "x_gained", (x_hat, gain), x.axes), shift)

    return composite(rules.LAYER_NORM, name, body, x, gain, shift)


def attention_core(
    name: str, Q: Tensor, K: Tensor, V: Tensor, where: Tensor | None = None, drops: bool = False
) -> Tensor:
    """O = softmax(Q·Kᵀ/√d_k)·V for each head, with an optional mask and dropout on the weights.

    As one step that is computed again on the way back it is flash attention: weights are made from the
    log-sum-exp of each row. Source: Vaswani et al. 2017, equation 1; Dao et al. 2022, algorithm 4.
    """

    def body(Q: Tensor, K: Tensor, V: Tensor, *where: Tensor) -> Tensor:
        S = scale("S", contract("scores", "b h c d_k, b h c' d_k -> b h c c'", Q, K))
        for each in where:
            S = mask("S_masked", S, each)
        P = softmax("P", S)
        if drops:
            P = dropout("P_dropped", P)
        value_width = V.axes[-1]
        return contract(name, f"b h c c', b h c' {value_width} -> b h c {value_width}", P, V)

    extra = () if where is None else (where,)
    return composite(rules.ATTENTION, name, body, Q, K, V, *extra)


def cross_entropy(name: str, logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over all tokens of −log softmax(logits) at the target."""

    def body(logits: Tensor, targets: Tensor) -> Tensor:
        log_p = _made(rules.LOG_SOFTMAX, "log_p", (logits,), logits.axes)
        return _made(rules.NLL, name, (log_p, targets), (), joint=logits.axes[:-1])

    return composite(rules.CROSS_ENTROPY, name, body, logits, targets)


def composite(rule: Rule, name: str, body: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """One step that also has a body of simpler ones. A convention says how it is taken.

    Everything that the body reads is passed as an input; its own parameters it may make itself.
    Raises AxisError where the body reads a tensor of the outside that was not passed.
    """
    before = Tensor("", ()).number
    inner = body(*inputs)
    result = _made(rule, name, inputs, inner.axes, body=inner)
    _closed(result, before)
    return result


def part(name: str, layer: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """A layer under a place of its own: what it makes is found at `name.tensor`."""
    return composite(rules.PART, name, layer, *inputs)


def branch(name: str, layers: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Several layers that a convention can compute again as one; it adds nothing to their place."""
    return composite(rules.BRANCH, name, layers, *inputs)


def repeat(name: str, times: Expr, block: Callable[..., Tensor], x: Tensor, *shared: Tensor) -> Tensor:
    """`block` run `times` times over what passes through (x), with what all blocks share.

    What is made inside counts `times` times; a shared mask or table once.
    """
    carried = Tensor("x", x.axes)
    before = Tensor("", ()).number
    inner = block(carried, *shared)
    result = _made(rules.REPEAT, name, (x, *shared), inner.axes, body=inner)
    result.name = "x_out"
    assert result.made_by is not None
    result.made_by.times, result.made_by.carried = times, carried
    _closed(result, before)
    return result


def _made(
    rule: Rule,
    name: str,
    inputs: tuple[Tensor, ...],
    axes: tuple[str, ...],
    *,
    joint: tuple[str, ...] | None = None,
    body: Tensor | None = None,
) -> Tensor:
    op = Op(rule, name, inputs, joint if joint is not None else axes, body=body)
    rows = inputs[0].axes[:-1] if inputs else ()
    op.statistics = tuple(
        Tensor(
            statistic.symbol.name,
            rows if statistic.axes == "rows" else tuple(statistic.axes.split()),
            element=statistic.element,
            made_by=op,
        )
        for statistic in rule.statistics
    )
    op.result = Tensor(name, axes, made_by=op)
    return op.result


def _closed(result: Tensor, before: int) -> None:
    op = result.made_by
    assert op is not None
    for inner in op.body_ops():
        if inner.result.number < before:
            raise AxisError(
                f"{op.name}: its body reads {inner.result.name}, which was made outside. Pass it as an argument."
            )
