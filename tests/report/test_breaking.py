"""Long formulas in lines."""

import re

import pytest

from symcost.report.breaking import aligned, broken, flowing, width

LECTURE = r"L\left(256d^2+32d+80bcd+4bhc^2\right)+\left(32dv+16d+8bcd+4bcv\right)"  # CS190C lecture 9, part 1


def without_sizes(latex: str) -> str:
    return re.sub(r"\\(?:left|right|bigl|bigr) ?", "", latex)


@pytest.mark.parametrize("room", [12, 20, 30, 45, 60])
def test_lines_keep_their_room_and_every_sign_in_order(room):
    lines = broken(LECTURE, room)
    assert all(width(line) <= room for line in lines)
    assert without_sizes("".join(lines)) == without_sizes(LECTURE)


def test_a_sum_is_broken_at_its_outermost_sign_first():
    assert broken(LECTURE, 40) == LECTURE.replace(")+", ")\n+").split("\n")


def test_stretching_brackets_never_stay_open_in_a_line():
    for line in broken(LECTURE, 14):
        assert line.count(r"\left") == line.count(r"\right")


def test_a_fraction_too_wide_for_the_line_becomes_a_quotient_that_can_be_broken():
    lines = broken(rf"\left\lfloor\frac{{M-{LECTURE}}}{{{LECTURE}}}\right\rfloor", 50)
    assert len(lines) > 1
    assert "frac" not in "".join(lines)
    assert without_sizes("".join(lines)) == without_sizes(rf"\lfloor(M-{LECTURE})/({LECTURE})\rfloor")


def test_thousands_are_no_place_to_break():
    assert broken(r"\max\left(1{,}024,2{,}048\right)", 8) == [r"\max\bigl(1{,}024,", r"2{,}048\bigr)"]
    assert flowing(r"1{,}024") == r"1{,}024"


def test_forms_stand_below_each_other_at_the_sign():
    assert aligned("N", ["4d", "64"], "≈") == "N &\\approx 4d \\\\\n&= 64"
