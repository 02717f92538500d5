"""Wordings: what every match needs is read off the expression, so that nothing is missed by looking for it first."""

import gc
import re
from pathlib import Path

import pytest

import symcost.check.deciding  # noqa: F401  (brings the wordings)
from symcost.check.evidence import sentences
from symcost.check.wordings import Wording

DOCUMENTS = Path(__file__).parent / "documents"


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        (r"\bt(?:ied|ying)\b|\bshared? tables?\b", ("ied", "ying", "share")),
        (r"abc{0,2}de+f", ("ab",)),
        (r"[abc]]d|xy*zoo", ("d", "zoo")),
        (r"(?<!un)gated(?= MLP)", ("gated",)),
        (r"(?:once|twice)? (?P<what>more|less)", ("more", "less")),
        (r"per \(?token\)?", ("token",)),
        (r"\bg\b|gain", ("g", "gain")),
        (r"\bg\b|\d+", ()),
        (r"(?i:GeLU)", ("gelu",)),
        (r"共享|tied", ("共享", "tied")),
    ],
)
def test_what_a_match_needs(pattern: str, needs: tuple[str, ...]) -> None:
    assert Wording(pattern).needs == needs


def test_no_wording_of_the_checker_misses_what_its_expression_finds() -> None:
    wordings = [each for each in gc.get_objects() if type(each) is Wording and each.needs]
    said = [
        sentence
        for name in (
            "01_llama_lecture.md",
            "16_llm_derivation_zh.md",
            "budget_request_3b.md",
            "17_repo_readme.md",
        )
        for sentence in sentences((DOCUMENTS / name).read_text(encoding="utf-8"))
    ]
    assert len(wordings) > 300
    for wording in wordings:
        expression = re.compile(wording.pattern, wording.flags)
        for sentence in said:
            assert (wording.search(sentence) is None) == (expression.search(sentence) is None)
