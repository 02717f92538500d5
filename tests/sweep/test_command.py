"""`--sweep` and `--output` of `derive` and `solve` as people type them."""

import csv
import json

import pytest

from symcost.cli import main

GIVEN = "d=1024,h=16,L=12,v=32000"
MEMORY = ("derive", "cs190c", "peak_memory", "--given", GIVEN)
LIMIT = ("solve", "cs190c", "--for", "b", "--gpu", "rtx-3090", "--given", GIVEN)


@pytest.fixture
def run(capsys):
    """Runs one command: its exit status, what it printed, and its complaint."""

    def command(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        printed = capsys.readouterr()
        return stop.value.code, printed.out, printed.err

    return command


def test_a_table_has_a_row_for_each_combination(run):
    status, out, err = run(*MEMORY, "--sweep", "c=256:512:x2", "--sweep", "b=1:2")
    head, *rows = out.splitlines()
    assert (status, err, head.split()) == (0, "", ["c", "b", "peak_memory", "(bytes)"])
    assert [row.split()[:2] for row in rows] == [["256", "1"], ["256", "2"], ["512", "1"], ["512", "2"]]


def test_json_has_exact_numbers(run):
    _, out, _ = run(*MEMORY, "--sweep", "c=256:512:x2", "--sweep", "b=63,64", "--format", "json")
    data = json.loads(out)
    assert data["units"] == {"peak_memory": "bytes"}
    fits = [row["peak_memory"] <= 24 * 2**30 for row in data["rows"] if row["c"] == 256]
    assert fits == [True, False]  # CS190C lecture 9, part 3: 63 sequences


def test_markdown_is_a_table(run):
    _, out, _ = run(*MEMORY, "--sweep", "c=256:512:x2", "--sweep", "b=1:1", "--format", "markdown")
    assert out.startswith("| c | b | peak_memory (bytes) |\n| ---: | ---: | ---: |\n| 256 | 1 |")


def test_a_csv_file_takes_any_number_of_rows(run, tmp_path):
    path = tmp_path / "memory.csv"
    status, out, _ = run(*MEMORY, "--sweep", "c=1:200", "--sweep", "b=1:60", "--output", str(path))
    assert (status, out) == (0, f"{path}: 12,000 rows\n")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12_000 and rows[-1]["c"] == "200" and rows[-1]["b"] == "60"


def test_a_sweep_of_limits_gives_the_curve_as_well(run):
    status, out, _ = run(*LIMIT, "--sweep", "c=256:1024:x2")
    assert status == 0 and out.startswith("b = ")
    assert [row.split()[:2] for row in out.splitlines()[3:]] == [
        ["256", "63"],
        ["512", "27"],
        ["1,024", "11"],
    ]


def test_limits_may_be_swept_over_two_letters_and_written(run, tmp_path):
    path = tmp_path / "limits.csv"
    given = GIVEN.replace(",L=12", "")
    run("solve", "cs190c", "--for", "b", "--gpu", "rtx-3090", "--given", given, "--sweep", "c=256,512", "--sweep", "L=6,12",
        "--output", str(path))  # fmt: skip
    with path.open(encoding="utf-8") as file:
        rows = {(row["c"], row["L"]): row["b"] for row in csv.DictReader(file)}
    assert rows["256", "12"] == "63" and len(rows) == 4


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("--sweep", "b=1:2"), "c has no number. Give it as in --given c=…, or sweep it as well"),
        (("--sweep", "c=1:9", "--sweep", "b=2:1"), "expected a rising range"),
        (("--sweep", "c=1:9", "--sweep", "b=1:2", "--given", "b=3"), "b is swept and given as 3. Leave out one"),
        (("--sweep", "c=1:9", "--sweep", "c=1:2"), "c is swept twice"),
        (("--sweep", "c=1:999", "--sweep", "b=1:99"), "at most 10,000 points to print, found 98,901"),
        (("--sweep", "c=1:9", "--sweep", "b=1:2", "--output", "x.txt"), "expected a file that ends in .csv or .parquet"),
        (("--sweep", "c=1:10**9", "--sweep", "b=1:10**8", "--output", "x.csv"), "rows of 3 columns take about"),
        (("--output", "x.csv"), "--output: expected a sweep to write, found none"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_one_line_and_status_2(run, arguments, answer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*MEMORY, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("symcost: ") and answer in err
    assert not list(tmp_path.iterdir())


def test_a_sweep_names_its_quantities(run):
    _, _, err = run("derive", "cs190c", "--sweep", "c=1:2")
    assert "expected the quantities to sweep, found none. Name them, as in peak_memory" in err
