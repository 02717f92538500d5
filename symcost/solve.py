"""Limits: a closed form turned round. The form for the reader, the exact root, and the integer with its proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

from sympy import Expr, Poly, PolynomialError, Rational, Symbol, sqrt

from symcost.errors import NoLimit, UsageError
from symcost.notation import code, latex
from symcost.symbols import GLOSSARY, NOTATIONS, letter
from symcost.terms import Number, Terms, evaluator, plain

# The letter that stands for a limit, by the unit of what is limited.
LIMITS: Mapping[str, Symbol] = {
    "bytes": GLOSSARY["M"].symbol,
    "s": Symbol("T", positive=True),
    "USD": Symbol("budget", positive=True),
    "FLOPs": Symbol("C", positive=True),
}
SMALL = 1 << 64  # a search that doubles past this has no limit worth the name


@dataclass(frozen=True)
class Certificate:
    """Why `k` is right: f(k) keeps the limit and f(next) does not, both in exact numbers."""

    k: int
    at_k: Number
    next: int
    at_next: Number


@dataclass(frozen=True)
class Limit:
    """The largest (or least) value of one letter for which a quantity keeps its limit.

    `form` is the answer in letters with the limit's own letter in it (M for memory), or None where there is no
    closed form worth reading; `equation` is the form that was turned round. `value` is the exact root. `floor` is
    the largest whole number that keeps the limit (0 where none does, and then `missing` is what one would need
    more), `ceiling` the least one where the quantity falls with the letter. `left` is what the limit leaves over.
    """

    letter: str
    terms: Terms
    limit: Number
    form: Expr | None
    value: Number | Expr | None
    floor: int | None
    ceiling: int | None
    certificate: Certificate | None
    left: Number
    missing: Number
    numbers: Mapping[str, Number]

    @property
    def quantity(self) -> str:
        return self.terms.quantity

    @property
    def equation(self) -> Expr:
        return self.terms.total

    @property
    def integer(self) -> int | None:
        """The whole number that answers the question."""
        return self.floor if self.floor is not None else self.ceiling

    def binds(self) -> list[tuple[str, Number, Fraction]]:
        """What makes up the quantity at the integer (at 1 where nothing fits): name, amount, share; largest first."""
        numbers = {**self.numbers, self.letter: self.integer or 1}
        groups: dict[str, Number] = {}
        for term in self.terms:
            groups[term.quantity] = groups.get(term.quantity, 0) + evaluator(term.total)(numbers)
        whole = sum(groups.values())
        return sorted(
            ((name, amount, Fraction(amount) / whole) for name, amount in groups.items()), key=lambda row: -row[1]
        )

    def latex(self, notation: str = "lecture") -> str:
        """The root in a notation's letters; empty where there is no closed form."""
        return latex(self.form, NOTATIONS[notation]) if self.form is not None else ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON of the command line."""
        value = self.value
        proof = self.certificate
        answer = {"floor": self.floor} if self.ceiling is None else {"ceiling": self.ceiling}
        return {
            "for": self.letter,
            "quantity": self.quantity,
            "limit": plain(self.limit),
            "unit": self.terms.unit,
            "form": code(self.form) if self.form is not None else None,
            "latex": self.latex() or None,
            "equation": code(self.equation),
            "value": code(value) if isinstance(value, Expr) else plain(value) if value is not None else None,
            **answer,
            "certificate": None if proof is None else {
                "k": proof.k, "at_k": plain(proof.at_k), "next": proof.next, "at_next": plain(proof.at_next)
            },
            "left": plain(self.left),
            "missing": plain(self.missing),
            "binds": [
                {"quantity": name, "amount": plain(amount), "share": plain(share)} for name, amount, share in self.binds()
            ],
            "numbers": {name: plain(number) for name, number in self.numbers.items() if name in self.terms.letters},
        }  # fmt: skip

    def _repr_latex_(self) -> str:
        return f"${self.letter}_{{\\max}} = {self.latex()}$"


def solve(
    terms: Terms,
    for_letter: str,
    *,
    at_most: float | Fraction,
    given: Mapping[str, Any] | None = None,
    multiple_of: int = 1,
) -> Limit:
    """The value of one letter up to which `terms` stay at or below `at_most`, in the terms' own unit.

    Where the quantity grows with the letter the answer is the largest whole number (`floor`), where it falls the
    least (`ceiling`). Linear and quadratic roots are exact; the integer is found and proven in exact integers.
    Raises NoLimit where the letter is not in the form, MissingValue where another letter has no number, and
    UsageError for a limit that is not positive. Source: CS190C 2026, lecture 9, part 3.

    >>> from symcost import GPUS, derive, solve
    >>> numbers = {"c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000}
    >>> solve(derive("cs190c")["peak_memory"], "b", at_most=GPUS["rtx-3090"].memory, given=numbers).floor
    63
    """
    entry = letter(for_letter)
    limit = _positive(at_most, terms)
    if for_letter not in terms.letters:
        others = ", ".join(terms.letters) or "no letters"
        raise NoLimit(
            f"{for_letter} does not appear in {terms.quantity}, which is in {others}: "
            f"there is no limit of {for_letter}. Ask for one of these, or for another quantity."
        )
    values = {name: value for name, value in (given or {}).items() if name != for_letter}
    numbers = terms.known(values)
    numbers.pop(for_letter, None)
    missing = [name for name in terms.letters if name not in numbers and name != for_letter]
    if missing:
        terms.at(**{for_letter: 1, **values})  # raises MissingValue, naming them all
    form, value = _closed_form(terms, entry.symbol, limit, numbers)

    f = evaluator(terms.total)
    at: Callable[[int], Number] = lambda k: f({**numbers, for_letter: k})  # noqa: E731
    if not entry.whole:
        return Limit(for_letter, terms, limit, form, value, None, None, None, 0, 0, numbers)

    allowed = _allowed(terms, for_letter, numbers, multiple_of)
    first = next((k for k in range(multiple_of, multiple_of * 100_001, multiple_of) if allowed(k)), None)
    if first is None:
        raise NoLimit(f"{for_letter}: no whole number up to {100_000 * multiple_of} gives whole numbers for all tied letters.")
    if at(2 * first + 1) >= at(first):
        return _largest(terms, for_letter, limit, numbers, form, value, at, allowed, first, multiple_of)
    return _least(terms, for_letter, limit, numbers, form, value, at, allowed, multiple_of)


def _positive(limit: float | Fraction, terms: Terms) -> Number:
    try:
        number = Fraction(str(limit))
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"limit: expected a positive number of {terms.unit}, found {limit!r}.") from None
    if number <= 0:
        raise UsageError(f"limit: expected a positive number of {terms.unit}, found {limit}.")
    return int(number) if number.denominator == 1 else number


def _closed_form(
    terms: Terms, symbol: Symbol, limit: Number, numbers: Mapping[str, Number]
) -> tuple[Expr | None, Number | Expr | None]:
    """The root in letters and its exact value, where the equation is linear, quadratic or a reciprocal."""
    bound = LIMITS.get(terms.unit, Symbol("limit", positive=True))
    put = {**numbers, bound.name: limit}
    turned = terms.total * symbol
    if symbol not in turned.free_symbols:
        form = turned / bound
        return form, evaluator(form)(put)
    try:
        coefficients = Poly(terms.total, symbol).all_coeffs()
    except PolynomialError:
        return None, None
    if len(coefficients) == 2:
        slope, rest = coefficients
        form = (bound - rest) / slope
        return form, evaluator(form)(put)
    if len(coefficients) == 3:
        square, slope, rest = coefficients
        inside = slope**2 + 4 * square * (bound - rest)
        form = (-slope + sqrt(inside)) / (2 * square)
        return form, _quadratic_root(*(evaluator(part)(put) for part in (square, slope, bound - rest)))
    return None, None


def _quadratic_root(square: Number, slope: Number, right: Number) -> Number | Expr | None:
    """The positive root of square·x² + slope·x = right, exact: a fraction where the square root is one."""
    inside = Fraction(slope) ** 2 + 4 * Fraction(square) * right
    if inside < 0:
        return None
    top, bottom = isqrt(inside.numerator), isqrt(inside.denominator)
    if top**2 == inside.numerator and bottom**2 == inside.denominator:
        root = (Fraction(top, bottom) - slope) / (2 * square)
        return int(root) if root.denominator == 1 else root
    rational = [Rational(Fraction(each).numerator, Fraction(each).denominator) for each in (inside, slope, square)]
    return (sqrt(rational[0]) - rational[1]) / (2 * rational[2])


def _allowed(terms: Terms, name: str, numbers: Mapping[str, Number], multiple_of: int) -> Callable[[int], bool]:
    """Whether a whole number is a multiple as asked, and makes every tied letter (d_k = d/h) whole."""
    symbol = GLOSSARY[name].symbol
    tied = [
        evaluator(form)
        for letter_, form in terms.ties.items()
        if symbol in form.free_symbols
        and GLOSSARY[letter_.name].whole
        and all(other.name in numbers or other == symbol for other in form.free_symbols)
    ]

    def allowed(k: int) -> bool:
        here = {**numbers, name: k}
        return k % multiple_of == 0 and all(Fraction(form(here)).denominator == 1 for form in tied)

    return allowed


def _largest(
    terms: Terms, name: str, limit: Number, numbers: Mapping[str, Number], form: Expr | None,
    value: Number | Expr | None, at: Callable[[int], Number], allowed: Callable[[int], bool], first: int, step: int,
) -> Limit:  # fmt: skip
    if at(first) > limit:
        proof = Certificate(0, at(0), first, at(first)) if at(0) <= limit else None
        return Limit(name, terms, limit, form, value, 0, None, proof, 0, at(first) - limit, numbers)
    low, high = first, first
    while at(high) <= limit:
        low, high = high, 2 * high
        if high > SMALL:
            raise NoLimit(f"{terms.quantity} stays below the limit for every {name} up to {SMALL}: it does not bind.")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle) <= limit else (low, middle)
    k = low
    while not allowed(k):
        k -= 1
    above = low + 1
    while not allowed(above) and above - low < 1_000_000:
        above += 1
    return Limit(name, terms, limit, form, value, k, None, Certificate(k, at(k), above, at(above)), limit - at(k), 0, numbers)


def _least(
    terms: Terms, name: str, limit: Number, numbers: Mapping[str, Number], form: Expr | None,
    value: Number | Expr | None, at: Callable[[int], Number], allowed: Callable[[int], bool], step: int,
) -> Limit:  # fmt: skip
    high = step
    while at(high) > limit:
        high *= 2
        if high > SMALL:
            raise NoLimit(f"{terms.quantity} stays above the limit for every {name} up to {SMALL}: nothing is enough.")
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle) <= limit else (middle, high)
    k = high
    while not allowed(k):
        k += 1
    before = max(high - 1, 1)
    proof = Certificate(k, at(k), before, at(before)) if high > 1 else Certificate(k, at(k), 0, 0)
    return Limit(name, terms, limit, form, value, None, k, proof, limit - at(k), 0, numbers)

