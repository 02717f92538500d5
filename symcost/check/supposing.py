"""What a document's words suppose: which model, which convention, which bytes, and which others are near."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations, starmap
from typing import Any

from sympy import Expr, Integer, Symbol

from symcost.check.annotations import Settings
from symcost.check.evidence import FEATURES, IN_PASSING, sentences
from symcost.check.meanings import EMPHASIS
from symcost.check.wordings import Wording, words
from symcost.conventions import CONVENTIONS, OPTIONS
from symcost.model import (
    LETTERS,
    Architecture,
    Attention,
    Block,
    Experts,
    FeedForward,
    LatentAttention,
    Model,
)
from symcost.symbols import SYMBOLS, c, d, d_expert, d_ff, d_k, h, h_kv

OF_ADAPTERS = frozenset({"r", "N_adapter"})
OF_LATENTS = frozenset({"d_c", "d_cq", "d_n", "d_r"})
OF_SHARED = frozenset({"d_shared", "E_shared"})
SINGLE = "single"  # the layout of one device alone
FOUR_WIDE = 4 * d  # the MLP of which a document says nothing else


@dataclass(frozen=True)
class Design:
    """What words say of a decoder's blocks; `name` is that of a known model, which then says it all."""

    gated: bool = True
    rms: bool = True
    shifted: bool = True
    biased: bool = False
    tied: bool = False
    learned_positions: bool = False
    dropout: bool = False
    experts: bool = False
    shared: bool = False
    grouped: bool = False
    one_key_head: bool = False
    wide_heads: bool = False  # all heads together are not as wide as the model
    latent: bool = False
    adapted: bool = False
    gains_counted: bool = True
    final_norm: bool = True
    name: str = ""

    @property
    def model(self) -> Model:
        """The model in letters that the words describe."""
        return _model(self)

    def but(self, **features: bool) -> Design:
        """The same with other features."""
        return Design(**{**vars(self), **features})

    def written_in(self, letters: Collection[str]) -> Design:
        """The same, with what a form speaks of that has these letters: adapters, latent attention, shared experts."""
        if self.name:
            return self
        return self.but(
            adapted=not OF_ADAPTERS.isdisjoint(letters),
            latent=not OF_LATENTS.isdisjoint(letters),
            shared=self.experts and (self.shared or not OF_SHARED.isdisjoint(letters)),
        )

    def __str__(self) -> str:
        if self.name:
            return self.name
        base = LIKE_LLAMA if self.gated else LIKE_GPT
        others = [
            words if getattr(self, feature) else f"no {words}"
            for feature, words in (
                ("biased", "biases"),
                ("dropout", "dropout"),
                ("learned_positions", "learned positions"),
            )
            if getattr(self, feature) != getattr(base, feature)
        ]
        if self.tied != base.tied:
            others.append("head tied" if self.tied else "head not tied")
        if self.rms != base.rms:
            others.append("RMSNorm" if self.rms else "LayerNorm")
        if not self.shifted and not self.rms:
            others.append("no shifts")
        if self.experts:
            others.append("experts, some of them shared" if self.shared else "experts")
        if self.latent:
            others.append("latent attention")
        if self.adapted:
            others.append("adapters")
        if self.one_key_head:
            others.append("one key head")
        if self.wide_heads:
            others.append("heads of their own width")
        if not self.gains_counted:
            others.append("norms' parameters not counted")
        if not self.final_norm:
            others.append("no final norm")
        return ("llama" if self.gated else "gpt") + (f" ({', '.join(others)})" if others else "")


LIKE_LLAMA = Design()
LIKE_GPT = Design(gated=False, rms=False, biased=True, tied=True, learned_positions=True, dropout=True)


@cache
def _model(design: Design) -> Model:
    if design.name:
        from symcost.families import load

        return load(design.name)
    attention: Attention | LatentAttention = (
        LatentAttention()
        if design.latent
        else Attention(grouped=design.grouped, biased="QKVO" if design.biased else "")
    )
    mlp: FeedForward | Experts = FeedForward("swiglu" if design.gated else "gelu", biased=design.biased)
    architecture = Architecture(
        (Block(attention, Experts(shared=design.shared) if design.experts else mlp),),
        norm="rms" if design.rms else "layer" if design.shifted else "layer-unshifted",
        final_norm=design.final_norm,
        positions="c" if design.learned_positions else "",
        tied=design.tied,
        drops=frozenset({"embedding", "weights", "results"}) if design.dropout else frozenset(),
    )
    ties: dict[Symbol, Expr] = {} if design.latent or design.wide_heads else {d_k: d / h}
    if design.one_key_head:
        ties[h_kv] = Integer(1)
    model = Model(str(design), architecture, ties)
    return model.with_adapters(["all"]) if design.adapted else model


@dataclass(frozen=True)
class Supposed:
    """What a form is held against: a design, a convention, an optimizer, a precision, a layout, and forms put in for letters."""

    design: Design
    convention: str = "textbook"
    optimizer: str = "adamw"
    precision: str | None = None
    ties: tuple[tuple[str, Expr], ...] = ()
    layout: str = SINGLE

    def __str__(self) -> str:
        words = [f"{self.design} under {self.convention}"]
        if self.optimizer != "adamw":
            words.append(self.optimizer)
        if self.precision:
            words.append(self.precision)
        if self.layout != SINGLE:
            words.append(f"on one device of {self.layout}")
        return ", ".join(words)


# ----------------------------------------------------------------------------------- what the words say


_GATED = words(r"swiglu", r"geglu", r"(?<!un)(?<!not )(?<!无)gated", r"\bglu\b", r"W_?\{?3\b", r"gate_proj", r"gate, up",
                r"three[- ]matri", r"two matrices in and one out")  # fmt: skip
_UNGATED = words(r"\bgelu\b", r"ungated", r"not gated", r"\brelu", r"无门控", r"no gate", r"\btwo[- ]matri")
_LIKE_LLAMA = words(r"\bllama", r"mistral", r"qwen")
_LIKE_GPT = words(r"gpt-?[23]?\b", r"megatron", r"\bopt-?\d", r"bloom", r"kaplan")
_GATE_NAMED = words(r"swiglu", r"geglu", r"(?<!un)(?<!not )gated (?:mlp|ffn|feed)")
_NO_GATE_NAMED = words(
    r"\bgelu\b", r"\brelu\b", r"\bungated", r"not gated"
)  # one document may have models of either kind
_NAMES_LLAMA, _NAMES_GPT = (
    Wording("|".join(pattern.pattern for pattern in patterns), re.IGNORECASE)
    for patterns in ((_GATED, _LIKE_LLAMA), (_UNGATED, _LIKE_GPT))
)
_RMS, _LAYER_NORM = words(r"rms ?norm"), words(r"layer ?norm")
_WITH_DROPOUT = words(r"\b(?:with|uses?|using|appl(?:y|ies)) dropout", r"dropout masks?\b")
_EXPERTS = words(r"mixture of (?:\w+ )?experts", r"\bmoe\b", r"mixtral", r"专家")
_EVERY = words(
    r"(?<!not )(?<!not what )(?<!not the output of )every (?:listed )?(?:op|output|result)",
    r"cs336",
    r"all (?:intermediate )?outputs",
    r"outputs? of (?:each|all)(?: of)?(?: the)?(?: listed| following)? (?:op\w*|steps?)\b",
)
_LISTED_APART = {  # of what every result is kept: steps that a list names one by one
    "gate-apart": words(r"\bsilu\b[^.;()]{0,60}\b(?:product|multipl\w+)"),
    "loss-apart": words(
        r"\blog[- ]?(?:prob\w*|softmax)\b", r"\blogits(?:,| and|, and) (?:the )?cross[- ]?entropy\b"
    ),
}
_KEPT_APART = {
    "gate-apart": words(
        r"\b(?:keeps?|kept|saves?|saved|stores?|stored)\b[^.;]{0,80}\bsilu\b[^.;()]{0,60}\b(?:product|multipl\w+)"
    )
}  # what a list of kept tensors names besides, of whichever convention it is
_MEGATRON = words(r"dropout", r"megatron", r"korthikanti")
_CONVENTION = Wording(
    rf"(?<![\w-])(?:{'|'.join(re.escape(name) for name in CONVENTIONS)})(?:\+(?:{'|'.join(map(re.escape, OPTIONS))}))*(?![\w-])"
)
_FULL = words(
    r"\bfp32 throughout",
    r"(?:everything|all|stored|kept|activations?)[^.;]{0,20}\bin (?:fp32|float32)",
    r"\b(?:everything|all)(?: is| are)? fp32\b",
    r"float32",
)
_HALF = words(
    r"\bbf16\b", r"\bfp16\b", r"half precision", r"16-bit", r"mixed precision", r"混合精度", r"two bytes"
)
_SPEAKS_OF_WIDTH = words(
    r"(?<![\d.^])4\s*(?:\\cdot|\\times|[*·×x])?\s*(?:[a-zA-Z]\b(?![²^_])|d_|n_embd|hidden)",
    r"four times",
    r"8\s*/\s*3|\\frac\{?8\}?\{?3",
)
_FOUR_WIDE = words(
    r"d_\{?(?:\\text\{)?ff\}*`?\$?\s*=\s*`?\$?\s*4",
    r"4\s*\\?\*\s*(?:n_embd|d_model|hidden)",
    r"\b4x hidden",
    r"four times as wide",
)


def designs(
    text: str, letters: Collection[str], *, wide_heads: bool = False
) -> tuple[list[Design], list[Design]]:
    """The designs that a text may speak of, the likeliest first; then others, of which it does not speak.

    What it says outright holds. What it also denies, says in passing or leaves open is varied.
    """
    gated, told = kind(text)
    readings = _readings(text, gated)
    norms = [bool(pattern.search(text)) for pattern in (_RMS, _LAYER_NORM)]
    stated = {name: outright[0] for name, (outright, _) in readings.items() if outright}
    if norms[0] != norms[1]:
        stated["rms"] = norms[0]
    if {"E", "k"} <= set(letters) or _EXPERTS.search(text):
        stated["experts"] = True
    shared = "E_shared" in letters or "d_shared" in letters
    single = "h_kv" not in letters and _has_one_key_head(text)
    first = (LIKE_LLAMA if gated else LIKE_GPT).but(
        **stated,
        grouped=single or "h_kv" in letters,
        one_key_head=single,
        shared=shared,
        wide_heads=wide_heads,
    )
    first = first.but(shifted=first.shifted or first.rms)  # an RMSNorm has none in any case
    disputed = [name for name, said in readings.items() if set().union(*said) - {getattr(first, name)}]
    left_open = [
        name for name in ("biased", "tied", "learned_positions", "dropout") if not any(readings[name])
    ]
    if gated and "dropout" in left_open and "dropout" not in text.lower():
        left_open.remove("dropout")
    if not (first.biased or first.rms) and first.shifted:
        left_open.append("shifted")  # "no biases" may be said of matrices or of norms too

    def turned(*names: str) -> Design:
        return first.but(**{name: not getattr(first, name) for name in names})

    fitting = [first, *map(turned, (*disputed, *left_open)), *starmap(turned, combinations(disputed, 2))]
    if len(left_open) > 1:
        fitting.append(first.but(**dict.fromkeys(left_open, False)))
    if first.experts:
        fitting.append(turned("experts"))
    fitting.append(turned("gains_counted"))
    if first.biased or first.learned_positions:
        matrices_alone = first.but(biased=False, learned_positions=False, gains_counted=False)
        fitting.append(matrices_alone)
    other = (LIKE_GPT if gated else LIKE_LLAMA).but(grouped=first.grouped, one_key_head=single)
    others = [
        other.but(biased=stated.get("biased", other.biased)),
        other.but(biased=False, tied=False, learned_positions=False, dropout=False),
    ]
    return (fitting, others) if told else (fitting + others, [])


def _has_one_key_head(text: str) -> bool:
    """Whether a text says outright that all query heads share one key and one value head."""
    said = sentences(text) if _ONE_KEY_HEAD.search(text) and not _SEVERAL_KEY_HEADS.search(text) else ()
    return any(_ONE_KEY_HEAD.search(each) and not IN_PASSING.search(each) for each in said)


def kind(text: str) -> tuple[bool, bool]:
    """Whether the MLP is gated, and whether the text leaves no doubt of it."""
    gated, plain = len(_GATED.findall(text)), len(_UNGATED.findall(text))
    if bool(gated) == bool(plain):  # else models that are only mentioned say nothing
        gated += len(_LIKE_LLAMA.findall(text))
        plain += len(_LIKE_GPT.findall(text))
    both = _GATE_NAMED.search(text) is not None and _NO_GATE_NAMED.search(text) is not None
    return gated >= plain, bool(gated or plain) and not both


def _readings(text: str, gated: bool) -> Mapping[str, tuple[list[bool], list[bool]]]:
    """What a text says of each feature outright and in passing; of a gated model's dropout only that it is used."""
    kinds = (_NAMES_LLAMA, _NAMES_GPT)
    own, elsewhere = kinds if gated else kinds[::-1]
    said = sentences(text)
    aside = frozenset(each for each in said if elsewhere.search(each) and not own.search(each))
    features = dict(FEATURES)
    if gated:
        features["dropout"] = replace(features["dropout"], said=_WITH_DROPOUT)
    return {name: feature.readings(said, aside) for name, feature in features.items()}


@dataclass(frozen=True)
class Suppositions:
    """The designs, conventions and precisions of one document, the likeliest first."""

    designs: tuple[Design, ...]
    others: tuple[Design, ...]
    conventions: tuple[str, ...]
    precisions: tuple[str, ...]
    ties: tuple[tuple[str, Expr], ...]
    half: bool | None = None
    width_said: bool = True
    told: Settings = field(default_factory=Settings)

    def first(self, options: str = "") -> Supposed:
        return self.under(self.designs[0], f"{self.conventions[0]}{options}")

    def under(self, design: Design, convention: str, precision: str | None = None) -> Supposed:
        fixed = {symbol.name for symbol in design.model.ties} - {name for name, _ in self.told.ties}
        ties = tuple((name, form) for name, form in self.ties if name not in fixed)
        return Supposed(design, convention, precision=precision, ties=ties)


_KEY_HEAD = r"(?:kv|k/v|key|key(?: and |[-/])value) heads?"
_ONE_KEY_HEAD = words(r"\bmulti-?query\b", r"\bMQA\b", rf"\b(?:single|one) (?:shared )?{_KEY_HEAD}\b")
_SEVERAL_KEY_HEADS = words(r"\bgrouped\b", r"\bGQA\b", rf"\b(?:fewer|\d+) {_KEY_HEAD}\b")
_HALF_COUNTED = words(
    r"\bcausal\b[^.]{0,60}\b(?:we|i) (?:\w+ )?(?:charge|count|take|use)\b[^.]{0,30}\bhalf",
    r"\b(?:we|i) (?:\w+ )?(?:charge|count|take|use)\b[^.]{0,30}\bhalf\b[^.]{0,40}\b(?:scores?|square|attention)",
    r"\b(?:scores?|attention)\b[^.]{0,40}\bcounted (?:at |by )?half\b",
    r"\bcausal\b[^.]{0,60}\b(?:we|i) (?:\w+ )?(?:charge|count|take|use)\b[^.]{0,60}/ ?2\b",
    r"\bcausal mask is (?:worth|counted as|taken as) (?:a factor of )?(?:two|2|(?:one )?half)\b",
    r"\bon average (?:a|each|every) (?:token|query|position) (?:looks at|attends to|sees) \S+/2\b",
)


def _named_convention(text: str) -> str | None:
    """The convention that a text names most often as we do, with its options."""
    named = (
        each for each in _CONVENTION.findall(text) if not each.isalpha()
    )  # "autocast" is a word of others too
    found = Counter(named)
    return max(found, key=lambda name: (found[name], name)) if found else None


def _meant_convention(text: str, design: Design) -> str:
    """The convention that a text describes without naming it as we do."""
    if _EVERY.search(text):
        return "+".join(
            ("every-output", *(name for name, said in _LISTED_APART.items() if said.search(text)))
        )
    base = "megatron-2022" if design.dropout and _MEGATRON.search(text) else "textbook"
    return "+".join((base, *(name for name, said in _KEPT_APART.items() if said.search(text))))


def suppositions(
    text: str,
    letters: Collection[str],
    told: Settings,
    forms: Mapping[str, Expr] | None = None,
    *,
    wide_heads: bool = False,
) -> Suppositions:
    """What a text supposes, with forms that it gives for widths; what its author or the caller tells outright comes first.

    `wide_heads` says that its numbers make all heads together wider, or less wide, than the model.
    """
    text = EMPHASIS.sub("", text)
    ties: dict[str, Expr] = {}
    if "d_ff" not in letters or _FOUR_WIDE.search(text):
        ties["d_ff"] = FOUR_WIDE
    if "h_kv" not in letters:
        ties["h_kv"] = h
    if "c_max" not in letters:
        ties["c_max"] = c
    if "d_expert" not in letters and "d_ff" in letters:
        ties["d_expert"] = d_ff
    if "d_shared" not in letters:
        ties["d_shared"] = SYMBOLS["E_shared"] * d_expert
    ties |= {**(forms or {}), **dict(told.ties)}
    found, others = designs(text, letters, wide_heads=wide_heads)
    if told.model is not None:
        found, others = [Design(name=told.model)], found + others
    first = told.under or _named_convention(text) or _meant_convention(text, found[0])
    if _HALF_COUNTED.search(text) and "causal" not in first:
        first += "+causal"
    base = first.split("+")[0]
    conventions = [
        first,
        *(
            each
            for each in ("textbook", "megatron-2022", "every-output", "torch-eager", "torch-compile")
            if each != base
        ),
    ]
    half = (
        True
        if _HALF.search(text) and not _FULL.search(text)
        else False
        if _FULL.search(text) and not _HALF.search(text)
        else None
    )
    precisions = ("mixed-16", "fp32") if half else ("fp32", "mixed-16")
    return Suppositions(
        tuple(dict.fromkeys(found)),
        tuple(others),
        tuple(conventions),
        precisions,
        tuple(ties.items()),
        half,
        not found[0].gated
        or not {"d_ff", "d_expert"}.isdisjoint({*letters, *(forms or {}), *dict(told.ties)})
        or bool(_SPEAKS_OF_WIDTH.search(text)),
        told,
    )


def _variants() -> dict[str, Model]:
    """The models in letters, and the same without what authors like to leave out."""

    def but(
        base: str, mlp: FeedForward | None = None, attention: Attention | None = None, **changes: Any
    ) -> Model:
        architecture = LETTERS[base].architecture
        (block,) = architecture.blocks
        own = replace(block, attention=attention or block.attention, feed_forward=mlp or block.feed_forward)
        return replace(LETTERS[base], architecture=replace(architecture, blocks=(own,), **changes))

    plain: dict[str, Any] = {"attention": Attention(), "mlp": FeedForward("gelu")}
    found = {
        "gpt without biases": but("gpt", **plain),
        "gpt without dropout": but("gpt", drops=frozenset()),
        "gpt untied without biases": but("gpt", **plain, drops=frozenset(), tied=False, positions=""),
        "llama tied": but("llama", tied=True),
    }
    return {**LETTERS, **{name: replace(model, name=name) for name, model in found.items()}}


VARIANTS: Mapping[str, Model] = _variants()
