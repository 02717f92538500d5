"""Many documents, hostile ones among them: each ends in a finding or one line, and the others are still checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from symcost.check import working
from symcost.check.corpus import report
from symcost.check.fixing import fixed
from symcost.check.working import MOST_SIGNS, Options, Task, check_all, check_document, guard
from symcost.cli import commands
from symcost.errors import UsageError
from symcost.report import FORMATS

ROOT = Path(__file__).parent.parent.parent
SLIP = (
    "Let $b$=`batch_size`, $c$=`seq_len`, $d$=`d_model`. The forward FLOPs of the attention layer are ${}$."
)
RIGHT, WRONG = SLIP.format("8bcd^2+4bc^2d"), SLIP.format("8bcd^2+4bcd")


def run(*arguments: str, stdin: str | bytes = ""):
    return CliRunner().invoke(commands, ["check", *arguments], input=stdin, standalone_mode=False)


HOSTILE = {
    "a long line": ("a.md", "a" * 3_000_000),
    "NUL": ("a.md", "Let $b$\0 be $12*24=298$."),
    "braces": ("a.md", "$" + "{" * 100_000 + "}" * 100_000 + "$"),
    "brackets": ("a.md", "$" + "(" * 60_000 + "1" + ")" * 60_000 + "$"),
    "links": ("a.md", "[" * 100_000),
    "quotes": ("a.md", ">" * 50_000 + " $3+4=8$"),
    "lists": ("a.md", "\n".join(" " * depth + "- x" for depth in range(400))),
    "powers": ("a.md", "$9^{9^{9^{9^9}}}$, $10^{10^{10}} = 5$, $2^{100000000}=3$, `9**9**9**9`"),
    "products": ("a.md", "$" + "(" * 50 + "a+b" + ")^9" * 50 + "=1$"),
    "sums": ("a.md", "$(" + "+".join(f"a_{{{number}}}" for number in range(3000)) + ")^{12} = 1$"),
    "digits": ("a.md", "$" + "9" * 100_000 + " = 1$"),
    "scripts": ("a.md", r"$</script><img src=x> = 3$ `</script>` $\write18{rm -rf /}$ $\input{/etc/passwd}$"),
    "YAML": ("a.md", f"---\na: &a [x,x]\n{'b: &a [*a,*a]' * 99}\nx: !!python/object/apply:os.system [x]\n---\n$3+4=8$"),
    "dollars": ("a.md", "$ " * 200_000),
    "blank lines": ("a.md", "\n" * 4_000_000),
    "old line ends": ("a.md", "\r" * 4_000_000),
    "directives": ("a.rst", ".. math::\n" * 50_000),
    "backticks": ("a.md", "`" * 100_000),
    "comments": ("a.md", "<!--" * 25_000),
    "a table": ("a.md", ("|" + "a|" * 20_000 + "\n|" + "-|" * 20_000 + "\n") * 2),
    "equations": ("a.md", "$" + "=1" * 30_000 + "$"),
    "fractions": ("a.md", r"$" + r"\frac{1}{" * 5000 + "2" + "}" * 5000 + "$"),
    "environments": ("a.tex", r"\begin{align}" * 50_000),
    "commands": ("a.tex", r"\def\a{\b\b\b\b}\def\b{\c\c\c\c}\def\c{\a\a\a}" + r"$\a$" * 5_000),
    "inputs": ("a.tex", r"\input{a}\input{/etc/passwd}\input{../../x}"),
    "a notebook": ("a.ipynb", '{"cells": [' + "[" * 100_000),
    "Python": ("a.py", "x=" + "(" * 50_000),
    "a corpus": ("a.toml", "[[claim]]\na=" + "[" * 50_000),
    "a corpus of keys": ("a.toml", "[[claim]]\na" + ".a" * 50_000 + "=1"),
    "accents": ("a.md", "$" + "\u0301" * 100_000 + " = 1$ \u202e"),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _derived_once():
    check_document(Task("a.md", RIGHT), Options())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_ends_in_findings_or_one_line(name):
    file, text = HOSTILE[name]
    found = check_document(Task(file, text), Options())
    assert "fault of symcost" not in found.error and "\n" not in found.error
    assert found.error or all(finding.line >= 1 and finding.column >= 1 for finding in found.findings)


def test_the_documents_beside_a_hostile_one_are_still_checked(tmp_path):
    tasks = [
        Task("a.md", WRONG),
        Task(str(tmp_path / "gone.md")),
        Task("b.md", "$ " * 200_000),
        Task("c.md", WRONG),
    ]
    found = list(check_all(tasks, Options(), jobs=2))
    assert [bool(each.error) for each in found] == [False, True, True, False]
    assert (
        found[0].findings.summary == found[3].findings.summary and found[0].findings.summary["differs"] == 1
    )


def test_the_answers_are_the_same_and_in_order_for_any_number_of_jobs():
    tasks = [Task(f"{number}.md", (WRONG, RIGHT, "no formula")[number % 3]) for number in range(12)]
    one, three = (list(check_all(tasks, Options(), jobs=jobs)) for jobs in (1, 3))
    assert one == three and [each.name for each in one] == [task.name for task in tasks]


@pytest.mark.skipif(
    sys.platform != "linux", reason="workers are forked, so that they take over what is changed here"
)
def test_a_worker_that_takes_too_long_is_replaced(monkeypatch):
    monkeypatch.setattr(
        working,
        "check_document",
        lambda task, options: time.sleep(60 if task.name == "slow.md" else 0) or working.Checked(task.name),
    )
    found = list(check_all([Task("a.md"), Task("slow.md"), Task("b.md")], Options(), seconds=1))
    assert [each.error for each in found] == [
        "",
        "slow.md: expected to take at most 1 s, found more. Split the document.",
        "",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="only there is the address space limited for certain")
def test_a_worker_that_takes_too_much_memory_says_so_and_goes_on(monkeypatch):
    whole = working.checked
    monkeypatch.setattr(
        working,
        "checked",
        lambda task, options: len(bytes(2**31)) if task.name == "large.md" else whole(task, options),
    )
    found = list(check_all([Task("large.md", ""), Task("b.md", WRONG)], Options()))
    assert (
        "expected to need at most 1,024 MiB" in found[0].error and found[1].findings.summary["differs"] == 1
    )


@pytest.mark.skipif(sys.platform != "linux", reason="as above")
def test_a_worker_that_dies_is_replaced(monkeypatch):
    monkeypatch.setattr(
        working,
        "check_document",
        lambda task, options: os._exit(9) if task.name == "x.md" else working.Checked(task.name),
    )
    found = list(check_all([Task("x.md"), Task("b.md")], Options()))
    assert found[0].error and not found[1].error


# --------------------------------------------------------------------------------------- the command line


def test_standard_input_is_read_as_markdown():
    answer = run("-", stdin=WRONG)
    assert answer.return_value == 1 and "-:1:" in answer.stdout and "SC201" in answer.stdout


def test_the_exit_status_says_whether_a_formula_differs_or_a_file_could_not_be_read(tmp_path):
    (tmp_path / "right.md").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "wrong.md").write_text(WRONG, encoding="utf-8")
    assert run(str(tmp_path / "right.md")).return_value == 0
    assert run(str(tmp_path)).return_value == 1
    assert run(str(tmp_path / "gone.md")).stdout == ""  # and not that no formula was found
    (tmp_path / "empty.md").touch()
    assert run(str(tmp_path / "empty.md")).stdout.endswith(
        "empty.md: expected formulas between dollars, in code or in plain text, such as $12d^2$, found none. Name a document "
        "that has some.\n"
    )
    answer = run(str(tmp_path), str(tmp_path / "gone.md"))
    assert answer.return_value == 2 and "found no such file" in answer.stderr and "SC201" in answer.stdout


def test_a_corpus_is_checked_like_a_document():
    answer = run(str(ROOT / "formulas" / "lora-2021.toml"), "--format", "json")
    assert json.loads(answer.stdout)["summary"]["holds"] >= 2 and answer.return_value == 0


def test_a_project_can_turn_a_code_off(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.symcost]\nignore = ["SC201"]\n', encoding="utf-8")
    (tmp_path / "wrong.md").write_text(WRONG, encoding="utf-8")
    assert run(str(tmp_path)).return_value == 0


def test_a_baseline_leaves_only_what_is_new(tmp_path):
    note, accepted = tmp_path / "note.md", str(tmp_path / "accepted.json")
    note.write_text(WRONG, encoding="utf-8")
    assert run(str(note), "--write-baseline", accepted).return_value == 0
    assert run(str(note), "--baseline", accepted).return_value == 0
    note.write_text(f"{WRONG}\n\nThen $12 \\times 24 = 298$.", encoding="utf-8")
    answer = run(str(note), "--baseline", accepted)
    assert answer.return_value == 1 and "SC203" in answer.stdout and "SC201" not in answer.stdout


def test_a_diff_shows_the_fix_and_writes_nothing_and_a_fix_writes_it(tmp_path):
    note = tmp_path / "note.md"
    note.write_text(WRONG, encoding="utf-8")
    shown = run(str(note), "--diff").stdout
    assert f"-{WRONG}" in shown and f"+{RIGHT}" in shown
    assert note.read_text(encoding="utf-8") == WRONG
    assert run(str(note), "--fix").return_value == 0
    assert note.read_text(encoding="utf-8") == RIGHT


def test_standard_input_is_fixed_into_standard_output_and_what_is_left_is_told_beside_it():
    slip = "\n\nThen $12 \\times 24 = 298$."
    answer = run("-", "--fix", stdin=WRONG + slip)
    assert answer.stdout == RIGHT + slip
    assert "SC203" in answer.stderr and "SC201" not in answer.stderr and answer.return_value == 1
    assert run("-", "--fix", stdin=RIGHT).stdout == RIGHT


def test_a_fix_is_held_against_the_forms_that_are_given():
    assert run("-", "--fix", "--given", "d_ff=4*d,b=2", stdin=WRONG).stdout == RIGHT


def test_what_a_comment_silences_is_not_fixed():
    text = f"{WRONG} <!-- symcost: ignore SC201 -->"
    assert fixed(text, "a.md", {}) == (text, 0)


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        SLIP.format(r"\approx 8bcd^2"),
        SLIP.format("8bcd^2+2bc^2d+17q"),
        "Then $3d^2 = 2d*2d$.",
        "no formula",
        "$ $ \\frac{",
    ],
)
def test_what_is_right_approximate_or_uncertain_is_never_fixed(text):
    assert fixed(text, "a.md", {}) == (text, 0)


def test_a_fix_keeps_the_documents_own_letters():
    text = "Let $B$=`batch_size`, $T$=`seq_len`, $D$=`d_model`. The forward FLOPs of the attention layer are $8BTD^2+4BTD$."
    assert fixed(text, "a.md", {}) == (text.replace("4BTD", "4BT^2D"), 1)


@pytest.mark.parametrize(
    "ending", [each.suffix for each in FORMATS.values() if each.name not in ("pdf", "ipynb")]
)
def test_a_report_of_documents_shows_what_differs_and_quotes_the_line(tmp_path, ending):
    (tmp_path / "notes.md").write_text(f"{WRONG} Mind the gap.", encoding="utf-8")
    (tmp_path / "latin.md").write_bytes(b"caf\xe9")
    out = tmp_path / "out" / f"report{ending}"
    run(str(tmp_path), "--report", str(out))
    written = out.read_text(encoding="utf-8").replace("\\", "")
    for words in ("What differs", "SC201", "Mind the gap", "found other bytes at 3"):
        assert words in written


def test_the_report_of_a_corpus_is_its_table(tmp_path):
    out = tmp_path / "published.md"
    (tmp_path / "lora.toml").write_bytes((ROOT / "formulas" / "lora-2021.toml").read_bytes())
    run(str(tmp_path), "--report", str(out))
    assert out.read_text(encoding="utf-8") == report(tmp_path)


def test_a_code_is_explained():
    answer = run("--explain", "sc201")
    assert answer.stdout.startswith("SC201  differs") and answer.return_value == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-", "--model", "nonsense"],
        ["-", "--under", "nonsense"],
        ["-", "--notation", "x"],
        ["-", "--report", "x.xyz"],
        ["--explain", "SC9"],
    ],
)
def test_a_wrong_call_is_told_before_anything_is_read(arguments):
    answer = subprocess.run(
        [sys.executable, "-m", "symcost", "check", *arguments],
        input="",
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert answer.returncode == 2 and answer.stderr.count("\n") == 1 and "Traceback" not in answer.stderr


def test_a_short_run_of_the_fuzz_script_finds_nothing():
    answer = subprocess.run([sys.executable, str(ROOT / "tests" / "fuzz.py"), "3000", "11"], capture_output=True, text=True,
                            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert answer.returncode == 0, answer.stdout


def test_a_long_document_may_hold_as_many_formulas_as_a_short_one_for_its_length():
    lecture = (Path(__file__).parent / "documents" / "lecture_swiglu.md").read_text(encoding="utf-8")
    assert lecture.count("$") * 300 > MOST_SIGNS
    guard(lecture * 300, "long.md")


@pytest.mark.parametrize("sign, what", [("$x$", "signs"), ("|", "cells")])
def test_a_document_of_nothing_but_signs_is_refused(sign, what):
    with pytest.raises(UsageError, match=what):
        guard(f"{sign}\n" * 60_000, "signs.md")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_folder_of_hostile_files_ends_in_a_line_for_each_and_the_others_are_checked(tmp_path):
    """On the command line: what the walk finds, what workers read, and nothing that a document says is done."""
    pwned = tmp_path / "pwned"
    bomb = "".join(f"a{at}: &a{at} [{','.join([f'*a{at - 1}'] * 9)}]\n" for at in range(1, 20))
    documents = {
        "braces.md": "$" + "{\n" * 30_000 + "}\n" * 30_000 + "$",
        "long.md": "a" * 50_000_000,
        "run.tex": rf"$\immediate\write18{{touch {pwned}}} 12 \times 24 = 288$",
        "yaml.md": f"---\na0: &a0 [x]\n{bomb}---\n{WRONG}",
        "yaml tag.md": f"---\nx: !!python/object/apply:os.system [touch {pwned}]\n---\n{WRONG}",
        "</script>.md".replace("/", "∕"): f"`</script>` {WRONG}",
        "zero.md": f"\0{WRONG}",
    }
    for name, text in documents.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "latin.md").write_bytes(b"caf\xe9")
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    os.mkfifo(tmp_path / "pipe.md")

    answer = run(str(tmp_path), "--format", "json")
    found = {
        Path(each["file"]).name for each in json.loads(answer.stdout)["findings"] if each["code"] == "SC201"
    }
    assert found == {name for name, text in documents.items() if WRONG in text}
    refused = [line.split(": ")[1].removeprefix(f"{tmp_path}/") for line in answer.stderr.splitlines()]
    assert refused == ["braces.md", "gone.md", "latin.md", "long.md", "loop.md", "pipe.md"]
    assert answer.return_value == 2 and not pwned.exists()


def test_the_command_itself_loads_no_sympy_where_a_worker_does():
    program = """
import sys
from importlib import import_module
for room in ("symcost.cli.check", "symcost.check.configuration", "symcost.check.formats", "symcost.check.working"):
    import_module(room)
assert "sympy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
