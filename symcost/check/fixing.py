"""Fixing: the right form put in for a wrong one, in the document's own letters, and only where it then holds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sympy import Expr

from symcost.check.configuration import silenced, without_comments
from symcost.check.deciding import Judge
from symcost.check.documents import Span, find, kind_of
from symcost.check.findings import Finding
from symcost.check.knowledge import Knowledge
from symcost.errors import SymcostError
from symcost.notation import code, latex
from symcost.notation import text as plain_text
from symcost.notation.reading import read_part
from symcost.symbols import Notation

ABOUT = re.compile(
    r"≈|~|\\(?:approx|sim|simeq)\b|\b(?:about|around|roughly|approximately|nearly|some)\s*\Z", re.IGNORECASE
)
PRINTERS = {"latex": latex, "code": code, "text": plain_text}
MOST = 200  # fixes of one document


def fixed(text: str, name: str, options: Mapping[str, Any]) -> tuple[str, int]:
    """The text with every fix that is certain, and how many there were.

    A fix is certain where the finding `differs` in one pair alone, one form was derived for it, and the formula
    holds with that form in its place. An approximation is never touched, nor what a comment silences.

    >>> fixed("Let $d$=`d_model`. The attention of one block has $5d^2$ parameters.", "a.md", {})[1] in (0, 1)
    True
    """
    done = 0
    tried: set[tuple[str, str]] = set()
    while done < MOST:
        judge = _judge(text, name, options)
        findings = silenced(text).without(judge.findings())
        for finding, span in _wrong(findings, judge):
            replaced = _replaced(text, finding, span, judge.knowledge)
            if replaced is None or (finding.text, replaced) in tried:
                continue
            tried.add((finding.text, replaced))
            if _better(replaced, name, options, finding, findings):
                text, done = replaced, done + 1
                break
        else:
            return text, done
    return text, done


def difference(before: str, after: str, name: str) -> str:
    """What a fix changes, as a unified diff."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, fromfile=name, tofile=name))


def _judge(text: str, name: str, options: Mapping[str, Any]) -> Judge:
    return Judge(find(without_comments(text), kind_of(name)), name, **options)


def _wrong(findings: list[Finding], judge: Judge) -> Iterator[tuple[Finding, Span]]:
    """The findings with exactly one right form, each with its span."""
    spans = {(span.line, span.column): span for span in judge.document.spans}
    for finding in findings:
        wrong = [pair for pair in finding.pairs if pair.verdict == "differs"]
        span = spans.get((finding.line, finding.column))
        if span is None or ABOUT.search(span.text) or ABOUT.search(span.before):
            continue
        if len(wrong) == 1 and finding.code == "SC201" and wrong[0].fix:
            yield finding, span


def _replaced(text: str, finding: Finding, span: Span, knowledge: Knowledge) -> str | None:
    """The document with the derived form in the place of the wrong side; None where that side is not certain."""
    [wrong] = [pair for pair in finding.pairs if pair.verdict == "differs"]
    inside = text[span.start : span.end]
    if inside.count(wrong.document) != 1:
        return None
    try:
        form = read_part(wrong.fix, "text").expr
    except SymcostError:
        return None
    letters = _own_letters(form, knowledge)
    if letters is None:
        return None
    at = span.start + inside.index(wrong.document)
    right = PRINTERS[span.form](form, Notation("the document", "", letters))
    return text[:at] + right + text[at + len(wrong.document) :]


def _own_letters(form: Expr, knowledge: Knowledge) -> dict[str, str] | None:
    """The document's name for each letter of a form; None where it has none, and uses ours for something else."""
    names: dict[str, str] = {}
    for symbol in form.free_symbols:
        said = (name for _, name, meaning in knowledge.legend if meaning == symbol.name and len(name) == 1)
        own = next((name for name in said if knowledge.letter(name) == symbol.name), symbol.name)
        if knowledge.letter(own) != symbol.name:
            return None
        names[symbol.name] = own
    return names


def _better(
    text: str, name: str, options: Mapping[str, Any], finding: Finding, before: list[Finding]
) -> bool:
    """Whether the formula holds now, and nothing else became wrong by it."""
    after = silenced(text).without(_judge(text, name, options).findings())
    here = [each for each in after if (each.line, each.column) == (finding.line, finding.column)]
    wrong = [sum(each.verdict == "differs" for each in some) for some in (before, after)]
    return len(here) == 1 and here[0].verdict == "holds" and wrong[1] < wrong[0]
