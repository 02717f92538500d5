"""Shapes, directions and roots of forms in one letter."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Integer, Max, Min, Rational, ceiling, floor, sqrt

from symcost.solve.turning import Turns, direction, last, shape
from symcost.symbols import M, b, c, d, h

NUMBERS = {"c": 3, "d": 5, "h": 2}


def curve(form):
    return shape(form, b).with_numbers(NUMBERS)


@pytest.mark.parametrize(
    ("form", "above", "below"),
    [
        (c * b + d, {1: c, 0: d}, {0: 1}),
        ((c * b + d) * (h * b + 1) / b, {1: c * h, 0: c + d * h, -1: d}, {0: 1}),
        ((b + c) ** 2, {2: 1, 1: 2 * c, 0: c**2}, {0: 1}),
        (b * c / (b * d + h), {1: c}, {1: d, 0: h}),
        (c * d, {0: c * d}, {0: 1}),
    ],
)
def test_a_form_is_taken_apart_into_powers_of_one_letter(form, above, below):
    found = shape(form, b)
    assert {power: each.expand() for power, each in found.above.items()} == above
    assert found.below == below


@pytest.mark.parametrize("form", [ceiling(b / 3), Max(b, c), sqrt(b) + c, 1 / (b + c) + b])
def test_what_has_no_powers_of_the_letter_has_no_shape(form):
    assert shape(form, b) is None


@pytest.mark.parametrize(
    "form",
    [
        c * b + d,
        c / b + d,
        h * b**2,
        h * b**2 + c * b + d,
        c * b**3,
        h / b**2 + c / b + d,
        b * c / (b * d + h),
    ],
)
def test_the_root_in_letters_and_the_root_in_numbers_are_the_same_and_solve_the_equation(form):
    bound = form.xreplace({b: Rational(7, 2), c: Integer(3), d: Integer(5), h: Integer(2)})
    at = Fraction(int(bound.p), int(bound.q))
    put = {c: Integer(3), d: Integer(5), h: Integer(2), M: bound}
    assert curve(form).root(at) == Fraction(7, 2)
    assert shape(form, b).turned(M).xreplace(put) == Rational(7, 2)


def test_a_root_that_is_no_fraction_stays_exact():
    """2b² + 3b + 5 = 20: b = (√129 − 3)/4."""
    assert curve(h * b**2 + c * b + d).root(20) == (sqrt(129) - 3) / 4


def test_a_cubic_has_no_form_worth_reading():
    assert shape(h * b**3 + c * b + d, b).turned(M) is None
    assert curve(h * b**3 + c * b + d).root(100) is None


@pytest.mark.parametrize(
    ("form", "way"), [(c * b + d, 1), (d + c / b, -1), (c * d, 0), (b * c / (b * d + h), 1)]
)
def test_signs_say_which_way_a_curve_goes(form, way):
    assert curve(form).direction(1) == way


def test_a_curve_that_turns_before_the_first_number_rises_from_there_on():
    """3b + 2/b has its least value at √(2/3), below 1."""
    assert curve(c * b + h / b).direction(1) == 1
    with pytest.raises(Turns) as turn:
        curve(h * b + c * d / b).direction(1)
    assert turn.value.at.equals(sqrt(Rational(15, 2)))


def test_a_curve_knows_what_it_comes_near_to():
    assert (curve(d + c / b).end(), curve(d + c / b).start()) == (5, None)
    assert (curve(c * b + d).end(), curve(c * b + d).start()) == (None, 5)
    assert (curve(b * c / (b * d + h)).end(), curve(b * c / (b * d + h)).start()) == (Fraction(3, 5), 0)


@pytest.mark.parametrize(
    ("form", "way"),
    [
        (64 * ceiling(b / 64) * c, 1),
        (floor(c / b), -1),
        (Max(c * b, d) + Min(b, h), 1),
        (-ceiling(b / 2), -1),
        (ceiling(b) - floor(b), None),
        (1 / ceiling(b / 3), -1),
        ((c - d) * ceiling(b), None),
        (c**2, 0),
    ],
)
def test_rounding_and_extremes_keep_the_direction(form, way):
    assert direction(form, b) == way


def test_the_last_number_is_found_without_counting():
    assert last(lambda k: k <= 10**50) == 10**50
    assert last(lambda k: k < 1) == 0
    assert last(lambda k: True) is None
