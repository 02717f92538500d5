"""The notebook derives, substitutes and solves with the library; it pastes nothing."""

import ast
import re

import nbformat

from symcost.report import document, report_files, write
from symcost.report.notebook import executed


def cells(made, kind):
    return [
        cell for cell in nbformat.reads(write(made, "ipynb"), as_version=4).cells if cell.cell_type == kind
    ]


def test_a_notebook_is_valid_and_its_cells_have_ids_of_their_own(lecture):
    notebook = nbformat.reads(write(lecture, "ipynb"), as_version=4)
    nbformat.validate(notebook)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells) > 20


def test_its_code_runs_from_top_to_bottom_and_finds_the_lectures_numbers(lecture, capsys):
    found, seen = {}, {}
    for cell in cells(lecture, "code"):
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), found)
        if last is not None:
            seen[cell.source] = str(eval(compile(ast.Expression(last.value), "cell", "eval"), found))
    assert "266,888,192 parameters" in seen['steps(costs["parameters"], numbers)']
    assert "10,460.76 s" in seen['steps(costs["training_time"], numbers)']
    assert found["limit"].floor == 63  # CS190C 2026, lecture 9, part 3
    assert "block.attention" in capsys.readouterr().out


def test_no_result_is_pasted_into_its_words_or_code(lecture):
    """None of the lecture's results stands in a notebook that was not executed."""
    text = write(lecture, "ipynb").replace("_", "").replace("{,}", "").replace(",", "")
    assert not re.search("266888192|336855040|5617631232|1480935201792|10460", text)


def test_forms_and_conventions_asked_for_stand_in_its_call():
    made = document("llama", under="torch-eager", given={"d_ff": "4*d", "b": 2}, optimizer="sgd-momentum")
    call = cells(made, "code")[0].source
    assert (
        "symcost.derive('llama', under='torch-eager', given={'d_ff': '4*d'}, optimizer='sgd-momentum')"
        in call
    )
    assert "numbers = {'b': 2}" in cells(made, "code")[1].source


def test_it_is_executed_on_request_and_carries_no_times(jupyter, tmp_path):
    (path,) = report_files("cs190c", to="ipynb", execute=True, output=tmp_path)
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("266{,}888{,}192" in output.get("data", {}).get("text/latex", "") for output in outputs)
    assert all(not cell.metadata for cell in notebook.cells)
    assert executed(path.read_text(encoding="utf-8")) == path.read_text(encoding="utf-8")
