"""The words of the field: what a phrase, a name or a heading says about a letter, a quantity or a layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from symcost.check.wordings import Wording
from symcost.notation.vocabulary import GREEK_SIGNS
from symcost.symbols import GLOSSARY, letter_for

# Phrases for what a letter stands for; the longest that fits wins.
PHRASES: Mapping[str, str] = {
    phrase: letter
    for letter, phrases in {
        "b": "sequences|examples|requests|concurrent requests|"
             "concurrent users|users|batch size|micro-batch size|"
             "microbatch size|micro batch|micro-batch|microbatch|"
             "mini-batch|batch|sequences per batch|number of sequences|batchsize|批大小|批次大小|批量",
        "c": "input positions|token positions|tokens each|tokens long|sequence length|"
             "context length|context size|context window|seq length|seq len|seq_len|tokens per sequence|"
             "sequence|seq|context|length|序列长度|上下文长度",
        "d": "hidden dimension|hidden size|hidden width|hidden|model width|model dimension|model dim|embedding dimension|"
             "embedding size|residual width|width|dimension of the model|d_model|channels|residual stream|embedding width|"
             "embedding dim|residual dimension|model hidden size|feature dimension|隐藏层维度|隐藏维度|隐层维度|模型维度",
        "d_expert": "inner width of an expert|inner width of one expert|expert width|expert inner width|width of one expert|"
                    "width of an expert|width of each expert|inner width of each expert|expert hidden size",
        "d_ff": "mlp hidden width|mlp hidden size|hidden width of the mlp|mlp hidden|ffn hidden|feed-forward hidden|"
                "mlp inner|ffn inner|mlp dim|ffn dim|mlp dimension|"
                "FFN 中间维度|FFN中间维度|MLP 中间维度|中间层维度|中间维度|"
                "feed-forward width|feedforward width|feed-forward dimension|feed-forward size|ffn width|ffn dimension|"
                "mlp width|inner width|inner dimension|intermediate size|ffn size|ffn hidden size|feed forward dimension",
        "h": "attention heads|query heads|number of heads|heads|num_heads|head count|注意力头数|头数",
        "h_kv": "KV 头数|KV头数|键值头数|kv heads|key-value heads|key/value heads|key and value heads|kv-heads|k/v heads|"
                "key heads|kv groups|key-value groups",
        "d_k": "每个头的维度|单头维度|头维度|"
               "head dimension|head size|head width|width of one head|width of a head|dimension per head|size of each head|"
               "head dim|per-head dimension|size of one head|key size|per-head width|size per head|"
               "dimensions per head|channels per head|per head",
        "L": "hidden layers|decoder layers|decoder blocks|"
             "transformer layers|transformer blocks|number of layers|number of blocks|layers|blocks|depth|层数",
        "v": "vocabulary size|vocab size|vocabulary|vocab|vocabulary entries|词表大小|词表",
        "N": "number of parameters|parameter count|model parameters|parameters|parameter number|params|"
             "number of weights|model size|参数量",
        "D": "training tokens|dataset size|number of tokens|number of training tokens|tokens of training data|token number|"
             "token count|tokens|训练词数",
        "n": "number of gpus|gpus|devices|accelerators|gpu count|number of devices|number of chips|chips|显卡数",
        "tp": "tensor-parallel|tensor-parallel size|tensor parallel size|tensor-parallel degree|tensor parallelism|"
             "tensor parallel|tensor-parallel ranks|tensor parallel ranks|tensor parallel degree|"
             "tensor-parallel gpus|tensor parallel gpus|"
             "model-parallel size|model parallel size|model-parallel degree|"
             "degree of tensor parallelism|tp degree|tp size|张量并行度|张量并行大小",
        "pp": "pipeline-parallel|pipeline-parallel size|pipeline parallel size|pipeline stages|pipeline-parallel degree|"
             "pipeline parallel degree|"
             "pipeline size|pipeline depth|number of stages|degree of pipeline parallelism|pp degree|pp size|流水线并行度|"
             "流水线级数",
        "dp": "data-parallel ranks|data parallel ranks|number of data-parallel ranks|data-parallel gpus|data parallel gpus|"
             "data-parallel replicas|data parallel replicas|replicas|data-parallel workers|data-parallel devices|"
             "data-parallel size|data parallel size|data-parallel degree|data parallel degree|degree of data parallelism|"
             "dp degree|dp size|数据并行度|数据并行大小",
        "cp": "context-parallel size|context parallel size|context-parallel degree|context-parallel ranks|上下文并行度",
        "ep": "expert-parallel size|expert parallel size|expert-parallel degree|expert-parallel ranks|专家并行度",
        "MFU": "utilization|utilisation|model flops utilization|model flops utilisation|mfu",
        "peak": "peak flop/s|peak flops|peak performance|peak flop/s per gpu|peak throughput",
        "E": "number of experts|experts per layer|experts in each layer|experts|routed experts|routed swiglu experts",
        "E_shared": "shared experts|number of shared experts|always-on experts|experts for every token",
        "d_c": "latent width|latent dimension|latent size|latent rank|kv latent width|kv latent dimension|kv lora rank|"
               "width of the latent|compressed kv dimension|kv compression dimension|latent",
        "d_r": "rotary key|rotary key width|rotary key dimension|shared rotary key|decoupled key|rope key|rope head dimension|"
               "rotary head dimension|decoupled rope dimension|rope dimension|rotary width|rotary dimension",
        "r": "lora rank|adapter rank|rank of the adapters|rank of an adapter|rank of each adapter|rank",
        "w": "bytes per element|bytes per number|bytes of one element|bytes per cached number|bytes per value|bytes per entry|"
             "bytes per weight|element size|bytes per cached element|bytes per cached value",
        "bandwidth": "memory bandwidth|total bandwidth|hbm bandwidth|bandwidth",
        "N_active": "active parameters|activated parameters|active params|parameters active per token|"
                    "parameters used per token",
        "N_adapter": "adapter parameters|lora parameters|parameters of the adapters|parameters in the adapters|"
                     "adapter weights|trainable parameters",
        "N_matmul": "parameters that multiply|weights that multiply|matmul parameters|multiplying parameters|multiply something|"
                    "matmul params|matrix params|"
                    "parameters in matrices|parameters in the matrices|weights in the matrices|matrix parameters|matmul weights|"
                    "weights multiply something",
        "k": "active experts|experts per token|experts used per token|experts active per token|experts a token|top-k",
        "c_max": "learned positions|number of positions|positions|maximum positions",
        "epochs": "epochs|passes over the training tokens|passes over the data|number of epochs",
        "global_batch": "global batch size|global batch",
        "accumulation": "microbatches per step|micro-batches per step|number of microbatches|microbatches|micro-batches|"
                        "micro steps|micro-steps|accumulation steps|gradient accumulation steps",
        "chunks": "model chunks per stage|model chunks|chunks per stage|chunks per gpu|chunks per device|virtual stages",
        "C": "compute|training compute|total compute|compute budget|total training compute",
        "price": "price per gpu-hour|price per hour|dollars per hour|price",
        "": "achieved flop/s per gpu|achieved flop/s|throughput|bytes per parameter|precision|expansion ratio|time|seconds",
    }.items()
    for phrase in phrases.split("|")
}  # fmt: skip

EMPHASIS = re.compile(r"(?<!\w)\*+(?=[A-Za-z])|(?<=[A-Za-z])\*+(?!\w)")  # around *words*

_IN_CODE = {word: letter.name for letter in GLOSSARY.values() for word in letter.words if "_" in word}
_MEANT = _IN_CODE | {phrase.lower(): letter for phrase, letter in PHRASES.items()}
_RUN = re.compile(r"[\w-]+")
_MOST_RUNS = max(len(_RUN.findall(phrase)) for phrase in PHRASES)
_WITHOUT_SPACES = Wording(
    "|".join(re.escape(phrase) for phrase in sorted(PHRASES, key=len, reverse=True) if not phrase.isascii()),
    re.IGNORECASE,
)  # Chinese words stand anywhere in a run


class Phrase(NamedTuple):
    """Words that mean a glossary letter, or "" for what has none, and where they stand."""

    letter: str
    start: int
    end: int


def is_phrase(text: str) -> bool:
    """Whether a text is one of PHRASES and nothing else."""
    return text.lower() in _MEANT


def phrases(text: str) -> list[Phrase]:
    """What PHRASES has of a text, the longest at each place.

    >>> phrases("64 query heads of size 128")
    [Phrase(letter='h', start=3, end=14)]
    """
    taken = {}
    runs = [run.span() for run in _RUN.finditer(text)]
    for first, (start, _) in enumerate(runs):
        for _, end in reversed(runs[first : first + _MOST_RUNS]):
            if text[start:end].lower() in _MEANT:
                taken[start] = end
                break
    for chinese in _WITHOUT_SPACES.finditer(text):
        taken.setdefault(chinese.start(), chinese.end())
    found: list[Phrase] = []
    for start, end in sorted(taken.items()):
        if not found or start >= found[-1].end:
            found.append(Phrase(_MEANT[text[start:end].lower()], start, end))
    return found


_COUNTS, _WIDTHS = ("L", "h", "h_kv", "E"), ("d", "d_ff", "d_k", "v", "c", "d_expert")
_NUMBER_AHEAD = re.compile(r"(?<![\w.,$/×*·])(\d[\d,]*) (?:transformer |decoder |full )?\Z")  # 40 layers
_NUMBER_BEHIND = re.compile(
    r"(?:(?: size| is| of|:| =){0,2} |(?: \$?[A-Za-z]\$?)? \()(\d[\d,]*\d)(?![\w]|[.,]\d| ?[%×*·])"
)  # width of 4096, vocabulary (50,257 everywhere)
_FURTHEST = 40  # characters from a phrase to the number before it

# What a letter means where a document uses it without a word: only what everybody takes for granted.
CUSTOMARY: Mapping[str, str] = {"V": "v", "ell": "L", "d_model": "d", "N_d": "dp"}


TIME_SUFFIXES: Mapping[str, int] = {
    "seconds": 1, "second": 1, "s": 1, "sec": 1, "minutes": 60, "hours": 3600, "hour": 3600, "h": 3600,
    "days": 86400, "day": 86400, "years": 31_536_000,
}  # fmt: skip


def time_name(name: str) -> tuple[str, int] | None:
    """A name with a unit of time behind it, as its stem and seconds: T_hours is T in units of 3600.

    >>> time_name("T_hours"), time_name("T_total")
    (('T', 3600), None)
    """
    stem, _, tail = name.rpartition("_")
    return (stem, TIME_SUFFIXES[tail]) if stem and tail in TIME_SUFFIXES else None


_SIZE = re.compile(
    r"(?:total|num|n|model|all|nb)_?(?:model_)?param(?:eter)?s(?:_count)?|param(?:eter)?_count", re.IGNORECASE
)


_SOME_PARAMETERS = ("N_matmul", "N_active")


def said_counts(text: str) -> Iterator[tuple[str, str]]:
    """The sizes that a sentence gives in words, as (glossary letter, number).

    >>> dict(said_counts("It has 40 layers, 64 query heads and a vocabulary of 32,000."))
    {'L': '40', 'h': '64', 'v': '32,000'}
    """
    for phrase in phrases(text):
        if phrase.letter in _COUNTS:
            found = _NUMBER_AHEAD.search(text[max(0, phrase.start - _FURTHEST) : phrase.start])
        elif phrase.letter in _WIDTHS:
            found = _NUMBER_BEHIND.match(text, phrase.end)
        else:
            continue
        if found is not None:
            yield phrase.letter, found[1]


_SIGNS = str.maketrans(GREEK_SIGNS)


def plain_name(name: str) -> str:
    """A name as the reader of formulas spells it: `d_{\\text{model}}` is d_model, `d_h^R` d_h_R, `Ψ` is Psi."""
    return re.sub(r"\\(?:text|mathrm|rm)|[{}$`\\]", "", name).replace("^", "_").translate(_SIGNS)


def meaning_of(name: str) -> str | None:
    """The glossary letter for a word that code or papers use, without any legend."""
    if len(name) < 2:
        return None
    known = letter_for(name) or letter_for(name.lower()) or ("N" if _SIZE.fullmatch(name) else None)
    spoken = PHRASES.get(name.lower().replace("_", " "))  # matmul_params
    return known or (spoken if spoken in _SOME_PARAMETERS else None)
