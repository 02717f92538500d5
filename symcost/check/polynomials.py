"""Forms as summands: a polynomial is a table from monomials to coefficients, so equality is equality of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from random import Random
from typing import TypeAlias

from sympy import Expr, Integer, Mul, Pow, Rational, Symbol, cancel

Monomial: TypeAlias = tuple[tuple[str, int], ...]
Coefficient: TypeAlias = int | Fraction  # an int where it is whole, which is an order faster
Summands: TypeAlias = Mapping[Monomial, Coefficient]

FIELD = 2**61 - 1  # a prime: signatures are numbers below it
MOST_SUMMANDS = 2_000  # beyond this a form is not multiplied out


MOST_OPERATIONS, MOST_POWER = 120, 6  # of a form that is brought into lowest terms


@lru_cache(maxsize=8192)
def summands(form: Expr) -> Summands | None:
    """The monomials of `form` with their coefficients, powers may be negative; None where it is no such sum.

    >>> from symcost.symbols import b, c
    >>> summands(b * (2 + c)) == {(("b", 1),): 2, (("b", 1), ("c", 1)): 1}
    True
    """
    if form.is_Rational:
        return {(): int(form.p) if form.q == 1 else Fraction(form.p, form.q)} if form.p else {}
    if form.is_Symbol:
        return {((form.name, 1),): 1}
    if form.is_Add:
        return _sum(form.args)
    if form.is_Mul:
        product: Summands | None = {(): 1}
        for factor in form.args:
            other = summands(factor)
            product = None if product is None or other is None else times(product, other)
        return product
    if form.is_Pow and form.exp.is_Integer:
        return _power(summands(form.base), int(form.exp))
    return None


def _sum(forms: Iterable[Expr]) -> Summands | None:
    tables = []
    for form in forms:
        parts = summands(form)
        if parts is None:
            return None
        tables.append(parts)
    return total(tables)


def total(tables: Iterable[Summands]) -> Summands:
    """The sum, without what cancels."""
    found: dict[Monomial, Coefficient] = {}
    for table in tables:
        for monomial, coefficient in table.items():
            found[monomial] = found.get(monomial, 0) + coefficient
    return {monomial: coefficient for monomial, coefficient in found.items() if coefficient}


def _power(base: Summands | None, exponent: int) -> Summands | None:
    if base is None:
        return None
    if exponent < 0:
        if len(base) != 1:
            return None
        [term] = base.items()
        base, exponent = _inverse(*term), -exponent
    if (len(base) > 1 and len(base) ** min(exponent, 12) > MOST_SUMMANDS * 64) or exponent > 64:
        return None
    result: Summands | None = {(): 1}
    for _ in range(exponent):
        result = None if result is None else times(result, base)
    return result


def times(left: Summands, right: Summands) -> Summands | None:
    """The product, or None where it grows too large to be multiplied out."""
    if len(left) * len(right) > MOST_SUMMANDS:
        return None
    product: dict[Monomial, Coefficient] = {}
    for one, first in left.items():
        for other, second in right.items():
            key = joined(one, other)
            product[key] = product.get(key, 0) + first * second
    return {monomial: coefficient for monomial, coefficient in product.items() if coefficient}


@lru_cache(maxsize=65536)
def joined(one: Monomial, other: Monomial) -> Monomial:
    if not one or not other:
        return one or other
    powers = dict(one)
    for name, power in other:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def minus(left: Summands, right: Summands) -> Summands:
    """The difference, without what cancels."""
    result = dict(left)
    for monomial, coefficient in right.items():
        result[monomial] = result.get(monomial, 0) - coefficient
    return {monomial: coefficient for monomial, coefficient in result.items() if coefficient}


def scaled(form: Summands, factor: Coefficient) -> Summands:
    """Every coefficient times `factor`."""
    return {monomial: coefficient * factor for monomial, coefficient in form.items()}


def ratio(left: Summands, right: Summands) -> Fraction | None:
    """The number that left is of right, where they have the same monomials in the same proportion."""
    if not left or left.keys() != right.keys():
        return None
    ratios = {Fraction(coefficient) / right[monomial] for monomial, coefficient in left.items()}
    return ratios.pop() if len(ratios) == 1 else None


def quotient(whole: Summands, part: Summands) -> Summands | None:
    """The form by which a part is multiplied for the whole, where the part or that form is one term; else None."""
    [first, *rest] = part.items()
    found = times(whole, _inverse(*first))
    if not rest or found is None:
        return found
    return next(({name: value} for name, value in found.items() if times(part, {name: value}) == whole), None)


def _inverse(monomial: Monomial, value: Coefficient) -> Summands:
    return {tuple((name, -power) for name, power in monomial): 1 / Fraction(value)}


def form_of(table: Summands) -> Expr:
    """The table as an expression again."""
    from sympy import Add

    return Add(*(
        Mul(Rational(coefficient.numerator, coefficient.denominator),
            *(Pow(Symbol(name, positive=True), Integer(power)) for name, power in monomial))
        for monomial, coefficient in table.items()
    ))  # fmt: skip


def letters_of(table: Summands) -> set[str]:
    """The letters of a form.

    >>> sorted(letters_of({(("b", 1), ("c", 2)): 4}))
    ['b', 'c']
    """
    return {name for monomial in table for name, _ in monomial}


def has_letter(table: Summands, letter: str) -> bool:
    """Whether a letter is in a form."""
    return any(name == letter for monomial in table for name, _ in monomial)


def value_at(table: Summands, numbers: Mapping[str, Fraction]) -> Fraction | None:
    """What a table comes to, or None where a letter has no number, or divides by 0."""
    total = Fraction(0)
    for monomial, value in table.items():
        product = Fraction(value)
        for name, power in monomial:
            if name not in numbers or (power < 0 and not numbers[name]):
                return None
            product *= numbers[name] ** power
        total += product
    return total


def reduced(form: Expr) -> Expr:
    """A quotient in lowest terms, where somebody may have meant it: one that would take for ever is left as it is.

    >>> from symcost.symbols import c, d, h
    >>> reduced((c*d + c*h)/c), reduced((1 + d + h)**40/d) == (1 + d + h)**40/d
    (d + h, True)
    """
    powers = [abs(each.exp) for each in form.atoms(Pow) if each.exp.is_Integer]
    small = form.count_ops() <= MOST_OPERATIONS and max(powers, default=0) <= MOST_POWER
    return cancel(form) if small else form


def key(table: Summands) -> frozenset[tuple[Monomial, Coefficient]]:
    """The table as something that can be looked up."""
    return frozenset(table.items())


def signature(table: Summands) -> int:
    """The value at a fixed point whose letters are random numbers, modulo a prime.

    Equal tables share it, different ones next to never do, and that of a sum or a product follows from those of its parts.

    >>> one, other = {(("b", 1),): 2}, {(("c", 2),): 3}
    >>> signature(total((one, other))) == (signature(one) + signature(other)) % FIELD
    True
    """
    return sum(_in_field(value) * _at_the_point(monomial) for monomial, value in table.items()) % FIELD


def _in_field(value: Coefficient) -> int:
    return value if isinstance(value, int) else value.numerator * pow(value.denominator, -1, FIELD)


@lru_cache(maxsize=65536)
def _at_the_point(monomial: Monomial) -> int:
    product = 1
    for name, power in monomial:
        product = product * pow(_point(name), power, FIELD) % FIELD
    return product


@lru_cache(maxsize=1024)
def _point(name: str) -> int:
    return Random(name).randrange(1, FIELD)
