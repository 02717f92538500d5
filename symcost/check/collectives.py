"""Collectives: what each device of a ring sends for an all-reduce, an all-gather or a reduce-scatter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from sympy import Expr, Integer, Symbol, cancel

from symcost.check.case import Case
from symcost.check.findings import Pair
from symcost.check.polynomials import form_of, letters_of, reduced, scaled, summands, times
from symcost.check.recipes import element_types
from symcost.check.statements import Statement, plain_name
from symcost.check.subjects import Subject
from symcost.check.wordings import Wording
from symcost.layouts import LAYOUTS, Message
from symcost.layouts.messages import GATHER, REDUCE, SCATTER
from symcost.notation import text as plain_text
from symcost.symbols import GLOSSARY, dp

N = GLOSSARY["N"].symbol
_KINDS = {
    kind: Wording(rf"\b{kind.replace('-', '[- ]?')}s?\b", re.IGNORECASE) for kind in (REDUCE, GATHER, SCATTER)
}
_GRADIENTS = Wording(r"\bgradients?\b", re.IGNORECASE)


def collective(case: Case, statement: Statement, about: Subject, words: Sequence[str]) -> Pair | None:
    """$2\\frac{k-1}{k}M$ bytes for a ring all-reduce of $M$ bytes over $k$ devices, half of it for either of its halves.

    Of gradients, N of them in an element type that is named, it also differs; of other things where they are so named.
    """
    near = next((each for each in words[1:4] if any(kind.search(each) for kind in _KINDS.values())), "")
    kinds = [kind for kind, pattern in _KINDS.items() if pattern.search(near)]
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    for item in statement.items:
        for devices, whole in _sent(item.form):
            size = whole / factor(kind)
            right = _sizes(case, size, f"{near} {words[3]}", about)
            if not right:
                continue
            ring = f"{kind} over {plain_name(devices.name)} devices in a ring"
            shown = item.source.strip()
            if size in right:
                return Pair(
                    "holds",
                    "SC102",
                    shown,
                    message=f"{ring}, of {plain_text(size)}",
                    quantity="message_bytes",
                )
            form = plain_text(factor(kind) * right[0] * (devices - 1) / devices)
            if not statement.about and reduced(size / right[0]) in (2, Fraction(1, 2)):
                return Pair("differs", "SC201", shown, form, message=f"{ring}, of {plain_text(right[0])}, sends {form}",
                            quantity="message_bytes")  # fmt: skip
    return None


def factor(kind: str) -> Expr:
    """How often a ring passes on all parts but one: twice for an all-reduce."""
    one = Message(kind, ("dp",), Integer(1), 1, "", "", "", "", Integer(1), "")
    return cancel(one.sent(LAYOUTS["ddp"]) * dp / (dp - 1))


def _sent(form: Expr) -> Iterator[tuple[Symbol, Expr]]:
    """The letters k for which a form is something times (k − 1)/k, and that something: all of it that k does not divide."""
    table = summands(form) or {}
    for name in sorted(letters_of(table)):
        whole = {monomial: value for monomial, value in table.items() if name not in dict(monomial)}
        shared = {monomial: value for monomial, value in table.items() if name in dict(monomial)}
        if whole and times(scaled(shared, -1), {((name, 1),): 1}) == whole:
            yield Symbol(name, positive=True), form_of(whole)


def _sizes(case: Case, size: Expr, words: str, about: Subject) -> list[Expr]:
    """What the words say that is sent: so many bytes by name, or the gradients of all parameters; else nothing."""
    if size.free_symbols == {N}:
        if not _GRADIENTS.search(words):
            return []
        if about.in_bytes is False:
            return [N]
        named = [each for each in (2, 4) if each in element_types(words)]
        sent = [each * N for each in (named if len(named) == 1 else () if about.in_bytes is None else (2, 4))]
        return sent if len(sent) == 1 or size in sent else []
    return [
        symbol
        for symbol in size.free_symbols
        if len(size.free_symbols) == 1
        and re.search(rf"\bof {re.escape(plain_name(symbol.name))} (?:bytes|elements)\b", words)
    ]
