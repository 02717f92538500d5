"""A Jupyter notebook: each section's words, and cells that derive, substitute and solve with the library."""

from __future__ import annotations

from hashlib import sha256
from subprocess import DEVNULL
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from symcost.errors import UsageError
from symcost.report.blocks import Bullets, Document, Paragraph, Section
from symcost.report.writers import pieces

SECONDS = 300  # for one cell
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
LANGUAGE = {"name": "python"}


def notebook(document: Document) -> str:
    """The notebook's JSON, not executed: the same document gives the same bytes, ids of cells included.

    Raises UsageError for a document that has nothing to run.
    """
    if not any(section.code for section in document.sections):
        raise UsageError(
            f"{document.title}: expected code for a notebook's cells, found none. Write .md or .html instead."
        )
    line = pieces("dollars")
    cells = [("markdown", f"# {line((document.title,))}\n\n{line((document.subtitle,))}")]
    for section in document.sections:
        if not section.code:
            continue
        cells.append(
            (
                "markdown",
                "\n\n".join([f"{'#' * section.level} {line(section.title)}", *_words(section, line)]),
            )
        )
        cells += [("code", code) for code in section.code]
    made = new_notebook(metadata={"kernelspec": KERNEL, "language_info": LANGUAGE, "title": document.title})
    new = {"markdown": new_markdown_cell, "code": new_code_cell}
    made.cells = [new[kind](source, id=_id(at, kind, source)) for at, (kind, source) in enumerate(cells)]
    nbformat.validate(made)
    return f"{nbformat.writes(made)}\n"


def _words(section: Section, line: Any) -> list[str]:
    """What a section says before its first result: results are for the cells to find."""
    words = []
    for block in section.blocks:
        if isinstance(block, Paragraph):
            words.append(line(block.line))
        elif isinstance(block, Bullets):
            words.append("\n".join(f"- {line(item)}" for item in block.lines))
        else:
            break
    return words


def _id(at: int, kind: str, source: str) -> str:
    return f"{at:02d}-{sha256(f'{kind}{source}'.encode()).hexdigest()[:8]}"


def executed(text: str) -> str:
    """The notebook with its outputs, run from top to bottom, without times. Raises UsageError."""
    try:
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError:
        raise UsageError(
            "execute: expected the packages nbclient and ipykernel, found none. Install symcost[notebook]."
        ) from None
    made = nbformat.reads(text, as_version=4)
    try:
        client = NotebookClient(made, timeout=SECONDS, kernel_name="python3", record_timing=False)
        client.execute(stderr=DEVNULL)
    except CellExecutionError as error:
        raise UsageError(
            f"execute: expected a notebook that runs, found {error.ename}: {error.evalue}."
        ) from None
    made.metadata["language_info"] = LANGUAGE
    return f"{nbformat.writes(made)}\n"
