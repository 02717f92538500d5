"""Compute-optimal sizes: against a search over sizes, and the runs that the laws were made for."""

from __future__ import annotations

import math

import pytest

from symcost.errors import UsageError
from symcost.tables.laws import loss_law
from symcost.tables.runs import run
from symcost.training import compute_optimal

CHINCHILLA = run("chinchilla-70b").flops
BY_LAW = {each.law: each for each in compute_optimal(CHINCHILLA)}


def test_twenty_tokens_a_parameter_is_what_chinchilla_was():
    """Hoffmann et al. 2022: 70·10⁹ parameters and 1.4·10¹² tokens for 5.76·10²³ FLOPs."""
    rule = BY_LAW["20 tokens a parameter"]
    assert abs(rule.parameters - 70e9) < 0.02 * 70e9
    assert abs(rule.tokens - 1.4e12) < 0.02 * 1.4e12
    assert rule.parameters == math.isqrt(CHINCHILLA // 120)


@pytest.mark.parametrize("name", ["hoffmann-2022", "besiroglu-2024"])
@pytest.mark.parametrize("flops", [1e19, 5.76e23, 3.8e25])
def test_no_size_nearby_has_a_lower_loss_for_the_same_flops(name, flops):
    """A search in steps of a per mille on both sides, in floating point."""
    law = loss_law(name)
    best = next(each for each in compute_optimal(flops) if each.law == name)

    def loss(size: float) -> float:
        seen = flops / (6 * size)
        return (
            float(law.floor)
            + float(law.a) / size ** float(law.alpha)
            + float(law.b) / seen ** float(law.beta)
        )

    at = loss(best.parameters)
    assert all(loss(best.parameters * (1 + step / 1000)) > at for step in range(-100, 101) if step)
    assert float(best.loss) == pytest.approx(at, rel=1e-6)


@pytest.mark.parametrize("best", BY_LAW.values(), ids=BY_LAW)
def test_all_flops_are_spent_and_the_forms_give_the_numbers(best):
    assert best.parameters * best.tokens * 6 == pytest.approx(CHINCHILLA, rel=1e-6)
    for form, number in ((best.parameters_form, best.parameters), (best.tokens_form, best.tokens)):
        (C,) = form.free_symbols
        assert float(form.subs(C, CHINCHILLA)) == pytest.approx(number, rel=1e-4)


def test_every_recommendation_is_marked_as_empirical_and_has_its_source():
    for best in BY_LAW.values():
        data = best.to_dict()
        assert data["empirical"] is True
        assert data["source"]


@pytest.mark.parametrize("budget", [0, -1, float("nan"), float("inf")])
def test_a_budget_must_be_a_positive_number(budget):
    with pytest.raises(UsageError, match="budget: expected a positive number of FLOPs"):
        compute_optimal(budget)
