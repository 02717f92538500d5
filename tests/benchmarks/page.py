"""How fast pages and plots are made, and how fast a page computes: python tests/benchmarks/page.py [CHROMIUM].

The last needs Node with puppeteer-core (NODE_PATH). Figures are for reading; no test asserts them.
"""

import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import symcost
from symcost.report import plots

NUMBERS = {"c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000}


def milliseconds(what, times=5):
    took = []
    for _ in range(times):
        start = perf_counter()
        what()
        took.append(1000 * (perf_counter() - start))
    return f"first {took[0]:.0f} ms, median {median(took):.0f} ms"


def moved(chromium, page):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "page.html").write_text(page, encoding="utf-8")
        Path(folder, "plan.json").write_text(json.dumps({"times": True}), encoding="utf-8")
        script = Path(__file__).parents[1] / "report" / "live.js"
        command = ["node", script, chromium, Path(folder, "page.html"), Path(folder, "plan.json")]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["moved"]


if __name__ == "__main__":
    costs = symcost.derive("cs190c")
    limit = symcost.solve(costs["peak_memory"], "b", at_most="24 GiB", given=NUMBERS)
    for model in ("cs190c", "llama-2-7b", "deepseek-v3"):
        size = len(symcost.report(model, to="html").encode())
        print(f"page of {model}: {milliseconds(partial(symcost.report, model, to='html'))}, {size:,} bytes")
    print(f"plot as SVG: {milliseconds(lambda: plots.drawn(plots.memory_against(limit), 'svg'))}")
    print(f"plot as PNG: {milliseconds(lambda: plots.drawn(plots.memory_against(limit), 'png'))}")
    if sys.argv[1:]:
        for model in ("cs190c", "llama-2-7b", "deepseek-v3"):
            taken = moved(sys.argv[1], symcost.report(model, to="html"))
            print(f"a slider's move in the page of {model}, laid out again: median {taken:.1f} ms")
