"""Rules of thumb beside the exact forms: 6·N a token, 6·N·D, 8·N·D, C = τ·T, bytes a parameter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr, expand

from symcost import rules
from symcost import symbols as s
from symcost.notation import code
from symcost.tables.precisions import bytes_per_parameter
from symcost.terms import Number, Terms, evaluator, plain
from symcost.training.costs import TOKENS, Costs

KAPLAN = "Kaplan et al. 2020, Scaling Laws for Neural Language Models, section 2.1"
NARAYANAN = "Narayanan et al. 2021, Efficient Large-Scale Language Model Training, section 5.1: blocks twice"
ANTHONY = "Anthony et al. 2023, Transformer Math 101: C = τ·T, with τ the FLOP/s that all GPUs achieve"


@dataclass(frozen=True)
class Approximation:
    """A rule of thumb for one quantity, and what it leaves out.

    `rule` is in N and D. `error` is exact − rule, with the parameters' own form put in for N. `value` and
    `exact_value` are both at the numbers known, None where one is missing.
    """

    quantity: str
    rule: Expr
    exact: Expr
    error: Expr
    value: Number | None
    exact_value: Number | None
    source: str

    @property
    def relative(self) -> Fraction | None:
        """How far the rule is from the exact value, as a share of it; below 0 where it says too little."""
        if self.value is None or self.exact_value is None:
            return None
        return Fraction(self.value) / self.exact_value - 1

    def to_dict(self) -> dict[str, Any]:
        value, exact = (plain(each) if each is not None else None for each in (self.value, self.exact_value))
        return {
            "quantity": self.quantity,
            "rule": code(self.rule),
            "exact": code(self.exact),
            "error": code(self.error),
            "value": value,
            "exact_value": exact,
            "relative": plain(self.relative) if self.relative is not None else None,
            "source": self.source,
        }


def approximations(costs: Costs, **numbers: float | Fraction) -> list[Approximation]:
    """Every rule of thumb that holds for these costs, beside the exact form and with its error.

    `numbers` are put in beside the costs' own; N counts as given, or else as the parameters come out.

    >>> from symcost import derive
    >>> rule = approximations(derive("cs190c"))[2]
    >>> rule.quantity, rule.rule, code(rule.error)
    ('flops_per_token', 6*N, 'L*(12*c*d - 12*d) - (6*d*v + 6*d)')
    """
    return [_held(costs, quantity, rule, source, numbers) for quantity, rule, source in _rules(costs)]


def _rules(costs: Costs) -> Iterator[tuple[str, Expr, str]]:
    again = rules.REPEAT in costs.convention.again
    yield "forward_flops", 2 * s.N * TOKENS, KAPLAN
    yield "backward_flops", 4 * s.N * TOKENS, KAPLAN
    yield "flops_per_token", 6 * s.N, KAPLAN
    seen = s.epochs * s.D
    yield "training_flops", (8 if again else 6) * s.N * seen, NARAYANAN if again else KAPLAN
    share, each = (s.HFU, 8 if again else 6) if "HFU" in costs.given else (s.MFU, 6)
    yield "training_time", each * s.N * seen / (s.n * s.peak * share), NARAYANAN if each == 8 else ANTHONY
    yield "static_memory", bytes_per_parameter(costs.optimizer, costs.precision) * s.N, costs.precision.source


def _held(
    costs: Costs, quantity: str, rule: Expr, source: str, numbers: dict[str, float | Fraction]
) -> Approximation:
    terms, parameters = costs[quantity], costs["parameters"]
    rule = rule.xreplace({symbol: form for symbol, form in costs.ties.items() if symbol != s.N})
    own = rule.xreplace({s.N: parameters.total})
    error = terms.outer * expand((terms.total - own) / terms.outer)
    return Approximation(
        quantity,
        rule,
        terms.total,
        error,
        _rule_at(rule, terms, parameters, numbers),
        _at(terms, numbers),
        source,
    )


def _at(terms: Terms, numbers: dict[str, float | Fraction]) -> Number | None:
    known = terms.known(numbers)
    return evaluator(terms.total)(known) if all(name in known for name in terms.letters) else None


def _rule_at(
    rule: Expr, terms: Terms, parameters: Terms, numbers: dict[str, float | Fraction]
) -> Number | None:
    known = terms.known(numbers)
    own = None if "N" in known else _at(parameters, numbers)
    if own is not None:
        known["N"] = own
    return evaluator(rule)(known) if all(symbol.name in known for symbol in rule.free_symbols) else None
