"""Figures: numbers that documents print for what is derived, alone or with the numbers put in for the letters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice, product, takewhile

from sympy import Expr, Rational, Symbol

from symcost.check import numbers
from symcost.check.amounts import other_unit
from symcost.check.bare import in_other_words, of_one_device
from symcost.check.case import Case
from symcost.check.catalogue import Entry
from symcost.check.claims import Claim
from symcost.check.context import words_before
from symcost.check.elements import elements_as_bytes
from symcost.check.exact import off_by_a_term
from symcost.check.experts import of_experts
from symcost.check.findings import Pair
from symcost.check.literals import placeholders
from symcost.check.majority import column_pair
from symcost.check.naming import numbers_of
from symcost.check.numbers import compare, number, slip
from symcost.check.polynomials import summands, value_at
from symcost.check.recipes import element_types
from symcost.check.reckoning import led_on, of_forward_alone, reckoned
from symcost.check.recognising import public
from symcost.check.slips import FACTORS
from symcost.check.statements import Item, Statement
from symcost.check.subjects import Subject
from symcost.check.tables import row_values
from symcost.check.wordings import Wording
from symcost.notation import text as plain_text
from symcost.notation.numbers import rounded
from symcost.symbols import GLOSSARY, d_k, h_kv

SPLIT = Wording(
    r"\b(?:split|divided|spread|shared|sharded|partitioned)\b[^.;]{0,30}\b(?:across|over|among|between)\b[^.;\d]{0,20}(\d[\d,]*\d)",
    re.IGNORECASE,
)
_OF_A_TOOL = Wording(r"\b(?:says|shows?|reports?|prints?|displays?|reads) (?:about )?\Z", re.IGNORECASE)
_TOTAL = re.compile(r"(?:total|sum|all|together)(?: \w+)?", re.IGNORECASE)
MANY = 10**4  # elements, from which on two counts are hardly the same by chance
WIDTHS = (2, 4)  # bytes of an element
EXACT = 5  # digits of a count that is hardly met by chance
TELLING = 3  # digits by which a number is known in the other kind of bytes
LIKELIEST = 2  # of what words announce, that it may then be
LARGE = 64  # a number from here on that a letter is known to have is that letter
MOST_WAYS = 64  # ways to put letters back for numbers
POWERS_OF_TEN = tuple(Fraction(10) ** power for power in (-9, -6, -3, -2, -1, 1, 2, 3, 6, 9))


def figure(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """What is said of a formula without letters: what it is with letters put back, what it comes to or adds up."""
    if _counts_parameters(statement, about):
        about = about.of("parameters")
    elif not about.quantities and (about.parts or about.times):
        about = _as_before(case, statement, about)
    bare = not (
        about.qualified or about.of_device or statement.names or statement.continued or not about.quantities
    )
    return (
        elements_as_bytes(case, statement)
        or of_experts(case, statement)
        or column_pair(case, statement)
        or of_forward_alone(case, statement, about)
        or of_one_device(case, statement)
        or (_put_in(case, statement, about) or _number(case, statement, about) if bare else None)
        or off_by_a_term(case, statement, about)
        or reckoned(case, statement, about)
        or led_on(case, statement)
        or _elements(case, statement, about)
        or _shared_out(case, statement)
        or in_other_words(case, statement)
    )


def _as_before(case: Case, statement: Statement, about: Subject) -> Subject:
    """What a number of some part is of, where only the formulas before it in its section tell."""
    headings = statement.span.block.headings
    here = takewhile(lambda own: own.statement.span.block.headings == headings, reversed(case.given))
    told = (own.about.quantities for own in here if own.holds and len(own.about.quantities) == 1)
    last = next(told, frozenset())
    return next((about.of(quantity) for quantity in last), about)


def _counts_parameters(statement: Statement, about: Subject) -> bool:
    """Whether a table's cell is of parameters, though no word says so: 56.4B beside "MLP, all layers"."""
    item, cell = statement.items[0], statement.span.block.cell
    printed = item.part.printed
    named = bool(about.parts or about.times) or (
        cell is not None and _TOTAL.fullmatch(cell.row.strip(" *")) is not None
    )
    return (
        cell is not None
        and named
        and not about.near_quantities
        and printed is not None
        and printed.scale in (10**6, 10**9)
        and item.unit is None
    )


# ----------------------------------------------------------------------------------- arithmetic with numbers put in


def _put_in(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """`2 · 40 · 5120 bytes` is 2Ld in numbers, and is held against what 2Ld is."""
    item = statement.items[0]
    if not about.sure_quantities:
        return None
    claims = [Claim(case, statement, replace(item, form=form), about) for form in _lifted(case, statement)]
    tables = [(each, table) for each in claims for table in case.tables(each.item.form) if () not in table]
    for each, table in tables:
        for entry in each.announced(table):
            if entry.table == table:
                return each.holds(entry)
    meant = [each.looked_up(table) for each, table in tables]
    if any(
        found is not None and each.is_meant(found) for (each, _), found in zip(tables, meant, strict=True)
    ):
        return None
    for (each, table), found in zip(tables, meant, strict=True):
        slipped = each.slipped(table, found)
        if slipped is not None and slipped[0].verdict == "differs" and slipped[1] is not None:
            pair, entry = slipped[0], slipped[1]
            known = {name: values[-1] for name, values in case.knowledge.numbers.items()}
            if value_at(entry.table, known) in (None, *case.knowledge.evaluated(item.form)):
                continue
            letters = plain_text(each.item.form)
            return replace(pair, message=f"{letters} in numbers: {pair.message}", fix="")
    return None


def _lifted(case: Case, statement: Statement) -> Iterator[Expr]:
    """The ways to put letters back for numbers, the most letters first."""
    item = statement.items[0]
    form, found = placeholders(item, statement.span.form)
    if form is None or len(found) < 2:
        return
    known = {name: numbers[-1] for name, numbers in case.knowledge.numbers.items() if name in GLOSSARY}
    if known.keys() >= {"d", "h", "d_k"} and known["d"] != known["h"] * known["d_k"]:
        return  # the forms that are derived suppose that all heads together are as wide as the model
    tied = {
        symbol.name: value_at(table, known) for symbol, form in case.ties.items() if (table := summands(form))
    }
    meanings: dict[Expr, Fraction] = {
        GLOSSARY[name].symbol: number for name, number in (tied | known).items() if number is not None
    }
    if "d" in known and known.get("h"):
        meanings |= {h_kv * d_k: known["d"] * known["h_kv"] / known["h"]} if "h_kv" in known else {}
    choices: list[list[Expr]] = []
    for value in (each.value for each in found):
        letters = [form for form, number in meanings.items() if number == value > 1]
        number = Rational(value.numerator, value.denominator)
        choices.append(letters if letters and value >= LARGE else [number, *letters])
    ways = [
        form.xreplace({Symbol(f"q_{at}", positive=True): each for at, each in enumerate(way)})
        for way in islice(product(*choices), MOST_WAYS)
    ]
    likely = (way for way in ways if way.free_symbols and not _shares_out(way))
    yield from sorted(likely, key=lambda way: -len(way.free_symbols))


def _shares_out(form: Expr) -> bool:
    """Whether the parameters are multiplied or divided by a size of the model, as no cost is."""
    sizes = {"L", "d", "h", "h_kv", "d_k", "d_ff", "v"}
    terms = [dict(monomial).keys() for monomial in summands(form) or ()]
    return any("N" in term and term & sizes for term in terms)


def _shared_out(case: Case, statement: Statement) -> Pair | None:
    """16M tokens a step, split across 16,000 GPUs, are 1000 tokens each."""
    item, span = statement.items[0], statement.span
    said = SPLIT.search(span.sentence.text, 0, max(0, span.start - span.sentence.start))
    if said is None or item.part.printed is None or item.unit is None or len(statement.items) > 1:
        return None
    many = Fraction(said[1].replace(",", ""))
    each, shown = item.part.printed.value * item.scale, item.source.strip()
    wholes = {
        amount.value
        for stated in case.amounts.values()
        for amount in stated
        if amount.value > each and (amount.unit is None or amount.unit.measures(item.unit))
    }
    if many * each in wholes:
        return Pair(
            "holds", "SC101", shown, message=f"{number(many * each, item.unit)} over {number(many, None)}"
        )
    for whole in sorted(wholes):
        if many and abs(each * many / whole) in POWERS_OF_TEN:
            right = number(whole / many / item.scale, item.unit)
            return Pair("differs", "SC203", shown, right, message=f"{number(whole, item.unit)} over {number(many, None)} "
                        f"are {right} each: {slip(whole / many, each)}")  # fmt: skip
    return None


# ---------------------------------------------------------------------------------------------- one number alone


def _number(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """A number held against what is derived, at the numbers of its row and column or of the document.

    In a table's column it differs where the rows before hold and this one is a plain factor off; elsewhere it only holds.
    """
    item, span = statement.items[0], statement.span
    if item.unit is not None and "byte" in item.unit.powers and about.quantities == {"parameters"}:
        about = about.of("parameter_memory")  # "the weights need 5.38 GB"
    row = row_values(case.document, span, case.knowledge)
    alone = len(statement.items) == 1
    many_digits = alone and item.part.printed is not None and item.part.printed.significant >= EXACT
    if not row and not (alone and (item.unit is not None or many_digits) and about.sure_quantities):
        return None
    value = next(iter(case.knowledge.evaluated(item.form)), None)
    if value is None:
        return None
    value *= item.scale
    of_model = dict(_of_model(case)) if not row else {}
    known = of_model | {name: values[0] for name, values in case.there(span).numbers.items()} | row
    if row.keys() >= {"h", "d_k"}:
        known["d"] = row["h"] * row["d_k"]
    of_column = (span.block.cell.column if span.block.cell else "", span.block.headings)
    column = case.columns.setdefault(of_column, set()) if row else set()
    printed = item.part.printed
    claim = Claim(case, statement, item, about)
    shown = item.source.strip()
    letters: tuple[str, ...] = ("b", "c") if "b" in known else ("c",)
    letters += ("tp",) if {"tensor", "sequence"} & about.options else ()
    before = set(column)
    likeliest: dict[Fraction, None] = {}
    entries = list(claim.announced({((name, 1),): 1 for name in (() if about.per == "token" else letters)}))
    for entry in sorted(entries, key=lambda entry: _as_what(entry) not in before):
        derived = value_at(entry.table, known)
        if not derived:
            continue
        likeliest[derived] = None
        if derived == value or (
            alone and printed is not None and compare(derived, printed, item.unit, False).holds
        ):
            column.add(_as_what(entry))
            return Pair("holds", "SC102", shown, message=f"{entry.named()}, at the numbers known",
                        quantity=public(entry.quantity), scope=entry.scope)  # fmt: skip
        meant = numbers.binary(derived, printed, item.unit) if printed is not None else None
        if _as_what(entry) in before and meant is not None:
            return other_unit(case, derived, meant, item, shown)
        if _as_what(entry) in before and _plain_factor(value / derived):
            exact = rounded(derived / item.scale, 2)
            message = (
                f"{_factor(value / derived)}: {entry.named()} is {plain_text(entry.total)}, here {exact}"
            )
            return Pair("differs", "SC203", shown, exact, rounded((derived - value) / item.scale, 2), message,
                        public(entry.quantity))  # fmt: skip
    if printed is None or not alone or printed.significant < TELLING or _OF_A_TOOL.search(words_before(span)):
        return None
    for derived in list(likeliest)[:LIKELIEST]:
        meant = numbers.binary(derived, printed, item.unit)
        if meant is not None:
            return other_unit(case, derived, meant, item, shown)
    return None


def _elements(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """`12 · 2048 · 768 ≈ 18.9 MB`: a number of elements that is printed as bytes, where each of them takes two or four."""
    *_, left, right = (None, *statement.items)
    if left is None or right.unit is None or right.unit.powers != {"byte": 1} or left.unit is not None:
        return None
    value = next(iter(case.knowledge.evaluated(left.form)), None)
    many = {"kv_cache_memory": "kv_cache", "activation_memory": "saved_activations"}
    named = [many[name] for name in many if name in about.sure_quantities]
    if value is None or value < MANY or not named or left.part.units_inside or about.qualified:
        return None
    known = {
        **_of_model(case),
        **{name: values[0] for name, values in case.there(statement.span).numbers.items()},
    }
    factors = {each.value for each in placeholders(left, statement.span.form)[1]}
    if _of_two_models(known, factors):
        return None
    if known.get("L") in factors:
        about = replace(about, times="all")
    in_bytes = dict(_derived(case, statement, left, about.counted_in_bytes(), known))
    counts = dict(_derived(case, statement, left, about.of(named[0]), known))
    each = sorted({size / value for size in in_bytes if size / value in WIDTHS})
    if value in in_bytes or value not in counts or not each or 1 in element_types(statement.span.block.text):
        return None
    right_one = number(value * each[0] / right.scale, right.unit)
    return Pair("differs", "SC204", f"{left.source.strip()} = {right.source.strip()}", derived=right_one,
                message=f"{left.source.strip()} counts elements ({counts[value].named()}): at {each[0]} bytes each they are "
                f"{right_one}", quantity=public(counts[value].quantity))  # fmt: skip


def _of_two_models(known: Mapping[str, Fraction], factors: Collection[Fraction]) -> bool:
    """Whether heads of the size that a product counts do not make up the width that is known: it is of another model."""
    width, heads = known.get("d", Fraction(0)), known.get("h", Fraction(0))
    return bool(width) and bool(heads) and width not in factors and width / heads not in factors


def _derived(
    case: Case, statement: Statement, item: Item, about: Subject, known: Mapping[str, Fraction]
) -> Iterator[tuple[Fraction, Entry]]:
    """What the words may mean, at some sizes, for one sequence and for the batch."""
    claim = Claim(case, statement, item, about)
    for letters in (("c",), ("b", "c")):
        for entry in claim.announced({((name, 1),): 1 for name in letters}):
            derived = value_at(entry.table, {"b": Fraction(1), **known} if "b" in letters else known)
            if derived:
                yield derived, entry


def _of_model(case: Case) -> Mapping[str, Fraction]:
    return numbers_of(case.named) if case.named else {}


def _as_what(entry: Entry) -> tuple[str, str, str | None]:
    """What the numbers of a column have in common."""
    return entry.quantity, entry.per, entry.supposed.precision if entry.supposed is not None else None


def _plain_factor(factor: Fraction) -> bool:
    """Whether a number is off by one of the usual factors, or by a power of ten up to its rounding."""
    return factor in FACTORS or any(abs(factor / power - 1) <= Fraction(1, 100) for power in POWERS_OF_TEN)


def _factor(factor: Fraction) -> str:
    shown = rounded(max(factor, 1 / factor), 0)
    return f"a factor {shown} is missing" if factor < 1 else f"a factor {shown} too much"
