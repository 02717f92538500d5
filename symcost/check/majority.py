"""Columns: what a table's column is, by most of its rows: a form that heads it, forms beside it, so many times another column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import chain, combinations, product
from operator import mul
from typing import NamedTuple

from sympy import Expr, Integer

from symcost.check.case import Case, Guess
from symcost.check.documents import Block, Span
from symcost.check.findings import Pair
from symcost.check.knowledge import SIZES, Knowledge
from symcost.check.numbers import NEAR, compare, number, odds, significant_step
from symcost.check.places import in_force
from symcost.check.statements import Statement, plain_name
from symcost.check.tables import heading_name, heading_unit, table_of, unit_of
from symcost.check.wordings import Wording
from symcost.errors import SymcostError
from symcost.notation.reading import read
from symcost.notation.tokens import PrintedNumber
from symcost.notation.units import Unit

CREDIBLE = Fraction(
    1, 200
)  # the chance that the rows of a column fit one of the ways to come to them by accident
LIKELY = Fraction(1, 10)  # the same where a form stands in the heading or beside the numbers
MOST_ROWS = 40
SMALL = 24  # bytes of a parameter, FLOPs of a parameter and token
_MEASURED = re.compile(
    r"\b(?:measured|observed|profil\w+|actual|achieved|real|reported|nvidia-smi|peak|logged|throughput)\b|/s\b|\bMFU\b",
    re.IGNORECASE,
)
_FORMULA = re.compile(r"\$([^$]+)\$|`([^`]+)`")
_TIMES = ("s", "USD")  # what takes time may well be measured


@dataclass(frozen=True)
class Printed:
    """A cell that is one number."""

    block: Block
    number: PrintedNumber
    unit: Unit | None

    @property
    def value(self) -> Fraction:
        return self.number.value * (self.unit.scale if self.unit is not None else 1)

    def is_about(self, value: Fraction) -> bool:
        return compare(value, self.number, self.unit, False).holds

    @property
    def slack(self) -> Fraction:
        """By which share what is computed with it may be off: half a unit in its last digit; 32k may be 32,768."""
        kibi = self.number.scale == 1000
        return max(
            significant_step(self.number) / abs(self.number.value) / 2,
            Fraction(1, 40) if kibi else Fraction(0),
        )


def column_pair(case: Case, statement: Statement) -> Pair | None:
    """A number in a column that most of its rows tell: what it should be in its own row."""
    span, [*others, item] = statement.span, statement.items
    if span.block.cell is None or others or item.part.printed is None:
        return None
    if span.block.start not in case.of_columns:
        case.of_columns |= _read(case, span)
    guess = case.of_columns[span.block.start]
    if guess is None:
        return None
    cell = Printed(span.block, item.part.printed, unit_of(span.block, item.unit))
    shown = item.source.strip()
    if cell.is_about(guess.value):
        return Pair("holds", "SC101", shown, message=guess.words)
    for when, value in guess.before:
        if cell.is_about(value):
            return Pair("holds", "SC101", shown, message=f"{guess.words} {when}")
    off = abs(guess.value / cell.value - 1)
    if off <= guess.slack + cell.slack or off <= NEAR / 2:
        return None  # it was rounded before
    if _is_another_case(case, guess, cell) or _is_beside_a_slip(case, span):
        return None
    scale = cell.unit.scale if cell.unit is not None else Fraction(1)
    right, difference = (number(each / scale, cell.unit) for each in (guess.value, guess.value - cell.value))
    message = f"the other rows of the column are {guess.words}: here {right}"
    return Pair("differs", "SC203", shown, right, difference, message)


def _is_another_case(case: Case, guess: Guess, cell: Printed) -> bool:
    """Whether a row may be of something else: by twice or more, where no form tells; by a letter or two, where one does."""
    factor = max(guess.value / cell.value, cell.value / guess.value)
    if not guess.by_form:
        return factor >= 2
    letters = {value for values in case.knowledge.numbers.values() for value in values if value > 1}
    letters |= {one * other for one, other in combinations(sorted(letters), 2)}
    return any(abs(letter / factor - 1) <= NEAR for letter in letters)


def _is_beside_a_slip(case: Case, span: Span) -> bool:
    """Whether a form of the same row is wrong itself."""
    return any(own.wrong and own.statement.span.line == span.line for own in case.given)


def _read(case: Case, span: Span) -> dict[int, Guess | None]:
    """What each number of a column should be, by where its cell starts, where the rows leave no doubt."""
    rows = table_of(case.document, span)[:MOST_ROWS]
    at = next((at for row in rows for at, block in enumerate(row) if block is span.block), 0)
    column = [row[at] for row in rows if at < len(row)]
    cells = {place: cell for place, row in enumerate(rows) if at < len(row) and (cell := _printed(row[at]))}
    silent: dict[int, Guess | None] = dict.fromkeys((span.block.start, *(block.start for block in column)))
    heading = span.block.cell.column if span.block.cell else ""
    if len(cells) < 2 or _MEASURED.search(" ".join((heading, *span.block.lead[-1:]))):
        return silent
    most, best = 0, silent
    for tried, way in enumerate(_ways(case, span, rows, at, cells), 1):
        hits = [place for place, guess in way.values.items() if cells[place].is_about(guess.value)]
        told = (odds(cells[place].number) for place in hits if place != way.fitted)
        enough = len(hits) >= max(way.fewest, most + 1) and len(hits) > (len(way.values) - 1) / 2
        if enough and reduce(mul, told, Fraction(tried)) <= (LIKELY if way.fewest == 1 else CREDIBLE):
            most = len(hits)
            best = silent | {cells[place].block.start: guess for place, guess in way.values.items()}
    return best


class Way(NamedTuple):
    """What a column may be: the value of each row, how many must be so, and the row that it was fitted to."""

    values: Mapping[int, Guess]
    fewest: int
    fitted: int | None = None


Rows = Sequence[Sequence[Block]]
Cells = Mapping[int, Printed]


def _ways(case: Case, span: Span, rows: Rows, at: int, cells: Cells) -> Iterator[Way]:
    """What a column may be, the likeliest first."""
    spans = {each.block.start: each for each in case.document.spans if each.block.cell is not None}
    places = {
        place: [*in_force(case, spans[cell.block.start])]
        for place, cell in cells.items()
        if cell.block.start in spans
    }
    for source, form in heading_forms(case, span):
        values = {place: found for place in places if (found := _value(source, form, places[place]))}
        if len({guess.value for guess in values.values()}) > 1:
            yield Way(values, 1)
    for column in reversed(range(at)):
        beside = {place: list(_forms_in(case, rows[place][column].text))[-1:] for place in places}
        values = {place: found for place, forms in beside.items() for source, form in forms
                  if (found := _value(source, form, places[place]))}  # fmt: skip
        if len(values) > 1:
            yield Way(values, 1)
    unit = next((cell.unit for cell in cells.values()), None)
    if unit is not None and unit.powers == {"s": 1}:
        yield from _shared_hours(case, rows, at, cells)
    is_size = heading_name(span.block, case.knowledge) in SIZES
    if not is_size and (unit is None or unit.powers.keys().isdisjoint(_TIMES)):
        yield from _multiples(case, rows, at, cells)


def _value(source: str, form: Expr, places: Sequence[Knowledge]) -> Guess | None:
    """What a form comes to in a row."""
    found = next((value for known in places for value in known.evaluated(form)), None)
    before = tuple(chain.from_iterable(known.evaluated_before(form) for known in places))
    return Guess(found, f"what {source} comes to", before=before) if found else None


def heading_forms(case: Case, span: Span) -> Iterator[tuple[str, Expr]]:
    """The forms that head a column: written there, by a name that has one, or by the name of a row that gives it."""
    heading = span.block.cell.column if span.block.cell is not None else ""
    knowledge = case.knowledge
    yield from _forms_in(case, heading)
    name = heading_name(span.block, knowledge)
    for form in reversed(knowledge.definitions.get(name, ()) if name else ()):
        yield plain_name(name), form
    if name in case.meant:
        yield plain_name(name), case.meant[name].total
    for own in reversed(case.given):
        cell = own.statement.span.block.cell
        if cell is not None and heading and cell.row.strip() == heading.strip() and not own.wrong:
            for item in own.statement.items:
                if item.form.free_symbols and item.name is None:
                    yield item.source.strip(), item.form


def _forms_in(case: Case, text: str) -> Iterator[tuple[str, Expr]]:
    """The forms in a cell or a heading."""
    for found in _FORMULA.finditer(text):
        source, form = (found[1], "latex") if found[1] else (found[2], "code")
        with suppress(SymcostError):
            reading = read(source, form, names=case.knowledge.names())  # type: ignore[arg-type]
            expression = case.knowledge.translated(reading.parts[-1].expr) if reading.parts else Integer(0)
            if expression.free_symbols and not expression.is_Symbol:
                yield source.strip(), expression


def _multiples(case: Case, rows: Rows, at: int, cells: Cells) -> Iterator[Way]:
    """So many times another column, or the product of two: by a small number, a known one, or what one row has."""
    others = {column: {place: cell for place in cells if column < len(rows[place]) and (cell := _printed(rows[place][column]))}
              for column in range(len(rows[0])) if column != at}  # fmt: skip
    known = {value for values in case.knowledge.numbers.values() for value in values if value > SMALL}
    constants = [*map(Fraction, range(1, SMALL + 1)), *sorted(known)]
    for chosen in (*((column,) for column in others), *combinations(others, 2)):
        factors = {place: [others[column][place] for column in chosen] for place in cells
                   if all(place in others[column] for column in chosen)}  # fmt: skip
        base = {place: reduce(mul, (cell.value for cell in each)) for place, each in factors.items()}
        slack = {place: sum((cell.slack for cell in each), Fraction(0)) for place, each in factors.items()}
        if len(base) < 2 or len(set(base.values())) < 2:
            continue
        names = " × ".join(
            head.column.strip() for column in chosen if (head := rows[0][column].cell) is not None
        )
        fitted = [(cells[place].value / value, place) for place, value in base.items()]
        for times, place in (*((constant, None) for constant in constants), *fitted):
            words = f"{number(times, None)} × {names}"
            rounded = slack[place] + cells[place].slack if place is not None else Fraction(0)
            values = {other: Guess(times * value, words, slack[other] + rounded, by_form=False)
                      for other, value in base.items()}  # fmt: skip
            yield Way(values, 2 if place is None else 3, fitted=place)


def _shared_hours(case: Case, rows: Rows, at: int, cells: Cells) -> Iterator[Way]:
    """What a number of GPU-hours that the document speaks of lasts on the devices of each row."""
    counts = [column for column in range(len(rows[0])) if column != at
              and (head := rows[0][column].cell) is not None and _OF_DEVICES.fullmatch(head.column.strip())]  # fmt: skip
    for column, digits in product(counts, dict.fromkeys(_DEVICE_HOURS.findall(case.document.text))):
        devices = {place: cell.value for place in cells
                   if column < len(rows[place]) and (cell := _printed(rows[place][column]))}  # fmt: skip
        seconds = 3600 * Fraction(digits.replace(",", ""))
        words = f"{digits} GPU-hours over the devices of the row"
        yield Way({place: Guess(seconds / many, words) for place, many in devices.items()}, 2)


_OF_DEVICES = re.compile(
    r"(?:number of |#\s?)?(?:GPUs?|TPUs?|devices?|accelerators|chips|cards|[A-Z]\d{2,3}s?)", re.IGNORECASE
)
_DEVICE_HOURS = Wording(
    r"(?<![\w.,])(\d[\d,]*\d(?:\.\d+)?) (?:GPU|TPU|device|chip|accelerator|[A-Z]\d{2,3})[- ]hours\b"
)


def _printed(block: Block) -> Printed | None:
    """A cell as a number, with its unit."""
    with suppress(SymcostError):
        reading = read(re.sub(r"[$`*{}\\]", "", block.text).strip(), "text")
        if len(reading.parts) == 1 and reading.parts[0].printed is not None and not reading.relations:
            part = reading.parts[0]
            if part.printed is not None and part.printed.value and not part.printed.percent:
                return Printed(block, part.printed, unit_of(block, part.unit) or heading_unit(block))
    return None
