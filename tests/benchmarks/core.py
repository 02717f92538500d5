"""How quick the core is: ratios and times with their aims. Run `python tests/benchmarks/core.py [ROUNDS]`.

Processes are started in turn, A B A B …, so that a machine that slows down slows both; ratios are taken pair
by pair.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LECTURE = {"b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000}


def seconds(arguments: Sequence[str]) -> float:
    """Wall seconds of one process; our own modules come compiled, as sympy's do. 1 only says that a formula differs."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(ROOT)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], check=False, stdout=subprocess.DEVNULL, env=environment
    )
    took = time.perf_counter() - start
    if done.returncode > 1:
        done.check_returncode()
    return took


def in_turn(rounds: int, *commands: Sequence[str]) -> list[list[float]]:
    """The times of each command, one round after the other; a first round warms the disk and is dropped."""
    times: list[list[float]] = [[] for _ in commands]
    for number in range(rounds + 1):
        for kept, command in zip(times, commands, strict=True):
            took = seconds(command)
            if number:
                kept.append(took)
    return times


def each(call: Callable[[], object], rounds: int, times: int = 1) -> list[float]:
    """Seconds of one call, `rounds` times over."""
    measured = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            call()
        measured.append((time.perf_counter() - start) / times)
    return measured


def show(what: str, values: Sequence[float], unit: str, aim: float) -> None:
    """One row: least, median, aim."""
    middle = statistics.median(values)
    verdict = "met" if middle <= aim else "missed"
    print(f"{what:58} min {min(values):8.2f}  median {middle:8.2f}  aim {aim:6.1f} {unit:3} {verdict}")


def main(rounds: int = 11) -> None:
    derive = ("-m", "symcost", "derive", "cs190c")
    command, yardstick, help_ = in_turn(rounds, derive, ("-c", "import sympy"), ("-m", "symcost", "--help"))
    ratios = [ours / sympys for ours, sympys in zip(command, yardstick, strict=True)]
    show("symcost derive cs190c / python -c 'import sympy'", ratios, "×", 1.3)
    show("symcost --help", [1e3 * value for value in help_], "ms", 100)

    sys.path.insert(0, str(ROOT))
    import symcost

    for name, given in (
        ("cs190c", {}),
        ("llama-2-7b", {}),
        ("llama-2-7b", {"L": 2}),
        ("llama-2-7b", {"L": 126}),
    ):
        blocks = f" with L = {given['L']}" if given else ""

        def whole(name: str = name, given: dict[str, int] = given) -> object:
            return [terms.total for terms in symcost.derive(name, given=given).values()]

        whole()
        show(
            f"derive {name}{blocks}, all quantities, in-process",
            [1e3 * value for value in each(whole, rounds)],
            "ms",
            30,
        )

    memory = symcost.derive("cs190c")["peak_memory"]
    point = each(lambda: memory.at(**LECTURE), rounds, times=1000)
    show("evaluate peak memory at one set of numbers", [1e6 * value for value in point], "µs", 20)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
