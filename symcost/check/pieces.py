"""Pieces: a text put together from several places, which knows where each of its characters stands."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Origin:
    """Where a piece comes from: a file, and the line and column of its first character, from 1.

    A `moved` piece was written for another: all of it stands at that one place.
    """

    file: str
    line: int
    column: int
    moved: bool = False


@dataclass
class Pieces:
    """What a reader reads, with the way back to the files.

    >>> made = Pieces()
    >>> made.add("a = ", Origin("one.tex", 1, 1)); made.add("b", Origin("two.tex", 7, 3))
    >>> made.text, made.place(1, 5)
    ('a = b', ('two.tex', 7, 3))
    """

    parts: list[str] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    length: int = 0
    lines: list[int] = field(default_factory=lambda: [0])

    def add(self, text: str, origin: Origin) -> None:
        """One more piece at the end."""
        if not text:
            return
        self.parts.append(text)
        self.origins.append(origin)
        self.starts.append(self.length)
        at = text.find("\n")
        while at >= 0:
            self.lines.append(self.length + at + 1)
            at = text.find("\n", at + 1)
        self.length += len(text)

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def place(self, line: int, column: int) -> tuple[str, int, int]:
        """File, line and column of a place in the text."""
        offset = self.lines[min(line, len(self.lines)) - 1] + column - 1
        number = max(bisect_right(self.starts, offset) - 1, 0)
        origin = self.origins[number]
        if origin.moved:
            return origin.file, origin.line, origin.column
        start = self.starts[number]
        newlines = bisect_right(self.lines, offset) - bisect_right(self.lines, start)
        if not newlines:
            return origin.file, origin.line, origin.column + offset - start
        return origin.file, origin.line + newlines, column
