"""Limits: a closed form turned round. The form for the reader, the exact root, the integer with its proof."""

from __future__ import annotations

from symcost.solve.answering import Amount, solve
from symcost.solve.frontier import Frontier, frontier
from symcost.solve.limit import LIMITS, Certificate, Limit

__all__ = ["LIMITS", "Amount", "Certificate", "Frontier", "Limit", "frontier", "solve"]
