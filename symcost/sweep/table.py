"""A table of swept points: columns of letters, of quantities, of limits; written as CSV or Parquet."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from symcost.errors import UsageError
from symcost.notation.numbers import with_unit
from symcost.terms import plain

CELL = 12  # bytes of a number in a file, about
WHOLE = 2**53  # up to here every whole number is a float64 of its own


@dataclass(frozen=True)
class Table:
    """Columns of equal length by name: NumPy arrays in float64, or of Python's own numbers and None."""

    columns: Mapping[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Row after row in Python's own numbers: whole numbers as int, what is not possible as None."""
        return zip(*(_as_python(column) for column in self.columns.values()), strict=True)


def _as_python(column: Any) -> list[Any]:
    import numpy

    if column.dtype == object:
        return [
            int(value) if isinstance(value, Fraction) and value.denominator == 1 else value
            for value in column
        ]
    if (
        numpy.all(numpy.isfinite(column))
        and numpy.all(column == numpy.floor(column))
        and numpy.all(abs(column) < WHOLE)
    ):
        whole: list[Any] = column.astype(numpy.int64).tolist()
        return whole
    return [_number(value) for value in column.tolist()]


def _number(value: float) -> int | float | None:
    if value != value:
        return None
    return int(value) if abs(value) < WHOLE and value == int(value) else value


class Writer(Protocol):
    """What takes tables one after the other and makes one file of them."""

    def write(self, table: Table) -> None:
        """Adds the rows of a table."""

    def close(self) -> None:
        """Ends the file."""


class _Csv:
    """Comma-separated text, numbers in full: fractions as p/q, floats with all their digits."""

    def __init__(self, path: Path) -> None:
        import csv

        self.file = path.open("w", newline="", encoding="utf-8")
        self.rows = csv.writer(self.file, lineterminator="\n")
        self.begun = False

    def write(self, table: Table) -> None:
        if not self.begun:
            self.rows.writerow(table.columns)
            self.begun = True
        for row in table.rows():
            self.rows.writerow([plain(each) if isinstance(each, Fraction) else each for each in row])

    def close(self) -> None:
        self.file.close()


class _Parquet:
    """Columns of 64-bit integers where all numbers are whole and small enough, else of float64."""

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow.parquet  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            raise UsageError(
                f"{path}: expected pyarrow to write Parquet, found none. Install it, or write "
                f"{path.stem}.csv."
            ) from None
        self.pyarrow, self.path = pyarrow, path
        self.file: Any = None

    def write(self, table: Table) -> None:
        columns = {name: [None if each is None else float(each) for each in _as_python(column)]
                   for name, column in table.columns.items()}  # fmt: skip
        made = self.pyarrow.table(
            {name: self.pyarrow.array(values, "double") for name, values in columns.items()}
        )
        if self.file is None:
            self.file = self.pyarrow.parquet.ParquetWriter(self.path, made.schema)
        self.file.write_table(made)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


WRITERS: Mapping[str, type[_Csv] | type[_Parquet]] = {".csv": _Csv, ".parquet": _Parquet}


def check_room(rows: int, columns: int, path: str | Path) -> None:
    """Raises UsageError where a file of so many rows would not find room beside what is on the disk."""
    needed = rows * columns * CELL
    there = shutil.disk_usage(Path(path).resolve().parent).free
    if needed > there:
        raise UsageError(
            f"--output: {rows:,} rows of {columns} columns take about {with_unit(needed, 'bytes')}, expected at "
            f"most the {with_unit(there, 'bytes')} that are free. Take larger steps."
        )


def write(tables: Iterable[Table], path: str | Path) -> int:
    """One file of all tables, CSV or Parquet by its suffix; how many rows it has.

    A file that could not be ended is removed. Raises UsageError for another suffix, and for Parquet
    without pyarrow.
    """
    place = Path(path)
    if place.suffix not in WRITERS:
        raise UsageError(f"--output: expected a file that ends in {' or '.join(WRITERS)}, found '{path}'.")
    writer: Writer = WRITERS[place.suffix](place)
    written = 0
    try:
        for table in tables:
            writer.write(table)
            written += len(table)
    except BaseException:
        writer.close()
        place.unlink(missing_ok=True)
        raise
    writer.close()
    return written
