"""Feeds the checker documents that nobody writes: `python tests/fuzz.py 1000000` counts what goes wrong.

Each input is a formula, or a document put together from pieces of formulas, markup and rubbish. It goes wrong where
anything but a finding or an error of symcost's own comes out, or where it takes longer than a second.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

from symcost.check.documents import find
from symcost.check.working import Options, Task, check_document
from symcost.errors import SymcostError
from symcost.notation.reading import read_list

PIECES = (
    *"b c d h L v N D + - * / ^ _ = ≈ ≤ ( ) [ ] { } $ $$ ` , ; : . | & # % ~ \\ ' \" < > ! ? 0 1 2 16  \0 \n".split(" "),
    "3.6e25", "1e999",
    " ", "\n", "\n\n", "\t", "\u0301", "\u202e", "²", "½", "×", "·", "−", "∂", "√", "\ufeff", "𝑏", "词",
    "\\frac{", "}{", "\\sqrt{", "\\left(", "\\right)", "\\text{", "\\lfloor", "\\begin{align}", "\\end{align}", "\\\\",
    "\\times", "\\cdot", "\\approx", "\\write18{x}", "\\input{x}", "\\newcommand{\\d}{\\d}", "\\def\\a{\\a\\a}", "\\%",
    "24 GiB", "bytes", "FLOPs", "per token", "the parameters of", "a block", "Let $b$=`batch_size`. ", "is the model width",
    "20bcd+bhc^2", "16d^2", "d_model*d_ff", "n_layer", "10^{10}", "9^9^9", "</script>", "<!-- symcost: ignore -->",
    "| a | b |\n| - | - |\n", "- ", "> ", "# ", "```\n", "---\n", "a: &a [*a]\n", "!!python/object", "[x](y)", "<div>",
)  # fmt: skip
FORMS = ("latex", "code", "text")
SUFFIXES = (".md", ".tex", ".rst", ".txt", ".ipynb", ".py", ".toml")
SLOW = 1.0  # seconds


def inputs(many: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """A way to read and a text: nine formulas for each whole document."""
    chance = random.Random(seed)
    for number in range(many):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 14 if number % 10 else 60)))
        yield (chance.choice(SUFFIXES) if number % 10 == 0 else chance.choice(FORMS)), text


def wrong(how: str, text: str) -> str:
    """What went wrong with one input, or nothing."""
    start = time.process_time()
    try:
        if how in FORMS:
            read_list(text, how)
        elif how in (".md", ".tex", ".txt"):
            find(text, {".md": "markdown", ".tex": "tex", ".txt": "text"}[how])
        if how not in FORMS:
            told = check_document(Task(f"fuzz{how}", text), Options()).error
            if "fault of symcost" in told or "\n" in told:
                return told
    except SymcostError as error:
        if "\n" in str(error):
            return f"an error of several lines: {error!s}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    taken = time.process_time() - start  # of this process alone, so that a busy machine is no alarm
    return f"slow: {taken:.1f} s" if taken > SLOW else ""


def main(many: int, seed: int) -> int:
    counts: Counter[str] = Counter()
    check_document(
        Task("first.md", "Let $d$=`d_model`. A block has $16d^2$ parameters."), Options()
    )  # derives once
    start = time.perf_counter()
    for how, text in inputs(many, seed):
        problem = wrong(how, text)
        if problem:
            counts[problem[:60]] += 1
            if counts[problem[:60]] <= 3:
                print(f"{how} {text!r}: {problem}", flush=True)
    print(
        f"{many:,} inputs from seed {seed} in {time.perf_counter() - start:.0f} s, wrong: {counts.total()}",
        flush=True,
    )
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    )
