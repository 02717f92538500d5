"""Shares, elasticities, leading forms and crossovers, each against a second way to the same answer."""

from fractions import Fraction

import pytest
from sympy import diff, simplify

import symcost
from symcost.compare import crossing, elasticity, leading, one_more, overtakings, regimes, shares
from symcost.errors import MissingValue, UsageError
from symcost.symbols import SYMBOLS, L, b, c, d, h, v

NUMBERS = {"b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000}  # CS190C lecture 9, part 3


@pytest.fixture(scope="module")
def costs():
    return symcost.derive("cs190c")


def test_score_and_value_products_overtake_the_mlp_at_4d_and_all_linear_layers_at_6d():
    """Of a GPT block with d_ff = 4d: 8bcd² + 16bcd² against 4bc²d."""
    found = {each.over: each.at.form for each in overtakings(symcost.derive("gpt", given={"d_ff": "4*d"}))}
    assert found["feed-forward layers"] == 4 * d
    assert found["all linear layers of the blocks"] == 6 * d


def test_overtakings_have_values_where_the_numbers_are_known():
    found = {each.over: each.at.value for each in overtakings(symcost.derive("gpt2-xl"))}
    assert found["all linear layers of the blocks"] == 6 * 1600


def test_shares_add_up_to_one_and_are_largest_first(costs):
    found = shares(costs["peak_memory"], **NUMBERS)
    assert sum(each.share for each in found) == 1
    assert [each.share for each in found] == sorted((each.share for each in found), reverse=True)
    assert sum(each.value for each in found) == costs["peak_memory"].at(**NUMBERS)


def test_shares_by_quantity_are_weights_gradients_states_and_activations(costs):
    found = {each.name: each.share for each in shares(costs["static_memory"], by="quantity", **NUMBERS)}
    assert found == {
        "parameter_memory": Fraction(1, 4),
        "gradient_memory": Fraction(1, 4),
        "optimizer_memory": Fraction(1, 2),
    }


@pytest.mark.parametrize("quantity", ["peak_memory", "forward_flops", "saved_activations", "parameters"])
@pytest.mark.parametrize("letter", ["c", "d", "b"])
def test_an_elasticity_is_what_one_per_mille_more_shows(costs, quantity, letter):
    """Against the quotient of differences, in exact numbers."""
    terms = costs[quantity]
    exact = elasticity(terms, letter)
    at = {SYMBOLS[name]: value for name, value in NUMBERS.items()}
    here = Fraction(str(float(exact.xreplace(at))))
    before, after = (
        terms.total.xreplace({**at, SYMBOLS[letter]: NUMBERS[letter] * factor})
        for factor in (1, Fraction(1001, 1000))
    )
    assert float(here) == pytest.approx(float((after - before) / before) * 1000, abs=2e-3)


def test_an_elasticity_lies_between_the_lowest_and_the_highest_power(costs):
    """Of 20bcd + bhc² by c: 1 for short contexts, 2 for long ones."""
    form = elasticity(costs["saved_activations"].of("block"), "c")
    assert simplify(form - (20 * d + 2 * h * c) / (20 * d + h * c)) == 0


def test_one_more_layer_costs_a_block(costs):
    block = costs["saved_activations"].of("block").total
    assert simplify(one_more(costs["saved_activations"], "L") - block) == 0


def test_one_more_is_the_difference_in_whole_numbers(costs):
    terms = costs["peak_memory"]
    more = one_more(terms, "c").xreplace({SYMBOLS[name]: value for name, value in NUMBERS.items()})
    assert more == terms.at(**{**NUMBERS, "c": 257}) - terms.at(**NUMBERS)


def test_the_leading_form_is_the_highest_power(costs):
    assert leading(costs["saved_activations"], "c") == L * b * h * c**2
    assert leading(costs["forward_flops"], "d") == 32 * L * b * c * d**2


def test_regimes_meet_where_one_part_is_as_large_as_the_next(costs):
    fixed, linear, quadratic = regimes(costs["peak_memory"], "c")
    assert (fixed.power, linear.power, quadratic.power) == (0, 1, 2)
    assert simplify(fixed.form - linear.form.xreplace({c: linear.start})) == 0
    assert simplify((linear.form - quadratic.form).xreplace({c: quadratic.start})) == 0
    assert (fixed.start, quadratic.end) == (None, None)


def test_regimes_need_a_sum_of_powers(costs):
    with pytest.raises(UsageError, match="no sum of powers of c"):
        regimes(costs["worst_moment_memory"], "c")


def test_shares_need_numbers(costs):
    with pytest.raises(MissingValue, match="d, h, L and v have no number"):
        shares(costs["peak_memory"], b=1, c=1)


def test_a_parabola_crosses_a_line_at_its_positive_roots():
    """c² = 5c − 6 at 2 and 3; c² = −5c − 6 nowhere."""
    found = crossing(c**2, 5 * c - 6, "c")
    assert sorted(each.form for each in found) == [2, 3]
    assert crossing(c**2, -5 * c - 6, "c") == ()


def test_forms_that_never_meet_do_not_cross():
    assert crossing(b * c, b * c + 1, "c") == ()
    assert crossing(2 * c, c, "c") == ()


def test_a_crossing_with_numbers_is_exact():
    (found,) = crossing(v * d, 3 * c * d, "c", {"v": 32000, "d": 7})
    assert found.value == Fraction(32000, 3) and diff(found.form, v) == Fraction(1, 3)
