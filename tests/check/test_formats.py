"""What is printed: lines, JSON, SARIF 2.1.0 and GitHub's annotations."""

from __future__ import annotations

import json

import jsonschema

from symcost.check import CODES, Finding, Findings
from symcost.check.configuration import Configuration
from symcost.check.formats import rendered

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
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}

# What the OASIS standard "Static Analysis Results Interchange Format 2.1.0" requires of the parts written here:
# sections 3.13 (log), 3.14 (run), 3.18 and 3.19 (tool), 3.20 (invocation), 3.27 (result), 3.30 (region), 3.49 (rule).
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": {
            "type": "object", "required": ["tool"], "additionalProperties": False,
            "properties": {
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {
                    "type": "object", "required": ["name"], "properties": {
                        "name": {"type": "string"}, "version": {"type": "string"},
                        "rules": {"type": "array", "uniqueItems": True, "items": {
                            "type": "object", "required": ["id"], "properties": {
                                "id": {"type": "string"}, "shortDescription": TEXT, "fullDescription": TEXT, "help": TEXT,
                                "defaultConfiguration": {"type": "object", "properties": {
                                    "enabled": {"type": "boolean"}, "level": {"enum": ["none", "note", "warning", "error"]}}},
                            }}},
                    }}}},
                "invocations": {"type": "array", "items": {"type": "object", "required": ["executionSuccessful"], "properties": {
                    "executionSuccessful": {"type": "boolean"},
                    "toolExecutionNotifications": {"type": "array", "items": {"type": "object", "required": ["message"]}}}}},
                "results": {"type": "array", "items": {
                    "type": "object", "required": ["message"], "properties": {
                        "ruleId": {"type": "string"}, "ruleIndex": {"type": "integer", "minimum": -1},
                        "level": {"enum": ["none", "note", "warning", "error"]}, "message": TEXT,
                        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
                        "locations": {"type": "array", "items": {"type": "object", "properties": {"physicalLocation": {
                            "type": "object", "required": ["artifactLocation"], "properties": {
                                "artifactLocation": {"type": "object", "properties": {
                                    "uri": {"type": "string", "pattern": r"^[^\s\\]+$"}}},
                                "region": {"type": "object", "properties": {
                                    name: {"type": "integer", "minimum": 1}
                                    for name in ("startLine", "startColumn", "endLine", "endColumn")}},
                            }}}}},
                    }}},
            }}},
    },
}  # fmt: skip


def test_a_sarif_log_has_the_shape_that_the_standard_requires():
    log = json.loads(
        rendered("sarif", ALL, Configuration(), ["x.md: expected UTF-8 text, found other bytes at 3."])
    )
    jsonschema.validate(log, SARIF)
    [run] = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(CODES)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_a_sarif_result_names_file_place_and_level():
    log = json.loads(rendered("sarif", ALL, Configuration(severity={"SC203": "warning"})))
    first, second = log["runs"][0]["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b.md"
    assert (place["region"]["startLine"], place["region"]["startColumn"], place["region"]["endColumn"]) == (
        3,
        5,
        17,
    )
    assert (first["level"], second["level"]) == ("error", "warning")
    assert second["locations"][0]["logicalLocations"] == [{"name": "cell 7", "kind": "member"}]


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


def test_json_holds_every_finding_and_the_summary():
    data = json.loads(rendered("json", ALL, Configuration()))
    assert len(data["findings"]) == 3 and data["summary"]["differs"] == 2
