"""Known models by the names that people give them in a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache

from symcost.check.wordings import Wording, Wordings
from symcost.families import known_models
from symcost.training import derive


@cache
def _names() -> Wordings[str]:
    """What each known model may be called, longer names first; its size may be left out where it tells nothing."""
    names = sorted(known_models(), key=len, reverse=True)
    stems = [name.rpartition("-")[0] for name in names]
    rows = []
    for name, stem in zip(names, stems, strict=True):
        alone = bool(re.search(r"\d", stem)) and stems.count(stem) == 1 and stem not in names
        ways = [re.escape(each).replace(r"\-", r"[-\s]?") for each in ([name, stem] if alone else [name])]
        rows.append((Wording("|".join(ways), re.IGNORECASE), name))
    return Wordings(rows)


def named_model(text: str) -> str | None:
    """The one known model that a text names, or None where it names none or several.

    >>> named_model("For GPT-3 with one sequence"), named_model("Llama-2-7B and Mistral-7B")
    ('gpt-3-175b', None)
    """
    rows = _names().in_(text)
    if not rows:
        return None
    ways = "|".join(f"({wording.pattern})" for wording, _ in rows)
    named = re.finditer(rf"(?<![\w-])(?:{ways})(?![\w-]|\.\d)", text, re.IGNORECASE)
    found = {rows[each.lastindex - 1][1] for each in named if each.lastindex}
    return found.pop() if len(found) == 1 else None


@cache
def numbers_of(name: str) -> Mapping[str, Fraction]:
    """The sizes of a known model, by the glossary's letters."""
    return {letter: Fraction(value) for letter, value in derive(name).numbers.items()}
