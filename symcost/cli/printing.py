"""What a command prints: rows, tables and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import click


def show(rows: Iterable[str]) -> None:
    """Rows to standard output, all of them or, where one of them is an error, none."""
    click.echo("\n".join(rows))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell; the last one runs on."""
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    widths[-1] = 0
    for row in (columns, *rows):
        yield "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def show_json(data: object) -> None:
    import json

    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def plain_or_text(value: Any) -> Any:
    if isinstance(value, int | Fraction):
        return int(value) if value == int(value) else f"{value.numerator}/{value.denominator}"
    return str(value)
