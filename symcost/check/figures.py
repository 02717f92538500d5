"""Figures: numbers that documents print for what is derived, alone or with the numbers put in for the letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice, product

from sympy import Expr, Rational, Symbol

from symcost.check import numbers
from symcost.check.amounts import number, placeholders
from symcost.check.case import Case
from symcost.check.catalogue import Entry
from symcost.check.claims import Claim, public
from symcost.check.context import words_before
from symcost.check.documents import Span
from symcost.check.findings import Pair
from symcost.check.naming import named_model, numbers_of
from symcost.check.numbers import compare, slip
from symcost.check.polynomials import Summands
from symcost.check.slips import FACTORS
from symcost.check.statements import Statement
from symcost.check.subjects import Subject
from symcost.check.tables import row_values
from symcost.notation import text as plain_text
from symcost.notation.numbers import rounded
from symcost.symbols import GLOSSARY, d_k, h_kv

NEAR_LINES = 6  # between a form and what it is said to come to
LEADS_ON = re.compile(
    r"\b(?:that|this|which|it) (?:is|gives|makes|takes|comes to)\s*\W*\Z|\bwe (?:get|find)\s*\W*\Z",
    re.IGNORECASE,
)
FOR_ALL = re.compile(r"\bfor (?:all|the whole)\b|\bin all\b", re.IGNORECASE)
SPLIT = re.compile(
    r"\b(?:split|divided|spread|shared|sharded|partitioned)\b[^.;]{0,30}\b(?:across|over|among|between)\b[^.;\d]{0,20}(\d[\d,]*\d)",
    re.IGNORECASE,
)
ASSIGNED = re.compile(r"\A\W{0,3}(?:for|at|with|when|if) (?:\$)?([A-Za-z]\w*)\$? ?= ?\$?(\d[\d,]*\d)")
MOST_RECENT = 4  # numbers that a share may be of
LESS_OR_MORE = re.compile(
    r"\s*(?:below|under|less|lower|smaller|above|over|more|higher|larger)\b", re.IGNORECASE
)
LARGE = 64  # a number from here on that a letter is known to have is that letter
MOST_WAYS = 64  # ways to put letters back for numbers
POWERS_OF_TEN = tuple(Fraction(10) ** power for power in (-9, -6, -3, -2, -1, 1, 2, 3, 6, 9))


def figure(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """What is said of a formula without letters: what it is with letters put back, what it comes to or adds up."""
    together = _summed_up(case, statement)
    bare = not (
        about.qualified or about.of_device or statement.names or statement.continued or not about.quantities
    )
    return (
        (_put_in(case, statement, about) or _number(case, statement, about) if bare else None)
        or _comes_to(case, statement)
        or _shared_out(case, statement)
        or together
    )


# ----------------------------------------------------------------------------------- arithmetic with numbers put in


def _put_in(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """`2 · 40 · 5120 bytes` is 2Ld in numbers, and is held against what 2Ld is."""
    item = statement.items[0]
    if not about.sure_quantities:
        return None
    claims = [Claim(case, statement, replace(item, form=form), about) for form in _lifted(case, statement)]
    tables = [(each, table) for each in claims for table in case.tables(each.item.form)]
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
        if slipped is not None and slipped[0].verdict == "differs":
            pair, entry = slipped
            known = {name: values[-1] for name, values in case.knowledge.numbers.items()}
            if at(entry.table, known) in (None, *case.knowledge.evaluated(item.form)):
                continue
            letters = plain_text(each.item.form)
            return replace(pair, message=f"{letters} in numbers: {pair.message}", fix="")
    return None


def _lifted(case: Case, statement: Statement) -> Iterator[Expr]:
    """The ways to put letters back for numbers, the most letters first."""
    item = statement.items[0]
    form, values = placeholders(item, statement.span.form)
    if form is None or len(values) < 2:
        return
    known = {name: numbers[-1] for name, numbers in case.knowledge.numbers.items() if name in GLOSSARY}
    meanings: dict[Expr, Fraction] = {GLOSSARY[name].symbol: number for name, number in known.items()}
    if "d" in known and known.get("h"):
        meanings |= {h_kv * d_k: known["d"] * known["h_kv"] / known["h"]} if "h_kv" in known else {}
    choices: list[list[Expr]] = []
    for value in values:
        letters = [form for form, number in meanings.items() if number == value > 1]
        number = Rational(value.numerator, value.denominator)
        choices.append(letters if letters and value >= LARGE else [number, *letters])
    ways = [
        form.xreplace({Symbol(f"q_{at}", positive=True): each for at, each in enumerate(way)})
        for way in islice(product(*choices), MOST_WAYS)
    ]
    yield from sorted((way for way in ways if way.free_symbols), key=lambda way: -len(way.free_symbols))


# ---------------------------------------------------------------------------------------- what a form comes to


def _comes_to(case: Case, statement: Statement) -> Pair | None:
    """`time ≈ 8TP/(nX)`. "For $P = …$ that is $34.1$ hours": the form before, at the numbers that are known by now.

    It differs only where the words lead on from the form, and a familiar slip leads from one number to the other; and in a
    table, whose columns' headings may give the numbers, where the rows above hold.
    """
    item, span, last = statement.items[0], statement.span, case.last
    printed = item.part.printed
    if last is None or printed is None or printed.percent or len(statement.items) > 1:
        return None
    if last.span.block.headings != span.block.headings or span.line - last.span.end_line > NEAR_LINES:
        return None
    put_in = _assigned_behind(case, span) | _assigned_above(case, span)
    values = case.knowledge.evaluated(last.form.xreplace(put_in))
    if not values:
        values = _of_named_model(case, last.form, span)
    if FOR_ALL.search(span.after):
        every = last.form * GLOSSARY["L"].symbol
        values += case.knowledge.evaluated(every) or _of_named_model(case, every, span)
    shown, columns = item.source.strip(), _beside(last.span, span)
    for value in values:
        if compare(value, printed, item.unit, statement.about).holds and printed.significant > 1:
            case.columns.setdefault(columns, set()).add(last.form)
            return Pair("holds", "SC101", shown, message=f"what {last.source} comes to at the numbers known")
    above = bool(columns) and bool(case.columns.get(columns, set()) - {last.form})
    leads_on = LEADS_ON.search(words_before(span)) and span.block is last.span.block
    if not values or item.unit is None or not (leads_on or above):
        return None
    right = number(values[0] / item.scale, item.unit)
    slipped = slip(values[0], printed.value * item.scale) or (above and "the rows above are right")
    if not slipped:
        return None
    return Pair("differs", "SC204", shown, right, number((values[0] - printed.value * item.scale) / item.scale, item.unit),
                f"{last.source} comes to {right}, not {shown}: {slipped}")  # fmt: skip


def _beside(one: Span, other: Span) -> tuple[object, ...]:
    """Two columns of a table, where two formulas stand in one row; else nothing."""
    if one.block.cell is None or other.block.cell is None or one.line != other.line:
        return ()
    return one.block.cell.column, other.block.cell.column, other.block.headings


def _assigned_above(case: Case, span: Span) -> dict[Expr, Expr]:
    """The numbers that a row and a column's heading give: `| 7.5B, $N_d=64$ |`."""
    found = row_values(case.document, span, case.knowledge)
    return {GLOSSARY[name].symbol: Rational(value) for name, value in found.items()}


def _assigned_behind(case: Case, span: Span) -> dict[Expr, Expr]:
    """The numbers that follow: "T = 6d, i.e. 4,608 for d = 768"."""
    found = {}
    for name, digits in ASSIGNED.findall(span.sentence.text[span.end - span.sentence.start :]):
        letter = case.knowledge.letter(name)
        if letter in GLOSSARY:
            found[GLOSSARY[letter].symbol] = Rational(digits.replace(",", ""))
    return found


def _summed_up(case: Case, statement: Statement) -> Pair | None:
    """`12 × 12 × 768² = 84.9M, plus 38.6M for the token table => 124M`: the numbers of a sentence together."""
    item, span = statement.items[-1], statement.span
    printed = item.part.printed
    if printed is None or not item.is_number:
        return None
    start, before = case.sentence
    value = printed.value * item.scale
    shown = item.source.strip()
    found = _compared(case, statement)
    if not printed.percent:
        case.recent = [*case.recent[-MOST_RECENT:], value]
    meant = numbers.binary(before[-1], printed, item.unit) if before and len(statement.items) == 1 else None
    if meant and start == span.sentence.start:
        found = Pair("depends", "SC120", shown, message=f"right if {meant} is meant")
    if start == span.sentence.start and len(statement.items) < 3:
        for first in range(len(before) - 1):
            if compare(sum(before[first:], Fraction(0)), printed, item.unit, False).holds:
                found = Pair(
                    "holds", "SC101", item.source.strip(), message="the sum of what the sentence says"
                )
    case.sentence = (span.sentence.start, [*(before if start == span.sentence.start else []), value])
    return found


def _compared(case: Case, statement: Statement) -> Pair | None:
    """`7.6e11, about 13% below the exact count`: how far the last number is off one of those before it."""
    printed = statement.items[0].part.printed
    if (
        printed is None
        or not printed.percent
        or not LESS_OR_MORE.match(statement.span.after)
        or len(case.recent) < 2
    ):
        return None
    *others, last = case.recent
    for other in others:
        if other and compare(abs(1 - last / other), printed, None, False).holds:
            return Pair(
                "holds", "SC101", statement.items[0].source.strip(), message="of the numbers before it"
            )
    return None


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


def _of_named_model(case: Case, form: Expr, span: Span) -> tuple[Fraction, ...]:
    """What a form comes to at the numbers of a known model that the sentence names: "For GPT-3 that is 2.87 GB"."""
    name = named_model(span.sentence.text)
    if name is None:
        return ()
    case.named = name
    known = dict(numbers_of(name)) | {letter: values[-1] for letter, values in case.knowledge.numbers.items()}
    tables = case.tables(form)
    found = at(tables[0], known) if tables else None
    return (found,) if found is not None else ()


# ---------------------------------------------------------------------------------------------- one number alone


def _number(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """A number held against what is derived, at the numbers of its row and column or of the document.

    In a table's column it differs where the rows before hold and this one is a plain factor off; elsewhere it only holds.
    """
    item, span = statement.items[0], statement.span
    row = row_values(case.document, span, case.knowledge)
    alone = len(statement.items) == 1
    if not row and not (alone and item.unit is not None and about.sure_quantities):
        return None
    [value] = case.knowledge.evaluated(item.form) or (None,)
    if value is None:
        return None
    value *= item.scale
    of_model = dict(numbers_of(case.named)) if case.named and not row else {}
    known = of_model | {name: values[0] for name, values in case.knowledge.numbers.items()} | row
    if row.keys() >= {"h", "d_k"}:
        known["d"] = row["h"] * row["d_k"]
    column = (span.block.cell.column if span.block.cell else "", span.block.headings)
    claim = Claim(case, statement, item, about)
    shown = item.source.strip()
    letters: tuple[str, ...] = ("b", "c") if "b" in known else ("c",)
    letters += ("tp",) if {"tensor", "sequence"} & about.options else ()
    before = case.columns.get(column, ()) if row else ()
    entries = list(claim.announced({((name, 1),): 1 for name in (() if about.per == "token" else letters)}))
    for entry in sorted(entries, key=lambda entry: _as_what(entry) not in before):
        derived = at(entry.table, known)
        if not derived:
            continue
        printed = item.part.printed
        if derived == value or (
            alone and printed is not None and compare(derived, printed, item.unit, False).holds
        ):
            case.columns.setdefault(column, set()).add(_as_what(entry))
            return Pair("holds", "SC102", shown, message=f"{entry.named()}, at the numbers known",
                        quantity=public(entry.quantity), scope=entry.scope)  # fmt: skip
        if _as_what(entry) in before and _plain_factor(value / derived):
            exact = rounded(derived / item.scale, 2)
            message = (
                f"{_factor(value / derived)}: {entry.named()} is {plain_text(entry.total)}, here {exact}"
            )
            return Pair("differs", "SC203", shown, exact, rounded((derived - value) / item.scale, 2), message,
                        public(entry.quantity))  # fmt: skip
    return None


def _as_what(entry: Entry) -> tuple[str, str, str | None]:
    """What the numbers of a column have in common."""
    return entry.quantity, entry.per, entry.supposed.precision if entry.supposed is not None else None


def at(table: Summands, numbers: Mapping[str, Fraction]) -> Fraction | None:
    """What a table comes to, or None where a letter has no number."""
    total = Fraction(0)
    for monomial, value in table.items():
        product = Fraction(value)
        for name, power in monomial:
            if name not in numbers:
                return None
            product *= numbers[name] ** power
        total += product
    return total


def _plain_factor(factor: Fraction) -> bool:
    """Whether a number is off by one of the usual factors, or by a power of ten up to its rounding."""
    return factor in FACTORS or any(abs(factor / power - 1) <= Fraction(1, 100) for power in POWERS_OF_TEN)


def _factor(factor: Fraction) -> str:
    shown = rounded(max(factor, 1 / factor), 0)
    return f"a factor {shown} is missing" if factor < 1 else f"a factor {shown} too much"
