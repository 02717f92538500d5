"""The catalogue: every derived form, by what it is of, and the way back from a form to what it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from typing import TypeAlias

from sympy import Expr, Integer

from symcost.check.polynomials import (
    FIELD,
    Coefficient,
    Monomial,
    Summands,
    form_of,
    minus,
    scaled,
    signature,
    summands,
    times,
    total,
)
from symcost.check.recipes import Recipe
from symcost.check.subjects import MESSAGES, Part
from symcost.check.supposing import VARIANTS as VARIANTS
from symcost.check.supposing import Supposed
from symcost.symbols import accumulation
from symcost.terms import GradientReads, Term
from symcost.training import Across, Costs, derive

Key: TypeAlias = frozenset[tuple[Monomial, Coefficient]]

# Quantities that documents write closed forms for, in the order in which a form is looked up. `training` is forward and
# backward together, with what is computed again; `kv_cache` and `messages` count elements.
QUANTITIES = (
    "parameters", "saved_activations", "forward_flops", "backward_flops", "training", "optimizer_flops", "step_flops",
    "activation_memory", "parameter_memory", "gradient_memory", "optimizer_memory", "static_memory", "memory_per_sequence",
    "peak_memory", "kv_cache", "kv_cache_memory", "recompute_flops", "active_parameters", "messages", "message_bytes",
)  # fmt: skip
BY_TENSOR = (
    "parameters",
    "saved_activations",
    "activation_memory",
    "forward_flops",
    "backward_flops",
    "training",
)
OF_PARAMETERS = (
    "parameters",
    "optimizer_flops",
    "parameter_memory",
    "gradient_memory",
    "optimizer_memory",
    "static_memory",
)
OF_A_BATCH = ("saved_activations", "forward_flops", "backward_flops", "training", "step_flops", "activation_memory",
              "memory_per_sequence", "peak_memory", "kv_cache", "kv_cache_memory", "recompute_flops", "parameters")  # fmt: skip
PER_TOKEN = ("forward_flops", "backward_flops", "training", "kv_cache", "kv_cache_memory")
PER_SEQUENCE = (*PER_TOKEN, "saved_activations", "activation_memory")

ALL: frozenset[str] = frozenset()
SCOPES: tuple[tuple[Part, ...], ...] = (
    (), (("block", ALL),), (("block.attention", ALL),), (("block.mlp", ALL),), (("block.norm_1", ALL),),
    (("block.norm_1", ALL), ("block.norm_2", ALL)), (("block.attention", ALL), ("block.norm_1", ALL)),
    (("block.mlp", ALL), ("block.norm_2", ALL)), (("block.mlp.experts", ALL),), (("embedding", ALL),),
    (("embedding", frozenset({"W_E"})), ("head", ALL)), (("final_norm", ALL),), (("head", ALL),),
    (("final_norm", ALL), ("head", ALL)),
)  # fmt: skip
ONE_MICRO_BATCH = {accumulation: Integer(1)}
BLOCK: tuple[Part, ...] = (("block", ALL),)
IN_BLOCK = frozenset(parts for parts in SCOPES if any(place.startswith("block") for place, _ in parts))

ONE_TOKEN: Summands = {(("b", -1), ("c", -1)): 1}
ONE_SEQUENCE: Summands = {(("b", -1),): 1}
ONE_EXPERT: Summands = {(("E", -1),): 1}
ONE_OF = {"token": ONE_TOKEN, "sequence": ONE_SEQUENCE, "expert": ONE_EXPERT}
SHARES: tuple[tuple[str, Summands], ...] = (
    ("", {(): 1}),
    ("sequence", {(("b", 1),): 1}),
    ("token", {(("b", 1), ("c", 1)): 1}),
)  # what they are of the whole


NAMED = {
    "training": "forward and backward flops",
    "kv_cache": "the elements of the KV cache",
    "messages": "the elements that one device sends",
}


@dataclass(eq=False)
class Piece:
    """One term of a quantity: its amount and its count as tables, and the step or tensor that it belongs to."""

    term: Term
    amount: Summands
    count: Summands
    tensor: str

    @cached_property
    def in_all(self) -> Summands:
        """The amount of all blocks."""
        return times(self.amount, self.count) or self.amount

    @cached_property
    def signatures(self) -> tuple[int, int]:
        """Those of the amount of one block, where it is in one, and of all."""
        one = signature(self.amount)
        every = one * signature(self.count) % FIELD
        return (one if self.in_block else every), every

    @cached_property
    def place(self) -> str:
        return self.term.place

    @cached_property
    def in_block(self) -> bool:
        return self.place.startswith("block")


@dataclass(frozen=True)
class Entry:
    """One derived form: a quantity of some parts, of one block or all, for a batch, a sequence or a token.

    One that holds of any model has no pieces and nothing supposed; it may have a recipe of bytes and a stage of ZeRO.
    """

    quantity: str
    parts: tuple[Part, ...]
    table: Summands
    pieces: tuple[Piece, ...]
    supposed: Supposed | None
    every: bool = False
    per: str = ""
    remark: str = ""
    partial: bool = False
    recipe: Recipe | None = None
    stage: str = ""

    @property
    def total(self) -> Expr:
        """The form as an expression."""
        return form_of(self.table)

    @property
    def scope(self) -> str:
        """Where it is, as the findings name it."""
        if not self.parts:
            return "model"
        return " and ".join(place for place, _ in self.parts)

    @property
    def tensors(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(piece.term.tensor for piece in self.pieces))

    def without(self, place: str = "", tensor: str = "", remark: str = "") -> Entry:
        """The same without what is at a place, or without one of its tensors."""
        table = dict(self.table)
        for piece in self.pieces:
            if place in ("", piece.term.place) and tensor in ("", piece.term.tensor):
                table = dict(minus(table, piece.in_all if self.every or not piece.in_block else piece.amount))
        return replace(self, table=table, remark=remark or f"without {place}")

    def named(self) -> str:
        """What it is, in words: `saved_activations of block`."""
        quantity = NAMED.get(self.quantity, self.quantity)
        of = f" of {self.scope}" if self.parts else ""
        named = self.partial or any(tensors for _, tensors in self.parts)
        which = f" ({', '.join(self.tensors[:4])})" if named and self.tensors else ""
        count = (
            " in all blocks"
            if self.every and any(place.startswith("block") for place, _ in self.parts)
            else ""
        )
        return (
            f"{quantity}{of}{which}{count}"
            + (f", for one {self.per}" if self.per else "")
            + (f" ({self.remark})" if self.remark else "")
        )


@cache
def _table(form: Expr) -> Summands:
    return summands(form) or {}


class Book:
    """All forms under one supposition, each made when it is asked for."""

    def __init__(self, supposed: Supposed) -> None:
        self.supposed = supposed
        self._pieces: dict[str, tuple[Piece, ...]] = {}
        self._placed: dict[str, dict[str, list[Piece]]] = {}
        self._indexed: dict[str, dict[int, list[tuple[tuple[Part, ...], bool]]]] = {}
        self._entries: dict[tuple[str, tuple[Part, ...], bool, str], Entry | None] = {}

    @cached_property
    def costs(self) -> Costs:
        """What is derived."""
        supposed = self.supposed
        return derive(supposed.design.model, under=supposed.convention, optimizer=supposed.optimizer,
                      precision=supposed.precision, given=dict(supposed.ties), layout=supposed.layout)  # fmt: skip

    def pieces(self, quantity: str) -> tuple[Piece, ...]:
        """The terms of a quantity."""
        if quantity not in self._pieces:
            self._pieces[quantity] = tuple(self._made(quantity))
        return self._pieces[quantity]

    def _made(self, quantity: str) -> Iterator[Piece]:
        if quantity == "training":
            for each in ("forward_flops", "backward_flops", "recompute_flops"):
                yield from self.pieces(each)
            return
        if quantity in MESSAGES:
            yield from self._messages(quantity)
            return
        for term in self.costs["kv_cache_memory" if quantity == "kv_cache" else quantity]:
            if not self.supposed.design.gains_counted and quantity in OF_PARAMETERS and "norm" in term.place:
                continue
            amount = _table(term.amount)
            if quantity == "kv_cache":
                amount = scaled(amount, Fraction(1, self.costs.precision.activation))
            yield Piece(term, amount, _table(term.times), _step_of(term))

    def _messages(self, quantity: str) -> Iterator[Piece]:
        """What one device of a layout sends for one micro-batch, in bytes or in elements."""
        if not isinstance(self.costs, Across):
            return
        for message in self.costs.derivation.messages:
            term = message.term(self.costs.layout)
            amount = _table(term.amount.xreplace(dict(self.costs.ties)))
            if quantity == "messages":
                amount = scaled(amount, Fraction(1, message.bytes))
            yield Piece(term, amount, _table(term.times.xreplace(ONE_MICRO_BATCH)), term.tensor)

    def entry(
        self,
        quantity: str,
        parts: tuple[Part, ...] = (),
        *,
        every: bool = True,
        per: str = "",
    ) -> Entry | None:
        """A quantity of some parts: of all blocks or of one, for a token or a sequence; None where there is none."""
        wanted = (quantity, parts, every, per)
        if wanted not in self._entries:
            self._entries[wanted] = self._entry(*wanted)
        return self._entries[wanted]

    def asked(self, quantity: str, scope: str) -> Entry:
        """A quantity of a place or a tensor, as `derive` names it. Raises UnknownName where there is none."""
        terms = self.costs[quantity].of(scope)
        pieces = tuple(Piece(term, _table(term.amount), _table(term.times), _step_of(term)) for term in terms)
        parts: tuple[Part, ...] = () if scope == "model" else ((scope, ALL),)
        return Entry(quantity, parts, total(piece.in_all for piece in pieces), pieces, self.supposed)

    def _entry(self, quantity: str, parts: tuple[Part, ...], every: bool, per: str) -> Entry | None:
        chosen = (
            self.pieces(quantity)
            if not parts
            else tuple(
                piece
                for place, pieces in self._places(quantity).items()
                if (here := [tensors for inside, tensors in parts if _inside(place, inside)])
                for piece in pieces
                if any(not tensors or piece.tensor in tensors for tensors in here)
            )
        )
        if not chosen:
            return None
        table = total(piece.amount if piece.in_block and not every else piece.in_all for piece in chosen)
        if per:
            table = times(table, ONE_OF[per]) or table
        return Entry(quantity, parts, table, chosen, self.supposed, every, per)

    def _by_signature(self, quantity: str) -> Mapping[int, list[tuple[tuple[Part, ...], bool]]]:
        """The whole places of a quantity, of one block or all, by the signatures of their forms."""
        if quantity not in self._indexed:
            found = self._indexed[quantity] = {}
            places = {
                place: (
                    sum(piece.signatures[0] for piece in pieces),
                    sum(piece.signatures[1] for piece in pieces),
                )
                for place, pieces in self._places(quantity).items()
            }
            for parts in SCOPES:
                inside = [each for place, each in places.items() if not parts or _inside_any(place, parts)]
                for every in (False, True) if parts in IN_BLOCK else (True,):
                    if inside and len(inside) >= len(parts):
                        found.setdefault(sum(each[every] for each in inside) % FIELD, []).append(
                            (parts, every)
                        )
        return self._indexed[quantity]

    def equal(self, table: Summands) -> Iterator[Entry]:
        """Every whole place whose form this is, for a batch, else for one sequence or token."""
        letters = {name for monomial in table for name, _ in monomial}
        for per, factor in SHARES:
            if per and "b" in letters:
                return
            whole = OF_A_BATCH if letters & {"b", "c"} else OF_PARAMETERS
            wanted = times(table, factor) or {}
            near = signature(wanted)
            for quantity in {"": whole, "sequence": PER_SEQUENCE, "token": PER_TOKEN}[per]:
                for parts, every in self._by_signature(quantity).get(near, ()):
                    entry = self.entry(quantity, parts, every=every)
                    if entry is not None and entry.table == wanted:
                        yield replace(entry, table=table, per=per)

    def some(self, table: Summands, quantities: Iterable[str] = BY_TENSOR) -> Iterator[Entry]:
        """Every place that has some tensors whose amounts sum up to this form."""
        for quantity in quantities:
            for per, factor in SHARES:
                if per and (
                    quantity not in PER_SEQUENCE
                    or any(name == "b" for monomial in table for name, _ in monomial)
                ):
                    continue
                if per == "token" and quantity not in PER_TOKEN:
                    continue
                wanted = times(table, factor) or {}
                for place, pieces in self._places(quantity).items():
                    chosen = _chosen(wanted, pieces)
                    if chosen:
                        yield Entry(
                            quantity, ((place, ALL),), table, chosen, self.supposed, False, per, "", True
                        )

    def _places(self, quantity: str) -> dict[str, list[Piece]]:
        if quantity not in self._placed:
            places = self._placed[quantity] = {}
            for piece in self.pieces(quantity):
                places.setdefault(piece.place, []).append(piece)
        return self._placed[quantity]


def _step_of(term: Term) -> str:
    """The step or tensor that a term belongs to, without what was done to it: K for K_rotated, P for P_dropped.

    A gradient's FLOPs belong to the step that they go back through.
    """
    if term.quantity == "backward_flops" and isinstance(term.because, GradientReads):
        return term.because.result
    name = term.tensor.removeprefix("mask_")
    head, _, tail = name.partition("_")
    return head if tail in ("rotated", "biased", "dropped") and head not in ("y", "z") else name


@cache
def _inside(place: str, whole: str) -> bool:
    return place == whole or place.startswith(f"{whole}.")


@cache
def _inside_any(place: str, parts: tuple[Part, ...]) -> bool:
    return any(_inside(place, whole) for whole, _ in parts)


def _chosen(wanted: Summands, pieces: list[Piece]) -> tuple[Piece, ...]:
    """Pieces of a place whose amounts sum up to a form: for each monomial, how many of each amount."""
    chosen: list[Piece] = []
    for monomial, value in wanted.items():
        alike = [piece for piece in pieces if monomial in piece.amount]
        if any(len(piece.amount) != 1 for piece in alike):
            return ()
        found = _subset([piece.amount[monomial] for piece in alike], value)
        if found is None:
            return ()
        chosen += [alike[position] for position in found]
    return tuple(chosen) if 0 < len(chosen) < len(pieces) else ()


def _subset(values: list[Coefficient], wanted: Coefficient) -> tuple[int, ...] | None:
    """Positions of values that sum up to the total, the first ones of each size."""
    reached: dict[Coefficient, tuple[int, ...]] = {0: ()}
    for position, value in enumerate(values[:24]):
        for start, positions in list(reached.items()):
            reached.setdefault(start + value, (*positions, position))
        if wanted in reached:
            return reached[wanted]
    return None


@cache
def book(supposed: Supposed) -> Book:
    """The forms under a supposition, made once."""
    return Book(supposed)
