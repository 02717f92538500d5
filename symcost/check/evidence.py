"""Evidence: what the sentences of a document say for and against a feature of its model, outright or in passing."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from symcost.check.wordings import Wording, words

_SENTENCE = re.compile(r"(?<=[.!?;])\s|[。；]|\n\s*\n|\n(?=\s*(?:[-*+|#]|\d+\.|\\item))|\s\|\s")
IN_PASSING = re.compile(
    r"\b(?:if|unless|whether|would|could|unlike|compared|original(?:ly)?|variants?|options?|some|others?|otherwise|somebody"
    r"|someone|formulas?|forms?)\b|(?<![\w-])--[a-z]|如果",
    re.IGNORECASE,
)  # what is said of a case, of other models or of one formula


def sentences(text: str) -> tuple[str, ...]:
    """The sentences, items and cells of a text, each on one line."""
    return tuple(" ".join(part.split()) for part in _SENTENCE.split(text) if part.strip())


@dataclass(frozen=True)
class Feature:
    """Words that say that a model has something and words that deny it; where a sentence has both, it denies it."""

    said: Wording
    denied: Wording
    surely: Wording | None = None  # words that say it whatever else is denied

    def readings(
        self, sentences: Sequence[str], aside: Collection[str] = ()
    ) -> tuple[list[bool], list[bool]]:
        """What is said of it outright, and what is only said in passing, as in the sentences `aside`.

        >>> words = Wording("shared"), Wording("its own")
        >>> Feature(*words).readings(["One table, shared.", "If the head has its own, add vd."])
        ([True], [False])
        """
        outright: dict[bool, None] = {}
        passing: dict[bool, None] = {}
        for sentence in sentences:
            value = self._of(sentence)
            if value is not None:
                in_passing = sentence in aside or IN_PASSING.search(sentence)
                (passing if in_passing else outright)[value] = None
        return list(outright), list(passing)

    def _of(self, sentence: str) -> bool | None:
        if self.surely is not None and self.surely.search(sentence):
            return True
        if self.denied.search(sentence):
            return False
        return True if self.said.search(sentence) else None


_TABLE = r"(?:embeddings?|unembedding|tables?|matri(?:x|ces)|head|lm_head|output|weights?)"
_NORM = r"(?:layer|rms)?[ -]?norm(?:alization)?s?"
_OF_COUNT = r"\b[NP]\b[^.;]{0,60}\b(?:leaves out|excludes|does not count)"  # what $N$ is without
FEATURES: Mapping[str, Feature] = {
    "biased": Feature(
        words(r"\bwith biases", r"\bbiases(?:,| everywhere|;)", r"bias terms? (?:are|is) (?:used|included)", r"has biases",
              r"(?<!无)(?<!不)带偏置", r"及偏置", r"weights? and bias"),
        words(r"\b(?:no|without|nor|bias-free|drops?|omit\w*|ignor\w+|neglect\w*|leav\w+ out) (?:any )?(?:the )?bias",
              r"bias-free", r"\bbias ?= ?(?:False|0)\b",
              r"biases? (?:and norms? )?(?:are|is) (?:left out|ignored|neglected|not|peanuts|omitted)",
              r"无偏置", r"没有偏置", r"不含偏置", r"biases and norms (?:are )?(?:ignored|left out)"),
        words(r"\ba bias (?:on|in|for) (?:every|each|all)\b", r"\bbiases (?:on|in) (?:every|each|all)\b"),
    ),
    "tied": Feature(
        words(r"\bt(?:ied|ies|ying)\b", r"\bshar(?:es?|ed|ing) (?:its|the|one|an?|with) (?:\w+ )?"
              rf"(?:{_TABLE}|transpose)", rf"\b{_TABLE} (?:\w+ )?(?:are|is) (?:\w+ )?(?:shared|re-?used)",
              r"(?<!不)共享", rf"\bone (?:\w+ )?{_TABLE} (?:shared|for both|serves)", rf"\bre-?uses? the (?:\w+ )?{_TABLE}"),
        words(r"\bun-?tied?\b", r"\b(?:not|without|no)(?: weight)? (?:ti|ty)(?:ed|e|ing)\b", r"\bnot shared?\b", r"不共享",
              rf"\bseparate\b[^.;]{{0,60}}\b{_TABLE}\b", rf"\b{_TABLE}\b[^.;]{{0,60}}\bseparate\b",
              rf"\b(?:different|own) {_TABLE}\b", r"\btwo (?:embeddings?|tables)\b"),
    ),
    "learned_positions": Feature(
        words(r"learned position", r"position embeddings", r"\bwpe\b", r"positions? table"),
        words(r"rotary", r"\brope\b", r"alibi", r"not learned", r"不可训练", r"\b(?:no|without|nor) (?:learned )?position",
              rf"{_OF_COUNT} (?:the )?(?:learned )?position"),
    ),
    "dropout": Feature(
        words(r"dropout", r"megatron", r"korthikanti"),
        words(r"\b(?:no|without) dropout", r"dropout is off", r"dropout off"),
    ),
    "gains_counted": Feature(
        words(r"\b(?:norms?|gains?) (?:are|is) (?:counted|included)"),
        words(r"(?:not count|ignor\w*|neglect\w*|leav\w+ out|omit\w*|drop|without)[^.;]{0,20}\bgains?\b",
              rf"{_OF_COUNT}[^.;]{{0,40}}\bnorms?\b",
              r"\b(?:biases? and (?:the )?norms?|norms? and (?:the )?biases?)\b[^.;]{0,20}\b(?:ignored"
              r"|left out|neglected|omitted|not counted|not worth|peanuts)",
              r"(?:not count|ignor\w*|neglect\w*|leav\w+ out"
              r"|omit\w*) (?:the )?(?:biases? and (?:the )?norms?|norms? and (?:the )?biases?)"),
    ),
    "final_norm": Feature(
        words(rf"\b(?:final|last) {_NORM}\b", r"\bln_f\b"),
        words(r"\bno (?:position table (?:and|or) no )?(?:layer|rms)?[ -]?norm after the last (?:layer|block)",
              r"\b(?:no|without a) (?:final|last) (?:layer|rms)?[ -]?norm\b"),
    ),
    "shifted": Feature(
        words(r"\b(?:gains?|weights?|scales?) and (?:an? )?(?:shift|bias|offset)\b"),
        words(r"\bgains? only\b", r"\bonly (?:a|its|the) gain\b", r"\bgain and nothing else\b",
              r"\bbias ?= ?False\b", r"\bkeeps? (?:its|their) gains?\b",
              rf"{_NORM} without (?:a )?bias", r"\b(?:weight|gain|scale) (?:and|but) no (?:bias|shift)\b"),
    ),
}  # fmt: skip
