"""Why two counts differ, in one sentence made from the parts of the difference."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction

from sympy import Expr, Integer, Rational

from symcost.compare.comparison import Comparison, Row
from symcost.tables import tools

HALF = Rational(1, 2)
WORDS: Mapping[Expr, str] = {
    Integer(0): "not at all",
    Integer(1): "forward alone",
    Integer(3): "forward and backward",
    Integer(4): "forward, backward and forward again (recomputation)",
    Rational(3, 2): "half of forward and backward",
}
CORE_WORDS: Mapping[Expr, str] = {
    **WORDS,
    Rational(3, 2): "half of forward and backward (a causal mask)",
    Rational(7, 2): "forward and backward, scores made again (flash)",
}
MOST_NAMES = 8
SMALL = Fraction(1, 1000)  # of the whole: named together where the numbers are known
LONG = 20  # signs of a name


def sentence(found: Comparison) -> str:
    """`They are equal but for half the score and value products and the embedding look-up.`"""
    names = f"{found.first.name} and {found.second.name}"
    if not found.differing:
        return f"{names} are equal."
    if not found.of_one_model and found.difference == 0:
        return f"They have one form, and differ in their numbers: {_numbers_apart(found)}."
    if not any(row.difference == 0 for row in found.rows) and not _counted_in_parts(found):
        return f"They differ in {_listed(_names(found.differing))}."
    return f"They are equal but for {_listed(list(_phrases(found)))}."


def _numbers_apart(found: Comparison) -> str:
    """`d is 4096 and 5120`, of the letters in the form."""
    one, two = found.first.numbers, found.second.numbers
    letters = {symbol.name for symbol in found.first.total.free_symbols}
    apart = [name for name in one if name in letters and name in two and one[name] != two[name]]
    return ", ".join(f"{name} is {one[name]} and {two[name]}" for name in apart)


def _counted_in_parts(found: Comparison) -> bool:
    return bool(found.first.times or found.second.times)


def _phrases(found: Comparison) -> Iterable[str]:
    """What differs, what differs by the same multiple together."""
    if not _counted_in_parts(found):
        return _names(found.differing)
    sizes = {row: abs(share) for row in found.differing if (share := found.share(row.difference)) is not None}
    told = [row for row in found.differing if sizes.get(row, 1) >= SMALL]
    groups: dict[str, list[str]] = {}
    for row in sorted(told or found.differing, key=lambda row: row.name not in tools.PRODUCTS):
        groups.setdefault(_by(row, found), []).append(row.name)
    phrases = [pattern.format(_listed(names)) for pattern, names in groups.items()]
    return [*phrases, "what is below 0.1 %"] if 0 < len(told) < len(found.differing) else phrases


def _by(row: Row, found: Comparison) -> str:
    """The pattern that says by how much of a part the two differ."""
    first, second = times(row, found)
    if row.name not in tools.PRODUCTS or first is None or second is None:
        return "the {}"
    by = abs(first - second)
    if by == HALF and row.name == tools.CORE:
        return "the scores that flash attention makes again"
    if by in (3, 3 * HALF):
        return "the {}" if by == 3 else "half the {}"
    passes = (
        "one forward pass" if by == 1 else f"{by} of a forward pass" if by < 1 else f"{by} forward passes"
    )
    return f"{passes} of the {{}}"


def times(row: Row, found: Comparison) -> tuple[Expr | None, Expr | None]:
    """How often each side counts the part's forward FLOPs; None where that is no number."""
    both = (found.first.times.get(row.name), row.first), (found.second.times.get(row.name), row.second)
    first, second = (Integer(0) if form == 0 else often for often, form in both)
    return first, second


def why(row: Row, found: Comparison) -> str:
    """What each side does with the part, in words; the tensor's reason where it has one."""
    first, second = times(row, found)
    if row.because or not _counted_in_parts(found):
        return row.because or _whose(row, found)
    words = [_often(row.name, often) for often in (first, second)]
    one, two = _short(found)
    return f"{one}: {words[0]}; {two}: {words[1]}"


def _short(found: Comparison) -> tuple[str, str]:
    """What the sides are called where there is little room."""
    names = found.first.name, found.second.name
    return names if max(map(len, names)) <= LONG else ("first", "second")


def _whose(row: Row, found: Comparison) -> str:
    one, two = _short(found)
    return f"only {one}" if row.second == 0 else f"only {two}" if row.first == 0 else ""


def _often(part: str, often: Expr | None) -> str:
    if often is None:
        return "in another form"
    if part not in tools.PRODUCTS and often:
        return "as a product" if part in tools.NO_PRODUCTS else f"{often} for each"
    return (CORE_WORDS if part == tools.CORE else WORDS).get(often, f"{often} times its forward FLOPs")


def _names(rows: Collection[Row]) -> list[str]:
    """The parts by name, tensors of one name with their places together."""
    places: dict[str, list[str]] = {}
    for row in rows:
        name, _, place = row.name.partition(" (")
        places.setdefault(name, []).append(place.rstrip(")"))
    named = [f"{name} ({', '.join(at)})" if any(at) else name for name, at in places.items()]
    left = len(named) - MOST_NAMES
    return named if left <= 0 else [*named[:MOST_NAMES], f"{left} more"]


def _listed(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
