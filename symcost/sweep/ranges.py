"""The values that a letter goes through: from, to and a step, by a factor, or a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any

from symcost.errors import SymcostError, UsageError
from symcost.notation.reading import read_assignment
from symcost.symbols import GLOSSARY, letter
from symcost.terms import Number, counted

MOST = 10**9  # values of one letter


@dataclass(frozen=True)
class Range:
    """What one letter goes through: `start + i·step` for i below `many`, or `start · step^i` where `times`.

    `listed` are values in no such order.
    """

    letter: str
    start: Number
    step: Number = 1
    many: int = 1
    times: bool = False
    listed: tuple[Number, ...] = ()

    def __len__(self) -> int:
        return self.many

    def __getitem__(self, i: int) -> Number:
        if self.listed:
            return self.listed[i]
        return _whole(self.start * self.step**i if self.times else self.start + self.step * i)

    @cached_property
    def exact(self) -> tuple[Number, ...]:
        """Every value as an exact number."""
        return tuple(self[i] for i in range(self.many))

    @cached_property
    def floats(self) -> Any:
        """Every value in float64."""
        import numpy

        if self.listed or self.times:
            return numpy.array([float(value) for value in self.exact])
        below = lcm(self.start.denominator, self.step.denominator)
        first, step = float(self.start * below), float(self.step * below)
        return (first + step * numpy.arange(self.many, dtype=numpy.float64)) / below

    def part(self, first: int, end: int) -> Range:
        """The values from the first up to the end."""
        if self.listed:
            return of_values(self.letter, self.listed[first:end])
        return Range(self.letter, self[first], self.step, min(end, self.many) - first, self.times)


def _whole(value: Number) -> Number:
    return int(value) if value == int(value) else value


def of_values(name: str, values: Iterable[Any]) -> Range:
    """The range of some values in the order given, each such as the letter can have."""
    exact = tuple(counted(name, value) for value in values)
    if not exact:
        raise UsageError(f"{name}: expected at least one value to sweep, found none.")
    return Range(name, exact[0], many=len(exact), listed=exact)


def read_range(text: str) -> Range:
    """A range as on the command line: `c=1024:131072:x2`, `b=1:64:4`, `b=1:64`, `MFU=0.3:0.6:0.1`, `b=1,2,5`.

    Both ends are met where the step leads to them. Raises UsageError for a range that is empty, falls, or has
    values that the letter cannot have.

    >>> read_range("c=1024:16384:x2").exact
    (1024, 2048, 4096, 8192, 16384)
    >>> len(read_range("b=1:64"))
    64
    """
    name, equals, body = (part.strip() for part in text.partition("="))
    letter(name, "--sweep")
    parts = [part.strip() for part in body.split(":")]
    if not equals or not body or len(parts) > 3 or not all(parts):
        raise UsageError(f"--sweep: expected letter=from:to:step, as in c=1024:131072:x2, found '{text}'.")
    if len(parts) == 1:
        return of_values(name, (_number(name, value, text) for value in body.split(",")))
    times = len(parts) == 3 and parts[2][0] in "x*×"
    start, stop = (_number(name, part, text) for part in parts[:2])
    step = _number("", parts[2].lstrip("x*×"), text) if len(parts) == 3 else 1
    many = _many(start, stop, step, times, text)
    found = Range(name, counted(name, start), step, many, times)
    if GLOSSARY[name].whole and _whole(step) != int(step):
        raise UsageError(
            f"--sweep: expected whole numbers ({GLOSSARY[name].meaning}), found a step of {step} in '{text}'."
        )
    counted(name, found[many - 1])
    return found


def _number(name: str, text: str, whole: str) -> Number:
    """`4096`, `2**20`, `24GiB`: a number as in --given; a step may be written like any."""
    try:
        value = read_assignment(f"{name or 'limit'}={text.strip()}")[1]
    except SymcostError as error:
        raise UsageError(f"--sweep: '{whole}': {error}") from None
    if not isinstance(value, int | Fraction):
        raise UsageError(f"--sweep: expected numbers, found the form '{text.strip()}' in '{whole}'.")
    return value


def _many(start: Number, stop: Number, step: Number, times: bool, text: str) -> int:
    if stop < start:
        raise UsageError(
            f"--sweep: expected a rising range, found '{text}', which falls. Write the smaller number first."
        )
    if step <= (1 if times else 0):
        found = f"a factor of {step}" if times else f"a step of {step}"
        raise UsageError(f"--sweep: expected a rising range, found {found} in '{text}'. Take a larger one.")
    if not times:
        many = int((stop - start) // step) + 1
    else:
        many, value = 1, start
        while value * step <= stop:
            many, value = many + 1, value * step
    if many > MOST:
        raise UsageError(
            f"--sweep: expected at most {MOST:,} values, found {many:,} in '{text}'. Take larger steps."
        )
    return many


def ranges_of(given: Mapping[str, Any]) -> list[Range]:
    """Ranges by letter: as text after the equals sign, as a Range, or as the values themselves."""
    found = []
    for name, values in given.items():
        letter(name, "sweep")
        if isinstance(values, Range):
            found.append(values)
        else:
            found.append(
                read_range(f"{name}={values}") if isinstance(values, str) else of_values(name, values)
            )
    return found
