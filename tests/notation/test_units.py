"""Units are told by their spelling: what they measure, and how large they are."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symcost.notation.units import DIMENSIONS, unit

HOUR, DAY, YEAR = 3600, 86_400, 365 * 86_400


@pytest.mark.parametrize(
    ("text", "scale", "powers"),
    [
        # IEC 80000-13: decimal and binary multiples of the byte
        ("B", 1, {"byte": 1}),
        ("bytes", 1, {"byte": 1}),
        ("kB", 10**3, {"byte": 1}),
        ("GB", 10**9, {"byte": 1}),
        ("TB", 10**12, {"byte": 1}),
        ("PB", 10**15, {"byte": 1}),
        ("KiB", 2**10, {"byte": 1}),
        ("MiB", 2**20, {"byte": 1}),
        ("GiB", 2**30, {"byte": 1}),
        ("TiB", 2**40, {"byte": 1}),
        ("gigabytes", 10**9, {"byte": 1}),
        ("gibibytes", 2**30, {"byte": 1}),
        ("Gbit", Fraction(10**9, 8), {"byte": 1}),
        # operations, a count or a rate
        ("FLOP", 1, {"FLOP": 1}),
        ("GFLOPs", 10**9, {"FLOP": 1}),
        ("FLOP/s", 1, {"FLOP": 1, "s": -1}),
        ("TFLOP/s", 10**12, {"FLOP": 1, "s": -1}),
        ("TFLOPS", 10**12, {"FLOP": 1, "s": -1}),
        ("TFLOPS/s", 10**12, {"FLOP": 1, "s": -1}),
        ("teraFLOP/s", 10**12, {"FLOP": 1, "s": -1}),
        ("FLOPs per second", 1, {"FLOP": 1, "s": -1}),
        # Kaplan et al. 2020, section 1.3: one PF-day is 8.64e19 operations
        ("PF-day", 864 * 10**17, {"FLOP": 1}),
        ("PFLOP-days", 864 * 10**17, {"FLOP": 1}),
        ("PFLOP/s-days", 864 * 10**17, {"FLOP": 1}),
        ("petaflop/s-days", 864 * 10**17, {"FLOP": 1}),
        # time and money
        ("ms", Fraction(1, 1000), {"s": 1}),
        ("µs", Fraction(1, 10**6), {"s": 1}),
        ("h", HOUR, {"s": 1}),
        ("Hours", HOUR, {"s": 1}),
        ("days", DAY, {"s": 1}),
        ("years", YEAR, {"s": 1}),
        ("USD", 1, {"USD": 1}),
        ("$/hr", Fraction(1, HOUR), {"USD": 1, "s": -1}),
        # compounds
        ("bytes/param", 1, {"byte": 1, "param": -1}),
        ("bytes per parameter", 1, {"byte": 1, "param": -1}),
        ("tokens/s/GPU", 1, {"token": 1, "s": -1, "device": -1}),
        ("GPU-hours", HOUR, {"device": 1, "s": 1}),
        ("GPU hours", HOUR, {"device": 1, "s": 1}),
        ("A100 hours", HOUR, {"device": 1, "s": 1}),
        ("USD/GPU-hour", Fraction(1, HOUR), {"USD": 1, "device": -1, "s": -1}),
        ("FLOPs/byte", 1, {"FLOP": 1, "byte": -1}),
        ("MB per layer", 10**6, {"byte": 1}),
        ("TB of GPU memory", 10**12, {"byte": 1}),
        ("layers", 1, {}),
    ],
)
def test_a_unit_has_a_size_and_a_dimension(text, scale, powers):
    found = unit(text)
    assert (found.scale, found.powers) == (scale, powers)


@pytest.mark.parametrize(
    "text", ["", " ", "x", "sbh", "GBs", "per", "of", "GB of", "B B", "GB/", "/s", "3", "bcd hours", "é"]
)
def test_what_is_no_unit_is_none(text):
    assert unit(text) is None


def test_units_multiply_and_divide():
    bandwidth, size = unit("GB/s"), unit("TB")
    time = size * bandwidth**-1
    assert (time.scale, time.powers) == (1000, {"s": 1})
    assert time.measures(unit("hours"))
    assert not time.measures(size)


def test_every_base_unit_measures_itself():
    base = {"byte": "byte", "FLOP": "FLOP", "s": "s", "USD": "USD", "token": "token", "param": "param"}
    base |= {"element": "element", "device": "device"}
    assert set(base) <= set(DIMENSIONS)
    assert all(unit(word).powers == {name: 1} for name, word in base.items())
