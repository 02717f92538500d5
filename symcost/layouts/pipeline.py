"""Pipelines: how many micro-batches a stage holds at a time, and how long it waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, Integer

from symcost.symbols import SYMBOLS, accumulation
from symcost.tables import by_name

pp, chunks = SYMBOLS["pp"], SYMBOLS["chunks"]
ONE = Integer(1)


@dataclass(frozen=True)
class Schedule:
    """The order in which a stage works on its micro-batches; m of them make a step (`accumulation`).

    `holds` is how many micro-batches' activations stage 0 keeps at most, in units of all its blocks, and
    `fewer` how many less each later stage keeps; `first` and `last` count those of the embedding and of the
    head. `bubble` is the time that a stage waits over the time that it works. `passes` is how often a
    micro-batch goes through a stage.
    """

    name: str
    holds: Expr
    fewer: Expr
    first: Expr
    last: Expr
    bubble: Expr
    source: str
    passes: Expr = ONE

    def in_flight(self, stage: Expr) -> Expr:
        """How many micro-batches a stage, counted from 0, holds at most."""
        return self.holds - self.fewer * stage


ZERO = Integer(0)
ALONE = Schedule("no pipeline", ONE, ZERO, ONE, ONE, ZERO, "one stage")
GPIPE = Schedule(
    "gpipe", accumulation, ZERO, accumulation, accumulation, (pp - 1) / accumulation,
    "Huang et al. 2019, GPipe, section 2.3; Narayanan et al. 2021, section 2.2",
)  # fmt: skip
ONE_F_ONE_B = Schedule(
    "1f1b", pp, ONE, pp, ONE, (pp - 1) / accumulation,
    "Narayanan et al. 2021, Efficient Large-Scale Language Model Training, section 2.2.1",
)  # fmt: skip
INTERLEAVED = Schedule(
    "interleaved", pp + (pp - 1) / chunks, 2 / chunks, 2 * pp - 1, ONE, (pp - 1) / (accumulation * chunks),
    "Narayanan et al. 2021, section 2.2.2; Korthikanti et al. 2022, section 4.2.3",
    passes=chunks,
)  # fmt: skip

SCHEDULES: Mapping[str, Schedule] = by_name((ALONE, GPIPE, ONE_F_ONE_B, INTERLEAVED))
