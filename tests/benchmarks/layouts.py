"""How quick layouts are, with their aims. Run `python tests/benchmarks/layouts.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy

import symcost
from symcost.layouts import COMPOSED, LAYOUTS
from symcost.tables.gpus import gpu
from symcost.training.ranking import _derived, _measured

POINTS = 10**6
ASKED = ("parameters", "static_memory", "peak_memory", "step_flops", "message_bytes")


def best(rounds: int, work: Callable[[], object]) -> float:
    """The quickest of some rounds, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def one(name: str) -> None:
    costs = symcost.derive("gpt", under="megatron-2022", layout=name)
    for quantity in ASKED:
        assert costs[quantity].terms


def many() -> None:
    costs = _derived("llama-2-70b", "4d", "textbook+flash", {"c": 8192}, "mixed-16")
    draw = numpy.random.default_rng(0)
    most = {"tp": 4, "pp": 4, "cp": 3, "ep": 1, "dp": 8, "b": 4, "accumulation": 6}
    points = {name: 2 ** draw.integers(0, top, POINTS) for name, top in most.items()}
    numpy.argsort(_measured(costs, gpu("h100-sxm"), points, {})["serial"])


if __name__ == "__main__":
    one("megatron-tp")
    for name in (*LAYOUTS, *COMPOSED):
        if LAYOUTS.get(name) is None or LAYOUTS[name].mesh:
            print(f"{name:16} {1000 * best(3, partial(one, name)):6.1f} ms, five quantities (aim: 50 ms)")
    print(f"{POINTS:,} points ranked in {best(1, many):.2f} s (aim: 5 s)")
