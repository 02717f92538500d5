"""The glossary: every letter with its meaning and unit, every quantity, and the notations of other sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sympy import Integer, Symbol

from symcost.errors import UnknownSymbol, nearest

KB, MB, GB, TB = 10**3, 10**6, 10**9, 10**12
KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class Letter:
    """One letter of the glossary.

    `words` are the names that configs, code and papers use for it; `fallback` is the number it has when nobody
    gives one (one GPU, one epoch); `most` is what it cannot exceed.
    """

    name: str
    meaning: str
    unit: str
    latex: str = ""
    words: tuple[str, ...] = ()
    fallback: int | None = None
    whole: bool = True  # a count: positive and whole
    most: int | None = None

    @property
    def symbol(self) -> Symbol:
        return Symbol(self.name, positive=True)


def _letters(*letters: Letter) -> Mapping[str, Letter]:
    return MappingProxyType({letter.name: letter for letter in letters})


GLOSSARY: Mapping[str, Letter] = _letters(
    Letter(
        "b",
        "batch size",
        "sequences",
        words=("batch_size", "bsz", "bs", "batch", "micro_batch_size", "micro_batch", "mbs"),
    ),
    Letter(
        "c",
        "context length",
        "tokens per sequence",
        words=(
            "seq_len",
            "seq",
            "context_length",
            "n_ctx",
            "seqlen",
            "max_seq_len",
            "sequence_length",
            "seq_length",
            "block_size",
            "ctx_len",
            "context_len",
            "context_size",
        ),
    ),
    Letter(
        "d",
        "model width",
        "elements",
        words=(
            "d_model",
            "hidden_size",
            "n_embd",
            "dim",
            "hidden",
            "n_embed",
            "embed_dim",
            "hidden_dim",
            "model_dim",
        ),
    ),
    Letter(
        "d_ff",
        "inner width of the feed-forward layer",
        "elements",
        r"d_{\mathrm{ff}}",
        (
            "intermediate_size",
            "ffn_hidden_size",
            "n_inner",
            "d_ffn",
            "ffn_dim",
            "ffw_size",
            "mlp_dim",
            "d_mlp",
            "d_inner",
            "ffn",
        ),
    ),
    Letter(
        "h",
        "query heads",
        "heads",
        words=(
            "num_heads",
            "n_heads",
            "n_head",
            "num_attention_heads",
            "num_query_heads",
            "nheads",
            "nh",
            "nq",
            "n_q",
        ),
    ),
    Letter(
        "h_kv",
        "key and value heads",
        "heads",
        r"h_{\mathrm{kv}}",
        ("num_key_value_heads", "n_kv_heads", "num_kv_heads", "n_kv_head", "n_kv", "kv_heads", "nkv"),
    ),
    Letter(
        "d_k",
        "width of one head",
        "elements",
        "d_k",
        ("head_dim", "headdim", "d_head", "d_qk", "key_size", "head_size", "dim_head"),
    ),
    Letter(
        "L",
        "transformer blocks",
        "blocks",
        words=("num_layers", "n_layers", "n_layer", "num_hidden_layers", "n_blocks", "num_blocks", "layers"),
    ),
    Letter("v", "vocabulary", "tokens", words=("vocab_size", "n_vocab", "vocab", "vocabulary_size")),
    Letter("v_0", "vocabulary before padding", "tokens", "v_0"),
    Letter(
        "c_max", "learned positions", "positions", r"c_{\max}", ("max_position_embeddings", "n_positions")
    ),
    Letter("E", "experts", "experts", words=("num_experts", "n_experts", "num_local_experts")),
    Letter("k", "experts a token is sent to", "experts", words=("top_k", "num_experts_per_tok")),
    Letter(
        "d_expert",
        "inner width of one expert",
        "elements",
        r"d_{\mathrm{expert}}",
        ("moe_intermediate_size",),
    ),
    Letter(
        "d_shared",
        "inner width of the experts that every token is sent to",
        "elements",
        r"d_{\mathrm{shared}}",
        ("shared_expert_intermediate_size",),
    ),
    Letter(
        "E_shared",
        "experts that every token is sent to",
        "experts",
        r"E_{\mathrm{shared}}",
        ("n_shared_experts", "num_shared_experts"),
    ),
    Letter(
        "L_dense",
        "blocks with one feed-forward layer, where others have experts",
        "blocks",
        r"L_{\mathrm{dense}}",
        ("first_k_dense_replace",),
    ),
    Letter("L_moe", "blocks with experts", "blocks", r"L_{\mathrm{moe}}"),
    Letter("L_local", "blocks whose tokens look back over a window", "blocks", r"L_{\mathrm{local}}"),
    Letter(
        "L_global", "blocks whose tokens look back over the whole context", "blocks", r"L_{\mathrm{global}}"
    ),
    Letter(
        "L_moe_local", "blocks with experts that look back over a window", "blocks", r"L_{\mathrm{moe,local}}"
    ),
    Letter(
        "L_moe_global", "blocks with experts that look back over all", "blocks", r"L_{\mathrm{moe,global}}"
    ),
    Letter("L_frozen", "first blocks that are not trained", "blocks", r"L_{\mathrm{frozen}}"),
    Letter("d_r", "rotated part of one head", "elements", "d_r", ("qk_rope_head_dim", "rotary_dim")),
    Letter(
        "d_n", "part of one query or key head that is not rotated", "elements", "d_n", ("qk_nope_head_dim",)
    ),
    Letter("d_v", "width of one value head", "elements", "d_v", ("v_head_dim",)),
    Letter("d_c", "width of the latent keys and values", "elements", "d_c", ("kv_lora_rank",)),
    Letter("d_cq", "width of the latent queries", "elements", "d_{cq}", ("q_lora_rank",)),
    Letter(
        "d_emb",
        "width of the token embedding, where it is not d",
        "elements",
        r"d_{\mathrm{emb}}",
        ("word_embed_proj_dim",),
    ),
    Letter("d_in", "width of what a matrix takes", "elements", r"d_{\mathrm{in}}"),
    Letter("d_out", "width of what a matrix gives", "elements", r"d_{\mathrm{out}}"),
    Letter("r", "rank of an adapter (LoRA)", "elements", words=("lora_rank", "lora_r")),
    Letter(
        "N",
        "parameters of the model",
        "parameters",
        words=("N_p", "N_params", "num_params", "params", "N_tot", "N_total"),
    ),
    Letter(
        "N_active",
        "parameters that one token passes through",
        "parameters",
        r"N_{\mathrm{active}}",
        ("N_act", "P_active", "active_params", "active_parameters"),
    ),
    Letter(
        "N_matmul",
        "parameters that a token is multiplied by: no look-up tables, gains or biases",
        "parameters",
        r"N_{\mathrm{matmul}}",
    ),
    Letter(
        "N_adapter",
        "parameters of the adapters",
        "parameters",
        r"N_{\mathrm{adapter}}",
        ("N_lora", "lora_params"),
    ),
    Letter(
        "D",
        "training tokens of one epoch",
        "tokens",
        words=("train_tokens", "num_tokens", "ntok", "ntokens", "dataset_size"),
    ),
    Letter(
        "epochs",
        "passes over the training tokens",
        "",
        r"\mathrm{epochs}",
        ("epoch", "num_epochs"),
        fallback=1,
    ),
    Letter("n", "GPUs", "GPUs", words=("num_gpus", "n_gpus", "gpus", "world_size"), fallback=1),
    Letter(
        "accumulation",
        "micro-batches of one step on each GPU",
        "",
        r"\mathrm{accumulation}",
        (
            "gradient_accumulation_steps",
            "grad_accum",
            "grad_acc",
            "accum",
            "accum_steps",
            "accumulation_steps",
        ),
        fallback=1,
    ),
    Letter(
        "global_batch",
        "sequences of one step on all GPUs",
        "sequences",
        r"b_{\mathrm{global}}",
        ("global_batch_size", "gbs"),
    ),
    Letter("MFU", "model FLOPs utilisation", "", r"\mathrm{MFU}", ("mfu",), whole=False, most=1),
    Letter(
        "HFU",
        "hardware FLOPs utilisation: what is computed again counts too",
        "",
        r"\mathrm{HFU}",
        ("hfu",),
        whole=False,
        most=1,
    ),
    Letter("peak", "peak FLOP/s of one GPU", "FLOP/s", r"\mathrm{peak}", ("peak_flops",), whole=False),
    Letter(
        "bandwidth",
        "memory bandwidth of one GPU",
        "bytes/s",
        r"\mathrm{bandwidth}",
        ("memory_bandwidth",),
        whole=False,
    ),
    Letter("watts", "power of one GPU", "watts", r"\mathrm{watts}", ("tdp",), whole=False),
    Letter("w", "bytes of one element", "bytes", words=("bytes_per_element", "element_size"), whole=False),
    Letter("M", "memory limit", "bytes", words=("memory",)),
    Letter("C", "compute budget", "FLOPs", words=("compute_budget",), whole=False),
    Letter("T", "time limit", "s", words=("time_limit",), whole=False),
    Letter("price", "price of one GPU-hour", "USD/h", r"\mathrm{price}", ("price_per_hour",), whole=False),
    Letter("budget", "money limit", "USD", r"\mathrm{budget}", whole=False),
    Letter("limit", "limit, in the unit of what it limits", "", r"\mathrm{limit}", whole=False),
    Letter("dp", "data-parallel size", "GPUs", r"\mathrm{dp}", ("data_parallel_size",)),
    Letter("tp", "tensor-parallel size", "GPUs", r"\mathrm{tp}", ("tensor_parallel_size",)),
    Letter("pp", "pipeline-parallel size", "GPUs", r"\mathrm{pp}", ("pipeline_parallel_size",)),
    Letter("cp", "context-parallel size", "GPUs", r"\mathrm{cp}", ("context_parallel_size",)),
    Letter("ep", "expert-parallel size", "GPUs", r"\mathrm{ep}", ("expert_parallel_size",)),
    Letter("chunks", "model chunks of an interleaved pipeline on each device", "", r"\mathrm{chunks}"),
)

SYMBOLS: Mapping[str, Symbol] = MappingProxyType({name: letter.symbol for name, letter in GLOSSARY.items()})

b, c, d, d_ff, h, h_kv, d_k, L, v = (SYMBOLS[name] for name in "b c d d_ff h h_kv d_k L v".split())
c_max, E, k, d_expert = (SYMBOLS[name] for name in "c_max E k d_expert".split())
N, D, epochs, n, MFU, peak, M, price = (SYMBOLS[name] for name in "N D epochs n MFU peak M price".split())
HFU, accumulation, dp, bandwidth, watts = (
    SYMBOLS[name] for name in "HFU accumulation dp bandwidth watts".split()
)
w, C, T, budget = (SYMBOLS[name] for name in "w C T budget".split())

_WORDS = {word: letter.name for letter in GLOSSARY.values() for word in letter.words}


def letter(name: str, place: str = "") -> Letter:
    """The glossary's entry for `name`. Raises UnknownSymbol, naming the nearest letter."""
    if name in GLOSSARY:
        return GLOSSARY[name]
    start = f"{place}: " if place else ""
    if name in _WORDS:
        meant = GLOSSARY[_WORDS[name]]
        raise UnknownSymbol(
            f"{start}'{name}' is not a letter of the glossary. Write '{meant.name}' ({meant.meaning})."
        )
    raise UnknownSymbol(f"{start}'{name}' is not in the glossary. {nearest(name, GLOSSARY)}")


def symbol(name: str) -> Symbol:
    """The symbol of a glossary letter: always positive, one object for each name.

    >>> symbol("d_ff")
    d_ff
    """
    return letter(name).symbol


def length(axis: str) -> Symbol | Integer:
    """The length of a named axis: a second axis of the same length carries a prime; `1` is one element.

    >>> length("c'")
    c
    """
    base = axis.rstrip("'")
    return Integer(int(base)) if base.isdigit() else symbol(base)


def letter_for(word: str) -> str | None:
    """The glossary letter that code, configs or papers call `word`, or None.

    >>> letter_for("hidden_size")
    'd'
    """
    return word if word in GLOSSARY else _WORDS.get(word)


@dataclass(frozen=True)
class Quantity:
    """What can be asked of a model: its name on the command line, its unit and its meaning."""

    name: str
    unit: str
    meaning: str


QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        quantity.name: quantity
        for quantity in (
            Quantity("parameters", "elements", "what training adjusts, shared weights once"),
            Quantity("active_parameters", "elements", "parameters that one token passes through"),
            Quantity("parameter_memory", "bytes", "the parameters as the forward pass reads them"),
            Quantity("gradient_memory", "bytes", "one gradient for each trained parameter"),
            Quantity("optimizer_memory", "bytes", "the optimizer's states"),
            Quantity(
                "saved_activations", "elements", "what the forward pass keeps because a gradient reads it"
            ),
            Quantity("activation_memory", "bytes", "the saved activations in bytes"),
            Quantity("static_memory", "bytes", "parameters, gradients and optimizer states"),
            Quantity("memory_per_sequence", "bytes", "the saved activations of one sequence"),
            Quantity("peak_memory", "bytes", "static memory and saved activations together"),
            Quantity("worst_moment_memory", "bytes", "the largest of the step's named moments"),
            Quantity("forward_flops", "FLOPs", "the forward pass of one step"),
            Quantity("backward_flops", "FLOPs", "the gradients of one step"),
            Quantity("recompute_flops", "FLOPs", "what is computed a second time on the way back"),
            Quantity("optimizer_flops", "FLOPs", "one update of every trained parameter"),
            Quantity("step_flops", "FLOPs", "forward, backward, recomputation and update together"),
            Quantity("flops_per_token", "FLOPs/token", "forward and backward over the step's tokens"),
            Quantity("training_flops", "FLOPs", "all steps together"),
            Quantity("steps", "steps", "updates until every token was seen"),
            Quantity("pflop_days", "PFLOP-days", "the training FLOPs in days of a PFLOP/s"),
            Quantity("training_time", "s", "training FLOPs over what the GPUs achieve"),
            Quantity("gpu_hours", "GPU-hours", "training time times GPUs"),
            Quantity("cost", "USD", "GPU-hours at the price of one"),
            Quantity("energy", "kWh", "what the GPUs draw in the training time"),
            Quantity("kv_cache_memory", "bytes", "keys and values kept for generation"),
            Quantity("inference_memory", "bytes", "parameters and kept keys and values together"),
            Quantity("decode_time", "s", "one more token of every sequence: all of that memory read once"),
            Quantity("decode_rate", "tokens/s", "tokens generated in a second, as bound by memory bandwidth"),
        )
    }
)

DEVICE_QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        quantity.name: quantity
        for quantity in (
            Quantity("message_bytes", "bytes", "what one device sends in one step"),
            Quantity(
                "message_bytes_per_token", "bytes/token", "the same for each token that its replica reads"
            ),
            Quantity(
                "memory_traffic", "bytes", "what a step reads and writes at least in one device's memory"
            ),
            Quantity("bubble", "", "the time that a pipeline stage waits over the time that it works"),
        )
    }
)  # of one device under a layout


@dataclass(frozen=True)
class Notation:
    """How one source writes the same quantities.

    `letters` maps our letters to the source's (those not named stay as they are). `factors` is the order of the
    letters inside a product. `widths` orders the terms of a sum: terms without `batch` first, then by falling
    power of these letters in turn; a bare number comes last. `outside` is the letter that a sum is collected by.
    """

    name: str
    source: str
    letters: Mapping[str, str] = field(default_factory=dict)
    factors: tuple[str, ...] = tuple(
        "b h h_kv c c_max d d_k d_n d_r d_v d_c d_cq d_emb d_ff d_expert d_shared r E E_shared k v L L_dense L_moe L_local "
        "L_global L_moe_local L_moe_global L_frozen".split()
    )
    widths: tuple[str, ...] = tuple(
        "d d_ff d_expert d_shared v h h_kv d_k d_n d_r d_v d_c d_cq d_emb c_max c r E E_shared k b".split()
    )
    batch: str = "b"
    outside: str = "L"


def _notations(*notations: Notation) -> Mapping[str, Notation]:
    return MappingProxyType({notation.name: notation for notation in notations})


NOTATIONS: Mapping[str, Notation] = _notations(
    Notation("lecture", "CS190C 2026, lecture 9"),
    Notation(
        "megatron",
        "Korthikanti et al. 2022, Reducing Activation Recomputation in Large Transformer Models, table 1",
        {"b": "b", "c": "s", "d": "h", "h": "a", "L": "l", "v": "V", "tp": "t", "pp": "p"},
        factors=tuple("h h_kv c b d d_k d_ff v L".split()),
    ),
    Notation(
        "kaplan",
        "Kaplan et al. 2020, Scaling Laws for Neural Language Models, table 1",
        {"c": "n_ctx", "d": "d_model", "L": "n_layer", "v": "n_vocab", "h": "n_heads", "d_k": "d_head"},
        factors=tuple("b h c d d_k d_ff v L".split()),
    ),
    Notation(
        "palm",
        "Chowdhery et al. 2022, PaLM, appendix B",
        {"b": "B", "c": "T", "h": "H", "d_k": "Q", "v": "V"},
    ),
    Notation(
        "jax-book",
        "Austin et al. 2025, How to Scale Your Model, chapter 4",
        {
            "b": "B",
            "c": "T",
            "d": "D",
            "d_ff": "F",
            "h": "N",
            "h_kv": "K",
            "d_k": "H",
            "v": "V",
            "N": "P",
            "D": "tokens",
        },
        factors=tuple("b c d d_ff h h_kv d_k v L".split()),
    ),
    Notation(
        "zero",
        "Rajbhandari et al. 2020, ZeRO, section 3",
        {"N": "Psi", "dp": "N_d", "d": "h", "c": "s", "h": "a"},
    ),
)
