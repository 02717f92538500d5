"""PDF by pdflatex, where there is one: in a fresh folder, without a shell, within a time limit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from symcost.errors import UsageError

SECONDS = 20
RUNS = 2  # the second run sets the table of contents


def compiled(tex: str, files: Mapping[str, bytes] | None = None) -> bytes:
    """The PDF of a LaTeX document, with the `files` that it includes.

    Raises UsageError where there is no pdflatex, or where TeX finds a fault.

    The document may read no file outside of its folder and of TeX's own trees.
    """
    program = shutil.which("pdflatex")
    if program is None:
        raise UsageError(
            "pdf: expected the program pdflatex, found none. Install a TeX (Debian: apt-get install "
            "texlive-latex-base), or ask for the format tex and compile it elsewhere."
        )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "report.tex").write_text(tex, encoding="utf-8")
        for name, content in (files or {}).items():
            Path(folder, name).write_bytes(content)
        command = [program, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
        environment = {
            **os.environ,
            "openin_any": "p",
            "openout_any": "p",
            "SOURCE_DATE_EPOCH": "0",
            "FORCE_SOURCE_DATE": "1",
        }
        for _ in range(RUNS):
            try:
                done = subprocess.run(
                    command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS, check=False
                )
            except subprocess.TimeoutExpired:
                raise UsageError(
                    f"pdf: expected pdflatex to end within {SECONDS} s, found it still running."
                ) from None
            if done.returncode:
                fault = _fault(done.stdout.decode(errors="replace"))
                raise UsageError(f"pdf: expected LaTeX that compiles, found: {fault}.")
        return Path(folder, "report.pdf").read_bytes()


def _fault(log: str) -> str:
    """The first error of TeX's log."""
    found = re.search(r"^! (.*)", log, re.MULTILINE)
    return found[1].rstrip(".") if found else "no error in its log"
