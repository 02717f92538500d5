"""Rules of thumb beside the exact forms, with their error as a form and in per cent."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from sympy import expand

import symcost
from symcost.symbols import D, L, N, b, c, d, epochs, v
from symcost.training import approximations

SHAPE = {"b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32_000}


def rules(costs, **numbers):
    return {rule.quantity: rule for rule in approximations(costs, **numbers)}


def test_six_n_a_token_leaves_out_attention_and_counts_what_makes_no_product():
    """Exact: 96Ld² + 12Lcd + 6dv. Norms (2Ld + d) and the table looked up (dv) make no product."""
    rule = rules(symcost.derive("cs190c"))["flops_per_token"]
    assert rule.rule == 6 * N
    assert expand(rule.error - (L * (12 * c * d - 12 * d) - 6 * d * v - 6 * d)) == 0


def test_the_error_in_per_cent_is_that_of_the_two_values():
    """Lecture's shape: 6·N = 1,601,329,152 a token against 1,441,792,000 (by hand, from the forms above)."""
    rule = rules(symcost.derive("cs190c"), **SHAPE)["flops_per_token"]
    exact = 12 * (96 * 1024**2 + 12 * 256 * 1024) + 6 * 1024 * 32_000
    assert (rule.value, rule.exact_value) == (6 * 266_888_192, exact)
    assert rule.relative == Fraction(6 * 266_888_192, exact) - 1


def test_gpt_2_small_is_thirteen_per_cent_more_than_six_n():
    """09_plain_text_post.md, line 12: 6·N·T is "about 13%" below 8.75e11 for a sequence of 1024."""
    costs = symcost.derive("gpt2", given={"c": 1024, "b": 1})
    rule = rules(costs)["flops_per_token"]
    assert rule.exact_value * 1024 == pytest.approx(8.75e11, rel=1e-3)
    assert Fraction("-0.13") < rule.relative < Fraction("-0.12")


def test_with_blocks_computed_again_the_rule_is_eight():
    again = rules(symcost.derive("cs190c", under="textbook+checkpoint"))
    assert again["training_flops"].rule == 8 * N * D * epochs
    assert rules(symcost.derive("cs190c"))["training_flops"].rule == 6 * N * D * epochs


def test_bytes_a_parameter_are_no_approximation_where_no_counter_comes_on_top():
    assert rules(symcost.derive("cs190c"))["static_memory"].error == 0
    torch = rules(symcost.derive("cs190c", optimizer="adamw-torch"))["static_memory"]
    assert (
        expand(torch.error - 4 * (9 * L + 3)) == 0
    )  # 4 bytes for each of a block's nine tensors and three others


def test_a_rounded_number_of_parameters_is_taken_as_given():
    costs = symcost.derive("llama-2-70b", given={"N": 70 * 10**9, "D": 2 * 10**12, "b": 1, "c": 4096})
    assert rules(costs)["training_flops"].value == 84 * 10**22


def test_without_numbers_the_forms_stand_alone():
    rule = rules(symcost.derive("cs190c"))["training_time"]
    assert (rule.value, rule.exact_value, rule.relative) == (None, None, None)


def test_the_error_is_the_difference_of_the_forms_for_every_rule():
    costs = symcost.derive("cs190c")
    for rule in approximations(costs):
        own = rule.rule.xreplace({N: costs["parameters"].total})
        assert expand(rule.exact - own - rule.error) == 0
        assert json.dumps(rule.to_dict())


def test_rules_of_a_bare_count_are_exact():
    assert all(rule.error == 0 for rule in approximations(symcost.derive("bare")))


def test_a_step_is_left_in_the_letters_of_the_model():
    assert rules(symcost.derive("cs190c"))["forward_flops"].rule == 2 * N * b * c
