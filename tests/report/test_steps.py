"""Substitution steps: what is printed with numbers in place is worked out again, by Python's arithmetic."""

import re
from fractions import Fraction

import pytest

import symcost
from symcost.report import steps
from symcost.report.steps import Board, in_unit_of, ratio, valued
from symcost.symbols import GIB, b, c, d, h, v

LECTURE = {"b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000, "D": 103_000_000, "epochs": 5, "n": 4,
           "MFU": 0.5, "peak": 35_600_000_000_000}  # CS190C 2026, lecture 9, parts 3 and 4  # fmt: skip
LLAMA = {"b": 1, "c": 8192, "D": 15 * 10**12, "n": 1024, "MFU": 0.4, "peak": 989_400_000_000_000}


def worked_out(line: str) -> Fraction:
    """A line such as `12(16·1,024² + 2·1,024)`, by Python."""
    code = line.replace(",", "").replace("·", "*").replace("−", "-").replace("⌈", "ceil(").replace("⌉", ")")
    code = re.sub(
        r"10([⁰¹²³⁴-⁹]+)",
        lambda found: "10**" + found[1].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")),
        code,
    )
    code = code.replace("²", "**2").replace("³", "**3")
    code = re.sub(r"(?<=[\d)])\(", "*(", code)
    code = re.sub(r"\d+\.?\d*", lambda found: f"Fraction('{found[0]}')", code)
    return eval(code, {"Fraction": Fraction, "ceil": lambda value: -(-value.numerator // value.denominator)})


@pytest.mark.parametrize(
    ("model", "numbers"), [("cs190c", LECTURE), ("llama-3-8b", LLAMA), ("gpt2-xl", LLAMA)]
)
@pytest.mark.parametrize(
    "quantity",
    [
        "parameters",
        "saved_activations",
        "peak_memory",
        "step_flops",
        "steps",
        "training_flops",
        "training_time",
    ],
)
def test_every_line_with_numbers_in_place_gives_the_value(model, numbers, quantity):
    terms = symcost.derive(model)[quantity]
    for line in steps(terms, numbers).numbers:
        assert worked_out(line.text) == terms.at(**numbers)


def test_the_lectures_parameters_stand_in_letters_in_numbers_and_as_a_value():
    shown = steps(symcost.derive("cs190c")["parameters"], LECTURE)
    assert [form.text for form in shown.forms] == [
        "L(16d² + 2d) + (2dv + d)",
        "12(16·1,024² + 2·1,024) + (2·1,024·32,000 + 1,024)",
        "12·16,779,264 + 65,537,024",
        "266,888,192 parameters",
    ]


def test_a_limit_is_shown_with_its_floor():
    limit = symcost.solve(symcost.derive("cs190c")["peak_memory"], "b", at_most=24 * GIB, given=LECTURE)
    assert steps(limit).value.text == "63 sequences"  # CS190C 2026, lecture 9, part 3
    assert str(steps(limit)).startswith("b_max = ⌊(M − (L(256d² + 32d) + (32dv + 16d)))/")


def test_letters_alone_where_a_number_lacks():
    assert str(steps(symcost.derive("cs190c")["parameters"], {"d": 1024})) == "N = L(16d² + 2d) + (2dv + d)"


def test_a_short_line_needs_no_value_in_between():
    assert Board(numbers={"b": 2, "c": 3}).between(b * (c + 1)) is None


@pytest.mark.parametrize(
    ("form", "base", "found"),
    [
        (16 * (d**2 + d), 4 * d**2 + 4 * d, 4),
        (d**2 + 2 * d, d**2 + d, None),
        (d * v, d, None),
        (b * h / 2, b * h, Fraction(1, 2)),
    ],
)
def test_a_ratio_is_a_number_or_none(form, base, found):
    assert ratio(form, base) == found


def test_amounts_that_are_compared_are_in_one_unit():
    """As in `b_max = ⌊(24 GiB − 3.977 GiB)/0.3137 GiB⌋`, from the lecture's own numbers."""
    shown = [in_unit_of(bytes_, 24 * GIB).text for bytes_ in (24 * GIB, 4_270_211_072, 336_855_040)]
    assert shown == ["24 GiB", "3.977 GiB", "0.3137 GiB"]


def test_a_rounded_value_stands_beside_the_exact_one():
    assert valued(5_617_631_232, "bytes").text == "5,617,631,232 B ≈ 5.232 GiB"
    assert valued(24 * GIB, "bytes").text == "25,769,803,776 B = 24 GiB"
