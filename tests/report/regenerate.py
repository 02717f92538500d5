"""Writes the gallery of reports again: runs every command of reports/README.md.

`python -m tests.report.regenerate [--without-running]`; notebooks are run unless told not to.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GALLERY = ROOT / "reports"


def commands() -> list[list[str]]:
    """The arguments of every `symcost report` command in the gallery's README, in order."""
    text = (GALLERY / "README.md").read_text(encoding="utf-8")
    return [shlex.split(command)[1:] for command in re.findall(r"^symcost report .*$", text, re.MULTILINE)]


def folder(command: list[str]) -> str:
    """The folder that a command writes to, below the repository."""
    return command[command.index("--output") + 1]


def run(command: list[str], to: Path, executes: bool = True) -> list[Path]:
    """Runs one command with its files below `to` instead; answers which files there are."""
    from symcost.cli import commands as program

    output = to / folder(command)
    arguments = [each for each in command if executes or each != "--execute"]
    arguments[arguments.index("--output") + 1] = str(output)
    status = program.main(args=arguments, prog_name="symcost", standalone_mode=False)
    assert not status, f"symcost {shlex.join(arguments)} ends with {status}"
    return sorted(output.iterdir())


def models() -> str:
    """The table of published models: derived beside measured."""
    from symcost.report.models import models_table

    facts = json.loads((ROOT / "tests/fixtures/published_shapes.json").read_text(encoding="utf-8"))
    head = "# Published models, derived beside measured\n\n"
    words = (
        "One sequence of the tokens named, under `hf-eager`, dropout off; what differs is shown with derived minus "
        f"measured behind it. It was {facts['source']}.\n\n"
    )
    return head + words + models_table(facts["models"])


if __name__ == "__main__":
    (GALLERY / "models.md").write_text(models(), encoding="utf-8", newline="\n")
    for each in commands():
        run(each, ROOT, executes="--without-running" not in sys.argv)
