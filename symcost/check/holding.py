"""Holding: one claim of a corpus against what is derived under what it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

from sympy import Expr, Integer, Rational, Symbol, ceiling, floor, together

from symcost.check import numbers
from symcost.check.findings import VERDICTS as GRADES
from symcost.check.findings import Finding, Pair, worst
from symcost.check.polynomials import Summands, minus, summands
from symcost.check.published import Claim, scope_words
from symcost.check.slips import one_slip, written
from symcost.check.supposing import VARIANTS
from symcost.conventions import CONVENTIONS
from symcost.dimensions import unit_of
from symcost.errors import SymcostError, UnknownName, UsageError, nearest
from symcost.notation import text as plain_text
from symcost.notation.numbers import rounded, scientific
from symcost.notation.reading import Part, Reading, read_list
from symcost.notation.units import Unit
from symcost.solve import solve
from symcost.symbols import GLOSSARY, NOTATIONS, QUANTITIES, SYMBOLS, letter_for
from symcost.tables.optimizers import OPTIMIZERS
from symcost.tables.precisions import PRECISIONS
from symcost.terms import evaluator
from symcost.training import DEVICE_QUANTITIES, Costs, derive

KNOWN = frozenset({*QUANTITIES, *DEVICE_QUANTITIES})
NEAR = Fraction(1, 10)  # an approximation further off than this, at the numbers given, is none
OPTIONS = ("+causal", "+flash", "+checkpoint", "+selective", "+flash+causal", "+operations")
ABOUT = ("≈",)
_ASKED = re.compile(r"([a-z_]+)(?: of ([\w.∂]+))?(?: on ([a-z0-9+\-,=]+))?")


@dataclass(frozen=True)
class Setting:
    """What a form is derived for."""

    under: str = "textbook"
    optimizer: str = "adamw"
    precision: str | None = None

    def __str__(self) -> str:
        others = [f"precision {self.precision}"] if self.precision else []
        others += [self.optimizer] if self.optimizer != "adamw" else []
        return ", ".join([self.under, *others])


class Holding:
    """One claim, held against what is derived."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.setting = Setting(claim.under or "textbook", claim.optimizer or "adamw", claim.precision)

    def costs(self, setting: Setting, layout: str) -> Costs:
        claim = self.claim
        model = tuple(_frozen(claim.model)) if isinstance(claim.model, Mapping) else claim.model
        return _costs(model, setting, layout, tuple(sorted((str(k), str(v)) for k, v in claim.given.items())))

    def finding(self) -> Finding:
        """The finding; what the engine cannot decide is unchecked, with the reason."""
        claim = self.claim
        try:
            pairs = [
                pair
                for reading in read_list(claim.says, claim.form, names=self._names)
                for pair in self._said(reading)
            ]
        except SymcostError as error:
            pairs = [Pair("unchecked", "SC301", claim.says, message=str(error))]
        if not pairs:
            pairs = [
                Pair(
                    "no claim",
                    "SC401",
                    claim.says,
                    message="a definition or a rule of thumb: nothing is derived",
                )
            ]
        said = worst(pairs)
        convention = str(self.setting) if claim.quantity or claim.legend else ""
        return Finding("", claim.line, 1, claim.line, 1 + len(claim.says), claim.says, said.verdict, said.code,
                       said.message, claim.quantity, scope_words(claim), said.convention or convention, said.document,
                       said.derived, said.difference, said.fix, tuple(pairs))  # fmt: skip

    # The source's letters in ours.

    @cached_property
    def _legend(self) -> dict[str, Expr]:
        """The names that the claim explains, each with what it stands for in ours."""
        found: dict[str, Expr] = {}
        for ours, theirs in NOTATIONS[self.claim.notation].letters.items():
            found[theirs] = SYMBOLS[ours]
        for name, meaning in self.claim.legend.items():
            found[_spelled(name)] = self._meaning(str(meaning), self.setting, "single", ())
        return found

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(
            {*map(_spelled, self.claim.legend), *NOTATIONS[self.claim.notation].letters.values()}
        )

    def _meaning(self, text: str, setting: Setting, layout: str, scope: tuple[str, ...]) -> Expr:
        """A form over letters, numbers and quantities, each with its place and layout."""
        asked: dict[str, Expr] = {}

        def derived(found: re.Match[str]) -> str:
            quantity, place, on = found.groups()
            if quantity not in KNOWN:
                return found[0]
            terms = self.costs(setting, on or layout)[quantity]
            places = (place,) if place else scope or ("model",)
            parts = [terms.of(each).total for each in places]
            asked[f"asked_{len(asked)}"] = sum(parts, Integer(0))
            return f"asked_{len(asked) - 1}"

        put = _ASKED.sub(derived, text)
        [reading] = read_list(put, "code", names=frozenset({*asked, *GLOSSARY}))
        form = reading.parts[0].expr
        unknown = {symbol.name for symbol in form.free_symbols} - asked.keys() - GLOSSARY.keys()
        if unknown:
            raise UnknownName(
                f"'{min(unknown)}' is neither a letter nor a quantity. {nearest(min(unknown), [*KNOWN, *GLOSSARY])}"
            )
        return form.xreplace({symbol: asked.get(symbol.name, symbol) for symbol in form.free_symbols})

    def _ours(self, form: Expr, setting: Setting) -> Expr:
        """A form of the source in our letters, with the model's ties. Raises UnknownName for a name not explained."""
        put: dict[Symbol, Expr] = {}
        for symbol in form.free_symbols:
            meaning = self._legend.get(symbol.name)
            if meaning is None:
                ours = letter_for(symbol.name)
                if ours is None:
                    raise UnknownName(
                        f"'{symbol.name}': neither the legend nor the glossary says what this stands for"
                    )
                meaning = SYMBOLS[ours]
            put[symbol] = meaning
        return form.xreplace(put).xreplace(dict(self.costs(setting, self.claim.layout).ties))

    # What is said, side by side and against what is derived.

    def _said(self, reading: Reading) -> Iterator[Pair]:
        sides = [part for part in reading.parts if not self._is_name(part, reading)]
        about = (
            self.claim.about or reading.leading in ABOUT or any(each in ABOUT for each in reading.relations)
        )
        kept = [position for position, part in enumerate(reading.parts) if part in sides]
        chained = list(pairwise(kept))
        for one, other in chained:
            yield self._beside(
                reading.parts[one], reading.relations[other - 1], reading.parts[other], reading
            )
        if self.claim.quantity and sides:
            decisive = [part for part in sides if part.expr.free_symbols] or sides[-1:]
            yield self._against(decisive[0], about)

    def _is_name(self, part: Part, reading: Reading) -> bool:
        """Whether a side is only the name of what is defined."""
        return (
            isinstance(part.expr, Symbol)
            and len(reading.parts) > 1
            and part.expr.name not in {_spelled(name) for name in self.claim.legend}
        )

    def _beside(self, one: Part, relation: str, other: Part, reading: Reading) -> Pair:
        """Two sides of a chain."""
        shown = f"{reading.text[one.start : one.end].strip()} {relation} {reading.text[other.start : other.end].strip()}"
        left, right = (self._ours(each.expr, self.setting) for each in (one, other))
        if relation in ("≤", "<", "≥", ">"):
            return self._ordered(left, right, relation, shown)
        if relation not in ("=", "≈", "⇒", "→"):
            return Pair("unchecked", "SC302", shown, message=f"a relation {relation} is not decided")
        if _same(left * _scale(one, other), right * _scale(other, one)):
            return Pair("holds", "SC101", shown)
        if other.printed is not None or one.printed is not None:
            number, form, at = (other, left, one) if other.printed is not None else (one, right, other)
            value = self._value(form, self.setting)
            if value is None:
                return Pair("unchecked", "SC302", shown, message="no number is known for a letter of it")
            near = relation == "≈" or self.claim.about
            found = self._printed(number, value * (at.unit.scale if at.unit else 1), near, shown)
            if (
                found.verdict == "differs" and number.unit is not None and at.unit is None
            ):  # 15 + 1.6 = 16.6 GB
                return min(self._printed(number, value * number.unit.scale, near, shown), found, key=_badness)
            return found
        return self._forms(left, right, relation == "≈" or self.claim.about, shown, "the other side", "SC202")

    def _ordered(self, left: Expr, right: Expr, relation: str, shown: str) -> Pair:
        small, large = (left, right) if relation in ("≤", "<") else (right, left)
        rest = summands(large - small)
        if rest is None:
            return Pair(
                "unchecked", "SC302", shown, message="an inequality of forms that are no sums is not decided"
            )
        strict = relation in ("<", ">")
        if all(value > 0 for value in rest.values()) and (rest or not strict):
            return Pair("holds", "SC101", shown, message=f"the difference is {written(rest) if rest else 0}")
        if rest and all(value < 0 for value in rest.values()):
            return Pair(
                "differs", "SC202", shown, difference=written(rest), message="it is the other way round"
            )
        return Pair("unchecked", "SC302", shown, message=f"the difference {written(rest)} has either sign")

    def _against(self, part: Part, about: bool) -> Pair:
        """A side beside what is derived; where the source names no setting, beside the others as well."""
        first = self._held(part, self.setting, about)
        if first.verdict not in ("differs", "approximates"):
            return first
        for setting in self._others():
            try:
                found = self._held(part, setting, False)
            except SymcostError:
                continue
            if found.verdict == "holds":
                words = f"right under {setting}; under {self.setting} it is {first.derived}"
                return replace(found, verdict="depends", code="SC120", message=words, convention=str(setting))
        return first

    def _others(self) -> Iterator[Setting]:
        claim, own = self.claim, self.setting
        if claim.under is None:
            yield from (replace(own, under=f"textbook{option}") for option in OPTIONS)
            yield from (replace(own, under=name) for name in CONVENTIONS if name != own.under)
        if claim.precision is None and claim.under is None:
            yield from (replace(own, precision=name) for name in PRECISIONS)
        if claim.optimizer is None and claim.under is None:
            yield from (replace(own, optimizer=name) for name in OPTIMIZERS if name != own.optimizer)

    def _held(self, part: Part, setting: Setting, about: bool) -> Pair:
        claim = self.claim
        derived = self._derived(setting)
        shown = claim.says
        if part.printed is not None:
            value = self._value(derived, setting)
            if value is None:
                return Pair(
                    "unchecked",
                    "SC302",
                    shown,
                    plain_text(derived),
                    message="no number is known for a letter of it",
                )
            unit = QUANTITIES.get(claim.quantity) or DEVICE_QUANTITIES.get(claim.quantity)
            scale = unit_of(unit.unit).scale if unit is not None else Fraction(1)
            return replace(self._printed(part, value * scale, about, shown), convention=str(setting))
        document = self._ours(part.expr, setting)
        pair = self._forms(derived, document, about, shown, claim.quantity, "SC201")
        return replace(pair, convention=str(setting))

    def _derived(self, setting: Setting) -> Expr:
        claim = self.claim
        scope = (claim.scope,) if isinstance(claim.scope, str) else claim.scope
        if claim.limit:
            return self._solved(setting)
        form = self._meaning(claim.quantity, setting, claim.layout, scope)
        return form.xreplace(dict(self.costs(setting, claim.layout).ties))

    def _solved(self, setting: Setting) -> Expr:
        """The letter for which a quantity meets its limit, as a form with M for the limit."""
        claim = self.claim
        quantity, _, limit = (each.strip() for each in claim.limit.partition("<="))
        costs = self.costs(setting, claim.layout)
        if limit not in costs.numbers:
            raise UsageError(f"limit: expected a letter with a number under `given`, found '{limit}'")
        return solve(costs[quantity], claim.quantity, at_most=Fraction(str(costs.numbers[limit]))).form

    # Comparing.

    def _forms(self, derived: Expr, document: Expr, about: bool, shown: str, what: str, code: str) -> Pair:
        """A form beside the right one."""
        whole, remark = _unrounded(derived, document)
        written_form = _inner(document)
        right = self._filled(whole, written_form)
        if _same(whole, written_form) or _same(right, written_form):
            return Pair(
                "holds", "SC102" if code == "SC201" else "SC101", shown, plain_text(whole), message=remark
            )
        first, second = summands(right if code == "SC201" else whole), summands(written_form)
        off = self._off(right, written_form)
        if about:
            lacks = _lacks(second, first)
            error = (
                f"{_percent(off)} too {'little' if off < 0 else 'much'} at the numbers given"
                if off is not None
                else ""
            )
            near = self._grade(off)
            if lacks:
                words = f"leaves out {written(lacks)}{', ' if error else ''}{error}"
                return Pair("approximates", near, shown, plain_text(whole), written(lacks), words)
            if off is None:
                return Pair(
                    "unchecked",
                    "SC302",
                    shown,
                    plain_text(whole),
                    message="an approximation is judged at numbers, and some are missing",
                )
            if abs(off) <= NEAR:
                return Pair("approximates", near, shown, plain_text(whole), message=error)
            return Pair(
                "differs", code, shown, plain_text(whole), message=f"no approximation of {what}: {error}"
            )
        if first is None or second is None:
            if off is None:
                return Pair(
                    "unchecked",
                    "SC302",
                    shown,
                    plain_text(whole),
                    message="forms that are no sums are compared at numbers, and some are missing",
                )
            return Pair(
                "differs",
                code,
                shown,
                plain_text(whole),
                message=f"{_percent(off)} too {'little' if off < 0 else 'much'} at the numbers given",
            )
        slip = one_slip(second, first, sure=True)
        difference = written(minus(first, second))
        words = slip.words if slip is not None else f"the difference is {difference}"
        if off is not None:
            words += f", {_percent(off)} too {'little' if off < 0 else 'much'} at the numbers given"
        return Pair("differs", code, shown, plain_text(whole), difference, words, fix=plain_text(whole))

    def _grade(self, off: Fraction | None) -> str:
        """The code of an approximation: memory that is told too small, or a limit too large, is unsafe."""
        unit = QUANTITIES[self.claim.quantity].unit if self.claim.quantity in QUANTITIES else ""
        unsafe = off is not None and (off > 0 if self.claim.limit else off < 0 and unit == "bytes")
        return "SC111" if unsafe else "SC110"

    def _printed(self, part: Part, value: Fraction, about: bool, shown: str) -> Pair:
        """A printed number beside the exact one, which is in base units."""
        assert part.printed is not None
        match = numbers.compare(value, part.printed, part.unit, about)
        exact = _shown(value, part.unit)
        if match.holds:
            return Pair("holds", "SC103" if match.remark else "SC101", shown, exact, message=match.remark)
        meant = numbers.binary(value, part.printed, part.unit)
        if meant:
            return Pair("depends", "SC120", shown, exact, message=f"right if {meant} is meant: it is {exact}")
        said = part.printed.value * (part.unit.scale if part.unit else 1)
        off = said / value - 1 if value else None
        near = off is not None and about and abs(off) <= NEAR
        error = f"{_percent(off)} too {'little' if off < 0 else 'much'}" if off is not None else ""
        if near:
            return Pair("approximates", "SC110", shown, exact, message=f"{error}: it is {exact}")
        return Pair("differs", "SC203", shown, exact, message=f"it is {exact}, so this is {error}")

    def _filled(self, derived: Expr, document: Expr) -> Expr:
        """The derived form with the numbers known for letters that the document does not write."""
        known = self.costs(self.setting, self.claim.layout).numbers
        put = {}
        for symbol in derived.free_symbols - document.free_symbols:
            if symbol.name in self.claim.given and symbol.name in known:
                put[symbol] = _rational(Fraction(str(known[symbol.name])))
            elif GLOSSARY[symbol.name].fallback is not None:
                put[symbol] = Integer(GLOSSARY[symbol.name].fallback)
        return derived.xreplace(put)

    def _value(self, form: Expr, setting: Setting) -> Fraction | None:
        known: dict[str, Any] = {
            each.name: each.fallback for each in GLOSSARY.values() if each.fallback is not None
        }
        known |= self.costs(setting, self.claim.layout).numbers
        if not all(symbol.name in known for symbol in form.free_symbols):
            return None
        return Fraction(evaluator(form)(known))

    def _off(self, derived: Expr, document: Expr) -> Fraction | None:
        """How far the document's form is from the derived one, over that one, at the numbers known."""
        right, here = (self._value(form, self.setting) for form in (derived, document))
        return None if right is None or here is None or not right else here / right - 1


def _badness(pair: Pair) -> int:
    return GRADES.index(pair.verdict)


def _frozen(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    import json

    yield ("spec", json.dumps(model, sort_keys=True))


@cache
def _costs(model: Any, setting: Setting, layout: str, given: tuple[tuple[str, str], ...]) -> Costs:
    if isinstance(model, tuple):
        import json

        model = json.loads(model[0][1])
    return derive(VARIANTS.get(model, model) if isinstance(model, str) else model, under=setting.under, given=dict(given),
                  optimizer=setting.optimizer, precision=setting.precision, layout=layout)  # fmt: skip


def _spelled(name: str) -> str:
    """A name of a legend as the reader spells it: `\\Psi` is Psi, `\\text{Total Tokens}` is Total_Tokens."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        return name
    [reading] = read_list(name, "latex")
    form = reading.parts[0].expr
    if not isinstance(form, Symbol):
        raise UsageError(f"legend: expected a name, found '{name}'.")
    return str(form.name)


def _same(one: Expr, other: Expr) -> bool:
    """Whether two rational forms are equal: their difference has nothing above the line."""
    if one == other:
        return True
    above, _ = together(one - other).as_numer_denom()
    return summands(above) == {}


def _inner(form: Expr) -> Expr:
    return form.args[0] if isinstance(form, (floor, ceiling)) else form


def _unrounded(derived: Expr, document: Expr) -> tuple[Expr, str]:
    """The derived form without the rounding to whole numbers that a source leaves out."""
    whole = isinstance(derived, (floor, ceiling))
    return _inner(derived), "not rounded to a whole number there" if whole and not isinstance(
        document, (floor, ceiling)
    ) else ""


def _lacks(document: Summands | None, derived: Summands | None) -> Summands | None:
    """What a form leaves out of the derived one, where it only leaves out terms or parts of them."""
    if not document or not derived:
        return None
    for monomial, value in document.items():
        right = derived.get(monomial, Fraction(0))
        if not right or not 0 < value / right <= 1:
            return None
    return minus(derived, document) or None


def _scale(own: Part, other: Part) -> Expr:
    """The number that a side's unit stands for, where both sides have one or the other is a bare number."""
    return _rational(own.unit.scale) if own.unit is not None and (other.unit is not None) else Integer(1)


def _rational(value: Fraction) -> Expr:
    return Rational(value.numerator, value.denominator)


def _percent(value: Fraction) -> str:
    return f"{rounded(abs(value) * 100, 2)} %"


def _shown(value: Fraction, unit: Unit | None) -> str:
    value = value / (unit.scale if unit is not None else 1)
    plain = rounded(value, 4) if Fraction(1, 1000) < abs(value) < 10**7 else scientific(value, 5)
    return f"{plain} {unit.spelling}" if unit is not None else plain
