"""Rates: a time in letters as the work that is done in it, FLOPs over a peak or bytes over a bandwidth."""

from __future__ import annotations

import re
from dataclasses import replace

from sympy import Expr, Symbol

from symcost.check.case import Case
from symcost.check.polynomials import Summands, form_of, summands, times
from symcost.check.statements import Item, Statement
from symcost.check.subjects import PARAMETERS, Subject
from symcost.check.wordings import Wording
from symcost.symbols import GLOSSARY, D, b, bandwidth, c, n

peak, MFU = (GLOSSARY[name].symbol for name in ("peak", "MFU"))
_RATES = {"FLOP": peak, "byte": bandwidth}
_OF_WEIGHTS = Wording(r"\b(?:weights?|matri(?:x|ces)|parameters?|layers?)\b", re.IGNORECASE)


def worked(case: Case, statement: Statement, item: Item, about: Subject) -> tuple[Item, Subject] | None:
    """The FLOPs or the bytes of a time, and what is said of them; tokens that no sequence has are those of the batch.

    An MFU is the FLOPs of a token times tokens per second, or those of a step over its time, over the peak of all devices.
    """
    item = replace(item, form=_with_rates(case, item.form))
    flops = _without(item.form, peak, n, MFU)
    if flops is not None and MFU.name in statement.names:
        measured = _measured(case, flops)
        return (replace(item, form=measured), about.of("training")) if measured is not None else None
    if flops is not None:
        tokens = {D: b * c} if item.form.free_symbols.isdisjoint({b, c}) else {}
        return replace(item, form=flops.xreplace(tokens)), about.counted_in_flops()
    read = _without(item.form, bandwidth, n)
    if read is None or not _OF_WEIGHTS.search(about.beside):
        return None
    bytes_read = about.of("parameter_memory")
    return replace(item, form=read), replace(bytes_read, quantities=PARAMETERS & bytes_read.quantities)


def _with_rates(case: Case, form: Expr) -> Expr:
    """A form with our letter for the one rate in it that the document gave in FLOP/s or in bytes/s: $C$, $W_{ici}$."""
    given = case.knowledge.units
    rates = {
        symbol: rate
        for symbol in form.free_symbols
        for kind, rate in _RATES.items()
        if symbol.name in given and given[symbol.name].powers == {kind: 1, "s": -1}
    }
    return form.xreplace(rates) if len(rates) == 1 else form


def _measured(case: Case, flops: Expr) -> Expr | None:
    """FLOPs per second without the one letter of the document's own that all of them are multiplied or divided by: the
    tokens per second that were measured, or the time of a step."""
    table, unknown = summands(flops), case.knowledge.unknown(flops)
    if not table or len(unknown) != 1:
        return None
    powers = {dict(monomial).get(unknown[0], 0) for monomial in table}
    if powers not in ({1}, {-1}):
        return None
    [power] = powers
    return form_of(times(table, {((unknown[0], -power),): 1}) or {})


def _without(form: Expr, rate: Symbol, *besides: Symbol) -> Expr | None:
    """A form without the rate that all of it is divided by, and without what the rate may be multiplied by."""
    table = summands(form) if rate in form.free_symbols else None
    if not table or not _divides(rate, table):
        return None
    for each in (rate, *besides):
        table = times(table, {((each.name, 1),): 1}) if _divides(each, table) else table
        if table is None:
            return None
    return form_of(table)


def _divides(letter: Symbol, table: Summands) -> bool:
    """Whether all terms are divided by a letter."""
    return all(dict(monomial).get(letter.name) == -1 for monomial in table)
