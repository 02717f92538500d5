"""What a project settles once: `[tool.symcost]` in pyproject.toml, and comments that silence a finding."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from symcost.check.findings import CODES, Finding
from symcost.errors import UsageError, nearest

LONGEST_LINE = 10_000  # characters; no comment is looked for in a longer line
LARGEST = 2**20  # bytes; a larger pyproject.toml is not read

SEVERITIES = ("error", "warning", "note", "off")
SEVERITY: Mapping[str, str] = {
    **dict.fromkeys(CODES, "off"),
    **dict.fromkeys(("SC110", "SC301", "SC302"), "note"),
    **dict.fromkeys(("SC111", "SC120", "SC205", "SC303"), "warning"),
    **dict.fromkeys(("SC201", "SC202", "SC203", "SC204"), "error"),
}


@dataclass(frozen=True)
class Configuration:
    """The settings of a project; what the command line says wins over them.

    `files` and `exclude` are patterns as in .gitignore, relative to the folder of pyproject.toml. `severity` says
    for a code whether its finding is an error (exit status 1), a warning, a note, or off. `ignore` lists codes that
    are off. `docstrings` asks for Python files too.
    """

    model: str | None = None
    convention: str | None = None
    notation: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    baseline: str | None = None
    docstrings: bool = False
    folder: Path | None = None

    def severity_of(self, code: str) -> str:
        """`error`, `warning`, `note` or `off`.

        >>> Configuration(severity={"SC120": "error"}).severity_of("SC120"), Configuration().severity_of("SC101")
        ('error', 'off')
        """
        return "off" if code in self.ignore else self.severity.get(code, SEVERITY.get(code, "note"))

    def options(self) -> dict[str, Any]:
        """What `check` takes, where it is set."""
        chosen = {
            "model": self.model,
            "under": self.convention,
            "notation": self.notation,
            "given": self.given or None,
        }
        return {name: value for name, value in chosen.items() if value is not None}


def find_configuration(start: Path) -> Configuration:
    """The settings of the nearest pyproject.toml that has a table [tool.symcost], from `start` upwards; else none.

    Raises UsageError naming the file and the key that is wrong.
    """
    folder = start.resolve() if start.is_dir() else start.parent.resolve()
    for above in (folder, *folder.parents):
        path = above / "pyproject.toml"
        if path.is_file():
            found = read_configuration(path)
            if found is not None:
                return found
    return Configuration()


def read_configuration(path: Path) -> Configuration | None:
    """The settings in one file, None where it has no table for symcost."""
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path}: expected at most {LARGEST:,} bytes, found {path.stat().st_size:,}.")
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: expected TOML, found: {(str(error).splitlines() or ['?'])[0]}.") from None
    except OSError as error:
        raise UsageError(f"{path}: expected a readable file, found: {error.strerror or error}.") from None
    tools = data.get("tool")
    table = tools.get("symcost") if isinstance(tools, dict) else None
    return None if table is None else replace(_checked(table, f"{path}: [tool.symcost]"), folder=path.parent)


_TYPES: Mapping[str, tuple[type, str]] = {
    "model": (str, "text"), "convention": (str, "text"), "notation": (str, "text"), "baseline": (str, "text"),
    "given": (dict, "a table of numbers and forms"), "severity": (dict, "a table from codes to severities"),
    "files": (list, "a list of patterns"), "exclude": (list, "a list of patterns"), "ignore": (list, "a list of codes"),
    "docstrings": (bool, "true or false"),
}  # fmt: skip


def _checked(table: Any, place: str) -> Configuration:
    if not isinstance(table, dict):
        raise UsageError(f"{place}: expected a table, found {table!r}.")
    names = [each.name for each in fields(Configuration) if each.name != "folder"]
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in names:
            raise UsageError(f"{place}: '{name}' is not a setting. {nearest(name, names)}")
        kind, words = _TYPES[name]
        texts = not isinstance(value, list) or all(isinstance(each, str) for each in value)
        if not isinstance(value, kind) or not texts:
            raise UsageError(f"{place}: expected {words} for {name}, found {value!r}.")
        values[name] = tuple(value) if isinstance(value, list) else value
    for code in (*values.get("ignore", ()), *values.get("severity", {})):
        if code not in CODES:
            raise UsageError(f"{place}: '{code}' is not a code. {nearest(code, CODES)}")
    for code, severity in values.get("severity", {}).items():
        if severity not in SEVERITIES:
            raise UsageError(
                f"{place}: severity of {code}: found {severity!r}. Known are: {', '.join(SEVERITIES)}."
            )
    return Configuration(**values)


# ----------------------------------------------------------------------------------------------- comments

_COMMENT = re.compile(
    r"(?:<!--|%|\#|^)\s*symcost:\s*(?P<what>ignore(?:-file)?)\b(?P<codes>(?:[\s,]+SC\d{3})*)\s*(?:-->|$|[^\s\w])"
)
EVERY: frozenset[str] = frozenset()  # no code named: all of them


@dataclass(frozen=True)
class Silenced:
    """What comments of a text silence: codes by line, on the line itself or the one that follows, and everywhere."""

    lines: Mapping[int, frozenset[str]]
    following: Mapping[int, frozenset[str]]
    everywhere: tuple[frozenset[str], ...] = ()

    def without(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that no comment silences."""
        kept, found = [], list(findings)
        started = sorted({finding.line for finding in found})
        below = {
            next((start for start in started if start > line), 0): codes
            for line, codes in self.following.items()
        }
        for finding in found:
            asked = [*self.everywhere]
            asked += [table[finding.line] for table in (self.lines, below) if finding.line in table]
            if not any(codes == EVERY or finding.code in codes for codes in asked):
                kept.append(finding)
        return kept


def without_comments(text: str) -> str:
    """The text with these comments blanked out: their words are not the document's."""
    if "symcost:" not in text:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if "symcost:" in line and len(line) < LONGEST_LINE:
            lines[number] = _COMMENT.sub(lambda found: " " * len(found[0]), line)
    return "\n".join(lines)


def silenced(text: str) -> Silenced:
    """Comments `# symcost: ignore SC201`, in the sign of Markdown, TeX or code; without a code they silence all.

    Behind a formula a comment is for its line, on a line of its own for the next formula. `ignore-file` is for the
    whole text.

    >>> silenced("$3d^2 = 2d*2d$ <!-- symcost: ignore SC202 -->").lines
    {1: frozenset({'SC202'})}
    """
    lines: dict[int, frozenset[str]] = {}
    following: dict[int, frozenset[str]] = {}
    everywhere: list[frozenset[str]] = []
    if "symcost:" in text:
        for number, line in enumerate(text.split("\n"), 1):
            found = _COMMENT.search(line) if len(line) < LONGEST_LINE and "symcost:" in line else None
            if found is None:
                continue
            codes = frozenset(re.findall(r"SC\d{3}", found["codes"]))
            if found["what"] == "ignore-file":
                everywhere.append(codes)
            else:
                alone = not line[: found.start()].strip()
                (following if alone else lines)[number] = codes
    return Silenced(lines, following, tuple(everywhere))
