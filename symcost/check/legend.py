"""The legend: the letters that sentences and lists declare, and what the words beside each say that it means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr

from symcost.check.meanings import CUSTOMARY, EMPHASIS, meaning_of, phrases, plain_name
from symcost.check.wordings import Wording, Wordings
from symcost.notation.vocabulary import GREEK, GREEK_SIGNS
from symcost.symbols import GLOSSARY, b, c, d_k, h, h_kv, letter_for

# A letter or a name, and where one stands: between marks, or bare where a text marks none.
_MARKED = re.compile(r"\$([^$]+)\$|\\\((.+?)\\\)|`([^`]+)`")
_LETTER = f"[A-Za-z{''.join(GREEK_SIGNS)}]"
_NAME = rf"(?:{_LETTER}|\\[A-Za-z]+)(?:_(?:\{{[^{{}}]*(?:\{{[^{{}}]*\}})?\}}|\w+)(?:\^(?:\{{[A-Z]+\}}|[A-Z](?![A-Za-z])))?)?"
_SHORT = (
    r"(?:[A-Z][bcdfghjklmnpqrstvwxz]{1,3}(?![A-Za-z])"  # Hkv, Nd: no word has as few vowels
    r"|[A-Z]{2,3}(?= ?= ?\d))"  # NB = 40 blocks
)
_GIVEN = re.compile(rf"\s*({_NAME}|[A-Za-z]\w*)\s*(?:=(?:[^,;=]|,(?=\d)|\{{,\}})+)?")  # d, or d = 4096
_SYMBOL = re.compile(rf"\s*{_NAME}(?![A-Za-z])")  # in mathematics several letters are a product
_CODE_NAME = re.compile(r"[A-Za-z]|[A-Z]_[A-Za-z0-9]+|[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_BARE = re.compile(
    rf"(?<![\w\\$`'’./^·×*+=~≈-])(?<!\d )({_SHORT}|{_LETTER}(?:_[A-Za-z0-9]+)*)(?: ?= ?\d[\d.]*(?:,\d{{3}})*\w*)?"
    r"(?![\w'’^·×*/+(=-]| ?[·×*/+^²]| =(?! ?[A-Za-z]{2}))"
)
_ARTICLE = re.compile(
    r"[AI](?! =)|x(?= \d)|a(?! =)(?!(?<=[,;:.] a) (?:(?:how|many|number|of|the|attention|query) ){0,4}heads\b)"
)  # no letters: "A model", "4 epochs x 150e9"
_OWN_LINE = re.compile(
    r"\n(?=\s*(?:[-*•#%]+ *)?[$`]?\\?[A-Za-z]\w*[$`}]*\s*(?:=|:|->|→|[–—]|--? ))"
)  # a list of letters, one in each line

# The words beside a letter: what cuts them off, and what may stand between it and them.
_CUT = re.compile(
    r"[,;:()\[\]|—–。，；：、（）]|\.(?=\s|\Z)|\s-\s|\b(?:and|with|where|so|that|which|while|but|for|then|hence|let)\b",
    re.IGNORECASE,
)
_IS_BEHIND = re.compile(
    r"\s*(?:= ?\d(?:[\d.,]*\d)?(?:e\d+)?\s(?:[kMGTP]?(?:i?B|FLOPs?)/s \()?"
    r"|=|:|–|—|-{1,2}>?|→|is|are|for|being|counts?|denotes?|means|stands for|为|是|记作|表示)?\s*(?:the |our |its |an? )?",
    re.IGNORECASE,
)
_IS_AHEAD = re.compile(
    r"(?:\s*(?:\b(?:is|are|be|with|by|called|as|written|denoted)|=|:|：|为|是|记作|记为|\(|（))*\s*\Z",
    re.IGNORECASE,
)
_LEADS_ON = re.compile(r"\b(?:is|are|=|:)\s*\Z")  # the words belong to what comes next
_SIZE = r"(?:size|width|dim(?:ension)?s?)"
_OF_SIZE = Wording(
    rf"\W*(?:\bof|\bwith|\bhas)?\s*(?:an? |the )?(?:(?:inner|hidden|intermediate) )?\b(?:{_SIZE}|length)\s*\Z|\s*\bof\s*\Z",
    re.IGNORECASE,
)
_MOST_AHEAD, _MOST_BEHIND = 5, 7  # words that say what a letter is
_MOST_AROUND = 40  # characters behind it
_ADJECTIVES = re.compile(
    r"(?:(?:number|count|size|no\.?) of (?:the )?)?"
    r"(?:(?!(?:of|per|in|on|by|to|from|at|over|times|is|are|one|two|more|another|also|enters?)(?![\w-]))[a-z][a-z-]* )*\Z",
    re.IGNORECASE,
)
_NOTHING_MORE = re.compile(
    r"(?: (?:of )?\d[\d,.]*)?(?: (?:entries|tokens|size|count|number|each))?"
    r"(?: (?:of|in) (?:the|our|a|this) (?:\w+ )?(?:model|network|decoder))?"
    rf"(?: of(?: (?:degree|{_SIZE}))?)?\Z"
)

ALL_HEADS, ALL_KEYS, ALL_TOKENS = "all heads", "all key heads", "all tokens"
FORMS: Mapping[str, Expr] = {
    ALL_HEADS: h * d_k,
    ALL_KEYS: h_kv * d_k,
    ALL_TOKENS: b * c,
}  # of what has no letter of ours
MORE_TOKENS = "+c"  # behind the prompt: the context is as long as both
# What several words mean together, as a glossary letter, "" for none of these, None for nothing at all; the first that
# fits. Where none does, one of PHRASES says it.
_CHOSEN = r"(?:active|used|chosen|selected|activated)"
_MLP = r"(?:mlp|ffn|feed-?\s?forward|swiglu|geglu|gelu)"
_TOGETHER: Wordings[str | None] = Wordings(
    (Wording("|".join(patterns), re.IGNORECASE), letter)
    for letter, *patterns in (
        (ALL_KEYS, rf"\b{_SIZE} of (?:(?:all|the) )+(?:keys|(?:key|kv|k/v|key[-/ ](?:and )?value) heads)\b"),
        (ALL_HEADS, rf"\b{_SIZE} of (?:(?:all|the) )+(?:query )?(?:heads|queries)\b",
                    r"\battention (?:of )?width\b|\bwidth of attention\b",
                    r"\b(?:num_?)?heads (?:×|x|times) (?:key_size|d_k|(?:the )?(?:head|key)[- _]?(?:size|dim\w*))\b"),
        (None, r"\ball (?:\w+ )?heads\b"),
        ("", r"\bgroup size\b|\bquery heads (?:in|per|for|of|share|use|that) |\bin flight\b"),
        (MORE_TOKENS, r"\b(?:output|answer|completion|generation)s? (?:length\b|of(?: length)?\Z)",
                      r"\b(?:generated|new|output|decoded) tokens\b|\btokens (?:that are )?generated\b|生成"),
        ("w", r"\A(?!.*\b(?:optimi[sz]er|states?)\b).*"
              r"\bbytes (?:per|of (?:an?|one|each)) (?:\w+ )?(?:number|element|value|weight|entry|parameter)\b"),
        ("E_shared", r"\bshared experts?\b"),
        (ALL_TOKENS, r"\btokens (?:per|of|in) (?:(?:an?|each|every|one|the) )?(?:whole |micro-?)?batch\b"),
        ("", r"\btokens (?:per|of|in) (?:(?:an?|each|every|one|the) )?(?:\w+ )?(?:batch|step)\b", r"\bsliding[- ]window\b"),
        ("peak", r"\b(?:peak|datasheet|nominal|advertised|theoretical)\b.*\bflops?(?:/s| per second)"),
        ("", r"\bbytes (?:per|of|a)\b", r"\bthroughput\b|\bachieved\b|\bper second\b|\bcapacity\b"),
        ("d_cq", r"\b(?:compressed|latent) quer(?:y|ies)\b", r"\bquery latent\b"),
        ("d_c", rf"\blatents?\b.{{0,24}}\b{_SIZE}\b", rf"\b{_SIZE} of (?:the |a |each )?(?:\w+ )?latent\b", r"\Alatent\Z",
                r"\bcompressed (?:kv|key)\b"),
        ("d_r", rf"\b(?:rotary|rope|decoupled)\b.{{0,24}}\b{_SIZE}\b", r"\b(?:rotary|rope|decoupled) (?:\w+ )?key\b",
                r"\b(?:rotary|rope|rotated) part\b"),
        ("d_k", rf"\bheads?(?:'s)?(?: each)?,? (?:(?:all|each|with|of|has|have|an?|inner) )*{_SIZE}\b",
                rf"\b{_SIZE} (?:of|per) (?:(?:an?|one|each|every|the) )?(?:\w+ )?head\b", r"\bheads of\Z"),
        ("d_expert", rf"\bexperts?\b.{{0,12}}\b{_SIZE}\b", rf"\b{_SIZE} of (?:an?|one|each|every) (?:\w+ )?expert\b"),
        ("d_ff", rf"\b(?:{_MLP}|inner|intermediate|gated?)(?:'s)?\b(?! blocks?\b).{{0,24}}\b{_SIZE}\b",
                 rf"\b{_SIZE} of (?:the |its |each |an? |every )?(?:\(?[\w-]+\)? )?{_MLP}\b",
                 rf"\A(?:the |an? )?(?:gated )?{_MLP}(?:'s)?\Z"),
        ("h_kv", r"\b(?:kv|k/v|key[-/ ](?:and )?value)[- ](?:heads?|groups?)\b"),
        ("k", r"\btokens? (?:\w+ )?(?:visits?|uses?|goes to|chooses?|picks?|sees?|is (?:sent|routed) to)\b",
              r"\b(?:sends?|routes?|dispatch\w*) (?:each|every|a|one|the) tokens? to\Z",
              r"\b(?:router|gate)\b (?:\w+ )?(?:picks?|chooses?|selects?|keeps?)\Z",
              r"\b(?:active|chosen|selected|activated) experts?\b|\bexperts? (?:each|every|a|per) token\b|\btop-?k\b"),
        ("tp", r"\Atensor\Z"),
        ("pp", r"\Apipeline\Z"),
        ("dp", r"\bdata[- ]parallel (?:replicas?|ranks?|gpus?|size|degree|workers?)\b"),
        ("global_batch", r"\bglobal batch\b"),
        ("b", r"\bsequences in (?:a|the|each) (?:micro-?)?batch\b|\bsequences (?:at once|per batch)\b"),
        ("v", r"\bvocabulary\b", r"\Awords\Z"),
        ("c", r"\btokens (?:of context|per (?:sequence|example)|in each of them)\b",
              r"\btokens (?:in|of) (?:an?|one|each|every|the) (?:sequence|cache|context|prompt)\b",
              r"\bcached tokens\b",
              r"\b(?:sequences?|contexts?|prompts?|windows?) of\Z"),
        ("pp", r"\A(?:pipeline )?stages(?: of (?:the|a) pipeline)?\Z"),
        ("n", r"\bhow many (?:\w+ )?(?:gpus?|[AHBV]\d{2,3}s?|cards?|tpus?|accelerators?|devices?)\b"
              r"|\b(?:gpu|device|accelerator) count\b"),
        ("N", r"\Aweights(?:\Z| (?:is|are)\b)", r"\bnumber of (?:\w+ ){0,2}(?:weights|parameters)\b"),
        ("d", r"\Awide\b"),
    )
)  # fmt: skip
_CALLED = r",? \(?(?:written|called|named|(?:let us )?(?:call|write) (?:it|them|this|that|(?:their|this|the) number))"
# What the words on both sides mean together, with _ for the letter; these go before what either side says.
_AROUND: Wordings[str] = Wordings(
    (Wording("|".join(patterns), re.IGNORECASE), letter)
    for letter, *patterns in (
        ("peak", r"\bpeak (?:\w+ ){0,2}_,? [TP]?FLOPS?(?:/s)?\b"),
        ("", r"\b(?:cards?|gpus?|devices?|accelerators?|memory) (?:of|with|has|have|holds?) _ (?:bytes|[GT]i?B)\b"),
        (ALL_KEYS, r"(?<!head )(?<!head, )\bkeys and values (?:have|of|with|are of) (?:an? |the )?(?:total )?width _"
                   r"(?! (?:each|(?:per|in|of) (?:each |every |one |a )?head))"),
        ("d_k", rf"\bheads? (?:is|are|has|have|with|of) _(?: |-)(?:wide|{_SIZE}s?|numbers|entries|elements|each)\b",
                rf"\bheads?,? (?:[A-Za-z](?:_\w+)?,? )?(?:each )?(?:of|with|has|having|being) (?:an? )?{_SIZE} _",
                r"_ (?:components|entries|numbers|dimensions|channels) (?:per|in each|for each) (?:\w+ )?head\b",
                r"\bheads of _ each\b"),
        ("d", rf"_-{_SIZE}al (?:embedding|hidden|residual|model|token|vector|state)",
              rf"\bembed\w*\b[^.;]{{0,30}}\b(?:in|into|to|with|of|has|have) (?:{_SIZE} _|_ (?:{_SIZE}s?|channels))"),
        ("L", r"_(?: layers| blocks)? deep\b", r"\b_ of (?:these|such|them) (?:layers|blocks)\b"),
        ("k", rf"\bexperts\b[^.;]{{0,40}}(?:,| and) _ (?:of (?:them|which|these) )?(?:are )?{_CHOSEN}\b",
              rf"\bexperts\b[^.;]{{0,20}}\bof which _ (?:are )?{_CHOSEN}\b"),
        ("k", r"\btokens? (?:\w+ )?(?:visits?|uses?|goes to|chooses?|picks?|sees?|is (?:sent|routed) to)\b[^.;]{0,40}"
              r"\bshared (?:ones?|experts?)\b[^.;]{0,12}\b_ (?:of the )?(?:routed|other) (?:ones|experts)\b"),
        ("E_shared", r"\bexperts\b[^.;]{0,30}(?:,|\band|\bplus) _ (?:(?:are )?shared|always[- ]on)(?: ones?)?\b(?! expert)"),
        ("global_batch", r"\bglobal batch(?: size)? (?:of|is|has|holds) _"),
        ("b", r"\bsequences\b[^.;]{0,40}, _ of (?:them|these|those) (?:per|in|to|make) (?:a |each |every |one )?(?:step|batch)"),
        ("n", r"\bon _ (?:\w+ )?(?:[ABHLMTV]\d{2,3}\w?s|GPUs|TPUs|cards|chips|accelerators)\b"),
        ("pp", r"\bmicro-?batches\b[^.;]{0,30}\b_ stages\b"),
        ("tp", r"\b(?:cut|split|divid|shard)\w* (?:the|our|a) model(?: itself)? (?:in(?:to)?|over|across) _"),
        *((each, rf"_-way (?:\w+ )?{kind}\b", rf"\b{kind}[- ]paralleli\w+,? \(?(?:(?:of|with) )?(?:degree|size) _",
           rf"_ \({kind}\)[^.;]*\bparallel") for each, kind in
          (("tp", "tensor"), ("pp", "pipeline"), ("dp", "data"), ("cp", "context"), ("ep", "expert"))),
        (ALL_TOKENS, r"\bbatch(?:es)?(?: size)? (?:of|is|has|holds) _ tokens\b"),
        ("", r"\b(?:looks? back|local attention)\b[^.;]{0,40} _ (?:only )?(?:positions|tokens|keys)\b"),
        ("w", r"\b(?:parameters?|numbers?|values?|elements?|weights?|entr(?:y|ies))\b[^.;,]{0,40}\b"
              r"(?:with|in|as|takes?|needs?|of) _ bytes\b(?!/| per)"),
        ("price", r"_ (?:dollars|USD|euros?|EUR) (?:per|an?|for (?:an?|each)) (?:\w+ )?(?:GPU|card|hour|[AH]\d00)"),
        ("bandwidth", r"_ bytes per second\b[^.;]{0,30}\b(?:HBM|memory)\b|\bmemory\b[^.;]{0,30}_ bytes per second\b"),
        ("epochs", r"_ (?:full )?epochs\b|\b_ passes over\b|\brepeat\w* _ times\b"),
        ("L", r"共有?\s?_\s?层"),
        ("d_cq", r"\bquer(?:y|ies)\b[^.;]{0,40}\blatent (?:of|with|has) (?:(?:dimension|size|width) )?_"),
        ("b", r"\bmicro-?batch(?:es)? of (?:size )?_(?! micro)"),
        ("N_adapter", rf"\badapters?\b{_CALLED} _"),
        ("N", rf"\bparameters?\b{_CALLED} _"),
        ("d_in", r"\blayer\b[^.;]{0,20}_ inputs? "),
        ("d_out", r"\blayer\b[^.;]{0,40}_ outputs? "),
    )
)  # fmt: skip
_ITEMS = re.compile(r",\s+|\band\b(?! value)")
_SHARED = Wording(r"((?:\w+-,? )+and )\w+-(.+)")
_RESPECTIVELY = Wording(r",? respectively\b.*")
_ASIDE = re.compile(r"\([^()]*\)")
_WIDTHS = frozenset({"d_ff", "d_expert"})
_NEVER_OF_A_PART = frozenset({"N", "D", "k", "b"})  # N_e is only some of them
_ALL = Wording(r"_(?:all|tot(?:al)?|full|model|params?)\Z")
_OF_TRAINING = Wording(r"\btrain(?:ing|ed)?\b|\bdataset\b|\bcorpus\b", re.IGNORECASE)
_PLACE = re.compile(r"(?<!\w)_(?!\w)")  # of a letter in the words around it
_EXPERT = Wording(r"\bexperts?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Named:
    """A letter or a name where it stands: the words on either side of it, and the sentence with _ in its place."""

    name: str
    ahead: str
    behind: str
    around: str


_REMARK = re.compile(  # a SwiGLU (three matrices) of width f
    r"\s\([^()$`]{1,60}\)(?=\s+(?:of|with)\s+(?:\w+ )?(?:width|size|dimension)\b)"
)


def declared(text: str) -> dict[str, str]:
    """Letters and what the words beside them say they mean, as glossary letters; "" for what has none.

    >>> declared("$l$ layers, $h$ hidden size and width $d$")
    {'l': 'L', 'h': 'd', 'd': 'd'}
    >>> declared("L blocks of width d, with H query heads and G key/value heads of size k")
    {'L': 'L', 'd': 'd', 'H': 'h', 'G': 'h_kv', 'k': 'd_k'}
    """
    text = _REMARK.sub("", text.replace("\\_", "_"))
    found = list(_named(" ".join(_OWN_LINE.sub("; ", EMPHASIS.sub("", text.replace("--", "-"))).split())))
    ahead = [meaning(each.ahead, behind=False) for each in found]
    behind = [meaning(each.behind, behind=True) for each in found]
    mostly_behind = sum(each is not None for each in behind) >= sum(each is not None for each in ahead)
    said: dict[str, str] = {}
    before, letter = "", None  # the words behind the letter before, and its meaning
    for each, one, other in zip(found, ahead, behind, strict=True):
        if one == letter and each.ahead in before:
            one = None
        first, second = (other, one) if mostly_behind and other != "D" else (one, other)
        before, letter = each.behind, second if first is None else first
        letter = next(
            (whole for pattern, whole in _AROUND.in_(each.around) if pattern.search(each.around)), letter
        )
        if letter is None or ("_" in each.name and _is_larger(each.name, letter)):
            continue
        if each.name not in GLOSSARY and _is_run(each.name) and letter_for(each.name.lower()) != letter:
            continue  # `bs` tokens are a product
        if letter == "D" and each.name in ("v", "V"):
            letter = "v"  # "V = 48,000 tokens"
        if letter == "n" and CUSTOMARY.get(each.name) == "dp":
            letter = "dp"
        if said.get(each.name, "D") == "D":
            said[each.name] = (
                "d_expert" if letter == "d_ff" and _EXPERT.search(_PLACE.split(each.around)[0]) else letter
            )
    if "b" in said.values() and "c" not in said.values() and not _OF_TRAINING.search(text):
        said = {name: "c" if letter == "D" else letter for name, letter in said.items()}
    return said


def sizes(text: str) -> Iterator[tuple[str, str, bool]]:
    """Forms that words say a width is, as (glossary letter, form, whether it is code): "SwiGLU with inner width $3w$".

    >>> list(sizes("a SwiGLU MLP with inner width $3w$ and experts of width `d/4`"))
    [('d_ff', '3w', False), ('d_expert', 'd/4', True)]
    """
    text = " ".join(text.split())
    end = 0
    for found in _MARKED.finditer(text):
        letter = meaning(_ahead(text[end : found.start()]), behind=False)
        if letter in _WIDTHS and not _name_of(found):
            yield letter, next(group for group in found.groups() if group is not None), found[3] is not None
        end = found.end()


def listed(names: Sequence[str], words: str) -> tuple[str, ...]:
    """What words say of each of some letters, "" where they say nothing that we have a letter for; none where there are
    not as many things as letters.

    >>> listed(["B", "T"], "sequences in the batch, tokens per sequence (all full)")
    ('b', 'c')
    >>> listed(["t", "p"], "tensor- and pipeline-parallel size"), listed(["n", "g"], "query and key/value heads")
    (('tp', 'pp'), ('h', 'h_kv'))
    """
    said = _ASIDE.sub("", words).partition(";")[0]
    shared = _SHARED.search(said)
    if shared is not None:  # tensor- and pipeline-parallel size
        said = said[: shared.start()] + shared[1].replace("-", f"-{shared[2]}") + said[shared.end(1) :]
    items = [item.strip() for item in _ITEMS.split(_RESPECTIVELY.sub("", said))]
    if len(names) == 1:
        whole = meaning_of(plain_name(words.strip()))
        return (whole or meaning(items[0], behind=True) or "",)
    last = items[-1].rpartition(" ")[2]  # query and key/value heads
    whole_items = (item if " " in item or item.endswith("s") else f"{item} {last}" for item in items)
    found = (
        meaning(item, behind=True) or meaning(whole, behind=True)
        for item, whole in zip(items, whole_items, strict=True)
    )
    return tuple(each or "" for each in found) if len(items) == len(names) else ()


def _is_larger(name: str, letter: str) -> bool:
    """Whether a name with a subscript is less than what the words say: N_e of the parameters, B_crit of the batches."""
    if _ALL.search(name):
        return False
    if letter == "k" and name[0] in "kK":
        return False  # of the routed experts
    return letter in _NEVER_OF_A_PART or (letter == "c" and name[0].isupper())


def _named(text: str) -> Iterator[Named]:
    """The letters and names of a text; formulas only cut off the words beside them."""
    places = [(found.start(), found.end(), _name_of(found)) for found in _MARKED.finditer(text)]
    marks_letters = any(len(name) == 1 for _, _, name in places)
    marked = {position for start, end, _ in places for position in range(start, end)}
    places += [
        (found.start(), found.end(), plain_name(found[1]))
        for found in _BARE.finditer(text)
        if found.start() not in marked
        and not _ARTICLE.match(text, found.start())
        and not (marks_letters and found[1].isascii())  # Ψ is no word, though others stand in formulas
    ]
    places.sort()
    ends = [0, *(end for _, end, _ in places)]
    starts = [*(start for start, _, _ in places[1:]), len(text)]
    said = ""
    for (start, end, name), last, following in zip(places, ends, starts, strict=False):
        before, told = text[last:start], said
        said = _behind(text[end:following], following < len(text))
        if not (said or told) and text[end : end + 1] in (",", ";", ".") and before.endswith(", "):
            before = before[:-2]  # "the hidden dimension, $h$, is …"
        if name:
            around = f"{_plain(text[:start].rpartition('. ')[2])}_{_plain(text[end : end + _MOST_AROUND])}"
            yield Named(name, _ahead(before), said, around)


def _plain(text: str) -> str:
    return text.replace("$", "").replace("`", "")


def _name_of(found: re.Match[str]) -> str:
    """The name between two marks, or "" for a formula."""
    inside = next(group for group in found.groups() if group is not None)
    name = given_name(inside)
    if found[3] is not None:
        is_name = name in GREEK or _CODE_NAME.fullmatch(name) is not None
    else:  # tp is one, bs a product
        known = name in GLOSSARY or (len(name) > 2 and meaning_of(name) is not None) or _is_run(name)
        is_name = known or _SYMBOL.match(inside) is not None
    return name if is_name else ""


def _is_run(name: str) -> bool:
    """Whether some letters may be one name where words say just what they are short for: `bs`, `TP`."""
    return len(name) > 1 and name.isalpha() and letter_for(name.lower()) is not None


def given_name(text: str) -> str:
    """The name that a text is, or gives a number or a form, as the reader of formulas spells it; "" for none.

    >>> given_name(r"d_{\\text{ff}}"), given_name("T = 2048"), given_name("2bc")
    ('d_ff', 'T', '')
    """
    given = _GIVEN.fullmatch(text.replace("\\_", "_"))
    return plain_name(given[1]) if given is not None else ""


def _ahead(text: str) -> str:
    text = _IS_AHEAD.sub("", text)
    start = max((found.end() for found in _CUT.finditer(text)), default=0)
    return " ".join(text[start:].strip(" *_").split()[-_MOST_AHEAD:])


def _behind(text: str, meets: bool) -> str:
    """The words behind a letter; `meets` says that another letter or a formula follows them."""
    text = _IS_BEHIND.sub("", text, count=1)
    text = text[text.startswith(("(", "（")) :]
    cut = _CUT.search(text)
    if cut is not None:
        text = text[: cut.start()]
    elif meets:
        text = "" if _LEADS_ON.search(text) else _OF_SIZE.sub("", text)
    return " ".join(text.strip(" *_").split()[:_MOST_BEHIND])


def meaning(words: str, *, behind: bool) -> str | None:
    """What words beside a letter say that it means, as a glossary letter; `behind` says that they follow it.

    >>> meaning("heads of size", behind=False), meaning("routed SwiGLU experts", behind=True)
    ('d_k', 'E')
    """
    if not words:
        return None
    for pattern, letter in _TOGETHER.in_(words):
        if pattern.search(words):
            return letter
    found = phrases(words)
    if not found:
        return None
    phrase = found[0] if behind else found[-1]
    beside = _ADJECTIVES.match(words[: phrase.start]) if behind else _NOTHING_MORE.match(words, phrase.end)
    return phrase.letter if beside else None
