"""Every example in a docstring is run."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import symcost

HOUSE = Path(__file__).parent.parent / "symcost"


def modules_with_examples() -> list[str]:
    found = []
    for path in sorted(HOUSE.rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(HOUSE.parent).with_suffix("").parts
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_are_true(name):
    module = importlib.import_module(name)
    results = doctest.testmod(module)
    assert results.attempted > 0 and results.failed == 0


@pytest.mark.parametrize("name", ["load", "derive", "solve", "report"])
def test_every_public_function_has_an_example(name):
    """What a newcomer types first."""
    assert ">>> " in (getattr(symcost, name).__doc__ or "")
