"""Dimensions: what belongs together in a sum, what a product is measured in, what an amount is."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Integer, Max, ceiling

import symcost
from symcost.dimensions import converted, dimension_of, spelled, unit_of
from symcost.errors import UsageError
from symcost.notation.units import unit
from symcost.symbols import GLOSSARY, QUANTITIES, C, D, M, N, T, b, budget, c, epochs, n, peak, price, watts


@pytest.mark.parametrize(
    ("form", "spelling"),
    [
        (C / (n * peak), "s"),
        (T * n * price, "USD"),
        (T * n * watts, "J"),
        (epochs * D / (b * c), "a number"),
        (M / T, "byte/s"),
        (T * peak, "FLOP/device"),
        (ceiling(M / 4) + Max(M, 3 * M), "byte"),
        (N + D, "a number"),
        (M**2, "byte^2"),
    ],
)
def test_a_form_has_the_dimension_that_its_letters_make(form, spelling):
    assert spelled(dimension_of(form)) == spelling


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (M + C, "C is in FLOP and M in byte: they cannot be added"),
        (T + budget, "budget is in USD|T is in s"),
        (Max(M, T), "cannot be added"),
        (3 * M + 5, "5 is in a number and 3·M in byte"),
    ],
)
def test_what_does_not_belong_together_is_refused_with_both_names(form, says):
    with pytest.raises(UsageError, match=says):
        dimension_of(form)


def test_two_quantities_of_different_units_are_not_added_and_both_are_named():
    costs = symcost.derive("cs190c")
    for one, other in [
        ("peak_memory", "step_flops"),
        ("training_time", "gpu_hours"),
        ("saved_activations", "peak_memory"),
    ]:
        with pytest.raises(UsageError, match=f"{one} is in .* and {other} in .*: they cannot be added"):
            costs[one] + costs[other]


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [("training_time", "FLOPs"), ("saved_activations", "bytes"), ("gpu_hours", "h"), ("cost", "s")],
)
def test_a_quantity_is_not_called_what_it_is_not(quantity, unit):
    """Elements are no bytes without bytes an element, GPU-hours are no hours."""
    with pytest.raises(UsageError, match=rf"{quantity}: .* is in .*, not in {unit}"):
        symcost.derive("cs190c")[quantity].scaled(Integer(1), unit=unit)


def test_bytes_come_in_by_an_explicit_factor():
    saved = symcost.derive("cs190c")["saved_activations"]
    memory = saved.scaled(Integer(4), quantity="activation_memory", unit="bytes", each="bytes/element")
    assert memory.total == symcost.derive("cs190c")["activation_memory"].total


def test_a_unit_of_another_size_brings_its_ratio():
    time = symcost.derive("budget", given={"C": 8.64e19, "n": 2, "peak": 1e15, "MFU": 0.5})["training_time"]
    in_days = time.scaled(Integer(1), unit="days")
    assert (in_days.at(), in_days.unit) == (1, "days")


@pytest.mark.parametrize("name", [*QUANTITIES, *GLOSSARY])
def test_every_quantity_and_letter_has_a_dimension(name):
    assert spelled(unit_of(name))


@pytest.mark.parametrize(
    ("value", "written", "into", "answer"),
    [
        (3 * 86_400, "days", "s", 259_200),
        (2**30, "GiB", "bytes", 2**30),
        (7, "B", "elements", 7 * 10**9),  # 7B parameters are billions
        (3_600_000, "kWh", "kWh", 1),
        (5 * 3600, "A100-hours", "GPU-hours", 5),
        (86_400 * 10**15, "PFLOP-days", "FLOPs", 86_400 * 10**15),
        (Fraction(1, 3), "s", "s", Fraction(1, 3)),
    ],
)
def test_an_amount_is_converted_to_a_quantitys_own_unit(value, written, into, answer):
    assert converted(value, unit(written), into, "it") == answer


@pytest.mark.parametrize(
    ("written", "into", "says"),
    [
        ("days", "GPU-hours", r"it is in GPU-hours \(s·device\), found days \(s\)"),
        ("GB", "FLOPs", r"it is in FLOPs, found GB \(byte\)"),
        ("FLOP/s", "FLOPs", r"it is in FLOPs, found FLOP/s"),
    ],
)
def test_an_amount_of_something_else_names_both_units(written, into, says):
    with pytest.raises(UsageError, match=says):
        converted(1, unit(written), into, "it")


def test_what_is_no_unit_names_the_nearest():
    with pytest.raises(UsageError, match=r"'dayz' is no unit\. Did you mean 'days'"):
        unit_of("dayz")
