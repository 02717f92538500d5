"""Optimizers: states in bytes and FLOPs counted from the update equations."""

from __future__ import annotations

import operator

import pytest
from sympy import Max, Rational, Symbol, sqrt
from sympy import sign as sympy_sign

from symcost.errors import UnknownName
from symcost.tables.optimizers import OPTIMIZERS, Name, Operation, Value, operations, optimizer


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("adamw", 15),  # CS190C lecture 9, part 2.3: 3 + 4 + 5 + 3
        ("adamw-torch", 14),  # measured in PyTorch 2.13
        ("adam-torch", 13),  # measured there without weight decay
        ("adamw-torch-amsgrad", 15),  # measured there with amsgrad=True
    ],
)
def test_flops_for_each_parameter_are_those_published_or_measured(name: str, published: int) -> None:
    assert optimizer(name).flops_per_parameter == published


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("adamw", [3, 4, 5, 3]),  # CS190C lecture 9: m, v, update, weight decay
        ("adamw-torch", [1, 3, 4, 6]),  # PyTorch 2.13: decay, lerp, addcmul, sqrt … addcdiv
    ],
)
def test_each_line_of_the_update_has_the_flops_its_source_gives_it(name: str, published: list[int]) -> None:
    assert [len(operations(step)) for step in optimizer(name).steps] == published


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("adamw", 8),  # CS190C lecture 9, part 1.4: 2 · 4
        ("adamw-master", 12),  # Rajbhandari et al. 2020, ZeRO, section 3.1: K = 12
        ("adamw-8bit", 6),  # slides on memory: 4 + 1 + 1
        ("sgd-momentum", 8),  # the same slides: 4 + 4
        ("sgd", 0),
        ("adamw-torch-amsgrad", 12),  # exp_avg, exp_avg_sq and max_exp_avg_sq in fp32
    ],
)
def test_states_take_the_bytes_that_their_source_gives(name: str, published: int) -> None:
    assert optimizer(name).bytes_per_parameter() == published


def test_states_of_two_bytes_halve_what_leaves_its_size_to_the_precision() -> None:
    """PyTorch 2.13, AdamW on bf16 parameters, measured: 4 bytes of state."""
    assert optimizer("adamw-torch").bytes_per_parameter(state_bytes=2) == 4
    assert optimizer("adamw-master").bytes_per_parameter(state_bytes=2) == 12


def test_torch_keeps_a_counter_of_four_bytes_for_each_parameter_tensor() -> None:
    """PyTorch 2.13, measured: `step` is one fp32 scalar a tensor; the lecture has none."""
    assert optimizer("adamw-torch").per_tensor_bytes == 4
    assert optimizer("adamw").per_tensor_bytes == 0


class Counted:
    """A number that counts the operations done on it: the independent way to the same FLOPs."""

    done = 0

    def _one(self, *_: object) -> Counted:
        Counted.done += 1
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = sqrt = _one


def count(update) -> int:  # type: ignore[no-untyped-def]
    Counted.done = 0
    update(*(Counted() for _ in range(4)))
    return Counted.done


def lecture_update(theta, g, m, v):  # type: ignore[no-untyped-def]
    """One AdamW step as the lecture writes it, on one element."""
    before = theta
    m = 0.9 * m + (1 - 0.9) * g
    v = 0.95 * v + (1 - 0.95) * (g * g)
    theta = before - 0.001 * (m / (v.sqrt() + 1e-8))
    return theta - 0.001 * (0.1 * before)


def torch_update(theta, g, m, v):  # type: ignore[no-untyped-def]
    """One AdamW step in the order of torch.optim's single-tensor path: mul_, lerp_, addcmul_, addcdiv_."""
    theta = theta * (1 - 0.001 * 0.1)
    m = m + (1 - 0.9) * (g - m)
    v = v * 0.95 + (1 - 0.95) * g * g
    return theta + -0.001 * (m / (v.sqrt() / 0.5 + 1e-8))


def lion_update(theta, g, m, _v):  # type: ignore[no-untyped-def]
    """Chen et al. 2023, algorithm 2; taking the sign is one operation, here a root in its place."""
    direction = (0.9 * m + (1 - 0.9) * g).sqrt()
    theta = theta - 0.001 * (direction + 0.1 * theta)
    m = 0.99 * m + (1 - 0.99) * g
    return theta, m


@pytest.mark.parametrize(
    ("name", "update"), [("adamw", lecture_update), ("adamw-torch", torch_update), ("lion", lion_update)]
)
def test_a_plain_loop_that_counts_its_own_operations_agrees(name: str, update: object) -> None:
    assert optimizer(name).flops_per_parameter == count(update)


EVALUATE = {
    "sum": operator.add,
    "difference": operator.sub,
    "product": operator.mul,
    "quotient": operator.truediv,
    "square": lambda x: x**2,
    "square root": sqrt,
    "maximum": Max,
    "sign": sympy_sign,
}


def evaluate(value: Value, known: dict[str, object]) -> object:
    if isinstance(value, Operation):
        return EVALUATE[value.sign.word](*(evaluate(operand, known) for operand in value.operands))
    return known[value.text] if value.text in known else Rational(value.text)


def after_one_step(name: str, **known: object) -> dict[str, object]:
    for step in optimizer(name).steps:
        known[step.result.text] = evaluate(step.value, known)
    return known


def test_torchs_lines_are_the_update_of_loshchilov_and_hutter() -> None:
    """Decoupled Weight Decay Regularization (2019), algorithm 2, at its first step, in exact numbers.

    m̂ = g and v̂ = g² after bias correction, so that θ ← θ − α·(g/(|g| + ε) + λ·θ) whatever β₁ and β₂ are.
    """
    theta, g, alpha, decay, epsilon = (Rational(n, 7) for n in (20, 3, 1, 2, 5))
    beta_1, beta_2 = Rational(9, 10), Rational(99, 100)
    known = {"θ": theta, "g": g, "m": Rational(0), "v": Rational(0), "α": alpha, "λ": decay, "ε": epsilon}
    known |= {"β₁": beta_1, "β₂": beta_2, "κ₁": 1 - beta_1, "κ₂": sqrt(1 - beta_2)}
    after = after_one_step("adamw-torch", **known)
    assert after["θ"] == theta - alpha * (g / (g + epsilon) + decay * theta)


def test_the_lectures_lines_are_torchs_without_bias_correction() -> None:
    names = {"θ": "theta", "g": "g", "m": "m", "v": "v", "α": "alpha", "λ": "lamda", "ε": "epsilon"}
    known: dict[str, object] = {letter: Symbol(name, positive=True) for letter, name in names.items()}
    known |= {"θₜ₋₁": known["θ"], "β₁": Rational(9, 10), "β₂": Rational(19, 20), "κ₁": 1, "κ₂": 1}
    lecture, torch = after_one_step("adamw", **known), after_one_step("adamw-torch", **known)
    assert (lecture["θ"] - torch["θ"]).expand() == 0  # type: ignore[operator]


def test_what_is_the_same_for_every_parameter_costs_nothing() -> None:
    scalars = {"1 − β₁", "1 − β₂", "1 − α·λ", "α/κ₁"}
    counted = {
        operation.text
        for entry in OPTIMIZERS.values()
        for step in entry.steps
        for operation in operations(step)
    }
    assert not scalars & counted


def test_every_counted_operation_says_in_words_what_it_is() -> None:
    decay, mean, *_ = optimizer("adamw-torch").steps
    assert [operation.because for operation in operations(decay)] == ["product θ·(1 − α·λ)"]
    assert [operation.because for operation in operations(mean)] == [
        "difference g − m",
        "product (1 − β₁)·(g − m)",
        "sum m + (1 − β₁)·(g − m)",
    ]


def test_a_line_prints_as_it_stands_on_the_board() -> None:
    _, _, update, _ = optimizer("adamw").steps
    assert update.text == "θ ← θₜ₋₁ − α·(m/(√v + ε))"
    assert update.latex == r"\theta \leftarrow \theta_{t-1} - \alpha \frac{m}{\sqrt{v} + \epsilon}"


def test_brackets_are_printed_only_where_the_order_needs_them() -> None:
    a, b, c = (Name(letter, letter) for letter in "abc")
    assert str(a - (b - c)) == "a − (b − c)"
    assert str(a - b - c) == "a − b − c"
    assert str((a + b) * c / (a * b)) == "(a + b)·c/(a·b)"


@pytest.mark.parametrize("entry", OPTIMIZERS.values(), ids=lambda entry: entry.name)
def test_every_optimizer_has_a_source_and_moves_the_parameter(entry) -> None:  # type: ignore[no-untyped-def]
    assert entry.source
    assert "θ" in {step.result.text for step in entry.steps}


def test_an_unknown_optimizer_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"'adamW2' is not a known optimizer\. Did you mean 'adamw'"):
        optimizer("adamW2")
