"""A baseline: the findings that a project has accepted, so that only new ones are told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from symcost.check.findings import Finding
from symcost.errors import UsageError

VERSION = 1
LARGEST = 64 * 2**20  # bytes

Key = tuple[str, str, str]  # file, code, formula: no line, so that a paragraph more above changes nothing


def key(finding: Finding) -> Key:
    return finding.file, finding.code, " ".join(finding.text.split())


def write_baseline(findings: Iterable[Finding], path: Path) -> int:
    """Writes the findings as accepted; how many there are. The file is the same for the same findings."""
    counts = Counter(map(key, findings))
    rows = [
        {"file": file, "code": code, "formula": formula, "times": times}
        for (file, code, formula), times in sorted(counts.items())
    ]
    text = json.dumps({"version": VERSION, "accepted": rows}, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, "utf-8", "backslashreplace")  # JSON's own escape, for a name that is no text
    return counts.total()


def read_baseline(path: Path) -> Counter[Key]:
    """What was accepted, with how often. Raises UsageError for a file that is no baseline."""
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(
                f"{path}: expected at most {LARGEST:,} bytes, found {path.stat().st_size:,}. Write it anew."
            )
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, Mapping) or data.get("version") != VERSION:
            raise UsageError(
                f"{path}: expected a baseline of version {VERSION}. Write it anew with --write-baseline."
            )
        return Counter(
            {(row["file"], row["code"], row["formula"]): int(row["times"]) for row in data["accepted"]}
        )
    except FileNotFoundError:
        raise UsageError(
            f"{path}: expected a baseline, found no such file. Write one with --write-baseline."
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: expected a readable baseline, found: {error.strerror or error}.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(
            f"{path}: expected a baseline, found something else. Write it anew with --write-baseline."
        ) from None


def without_accepted(findings: Iterable[Finding], accepted: Counter[Key]) -> list[Finding]:
    """The findings that are new: each accepted one goes once for each time it was there.

    >>> one = Finding("a.md", 3, 1, 3, 4, "x", "differs", "SC201")
    >>> [each.line for each in without_accepted([one, one], Counter({key(one): 1}))]
    [3]
    """
    left, new = Counter(accepted), []
    for finding in findings:
        if left[key(finding)] > 0:
            left[key(finding)] -= 1
        else:
            new.append(finding)
    return new
