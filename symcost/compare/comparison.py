"""Two counts of one thing, part by part: the difference as a form, in per cent, and where they cross."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from sympy import Expr, Integer, Rational, cancel, expand

from symcost.compare.sensitivity import Crossing, crossing
from symcost.compare.sides import Side
from symcost.notation import code
from symcost.terms import Number, evaluator, plain

ALONG = (
    "c",
    "b",
    "d",
    "L",
    "v",
    "d_ff",
    "h",
    "n",
    "dp",
    "k",
    "E",
)  # letters along which a crossing is of interest


@dataclass(frozen=True)
class Row:
    """One part as both sides count it; a part that a side does not count is zero there."""

    name: str
    first: Expr
    second: Expr
    because: str = ""

    @cached_property
    def difference(self) -> Expr:
        """What the first counts more, multiplied out."""
        return expand(self.first - self.second)


@dataclass(frozen=True)
class Comparison:
    """Two sides of one quantity.

    `remarks` say what was supposed to make them comparable (D is the tokens of one batch).
    """

    first: Side
    second: Side
    quantity: str
    unit: str
    model: str
    remarks: tuple[str, ...] = ()

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every part that either side counts, in the order of the first."""
        names = dict.fromkeys([*self.first.forms, *self.second.forms])
        zero, reasons = Integer(0), {**self.second.because, **self.first.because}
        return tuple(
            Row(
                name,
                self.first.forms.get(name, zero),
                self.second.forms.get(name, zero),
                reasons.get(name, ""),
            )
            for name in names
        )

    @cached_property
    def differing(self) -> tuple[Row, ...]:
        """The parts on which they differ: as forms, or as numbers where each side has its own."""
        return tuple(row for row in self.rows if row.difference != 0 or self._differ_in_numbers(row))

    def _differ_in_numbers(self, row: Row) -> bool:
        if self.of_one_model:
            return False
        return bool(expand(_at(row.first, self.numbers[0]) - _at(row.second, self.numbers[1])) != 0)

    @cached_property
    def difference(self) -> Expr:
        """The first less the second, as a form; both sides' letters mean the same."""
        return expand(self.first.total - self.second.total)

    @property
    def of_one_model(self) -> bool:
        """Whether the letters have the same numbers on both sides."""
        letters = {symbol.name for symbol in self.first.total.free_symbols | self.second.total.free_symbols}
        shared = letters & self.first.numbers.keys() & self.second.numbers.keys()
        return all(self.first.numbers[name] == self.second.numbers[name] for name in shared)

    @cached_property
    def numbers(self) -> tuple[Mapping[str, Number], Mapping[str, Number]]:
        """What is known on each side; of one model, what is known on either."""
        one, two = self.first.numbers, self.second.numbers
        return ({**two, **one}, {**one, **two}) if self.of_one_model else (one, two)

    @cached_property
    def values(self) -> tuple[Number | None, Number | None]:
        """The value of each side at its numbers, None where a letter has none."""
        return value_of(self.first.total, self.numbers[0]), value_of(self.second.total, self.numbers[1])

    @cached_property
    def relative(self) -> Fraction | None:
        """How much more the first is, as a share of the second; None where letters are left that matter."""
        if self.second.total == 0:
            return None
        return _rational(_at(self.first.total, self.numbers[0]) / _at(self.second.total, self.numbers[1]) - 1)

    def share(self, part: Expr) -> Fraction | None:
        """A part of the difference as a share of the second side; b need not be known where it cancels."""
        if not self.of_one_model or self.second.total == 0:
            return None
        return _rational(_at(part, self.numbers[1]) / _at(self.second.total, self.numbers[1]))

    @cached_property
    def crossings(self) -> tuple[Crossing, ...]:
        """Where both are equal, for each letter along which they meet in closed form."""
        if not self.of_one_model or self.difference == 0:
            return ()
        return tuple(self._crossings())

    def _crossings(self) -> Iterator[Crossing]:
        letters = {symbol.name for symbol in self.difference.free_symbols}
        for name in ALONG:
            if name in letters:
                numbers = {key: value for key, value in self.numbers[0].items() if key != name}
                yield from crossing(self.first.total, self.second.total, name, numbers)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the JSON of the command line."""
        from symcost.compare.saying import sentence

        return {
            "quantity": self.quantity or None,
            "unit": self.unit or None,
            "model": self.model or None,
            "first": _side(self.first, self.values[0]),
            "second": _side(self.second, self.values[1]),
            "equal": not self.differing,
            "difference": code(self.difference),
            "relative": plain(self.relative) if self.relative is not None else None,
            "says": sentence(self),
            "parts": [
                {"part": row.name, "first": code(row.first), "second": code(row.second),
                 "difference": code(row.difference), "because": row.because or None}
                for row in self.rows
            ],
            "crossings": [each.to_dict() for each in self.crossings],
            "remarks": list(self.remarks),
        }  # fmt: skip


def _side(side: Side, value: Number | None) -> dict[str, Any]:
    return {
        "name": side.name,
        "about": side.about,
        "total": code(side.total),
        "value": plain(value) if value is not None else None,
    }


def _at(form: Expr, numbers: Mapping[str, Number]) -> Expr:
    """The form at some numbers; letters without one stay."""
    known = {letter: numbers[letter.name] for letter in form.free_symbols if letter.name in numbers}
    return form.xreplace({letter: Rational(Fraction(value)) for letter, value in known.items()})


def _rational(ratio: Expr) -> Fraction | None:
    """A ratio as a number where all letters cancel."""
    number = cancel(ratio)
    return Fraction(int(number.p), int(number.q)) if number.is_Rational else None


def value_of(form: Expr, numbers: Mapping[str, Number]) -> Number | None:
    """The value of a form where every letter of it has a number, else None."""
    if any(symbol.name not in numbers for symbol in form.free_symbols):
        return None
    return evaluator(form)(numbers)
