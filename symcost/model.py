"""A model: embedding, blocks of one kind or several, final norm and head. Known models are data."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial
from types import MappingProxyType
from typing import Literal

from sympy import Add, Expr, Integer, Symbol

from symcost import ops, rules
from symcost.errors import ConfigError, nearest
from symcost.layers.attention import attention
from symcost.layers.block import block
from symcost.layers.embedding import embedding
from symcost.layers.head import head
from symcost.layers.latent_attention import latent_attention
from symcost.layers.layer_norm import centred_norm, layer_norm
from symcost.layers.mixture import mixture
from symcost.layers.mlp import mlp
from symcost.layers.parallel_block import parallel_block
from symcost.layers.rms_norm import rms_norm
from symcost.layers.swiglu import swiglu
from symcost.ops import Layer
from symcost.symbols import d, d_ff, d_k, h, symbol
from symcost.tensors import Op, Role, Tensor, ops_between

# What the words of a description stand for. Adding a layer is adding its file and its word here.

NORMS: Mapping[str, Layer] = MappingProxyType(
    {
        "rms": rms_norm,
        "rms-around-one": partial(rms_norm, around_one=True),
        "rms-plain": partial(rms_norm, learned=False),
        "rms-all-heads": lambda x, name: rms_norm(x, name, over=" ".join(x.axes[axis] for axis in (1, 3))),
        "layer": layer_norm,
        "layer-plain": partial(layer_norm, learned=False),
        "layer-unshifted": partial(layer_norm, shifted=False),
        "layer-around-one": partial(layer_norm, around_one=True),
        "layer-centred": centred_norm,
        "layer-centred-by-head": partial(centred_norm, by_head=True),
        "layer-by-head": partial(layer_norm, shifted=False, by_head=True),
    }
)
FEED_FORWARDS: Mapping[str, Layer] = MappingProxyType(
    {
        "swiglu": swiglu,
        "geglu": partial(swiglu, gate=ops.gelu_gate),
        "gelu": partial(mlp, activation=ops.gelu),
        "gelu-tanh": partial(mlp, activation=ops.gelu_tanh),
        "silu": partial(mlp, activation=ops.silu),
        "relu": partial(mlp, activation=ops.relu),
        "relu-squared": partial(mlp, activation=ops.relu_squared),
    }
)
LAYOUTS: Mapping[str, Layer] = MappingProxyType(
    {
        "before": block,
        "after": partial(block, norms="after"),
        "around": partial(block, norms="around"),
        "residual": partial(block, norms="residual"),
        "parallel": parallel_block,
        "parallel-two": partial(parallel_block, norms="two"),
    }
)

Norm = Literal[
    "rms", "rms-around-one", "rms-plain", "rms-all-heads",
    "layer", "layer-plain", "layer-unshifted", "layer-around-one", "layer-centred", "layer-centred-by-head",
    "layer-by-head",
]  # fmt: skip
Layout = Literal["before", "after", "around", "residual", "parallel", "parallel-two"]


@dataclass(frozen=True)
class Attention:
    """Attention by heads. `biased` names the projections that have a bias, as in "QKVO"; `packed` is one
    matrix; `grouped` heads share keys and values, in `one_group` where h_kv = 1.

    `positions` are turned in by RoPE, over the whole head or a part of it, or by ALiBi's slopes; blocks that
    name the same `table` share RoPE's angles, unless these are `interleaved` anew in each block.
    """

    positions: Literal["none", "rope", "rope-part", "alibi"] = "none"
    table: str = "angles"
    interleaved: bool = False
    grouped: bool = False
    one_group: bool = False
    packed: bool = False
    biased: str = ""
    qk_norm: Norm | None = None
    clamped: bool = False
    capped: bool = False
    sinks: bool = False

    @property
    def biases(self) -> set[str]:
        """The names of the matrices that have a bias."""
        return {f"W_{letter}" for letter in self.biased} | ({"W_QKV"} if "QKV" in self.biased else set())

    def layer(self, linear: Layer, drops: frozenset[str]) -> Layer:
        one: Layer = partial(
            attention,
            linear=linear,
            grouped=self.grouped,
            one_group=self.one_group,
            packed=self.packed,
            clamped=self.clamped,
            qk_norm=None if self.qk_norm is None else NORMS[self.qk_norm],
            capped=self.capped,
            sinks=self.sinks,
            drops="weights" in drops,
            drops_result="results" in drops,
        )
        if not self.interleaved:
            return one
        return lambda x, *shared, **named: one(x, *shared, **named, **self.tables())

    def tables(self) -> dict[str, Tensor]:
        """The constant tables that this layer reads, by its argument: cosines and sines, or slopes."""
        match self.positions:
            case "rope":
                return {"table": ops.constant("angles", "2 c d_k")}
            case "rope-part":
                return {"table": ops.constant("angles", "2 c d_r")}
            case "alibi":
                return {"slopes": ops.constant("slopes", "h c")}
        return {}

    def shared(self) -> dict[str, Tensor]:
        """The tables that are made once for all blocks."""
        return {} if self.interleaved else self.tables()


@dataclass(frozen=True)
class LatentAttention:
    """Attention through latents, for keys and values and, unless said otherwise, for queries too; RoPE's
    angles are cosines and sines, or half as many complex numbers.
    """

    biased: bool = False
    latent_queries: bool = True
    complex_angles: bool = False
    table: str = "angles"

    @property
    def biases(self) -> set[str]:
        return {"W_DQ", "W_DKV", "W_O"} if self.biased else set()

    def layer(self, linear: Layer, drops: frozenset[str]) -> Layer:
        return partial(latent_attention, linear=linear, latent_queries=self.latent_queries)

    def shared(self) -> dict[str, Tensor]:
        return {"table": ops.constant("angles", "c d_r" if self.complex_angles else "2 c d_r")}


@dataclass(frozen=True)
class FeedForward:
    """One feed-forward layer for every token."""

    kind: Literal["swiglu", "geglu", "gelu", "gelu-tanh", "silu", "relu", "relu-squared"] = "swiglu"
    biased: bool = False

    @property
    def biases(self) -> set[str]:
        return {"W_1", "W_2", "W_3"} if self.biased else set()

    def layer(self, linear: Layer, drops: frozenset[str]) -> Layer:
        return partial(FEED_FORWARDS[self.kind], linear=linear, drops="results" in drops)


@dataclass(frozen=True)
class Experts:
    """A router and E experts, of which a token is sent to k; the flags are arguments of `mixture`."""

    gate: Literal["silu", "gelu"] = "silu"
    scores: Literal["softmax", "sigmoid"] = "softmax"
    scores_of_chosen: bool = False
    normalised: bool = False
    balanced: bool = False
    weighs_input: bool = False
    shared: bool = False
    shared_gate: bool = False
    biased: bool = False

    @property
    def biases(self) -> set[str]:
        return {"W_R", "W_1", "W_2", "W_3"} if self.biased else set()

    def layer(self, linear: Layer, drops: frozenset[str]) -> Layer:
        return partial(
            mixture,
            gate={"silu": ops.gate, "gelu": ops.gelu_gate}[self.gate],
            linear=linear,
            scores={"softmax": ops.softmax, "sigmoid": ops.sigmoid}[self.scores],
            scores_of_chosen=self.scores_of_chosen,
            normalised=self.normalised,
            balanced=self.balanced,
            weighs_input=self.weighs_input,
            shared="d_shared" if self.shared else "",
            shared_gate=self.shared_gate,
        )


@dataclass(frozen=True)
class Block:
    """One kind of block. Where there are several, each has a `name` (its place is block.name) and its own
    count.
    """

    attention: Attention | LatentAttention = Attention()
    feed_forward: FeedForward | Experts = FeedForward()
    name: str = ""
    times: str = "L"

    @property
    def place(self) -> str:
        return f"block.{self.name}" if self.name else "block"


@dataclass(frozen=True)
class Architecture:
    """Which layers a decoder is made of; no sizes.

    `layout` says where the norms of a block stand, or that its layers are side by side. `drops` names what
    dropout is applied to: "embedding", "weights" (of attention), "results" (of both layers). `positions` are
    the axes of learned positions' indices. `adapted` names the matrices that have a low-rank adapter, as in
    "W_Q"; then all else is frozen. `frozen` names places whose parameters are not trained; `stored` is the
    element type of the frozen matrices inside the blocks.
    """

    blocks: tuple[Block, ...] = (Block(),)
    norm: Norm = "rms"
    layout: Layout = "before"
    final_norm: bool = True
    causal_mask: bool = False
    tied: bool = False
    positions: Literal["", "c", "b c"] = ""
    embedding_scaled: bool = False
    embedding_norm: bool = False
    embedding_narrow: bool = False
    head_biased: bool = False
    logits_scaled: bool = False
    logits_capped: bool = False
    drops: frozenset[str] = frozenset()
    adapted: frozenset[str] = frozenset()
    frozen: tuple[str, ...] = ()
    stored: str | None = None

    def loss(self) -> Tensor:
        """The forward pass from token ids to the loss."""
        norm, width = NORMS[self.norm], "d_emb" if self.embedding_narrow else "d"
        tokens, targets = ops.index("tokens", "b c"), ops.index("targets", "b c")
        W_E = ops.parameter("W_E", f"v {width}")
        starts = partial(
            embedding,
            linear=self._linear(set()),
            positions=self.positions,
            scaled=self.embedding_scaled,
            norm=norm if self.embedding_norm else None,
            drops="embedding" in self.drops,
        )
        x = ops.part("embedding", starts, tokens, W_E)

        made: dict[str, Tensor] = {}
        for kind, times in self._kinds():
            x = self._repeat(kind, times, x, made)
        if self.final_norm:
            x = ops.part("final_norm", lambda x: norm(x, "x_final"), x)

        W_U = W_E if self.tied else ops.parameter("W_U", f"v {width}")
        ends = partial(
            head,
            linear=self._linear({W_U.name} if self.head_biased else set()),
            scaled=self.logits_scaled,
            capped=self.logits_capped,
        )
        return self._frozen(ops.part("head", ends, x, targets, W_U))

    def _linear(self, biased: set[str]) -> Layer:
        return partial(ops.linear, biased=biased, adapted=self.adapted)

    def _kinds(self) -> Iterator[tuple[Block, Expr]]:
        """Each kind with its count. The first block that is trained is one of its own where all before it is
        frozen, since no gradient leaves it.
        """
        trains = not (self.adapted or self._is_frozen("embedding"))
        for kind in self.blocks:
            times = symbol(kind.times)
            if trains or self._is_frozen(kind.place):
                yield kind, times
                continue
            trains = True
            yield replace(kind, name=f"{kind.name}_first".lstrip("_")), Integer(1)
            yield replace(kind, name=kind.name or "rest"), times - 1 - self._frozen_before(kind)

    def _frozen_before(self, kind: Block) -> Expr:
        """How many blocks of this kind stand in front as a frozen kind of their own."""
        return Add(
            *(symbol(each.times) for each in self.blocks if each.name == "frozen" and kind.times == "L")
        )

    def _is_frozen(self, label: str) -> bool:
        return any(f"{_whole(label)}.".startswith(f"{each}.") for each in self.frozen)

    def _repeat(self, kind: Block, times: Expr, x: Tensor, made: dict[str, Tensor]) -> Tensor:
        shared = {}
        for argument, tensor in kind.attention.shared().items():
            shared[argument] = made.setdefault(kind.attention.table, tensor)
        if self.causal_mask:
            shared["mask"] = made.setdefault("mask", ops.constant("causal", "c c'", element="bool"))

        attends = kind.attention.layer(self._linear(kind.attention.biases), self.drops)
        feeds = kind.feed_forward.layer(self._linear(kind.feed_forward.biases), self.drops)
        one = partial(
            LAYOUTS[self.layout],
            norm=NORMS[self.norm],
            attention=lambda x, *tensors: attends(x, **dict(zip(shared, tensors, strict=True))),
            mlp=feeds,
        )
        return ops.repeat(kind.place, times, one, x, *shared.values())

    def _frozen(self, loss: Tensor) -> Tensor:
        """The same pass, in which the parameters that are not trained want no gradient."""
        known: dict[str, None] = {}
        for place, tensor in parameters_of(loss):
            label = _whole(f"{place}.{tensor.name}")
            known |= {label[:end]: None for end, sign in enumerate(f"{label}.") if sign == "."}
            known[tensor.name] = None
            if (self.adapted and not tensor.name.startswith(("A_", "B_"))) or self._is_frozen(label):
                tensor.trained = False
                tensor.stored = self.stored if place.startswith("block") and len(tensor.axes) > 1 else None
        matrices = {name.replace("A_", "W_", 1) for name in known if name.startswith("A_")}
        for name in sorted(self.adapted - matrices):
            close = [each for each in known if each.startswith("W_") and each != name]
            raise ConfigError(f"adapters: '{name}' is no matrix of this model. {nearest(name, close)}")
        for name in self.frozen:
            if name not in known:
                raise ConfigError(f"freeze: '{name}' is no place with parameters. {nearest(name, known)}")
        return loss


def _whole(label: str) -> str:
    """A place in the words of the description: that the first trained block stands by itself is no matter
    there.
    """
    kind, *rest = label.split(".")[1:] or [""]
    if not label.startswith("block.") or not (kind in ("first", "rest") or kind.endswith("_first")):
        return label
    named = kind.removesuffix("_first") if kind.endswith("_first") else ""
    return ".".join(each for each in ("block", named, *rest) if each)


def parameters_of(result: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Every parameter that `result` is made from, with each place that reads it."""
    return _parameters(ops_between((), result), "")


def _parameters(found: list[Op], place: str) -> Iterator[tuple[str, Tensor]]:
    for op in found:
        placed = op.rule in (rules.PART, rules.REPEAT)
        inside = f"{place}.{op.name}".lstrip(".") if placed else place
        for tensor in op.inputs:
            if tensor.role is Role.PARAMETER:
                yield inside, tensor
        if op.body is not None:
            yield from _parameters(op.body_ops(), inside)


# Bytes of one element of a quantised matrix, with the constants of its blocks. Dettmers et al. 2023, QLoRA,
# section 3: 64 elements of 4 bits share an fp32 constant (nf4); with double quantisation it takes 8 bits, and
# 256 of these share an fp32 constant. Dettmers et al. 2022, LLM.int8(): the fp32 constant of each row is left
# out here, less than 0.1 % of the bytes.
STORED_BYTES: Mapping[str, Fraction] = MappingProxyType(
    {
        "nf4": Fraction(1, 2) + Fraction(4, 64),
        "nf4-double": Fraction(1, 2) + Fraction(1, 64) + Fraction(4, 64 * 256),
        "int8": Fraction(1),
    }
)


@dataclass(frozen=True)
class Model:
    """A model in letters: its architecture, the ties that it fixes (d_ff = 4d), its own numbers, if any."""

    name: str
    architecture: Architecture
    ties: Mapping[Symbol, Expr] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    source: str = ""

    @cached_property
    def loss(self) -> Tensor:
        """The forward pass, built once."""
        return self.architecture.loss()

    def with_adapters(self, on: Collection[str] = ("Q", "V"), r: int | None = None) -> Model:
        """The same model with low-rank adapters on some matrices, all else frozen; "all" is each matrix of
        its blocks.

        `r` is their rank, a letter where it is not given. Raises ConfigError for a name that is no matrix.

        >>> sorted(LETTERS["cs190c"].with_adapters(["Q"], r=16).architecture.adapted)
        ['W_Q']
        """
        chosen = {name if name.startswith("W_") else f"W_{name}" for name in on if name != "all"}
        if "all" in on:
            inside = [tensor for place, tensor in parameters_of(self.loss) if place.startswith("block")]
            chosen |= {
                tensor.name for tensor in inside if tensor.name.startswith("W_") and tensor.name != "W_R"
            }
        numbers = dict(self.numbers) | ({} if r is None else {"r": r})
        return self._with(replace(self.architecture, adapted=frozenset(chosen)), numbers)

    def with_frozen(self, *places: str) -> Model:
        """The same model, with the parameters at some places not trained ("embedding", "block.norm_1",
        "head.W_U").

        Raises ConfigError for a place that has no parameter.
        """
        return self._with(
            replace(self.architecture, frozen=(*self.architecture.frozen, *places)), self.numbers
        )

    def with_frozen_blocks(self, first: int | None = None) -> Model:
        """The same model, with its `first` blocks (L_frozen, where no number is given) and its embedding not
        trained.

        Raises ConfigError where there are several kinds of block: freeze one of these by its place.
        """
        if len(self.architecture.blocks) > 1:
            kinds = " or ".join(f"'{kind.place}'" for kind in self.architecture.blocks)
            raise ConfigError(
                f"{self.name}: frozen blocks: expected one kind of block, found several. Freeze {kinds}."
            )
        (one,) = self.architecture.blocks
        blocks = (replace(one, name="frozen", times="L_frozen"), replace(one, name="trained"))
        architecture = replace(self.architecture, blocks=blocks, frozen=("embedding", "block.frozen"))
        return self._with(architecture, dict(self.numbers) | ({} if first is None else {"L_frozen": first}))

    def _with(self, architecture: Architecture, numbers: Mapping[str, int]) -> Model:
        """The same model of another architecture, built at once, so that a wrong name is told here."""
        made = replace(self, architecture=architecture, numbers=numbers)
        try:
            _ = made.loss
        except ConfigError as error:
            raise ConfigError(f"{self.name}: {error}") from None
        return made

    def stored_as(self, element: str) -> Model:
        """The same model, with the frozen matrices of its blocks in an element type of STORED_BYTES."""
        if element not in STORED_BYTES:
            raise ConfigError(
                f"{self.name}: quantised: '{element}' is no element type. {nearest(element, STORED_BYTES)}"
            )
        return replace(self, architecture=replace(self.architecture, stored=element))


LETTERS: Mapping[str, Model] = MappingProxyType(
    {
        model.name: model
        for model in (
            Model(
                "cs190c",
                Architecture(),
                {d_k: d / h, d_ff: 4 * d},
                source="CS190C 2026, lecture 9: RMSNorm, attention, SwiGLU; d_k = d/h, d_ff = 4d",
            ),
            Model(
                "cs336",
                Architecture((Block(feed_forward=FeedForward("silu")),)),
                {d_k: d / h, d_ff: 4 * d},
                source="Stanford CS336 2025, assignment 1: RMSNorm, attention, ungated SiLU MLP",
            ),
            Model(
                "llama",
                Architecture((Block(Attention("rope", grouped=True)),), causal_mask=True),
                {d_k: d / h},
                source="Touvron et al. 2023, LLaMA, section 2.2; Ainslie et al. 2023 (grouped heads)",
            ),
            Model(
                "gpt",
                Architecture(
                    (Block(Attention(biased="QKVO"), FeedForward("gelu", biased=True)),),
                    norm="layer",
                    positions="c",
                    tied=True,
                    causal_mask=True,
                    drops=frozenset({"embedding", "weights", "results"}),
                ),
                {d_k: d / h},
                source="Radford et al. 2019, GPT-2; Korthikanti et al. 2022, figure 2",
            ),
        )
    }
)
