"""Shares and crossings: a quotient that is some steps over a whole, and where two parts of a whole are equal."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, permutations, product

from sympy import Expr, cancel, fraction, together

from symcost.check.case import Case
from symcost.check.catalogue import BLOCK, BY_TENSOR, CORE, IN_BLOCK, SCOPES, Entry, book
from symcost.check.findings import Pair
from symcost.check.polynomials import (
    Coefficient,
    Monomial,
    Summands,
    form_of,
    quotient,
    summands,
    times,
    total,
)
from symcost.check.slips import Slip, one_slip
from symcost.check.statements import Item, Statement
from symcost.check.subjects import RECOMPUTED, Part, Subject
from symcost.check.wordings import Wording
from symcost.notation import text as plain_text
from symcost.symbols import GLOSSARY

OVERTAKES = Wording(
    r"\b(?:overtak\w+|exceed\w*|outgrow\w*|outweigh\w*|dominat\w+|cross\w*|break-?even|catch(?:es)? up|equal(?:s|led)?)\b"
    r"|\b(?:larger|bigger|greater|more|costlier) than\b|超过|相等",
    re.IGNORECASE,
)
MEETING = Wording(
    r"\b(?:overtak\w+|outgrow\w*|outweigh\w*|break-?even|catch(?:es)? up|are (?:as large|equal))\b[^.;:]{0,60}\Z",
    re.IGNORECASE,
)  # a value of a letter comes next
OF_TOKENS = Wording(r"\b(?:context|sequence) length\b|\btokens\b", re.IGNORECASE)
ON_TOP = Wording(
    r"\b(?:overhead|relative|recomput\w+|surcharge|extra|on top|more|adds?|additional|costs?)\b",
    re.IGNORECASE,
)
_COMPARES = Wording(
    r"\b(?:ratio|compare[sd]?|comparing|relative|versus|fraction|how many times)\b", re.IGNORECASE
)
COMPARES = frozenset({"=", "≈", ">", "<", "≥", "≤", ">=", "<="})
ATTENTION_CORE: tuple[Part, ...] = (("block.attention", CORE),)
ATTENTION: tuple[Part, ...] = (("block.attention", frozenset()),)
WHOLES: tuple[tuple[Part, ...], ...] = (BLOCK, (), ATTENTION)


def share(case: Case, item: Item, about: Subject, quantities: Collection[str]) -> Pair | None:
    """`c/(8d + c)` of a block's FLOPs: the part that the words name, or any other, over the whole."""
    for form in dict.fromkeys((item.form, case.knowledge.opened(item.form))):
        above, below = (case.table(each) for each in fraction(together(case.tied(form))))
        if not above or not below or len(below) == 1:
            continue
        first = None
        for part, whole in _parts_of_wholes(case, about, quantities, _letters(above, below)):
            if times(above, whole.table) == times(below, part.table):
                return _right(case, item.source, part, f"{part.named()} over {whole.named()}")
            first = first or (part, whole)
        if first and about.parts and _is_told(case, about, quantities):
            return _wrong_share(item.source, above, below, *first)
    return None


def parts_compared(case: Case, item: Item, about: Subject, words: str) -> Pair | None:
    """`2NHT/(3DF)`: one part of a block over another, where words say that two are compared."""
    above, below = (case.table(each) for each in fraction(together(case.tied(item.form))))
    if not above or not below or not len(above) == len(below) == 1 or not _COMPARES.search(words):
        return None
    for each, quantity in product(case.books(_letters(above, below)), _divided(about.quantities)):
        found = [
            each.entry(quantity, parts, every=False)
            for parts in (ATTENTION_CORE, *filter(IN_BLOCK.__contains__, SCOPES))
        ]
        for part, other in permutations(filter(None, found), 2):
            if len(part.table) == len(other.table) == 1 and times(above, other.table) == times(
                below, part.table
            ):
                return _right(case, item.source, part, f"{part.named()} over {other.named()}")
    return None


def overhead(case: Case, item: Item, about: Subject) -> Pair | None:
    """`s/(18h)`: what selective recomputation runs again, over what forward and backward cost, attention's products or not."""
    above, below = (
        case.table(each) for each in fraction(together(case.tied(case.knowledge.opened(item.form))))
    )
    if not above or not below or not ON_TOP.search(about.words):
        return None
    given = case.suppositions
    for option in ("selective", "checkpoint"):
        if option not in about.options and not about.options.isdisjoint(RECOMPUTED):
            continue
        supposed = given.under(given.designs[0], f"{given.conventions[0]}+{option}")
        again = book(supposed).entry("recompute_flops", BLOCK, every=False)
        passes = [
            book(supposed).entry(name, BLOCK, every=False) for name in ("forward_flops", "backward_flops")
        ]
        whole = total(each.table for each in passes if each is not None)
        dense = {monomial: value for monomial, value in whole.items() if dict(monomial).get("c") == 1}
        for each, words in ((whole, "all FLOPs"), (dense, "the FLOPs of the matrices")):
            if again is not None and times(above, each) == times(again.table, below):
                return _right(
                    case, item.source, again, f"{again.named()} over {words} of forward and backward"
                )
    return None


def crossing(case: Case, statement: Statement, about: Subject, quantities: Collection[str]) -> Pair | None:
    """`c > 20d/h`: the value of a letter at which what grows with its higher power is as large as the rest."""
    if len(statement.items) < 2 or not all(item.is_number for item in statement.items[2:]):
        return None
    if statement.relations[0] not in COMPARES or not OVERTAKES.search(about.words):
        return None
    left, right, *_ = statement.items
    letter = left.name or ""
    if letter not in GLOSSARY and OF_TOKENS.search(about.words):
        letter = "c" if letter else ""
    for table in case.tables(right.form) if letter in GLOSSARY and right.form.free_symbols else ():
        first = None
        for whole, high, low in _growing(case, quantities, letter, _letters(table)):
            words = f"the parts of {whole.named()} that grow more and less with {letter} are equal"
            if times(high, table) == low:
                return _right(case, statement.span.text, whole, words)
            first = first or (whole, quotient(low, high), words)
        if first and set(about.parts) <= set(ATTENTION_CORE) and _is_told(case, about, quantities):
            whole, meeting, words = first
            slip = one_slip(table, meeting, sure=True) if meeting else None
            if meeting and slip is not None:
                return _wrong(statement.span.text, whole, form_of(meeting), slip, f"{words} at {letter} =")
    return None


def _parts_of_wholes(
    case: Case, about: Subject, quantities: Collection[str], letters: Collection[str]
) -> Iterator[tuple[Entry, Entry]]:
    """What a share may be of what: the part that the words name, else any; of a block, of the model, of attention."""
    wholes = {"one": (BLOCK,), "model": ((),)}.get(about.times, WHOLES)
    books = chain(case.books(letters), case.books_of(case.suppositions.others, letters))
    for each, quantity, whole in product(books, _divided(quantities), wholes):
        every = whole not in IN_BLOCK
        of = each.entry(quantity, whole, every=every)
        for parts in (about.parts,) if about.parts else (ATTENTION_CORE, *SCOPES):
            part = each.entry(quantity, parts, every=every)
            if of is not None and part is not None:
                yield part, of


def _growing(
    case: Case, quantities: Collection[str], letter: str, letters: Collection[str]
) -> Iterator[tuple[Entry, Summands, Summands]]:
    """Wholes, the factor of a letter in what grows faster with it, and what all of the rest, or a part of it, is."""
    for each, quantity, whole in product(case.books((letter, *letters)), _divided(quantities), (BLOCK, ())):
        of = each.entry(quantity, whole, every=not whole)
        powers = _by_power(of.table, letter) if of is not None else {}
        if of is None or len(powers) != 2 or max(powers) != min(powers) + 1:
            continue
        faster = times(powers[max(powers)], {((letter, -1),): 1}) or {}
        for parts in (whole, *(parts for parts in SCOPES if parts in IN_BLOCK)):
            rest = each.entry(quantity, parts, every=not whole)
            yield of, faster, _by_power(rest.table, letter).get(min(powers), {}) if rest is not None else {}


def _is_told(case: Case, about: Subject, quantities: Collection[str]) -> bool:
    """Whether the words leave no doubt which parts of a block are compared."""
    sure = about.sure_quantities.intersection(BY_TENSOR, quantities)
    named = about.sharp or bool(about.near_quantities)
    return bool(sure) and named and about.times == "one" and case.suppositions.width_said


def _right(case: Case, source: str, entry: Entry, words: str) -> Pair:
    """It is so, if not always for what the document supposes."""
    supposed = entry.supposed
    other = supposed is not None and supposed.design in case.suppositions.others
    verdict, code = ("depends", "SC120") if other else ("holds", "SC102")
    message = f"{words}, supposing {supposed}"
    return Pair(verdict, code, source.strip(), message=message, quantity=entry.quantity, scope=entry.scope)


def _wrong(source: str, entry: Entry, right: Expr, slip: Slip, words: str) -> Pair:
    """It is one slip away from what is right."""
    message, shown = f"{slip.words}; {words} {plain_text(right)} for {entry.supposed}", plain_text(right)
    return Pair("differs", "SC201", source.strip(), shown, message=message, quantity=entry.quantity,
                scope=entry.scope, fix=shown)  # fmt: skip


def _wrong_share(source: str, above: Summands, below: Summands, part: Entry, whole: Entry) -> Pair | None:
    right = cancel(part.total / whole.total)
    upper, lower = (summands(each) or {} for each in fraction(right))
    slip = one_slip(below, lower) if above == upper else None
    return _wrong(source, part, right, slip, f"{part.named()} over {whole.named()} is") if slip else None


def _divided(wanted: Collection[str]) -> list[str]:
    """Of the quantities that words may mean, those that have parts; all such where they mean none."""
    return [name for name in BY_TENSOR if name in wanted] or list(BY_TENSOR)


def _letters(*tables: Summands) -> frozenset[str]:
    return frozenset(name for table in tables for monomial in table for name, _ in monomial)


def _by_power(table: Summands, letter: str) -> Mapping[int, Summands]:
    """The terms of a form by the power of a letter in them."""
    found: dict[int, dict[Monomial, Coefficient]] = {}
    for monomial, value in table.items():
        found.setdefault(dict(monomial).get(letter, 0), {})[monomial] = value
    return found
