"""Settings of a project, comments that silence, and the pages of the codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from symcost.check import CODES, check_text
from symcost.check.codes import PAGES, explained
from symcost.check.configuration import (
    Configuration,
    find_configuration,
    silenced,
    without_comments,
)
from symcost.check.findings import Finding
from symcost.errors import UnknownName, UsageError


def finding(line: int, code: str = "SC202") -> Finding:
    return Finding("a.md", line, 1, line, 4, "x", "differs", code)


def lines_left(text: str, *lines: int) -> list[int]:
    return [each.line for each in silenced(text).without(map(finding, lines))]


@pytest.fixture
def project(tmp_path):
    def write(settings: str):
        (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
        (tmp_path / "docs").mkdir(exist_ok=True)
        return find_configuration(tmp_path / "docs")

    return write


def test_the_nearest_pyproject_upwards_gives_the_settings(project, tmp_path):
    found = project(
        '[tool.symcost]\nmodel = "gpt"\nconvention = "megatron-2022"\ngiven = { b = 4 }\nignore = ["SC302"]'
    )
    assert found.options() == {"model": "gpt", "under": "megatron-2022", "given": {"b": 4}}
    assert found.severity_of("SC302") == "off" and found.folder == tmp_path


def test_a_project_without_a_table_has_no_settings(project):
    assert project("[tool.other]\nx = 1").options() == {}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("[tool.symcost]\nmodle = 'gpt'", "'modle' is not a setting. Did you mean 'model'?"),
        ("[tool.symcost]\nmodel = 3", "expected text for model, found 3"),
        ("[tool.symcost]\nfiles = [3]", "expected a list of patterns for files"),
        ("[tool.symcost]\nignore = ['SC999']", "'SC999' is not a code"),
        ("[tool.symcost.severity]\nSC201 = 'fatal'", "severity of SC201: found 'fatal'"),
        ("[tool]\nsymcost = 3", "expected a table"),
        ("[tool", "expected TOML"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(project, settings, words):
    with pytest.raises(UsageError) as told:
        project(settings)
    assert words in str(told.value) and "\n" not in str(told.value)


def test_a_proven_error_is_an_error_and_a_reading_problem_a_note():
    default = Configuration()
    assert [default.severity_of(code) for code in ("SC201", "SC120", "SC301", "SC101")] == [
        "error",
        "warning",
        "note",
        "off",
    ]


@pytest.mark.parametrize(
    "comment",
    [
        "<!-- symcost: ignore SC202 -->",
        "% symcost: ignore SC202",
        "# symcost: ignore",
        "<!-- symcost: ignore SC101, SC202 -->",
    ],
)
def test_a_comment_behind_a_formula_silences_its_line(comment):
    assert lines_left(f"$a = b$ {comment}\n$a = b$", 1, 2) == [2]


def test_a_comment_on_a_line_of_its_own_silences_the_next_formula_alone():
    assert lines_left("<!-- symcost: ignore -->\n\n$$\na = b\n$$\n\n$a = b$", 4, 7) == [7]


def test_a_comment_for_another_code_silences_nothing():
    assert lines_left("$a = b$ % symcost: ignore SC301", 1) == [1]


def test_a_file_can_be_silenced_as_a_whole_or_for_one_code():
    assert lines_left("text\n<!-- symcost: ignore-file -->", 1, 9) == []
    assert lines_left("% symcost: ignore-file SC301", 1, 9) == [1, 9]


def test_the_words_of_a_comment_are_not_the_documents():
    """`ignore` beside a formula would be read as: what follows is neglected."""
    text = "a $b$ <!-- symcost: ignore --> c"
    assert without_comments(text) == "a $b$" + " " * 26 + "c" and len(without_comments(text)) == len(text)


def test_every_code_has_a_page():
    assert set(PAGES) == set(CODES)
    assert all(page.meaning and page.mend for page in PAGES.values())


@pytest.mark.parametrize("code", [code for code, page in PAGES.items() if page.example])
def test_the_example_of_a_page_gives_its_code(code):
    assert code in {each.code for each in check_text(PAGES[code].example, "example.md")}


def test_the_pages_of_all_codes_are_those_that_are_kept():
    """`symcost check --explain all > reports/codes.md` writes them again."""
    kept = (Path(__file__).parents[2] / "reports" / "codes.md").read_text(encoding="utf-8")
    assert kept == f"{explained('all')}\n" and all(f"## {code}\n" in kept for code in CODES)


def test_an_unknown_code_is_told_with_the_nearest():
    with pytest.raises(UnknownName, match="SC20"):
        explained("SC209")
