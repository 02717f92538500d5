"""Empirical laws of scaling: fitted or rounded by their authors, so neither derived nor checked as proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from sympy import Expr, Rational

from symcost.symbols import D, N
from symcost.tables import by_name, entry


@dataclass(frozen=True)
class LossLaw:
    """Final loss = floor + a/N^α + b/D^β (nats per token), with N parameters and D training tokens."""

    name: str
    floor: Fraction
    a: Fraction
    alpha: Fraction
    b: Fraction
    beta: Fraction
    source: str
    note: str = ""

    @property
    def form(self) -> Expr:
        """The law in the letters N and D.

        >>> loss_law("hoffmann-2022").form
        169/100 + 2032/(5*N**(17/50)) + 4107/(10*D**(7/25))
        """
        floor, a, alpha, b, beta = map(_rational, (self.floor, self.a, self.alpha, self.b, self.beta))
        return floor + a / N**alpha + b / D**beta

    def best_parameters(self, product: Expr) -> Expr:
        """N for which the loss is least while N·D = product: both losses fall alike, α·a/N^α = β·b/D^β."""
        each = self.alpha * self.a / (self.beta * self.b)
        return _rational(each) ** _rational(1 / (self.alpha + self.beta)) * product ** self._share(self.beta)

    def best_tokens(self, product: Expr) -> Expr:
        """D beside `best_parameters`: their product is what it must be."""
        each = self.beta * self.b / (self.alpha * self.a)
        return _rational(each) ** _rational(1 / (self.alpha + self.beta)) * product ** self._share(self.alpha)

    def _share(self, exponent: Fraction) -> Expr:
        return _rational(exponent / (self.alpha + self.beta))


def _rational(value: Fraction) -> Expr:
    return Rational(value.numerator, value.denominator)


LOSS_LAWS: Mapping[str, LossLaw] = by_name(
    (
        LossLaw(
            "hoffmann-2022",
            floor=Fraction("1.69"), a=Fraction("406.4"), alpha=Fraction("0.34"),
            b=Fraction("410.7"), beta=Fraction("0.28"),
            source="Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, equation 10",
        ),
        LossLaw(
            "besiroglu-2024",
            floor=Fraction("1.8172"), a=Fraction("482.01"), alpha=Fraction("0.3478"),
            b=Fraction("2085.43"), beta=Fraction("0.3658"),
            source="Besiroglu et al. 2024, Chinchilla Scaling: A replication attempt",
            note="a new fit to the data of Hoffmann et al., read from their figures",
        ),
    )
)  # fmt: skip

TOKENS_PER_PARAMETER = 20  # D ≈ 20·N, the rounded optimum of Hoffmann et al. 2022, table 3


def loss_law(name: str) -> LossLaw:
    """The law called `name`. Raises UnknownName, naming the nearest.

    >>> loss_law("besiroglu-2024").floor
    Fraction(4543, 2500)
    """
    return entry(LOSS_LAWS, "loss law", name)
