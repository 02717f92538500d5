"""What a quantity turns on, as rows of text and as plain data: shares, elasticities, regimes, one more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from symcost.compare.sensitivity import (
    Overtaking,
    Regime,
    Share,
    elasticity,
    is_sum_of_powers,
    one_more,
    regimes,
    shares,
)
from symcost.notation import code, text
from symcost.notation.numbers import rounded, significant, with_unit
from symcost.symbols import GLOSSARY, Notation
from symcost.terms import Number, Terms, evaluator, plain

LONG = 70  # signs of a form that is worth reading in a row


@dataclass(frozen=True)
class Profile:
    """One quantity: its shares at the numbers known (none where some are missing), and what each letter does.

    Letters of which it is no sum of powers (of the greatest of several, of a ceiling) are left out.
    """

    terms: Terms
    shares: tuple[Share, ...]
    elasticities: Mapping[str, Expr]
    more: Mapping[str, Expr]
    regimes: Mapping[str, tuple[Regime, ...]]
    numbers: Mapping[str, Number]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "quantity": self.terms.quantity,
            "scope": self.terms.scope,
            "unit": self.terms.unit,
            "shares": [each.to_dict() for each in self.shares],
            "letters": {name: self._letter(name) for name in self.elasticities},
        }

    def _letter(self, name: str) -> dict[str, Any]:
        growth, more = self.elasticities[name], self.more[name]
        growing, costing = _value(growth, self.numbers), _value(more, self.numbers)
        return {
            "elasticity": code(growth),
            "elasticity_value": plain(growing) if growing is not None else None,
            "one_more": code(more),
            "one_more_value": plain(costing) if costing is not None else None,
            "regimes": [
                {"leads": code(each.form), "from": code(each.start) if each.start is not None else None}
                for each in self.regimes[name]
            ],
        }


def profile(terms: Terms, **values: Any) -> Profile:
    """What a quantity turns on, at the numbers known.

    >>> import symcost
    >>> profile(symcost.derive("gpt2")["parameters"]).elasticities["L"]
    (12*L*d + 13*L)/(12*L*d + 13*L + c_max + v + 2)
    """
    numbers = terms.known(values)
    complete = all(name in numbers for name in terms.letters)
    letters = [name for name in terms.letters if is_sum_of_powers(terms, name)]
    return Profile(
        terms,
        shares(terms, **values) if complete else (),
        {name: elasticity(terms, name) for name in letters},
        {name: one_more(terms, name) for name in letters},
        {name: regimes(terms, name) for name in letters},
        numbers,
    )


def _value(form: Expr, numbers: Mapping[str, Number]) -> Number | None:
    if any(symbol.name not in numbers for symbol in form.free_symbols):
        return None
    return evaluator(form)(numbers)


def rows(found: Profile, notation: Notation) -> Iterator[str]:
    """The profile for a terminal."""
    of = f" of {found.terms.scope}" if found.terms.scope != "model" else ""
    yield f"{found.terms.quantity}{of} = {found.terms.text(notation.name)} ({found.terms.unit})"
    for share in found.shares:
        percent = f"{rounded(100 * share.share, 1)} %"
        yield f"  {percent:>7}  {share.name}: {text(share.form, notation)}"
    for name in found.elasticities:
        yield from _letter_rows(found, name, notation)


def _letter_rows(found: Profile, name: str, notation: Notation) -> Iterator[str]:
    letter = text(GLOSSARY[name].symbol, notation)
    yield f"{letter} ({GLOSSARY[name].meaning})"
    growth = found.elasticities[name]
    value = _value(growth, found.numbers)
    shown = text(growth, notation)
    said = [shown] if len(shown) <= LONG or value is None else []
    said += [significant(value, 4)] if value is not None and not growth.is_number else []
    yield f"  elasticity ∂ log / ∂ log {letter} = {' = '.join(said)}"
    more = found.more[name]
    cost = _value(more, found.numbers)
    worth = f" = {with_unit(cost, found.terms.unit)}" if cost is not None and not more.is_number else ""
    yield f"  one more costs {text(more, notation)}{worth}"
    yield from (f"  {row}" for row in _regime_rows(found, name, letter, notation))


def _regime_rows(found: Profile, name: str, letter: str, notation: Notation) -> Iterator[str]:
    several = found.regimes[name]
    for each in several if len(several) > 1 else ():
        leads = f"{text(each.form, notation)} leads"
        if each.start is None:
            yield f"at first {leads}"
            continue
        start = _value(each.start, found.numbers) if not each.start.has(GLOSSARY[name].symbol) else None
        at = f" = {significant(start, 5)}" if start is not None and not each.start.is_number else ""
        yield f"from {letter} = {text(each.start, notation)}{at} on {leads}"


def overtaking_rows(found: tuple[Overtaking, ...], notation: Notation) -> Iterator[str]:
    """From which context length on score and value products take more FLOPs than what else."""
    for each in found:
        yield f"score and value products overtake {each.over} at {each.at.text(notation)}"
