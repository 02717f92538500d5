"""Recipes: bytes of a parameter by model state, and what one of many devices holds and sends of each parameter."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property, lru_cache

from sympy import Integer

from symcost.check.polynomials import Summands, scaled, summands, times, total
from symcost.check.wordings import Wording
from symcost.symbols import accumulation
from symcost.tables.optimizers import MASTER, OPTIMIZERS, Optimizer
from symcost.tables.precisions import PRECISIONS, Precision, states
from symcost.terms import Term
from symcost.training import derive

PARAMETER, GRADIENT, COPY, MOMENTS = "parameter", "gradient", "master", "moments"
_BYTES_OF = tuple(
    (Fraction(size), Wording(rf"\b(?:{pattern})\b", re.IGNORECASE))
    for size, pattern in (
        ("1/2", r"4[- ]bits?|int-?4|nf4|four bits?"),
        ("1", r"8[- ]bits?|int-?8|fp8|float8|eight bits?|one byte"),
        ("2", r"16[- ]bits?|bf16|fp16|bfloat16|float16|half precision"),
        ("4", r"32[- ]bits?|fp32|float32|single precision"),
    )
)


@lru_cache(maxsize=4096)
def element_types(words: str) -> Mapping[Fraction, str]:
    """The element types that words name, by their bytes.

    >>> element_types("gradients in fp32, weights in bf16")
    {Fraction(2, 1): 'bf16', Fraction(4, 1): 'fp32'}
    """
    return {size: found.group() for size, pattern in _BYTES_OF if (found := pattern.search(words))}


_UNUSUAL = {
    name: Wording(pattern, re.IGNORECASE)
    for name, pattern in (
        ("8bit", r"8[- ]?bit"), ("amsgrad", r"amsgrad"), ("sgd", r"sgd"), ("lion", r"lion"), ("int8", r"int-?8|8[- ]?bit"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """An optimizer and a precision together."""

    optimizer: Optimizer
    precision: Precision

    def __str__(self) -> str:
        return f"optimizer {self.optimizer.name}, precision {self.precision.name}"

    @cached_property
    def bytes(self) -> Mapping[str, int]:
        """Bytes of one parameter by state: the parameter, its gradient, its fp32 copy, its moments.

        >>> RECIPES["adamw", "mixed-16"].bytes
        {'parameter': 2, 'gradient': 2, 'master': 4, 'moments': 8}
        """
        kept = {state.name: state.bytes or 0 for state in states(self.optimizer, self.precision)}
        copy = kept.pop(MASTER.name, 0)
        return {
            PARAMETER: self.precision.parameter,
            GRADIENT: self.precision.gradient,
            COPY: copy,
            MOMENTS: sum(kept.values()),
        }

    @property
    def unusual(self) -> Iterator[Wording]:
        """The words for an optimizer or a precision that nobody means who does not name it."""
        names = {*self.optimizer.name.split("-"), self.precision.name}
        return (pattern for name, pattern in _UNUSUAL.items() if name in names)

    @property
    def kept(self) -> int:
        """Bytes of the optimizer's states, its fp32 copy among them: the K of ZeRO's paper."""
        return self.bytes[COPY] + self.bytes[MOMENTS]


RECIPES: Mapping[tuple[str, str], Recipe] = {
    (optimizer.name, precision.name): Recipe(optimizer, precision)
    for precision in PRECISIONS.values()
    for optimizer in OPTIMIZERS.values()
    if optimizer.name != "adamw-master"
    or precision.name in ("bf16", "fp16")  # the others have a copy, or need none
}


@dataclass(frozen=True)
class Share:
    """How much of one parameter, of its gradient and of its states one device holds, and sends in one step.

    `sent` and `sent_gradients` are elements of parameters and of gradients, in a step of one micro-batch or of several.
    """

    parameter: Summands
    gradient: Summands
    state: Summands
    sent: Summands
    sent_gradients: Summands

    @property
    def reducing_each(self) -> Share:
        """The same where gradients are sent after every micro-batch, not once in a step."""
        return replace(self, sent_gradients=times(self.sent_gradients, EACH_MICRO_BATCH) or {})

    @property
    def messages(self) -> Summands:
        """All elements that it sends."""
        return total((self.sent, self.sent_gradients))

    def bytes(self, recipe: Recipe) -> Mapping[str, Summands]:
        """What a device holds and sends of one parameter by quantity, in bytes."""
        each = recipe.bytes
        held = {
            "parameter_memory": scaled(self.parameter, each[PARAMETER]),
            "gradient_memory": scaled(self.gradient, each[GRADIENT]),
            "optimizer_memory": scaled(self.state, recipe.kept),
        }
        sent = (scaled(self.sent, each[PARAMETER]), scaled(self.sent_gradients, each[GRADIENT]))
        return {**held, "static_memory": total(held.values()), "message_bytes": total(sent)}


SHARED = tuple(
    RECIPES[optimizer, precision]
    for optimizer in ("adamw", "adamw-8bit")
    for precision in ("mixed-16", "mixed-18", "mixed-20", "mixed-12", "fp32", "bf16")
)  # that are described for many devices, the likeliest first
STAGES = {"0": "ddp", "1": "zero-1", "2": "zero-2", "3": "zero-3"}  # of ZeRO, as layouts
EACH_MICRO_BATCH: Summands = {((accumulation.name, 1),): 1}
ONE_ELEMENT: Summands = {(("L", -1), ("d", -1), ("d_ff", -1)): 1}  # of all matrices W_1


@cache
def share(layout: str, *, several: bool = False) -> Share:
    """The share of one device of a layout, as the engine derives it of a matrix whose every state has one byte.

    `several` counts what it sends in a step of several micro-batches, in their number.

    >>> share("zero-1").state == {(("dp", -1),): 1}, share("zero-1").gradient == {(): 1}
    (True, True)
    """
    given = {"accumulation": 2} if several else {}  # any number: it stays a letter in the count of messages
    costs = derive("llama", layout=layout, optimizer="lion", precision="int8", given=given)

    def of(quantity: str, tensor: str) -> Summands:
        return total(_of_one(term, several) for term in costs[quantity] if term.tensor == tensor)

    return Share(
        of("parameter_memory", "W_1"),
        of("gradient_memory", "∂W_1"),
        of("optimizer_memory", "m of W_1"),
        of("message_bytes", "W_1"),
        of("message_bytes", "∂W_1"),
    )


def _of_one(term: Term, several: bool) -> Summands:
    """What a term is of each element, in a step of one micro-batch or of several."""
    micro_batches = {} if several else {accumulation: Integer(1)}
    amount, count = (summands(form.xreplace(micro_batches)) for form in (term.amount, term.times))
    return times(times(amount or {}, count or {}) or {}, ONE_ELEMENT) or {}


def laid_out(mesh: Collection[str]) -> Iterator[tuple[str, str]]:
    """The layouts that a form in some sizes of a mesh may be of, each with its stage of ZeRO."""
    across = [name for size, name in (("tp", "megatron-tp"), ("pp", "pp-1f1b")) if size in mesh]
    for stage, name in STAGES.items():
        yield stage, "+".join((*across, name))
