"""The words of the field: which runs of letters are one word, and which are a product of letters."""

from __future__ import annotations

import re
import unicodedata

from symcost.notation.units import word
from symcost.symbols import GLOSSARY, QUANTITIES


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GREEK = words(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell"
)
GREEK_SIGNS = {
    unicodedata.lookup(f"GREEK {size} LETTER {name.upper().replace('LAMBDA', 'LAMDA')}"): name
    for name in GREEK - {"ell"}
    for size in ["CAPITAL" if name[0].isupper() else "SMALL"]
}
GREEK_SIGNS |= {"ℓ": "ell", "ϵ": "epsilon", "ϕ": "phi", "µ": "mu"}

# How the functions are spelled, and what they are called in the grammar.
FUNCTIONS: dict[str, str] = {name: name for name in words("floor ceil sqrt min max log log2 log10")}
FUNCTIONS |= {"ceiling": "ceil", "ln": "log", "lg": "log2", "int": "floor"}  # nothing here is less than 0

# Words that join others: they are in no name, and a formula that holds them is prose.
JOINING = words(
    "a an and are as at be but by for from if in is it not of on one or so that the then this to was we when "
    "where which with you per else than has gives some only each both into over its all can about two three "
    "four five six seven eight nine ten half twice once"
)
_IN_NAMES = words("per of a to is")  # bytes per token
# Functions of Python that change what they are given: nothing to multiply with.
CALLS = words("int len abs sum round float pow range list print str exp any all set sorted zip type id")

_FIELD = """
    mem total time cost computation compute hardware efficiency utilisation utilization throughput bandwidth
    average mean state states rank ranks loss logits logit token epoch embd embed embedding attn heads head
    layer layers block blocks opt optim optimizer grad grads activ model models hidden width depth size
    length ctx vocab microbatch microbatches global local weight weights bias biases achieved required
    available used free device devices node nodes flops speed dollars dtype precision master copy copies
    replica replicas shard shards stage stages inference sample samples sequences
"""
_SHORT = words("seq dim bsz mem mfu hfu gpu gpus tpu tpus ffn mlp mha gqa day days bytes hrs tok")


def _field() -> frozenset[str]:
    phrases = [_FIELD, *QUANTITIES]
    phrases += (phrase for letter in GLOSSARY.values() for phrase in (letter.meaning, *letter.words))
    found = {word.lower() for phrase in phrases for word in re.findall(r"[A-Za-z]+", phrase)}
    return frozenset(word for word in found - JOINING if len(word) > 3) | _SHORT


FIELD = _field()


def is_word(run: str) -> bool:
    """Whether the field uses this run of letters as a word.

    >>> [run for run in ("tokens", "Mem", "FLOPs", "seq", "bcd", "sbhL") if is_word(run)]
    ['tokens', 'Mem', 'FLOPs', 'seq']
    """
    return run.lower() in FIELD or (len(run) > 3 and word(run) is not None)


def joins(text: str) -> bool:
    """Whether words join others, so that they are no name.

    >>> [joins(text) for text in ("or, for", "bytes per token", "bias")]
    [True, False, False]
    """
    return any(run.lower() in JOINING - _IN_NAMES for run in re.findall(r"[A-Za-z]+", text))


def looks_like_prose(run: str) -> bool:
    """Whether a run that nobody declared is rather a word than a product: it can be spoken, or is very long.

    >>> [run for run in ("learning", "Softmax", "where", "sbhL", "BTKGH") if looks_like_prose(run)]
    ['learning', 'Softmax', 'where']
    """
    if run.lower() in JOINING and len(run) > 2:
        return True
    spelled = run[1:].islower() or run.isupper() or re.search(r"[a-z][A-Z][a-z]", run) is not None
    vowels = sum(letter in "aeiou" for letter in run.lower())
    return len(run) > 9 or (len(run) > 3 and vowels > 1 and spelled)
