"""Decoders beside an encoder: cross-attention, which reads the source's keys and values, and a block that has it besides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sympy import Expr, Symbol

from symcost.check.announcing import wanted
from symcost.check.case import Case
from symcost.check.catalogue import BLOCK, ONE_SEQUENCE, Piece, book
from symcost.check.findings import Pair
from symcost.check.knowledge import OWN
from symcost.check.listed import ALL_BLOCKS
from symcost.check.polynomials import Coefficient, Monomial, Summands, letters_of, summands, times, total
from symcost.check.slips import one_slip, written
from symcost.check.statements import Item, Statement
from symcost.check.subjects import ACTIVATIONS, Subject
from symcost.check.wordings import Wording

CROSS = Wording(r"\bcross(?:[- ]?att\w*)?\b|\bencoder[-–/ ]decoder attention\b", re.IGNORECASE)
DECODER = Wording(r"\bdec\b|\bdecoder\b(?!-only| only)(?: (?:block|layer)s?\b)?", re.IGNORECASE)
_SPEAKS_OF_CROSS = Wording(r"\bcross[- ]?attention\b|\bencoder[-–/ ]decoder attention\b", re.IGNORECASE)
_OF_TARGET = r"\b(?:target|decoder|output|quer\w+)(?:'s)?\s(?:\w+\s){{0,2}}?[$`]*{}(?!\w)"
COUNTED = ("parameters", "forward_flops", "activation_memory", "saved_activations")
OF_SOURCE = frozenset({"K", "V"})  # what cross-attention makes of the encoder's output
ONE: Summands = {(): 1}
INPUT, NORM, ATTENTION = "x_norm", "block.norm_1", "block.attention"


def decoder_pair(case: Case, statement: Statement, about: Subject, words: Sequence[str]) -> Pair | None:
    r"""$A_{dec}$ or "cross-attention": the derived block with a third norm and attention from $u$ rows to $s$ others.

    It differs where a coefficient or a letter of one term is another, and the words name no step of it.
    """
    if not case.said_first(_SPEAKS_OF_CROSS):
        return None
    named = CROSS.search(words[0]) or DECODER.search(words[0])
    spoken = CROSS.search(words[1]) or (DECODER.search(words[1]) if not about.parts else None)
    found = named or spoken
    item = statement.items[-1]
    if found is None or not item.form.free_symbols or item.name is not None:
        return None
    target = _target(case)
    table = summands(case.tied(_read(case, item, target)))
    whole, shown = CROSS.fullmatch(found[0]) is None, item.source.strip()
    what = "a decoder's block with its cross-attention" if whole else "cross-attention"
    ways = list(_ways(case, about, table or {}, target, whole=whole)) if table else []
    for quantity, derived in ways:
        if derived == table:
            return Pair(
                "holds",
                "SC102",
                shown,
                message=f"{quantity} of {what}, supposing {case.first}",
                quantity=quantity,
            )
    of_a_step = any(tensors for _, tensors in about.parts)
    if statement.about or (of_a_step and not named):
        return None
    for quantity, derived in ways:
        slip = one_slip(table or {}, derived)
        if slip is not None and not (slip.dropped or slip.added):
            right = written(derived).replace(OWN, "")
            message = f"{slip.words}; {quantity} of {what} is {right}, supposing {case.first}".replace(
                OWN, ""
            )
            return Pair("differs", "SC201", shown, right, message=message, quantity=quantity)
    return None


def _target(case: Case) -> Symbol:
    """The number of the decoder's tokens: the document's letter for it, where it has another one for the encoder's."""
    names = [name for _, name, meaning in case.knowledge.legend if meaning == "c" and len(name) == 1]
    said = [
        name for name in names if case.said_first(Wording(_OF_TARGET.format(re.escape(name)), re.IGNORECASE))
    ]
    return Symbol(OWN + said[0] if len(said) == 1 < len(names) else "c", positive=True)


def _read(case: Case, item: Item, target: Symbol) -> Expr:
    """The form with the decoder's tokens apart from the encoder's."""
    own = {symbol: target for symbol in item.part.expr.free_symbols if OWN + symbol.name == target.name}
    return case.knowledge.translated(item.part.expr.xreplace(own)).xreplace(
        {Symbol(OWN + target.name, positive=True): target}
    )


def _ways(
    case: Case, about: Subject, table: Summands, target: Symbol, *, whole: bool
) -> Iterator[tuple[str, Summands]]:
    """What may be meant, by quantity: with the encoder's output among what is kept, or not."""
    letters = letters_of(table)
    for quantity in (name for name in COUNTED if name in wanted(about)):
        block = book(case.first).entry(quantity, BLOCK, every=False)
        pieces = block.pieces if block is not None else ()
        attention = [piece for piece in pieces if piece.place == ATTENTION]
        cross = total(
            _rows(piece, target, "c" if piece.tensor in OF_SOURCE else target.name) for piece in attention
        )
        read = total(piece.amount for piece in attention if quantity in ACTIVATIONS and piece.tensor == INPUT)
        rest = [piece for piece in pieces if whole] + [
            piece for piece in pieces if whole and piece.place == NORM
        ]
        own = total(_rows(piece, target, target.name, target.name) for piece in rest)
        of_batch = quantity == "parameters" or "b" in letters
        each = times(ONE if of_batch else ONE_SEQUENCE, ALL_BLOCKS if "L" in letters else ONE) or {}
        for kept in ({}, read) if read else ({},):
            yield quantity, times(total((own, cross, kept)), each) or {}


def _rows(piece: Piece, target: Symbol, rows: str, columns: str = "c") -> Summands:
    """The amount of one tensor with as many rows; scores have the target's rows and so many columns."""
    found: dict[Monomial, Coefficient] = {}
    for monomial, value in piece.amount.items():
        powers = dict(monomial)
        tokens = powers.pop("c", 0)
        for name in ((rows,), (target.name, columns))[tokens - 1] if tokens else ():
            powers[name] = powers.get(name, 0) + 1
        found[tuple(sorted(powers.items()))] = value
    return found
