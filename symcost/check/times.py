"""Named times: GPU-hours, days and the bill, defined by FLOPs over a rate or by one another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache

from sympy import Expr, Integer, Rational, Symbol, cancel

from symcost.check.case import Case
from symcost.check.findings import Pair
from symcost.check.literals import Literal, literals
from symcost.check.meanings import TIME_SUFFIXES
from symcost.check.numbers import number
from symcost.check.polynomials import ratio, summands
from symcost.check.rules import RULE_OF_THUMB
from symcost.check.statements import EQUAL, Item, Statement, plain_name
from symcost.check.wordings import Wording
from symcost.notation import text as plain_text
from symcost.symbols import GLOSSARY, D, N, n
from symcost.training import derive

C, MFU = GLOSSARY["C"].symbol, GLOSSARY["MFU"].symbol
_DEVICE = r"(?:gpu|tpu|device|accelerator|chip|card|[avhb]\d{2,3})s?"
_TIME = re.compile(
    r"(?:(?:total|train(?:ing)?|wall|clock|time|t|num|n|run|(?P<device>"
    rf"{_DEVICE}))_)*(?P<unit>\w+?)(?:_(?:total|needed|of_training))?\Z"
)
_NAMED = {
    "cost": Wording(r"(?:total_)?(?:cost|bill|dollars|usd)(?:_(?:total|usd|dollars))?\Z"),
    "energy": Wording(r"(?:total_|energy_)*kwh\Z"),
}
_FLOPS = Wording(r"(?:total_|train(?:ing)?_|num_|n_)*(?:flops?|compute)(?:_total)?\Z")
HOUR = 3600
SLIPS = frozenset(
    Fraction(many) ** power for many in (7, 24, 60, 365, 1440, 3600, 86400) for power in (1, -1, 2, -2)
)  # of units of time, multiplied or divided once too often, or the one for the other
_WAYS: dict[str, Expr] = {
    "": Integer(1),
    "the MFU divides": MFU**2,
    "the number of devices divides": n**2,
    "the number of devices multiplies": 1 / n**2,
}  # what is written over what is right


def named_time(case: Case, statement: Statement) -> Pair | None:
    """`gpu_hours = C/(peak·mfu)/3600`, `days = gpu_hours/(24·gpus)`: what a name of a time is, whatever its numbers are.

    It differs by a factor between two units of time, and where what divides is multiplied by.
    """
    named, *_ = statement.items
    name = statement.label if named.name is None else plain_name(named.name)
    meant = _meant(name)
    forms = [
        item for item in statement.items if item.form.free_symbols and (item is not named or not item.name)
    ]
    if meant is None or not forms or not {*statement.relations} <= {*EQUAL}:
        return None
    form, shown = _opened(case, forms[0].form), f"{name} = {forms[0].source.strip()}"
    for work in _works(case, form):
        right = meant.xreplace({C: work})
        ways = _WAYS if n in right.free_symbols else {**_WAYS, "the hours of all devices are meant": 1 / n}
        for words, more in ways.items():
            off = ratio(summands(cancel(form / (right * more))) or {}, {(): 1})
            if off == 1 and not words:
                return Pair("holds", "SC102", shown, plain_text(right), quantity="training_time")
            if off in SLIPS or off == 1:
                slip = "; ".join(filter(None, (words, _factor(Fraction(off)))))
                return Pair("differs", "SC204", shown, plain_text(right), message=f"{slip}: {name} is {plain_text(right)}",
                            quantity="training_time", fix=plain_text(right))  # fmt: skip
    return None


def utilised(case: Case, left: Item, right: Item, statement: Statement) -> Pair | None:
    """`0.45 × 1.744e23 / 312e12` seconds at an MFU of 45 %: FLOPs over a peak last longer by it, not shorter."""
    if (
        right.unit is None
        or "s" not in right.unit.powers
        or not _UTILISED.search(statement.span.sentence.text)
    ):
        return None
    found = literals(case, left, statement.span.form)
    rates = [each for each in found if each.power == -1 and _measures(each, {"FLOP": 1, "s": -1})]
    shares = [each for each in found if each.power == 1 and 0 < each.value < 1]
    flops = {*case.knowledge.numbers.get("C", ())}
    work = [
        each for each in found if each.power == 1 and (each.value in flops or _measures(each, {"FLOP": 1}))
    ]
    if not (len(rates) == len(shares) == len(work) == 1) or right.part.printed is None:
        return None
    exact = right.part.printed.value / shares[0].value ** 2
    return Pair("differs", "SC204", f"{left.source.strip()} = {right.source.strip()}", number(exact, right.unit),
                message=f"the MFU divides: it is {number(exact, right.unit)}", quantity="training_time")  # fmt: skip


_UTILISED = Wording(r"\bMFU\b|\butili[sz]ation\b", re.IGNORECASE)


def _measures(literal: Literal, powers: Mapping[str, int]) -> bool:
    units = [literal.unit, *(amount.unit for amount in literal.stated)]
    return any(unit is not None and unit.powers == powers for unit in units)


def _factor(off: Fraction) -> str:
    return "" if off == 1 else f"a factor {off} too much" if off > 1 else f"a factor {1 / off} is missing"


@cache
def _run(quantity: str) -> Expr:
    """What a run of C FLOPs takes, as the engine derives it."""
    return derive("budget")[quantity].total


def _meant(name: str) -> Expr | None:
    """What a name says: so many hours of all devices or of the run, its price or its energy."""
    spelled = re.sub(r"[\W_]+", "_", name.lower())
    for quantity, pattern in _NAMED.items():
        if pattern.match(spelled):
            return _run(quantity)
    found = _TIME.match(spelled)
    seconds = TIME_SUFFIXES.get(found["unit"]) if found is not None and len(found["unit"]) > 1 else None
    if found is None or seconds is None:
        return None
    return (_run("gpu_hours") * HOUR if found["device"] else _run("training_time")) / seconds


def _opened(case: Case, form: Expr) -> Expr:
    """A form with what names of times stand for, and with the definitions of others."""
    times = {
        each: meant for each in form.free_symbols if (meant := _meant(plain_name(each.name))) is not None
    }
    form = form.xreplace(times)
    kept = {
        each: Symbol(f"{each.name}_", positive=True) for each in form.free_symbols if each.name in GLOSSARY
    }
    back = {other: each for each, other in kept.items()}
    return case.knowledge.opened(form.xreplace(kept)).xreplace(back)


def _works(case: Case, form: Expr) -> Iterator[Expr]:
    """What the FLOPs of a run may be in a form: a letter or a name for them, what they were said to be, or 6ND."""
    symbols = form.free_symbols
    yield from (each for each in symbols if each == C or _FLOPS.match(plain_name(each.name).lower()))
    yield from case.knowledge.definitions.get("C", ())
    yield from (Rational(each) * N * D for each in RULE_OF_THUMB.values() if {N, D} <= symbols)
