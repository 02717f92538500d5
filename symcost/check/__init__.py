"""Checking: every formula of a document, whether it holds, and what is missing where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from symcost.check.findings import CODES, Finding, Findings, Pair
from symcost.errors import UsageError

LARGEST = 4 * 2**20  # characters; a larger document is refused by its size

__all__ = ["CODES", "Finding", "Findings", "Pair", "check", "check_text"]


def check_text(
    text: str, file: str = "text.md", *, model: str | None = None, under: str | None = None, notation: str | None = None,
    given: Mapping[str, Any] | None = None,
) -> Findings:  # fmt: skip
    """The findings for every formula in a text; `file` names it, and its ending says how it is read.

    `model` and `under` are what it is held against where its words do not say; they and `notation`, whose letters it
    uses, and `given`, numbers and forms, win over its front matter, and that over a file `.symcost.toml` beside it.
    Raises UsageError for a name in one of these that is not known.

    >>> [finding.verdict for finding in check_text("Let $d$=`d_model`. $4d^2=2d*2d$, and $3d^2=2d*2d$.")]
    ['no claim', 'holds', 'differs']
    """
    if len(text) > LARGEST:
        raise UsageError(
            f"{file}: expected at most {LARGEST:,} characters, found {len(text):,}. Split the document."
        )
    from symcost.check.deciding import Judge
    from symcost.check.documents import find, kind_of
    from symcost.check.letters import notes, understood

    document = find(text, kind_of(file))

    def judge(letters: Iterable[tuple[str, str]] = ()) -> Judge:
        return Judge(
            document, file, model=model, under=under, notation=notation, given=given, letters=letters
        )

    first = judge()
    found, letters = Findings(tuple(first.findings())), understood(first.case)
    if not letters:
        return found
    again = Findings(tuple(judge(letters.items()).findings()), tuple(notes(letters)))
    return again if again.summary["holds"] > found.summary["holds"] else found  # more comes out right so


def check(path: str | Path, **options: Any) -> Findings:
    """The findings for every formula in a document, in order, as the command has them.

    It may be Markdown, LaTeX with the files that it brings in, plain text, a notebook, a Python file's docstrings or a
    corpus of claims (.toml). The options are those of `check_text`: model, under, notation, given. Raises UsageError for
    a file that cannot be read.
    """
    from symcost.check.working import Options, Task, checked

    return checked(Task(str(path)), Options(**options)).findings
