"""Substitution: a form with something put in for a letter of it, `8BTD + 4BTF`, which at `F = 4D` is `24BTD`."""

from __future__ import annotations

import re

from symcost.check.case import Case, Given
from symcost.check.findings import Pair
from symcost.check.polynomials import summands
from symcost.check.slips import one_slip, written
from symcost.check.statements import Statement
from symcost.check.wordings import Wording

_PUTS_IN = Wording(r"\b(?:at|with|for|if|when|setting|putting in)[\s$`]*\Z", re.IGNORECASE)
_COMES_TO = re.compile(
    r"[\s$`]*,?[\s]*(?:(?:it|this|that|which) )?(?:is|becomes|gives|makes|comes to|equals)[\s$`]*\Z",
    re.IGNORECASE,
)


def substituted(case: Case, statement: Statement) -> Pair | None:
    """What the form before comes to with what the words between put in for one of its letters; or a slip from that."""
    [*others, item] = statement.items
    if others or not item.form.free_symbols or len(case.given) < 2:
        return None
    whole, put_in = case.given[-2:]
    if not _is_put_in(whole, put_in, statement):
        return None
    letter, value = (each.form for each in put_in.statement.items)
    form = whole.statement.items[-1].form
    here, right = (summands(case.tied(each)) for each in (item.form, form.xreplace({letter: value})))
    if not here or not right or letter not in form.free_symbols or letter in item.form.free_symbols:
        return None
    shown, words = (
        item.source.strip(),
        f"{whole.statement.items[-1].source.strip()} at {put_in.statement.span.text}",
    )
    if here == right:
        return Pair("holds", "SC101", shown, written(right), message=words)
    slip = one_slip(here, right, sure=True)
    if slip is None or whole.wrong:
        return None
    return Pair(
        "differs",
        "SC201",
        shown,
        written(right),
        written(slip.difference),
        f"{slip.words}; {words} is {written(right)}",
    )


def _is_put_in(whole: Given, put_in: Given, statement: Statement) -> bool:
    """Whether three formulas of one sentence stand as "form, which at letter = value is form"."""
    span, between = statement.span, put_in.statement.span
    same = whole.statement.span.block is between.block is span.block
    if not same or not put_in.statement.single or put_in.statement.items[0].name is None:
        return False
    text, start = span.block.text, span.block.start
    ahead = text[whole.statement.span.end - start : between.start - start]
    behind = text[between.end - start : span.start - start]
    return "." not in ahead.strip("$`. ") and bool(_PUTS_IN.search(ahead) and _COMES_TO.fullmatch(behind))
