"""Wordings: patterns for what people write, compiled and tried only where a text has letters that they need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from sys import maxsize
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_PIECE = re.compile(
    r"(?P<letters>[^\W_][\w '/,:;=-]*)(?:[*?]|\{0?,\d*\})?|\((?:(?:\?(?:[aimsx]*:|P<\w+>|>))?(?!\?)|(?P<aside>\?))|\|"
    r"|\)(?:(?P<perhaps>[*?]|\{0?,\d*\}))?|(?:\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|\{\d*,?\d*\}|[^\w()|\\\[{]|[{_])+",
    re.DOTALL,
)  # of an expression; `aside` opens what is looked at but not matched


class Wording:
    """A regular expression over words, with the methods of `re.Pattern` that are used here.

    Most wordings of a table are in no sentence of a document. So the texts of which every match has one are read off
    the expression, which is compiled when a text with one of them comes.

    >>> wording = Wording(r"\\bt(?:ied|ying)\\b|\\bshared? (?:weights?|tables?)\\b")
    >>> wording.needs, wording.search("The tables are tied.")
    (('ied', 'ying', 'share'), <re.Match object; span=(15, 19), match='tied'>)
    """

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.pattern, self.flags = pattern, flags

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """Texts in small letters of which every match contains one; none where nothing can be told."""
        return () if self.flags & re.VERBOSE else tuple(dict.fromkeys(_needs(self.pattern)))

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, self.flags)

    def may_be_in(self, text: str) -> bool:
        """Whether a text has what every match needs."""
        return not self.needs or any(map(text.lower().__contains__, self.needs))

    def search(self, text: str, start: int = 0, end: int = maxsize) -> re.Match[str] | None:
        return self.compiled.search(text, start, end) if self.may_be_in(text) else None

    def findall(self, text: str, start: int = 0, end: int = maxsize) -> list[Any]:
        return self.compiled.findall(text, start, end) if self.may_be_in(text) else []

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self.compiled.finditer(text) if self.may_be_in(text) else iter(())

    def sub(self, by: str | Callable[[re.Match[str]], str], text: str, count: int = 0) -> str:
        return self.compiled.sub(by, text, count) if self.may_be_in(text) else text

    def match(self, text: str, start: int = 0, end: int = maxsize) -> re.Match[str] | None:
        return self.compiled.match(text, start, end)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        return self.compiled.fullmatch(text)

    def split(self, text: str) -> list[Any]:
        return self.compiled.split(text)


class Wordings(Generic[T]):
    """A table of wordings and what each means, in the order in which they are tried."""

    def __init__(self, rows: Iterable[tuple[Wording, T]]) -> None:
        self.rows = tuple(rows)

    @cached_property
    def _rows_of(self) -> Mapping[str, tuple[int, ...]]:
        """The rows that each text is needed by; those that need none under the empty one, which is in every text."""
        found: dict[str, tuple[int, ...]] = {}
        for row, (wording, _) in enumerate(self.rows):
            for need in wording.needs or ("",):
                found[need] = (*found.get(need, ()), row)
        return found

    def in_(self, text: str) -> list[tuple[Wording, T]]:
        """The rows that may be in a text.

        >>> table = Wordings([(Wording("heads?"), "h"), (Wording("layers?|blocks?"), "L")])
        >>> [meaning for _, meaning in table.in_("Two blocks.")]
        ['L']
        """
        text = text.lower()
        found = {row for need, rows in self._rows_of.items() if need in text for row in rows}
        return [self.rows[row] for row in sorted(found)]


def words(*patterns: str) -> Wording:
    """What any of some patterns matches, in capitals or not."""
    return Wording("|".join(patterns), re.IGNORECASE)


def _needs(pattern: str) -> tuple[str, ...]:
    """The texts of which whatever an expression matches has one, in small letters, or none where it may have none."""
    around: list[tuple[list[tuple[str, ...]], tuple[str, ...], bool]] = []
    every: list[tuple[str, ...]] = []  # of the alternatives before, up to the bracket that opens them
    best: tuple[str, ...] = ()  # of this one
    for piece in _PIECE.finditer(f"{pattern})"):
        found: tuple[str, ...] = ()
        match piece[0][0]:
            case "(":
                around.append((every, best, piece["aside"] is not None))
                every, best = [], ()
            case "|":
                every.append(best)
                best = ()
            case ")":
                every.append(best)
                inside = tuple(text for texts in every for text in texts) if all(map(_worth, every)) else ()
                if not around:
                    return inside
                every, best, aside = around.pop()
                found = () if aside or piece["perhaps"] else inside
            case _ if piece["letters"]:
                found = (piece["letters"] if piece["letters"] == piece[0] else piece["letters"][:-1],)
        if found and _worth(found) > _worth(best):
            best = tuple(text.lower() for text in found)
    return ()


def _worth(texts: tuple[str, ...]) -> int:
    """How much it tells that one of some texts is there: the letters of the shortest."""
    return min(map(len, texts), default=0)
