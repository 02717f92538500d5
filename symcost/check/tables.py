"""Tables: what a row says of its letters, and what stands beside a formula."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

from symcost.check.documents import Block, Document, Span
from symcost.check.knowledge import Knowledge
from symcost.check.wordings import Wording
from symcost.notation.units import SUFFIXES, Unit
from symcost.notation.units import unit as unit_called
from symcost.symbols import GLOSSARY

FORMULAS = Wording(r"formula|arithmetic|calculation|computation|公式", re.IGNORECASE)
VALUES = Wording(r"\b(?:values?|numbers?|results?|total|equals)\b|数值", re.IGNORECASE)
_NAMED = re.compile(r"(?:[a-z-]+ )*\\?([A-Za-z]\w*)(?: \w+| ?\(\w+\))?")  # $S$, context S, C (FLOPs)
_UNIT = re.compile(r"\((?:in )?([^()]+)\)\s*\Z|\A\s*(\S{2,})\s*\Z")
_UNIT_OF_ALL = re.compile(r"\b([kMGT]i?B)\b")  # GB per GPU:
_SCALED = re.compile(r"(\d[\d,]*(?:\.\d+)?) ?([KMBT])?")
_EQUATION = re.compile(r"([A-Za-z]\w*) ?= ?(\d[\d,]*)(?![.\w])")
FURTHEST = 20_000  # characters back to a model that a number may be of
_SIZE = re.compile(r"(?<![\w.,])(\d+(?:\.\d+)?) ?([MBT])\b(?! ?(?:tokens|FLOP|/))")  # of a model
FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")


def row_of(document: Document, span: Span) -> list[Block]:
    """The cells of the row that a formula stands in."""
    if span.block.cell is None:
        return []
    at = bisect_left(document.blocks, span.block.start, key=lambda block: block.start)
    while document.blocks[at] is not span.block:
        at += 1
    line = document.place(span.block.start)[0]
    row = [span.block]
    for step in (-1, 1):
        beside = at + step
        while 0 <= beside < len(document.blocks):
            other = document.blocks[beside]
            if other.cell is None or document.place(other.start)[0] != line:
                break
            row.append(other)
            beside += step
    return sorted(row, key=lambda block: block.start)


def table_of(document: Document, span: Span) -> list[list[Block]]:
    """The rows of the table that a formula stands in."""
    block = span.block
    return [row for row in document.rows if row[0].lead == block.lead and row[0].headings == block.headings
            and any(each.cell and block.cell and each.cell.column == block.cell.column for each in row)]  # fmt: skip


def cell_values(row: Sequence[Block], knowledge: Knowledge) -> dict[str, Fraction]:
    """The numbers that a row gives letters, where the columns are headed by letters: `| $L$ | $h$ |` … `| 32 | 8 |`."""
    found = {}
    for block in row:
        name, figure = heading_name(block, knowledge), _SCALED.fullmatch(_bare(block.text))
        if name in GLOSSARY and figure is not None:
            found[name] = Fraction(figure[1].replace(",", "")) * SUFFIXES.get(figure[2], 1)
    return found


def heading_name(block: Block, knowledge: Knowledge) -> str:
    """The letter or name that heads the column of a cell: `$L$`, `$C$ (FLOPs)`; nothing where other words do."""
    name = _NAMED.fullmatch(_bare(block.cell.column if block.cell else ""))
    return knowledge.letter(name[1]) if name else ""


def heading_unit(block: Block) -> Unit | None:
    """The unit that heads the column of a cell: `PF-days`, `$C$ (FLOPs)`, `tokens/s per GPU`."""
    heading = _bare(block.cell.column if block.cell else "")
    found = _UNIT.search(heading)
    said = unit_called(found[1] or found[2]) if found and len(heading) > 1 else None
    return said or (unit_called(heading) if " " in heading else None)


def unit_of(block: Block, printed: Unit | None) -> Unit | None:
    """The unit of a number: the one printed with it, else that of its column, else of what leads to its table."""
    if printed is not None or block.cell is None:
        return printed
    found = heading_unit(block)
    leads = (_UNIT_OF_ALL.search(lead) for lead in reversed(block.lead))
    return found or next((unit_called(lead[1]) for lead in leads if lead is not None), None)


def row_values(document: Document, span: Span, knowledge: Knowledge) -> dict[str, Fraction]:
    """The numbers that hold for a cell: those of its row, and those in the heading of its column (7.5B, N_d = 64)."""
    found = cell_values(row_of(document, span), knowledge)
    heading = _bare(span.block.cell.column if span.block.cell else "")
    size = _SIZE.search(heading)
    if size is not None:
        found["N"] = Fraction(size[1]) * SUFFIXES[size[2]]
    for name, number in _EQUATION.findall(heading):
        letter = knowledge.letter(name)
        if letter in GLOSSARY:
            found[letter] = Fraction(number.replace(",", ""))
    return found


def model_sizes(document: Document, span: Span) -> list[Fraction]:
    """The sizes that models near a number go by, the nearest first: those of its sentence, then those before it."""
    before = document.text[max(0, span.start - FURTHEST) : span.start]
    found = [
        _SIZE.findall(text)[::-1]
        for text in (span.sentence.text[: span.start - span.sentence.start], span.sentence.text, before)
    ]
    return list(dict.fromkeys(Fraction(size) * SUFFIXES[power] for each in found for size, power in each))


def figure_beside(document: Document, span: Span) -> str | None:
    """The bare number in the next cell of a formula's row, where the headings say that it is its value."""
    row = row_of(document, span)
    following = row[row.index(span.block) + 1 :] if row else []
    if not following:
        return None
    headings = [block.cell.column if block.cell else "" for block in (span.block, following[0])]
    text = _bare(following[0].text)
    said = FORMULAS.search(headings[0]) or VALUES.search(headings[1])
    return text if said and FIGURE.fullmatch(text) else None


def _bare(text: str) -> str:
    return re.sub(r"[$`{}\\]|_(?=\{)", "", text).strip()
