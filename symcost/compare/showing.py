"""A comparison as rows of text or Markdown: each part in letters, the difference, per cent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from sympy import Expr

from symcost.compare.comparison import Comparison, Row, value_of
from symcost.compare.saying import sentence, why
from symcost.compare.sides import Side
from symcost.notation import latex, text
from symcost.notation.numbers import rounded, significant, with_unit
from symcost.symbols import Notation
from symcost.tables.tools import BATCH_FLOPS

MOST_ROWS = 12  # of a longer table only those that differ
MOST_SIGNS = 90  # of a form that is worth reading


def heading(found: Comparison) -> str:
    """What is compared: `6ND and megatron-lm on llama-2-7b: FLOPs of one batch`."""
    what = "forward, backward and recomputed FLOPs of one batch of b·c tokens"
    quantity = what if found.quantity == BATCH_FLOPS else found.quantity.replace("_", " ")
    of = f" on {found.model}" if found.model else ""
    unit = f" ({found.unit})" if found.unit and found.unit not in quantity else ""
    return f"{found.first.name} and {found.second.name}{of}" + (f": {quantity}{unit}" if quantity else "")


def cells(found: Comparison, notation: Notation) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The columns, and a row for each part; equal parts of a long table are left out."""
    short = found.differing if len(found.rows) > MOST_ROWS else found.rows
    names = found.first.name, found.second.name
    columns = ("part", *names, "difference", "", "why")
    rows = [_row(row, found, notation) for row in short]
    return columns, [*rows, _total(found, notation)]


def _row(row: Row, found: Comparison, notation: Notation) -> tuple[str, ...]:
    differs = row in found.differing
    share = found.share(row.difference) if differs else None
    forms = (
        text(form, notation) + ("" if found.of_one_model else _of_its_own(form, side))
        for form, side in ((row.first, found.first), (row.second, found.second))
    )
    return (
        row.name, *forms,
        text(row.difference, notation) if differs else "0", _percent(share) if share else "",
        why(row, found) if differs else "",
    )  # fmt: skip


def _of_its_own(form: Expr, side: Side) -> str:
    """What a form comes to at a side's own numbers, where the other side has others."""
    value = value_of(form, side.numbers)
    return f" = {significant(value, 5)}" if value else ""


def _total(found: Comparison, notation: Notation) -> tuple[str, ...]:
    share = f"{_percent(found.relative)} of {found.second.name}" if found.relative is not None else ""
    sides = zip(found.values, (found.first, found.second), strict=True)
    both = (
        with_unit(value, found.unit) if value is not None else text(side.total, notation)
        for value, side in sides
    )
    return ("total", *both, text(found.difference, notation) if found.of_one_model else "", share, "")


def _percent(share: Fraction) -> str:
    """Of a share at least two digits, so that a small one is not shown as none."""
    percent = 100 * share
    number = rounded(percent, 1) if abs(percent) >= 1 else significant(percent, 2)
    return f"{number.replace('-', '−')} %"


def rows(found: Comparison, notation: Notation) -> Iterator[str]:
    """The comparison for a terminal: heading, sentence, table, crossings, what was supposed."""
    yield heading(found)
    yield sentence(found)
    if not found.differing:
        return
    yield ""
    yield from _table(*cells(found, notation))
    left_out = len(found.rows) - len(found.differing) if len(found.rows) > MOST_ROWS else 0
    if left_out:
        yield f"  {left_out} more parts are equal."
    yield ""
    yield from _crossings(found, notation)
    yield from (f"Supposed: {remark}." for remark in found.remarks)
    if found.first.about == found.second.about and found.first.about:
        yield f"{found.first.name} and {found.second.name}: {found.first.about}."
    else:
        yield from (f"{side.name}: {side.about}." for side in (found.first, found.second) if side.about)


def _crossings(found: Comparison, notation: Notation) -> Iterator[str]:
    letters = [each.letter for each in found.crossings]
    for each in found.crossings:
        if each.letter != letters[0] or len(each.text(notation)) > MOST_SIGNS:
            continue
        larger = {True: found.first.name, False: found.second.name, None: ""}[each.before]
        below = f"; below that {larger} is larger" if larger else ""
        yield f"They cross at {each.text(notation)}{below}."


def markdown(found: Comparison, notation: Notation) -> Iterator[str]:
    """The same as Markdown, forms in LaTeX."""
    yield f"**{heading(found)}**. {sentence(found)}\n"
    if not found.differing:
        return
    yield f"| part | {found.first.name} | {found.second.name} | difference | why |"
    yield "| --- | ---: | ---: | ---: | --- |"
    for row in found.differing if len(found.rows) > MOST_ROWS else found.rows:
        forms = (f"${latex(form, notation)}$" for form in (row.first, row.second, row.difference))
        reason = why(row, found).replace("|", "\\|") if row in found.differing else ""
        yield f"| {row.name} | {' | '.join(forms)} | {reason} |"
    forms = (
        f"${latex(form, notation)}$" for form in (found.first.total, found.second.total, found.difference)
    )
    yield f"| total | {' | '.join(forms)} | |\n"
    yield from _crossings(found, notation)
    yield from (f"Supposed: {remark}." for remark in found.remarks)


def _table(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell; the last one runs on."""
    widths = [max(len(cell) for cell in column) for column in zip(columns, *cells, strict=True)]
    widths[-1] = 0
    for row in (columns, *cells):
        yield "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
