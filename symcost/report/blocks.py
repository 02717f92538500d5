"""The document model: a report is a list of sections of typed blocks, and knows nothing of formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias

from sympy import Expr

from symcost.report.breaking import aligned

# Pieces of a line.

Of: TypeAlias = tuple[str | Expr, ...]


class Figure(str):
    """Words with a number that a page works out again: `of` says how it is shown, and of what it is the value.

    >>> Figure("3.977 GiB", "value", "static_memory")
    '3.977 GiB'
    """

    of: Of

    def __new__(cls, words: str, *of: str | Expr) -> Self:
        made = super().__new__(cls, words)
        made.of = of
        return made


@dataclass(frozen=True)
class Math:
    """A formula from symcost's own printer, in LaTeX and in plain signs; `of` is as in a figure."""

    latex: str
    text: str
    of: Of = ()
    kind: str = field(default="math", init=False)


@dataclass(frozen=True)
class Code:
    """A name as a program writes it, or what somebody wrote, sign by sign; `of` is as in a figure."""

    text: str
    of: Of = ()
    kind: str = field(default="code", init=False)


@dataclass(frozen=True)
class Strong:
    """Words that must not be missed; `of` is as in a figure."""

    text: str
    of: Of = ()
    kind: str = field(default="strong", init=False)


@dataclass(frozen=True)
class Break:
    """A new line inside a cell."""

    kind: str = field(default="break", init=False)


Inline: TypeAlias = str | Math | Code | Strong | Break
Line: TypeAlias = tuple[Inline, ...]

# Blocks.


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
    """Columns with headings, one letter of `align` for each: words `l`, figures `r`, what may be long `w`.

    `indent`, where given, says how deep each row's first cell stands in a tree.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    align: str
    indent: tuple[int, ...] = ()
    kind: str = field(default="table", init=False)


@dataclass(frozen=True, repr=False)
class Equation:
    """A name and the forms it equals, one below the other, aligned at the sign; `sign` is the first.

    `of` is the quantity whose result it is, for a page that puts other numbers in.
    """

    name: Math
    forms: tuple[Math, ...]
    sign: Literal["=", "≈"] = "="
    of: str = ""
    kind: str = field(default="equation", init=False)

    def _repr_latex_(self) -> str:
        return shown_in_notebook(self)

    def __str__(self) -> str:
        return in_plain_signs(self)

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class Substitution:
    """A result three times: in letters, with the numbers put in, and as a value with its unit.

    `letters` may be several forms (by names, written out), and so may `numbers`: what follows the first are
    intermediate values, where one line would be too long to follow. `of` is as in an equation.
    """

    name: Math
    letters: tuple[Math, ...]
    numbers: tuple[Math, ...]
    value: Math
    sign: Literal["=", "≈"] = "="
    of: str = ""
    kind: str = field(default="substitution", init=False)

    @property
    def forms(self) -> tuple[Math, ...]:
        return (*self.letters, *self.numbers, self.value)

    def _repr_latex_(self) -> str:
        return shown_in_notebook(self)

    def __str__(self) -> str:
        return in_plain_signs(self)

    __repr__ = __str__


Block: TypeAlias = Paragraph | Bullets | Warning | Table | Equation | Substitution


def shown_in_notebook(block: Equation | Substitution) -> str:
    """The forms below each other, as a notebook sets them."""
    rows = aligned(block.name.latex, [form.latex for form in block.forms], block.sign, room=96)
    return rf"$\displaystyle\begin{{aligned}}{rows}\end{{aligned}}$"


def in_plain_signs(block: Equation | Substitution) -> str:
    """The same for a screen without formulas."""
    first, *others = (form.text for form in block.forms)
    return "\n".join([f"{block.name.text} {block.sign} {first}", *(f"  = {form}" for form in others)])


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it. `code` is Python that derives the same, a cell each.

    `talk` is the place among a document's talks of the one that it belongs to.
    """

    title: Line
    blocks: tuple[Block, ...]
    level: int = 2
    code: tuple[str, ...] = ()
    talk: int = 0


@dataclass(frozen=True)
class Picture:
    """A plot: what it is called, its title, and what draws it as svg, png or pdf."""

    name: str
    words: str
    drawn: Callable[[str], bytes] = field(repr=False)


@dataclass(frozen=True)
class Document:
    """A whole report. `summary` is what the command line says of it, a line each; `name` names its files.

    `talks` are what a page can derive the report's numbers from again: one, or two side by side. `pictures`
    stand at the end of a text, and on slides of their own.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    summary: tuple[str, ...] = ()
    name: str = "report"
    talks: tuple[Any, ...] = field(default=(), repr=False, compare=False)
    pictures: tuple[Picture, ...] = ()

    @property
    def stands_still(self) -> bool:
        """Whether its numbers are of one device of a layout, which no page derives again."""
        return any(talk.across is not None for talk in self.talks)

    def forms(self) -> Iterator[Expr]:
        """The forms whose values stand in its lines."""
        for block in (block for section in self.sections for block in section.blocks):
            cells = [cell for row in block.rows for cell in row] if isinstance(block, Table) else []
            cells += [block.line] if isinstance(block, Paragraph | Warning) else []
            for piece in (piece for cell in cells for piece in cell):
                yield from (part for part in getattr(piece, "of", ()) if isinstance(part, Expr))


def line(*pieces: Inline) -> Line:
    """A line of words, formulas and names."""
    return pieces


def joined(items: Iterable[Inline | Line], sign: Inline = ", ") -> Line:
    """Items, or runs of them, with a sign between them.

    >>> joined(["b", "c"])
    ('b', ', ', 'c')
    """
    pieces: list[Inline] = []
    for item in items:
        pieces += [sign] if pieces else []
        pieces += item if isinstance(item, tuple) else (item,)
    return tuple(pieces)
