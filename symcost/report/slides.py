"""Slides: a document cut into pieces that each fit on one, one idea a slide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from math import ceil

from symcost.report.blocks import (
    Block,
    Break,
    Bullets,
    Code,
    Document,
    Equation,
    Line,
    Math,
    Section,
    Substitution,
    Table,
)
from symcost.report.breaking import aligned, width

ROOM = 15.0  # lines of text that fit under a slide's title
ACROSS = 96  # signs in a line of text
NARROW = 12  # signs of a column that is never broken


@dataclass(frozen=True)
class Slide:
    """A title and the blocks under it."""

    title: Line
    blocks: tuple[Block, ...]

    @property
    def dense(self) -> bool:
        """Whether what cannot be cut is too tall for a slide in the usual size."""
        return sum(map(height, self.blocks)) > ROOM + 1


def slides(document: Document) -> list[Slide]:
    """The sections in order, each on as many slides as it needs."""
    return [slide for section in document.sections for slide in _of(section)]


def _of(section: Section) -> Iterator[Slide]:
    blocks: list[Block] = []
    room = ROOM
    for block in (part for each in section.blocks for part in _parts(each)):
        if blocks and height(block) > room:
            yield Slide(section.title, tuple(blocks))
            blocks, room = [], ROOM
        blocks.append(block)
        room -= height(block)
    yield Slide(section.title, tuple(blocks))


def _parts(block: Block) -> list[Block]:
    """A table or a list that is too tall for a slide, in pieces of about the same height."""
    tall = height(block)
    if tall <= ROOM or not isinstance(block, Table | Bullets):
        return [block]
    if isinstance(block, Table):
        heights = [_row(row, block) for row in block.rows]
    else:
        heights = [_line(item) for item in block.lines]
    limit = min(sum(heights) / ceil(tall / (ROOM - 2)) + max(heights) / 2, ROOM - 1.6)
    cuts, used = [0], 0.0
    for at, size in enumerate(heights):
        if used and used + size > limit:
            cuts.append(at)
            used = 0.0
        used += size
    return [_slice(block, start, end) for start, end in pairwise([*cuts, len(heights)])]


def _slice(block: Table | Bullets, start: int, end: int) -> Block:
    if isinstance(block, Bullets):
        return replace(block, lines=block.lines[start:end])
    return replace(block, rows=block.rows[start:end], indent=block.indent[start:end])


def height(block: Block) -> float:
    """About how many lines of text a block is tall."""
    match block:
        case Table(rows=rows):
            return 1.6 + sum(_row(row, block) for row in rows)
        case Bullets(lines=lines):
            return 0.5 + sum(_line(line) for line in lines)
        case Equation() | Substitution():
            forms = [form.latex for form in block.forms]
            set_as = aligned(block.name.latex, forms, room=90).split("\\\\\n")
            return 0.8 + sum(1.9 if "frac" in row else 1.15 for row in set_as)
    return 0.5 + _line(block.line)


def _line(line: Line) -> float:
    return float(ceil(max(long(line), 1) / ACROSS))


def _row(row: tuple[Line, ...], table: Table) -> float:
    """A row of a table: as tall as its tallest cell."""
    return 0.3 + 0.95 * max(
        (_cell(cell, across) for cell, across in zip(row, _shares(table), strict=True)), default=1
    )


@lru_cache(maxsize=8)
def _shares(table: Table) -> tuple[float, ...]:
    """How many signs a line of each column holds: what it needs, or its share where not all fits."""
    needed = [
        max([len(head), *(long(row[at]) for row in table.rows)]) for at, head in enumerate(table.columns)
    ]
    room = ACROSS - 2 * len(needed)
    if sum(needed) <= room:
        return tuple(float(max(need, 1)) for need in needed)
    narrow = sum(need for need in needed if need <= NARROW)
    wide = sum(need for need in needed if need > NARROW)
    return tuple(
        float(need) if need <= NARROW else max((room - narrow) * need / wide, NARROW) for need in needed
    )


def _cell(cell: Line, across: float) -> int:
    lines, start = 0, 0
    for end in [*(at for at, piece in enumerate(cell) if isinstance(piece, Break)), len(cell)]:
        lines += ceil(max(long(cell[start:end]), 1) / across)
        start = end + 1
    return lines


def long(line: Line) -> int:
    """About how many signs long a line is; where it is broken, its longest part."""
    lengths = [0]
    for piece in line:
        if isinstance(piece, Break):
            lengths.append(0)
        elif isinstance(piece, Math):
            lengths[-1] += width(piece.latex)
        elif isinstance(piece, Code):
            lengths[-1] += len(piece.text) + 1
        else:
            lengths[-1] += len(piece if isinstance(piece, str) else piece.text)
    return max(lengths)
