"""The catalogue: everything that is derived, looked up by its summands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import product
from typing import Any

from sympy import Expr, Integer

from symcost.check.polynomials import Monomial, Summands, key, summands
from symcost.model import LETTERS, Attention, FeedForward, Model
from symcost.symbols import MFU, D, N, c, n, peak
from symcost.tables.optimizers import OPTIMIZERS
from symcost.tables.precisions import PRECISIONS, bytes_per_parameter, states
from symcost.terms import Term, Terms
from symcost.training import TOKENS, Costs, derive

# Quantities that documents write closed forms for, in the order in which a form is looked up.
QUANTITIES = (
    "parameters", "saved_activations", "activation_memory", "forward_flops", "backward_flops", "optimizer_flops",
    "step_flops", "flops_per_token", "parameter_memory", "gradient_memory", "optimizer_memory", "static_memory",
    "memory_per_sequence", "peak_memory", "kv_cache_memory", "recompute_flops",
)  # fmt: skip
FEW = 4  # a place with more different amounts is not combined into partial sums


@dataclass(frozen=True)
class Supposed:
    """What a document is taken to speak of: a model, a convention, an optimizer, a precision, and forms put in."""

    model: str
    convention: str = "textbook"
    optimizer: str = "adamw"
    precision: str | None = None
    ties: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        words = [f"{self.model} under {self.convention}"]
        if self.optimizer != "adamw":
            words.append(self.optimizer)
        if self.precision:
            words.append(self.precision)
        return ", ".join(words)

    @property
    def costs(self) -> Costs:
        return _costs(self)


@cache
def _costs(supposed: Supposed) -> Costs:
    given = {name: form for name, form in supposed.ties}
    return derive(VARIANTS[supposed.model], under=supposed.convention, optimizer=supposed.optimizer,
                  precision=supposed.precision, given=given)  # fmt: skip


ANY = Supposed("any model")


@dataclass(frozen=True)
class Entry:
    """One derived form: a quantity at a place, or a part of it (`tensors` names which)."""

    quantity: str
    scope: str
    total: Expr
    table: Summands
    terms: tuple[Term, ...]
    supposed: Supposed
    partial: bool = False
    remark: str = ""

    @property
    def tensors(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term.tensor for term in self.terms))

    def named(self) -> str:
        """What it is, in words: `saved_activations of block`."""
        of = "" if self.scope == "model" else f" of {self.scope}"
        which = f" ({', '.join(self.tensors[:4])})" if self.partial else ""
        return f"{self.quantity}{of}{which}"


class Catalogue:
    """All forms under one supposition."""

    def __init__(self, supposed: Supposed) -> None:
        self.supposed = supposed

    def entry(self, quantity: str, scope: str = "model") -> Entry | None:
        """The form of a quantity at a place, if there is such a place."""
        return next((each for each in self.whole if each.quantity == quantity and each.scope == scope), None)

    def find(self, table: Summands, *, partial: bool = False) -> list[Entry]:
        """Every entry that equals the form: whole places and rules that hold of any model, or partial sums."""
        wanted = key(table)
        if partial:
            return self._partial_by_key.get(wanted, [])
        return [*self._whole_by_key.get(wanted, ()), *_rules_by_key().get(wanted, ())]

    def some(self, quantity: str, place: str, tensors: frozenset[str], *, per_token: bool = False) -> Iterator[Entry]:
        """The form of some tensors of one place, by their names."""
        terms = self.supposed.costs[quantity].where(lambda term: term.place == place and term.tensor in tensors)
        if place.startswith("block"):
            terms = replace(terms, terms=tuple(replace(term, times=Integer(1)) for term in terms))
        if terms.terms:
            yield from self._made(quantity, place, terms.scaled(1 / TOKENS) if per_token else terms, partial=True)

    @cached_property
    def whole(self) -> list[Entry]:
        return list(self._whole_entries())

    @cached_property
    def _whole_by_key(self) -> Mapping[frozenset[tuple[Monomial, Fraction]], list[Entry]]:
        return _by_key(self.whole)

    @cached_property
    def _partial_by_key(self) -> Mapping[frozenset[tuple[Monomial, Fraction]], list[Entry]]:
        return _by_key(self._partial_entries())

    def _whole_entries(self) -> Iterator[Entry]:
        costs = self.supposed.costs
        for quantity in QUANTITIES:
            terms = costs[quantity]
            for scope in _scopes(terms):
                yield from self._made(quantity, scope, terms.of(scope))
            blocks = terms.where(lambda term: term.place.split(".")[0] == "block")
            if blocks.terms:
                yield from self._made(quantity, "all blocks", blocks)
            norms = replace(blocks, terms=tuple(replace(term, times=Integer(1)) for term in blocks if "norm" in term.place))
            if norms.terms:
                yield from self._made(quantity, "block.norm_1 and block.norm_2", norms)
            for norm, layer in (("block.norm_1", "block.attention"), ("block.norm_2", "block.mlp")):
                branch = terms.where(lambda term, places=(norm, layer): term.place in places)
                one = replace(branch, terms=tuple(replace(term, times=Integer(1)) for term in branch))
                if len({term.place for term in branch}) == 2:
                    yield from self._made(quantity, f"{norm} and {layer}", one)
            ends = terms.where(lambda term: term.place in ("final_norm", "head"))
            if len(ends) > 1:
                yield from self._made(quantity, "final_norm and head", ends)
        both = costs["forward_flops"] + costs["backward_flops"] + costs["recompute_flops"]
        for scope in ("model", "block", "head"):
            yield from self._made("step_flops", scope, both.of(scope), remark="without the optimizer's update")
        for scope in ("block.attention", "block.mlp", "block", "head", "model"):
            yield from self._made("step_flops", scope, (costs["forward_flops"] + costs["backward_flops"]).of(scope),
                                  remark="forward and backward")  # fmt: skip
        for quantity in ("forward_flops", "backward_flops"):
            for scope in ("model", "block", "block.attention", "block.mlp", "head"):
                terms = costs[quantity].of(scope)
                per_token = terms.scaled(1 / TOKENS)
                yield from self._made(quantity, scope, per_token, remark="for one token")

    def _made(self, quantity: str, scope: str, terms: Terms, *, partial: bool = False, remark: str = "") -> Iterator[Entry]:
        table = summands(terms.total)
        if table:
            yield Entry(quantity, scope, terms.total, table, terms.terms, self.supposed, partial, remark)

    def _partial_entries(self) -> Iterator[Entry]:
        """Sums over some of the tensors of one place: W_Q, W_K and W_V of attention, G and U of the MLP."""
        costs = self.supposed.costs
        for quantity in ("parameters", "saved_activations", "activation_memory", "forward_flops", "backward_flops"):
            for place, inside in costs[quantity].by_place().items():
                groups: dict[Expr, list[Term]] = {}
                for term in inside:
                    groups.setdefault(term.amount, []).append(replace(term, times=Integer(1)) if place.startswith("block") else term)
                if len(groups) > FEW:
                    continue
                for counts in product(*(range(len(terms) + 1) for terms in groups.values())):
                    if not any(counts):
                        continue
                    chosen = tuple(term for count, terms in zip(counts, groups.values(), strict=True) for term in terms[:count])
                    some = replace(inside, terms=chosen)
                    yield from self._made(quantity, place, some, partial=True)
                    if quantity == "forward_flops":
                        thrice = some.scaled(Integer(3))
                        yield from self._made("step_flops", place, thrice, partial=True, remark="forward and backward")
                        yield from self._made(quantity, place, some.scaled(1 / TOKENS), partial=True, remark="for one token")


def _scopes(terms: Terms) -> list[str]:
    found: dict[str, None] = {"model": None}
    for term in terms:
        parts = term.place.split(".")
        found |= {".".join(parts[:end]): None for end in range(1, len(parts) + 1)}
    return list(found)


def _by_key(entries: Iterator[Entry] | list[Entry]) -> dict[frozenset[tuple[Monomial, Fraction]], list[Entry]]:
    table: dict[frozenset[tuple[Monomial, Fraction]], list[Entry]] = {}
    for entry in entries:
        table.setdefault(key(entry.table), []).append(entry)
    return table


def _rules() -> Iterator[Entry]:
    """What holds of any model in its parameters alone: bytes of each, and 2, 4, 6 and 8 FLOPs a token."""
    for name, precision in PRECISIONS.items():
        yield _rule("parameter_memory", precision.parameter * N, f"precision {name}")
        yield _rule("gradient_memory", precision.gradient * N, f"precision {name}")
        for optimizer in OPTIMIZERS.values():
            kept = sum(state.bytes or 0 for state in states(optimizer, precision))
            yield _rule("optimizer_memory", kept * N, f"optimizer {optimizer.name}, precision {name}")
            whole = bytes_per_parameter(optimizer, precision)
            yield _rule("static_memory", whole * N, f"optimizer {optimizer.name}, precision {name}")
    for optimizer in OPTIMIZERS.values():
        yield _rule("optimizer_flops", optimizer.flops_per_parameter * N, f"optimizer {optimizer.name}")
    for quantity, each in (("forward_flops", 2), ("backward_flops", 4), ("training_flops", 6)):
        remark = f"the rule of thumb of {each} FLOPs a parameter and token, which leaves out attention's products"
        for tokens in (D, TOKENS, c):
            yield _rule(quantity, each * N * tokens, remark)
        yield _rule("training_time", each * N * D / (n * peak * MFU), remark)
        yield _rule("flops_per_token", each * N, remark)
    yield _rule("training_flops", 8 * N * D, "the rule of thumb of 8 FLOPs a parameter and token, blocks computed again")

def _rule(quantity: str, total: Expr, remark: str) -> Entry:
    return Entry(quantity, "model", total, summands(total) or {}, (), ANY, False, remark)


@cache
def _rules_by_key() -> Mapping[frozenset[tuple[Monomial, Fraction]], list[Entry]]:
    return _by_key(_rules())


@cache
def catalogue(supposed: Supposed) -> Catalogue:
    """The catalogue of a supposition, made once."""
    return Catalogue(supposed)


def _variants() -> dict[str, Model]:
    """The models in letters, and the same without what authors like to leave out."""
    found = dict(LETTERS)

    def vary(name: str, base: Model, attention: Attention | None = None, mlp: FeedForward | None = None, **changes: Any) -> None:
        (block,) = base.architecture.blocks
        own = replace(block, attention=attention or block.attention, feed_forward=mlp or block.feed_forward)
        found[name] = replace(base, name=name, architecture=replace(base.architecture, blocks=(own,), **changes))

    gpt, llama = LETTERS["gpt"], LETTERS["llama"]
    bare = {"attention": Attention(), "mlp": FeedForward("gelu")}
    vary("gpt without biases", gpt, **bare)
    vary("gpt without dropout", gpt, drops=frozenset())
    vary("gpt untied without biases", gpt, **bare, drops=frozenset(), tied=False, positions="")
    vary("llama tied", llama, tied=True)
    return found


VARIANTS: Mapping[str, Model] = _variants()
