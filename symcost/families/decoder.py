"""How configs are read: a decoder as most families have it, and the few that are made in another way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from symcost.errors import ConfigError
from symcost.families.fields import Fields
from symcost.model import Architecture, Attention, Block, Experts, FeedForward, LatentAttention
from symcost.symbols import d, d_expert, d_ff, d_k, h, symbol

# ---------------------------------------------------------------------- what configs say in much the same way

GATES = {
    "silu": "swiglu",
    "swish": "swiglu",
    "swiglu": "swiglu",
    "gelu": "geglu",
    "gelu_pytorch_tanh": "geglu",
}
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "gelu_new": "gelu-tanh",
    "gelu_fast": "gelu-tanh",
    "relu": "relu",
    "relu2": "relu-squared",
    "silu": "silu",
}


class If(NamedTuple):
    """What a field that is true or false decides."""

    field: str
    yes: Any = True
    no: Any = False


def _told(f: Fields, value: Any) -> Any:
    """A value of a family's entry, with every `If` decided by the config; a list is joined."""
    if isinstance(value, If):
        return value.yes if f.flag(value.field) else value.no
    if isinstance(value, list):
        return "".join(_told(f, each) for each in value)
    return value


def _sizes(f: Fields) -> None:
    """Puts in d, L, v and h."""
    f.put(d=f.count("hidden_size"), L=f.count("num_hidden_layers"), v=f.count("vocab_size"))
    f.put(h=f.count("num_attention_heads"))
    for name in f.get("architectures") or ():
        if "Classification" in str(name) or "QuestionAnswering" in str(name):
            raise f.error("architectures", "a language model with a head to the vocabulary", repr(name))


def _grouped(f: Fields, groups: int) -> bool:
    """Puts in h_kv and d_k; answers whether key and value heads are grouped."""
    heads, width = f.numbers["h"], f.numbers["d"]
    if heads % groups:
        raise f.error("num_key_value_heads", f"a divisor of num_attention_heads = {heads}", groups)
    own = f.get("head_dim")
    if own is None and width % heads:
        raise ConfigError(
            f"{f.place}: hidden_size: expected a multiple of num_attention_heads = {heads}, found {width}. "
            "Give head_dim where heads do not multiply to the width."
        )
    head = width // heads if own is None else f.count("head_dim")
    if head * heads == width:
        f.tie(d_k, d / h)
    else:
        f.put(d_k=head)
    if groups == heads:
        return False
    f.put(h_kv=groups)
    return True


def _rotated_part(f: Fields, absent: float) -> None:
    """Puts in d_r, the part of a head that RoPE turns."""
    inside = f.get("rope_parameters") or {}
    named = inside.get("partial_rotary_factor") if isinstance(inside, Mapping) else None
    factor = f.share("partial_rotary_factor", absent if named is None else named)
    head = f.numbers.get("d_k") or f.numbers["d"] // f.numbers["h"]
    f.put(d_r=int(head * factor) if f.get("rotary_dim") is None else f.count("rotary_dim"))


def _feed_forward(f: Fields, gated: bool, biased: bool, times: int) -> FeedForward:
    """One feed-forward layer; puts in d_ff, or ties it to `times` d where the config may leave it out."""
    if times and f.get("intermediate_size") is None:
        f.tie(d_ff, times * d)
    else:
        f.put(d_ff=f.count("intermediate_size"))
    f.get("hidden_act")  # beside a hidden_activation it says nothing
    name = "hidden_act" if f.get("hidden_activation") is None else "hidden_activation"
    return FeedForward(f.one_of(name, GATES if gated else ACTIVATIONS), biased)


def _drops(f: Fields) -> frozenset[str]:
    """What dropout is applied to: where its probability is not zero."""
    sites = {"attention_dropout": "weights", "residual_dropout": "results", "embedding_dropout": "embedding"}
    return frozenset(site for name, site in sites.items() if f.share(name) > 0)


def _kinds(f: Fields, blocks: Iterable[tuple[str, Block]]) -> tuple[Block, ...]:
    """The kinds of block of a model that is given block by block; one kind alone needs no name."""
    counts: dict[str, int] = {}
    found: dict[str, Block] = {}
    for name, one in blocks:
        counts[name] = counts.get(name, 0) + 1
        found[name] = one
    if len(found) == 1:
        return tuple(found.values())
    f.put(**{f"L_{name}": count for name, count in counts.items()})
    return tuple(replace(one, name=name, times=f"L_{name}") for name, one in found.items())


def _windows(f: Fields) -> list[bool]:
    """For each block whether it looks back over a window alone."""
    length, pattern = f.numbers["L"], f.count("sliding_window_pattern", 2)
    value = f.get("layer_types")
    if value is None:
        return [(number + 1) % pattern > 0 for number in range(length)]
    meanings = {"full_attention": False, "sliding_attention": True, "chunked_attention": True}
    if not isinstance(value, list) or len(value) != length or not all(each in meanings for each in value):
        raise f.error("layer_types", f"a list of {length} of {' or '.join(meanings)}", repr(value)[:60])
    return [meanings[each] for each in value]


# ---------------------------------------------------------------------------------------- mixtures of experts


@dataclass(frozen=True)
class Routed:
    """Experts as a config tells them: the field of their width, the one of the shared experts, which blocks
    have none, and the arguments of `Experts`.
    """

    width: str
    shared: str = ""
    without: Callable[[Fields], list[bool]] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def read(self, f: Fields) -> Experts:
        """Puts in E, k, d_expert and d_shared."""
        f.put(E=f.count("num_local_experts"), k=f.count("num_experts_per_tok"), d_expert=f.count(self.width))
        f.must_be("output_router_logits", False)
        f.must_be("router_jitter_noise", 0.0, 0)
        f.one_of("hidden_act", {"silu": "silu"})
        if f.numbers["k"] > f.numbers["E"]:
            raise f.error(
                "num_experts_per_tok", f"at most num_local_experts = {f.numbers['E']}", f.numbers["k"]
            )
        if self.shared.startswith("n_"):
            f.tie(symbol("d_shared"), f.count(self.shared) * d_expert)
        elif self.shared:
            f.put(d_shared=f.count(self.shared))
        arguments = {name: _told(f, value) for name, value in self.arguments.items()}
        return Experts(shared=bool(self.shared), **arguments)


def first_dense(f: Fields) -> list[bool]:
    f.must_be("moe_layer_freq", 1)
    first = f.get("first_k_dense_replace")
    if type(first) is not int or first < 0:
        raise f.error("first_k_dense_replace", "how many blocks have no experts", repr(first))
    return [number < first for number in range(f.numbers["L"])]


def between(f: Fields) -> list[bool]:
    step, length = f.count("decoder_sparse_step", 1), f.numbers["L"]
    only = f.numbered("mlp_only_layers", length)
    return [number in only or (number + 1) % step > 0 for number in range(length)]


def _latent(f: Fields) -> LatentAttention:
    """Puts in the widths of latent attention."""
    f.put(d_n=f.count("qk_nope_head_dim"), d_r=f.count("qk_rope_head_dim"))
    f.put(d_v=f.count("v_head_dim"), d_c=f.count("kv_lora_rank"))
    f.tie(d_k, symbol("d_n") + symbol("d_r"))
    f.must_be("num_key_value_heads", None, f.numbers["h"])
    f.must_be("qk_head_dim", None, f.numbers["d_n"] + f.numbers["d_r"])
    f.get("head_dim")  # transformers puts the rotated part here
    latent_queries = f.get("q_lora_rank") is not None
    if latent_queries:
        f.put(d_cq=f.count("q_lora_rank"))
    return LatentAttention(f.flag("attention_bias"), latent_queries)


# ----------------------------------------------------------------------------------------------- the families


def decoder(
    f: Fields,
    *,
    positions: str = "rope",
    part: float = 1.0,
    groups: Any = None,
    gated: bool = True,
    times: int = 0,
    feed_biased: Any = False,
    experts: Routed | None = None,
    latent: Mapping[str, Any] | None = None,
    clips: bool = False,
    local: Mapping[str, Any] | None = None,
    everywhere: Mapping[str, Any] | None = None,
    only: Mapping[str, tuple[Any, ...]] | None = None,
    ignored: Collection[str] = (),
    attends: Mapping[str, Any] | None = None,
    **parts: Any,
) -> Architecture:
    """A decoder as most families have it. Every value may be an `If`.

    `positions` is RoPE (over the `part` of a head that a missing field means), ALiBi or learned; `groups`
    fixes the key and value heads (0: as many as query heads); `times` is d_ff/d where the config may leave
    d_ff out; `clips` lets clip_qkv clamp; blocks with a window differ by `local`, those without by
    `everywhere`, as changes of their attention. `only` are fields that may have some values alone, `ignored`
    fields that change nothing in this family, `attends` the arguments of `Attention`, `parts` those of
    `Architecture`.
    """
    for name, allowed in (only or {}).items():
        f.must_be(name, *allowed)
    for name in ignored:
        f.get(name)
    _sizes(f)
    heads = f.numbers["h"]
    attention: Attention | LatentAttention
    if latent is not None:
        attention = replace(_latent(f), **latent)
    else:
        groups = _told(f, groups)
        many = f.count("num_key_value_heads", heads) if groups is None else groups or heads
        grouped, learned = _grouped(f, many), positions == "learned"
        if positions == "rope-part":
            _rotated_part(f, part)
        if learned:
            f.put(c_max=f.count("max_position_embeddings"))
        told: dict[str, Any] = {name: _told(f, value) for name, value in (attends or {}).items()}
        told |= {"grouped": grouped, "one_group": grouped and many == 1}
        if clips and f.get("clip_qkv") is not None:
            told["clamped"] = True
        attention = Attention("none" if learned else positions, **told)  # type: ignore[arg-type]

    if experts is None:
        one = Block(attention, _feed_forward(f, gated, _told(f, feed_biased), times))
        blocks: tuple[Block, ...] = (one,)
        windows = _windows(f)
        if local is not None or everywhere is not None:
            back, beyond = (
                replace(one, attention=replace(attention, **changes))
                for changes in (local or {}, everywhere or {})
            )
            blocks = _kinds(f, (("local", back) if each else ("global", beyond) for each in windows))
    else:
        _windows(f)
        routed = Block(attention, experts.read(f))
        plain = experts.without(f) if experts.without is not None else [False] * f.numbers["L"]
        if all(plain):
            raise f.error("num_local_experts", "at least one block with experts", "none")
        dense = replace(routed, feed_forward=_feed_forward(f, True, False, 0)) if any(plain) else routed
        f.get("intermediate_size")
        blocks = _kinds(f, ((("dense", dense) if each else ("moe", routed)) for each in plain))
    for name in ("attention_bias", "mlp_bias"):
        if name not in f.asked:
            f.must_be(name, False)
    told = {name: _told(f, value) for name, value in parts.items()}
    if positions == "learned":
        told.setdefault("positions", "c")
    return Architecture(blocks, causal_mask=True, tied=f.flag("tie_word_embeddings"), drops=_drops(f), **told)


def gemma2(f: Fields, **parts: Any) -> Architecture:
    """As Gemma, with norms around each layer, and soft caps where the config gives them a number."""
    capped = f.get("attn_logit_softcapping") is not None
    logits = f.get("final_logit_softcapping") is not None
    attends = {**parts.pop("attends", {}), "capped": capped}
    return decoder(f, attends=attends, layout="around", logits_capped=logits, **parts)


def opt(f: Fields) -> Architecture:
    before = f.flag("do_layer_norm_before")
    one = decoder(
        f,
        positions="learned",
        groups=0,
        gated=False,
        feed_biased=If("enable_bias"),
        attends={"biased": If("enable_bias", "QKVO", "")},
        only={"layerdrop": (0.0, 0), "activation_dropout": (0.0, 0)},
        norm=If("layer_norm_elementwise_affine", "layer", "layer-plain"),
        layout="before" if before else "residual",
    )
    f.put(c_max=f.numbers["c_max"] + 2)  # the published code leaves two rows unused
    narrow = f.count("word_embed_proj_dim", f.numbers["d"])
    if narrow != f.numbers["d"]:
        f.put(d_emb=narrow)
    final = before and not f.flag("_remove_final_layer_norm")
    return replace(one, final_norm=final, positions="b c", embedding_narrow=narrow != f.numbers["d"])


def falcon(f: Fields) -> Architecture:
    new, side_by_side = f.flag("new_decoder_architecture"), f.flag("parallel_attn")
    norms = f.count("num_ln_in_parallel_attn", 2 if new else 1)
    shared = f.flag("multi_query")
    groups = None if new else 1 if shared else 0
    if not new:
        f.get("num_key_value_heads")
    return decoder(
        f,
        positions="alibi" if f.flag("alibi") else "rope",
        groups=groups,
        gated=False,
        times=4,
        feed_biased=If("bias"),
        only={"apply_residual_connection_post_layernorm": (False,)},
        attends={"packed": True, "biased": If("bias", "QKVO", "")},
        norm="layer",
        layout="before"
        if not (new or side_by_side)
        else "parallel-two"
        if new and norms == 2
        else "parallel",
    )


def mpt(f: Fields) -> Architecture:
    inner = f.nested("attn_config")
    for name, allowed in {
        "attn_type": "multihead_attention",
        "prefix_lm": False,
        "qk_ln": False,
        "alibi": True,
    }.items():
        inner.must_be(name, allowed)
    for name in ("attn_impl", "softmax_scale", "attn_uses_sequence_id", "alibi_bias_max", "model_type"):
        inner.get(name)  # how it is computed, not what
    clamped = inner.get("clip_qkv") is not None
    drops = {"weights"} if inner.share("attn_pdrop") > 0 else set()
    inner.finish()
    one = decoder(
        f,
        positions="alibi",
        groups=0,
        gated=False,
        times=f.count("expansion_ratio", 4),
        attends={"packed": True, "clamped": clamped},
        only={"no_bias": (True,), "norm_type": ("low_precision_layernorm", "layernorm")},
        ignored=("embedding_fraction", "learned_pos_emb", "verbose"),  # no positions are learned beside ALiBi
        norm="layer-unshifted",
    )
    return replace(one, drops=one.drops | drops)


def llama4(f: Fields) -> Architecture:
    """Blocks with a window turn by RoPE and the others do not; some have experts, some one feed-forward
    layer.
    """
    _sizes(f)
    length = f.numbers["L"]
    f.get("attn_temperature_tuning")  # a table that queries of global blocks are multiplied by
    both = {
        "grouped": _grouped(f, f.count("num_key_value_heads")),
        "biased": _told(f, If("attention_bias", "QKVO", "")),
    }
    local = Attention("rope", qk_norm=_told(f, If("use_qk_norm", "rms-plain", None)), **both)
    beyond = Attention(**both)
    arguments = {"scores": "sigmoid", "scores_of_chosen": True, "weighs_input": True}
    experts = Routed("intermediate_size", arguments=arguments).read(f)
    f.tie(symbol("d_shared"), d_expert)
    experts = replace(experts, shared=True)
    step, interval = f.count("interleave_moe_layer_step", 1), f.count("no_rope_layer_interval", 4)
    listed = f.get("moe_layers")
    routed = set(range(step - 1, length, step)) if listed is None else set(f.numbered("moe_layers", length))
    turned = f.get("no_rope_layers") or [int((number + 1) % interval > 0) for number in range(length)]
    if not isinstance(turned, list) or len(turned) != length:
        raise f.error("no_rope_layers", f"a list of {length} of 0 or 1", repr(turned)[:60])
    f.get("layer_types")
    f.get("intermediate_size_mlp")
    if len(routed) < length:
        f.put(d_ff=f.count("intermediate_size_mlp"))
    blocks = []
    for number in range(length):
        attends, where = (local, "local") if turned[number] else (beyond, "global")
        if number in routed:
            blocks.append((where if len(routed) == length else f"moe_{where}", Block(attends, experts)))
        else:
            blocks.append(("dense" if turned[number] else "dense_global", Block(attends, FeedForward())))
    return Architecture(
        _kinds(f, blocks), causal_mask=True, tied=f.flag("tie_word_embeddings"), drops=_drops(f)
    )


@dataclass(frozen=True)
class Family:
    """How the configs of one model_type are read, and what a missing field means there."""

    read: Callable[[Fields], Architecture]
    absent: Mapping[str, Any] = field(default_factory=dict)


def family(absent: Mapping[str, Any], **entry: Any) -> Family:
    return Family(partial(decoder, **entry), absent)
