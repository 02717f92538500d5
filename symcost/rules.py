"""What one element of an op's result is. The gradients follow, and what a gradient mentions is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import (
    Add,
    Expr,
    Function,
    Heaviside,
    Integer,
    Max,
    Mul,
    Pow,
    Rational,
    Symbol,
    diff,
    exp,
    log,
    sqrt,
    tanh,
)

x, w, u = Symbol("x"), Symbol("w"), Symbol("u")  # the inputs in the order in which they are taken
m, t, i = Symbol("m"), Symbol("t"), Symbol("i")  # inputs without a gradient: a mask, a table, an index
y, dy = Symbol("y"), Symbol("dy")  # the result, and the gradient that arrives for it
row = Symbol("row")  # a sum made on the way back from what is there; never kept
row_mean, row_slope = Symbol("row_mean"), Symbol("row_slope")  # and two means
rstd, mean, lse = Symbol("rstd"), Symbol("mean"), Symbol("lse")
row_max, log_sum, total_weight = Symbol("row_max"), Symbol("log_sum"), Symbol("total_weight")
source, sunk = Symbol("source"), Symbol("sunk")

WITHOUT_GRADIENT = frozenset({m, t, i})


class sigma(Function):  # type: ignore[misc]
    """The logistic function; σ' = σ(1 − σ)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return self * (1 - self)


class Phi(Function):  # type: ignore[misc]
    """The normal distribution function; Φ' = φ."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return phi(self.args[0])


class phi(Function):  # type: ignore[misc]
    """The normal density."""

    nargs = 1


class softmax_of(Function):  # type: ignore[misc]
    """The softmax of a row, where a gradient is written in the scores instead of in the weights."""

    nargs = 1


class onehot(Function):  # type: ignore[misc]
    """One at the index, zero elsewhere."""

    nargs = 1


class inside(Function):  # type: ignore[misc]
    """One where a clamp lets its argument pass, zero elsewhere."""

    nargs = 1


class like(Function):  # type: ignore[misc]
    """The first argument in the shape of the second."""

    nargs = 2


@dataclass(frozen=True, eq=False)
class Statistic:
    """A small extra result that a fused kernel writes down for its gradient.

    `axes` is "rows" (all axes of the first input but the last), "input" (all of them) or the axes themselves;
    `element` its element type where the kernel fixes one.
    """

    symbol: Symbol
    axes: str
    meaning: str
    element: str | None = "fp32"


@dataclass(frozen=True, eq=False)
class Rule:
    """The formula of one element of a result, in the slots it takes.

    A sum over the axes that the result lacks is understood. `gradients` are written by hand only where a sum
    runs through the formula or where the field writes them in the result `y`. `moves` marks rules that only
    lay the same elements out in another way. `row` is what the sum of that name runs over, `means` the same
    of means, `after` what is made of a sum, which is `y` there. A rule without a formula is a composite,
    known by its body.
    """

    name: str
    takes: tuple[Symbol, ...] = ()
    value: Expr | None = None
    gradients: Mapping[Symbol, Expr] = field(default_factory=dict)
    statistics: tuple[Statistic, ...] = ()
    row: Expr | None = None
    means: Mapping[Symbol, Expr] = field(default_factory=dict)
    after: Expr | None = None
    moves: bool = False
    meaning: str = ""

    def gradient(self, slot: Symbol) -> Expr | None:
        """The gradient of one input: an expression in the slots, `y`, `dy`, `row` and the statistics.

        >>> MULTIPLY.gradient(x)
        dy*w
        """
        return self._gradients.get(slot)

    def reads(self, slot: Symbol) -> frozenset[Symbol]:
        """What the gradient of one input mentions, besides the gradient that arrives.

        >>> sorted(map(str, GATE.reads(x)))
        ['w', 'x']
        """
        return self._reads.get(slot, frozenset())

    @cached_property
    def _reads(self) -> Mapping[Symbol, frozenset[Symbol]]:
        found = {}
        for slot, gradient in self._gradients.items():
            mentioned = set(gradient.free_symbols)
            for made, form in {row: self.row, **self.means}.items():
                if made in mentioned and form is not None:
                    mentioned |= form.free_symbols
            found[slot] = frozenset(mentioned - {dy, row, row_mean, row_slope})
        return found

    @cached_property
    def _gradients(self) -> Mapping[Symbol, Expr]:
        if self.gradients or self.value is None:
            return self.gradients
        return {slot: diff(self.value, slot) * dy for slot in self.takes if slot not in WITHOUT_GRADIENT}

    @property
    def differentiable(self) -> bool:
        """Whether it says by itself how gradients pass through it."""
        return bool(self.gradients) or self.value is not None

    def __repr__(self) -> str:
        return self.name.upper()

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return rule, (self.name,)


# Sums and products.
CONTRACT = Rule("contract", (x, w), x * w, meaning="a matrix product: both factors are each other's slope")
ADD = Rule("add", (x, w), x + w, meaning="slope 1: keeps nothing")
BIAS = Rule("bias", (x, w), x + w, meaning="slope 1: keeps nothing")
MULTIPLY = Rule("multiply", (x, w), x * w, meaning="each factor is the other's slope")
SCALE = Rule("scale", (x,), x * Symbol("constant"), {x: dy * Symbol("constant")}, meaning="a constant slope")
CAST = Rule("cast", (x,), x, meaning="slope 1: keeps nothing")

# The same elements, laid out in another way.
REPEAT_HEADS = Rule("repeat_heads", (x,), x, moves=True, meaning="slope 1: keeps nothing")
SPLIT = Rule("split", (x,), x, moves=True, meaning="slope 1: keeps nothing")
BROADCAST = Rule("broadcast", (x,), x, moves=True, meaning="slope 1: keeps nothing")
LAY_OUT = Rule(
    "lay_out", (x,), x, moves=True, meaning="a view written out for a kernel that needs its rows together"
)
JOIN = Rule("join", (x, w), gradients={x: dy, w: dy}, moves=True, meaning="slope 1: keeps nothing")

# Look-ups, masks and tables.
GATHER = Rule("gather", (w, i), gradients={w: dy * onehot(i)}, meaning="rows of a table, by index")
MASK = Rule("mask", (x, m), gradients={x: dy * (1 - m)}, meaning="scores are filled where the mask is set")
ROTATE = Rule("rotate", (x, t), x * t, meaning="linear with a constant table")
TOP = Rule("top", (x,), meaning="the indices of the largest; they have no gradient")
ROUTE = Rule("route", (i,), meaning="the tokens of each expert, by index")
PICK = Rule("pick", (x, i), gradients={x: dy * onehot(i)}, meaning="elements by index")
DISPATCH = Rule(
    "dispatch",
    (x, i),
    gradients={x: dy * onehot(i)},
    meaning="each token's row, for each expert it is sent to",
)
COMBINE = Rule(
    "combine",
    (x, i),
    gradients={x: like(dy * onehot(i), source)},
    statistics=(
        Statistic(source, "input", "what is summed, which PyTorch keeps for its shape", element=None),
    ),
    meaning="the sum over the experts of each token",
)
DRAW = Rule("draw", (), Integer(1), meaning="random, without a gradient")
DROPOUT = Rule("dropout", (x, m), x * m, meaning="the mask is the slope")

# Functions of one element.
EXP = Rule("exp", (x,), exp(x), {x: dy * y})
SIGMOID = Rule("sigmoid", (x,), sigma(x), {x: dy * y * (1 - y)})
SILU = Rule("silu", (x,), x * sigma(x))
GELU = Rule("gelu", (x,), x * Phi(x))
TANH = Rule("tanh", (x,), tanh(x), {x: dy * (1 - y**2)})
RELU = Rule("relu", (x,), x * Heaviside(x), {x: dy * Heaviside(y)})
SQUARE = Rule("square", (x,), x**2)
CUBE = Rule("cube", (x,), x**3)
CLAMP = Rule(
    "clamp", (x,), gradients={x: dy * inside(x)}, meaning="the slope is one inside the bounds, else zero"
)
ONE_PLUS = Rule("one_plus", (x,), 1 + x, meaning="slope 1: keeps nothing")
RSQRT = Rule("rsqrt", (x,), Pow(x + Symbol("epsilon"), Rational(-1, 2), evaluate=False), {x: -dy * y**3 / 2})
LOG = Rule("log", (x,), log(x))
DIVIDE = Rule("divide", (x, w), x / w)

# Norms and what they are made of.
MEAN_SQUARE = Rule("mean_square", (x,), x**2, after=y / Symbol("count"), meaning="the mean over a row")
NORMALISE = Rule("normalise", (x, w), x * w, meaning="x times the row's rstd")
GAIN = Rule("gain", (x, w), x * w, meaning="times a learned gain")
MEAN = Rule("mean", (x,), x, after=y / Symbol("count"), meaning="the mean over a row")
CENTRE = Rule("centre", (x, w), x - w, meaning="minus the row's mean")
RMS_NORM = Rule(
    "rms_norm",
    (x, w),
    gradients={x: rstd * (w * dy - x * rstd**2 * row_mean), w: x * rstd * dy},
    statistics=(Statistic(rstd, "rows", "one over the root mean square of each row"),),
    means={row_mean: x * w * dy},
)
LAYER_NORM = Rule(
    "layer_norm",
    (x, w, u),
    gradients={
        x: rstd * (w * dy - row_mean - (x - mean) * rstd**2 * row_slope),
        w: (x - mean) * rstd * dy,
        u: dy,
    },
    statistics=(
        Statistic(mean, "rows", "the mean of each row"),
        Statistic(rstd, "rows", "one over the standard deviation of each row"),
    ),
    means={row_mean: w * dy, row_slope: (x - mean) * w * dy},
)
CENTRED_NORM = Rule(
    "centred_norm",
    (x, w),
    gradients={slot: LAYER_NORM.gradients[slot] for slot in (x, w)},
    statistics=LAYER_NORM.statistics,
    means=LAYER_NORM.means,
    meaning="LayerNorm without a shift, as code that spells it out writes it",
)

# Softmax, attention and the loss.
ROW_MAX = Rule(
    "row_max",
    (x,),
    after=Max(y, Symbol("lowest")),
    meaning="the largest of a row; subtracting it changes no result, so it has no gradient",
)
ROW_SUM = Rule("row_sum", (x,), x, meaning="the sum of a row")
SOFTMAX = Rule("softmax", (x,), gradients={x: y * (dy - row)}, row=y * dy)
SINK_SOFTMAX = Rule(
    "sink_softmax",
    (x, w),
    gradients={x: y * (dy - row), w: -sunk * row},
    statistics=(Statistic(sunk, "rows", "the weight of the sink in each row", element=None),),
    row=y * dy,
    meaning="softmax of a row and one more learned score, whose weight is dropped",
)
LOG_SOFTMAX = Rule("log_softmax", (x,), gradients={x: dy - exp(y) * row}, row=dy)
NLL = Rule(
    "nll",
    (x, i),
    gradients={x: -dy * onehot(i) / total_weight},
    after=-y / total_weight,
    statistics=(Statistic(total_weight, "", "how many targets count", element=None),),
)
CROSS_ENTROPY = Rule(
    "cross_entropy",
    (x, i),
    gradients={x: dy * (exp(x - row_max - log_sum) - onehot(i)) / total_weight},
    statistics=(
        Statistic(row_max, "rows", "the largest logit of each row"),
        Statistic(log_sum, "rows", "the logarithm of each row's sum of exponentials"),
        Statistic(total_weight, "", "how many targets count", element=None),
    ),
)
ATTENTION = Rule(
    "attention",
    (x, w, u),
    gradients={
        x: exp(x * w - lse) * (dy * u - row) * w,
        w: exp(x * w - lse) * (dy * u - row) * x,
        u: exp(x * w - lse) * dy,
    },
    statistics=(Statistic(lse, "rows", "the log-sum-exp of each row of scores"),),
    row=y * dy,
    meaning="scores, softmax and weighted sum; weights are made again from the log-sum-exp",
)

# Gated and approximated activation functions, as one step.
GATE = Rule("gate", (x, w), x * sigma(x) * w, meaning="SiLU(x)·w")
GELU_GATE = Rule("gelu_gate", (x, w), x * Phi(x) * w, meaning="GELU(x)·w")
GELU_TANH = Rule(
    "gelu_tanh",
    (x,),
    x * (1 + tanh(sqrt(2) / sqrt(Symbol("pi")) * (x + Rational(44715, 10**6) * x**3), evaluate=False)) / 2,
    meaning="GELU by its tanh approximation",
)

# Composites that only have a body: a place of its own, a residual branch, a block that is run many times.
PART = Rule("part", meaning="a layer with a place of its own")
BRANCH = Rule("branch", meaning="the layers between two residual additions")
REPEAT = Rule("repeat", meaning="the same block, run several times")

RULES: Mapping[str, Rule] = {
    value.name: value for value in list(globals().values()) if isinstance(value, Rule)
}


def rule(name: str) -> Rule:
    """The rule of that name."""
    return RULES[name]


@dataclass(frozen=True)
class Words:
    """How a gradient is written: signs of one output."""

    product: str
    dot: str
    gradient: str
    transpose: str
    functions: Mapping[str, str]
    total: str
    average: str
    power: str


TEXT = Words(" ⊙ ", "·", "∂{}", "{}ᵀ",
             {"sigma": "σ", "Phi": "Φ", "phi": "φ", "softmax_of": "softmax", "Heaviside": "step"},
             "Σ", "mean", "{}^{}")  # fmt: skip
LATEX = Words(r" \odot ", r" \cdot ", r"\partial {}", "{}^{{\\top}}",
              {"sigma": r"\sigma", "Phi": r"\Phi", "phi": r"\varphi", "softmax_of": r"\mathrm{softmax}",
               "Heaviside": r"\mathrm{step}", "exp": r"\exp", "tanh": r"\tanh", "onehot": r"\mathrm{onehot}"},
              r"\textstyle\sum ", r"\mathrm{mean}", "{}^{{{}}}")  # fmt: skip


def write(expression: Expr, names: Mapping[Symbol, str], words: Words = TEXT) -> str:
    """A gradient in the names of the tensors at hand.

    >>> write(SOFTMAX.gradient(x), {x: "S", y: "P", dy: "∂P", row: "Σ P⊙∂P"})
    'P ⊙ (∂P − Σ P⊙∂P)'
    """
    if isinstance(expression, Symbol):
        return names.get(expression, expression.name)
    if isinstance(expression, Add):
        ordered = sorted(expression.args, key=lambda part: (part.could_extract_minus_sign(), _order(part)))
        text = ""
        for part in ordered:
            negative = part.could_extract_minus_sign()
            written = write(-part if negative else part, names, words)
            sign = "−" if words is TEXT else "-"
            text += (
                (f" {sign} " if negative else " + ") * bool(text) + (sign * (negative and not text)) + written
            )
        return text
    if isinstance(expression, Mul):
        over = [
            part for part in expression.args if isinstance(part, Pow) and part.exp.could_extract_minus_sign()
        ]
        above = [part for part in expression.args if part not in over]
        if expression.could_extract_minus_sign():
            return ("−" if words is TEXT else "-") + write(-expression, names, words)
        text = words.product.join(
            _bracketed(part, names, words) for part in sorted(above, key=_order) if part != 1
        )
        for part in over:
            text += "/" + _bracketed(1 / part, names, words)
        return text
    if isinstance(expression, Pow):
        if expression.exp.could_extract_minus_sign():
            return "1/" + _bracketed(1 / expression, names, words)
        return words.power.format(_bracketed(expression.base, names, words), expression.exp)
    if isinstance(expression, Function):
        name = type(expression).__name__
        arguments = ", ".join(write(argument, names, words) for argument in expression.args)
        return f"{words.functions.get(name, name)}({arguments})"
    return str(expression)


def _bracketed(expression: Expr, names: Mapping[Symbol, str], words: Words) -> str:
    text = write(expression, names, words)
    return f"({text})" if isinstance(expression, Add) else text


def _order(expression: Expr) -> tuple[int, str]:
    """Numbers and plain slots first, then what is in brackets, then the arriving gradient."""
    compound = bool(expression.args) and not isinstance(expression, Pow)
    return (
        2
        if expression in (dy, row, row_mean, row_slope)
        else int(compound and bool(expression.free_symbols)),
        str(expression),
    )
