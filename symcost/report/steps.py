"""Substitution steps: a form in letters, with numbers in place, values in between, the value with unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, prod

from sympy import Expr, Symbol

from symcost.notation.arranging import Call, Group, Letter, Node, Power, Product, Quotient, Sum, arranged
from symcost.notation.arranging import Number as Figure
from symcost.notation.numbers import BINARY, grouped, rounded, significant, with_unit, written_out
from symcost.notation.printing import Latex, Text, latex_name, terms
from symcost.report.blocks import Math, Substitution
from symcost.report.breaking import width
from symcost.symbols import GLOSSARY, KIB, NOTATIONS, Notation
from symcost.terms import Number, evaluator

LAST_EXACT = 2**53  # from here on a page's numbers are rounded, and a reader's eye is
SHORT = 36  # signs that a reader takes in at once; a longer line with numbers gets values in between


def name(text: str) -> Math:
    r"""A name in both ways of writing.

    >>> name("M_static").latex
    'M_{\\mathrm{static}}'
    """
    return Math(latex_name(text), text)


def together(*parts: Math | str, sign: str = "") -> Math:
    """Formulas and signs in a row."""
    latex = [part if isinstance(part, str) else part.latex for part in parts]
    text = [part if isinstance(part, str) else part.text for part in parts]
    between = f" {sign} ".replace("-", "−") if sign else ""
    return Math(sign.join(latex), between.join(text))


def exact(value: Number, digits: int = 6) -> Math:
    """A number with its thousands apart; a fraction is rounded."""
    text = grouped(int(value)) if Fraction(value).denominator == 1 else rounded(value, digits)
    return Math(text.replace(",", "{,}"), text.replace("-", "−"))


def valued(value: Number, unit: str) -> Math:
    """A value with its unit, and where the sensible prefix rounds it, the exact number before that."""
    rounds = Fraction(value).denominator == 1 and (
        (unit == "bytes" and value >= KIB) or (unit == "FLOPs" and 10**6 <= value < LAST_EXACT)
    )
    short = Math(with_unit(value, unit, "latex"), with_unit(value, unit))
    if not rounds:
        return short
    plain = "B" if unit == "bytes" else unit
    long = together(exact(value), Math(rf"\,\mathrm{{{plain}}}", f" {plain}"))
    sign = "=" if _in_prefix(Fraction(value), unit) else r"\approx"
    return Math(f"{long.latex}{sign}{short.latex}", f"{long.text} {'=' if sign == '=' else '≈'} {short.text}")


def _in_prefix(value: Fraction, unit: str) -> bool:
    """Whether four digits in the sensible unit say a value exactly."""
    step = KIB if unit == "bytes" else 10
    while value >= step:
        value /= step
    return (value * 1000).denominator == 1


def in_unit_of(value: Number, other: Number) -> Math:
    """Bytes in the binary unit in which `other` is read, so that two amounts can be compared.

    >>> in_unit_of(2**28, 24 * 2**30).text
    '0.25 GiB'
    """
    power = 0
    while power + 1 < len(BINARY) and other >= KIB ** (power + 1):
        power += 1
    number = significant(Fraction(value) / KIB**power, 4)
    return Math(rf"{number.replace(',', '{,}')}\,\mathrm{{{BINARY[power]}}}", f"{number} {BINARY[power]}")


@lru_cache(maxsize=512)
def ratio(form: Expr, base: Expr) -> Number | None:
    """k where form = k·base, or None where there is no such number.

    >>> from symcost.symbols import L, d
    >>> ratio(16 * L * (d**2 + d), 4 * L * d**2 + 4 * L * d)
    4
    """
    above, below = _spread(form), _spread(base)
    if len(above) != len(below) or not above:
        return None
    ratios = {one / other for one, other in zip(above, below, strict=True)}
    if len(ratios) != 1 or not (found := ratios.pop()).is_Rational:
        return None
    return int(found.p) if found.q == 1 else Fraction(int(found.p), int(found.q))


_spread = lru_cache(maxsize=512)(terms)


@dataclass(frozen=True)
class Board:
    """Writes forms in one notation, with the numbers that are known put in on request."""

    notation: Notation = NOTATIONS["lecture"]
    numbers: Mapping[str, Number] | None = None

    @property
    def known(self) -> Mapping[str, Number]:
        return self.numbers or {}

    def letter(self, letter: str) -> Math:
        """A letter of the glossary as this notation writes it."""
        return self.form(GLOSSARY[letter].symbol)

    def form(self, form: Expr | Number) -> Math:
        """A form in letters."""
        return self._write(arranged(form, self.notation), {})

    def factored(self, form: Expr) -> Math:
        """A form whose long sum stands beside its fraction, D/(bc)·(…), so that the line can be broken."""
        return self._write(beside(arranged(form, self.notation)), {})

    def floored(self, form: Math, kind: str = "floor") -> Math:
        """A form between floor or ceiling signs."""
        signs = "⌊⌋" if kind == "floor" else "⌈⌉"
        return Math(rf"\left\l{kind} {form.latex}\right\r{kind}", f"{signs[0]}{form.text}{signs[1]}")

    def put_in(self, form: Expr) -> Math:
        """The same form with numbers in place of letters."""
        return self._write(beside(arranged(form, self.notation)), self.known)

    def between(self, form: Expr) -> Math | None:
        """The same line with every inner sum worked out, and what is rounded; None where it says nothing new."""
        tree = beside(arranged(form, self.notation))
        values: dict[str, Number] = {}

        def value(node: Node) -> Node:
            made = Symbol(f"value_{len(values)}", positive=True)
            values[made.name] = _value(node, self.known)
            return Letter(made)

        middle = worked_out(tree, value)
        if _rounds(tree):
            needed = any(Fraction(each).denominator != 1 for each in values.values())
        else:
            needed = middle != tree and width(self.put_in(form).latex) > SHORT
        return self._write(middle, {**self.known, **values}) if needed else None

    def value(self, form: Expr) -> Number | None:
        """The exact value, where every letter has a number."""
        if any(symbol.name not in self.known for symbol in form.free_symbols):
            return None
        return evaluator(form)(self.known)

    def substitution(
        self, called: Math, form: Expr, unit: str, letters: Sequence[Math] = (), numbers: Sequence[Math] = ()
    ) -> Substitution | None:
        """A result three times, or None where a letter has no number."""
        value = self.value(form)
        if value is None:
            return None
        middle = self.between(form)
        steps = numbers or (self.put_in(form), *((middle,) if middle else ()))
        return Substitution(called, tuple(letters) or (self.form(form),), tuple(steps), valued(value, unit))

    def _write(self, tree: Node, values: Mapping[str, Number]) -> Math:
        symbols = {Symbol(letter, positive=True): value for letter, value in values.items()}
        short = {symbol: _shortly(value) for symbol, value in symbols.items()}
        return Math(
            Latex(self.notation, symbols, {symbol: way.latex for symbol, way in short.items() if way})
            .write(tree)
            .signs,
            Text(self.notation, symbols, {symbol: way.text for symbol, way in short.items() if way})
            .write(tree)
            .signs,
        )


def _shortly(value: Number) -> Math | None:
    """What is not written out: 35.6·10¹² for a large number of few digits, 10,460.76 for a long fraction."""
    if isinstance(value, Fraction) and written_out(value, 6) is None:
        number = rounded(value, 2) if value >= 100 else significant(value, 6)
        return Math(number.replace(",", "{,}"), number)
    if not isinstance(value, int) or value < 10**12 or len(str(value).rstrip("0")) > 5:
        return None
    power = 3 * ((len(str(value)) - 1) // 3)
    front = rounded(Fraction(value, 10**power), 3)
    above = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return Math(rf"{front}\times10^{{{power}}}", f"{front}·10{above}")


def beside(tree: Node) -> Node:
    """A fraction whose upper part holds a long sum, as a fraction times that sum."""
    if not isinstance(tree, Quotient) or not isinstance(tree.above, Product):
        return tree
    sums = tuple(factor for factor in tree.above.factors if isinstance(factor, Sum) and _is_long(factor))
    if not sums:
        return tree
    others = tuple(factor for factor in tree.above.factors if factor not in sums)
    above = Product(others) if len(others) > 1 else others[0] if others else Figure(1)
    return Product((Quotient(above, tree.below), *sums))


def _is_long(tree: Sum) -> bool:
    """Whether a sum has more than two items, or an item that is a sum again."""
    inner = (item.factors if isinstance(item, Product) else (item,) for _, item in tree.items)
    return len(tree.items) > 2 or any(isinstance(part, Sum | Group) for parts in inner for part in parts)


def worked_out(tree: Node, value: Callable[[Node], Node]) -> Node:
    """A tree with its inner sums, and the bare products of its own sum, as single values."""
    match tree:
        case Sum(items):
            return Sum(tuple((negative, _worked_out_item(item, value)) for negative, item in items))
        case Product(factors):
            return Product(tuple(value(factor) if isinstance(factor, Sum) else factor for factor in factors))
        case Quotient(above, below):
            return Quotient(_side(above, value), _side(below, value))
        case Call(function, (argument,)) if _rounds(tree):
            return Call(function, (value(argument),))
        case Call(function, arguments):
            return Call(function, tuple(worked_out(argument, value) for argument in arguments))
        case _:
            return tree


def _rounds(tree: Node) -> bool:
    return isinstance(tree, Call) and tree.function in ("floor", "ceil")


def _worked_out_item(item: Node, value: Callable[[Node], Node]) -> Node:
    match item:
        case Group(inside):
            return value(inside)
        case Product(factors) if any(isinstance(factor, Sum) for factor in factors):
            return worked_out(item, value)
        case Product():
            return value(item)
        case _:
            return item


def _side(side: Node, value: Callable[[Node], Node]) -> Node:
    return value(side) if isinstance(side, Sum) else worked_out(side, value)


def _value(node: Node, numbers: Mapping[str, Number]) -> Number:
    """The exact value of a tree whose letters all have numbers. Raises TypeError for a root."""
    match node:
        case Figure(value):
            return value
        case Letter(symbol):
            return numbers[symbol.name]
        case Sum(items):
            return sum((-1 if negative else 1) * _value(item, numbers) for negative, item in items)
        case Group(inside):
            return _value(inside, numbers)
        case Product(factors):
            return prod(_value(factor, numbers) for factor in factors)
        case Quotient(above, below):
            return Fraction(_value(above, numbers)) / _value(below, numbers)
        case Power(base, Figure(exponent)):
            return Fraction(_value(base, numbers)) ** int(exponent)
        case Call(function, arguments) if function in _FUNCTIONS:
            return _FUNCTIONS[function](*(_value(argument, numbers) for argument in arguments))
    raise TypeError(f"{type(node).__name__} has no exact value")


_FUNCTIONS: Mapping[str, Callable[..., Number]] = {"floor": floor, "ceil": ceil, "max": max, "min": min}
