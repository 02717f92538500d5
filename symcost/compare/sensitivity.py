"""What a quantity turns on: shares, elasticities, leading forms, crossovers, what one more costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Add, Expr, Integer, Pow, Rational, Symbol, cancel, expand, factor_terms, sqrt

from symcost.compare.parts import Parts
from symcost.errors import UsageError
from symcost.notation import code, text
from symcost.solve.turning import shape
from symcost.symbols import Notation, letter
from symcost.tables import tools
from symcost.terms import Number, Term, Terms, evaluator, plain
from symcost.training import Costs

Values = Mapping[str, Any]


GROUPS: Mapping[str, Callable[[Term], str]] = {
    "place": lambda term: term.place,
    "tensor": lambda term: f"{term.place}.{term.tensor}",
    "quantity": lambda term: term.quantity,
}


FEW_LETTERS, FEW_SUMMANDS = 9, 40  # of a quotient that can be reduced while one waits


@dataclass(frozen=True)
class Share:
    """What a group of terms contributes: its form, its value, and how much of the whole that is."""

    name: str
    form: Expr
    value: Number
    share: Fraction

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "form": code(self.form),
            "value": plain(self.value),
            "share": plain(self.share),
        }


def shares(terms: Terms, by: str = "place", **values: Any) -> tuple[Share, ...]:
    """The share of each place, tensor or single term in the whole at these numbers, largest first.

    `by` is "place", "tensor", or "quantity" (weights, gradients, states, activations). Raises MissingValue
    where a letter has no number.

    >>> import symcost
    >>> flops = symcost.derive("gpt2")["forward_flops"]
    >>> [(each.name, round(100 * float(each.share))) for each in shares(flops, b=1, c=1024)]
    [('block.mlp', 40), ('block.attention', 33), ('head', 27)]
    """
    if by not in GROUPS:
        raise UsageError(f"shares: expected by place, tensor or quantity, found '{by}'.")
    groups: dict[str, list[Expr]] = {}
    for term in terms:
        groups.setdefault(GROUPS[by](term), []).append(term.total)
    whole = terms.at(**values)
    numbers = terms.known(values)
    found = []
    for name, amounts in groups.items():
        form = Add(*amounts)
        value = evaluator(form)(numbers)
        found.append(Share(name, form, value, Fraction(value) / Fraction(whole)))
    return tuple(sorted(found, key=lambda each: -each.share))


def elasticity(terms: Terms, of: str) -> Expr:
    """∂ log quantity / ∂ log letter: by how many per cent it grows where the letter grows by one.

    Raises UsageError where the quantity is no sum of powers of the letter.

    >>> import symcost
    >>> core = symcost.derive("cs190c")["saved_activations"].of("block")
    >>> elasticity(core, "c")
    (2*c*h + 20*d)/(c*h + 20*d)
    """
    x = letter(of).symbol
    powers = _powers(terms.total, x, terms.quantity)
    grows, whole = (
        Add(*(times(power) * form * x**power for power, form in powers.items())) for times in (Integer, _one)
    )
    return _quotient(grows, whole)


def _one(power: int) -> Expr:
    return Integer(1)


def _quotient(above: Expr, below: Expr) -> Expr:
    """A quotient without what both sides share: all of it, or of long forms the letters that all terms share."""
    ratio = above / below
    letters, summands = len(ratio.free_symbols), len(Add.make_args(expand(below)))
    return (
        cancel(ratio)
        if letters <= FEW_LETTERS and summands <= FEW_SUMMANDS
        else factor_terms(expand(above)) / factor_terms(expand(below))
    )


def one_more(terms: Terms, of: str) -> Expr:
    """What one more layer, head or token costs: the quantity at x + 1, less that at x.

    >>> import symcost
    >>> one_more(symcost.derive("cs190c")["parameters"], "L")
    16*d**2 + 2*d
    """
    x = letter(of).symbol
    return expand(terms.total.xreplace({x: x + 1}) - terms.total)


@dataclass(frozen=True)
class Regime:
    """A range of a letter in which one power of it leads: `form` is that part of the quantity.

    `start` and `end` are where it overtakes the one before, and is overtaken, as forms; None at the ends.
    """

    form: Expr
    power: int
    start: Expr | None
    end: Expr | None


def regimes(terms: Terms, of: str) -> tuple[Regime, ...]:
    """Which power of a letter leads, from where to where: what is fixed, what is linear, what is quadratic.

    A power is left out where two others are always larger. Raises UsageError where the quantity is no sum of
    powers of the letter.

    >>> import symcost
    >>> kept = symcost.derive("cs190c")["saved_activations"].of("block")
    >>> [(each.form, each.end) for each in regimes(kept, "c")]
    [(20*b*c*d, 20*d/h), (b*c**2*h, None)]
    """
    x = letter(of).symbol
    powers = _powers(terms.total, x, terms.quantity)
    found: list[Regime] = []
    for power in sorted(powers):
        form = powers[power] * x**power
        start = None if not found else _overtakes(powers, found[-1].power, power)
        while len(found) > 1 and start is not None and _never_leads(found[-1], start):
            found.pop()
            start = _overtakes(powers, found[-1].power, power)
        if found:
            found[-1] = Regime(found[-1].form, found[-1].power, found[-1].start, start)
        found.append(Regime(form, power, start, None))
    return tuple(found)


def leading(terms: Terms, of: str) -> Expr:
    """The leading form for a large letter: its highest power.

    >>> import symcost
    >>> leading(symcost.derive("cs190c")["forward_flops"], "c")
    4*L*b*c**2*d
    """
    return regimes(terms, of)[-1].form


@dataclass(frozen=True)
class Overtaking:
    """From where on the score and value products take more FLOPs than another part of the model."""

    over: str
    at: Crossing


def overtakings(costs: Costs, **values: Any) -> tuple[Overtaking, ...]:
    """The context lengths at which score and value products overtake other parts, alone and together.

    >>> import symcost
    >>> [(each.over, each.at.form) for each in overtakings(symcost.derive("gpt", given={"d_ff": "4*d"}))][:3]
    [('attention projections', 2*d), ('feed-forward layers', 4*d), ('all linear layers of the blocks', 6*d)]
    """
    parts = Parts(costs).flops
    linear = {name: parts[name] for name in (tools.PROJECTIONS, tools.MLP, tools.EXPERTS) if name in parts}
    rivals = {
        **linear,
        "all linear layers of the blocks": Add(*linear.values()),
        tools.HEAD: parts[tools.HEAD],
    }
    numbers = costs["forward_flops"].known(values)
    found = ((over, crossing(form, parts[tools.CORE], "c", numbers)) for over, form in rivals.items())
    return tuple(Overtaking(over, at[0]) for over, at in found if at)


def _overtakes(powers: Mapping[int, Expr], lower: int, higher: int) -> Expr:
    ratio = _quotient(powers[lower], powers[higher])
    return ratio if higher - lower == 1 else Pow(ratio, Rational(1, higher - lower))


def _never_leads(before: Regime, start: Expr) -> bool:
    """Whether the regime would begin only after it is overtaken, as far as letters tell."""
    return before.start is not None and bool((before.start - start).is_positive)


def is_sum_of_powers(terms: Terms, of: str) -> bool:
    """Whether a quantity is a sum of powers of a letter, so that one of them leads."""
    found = shape(terms.total, letter(of).symbol)
    return found is not None and set(found.below) == {0}


def _powers(form: Expr, x: Symbol, what: str) -> Mapping[int, Expr]:
    found = shape(form, x)
    if found is None or set(found.below) != {0}:
        raise UsageError(f"{what} = {text(form)} is no sum of powers of {x}: no one of them leads.")
    return {power: each / found.below[0] for power, each in found.above.items()}


# ------------------------------------------------------------------------------------------- where two cross


@dataclass(frozen=True)
class Crossing:
    """A letter at which two forms are equal; `before` says whether the first is the larger one below it."""

    letter: str
    form: Expr
    before: bool | None
    value: Number | float | None = None

    def to_dict(self) -> dict[str, Any]:
        value = plain(self.value) if isinstance(self.value, int | Fraction) else self.value
        return {
            "letter": self.letter,
            "form": code(self.form),
            "value": value,
            "first_is_larger_below": self.before,
        }

    def text(self, notation: Notation | None = None) -> str:
        """`c = 6d`, with its value where the numbers are known."""
        from symcost.notation.numbers import significant

        name = text(letter(self.letter).symbol, notation)
        whole = f"{name} = {text(self.form, notation)}"
        if self.value is None or self.form.is_number:
            return whole
        return f"{whole} = {significant(Fraction(str(self.value)), 6)}"


def crossing(
    first: Expr, second: Expr, of: str, numbers: Mapping[str, Number] | None = None
) -> tuple[Crossing, ...]:
    """Where two forms are equal as one letter varies, in closed form: all positive roots.

    `numbers` put a value to each. Empty where they never meet, or meet in no closed form.

    >>> from symcost.symbols import L, b, c, d
    >>> crossing(24 * L * b * c * d**2, 4 * L * b * c**2 * d, "c")[0].form
    6*d
    """
    x = letter(of).symbol
    difference = expand(first - second)
    found = shape(difference, x) if difference.has(x) else None
    if found is None or set(found.below) != {0}:
        return ()
    lowest = min(found.above)
    powers = {power - lowest: each for power, each in found.above.items()}
    before = _sign(powers[0])
    crossings: list[Crossing] = []
    for root in _roots(powers):
        if root.is_positive is False or root.is_real is False:
            continue
        value = _value(root, numbers or {})
        if value is None or value > 0:
            crossings.append(Crossing(of, root, before if not crossings else None, value))
    return tuple(crossings)


def _roots(powers: Mapping[int, Expr]) -> list[Expr]:
    degrees = sorted(powers)
    if len(degrees) == 2:
        ratio, degree = cancel(-powers[0] / powers[degrees[1]]), degrees[1]
        return [ratio if degree == 1 else Pow(ratio, Rational(1, degree))]
    if degrees == [0, 1, 2]:
        fixed, slope, square = (cancel(powers[degree] / powers[2]) for degree in degrees)
        half = cancel(slope / (2 * square))
        root = sqrt(cancel(half**2 - fixed))
        return [-half - root, -half + root]
    return []


def _sign(form: Expr) -> bool | None:
    return True if form.is_positive else False if form.is_negative else None


def _value(form: Expr, numbers: Mapping[str, Number]) -> Number | float | None:
    if any(symbol.name not in numbers for symbol in form.free_symbols):
        return None
    put = {symbol: Rational(Fraction(numbers[symbol.name])) for symbol in form.free_symbols}
    value = form.xreplace(put)
    if value.is_Rational:
        exact = Fraction(int(value.p), int(value.q))
        return exact.numerator if exact.denominator == 1 else exact
    return float(value) if value.is_real else -1.0
