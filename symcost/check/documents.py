"""A document, and every formula found in it with its place and the words around it.

Reading never changes a length: what is no text (a list's bullet, a tag, a comment, emphasis) is blanked out
in place, so a position in what is read is a position in the file. Nothing here knows what a formula means.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Literal

from symcost.errors import UsageError

Kind = Literal["markdown", "tex", "text"]
FrontMatter = dict[str, "str | FrontMatter"]

_SUFFIXES: dict[str, Kind] = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".myst"), "markdown"),
    **dict.fromkeys((".tex", ".ltx", ".latex"), "tex"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a table cell stands: its column's header and the first cell of its row."""

    column: str
    row: str


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list item, table cell, displayed formula or piece of HTML.

    `text` is as long as the block is in the file, from `start` on, with all that is no text blanked out.
    `headings` are those above it. `lead` introduces it: the paragraph before a list, a table or a displayed
    formula, then the list items that it stands in, outermost first.
    """

    kind: Literal["heading", "paragraph", "item", "cell", "math", "html"]
    text: str
    start: int
    headings: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()
    cell: Cell | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence around a span: `text[span.start - start : span.end - start]` is the span itself."""

    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Span:
    """A formula, or code that may be one.

    `start` and `end` are positions in the file (code points, from 0); lines and columns count from 1, at the
    first character inside the delimiters and just after the last. `form` says how it is written: `latex`
    between delimiters, `code` between backticks, `text` in plain prose. `before` and `after` are the words
    between it and its neighbours in the sentence. Each row of an `align` is a span, its number in `row`.
    `arithmetic` is False for code that only names something; `amount_only` marks one number with its unit.
    """

    text: str
    form: Literal["latex", "code", "text"]
    display: bool
    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int
    block: Block
    sentence: Sentence
    before: str
    after: str
    row: int = 0
    arithmetic: bool = True
    amount_only: bool = False


@dataclass(frozen=True, slots=True)
class Stray:
    """Markup that is broken: a `$` without its partner, a line of front matter that cannot be read."""

    start: int
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Directive:
    """A comment `<!-- symcost: … -->` (`% symcost: …` in TeX); `precedes` counts the spans before it."""

    text: str
    start: int
    line: int
    column: int
    precedes: int


@dataclass(frozen=True)
class Document:
    """A text with its blocks and, in order, the formulas found in it."""

    text: str = field(repr=False)
    kind: Kind
    front_matter: FrontMatter | None
    blocks: tuple[Block, ...] = field(repr=False)
    spans: tuple[Span, ...]
    strays: tuple[Stray, ...]
    directives: tuple[Directive, ...]

    @cached_property
    def rows(self) -> list[list[Block]]:
        """The cells of each row of the tables."""
        found: dict[int, list[Block]] = {}
        for block in self.blocks:
            if block.cell is not None:
                found.setdefault(self.place(block.start)[0], []).append(block)
        return list(found.values())

    @cached_property
    def _lines(self) -> list[int]:
        return line_starts(level(self.text))

    def place(self, position: int) -> tuple[int, int]:
        """Line and column, both from 1, of a position in the text."""
        return place(self._lines, position)


def kind_of(path: str) -> Kind:
    """How a file is to be read, by its suffix; what is neither Markdown nor TeX is plain text.

    >>> kind_of("slides/lecture.md"), kind_of("paper.TEX"), kind_of("-")
    ('markdown', 'tex', 'text')
    """
    return _SUFFIXES.get(PurePath(path).suffix.lower(), "text")


def find(text: str, kind: Kind) -> Document:
    """Every formula in `text`, with its exact place and context. Takes any text and never fails on it.

    >>> [span.text for span in find("A block has $16d^2$, or 16 × 768² = 9.4M, of them.", "markdown").spans]
    ['16d^2', '16 × 768² = 9.4M']
    """
    # Each reader stands on the classes above, and only the one that is asked for is loaded.
    if kind == "markdown":
        from symcost.check.markdown import read
    elif kind == "tex":
        from symcost.check.tex import read
    elif kind == "text":
        from symcost.check.plain import read
    else:
        raise UsageError(f"a document is read as markdown, tex or text, not as {kind!r}.")
    return read(text)


def level(text: str) -> str:
    """The same text, equally long, with line ends that are all `\\n` and no NUL."""
    return text.replace("\r\n", " \n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")


def line_starts(text: str) -> list[int]:
    return [0, *(end.end() for end in re.finditer("\n", text))]


def place(lines: list[int], position: int) -> tuple[int, int]:
    """Line and column, both from 1, of a position in a text with these line starts.

    >>> place([0, 4], 5)
    (2, 2)
    """
    line = bisect_right(lines, position)
    return line, position - lines[line - 1] + 1
