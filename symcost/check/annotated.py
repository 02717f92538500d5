"""Annotated claims: forms whose author says in a comment which quantity they are."""

from __future__ import annotations

from dataclasses import replace

from symcost.check.annotations import Annotation
from symcost.check.case import MOST_DESIGNS, Case
from symcost.check.catalogue import Entry, book
from symcost.check.chains import approximates, unknown_words
from symcost.check.claims import Claim
from symcost.check.findings import Pair
from symcost.check.polynomials import minus
from symcost.check.slips import Slip, dropped, one_slip, shared, written
from symcost.check.statements import Statement
from symcost.check.subjects import Subject
from symcost.errors import SymcostError


def annotated_claim(case: Case, statement: Statement, about: Subject, claimed: Annotation) -> list[Pair]:
    """A form that its author says is a certain quantity: it equals what is derived, or it differs.

    Where no convention is named, a form that is right under another one `depends` on it.
    """
    forms = [item for item in statement.items if item.form.free_symbols and item.name is None]
    if not forms:
        return []
    claim = Claim(case, statement, forms[-1], about)
    shown = claim.item.source.strip()
    tables = case.tables(claim.item.form)
    if not tables:
        return [Pair("unchecked", "SC302", shown, message=unknown_words(case, claim.item.form))]
    given = case.suppositions
    own = [claimed.under] if claimed.under else [given.conventions[0]]
    best: tuple[tuple[bool, int], Entry, Slip | None] | None = None
    for convention in own + [each for each in given.conventions if each not in own]:
        for design in given.designs[:MOST_DESIGNS]:
            try:
                entry = book(given.under(design, convention)).asked(claimed.quantity, claimed.scope)
            except SymcostError as error:
                return [Pair("unchecked", "SC303", shown, message=str(error))]
            if entry.table in tables:
                if convention in own:
                    return [replace(claim.holds(entry), verdict="holds", code="SC102")]
                if claimed.under is None:
                    return [claim.depends(entry)]
            if convention in own:
                slip = one_slip(tables[0], entry.table, sure=True)
                score = (slip is not None, shared(tables[0], entry.table))
                if best is None or score > best[0]:
                    best = score, entry, slip
    if best is None:
        return []
    _, entry, slip = best
    if statement.about and dropped(tables[0], entry.table):
        return [approximates(case, tables[0], entry.table, shown)]
    if slip is None:
        difference = minus(entry.table, tables[0])
        slip = Slip(f"the difference is {written(difference)}", difference)
    return [claim.differs(entry, slip)]
