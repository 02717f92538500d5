"""The catalogue: every derived form, by what it is of, and the way back from a form to what it is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import chain, product
from typing import TypeAlias

from sympy import Expr, Integer, expand

from symcost import rules as steps
from symcost.check.polynomials import (
    FIELD,
    Coefficient,
    Monomial,
    Summands,
    form_of,
    joined,
    letters_of,
    minus,
    quotient,
    scaled,
    signature,
    summands,
    times,
    total,
)
from symcost.check.recipes import Recipe
from symcost.check.slips import one_slip
from symcost.check.subjects import MESSAGES, Part
from symcost.check.supposing import SINGLE, Supposed
from symcost.conventions import convention
from symcost.symbols import E, L, accumulation, d, w
from symcost.terms import Because, GradientReads, Term
from symcost.training import Across, Costs, derive

Key: TypeAlias = frozenset[tuple[Monomial, Coefficient]]

# Quantities that documents write closed forms for, in the order in which a form is looked up. `training` is forward and
# backward together, with what is computed again, `all_again` with a whole second forward pass, `backward_pass` backward
# with what is computed again; `kv_cache` and `messages` count elements. `idle_parameters` are those that a token does not
# meet, `sent_to_experts` what a block's tokens take to their experts and back, `tokens_of_expert` how many each expert gets.
QUANTITIES = (
    "parameters", "saved_activations", "forward_flops", "backward_flops", "backward_pass", "training", "all_again",
    "optimizer_flops",
    "step_flops", "activation_memory", "parameter_memory", "gradient_memory", "optimizer_memory", "static_memory",
    "memory_per_sequence",
    "peak_memory", "kv_cache", "kv_cache_memory", "recompute_flops", "active_parameters", "idle_parameters",
    "adapter_parameters", "sent_to_experts", "sent_to_experts_memory", "tokens_of_expert", "inference_memory", "decode_time",
    "messages", "message_bytes",
)  # fmt: skip
BY_TENSOR = (
    "parameters",
    "saved_activations",
    "activation_memory",
    "forward_flops",
    "backward_flops",
    "training",
)
OF_ROUTING = ("sent_to_experts", "sent_to_experts_memory", "tokens_of_expert")
OF_EXPERTS = (
    "active_parameters",
    "idle_parameters",
    *OF_ROUTING,
)  # the same as others, or nothing, without experts
OF_PARAMETERS = (
    "parameters",
    "optimizer_flops",
    "parameter_memory",
    "gradient_memory",
    "optimizer_memory",
    "static_memory",
)
_WITH_NORMS = (*OF_PARAMETERS, "active_parameters")
OF_A_BATCH = ("saved_activations", "forward_flops", "backward_flops", "training", "step_flops", "activation_memory",
              "memory_per_sequence", "peak_memory", "kv_cache", "kv_cache_memory", "recompute_flops", "parameters")  # fmt: skip
PER_TOKEN = (
    "forward_flops",
    "backward_flops",
    "backward_pass",
    "training",
    "all_again",
    "kv_cache",
    "kv_cache_memory",
    *OF_ROUTING[:2],
)
PER_SEQUENCE = (*PER_TOKEN, "saved_activations", "activation_memory")

FREE_OF_BYTES = frozenset({
    "parameters", "active_parameters", "idle_parameters", "adapter_parameters", "forward_flops", "backward_flops",
    "recompute_flops", "training",
})  # fmt: skip
FREE_OF_CONVENTION = frozenset({"parameters", "active_parameters", "idle_parameters", "adapter_parameters"})
OF_STATES = frozenset({"optimizer_flops", "parameter_memory", "gradient_memory", "optimizer_memory"})
OF_ALL_SIZES = ("parameters", "training", "saved_activations", "kv_cache")  # all others have terms like these

ALL: frozenset[str] = frozenset()
SCOPES: tuple[tuple[Part, ...], ...] = (
    (), (("block", ALL),), (("block.attention", ALL),), (("block.mlp", ALL),), (("block.norm_1", ALL),),
    (("block.norm_1", ALL), ("block.norm_2", ALL)), (("block.attention", ALL), ("block.norm_1", ALL)),
    (("block.mlp", ALL), ("block.norm_2", ALL)), (("block.mlp.experts", ALL),), (("block.mlp.shared", ALL),),
    (("block.mlp.experts", ALL), ("block.mlp.shared", ALL)), (("embedding", ALL),),
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


TOGETHER = {
    "training": ("forward_flops", "backward_flops", "recompute_flops"),
    "backward_pass": ("backward_flops", "recompute_flops"),
    "all_again": ("forward_flops", "forward_flops", "backward_flops"),
    "step_flops": ("forward_flops", "backward_flops", "recompute_flops", "optimizer_flops"),
    "static_memory": ("parameter_memory", "gradient_memory", "optimizer_memory"),
    "peak_memory": ("parameter_memory", "gradient_memory", "optimizer_memory", "activation_memory"),
}
NAMED = {
    "backward_pass": "backward flops, what is computed again among them",
    "all_again": "forward and backward flops with the whole forward pass run again, the head too",
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


def _tokens(monomial: Monomial) -> int:
    return dict(monomial).get("c", 0)


def _size(monomial: Monomial) -> frozenset[tuple[str, int]]:
    """What a term counts besides batch, blocks and bytes, of one of its tokens."""
    size = {name: power for name, power in monomial if name not in ("b", "L", "w")}
    size["c"] = max(size.get("c", 0) - 1, 0)
    return frozenset((name, power) for name, power in size.items() if power)


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
        self._sized: dict[tuple[str, frozenset[str], str], Sequence[Entry]] = {}

    @cached_property
    def costs(self) -> Costs:
        """What is derived."""
        supposed = self.supposed
        return derive(supposed.design.model, under=supposed.convention, optimizer=supposed.optimizer,
                      precision=supposed.precision, given=dict(supposed.ties), layout=supposed.layout)  # fmt: skip

    def has_size(self, monomial: Monomial) -> bool:
        """Whether a term of some quantity has this size, counted for one block, sequence, token or head, or for many.

        >>> from symcost.check.supposing import Supposed, LIKE_LLAMA
        >>> made = book(Supposed(LIKE_LLAMA))
        >>> made.has_size((("c", 2), ("d", 1))), made.has_size((("c", 2), ("d", 1), ("h", 1)))
        (True, False)
        """
        heads = ((), (("h", 1),), (("h_kv", 1),))
        return any(_size(joined(monomial, head)) in self._sizes for head in heads)

    @cached_property
    def _sizes(self) -> frozenset[frozenset[tuple[str, int]]]:
        pieces = chain.from_iterable(map(self.pieces, OF_ALL_SIZES))
        return frozenset(_size(monomial) for piece in pieces for monomial in piece.amount)

    def pieces(self, quantity: str) -> tuple[Piece, ...]:
        """The terms of a quantity: those of the book that supposes no more than it depends on."""
        if quantity not in self._pieces:
            plain = self._suppose_little(quantity)
            made = self._made(quantity) if plain == self.supposed else book(plain).pieces(quantity)
            self._pieces[quantity] = tuple(made)
        return self._pieces[quantity]

    def _suppose_little(self, quantity: str) -> Supposed:
        """The same supposition without what does not change a quantity."""
        supposed = self.supposed
        if quantity in FREE_OF_BYTES:
            supposed = replace(supposed, precision=None, optimizer="adamw")
        if quantity in FREE_OF_CONVENTION:
            supposed = replace(supposed, convention="textbook", optimizer="adamw")
        if quantity in OF_STATES:
            precision = supposed.precision or convention(supposed.convention).precision
            supposed = replace(supposed, convention="textbook", precision=precision)
        return supposed

    def _made(self, quantity: str) -> Iterator[Piece]:
        if quantity in TOGETHER:
            for each in TOGETHER[quantity]:
                yield from self.pieces(each)
            return
        if quantity in MESSAGES:
            yield from self._messages(quantity)
            return
        for term in _alike(self._terms(quantity)):
            if not self.supposed.design.gains_counted and quantity in _WITH_NORMS and "norm" in term.place:
                continue
            yield Piece(term, _table(term.amount), _table(term.times), _step_of(term))

    def _terms(self, quantity: str) -> Iterator[Term]:
        """The terms of a quantity, also where it is one of the catalogue's own."""
        costs = self.costs
        size = w if "w" in dict(self.supposed.ties) else Integer(costs.precision.activation)
        match quantity:
            case "kv_cache":
                yield from (replace(term, amount=term.amount / size) for term in costs["kv_cache_memory"])
            case "adapter_parameters":
                terms = costs["parameters"] if self.supposed.design.adapted else ()
                yield from (term for term in terms if term.tensor.startswith(("A_", "B_")))
            case "idle_parameters":
                for term, active in zip(costs["parameters"], costs["active_parameters"], strict=True):
                    if term.amount != active.amount:
                        yield replace(term, amount=expand(term.amount - active.amount))
            case "sent_to_experts":
                yield from _sent_to_experts(costs)
            case "sent_to_experts_memory":
                yield from (replace(term, amount=term.amount * size) for term in _sent_to_experts(costs))
            case "tokens_of_expert":
                for term in _sent_to_experts(costs):
                    if term.tensor == "x_e":
                        yield replace(term, amount=term.amount / (d * E))
            case _:
                yield from costs[quantity]

    def sized(self, quantity: str, letters: Collection[str], per: str = "") -> Sequence[Entry]:
        """A quantity of the model with letters for how many parameters it has, of those that a form has: 2N + 4Lcd.

        Of FLOPs also what the matrices with these parameters cost alone. Empty where none of the letters counts here, and
        for one device of many.
        """
        if self.supposed.layout != SINGLE:
            return ()
        wanted = (quantity, OF_SIZES.intersection(letters), per)
        if wanted not in self._sized:
            self._sized[wanted] = (
                tuple(self._in_sizes(*wanted)) if not per or quantity in PER_SEQUENCE else ()
            )
        return self._sized[wanted]

    def _in_sizes(self, quantity: str, letters: Collection[str], per: str) -> Iterator[Entry]:
        groups: dict[str, list[Piece]] = {}
        for piece in self.pieces(quantity):
            groups.setdefault(_size_of(piece, quantity), []).append(piece)
        rest, tables = groups.pop("", []), []
        for size, pieces in groups.items():
            name = next((name for name in SIZES[size] if name in letters), None)
            each = quotient(total(piece.in_all for piece in pieces), self._size(size)) if name else None
            if each is None:
                rest += pieces
            else:
                tables.append(times(each, {((str(name), 1),): 1}) or {})
        if not tables:
            return
        share: Summands = ONE_OF[per] if per else {(): 1}
        remark = THUMB_OF_ALL if quantity in PASSES and "N_matmul" not in letters else ""
        passes = quantity in PASSES
        for pieces, words in ((rest, remark), ([], "the matrices alone"))[: 1 + passes]:
            for less, without in self._left_out(tables) if passes and "N" in letters else (({}, ""),):
                table = times(minus(total((*tables, *(piece.in_all for piece in pieces))), less), share) or {}
                yield Entry(quantity, (), table, tuple(pieces), self.supposed, True, per, without or words)

    def _left_out(self, tables: Sequence[Summands]) -> Iterator[tuple[Summands, str]]:
        """What FLOPs of all parameters have too much, by the parameters that multiply nothing: none left out, all of them,
        the largest."""
        yield {}, ""
        idle = minus(self._size("N"), self._size("N_matmul"))
        each = next((table for table in tables if len(table) == 1), {})
        per_parameter = times(each, {(("N", -1),): 1})
        tables_of_words = {size: value for size, value in idle.items() if dict(size).get("v")}
        for less, words in (
            (idle, "without parameters that multiply nothing"),
            (tables_of_words, "without the lookup"),
        ):
            if less and per_parameter:
                yield times(per_parameter, less) or {}, words

    def _size(self, letter: str) -> Summands:
        """How many parameters one of the letters counts."""
        if letter == "N_matmul":
            pieces = [
                piece for piece in self.pieces("forward_flops") if _size_of(piece, "forward_flops") == letter
            ]
            return (
                times(total(piece.in_all for piece in pieces), {(("b", -1), ("c", -1)): Fraction(1, 2)}) or {}
            )
        pieces = [piece for piece in self.pieces("parameters") if _size_of(piece, "parameters") == letter]
        return total(piece.in_all for piece in pieces)

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
        letters = letters_of(table)
        if letters & OF_SIZES:
            for quantity, (per, _) in product(SIZED, SHARES):
                yield from (entry for entry in self.sized(quantity, letters, per) if entry.table == table)
            return
        if letters & OF_A_RUN:
            return
        for per, factor in SHARES:
            if per and "b" in letters:
                return
            design = self.supposed.design
            whole = (
                *(OF_A_BATCH if letters & {"b", "c"} else OF_PARAMETERS),
                *(OF_EXPERTS if design.experts else ()),
                *(("adapter_parameters",) if design.adapted else ()),
            )
            wanted = times(table, factor) or {}
            if _over_tokens(wanted):
                continue
            near = signature(wanted)
            for quantity in {"": whole, "sequence": PER_SEQUENCE, "token": PER_TOKEN}[per]:
                if quantity in OF_EXPERTS and not design.experts:
                    continue
                for parts, every in self._by_signature(quantity).get(near, ()):
                    entry = self.entry(quantity, parts, every=every)
                    if entry is not None and entry.table == wanted:
                        yield replace(entry, table=table, per=per)

    def some(self, table: Summands, quantities: Iterable[str] = BY_TENSOR) -> Iterator[Entry]:
        """Every place that has some tensors whose amounts, in one block or in all, sum up to this form."""
        letters = letters_of(table)
        every = "L" in letters
        if letters & OF_A_RUN:
            return
        if self.supposed.design.adapted:
            quantities = ("parameters",)
        elif self.supposed.design.experts:
            quantities = (*quantities, "active_parameters")
        for quantity in quantities:
            for per, factor in SHARES:
                if per and (quantity not in PER_SEQUENCE or "b" in letters):
                    continue
                if per == "token" and quantity not in PER_TOKEN:
                    continue
                wanted = times(table, factor) or {}
                if _over_tokens(wanted):
                    continue
                for place, pieces in self._places(quantity).items():
                    chosen = _chosen(wanted, pieces, every)
                    if chosen:
                        yield Entry(
                            quantity, ((place, ALL),), table, chosen, self.supposed, every, per, "", True
                        )

    def beside(self, table: Summands, odd: Monomial, quantities: Iterable[str]) -> Iterator[Entry]:
        """What a form would be if one of its terms had the size of some term of these quantities, for as many tokens."""
        rest, value = dict(table), table[odd]
        del rest[odd]
        for quantity in quantities:
            sizes = {size for piece in self.pieces(quantity) for size in (*piece.amount, *piece.in_all)}
            found = {
                size for each in sizes for _, shared in SHARES for size in times({each: 1}, shared) or ()
            }
            for size in sorted(found, key=lambda size: (abs(_tokens(size) - _tokens(odd)), size)):
                if size not in table and one_slip({odd: value}, {size: value}, sure=True) is not None:
                    yield from self.some({**rest, size: value}, (quantity,))

    def _places(self, quantity: str) -> dict[str, list[Piece]]:
        if quantity not in self._placed:
            places = self._placed[quantity] = {}
            for piece in self.pieces(quantity):
                places.setdefault(piece.place, []).append(piece)
        return self._placed[quantity]


CORE = frozenset({"scores", "P", "O"})


def _alike(terms: Iterable[Term]) -> Iterator[Term]:
    """The terms with all blocks alike, where adapters leave the first one an input that wants no gradient."""
    for term in terms:
        if term.place.startswith("block.rest"):
            yield replace(term, place=term.place.replace(".rest", "", 1), times=L)
        elif not term.place.startswith("block.first"):
            yield term


def _sent_to_experts(costs: Costs) -> Iterator[Term]:
    """The rows that tokens take to their experts, and the answers that come back."""
    for step in costs.derivation.program.steps:
        if step.rule in (steps.DISPATCH, steps.COMBINE):
            rows = step.result if step.rule is steps.DISPATCH else step.inputs[0]
            because = Because("a row for each expert that a token is sent to")
            yield Term(rows.size, rows.times, rows.name, rows.place, because, "sent_to_experts")


# The letters that count parameters, by what they count, with those that people write for it in passing.
SIZES = {"N": ("N",), "N_adapter": ("N_adapter",), "N_matmul": ("N_matmul", "N_active", "N")}
PASSES = frozenset({"forward_flops", "backward_flops", "training"})
OF_SIZES = frozenset(name for names in SIZES.values() for name in names)
OF_A_RUN = frozenset(
    {"D", "epochs", "n", "MFU", "HFU", "peak", "watts", "price", "budget", "C", "T", "M"}
)  # no step's
THUMB_OF_ALL = "a parameter that multiplies nothing is counted as if it did"
SIZED = (*PASSES, "static_memory", "peak_memory", "parameter_memory", "inference_memory", "decode_time")


def _over_tokens(table: Summands) -> bool:
    """Whether a form is divided by sequences or tokens, which no quantity of a batch is."""
    return any(name in ("b", "c") and power < 0 for monomial in table for name, power in monomial)


def _size_of(piece: Piece, quantity: str) -> str:
    """The letter that counts the parameters which a piece grows with, "" where it grows with none."""
    letters = letters_of(piece.amount)
    if "r" in letters:
        return "N_adapter"
    if quantity in PASSES:
        return "" if piece.tensor in CORE else "N_matmul"
    return "" if "b" in letters else "N"


def _step_of(term: Term) -> str:
    """The step or tensor that a term belongs to, without what was done to it: K for K_rotated, P for P_dropped, W_Q for
    its adapter.

    A gradient's FLOPs belong to the step that they go back through.
    """
    if term.quantity == "backward_flops" and isinstance(term.because, GradientReads):
        return term.because.result
    name = re.sub(r"\A[AB]_", "W_", term.tensor.removeprefix("mask_"))
    head, _, tail = name.partition("_")
    return head if tail in ("rotated", "biased", "dropped") and head not in ("y", "z") else name


@cache
def _inside(place: str, whole: str) -> bool:
    return place == whole or place.startswith(f"{whole}.")


@cache
def _inside_any(place: str, parts: tuple[Part, ...]) -> bool:
    return any(_inside(place, whole) for whole, _ in parts)


def _chosen(wanted: Summands, pieces: list[Piece], every: bool) -> tuple[Piece, ...]:
    """Pieces of a place whose amounts sum up to a form: for each monomial, how many of each amount."""
    chosen: list[Piece] = []
    amounts = [(piece, piece.in_all if every else piece.amount) for piece in pieces]
    for monomial, value in wanted.items():
        alike = [(piece, amount) for piece, amount in amounts if monomial in amount]
        if any(len(amount) != 1 for _, amount in alike):
            return ()
        found = _subset([amount[monomial] for _, amount in alike], value)
        if found is None:
            return ()
        chosen += [alike[position][0] for position in found]
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


def same_under(entry: Entry, supposed: Supposed) -> Entry | None:
    """What an entry is of, under another supposition."""
    return book(supposed).entry(entry.quantity, entry.parts, every=entry.every, per=entry.per)
