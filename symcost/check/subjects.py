"""What words are about: a quantity, a part of the model, one block or all, a token or a batch, bytes or elements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeAlias

from symcost.check.context import TITLE
from symcost.check.wordings import Wording, Wordings

Part: TypeAlias = tuple[
    str, frozenset[str]
]  # a place, and the tensors meant there; none named means all of them

# The families of quantities that words can mean. `training` is forward and backward together.
PARAMETERS = frozenset({"parameters", "parameter_memory"})
SPREAD = frozenset({"tensor", "sequence"})  # the nearest words say over which devices
ACTIVATIONS = frozenset({"saved_activations", "activation_memory", "memory_per_sequence"})
FLOPS = frozenset(
    {
        "forward_flops",
        "backward_flops",
        "backward_pass",
        "training",
        "optimizer_flops",
        "recompute_flops",
        "training_flops",
    }
)
MEMORY = frozenset({
    "parameter_memory", "gradient_memory", "optimizer_memory", "static_memory", "activation_memory", "memory_per_sequence",
    "peak_memory", "kv_cache_memory", "inference_memory", "sent_to_experts_memory",
})  # fmt: skip
MESSAGES = frozenset({"messages", "message_bytes"})
IN_BYTES = MEMORY | {"message_bytes"}
SETTLED = ACTIVATIONS | MESSAGES | {"kv_cache_memory", "bubble"}  # what is said besides is of these


def _table(*rows: tuple[str, Iterable[str] | str]) -> Wordings[frozenset[str]]:
    return Wordings(
        (Wording(pattern, re.IGNORECASE), frozenset(names.split() if isinstance(names, str) else names))
        for pattern, names in rows
    )


# What comes first takes its words away from what comes later, so that "forward and backward" is not "forward".
_QUANTITIES = _table(
    (
        r"\b(?:idle|unused|inactive|dormant)\b[^.;]{0,12}\b(?:parameters?|params|weights?)\b"
        r"|\b(?:parameters?|params|weights?)\b[^.;]{0,24}\b(?:idle|unused|inactive|dormant|not used)\b"
        r"|\bexperts?\b[^.;]{0,30}\bnot (?:sent|routed|chosen|picked|selected|used)\b",
        "idle_parameters",
    ),
    (r"\bbubbles?\b|\bidle time\b|\b(?:gpus?|stages?|devices?) (?:\w+ )?(?:idle|wait)\b|气泡", "bubble"),
    (
        r"\ball-?reduces?\b|\ball-?gathers?\b|\breduce-?scatters?\b|\btraffic\b|\bcommunicat\w+|\bsends?\b|\bsent\b"
        r"|通信",
        MESSAGES,
    ),
    (
        r"\b(?:decod(?:e|ing)|generat(?:ion|ing)) (?:step|time|latency)\b|\btime per (?:output |generated )token\b",
        "decode_time inference_memory",
    ),
    (
        r"\bactivations?\b(?! recomputation)|\b[AMm] act\b|\b(?:kept|keeps?|saves?|saved|stored?)\b[^.;]{0,40}\bbackward\b"
        r"|\bbackward\b[^.;]{0,12}\b(?:needs|reads)\b(?! (?:\w+ )?(?:products|matmuls|multipl\w+|flops|times)\b)"
        r"|激活",
        ACTIVATIONS,
    ),
    (
        r"\b(?:forward|fwd)(?:,? recomput\w*,? and| ?and| ?plus| ?\+| ?&|,)(?: the)? ?(?:backward|bwd)|前向加反向|前向和反向"
        r"|前向\+反向|正向和反向",
        "training",
    ),
    (
        r"\btrain(?:ing)? (?:flops?|compute|cost|step|on|pass)\b|\btraining\b[^.;]{0,24}\b(?:costs?|takes|needs)\b"
        r"|^training\b|\btraining(?=[,:])|\b(?:products|matmuls|flops|compute) (?:in|during|of) training\b"
        r"|\b(?:one|a|each|per|whole|optimi[sz]er|every|the|training|an) (?:step|iteration)\b|\biterations?\b|训练一步"
        r"|训练迭代|一次迭代|训练计算量"
        r"|\b(?:whole|full) step\b|\btrain\b|\bstep\b|\bhardware (?:executes|performs|runs|does)\b",
        "training training_flops",
    ),
    (r"\brecomput\w+ flops\b|\bcomputed again\b", "recompute_flops"),
    (r"\b(?:backward|bwd|backprop\w*)\b|反向", "backward_flops"),
    (r"(?<!feed-)(?<!feed )\b(?:forward|fwd)\b|\bprefill(?:ing)?\b|前向|正向", "forward_flops"),
    (
        r"\b[MC] KV\b|\bkv[- ]?cache\b|\bcached (?:tokens?|keys?|values?|elements|numbers|bytes)\b"
        r"|\b(?:key.value |kv )?caches?\b|\bkv\b(?= bytes)"
        r"|\ba key and a value\b",
        "kv_cache_memory",
    ),
    (
        r"\b(?:kept|keeps?|(?<!mask )saves?|saved)\b(?![^.;]{0,20}\bheads\b| (?:nothing|half|us|no|time|a factor)\b)",
        ACTIVATIONS,
    ),
    (r"\badamw?\b[^.;]{0,30}\bflops?\b|\boptimi[sz]er flops\b", "optimizer_flops"),
    (r"\b(?:[kmgtpez]?flops?|compute|floating.point)\b|multipl\w+ and|计算量|运算", FLOPS),
    (r"\bpeak memory\b|峰值显存", "peak_memory"),
    (r"\b(?:model|training) states?\b|\bstates\b", "static_memory"),
    (r"\bgradients?\b|梯度", "gradient_memory"),
    (r"\boptimi[sz]er\b|\badamw?\b|\bmoments?\b|优化器", "optimizer_memory optimizer_flops static_memory"),
    (
        r"\b(?:tokens?|load|capacity|slots?|room|buffer)\b[^.;]{0,30}\b(?:per|each|an|one|every) (?:\w+ )?expert\b"
        r"|\b(?:an|each|every|one) (?:\w+ )?expert (?:gets?|receives?|sees|handles|processes)\b",
        "tokens_of_expert",
    ),
    (
        r"\b(?:dispatch(?:es|ed|ing)?|all-to-all|travels?|sent|copied|copies)\b[^.;]{0,40}\bexperts?\b",
        "sent_to_experts sent_to_experts_memory",
    ),
    (r"\bmoves?\b[^.;]{0,24}\b(?:bytes|values|numbers|elements|[kMGT]i?B)\b", MESSAGES),
    (
        r"\b(?:total and activ(?:e|ated)|activ(?:e|ated) and total) (?:parameters?|params|weights)\b",
        "parameters active_parameters",
    ),
    (
        r"\bactiv(?:e|ated)\b(?![^.;]{0,12}experts)[^.;]{0,30}\b(?:parameters?|params|weights)\b"
        r"|\b(?:parameters?|params|weights)\b[^.;]{0,40}\b(?:active|activated|touch\w*|used per token)\b",
        "active_parameters",
    ),
    (r"\bparameters?\b|\bparams?\b|(?<!attention )\bweights\b|\bweight matri|参数|权重", PARAMETERS),
    (r"\bmemory\b|显存", MEMORY | {"parameters", "saved_activations"}),
)
_MATRICES = Wording(
    r"\b(?:two|three|four|six|seven|all|projection|weight|thin) (?:\w+ )?matrices\b|\bweights W_",
    re.IGNORECASE,
)  # where nothing says what is counted, their parameters are
_AGAIN = (
    r"(?:\b(?:forward )?(?:pass )?(?:is |are |gets? )?)?\b(?:re-?run|run (?:forward )?(?:twice|again|once more"
    r"|a second time))\b"
)
_COMPARED = Wording(
    r"\b(?:the )?backward(?: pass)? (?:is|costs|takes) (?:twice|two times) the forward(?: pass)?(?=[^.;]{0,24}:\Z)"
    r"|(?:\b(?:twice|(?:two|three|four|\d) times) the |\d ?(?:\\times|\\cdot|[×x·])[\s$]*(?:the )?)(?:forward|backward)"
    r"(?: pass)?\b"
    rf"|(?:\bforward(?: pass)?\b[^.;]{{0,30}}{_AGAIN}|{_AGAIN}|\bforward(?: pass)? (?:twice|again)\b"
    r"|\b(?:forward(?: pass)? )?(?:again|a second time|once more))"
    r"(?: (?:in|during)(?: the)? backward(?: pass)?)?",
    re.IGNORECASE,
)  # a pass that something is compared with, or runs besides, and so is not
_SPARES = Wording(
    r"(?P<ahead>\b(?:parameters?|params|weights|flops?|compute)\b[^.;:?]{0,24})\bsaves?\b"
    r"|\bsaves?\b(?= (?:us )?(?:over|against|relative|compared|versus|vs)\b)",
    re.IGNORECASE,
)  # "how many parameters does GQA save": what is spared, not what is kept
_HOW_OFTEN = Wording(r"\bonce (?:per|a|each|every|in|for) (?:\w+ )?\w+", re.IGNORECASE)
_BYTES = re.compile(r"(?<!not )(?<!not in )\bbytes?\b|\bBytes (?:of|for|per|that|in)\b|\b[kMGT]i?B\b|字节")
_OF_MEMORY = Wording(
    r"\bmemory\b|\bstor(?:e|age)|\bhold|\bweigh\b|\b(?:bf|fp|float)\d+|\bint\d|\bhalf\b|\bprecision\b|\bstates?\b|显存|\bcheckpoint|\bload",
    re.IGNORECASE,
)
_NOT_COUNTED_IN = Wording(r"\bnot (?:in )?(?:bytes|elements|numbers)\b", re.IGNORECASE)
_ELEMENTS = Wording(r"(?i:\belements?\b|\bnumbers\b|\bentries\b|· *values\b)|元素")

_Q, _K, _V, _O = "Q W_Q bias_Q", "K W_K bias_K", "V W_V bias_V", "y W_O bias_y"
_S, _W = "scores P", "O"
_ATTENTION, _MLP, _EXPERTS = "block.attention", "block.mlp", "block.mlp.experts"

_NOT_OF_HEAD = r"(?! (?:on|in)?to (?:the )?vocab)"
# Words for some steps of a layer, as the places and the tensors that they make or the parameters that they use.
_SEP = r"(?:[\s,、$\\]|and\b|&|W_|\{|\})*"
_STEPS: Wordings[tuple[Part, ...]] = Wordings(
    (Wording(pattern), tuple((place, frozenset(names.split())) for place, names in parts))
    for pattern, *parts in (
        (r"\battn\.c[_ ]attn\b", (_ATTENTION, f"{_Q} {_K} {_V}")),  # GPT-2's modules
        (r"\battn\.c[_ ]proj\b", (_ATTENTION, _O)),
        (r"\bmlp\.c[_ ]fc\b", (_MLP, "U W_1 bias_U")),
        (r"\bmlp\.c[_ ]proj\b", (_MLP, "z W_2 bias_z")),
        (
            rf"\b(?:W_)?Q{_SEP}K{_SEP}V{_SEP}(?:O|(?:the )?(?:output|out)(?: proj\w*)?)\b|四个矩阵"
            r"|(?i:\b(?:four|all) (?:attention |projection )(?:matrices|projections)\b)",
            (_ATTENTION, f"{_Q} {_K} {_V} {_O}"),
        ),
        (
            rf"\b(?:W_)?Q{_SEP}K{_SEP}V\b(?:{_SEP}(?i:proj\w*))?|(?i:\bqkv\b(?: proj\w*)?)",
            (_ATTENTION, f"{_Q} {_K} {_V}"),
        ),
        (
            rf"(?i:attention (?:products|matmuls)|\bcore\b|score.value|two (?:attention )?products(?! for)|score products)"
            rf"|(?i:scores?)\b[^.;]{{0,20}}\b(?i:and|plus)\b[^.;]{{0,20}}"
            r"(?i:\bvalues|\bsum|\bmix|\baverage|\bcontext\b(?! [lsw]))"
            rf"|QK[ᵀT^\\top{{}}$]*{_SEP}(?:and )?A ?V\b"
            r"|(?i:attention scores)\b(?=[^.;]{0,40}(?i:all layers|on top|trained))",
            (_ATTENTION, f"{_S} {_W}"),
        ),
        (
            rf"\b(?:W_)?K{_SEP}V\b(?! ?(?i:cache|heads?))|(?i:\bkeys? and values?\b|key/value projections?"
            rf"|\bKV projections?)",
            (_ATTENTION, f"{_K} {_V}"),
        ),
        (
            r"(?i:(?:attention |mix\w* |averag\w* |weight\w* |scores? |probabilit\w+ )(?:over |of |with |times |on "
            r"|· |x |× )?(?:the )?(?:values?|V)\b"
            r"|\b(?:product with|sum over) (?:the )?(?:values|V)\b|\bvalue reductions?\b|\b(?:att|attn|probs?|softmax) ?@ ?v\w*"
            r"|weight\w* (?:sum|values|average)|\bvalues?\b(?! heads?|投影))|\b[AP] ?V\b|attn·V|对\s*\$?V\$?\s*加权|加权",
            (_ATTENTION, _W),
        ),
        (
            r"(?i:\bscores?\b|\b(?:q ?@ ?k|k ?@ ?q)\b|\b(?:key|query|QK)\b[^.;]{0,12}\blogits\b"
            r"|\blogits\b[^.;]{0,4}\b(?:key|query|QK)\b"
            r"|\battention logits\b|\blogits of (?:the )?attention\b|\battention: ?mask|attn_?scores)|\bQ ?K ?[ᵀ^T]|\bQK\^",
            (_ATTENTION, _S),
        ),
        (
            r"(?i:\battention (?:matrix|matrices|weights|probabilities)\b)|(?i:\bsoftmax\b)",
            (_ATTENTION, "P scores"),
        ),
        (
            rf"(?i:\b(?:output|out|o)[ _-]proj(?:ection)?\b{_NOT_OF_HEAD}|\battention output\b|: ?project\b"
            r"|^proj(?:ection)?\b)|输出(?:映射|投影)|\bW[_ ]?O\b",
            (_ATTENTION, _O),
        ),
        (r"(?i:\bprojections\b(?!.{0,12}vocab))", (_ATTENTION, f"{_Q} {_K} {_V} {_O}")),
        (r"(?i:\bq(?:uery)?[ _]?proj(?:ection)?\b)|^Q(?=[:(\s]|$)|\bW[_ ]?Q\b|^Q ?投影", (_ATTENTION, _Q)),
        (r"(?i:\bk(?:ey)?[ _]?proj(?:ection)?\b)|^K(?=[:(\s]|$)|\bW[_ ]?K\b", (_ATTENTION, _K)),
        (r"(?i:\bv(?:alue)?[ _]?proj(?:ection)?\b)|^V(?=[:(\s]|$)|\bW[_ ]?V\b", (_ATTENTION, _V)),
        (r"^O(?=[:(\s]|$)", (_ATTENTION, _O)),
        (r"(?i:\bgate,? up,? (?:and )?down\b)", (_MLP, "")),
        (
            r"(?i:\b(?:gate and up|up and gate|gate, up)\b)|\bW[_ ]?1\b[\s,]*(?:and )?\$?W[_ ]?3\b",
            (_MLP, "G U W_1 W_3 bias_U"),
        ),
        (r"(?i:^gate\b|\bgate (?:proj|matrix)\w*|gate_proj)|\bmlp\.G\b|\bW[_ ]?1\b", (_MLP, "G W_1")),
        (r"(?i:^up\b|\bup (?:proj|matrix)\w*|up_proj)|\bmlp\.U\b|\bW[_ ]?3\b", (_MLP, "U W_3")),
        (r"(?i:^down\b|\bdown[ _](?:proj|matrix)\w*)|\bmlp\.z\b|\bW[_ ]?2\b", (_MLP, "z W_2 bias_z")),
        (r"\battention\.Q\b", (_ATTENTION, _Q)),
        (r"\battention\.K\b", (_ATTENTION, _K)),
        (r"\battention\.V\b", (_ATTENTION, _V)),
        (r"\battention\.scores\b", (_ATTENTION, _S)),
        (r"\battention\.O\b", (_ATTENTION, _W)),
        (r"\battention\.y\b", (_ATTENTION, _O)),
    )
)

_PROJECTED = re.compile(r"\b(?:query|queries|keys?|values?|output|[QKVO])\b", re.IGNORECASE)
_EACH_PROJECTED = rf"{_PROJECTED.pattern}[\s,/&+]*(?:and\s+)?"
_PROJECTIONS = Wording(
    rf"(?!output matri)(?:{_EACH_PROJECTED})+(?:proj\w*\b{_NOT_OF_HEAD}|matri(?:x|ces)\b)"
    rf"|\bquer(?:y|ies)[\s,/&+]*(?:{_EACH_PROJECTED}){{2,}}",
    re.IGNORECASE,
)  # query and output projections; queries, keys and values
_OF_LETTER = {"Q": _Q, "K": _K, "V": _V, "O": _O}

# Words for whole parts; what comes first takes its words away.
_PARTS: Wordings[tuple[Part, ...]] = Wordings(
    (Wording(pattern, re.IGNORECASE), tuple((place, frozenset(names.split())) for place, names in parts))
    for pattern, *parts in (
        (
            r"\b(?:both|two|input and output|word and output) embeddings?\b"
            r"|\binput (?:table|matrix|embedding)s? (?:and|plus) (?:the )?(?:output|unembedding)"
            r" (?:head|table|matrix|embedding|layer)\b"
            r"|embeddings? and (?:the )?(?:output "
            r"|lm )?head\b|embedding and (?:un|output )embedding\b",
            ("embedding", "W_E"),
            ("head", ""),
        ),
        (r"\b(?:word|token) and position(?:al)? embeddings?\b|embeddings? and positions?", ("embedding", "")),
        (
            r"\b(?:position(?:al)?|learned) (?:embeddings?|table)\b|\bpositions\b|\bwpe\b",
            ("embedding", "W_P"),
        ),
        (
            r"\b(?:final|last) (?:rms|layer)?[ -]?norm\b|最后一?个?\s?(?:rms|layer)norm|\bln_f\b",
            ("final_norm", ""),
        ),
        (
            r"\b(?:un-?embedding|output embedding|lm[ _-]?head|output (?:matrix|layer|head|weights?)"
            r"|vocabulary (?:projection|head|matrix)|projection (?:on|in)?to (?:the )?vocabulary"
            r"|head matrix|classifier)\b|\b(?:the|its|and) head\b(?! (?:dim|size|width))"
            r"|^head\b(?! (?:dim|size|width))|\bhead\b(?=[:;])|\bhead\b(?: and (?:the )?loss\b)"
            r"|输出层",
            ("head", ""),
        ),
        (r"\blogits?\b", ("head", "logits W_U")),
        (r"\blog[- ]?prob\w*", ("head", "log_p")),
        (
            r"\b(?:token|word|input) (?:embeddings?|table)\b|\bembedding(?: matrix| table| layer)?\b|\bwte\b|词嵌入",
            ("embedding", "W_E"),
        ),
        (r"\brouters?\b|\brouting\b|\bgating network\b", (_MLP, "W_R R")),
        (r"\b(?:all |active |the )?experts?\b(?! (?:gpus?|parallel))|专家", (_EXPERTS, "")),
        (
            r"\battention\b[^.;,]{0,20}\b(?:and )?its norm\b|\battention half\b",
            (_ATTENTION, ""),
            ("block.norm_1", ""),
        ),
        (
            r"\b(?:mlp|ffn|feed-?forward)\b[^.;,]{0,20}\b(?:and )?its norm\b|\bfeed-?forward half\b",
            (_MLP, ""),
            ("block.norm_2", ""),
        ),
        (
            r"\b(?:rms|layer) ?norms\b|\bnorms\b|\b(?:two|both) (?:rms|layer)?[ -]?norms?\b|\bln\b|两个\s?(?:rms|layer)norm"
            r"|\bnorm (?:gains|weights|params|parameters)\b|\b(?:two )?gains\b",
            ("block.norm_1", ""),
            ("block.norm_2", ""),
        ),
        (r"\b(?:self-)?attention\b|\battn\b|\bmha\b|\bgqa\b|注意力", (_ATTENTION, "")),
        (r"\bffn\b|\bmlp\b|\bfeed-?forward\b|\bswiglu\b|前馈", (_MLP, "")),
    )
)

_LINEAR = Wording(
    r"\b(?:linear (?:maps|layers|transformations)|weight matri(?:x|ces)|matmuls with weights)\b",
    re.IGNORECASE,
)
LINEAR: tuple[Part, ...] = (
    (_ATTENTION, frozenset(f"{_Q} {_K} {_V} {_O}".split())),
    (_MLP, frozenset()),
)  # of a block: all its matrices
_INCLUDED = Wording(r"\([^()]*\bincluded\)", re.IGNORECASE)
_BESIDES = Wording(
    r"(?:\A|[,(])[^,;:()]{2,40}\bincluded\b|"
    r"\b(?:with|including|plus|adding|counting)\b (?:the |both |two )+[^,;:]*",
    re.IGNORECASE,
)  # what comes on top

_ALL_BLOCKS = Wording(
    r"\ball (?:the |of the |\w{1,3} )?(?:layers|blocks)\b|\b(?:\$?L\$?|\d+) (?:layers|blocks)\b|所有层|[lLℓ]\s*层"
    r"|\ball of them\b",
    re.IGNORECASE,
)
_ONE_BLOCK = Wording(
    r"\b(?:per|each|one|a|every|single|the|whole|of a|this|plain) (?:\w+ )?(?:layer|block)\b|/layer\b|每层|一层|单层"
    r"|\b(?:layer|block)\b(?! ?(?:size|norm))",
    re.IGNORECASE,
)
_MODEL = Wording(
    r"\b(?:whole|entire|full|this|our|the) (?:model|transformer|network)\b|\bmodel\b|\btotal\b|\beverything\b|\ball told\b"
    r"|\ball in all\b|\bin all\b|总",
    re.IGNORECASE,
)
_TOKEN = Wording(
    r"\b(?:per|each|a|one|every|single) (?:\w+ )?token\b|每个\s?token|\btoken\b(?=:| costs| needs)",
    re.IGNORECASE,
)
_SEQUENCE = Wording(
    r"\b(?:per|each|a|one|every|single) (?:sequence|sample)\b|\bprompt\b|\bprefill\b|每个序列|一条序列",
    re.IGNORECASE,
)

_ONE_EXPERT = Wording(r"\b(?:per|each|a|an|one|every|single) (?:\w+ )?expert\b", re.IGNORECASE)
_BATCH = Wording(
    r"\b(?:for|of|over) (?:the |a )?(?:whole |full |entire )?batch\b|\b(?:the|all|these) \S{1,6} sequences of\b",
    re.IGNORECASE,
)
_PER = (("expert", _ONE_EXPERT), ("batch", _BATCH), ("token", _TOKEN), ("sequence", _SEQUENCE))

HALF_SQUARE = Wording(
    r"\bcausal\w*\b[^.;]{0,30}\b(?:half|halve)|\blower triangle\b|\bhalf the (?:square|scores)"
    r"|\bcausal\w*\b[^.;]{0,90}\bcounts? (?:just|only) (?:those|these)\b",
    re.IGNORECASE,
)

# What a step can do besides: words for the options of a convention, and for sharing the work among GPUs.
_OPTIONS = Wordings(
    (Wording(pattern, re.IGNORECASE), name)
    for name, pattern in (
        ("flash", r"\bflash|\bfused (?:attention|kernel)\b|\battention (?:is )?fused\b"),
        (
            "selective",
            rf"\bselective|\b(?:scores?|attention)\b[^.;,]{{0,12}}(?:\brecomput|{_AGAIN})"
            r"|\brecomput\w+ (?:only )?(?:the )?(?:core )?(?:attention|scores?|softmax)\b",
        ),
        (
            "checkpoint",
            r"(?<!non-)(?<!gradient )\bcheckpoint(?:s\b(?! hold| on)|ing|ed\b| every| all| each)"
            r"|\bfull(?:y)? recomput|\brecomput\w+ (?:of )?(?:the |every |each |all )?(?:layers?|blocks?|forward)"
            rf"|\b(?:layers?|blocks?)\b[^.;]{{0,20}}\b(?:computed again|recomputed|{_AGAIN})"
            rf"|\bforward(?: pass)?\b[^.;]{{0,30}}{_AGAIN}"
            r"|\bfrom three to four\b[^.;]{0,12} forward|\bfour (?:forward passes )?instead of three"
            r"|\brecompute(?:[_ ]\w+)?: full\b|\bF full\b|\bwith (?:full )?recomputation\b|forward, recomputation|重计算",
        ),
        ("causal", HALF_SQUARE.pattern),
        ("tensor", r"\btensor[ -]?(?:and sequence )?parallel|\btp\b"),
        ("sequence", r"\bsequence[ -]parallel|\btensor (?:\+|and) sequence|\bsp\b"),
    )
)
RECOMPUTED = frozenset({"selective", "checkpoint"})  # of which a step has one
_NOTHING_AGAIN = Wording(
    r"\b(?:no|without|w/o) (?:any )?recomput\w+|\bnothing (?:is |was )?(?:recomputed|checkpointed|computed again)",
    re.IGNORECASE,
)
_SEQUENCE_WHOLE = Wording(
    r"\bsequence (?:dimension )?(?:is|are) (?:not|never) (?:split|sharded|partitioned|divided)", re.IGNORECASE
)  # among tensor-parallel devices
_NEGATED = Wording(
    r"\b(?:no|not|without|w/o|non|instead of|before|off|neither|plain)\b[^.;,]{0,24}\Z|无\s*\Z", re.IGNORECASE
)

_NO_DISCOUNT = (
    r"\b(?:not|no|without)(?: the)? causal (?:half|halving|discount|factor|saving)"
    r"|\bno discount\b[^.;)]{0,24}\bcausal\w*(?: mask\w*)?"
)
NO_DISCOUNT = Wording(_NO_DISCOUNT, re.IGNORECASE)
WHOLE_SQUARE = Wording(
    rf"\b(?:full|whole|entire) (?:attention )?(?:matrix|square)|{_NO_DISCOUNT}", re.IGNORECASE
)
_EXCEPT = Wording(
    r"(?:,|\band|\bbut|\()(?: the)? \w+(?: is| are)? not\b|\b(?:except|without|but not)(?: for)?(?: the)? \w+",
    re.IGNORECASE,
)

# Words that make a form a part, a share or an exception of what they name, so that nothing is held against it.
_QUALIFIED = Wording(
    r"\b(?:half|triangle|share|fraction|ratio|per head|each head|extra"
    r"|additional|more than|less|difference|"
    r"shapes?|others?"
    r"|each(?! (?:\w+ )?(?:layers?|blocks?|tokens?|sequences?|of|mlp|ffn|feed-?forward|attention|experts?|step|gpus?|devices?"
    r"|ranks?)\b)|"
    r"saves?\s+(?:us|a factor)|reduc\w+|causal\w*|ignor\w+|neglect\w+|approximat\w+|roughly|leading|dominant"
    r"|quadratic|linear part|"
    r"at least|at most|only|times as|merely|compared|instead|would|were|had|if|plain|ordinary|vanilla|ungated"
    r"|classic|everything (?:else|dense)|the rest)\b|忽略|近似",
    re.IGNORECASE,
)

_QUOTED = re.compile(r'"[^"]*"|“[^”]*”')
_OF_DEVICE = Wording(r"\b(?:per|each|every|one|a) (?:gpu|device|rank)\b", re.IGNORECASE)

CONCLUDES = Wording(
    r"\b(?:so|hence|thus|therefore|together|makes?|becomes?|gives?|total|sum|in all|altogether)\b|共|因此|所以",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Subject:
    """What a formula is said to be.

    `quantities` are those that the words may mean. `parts` are places with the tensors meant there; `times` is "one"
    (block), "all" (blocks), "model" or "" (not said). `per` is "token", "sequence", "expert" or "", `near_per` what the
    words right beside the formula say of it. `in_bytes` is None where nothing is said. `sharp` says that those words name
    the part, `near_quantities` are those that the formula's own sentence names, `sure_quantities` those that leave no
    doubt, `named` all that any words name, a heading's too. `qualified` says that it is a share, an excess or an exception,
    `of_device` that it is what one of many devices has. `words` are all words about it, `beside` those right beside it.
    """

    quantities: frozenset[str] = frozenset()
    parts: tuple[Part, ...] = ()
    times: str = ""
    per: str = ""
    in_bytes: bool | None = None
    options: frozenset[str] = frozenset()
    near_options: frozenset[str] = frozenset()
    sharp: bool = False
    near_quantities: frozenset[str] = frozenset()
    sure_quantities: frozenset[str] = frozenset()
    qualified: bool = False
    named: frozenset[str] = frozenset()
    near_per: str = ""
    of_device: bool = False
    words: str = field(default="", compare=False)
    beside: str = field(default="", compare=False)

    def of(self, quantity: str) -> Subject:
        """The same, where a name is known to stand for a quantity."""
        only = frozenset({quantity})
        in_bytes = True if quantity in IN_BYTES else self.in_bytes
        return replace(self, in_bytes=in_bytes, quantities=only, near_quantities=only, sure_quantities=only)

    def with_options(self, other: Subject) -> Subject:
        """The same, with the options that something else was said to have besides."""
        return replace(
            self, options=self.options | other.options, near_options=self.near_options | other.options
        )

    def supposing(self, options: frozenset[str]) -> Subject:
        """The same with options that its paragraph has named, where the words beside it name none."""
        return self if self.near_options else replace(self, options=self.options | options)

    def counted_in_flops(self) -> Subject:
        """The same, where FLOPs are printed with it."""
        if not self.quantities or self.quantities <= FLOPS:
            return self
        return replace(
            self,
            quantities=self.quantities & FLOPS or FLOPS,
            near_quantities=self.near_quantities & FLOPS or FLOPS,
            sure_quantities=self.sure_quantities & FLOPS,
        )

    def counted_in_bytes(self) -> Subject:
        """The same, where bytes are printed with it."""
        return replace(
            self,
            in_bytes=True,
            quantities=_counted(self.quantities, True) - FLOPS,
            near_quantities=_counted(self.near_quantities, True) - FLOPS,
            sure_quantities=_counted(self.sure_quantities, True) - FLOPS,
        )


@dataclass(frozen=True)
class Said:
    """What one stretch of words says."""

    quantities: frozenset[str]
    parts: tuple[Part, ...] = ()
    times: str = ""
    per: str = ""
    in_bytes: bool | None = None
    options: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()


_OF_WHOLE_MODEL = Wording(
    r"\b(?:of|in|over|across|for) (?:the |a |its |our )?(?:whole|entire|full|complete) (?:model|network|transformer|stack)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def said(words: str) -> Said:
    """What a stretch of text says by itself.

    >>> found = said("forward FLOPs of the MLP, one layer")
    >>> sorted(found.quantities), found.parts, found.times
    (['forward_flops'], (('block.mlp', frozenset()),), 'one')
    """
    quantities = _quantities(words)
    options, denied = told_options(words)
    words = _EXCEPT.sub(" ", WHOLE_SQUARE.sub(" ", _INCLUDED.sub(" ", words)))
    for pattern, _ in _OPTIONS.in_(words):
        words = pattern.sub(" · ", words)  # "every layer computed again" is no layer
    parts, rest = _parts(words)
    in_blocks = any(place.startswith("block") for place, _ in parts)
    times = (
        "all"
        if _ALL_BLOCKS.search(words) or (in_blocks and _OF_WHOLE_MODEL.search(words))
        else "one"
        if _ONE_BLOCK.search(rest)
        else "model"
        if _MODEL.search(words)
        else ""
    )
    per = next((name for name, pattern in _PER if pattern.search(words)), "")
    counted = _NOT_COUNTED_IN.sub(" ", words)
    in_bytes = True if _BYTES.search(counted) else False if _ELEMENTS.search(counted) else None
    return Said(quantities, parts, times, per, in_bytes, options, denied)


def _quantities(words: str) -> frozenset[str]:
    found: frozenset[str] | None = None
    words = _SPARES.sub(lambda found: found["ahead"] or " ", words)
    words = _COMPARED.sub(" ", _HOW_OFTEN.sub(" ", words))
    for pattern, names in _QUANTITIES.in_(words):
        if pattern.search(words):
            words = pattern.sub(" ", words)
            if found is None:
                found = names
            elif found & names:
                found = found & names
            elif {"forward_flops", "backward_flops"} >= found | names:
                found = frozenset({"training"})
            elif not ((found & FLOPS and names & PARAMETERS) or found & SETTLED):
                found = found | names
    return found or frozenset()


def _parts(words: str) -> tuple[tuple[Part, ...], str]:
    """The parts that are named, and the words without them."""
    steps: dict[str, frozenset[str]] = {}
    rest = words
    for found in _PROJECTIONS.finditer(words):
        named = {_OF_LETTER[name[0].upper()] for name in _PROJECTED.findall(found[0])}
        steps[_ATTENTION] = steps.get(_ATTENTION, frozenset()) | frozenset(" ".join(named).split())
    if steps:
        rest = _PROJECTIONS.sub(" · ", rest)
    for pattern, parts in _STEPS.in_(rest):
        if pattern.search(rest):
            rest = pattern.sub(" · ", rest)
            for place, tensors in parts:
                steps[place] = steps.get(place, frozenset()) | tensors if tensors else frozenset()
    whole: dict[str, frozenset[str]] = {}
    rest = _BESIDES.sub(" ", rest)
    for pattern, parts in _PARTS.in_(rest):
        if pattern.search(rest):
            rest = pattern.sub(" · ", rest)
            for place, tensors in parts:
                before = whole.get(place, tensors)
                whole[place] = before | tensors if before and tensors else frozenset()
    if steps:
        inside = {place.split(".")[1] for place in steps}
        whole = {
            place: tensors
            for place, tensors in whole.items()
            if not place.startswith("block.") or place.split(".")[1] not in inside
        }
        whole = (
            {place: tensors for place, tensors in whole.items() if place.startswith("block.")}
            if whole
            else {}
        )
    if not steps and not whole and _LINEAR.search(rest):
        return LINEAR, rest
    return tuple((steps | whole).items()), rest


@lru_cache(maxsize=4096)
def told_options(words: str) -> tuple[frozenset[str], frozenset[str]]:
    """The options that a stretch of text names, and those that it denies.

    >>> told, denied = told_options("with flash attention, without checkpointing")
    >>> sorted(told), sorted(denied)
    (['flash'], ['checkpoint'])
    """
    told: dict[bool, set[str]] = {True: set(), False: set()}
    for pattern, name in _OPTIONS.in_(words):
        for found in pattern.finditer(words):
            told[_NEGATED.search(words[: found.start()]) is None].add(name)
    if _NOTHING_AGAIN.search(words):
        told[False] |= RECOMPUTED
    if _SEQUENCE_WHOLE.search(words):
        told[False].add("sequence")
    return frozenset(told[True] - told[False]), frozenset(told[False])


def subject(levels: Sequence[str], near: int = 2) -> Subject:
    """What several stretches of words say together, the nearest first; the first `near` of them stand beside the formula.

    >>> found = subject(["MLP:", "", "Forward, one layer, in FLOPs"])
    >>> sorted(found.quantities), found.parts, found.times, found.sharp
    (['forward_flops'], (('block.mlp', frozenset()),), 'one', True)
    """
    all_said = [Said(_of_title(words)) if words.startswith(TITLE) else said(words) for words in levels]
    if not any(each.quantities for each in all_said) and any(map(_MATRICES.search, levels[: near + 1])):
        all_said[0] = replace(all_said[0], quantities=frozenset({"parameters"}))
    quantities: frozenset[str] = frozenset()
    near_quantities: frozenset[str] = frozenset()
    for level, each in enumerate(all_said):
        quantities = quantities & each.quantities or quantities or each.quantities
        near_quantities = quantities if level <= near else near_quantities and quantities
    in_bytes = next((each.in_bytes for each in all_said if each.in_bytes is not None), None)
    if in_bytes is None and quantities == PARAMETERS and not _OF_MEMORY.search(" ".join(levels)):
        in_bytes = False
    parts: tuple[Part, ...] = ()
    times = ""
    sharp = False
    for level, each in enumerate(all_said):
        if each.parts or each.times:
            of_sentence = level == near or (level == near + 1 and len(each.parts) == 1)
            spoken = of_sentence and bool(all_said[near - 1].quantities)
            parts, times, sharp = each.parts, each.times, level < near or spoken
            break
    sharp = (sharp or any(each.options for each in all_said[:near])) and not any(
        _names_unknown(words) or _names_more(words) for words in levels[:near]
    )
    if parts or not times:
        times = next((each.times for each in all_said if each.times in ("one", "all")), times)
    per = next((each.per for each in all_said if each.per), "")
    concludes = CONCLUDES.search(" ".join(levels[: near + 1])) is not None
    sure = _sure([each.quantities for each in all_said], near, concludes)
    if any(each.in_bytes is not None for each in all_said[:near]):
        sure -= FLOPS
    denied = frozenset(name for each in all_said[:near] for name in each.denied)
    near_options = frozenset(name for each in all_said[: near + 1] for name in each.options) - denied
    further = frozenset(name for each in all_said for name in each.options) - denied
    for named in (RECOMPUTED, SPREAD):
        further -= named if near_options & named else frozenset()
    options = near_options | further
    return Subject(
        _counted(quantities, in_bytes), parts, times, per, in_bytes, options, near_options, sharp,
        _counted(near_quantities, in_bytes), _counted(sure, in_bytes),
        qualified=any(_QUALIFIED.search(_QUOTED.sub(" ", WHOLE_SQUARE.sub(" ", words))) for words in levels[:near]),
        words=" ".join(levels),
        beside=" ".join((*levels[:1], next(filter(None, reversed(levels[1 : near + 1])), ""))).strip(),
        named=frozenset(name for each in all_said for name in each.quantities),
        near_per=next((each.per for each in all_said[:near] if each.per), ""),
        of_device=any(_OF_DEVICE.search(words) for words in levels[:near]),
    )  # fmt: skip


def _of_title(words: str) -> frozenset[str]:
    """The quantities of a title, which names a subject and not a part: none where it names memory and compute side by side."""
    sides = [said(side).quantities for side in _SIDE_BY_SIDE.split(words)]
    several = any(side and side <= FLOPS for side in sides) and any(
        side & (MEMORY | PARAMETERS) for side in sides
    )
    return frozenset() if several else said(words).quantities


def _names_unknown(words: str) -> bool:
    """Whether the last of several cells before a formula, the narrowest, names something that is not known."""
    cells = words.split(" | ")[:-1]
    return len(cells) > 1 and not (said(cells[-1]).parts or said(cells[-1]).times)


_SIDE_BY_SIDE = re.compile(r",|\band\b|&|/|:")
_MORE = re.compile(r"· *(?:and|&|\+) *(?:the )?([A-Za-z][\w-]*(?: [\w-]+){0,3}) *\Z")


@lru_cache(maxsize=4096)
def _names_more(words: str) -> bool:
    """Whether a label names something besides the parts in it that is not known: "scores and such"."""
    return _MORE.search(_parts(words)[1].strip(" :.,")) is not None


def _sure(named: Sequence[frozenset[str]], near: int, concludes: bool) -> frozenset[str]:
    """The quantities that leave no doubt: named beside the formula, or by what introduces it.

    Another clause of the same sentence may speak of something else, where this one draws a conclusion.
    """
    found: frozenset[str] = frozenset()
    for level, quantities in enumerate(named):
        if level < near or level > near + 1:
            found = found & quantities or found or quantities
        elif quantities and not found and not concludes:
            found = quantities
    return found


def _counted(quantities: frozenset[str], in_bytes: bool | None) -> frozenset[str]:
    """Of what the words may mean, what is counted in bytes, or in elements, where that is said."""
    if in_bytes is True:
        return quantities & IN_BYTES or quantities
    if in_bytes is False:
        return quantities - IN_BYTES - FLOPS or quantities
    return quantities


_NAME_PARTS: tuple[tuple[str, str], ...] = (
    (r"per_?(?:sample|seq|sequence)", "memory_per_sequence"),
    (r"peak|max", "peak_memory"),
    (r"static", "static_memory"),
    (r"forw|fwd", "forward_flops"),
    (r"back|bwd|bawck", "backward_flops"),
    (r"optim|adam|update", "optimizer_flops"),
    (r"total|step|iter|train", "step_flops"),
)
_PASSES = Wording(
    r"(?:(?P<forward>forward|fwd)|(?P<backward>backward|bwd)|(?P<training>train(?:ing)?|fwdbwd|fwd_bwd))_(?:pass_)?flops?\Z",
    re.IGNORECASE,
)


def quantity_of_name(name: str) -> str | None:
    """The quantity that a subscripted name speaks of: F_forward, M_static, even with its letters mixed up.

    >>> quantity_of_name("F_backwawrd"), quantity_of_name("M_per_sample"), quantity_of_name("train_flops"), quantity_of_name("x")
    ('backward_flops', 'memory_per_sequence', 'training', None)
    """
    spelled = _PASSES.match(name)
    if spelled is not None and spelled.lastgroup is not None:
        return spelled.lastgroup if spelled.lastgroup == "training" else f"{spelled.lastgroup}_flops"
    head, _, tail = name.partition("_")
    memory = head in ("M", "Mem", "mem", "memory", "Memory")
    flops = head in ("F", "C", "FLOPs", "flops")
    if not tail or not (memory or flops):
        return None
    for pattern, quantity in _NAME_PARTS:
        if re.match(pattern, tail.lower()):
            if quantity == "optimizer_flops" and memory:
                return "optimizer_memory"
            return quantity if memory == quantity.endswith(("memory", "sequence")) else None
    return None
