"""Check reports: what the checker found in a document, as one would send it to a colleague."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import symcost
from symcost.errors import SymcostError
from symcost.notation import latex, text
from symcost.report.blocks import (
    Block,
    Bullets,
    Code,
    Document,
    Inline,
    Line,
    Math,
    Paragraph,
    Section,
    Table,
    line,
)
from symcost.report.escaping import mathml
from symcost.report.steps import exact
from symcost.symbols import QUANTITIES

# The verdicts as a reader meets them: what is wrong first. `told` gives each finding a section of its own.
VERDICTS: Mapping[str, tuple[str, str, bool]] = {
    "differs": ("What differs", "proven to be another form or number than the derived one", True),
    "depends": (
        "Right under another convention",
        "holds under a named convention or unit, not under this one",
        True,
    ),
    "approximates": ("Approximations", "near, with terms dropped or numbers rounded", True),
    "unchecked": (
        "What could not be checked",
        "could not be read, or there is nothing to hold it against",
        False,
    ),
    "holds": ("What holds", "equal to what is derived, or its two sides are equal", False),
    "no claim": ("No claim", "a definition, an assumption, a symbol, a tensor equation", False),
}
MOST_NAMED = 3  # files in a title
LONGEST = 200  # signs of a document's line that are shown
SETTING = re.compile(
    "[dt]?frac|cdot|times|left|right|[lr](?:floor|ceil)|sqrt|mathrm|approx|[lg]eq?|ll|gg|sum|max|min|log|exp|ell|"
    "alpha|beta|gamma|epsilon|theta|lambda|sigma|Psi|Phi|Omega|Theta|q?quad|[,;!:|]"
)  # commands that set signs and nothing else
SIGNS = re.compile(r"(?:[A-Za-z0-9\s+\-*/=<>()\[\]{}.,;:!|_^'×·≈−²³]|\\[A-Za-z]++|\\[,;!:|])*+")

Finding = Mapping[str, Any]


def findings_document(
    findings: Iterable[Any],
    source: str | Mapping[str, str] = "",
    name: str = "",
    unread: Sequence[str] = (),
) -> Document:
    """Findings as a report: each formula, its verdict, the difference and the reason; what is wrong first.

    `findings` are those of `symcost.check`, or the dicts of its JSON. `source` is the document's text (or the
    text of each file), from which the lines are quoted; `name` is the document's, else its files. `unread` says of
    each document that could not be read why.
    """
    found: list[Finding] = [each if isinstance(each, Mapping) else each.to_dict() for each in findings]
    files = list(dict.fromkeys(str(each["file"]) for each in found))
    listed = ", ".join(PurePath(file).name for file in files) or "the document"
    called = name or (listed if len(files) <= MOST_NAMED else f"{len(files)} documents")
    counts = {verdict: sum(each["verdict"] == verdict for each in found) for verdict in VERDICTS}
    texts = source if isinstance(source, Mapping) else dict.fromkeys(files, source)
    sections = [_summary(counts)]
    if unread:
        why = Bullets(tuple(line(_short(each)) for each in unread))
        sections.append(Section(line("Documents that could not be read"), (why,)))
    for verdict, (title, _, told) in VERDICTS.items():
        of_verdict = [each for each in found if each["verdict"] == verdict]
        if not of_verdict or verdict == "no claim":
            continue
        if told:
            sections.append(Section(line(title), ()))
            sections += [_told(each, texts, len(files) > 1) for each in of_verdict]
        else:
            sections.append(Section(line(title), (_listed(of_verdict, len(files) > 1),)))
    words = ", ".join(f"{verdict} {count}" for verdict, count in counts.items() if count) or "no formula"
    return Document(
        f"What symcost finds in {called}",
        f"Checked by symcost {symcost.__version__}: {words}.",
        tuple(sections),
        (f"{called}: {words}",),
        called,
    )


def _summary(counts: Mapping[str, int]) -> Section:
    rows = tuple(
        (line(verdict), line(str(counts[verdict])), line(meaning))
        for verdict, (_, meaning, _) in VERDICTS.items()
    )
    wrong = counts["differs"]
    words = (
        f"{wrong} formula{'s differ' if wrong > 1 else ' differs'} from what is derived."
        if wrong
        else "No formula is proven wrong."
    )
    table = Table(("verdict", "formulas", "meaning"), rows, "lrw")
    return Section(line("Summary"), (Paragraph(line(words)), table))


def _told(finding: Finding, texts: Mapping[str, str], many: bool) -> Section:
    """One finding: where it stands, what stands there, what is derived, the difference and its reason."""
    rows: list[tuple[Line, Line]] = [(line("written"), line(_written(str(finding["text"]))))]
    around = _source_line(texts.get(str(finding["file"]), ""), int(finding["line"]))
    if around and around != finding["text"]:
        rows.append((line("in its line"), line(Code(around))))
    for heading, key in (("read as", "document"), ("derived", "derived"), ("difference", "difference")):
        if finding.get(key) and not finding["text"].startswith(finding[key]):
            rows.append((line(heading), line(_form(str(finding[key])))))
    if about := _about(finding):
        rows.append((line("about"), about))
    if finding.get("fix"):
        rows.append((line("suggested"), line(Code(_short(str(finding["fix"]))))))
    blocks: list[Block] = [Paragraph(line(_sentence(finding)))] if finding.get("message") else []
    blocks.append(Table(("", "formula"), tuple(rows), "lw"))
    pairs = [
        pair
        for pair in finding.get("pairs", ())
        if pair.get("message") and pair["message"] != finding.get("message")
    ]
    if pairs:
        blocks.append(Bullets(tuple(line(Code(pair["verdict"]), f": {pair['message']}") for pair in pairs)))
    return Section(
        line(f"{_place(finding, many)}: ", Code(_short(finding["text"], 60))), tuple(blocks), level=3
    )


def _listed(found: Sequence[Finding], many: bool) -> Table:
    rows = tuple(
        (line(_place(each, many)), line(Code(_short(each["text"], 80))), line(_sentence(each) or "–"))
        for each in found
    )
    return Table(("place", "formula", "remark"), rows, "lww")


def _sentence(finding: Finding) -> str:
    code, message = finding.get("code", ""), str(finding.get("message", ""))
    return f"{message} ({code})" if code and message else message or str(code)


def _about(finding: Finding) -> Line:
    """Which quantity, of which part, under which convention."""
    pieces: list[Inline] = []
    quantity = str(finding.get("quantity") or "")
    if quantity:
        meaning = QUANTITIES[quantity].meaning if quantity in QUANTITIES else ""
        pieces += [Code(quantity), f" ({meaning})" if meaning else ""]
    for word, key in ((" of ", "scope"), (" under ", "convention")):
        if finding.get(key):
            pieces += [word if pieces else word.strip().capitalize() + " ", Code(str(finding[key]))]
    return tuple(piece for piece in pieces if piece)


def _written(text: str) -> Inline:
    """What a document says, as a formula where it is LaTeX that only sets signs, else sign by sign."""
    commands = re.findall(r"\\([A-Za-z]+|.)", text)
    sets_signs = bool(commands) and all(map(SETTING.fullmatch, commands)) and SIGNS.fullmatch(text)
    if sets_signs and not mathml(text).startswith("<code>"):
        return Math(text, _short(text))
    return Code(_short(text))


def _form(written: str) -> Inline:
    """A form of the checker's own as a formula, or as it stands where it is none."""
    from symcost.notation.reading import read_expression

    try:
        form = read_expression(written)
        if form.is_Rational:
            return exact(Fraction(int(form.p), int(form.q)))
        return Math(latex(form), text(form))
    except (SymcostError, TypeError, ValueError):
        return Code(written)


def _place(finding: Finding, many: bool) -> str:
    start = f"{finding['file']}:" if many else "line "
    return f"{start}{finding['line']}:{finding['column']}" if many else f"{start}{finding['line']}"


def _source_line(source: str, number: int) -> str:
    rows = source.splitlines()
    return _short(rows[number - 1].strip()) if 0 < number <= len(rows) else ""


def _short(written: str, most: int = LONGEST) -> str:
    flat = " ".join(str(written).split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"
