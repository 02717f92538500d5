"""Known models by the names that people give them in a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache

from symcost.families import known_models
from symcost.training import derive


@cache
def _names() -> tuple[re.Pattern[str], tuple[str, ...]]:
    """What each known model may be called, in a group of its own; its size may be left out where it tells nothing."""
    names = sorted(known_models(), key=len, reverse=True)
    stems = [name.rpartition("-")[0] for name in names]
    groups = []
    for name, stem in zip(names, stems, strict=True):
        alone = bool(re.search(r"\d", stem)) and stems.count(stem) == 1 and stem not in names
        written = [name, stem] if alone else [name]
        groups.append("|".join(re.escape(each).replace(r"\-", r"[-\s]?") for each in written))
    ways = "|".join(f"({group})" for group in groups)
    return re.compile(rf"(?<![\w-])(?:{ways})(?![\w-]|\.\d)", re.IGNORECASE), tuple(names)


def named_model(text: str) -> str | None:
    """The one known model that a text names, or None where it names none or several.

    >>> named_model("For GPT-3 with one sequence"), named_model("Llama-2-7B and Mistral-7B")
    ('gpt-3-175b', None)
    """
    pattern, names = _names()
    found = {names[each.lastindex - 1] for each in pattern.finditer(text) if each.lastindex}
    return found.pop() if len(found) == 1 else None


@cache
def numbers_of(name: str) -> Mapping[str, Fraction]:
    """The sizes of a known model, by the glossary's letters."""
    return {letter: Fraction(value) for letter, value in derive(name).numbers.items()}
