"""Formats: findings as lines, JSON, SARIF 2.1.0 and GitHub's annotations."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote_from_bytes

import symcost
from symcost.check.codes import PAGES
from symcost.check.configuration import Configuration
from symcost.check.findings import CODES, Finding, Findings

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LONGEST = 400  # signs of a formula or a message in a line
_CELL = re.compile(r"\A(?P<file>.*\.ipynb):cell (?P<cell>\d+)\Z", re.DOTALL | re.IGNORECASE)


def told(findings: Iterable[Finding], configuration: Configuration) -> list[Finding]:
    """The findings that are worth a line: all that are not off."""
    return [finding for finding in findings if configuration.severity_of(finding.code) != "off"]


NOTHING = (
    "expected formulas between dollars, in code or in plain text, such as $12d^2$, found none. "
    "Name a document that has some."
)


def as_lines(findings: Findings, configuration: Configuration, *, every: bool = False) -> str:
    """One paragraph for each finding that is not off (`every`: for all), then the notes, and the summary last.

    The place comes first, then verdict and code, then what the document has and what is derived.
    """
    rows: list[str] = []
    for finding in findings if every else told(findings, configuration):
        rows.append(
            f"{_plain(finding.file)}:{finding.line}:{finding.column}: {finding.verdict} {finding.code}  {_short(finding.text)}"
        )
        for name, what in (
            ("document", finding.document),
            ("derived", finding.derived),
            ("because", finding.message),
        ):
            if what and "".join(what.split()) != "".join(finding.text.split()):
                rows.append(f"    {name:9} {_short(what)}")
    rows += map(_plain, findings.notes)
    counts = ", ".join(f"{many} {verdict}" for verdict, many in findings.summary.items() if many)
    rows.append(counts)
    return "\n".join(rows)


def _short(text: str) -> str:
    text = _plain(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _plain(text: str) -> str:
    """One line without signs that a terminal would act on."""
    return "".join(sign if sign.isprintable() else " " for sign in " ".join(text.split()))


def as_json(findings: Findings) -> str:
    return json.dumps(findings.to_dict(), ensure_ascii=False, indent=2)


# ------------------------------------------------------------------------------------------------- GitHub


def as_github(findings: Findings, configuration: Configuration) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    names = {"error": "error", "warning": "warning", "note": "notice"}
    rows = []
    for finding in told(findings, configuration):
        file, cell = place_of(finding)
        about = {"file": file, "title": f"symcost {finding.code}"}
        if cell is None:
            about |= {"line": str(finding.line), "endLine": str(finding.end_line), "col": str(finding.column)}
            if finding.end_line == finding.line:
                about["endColumn"] = str(finding.end_column)
        properties = ",".join(f"{name}={_property(value)}" for name, value in about.items())
        rows.append(
            f"::{names[configuration.severity_of(finding.code)]} {properties}::{_data(_said(finding))}"
        )
    return "\n".join(rows)


def place_of(finding: Finding) -> tuple[str, int | None]:
    """The file, and the cell where it is a notebook."""
    found = _CELL.match(finding.file)
    return (found["file"], int(found["cell"])) if found else (finding.file, None)


def _said(finding: Finding) -> str:
    """The finding in one line; a notebook's lines are those of its cell, so the line stands in the words."""
    _, cell = place_of(finding)
    where = f"cell {cell}, line {finding.line}" if cell is not None else ""
    derived = f"derived: {finding.derived}" if finding.derived and finding.verdict == "differs" else ""
    parts = (where, finding.verdict, finding.text, finding.message or CODES[finding.code], derived)
    return ": ".join(_short(part) for part in parts if part)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# -------------------------------------------------------------------------------------------------- SARIF


def as_sarif(findings: Findings, configuration: Configuration, errors: Sequence[str] = ()) -> str:
    """A SARIF 2.1.0 log of one run; `errors` are files that could not be read."""
    results = [_result(finding, configuration) for finding in told(findings, configuration)]
    run = {
        "tool": {"driver": {"name": "symcost", "version": symcost.__version__, "rules": _rules(configuration)}},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "invocations": [{
            "executionSuccessful": not errors,
            "toolExecutionNotifications": [{"level": "error", "message": {"text": error}} for error in errors],
        }],
    }  # fmt: skip
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _rules(configuration: Configuration) -> list[dict[str, Any]]:
    return [
        {
            "id": code,
            "shortDescription": {"text": words},
            "fullDescription": {"text": PAGES[code].meaning},
            "help": {"text": PAGES[code].mend},
            "defaultConfiguration": _level(configuration.severity_of(code)),
        }
        for code, words in CODES.items()
    ]


def _level(severity: str) -> Mapping[str, Any]:
    return {"enabled": severity != "off", "level": severity if severity != "off" else "none"}


def _result(finding: Finding, configuration: Configuration) -> dict[str, Any]:
    file, cell = place_of(finding)
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    location: dict[str, Any] = {"physicalLocation": physical}
    if cell is None:
        physical["region"] = _region(finding)
    else:
        location["logicalLocations"] = [{"name": f"cell {cell}", "kind": "member"}]
    return {
        "ruleId": finding.code,
        "ruleIndex": list(CODES).index(finding.code),
        "level": configuration.severity_of(finding.code),
        "message": {"text": _said(finding)},
        "locations": [location],
        "partialFingerprints": {"formula/v1": _fingerprint(finding)},
        "properties": {"verdict": finding.verdict, "quantity": finding.quantity, "derived": finding.derived},
    }


def _uri(file: str) -> str:
    """A file's URI, whatever bytes its name has: relative to where the command runs, as it was named, else absolute.

    >>> _uri("lecture notes/c:d#1.md")
    'lecture%20notes/c%3Ad%231.md'
    """
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote_from_bytes(os.fsencode(path.as_posix()))


def _region(finding: Finding) -> dict[str, Any]:
    region = {"startLine": finding.line, "startColumn": finding.column, "snippet": {"text": finding.text}}
    if (finding.end_line, finding.end_column) >= (finding.line, finding.column):
        region |= {"endLine": finding.end_line, "endColumn": finding.end_column}
    return region


def _fingerprint(finding: Finding) -> str:
    from hashlib import sha256

    parts = (finding.file, finding.code, " ".join(finding.text.split()))
    return sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:32]


WRITERS = ("text", "json", "sarif", "github")


def rendered(
    to: str,
    findings: Findings,
    configuration: Configuration,
    errors: Sequence[str] = (),
    places: Sequence[str] = (),
) -> str:
    """The findings in one of WRITERS, of documents at some places; no word of them where nothing could be read."""
    match to:
        case "json":
            return as_json(findings)
        case "sarif":
            return as_sarif(findings, configuration, errors)
        case "github":
            return as_github(findings, configuration)
    if findings:
        return as_lines(findings, configuration)
    return "" if errors else f"{', '.join(map(_plain, places))}: {NOTHING}".removeprefix(": ")
