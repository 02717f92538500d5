"""Conventions as data: which steps are taken as one, what counts, how many bytes an element takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from symcost import rules
from symcost.errors import UnknownName, UsageError, nearest
from symcost.rules import Rule

ELEMENT_BYTES: Mapping[str, int] = MappingProxyType(
    {"fp64": 8, "fp32": 4, "bf16": 2, "fp16": 2, "fp8": 1, "int8": 1, "bool": 1, "int64": 8, "int32": 4}
)


class Taking(Enum):
    """How a composite is taken: as its body's steps, as one step, or with its body computed a second time."""

    APART = "apart"
    WHOLE = "whole"
    AGAIN = "again"


class SecondRun(Enum):
    """How far a region that is computed again runs: all of it, up to the last step that saves, or what is read."""

    ALL = "all of it"
    TO_THE_LAST_THAT_SAVES = "up to the last step that saves something"
    NEEDED = "only what is read"


@dataclass(frozen=True)
class Convention:
    """One way of counting, over the same layers.

    `whole` and `again` name the composites taken so, as rules or as places ("block"); all others are taken
    apart. `statistics` lists the small extra results that count, as (rule, name). `views` are the rules whose
    result has no storage of its own. `listed`, where given, keeps the results of these rules instead of what
    gradients mention. `element` is the model's element type (None: as the precision says), `wanted` the type
    that a rule computes in; `shared_casts` says whether readers share a cast or each makes its own. `keeps`
    decides which results a region computed again keeps all the same. `mask` is the element type of dropout
    masks (None: the model's).
    """

    name: str
    source: str
    whole: frozenset[Rule] = frozenset()
    again: frozenset[Rule | str] = frozenset()
    statistics: frozenset[tuple[Rule, str]] = frozenset()
    views: frozenset[Rule] = frozenset()
    listed: frozenset[Rule] | None = None
    counted: frozenset[Rule] = frozenset({rules.CONTRACT})
    element: str | None = None
    wanted: Mapping[Rule, str] = field(default_factory=dict)
    returns_to_model: bool = False
    shared_casts: bool = True
    mask: str | None = "bool"
    second_run: SecondRun = SecondRun.ALL
    keeps: Callable[..., bool] | None = None
    precision: str = "fp32"
    note: str = ""

    def taking(self, rule: Rule, place: str) -> Taking:
        """How a composite is taken at its place."""
        if rule in self.again or place in self.again:
            return Taking.AGAIN
        return Taking.WHOLE if rule in self.whole else Taking.APART

    def counts(self, rule: Rule, statistic: str) -> bool:
        """Whether a statistic counts among what is kept."""
        return (rule, statistic) in self.statistics


NORMS = frozenset({rules.RMS_NORM, rules.LAYER_NORM})
ACTIVATIONS = frozenset({rules.GATE, rules.GELU_GATE, rules.GELU_TANH})
ROW_STATISTICS = frozenset(
    {
        (rules.RMS_NORM, "rstd"),
        (rules.LAYER_NORM, "mean"),
        (rules.LAYER_NORM, "rstd"),
        (rules.ATTENTION, "lse"),
        (rules.NLL, "total_weight"),
        (rules.CROSS_ENTROPY, "row_max"),
        (rules.CROSS_ENTROPY, "log_sum"),
        (rules.CROSS_ENTROPY, "total_weight"),
    }
)

TEXTBOOK = Convention(
    "textbook",
    "CS190C 2026, lecture 9, parts 1 and 2",
    whole=NORMS | ACTIVATIONS | {rules.CROSS_ENTROPY},
    views=frozenset({rules.REPEAT_HEADS, rules.SPLIT}),
    note="norms, softmax, gate and loss are one step each; row statistics are made again; matrix products only",
)
EVERY_OUTPUT = replace(
    TEXTBOOK,
    name="every-output",
    source="Stanford CS336 2025, assignment 1, resource accounting for AdamW: the results of the listed operations",
    listed=frozenset(
        {rules.RMS_NORM, rules.LAYER_NORM, rules.CONTRACT, rules.SOFTMAX, rules.SILU, rules.GELU, rules.RELU}
        | ACTIVATIONS
    ),
    note="every result of a norm, product, softmax or activation function is kept, whether a gradient reads it or not",
)
MEGATRON_2022 = replace(
    TEXTBOOK,
    name="megatron-2022",
    source="Korthikanti et al. 2022, section 4.1: 16-bit activations, 1-byte dropout masks, no row statistics",
    element="fp16",
    precision="mixed-18",
    note="activations take 2 bytes, dropout masks 1; a norm keeps its input alone",
)
TORCH_EAGER = Convention(
    "torch-eager",
    "PyTorch 2.13 autograd, measured: storages alive after the forward pass",
    whole=frozenset({rules.LAYER_NORM}),
    statistics=ROW_STATISTICS,
    views=frozenset({rules.SPLIT}),
    mask=None,
    second_run=SecondRun.TO_THE_LAST_THAT_SAVES,
    note="norm, gate and loss are taken apart: x̂, rstd and SiLU's result are kept",
)
TORCH_COMPILE = replace(
    TORCH_EAGER,
    name="torch-compile",
    source="torch.compile of PyTorch 2.13 (AOTAutograd's min-cut), measured from the backward graph's arguments",
    whole=NORMS | ACTIVATIONS | {rules.CROSS_ENTROPY},
    note="the textbook's tensors plus row statistics",
)

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        convention.name: convention
        for convention in (TEXTBOOK, EVERY_OUTPUT, MEGATRON_2022, TORCH_EAGER, TORCH_COMPILE)
    }
)


def _flash(base: Convention) -> Convention:
    return replace(
        base,
        again=base.again | {rules.ATTENTION},
        statistics=base.statistics | {(rules.ATTENTION, "lse")},
    )


def _checkpoint(base: Convention) -> Convention:
    return replace(base, again=base.again | {"block"})


@dataclass(frozen=True)
class Option:
    """What `+name` behind a convention changes."""

    name: str
    meaning: str
    source: str
    change: Callable[[Convention], Convention]


OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        option.name: option
        for option in (
            Option(
                "flash",
                "the attention core is computed again from Q, K, V and the log-sum-exp of each row",
                "Dao et al. 2022, FlashAttention, algorithm 4",
                _flash,
            ),
            Option(
                "checkpoint",
                "each block keeps its input alone and is computed again on the way back",
                "Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost",
                _checkpoint,
            ),
        )
    }
)


def convention(name: str | Convention) -> Convention:
    """The convention of that name, with its options: `textbook+flash+checkpoint`.

    Raises UnknownName with the nearest known name.

    >>> convention("textbook+flash").name
    'textbook+flash'
    """
    if isinstance(name, Convention):
        return name
    base, *options = [part.strip() for part in name.split("+")]
    if base not in CONVENTIONS:
        raise UnknownName(f"'{base}' is not a convention. {nearest(base, CONVENTIONS)}")
    result = CONVENTIONS[base]
    for option in options:
        if option not in OPTIONS:
            raise UnknownName(f"{base}: '+{option}' is not an option. {nearest(option, OPTIONS)}")
        if options.count(option) > 1:
            raise UsageError(f"{name}: '+{option}' stands there {options.count(option)} times. Say it once.")
        result = OPTIONS[option].change(result)
    return replace(result, name="+".join([base, *options]))
