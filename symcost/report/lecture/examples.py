"""Numbers that a model's own source puts in, where the reader gives none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from symcost.terms import Number


@dataclass(frozen=True)
class Example:
    """Numbers and a GPU with their source.

    `rounds` says to how many digits the source rounds epochs·D/(n·peak) before it goes on, `printed` what
    time it prints at the end.
    """

    numbers: Mapping[str, Number]
    gpu: str
    source: str
    rounds: int | None = None
    printed: str = ""


EXAMPLES: Mapping[str, Example] = {
    "cs190c": Example(
        {"b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000, "D": 103_000_000, "epochs": 5, "n": 4,
         "MFU": Fraction(1, 2)},
        "rtx-3090",
        "CS190C 2026, lecture 9, parts 3 and 4; h = 16 is added, which the lecture leaves open",
        rounds=4,
        printed="10461.9974 s",
    )
}  # fmt: skip
