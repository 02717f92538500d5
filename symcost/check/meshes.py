"""Meshes: the layouts over many devices that a form may be of, by its letters and by the words about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import product

from symcost.check.polynomials import Summands, letters_of
from symcost.check.recipes import STAGES
from symcost.check.supposing import SINGLE
from symcost.check.wordings import Wording

MESH = frozenset({"dp", "tp", "pp"})  # the sizes by which devices share a parameter
_STAGE = Wording(r"\b(?:first|(last)) stage\b|\bin flight\b", re.IGNORECASE)
_BETWEEN = Wording(
    r"\bstages?\b[^.;]{0,40}\b(?:next|stage|neighbou?r\w*|another)\b|\bnext stage\b", re.IGNORECASE
)
SAYS_INTERLEAVED = Wording(r"\binterleav\w+|\bvirtual (?:pipeline )?stages?\b|\bchunks\b", re.IGNORECASE)
FIRST, LAST = "pp-1f1b", "pp-1f1b,stage=last"


def mesh_of(table: Summands) -> frozenset[str]:
    """The sizes of a mesh of devices in a form."""
    return MESH & letters_of(table)


def layouts(
    letters: Collection[str], options: Collection[str], words: str, stage: str = "", *, sends: bool = False
) -> tuple[str, ...]:
    """Names of layouts, the likeliest first; a form in no size of a mesh is one device's alone.

    `options` are those that words name, `stage` is that of ZeRO, `sends` says that the form is of messages.

    >>> layouts({"tp", "L"}, {"sequence"}, "each GPU keeps"), layouts({"d"}, (), "one layer keeps")
    (('megatron-tp-sp',), ('single',))
    """
    choices = [
        tuple(_tensor(options, sends)) if "tp" in letters else (),
        ("cp-ring", "ulysses") if "cp" in letters else (),
        ((STAGES[stage],) if stage else tuple(STAGES.values())) if "dp" in letters and sends else (),
        tuple(_pipeline(letters, words)) or (("pp-1f1b",) if sends and _BETWEEN.search(words) else ()),
    ]
    return tuple("+".join(parts) for parts in product(*filter(None, choices)) if parts) or (SINGLE,)


def _tensor(options: Collection[str], sends: bool) -> Iterator[str]:
    """Tensor parallelism, or sequence parallelism besides; what it sends more, gathering again, is not always counted."""
    if "tensor" not in options or "sequence" in options:
        yield "megatron-tp-sp"
    if "sequence" not in options or sends:
        yield "megatron-tp"


def _pipeline(letters: Collection[str], words: str) -> Iterator[str]:
    if {"pp", "accumulation"} <= set(letters):
        yield "pp-gpipe"
    elif "chunks" in letters or ("pp" in letters and SAYS_INTERLEAVED.search(words)):
        yield "pp-interleaved"
    elif (said := _STAGE.search(words)) is not None:  # the nearest words come first
        yield LAST if said[1] else FIRST
    elif "pp" in letters:
        yield from (LAST, FIRST)
