"""A form in one letter: its shape, which way it goes, and its root in letters and in numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import product
from math import isqrt, prod
from typing import Any

from sympy import Add, Expr, Integer, Poly, Pow, Rational, Symbol, sqrt

from symcost.terms import Number, evaluator

Powers = Mapping[int, Expr]  # coefficients by power, negative powers too
Values = Mapping[int, Fraction]
CONSTANT = {0}


@dataclass(frozen=True)
class Shape:
    """A form as above/below, both sums of coefficients times whole powers of one letter `x`."""

    x: Symbol
    above: Powers
    below: Powers

    def turned(self, bound: Expr) -> Expr | None:
        """The positive x at which the form equals `bound`, in letters; None where that is not worth reading.

        It is there for one power beside a constant, for a quadratic in x or in 1/x, and for a quotient of two
        linear forms.
        """
        powers, rest = sorted(set(self.above) - CONSTANT), bound - self.above.get(0, Integer(0))
        if set(self.below) != CONSTANT:
            if not set(self.above) | set(self.below) <= {0, 1}:
                return None
            (p, q), (r, s) = _linear(self.above, Integer(0)), _linear(self.below, Integer(0))
            return (bound * r - p) / (q - bound * s)
        if len(powers) == 1:
            degree, coefficient = powers[0], self.above[powers[0]]
            ratio = rest / coefficient if degree > 0 else coefficient / rest
            return ratio if abs(degree) == 1 else Pow(ratio, Rational(1, abs(degree)), evaluate=False)
        if powers == [1, 2]:
            slope, square = self.above[1], self.above[2]
            return (sqrt(slope**2 + 4 * square * rest) - slope) / (2 * square)
        if powers == [-2, -1]:
            slope, square = self.above[-1], self.above[-2]
            return (sqrt(slope**2 + 4 * square * rest) + slope) / (2 * rest)
        return None

    def with_numbers(self, numbers: Mapping[str, Number]) -> Curve:
        """The same shape with a number for every letter but x."""

        def put(side: Powers) -> Values:
            return {power: Fraction(evaluator(each)(numbers)) for power, each in side.items()}

        return Curve(put(self.above), put(self.below))


@lru_cache(maxsize=512)
def shape(form: Expr, x: Symbol) -> Shape | None:
    """The shape of `form` in x, or None where x stands in a ceiling, a maximum or under a root.

    >>> from symcost.symbols import b, c, d
    >>> shape((3 * b * c + d) / b, b).above
    {-1: d, 0: 3*c}
    """
    factors = form.as_ordered_factors() if form.is_Mul else [form]
    quotients = [factor for factor in factors if _divides_by_a_sum(factor, x)]
    above, below = _powers(form / prod(quotients), x), _powers(1 / prod(quotients, start=Integer(1)), x)
    return None if above is None or below is None else Shape(x, above, below)


def _divides_by_a_sum(factor: Expr, x: Symbol) -> bool:
    return bool(factor.is_Pow and factor.base.is_Add and factor.exp.is_negative and factor.has(x))


def _powers(form: Expr, x: Symbol) -> Powers | None:
    """Coefficients of the powers of x, those of one power left as a sum."""
    if not form.has(x):
        return {0: form}
    base, exponent = form.as_base_exp()
    if base == x:
        return {int(exponent): Integer(1)} if exponent.is_Integer else None
    if form.is_Add:
        return _collected(_powers(summand, x) for summand in form.args)
    if form.is_Mul:
        factors: Sequence[Expr] = form.args
    elif exponent.is_Integer and exponent > 1:
        factors = [base] * int(exponent)
    else:
        return None
    whole: Powers | None = {0: Integer(1)}
    for factor in factors:
        inside = _powers(factor, x)
        if whole is None or inside is None:
            return None
        whole = _collected(
            {power + other: each * beside}
            for (power, each), (other, beside) in product(whole.items(), inside.items())
        )
    return whole


def _collected(parts: Iterable[Powers | None]) -> Powers | None:
    sums: dict[int, list[Expr]] = {}
    for part in parts:
        if part is None:
            return None
        for power, each in part.items():
            sums.setdefault(power, []).append(each)
    return {power: Add(*each) for power, each in sums.items()}


class Turns(Exception):
    """The form falls on one side of `at` and rises on the other."""

    def __init__(self, at: Expr) -> None:
        self.at = at


@dataclass(frozen=True)
class Curve:
    """A shape in numbers: exact values, the way it goes, its root, and what it comes near to at both ends."""

    above: Values
    below: Values

    @property
    def divided(self) -> bool:
        return set(self.below) != CONSTANT

    def at(self, x: Number) -> Number:
        return (
            Fraction(_value(self.above, x)) / _value(self.below, x) if self.divided else _value(self.above, x)
        )

    @cached_property
    def slope(self) -> Values:
        """The derivative, but for the square of `below` under it, which is positive."""
        found: dict[int, Fraction] = {}
        for (power, each), (other, beside) in product(self.above.items(), self.below.items()):
            at = power + other - 1
            found[at] = found.get(at, Fraction(0)) + (power - other) * each * beside
        return {power: each for power, each in found.items() if each}

    def direction(self, start: int) -> int:
        """1 where the curve rises from `start` on, −1 where it falls, 0 where it is level.

        Signs decide, and where they differ the exact roots of the slope. Raises Turns where there is one.
        """
        if not self.slope:
            return 0
        if len({each > 0 for each in self.slope.values()}) > 1:
            lowest, x = min(self.slope), Symbol("x")
            slope = Poly({(power - lowest,): as_expr(each) for power, each in self.slope.items()}, x)
            turns = [
                point for point, times in slope.real_roots(multiple=False) if times % 2 and point > start
            ]
            if turns:
                raise Turns(turns[0])
        return 1 if self.slope[max(self.slope)] > 0 else -1

    def root(self, bound: Number) -> Number | Expr | None:
        """The exact x at which the curve equals `bound`: a fraction, or an expression with a root in it."""
        rest = bound - self.above.get(0, Fraction(0))
        powers = sorted(power for power, each in self.above.items() if power and each)
        if self.divided:
            (p, q), (r, s) = _linear(self.above, Fraction(0)), _linear(self.below, Fraction(0))
            linear = set(self.above) | set(self.below) <= {0, 1} and q != bound * s
            return tidy((bound * r - p) / (q - bound * s)) if linear else None
        if powers == [1]:
            return tidy(rest / self.above[1])
        if len(powers) == 1 and rest / self.above[powers[0]] > 0:
            ratio, degree = rest / self.above[powers[0]], abs(powers[0])
            return _rooted(ratio if powers[0] > 0 else 1 / ratio, degree)
        if powers == [1, 2]:
            return _quadratic(self.above[2], self.above[1], rest)
        if powers == [-2, -1]:
            inverse = _quadratic(self.above[-2], self.above[-1], rest)
            return (
                None if not inverse else tidy(1 / Fraction(inverse)) if _is_number(inverse) else 1 / inverse
            )
        return None

    def start(self) -> Fraction | None:
        """What the curve comes nearer to the smaller x is; None where it grows or falls without end."""
        if min(self.above) < 0 or not self.below.get(0):
            return None
        return self.above.get(0, Fraction(0)) / self.below[0]

    def end(self) -> Fraction | None:
        """What the curve comes nearer to the larger x is; None where it grows or falls without end."""
        top, bottom = max(self.above), max(self.below)
        if top > bottom:
            return None
        return self.above[top] / self.below[bottom] if top == bottom else Fraction(0)


def _linear(side: Mapping[int, Any], nothing: Any) -> tuple[Any, Any]:
    return side.get(0, nothing), side.get(1, nothing)


def _value(side: Values, x: Number) -> Number:
    x = Fraction(x) if min(side) < 0 else x
    return sum((each * x**power for power, each in side.items()), Fraction(0))


def _is_number(value: object) -> bool:
    return isinstance(value, int | Fraction)


def tidy(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else value


def as_expr(value: Number | Expr) -> Expr:
    """A number as sympy compares and writes it."""
    return value if isinstance(value, Expr) else Rational(value.numerator, value.denominator)


def _rooted(value: Fraction, degree: int) -> Number | Expr:
    """The exact root: sympy takes out what is a power."""
    found = Pow(as_expr(value), Rational(1, degree))
    return tidy(Fraction(int(found.p), int(found.q))) if found.is_Rational else found


def _quadratic(square: Fraction, slope: Fraction, right: Fraction) -> Number | Expr | None:
    """The larger root of square·x² + slope·x = right, exact: a fraction where the square root is one."""
    inside = slope**2 + 4 * square * right
    if inside < 0:
        return None
    above, below = isqrt(inside.numerator), isqrt(inside.denominator)
    if above**2 == inside.numerator and below**2 == inside.denominator:
        return tidy((Fraction(above, below) - slope) / (2 * square))
    return (sqrt(as_expr(inside)) - as_expr(slope)) / (2 * as_expr(square))


def direction(form: Expr, x: Symbol) -> int | None:
    """1 where a form of positive letters rises with x, −1 where it falls, 0 without x; None if unclear.

    Sums, products and powers, and floor, ceiling, greatest and least, which all keep the direction.

    >>> from sympy import Max, ceiling
    >>> from symcost.symbols import b, c, v
    >>> direction(64 * ceiling(v / 64) + Max(v, c), v), direction(c / b - b, b), direction(b - c / b, b)
    (1, -1, 1)
    """
    if not form.has(x):
        return 0
    if form == x:
        return 1
    if form.is_Pow and form.exp.is_Rational:
        inside = direction(form.base, x) if form.base.is_nonnegative else None
        return inside if inside is None or form.exp > 0 else -inside
    if form.is_Mul:
        constant, factors = form.as_coeff_mul()
        whole = _agreed(direction(factor, x) if factor.is_nonnegative else None for factor in factors)
        return whole if whole is None or constant > 0 else -whole
    if form.is_Add or type(form).__name__ in ("floor", "ceiling", "Max", "Min"):
        return _agreed(direction(part, x) for part in form.args)
    return None


def _agreed(directions: Iterable[int | None]) -> int | None:
    found = set(directions) - {0}
    return found.pop() if len(found) == 1 else None if found else 0


def last(holds: Callable[[int], bool], most: int = 1 << 4096) -> int | None:
    """The largest whole number for which `holds`, which is true up to some number and false after it.

    0 where it is false at once, None where it is true up to `most`.

    >>> last(lambda k: k**2 <= 50), last(lambda k: False), last(lambda k: True)
    (7, 0, None)
    """
    high = 1
    while holds(high):
        high *= 2
        if high > most:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
