"""The largest batch: the memory turned round, the proof in whole bytes, the usual shortcut with its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from sympy import Expr, Poly, PolynomialError

from symcost.notation.numbers import rounded, significant, with_unit
from symcost.report.blocks import (
    Block,
    Code,
    Equation,
    Figure,
    Math,
    Paragraph,
    Section,
    Strong,
    Substitution,
    Table,
    Warning,
    joined,
    line,
)
from symcost.report.lecture.talk import Talk
from symcost.report.steps import exact, in_unit_of, name, ratio, together, valued
from symcost.solve import Limit, solve
from symcost.symbols import GIB, GLOSSARY
from symcost.terms import Number, Term, Terms, evaluator
from symcost.training import Costs

GROWS = "The memory grows by the same with every sequence, so it can be turned round for the batch:"
SEARCHED = "The memory does not grow by the same with every sequence, so the largest batch is searched for."
WIDTHS = frozenset(
    GLOSSARY[letter].symbol for letter in ["d", "d_ff", "v", "h", "d_k", "h_kv", "c_max", "d_expert"]
)


def limits(talk: Talk) -> list[Section]:
    """The largest batch: in letters always, in numbers on a GPU."""
    limit, gpu = talk.b_max, talk.gpu
    title = (
        line("The largest batch")
        if gpu is None
        else line("The largest batch on ", Code(gpu.name, of=("gpu",)))
    )
    proof = _proof(talk, limit) if limit is not None else []
    code = talk.recipe.limit(gpu) if limit is not None and gpu is not None else ()
    straight = _straight(talk)
    if straight is None:
        return [Section(title, (Paragraph(line(SEARCHED)), *proof), code=code)] if proof else []
    blocks: list[Block] = [Paragraph(line(GROWS)), _grows(talk, straight[0])]
    turned, more = _turned(talk, *straight), list[Section]()
    if limit is None or not isinstance(limit.value, int | Fraction):
        blocks.append(Equation(talk.b_max_name, turned, of="b_max"))
    else:
        blocks += [_largest(talk, turned, straight, limit, limit.value), *proof]
        more = _shortcut(talk, limit)
    return [Section(title, tuple(blocks), code=code), *more]


def _straight(talk: Talk) -> tuple[Expr, Expr] | None:
    """The peak memory as a straight line in b: what is there without a sequence, and what each adds."""
    try:
        coefficients = Poly(talk.costs["peak_memory"].total, GLOSSARY["b"].symbol).all_coeffs()
    except PolynomialError:
        return None
    return (coefficients[1], coefficients[0]) if len(coefficients) == 2 else None


def _is_static(talk: Talk, fixed: Expr) -> bool:
    """Whether activations have no part that no sequence adds to."""
    return ratio(fixed, talk.costs["static_memory"].total) == 1


def _grows(talk: Talk, fixed: Expr) -> Equation:
    start, each = name("M_static" if _is_static(talk, fixed) else "M_fixed"), name("M_sequence")
    b = talk.letter("b")
    form = Math(rf"{start.latex}+{b.latex}\,{each.latex}", f"{start.text} + {b.text}·{each.text}")
    return Equation(talk.letter("M"), (form,))


def _turned(talk: Talk, fixed: Expr, each: Expr) -> tuple[Math, ...]:
    """The largest batch in the names of the board, where it is short in them, and written out."""
    written_out = talk.board.floored(talk.form((GLOSSARY["M"].symbol - fixed) / each))
    static, both = talk.by_parameters("static_memory"), talk.by_counts()
    if static is None or both is None or not _is_static(talk, fixed):
        return (written_out,)
    kept, b = talk.form(both - static), talk.letter("b")
    below = Math(rf"{kept.latex}/{b.latex}", f"({kept.text}/{b.text})")
    return _divided(talk, together(talk.letter("M"), talk.form(static), sign="-"), below), written_out


def _divided(talk: Talk, above: Math, below: Math) -> Math:
    return talk.board.floored(
        Math(rf"\frac{{{above.latex}}}{{{below.latex}}}", f"({above.text})/{below.text}")
    )


def _largest(
    talk: Talk, turned: Sequence[Math], straight: tuple[Expr, Expr], limit: Limit, root: Number
) -> Substitution:
    """The largest batch three times: in letters, in one unit, as a whole number."""
    whole, (fixed, each) = limit.limit, (talk.board.value(form) or 0 for form in straight)
    above = together(in_unit_of(whole, whole), in_unit_of(fixed, whole), sign="-")
    numbers = (_divided(talk, above, in_unit_of(each, whole)), talk.board.floored(exact(root, 2)))
    return Substitution(
        talk.b_max_name, tuple(turned), numbers, valued(limit.floor or 0, "sequences"), of="b_max"
    )


def _proof(talk: Talk, limit: Limit) -> list[Block]:
    """Why it is that number, in whole bytes, and what binds."""
    blocks: list[Block] = []
    proof, whole = limit.certificate, limit.limit
    if limit.floor and proof is not None and proof.at_next > whole:
        at, most, after = exact(proof.at_k), exact(whole), exact(proof.at_next)
        chain = Math(
            rf"{at.latex}\le {most.latex}<{after.latex}",
            f"{at.text} ≤ {most.text} < {after.text}",
            of=("proof",),
        )
        fits = f"{proof.k} sequences fit, {proof.next} do not; {with_unit(limit.left, 'bytes')} are left."
        blocks.append(Paragraph(line("Proof, in whole bytes: ", chain, ". ", Figure(fits, "fits"))))
    elif limit.missing:
        words = f"Not one sequence fits: {with_unit(limit.missing, 'bytes')} are missing."
        blocks.append(Warning(line(Strong(words, of=("fits",)))))
    rows = tuple(
        (
            line(talk.name(quantity)),
            line(Figure(with_unit(amount, "bytes"), "bound", quantity)),
            line(Figure(f"{rounded(100 * part, 1)} %", "binding", quantity)),
        )
        for quantity, amount, part in limit.binds()
    )
    return [*blocks, Table(("what binds", "memory at the limit", "share"), rows, "lrr")]


class Shortcut(NamedTuple):
    """The usual shortcut to the largest batch, and what it drops: always there, and for each sequence."""

    form: Expr
    dropped: tuple[Terms, Terms]


def shortcut(costs: Costs) -> Shortcut | None:
    """No norms, and of the outside only the tables; None where nothing would be dropped, or all."""
    static, each = costs["static_memory"], costs["memory_per_sequence"]
    kept, dropped = each.where(_in_block), each.where(lambda term: not _in_block(term))
    if not kept.terms or not dropped.terms:
        return None
    form = (GLOSSARY["M"].symbol - static.where(_is_wide).total) / kept.total
    return Shortcut(form, (static.where(lambda term: not _is_wide(term)), dropped))


def _shortcut(talk: Talk, limit: Limit) -> list[Section]:
    """The usual shortcut, and what it promises too much."""
    decimal = int(limit.limit) // GIB * 10**9
    short = shortcut(talk.costs)
    if short is None or not decimal:
        return []
    board = replace(talk.board, numbers={**talk.board.known, "M": decimal})
    promised = evaluator(short.form)({**talk.known, "M": decimal})
    fits = solve(talk.costs["peak_memory"], "b", at_most=decimal, given=talk.numbers)
    if promised < 1 or promised // 1 == fits.floor:
        return []
    dropped = joined((talk.form(terms.total) for terms in short.dropped if terms.terms), " and ")
    value = significant(promised, 4)
    blocks = (
        Paragraph(line("A shortcut drops the norms, and all that is kept outside the blocks:")),
        Substitution(
            talk.b_max_name,
            (talk.form(short.form),),
            tuple(filter(None, (board.put_in(short.form), board.between(short.form)))),
            Math(value.replace(",", "{,}"), value),
            sign="≈",
            of="shortcut",
        ),
        Warning(
            line(
                Strong("Unsafe."),
                Figure(
                    f" With {with_unit(decimal, 'bytes', decimal=True)} = {decimal:,} bytes it promises "
                    f"{promised // 1:,} sequences, where {fits.floor:,} fit ({limit.floor:,} with "
                    f"{with_unit(limit.limit, 'bytes')}).",
                    "promise",
                ),
                " It leaves out ",
                *dropped,
                " bytes, always there and for each sequence. What is left out only makes the promise larger.",
            )
        ),
    )
    return [Section(line("The usual shortcut"), blocks, level=3)]


def _in_block(term: Term) -> bool:
    return term.place.split(".")[0] == "block"


def _is_wide(term: Term) -> bool:
    """Whether a term is of two or more widths (d·v, d²): the gain of a norm has one."""
    factors = (factor.as_base_exp() for factor in term.amount.as_ordered_factors())
    return sum(int(power) for base, power in factors if base in WIDTHS) > 1
