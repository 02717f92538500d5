"""From a question to its limit: the way the quantity goes, the exact root, the whole number, its proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from sympy import Expr, Max, Min

from symcost.dimensions import converted
from symcost.errors import NoLimit, UsageError
from symcost.notation import text
from symcost.notation.numbers import significant
from symcost.notation.reading import read_amount
from symcost.solve.limit import Certificate, Limit, bound
from symcost.solve.turning import Curve, Turns, as_expr, direction, last, shape, tidy
from symcost.symbols import GLOSSARY, SYMBOLS, letter
from symcost.terms import Evaluator, Number, Terms, evaluator

Amount = float | Fraction | str
TRIED = 100_000  # multiples, for one at which every tied letter is a whole number


def solve(
    terms: Terms,
    for_letter: str,
    *,
    at_most: Amount | None = None,
    at_least: Amount | None = None,
    given: Mapping[str, Any] | None = None,
    multiple_of: int = 1,
) -> Limit:
    """The value of one letter up to which (or from which on) `terms` keep a limit, with its proof.

    The limit is in the terms' own unit, or says its unit (`"24 GiB"`). Where smaller numbers keep it, the
    answer is the largest whole number, `floor`; where larger ones do, the least, `ceiling`. The root is exact
    for one power, a quadratic, a quotient of linear forms and the greatest of such; the whole number is found
    and proven in exact numbers, and letters tied to it (d_k = d/h) are whole there too. Where nothing fits,
    `missing` says how much the limit lacks.

    Raises NoLimit where the letter is not in the form, the form turns, or the limit does not bind;
    MissingValue where another letter has no number; UsageError for a limit that is not positive or measures
    something else. Source: CS190C 2026, lecture 9, part 3.

    >>> from symcost import GPUS, derive, solve
    >>> numbers = {"c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000}
    >>> solve(derive("cs190c")["peak_memory"], "b", at_most=GPUS["rtx-3090"].memory, given=numbers).floor
    63
    """
    letter(for_letter)
    if (at_most is None) == (at_least is None):
        raise UsageError("solve: expected one limit, at_most or at_least, found both or none.")
    if multiple_of < 1:
        raise UsageError(f"multiple_of: expected a positive whole number, found {multiple_of}.")
    relation, amount = ("<=", at_most) if at_least is None else (">=", at_least)
    limit = _amount(amount, terms)
    _check_letter(terms, for_letter)
    values = {name: value for name, value in (given or {}).items() if name != for_letter}
    numbers = {name: value for name, value in terms.known(values).items() if name != for_letter}
    if any(name not in numbers for name in terms.letters if name != for_letter):
        terms.at(**{**values, for_letter: 1})  # raises MissingValue, naming them all
    return _Question(terms, for_letter, relation, limit, numbers, multiple_of).answer()


def _amount(limit: Amount | None, terms: Terms) -> Number:
    """The limit as an exact number in the terms' own unit."""
    if isinstance(limit, str):
        number = Fraction(converted(*read_amount(limit), terms.unit, terms.quantity))
    else:
        try:
            number = Fraction(str(limit))
        except (ValueError, ZeroDivisionError):
            raise UsageError(f"limit: expected a positive number of {terms.unit}, found {limit!r}.") from None
    if number <= 0:
        raise UsageError(f"limit: expected a positive number of {terms.unit}, found {limit}.")
    return number.numerator if number.denominator == 1 else number


def _check_letter(terms: Terms, name: str) -> None:
    """Raises NoLimit where the letter is not in the form, and says why."""
    if name in terms.letters:
        return
    if SYMBOLS[name] in terms.ties:
        raise NoLimit(
            f"{name} does not appear in {terms.quantity}: {name} = {text(terms.ties[SYMBOLS[name]])} is put "
            f"in for it. Free it with given {name}={name}."
        )
    letters = ", ".join(terms.letters) or "no letters"
    raise NoLimit(
        f"{name} does not appear in {terms.quantity}, which is in {letters}: "
        f"there is no limit of {name}. Ask for one of these, or for another quantity."
    )


@dataclass(frozen=True)
class _Question:
    """One letter, one limit, and a number for every other letter; answers are multiples of `step`."""

    terms: Terms
    letter: str
    relation: str
    limit: Number
    numbers: Mapping[str, Number]
    step: int

    def answer(self) -> Limit:
        curve, form, value = self._turned()
        largest = self._rises(curve) == (self.relation == "<=")
        found = Limit(self.terms, self.letter, self.relation, self.limit, self.numbers, form, value, largest)
        if not GLOSSARY[self.letter].whole:
            return self._real(found, curve)
        return self._largest(found, curve) if largest else self._least(found, curve)

    def at(self, x: Number) -> Number:
        """The quantity itself: what certificates are made of."""
        return evaluator(self.terms.total)({**self.numbers, self.letter: x})

    def keeps(self, value: Number) -> bool:
        return value <= self.limit if self.relation == "<=" else value >= self.limit

    def _turned(self) -> tuple[Curve | None, Expr | None, Number | Expr | None]:
        """The curve in numbers, the root in letters, the exact root; of a maximum, its parts' least roots."""
        total, x = self.terms.total, SYMBOLS[self.letter]
        greatest = total.func == Max
        shapes = [shape(part, x) for part in (total.args if greatest else [total]) if part.has(x)]
        known = [each for each in shapes if each is not None]
        if len(known) < len(shapes):
            return None, None, None
        curves = [each.with_numbers(self.numbers) for each in known]
        forms = [each.turned(bound(self.terms)) for each in known]
        roots = [each.root(self.limit) for each in curves]
        if not greatest:
            return curves[0], forms[0], roots[0]
        if self.relation == ">=" or None in forms + roots or {each.direction(1) for each in curves} != {1}:
            return None, None, None
        return None, Min(*forms, evaluate=False), min(roots, key=as_expr)

    def _rises(self, curve: Curve | None) -> bool:
        """Whether the quantity rises with the letter. Raises NoLimit where it does both, or it is unclear."""
        entry, name = GLOSSARY[self.letter], self.terms.quantity
        try:
            way = curve.direction(int(entry.whole)) if curve else direction(self.terms.total, entry.symbol)
        except Turns as turn:
            near = significant(Fraction(str(turn.at.evalf(8))), 4)
            raise NoLimit(
                f"{name} turns at {self.letter} = {near}: it rises on one side and falls on the other, so "
                f"there is no one limit of {self.letter}. Sweep {self.letter}, or limit another quantity."
            ) from None
        if way is None:
            raise NoLimit(
                f"{name} = {text(self.terms.total)} cannot be shown to rise or fall with {self.letter} "
                f"throughout. Sweep {self.letter} instead."
            )
        if way == 0:
            raise NoLimit(
                f"{name} is the same for every {self.letter} at these numbers: there is no limit of "
                f"{self.letter}. Ask for another letter."
            )
        return way > 0

    def _nothing(self, found: Limit, nearest: Number | None, **answer: Any) -> Limit:
        """Nothing fits: `nearest` is the value that comes nearest to the limit."""
        missing = Fraction(nearest - self.limit) if nearest is not None else Fraction(0)
        return replace(found, fits=False, missing=tidy(abs(missing)), **answer)

    def _unbound(self, up_to: str = "") -> NoLimit:
        return NoLimit(
            f"{self.terms.quantity} keeps the limit for every {self.letter}{up_to}: it does not bind. "
            "Change the limit, or limit another quantity."
        )

    def _real(self, found: Limit, curve: Curve | None) -> Limit:
        """A letter that is no count: the root answers, if it is positive and the letter can be as much."""
        most, value = GLOSSARY[self.letter].most, found.value
        if curve is None or found.form is None:
            raise NoLimit(
                f"{self.terms.quantity} = {text(self.terms.total)} has no closed form in {self.letter}. "
                f"Sweep {self.letter} instead."
            )
        if value is not None and value > 0 and (most is None or value <= most):
            return found
        if not found.largest:
            return self._nothing(found, self.at(most) if most is not None else curve.end())
        if most is not None and self.keeps(self.at(most)):
            raise self._unbound(f" up to {most}")
        return self._nothing(found, curve.start())

    def _multiples(self, curve: Curve | None) -> Callable[[int], bool]:
        """Whether a multiple of the step keeps the limit, by the quickest way to its value."""
        at = curve.at if curve is not None else self.at
        return lambda j: self.keeps(at(j * self.step))

    def _largest(self, found: Limit, curve: Curve | None) -> Limit:
        """The last whole number before the limit is passed."""
        kept = self._multiples(curve)
        edge = last(lambda j: kept(j) and self._possible(j * self.step))
        if edge is None:
            raise self._unbound()
        k = self._nearest(edge * self.step, -self.step) or 0
        above = self._nearest((edge + 1) * self.step, self.step) or k + self.step
        passed = self.at(above)
        if k == 0:
            empty = self.at(0) if self.relation == "<=" else 0
            proof = Certificate(0, empty, above, passed) if self.keeps(empty) else None
            return self._nothing(found, passed, floor=0, certificate=proof, first=above)
        why = f"at {above:,} {self._tied_words} would be no whole number" if self.keeps(passed) else ""
        return replace(found, floor=k, certificate=Certificate(k, self.at(k), above, passed, why))

    def _least(self, found: Limit, curve: Curve | None) -> Limit:
        """The first whole number at which the limit is kept."""
        kept = self._multiples(curve)
        edge = last(lambda j: not kept(j))
        if edge is None:
            return self._nothing(found, curve.end() if curve is not None else None)
        first = (edge + 1) * self.step
        k = self._nearest(first, self.step)
        if k is None:
            raise NoLimit(
                f"{self.letter}: from {first:,} on, where the limit is kept, {self._tied_words} is no whole "
                "number. Change the numbers that are tied."
            )
        before = self._nearest(edge * self.step, -self.step)
        if before is None:
            proof = Certificate(k, self.at(k), 0, 0, "there is no smaller one")
        else:
            proof = Certificate(k, self.at(k), before, self.at(before))
        return replace(found, ceiling=k, certificate=proof)

    # Letters that are tied to this one: d_k = d/h must be whole.

    @cached_property
    def _tied(self) -> list[tuple[str, bool, Evaluator]]:
        """Each count that is tied to the letter: its tie, whether it falls with the letter, and its value."""
        x = SYMBOLS[self.letter]
        return [
            (f"{tied} = {text(form)}", direction(form, x) == -1, evaluator(form))
            for tied, form in self.terms.ties.items()
            if form.has(x) and GLOSSARY[tied.name].whole
            if all(other.name in self.numbers or other == x for other in form.free_symbols)
        ]

    @property
    def _tied_words(self) -> str:
        return " or ".join(words for words, _, _ in self._tied)

    def _possible(self, k: int) -> bool:
        """Whether no tied count has fallen below 1."""
        return all(value({**self.numbers, self.letter: k}) >= 1 for _, falls, value in self._tied if falls)

    def _nearest(self, start: int, step: int) -> int | None:
        """The nearest number from `start` on at which all tied counts are whole; None where there is none."""
        for k in range(start, start + TRIED * step, step):
            if k < 1 or (step > 0 and not self._possible(k)):
                return None
            here = {**self.numbers, self.letter: k}
            if all(Fraction(value(here)).denominator == 1 for _, _, value in self._tied):
                return k
        return None
