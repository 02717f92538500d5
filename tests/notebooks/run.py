"""Runs the notebooks and puts their outputs in: python tests/notebooks/run.py [NAME…]."""

import sys
from pathlib import Path

from symcost.report import write_file
from symcost.report.notebook import executed

FOLDER = Path(__file__).parents[2] / "notebooks"

if __name__ == "__main__":
    for path in sorted(FOLDER.glob("*.ipynb")):
        if not sys.argv[1:] or any(path.name.startswith(name) for name in sys.argv[1:]):
            write_file(path, executed(path.read_text(encoding="utf-8")))
            print(path.name)
