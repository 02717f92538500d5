"""What is printed: lines, JSON, SARIF 2.1.0 and GitHub's annotations."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from symcost.check import CODES, Finding, Findings
from symcost.check.codes import PAGES
from symcost.check.configuration import Configuration
from symcost.check.formats import rendered

ROOT = Path(__file__).parent.parent.parent

WRONG = Finding(
    "a b.md",
    3,
    5,
    3,
    17,
    "3d^2 = 2d*2d",
    "differs",
    "SC202",
    "the right side is 4d²",
    derived="4d²",
    document="3d^2 = 2d*2d",
)
RIGHT = Finding("a b.md", 4, 1, 4, 5, "4d^2", "holds", "SC102", "parameters")
IN_CELL = Finding("n.ipynb:cell 7", 2, 1, 2, 9, "1 = 2\n::x", "differs", "SC203", "100 % wrong")
ALL = Findings((WRONG, RIGHT, IN_CELL))

# The JSON schema of SARIF 2.1.0 that Microsoft's package @microsoft/jest-sarif 1.0.0-beta.0 ships (MIT licence), as it is.
# It refuses every property that the standard does not name.
SCHEMA = Path(__file__).parent / "fixtures" / "sarif-2.1.0-rtm.5.json"
SARIF = jsonschema.Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def sarif(findings: Findings, *errors: str, **settings) -> dict:
    """The one run of a log, which is valid."""
    log = json.loads(rendered("sarif", findings, Configuration(**settings), errors))
    SARIF.validate(log)
    [run] = log["runs"]
    return run


@pytest.mark.parametrize("code", CODES)
def test_a_log_of_any_code_at_any_severity_is_valid(code):
    found = Findings((replace(WRONG, code=code), replace(IN_CELL, code=code)))
    for severity in ("error", "warning", "note"):
        run = sarif(found, severity={code: severity})
        assert {result["level"] for result in run["results"]} == {severity}
        assert {run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] for result in run["results"]} == {
            code
        }
    assert sarif(found, ignore=(code,))["results"] == []


def test_the_schema_refuses_what_is_no_log():
    log = json.loads(rendered("sarif", ALL, Configuration()))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not SARIF.is_valid(log)


@pytest.mark.parametrize(
    ("file", "uri"),  # RFC 3986, sections 3.3 and 4.2: no colon in the first segment of a relative path
    [
        ("a b/ü#?%.md", "a%20b/%C3%BC%23%3F%25.md"),
        ("c:d.md", "c%3Ad.md"),
        ("../-x.md", "../-x.md"),
        ("new\nline'\".md", "new%0Aline%27%22.md"),
        ("no text \udcff.md", "no%20text%20%FF.md"),
    ],
)
def test_a_file_of_any_name_has_a_uri(file, uri):
    [result] = sarif(Findings((replace(WRONG, file=file),)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_documents_of_every_kind_give_a_valid_log_on_the_command_line(tmp_path):
    """With a file name that is no UTF-8, as POSIX allows, where the system has such files."""
    slip = "Then $12 \\times 24 = 298$."
    cell = {"metadata": {}, "source": f"# Costs\n\n{slip} \ud800", "cell_type": "markdown"}
    documents = {f"{code}.md": page.example for code, page in PAGES.items() if page.example} | {
        "notebook.ipynb": json.dumps(
            {"cells": [cell, cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        ),
        "paper.tex": "\\input{part}",
        "part.tex": slip,
        "text.rst": "Then\n\n.. math::\n\n   12 \\times 24 = 298\n",
        "two lines.md": "Then\n\n$$\n12 \\times 24\n= 298\n$$",
    }
    for name, text in documents.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "broken.md").write_bytes(b"\xff")
    with contextlib.suppress(OSError):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.md")).write_text(slip, encoding="utf-8")
    told = {path.name for path in tmp_path.iterdir()} - {"broken.md", "paper.tex"}

    command = [sys.executable, "-m", "symcost", "check", str(tmp_path), "--format", "sarif"]
    answer = subprocess.run(command, capture_output=True, cwd=ROOT)
    log = json.loads(answer.stdout)
    SARIF.validate(log)
    [run] = log["runs"]
    files = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]
    }
    silent = {f"{code}.md" for code in PAGES if Configuration().severity_of(code) == "off"}
    assert files == {(tmp_path / name).as_uri() for name in told - silent}
    [note] = run["invocations"][0]["toolExecutionNotifications"]
    assert "broken.md" in note["message"]["text"] and answer.returncode == 2
    assert answer.stderr.count(b"\n") == 1


def test_a_sarif_log_says_which_files_could_not_be_read():
    run = sarif(ALL, "x.md: expected UTF-8 text, found other bytes at 3.")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(CODES)
    assert run["invocations"][0]["executionSuccessful"] is False


def test_a_sarif_result_names_file_and_place():
    first, second = sarif(ALL)["results"]
    region = first["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (3, 5, 17)
    assert region["snippet"] == {"text": WRONG.text}
    assert second["locations"][0]["logicalLocations"] == [{"name": "cell 7", "kind": "member"}]


def test_a_sarif_result_in_a_cell_has_its_line_in_its_words():
    """A region would be of the file, whose lines are those of its JSON."""
    _, second = sarif(ALL)["results"]
    assert "region" not in second["locations"][0]["physicalLocation"]
    assert second["message"]["text"].startswith("cell 7, line 2: differs")


def test_github_shows_a_finding_beside_its_line():
    """GitHub, "Workflow commands": properties escape : and , as well, data only % and line ends."""
    first, second = rendered("github", ALL, Configuration()).splitlines()
    assert first.startswith(
        "::error file=a b.md,title=symcost SC202,line=3,endLine=3,col=5,endColumn=17::differs: 3d^2 = 2d*2d"
    )
    assert (
        second
        == "::error file=n.ipynb,title=symcost SC203::cell 7, line 2: differs: 1 = 2 ::x: 100 %25 wrong"
    )


def test_a_finding_that_is_off_has_no_line_and_the_summary_counts_it():
    lines = rendered("text", ALL, Configuration()).splitlines()
    assert lines[0].startswith("a b.md:3:5: differs SC202")
    assert not any("holds" in line for line in lines[:-1])
    assert lines[-1] == "1 holds, 2 differs"


def test_a_formula_cannot_write_to_the_terminal():
    evil = Finding("a\x1b[2J.md", 1, 1, 1, 2, "\x1b]0;x\x07 = 3", "differs", "SC202", "\x1b[31m")
    assert "\x1b" not in rendered("text", Findings((evil,)), Configuration())


def test_json_holds_every_finding_and_the_summary_and_notes_where_there_are_some():
    data = json.loads(rendered("json", ALL, Configuration()))
    assert len(data["findings"]) == 3 and data["summary"]["differs"] == 2 and "notes" not in data
    noted = Findings(ALL.found, ("a.md: note: Q is read as c",))
    assert json.loads(rendered("json", noted, Configuration()))["notes"] == ["a.md: note: Q is read as c"]
