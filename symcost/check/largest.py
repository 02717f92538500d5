"""The largest batch: a quotient of the memory left over by that of one sequence, with what it drops and promises."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction

from sympy import Expr, Rational, Symbol, floor

from symcost.check.case import Amount, Case
from symcost.check.catalogue import Entry, book
from symcost.check.documents import Span
from symcost.check.findings import Pair
from symcost.check.literals import literals
from symcost.check.numbers import number
from symcost.check.polynomials import Summands, key, minus, scaled, summands, times, value_at
from symcost.check.rules import rules
from symcost.check.slips import one_slip, written
from symcost.check.statements import Item, Statement
from symcost.errors import SymcostError
from symcost.notation.reading import read_list
from symcost.symbols import GLOSSARY

PEAK = frozenset({"peak_memory"})
STATES = frozenset({"static_memory", "parameter_memory", "gradient_memory", "optimizer_memory"})
HEAD_WIDTH = 64  # of the customary heads, where a document gives the width d but no heads
LOOKS_AHEAD = 200  # formulas behind an approximation that may state its numbers


def largest_batch(case: Case, item: Item) -> Pair | None:
    """(M − static memory)/(memory of one sequence): exact, or an approximation that may promise more than fits."""
    return _as_derived(case, item) or _as_the_document_has_it(case, item)


def _as_the_document_has_it(case: Case, item: Item) -> Pair | None:
    """The limit less what the document's own peak memory has without a batch, over what that has for each sequence."""
    shown, parts = item.source.strip(), _parts(case, item)
    if parts is None:
        return None
    for own in reversed([given for given in case.given if given.about.quantities & PEAK and not given.wrong]):
        last = own.statement.items[-1]
        peak = summands(case.tied(case.knowledge.opened(last.form))) or {}
        static = {monomial: value for monomial, value in peak.items() if "b" not in dict(monomial)}
        rest = {monomial: value for monomial, value in peak.items() if monomial not in static}
        each = times(rest, {(("b", -1),): 1}) if rest else None
        if not static or not each or any("b" in dict(monomial) for monomial in each):
            continue
        source = last.source.strip()
        if parts == (static, each):
            return Pair("holds", "SC102", shown, quantity="peak_memory", message=f"as the peak is {source}")
        for written_one, right, same in (
            (parts[0], static, parts[1] == each),
            (parts[1], each, parts[0] == static),
        ):
            slip = one_slip(written_one, right, sure=True) if same else None
            if slip is not None and not (slip.dropped or slip.added):
                return Pair("differs", "SC201", shown, written(right), written(slip.difference), quantity="peak_memory",
                            message=f"{slip.words}: the peak is {source}")  # fmt: skip
    return None


def without_static(case: Case, statement: Statement) -> Pair | None:
    """`B = ⌊80/14.64⌋`: a batch that leaves no room for the states, whose bytes the document has stated before."""
    item = next((item for item in statement.items if item.name is None), None)
    counted = statement.items[-1].part.printed
    if item is None or counted is None or {"b", "b_max"}.isdisjoint(statement.names):
        return None
    found = sorted(literals(case, item, statement.span.form), key=lambda each: each.power)
    if [each.power for each in found] != [-1, 1]:
        return None
    each, limit = found
    unit = each.stated[-1].unit if each.stated else None
    states = [
        amount
        for amount in case.said
        if "static_memory" in amount.about.sure_quantities <= STATES and _in_bytes(amount)
    ]
    if unit is None or unit.powers != {"byte": 1} or not states:
        return None
    most = max(states, key=lambda amount: amount.value)
    held = most.value / unit.scale
    fits = (limit.value - held) // each.value
    if not held < limit.value or limit.value // each.value != counted.value or fits == counted.value:
        return None
    return Pair("differs", "SC203", item.source.strip(), str(fits), quantity="peak_memory",
                message=f"the {number(most.value, most.unit)} of weights, gradients and optimizer states are not "
                f"taken off: {fits} fit")  # fmt: skip


def _in_bytes(amount: Amount) -> bool:
    return amount.unit is not None and amount.unit.powers == {"byte": 1}


def _parts(case: Case, item: Item) -> tuple[Summands, Summands] | None:
    """What a quotient subtracts from a letter that is the limit, and what it divides by; None where it is no such thing."""
    form = item.form.args[0] if isinstance(item.form, floor) else item.form
    top, bottom = (summands(case.tied(part)) for part in case.knowledge.opened(form).as_numer_denom())
    limits = [monomial for monomial, value in (top or {}).items() if value > 0]
    if not top or not bottom or len(limits) != 1 or len(top) == 1:
        return None
    [limit] = limits
    held = {monomial: -value for monomial, value in top.items() if monomial != limit}
    others = {name for monomial in (*held, *bottom) for name, _ in monomial}
    letters = [name for name, power in limit if power == 1 and name not in others]
    if len(letters) != 1:
        return None
    shared = {tuple((name, -power) for name, power in limit if name not in letters): 1 / Fraction(top[limit])}
    static, each = times(held, shared), times(bottom, shared)
    return (static, each) if static and each else None


def _as_derived(case: Case, item: Item) -> Pair | None:
    """The same held against what is derived for the model that the document describes."""
    static, each = book(case.first).entry("static_memory"), book(case.first).entry("memory_per_sequence")
    if static is None or each is None:
        return None
    form = item.form.args[0] if isinstance(item.form, floor) else item.form
    named = _named(case, form, static, each)
    top, bottom = (part.xreplace(named) for part in form.as_numer_denom())
    kept_each, numerator = summands(case.tied(bottom)), summands(case.tied(top))
    if not kept_each or not numerator:
        return None
    limit = next((monomial for monomial in ((), (("M", 1),)) if monomial in numerator), None)
    factor = _common(kept_each, each.table)
    if limit is None or factor is None:
        return None
    memory = Fraction(numerator[limit]) / factor
    kept_static = scaled(
        {monomial: -value for monomial, value in numerator.items() if monomial != limit}, 1 / factor
    )
    kept_each = scaled(kept_each, 1 / factor)
    left_static, left_each = minus(static.table, kept_static), minus(each.table, kept_each)
    shown = item.source.strip()
    if not left_static and not left_each:
        return Pair(
            "holds",
            "SC102",
            shown,
            message=f"the largest batch, supposing {case.first}",
            quantity="peak_memory",
        )
    if any(value < 0 for value in (*left_static.values(), *left_each.values())):
        return None
    counts = _counts(
        case, memory if limit == () else None, (kept_static, kept_each), (static.table, each.table)
    )
    names = ", ".join(
        written({monomial: value}) for table in (left_static, left_each) for monomial, value in table.items()
    )
    return Pair("approximates", "SC111", shown, difference=names, quantity="peak_memory",
                message=f"unsafe: it drops {names}, so it promises more than fits{counts}")  # fmt: skip


def _named(case: Case, form: Expr, static: Entry, each: Entry) -> dict[Expr, Expr]:
    """Names in a quotient as what they stand for: so many bytes a parameter, what was computed for one sequence."""
    found: dict[Expr, Expr] = {symbol: entry.total for symbol in form.free_symbols
                               if (entry := case.meant.get(symbol.name)) is not None}  # fmt: skip
    for monomial, value in (summands(form.as_numer_denom()[0]) or {}).items():
        states = rules().get(key({monomial: -value}), ())
        if any(entry.quantity == "static_memory" and not entry.stage for entry in states):
            found[GLOSSARY["N"].symbol] = -static.total / Rational(value)
    for symbol in form.free_symbols:
        stated = [
            amount
            for value in case.knowledge.numbers.get(symbol.name, ())
            for amount in case.amounts.get(value, ())
        ]
        if any(
            amount.unit and "byte" in amount.unit.powers and amount.about.per == "sequence"
            for amount in stated
        ):
            found[symbol] = each.total
    return found


def _counts(
    case: Case, memory: Fraction | None, kept: Sequence[Summands], derived: Sequence[Summands]
) -> str:
    """How many are promised and how many fit, at the numbers that the document gives, before or after."""
    numbers = {name: values[0] for name, values in _all_numbers(case).items()}
    if memory is None or "d" not in numbers:
        return ""
    if "h" not in numbers and numbers["d"] % HEAD_WIDTH == 0:
        numbers["h"] = numbers["d"] / HEAD_WIDTH
    held, each, holds, takes = (value_at(table, numbers) for table in (*kept, *derived))
    if held is None or holds is None or not each or not takes:
        return ""
    promised, fits = (memory - held) // each, (memory - holds) // takes
    nominal = memory / 10**9
    also = f" ({(nominal * 2**30 - holds) // takes} if GiB is meant)" if nominal.denominator == 1 else ""
    return f": {promised} where {fits} fit{also}, at h = {numbers['h']}"


def _all_numbers(case: Case) -> dict[str, tuple[Fraction, ...]]:
    """Numbers in force, and those that the document states further down."""
    found = dict(case.knowledge.numbers)
    for span in _ahead(case):
        if span.form != "latex":
            continue
        try:
            readings = read_list(span.text, span.form, names=case.knowledge.names())
        except SymcostError:
            continue
        for reading in readings:
            if (
                len(reading.parts) == 2
                and reading.parts[1].printed is not None
                and isinstance(reading.parts[0].expr, Symbol)
            ):
                found.setdefault(
                    case.knowledge.letter(reading.parts[0].expr.name), (reading.parts[1].printed.value,)
                )
    return found


def _common(document: Summands, derived: Summands) -> Fraction | None:
    """The factor between the terms that both have, where it is one for all."""
    factors = {
        Fraction(value) / derived[monomial] for monomial, value in document.items() if monomial in derived
    }
    return factors.pop() if len(factors) == 1 and document.keys() <= derived.keys() else None


def _ahead(case: Case) -> Iterator[Span]:
    """The next formulas of the document, as far as a reader would look for numbers."""
    spans = case.document.spans
    first = bisect_right(spans, case.knowledge.position, key=lambda span: span.start)
    yield from spans[first : first + LOOKS_AHEAD]
