"""Explained names: what words say that a name of the document's own counts, taken as what is derived for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from symcost.check.case import Case
from symcost.check.catalogue import BLOCK, PER_SEQUENCE, Entry, book
from symcost.check.legend import given_name
from symcost.check.subjects import subject
from symcost.check.wordings import Wording
from symcost.symbols import GLOSSARY

_IS = re.compile(
    r"[`$)\s]*(?:is|are|=|denotes?|means?|stands? for|counts?)\s+(?:the |our |all )?(?P<words>[^,;:.$`()\n]{8,80}?)"
    r"(?=\s+and\b|[*\s]*[,;:.$`()\n]|\s*\Z)"
)
_MATRICES = Wording(r"\bmatri(?:x|ces)\b", re.IGNORECASE)
COUNTED = ("parameters", "forward_flops", "backward_flops", "training")  # of which a name may stand for one


def explained(case: Case) -> Iterator[tuple[str, Entry]]:
    """Names that the document has no letter or form for, with what is derived for the words behind them.

    `where layer_params are the weight matrices of one layer`, `Φ = forward FLOPs of one block`.
    """
    for span in case.document.spans:
        name = given_name(span.text)
        letter = case.knowledge.letter(name) if name else ""
        if not name or letter in GLOSSARY or letter in case.knowledge.definitions:
            continue
        said = _IS.match(case.document.text, span.end, span.end + 120)
        entry = _meant(case, said["words"]) if said is not None else None
        if entry is not None:
            yield letter, entry


def _meant(case: Case, words: str) -> Entry | None:
    """What is derived for some words, where they name one quantity and of what it is."""
    about = subject([words, "", ""])
    found = [name for name in COUNTED if name in about.sure_quantities]
    if len(found) != 1 or about.qualified or not (about.parts or about.times):
        return None
    [quantity], supposed = found, case.first
    if quantity == "parameters" and _MATRICES.search(words):
        supposed = replace(supposed, design=supposed.design.but(gains_counted=False))
    parts = about.parts or (() if about.times == "model" else BLOCK)
    in_block = any(place.startswith("block") for place, _ in parts)
    per = about.per if quantity in PER_SEQUENCE else ""
    return book(supposed).entry(quantity, parts, every=not in_block or about.times == "all", per=per)
