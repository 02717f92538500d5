"""Numbers as documents print them: whether an exact value rounds, cuts off or comes near to what stands there."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from symcost.notation.numbers import rounded, scientific
from symcost.notation.tokens import PrintedNumber
from symcost.notation.units import Unit

NEAR = Fraction(2, 100)  # what "about" and ≈ allow
DECADE = Fraction(23, 10)  # the logarithm of ten
FINE = 6  # from so many digits on, one in the last place is a matter of the tool that computed it

SECONDS = {"s": 1, "min": 60, "h": 3600, "days": 86400, "years": 31_536_000}
BINARY = {10**3: 2**10, 10**6: 2**20, 10**9: 2**30, 10**12: 2**40, 10**15: 2**50}

# Factors that turn a right number into a familiar wrong one.
SLIPS: tuple[tuple[Fraction, str], ...] = (
    (Fraction(3600), "3600 s/h is missing"),
    (Fraction(1, 3600), "3600 s/h is there once too often"),
    (Fraction(86400), "86400 s/day is missing"),
    (Fraction(1, 86400), "86400 s/day is there once too often"),
    (Fraction(24), "24 h/day is missing"),
    (Fraction(1, 24), "24 h/day is there once too often"),
    (Fraction(3), "the factor 3 of forward and backward together is missing or doubled"),
    (Fraction(1, 3), "the factor 3 of forward and backward together is missing"),
    (Fraction(2), "a factor 2 too much"),
    (Fraction(1, 2), "a factor 2 is missing"),
    (Fraction(4), "a factor 4 too much"),
    (Fraction(1, 4), "a factor 4 is missing"),
    (Fraction(8), "bits for bytes"),
    (Fraction(1, 8), "a factor 8 is missing"),
)


@dataclass(frozen=True)
class Match:
    """Whether a printed number holds, and what is worth saying of it."""

    holds: bool
    remark: str = ""
    depends: bool = False


def significant_step(printed: PrintedNumber) -> Fraction:
    """What one unit of the last digit that says something is worth: 1200 says hundreds, 1201 ones, 12.0 tenths.

    >>> significant_step(PrintedNumber("1200")), significant_step(PrintedNumber("12.0"))
    (Fraction(100, 1), Fraction(1, 10))
    """
    digits = printed.digits.lstrip("-")
    if "." in digits:
        return printed.step
    zeros = len(digits) - len(digits.rstrip("0"))
    return abs(printed.scale) * 10**zeros if digits.rstrip("0") else abs(printed.scale)


def odds(printed: PrintedNumber, about: bool = False, *, to_the_last: bool = False) -> Fraction:
    """How often a number of about that size is taken for the one printed by accident.

    `to_the_last` asks for one that comes to every digit printed, the zeros at the end too: 60 for 59.97.

    >>> [round(float(odds(PrintedNumber(digits))), 4) for digits in ("3.7", "3.71")]
    [0.0176, 0.0018]
    >>> [round(float(odds(PrintedNumber("60"), to_the_last=way)), 4) for way in (False, True)]
    [0.1087, 0.0072]
    """
    width = significant_step(printed) * 3 / 2 / abs(printed.value)
    if to_the_last:
        return printed.step / abs(printed.value) / DECADE
    return max(width, 2 * NEAR if about else width) / DECADE


def to_the_last(exact: Fraction, printed: PrintedNumber, unit: Unit | None) -> bool:
    """Whether `exact`, in base units, rounds to every digit that is printed, the zeros at its end too."""
    value, _, fine = _in_base_units(printed, unit.scale if unit is not None else Fraction(1))
    return abs(exact - value) * 2 <= fine


def compare(exact: Fraction, printed: PrintedNumber, unit: Unit | None, about: bool) -> Match:
    """Whether `exact`, in base units, is what is printed in `unit`, by rounding or cutting off its digits."""
    value, step, fine = _in_base_units(printed, unit.scale if unit is not None else Fraction(1))
    off = abs(exact - value)
    if not off:
        return Match(True)
    if off * 2 <= step:
        return Match(True, "rounded")
    if off <= step:
        if value in (_cut(exact, fine), _cut(exact, step)):
            return Match(True, "cut off, not rounded")
        if printed.significant >= FINE and off <= fine:
            return Match(True, "but for one in the last digit printed")
    if about and exact and off <= NEAR * abs(exact):
        return Match(True, "about, within two per cent")
    return Match(False)


@lru_cache(maxsize=1024)
def _in_base_units(printed: PrintedNumber, scale: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """A printed number, what one unit of its last digit that says something is worth, and of its last digit."""
    return printed.value * scale, significant_step(printed) * scale, printed.step * scale


def _cut(exact: Fraction, step: Fraction) -> Fraction:
    return Fraction(exact // step) * step if exact >= 0 else -(Fraction(-exact // step) * step)


def binary(exact: Fraction, printed: PrintedNumber, unit: Unit | None) -> str | None:
    """The binary unit that the document means where its decimal one is wrong, or None; and the other way round."""
    if compare(exact, printed, unit, False).holds:
        return None
    if unit is None:
        if (
            printed.scale in (10**6, 10**9)
            and compare(exact / BINARY[int(printed.scale)], PrintedNumber(printed.digits), None, False).holds
        ):
            return f"2^{BINARY[int(printed.scale)].bit_length() - 1}"
        return None
    scale = int(unit.scale) if unit.scale.denominator == 1 else 0
    if scale in BINARY and "byte" in unit.powers:
        meant = Unit(unit.spelling, Fraction(BINARY[scale]), unit.dimension)
        if compare(exact, printed, meant, False).holds:
            return unit.spelling[:-1] + "iB" if unit.spelling.endswith("B") else unit.spelling
    for decimal, power in BINARY.items():
        if (
            scale == power
            and compare(exact, printed, Unit(unit.spelling, Fraction(decimal), unit.dimension), False).holds
        ):
            return unit.spelling.replace("i", "")
    return None


def slip(exact: Fraction, value: Fraction) -> str:
    """The familiar slip that leads from the exact number to the printed one, or nothing."""
    if not exact or not value:
        return ""
    for factor, words in SLIPS:
        if abs(value * factor / exact - 1) <= Fraction(1, 100):
            return words
    ratio = value / exact
    for power in (3, 6, 9, 12, -3, -6, -9, -12, 1, -1, 2, -2):
        if abs(ratio / Fraction(10) ** power - 1) <= Fraction(1, 100):
            return f"a power of ten: 10^{power} too {'much' if power > 0 else 'little'}"
    return ""


def number(value: Fraction, unit: Unit | None) -> str:
    """A number as a message shows it."""
    large = abs(value) >= 10**7 or 0 < abs(value) < Fraction(1, 100)
    shown = scientific(value, 4) if large else rounded(value, 2)
    return f"{shown} {unit.spelling}" if unit is not None else shown
