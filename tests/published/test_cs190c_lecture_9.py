"""CS190C 2026, lecture 9: every closed form and number of the lecture."""

from fractions import Fraction

import pytest
from sympy import expand

import symcost
from symcost.symbols import GB, GIB, L, b, c, d, h, v

NUMBERS = {"b": 4, "c": 256, "d": 1024, "L": 12, "v": 32000, "h": 16}


@pytest.fixture(scope="module")
def costs():
    return symcost.derive("cs190c")


@pytest.mark.parametrize(
    ("quantity", "scope", "published"),
    [
        ("parameters", "embedding", v * d),
        ("parameters", "block.attention", 4 * d**2),
        ("parameters", "block.mlp", 12 * d**2),
        ("parameters", "block", 16 * d**2 + 2 * d),
        ("parameters", "final_norm", d),
        ("parameters", "head", d * v),
        ("parameters", "model", 2 * d * v + d + L * (2 * d + 16 * d**2)),
        ("saved_activations", "block.norm_1", b * c * d),
        ("saved_activations", "block.attention.x_norm", b * c * d),
        ("saved_activations", "block.attention.Q", b * c * d),
        ("saved_activations", "block.attention.K", b * c * d),
        ("saved_activations", "block.attention.V", b * c * d),
        ("saved_activations", "block.attention.P", b * h * c**2),
        ("saved_activations", "block.attention.O", b * c * d),
        ("saved_activations", "block.norm_2", b * c * d),
        ("saved_activations", "block.mlp.x_ffin", b * c * d),
        ("saved_activations", "block.mlp.G", 4 * b * c * d),
        ("saved_activations", "block.mlp.H", 4 * b * c * d),
        ("saved_activations", "block", 20 * b * c * d + b * h * c**2),
        ("saved_activations", "head.logits", b * c * v),
        ("saved_activations", "model", L * (20 * b * c * d + b * h * c**2) + 2 * b * c * d + b * c * v),
        ("forward_flops", "block.attention", 8 * b * c * d**2 + 4 * b * c**2 * d),
        ("forward_flops", "block.mlp", 24 * b * c * d**2),
        ("forward_flops", "block", 32 * b * c * d**2 + 4 * b * c**2 * d),
        ("forward_flops", "head", 2 * b * c * d * v),
        ("optimizer_flops", "model", 30 * d * v + 15 * d + 15 * L * (2 * d + 16 * d**2)),
    ],
)
def test_a_closed_form_of_the_lecture(costs, quantity, scope, published):
    assert expand(costs[quantity].of(scope).total - published) == 0


def test_peak_memory_is_printed_as_on_the_slide(costs):
    assert costs["peak_memory"].latex() == (
        r"L\left(256d^2+32d+80bcd+4bhc^2\right)+\left(32dv+16d+8bcd+4bcv\right)"
    )
    assert costs["forward_flops"].latex() == r"L\left(32bcd^2+4bc^2d\right)+2bcdv"


def test_what_each_step_keeps_is_what_the_lecture_saves(costs):
    kept = [term.tensor for term in costs["saved_activations"]]
    assert " ".join(kept) == "x x_norm K Q P V O x_res x_ffin G U H x_out x_final logits"


def test_the_backward_pass_costs_twice_the_forward_pass(costs):
    assert expand(costs["backward_flops"].total - 2 * costs["forward_flops"].total) == 0


def test_the_numbers_of_part_1_and_2(costs):
    assert costs["parameters"].at(**NUMBERS) == 266_888_192
    assert costs["step_flops"].at(**NUMBERS) == 1_480_935_201_792


@pytest.mark.parametrize(("memory", "largest"), [(24 * GIB, 63), (24 * GB, 58)])
def test_the_largest_batch_on_24_gigabytes_either_way(costs, memory, largest):
    numbers = {name: value for name, value in NUMBERS.items() if name != "b"}
    limit = symcost.solve(costs["peak_memory"], "b", at_most=memory, given=numbers)
    assert limit.floor == largest
    fits = [k for k in range(1, 100) if costs["peak_memory"].at(**numbers, b=k) <= memory]
    assert max(fits) == largest


def test_training_time_is_the_lectures_but_for_its_rounded_coefficient(costs):
    run = {"D": 1.03e8, "epochs": 5, "n": 4, "peak": 35.6e12, "MFU": 0.5}
    seconds = costs["training_time"].at(**NUMBERS, **run)
    assert round(float(seconds), 2) == 10_460.76
    rounded_as_printed = seconds / Fraction(515 * 10**6, 1424 * 10**11) * Fraction(3617, 10**9)
    assert abs(rounded_as_printed - Fraction("10461.9974")) < Fraction(
        1, 10**4
    )  # one in the last digit printed
