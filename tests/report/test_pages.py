"""Pages and Markdown as readers see them: in Chromium, and by the engines of GitHub and GitLab."""

import dataclasses

import pytest

import symcost
from symcost.report import document, write

REPORTS = [
    ("cs190c", {}),
    ("gpt", {"under": "megatron-2022", "notation": "megatron"}),
    ("llama", {"under": "torch-eager"}),
]


@pytest.mark.parametrize(("model", "options"), REPORTS)
def test_a_page_opens_without_a_fault_and_without_the_network(node, chromium, tmp_path, model, options):
    page = tmp_path / "report.html"
    page.write_text(write(document(model, **options), "html"), encoding="utf-8")
    seen = node("browse.js", chromium, page)
    assert (seen["faults"], seen["outside"], seen["wide"]) == ([], [], 0)
    assert seen["formulas"] > 100


def test_a_hostile_name_does_nothing_in_a_browser(node, chromium, tmp_path, hostile):
    page = tmp_path / "report.html"
    page.write_text(
        write(document(dataclasses.replace(symcost.load("cs190c"), name=hostile, source=hostile)), "html"),
        encoding="utf-8",
    )
    seen = node("browse.js", chromium, page)
    assert (seen["faults"], seen["outside"]) == ([], [])


@pytest.mark.parametrize(("model", "options"), REPORTS)
def test_katex_sets_every_formula_of_the_markdown(node, tmp_path, model, options):
    text = write(document(model, **options), "md")
    file = tmp_path / "report.md"
    file.write_text(text, encoding="utf-8")
    seen = node("markdown.js", file)
    assert seen["formulas"] == text.count("$`") + text.count("```math")
    assert (seen["faults"], seen["images"]) == (0, 0)
    assert seen["tables"] == text.count("\n| --- |")
