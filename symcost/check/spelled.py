"""Spelled units: names that say what they are measured in, `tokens_per_sec_per_gpu`, and what their products come out in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache, reduce
from operator import mul

from symcost.check.case import Case
from symcost.check.findings import Pair
from symcost.check.polynomials import summands
from symcost.check.statements import Statement, plain_name
from symcost.check.wordings import Wording
from symcost.notation.units import DIMENSIONS, Unit
from symcost.notation.units import unit as unit_called
from symcost.symbols import GLOSSARY

COUNT = Unit("", Fraction(1), (0,) * len(DIMENSIONS))
_DEVICE = unit_called("GPU")
_OF_EACH = ("peak", "price", "bandwidth", "watts")  # of one device, or of all of them
SLIPS = tuple(Fraction(factor) ** power for factor in (24, 60, 3600, 86400, 1440) for power in (1, -1))
_SAID = {"gpu": "GPU", "gpus": "GPUs", "price": "USD", "cost": "USD", "dollars": "USD", "usd": "USD"}
_ALONE = frozenset({"days", "hours", "seconds", "cost"})  # names of one word that are units
_FOR_ONE = Wording(r"\b(?:one|single|a) (?:GPU|device|chip|card|accelerator)\b", re.IGNORECASE)
_IS = re.compile(r"\b([A-Za-z]\w*)\s+(?:is|=|equals)\s*\W*\Z")
FEWEST = 2  # names with a unit that tell what a product is


def spelled(case: Case, statement: Statement) -> Pair | None:
    """`gpu_hours = days*24*num_gpus`: a product of names with units, in the unit of the name that it is given.

    It differs where a conversion such as 24 is missing or there twice, or the number of devices.
    """
    item = statement.items[-1]
    named = _named(statement)
    unit = _unit(case, named) if named else None
    table = summands(item.part.expr)
    if unit is None or not table or len(table) != 1 or statement.relations not in ([], ["="]):
        return None
    [(monomial, value)] = table.items()
    units = [(_unit(case, name), power) for name, power in monomial]
    known = [each for each, _ in units if each is not None]
    if not FEWEST <= len(units) == len(known) or not any({"s", "USD"} & each.powers.keys() for each in known):
        return None
    made = reduce(mul, (each**power for each, power in units if each is not None))
    apart, shown = made * unit**-1, item.source.strip()
    factor = Fraction(value) / apart.scale
    letters = {case.knowledge.letter(name) for name in (named, *(name for name, _ in monomial))}
    of_each = not letters.isdisjoint(_OF_EACH)
    if "peak" in letters and "MFU" not in letters:
        return None  # nothing runs at its peak
    devices = apart.powers == {"device": 1} or apart.powers == {"device": -1}
    if apart.powers and not devices:
        return None
    words = f"in the units of its names it is {plain_name(named)}"
    of_one = of_each and "n" not in case.letters  # a peak leaves open whether it is of one device or of all
    if factor == 1 and (of_one or not devices):
        return Pair("holds", "SC102", shown, message=words)
    if factor == 1 and not of_each and not _FOR_ONE.search(statement.span.sentence.text):
        of = "all GPUs together" if apart.powers["device"] > 0 else "one GPU alone"
        return Pair("differs", "SC204", shown, message=f"{words} of {of}")
    if devices or factor not in SLIPS:
        return None
    return Pair("differs", "SC204", shown, difference=f"a factor {max(factor, 1 / factor)}",
                message=f"{words} times {factor}")  # fmt: skip


def _named(statement: Statement) -> str:
    """The name that a product is given, on its left or in the words before it: "MFU is …"."""
    first = statement.items[0]
    if len(statement.items) == 2 and first.part.expr.is_Symbol:
        return str(first.part.expr)
    said = _IS.search(statement.span.before) if len(statement.items) == 1 else None
    return said[1] if said is not None else ""


def _unit(case: Case, name: str) -> Unit | None:
    """The unit of a name by its words, else by our letter for it."""
    letter = case.knowledge.letter(name)
    if letter not in _OF_EACH and (spelt := unit_of_name(name)) is not None:
        return spelt
    if letter not in GLOSSARY:
        return None
    said = GLOSSARY[letter].unit
    unit = unit_called(said) if said else COUNT
    return unit * _DEVICE**-1 if unit is not None and letter in _OF_EACH and _DEVICE is not None else unit


@lru_cache(maxsize=1024)
def unit_of_name(name: str) -> Unit | None:
    """The unit that the words of a name spell, qualifiers before it apart.

    >>> unit_of_name("tokens_per_sec_per_gpu").powers, unit_of_name("total_gpu_hours").powers, unit_of_name("hidden_size")
    ({'s': -1, 'token': 1, 'device': -1}, {'s': 1, 'device': 1}, None)
    """
    if "_" not in name and name.lower() not in _ALONE:
        return None
    words = [_SAID.get(word, word) for word in name.lower().split("_")]
    return next(_spellings(words), None)


def _spellings(words: list[str]) -> Iterator[Unit]:
    last = words.index("per") if "per" in words else len(words)
    for first in range(last):
        found = unit_called(" ".join(words[first:]))
        if found is not None:
            yield found
