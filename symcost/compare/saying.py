"""Why two counts differ, in one sentence made from the parts of the difference."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sympy import Expr, Integer, Rational

from symcost.compare.comparison import Comparison, Row
from symcost.tables import tools

HALF, THIRD = Rational(1, 2), Rational(1, 3)
BY_PART: Mapping[Expr, str] = {Rational(3): "{}", Rational(3, 2): "half the {}", Rational(1): "one forward pass of the {}",
                               Rational(2): "two thirds of the {}", HALF: "the scores that flash attention makes again"}  # fmt: skip
WORDS: Mapping[Expr, str] = {
    Integer(0): "not",
    Integer(1): "forward alone",
    Integer(2): "twice its forward FLOPs",
    Integer(3): "forward and backward",
    Integer(4): "forward, backward and forward again (recomputation)",
    Rational(3, 2): "forward and backward, half of it (a causal mask)",
    Rational(7, 2): "forward and backward, scores made again (flash)",
}
MOST_NAMES = 8


def sentence(found: Comparison) -> str:
    """`They are equal but for half the score and value products and the embedding look-up.`"""
    if not found.differing:
        return f"{found.first.name} and {found.second.name} are equal."
    if not any(row.difference == 0 for row in found.rows) and not _counted_in_parts(found):
        return f"They differ in {_listed(_names(found.differing))}."
    return f"They are equal but for {_listed(list(_phrases(found)))}."


def _counted_in_parts(found: Comparison) -> bool:
    return bool(found.first.times or found.second.times)


def _phrases(found: Comparison) -> Iterable[str]:
    """What differs, what differs by the same multiple together."""
    if not _counted_in_parts(found):
        return _names(found.differing)
    groups: dict[str, list[str]] = {}
    for row in found.differing:
        groups.setdefault(_by(row, found), []).append(row.name)
    return [pattern.format(_listed(names)) for pattern, names in groups.items()]


def _by(row: Row, found: Comparison) -> str:
    """The pattern that says by how much of a part the two differ."""
    first, second = times(row, found)
    if row.name not in tools.PRODUCTS or first is None or second is None:
        return "the {}"
    by = abs(first - second)
    if by == HALF and row.name != tools.CORE:
        return f"{by} forward passes of the {{}}"
    if by == 1 and not {first, second} <= {Integer(0), Integer(1), Integer(3), Integer(4)}:
        return "a third of the {}"
    if by == 3:
        return "the {}"
    return BY_PART.get(by, f"{by} times the forward FLOPs of the {{}}")


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
    return f"{found.first.name}: {words[0]}; {found.second.name}: {words[1]}"


def _whose(row: Row, found: Comparison) -> str:
    if row.second == 0:
        return f"only {found.first.name}"
    return f"only {found.second.name}" if row.first == 0 else ""


def _often(part: str, often: Expr | None) -> str:
    if often is None:
        return "in another form"
    if part not in tools.PRODUCTS and often:
        return "as a product" if part in tools.NO_PRODUCTS else f"{often} for each"
    return WORDS.get(often, f"{often} times its forward FLOPs")


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
