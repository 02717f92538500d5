"""Rates: a time in letters as the work that is done in it, FLOPs over a peak or bytes over a bandwidth."""

from __future__ import annotations

import re
from dataclasses import replace

from sympy import Expr, cancel

from symcost.check.statements import Item
from symcost.check.subjects import PARAMETERS, Subject
from symcost.symbols import GLOSSARY, D, b, bandwidth, c, n

peak, MFU = (GLOSSARY[name].symbol for name in ("peak", "MFU"))
_OF_WEIGHTS = re.compile(r"\b(?:weights?|matri(?:x|ces)|parameters?|layers?)\b", re.IGNORECASE)


def worked(item: Item, about: Subject) -> tuple[Item, Subject] | None:
    """The FLOPs or the bytes of a time, and what is said of them; tokens that no sequence has are those of the batch."""
    flops = _without(item.form, peak, n, MFU)
    if flops is not None:
        tokens = {D: b * c} if item.form.free_symbols.isdisjoint({b, c}) else {}
        return replace(item, form=flops.xreplace(tokens)), about.counted_in_flops()
    read = _without(item.form, bandwidth, n)
    if read is None or not _OF_WEIGHTS.search(about.beside):
        return None
    bytes_read = about.of("parameter_memory")
    return replace(item, form=read), replace(bytes_read, quantities=PARAMETERS & bytes_read.quantities)


def _without(form: Expr, rate: Expr, *besides: Expr) -> Expr | None:
    """A form without the rate that all of it is divided by, and without what the rate may be multiplied by."""
    work = cancel(form * rate)
    if rate not in form.free_symbols or rate in work.free_symbols:
        return None
    for each in besides:
        more = cancel(work * each)
        work = more if each not in more.free_symbols else work
    return work
