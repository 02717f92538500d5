"""Puts a closed form in the order in which a lecturer writes it: a small tree of terms, factors and brackets.

- A sum is expanded. Its terms come by falling power of `Notation.outside` (L), then those without the batch
  letter, then by falling power of `Notation.widths` in turn; a bare number is last, fractions follow all.
- Where L stands to the first power at most, the sum is collected: L(…) + (…).
- What is taken away from something without L stands in one bracket: M − (L(…) + (…)). A sum begins with a
  minus only where all of it is negative.
- A product is its number, L, the letters in the order of `Notation.factors`, the glossary's other letters,
  unknown letters by alphabet, functions, sums. It stays as given where multiplying out would make no
  polynomial (a division, a floor), would square L, or would be too long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from math import lcm
from operator import add
from typing import Any, NamedTuple, TypeAlias

from sympy import Expr, Mul, Pow, Rational, default_sort_key

from symcost.notation.numbers import Exact
from symcost.symbols import GLOSSARY, NOTATIONS, Notation

LONGEST = 5_000  # terms; a product that would have more is not multiplied out
HIGHEST = 64  # the same for a power

FUNCTIONS = {"ceiling": "ceil", "Max": "max", "Min": "min", "Abs": "abs", "Mod": "mod", "Exp1": "e"}


# The tree: what is written, in the order in which it is written.


class Number(NamedTuple):
    """A number that is not negative."""

    value: Exact


class Letter(NamedTuple):
    symbol: Any


class Power(NamedTuple):
    base: Node
    exponent: Node


class Root(NamedTuple):
    inside: Node


class Call(NamedTuple):
    function: str
    arguments: tuple[Node, ...]


class Product(NamedTuple):
    factors: tuple[Node, ...]


class Quotient(NamedTuple):
    above: Node
    below: Node


class Group(NamedTuple):
    """A bracket that only guides the eye."""

    inside: Sum


class Sum(NamedTuple):
    """Items in order, each with whether it is taken away."""

    items: tuple[tuple[bool, Node], ...]


Node: TypeAlias = Number | Letter | Power | Root | Call | Product | Quotient | Group | Sum
Item: TypeAlias = tuple[bool, Node]
Exponents: TypeAlias = tuple[Exact, ...]
Term: TypeAlias = tuple[Exponents, Exact]


# From an expression to terms over generators.


class TooLong(Exception):
    """The product has too many terms to be multiplied out."""


@lru_cache(maxsize=64)
def _ranks(outside: str, factors: tuple[str, ...]) -> dict[str, int]:
    """The place of each known letter in a product: L, the notation's order, the rest of the glossary."""
    return {name: place for place, name in enumerate(dict.fromkeys((outside, *factors, *GLOSSARY)))}


class Expanded:
    """An expression as a sum of terms, each a number times powers of generators, in print order.

    Generators are letters and whatever is not multiplied out: functions, bases of roots and of denominators;
    with `multiplied_out=False` also every sum inside a product. Raises TooLong.
    """

    def __init__(self, expr: Expr, notation: Notation, multiplied_out: bool = True) -> None:
        self.multiplied_out = multiplied_out
        found: dict[Any, None] = {}
        self._find(expr, found)
        ranks = _ranks(notation.outside, notation.factors)

        def place(generator: Any) -> tuple[Any, ...]:
            if generator.is_Symbol:
                return (0, ranks.get(generator.name, len(ranks)), generator.name)
            return (2 if generator.is_Add else 1, 0, default_sort_key(generator))

        self.generators: list[Any] = sorted(found, key=place)
        self.index: dict[Any, int] = {generator: at for at, generator in enumerate(self.generators)}
        self.of_letter = {g.name: at for g, at in self.index.items() if g.is_Symbol}
        self.outside = self.of_letter.get(notation.outside)
        self.widths = [self.of_letter[name] for name in notation.widths if name in self.of_letter]
        self.batch = [
            at for g, at in self.index.items() if any(s.name == notation.batch for s in g.free_symbols)
        ]
        self.list: list[Term] = sorted(self._spread(expr).items(), key=self._place)

    def _place(self, term: Term) -> tuple[Any, ...]:
        """Where a term stands in its sum."""
        powers = term[0]
        return (
            0 if self.outside is None else -powers[self.outside],
            self.denominator(term),
            not any(powers),
            any(powers[at] for at in self.batch),
            [-powers[at] for at in self.widths],
            [-power for power in powers],
        )

    @staticmethod
    def denominator(term: Term) -> Exponents:
        """The powers of each generator below the line."""
        return tuple([-power if power < 0 else 0 for power in term[0]])

    @property
    def divides(self) -> bool:
        return any(power < 0 for powers, _ in self.list for power in powers)

    @property
    def has_roots(self) -> bool:
        return any(power.denominator != 1 for powers, _ in self.list for power in powers)

    def _stays(self, base: Any, power: Any) -> bool:
        """Whether base^power is a power of one generator."""
        spreads = self.multiplied_out and (base.is_Add or base.is_Mul) and power.is_Integer and power > 0
        return not spreads

    def _find(self, expr: Any, found: dict[Any, None]) -> None:
        """Collects the generators of `expr` in `found`."""
        for part in expr.args if expr.is_Add else (expr,):
            for factor in part.args if part.is_Mul else (part,):
                if factor.is_Symbol:
                    found[factor] = None
                elif factor.is_Rational:
                    continue
                elif factor.is_Add or factor.is_Mul:
                    if self.multiplied_out or factor.is_Mul:
                        self._find(factor, found)
                    else:
                        found[factor] = None
                elif factor.is_Pow and factor.args[1].is_Rational:
                    base, power = factor.args
                    if self._stays(base, power):
                        found[base] = None
                    else:
                        self._find(base, found)
                else:
                    found[factor] = None

    def _spread(self, expr: Any) -> dict[Exponents, Exact]:
        """Each monomial of `expr` with its number."""
        if not expr.is_Add:
            return self._multiply_out(expr)
        total: dict[Exponents, Exact] = {}
        for part in expr.args:
            for powers, number in self._multiply_out(part).items():
                total[powers] = total.get(powers, 0) + number
        return {powers: number for powers, number in total.items() if number}

    def _multiply_out(self, product: Any) -> dict[Exponents, Exact]:
        number: Exact = 1
        powers: list[Exact] = [0] * len(self.generators)
        sums: list[tuple[Any, int]] = []
        for factor in product.args if product.is_Mul else (product,):
            if factor.is_Symbol:
                powers[self.index[factor]] += 1
            elif factor.is_Rational:
                number *= _exact(factor)
            elif factor.is_Pow and factor.args[1].is_Rational:
                base, power = factor.args
                if self._stays(base, power):
                    powers[self.index[base]] += _exact(power)
                else:
                    sums.append((base, int(power)))
            elif factor.is_Mul or (factor.is_Add and self.multiplied_out):
                sums.append((factor, 1))
            else:
                powers[self.index[factor]] += 1
        total: dict[Exponents, Exact] = {tuple(powers): number}
        for base, times in sums:
            if times > HIGHEST:
                raise TooLong
            more = self._spread(base)
            for _ in range(times):
                total = self._times(total, more)
        return total

    @staticmethod
    def _times(left: dict[Exponents, Exact], right: dict[Exponents, Exact]) -> dict[Exponents, Exact]:
        if len(left) * len(right) > LONGEST:
            raise TooLong
        total: dict[Exponents, Exact] = {}
        for p, x in left.items():
            for q, y in right.items():
                powers = tuple(map(add, p, q))
                total[powers] = total.get(powers, 0) + x * y
        return {powers: number for powers, number in total.items() if number}


def _exact(number: Any) -> Exact:
    """A sympy rational as Python's own."""
    return int(number.p) if number.q == 1 else Fraction(int(number.p), int(number.q))


# From terms to the tree.


class Arranger:
    """Puts an expression in the order of a notation."""

    def __init__(self, notation: Notation, collect: bool = True) -> None:
        self.notation = notation
        self.collect = collect

    def arrange(self, expr: Any) -> Node:
        """The tree of `expr`."""
        if expr.is_Symbol:
            return Letter(expr)
        if expr.is_Rational:
            value = _exact(expr)
            return Number(value) if value >= 0 else Sum(((True, Number(-value)),))
        if expr.is_Float:
            return self.arrange(Rational(str(expr)))
        if expr.is_Add:
            return self._sum(expr)
        if expr.is_Mul or (expr.is_Pow and expr.args[1].is_Rational):
            return self._product(expr)
        if expr.is_Pow:
            return Power(self.arrange(expr.args[0]), self.arrange(expr.args[1]))
        return self._call(expr)

    def _call(self, expr: Any) -> Node:
        """A function of its arguments; the order of those of max and min means nothing, so it is fixed."""
        name = type(expr).__name__
        arguments = sorted(expr.args, key=default_sort_key) if name in ("Max", "Min") else expr.args
        return Call(FUNCTIONS.get(name, name), tuple(self.arrange(argument) for argument in arguments))

    def _sum(self, expr: Any) -> Node:
        try:
            terms = Expanded(expr, self.notation)
        except TooLong:
            terms = Expanded(expr, self.notation, multiplied_out=False)
        if self._squares_outside(terms):
            terms = Expanded(expr, self.notation, multiplied_out=False)
        return self._collected(terms)

    def _product(self, expr: Any) -> Node:
        """Multiplied out where that makes a polynomial, or where nothing is divided; else as given."""
        given = Expanded(expr, self.notation, multiplied_out=False)
        if any(generator.is_Add for generator in given.generators):
            try:
                terms = Expanded(expr, self.notation)
            except TooLong:
                return self._collected(given)
            letters_only = all(generator.is_Symbol for generator in terms.generators)
            undivided = not given.divides or not terms.divides
            if letters_only and undivided and not terms.has_roots and not self._squares_outside(terms):
                return self._collected(terms)
        return self._collected(given)

    def _squares_outside(self, terms: Expanded) -> bool:
        at = terms.outside
        return self.collect and at is not None and any(powers[at] > 1 for powers, _ in terms.list)

    def _collected(self, terms: Expanded) -> Node:
        if not terms.list:
            return Number(0)
        below, *others = {terms.denominator(term) for term in terms.list}
        if any(below) and not others and len(terms.list) > 1:
            return whole([self._over(terms, terms.list, below, self._items)])
        return whole(self._items(terms, terms.list))

    def _items(self, terms: Expanded, part: Sequence[Term]) -> list[Item]:
        """`part` collected by the outside letter where it stands to the first power at most."""
        at = terms.outside
        if not self.collect or at is None or {1} != {powers[at] for powers, _ in part} - {0}:
            return self._plain(terms, part)
        inner = [term for term in part if term[0][at]]
        rest = [term for term in part if not term[0][at]]
        if all(number < 0 for _, number in inner):
            more = [term for term in rest if term[1] > 0]
            less = [(powers, -number) for powers, number in part if number < 0]
            items = self._items(terms, less)
            if not more:
                return [(not negative, node) for negative, node in items]
            return [*self._plain(terms, more), (True, whole(items))]
        if len(inner) == 1:
            return self._plain(terms, inner) + self._plain(terms, rest)
        stripped = [((*powers[:at], 0, *powers[at + 1 :]), number) for powers, number in inner]
        outside = Letter(terms.generators[at])
        first: Item = (False, Product((outside, whole(self._plain(terms, stripped)))))
        remainder = self._plain(terms, rest)
        if len(remainder) < 2:
            return [first, *remainder]
        if all(negative for negative, _ in remainder):
            return [first, (True, Group(Sum(tuple((False, node) for _, node in remainder))))]
        return [first, (False, Group(Sum(tuple(remainder))))]

    def _plain(self, terms: Expanded, part: Sequence[Term]) -> list[Item]:
        """One item for each term, or for all over one denominator; a minus in front only if need be."""
        items: list[Item] = []
        for below, same in groupby(part, terms.denominator):
            group = list(same)
            if any(below) and len(group) > 1:
                items.append(self._over(terms, group, below, self._plain))
            else:
                items.extend(self._term(terms, term) for term in group)
        if items and items[0][0]:
            items.sort(key=lambda item: item[0])
        return items

    def _over(
        self,
        terms: Expanded,
        group: Sequence[Term],
        below: Exponents,
        items: Callable[[Expanded, Sequence[Term]], list[Item]],
    ) -> Item:
        """Terms over one denominator as one fraction."""
        scale = lcm(*(number.denominator for _, number in group))
        negative = all(number < 0 for _, number in group)
        sign = -scale if negative else scale
        above = [(tuple(map(add, powers, below)), _tidy(number * sign)) for powers, number in group]
        return negative, Quotient(whole(items(terms, above)), self._monomial(terms, below, scale))

    def _term(self, terms: Expanded, term: Term) -> Item:
        powers, number = term
        return number < 0, self._monomial(terms, powers, max(number, -number))

    def _monomial(self, terms: Expanded, powers: Exponents, number: Exact) -> Node:
        """A positive number times powers: a product, or a quotient where something stands below the line."""
        above: list[Node] = []
        below: list[Node] = []
        roots: tuple[list[Node], list[Node]] = ([], [])
        for generator, power in zip(terms.generators, powers, strict=True):
            if not power:
                continue
            base, size = self.arrange(generator), max(power, -power)
            if size == Fraction(1, 2):
                roots[power < 0].append(base)
            else:
                (below if power < 0 else above).append(base if size == 1 else Power(base, Number(size)))
        for side, under in zip((above, below), roots, strict=True):
            if under:
                side.append(Root(times(under)))
        top, bottom = number.numerator, number.denominator
        if not below and (bottom == 1 or top != 1 or not above):
            return times(above if number == 1 else [Number(_tidy(number)), *above])
        return Quotient(
            times(above if top == 1 else [Number(top), *above]),
            times(below if bottom == 1 else [Number(bottom), *below]),
        )


def _tidy(number: Exact) -> Exact:
    return number.numerator if number.denominator == 1 else number


def times(factors: list[Node]) -> Node:
    """A product of factors, however few."""
    return Product(tuple(factors)) if len(factors) > 1 else factors[0] if factors else Number(1)


def whole(items: list[Item]) -> Node:
    """A sum of items, however few."""
    return items[0][1] if len(items) == 1 and not items[0][0] else Sum(tuple(items))


# The public face.


def arranged(expr: Expr | Exact, notation: Notation | None = None, collect: bool = True) -> Node:
    """The tree of `expr`, in the lecture's notation if none is given; collected by L unless told not to."""
    return Arranger(notation or NOTATIONS["lecture"], collect).arrange(form(expr))


def form(expr: Expr | Exact) -> Any:
    """An expression or an exact number as an expression. Raises TypeError for anything else."""
    if isinstance(expr, Expr):
        return expr
    if isinstance(expr, int | Fraction):
        return Rational(expr.numerator, expr.denominator)
    raise TypeError(f"a form is a sympy expression or an exact number, not {type(expr).__name__}")


def terms(expr: Expr | Exact, notation: Notation | None = None) -> tuple[Expr, ...]:
    """The terms of `expr` multiplied out, in the order in which they are printed.

    >>> from symcost.symbols import b, c, d, h
    >>> terms(b * (h * c**2 + 20 * c * d))
    (20*b*c*d, b*c**2*h)
    """
    style = notation or NOTATIONS["lecture"]
    try:
        spread = Expanded(form(expr), style)
    except TooLong:
        spread = Expanded(form(expr), style, multiplied_out=False)
    return tuple(
        Mul(form(number), *map(Pow, spread.generators, map(form, powers))) for powers, number in spread.list
    )
