"""Reading formulas and printing them as a lecturer writes."""

from symcost.notation.printing import code, latex, text

__all__ = ["code", "latex", "text"]
