"""Values as a reader sees them: rounding, prefixes and units, all by exact arithmetic."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symcost.notation.numbers import grouped, rounded, scientific, significant, with_unit
from symcost.symbols import GB, GIB, KIB, MIB

fractions = st.fractions(min_value=-(10**15), max_value=10**15, max_denominator=10**9)


def exact_decimal(value: Fraction, digits: int) -> Decimal:
    """The same rounding by Python's decimal arithmetic, with far more digits than needed."""
    with localcontext() as context:
        context.prec = 80
        quotient = Decimal(value.numerator) / Decimal(value.denominator)
        return quotient.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


@given(fractions, st.integers(0, 6))
def test_rounding_agrees_with_decimal_arithmetic(value, digits):
    assert Decimal(rounded(value, digits).replace(",", "")) == exact_decimal(value, digits)


@given(fractions.filter(bool), st.integers(2, 8))
def test_significant_digits_are_as_many_as_asked_and_no_more(value, digits):
    with localcontext() as context:
        context.prec, context.rounding = digits, ROUND_HALF_UP
        expected = Decimal(value.numerator) / Decimal(value.denominator)
    assert Decimal(significant(value, digits).replace(",", "")) == expected


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (Fraction(1, 2), 0, "1"),  # halves away from zero
        (Fraction(5, 2), 0, "3"),
        (Fraction(-5, 2), 0, "-3"),
        (Fraction(-1, 1000), 2, "0.00"),  # no minus before a nought
        (Fraction(999_999, 1000), 2, "1,000.00"),
        (24, 4, "24"),  # exact, so no zeros
        (Fraction(2_400_001, 100_000), 4, "24.0000"),  # rounded, so the zeros stay
    ],
)
def test_rounding_at_its_corners(value, digits, shown):
    assert rounded(value, digits) == shown


def test_a_float_is_refused():
    with pytest.raises(TypeError, match="not a float"):
        rounded(0.1)  # type: ignore[arg-type]


def test_thousands_are_apart():
    assert grouped(266_888_192) == "266,888,192"


def test_scientific_notation_carries_when_the_front_rounds_up():
    assert scientific(999_960) == "1.000 × 10⁶"
    assert scientific(10**12) == "1 × 10¹²"
    assert (
        scientific(Fraction(3617, 10**9), style="latex") == r"3.617\times10^{-6}"
    )  # CS190C lecture 9, part 4


# CS190C lecture 9 with b = 4, c = 256, d = 1024, h = 16, L = 12, v = 32000.
LECTURE_PARAMETERS = 2 * 1024 * 32000 + 1024 + 12 * (2 * 1024 + 16 * 1024**2)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (LECTURE_PARAMETERS, "elements", "266,888,192 elements"),
        (24 * GIB, "bytes", "24 GiB"),
        (16 * LECTURE_PARAMETERS, "bytes", "3.977 GiB"),
        (KIB - 1, "bytes", "1,023 B"),
        (KIB, "bytes", "1 KiB"),
        (MIB - 1, "bytes", "1 MiB".replace("1", "1.000")),  # 1024.0 KiB once rounded, so the next prefix
        (1_481 * 10**9, "FLOPs", "1.481 × 10¹² FLOPs"),
        (15, "FLOPs", "15 FLOPs"),
        (6 * 10**9, "FLOPs/token", "6 × 10⁹ FLOPs/token"),
        (356 * 10**11, "FLOP/s", "35.6 TFLOP/s"),  # one RTX 3090 in fp32
        (4 * 356 * 10**11, "FLOP/s", "142.4 TFLOP/s"),  # the lecture's four
        (Fraction(1_046_076, 100), "s", "10,460.76 s = 2.906 h"),
        (84 * 86400, "s", "7,257,600 s = 84 days"),  # Megatron's trillion parameters
        (Fraction(1, 2000), "s", "0.0005 s"),
        (42, "s", "42 s"),
        (2_691_234, "USD", "$2.69 million"),
        (146_880, "USD", "$147,000"),
        (Fraction(9, 5), "USD/h", "$1.80/h"),
        (999_700, "USD", "$1.00 million"),
        (63, "sequences", "63 sequences"),
        (Fraction(1, 2), "", "0.5"),
    ],
)
def test_units(value, unit, shown):
    assert with_unit(value, unit) == shown


def test_a_gigabyte_is_no_gibibyte():
    assert with_unit(24 * GB, "bytes", decimal=True) == "24 GB"
    assert with_unit(24 * GB, "bytes") == "22.35 GiB"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (24 * GIB, "bytes", r"24\,\mathrm{GiB}"),
        (1_481 * 10**9, "FLOPs", r"1.481\times10^{12}\,\mathrm{FLOPs}"),
        (Fraction(1_046_076, 100), "s", r"10{,}460.76\,\mathrm{s}=2.906\,\mathrm{h}"),
        (2_691_234, "USD", r"\$2.69\,\mathrm{million}"),
        (146_880, "USD", r"\$147{,}000"),
        (12, "GPU-hours", r"12\,\text{GPU-hours}"),
    ],
)
def test_units_in_latex(value, unit, shown):
    assert with_unit(value, unit, style="latex") == shown
