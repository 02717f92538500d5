"""What a limit is answered with: form, root, whole number with its certificate, and what binds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr, Symbol

from symcost.notation import code, latex
from symcost.solve.turning import tidy
from symcost.symbols import GLOSSARY, NOTATIONS, SYMBOLS
from symcost.terms import Number, Term, Terms, evaluator, plain

# The letter that stands for a limit, by what is limited; SYMBOLS["limit"] for anything else.
LIMITS: Mapping[str, Symbol] = {
    "bytes": SYMBOLS["M"],
    "s": SYMBOLS["T"],
    "USD": SYMBOLS["budget"],
    "FLOPs": SYMBOLS["C"],
}


def bound(terms: Terms) -> Symbol:
    """The letter for a limit of `terms`; `limit` where the form has the usual one in it."""
    usual = LIMITS.get(terms.unit, SYMBOLS["limit"])
    return usual if usual not in terms.total.free_symbols else SYMBOLS["limit"]


@dataclass(frozen=True)
class Certificate:
    """Why `k` is right: f(k) keeps the limit and f(next) does not, both in exact numbers.

    Where f(next) keeps it too, `why` says what forbids `next`: a tied letter that would be no whole number.
    """

    k: int
    at_k: Number
    next: int
    at_next: Number
    why: str = ""


@dataclass(frozen=True)
class Limit:
    """The largest or the least value of one letter for which a quantity keeps its limit.

    `form` is the answer in letters with the limit's own letter in it (M for memory), or None where there is
    no closed form worth reading; `equation` is the form that was turned round. `value` is the exact root.
    `floor` is the largest whole number that keeps the limit (0 where none does), `ceiling` the least one
    where larger numbers keep it; a letter that is no count (MFU, price) has neither, and `value` answers.
    Where nothing `fits`, `missing` is what the limit lacks, at `first` (the smallest number asked for) or
    where it lacks least.
    """

    terms: Terms
    letter: str
    relation: str
    limit: Number
    numbers: Mapping[str, Number]
    form: Expr | None
    value: Number | Expr | None
    largest: bool
    floor: int | None = None
    ceiling: int | None = None
    certificate: Certificate | None = None
    fits: bool = True
    missing: Number = 0
    first: int = 1

    @property
    def quantity(self) -> str:
        return self.terms.quantity

    @property
    def equation(self) -> Expr:
        return self.terms.total

    @property
    def bound(self) -> Symbol:
        """The letter that stands for the limit in `form`."""
        return bound(self.terms)

    @property
    def integer(self) -> int | None:
        """The whole number that answers the question."""
        return self.floor if self.floor is not None else self.ceiling

    @property
    def at(self) -> Number | None:
        """Where the answer stands: the whole number, or the exact root of a letter that is no count."""
        if self.integer or not isinstance(self.value, int | Fraction) or GLOSSARY[self.letter].whole:
            return self.integer
        return self.value

    @property
    def left(self) -> Number:
        """What the limit leaves over at the answer."""
        if not self.fits or not self.at:
            return 0
        return tidy(
            abs(Fraction(self.limit) - evaluator(self.equation)({**self.numbers, self.letter: self.at}))
        )

    def binds(self) -> list[tuple[str, Number, Fraction]]:
        """What makes up the quantity at the answer (at 1 where nothing fits): name, amount, share."""
        return self._shares(lambda term: term.quantity)

    def top_terms(self, most: int = 5) -> list[tuple[str, Number, Fraction]]:
        """The same by tensor, the `most` largest."""
        return self._shares(lambda term: f"{term.place}.{term.tensor}")[:most]

    def _shares(self, name: Callable[[Term], str]) -> list[tuple[str, Number, Fraction]]:
        numbers = {**self.numbers, self.letter: self.at or 1}
        groups: dict[str, Fraction] = {}
        for term in self.terms:
            groups[name(term)] = groups.get(name(term), Fraction(0)) + evaluator(term.total)(numbers)
        whole = sum(groups.values(), Fraction(0))
        rows = [(group, tidy(amount), amount / whole) for group, amount in groups.items()]
        return sorted(rows, key=lambda row: -row[1])

    def latex(self, notation: str = "lecture") -> str:
        """The root in a notation's letters; empty where there is no closed form."""
        return latex(self.form, NOTATIONS[notation]) if self.form is not None else ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON of the command line."""
        value, proof = self.value, self.certificate
        return {
            "for": self.letter,
            "quantity": self.quantity,
            "scope": self.terms.scope,
            "relation": self.relation,
            "limit": plain(self.limit),
            "unit": self.terms.unit,
            "form": code(self.form) if self.form is not None else None,
            "latex": self.latex() or None,
            "equation": code(self.equation),
            "value": code(value) if isinstance(value, Expr) else plain(value) if value is not None else None,
            **({"floor": self.floor} if self.largest else {"ceiling": self.ceiling}),
            "certificate": None if proof is None else {
                "k": proof.k, "at_k": plain(proof.at_k), "next": proof.next, "at_next": plain(proof.at_next),
                **({"why": proof.why} if proof.why else {}),
            },
            "left": plain(self.left),
            "fits": self.fits,
            "missing": plain(self.missing),
            "binds": [_row("quantity", *row) for row in self.binds()],
            "terms": [_row("term", *row) for row in self.top_terms()],
            "numbers": {it: plain(self.numbers[it]) for it in self.terms.letters if it != self.letter},
        }  # fmt: skip

    def _repr_latex_(self) -> str:
        answer = self.latex() or str(self.integer)
        return f"${self.letter}_{{\\{'max' if self.largest else 'min'}}} = {answer}$"


def _row(key: str, name: str, amount: Number, share: Fraction) -> dict[str, Any]:
    return {key: name, "amount": plain(amount), "share": plain(share)}
