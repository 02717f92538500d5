"""Empirical laws: the fits against the run that they were made for."""

from __future__ import annotations

import pytest
from sympy import N as numerically

from symcost.errors import UnknownName
from symcost.symbols import D, N
from symcost.tables.laws import LOSS_LAWS, TOKENS_PER_PARAMETER, loss_law
from symcost.tables.runs import run


@pytest.mark.parametrize("name", LOSS_LAWS)
def test_chinchillas_predicted_loss_is_about_two_nats(name: str) -> None:
    """Hoffmann et al. 2022 report 1.94 for 70e9 parameters and 1.4e12 tokens from their fit."""
    chinchilla = run("chinchilla-70b")
    loss = loss_law(name).form.subs({N: chinchilla.parameters, D: chinchilla.tokens})
    assert 1.9 < numerically(loss) < 2.0


def test_chinchilla_has_twenty_tokens_for_each_parameter() -> None:
    assert run("chinchilla-70b").tokens == TOKENS_PER_PARAMETER * run("chinchilla-70b").parameters


def best_tokens_per_parameter(name: str, flops: int) -> float:
    """The ratio D/N that minimises the law under 6·N·D = flops: αa/N^α = βb/D^β, solved for N."""
    law = loss_law(name)
    a, alpha, b, beta = (float(value) for value in (law.a, law.alpha, law.b, law.beta))
    parameters = (alpha * a / (beta * b)) ** (1 / (alpha + beta)) * (flops / 6) ** (beta / (alpha + beta))
    return flops / 6 / parameters**2


def test_only_the_second_fit_recommends_what_chinchilla_did() -> None:
    """Besiroglu et al. 2024: their fit agrees with about 20 tokens a parameter, the printed one does not."""
    budget = run("chinchilla-70b").flops
    assert 15 < best_tokens_per_parameter("besiroglu-2024", budget) < 30
    assert best_tokens_per_parameter("hoffmann-2022", budget) > 50


def test_an_unknown_law_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'hoffmann-2022'"):
        loss_law("hoffman-2022")
