"""A limit as rows of text: the form, the numbers put in, the root, the whole number, its proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from symcost.notation import latex, text
from symcost.notation.numbers import rounded, significant, with_unit
from symcost.notation.printing import substituted
from symcost.solve.limit import Limit
from symcost.symbols import GLOSSARY, Notation
from symcost.terms import Number, plain


def rows(found: Limit, notation: Notation) -> Iterator[str]:
    """Everything that is known of a limit, one row after the other."""
    name, unit = found.letter, found.terms.unit
    of = f" of {found.terms.scope}" if found.terms.scope != "model" else ""
    limit = with_unit(found.limit, unit)
    yield f"{found.quantity}{of} = {text(found.equation, notation)} {found.relation} {limit}"
    if found.form is None:
        yield f"no closed form worth reading: {name} is found by exact search"
    else:
        numbers = {GLOSSARY[each].symbol: value for each, value in found.numbers.items()} | {
            found.bound: found.limit
        }
        yield f"{name} = {text(found.form, notation)}"
        yield f"  = {substituted(found.form, numbers, 'text', notation)}"
        yield from _root(found)
    if not found.fits:
        return
    which = "largest" if found.largest else "least"
    if found.integer is not None:
        yield f"{which} whole number: {name} = {found.integer:,}"
        yield from _proof(found)
    elif isinstance(found.value, int | Fraction):
        yield f"{which} value: {name} = {significant(found.value, 6)}, at which the limit is met exactly"
    yield f"what binds: {_shares(found.binds())}"
    top = found.top_terms()
    if len(top) > 1:
        yield f"top terms: {_shares(top)}"


def _root(found: Limit) -> Iterator[str]:
    if isinstance(found.value, int | Fraction):
        exact = plain(found.value)
        yield f"  = {exact}" if isinstance(exact, int) else f"  = {exact} = {significant(found.value, 6)}"
    elif found.value is not None:
        yield f"  = {text(found.value)} = {significant(Fraction(str(found.value.evalf(20))), 6)}"


def _proof(found: Limit) -> Iterator[str]:
    proof, unit = found.certificate, found.terms.unit
    if proof is None:
        return
    end = proof.why or f"at {proof.next:,} it is {_exact(proof.at_next, found.limit)}"
    yield f"proof: in {unit}, at {proof.k:,} it is {_exact(proof.at_k, found.limit)}; {end}"
    yield f"left: {with_unit(found.left, unit)}"


def _exact(value: Number, limit: Number) -> str:
    """All digits of a whole number; of a fraction eight, and how far from the limit it is."""
    if isinstance(value, int):
        return f"{value:,}"
    side = "below" if value < limit else "above"
    away = f", {significant(abs(value - limit), 3)} {side} the limit" if value != limit else ""
    return f"{significant(value, 8)}{away}"


def _shares(shares: Iterable[tuple[str, Number, Fraction]]) -> str:
    return ", ".join(f"{name} {rounded(100 * share, 1)} %" for name, _, share in shares)


def line(found: Limit, notation: Notation) -> str:
    """The answer as one line of LaTeX: the form in floor or ceiling brackets, and the number."""
    bracket = "floor" if found.largest else "ceil"
    form = latex(found.form, notation) if found.form is not None else ""
    whole = GLOSSARY[found.letter].whole
    body = rf"\left\l{bracket} {form}\right\r{bracket}" if form and whole else form
    answer = found.integer if whole else found.value
    end = "" if answer is None or not found.fits else latex(answer)
    return "=".join(part for part in (latex(GLOSSARY[found.letter].symbol, notation), body, end) if part)


def shortfall(found: Limit) -> str:
    """What the limit lacks where nothing fits, for the reader who asked."""
    unit, name = found.terms.unit, found.letter
    limit = f"{found.quantity} {found.relation} {with_unit(found.limit, unit)}"
    if not found.missing:
        return f"{limit}: nothing fits: however large {name} is, the limit is not kept. Change the limit."
    lacks = with_unit(found.missing, unit)
    if isinstance(found.missing, int) and unit in ("bytes", "FLOPs"):
        lacks += f" ({found.missing:,} {unit})"
    most = GLOSSARY[name].most
    if found.floor == 0:
        where = f"at {name} = {found.first:,}"
    elif most is not None and not found.largest:
        where = f"at {name} = {most}, the most there can be,"
    else:
        where = f"however {'small' if found.largest else 'large'} {name} is,"
    return f"{limit}: nothing fits: {where} {lacks} are missing. Change the limit, or another letter."
