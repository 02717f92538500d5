"""The notebooks that teach run from top to bottom and say what stands in them."""

import importlib.util
import os
import re
from pathlib import Path

import nbformat
import pytest

from symcost.report.notebook import executed

BOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
REQUIRED = os.environ.get("SYMCOST_REQUIRE_TOOLS") == "1"
NEEDS = {"5_against_pytorch": ("torch", "pip install 'symcost[measure]'")}


def missing(package, how):
    if importlib.util.find_spec(package) is None:
        (pytest.fail if REQUIRED else pytest.skip)(f"{package} is not installed; {how}")


def said(cell):
    """What a cell shows in words; pictures, and what stands for them, are left out."""
    return "".join(
        output.get("text") or output["data"].get("text/latex") or output["data"].get("text/html")
        or ("" if "image/png" in output["data"] or "image/svg+xml" in output["data"] else output["data"]["text/plain"])
        for output in cell.get("outputs", ())
    )  # fmt: skip


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_outputs_are_those_committed(path):
    for package in ("nbclient", "ipykernel"):
        missing(package, "pip install 'symcost[notebook]'")
    if path.stem in NEEDS:
        missing(*NEEDS[path.stem])
    text = path.read_text(encoding="utf-8")
    before, after = (nbformat.reads(each, as_version=4).cells for each in (text, executed(text)))
    for old, new in zip(before, after, strict=True):
        assert said(new) == said(old), old.source


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_read_in_ten_minutes(path):
    """200 words a minute, and half a minute for each cell of code."""
    cells = nbformat.read(path, as_version=4).cells
    words = sum(len(re.findall(r"\w+", cell.source)) for cell in cells if cell.cell_type == "markdown")
    codes = sum(cell.cell_type == "code" for cell in cells)
    assert words / 200 + codes / 2 <= 10
    assert len(path.read_bytes()) < 300_000


def test_the_notebooks_are_numbered_and_each_has_a_title():
    assert [path.stem[0] for path in BOOKS] == list("12345")
    for path in BOOKS:
        first = nbformat.read(path, as_version=4).cells[0].source
        assert first.startswith(f"# {path.stem[0]}. ")


def test_no_output_is_an_error():
    for path in BOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            assert all(output.output_type != "error" for output in cell.get("outputs", ()))
