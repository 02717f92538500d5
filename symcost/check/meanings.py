"""The words of the field: what a phrase, a name or a heading says about a letter, a quantity or a layer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from symcost.symbols import letter_for

# Phrases for what a letter stands for; the longest that fits wins.
PHRASES: Mapping[str, str] = {
    phrase: letter
    for letter, phrases in {
        "b": "sequences|batch size|micro-batch size|"
             "microbatch size|micro batch|micro-batch|microbatch|"
             "mini-batch|batch|sequences per batch|number of sequences|batchsize|批大小|批次大小|批量",
        "c": "tokens each|tokens long|sequence length|"
             "context length|context size|context window|seq length|seq len|seq_len|tokens per sequence|"
             "sequence|context|length|序列长度|上下文长度",
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
               "head dim|per-head dimension|size of one head|key size|per-head width|size per head",
        "L": "transformer layers|transformer blocks|number of layers|number of blocks|layers|blocks|depth|层数",
        "v": "vocabulary size|vocab size|vocabulary|vocab|vocabulary entries|词表大小|词表",
        "N": "number of parameters|parameter count|model parameters|parameters|parameter number|params|"
             "number of weights|model size|参数量",
        "D": "training tokens|dataset size|number of tokens|number of training tokens|tokens of training data|token number|"
             "token count|tokens|训练词数",
        "n": "number of gpus|gpus|devices|accelerators|gpu count|number of devices|number of chips|chips|显卡数",
        "tp": "tensor-parallel size|tensor parallel size|tensor-parallel degree|tensor parallelism|tensor parallel|"
              "tensor-parallel ranks|tensor parallel ranks",
        "pp": "pipeline-parallel size|pipeline parallel size|pipeline stages",
        "dp": "data-parallel ranks|data parallel ranks|number of data-parallel ranks|"
             "data-parallel size|data parallel size|data-parallel degree",
        "MFU": "model flops utilization|model flops utilisation|mfu",
        "peak": "peak flop/s|peak flops|peak performance|peak flop/s per gpu|peak throughput",
        "E": "number of experts|experts per layer|experts in each layer|experts|routed experts",
        "k": "active experts|experts per token|experts used per token|experts active per token|experts a token|top-k",
        "c_max": "learned positions|number of positions|positions|maximum positions",
        "epochs": "passes over the training tokens|passes over the data|number of epochs",
        "global_batch": "global batch size|global batch",
        "accumulation": "microbatches per step|micro-batches per step|number of microbatches|microbatches|micro-batches|"
                        "accumulation steps|gradient accumulation steps",
        "chunks": "model chunks per stage|model chunks|chunks per stage|virtual stages",
        "price": "price per gpu-hour|price per hour|dollars per hour|price",
        "": "achieved flop/s per gpu|achieved flop/s|throughput|bytes per parameter|precision|expansion ratio|time|seconds",
    }.items()
    for phrase in phrases.split("|")
}  # fmt: skip

_PHRASE = "|".join(re.escape(phrase) for phrase in sorted(PHRASES, key=len, reverse=True))
_WITHOUT_SPACES = "|".join(
    re.escape(phrase)
    for phrase in sorted(PHRASES, key=len, reverse=True)
    if phrase and ord(phrase[0]) > 0x2E80
)
FIND_PHRASE = re.compile(rf"(?<![\w-])(?:{_PHRASE})(?![\w-])|(?:{_WITHOUT_SPACES})", re.IGNORECASE)

_COUNTS, _WIDTHS = ("L", "h", "h_kv", "E"), ("d", "d_ff", "d_k", "v", "c", "d_expert")
_COUNT_OF = re.compile(
    rf"(?<![\w.,$/×*·])(\d[\d,]*) (?:transformer |decoder |full )?({_PHRASE})(?![\w-])", re.IGNORECASE
)
_SIZE_IS = re.compile(
    rf"(?<![\w-])({_PHRASE})(?: size| is| of|:| =){{0,2}} (\d[\d,]*\d)(?![\w]|[.,]\d| ?[%×*·])", re.IGNORECASE
)

# What a letter means where a document uses it without a word: only what everybody takes for granted.
CUSTOMARY: Mapping[str, str] = {"V": "v", "ell": "L", "d_model": "d"}


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
_VALUE = r"(?:\s*=\s*\d(?:[\d.,{}\\^e+]*[\d}])?)"
_DECLARED_BEFORE = re.compile(
    rf"(?<![\w$\\]){_OPENS}{_NAME_PATTERN}{_VALUE}?{_CLOSES}\s*"
    r"(?:\s*(?:[:=–—-]|is|are|for|being|denotes?|means|stands for|为|是)\s*)?(?:the\s+|our\s+|its\s+|an?\s+)?"
    r"(?:(?:total|padded|number of|no\. of|count of|size of|pre-norm|identical|decoder|stacked|residual|dense)\s+)*\Z"
)
_DECLARED_AFTER = re.compile(
    rf"\A\s*(?:\(|is|of|=|:|为|是|记作|记为)?\s*(?:the\s+)?{_OPENS}{_NAME_PATTERN}{_VALUE}?{_CLOSES}"
    r"(?![\w(]|\.\d|\s*(?:[=×·*/+]|\\times|\\cdot))"
)
_OF_SIZE = (
    r"(?:[ -](?:layers?|networks?|blocks?|mlps?))?(?: each)?,? (?:each |all )?(?:of|with|has) (?:an? )?"
    rf"(?:inner |hidden |intermediate )?(?:size|width|dimension|dim)\s+{_OPENS}{_NAME_PATTERN}(?:{_VALUE})?{_CLOSES}(?![\w(])"
)
_SIZES_OF = tuple(
    (meaning, re.compile(rf"\b(?:{what}){_OF_SIZE}", re.IGNORECASE))
    for meaning, what in (
        ("d_k", "heads?"),
        ("d_expert", "experts?"),
        ("d_ff", "feed-?forward|ffn|mlp|swiglu|gelu"),
    )
)  # experts of width f
_OF_TRAINING = re.compile(r"\btrain(?:ing|ed)?\b|\bdataset\b|\bcorpus\b", re.IGNORECASE)
LONGEST_ENTRY = 80  # characters of a letter with its meaning
_ITEMS = re.compile(r"[,;]\s|[.:]\s|\band\s(?=[$`*]*[A-Za-z][$`* _])")
_ENTRY = re.compile(
    rf"(?:and |let |with |write |where )?{_OPENS}{_NAME_PATTERN}(?![A-Za-z]){_CLOSES}(?:=|:|is|are|for|–|—|-)?\s*"
    r"(?:the |an? |our )?"
    r"(?P<words>[A-Za-z][A-Za-z /-]+?)\s*(?:=\s*[\d.,]+\w*|\([^()]*\))?"
)  # h head size = 128
_GAP = re.compile(r"[\s$`]*(?:[A-Za-z/-]+\s+){0,2}")
_LISTED = re.compile(r"\s*(?:,|/|\band\b)\s*")
_SIZE = re.compile(
    r"(?:total|num|n|model|all|nb)_?(?:model_)?param(?:eter)?s(?:_count)?|param(?:eter)?_count", re.IGNORECASE
)
_ARTICLES = ("a", "A", "I")


def declarations(text: str) -> Iterator[tuple[str, str]]:
    """Letters and what the words beside them say they mean, as (name, glossary letter or "").

    >>> dict(declarations("$l$ layers, $h$ hidden size and width $d$"))
    {'l': 'L', 'h': 'd', 'd': 'd'}
    """
    found = []
    text = text.replace("--", "-")
    phrases = list(FIND_PHRASE.finditer(text))
    starts = {phrase.start() for phrase in phrases}
    for phrase in phrases:
        meaning = PHRASES.get(phrase.group().lower(), PHRASES.get(phrase.group(), ""))
        start = text[max(0, phrase.start() - 60) : phrase.start()]
        ahead = _DECLARED_BEFORE.search(start)
        if ahead and ahead[1] in _ARTICLES and "$" not in start[ahead.start() : ahead.end()]:
            ahead = None
        behind = _DECLARED_AFTER.search(text[phrase.end() : phrase.end() + 40])
        if behind and (
            (behind[1] in _ARTICLES and "$" not in behind.group())
            or start.lower().endswith("per ")
            or ("=" in behind.group().strip("= ") and _meets(text, phrase.end() + behind.end(), starts))
        ):
            behind = None
        found.append((meaning, ahead[1] if ahead else None, behind[1] if behind else None))
    before_first = sum(bool(before) for _, before, _ in found) >= sum(bool(after) for _, _, after in found)
    batched = any(meaning == "b" and (before or after) for meaning, before, after in found)
    said: dict[str, str] = {}
    for meaning, before, after in found:
        name = (before or after) if before_first else (after or before)
        if name is not None:
            if meaning == "D" and (
                re.search(rf"sequences? of\s*(?:\$|\\\()?{re.escape(name)}", text)
                or (batched and not _OF_TRAINING.search(text))
            ):
                meaning = "c"
            if said.get(plain_name(name), "D") == "D":
                said[plain_name(name)] = meaning
    said |= {name: meaning for name, meaning in _letter_list(text).items() if name not in said}
    for meaning, pattern in _SIZES_OF:
        said |= {plain_name(name): meaning for name in pattern.findall(text)}
    yield from said.items()


def said_counts(text: str) -> Iterator[tuple[str, str]]:
    """The sizes that a sentence gives in words, as (glossary letter, number).

    >>> dict(said_counts("It has 40 layers, 64 query heads and a vocabulary of 32,000."))
    {'L': '40', 'h': '64', 'v': '32,000'}
    """
    for pattern, first in ((_COUNT_OF, True), (_SIZE_IS, False)):
        for found in pattern.finditer(text):
            number, phrase = found.groups() if first else found.groups()[::-1]
            meaning = PHRASES[phrase.lower()]
            if meaning in (_COUNTS if first else _WIDTHS):
                yield meaning, number


def _letter_list(text: str) -> dict[str, str]:
    """A list of letters with their meanings, `s sequence, a heads; p pipeline stages`; empty where fewer than three are known."""
    found = {}
    for item in _ITEMS.split(text):
        entry = _ENTRY.fullmatch(item.strip(" *_.")) if len(item) < LONGEST_ENTRY else None
        words = entry["words"].strip() if entry else ""
        meaning = PHRASES.get(words.lower())
        if entry and meaning is None:
            inside = [each.group().lower() for each in FIND_PHRASE.finditer(words)]
            meaning = PHRASES[inside[-1]] if inside and len(words.split()) <= 5 else None
        if entry and meaning is not None:
            found[plain_name(entry[1])] = meaning
    if "b" in found.values() and not _OF_TRAINING.search(text):
        found = {name: "c" if meaning == "D" else meaning for name, meaning in found.items()}
    return found if len(found) > 2 else {}


def _meets(text: str, position: int, starts: Collection[int]) -> bool:
    """Whether one of some places comes right behind a position, a word or two between them: `h = 16 query heads`."""
    gap = _GAP.match(text, position)
    return gap is not None and any(position <= start <= gap.end() for start in starts)


def listed(names: str, words: str) -> Iterator[tuple[str, str]]:
    """Letters and meanings in two lists of one length: a table's row `N, K | query heads, key/value heads`.

    >>> dict(listed("N, K", "query heads, key/value heads"))
    {'N': 'h', 'K': 'h_kv'}
    """
    parts = [plain_name(part.strip()) for part in _LISTED.split(names) if part.strip()]
    found = [PHRASES.get(each.group().lower(), "") for each in FIND_PHRASE.finditer(words)]
    whole = meaning_of(plain_name(words.strip()))
    if len(parts) == 1:
        found = [whole] if whole is not None else found[:1]
    if parts and len(parts) == len(found) and all(re.fullmatch(r"[A-Za-z]\w{0,30}", part) for part in parts):
        yield from zip(parts, found, strict=True)


def plain_name(name: str) -> str:
    """A name without the marks of LaTeX: `d_{\\text{model}}` is d_model."""
    return re.sub(r"\\(?:text|mathrm|rm)|[{}$`\\]", "", name)


def meaning_of(name: str) -> str | None:
    """The glossary letter for a word that code or papers use, without any legend."""
    if len(name) < 2:
        return None
    return letter_for(name) or letter_for(name.lower()) or ("N" if _SIZE.fullmatch(name) else None)
