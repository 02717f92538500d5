"""The document model: a report is a list of sections of typed blocks, and knows nothing of formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Math:
    """A formula in LaTeX, from symcost's own printer."""

    latex: str


@dataclass(frozen=True)
class Code:
    """A name as a program writes it."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Words that must not be missed."""

    text: str


Inline: TypeAlias = str | Math | Code | Strong
Line: TypeAlias = tuple[Inline, ...]


@dataclass(frozen=True)
class Paragraph:
    """A sentence or a few."""

    line: Line
    kind: str = field(default="paragraph", init=False)


@dataclass(frozen=True)
class Bullets:
    """A list of short lines."""

    lines: tuple[Line, ...]
    kind: str = field(default="bullets", init=False)


@dataclass(frozen=True)
class Warning:
    """A line that the reader must not miss."""

    line: Line
    kind: str = field(default="warning", init=False)


@dataclass(frozen=True)
class Table:
    """Columns with headings; the first `left` columns are words, the others figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    left: int = 1
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Equation:
    """A name and the forms it equals, one below the other, aligned at the sign."""

    name: str
    forms: tuple[str, ...]
    kind: str = field(default="equation", init=False)


@dataclass(frozen=True)
class Substitution:
    """A result three times: in letters, with the numbers put in, and as a value with its unit.

    `between` are intermediate lines, where a single one would be too long to follow.
    """

    name: str
    letters: str
    numbers: str
    value: str
    between: tuple[str, ...] = ()
    kind: str = field(default="substitution", init=False)

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.letters, self.numbers, *self.between, self.value)


Block: TypeAlias = Paragraph | Bullets | Warning | Table | Equation | Substitution


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 2


@dataclass(frozen=True)
class Document:
    """A whole report. `summary` is what the command line says about it, a line each."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    summary: tuple[str, ...] = ()


def line(*pieces: Inline) -> Line:
    """A line of words, formulas and names."""
    return pieces


def joined(items: Sequence[Inline], sign: str = ", ") -> Line:
    """Items with a sign between them."""
    pieces: list[Inline] = []
    for item in items:
        pieces += [sign, item] if pieces else [item]
    return tuple(pieces)
