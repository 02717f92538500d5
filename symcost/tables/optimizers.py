"""Optimizers: their states and update equations, from which memory and FLOPs are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from symcost.tables import by_name, entry

# ------------------------------------------------------------------------------------------- equations


class Value:
    """A value of an update equation: a name, or an operation on other values.

    `per_element` says whether there is one for each parameter. What is the same for all of them (a rate,
    1 − β₁) is computed once, so it costs nothing. Equations stay as they are written: nothing is merged.
    """

    text: str
    latex: str
    per_element: bool
    strength: int  # how tightly its text binds; a name binds tightest
    latex_strength: int  # the same of its LaTeX, where a fraction needs no brackets

    def __add__(self, other: Value | int) -> Operation:
        return Operation(SUM, self, _value(other))

    def __radd__(self, other: int) -> Operation:
        return Operation(SUM, _value(other), self)

    def __sub__(self, other: Value | int) -> Operation:
        return Operation(DIFFERENCE, self, _value(other))

    def __rsub__(self, other: int) -> Operation:
        return Operation(DIFFERENCE, _value(other), self)

    def __mul__(self, other: Value | int) -> Operation:
        return Operation(PRODUCT, self, _value(other))

    def __rmul__(self, other: int) -> Operation:
        return Operation(PRODUCT, _value(other), self)

    def __truediv__(self, other: Value | int) -> Operation:
        return Operation(QUOTIENT, self, _value(other))

    def __str__(self) -> str:
        return self.text


NAME_STRENGTH = 9


@dataclass(frozen=True, eq=False)
class Name(Value):
    """A letter of the equation: the parameter, its gradient, a state (all per element), or a setting."""

    text: str
    latex: str
    per_element: bool = True
    strength: int = NAME_STRENGTH
    latex_strength: int = NAME_STRENGTH


def setting(text: str, latex: str) -> Name:
    """A number that is the same for every parameter, such as a rate."""
    return Name(text, latex, per_element=False)


def _value(value: Value | int) -> Value:
    return value if isinstance(value, Value) else setting(str(value), str(value))


@dataclass(frozen=True)
class Sign:
    """One kind of operation, each one FLOP: its word, how it is printed, and how tightly it binds."""

    word: str
    text: str
    latex: str
    strength: int
    latex_strength: int


def _sign(word: str, text: str, latex: str, strength: int, latex_strength: int | None = None) -> Sign:
    return Sign(word, text, latex, strength, latex_strength or strength)


SUM = _sign("sum", "{} + {}", "{} + {}", 1)
DIFFERENCE = _sign("difference", "{} − {}", "{} - {}", 1)
PRODUCT = _sign("product", "{}·{}", "{} {}", 2)
QUOTIENT = _sign("quotient", "{}/{}", r"\frac{{{}}}{{{}}}", 2, latex_strength=NAME_STRENGTH)
SQUARE = _sign("square", "{}²", "{}^2", 3)
SQUARE_ROOT = _sign("square root", "√{}", r"\sqrt{{{}}}", 3, latex_strength=NAME_STRENGTH)
MAXIMUM = _sign("maximum", "max({}, {})", r"\max({}, {})", NAME_STRENGTH)
SIGN = _sign("sign", "sign({})", r"\operatorname{{sign}}({})", NAME_STRENGTH)


def _enclosed(strength: int, operands: Iterable[tuple[str, int]], left: str, right: str) -> list[str]:
    """The printed operands, in brackets where they bind less tightly, or, on the right, no more tightly."""
    if strength == NAME_STRENGTH:  # a fraction, a root or a function encloses its operands itself
        return [printed for printed, _ in operands]
    return [
        f"{left}{printed}{right}" if own < strength + (place > 0) else printed
        for place, (printed, own) in enumerate(operands)
    ]


class Operation(Value):
    """`sign` applied to `operands`: one element operation, if any operand is per element.

    >>> print(m - setting("α", r"\\alpha") * (g + m))
    m − α·(g + m)
    """

    def __init__(self, sign: Sign, *operands: Value) -> None:
        self.sign, self.operands = sign, operands
        self.per_element = any(operand.per_element for operand in operands)
        self.strength, self.latex_strength = sign.strength, sign.latex_strength
        texts = ((operand.text, operand.strength) for operand in operands)
        self.text = sign.text.format(*_enclosed(self.strength, texts, "(", ")"))
        forms = ((operand.latex, operand.latex_strength) for operand in operands)
        self.latex = sign.latex.format(*_enclosed(self.latex_strength, forms, r"\left(", r"\right)"))

    @property
    def because(self) -> str:
        """The operation in words and as written, for a report: `product β₁·m`."""
        return f"{self.sign.word} {self.text}"


def sqrt(value: Value) -> Operation:
    return Operation(SQUARE_ROOT, value)


def square(value: Value) -> Operation:
    return Operation(SQUARE, value)


def maximum(one: Value, other: Value) -> Operation:
    return Operation(MAXIMUM, one, other)


def sign_of(value: Value) -> Operation:
    return Operation(SIGN, value)


def _walk(value: Value) -> Iterator[Operation]:
    if isinstance(value, Operation):
        for operand in value.operands:
            yield from _walk(operand)
        if value.per_element:
            yield value


def operations(step: Step) -> tuple[Operation, ...]:
    """The element operations of one update line in the order they are computed, each one FLOP per parameter.

    >>> [operation.because for operation in operations(MEAN)]
    ['product β₁·m', 'product (1 − β₁)·g', 'sum β₁·m + (1 − β₁)·g']
    """
    return tuple(_walk(step.value))


# ------------------------------------------------------------------------------------------ optimizers


@dataclass(frozen=True)
class State:
    """What an optimizer keeps for each parameter; `bytes` is None where the precision says how many."""

    name: str
    meaning: str
    bytes: int | None = None


@dataclass(frozen=True)
class Step:
    """One line of an update: `result` is replaced by `value`, `because` says what for."""

    result: Name
    value: Value
    because: str

    @property
    def text(self) -> str:
        return f"{self.result.text} ← {self.value.text}"

    @property
    def latex(self) -> str:
        return rf"{self.result.latex} \leftarrow {self.value.latex}"


@dataclass(frozen=True)
class Optimizer:
    """States and update lines, with their source. `per_tensor_bytes` come once for each parameter tensor."""

    name: str
    states: tuple[State, ...]
    steps: tuple[Step, ...]
    source: str
    note: str = ""
    per_tensor_bytes: int = 0

    @property
    def flops_per_parameter(self) -> int:
        """Element operations of one update, counted from the lines.

        >>> OPTIMIZERS["adamw"].flops_per_parameter, OPTIMIZERS["adamw-torch"].flops_per_parameter
        (15, 14)
        """
        return sum(len(operations(step)) for step in self.steps)

    def bytes_per_parameter(self, state_bytes: int = 4) -> int:
        """Bytes of all states for one parameter, `state_bytes` for each that leaves it to the precision.

        >>> OPTIMIZERS["adamw"].bytes_per_parameter(), OPTIMIZERS["adamw"].bytes_per_parameter(2)
        (8, 4)
        """
        return sum(state_bytes if state.bytes is None else state.bytes for state in self.states)


theta, theta_before = Name("θ", r"\theta"), Name("θₜ₋₁", r"\theta_{t-1}")
g, m, v, v_max, u = Name("g", "g"), Name("m", "m"), Name("v", "v"), Name("v_max", r"v_{\max}"), Name("u", "u")
alpha, decay, mu = setting("α", r"\alpha"), setting("λ", r"\lambda"), setting("μ", r"\mu")
beta_1, beta_2 = setting("β₁", r"\beta_1"), setting("β₂", r"\beta_2")
epsilon = setting("ε", r"\epsilon")
correction_1, correction_2 = setting("κ₁", r"\kappa_1"), setting("κ₂", r"\kappa_2")  # 1 − β₁ᵗ and √(1 − β₂ᵗ)

MASTER = State("master", "fp32 copy of the parameter, which the update is added to", 4)
FIRST_MOMENT = State("m", "running mean of the gradient")
SECOND_MOMENT = State("v", "running mean of the squared gradient")
LARGEST_SECOND_MOMENT = State("v_max", "largest running mean of the squared gradient so far")
MOMENTUM = State("u", "gradients summed with decay")

MEAN = Step(m, beta_1 * m + (1 - beta_1) * g, "the running mean of the gradient")
SQUARED_MEAN = Step(v, beta_2 * v + (1 - beta_2) * square(g), "the running mean of the squared gradient")
LECTURE_STEPS = (
    MEAN,
    SQUARED_MEAN,
    Step(theta, theta_before - alpha * (m / (sqrt(v) + epsilon)), "the update itself"),
    Step(theta, theta - alpha * (decay * theta_before), "weight decay, both of its products counted"),
)

TORCH_DECAY = Step(theta, theta * (1 - alpha * decay), "weight decay, by one factor for all parameters")
TORCH_MOMENTS = (
    Step(m, m + (1 - beta_1) * (g - m), "the running mean of the gradient, as an interpolation (lerp)"),
    Step(v, beta_2 * v + ((1 - beta_2) * g) * g, "the running mean of the squared gradient (addcmul)"),
)
TORCH_LARGEST = Step(v_max, maximum(v_max, v), "AMSGrad divides by the largest so far")


def _torch_update(second_moment: Name) -> Step:
    divisor = sqrt(second_moment) / correction_2 + epsilon
    return Step(theta, theta - (alpha / correction_1) * (m / divisor), "the update, bias corrected")


HEAVY_BALL = (
    Step(u, mu * u + g, "the gradient is added to what is left of the earlier ones"),
    Step(theta, theta - alpha * u, "the update itself"),
)
LECTURE = "CS190C 2026, lecture 9, part 2.3"
TORCH = "PyTorch 2.13, torch.optim, single-tensor path; the count was measured there"
SLIDES = "Lecture slides on memory and compute for training, section on optimizer states"
TORCH_COUNTER = 4  # bytes of the step counter that torch keeps for each parameter tensor

OPTIMIZERS: Mapping[str, Optimizer] = by_name(
    (
        Optimizer(
            "adamw",
            states=(FIRST_MOMENT, SECOND_MOMENT),
            steps=LECTURE_STEPS,
            source=LECTURE,
            note="no bias correction; weight decay reads the parameter as it was before the update",
        ),
        Optimizer(
            "adamw-torch",
            states=(FIRST_MOMENT, SECOND_MOMENT),
            steps=(TORCH_DECAY, *TORCH_MOMENTS, _torch_update(v)),
            per_tensor_bytes=TORCH_COUNTER,
            source=f"{TORCH} (AdamW)",
        ),
        Optimizer(
            "adam-torch",
            states=(FIRST_MOMENT, SECOND_MOMENT),
            steps=(*TORCH_MOMENTS, _torch_update(v)),
            per_tensor_bytes=TORCH_COUNTER,
            source=f"{TORCH} (Adam, no weight decay)",
        ),
        Optimizer(
            "adamw-torch-amsgrad",
            states=(FIRST_MOMENT, SECOND_MOMENT, LARGEST_SECOND_MOMENT),
            steps=(TORCH_DECAY, *TORCH_MOMENTS, TORCH_LARGEST, _torch_update(v_max)),
            per_tensor_bytes=TORCH_COUNTER,
            source=f"{TORCH} (AdamW, amsgrad=True)",
        ),
        Optimizer(
            "adamw-master",
            states=(MASTER, State("m", FIRST_MOMENT.meaning, 4), State("v", SECOND_MOMENT.meaning, 4)),
            steps=LECTURE_STEPS,
            source=f"{SLIDES}; Rajbhandari et al. 2020, ZeRO, section 3.1 (K = 12)",
            note="rounding the updated master copy back to the weights is no FLOP",
        ),
        Optimizer(
            "adamw-8bit",
            states=(MASTER, State("m", FIRST_MOMENT.meaning, 1), State("v", SECOND_MOMENT.meaning, 1)),
            steps=LECTURE_STEPS,
            source=f"{SLIDES}; Dettmers et al. 2022, 8-bit Optimizers via Block-wise Quantization",
            note="neither the scales of the blocks nor quantising and back are counted",
        ),
        Optimizer(
            "sgd",
            states=(),
            steps=(Step(theta, theta - alpha * g, "the update itself"),),
            source="PyTorch 2.13, torch.optim.SGD without momentum",
        ),
        Optimizer(
            "sgd-momentum",
            states=(MASTER, State("u", MOMENTUM.meaning, 4)),
            steps=HEAVY_BALL,
            source=SLIDES,
        ),
        Optimizer(
            "sgd-momentum-torch",
            states=(MOMENTUM,),
            steps=HEAVY_BALL,
            source="PyTorch 2.13, torch.optim.SGD with momentum and no dampening",
        ),
        Optimizer(
            "lion",
            states=(FIRST_MOMENT,),
            steps=(
                Step(
                    theta,
                    theta - alpha * (sign_of(beta_1 * m + (1 - beta_1) * g) + decay * theta),
                    "the sign of an interpolated gradient, with weight decay",
                ),
                Step(m, beta_2 * m + (1 - beta_2) * g, "the running mean of the gradient"),
            ),
            source="Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, algorithm 2",
        ),
    )
)


def optimizer(name: str) -> Optimizer:
    """The optimizer called `name`. Raises UnknownName, naming the nearest.

    >>> optimizer("adamw-master").bytes_per_parameter()
    12
    """
    return entry(OPTIMIZERS, "optimizer", name)
