"""Compute-optimal sizes: the parameters and tokens that FLOPs are best spent on. Empirical, not derived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

from sympy import Expr, Pow, Rational

from symcost.errors import UsageError
from symcost.notation import code
from symcost.symbols import C, D, N
from symcost.tables.laws import LOSS_LAWS, TOKENS_PER_PARAMETER, LossLaw
from symcost.terms import Number, plain

DIGITS = 60  # that roots are worked out with before they are cut to whole numbers
FLOPS_EACH = 6  # C = 6·N·D, by which all of these laws count


@dataclass(frozen=True)
class Optimum:
    """Parameters and tokens that one law recommends for C FLOPs: as forms of C and as whole numbers.

    The factors of a fitted law's forms are rounded to five digits, the whole numbers are not. The law is a
    fit to runs, or a rule rounded from one; nothing proves it. `loss` is what a fit expects.
    """

    law: str
    parameters_form: Expr
    tokens_form: Expr
    parameters: int
    tokens: int
    loss: Fraction | None
    source: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "law": self.law,
            "empirical": True,
            "parameters": self.parameters,
            "tokens": self.tokens,
            "parameters_form": code(self.parameters_form),
            "tokens_form": code(self.tokens_form),
            "loss": plain(self.loss) if self.loss is not None else None,
            "source": self.source,
        }


def compute_optimal(flops: float | Fraction) -> list[Optimum]:
    """What each law recommends for a budget of FLOPs: first D = 20·N, then the fitted laws.

    Raises UsageError for a budget that is not a positive number.

    >>> [(each.law, f"{each.parameters:.3e}") for each in compute_optimal(5.76e23)]
    [('20 tokens a parameter', '6.928e+10'), ('hoffmann-2022', '3.219e+10'), ('besiroglu-2024', '7.225e+10')]
    """
    try:
        budget = Fraction(str(flops))
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"budget: expected a positive number of FLOPs, found {flops!r}.") from None
    if budget < FLOPS_EACH:
        raise UsageError(f"budget: expected a positive number of FLOPs, found {flops}.")
    return list(_recommended(budget))


def _recommended(budget: Fraction) -> Iterator[Optimum]:
    each = FLOPS_EACH * TOKENS_PER_PARAMETER
    size = isqrt(int(budget / each))
    yield Optimum(
        f"{TOKENS_PER_PARAMETER} tokens a parameter",
        _root(C / each), TOKENS_PER_PARAMETER * _root(C / each), size, TOKENS_PER_PARAMETER * size, None,
        "Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, table 3, rounded",
    )  # fmt: skip
    for law in LOSS_LAWS.values():
        yield _fitted(law, budget)


def _fitted(law: LossLaw, budget: Fraction) -> Optimum:
    """The least loss under C = 6·N·D."""
    forms = law.best_parameters(C / FLOPS_EACH), law.best_tokens(C / FLOPS_EACH)
    parameters, seen = (int(form.xreplace({C: _expr(budget)}).evalf(DIGITS)) for form in forms)
    loss = law.form.xreplace({N: _expr(parameters), D: _expr(seen)}).evalf(8)
    expected = Fraction(str(loss))
    return Optimum(law.name, _readable(forms[0]), _readable(forms[1]), parameters, seen, expected, law.source)


def _readable(form: Expr) -> Expr:
    """The power of C with its factor rounded: what stands there exactly fills a line."""
    factor, power = form.as_independent(C, as_Add=False)
    return _expr(Fraction(str(factor.evalf(5)))) * power


def _root(form: Expr) -> Expr:
    """√(C/120) as it is written, not √30·√C/60."""
    return Pow(form, Rational(1, 2), evaluate=False)


def _expr(value: Number) -> Expr:
    return Rational(value.numerator, value.denominator)
