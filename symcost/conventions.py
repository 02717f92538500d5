"""Conventions as data: which steps are taken as one, what counts, how many bytes an element takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from sympy import Expr, Integer, Max, Rational, Symbol, ceiling

from symcost import rules
from symcost.errors import UnknownName, UsageError, nearest
from symcost.rules import Rule
from symcost.symbols import b, c, h
from symcost.tensors import Role

ELEMENT_BYTES: Mapping[str, int] = MappingProxyType(
    {"fp64": 8, "fp32": 4, "bf16": 2, "fp16": 2, "fp8": 1, "int8": 1, "bool": 1, "int64": 8, "int32": 4}
)


ALL_PAIRS = Integer(1)


class Taking(Enum):
    """How a composite is taken: as its body's steps, as one step, or with its body computed a second time."""

    APART = "apart"
    WHOLE = "whole"
    AGAIN = "again"


class SecondRun(Enum):
    """How far a region that is computed again is run."""

    ALL = "all of it"
    TO_THE_LAST_THAT_SAVES = "up to the last step that saves something"
    NEEDED = "only what is read"


class Work(Enum):
    """What a step is to a kernel library: selective checkpointing keeps results by it."""

    PRODUCT = "a product with a weight matrix"
    BATCHED_PRODUCT = "a product of two activations, one for each head"
    ATTENTION = "the attention kernel"


@dataclass(frozen=True)
class Extra:
    """What a framework was measured to keep with every step of a rule, though no gradient asks for it."""

    rule: Rule
    name: str
    amount: Expr
    element: str
    source: str


@dataclass(frozen=True)
class Convention:
    """One way of counting, over the same layers.

    What is one step: `whole` names the composites taken as one, `again` those computed a second time, as
    rules or by their own names ("branch_1"); all others are taken apart. A composite computed again keeps
    what its own gradient mentions where the `statistics` it mentions count, else its inputs; `second_run`
    says how far it is run, `keeps` which results it keeps all the same. A rule in `without` is left out: its
    result is its input.

    What is kept: `listed`, where given, keeps the results of these rules instead of what gradients mention;
    `factors` keeps each factor of a gradient as a tensor of its own. `statistics` lists the small extra
    results that count, as (rule, name), with their element types, and `computed` the tables and indices that
    are made anew in every forward pass. `views` are the rules whose result has no storage of its own; the
    work in `lays_out` reads copies of what does not lie as it needs it: of views, or of heads apart from each
    other; `viewed` is 1 where a batched product reads a view as it is after all (one sequence), else 0.
    `extras` were measured and do not follow.

    In which element type: `element` is the model's own (None: as the precision says), `wanted` the type that
    a rule computes in, `role_elements` the type of what is no activation. `returns_to_model` casts back
    whatever no rule wants; otherwise types are promoted. `shared_casts` says whether readers share a cast or
    each makes its own; a parameter is cast once.

    What is counted: products of matrices, over `pairs` of tokens at that share of all c × c', or all
    `operations`. `written` holds gradients that a framework writes in another way, `index_operations` what an
    application of a rule takes besides, as measured.
    """

    name: str
    source: str
    whole: frozenset[Rule] = frozenset()
    again: frozenset[Rule | str] = frozenset()
    without: frozenset[Rule] = frozenset()
    second_run: SecondRun = SecondRun.ALL
    keeps: frozenset[Work] = frozenset()
    listed: frozenset[Rule] | None = None
    factors: bool = False
    statistics: Mapping[tuple[Rule, str], str | None] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    views: frozenset[Rule] = frozenset({rules.SPLIT, rules.BROADCAST})
    lays_out: frozenset[Work] = frozenset()
    viewed: Expr | int = 0
    extras: tuple[Extra, ...] = ()
    element: str | None = None
    wanted: Mapping[Rule, str] = field(default_factory=dict)
    role_elements: Mapping[Role, str] = field(default_factory=dict)
    returns_to_model: bool = False
    shared_casts: bool = True
    operations: bool = False
    written: Mapping[Rule, Mapping[Symbol, Expr]] = field(default_factory=dict)
    index_operations: Mapping[Rule, int] = field(default_factory=dict)
    pairs: Expr = ALL_PAIRS
    precision: str = "fp32"
    note: str = ""

    def taking(self, rule: Rule, name: str) -> Taking:
        """How a composite of that rule and name is taken."""
        if rule in self.again or name in self.again:
            return Taking.AGAIN
        return Taking.WHOLE if rule in self.whole else Taking.APART

    def counts(self, rule: Rule, statistic: str) -> bool:
        """Whether a statistic counts among what is kept."""
        return (rule, statistic) in self.statistics

    def has_own_gradient(self, rule: Rule) -> bool:
        """Whether a composite computed again has what its own gradient mentions (flash: the log-sum-exp)."""
        return rule.differentiable and all(self.counts(rule, each.symbol.name) for each in rule.statistics)


# ---------------------------------------------------------------------------------------- groups of rules

KERNELS = frozenset({rules.SOFTMAX, rules.LOG_SOFTMAX, rules.SILU})  # one step everywhere but in JAX
NORMS = frozenset({rules.RMS_NORM, rules.LAYER_NORM, rules.CENTRED_NORM})
GATES = frozenset({rules.GATE, rules.GELU_GATE})
BY_ONE_KERNEL = KERNELS | NORMS | GATES | {rules.GELU_TANH, rules.CROSS_ENTROPY}


def _statistics(*of: Rule) -> dict[tuple[Rule, str], str | None]:
    """All statistics of some rules, in the element types that their kernels fix."""
    return {(rule, each.symbol.name): each.element for rule in of for each in rule.statistics}


FLASH_STATISTICS = _statistics(rules.ATTENTION)
LOSS_STATISTICS = _statistics(rules.NLL, rules.CROSS_ENTROPY)
ROW_STATISTICS = _statistics(*NORMS, rules.SINK_SOFTMAX, rules.COMBINE) | LOSS_STATISTICS
CPU_STATISTICS = ROW_STATISTICS | dict.fromkeys(
    _statistics(rules.LAYER_NORM)
)  # LayerNorm's in the model's own type

# ---------------------------------------------------------------------- what was measured and does not follow

ON_META = "measured with PyTorch 2.13: results of {} on meta tensors"
FLASH_SEED = Extra(
    rules.ATTENTION,
    "random_state",
    Integer(3),
    "int64",
    ON_META.format("aten._scaled_dot_product_flash_attention"),
)
EFFICIENT_SEED = Extra(
    rules.ATTENTION,
    "random_state",
    Integer(2),
    "int64",
    ON_META.format("aten._scaled_dot_product_efficient_attention"),
)
EFFICIENT_PADDING = Extra(
    rules.ATTENTION, "lse_padding", b * h * 32 * ceiling(c / 32, evaluate=False) - b * h * c, "fp32",
    ON_META.format("aten._scaled_dot_product_efficient_attention") + ", rows padded to 32",
)  # fmt: skip
CUDNN_SEED = Extra(
    rules.ATTENTION,
    "random_state",
    Integer(2),
    "int64",
    ON_META.format("aten._scaled_dot_product_cudnn_attention"),
)
SHIFTED_LABELS = tuple(
    Extra(loss, "shifted_labels", amount, "int64", f"measured with transformers 5.23: {why}")
    for loss in (rules.NLL, rules.CROSS_ENTROPY)
    for amount, why in (
        (b * c, "the labels are shifted by one in a copy"),
        (
            Max(0, 2 - b, evaluate=False),
            "one sequence's shifted labels are no copy but a view of labels padded by one",
        ),
    )
)

# ----------------------------------------------------------------------------------------------- conventions

TEXTBOOK = Convention(
    "textbook",
    "CS190C 2026, lecture 9, parts 1 and 2",
    whole=BY_ONE_KERNEL,
    views=frozenset({rules.REPEAT_HEADS, rules.SPLIT, rules.BROADCAST}),
    role_elements={Role.MASK: "bool"},
    note="norms, softmax, gate and loss are one step each, without row statistics; matrix products only",
)
CS336 = "Stanford CS336 2025, assignment 1, resource accounting for AdamW: the listed operations' results"
EVERY_OUTPUT = replace(
    TEXTBOOK,
    name="every-output",
    source=CS336,
    listed=frozenset(
        {rules.CONTRACT, rules.SOFTMAX, rules.SILU, rules.GELU, rules.GELU_TANH, rules.RELU} | NORMS | GATES
    ),
    note="every result of a norm, product, softmax or activation function is kept, whether it is read or not",
)
MEGATRON_2022 = replace(
    TEXTBOOK,
    name="megatron-2022",
    source="Korthikanti et al. 2022, section 4.1: 16-bit activations, 1-byte masks, no row statistics; NVIDIA "
    "Megatron-LM, theoretical_memory_usage.py: the loss's logits in 32 bits",
    element="fp16",
    wanted={rules.CROSS_ENTROPY: "fp32"},
    precision="mixed-18",
    note="activations take 2 bytes, dropout masks 1, the loss's logits 4; a norm keeps its input alone",
)
TORCH_EAGER = Convention(
    "torch-eager",
    "PyTorch 2.13 autograd, measured: storages alive after the forward pass",
    whole=KERNELS | {rules.LAYER_NORM, rules.GELU_TANH},
    second_run=SecondRun.TO_THE_LAST_THAT_SAVES,
    statistics=CPU_STATISTICS,
    lays_out=frozenset({Work.PRODUCT, Work.BATCHED_PRODUCT}),
    note="RMSNorm, gate and loss are taken apart: x̂, rstd and SiLU's result are kept; heads are copied for "
    "a batched product; on a CPU a dropout mask has the activations' element type",
)
TORCH_COMPILE = replace(
    TORCH_EAGER,
    name="torch-compile",
    source="torch.compile of PyTorch 2.13 (min-cut), measured from the backward graph's arguments",
    whole=BY_ONE_KERNEL,
    statistics=ROW_STATISTICS,
    note="the textbook's tensors plus row statistics",
)
TORCH_FUSED = replace(
    TORCH_EAGER,
    name="torch-fused",
    source="PyTorch 2.13: fused norms and gates as own functions, flash attention's results on meta tensors",
    whole=TORCH_EAGER.whole | NORMS | GATES,
    again=frozenset({rules.ATTENTION}),
    statistics=ROW_STATISTICS | FLASH_STATISTICS,
    extras=(FLASH_SEED,),
    role_elements={Role.MASK: "bool"},
    note="a GPU run at its best: fused norms and gates, flash attention; dropout masks take one byte",
)
HF_EAGER = replace(
    TORCH_EAGER,
    name="hf-eager",
    source="transformers 5.23 on PyTorch 2.13, measured: attention 'eager', no cache, only the loss held",
    whole=KERNELS | {rules.LAYER_NORM},
    without=frozenset({rules.DRAW, rules.DROPOUT}),
    computed=frozenset({"angles", "positions", "chosen", "pairs"}),
    extras=SHIFTED_LABELS,
    viewed=Max(0, 2 - b, evaluate=False),
    note="as torch-eager; GELU by tanh is written by hand, RoPE's tables and positions are computed in each "
    "forward pass, and so are the indices of a router; labels are shifted in a copy; dropout is off",
)
HF_SDPA = replace(
    HF_EAGER,
    name="hf-sdpa",
    source="transformers 5.23 on PyTorch 2.13, attention 'sdpa' with PyTorch's flash kernel, measured",
    again=frozenset({rules.ATTENTION}),
    statistics={**HF_EAGER.statistics, **FLASH_STATISTICS},
    views=HF_EAGER.views | {rules.REPEAT_HEADS},
    note="as hf-eager, with flash attention, whose kernel takes grouped heads as they are",
)
HF_BF16 = replace(
    TORCH_EAGER,
    name="hf-bf16",
    source="PyTorch 2.13, measured on a bf16 model with the upcasts that transformers writes",
    element="bf16",
    precision="bf16",
    wanted=dict.fromkeys(
        (rules.MEAN_SQUARE, rules.RSQRT, rules.NORMALISE, rules.SOFTMAX, rules.LOG_SOFTMAX, rules.NLL), "fp32"
    ),
    returns_to_model=True,
    note="norms, softmax and the loss compute in fp32 and are cast back; readers share a cast",
)
AUTOCAST = replace(
    TORCH_EAGER,
    name="autocast",
    source="PyTorch 2.13, torch.autocast to bf16 on a CPU, measured",
    element="fp32",
    precision="autocast",
    wanted={rules.CONTRACT: "bf16", rules.BIAS: "bf16", rules.LOG_SOFTMAX: "fp32", rules.NLL: "fp32"},
    shared_casts=False,
    note="products compute in bf16, each with its own cast of its input; weights are cast once",
)
JAX = Convention(
    "jax",
    "JAX 0.10 saved_residuals, measured before XLA fuses",
    second_run=SecondRun.NEEDED,
    factors=True,
    computed=frozenset({"tokens", "targets"}),
    views=frozenset({rules.SPLIT}),
    role_elements={Role.MASK: "bool", Role.INDEX: "int32"},
    written={rules.RSQRT: {rules.x: -rules.dy * rules.y / (2 * rules.x)}},
    index_operations={rules.GATHER: 3, rules.NLL: 4},
    note="everything is taken apart, softmax and SiLU too; each factor of a gradient that is no bare tensor "
    "is kept as one of its own, and so is each gain laid out in rows",
)

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        convention.name: convention
        for convention in (
            TEXTBOOK, EVERY_OUTPUT, MEGATRON_2022, TORCH_EAGER, TORCH_COMPILE, TORCH_FUSED,
            HF_EAGER, HF_SDPA, HF_BF16, AUTOCAST, JAX,
        )
    }
)  # fmt: skip

# --------------------------------------------------------------------------------------------------- options


@dataclass(frozen=True)
class Option:
    """What `+name` behind a convention changes."""

    name: str
    meaning: str
    source: str
    change: Callable[[Convention], Convention]


def _kernel(*extras: Extra) -> Callable[[Convention], Convention]:
    """Attention by a kernel that makes the weights again from the log-sum-exp; what it keeps besides."""

    def change(base: Convention) -> Convention:
        return replace(
            base,
            again=base.again | {rules.ATTENTION},
            statistics={**base.statistics, **FLASH_STATISTICS},
            extras=(*_without_attention(base.extras), *extras),
        )

    return change


def _flash(base: Convention) -> Convention:
    return base if rules.ATTENTION in base.again else _kernel()(base)


def _without_attention(extras: tuple[Extra, ...]) -> tuple[Extra, ...]:
    return tuple(extra for extra in extras if extra.rule is not rules.ATTENTION)


def _fewer(base: Convention, statistics: Iterable[tuple[Rule, str]]) -> dict[tuple[Rule, str], str | None]:
    return {each: element for each, element in base.statistics.items() if each not in set(statistics)}


def _math(base: Convention) -> Convention:
    return replace(base, again=base.again - {rules.ATTENTION}, extras=_without_attention(base.extras))


def _bf16(base: Convention) -> Convention:
    return replace(
        base,
        element="bf16",
        precision="bf16",
        wanted={**base.wanted, **HF_BF16.wanted},
        returns_to_model=True,
        shared_casts=True,
    )


def _selective(base: Convention) -> Convention:
    return replace(
        base, again=base.again | {rules.ATTENTION}, statistics=_fewer(base, FLASH_STATISTICS),
        extras=_without_attention(base.extras),
    )  # fmt: skip


def _again(what: Rule | str) -> Callable[[Convention], Convention]:
    return lambda base: replace(base, again=base.again | {what})


def _keep(work: Work) -> Callable[[Convention], Convention]:
    return lambda base: replace(base, again=base.again | {rules.REPEAT}, keeps=base.keeps | {work})


def _whole(*composites: Rule) -> Callable[[Convention], Convention]:
    return lambda base: replace(base, whole=base.whole | set(composites))


def _apart(composites: Iterable[Rule], *steps: Rule) -> Callable[[Convention], Convention]:
    """Composites taken as their steps, which are kept where every result is."""

    def change(base: Convention) -> Convention:
        listed = base.listed if base.listed is None else base.listed.difference(composites).union(steps)
        return replace(base, whole=base.whole.difference(composites), listed=listed)

    return change


def _norm_in_fp32(base: Convention) -> Convention:
    steps = (rules.MEAN_SQUARE, rules.RSQRT, rules.NORMALISE, rules.GAIN)
    wanted = {**base.wanted, **dict.fromkeys(steps, "fp32")}
    return replace(base, element="bf16", precision="bf16", wanted=wanted, returns_to_model=True)


def _logsumexp(base: Convention) -> Convention:
    kept = {(rules.CROSS_ENTROPY, "log_sum"): "fp32"}
    return replace(
        base, whole=base.whole | {rules.CROSS_ENTROPY}, statistics=_fewer(base, LOSS_STATISTICS) | kept
    )


def _transformers(base: Convention) -> Convention:
    return replace(base, computed=HF_EAGER.computed, extras=base.extras + SHIFTED_LABELS)


CHEN_2016 = "Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost"
PYTORCH = "PyTorch 2.13, measured"

OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        option.name: option
        for option in (
            Option("flash", "attention is computed again from Q, K, V and each row's log-sum-exp",
                   "Dao et al. 2022, FlashAttention, algorithm 4", _flash),
            Option("flash-gpu", "flash attention as PyTorch calls it on a GPU, with 24 bytes of random state",
                   FLASH_SEED.source, _kernel(FLASH_SEED)),
            Option("efficient", "PyTorch's memory-efficient kernel: log-sum-exp padded to 32 rows, and "
                   "16 bytes of random state",
                   EFFICIENT_PADDING.source, _kernel(EFFICIENT_PADDING, EFFICIENT_SEED)),
            Option("cudnn", "cuDNN's flash attention: 16 bytes of random state a call",
                   CUDNN_SEED.source, _kernel(CUDNN_SEED)),
            Option("math", "attention taken apart: scores, softmax and weighted sum", PYTORCH, _math),
            Option("grouped", "kernels that take fewer key heads than query heads, which are not repeated",
                   PYTORCH, lambda base: replace(base, views=base.views | {rules.REPEAT_HEADS})),
            Option("fused-norm", "a norm is one kernel that keeps its input and row statistics",
                   PYTORCH, _whole(*NORMS)),
            Option("fused-gate", "a gate is one kernel that keeps its two inputs", PYTORCH, _whole(*GATES)),
            Option("gate-apart", "a gate's activation and the product with it are two steps", CS336,
                   _apart(GATES, rules.SILU, rules.GELU, rules.MULTIPLY)),
            Option("loss-apart", "the log-probabilities and the loss read off them are two steps", CS336,
                   _apart({rules.CROSS_ENTROPY}, rules.LOG_SOFTMAX)),
            Option("norm-fp32", "a bf16 model whose RMSNorms compute in fp32, gain and all (F.rms_norm)",
                   PYTORCH, _norm_in_fp32),
            Option("logsumexp", "the loss is log-sum-exp minus the target's logit: the logits and one row "
                   "statistic are kept", PYTORCH, _logsumexp),
            Option("transformers", "labels shifted in a copy and RoPE's tables computed in each forward pass",
                   HF_EAGER.source, _transformers),
            Option("one-sequence", "b = 1: heads transposed for a batched product stay views",
                   PYTORCH, lambda base: replace(base, lays_out=base.lays_out - {Work.BATCHED_PRODUCT})),
            Option("checkpoint", "each block keeps its input alone and is computed again on the way back",
                   CHEN_2016, _again(rules.REPEAT)),
            Option("checkpoint-attention", "the norm and attention of each block are computed again",
                   CHEN_2016, _again("branch_1")),
            Option("checkpoint-mlp", "the norm and feed-forward layer of each block are computed again",
                   CHEN_2016, _again("branch_2")),
            Option("selective", "the attention core is computed again from Q, K and V",
                   "Korthikanti et al. 2022, section 5", _selective),
            Option("keep-mm", "each block is computed again, but for products with weight matrices",
                   PYTORCH, _keep(Work.PRODUCT)),
            Option("keep-bmm", "each block is computed again, but for products of two activations",
                   PYTORCH, _keep(Work.BATCHED_PRODUCT)),
            Option("keep-attention", "each block is computed again, but for the attention kernel",
                   PYTORCH, _keep(Work.ATTENTION)),
            Option("reentrant", "what is computed again is computed to its end (no early stop)",
                   PYTORCH, lambda base: replace(base, second_run=SecondRun.ALL)),
            Option("causal", "of all pairs of tokens half are counted, as a causal kernel visits them",
                   "Dao 2023, FlashAttention-2, section 4.1 (FLOPs divided by 2 with a causal mask)",
                   lambda base: replace(base, pairs=Rational(1, 2))),
            Option("bf16", "a bf16 model, with the upcasts that transformers writes", HF_BF16.source, _bf16),
            Option("dropout", "dropout is on, where the model has it",
                   PYTORCH, lambda base: replace(base, without=base.without - {rules.DRAW, rules.DROPOUT})),
            Option("causal-exact", "of all pairs of tokens those are counted that a causal mask leaves, a token with "
                   "itself among them: c(c + 1)/2",
                   "the number of entries on and below the diagonal",
                   lambda base: replace(base, pairs=(1 + 1 / c) / 2)),
            Option("operations", "every operation on an element counts one FLOP, not only those of products",
                   "XLA's count for JAX 0.10 (HLO cost analysis; exp, log and rsqrt apart), measured",
                   lambda base: replace(base, operations=True)),
        )
    }
)  # fmt: skip


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
