"""Waiting: how long the stages of a pipeline stand idle, as a share of a step or as a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sympy import Expr, cancel

from symcost.check.case import Case
from symcost.check.findings import Pair
from symcost.check.meshes import SAYS_INTERLEAVED
from symcost.check.numbers import compare
from symcost.check.polynomials import reduced, summands
from symcost.check.slips import one_slip
from symcost.check.statements import Item, Statement
from symcost.check.subjects import Subject
from symcost.check.wordings import Wording
from symcost.layouts.pipeline import INTERLEAVED, ONE_F_ONE_B, Schedule
from symcost.notation import text as plain_text
from symcost.notation.numbers import rounded
from symcost.symbols import GLOSSARY, accumulation

pp, chunks = GLOSSARY["pp"].symbol, GLOSSARY["chunks"].symbol
OF_PIPELINE = {pp, accumulation, chunks}
IN_FLIGHT = INTERLEAVED.holds / ONE_F_ONE_B.holds
_OF_WHOLE = Wording(
    r"\b(?:whole|total|full|entire|overall|actual)\b(?: \w+)? (?:step|time|iteration|batch|duration)"
    r"|\b(?:whole|entire)\b|\bidle included\b|\bshare of (?:the|a|each) (?:step|iteration)\b",
    re.IGNORECASE,
)
_OF_IDEAL = Wording(
    r"\b(?:ideal|useful|busy|working|productive|computing|compute) time\b|\bideal\b", re.IGNORECASE
)
_WORKED = Wording(r"\befficien\w+|\butili[sz]ation|\buseful share|\bbusy\b", re.IGNORECASE)
_TIME = Wording(
    r"\btimes?\b|\btakes?\b|\bcosts?\b|\blasts?\b|\bseconds\b|\bworth\b|\bslots?\b", re.IGNORECASE
)
IDEAL, WHOLE, WORKED, LONGER = (
    "of the time without a bubble", "of the whole step", "of the step that is worked", "the step over that time",
)  # fmt: skip


def waiting(case: Case, statement: Statement, about: Subject, words: Sequence[str]) -> Pair | None:
    """$(p-1)/m$ is the bubble over the time without one, $(p-1)/(m+p-1)$ its share of the whole step.

    Which of the two is meant is said by the words beside it, and only then, and where they speak of a bubble, does it
    differ.
    """
    speaks, near = "bubble" in about.named, " ".join(words[:3])
    letters = {symbol.name for item in statement.items for symbol in item.form.free_symbols}
    schedule = INTERLEAVED if "chunks" in letters or SAYS_INTERLEAVED.search(near) else ONE_F_ONE_B
    said = _said(near)
    for item in statement.items if set(statement.relations) <= {"=", "≈", "lead"} else ():
        symbols = item.form.free_symbols
        if symbols == {pp, chunks} and cancel(item.form - IN_FLIGHT) == 0:
            return _holds(item.source.strip(), f"what interleaving keeps more: {INTERLEAVED.source}")
        if {pp, accumulation} <= symbols <= OF_PIPELINE:
            return _as_share(item, statement.about or not speaks, said, schedule)
        if (speaks or _TIME.search(about.words)) and pp in symbols and item.name is None:
            found = _as_time(item, speaks)
            if found is not None:
                return found
    return _as_number(case, statement, said, schedule) if speaks and said else None


def _relations(schedule: Schedule) -> dict[str, Expr]:
    bubble = schedule.bubble
    return {
        IDEAL: bubble,
        WHOLE: cancel(bubble / (1 + bubble)),
        WORKED: cancel(1 / (1 + bubble)),
        LONGER: 1 + bubble,
    }


def _said(words: str) -> str:
    """What the words beside a share say that it is of, or nothing."""
    whole, ideal = (bool(pattern.search(words)) for pattern in (_OF_WHOLE, _OF_IDEAL))
    return "" if whole == ideal or _WORKED.search(words) else WHOLE if whole else IDEAL


def _as_share(item: Item, uncertain: bool, said: str, schedule: Schedule) -> Pair | None:
    """A quotient of stages and micro-batches; what is uncertain, or meant to be near, only holds."""
    shown, relations = item.source.strip(), _relations(schedule)
    plain = _relations(ONE_F_ONE_B).items() if schedule is not ONE_F_ONE_B else ()
    for name, form in (*relations.items(), *plain):
        if reduced(item.form - form) == 0:
            if {name, said} == {IDEAL, WHOLE} and form == relations[name] and not uncertain:
                return _differs(shown, relations[said], said, f"that is what waits {name}")
            return _holds(shown, f"bubble, {name}: {schedule.source}")
    if uncertain:
        return None
    for name in (said,) if said else (IDEAL, WHOLE):
        words = _slip(item.form, relations[name])
        if words:
            return _differs(shown, relations[name], name, words)
    return None


def _slip(form: Expr, right: Expr) -> str:
    """The slip above or below the line of a quotient."""
    (top, bottom), (over, under) = reduced(form).as_numer_denom(), reduced(right).as_numer_denom()
    pairs = ((top, over, bottom, under), (bottom, under, top, over))
    for one, other, kept, right_kept in pairs:
        first, second = summands(one), summands(other)
        if (
            kept == right_kept
            and first
            and second
            and (slip := one_slip(first, second, sure=True)) is not None
        ):
            return slip.words
    return ""


def _as_time(item: Item, speaks: bool) -> Pair | None:
    """$(p-1)θ$ for the bubble, $T(1+(p-1)/m)$ or $(m+p-1)θ$ for a step: a time, whatever θ and T are."""
    shown = item.source.strip()
    for name, form in _times(speaks):
        rest = reduced(item.form / form)
        if form.free_symbols <= item.form.free_symbols and not rest.free_symbols & OF_PIPELINE:
            return _holds(shown, f"{name}: {plain_text(form)} times what stands beside it")
    return None


def _times(speaks: bool) -> Iterator[tuple[str, Expr]]:
    bubble = ONE_F_ONE_B.bubble
    if speaks:
        yield "the time of the bubble", bubble * accumulation
    yield "the time of a step with its bubble", 1 + bubble
    yield "the time of a step with its bubble", accumulation * (1 + bubble)


def _as_number(case: Case, statement: Statement, said: str, schedule: Schedule) -> Pair | None:
    """A share in numbers, where the words say what it is of."""
    item, relations = statement.items[-1], _relations(schedule)
    values = {name: found[0] for name, form in relations.items() if (found := case.knowledge.evaluated(form))}
    printed, shown = item.part.printed, item.source.strip()
    if printed is None or len(values) < len(relations):
        return None
    if compare(values[said], printed, item.unit, statement.about).holds:
        return _holds(shown, f"bubble, {said}")
    other = IDEAL if said == WHOLE else WHOLE
    if not compare(values[other], printed, item.unit, False).holds:
        return None
    right = f"{rounded(values[said] * 100, 1)} %"
    return Pair(
        "differs", "SC203", shown, right, message=f"that is {other}; {said} it is {right}", quantity="bubble"
    )


def _holds(shown: str, message: str) -> Pair:
    return Pair("holds", "SC102", shown, message=message, quantity="bubble")


def _differs(shown: str, right: Expr, name: str, words: str) -> Pair:
    form = plain_text(right)
    return Pair(
        "differs", "SC201", shown, form, message=f"{words}; {name} it is {form}", quantity="bubble", fix=form
    )
