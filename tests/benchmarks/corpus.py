"""Documents a second: `python tests/benchmarks/corpus.py` checks a thousand synthetic ones, with one job and two."""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from symcost.check.working import Options, Task, check_all

FORMS = (
    "The saved activations of one block are ${}bcd+bhc^2$ elements.", "A block has ${}d^2$ parameters.",
    "The forward FLOPs of attention are ${}bcd^2+4bc^2d$.", "Then ${0} \\times 24 = {1}$.", "With $d = {}$ and $c = 256$.",
    "The head takes `{}*b*c*d_model*vocab_size` FLOPs.", "It is about {} GB.", "| ${}N$ | bytes |",
)  # fmt: skip
LEGEND = "Let $b$=`batch_size`, $c$=`seq_len`, $d$=`d_model`, $h$=`num_heads`, $v$=`vocab_size`.\n\n"


def document(chance: random.Random, sentences: int = 24) -> str:
    """Prose with a formula in each sentence, some right and some not."""
    rows = []
    for _ in range(sentences):
        number = chance.choice((2, 4, 8, 12, 16, 20, 32))
        rows.append(chance.choice(FORMS).format(number, 24 * number + chance.choice((0, 0, 0, 2))))
        rows.append("Words between the formulas, of which a document has many, say what they are for. " * 3)
    return LEGEND + "\n\n".join(rows) + "\n"


def peak_mib(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def main(many: int) -> None:
    chance = random.Random(4)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number in range(many):
            path = Path(folder) / f"{number:04}.md"
            path.write_text(document(chance), encoding="utf-8")
            paths.append(str(path))
        tasks = [Task(path) for path in paths]
        answers = {}
        for jobs in (1, 2):
            start = time.perf_counter()
            answers[jobs] = [each.findings.to_dict() for each in check_all(tasks, Options(), jobs=jobs)]
            seconds = time.perf_counter() - start
            print(f"--jobs {jobs}: {many} documents in {seconds:.1f} s, {many / seconds:.0f} a second")
        formulas = sum(len(each["findings"]) for each in answers[1])
        print(
            f"{formulas} formulas; the same answers with both: {answers[1] == answers[2]}; CPUs: {os.cpu_count()}"
        )
        print(f"peak memory of a worker: {peak_mib(resource.RUSAGE_CHILDREN):.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
