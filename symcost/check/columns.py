"""Lists of letters: names in a table's rows, or in lines with columns, with the words and the numbers beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from symcost.check.documents import Block, Document
from symcost.check.legend import given_name, listed, meaning
from symcost.check.meanings import is_phrase, meaning_of
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
_LINE = re.compile(
    r"\s*(?P<comment>[#%;/>|*•·-]+\s*)?(?:export )?(?P<name>[A-Za-z]\w{0,19})(?![\w'])"
    r"(?:(?P<number>\s*=\s*[\d_.,e+]+)\s*(?:#|//|;|--)|\s*(?P<sign>[:=–—]|\.{2,}|[-=]{1,2}>|→)\s|\s{2,})\s*(?P<words>.+)"
)  # `d_h   head size`, `# d: width`, `L ... layers`, `BLOCKS=12  # layers`
_SHORT = re.compile(rf"[A-Za-z]|{'|'.join(sorted(GREEK))}|[A-Za-z]{{1,6}}_\w{{1,20}}")
_BETWEEN = re.compile(r",\s+|\s*[/;]\s*")
FEWEST_SIZES = 3  # known by their names, that make a table one of sizes
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

    Without words there are no meanings; without one number for each name there are no numbers. `columns` are the numbers
    of each column that has one for each name, by what heads it.
    """

    start: int
    names: tuple[str, ...]
    meanings: tuple[str, ...] = ()
    numbers: tuple[Fraction, ...] = ()
    columns: tuple[tuple[str, tuple[Fraction, ...]], ...] = ()


def listings(document: Document) -> Iterator[Listing]:
    """The letters that rows, the headings of columns and lines list, in order."""
    rows = [_pieces(row) for row in document.rows]
    known = Counter(
        _table(row) for row, pieces in zip(document.rows, rows, strict=True) if _is_of_size(pieces)
    )
    for row, pieces in zip(document.rows, rows, strict=True):
        yield from _listed_in(pieces, of_sizes=known[_table(row)] >= FEWEST_SIZES)
        headed = [(piece, _names(Piece(0, piece.column, header=True), first=False)) for piece in pieces]
        if all(names and _is_words(piece.text) for piece, names in headed):
            yield from (Listing(piece.start, names, listed(names, piece.text)) for piece, names in headed)
    for block in document.blocks:
        if block.kind in ("paragraph", "item"):
            for line in lines(block):
                yield from _listed_in(line)


def _pieces(row: Sequence[Block]) -> list[Piece]:
    cells = [(block, block.cell) for block in row if block.cell is not None]
    header = not any(cell.column for _, cell in cells)
    return [Piece(block.start, block.text.strip(), cell.column, header) for block, cell in cells]


def _table(row: Sequence[Block]) -> object:
    """What the rows of one table have in common."""
    first = row[0]
    return first.lead, first.headings, first.cell.column if first.cell is not None else ""


def _is_of_size(row: Sequence[Piece]) -> bool:
    """Whether a row gives names of sizes that everybody uses their numbers: `hidden_size` | 4096."""
    names = _names(row[0], first=True) if row else ()
    return bool(names) and all(map(meaning_of, names)) and bool(_by_column(names, row[1:]))


def lines(block: Block) -> list[list[Piece]]:
    """The lines of a block that list letters: a name, a gap, and words.

    >>> [[piece.text for piece in line] for line in lines(Block("paragraph", "l    layers, 60\\n d_h  head size", 0))]
    [['l', 'layers, 60'], ['d_h', 'head size']]
    """
    found, at = [], block.start
    for line in block.text.split("\n"):
        listing = _LINE.fullmatch(line.rstrip())
        if listing is not None and _is_words(listing["words"]) and _lists(listing):
            pieces = [Piece(at + listing.start(group), listing[group]) for group in ("name", "words")]
            found.append(pieces)
        at += len(line) + 1
    return found if len(found) >= FEWEST_LINES else []


def _lists(line: re.Match[str]) -> bool:
    """Whether a line says what its first word stands for: one letter, or a name in a comment or with a number."""
    name, words = line["name"], line["words"]
    if _SHORT.fullmatch(name):
        return line["sign"] is None or bool(line["comment"])
    said = line["comment"] or line["number"] or line["sign"] == "..."
    return bool(said) and not is_phrase(name) and any(listed([name], words))


def _listed_in(row: Sequence[Piece], *, of_sizes: bool = False) -> Iterator[Listing]:
    """What one row lists: names, the words behind them, the numbers behind these, and perhaps more names further on.

    In a table `of_sizes` a name by itself tells what it is: `ffn` is a width there.
    """
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
        columns = _by_column(names, beside)
        if of_sizes and columns and not meanings:
            meanings = tuple(_said_by(name) for name in names)
        yield Listing(row[at].start, names, meanings, _numbers(names, words, beside), columns)


def _said_by(name: str) -> str:
    """What a name says by itself, "" for nothing."""
    return meaning_of(name) or meaning(name.replace("_", " "), behind=True) or "" if len(name) > 1 else ""


def _by_column(names: Sequence[str], beside: Sequence[Piece]) -> tuple[tuple[str, tuple[Fraction, ...]], ...]:
    """The numbers of the columns that have one for each name: 32 / 8 / 128."""
    found = []
    for piece in beside:
        figures = _BETWEEN.split(piece.text.strip(_MARKS).replace("{,}", ","))
        if piece.column and len(figures) == len(names) and all(map(_FIGURE.fullmatch, figures)):
            found.append((piece.column, tuple(Fraction(figure.replace(",", "")) for figure in figures)))
    return tuple(found)


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
        are_names = all((words or _SHORT.fullmatch(name)) and not is_phrase(name) for name in names)
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
