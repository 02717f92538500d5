"""Dimensions: what a quantity, a letter or a form of letters is measured in, as exponents of base units.

Bytes, FLOPs, seconds, dollars, devices and joules never mix in a sum. Elements, tokens and parameters are
counts: `4·N` may be bytes, since a number can carry bytes for each parameter, so in a sum they do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from operator import mul

from sympy import Expr

from symcost import notation
from symcost.errors import UsageError, nearest
from symcost.notation.units import DIMENSIONS, Unit, unit
from symcost.symbols import GLOSSARY, QUANTITIES

PURE = Unit("a pure number", Fraction(1), (0,) * len(DIMENSIONS))
COUNTS = frozenset({"element", "token", "param"})
OF_ONE_GPU = frozenset({"peak", "price", "watts"})  # letters that the glossary gives for one of n GPUs
DEVICE = unit("GPU")


def unit_of(name: str) -> Unit:
    """The unit of a quantity or letter, or the one that `name` spells. Raises UsageError where it is none.

    >>> spelled(unit_of("training_time")), spelled(unit_of("peak")), spelled(unit_of("GPU-hours"))
    ('s', 'FLOP/s·device', 's·device')
    """
    text = QUANTITIES[name].unit if name in QUANTITIES else GLOSSARY[name].unit if name in GLOSSARY else name
    if not text:
        return PURE
    found = unit(text)
    if found is None:
        known = (
            "GiB",
            "GB",
            "s",
            "h",
            "days",
            "FLOPs",
            "TFLOP/s",
            "USD",
            "GPU-hours",
            "PFLOP-days",
            "kWh",
            "tokens",
        )
        raise UsageError(f"'{text}' is no unit. {nearest(text, known)}")
    return found * DEVICE**-1 if name in OF_ONE_GPU and DEVICE else found


def spelled(measured: Unit) -> str:
    """The base units of a dimension, as in `FLOP/s`; `a number` where it has none."""
    above = [
        name + (f"^{power}" if power > 1 else "") for name, power in measured.powers.items() if power > 0
    ]
    below = [
        name + (f"^{-power}" if power < -1 else "") for name, power in measured.powers.items() if power < 0
    ]
    return "·".join(above or ["1"]) + "/" * bool(below) + "·".join(below) if above or below else "a number"


def dimension_of(form: Expr, units: Callable[[str], Unit] = unit_of) -> Unit:
    """What a form of letters is measured in. `units` tells the unit of a letter, the glossary's if not given.

    Raises UsageError, naming both terms, where a sum adds what does not belong together.

    >>> from symcost.symbols import C, M, T, n, peak
    >>> spelled(dimension_of(C / (n * peak)))
    's'
    >>> dimension_of(M + C)
    Traceback (most recent call last):
    symcost.errors.UsageError: C is in FLOP and M in byte: they cannot be added.
    """
    parts = [dimension_of(part, units) for part in form.args]
    if form.is_Symbol:
        return units(form.name)
    if form.is_Mul:
        return reduce(mul, parts)
    if form.is_Pow:
        if not form.exp.is_Integer and any(parts[0].dimension):
            raise UsageError(
                f"{notation.text(form)}: a root of {spelled(parts[0])} has no dimension. Square both sides."
            )
        return parts[0] ** int(form.exp) if form.exp.is_Integer else PURE
    if not parts:
        return PURE
    first, kind = form.args[0], parts[0]
    for other, found in zip(form.args[1:], parts[1:], strict=True):
        if _physical(found) != _physical(kind):
            raise UsageError(
                f"{notation.text(first)} is in {spelled(kind)} and {notation.text(other)} in "
                f"{spelled(found)}: they cannot be added."
            )
    return kind if all(found.dimension == kind.dimension for found in parts) else _counted(kind)


def _physical(measured: Unit) -> dict[str, int]:
    return {name: power for name, power in measured.powers.items() if name not in COUNTS}


def _counted(measured: Unit) -> Unit:
    """The dimension without its counts, which the numbers of a sum carry."""
    powers = tuple(
        0 if name in COUNTS else power for name, power in zip(DIMENSIONS, measured.dimension, strict=True)
    )
    return Unit(measured.spelling, measured.scale, powers)


def converted(value: int | Fraction, measured: Unit | None, into: str, what: str) -> int | Fraction:
    """An amount in base units of `measured` (None: a bare number) as one in `into`, the unit of `what`.

    Raises UsageError, naming both units, where they measure different things.

    >>> converted(2 * 86400, unit("days"), "s", "training_time")
    172800
    >>> converted(3 * 86400, unit("days"), "GPU-hours", "gpu_hours")
    Traceback (most recent call last):
    symcost.errors.UsageError: gpu_hours is in GPU-hours (s·device), found days (s).
    """
    own = unit_of(into)
    if measured is None:
        return value
    if measured.spelling == "B" and set(own.powers) <= COUNTS:  # what is not counted in bytes: billions
        return value * 10**9
    if not own.measures(measured):
        raise UsageError(f"{what} is in {_named(own, into)}, found {_named(measured, measured.spelling)}.")
    exact = Fraction(value) / own.scale
    return exact.numerator if exact.denominator == 1 else exact


def _named(measured: Unit, spelling: str) -> str:
    base = spelled(measured)
    return spelling if base in (spelling, spelling.rstrip("s")) else f"{spelling} ({base})"
