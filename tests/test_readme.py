"""The README: its first two commands are the whole way in, and what it says is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symcost.check.formats import WRITERS
from symcost.check.walking import DOCUMENTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def test_it_begins_with_one_sentence_then_the_two_commands():
    title, sentence, *_ = (part for part in README.split("\n\n") if part.strip())
    assert title == "# symcost"
    assert sentence.count(". ") == 0 and sentence.endswith(".")
    assert [kind for kind, _ in BLOCKS[:2]] == ["sh", "sh"]
    assert all(len(body.strip().splitlines()) == 1 for _, body in BLOCKS[:2]), (
        "each is one line, enough by itself"
    )


@pytest.mark.parametrize("block", [0, 1])
def test_a_command_makes_its_own_environment_and_needs_only_python(block):
    command = BLOCKS[block][1].strip()
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install")
    used = re.findall(r"(?:^|&& )(\S+)", command)
    assert all(program == "python3" or program.startswith(".venv/bin/") for program in used)


def test_the_first_command_writes_the_lectures_report():
    assert "symcost report cs190c" in BLOCKS[0][1]


def test_the_second_command_runs_the_tests_without_pytorch():
    assert "[test]" in BLOCKS[1][1] and "-m pytest" in BLOCKS[1][1] and "measure" not in BLOCKS[1][1]


def test_windows_has_the_same_two_commands():
    [windows] = [body for kind, body in BLOCKS if kind == "bat"]

    def neutral(command: str) -> str:
        command = command.replace("\\", "/").replace(".venv/Scripts/", ".venv/bin/").replace("'", "")
        return command.replace("py -m venv", "python3 -m venv")

    assert [neutral(line) for line in windows.strip().splitlines()] == [
        neutral(body.strip()) for _, body in BLOCKS[:2]
    ]


def test_the_check_before_a_change_lands_calls_the_readmes_command_then_lint_format_and_types():
    """`.ci/run` reads the command from the README, so that the two cannot drift apart."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    reads = re.search(r"grep -m 1 -- '(-m pytest)' README\.md", script)
    assert reads is not None
    [first, *_] = [line for line in README.splitlines() if reads[1] in line]
    assert first == BLOCKS[1][1].strip()
    after = script[reads.end() :]
    places = [after.index(step) for step in ("ruff check .", "ruff format --check .", "mypy")]
    assert places == sorted(places)


def test_the_package_says_that_it_is_typed_and_under_which_licence():
    assert (ROOT / "symcost" / "py.typed").exists()
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").strip()
    assert (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").startswith("# Changelog")


def test_the_hook_and_the_step_that_it_recommends_are_there():
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    recipes = "".join(body for kind, body in BLOCKS if kind == "yaml")
    [hook] = re.findall(r"hooks: \[\{id: ([\w-]+)\}\]", recipes)
    assert re.search(rf"^- id: {hook}$", hooks, re.MULTILINE)
    [files] = re.findall(r"^  files: (.*)$", hooks, re.MULTILINE)
    assert all(re.search(files, f"a{ending}") for ending in DOCUMENTS)
    assert set(re.findall(r"--format (\w+)", recipes)) <= set(WRITERS)
