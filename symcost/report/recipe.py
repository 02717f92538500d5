"""The Python that derives a report's results again: what a notebook runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from symcost.tables.gpus import Gpu
from symcost.terms import Number

IMPORTS = "import symcost\nfrom symcost.notation import text\nfrom symcost.report import steps"


@dataclass(frozen=True)
class Recipe:
    """How a report was asked for, as Python writes it: the model, the options of `derive`, the numbers."""

    model: Any = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, Number] = field(default_factory=dict)
    notation: str = "lecture"

    def setup(self, gpu: Gpu | None, matmul: str) -> tuple[str, ...]:
        """Imports, the derivation, the numbers."""
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        derive = f"{IMPORTS}\n\ncosts = symcost.derive({self.model!r}{options})"
        numbers = ", ".join(f"{letter!r}: {_written(value)}" for letter, value in self.numbers.items())
        start = "from fractions import Fraction\n\n" if "Fraction(" in numbers else ""
        put = f"{start}numbers = {{{numbers}}}"
        if gpu is not None:
            put += f"\ngpu = symcost.GPUS[{gpu.name!r}]"
            if "peak" not in self.numbers:
                put += f'\nnumbers["peak"] = gpu.peak_for({matmul!r})'
            if gpu.price is not None and "price" not in self.numbers:
                put += '\nnumbers["price"] = gpu.price'
        return derive, put

    def terms(self, quantity: str) -> tuple[str, ...]:
        """A cell that lists the terms of a quantity with their reasons."""
        return (
            f'for term in costs["{quantity}"]:\n'
            '    print(f"{term.place:16} {term.tensor:12} {text(term.total):14} {term.because}")',
        )

    def show(self, *quantities: str) -> tuple[str, ...]:
        """A cell for each quantity: its form, the numbers put in, its value."""
        notation = f", notation={self.notation!r}" if self.notation != "lecture" else ""
        return tuple(f'steps(costs["{quantity}"], numbers{notation})' for quantity in quantities)

    def timed(self, links: Mapping[str, Number]) -> tuple[str, ...]:
        """A cell with the bounds of one step's time, in seconds."""
        rates = ", ".join(f"{axis!r}: {_written(rate)}" for axis, rate in links.items())
        own = f", {{{rates}}}" if links else ""
        return (
            f"time = costs.step_time(gpu{own}, **numbers)\n"
            "float(time.overlapped), float(time.serial), time.binds",
        )

    def limit(self, gpu: Gpu) -> tuple[str, ...]:
        return (
            'limit = symcost.solve(costs["peak_memory"], "b", at_most=gpu.memory, given=numbers)\n'
            "steps(limit)",
            "limit.floor, limit.certificate",
            "for quantity, amount, share in limit.binds():\n"
            '    print(f"{quantity:20} {amount:>16,} bytes {float(share):6.1%}")',
        )


def _written(value: Number) -> str:
    """A number as Python reads it back exactly: a float's digits are read as they stand."""
    if isinstance(value, int):
        return f"{value:_}"
    short = str(float(value))
    return short if Fraction(short) == value else f"Fraction({value.numerator}, {value.denominator})"
