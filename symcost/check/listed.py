"""Lists: a form that is what was listed right before it, summed up, for all blocks, or in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product

from sympy import Expr

from symcost.check.case import Case, Stated
from symcost.check.chains import equal
from symcost.check.findings import Pair
from symcost.check.polynomials import Summands, ratio, scaled, summands, times, total
from symcost.check.slips import one_slip, written
from symcost.check.statements import Item
from symcost.check.subjects import CONCLUDES
from symcost.check.wordings import Wording
from symcost.notation import text as plain_text

NEXT = 3  # forms before one that it may be a share of
_SHARE = Wording(
    r"\b(?:shares?|intensity|overhead|surcharge|ratio|fraction|relative|over (?:these|this|that|them)|times|factor|compared)\b",
    re.IGNORECASE,
)
_INTENSITY = Wording(r"\bintensity\b", re.IGNORECASE)  # FLOPs over bytes and nothing else
OF_ALL = Wording(r"\b(?:model|network|all|layers|blocks)\b", re.IGNORECASE)
MOST_LISTED = 8  # forms that a sum is said to be of
ALL_BLOCKS: Summands = {(("L", 1),): Fraction(1)}


def one_over_another(case: Case, item: Item, words: str) -> Pair | None:
    """A quotient of what was stated before: `s/(18h)` behind "4bs²h, while the matrices cost 72bsh²".

    Of a sum that has one of these as a summand also the rest over it: "relative to 2N the context term is …".
    """
    if not _SHARE.search(words):
        return None
    opened, shown = case.knowledge.opened, item.source.strip()
    for above, below, message in _quotients(case):
        if equal(case, opened(item.form * below), opened(above)):
            return Pair("holds", "SC101", shown, message=message)
        if not _INTENSITY.search(words):
            continue
        here, there = summands(opened(item.form) * below), summands(opened(above))
        factor = ratio(here, there) if here and there else None
        if factor is not None:
            right = plain_text(above / below)
            return Pair("differs", "SC202", shown, right, message=f"{factor} times {message}", fix=right)
    return None


def _quotients(case: Case) -> Iterator[tuple[Expr, Expr, str]]:
    """What is above and below, and in words."""
    stated = _stated(case)[-NEXT:]
    for one, other in permutations(stated, 2):
        yield one.form, other.form, f"{one.source} over {other.source}"
    sums = [item for own in case.given[-MOST_LISTED:] for item in own.statement.items if item.form.is_Add]
    for whole in sums[-NEXT:]:
        for one, other in permutations(whole.form.args) if len(whole.form.args) == 2 else ():
            yield one, other, f"one term of {whole.source.strip()} over the other"
    for whole, part in product(sums, stated):
        if part.form in whole.form.args:
            rest = whole.form - part.form
            yield rest, part.form, f"the rest of {whole.source.strip()} over {part.source}"


def _stated(case: Case) -> list[Stated]:
    """The forms that the section has listed, and the last one."""
    last = [case.last] if case.last is not None and case.last not in case.bare else []
    return [*case.bare[-MOST_LISTED:], *last]


def of_the_listed(case: Case, item: Item, words: str) -> Pair | None:
    """The sum of the forms that the section listed right before it, or 2 or 4 bytes for each element of the last of them."""
    stated = _stated(case)
    forms = [each.form for each in stated]
    table = summands(case.tied(case.knowledge.opened(item.form)))
    if not table or not forms:
        return None
    tables = [summands(case.tied(case.knowledge.opened(form))) or {} for form in forms]
    shown = item.source.strip()
    concludes = CONCLUDES.search(words)
    for start in range(len(forms) - 1) if concludes else ():
        if total(tables[start:]) == table:
            return Pair(
                "holds", "SC101", shown, message=f"the sum of the {len(forms) - start} forms before it"
            )
    last = stated[-1].source
    every = times(tables[-1], ALL_BLOCKS) or {}
    if every == table:
        return Pair("holds", "SC101", shown, message=f"{last}, for all blocks")
    slip = (
        one_slip(table, every)
        if concludes
        and any(name == "L" for monomial in table for name, _ in monomial)
        and OF_ALL.search(words)
        else None
    )
    if slip is not None and not slip.excess:
        return Pair("differs", "SC201", shown, written(every), written(slip.difference),
                    f"{slip.words}, with {last} for each block")  # fmt: skip
    if item.unit is None or "byte" not in item.unit.powers:
        return None
    for size in (2, 4):
        each = scaled(tables[-1], Fraction(size))
        if each == table:
            return Pair("holds", "SC101", shown, message=f"{size} bytes for each of {last}")
        slip = one_slip(table, each)
        if slip is not None and slip.factor and not slip.excess and len(table) > 2:
            return Pair("differs", "SC201", shown, written(each), written(slip.difference),
                        f"{slip.words}, with {size} bytes for each of {last}")  # fmt: skip
    return None
