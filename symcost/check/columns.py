"""Lists of letters: names in a table's rows, or in lines with columns, with the words and the numbers beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from symcost.check.documents import Block, Document
from symcost.check.legend import given_name, listed
from symcost.check.meanings import FIND_PHRASE, meaning_of
from symcost.notation.vocabulary import GREEK, is_word

# In a cell that explains no letter.
_FORMULA = re.compile(r"\A\W*[\\=*^·]|\A[^(;,]*(?:[\\=*^·]|\$[^$]*[+\d])")
_AMOUNT = re.compile(
    r"\b(?:elements|bytes|flops?|params|parameters|times|memory|size|[KMGT]i?B)\b", re.IGNORECASE
)
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
_FIGURES = re.compile(rf"{_FIGURE.pattern}(?:,\s+{_FIGURE.pattern})*")
_BEHIND = re.compile(
    rf"(?:[,:;(=]|[–—-] )\s*(?:here |e\.g\. )?(?P<figure>{_FIGURE.pattern})(?![\w.%])(?! ?[×*·/^+])"
)
_MARKS, _MATH = "$`*: ", ("$", "\\(")
_WORD = re.compile(r"[A-Za-z]{2}|[\u4e00-\u9fff]")
_PARTS = re.compile(r"\s*(?:,(?!\})|/|\band\b)\s*")
_GAP = re.compile(r"[ ]{2,}|\t[ \t]*")
_SHORT = re.compile(rf"[A-Za-z]|{'|'.join(sorted(GREEK))}|[A-Za-z]{{1,6}}_\w{{1,20}}")
FEWEST_LINES = 2  # that make a list


class Piece(NamedTuple):
    """A cell, or what stands between two gaps of a line: where, what, and what its column is headed by."""

    start: int
    text: str
    column: str = ""
    header: bool = False


@dataclass(frozen=True)
class Listing:
    """Names in a row, what the words beside say of each ("" for nothing with a letter here), and their numbers.

    Without words there are no meanings; without one number for each name there are no numbers.
    """

    start: int
    names: tuple[str, ...]
    meanings: tuple[str, ...] = ()
    numbers: tuple[Fraction, ...] = ()


def listings(document: Document) -> Iterator[Listing]:
    """The letters that rows, the headings of columns and lines list, in order."""
    for row in document.rows:
        cells = [(block, block.cell) for block in row if block.cell is not None]
        header = not any(cell.column for _, cell in cells)
        pieces = [Piece(block.start, block.text.strip(), cell.column, header) for block, cell in cells]
        yield from _listed_in(pieces)
        headed = [(piece, _names(Piece(0, piece.column, header=True), first=False)) for piece in pieces]
        if all(names and _is_words(piece.text) for piece, names in headed):
            yield from (Listing(piece.start, names, listed(names, piece.text)) for piece, names in headed)
    for block in document.blocks:
        if block.kind in ("paragraph", "item"):
            for line in lines(block):
                yield from _listed_in(line)


def lines(block: Block) -> list[list[Piece]]:
    """The lines of a block that list letters: a name, a gap, and words.

    >>> [[piece.text for piece in line] for line in lines(Block("paragraph", "l    layers, 60\\n d_h  head size", 0))]
    [['l', 'layers, 60'], ['d_h', 'head size']]
    """
    found, at = [], block.start
    for line in block.text.split("\n"):
        start = at + len(line) - len(line.lstrip())
        first, *others = _GAP.split(line.strip(), maxsplit=1)
        if others and _SHORT.fullmatch(first) and _is_words(others[0]):
            gap = line.strip()[len(first) : -len(others[0])]
            found.append([Piece(start, first), Piece(start + len(first) + len(gap), others[0])])
        at += len(line) + 1
    return found if len(found) >= FEWEST_LINES else []


def _listed_in(row: Sequence[Piece]) -> Iterator[Listing]:
    """What one row lists: names, the words behind them, the numbers behind these, and perhaps more names further on."""
    named: list[tuple[int, tuple[str, ...]]] = []
    for at, piece in enumerate(row):
        names = _names(piece, first=at == 0)
        explains = bool(named) and named[-1][0] == at - 1 and not piece.header  # `B` | `batch_size`
        if names and not (explains and _is_words(piece.text)):
            named.append((at, names))
    if any(piece.header for piece in row) and not _alternates(row, [at for at, _ in named]):
        return
    ends = [*(at for at, _ in named), len(row)][1:]
    for (at, names), end in zip(named, ends, strict=True):
        beside = row[at + 1 : end]
        words = next((piece.text.strip(_MARKS) for piece in beside if _is_words(piece.text)), "")
        meanings = listed(names, words) if words else _said_ahead(row, at, names)
        yield Listing(row[at].start, names, meanings, _numbers(names, words, beside))


def _said_ahead(row: Sequence[Piece], at: int, names: Sequence[str]) -> tuple[str, ...]:
    """What the cell before says of names, where it is that of a letter and not what an amount is of."""
    if at == 0 or not _is_words(row[at - 1].text) or _AMOUNT.search(row[at].column):
        return ()
    said = listed(names, row[at - 1].text)
    return said if all(said) else ()


def _alternates(row: Sequence[Piece], named: Sequence[int]) -> bool:
    """Whether a row is nothing but names with words behind each, so that it is no heading of the columns."""
    return [*named] == [*range(0, len(row), 2)] and not any(piece.text[0] in _MARKS for piece in row[1::2])


def _names(piece: Piece, *, first: bool) -> tuple[str, ...]:
    """The names that a cell consists of; in mathematics letters side by side are a product, unless they are a known word,
    and a plain word is a name only where a row starts with it."""
    names = tuple(given_name(part.strip(_MARKS)) for part in _PARTS.split(piece.text))
    words = first and not piece.header
    if piece.text.startswith(_MATH):
        are_names = all(_SHORT.fullmatch(name) or meaning_of(name) or is_word(name) for name in names)
    elif piece.text.startswith("`"):
        are_names = all(names)
    else:
        are_names = all(
            (words or _SHORT.fullmatch(name)) and not FIND_PHRASE.fullmatch(name) for name in names
        )
    return names if all(names) and are_names else ()


def _is_words(text: str) -> bool:
    return (
        not text.startswith(_MATH)
        and not _FIGURE.match(text)
        and bool(_WORD.search(text))
        and not _FORMULA.search(text)
    )


def _numbers(names: Sequence[str], words: str, beside: Sequence[Piece]) -> tuple[Fraction, ...]:
    """One number for each name, from the one cell that has some, or behind the words of one."""
    texts = [
        piece.text.strip(_MARKS).replace("{,}", ",") for piece in beside if not _AMOUNT.search(piece.column)
    ]
    found = [text for text in texts if _FIGURES.fullmatch(text)]
    if not found and len(names) == 1:
        found = [behind["figure"] for behind in [_BEHIND.search(words)] if behind is not None]
    figures = [re.split(r",\s+", text) for text in found]
    if len(figures) != 1 or len(figures[0]) != len(names):
        return ()
    return tuple(Fraction(figure.replace(",", "")) for figure in figures[0])
