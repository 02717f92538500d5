"""Reckoning: what a number by itself comes from: a form that was stated, what is derived, or the numbers before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product, takewhile

from sympy import Expr, Rational, diff

from symcost.check.bare import Way, likely_ways, ways_of_products
from symcost.check.case import MOST_BACK, Case, Given
from symcost.check.catalogue import BLOCK, BY_TENSOR, book
from symcost.check.claims import Claim
from symcost.check.context import words_before
from symcost.check.findings import Pair
from symcost.check.knowledge import Knowledge
from symcost.check.majority import heading_forms
from symcost.check.meshes import MESH
from symcost.check.numbers import NEAR, compare, number, odds, significant_step, slip, to_the_last
from symcost.check.places import in_force
from symcost.check.polynomials import form_of, summands, value_at
from symcost.check.recipes import element_types
from symcost.check.rules import RULE_OF_THUMB
from symcost.check.shares import ATTENTION, ATTENTION_CORE
from symcost.check.statements import Item, Statement
from symcost.check.subjects import Subject
from symcost.check.tables import unit_of
from symcost.check.wordings import Wording
from symcost.symbols import L, b

BELIEVED = Fraction(1, 10)  # the chance of a hit by accident from which on a number is not told
HALF_A_DECADE = 3  # what is further off is no way to come to a number
EACH = "bytes each"  # of elements
LATEST = 4  # forms that a share may be of a term of
FEW = 3  # digits by which a number is told from others
BOTH_PASSES = frozenset({"training", "step_flops", "training_flops", "training_time"})
_ONE_PASS = Wording(r"\bforward\b|\bbackward\b|\binference\b|\btoken\b", re.IGNORECASE)
FOR_ALL = Wording(r"\bfor (?:all|the whole)\b|\bin all\b", re.IGNORECASE)
LEADS_ON = Wording(
    r"\b(?:that|this|which|it) (?:is|gives|makes|takes|comes to)\s*\W*\Z|\bwe (?:get|find)\s*\W*\Z",
    re.IGNORECASE,
)


def reckoned(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """A number that is what one of the likely ways comes to, where so many ways would not meet it by accident."""
    item = statement.items[-1]
    printed, unit = item.part.printed, unit_of(statement.span.block, item.unit)
    if printed is None or len(statement.items) > 1 or not printed.value:
        return None
    size = abs(printed.value) * (unit.scale if unit is not None else 1)
    chance, least = odds(printed, statement.about), odds(printed, to_the_last=True)
    tried: set[Fraction] = set()
    for way in _ways(case, statement, about):
        if size < way.value * HALF_A_DECADE and way.value < size * HALF_A_DECADE:
            tried.add(way.value)
        if len(tried) * least > BELIEVED:
            return None
        near = (
            abs(way.value - size) <= NEAR * size or significant_step(printed) == printed.step
        )  # 80 GB are not 80 GiB
        told = (near and len(tried) * chance <= BELIEVED) or to_the_last(way.value, printed, unit)
        if told and compare(way.value, printed, unit, statement.about).holds:
            return Pair("holds", "SC101", item.source.strip(), message=way.words)
    return None


def of_forward_alone(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """`one training step: 1.32e13` FLOPs, which the forward pass alone has: backward is twice as much again."""
    item, near = statement.items[-1], about.near_quantities
    printed = item.part.printed
    if (
        printed is None
        or len(statement.items) > 1
        or printed.significant < FEW
        or not near
        or not near <= BOTH_PASSES
    ):
        return None
    if "checkpoint" in about.options or about.qualified or _ONE_PASS.search(statement.span.sentence.text):
        return None
    known = next(iter(in_force(case, statement.span)))
    for way in _derived(case, statement, about.of("training"), [known]):
        if compare(way.value, printed, item.unit, False).holds:
            return None
        if compare(way.value / 3, printed, item.unit, False).holds:
            shown, right = item.source.strip(), number(way.value / item.scale, item.unit)
            return Pair("differs", "SC203", shown, right, number(way.value * 2 / 3 / item.scale, item.unit),
                        f"of the forward pass alone: {way.words}, {right}", quantity="step_flops")  # fmt: skip
    return None


def led_on(case: Case, statement: Statement) -> Pair | None:
    """`time ≈ 8TP/(nX)`. "For $P = …$ that is $6.94$ hours": a form from which the words lead on, and a familiar slip too."""
    [*others, item], span, last = statement.items, statement.span, case.last
    printed = item.part.printed
    if printed is None or printed.percent or others or item.unit is None or span.block.cell is not None:
        return None
    if last is None or last.span.block is not span.block or not LEADS_ON.search(words_before(span)):
        return None
    known = next(iter(in_force(case, span)))
    for value in known.evaluated(last.form)[:1]:
        for name in sorted(MESH & known.numbers.keys()):  # what one of so many devices has of it
            each = value / known.numbers[name][0] if known.numbers[name][0] else value
            if compare(each, printed, item.unit, statement.about).holds:
                return Pair(
                    "holds", "SC101", item.source.strip(), message=f"what {last.source} comes to over {name}"
                )
        slipped = slip(value, printed.value * item.scale)
        if slipped:
            shown, right = item.source.strip(), number(value / item.scale, item.unit)
            message = f"{last.source} comes to {right}, not {shown}: {slipped}"
            difference = number(value / item.scale - printed.value, item.unit)
            return Pair("differs", "SC204", shown, right, difference, message)
    return None


def _ways(case: Case, statement: Statement, about: Subject) -> Iterator[Way]:
    """What a number may be, the likeliest first."""
    span, places = statement.span, list(in_force(case, statement.span))
    forms = [own for own in case.given[: -MOST_BACK - 1 : -1] if not own.wrong]
    beside = [
        own for own in forms if own.statement.span.block is span.block or own.statement.span.line == span.line
    ]
    section = [
        own for own in forms if own not in beside and own.statement.span.block.headings == span.block.headings
    ]
    near, printed = [*beside, *section], statement.items[-1].part.printed
    yield from likely_ways(case, statement)
    headed = heading_forms(case, span) if span.block.cell is not None else ()
    yield from (
        _way(value, source) for source, form in headed for known in places for value in known.evaluated(form)
    )
    if case.last is not None and case.last.span.block.headings == span.block.headings:
        yield from (
            _way(value, case.last.source) for known in places for value in known.evaluated(case.last.form)
        )
    yield from _of_forms(near, places)
    yield from _of_many(case, near[:LATEST], places, statement, about)
    if printed is not None and printed.percent:
        yield from _of_terms(near[:LATEST], places)
        yield from _shares(case, about, places)
    else:
        yield from _derived(case, statement, about, places)
        yield from _of_training(case, statement, about, places)
    yield from ways_of_products(case, statement, places)


def _of_training(
    case: Case, statement: Statement, about: Subject, places: Sequence[Knowledge]
) -> Iterator[Way]:
    """`GPT-3 ($N = 174.6e9$, $300e9$ tokens) needs $3.14e23$ FLOPs`: the rule of thumb for a training on so many tokens."""
    if not about.quantities & BOTH_PASSES:
        return
    start = statement.span.sentence.start
    here = takewhile(lambda each: each.span.sentence.start == start, reversed(case.said))
    tokens = [each.value for each in here if each.unit is not None and each.unit.powers == {"token": 1}]
    for known in places:
        for size, many in product(known.numbers.get("N", ()), (*known.numbers.get("D", ()), *tokens)):
            yield Way(RULE_OF_THUMB["training"] * size * many, f"{RULE_OF_THUMB['training']}ND")


def _of_forms(forms: Sequence[Given], places: Sequence[Knowledge]) -> Iterator[Way]:
    """What forms come to, the last first."""
    for own, known in ((own, known) for own in forms for known in places):
        for item in _sides(own):
            for value in known.evaluated(item.form):
                yield _way(value * item.scale, item.source)


def _way(value: Fraction, source: str) -> Way:
    return Way(value, f"what {source.strip()} comes to at the numbers known")


def _of_many(
    case: Case, forms: Sequence[Given], places: Sequence[Knowledge], statement: Statement, about: Subject
) -> Iterator[Way]:
    """What the last forms come to for all blocks, for one sequence of a batch, in bytes."""
    span, item = statement.span, statement.items[-1]
    unit = unit_of(span.block, item.unit)
    ways: list[tuple[str, Callable[[Expr], Expr]]] = []
    if FOR_ALL.search(f"{span.before} {span.after}"):
        ways.append(("for all blocks", lambda form: form * L))
    if about.near_per == "sequence":
        ways.append(("for one sequence", lambda form: diff(form, b)))
    if unit is not None and unit.powers == {"byte": 1}:
        widths = element_types(span.sentence.text) or element_types(case.document.text)
        for width in sorted(widths):
            ways.append((f"at {width} {EACH}", lambda form, width=width: form * Rational(width)))  # type: ignore[misc]
    for own, known in ((own, known) for own in forms for known in places):
        for side in _sides(own):
            for words, way in ways if side.unit is None else ():
                if own.about.in_bytes and words.endswith(EACH):
                    continue  # it is in bytes already
                for value in known.evaluated(way(case.knowledge.opened(side.form))):
                    yield Way(value, f"what {side.source.strip()} comes to {words}")


def _sides(own: Given) -> list[Item]:
    return [item for item in reversed(own.statement.items) if item.form.free_symbols and item.name is None]


def _of_terms(forms: Sequence[Given], places: Sequence[Knowledge]) -> Iterator[Way]:
    """What share a term has of its form."""
    for own, known in ((own, known) for own in forms for known in places):
        for item in _sides(own)[:1]:
            terms = [*(item.form.as_ordered_terms() if item.form.is_Add else ())]
            terms += [form_of({monomial: value}) for monomial, value in (summands(item.form) or {}).items()]
            for whole in known.evaluated(item.form):
                for term in terms if whole else ():
                    for value in known.evaluated(term):
                        yield Way(value / whole, f"the share of {term} in {item.source.strip()}")
                        yield Way(1 - value / whole, f"the share of {term} in {item.source.strip()}")


def _derived(case: Case, statement: Statement, about: Subject, places: Sequence[Knowledge]) -> Iterator[Way]:
    """What is derived for the quantities that the words name."""
    if not about.sure_quantities:
        return
    claim = Claim(case, statement, statement.items[-1], about)
    for letters in (("b", "c"), ("c",), ()):
        entries = list(claim.announced({((name, 1),): 1 for name in letters}))
        for known in places:
            numbers = {name: values[0] for name, values in known.numbers.items()}
            for entry in entries:
                value = value_at(entry.table, numbers)
                if value:
                    yield Way(value, f"{entry.named()}, at the numbers known")


def _shares(case: Case, about: Subject, places: Sequence[Knowledge]) -> Iterator[Way]:
    """What share the parts that the words name have of the whole model, or of a block."""
    of = book(case.first)
    whole_said = [about.of(name) for each in case.said[:-2:-1] for name in sorted(each.about.sure_quantities)]
    for own in (about, *(each.about for each in case.given[:-2:-1]), *whole_said) if about.parts else ():
        cores = [ATTENTION_CORE] if about.parts == ATTENTION else []  # where its projections are listed apart
        for quantity, per, whole, named in product(
            sorted(own.sure_quantities & set(BY_TENSOR)), ("", "sequence"), ((), BLOCK), (about.parts, *cores)
        ):
            some, everything = (
                of.entry(quantity, parts, every=not whole, per=per) for parts in (named, whole)
            )
            for known in places if some is not None and everything is not None else ():
                assert some is not None and everything is not None
                numbers = {name: values[0] for name, values in known.numbers.items()}
                part, total = value_at(some.table, numbers), value_at(everything.table, numbers)
                if part and total:
                    yield Way(part / total, f"{some.named()} over {everything.named()}")
