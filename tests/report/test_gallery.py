"""The gallery: every file is made by a command of its README, and the commands make the same bytes again."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

_spec = importlib.util.spec_from_file_location("regenerate", Path(__file__).with_name("regenerate.py"))
regenerate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(regenerate)

COMMANDS = regenerate.commands()


def name(command):
    return regenerate.folder(command).removeprefix("reports/")


@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_a_command_makes_the_same_files_again(command, tmp_path):
    kept = regenerate.ROOT / regenerate.folder(command)
    made = regenerate.run(command, tmp_path, executes=False)
    assert [path.name for path in made] == sorted(path.name for path in kept.iterdir())
    for path in made:
        if path.suffix == ".ipynb":
            assert not_run(path) == not_run(kept / path.name)
        elif path.suffix == ".svg":
            assert told(path) == told(kept / path.name)
        elif path.suffix == ".pdf":
            assert path.read_bytes().startswith(b"%PDF")
        else:
            assert path.read_bytes() == (kept / path.name).read_bytes(), path.name


def told(picture):
    """What a picture says: where its lines lie differs by a hair from one matplotlib to the next."""
    return re.findall(r"<text[^>]*>(.*?)</text>", picture.read_text(encoding="utf-8"), re.DOTALL)


def not_run(path):
    """A notebook without what running it has added."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


@pytest.mark.parametrize("command", [each for each in COMMANDS if "--execute" in each], ids=name)
def test_a_notebook_runs_to_the_same_outputs(jupyter, command, tmp_path):
    kept = regenerate.ROOT / regenerate.folder(command)
    (made,) = (path for path in regenerate.run(command, tmp_path) if path.suffix == ".ipynb")
    assert nbformat.read(made, as_version=4) == nbformat.read(kept / made.name, as_version=4)


@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_its_pdf_compiles(pdflatex, command, tmp_path):
    as_pdf = [*command]
    as_pdf[as_pdf.index("--to") + 1] = "pdf"
    (path,) = regenerate.run(as_pdf, tmp_path, executes=False)
    assert path.read_bytes().startswith(b"%PDF")


def test_nothing_else_lies_in_the_gallery():
    folders = {Path(regenerate.folder(command)).name for command in COMMANDS}
    made_elsewhere = {"README.md", "models.md", "published-formulas.md", "codes.md"}
    assert {path.name for path in regenerate.GALLERY.iterdir()} == folders | made_elsewhere
    assert folders
