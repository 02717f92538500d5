"""A model: embedding, L blocks, final norm and head, from the same few layers. Known models are data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType

from sympy import Expr, Symbol

from symcost import ops
from symcost.errors import UnknownName, nearest
from symcost.layers.attention import attention
from symcost.layers.block import block
from symcost.layers.embedding import embedding, positions
from symcost.layers.head import head
from symcost.layers.layer_norm import layer_norm
from symcost.layers.mlp import mlp
from symcost.layers.rms_norm import rms_norm
from symcost.layers.swiglu import swiglu
from symcost.symbols import L, d, d_ff, d_k, h, h_kv
from symcost.tensors import Tensor

Layer = Callable[..., Tensor]

NORMS: Mapping[str, Layer] = MappingProxyType({"rms": rms_norm, "layer": layer_norm})
FEED_FORWARDS: Mapping[str, Layer] = MappingProxyType(
    {
        "swiglu": swiglu,
        "gelu": partial(mlp, activation=ops.gelu),
        "gelu_tanh": partial(mlp, activation=ops.gelu_tanh),
        "silu": partial(mlp, activation=ops.silu),
        "relu": partial(mlp, activation=ops.relu),
    }
)
POSITIONS = ("none", "rope", "learned")


@dataclass(frozen=True)
class Architecture:
    """Which layers a decoder is made of; no sizes. `attention_bias` names the projections that have one ("QKV")."""

    norm: str = "rms"
    feed_forward: str = "swiglu"
    positions: str = "none"
    grouped: bool = False
    attention_bias: str = ""
    feed_forward_bias: bool = False
    tied: bool = False
    causal_mask: bool = False
    dropout: bool = False

    def loss(self) -> Tensor:
        """The forward pass from token ids to the loss."""
        norm = NORMS[self.norm]
        tokens, targets = ops.index("tokens", "b c"), ops.index("targets", "b c")
        W_E = ops.parameter("W_E", "v d")
        x = ops.part("embedding", positions if self.positions == "learned" else embedding, tokens, W_E)

        shared = {}
        if self.positions == "rope":
            shared["table"] = ops.constant("angles", "c d_k")
        if self.causal_mask:
            shared["mask"] = ops.constant("causal", "c c'", element="bool")

        def attends(x: Tensor, *tensors: Tensor) -> Tensor:
            return attention(
                x,
                **dict(zip(shared, tensors, strict=True)),
                grouped=self.grouped,
                biased=self.attention_bias,
                drops=self.dropout,
            )

        feed = partial(FEED_FORWARDS[self.feed_forward], biased=self.feed_forward_bias)
        if self.dropout:
            feed = partial(feed, drops=True)
        one = partial(block, norm=norm, attention=attends, mlp=feed)
        x = ops.repeat("block", L, one, x, *shared.values())
        x = ops.part("final_norm", lambda x: norm(x, "x_final"), x)
        W_U = W_E if self.tied else ops.parameter("W_U", "v d")
        return ops.part("head", head, x, targets, W_U)


@dataclass(frozen=True)
class Model:
    """A model in letters: its architecture, the ties that it fixes (d_ff = 4d), and its own numbers, if any."""

    name: str
    architecture: Architecture
    ties: Mapping[Symbol, Expr] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    source: str = ""

    @cached_property
    def loss(self) -> Tensor:
        """The forward pass, built once."""
        return self.architecture.loss()


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
                Architecture(feed_forward="silu"),
                {d_k: d / h, d_ff: 4 * d},
                source="Stanford CS336 2025, assignment 1, as counted in its write-ups: RMSNorm, attention, ungated SiLU MLP",
            ),
            Model(
                "llama",
                Architecture(positions="rope", grouped=True, causal_mask=True),
                {d_k: d / h},
                source="Touvron et al. 2023, LLaMA, section 2.2; Ainslie et al. 2023 (grouped heads)",
            ),
            Model(
                "gpt",
                Architecture("layer", "gelu", "learned", attention_bias="QKVO", feed_forward_bias=True, tied=True,
                             causal_mask=True, dropout=True),
                {d_k: d / h},
                source="Radford et al. 2019, GPT-2; Korthikanti et al. 2022, figure 2",
            ),
        )
    }
)  # fmt: skip
