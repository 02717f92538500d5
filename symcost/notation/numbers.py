"""Exact values as a reader sees them: rounded, grouped by thousands, with their unit."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

from symcost.symbols import KIB

Exact: TypeAlias = int | Fraction
Style: TypeAlias = Literal["text", "latex"]

BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
RATES = ("FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s", "PFLOP/s", "EFLOP/s", "ZFLOP/s")

MINUTE, HOUR, DAY = 60, 3600, 86400

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def grouped(value: int) -> str:
    """A whole number with its thousands apart.

    >>> grouped(266888192)
    '266,888,192'
    """
    return f"{value:,}"


def rounded(value: Exact, digits: int = 4) -> str:
    """`value` with at most `digits` digits after the point, halves away from zero; zeros show a rounding.

    >>> rounded(Fraction(1, 3)), rounded(24), rounded(Fraction(1, 2)), rounded(Fraction(26_999, 10_000), 2)
    ('0.3333', '24', '0.5', '2.70')
    """
    exact = written_out(_exact(value), digits)
    return exact if exact is not None else _fixed(_exact(value), digits)


def written_out(value: Fraction, places: int) -> str | None:
    """`value` written out where at most `places` digits after the point say it exactly, else None.

    >>> written_out(Fraction(5, 4), 2), written_out(Fraction(1, 3), 6)
    ('1.25', None)
    """
    for digits in range(places + 1):
        if 10**digits % value.denominator == 0:
            return _fixed(value, digits)
    return None


def significant(value: Exact, digits: int = 4) -> str:
    """`value` with `digits` significant digits, no more than it needs.

    >>> significant(Fraction(1, 7)), significant(146_912, 3), significant(24)
    ('0.1429', '147,000', '24')
    """
    exact = _exact(value)
    if not exact:
        return "0"
    places = digits - 1 - _magnitude(_to_significant(exact, digits))
    if places >= 0:
        return rounded(exact, places)
    return grouped(int(_to_significant(exact, digits)))


def scientific(value: Exact, digits: int = 4, style: Style = "text") -> str:
    """`value` as a number from 1 to 10 times a power of ten.

    >>> scientific(1_480_787_558_400)
    '1.481 × 10¹²'
    >>> scientific(Fraction(3, 10**6), style="latex")
    '3\\\\times10^{-6}'
    """
    exact = _exact(value)
    if not exact:
        return "0"
    power = _magnitude(_to_significant(exact, digits))
    front = rounded(exact / Fraction(10) ** power, digits - 1)
    if style == "latex":
        return rf"{front}\times10^{power if 0 <= power < 10 else f'{{{power}}}'}"
    return f"{front} × 10{str(power).translate(_SUPERSCRIPTS)}"


def with_unit(value: Exact, unit: str, style: Style = "text", decimal: bool = False, digits: int = 4) -> str:
    """`value` with the unit it is read in; `unit` is one of a quantity's. `decimal` gives GB in place of GiB.

    >>> with_unit(4_270_211_072, "bytes"), with_unit(24 * 10**9, "bytes", decimal=True)
    ('3.977 GiB', '24 GB')
    >>> with_unit(1_480_787_558_400, "FLOPs"), with_unit(142_400 * 10**9, "FLOP/s")
    ('1.481 × 10¹² FLOPs', '142.4 TFLOP/s')
    >>> with_unit(16_779_264, "elements")
    '16,779,264 elements'
    >>> with_unit(Fraction(1_046_076, 100), "s"), with_unit(146_912, "USD"), with_unit(2_690_400, "USD")
    ('10,460.76 s = 2.906 h', '$147,000', '$2.69 million')
    """
    exact = _exact(value)
    if unit == "bytes":
        written = [_prefixed(exact, DECIMAL if decimal else BINARY, 1000 if decimal else KIB, digits)]
    elif unit == "FLOP/s":
        written = [_prefixed(exact, RATES, 1000, digits)]
    elif unit == "s":
        written = _duration(exact, digits)
    elif unit in ("USD", "USD/h"):
        return _money(exact, unit, style)
    elif unit.startswith("FLOPs") and abs(exact) >= 10**6:
        return _joined(scientific(exact, digits, style), unit, style)
    else:
        written = [(rounded(exact, 2), unit)]
    return (" = " if style == "text" else "=").join(_joined(*part, style) for part in written)


def _joined(number: str, unit: str, style: Style) -> str:
    if style == "text":
        return f"{number} {unit}" if unit else number
    number = number.replace(",", "{,}")
    roman = "text" if "-" in unit else "mathrm"  # in \mathrm a hyphen is a minus
    return rf"{number}\,\{roman}{{{unit}}}" if unit else number


def _prefixed(value: Fraction, units: Sequence[str], step: int, digits: int) -> tuple[str, str]:
    """The value in the largest unit that keeps it at least 1, once rounded."""
    at = 0
    while at + 1 < len(units) and _to_significant(abs(value), digits) >= step:
        value, at = value / step, at + 1
    return (rounded(value, 2) if at == 0 else significant(value, digits)), units[at]


def _duration(seconds: Fraction, digits: int) -> list[tuple[str, str]]:
    """Seconds, and what they are in hours or days where there are many."""
    size = abs(seconds)
    if size < 1:
        return [(significant(seconds, digits), "s")]
    written = [(rounded(seconds, 2) if size < 10**6 else _fixed(seconds, 0), "s")]
    if size >= 2 * DAY:
        written.append((significant(seconds / DAY, digits), "days"))
    elif size >= HOUR:
        written.append((significant(seconds / HOUR, digits), "h"))
    elif size >= 10 * MINUTE:
        written.append((significant(seconds / MINUTE, digits), "min"))
    return written


def _money(value: Fraction, unit: str, style: Style) -> str:
    """Dollars: cents below a thousand, three digits above, in words from a million."""
    size = abs(value)
    sign, dollar = "-" if value < 0 else "", "$" if style == "text" else r"\$"
    after = "/h" if unit == "USD/h" else ""
    if size < 1000:
        number, word = rounded(size, 2) if size.denominator == 1 else _fixed(size, 2), ""
    elif _to_significant(size, 3) < 10**6:
        number, word = significant(size, 3), ""
    elif _to_significant(size, 3) < 10**9:
        number, word = significant(size / 10**6, 3), "million"
    else:
        number, word = significant(size / 10**9, 3), "billion"
    return sign + dollar + _joined(number, word, style) + after


def _exact(value: Exact) -> Fraction:
    if isinstance(value, float):
        raise TypeError("a value is an int or a Fraction, not a float")
    return Fraction(value)


def _fixed(value: Fraction, places: int) -> str:
    """Exactly `places` digits after the point, halves away from zero."""
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    front, back = divmod(whole, 10**places)
    sign = "-" if value < 0 and whole else ""
    return f"{sign}{front:,}" + (f".{back:0{places}d}" if places else "")


def _magnitude(value: Fraction) -> int:
    """The power of ten of the first digit of a value that is not zero."""
    size = abs(value)
    power = len(str(size.numerator)) - len(str(size.denominator))
    return power if Fraction(10) ** power <= size else power - 1


def _to_significant(value: Fraction, digits: int) -> Fraction:
    """`value` rounded to `digits` significant digits, halves away from zero."""
    if not value:
        return value
    unit = Fraction(10) ** (_magnitude(value) - digits + 1)
    scaled = abs(value) / unit
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return whole * unit * (-1 if value < 0 else 1)
