"""Model states in words: weights, gradients, moments, a master copy; which of them a number of bytes a parameter is of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from math import prod

from symcost.check.case import Case
from symcost.check.findings import Pair
from symcost.check.literals import literals
from symcost.check.recipes import COPY, GRADIENT, MOMENTS, PARAMETER, RECIPES, element_types
from symcost.check.statements import Statement
from symcost.check.wordings import Wording

# What words name; what comes first takes its words away from what comes later.
_NAMED = tuple(
    (name, Wording(pattern, re.IGNORECASE))
    for name, pattern in (
        (COPY, r"\b(?:fp32 |float32 )?master(?: weights?| cop(?:y|ies)(?: of the weights)?)?\b"),
        (
            MOMENTS,
            r"\bmoments?\b|\bm(?: and|,) v\b|\bmomentum\b|\bvariance\b|\b(?:optimi[sz]er|adamw?) states?\b",
        ),
        (GRADIENT, r"\bgrad(?:ient)?s?\b"),
        (PARAMETER, r"\b(?:weights?|parameters?|params?)\b(?! states)"),
    )
)
_OTHERWISE = Wording(
    r"shard|split|partition|gather|reduc|\bsends?\b|traffic|"
    r"\bper gpu\b|\bzero\b|8-bit|\bactivations?\b|reference|without|\bno\b|\bonly\b|\bema\b"
    r"|\b(?:numbers|values|elements|floats|scalars|entries)\b",
    re.IGNORECASE,
)
_WEIGHTS = re.compile(r"\b(?:weights?|parameters?|params|model|checkpoint)\b|^\W*$", re.IGNORECASE)
_COMPUTED = Wording(r"\bflops?\b|\boperations?\b", re.IGNORECASE)
_FEW = 32  # bytes a parameter; more is a number of parameters, of GPUs or of copies


_EACH = Wording(r"\W{0,3}(?:bytes )?each\b", re.IGNORECASE)  # of what is listed
_ADDED = Wording(
    r"\A\W*(?:bytes?\W+)?(?:and |together )?(?:with|plus|adding|including)\b", re.IGNORECASE
)  # to what the sentence has listed before
_BOTH_MOMENTS = Wording(
    r"\b(?:(?:two|both|Adam(?:'s)?|optimi[sz]er(?:'s)?) moments|m (?:and|,) v)\b", re.IGNORECASE
)
_ONE_EACH = Wording(r"\b(?:each|every|one|first|second)\b", re.IGNORECASE)


_FOR = re.compile(
    r"\W*(?:bytes )?for (?:the|its|their|all|both|two)\b[^,;.:$`]*"
)  # 8N for the two moments, …
_SUMS_UP = Wording(r"\b(?:so|hence|thus|together|altogether|in all|in total|that makes)\W*\Z", re.IGNORECASE)


def state_pair(case: Case, statement: Statement, words: Sequence[str]) -> Pair | None:
    """`8N` for weights and two moments in fp32 is 12N, `4N` bytes for these alone 8N; `7.24e9 × 4 bytes` in 4 bits is half a
    byte each."""
    nearest, wide = (*words[1:3], "", "")[:2]
    around = f"{nearest} {wide}"
    one_of_each = _EACH.match(statement.span.after) is not None
    of_bytes = "byte" in around or not any(map(_COMPUTED.search, words))
    counted = (
        statement.items[0].name is None and of_bytes and not one_of_each and not _OTHERWISE.search(around)
    )
    each = _bytes_each(case, statement) if counted else []
    if not each or (each == [1] and "byte" not in around):  # N numbers of each kind
        return None
    shown = statement.items[0].source.strip()
    before = statement.span.sentence.text[: max(0, statement.span.start - statement.span.sentence.start)]
    added = (before,) if _ADDED.match(nearest) and not _OTHERWISE.search(before) else ()
    behind = _FOR.match(statement.span.after)
    told = _named(behind[0]) if behind is not None else set()
    if not told and _SUMS_UP.search(before) and len(_named(before)) > len(_named(nearest)):
        return None  # it is of all that was listed
    readings = [named for text in (nearest, f"{wide} {nearest}", *added) if len(named := _named(text)) > 1]
    if told and (_named(before) or not _sums(case, told).keys().isdisjoint(each)):
        readings = [told]
    if not readings and "byte" in around and _BOTH_MOMENTS.search(nearest) and not _ONE_EACH.search(around):
        readings = (
            [{MOMENTS}] if _named(around) == {MOMENTS} and each[0] not in _sums(case, {MOMENTS}) else []
        )
    for named in readings:
        sums = _sums(case, named)
        for value in each:
            if value in sums:
                message = f"{value} bytes a parameter for {_listed(named)}, as in {sums[value]}"
                return Pair("holds", "SC102", shown, message=message)
    terms = len(statement.items[0].part.terms)
    several = bool(readings) and terms > len(readings[-1])  # more than are named
    of_one_device = each[0].denominator != 1  # a share of what all have
    if readings and not (several or of_one_device) and (sums := _sums(case, readings[-1])):
        here = case.suppositions.precisions[0]
        right, recipe = next(
            ((total, name) for total, name in sums.items() if name.split()[0] == here), min(sums.items())
        )
        message = f"{each[0]} bytes a parameter, where {_listed(readings[-1])} take {right} in {recipe}"
        return Pair(
            "differs", "SC201", shown, f"{right} bytes a parameter", f"{right - each[0]} bytes", message
        )
    if (
        not readings
        and len(statement.items) > 1
        and len(statement.items[0].part.terms) == 1  # in a sum there is more than the weights
        and not _named(nearest) - {PARAMETER}
        and _WEIGHTS.search(nearest)
    ):
        return _of_precision(each, nearest, shown)
    return None


def _listed(named: set[str]) -> str:
    return ", ".join(name for name, _ in _NAMED if name in named)


def _of_precision(each: Sequence[Fraction], words: str, shown: str) -> Pair | None:
    """Weights alone, where the words name one element type."""
    sizes = list(element_types(words).items())
    if len(sizes) != 1 or len(each) != 1 or each[0] == sizes[0][0]:
        return None
    [(size, name)] = sizes
    factor = max(each[0] / size, size / each[0])
    message = f"{each[0]} bytes a parameter, where {name} has {size}"
    return Pair("differs", "SC204", shown, f"{size} bytes a parameter", f"a factor {factor}", message)


def _bytes_each(case: Case, statement: Statement) -> list[Fraction]:
    """The numbers that may be the bytes of one parameter, in k·N in letters or numbers; all of them together first."""
    item = statement.items[0]
    in_bytes = any(each.unit is not None and "byte" in each.unit.powers for each in statement.items)
    for table in case.tables(item.form) if item.form.free_symbols else ():
        if set(table) == {(("N", 1),)}:
            return [Fraction(value) for value in table.values()]
    numbers = literals(case, item, statement.span.form) if in_bytes else []
    large = [number for number in numbers if number.value >= 10**6]
    small = [number.value**number.power for number in numbers if number.value < 10**6]
    if len(large) != 1 or large[0].power != 1 or not small:
        return []
    together = prod(small, start=Fraction(1))
    return list(dict.fromkeys(value for value in (together, *small) if value <= _FEW))


def _named(words: str) -> set[str]:
    found = set()
    for name, pattern in _NAMED:
        if pattern.search(words):
            found.add(name)
            words = pattern.sub(" ", words)
    return found


def _sums(case: Case, named: set[str]) -> dict[Fraction, str]:
    """What the named states take together, by the recipes that there are; those of a document that is all in fp32."""
    sums: dict[Fraction, str] = {}
    for (optimizer, precision), recipe in RECIPES.items():
        each = recipe.bytes
        if optimizer != "adamw" or (COPY in named and not each[COPY]):
            continue
        if case.suppositions.half is False and precision != "fp32":
            continue
        whole = sum(each[name] for name in named)
        sums.setdefault(Fraction(whole), precision)
        if MOMENTS in named and COPY not in named and each[COPY]:
            sums.setdefault(Fraction(whole + each[COPY]), f"{precision} with the fp32 copy")
    return sums
