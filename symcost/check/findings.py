"""Findings: what is said of each formula, with its place, in plain data, text and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

# From the best to the worst; a formula of several pairs is as good as its worst.
VERDICTS = ("holds", "no claim", "approximates", "unchecked", "depends", "differs")

# One stable code for each kind of finding.
CODES: dict[str, str] = {
    "SC101": "holds: both sides of a chain are the same",
    "SC102": "holds: the form equals a derived quantity",
    "SC103": "holds: the printed number is the exact one, rounded or cut off",
    "SC110": "approximates: terms are dropped, or a number is near",
    "SC111": "approximates on the unsafe side: it promises more than fits",
    "SC120": "depends: right under another named convention or unit",
    "SC201": "differs: not what is derived",
    "SC202": "differs: the two sides of a chain are not equal",
    "SC203": "differs: the arithmetic is wrong",
    "SC204": "differs: the units do not fit",
    "SC205": "unchecked: a name is defined a second time as something else",
    "SC301": "unchecked: could not be read",
    "SC302": "unchecked: nothing to hold it against",
    "SC303": "unchecked: broken markup",
    "SC401": "no claim: a definition, an assumption, a symbol, a rule of thumb",
    "SC402": "no claim: a tensor equation or a derivative",
}


@dataclass(frozen=True)
class Pair:
    """Two neighbours of a chain, or a form beside what is derived, and what was found."""

    verdict: str
    code: str
    document: str
    derived: str = ""
    difference: str = ""
    message: str = ""
    quantity: str = ""
    scope: str = ""
    convention: str = ""
    fix: str = ""

    def to_dict(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Finding:
    """What is said of one formula. Lines and columns count from 1, in code points, inside the delimiters."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    verdict: str
    code: str
    message: str = ""
    quantity: str = ""
    scope: str = ""
    convention: str = ""
    document: str = ""
    derived: str = ""
    difference: str = ""
    fix: str = ""
    pairs: tuple[Pair, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `symcost check --format json` prints it."""
        data: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("file line column end_line end_column text verdict code quantity scope convention document "
                         "derived difference message").split()
        }  # fmt: skip
        return data | {"pairs": [pair.to_dict() for pair in self.pairs]}

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.verdict} {self.code}: {self.message}"


@dataclass(frozen=True)
class Findings(Sequence[Finding]):
    """All findings of one or several documents, in order."""

    found: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: Any) -> Any:
        return self.found[index]

    def __add__(self, other: Findings) -> Findings:
        return Findings(self.found + other.found, self.notes + other.notes)

    @property
    def summary(self) -> dict[str, int]:
        """How many of each verdict."""
        order = ("holds", "approximates", "depends", "differs", "unchecked", "no claim")
        return {verdict: sum(each.verdict == verdict for each in self.found) for verdict in order}

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the findings and how many of each verdict; the notes only where there are some."""
        found = {"findings": [finding.to_dict() for finding in self.found], "summary": self.summary}
        return found | ({"notes": list(self.notes)} if self.notes else {})

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{each.line}</td><td><code>{escape(each.text)}</code></td><td>{each.verdict}</td>"
            f"<td>{escape(each.message)}</td></tr>"
            for each in self.found
        )
        return f"<table><tr><th>line</th><th>formula</th><th>verdict</th><th>why</th></tr>{rows}</table>"


def worst(pairs: Sequence[Pair]) -> Pair:
    """The pair that decides for a formula: the first of the worst verdict there is."""
    return max(pairs, key=lambda pair: VERDICTS.index(pair.verdict))
