"""A corpus: claims of published sources in TOML, each held against what is derived under what it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from symcost.check.findings import Finding, Findings
from symcost.check.holding import Holding
from symcost.check.published import VERDICTS, Claim, Source, read_corpus, scope_words
from symcost.errors import UsageError

__all__ = [
    "Claim",
    "Judged",
    "Source",
    "as_markdown",
    "check_corpus",
    "judge",
    "read_corpus",
    "report",
    "sources",
]


@dataclass(frozen=True)
class Judged:
    """A claim with what was found."""

    claim: Claim
    finding: Finding

    @property
    def expected(self) -> bool:
        """Whether the verdict is the one that the corpus expects."""
        return self.finding.verdict == self.claim.verdict


def judge(source: Source) -> tuple[Judged, ...]:
    """Every claim of a source with its finding, in order."""
    found = []
    for claim in source.claims:
        finding = replace(Holding(claim).finding(), file=source.file)
        if finding.verdict != claim.verdict:
            words = f"{finding.message}; " if finding.message else ""
            finding = replace(finding, message=f"{words}the corpus expects: {claim.verdict}")
        found.append(Judged(claim, finding))
    return tuple(found)


def check_corpus(text: str, file: str) -> Findings:
    """The findings for every claim of a corpus file.

    >>> keys = ("id", "place", "why", "says", "quantity", "scope", "verdict")
    >>> values = ("a", "1", "", "12d^2", "parameters", "block.mlp", "holds")
    >>> claim = "".join(f'{key} = "{value}"\\n' for key, value in zip(keys, values))
    >>> about = '[source]\\ntitle = "T"\\nauthors = "A"\\nyear = 2026\\nfound = "F"\\n'
    >>> [finding.verdict for finding in check_corpus(f"{about}[[claim]]\\n{claim}", "t.toml")]
    ['holds']
    """
    return Findings(tuple(each.finding for each in judge(read_corpus(text, file))))


def sources(folder: str | Path) -> list[Source]:
    """The sources of a folder of corpus files, by file name."""
    files = sorted(Path(folder).glob("*.toml"))
    if not files:
        raise UsageError(f"{folder}: expected corpus files (*.toml), found none.")
    return [read_corpus(path.read_text(encoding="utf-8"), path.name) for path in files]


def as_markdown(found: Sequence[tuple[Source, Sequence[Judged]]]) -> str:
    """The table of all verdicts: which published formulas hold, under which convention, and which do not.

    One section for each source, after a summary; nothing in it is typed but the sources' own words.
    """
    every = [each for _, judged in found for each in judged]
    counts = ", ".join(f"{many} {name}" for name, many in zip(VERDICTS, _counts(every), strict=True) if many)
    rows = [
        "# Published formulas, held against what is derived",
        "",
        f"{len(every)} formulas of {len(found)} sources: {counts}.",
        "Made by `symcost check formulas/ --report reports/published-formulas.md`.",
        "",
        f"| source | {' | '.join(VERDICTS)} |",
        "| --- |" + " ---: |" * len(VERDICTS),
    ]
    for source, judged in found:
        cells = " | ".join(str(many or "") for many in _counts(judged))
        rows.append(f"| {source.authors} {source.year}, {source.title} | {cells} |")
    for source, judged in found:
        rows += ["", f"## {source.authors} {source.year}, {source.title}", "", source.found, ""]
        rows += ["| place | formula | what it is said to be | verdict | under | remark |", "|" + " --- |" * 6]
        rows += [_row(each) for each in judged]
    return "\n".join(rows) + "\n"


def _counts(judged: Sequence[Judged]) -> list[int]:
    return [sum(each.finding.verdict == verdict for each in judged) for verdict in VERDICTS]


def _row(each: Judged) -> str:
    claim, finding = each.claim, each.finding
    of = f" of {scope_words(claim)}" if claim.scope != "model" else ""
    on = f" on {claim.layout}" if claim.layout != "single" else ""
    model = (
        claim.model if isinstance(claim.model, str) else str(claim.model.get("name", "a model of its own"))
    )
    what = f"{claim.quantity}{of}{on}, {model}" if claim.quantity else "the two sides of it"
    right = (
        f"derived: {finding.pairs[-1].derived or finding.derived}; "
        if finding.verdict == "differs" and finding.derived
        else ""
    )
    cells = (claim.place, f"`{claim.says}`", what, f"**{finding.verdict}**", finding.convention,
             "; ".join(part for part in (right.removesuffix("; "), finding.message, claim.why) if part))  # fmt: skip
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def report(folder: str | Path) -> str:
    """The Markdown table of a folder's corpora.

    The same as `symcost check formulas/ --report FILE`.
    """
    return as_markdown([(source, judge(source)) for source in sources(folder)])
