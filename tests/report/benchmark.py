"""How long reports take, in milliseconds: `python -m tests.report.benchmark`. No test asserts them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from statistics import median
from time import perf_counter


def timed(work: Callable[[], object], times: int = 5) -> float:
    """The median of a few runs, in milliseconds."""
    taken = []
    for _ in range(times):
        start = perf_counter()
        work()
        taken.append(1000 * (perf_counter() - start))
    return median(taken)


def python(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def main() -> None:
    from symcost.report import FORMATS, document, report, write

    every = [name for name in FORMATS if name != "pdf"]
    rows = {
        "Markdown report, in this process (aim: under 500)": timed(lambda: report("cs190c")),
        "all formats but PDF, in this process (aim: under 4000)": timed(
            lambda: [write(document("cs190c"), name) for name in every]
        ),
    }
    sympy = timed(python("-c", "import sympy"))
    with tempfile.TemporaryDirectory() as output:
        command = timed(python("-m", "symcost", "report", "cs190c", "--output", output))
    rows |= {"import sympy, a process": sympy, "symcost report cs190c, a process": command}
    for what, taken in rows.items():
        print(f"{what:60} {taken:8.0f}")
    print(f"{'the command against import sympy (aim: at most 2.5)':60} {command / sympy:8.2f}")


if __name__ == "__main__":
    main()
