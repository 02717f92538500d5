"""How quick the checker is: `python tests/benchmarks/checking.py [DOCUMENT] [ROUNDS]`.

The document is read once, and 1, 10 and 100 times over in one file; the command is run beside `import sympy`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from core import ROOT, each, in_turn, show

from symcost.check import check, check_text
from symcost.check.documents import find, kind_of
from symcost.errors import ReadError
from symcost.notation.reading import read

LECTURE = ROOT / "tests" / "check" / "documents" / "lecture_swiglu.md"


def read_all(formulas: list[tuple[str, str]]) -> None:
    """Every formula that can be read."""
    for text, form in formulas:
        try:
            read(text, form)
        except ReadError:
            continue


def main(document: Path = LECTURE, rounds: int = 5) -> None:
    text = document.read_text(encoding="utf-8")
    formulas = [(span.text, span.form) for span in find(text, kind_of(str(document))).spans]
    took = each(lambda: read_all(formulas), rounds)
    show(f"one of {len(formulas)} formulas read", [1e3 * one / len(formulas) for one in took], "ms", 0.5)

    show(f"{document.name}, in-process, the first time", each(lambda: check(document), 1), "s", 0.7)

    command, yardstick = in_turn(rounds, ("-m", "symcost", "check", str(document)), ("-c", "import sympy"))
    ratios = [ours / sympys for ours, sympys in zip(command, yardstick, strict=True)]
    show("symcost check / python -c 'import sympy'", ratios, "×", 3)

    for copies in (1, 10, 100):
        start = time.perf_counter()
        found = check_text(text * copies, document.name)
        seconds = time.perf_counter() - start
        print(
            f"{copies:4} copies: {len(found):6} findings in {seconds:6.2f} s, {1e3 * seconds / copies:6.1f} ms a copy"
        )

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / document.name
        path.write_text(text * 100, encoding="utf-8")
        [[seconds]] = in_turn(1, ("-m", "symcost", "check", str(path)))
        print(f" 100 copies with the command, limits and all: {seconds:.2f} s")


if __name__ == "__main__":
    main(*(kind(value) for kind, value in zip((Path, int), sys.argv[1:], strict=False)))
