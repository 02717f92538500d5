"""How many operations a step takes, counted from its rule's formula: each sum, product and quotient is one.

Exponentials, logarithms, roots and whatever else is no arithmetic count nothing; XLA counts them apart too.
Source: XLA's HLO cost analysis of JAX 0.10, which these rules reproduce.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sympy import Add, Expr, Integer, Max, Mul, Pow, Symbol, diff

from symcost import rules
from symcost.lower import Held, Step
from symcost.rules import Rule
from symcost.tensors import size_of

Axes = tuple[str, ...]
Written = Mapping[Rule, Mapping[Symbol, Expr]]

LOGISTIC = 3  # 1/(1 + exp(−x)): a sign, a sum, a quotient


def forward(step: Step) -> Expr:
    """The operations of one step: its formula at each point, the sum where axes are lost, what follows it.

    A product of two tensors takes 2 for each point: a product and a sum.
    """
    if step.rule is rules.CONTRACT:
        return 2 * size_of(step.axes)
    result = step.result.axes
    total = size_of(step.axes) - size_of(result)
    if step.rule.value is not None:
        total += _operations(step.rule.value, _axes(step))[0]
    if step.rule.after is not None:
        total += _operations(step.rule.after, _of_sum(step))[0]
    return total


def backward(step: Step, position: int, written: Written) -> Expr:
    """The operations of one gradient; an input that lacks axes of the result sums over them.

    `written` holds gradients that a framework writes in another way.
    """
    if step.rule is rules.CONTRACT:
        return 2 * size_of(step.axes)
    slot, axes = step.rule.takes[position], step.inputs[position].axes
    gradient = written.get(step.rule, {}).get(slot) or step.rule.gradient(slot)
    assert gradient is not None
    named = _axes(step) | {symbol: held.axes for symbol, held in step.statistics.items()}
    if step.result.axes:  # the gradient that arrives for the loss is the number one
        named |= {rules.y: step.result.axes, rules.dy: step.result.axes}
    operations, spread = _product_rule(step, slot, named) or _operations(gradient, named)
    if step.rule.after is not None and step.rule.value is not None:
        operations += _operations(diff(step.rule.after, rules.y) * rules.y, _of_sum(step))[0]
    over = max(spread or (), step.result.axes, key=len)
    return operations + (size_of(over) - size_of(axes) if set(axes) < set(over) else 0)


def accumulated(steps: Iterable[Step]) -> Counter[Held]:
    """How many gradients arrive for each tensor: all but the first are added to those before."""
    return Counter(
        tensor
        for step in steps
        for slot, tensor in zip(step.rule.takes, step.inputs, strict=False)
        if tensor.wants and step.rule.gradient(slot) is not None
    )


def _axes(step: Step) -> dict[Symbol, Axes]:
    return {slot: tensor.axes for slot, tensor in zip(step.rule.takes, step.inputs, strict=False)}


def _of_sum(step: Step) -> dict[Symbol, Axes]:
    """The axes of what stands in the formula of what follows a sum: the sum `y`, and numbers of the step."""
    assert step.rule.after is not None
    return dict.fromkeys(step.rule.after.free_symbols, ()) | {rules.y: step.result.axes}


def _product_rule(step: Step, slot: Symbol, named: Mapping[Symbol, Axes]) -> tuple[Expr, Axes] | None:
    """A power is a product of equal factors with a gradient each: that of x² takes two products and a sum."""
    value = step.rule.value
    if not (isinstance(value, Pow) and value.base == slot and value.exp.is_Integer and value.exp > 1):
        return None
    each = (value.exp - 1) * value.exp + value.exp - 1
    return each * size_of(named[slot]), named[slot]


def _operations(expression: Expr, named: Mapping[Symbol, Axes]) -> tuple[Expr, Axes | None]:
    """The operations of a formula and the axes of its value; a number has none and costs none."""
    if expression.is_Symbol or expression.is_number:
        return Integer(0), named.get(expression)
    if isinstance(expression, Add | Mul | Max):
        return _folded(expression, named)
    inner, axes = _operations(expression.args[0], named)
    if axes is None:
        return inner, axes
    return inner + _each(expression) * size_of(axes), axes


def _each(expression: Expr) -> int:
    """The operations of a power or a function on each element; 1/x is counted where it divides."""
    if isinstance(expression, Pow) and expression.exp.is_Integer:
        return abs(int(expression.exp)) - 1 + (int(expression.exp) < -1)
    return LOGISTIC if isinstance(expression, rules.sigma) else 0


def _folded(expression: Expr, named: Mapping[Symbol, Axes]) -> tuple[Expr, Axes | None]:
    """A sum or a product, two parts at a time, what has fewer axes first."""
    parts = expression.args
    if isinstance(expression, Add):  # a − b is one operation, not a sign and a sum
        parts = tuple(-part if part.could_extract_minus_sign() else part for part in parts)
    counted = [_operations(part, named) for part in parts]
    total = Add(*(operations for operations, _ in counted))
    spreads = sorted(
        (spread for _, spread in counted), key=lambda spread: -1 if spread is None else len(spread)
    )
    for spread in spreads[1:]:
        total += 0 if spread is None else size_of(spread)
    return total, spreads[-1]
