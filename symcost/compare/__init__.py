"""Why two formulas disagree: two counts held against each other, and what a quantity turns on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sympy import Expr

from symcost.compare.comparison import Comparison, Row
from symcost.compare.parts import Parts
from symcost.compare.sensitivity import (
    Crossing,
    Regime,
    Share,
    crossing,
    elasticity,
    leading,
    one_more,
    overtakings,
    regimes,
    shares,
)
from symcost.compare.sides import Kind, Setting, Side, aligned, kind_of, quantities, read, side
from symcost.dimensions import COUNTS, dimension_of, spelled, unit_of
from symcost.errors import UsageError
from symcost.notation import text
from symcost.symbols import QUANTITIES, D, N, b, c, d_ff
from symcost.tables.tools import BATCH_FLOPS
from symcost.training import TOKENS

__all__ = [
    "Comparison",
    "Crossing",
    "Parts",
    "Regime",
    "Row",
    "Share",
    "Side",
    "compare",
    "crossing",
    "elasticity",
    "leading",
    "one_more",
    "overtakings",
    "regimes",
    "shares",
]


def compare(
    first: str,
    second: str,
    *,
    model: str | None = None,
    quantity: str | None = None,
    under: str = "textbook",
    given: Mapping[str, Any] | None = None,
    optimizer: str = "adamw",
    precision: str | None = None,
    notation: str = "lecture",
) -> tuple[Comparison, ...]:
    """Two counts held against each other, part by part: one comparison for each quantity.

    A side is a tool (`megatron-lm`, `6ND`), a convention, a model, an optimizer, a precision, or a formula
    in text, in the letters of `notation`. `model` is what both count (`llama`, or `gpt` beside a formula, if
    none is given). Without a quantity, tools are compared by what both count (`batch_flops`: forward,
    backward and recomputed FLOPs of a batch), conventions, models and optimizers by what is usual.

    Raises UsageError where the two have nothing in common or measure different things, UnknownName and
    UnknownSymbol for what is not known.

    >>> found = compare("6ND", "megatron-lm", model="llama-2-7b", given={"c": 4096})[0]
    >>> round(100 * float(found.relative), 1)
    -5.7
    >>> [(each.letter, each.form) for each in found.crossings][0]
    ('c', (2*L + v + 1)/L)
    """
    kinds = kind_of(first), kind_of(second)
    remarks: list[str] = []
    of_formula = Kind.FORMULA in kinds
    bare = (
        kinds == (Kind.FORMULA, Kind.FORMULA)
        and quantity is None
        and not _count_a_model(first, second, model, notation)
    )
    setting = Setting(
        model or ("gpt" if of_formula and not bare else None),
        under,
        dict(given or {}),
        optimizer,
        precision,
        notation,
    )
    wanted = (quantity,) if quantity else quantities(first, second, notation, bare)
    if of_formula and not bare:
        setting = _with_usual_width(
            setting, [name for name in (first, second) if kind_of(name) is Kind.FORMULA], remarks
        )
    _check_dimensions(first, second, wanted[0], notation)
    found = [_compared(first, second, each, setting, remarks) for each in wanted]
    return tuple(each for each in found if not _says_no_more(each, found[0]))


def _says_no_more(found: Comparison, than: Comparison) -> bool:
    """Whether the bytes are just so many for each of the elements that were compared before."""
    if (than.quantity, found.quantity) != ("saved_activations", "activation_memory"):
        return False
    ratios = {
        _ratio(each, before) for each, before in ((found.first, than.first), (found.second, than.second))
    }
    return len(ratios) == 1 and ratios.pop() is not None


def _ratio(side: Side, before: Side) -> Expr | None:
    """The number that every part of a side is of the same part before; None where it is not one number."""
    if side.forms.keys() != before.forms.keys():
        return None
    ratios = {form / before.forms[name] for name, form in side.forms.items()}
    found = ratios.pop() if len(ratios) == 1 else None
    return found if found is not None and found.is_Rational else None


def _compared(first: str, second: str, quantity: str, setting: Setting, remarks: list[str]) -> Comparison:
    said = list(remarks)
    one, two = (side(name, quantity, setting, other) for name, other in ((first, second), (second, first)))
    if not quantity:
        one, two = _of_one_batch(one, two, said)
    elif quantity == BATCH_FLOPS and any(_has_tokens(name, setting.notation) for name in (first, second)):
        said.append("D stands for the b·c tokens of one batch")
    one, two = aligned(one, two)
    both_models = {kind_of(first), kind_of(second)} == {Kind.MODEL}
    named = "" if both_models or (setting.model is None and not quantity) else setting.plain.model.name
    unit = "FLOPs" if quantity == BATCH_FLOPS else QUANTITIES[quantity].unit if quantity else ""
    return Comparison(one, two, quantity, unit, named, tuple(said))


def _count_a_model(first: str, second: str, model: str | None, notation: str) -> bool:
    """Whether one of two formulas counts tokens of N parameters, and the other a model's letters."""
    forms = [read(name, notation) for name in (first, second)]
    in_letters = model is not None or len({form.has(N) for form in forms}) == 2
    return in_letters and any(form.has(D) for form in forms)


def _has_tokens(name: str, notation: str) -> bool:
    return kind_of(name) is Kind.FORMULA and bool(read(name, notation).has(D))


def _with_usual_width(setting: Setting, formulas: list[str], remarks: list[str]) -> Setting:
    """A formula that does not name the inner width of the feed-forward layer supposes 4d."""
    forms = [read(formula, setting.notation) for formula in formulas]
    plain = setting.plain
    if any(form.has(d_ff) for form in forms) or d_ff in plain.ties or "d_ff" in plain.numbers:
        return setting
    if not plain["forward_flops"].total.has(d_ff):
        return setting
    remarks.append("d_ff = 4d, since the formula does not name d_ff")
    return replace(setting, given={**setting.given, "d_ff": "4*d"})


def _of_one_batch(one: Side, two: Side, remarks: list[str]) -> tuple[Side, Side]:
    """Where one formula counts training tokens and the other a batch, both count a batch."""
    totals = one.total, two.total
    counts_all = [form.has(D) for form in totals]
    if counts_all[0] == counts_all[1] or not any(form.has(b) or form.has(c) for form in totals):
        return one, two
    remarks.append("D stands for the b·c tokens of one batch")
    put = {D: TOKENS}
    return tuple(
        replace(
            each,
            forms={
                text(form.xreplace(put).as_coeff_Mul()[1]): form.xreplace(put) for form in each.forms.values()
            },
        )
        for each in (one, two)
    )  # type: ignore[return-value]


def _check_dimensions(first: str, second: str, quantity: str, notation: str) -> None:
    """Raises UsageError where a formula measures another thing than what it is compared with.

    A count, such as 4·N, may be bytes or FLOPs: its number carries them.
    """
    unit = "FLOPs" if quantity == BATCH_FLOPS else QUANTITIES[quantity].unit if quantity in QUANTITIES else ""
    measured = {
        name: dimension_of(read(name, notation)) for name in (first, second) if kind_of(name) is Kind.FORMULA
    }
    if unit:
        measured.setdefault(quantity.replace("_", " "), unit_of(unit))
    named = list(measured.items())
    for (one, of_one), (two, of_two) in pairwise(named):
        powers = [
            {name: power for name, power in each.powers.items() if name not in COUNTS}
            for each in (of_one, of_two)
        ]
        carried: tuple[dict[str, int], ...] = ({}, {"byte": 1}, {"FLOP": 1})
        if powers[0] != powers[1] and ({} not in powers or any(each not in carried for each in powers)):
            raise UsageError(
                f"{one} is in {spelled(of_one)} and {two} in {spelled(of_two)}: they cannot be compared."
            )
