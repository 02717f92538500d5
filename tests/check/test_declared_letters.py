"""Passages in which 160 imagined authors declare their letters, each in another manner, with what a reader takes from them.

`fixtures/legends.json` was written without sight of the checker. The passages that are called odd are further from how notes
are written: in other languages, in code, in letters to friends.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from symcost.check.annotations import Settings
from symcost.check.documents import Kind, find
from symcost.check.knowledge import read_legend
from symcost.symbols import GLOSSARY

PASSAGES = json.loads((Path(__file__).parent / "fixtures" / "legends.json").read_text(encoding="utf-8"))
KINDS: dict[str, Kind] = {"md": "markdown", "tex": "tex", "txt": "text"}


def taken(passage: dict) -> Counter[str]:
    """How many letters of a passage are taken as their author means them, how many otherwise, how many not at all."""
    knowledge = read_legend(find(passage["text"], KINDS[passage["kind"]]), Settings())
    counts = Counter[str]()
    for name, meant in passage["letters"].items():
        found = knowledge.letter(name)
        letter = found if found in GLOSSARY else ""
        if meant == "global_batch" and "b" not in passage["letters"].values():
            meant = "b"  # there is one batch
        counts["right" if letter == meant else "otherwise" if letter else "not at all"] += 1
    return counts


@pytest.mark.parametrize(("kind", "right", "otherwise"), [("seen", 0.88, 0.06), ("odd", 0.68, 0.13)])
def test_most_letters_are_taken_as_their_authors_mean_them(kind, right, otherwise):
    counts = sum((taken(each) for each in PASSAGES if each["set"] == kind), Counter[str]())
    assert counts["right"] >= right * counts.total()
    assert counts["otherwise"] <= otherwise * counts.total()
