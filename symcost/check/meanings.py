"""The words of the field: what a phrase, a name or a heading says about a letter, a quantity or a layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symcost.symbols import letter_for

# Phrases for what a letter stands for; the longest that fits wins.
PHRASES: Mapping[str, str] = {
    phrase: letter
    for letter, phrases in {
        "b": "sequences|batch size|micro-batch size|microbatch size|micro batch|micro-batch|microbatch|global batch size|global batch|"
             "mini-batch|batch|sequences per batch|number of sequences|batchsize|批大小|批次大小|批量",
        "c": "tokens each|tokens long|sequence length|context length|context size|context window|seq length|seq len|seq_len|tokens per sequence|"
             "sequence|context|length|序列长度|上下文长度",
        "d": "hidden dimension|hidden size|hidden width|hidden|model width|model dimension|model dim|embedding dimension|"
             "embedding size|residual width|width|dimension of the model|d_model|隐藏层维度|隐藏维度|隐层维度|模型维度",
        "d_expert": "inner width of an expert|inner width of one expert|expert width|expert inner width",
        "d_ff": "feed-forward width|feedforward width|feed-forward dimension|feed-forward size|ffn width|ffn dimension|"
                "mlp width|inner width|inner dimension|intermediate size|ffn size|ffn hidden size|feed forward dimension",
        "h": "attention heads|query heads|number of heads|heads|num_heads|head count|注意力头数|头数",
        "h_kv": "kv heads|key-value heads|key/value heads|key and value heads|kv-heads|k/v heads",
        "d_k": "head dimension|head size|head width|width of one head|width of a head|dimension per head|size of each head|"
               "head dim|per-head dimension|size of one head",
        "L": "transformer layers|transformer blocks|number of layers|number of blocks|layers|blocks|depth|层数",
        "v": "vocabulary size|vocab size|vocabulary|vocab|词表大小|词表",
        "N": "number of parameters|parameter count|model parameters|parameters|parameter number|params|"
             "number of weights|model size|参数量",
        "D": "training tokens|dataset size|number of tokens|number of training tokens|tokens of training data|token number|"
             "token count|tokens|训练词数",
        "n": "number of gpus|gpus|devices|accelerators|gpu count|number of devices|显卡数",
        "tp": "tensor-parallel size|tensor parallel size|tensor-parallel degree|tensor parallelism|tensor parallel",
        "pp": "pipeline-parallel size|pipeline parallel size|pipeline stages",
        "dp": "data-parallel size|data parallel size|data-parallel degree",
        "MFU": "model flops utilization|model flops utilisation|mfu",
        "peak": "peak flop/s|peak flops|peak performance|peak flop/s per gpu|peak throughput",
        "E": "number of experts|experts|routed experts",
        "k": "active experts|experts per token|experts a token|top-k",
        "c_max": "learned positions|number of positions|positions|maximum positions",
        "price": "price per gpu-hour|price per hour|dollars per hour|price",
        "": "achieved flop/s per gpu|achieved flop/s|throughput|bytes per parameter|precision|expansion ratio|time|seconds",
    }.items()
    for phrase in phrases.split("|")
}  # fmt: skip

_PHRASE = "|".join(re.escape(phrase) for phrase in sorted(PHRASES, key=len, reverse=True))
FIND_PHRASE = re.compile(rf"(?<![\w-])(?:{_PHRASE})(?![\w-])|(?:{'|'.join(p for p in PHRASES if p and ord(p[0]) > 0x2E80)})",
                         re.IGNORECASE)  # fmt: skip

# Words that say which quantity a sentence or a heading is about.
_QUANTITY_WORDS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (pattern, frozenset(names.split()))
    for pattern, names in (
        (r"\bbackward\b|反向", "backward_flops"),
        (r"\bforward\b|前向", "forward_flops"),
        (r"\btraining flops\b|\bflops (?:of|for|in) training\b|forward and backward|training step|one (?:training )?step|iteration",
         "step_flops training_flops"),
        (r"\bflops?\b|\bcompute\b|floating.point|计算量|multipl\w+ and", "forward_flops backward_flops step_flops optimizer_flops "
         "flops_per_token training_flops recompute_flops"),
        (r"\bactivations?\b|\bsaved?\b|激活", "saved_activations activation_memory memory_per_sequence"),
        (r"\bgradients?\b|梯度", "gradient_memory"),
        (r"\boptimi[sz]er\b|\badamw?\b|\bmoments?\b", "optimizer_memory optimizer_flops static_memory"),
        (r"\bkv.?cache\b|\bcache\b|key.value cache", "kv_cache_memory"),
        (r"\bpeak memory\b", "peak_memory"),
        (r"\bparameters?\b|\bparams?\b|\bweights?\b|参数", "parameters parameter_memory"),
        (r"\bmemory\b|\bbytes?\b|\bG(?:i)?B\b|显存", "parameter_memory gradient_memory optimizer_memory activation_memory static_memory "
         "memory_per_sequence peak_memory kv_cache_memory"),
    )
)  # fmt: skip

_SCOPE_WORDS: tuple[tuple[str, str], ...] = (
    (r"\b(?:self-)?attention\b|\battn\b|\bMHA\b|\bQKV\b|注意力", "block.attention"),
    (r"\bFFN\b|\bMLP\b|\bfeed-?forward\b|\bSwiGLU\b", "block.mlp"),
    (r"\b(?:per|each|one|a|every|single|the) (?:transformer )?(?:layer|block)\b|\bof one layer\b|/layer\b|每层|一层", "block"),
    (r"\b(?:transformer )?blocks?\b", "block"),
    (r"\bunembedding\b|\blogits?\b|\b(?:lm|the|output).head\b(?! (?:dim|size|width))|\boutput (?:layer|projection|embedding)\b|\bhead matrix\b", "head"),
    (r"\bembeddings?\b|\btoken table\b|\bword embedding\b|词嵌入", "embedding"),
    (r"\bfinal (?:RMS|layer)?norm\b", "final_norm"),
    (r"\bwhole (?:model|transformer)\b|\ball (?:layers|blocks)\b|\bmodel\b|\btotal\b|\btogether\b|\ball told\b|总", "model"),
)

# Words for some steps of a layer, as (place, the tensors that they make or the parameters that they use).
STEPS: tuple[tuple[re.Pattern[str], str, frozenset[str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), place, frozenset(tensors.split()))
    for pattern, place, tensors in (
        (r"\bQKV\b|\bQ, ?K,? (?:and )?V\b|\$Q\$, ?\$K\$,? (?:and )?\$V\$|query, key,? and value proj", "block.attention", "Q K V W_Q W_K W_V"),
        (r"\bscores\b(?!.*(?:values|mix|sum))|\bQK\^|\bQKᵀ", "block.attention", "scores"),
        (r"mix\w* (?:of )?the values|weighted sum|attention over values|scores times V|\bPV\b|attn·V", "block.attention", "O"),
        (r"output projection\b(?!.*(?:vocab|logit))|\bproject\b|\bW_?\{?O\}?\b", "block.attention", "y W_O"),
        (r"up and gate|gate and up|\bW_?1`?\$? and `?\$?W_?3", "block.mlp", "G U W_1 W_3"),
        (r"\bdown(?: projection)?\b", "block.mlp", "z W_2"),
    )
)  # fmt: skip
SOME = re.compile(r"\b(?:W_?\{?[QKVO123]|Q\b|K\b|V\b|query|queries|keys?\b|scores|projections?|weighted|mixing|gate\b|up\b|down\b|"
                  r"matrix|matrices|each|save|mask)", re.IGNORECASE)  # fmt: skip

_QUANTITY = [(re.compile(pattern, re.IGNORECASE), names) for pattern, names in _QUANTITY_WORDS]
_SCOPE = [(re.compile(pattern, re.IGNORECASE), scope) for pattern, scope in _SCOPE_WORDS]


@dataclass(frozen=True)
class Subject:
    """What some words are about: quantities and places, each possibly several, and whether a sum is announced."""

    quantities: frozenset[str]
    scopes: frozenset[str]


def subject(words: str) -> Subject:
    """What a stretch of text names.

    >>> sorted(subject("FLOPs of the MLP, forward").quantities)
    ['forward_flops']
    """
    quantities: frozenset[str] = frozenset()
    for pattern, names in _QUANTITY:
        if pattern.search(words):
            narrower = quantities & names
            quantities = narrower or (quantities | names)
    return Subject(quantities, frozenset(scope for pattern, scope in _SCOPE if pattern.search(words)))


_NAME_PARTS: tuple[tuple[str, str], ...] = (
    (r"per_?(?:sample|seq|sequence)", "memory_per_sequence"),
    (r"peak|max", "peak_memory"),
    (r"static", "static_memory"),
    (r"forw|fwd", "forward_flops"),
    (r"back|bwd|bawck", "backward_flops"),
    (r"optim|adam|update", "optimizer_flops"),
    (r"total|step|iter|train", "step_flops"),
)
# What a letter means where a document uses it without a word: only what everybody takes for granted.
CUSTOMARY: Mapping[str, str] = {"V": "v", "ell": "L", "d_model": "d"}


def quantity_of_name(name: str) -> str | None:
    """The quantity that a subscripted name speaks of: F_forward, M_static, even with its letters mixed up.

    >>> quantity_of_name("F_backwawrd"), quantity_of_name("M_per_sample"), quantity_of_name("x")
    ('backward_flops', 'memory_per_sequence', None)
    """
    head, _, tail = name.partition("_")
    memory = head in ("M", "Mem", "mem", "memory", "Memory")
    flops = head in ("F", "C", "FLOPs", "flops")
    if not tail or not (memory or flops):
        return None
    for pattern, quantity in _NAME_PARTS:
        if re.match(pattern, tail.lower()):
            if quantity == "optimizer_flops" and memory:
                return "optimizer_memory"
            if quantity in ("peak_memory", "static_memory", "memory_per_sequence") and not memory:
                return None
            return quantity if memory == quantity.endswith(("memory", "sequence")) else None
    return None


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


_NAME_PATTERN = r"([A-Za-z](?:_\{?\\?(?:text|mathrm|rm)?\{?[A-Za-z0-9]+\}{0,2})?|\\ell|\\Psi|\\Phi)"
_OPENS, _CLOSES = r"(?:\$|`|\\\(|\*\*)?\s*", r"\s*(?:\$|`|\\\)|\*\*)?"
_DECLARED_BEFORE = re.compile(
    rf"(?<![\w$\\]){_OPENS}{_NAME_PATTERN}(?:\s*=\s*[\d.,{{}}\\^e+]+)?{_CLOSES}\s*"
    r"(?:\s*(?:[:=–—-]|is|are|for|being|denotes?|means|stands for|为|是)\s*)?(?:the\s+|our\s+|its\s+|an?\s+)?"
    r"(?:(?:total|padded|number of|no\. of|count of|size of)\s+)*\Z"
)
_DECLARED_AFTER = re.compile(
    rf"\A\s*(?:\(|is|of|=|:|,|为|是|记作|记为)?\s*(?:the\s+)?{_OPENS}{_NAME_PATTERN}{_CLOSES}(?![\w(]|\s*=\s*\d)"
)
_LISTED = re.compile(r"\s*(?:,|/|\band\b)\s*")
_ARTICLES = ("a", "A", "I")


def declarations(text: str) -> Iterator[tuple[str, str]]:
    """Letters and what the words beside them say they mean, as (name, glossary letter or "").

    >>> dict(declarations("$l$ layers, $h$ hidden size and width $d$"))
    {'l': 'L', 'h': 'd', 'd': 'd'}
    """
    found = []
    for phrase in FIND_PHRASE.finditer(text):
        meaning = PHRASES.get(phrase.group().lower(), PHRASES.get(phrase.group(), ""))
        start = text[max(0, phrase.start() - 60) : phrase.start()]
        ahead = _DECLARED_BEFORE.search(start)
        if ahead and ahead[1] in _ARTICLES and "$" not in start[ahead.start() : ahead.end()]:
            ahead = None
        behind = _DECLARED_AFTER.search(text[phrase.end() : phrase.end() + 40])
        if behind and behind[1] in _ARTICLES and "$" not in behind.group():
            behind = None
        found.append((meaning, ahead[1] if ahead else None, behind[1] if behind else None))
    both = [(ahead, behind) for _, ahead, behind in found]
    before_first = sum(ahead is not None for ahead, _ in both) >= sum(behind is not None for _, behind in both)
    said: dict[str, str] = {}
    for meaning, ahead, behind in found:
        name = (ahead or behind) if before_first else (behind or ahead)
        if name is not None:
            if meaning == "D" and re.search(rf"sequences? of\s*(?:\$|\\\()?{re.escape(name)}", text):
                meaning = "c"
            if said.get(_plain(name), "D") == "D":
                said[_plain(name)] = meaning
    yield from said.items()


def listed(names: str, words: str) -> Iterator[tuple[str, str]]:
    """Letters and meanings in two lists of one length: a table's row `N, K | query heads, key/value heads`.

    >>> dict(listed("N, K", "query heads, key/value heads"))
    {'N': 'h', 'K': 'h_kv'}
    """
    parts = [_plain(part.strip()) for part in _LISTED.split(names) if part.strip()]
    found = [PHRASES.get(each.group().lower(), "") for each in FIND_PHRASE.finditer(words)]
    whole = meaning_of(_plain(words.strip()))
    if len(parts) == 1 and whole is not None:
        found = [whole]
    if parts and len(parts) == len(found) and all(re.fullmatch(r"[A-Za-z]\w{0,5}|ell|Psi|Phi", part) for part in parts):
        yield from zip(parts, found, strict=True)


def _plain(name: str) -> str:
    return re.sub(r"\\(?:text|mathrm|rm)|[{}$`\\]", "", name)


def meaning_of(name: str) -> str | None:
    """The glossary letter for a word that code or papers use, without any legend."""
    return (letter_for(name) or letter_for(name.lower())) if len(name) > 1 else None
