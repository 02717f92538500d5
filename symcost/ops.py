"""The verbs that a layer is written in: each makes one tensor; composites have a body of others."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sympy import Expr

from symcost import rules
from symcost.errors import AxisError
from symcost.rules import Rule
from symcost.tensors import Op, Role, Tensor

Layer = Callable[..., Tensor]


def parameter(name: str, axes: str) -> Tensor:
    """A learned tensor, as in `parameter("W_1", "d d_ff")`."""
    return Tensor(name, tuple(axes.split()), Role.PARAMETER)


def index(name: str, axes: str) -> Tensor:
    """Whole numbers that pick rows (token ids, targets): no gradient, not counted among activations."""
    return Tensor(name, tuple(axes.split()), Role.INDEX, element="int64")


def constant(name: str, axes: str, element: str | None = None) -> Tensor:
    """A table made once and never learned: RoPE's angles, a causal mask."""
    return Tensor(name, tuple(axes.split()), Role.CONSTANT, element=element)


def contract(name: str, pattern: str, left: Tensor, right: Tensor, *, chosen: str = "") -> Tensor:
    """A product summed over the axes that the result lacks, as in `contract("G", "b c d, d d_ff -> b c d_ff",
    x, W_1)`.

    It costs 2 FLOPs for each point of its joint axes. A primed axis has the length of the plain one. `chosen`
    is an axis of `right` of which each point of `left` reads one place alone (its expert's): no work runs
    over it. Raises AxisError where a tensor does not have the axes that the pattern reads.
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
    joint = tuple(dict.fromkeys(axis for read in reads for axis in read if axis != chosen))
    if not set(result) <= set(joint):
        raise AxisError(
            f"{name}: the result's axes '{' '.join(result)}' are not all among those of its factors."
        )
    return _made(rules.CONTRACT, name, (left, right), result, joint=joint)


def linear(
    name: str,
    pattern: str,
    x: Tensor,
    W: Tensor,
    *,
    chosen: str = "",
    biased: Collection[str] = (),
    adapted: Collection[str] = (),
) -> Tensor:
    """x·W, plus a bias over the axes that W adds, plus a low-rank product x·A·B beside it (LoRA).

    `biased` and `adapted` name the matrices that have the one or the other, as in `biased={"W_Q", "W_K"}`.
    Source of the adapter: Hu et al. 2021, "LoRA", equation 3.
    """
    y = contract(name, pattern, x, W, chosen=chosen)
    summed = [axis for axis in W.axes if axis in x.axes and axis not in y.axes]
    added = [axis for axis in W.axes if axis in y.axes]
    of_one = [axis for axis in W.axes if axis == chosen]
    if W.name in biased:
        y = bias(f"{name}_biased", y, parameter(f"bias_{name}", " ".join(of_one + added)))
    if W.name in adapted:
        A = parameter(W.name.replace("W", "A", 1), " ".join([*of_one, *summed, "r"]))
        B = parameter(W.name.replace("W", "B", 1), " ".join([*of_one, "r", *added]))
        kept = [axis for axis in x.axes if axis not in summed]
        to_low = f"{' '.join(x.axes)}, {' '.join(A.axes)} -> {' '.join([*kept, 'r'])}"
        low = contract(f"{name}_low", to_low, x, A, chosen=chosen)
        from_low = f"{' '.join(low.axes)}, {' '.join(B.axes)} -> {' '.join(y.axes)}"
        delta = contract(f"{name}_delta", from_low, low, B, chosen=chosen)
        y = add(f"{name}_adapted", y, scale(f"{name}_scaled", delta))
    return y


def add(name: str, left: Tensor, right: Tensor) -> Tensor:
    """left + right, of equal axes (a residual connection)."""
    if left.axes != right.axes:
        raise AxisError(
            f"{name}: {left.name} has the axes '{' '.join(left.axes)}', "
            f"{right.name} '{' '.join(right.axes)}'."
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


def spread_head(name: str, x: Tensor) -> Tensor:
    """[b h_kv c d_k] → [b h c d_k] for h_kv = 1: one key or value head, seen by all query heads without a
    copy.
    """
    return _made(rules.BROADCAST, name, (x,), tuple("h" if axis == "h_kv" else axis for axis in x.axes))


def split(name: str, x: Tensor, axes: str) -> Tensor:
    """One part of x, seen through its own axes (Q, K, V of a packed projection)."""
    return _made(rules.SPLIT, name, (x,), tuple(axes.split()))


def join(name: str, left: Tensor, right: Tensor, axes: str) -> Tensor:
    """left and right side by side along one axis; right is repeated over axes that it lacks."""
    return _made(rules.JOIN, name, (left, right), tuple(axes.split()))


def gather(name: str, table: Tensor, ids: Tensor, axes: str) -> Tensor:
    """Rows of a table: costs no FLOPs; its gradient reads the ids alone."""
    return _made(rules.GATHER, name, (table, ids), tuple(axes.split()))


def mask(name: str, x: Tensor, where: Tensor) -> Tensor:
    """Scores with −∞ where the mask is set; the gradient reads the mask alone."""
    return _made(rules.MASK, name, (x, where), x.axes)


def rotate(name: str, x: Tensor, table: Tensor) -> Tensor:
    """RoPE: pairs of elements turned by the table's angles, linear in x.

    Where the table is narrower than x, the first part of x is turned and joined to the rest.
    Source: Su et al. 2021, RoFormer, section 3.2; Black et al. 2022, GPT-NeoX, section 2.1 (a part).
    """
    if table.axes[-1] == x.axes[-1]:
        return _made(rules.ROTATE, name, (x, table), x.axes)
    first = split(f"{x.name}_first", x, " ".join([*x.axes[:-1], table.axes[-1]]))
    turned = _made(rules.ROTATE, f"{x.name}_turned", (first, table), first.axes)
    return join(name, turned, x, " ".join(x.axes))


def top(name: str, x: Tensor, axes: str) -> Tensor:
    """The indices of the largest of each row."""
    indices = _made(rules.TOP, name, (x,), tuple(axes.split()))
    indices.role, indices.element = Role.INDEX, "int64"
    return indices


def route(name: str, chosen: Tensor) -> Tensor:
    """For each expert the tokens sent to it, as pairs of token and place: two indices for each choice."""
    pairs = _made(rules.ROUTE, name, (chosen,), ("2", *chosen.axes))
    pairs.role, pairs.element = Role.INDEX, "int64"
    return pairs


def pick(name: str, x: Tensor, indices: Tensor, axes: str) -> Tensor:
    """The elements of x at the indices."""
    return _made(rules.PICK, name, (x, indices), tuple(axes.split()))


def dispatch(name: str, x: Tensor, indices: Tensor) -> Tensor:
    """[b c d] → [b c k d]: each token's row, once for each of the k experts it is sent to."""
    return _made(rules.DISPATCH, name, (x, indices), ("b", "c", "k", *x.axes[2:]))


def combine(name: str, x: Tensor, indices: Tensor) -> Tensor:
    """[b c k d] → [b c d]: what a token's k experts answer, added up."""
    return _made(
        rules.COMBINE, name, (x, indices), tuple(axis for axis in x.axes if axis != "k"), joint=x.axes
    )


def normalise(name: str, x: Tensor) -> Tensor:
    """x over the sum of its row."""
    total = _made(rules.ROW_SUM, f"{name}_sum", (x,), x.axes[:-1], joint=x.axes)
    return _made(rules.DIVIDE, name, (x, total), x.axes)


def dropout(name: str, x: Tensor) -> Tensor:
    """x with some elements dropped: the mask is the slope, so the mask is kept and x is not."""
    drawn = Tensor(f"mask_{name}", x.axes, Role.MASK)
    drawn.made_by = op = Op(rules.DRAW, drawn.name, (x,), x.axes)
    op.result = drawn
    return _made(rules.DROPOUT, name, (x, drawn), x.axes)


def softmax(name: str, x: Tensor) -> Tensor:
    """Softmax over the last axis; its gradient is written in its own result."""

    def body(x: Tensor) -> Tensor:
        _, exponential, total = _exponentials(x)
        return _made(rules.DIVIDE, name, (exponential, total), x.axes)

    return composite(rules.SOFTMAX, name, body, x)


def _exponentials(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x minus its row's largest, the exponential of that, and its sum over each row."""
    rows = x.axes[:-1]
    largest = _made(rules.ROW_MAX, "row_max", (x,), rows, joint=x.axes)
    shifted = _made(rules.CENTRE, "shifted", (x, largest), x.axes)
    exponential = _made(rules.EXP, "exponential", (shifted,), x.axes)
    return shifted, exponential, _made(rules.ROW_SUM, "row_sum", (exponential,), rows, joint=x.axes)


def log_softmax(name: str, x: Tensor) -> Tensor:
    """The logarithm of softmax over the last axis; its gradient is written in its own result."""

    def body(x: Tensor) -> Tensor:
        shifted, _, total = _exponentials(x)
        log_sum = _made(rules.LOG, "log_sum", (total,), total.axes)
        return _made(rules.CENTRE, name, (shifted, log_sum), x.axes)

    return composite(rules.LOG_SOFTMAX, name, body, x)


def silu(name: str, x: Tensor) -> Tensor:
    """SiLU(x) = x·σ(x)."""

    def body(x: Tensor) -> Tensor:
        return multiply(name, x, _made(rules.SIGMOID, "sigmoid", (x,), x.axes))

    return composite(rules.SILU, name, body, x)


def gelu(name: str, x: Tensor) -> Tensor:
    """GELU(x) = x·Φ(x). Source: Hendrycks and Gimpel 2016."""
    return _made(rules.GELU, name, (x,), x.axes)


def relu(name: str, x: Tensor) -> Tensor:
    """max(x, 0); its gradient is written in its own result."""
    return _made(rules.RELU, name, (x,), x.axes)


def relu_squared(name: str, x: Tensor) -> Tensor:
    """max(x, 0)². Source: So et al. 2021, Primer, section 3."""
    return _made(rules.SQUARE, name, (relu(f"relu_{x.name}", x),), x.axes)


def sigmoid(name: str, x: Tensor) -> Tensor:
    """σ(x); its gradient is written in its own result."""
    return _made(rules.SIGMOID, name, (x,), x.axes)


def clamp(name: str, x: Tensor) -> Tensor:
    """x held between two numbers: the slope depends on x."""
    return _made(rules.CLAMP, name, (x,), x.axes)


def soft_cap(name: str, x: Tensor) -> Tensor:
    """a·tanh(x/a), which never leaves ±a; tanh's gradient is written in its own result.

    Source: Gemma Team 2024, Gemma 2, section 2.
    """
    return scale(name, _made(rules.TANH, f"tanh_{x.name}", (scale(f"{x.name}_scaled", x),), x.axes))


def sink_softmax(name: str, x: Tensor, sinks: Tensor) -> Tensor:
    """Softmax over the last axis and one more, learned score for each head, whose weight is dropped.

    Source: OpenAI 2025, gpt-oss model card, section 2.3.
    """
    return _made(rules.SINK_SOFTMAX, name, (x, sinks), x.axes)


def gelu_tanh(name: str, x: Tensor) -> Tensor:
    """GELU by tanh, as GPT-2 writes it: ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).

    Source: Hendrycks and Gimpel 2016, section 2; GPT-2's code spells it out step by step.
    """

    def body(x: Tensor) -> Tensor:
        half = scale("half", x)
        cube = _made(rules.CUBE, "cube", (x,), x.axes)
        inner = scale("inner", add("polynomial", x, scale("scaled_cube", cube)))
        tangent = _made(rules.TANH, "tangent", (inner,), x.axes)
        shifted = _made(rules.ONE_PLUS, "one_plus_tangent", (tangent,), x.axes)
        return multiply(name, half, shifted)

    return composite(rules.GELU_TANH, name, body, x)


def gate(name: str, g: Tensor, up: Tensor) -> Tensor:
    """SiLU(g)·up as one step, or taken apart into SiLU and a product. Source: Shazeer 2020, section 2."""
    return composite(rules.GATE, name, lambda g, up: multiply(name, silu(f"silu_{g.name}", g), up), g, up)


def gelu_gate(name: str, g: Tensor, up: Tensor) -> Tensor:
    """GELU(g)·up as one step, or taken apart into GELU and a product. Source: Shazeer 2020, section 2."""
    return composite(
        rules.GELU_GATE, name, lambda g, up: multiply(name, gelu(f"gelu_{g.name}", g), up), g, up
    )


def rms_norm(
    name: str, x: Tensor, gain: Tensor | None = None, *, over: str = "", around_one: bool = False
) -> Tensor:
    """x / √(mean x² + ε) · gain. Source: Zhang and Sennrich 2019, equation 4.

    The mean runs over the axes `over` (the last one, unless said). A gain `around_one` is 1 + gain, as in
    Gemma.
    """
    rows = _rows(x, over)

    def body(x: Tensor, *gains: Tensor) -> Tensor:
        square = _made(rules.MEAN_SQUARE, "mean_square", (x,), rows, joint=x.axes)
        rstd = _made(rules.RSQRT, "rstd", (square,), rows)
        x_hat = _made(rules.NORMALISE, "x_hat" if gains else name, (x, rstd), x.axes)
        for gain in gains:
            if around_one:
                gain = _made(rules.ONE_PLUS, f"one_plus_{gain.name}", (gain,), gain.axes)
            spread = _made(rules.BROADCAST, gain.name, (gain,), gain.axes)
            x_hat = _made(rules.GAIN, name, (x_hat, spread), x.axes)
        return x_hat

    return composite(rules.RMS_NORM, name, body, x, *((gain,) if gain is not None else ()), rows=rows)


def centre(name: str, x: Tensor) -> Tensor:
    """x minus the mean of its row."""
    return _made(rules.CENTRE, name, (x, _made(rules.MEAN, "mean", (x,), x.axes[:-1], joint=x.axes)), x.axes)


def layer_norm(name: str, x: Tensor, *learned: Tensor, around_one: bool = False) -> Tensor:
    """(x − mean) / √(variance + ε) over the last axis, · gain + shift where `learned` gives them.

    A gain `around_one` is 1 + gain, made before the step. Source: Ba et al. 2016, equation 4.
    """
    if around_one:
        learned = (
            _made(rules.ONE_PLUS, f"one_plus_{learned[0].name}", learned[:1], learned[0].axes),
            *learned[1:],
        )

    def body(x: Tensor, *learned: Tensor) -> Tensor:
        centred = centre("centred", x)
        square = _made(rules.MEAN_SQUARE, "variance", (centred,), x.axes[:-1], joint=x.axes)
        rstd = _made(rules.RSQRT, "rstd", (square,), x.axes[:-1])
        x_hat = _made(rules.NORMALISE, "x_hat" if learned else name, (centred, rstd), x.axes)
        if not learned:
            return x_hat
        gain, *shift = learned
        gained = _made(rules.GAIN, "x_gained" if shift else name, (x_hat, gain), x.axes)
        return bias(name, gained, shift[0]) if shift else gained

    return composite(rules.LAYER_NORM, name, body, x, *learned)


def centred_norm(name: str, x: Tensor, gain: Tensor) -> Tensor:
    """(x − mean) / √(variance + ε) · gain over the last axis, spelt out, with x centred once for the variance
    and once for the result. Source: Cohere's Command R, the published code.
    """

    def body(x: Tensor, gain: Tensor) -> Tensor:
        square = _made(rules.MEAN_SQUARE, "variance", (centre("centred", x),), x.axes[:-1], joint=x.axes)
        rstd = _made(rules.RSQRT, "rstd", (square,), x.axes[:-1])
        x_hat = _made(rules.NORMALISE, "x_hat", (centre("centred_again", x), rstd), x.axes)
        return _made(rules.GAIN, name, (x_hat, gain), x.axes)

    return composite(rules.CENTRED_NORM, name, body, x, gain)


def _rows(x: Tensor, over: str) -> tuple[str, ...]:
    """The axes of x that a mean over some axes (the last one, unless said) leaves."""
    summed = over.split() or [x.axes[-1]]
    return tuple(axis for axis in x.axes if axis not in summed)


def attention_core(
    name: str,
    Q: Tensor,
    K: Tensor,
    V: Tensor,
    where: Tensor | None = None,
    drops: bool = False,
    *,
    slopes: Tensor | None = None,
    capped: bool = False,
    sinks: Tensor | None = None,
) -> Tensor:
    """O = softmax(Q·Kᵀ/√d_k)·V for each head, with an optional mask and dropout on the weights.

    `slopes` are ALiBi's, added to the scores; `capped` scores go through a soft cap; `sinks` are a learned
    score for each head that takes part in the softmax. As one step that is computed again on the way back it
    is flash attention: weights are made from the log-sum-exp of each row. Source: Vaswani et al. 2017,
    equation 1; Dao et al. 2022, algorithm 4.
    """

    given = {"slopes": slopes, "where": where, "sinks": sinks}
    extra = {each: tensor for each, tensor in given.items() if tensor is not None}

    def body(Q: Tensor, K: Tensor, V: Tensor, *others: Tensor) -> Tensor:
        reads = dict(zip(extra, others, strict=True))
        S = scale("S", contract("scores", "b h c d_k, b h c' d_k -> b h c c'", Q, K))
        if capped:
            S = soft_cap("S_capped", S)
        if "slopes" in reads:
            S = bias("S_sloped", S, reads["slopes"])
        if "where" in reads:
            S = mask("S_masked", S, reads["where"])
        P = sink_softmax("P", S, reads["sinks"]) if "sinks" in reads else softmax("P", S)
        if drops:
            P = dropout("P_dropped", P)
        value_width = V.axes[-1]
        return contract(name, f"b h c c', b h c' {value_width} -> b h c {value_width}", P, V)

    return composite(rules.ATTENTION, name, body, Q, K, V, *extra.values())


def cross_entropy(name: str, logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over all tokens of −log softmax(logits) at the target."""

    def body(logits: Tensor, targets: Tensor) -> Tensor:
        log_p = log_softmax("log_p", logits)
        return _made(rules.NLL, name, (log_p, targets), (), joint=logits.axes[:-1])

    return composite(rules.CROSS_ENTROPY, name, body, logits, targets)


def composite(
    rule: Rule, name: str, body: Callable[..., Tensor], *inputs: Tensor, rows: tuple[str, ...] | None = None
) -> Tensor:
    """One step that also has a body of simpler ones. A convention says how it is taken.

    Everything that the body reads is passed as an input; its own parameters it may make itself.
    Raises AxisError where the body reads a tensor of the outside that was not passed.
    """
    before = Tensor("", ()).number
    inner = body(*inputs)
    result = _made(rule, name, inputs, inner.axes, body=inner, rows=rows)
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
    rows: tuple[str, ...] | None = None,
) -> Tensor:
    op = Op(rule, name, inputs, joint if joint is not None else axes, body=body)
    whole = inputs[0].axes if inputs else ()
    named = {"rows": whole[:-1] if rows is None else rows, "input": whole}
    op.statistics = tuple(
        Tensor(
            statistic.symbol.name,
            named[statistic.axes] if statistic.axes in named else tuple(statistic.axes.split()),
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
                f"{op.name}: its body reads {inner.result.name}, which was made outside. "
                "Pass it as an argument."
            )
