"""Tables: what a row says of its letters, and what stands beside a formula."""

from __future__ import annotations

import re
from bisect import bisect_left
from fractions import Fraction

from symcost.check.documents import Block, Document, Span
from symcost.check.knowledge import Knowledge
from symcost.symbols import GLOSSARY

FORMULAS = re.compile(r"formula|arithmetic|calculation|computation|公式", re.IGNORECASE)
VALUES = re.compile(r"\b(?:values?|numbers?|results?|total|equals)\b|数值", re.IGNORECASE)
_NAMED = re.compile(r"(?:[a-z-]+ )*\\?([A-Za-z]\w*)(?: \w+)?")  # $S$, context S
_EQUATION = re.compile(r"([A-Za-z]\w*) ?= ?(\d[\d,]*)(?![.\w])")
_SIZE = re.compile(r"(?<![\w.,])(\d+(?:\.\d+)?)B\b(?! ?/)")  # of a model: 7.5B
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


def row_values(document: Document, span: Span, knowledge: Knowledge) -> dict[str, Fraction]:
    """The numbers that a row gives letters, where the columns are headed by letters: `| $L$ | $h$ |` … `| 32 | 8 |`."""
    found = {}
    for block in row_of(document, span):
        heading, text = _bare(block.cell.column if block.cell else ""), _bare(block.text)
        name = _NAMED.fullmatch(heading)
        letter = knowledge.letter(name[1]) if name else ""
        if letter in GLOSSARY and FIGURE.fullmatch(text):
            found[letter] = Fraction(text.replace(",", ""))
    heading = _bare(span.block.cell.column if span.block.cell else "")
    for name, number in _EQUATION.findall(heading):
        letter = knowledge.letter(name)
        if letter in GLOSSARY:
            found[letter] = Fraction(number.replace(",", ""))
    size = _SIZE.search(heading)
    if size is not None:
        found.setdefault("N", Fraction(size[1]) * 10**9)
    return found


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
