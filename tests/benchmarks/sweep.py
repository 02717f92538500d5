"""How quick sweeps are, as ratios with their aims. Run `python tests/benchmarks/sweep.py [ROUNDS]`.

What is compared runs in turn, A B A B …, so that a machine that slows down slows both; ratios are taken pair by
pair.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import symcost
from symcost.sweep import sweep
from symcost.symbols import QUANTITIES
from symcost.terms import compiled

POINTS = 10**7
CONFIGURATIONS = 10**6
LETTERS = ("b", "c", "d", "h", "L", "v")
MOST = (64, 8192, 8192, 64, 96, 128_000)  # of each letter
BYTES = 8 * (len(LETTERS) + 1)  # of each point, its value included
LLAMA = {"b": 1, "c": 4096, "d": 4096, "d_ff": 11008, "h": 32, "h_kv": 32, "L": 32, "v": 32000}
ONE_AT_A_TIME = 245e-6  # seconds: a Python function that computes all memory quantities of one configuration


def by_hand(b: Any, c: Any, d: Any, h: Any, L: Any, v: Any) -> Any:
    """Peak memory of the lecture's model, as one writes it in NumPy."""
    block = 256 * d**2 + 32 * d + 80 * b * c * d + 4 * b * h * c**2
    return L * block + (32 * d * v + 16 * d + 8 * b * c * d + 4 * b * c * v)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def in_turn(rounds: int, *calls: Callable[[], object]) -> list[list[float]]:
    """The seconds of each call, one round after the other; a first round is dropped."""
    times = [[seconds(call) for call in calls] for _ in range(rounds + 1)]
    return [list(column) for column in zip(*times[1:], strict=True)]


def ratios(slow: Sequence[float], quick: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(slow, quick, strict=True)]


def show(what: str, values: Sequence[float], unit: str, aim: float) -> None:
    """One row: median, best, aim."""
    middle = statistics.median(values)
    verdict = "met" if middle >= aim else "missed"
    print(f"{what:58} median {middle:9.2f}  best {max(values):9.2f}  aim {aim:7.2f} {unit:5} {verdict}")


def throughput(rounds: int) -> None:
    """A sweep at 10⁷ points against NumPy by hand, and its bytes a second against those of a copy."""
    random = np.random.default_rng(0)
    columns = [random.integers(1, most, POINTS).astype(np.float64) for most in MOST]
    memory = symcost.derive("cs190c")["peak_memory"].compile(*LETTERS)
    assert np.allclose(
        memory(*(column[:1000] for column in columns)), by_hand(*(column[:1000] for column in columns))
    )
    source = np.ones(POINTS * (len(LETTERS) + 1))
    target = np.empty_like(source)

    def copy() -> None:
        target[:] = source

    hand, ours, copied = in_turn(rounds, lambda: by_hand(*columns), lambda: memory(*columns), copy)
    show("sweep at 10⁷ points, × NumPy by hand", ratios(hand, ours), "×", 2)
    show("the same, × the bandwidth of a memory copy", ratios(copied, ours), "×", 1 / 3)
    bandwidth = POINTS * BYTES / statistics.median(copied) / 1e9
    print(
        f"{'':4}{POINTS / statistics.median(ours) / 1e6:.0f} M points/s of {BYTES} bytes; {bandwidth:.1f} GB copied a second"
    )


def open_grid(rounds: int) -> None:
    """As many points as an open grid, where little is left to compute for each of them."""
    memory = symcost.derive("cs190c", given={"h": 16, "v": 32000})["peak_memory"]
    swept = sweep(memory, b="1:64", c="128:32768:128", d="64:4096:64", L="8:80:8")
    mesh = swept.grid.mesh()
    (ours,) = in_turn(rounds, lambda: swept.function(*mesh))
    print(
        f"open grid of {swept.grid.size:,} points: {swept.grid.size / statistics.median(ours) / 1e6:.0f} M points/s"
    )


def memory_table(rounds: int) -> None:
    """All memory quantities of 10⁶ configurations against one configuration at a time."""
    names = [name for name, quantity in QUANTITIES.items() if quantity.unit == "bytes"]
    costs = symcost.derive("llama")
    letters = sorted({letter for name in names for letter in costs[name].letters})
    random = np.random.default_rng(0)
    columns = [random.integers(1, 64, CONFIGURATIONS).astype(np.float64) for _ in letters]
    function = compiled([costs[name] for name in names], letters)
    (ours,) = in_turn(rounds, lambda: function(*columns))
    each = [took / CONFIGURATIONS for took in ours]
    show(f"{len(names)} memory quantities of 10⁶ configurations, × 245 µs each",
         [ONE_AT_A_TIME / took for took in each], "×", 1000)  # fmt: skip
    exactly = seconds(lambda: [costs[name].at(**LLAMA) for name in names for _ in range(20)]) / 20
    print(
        f"{'':4}{statistics.median(each) * 1e9:.0f} ns a configuration; exactly, one at a time: {exactly * 1e6:.0f} µs"
    )


def main(rounds: int = 5) -> None:
    throughput(rounds)
    open_grid(rounds)
    memory_table(rounds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
