"""Kept tensors in words: which tensors of a layer a list of saved activations names, and how large they are together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from symcost.check.case import Case
from symcost.check.catalogue import ONE_SEQUENCE, ONE_TOKEN, Piece, book
from symcost.check.findings import Pair
from symcost.check.listed import ALL_BLOCKS
from symcost.check.polynomials import Summands, letters_of, minus, ratio, scaled, times, total
from symcost.check.recipes import element_types
from symcost.check.slips import one_slip, written
from symcost.check.statements import Item, Statement
from symcost.check.subjects import Subject
from symcost.check.wordings import Wording

_NORM = r"(?:rms|layer)?[ -]?norms?(?:alization)?"
_IN, _OUT = r"inputs?", r"(?:normali[sz]ed )?outputs?"
_OF = r"(?:of|to|into) (?:the |its )?"
_W = r"w[ _]?"
_LAYER = r"(?:mlp |ffn |linear )*(?:layer|linear|map|matrix|projection)"
_SOFTMAX = r"(?:softmax|attention(?: weights| matrix)?|(?:attention )?probabilit(?:y|ies)|p)"
_AND_MASK = r"(?:,? (?:and )?(?:its |the |a )?(?:dropout )?mask (?:after|behind|of) it)"

# What words name, as the tensors of the model in letters; what comes first takes its words away. Cells of a row are
# divided by a bar: what a step is, and which of its inputs and outputs.
_TENSORS: tuple[tuple[Wording, str], ...] = tuple(
    (Wording(pattern, re.IGNORECASE), tensors)
    for pattern, tensors in (
        (rf"(?:final|last) {_NORM}'s {_IN} and {_OUT}|{_IN} and {_OUT} {_OF}(?:final|last) {_NORM}", "x_out x_final"),
        (rf"{_IN} {_OF}(?:final|last) {_NORM}", "x_out"),
        (r"(?:softmax of )?(?:the )?logits", "logits"),
        (rf"{_SOFTMAX}(?: outputs?)?,? (?:its |the )?(?:dropout )?masks?,?(?: and)? (?:the |its )?"
         rf"dropped(?:-out)? (?:copy|version|{_SOFTMAX})", "P mask_P_dropped P_dropped"),
        (rf"{_SOFTMAX}(?:'s)? (?:dropout(?: 的)? )?masks?|(?:dropout )?masks? (?:of|for|on) (?:the )?{_SOFTMAX}(?: dropout)?",
         "mask_P_dropped"),
        (rf"\bdropped(?:-out)? {_SOFTMAX}|{_SOFTMAX} after dropout", "P_dropped"),
        (rf"{_IN} {_OF}(?:{_W}o\b|(?:output |out )?projection){_AND_MASK}", "O mask_y_dropped"),
        (rf"{_IN} {_OF}second {_LAYER}{_AND_MASK}", "H mask_z_dropped"),
        (r"\A(?:mlp|ffn)\b\W+(?:the )?dropout mask|mask of the (?:mlp|ffn)(?:'s)? dropout", "mask_z_dropped"),
        (rf"{_IN} {_OF}first {_LAYER}", "x_ffin"),
        (rf"{_IN} {_OF}second {_LAYER}|\bgelu(?:'s)? outputs?|{_OUT} {_OF}gelu", "H"),
        (rf"{_IN} {_OF}gelu|\bgelu(?:'s)? {_IN}", "U"),
        (rf"{_IN} and (?:the )?{_OUT} of (?:the )?(?:two|both) {_NORM}", "x x_norm x_res x_ffin"),
        (rf"{_IN} and (?:the )?{_OUT} {_OF}(?:second|mlp|ffn) {_NORM}", "x_res x_ffin"),
        (rf"{_IN} and (?:the )?{_OUT} {_OF}(?:first |attention )?{_NORM}", "x x_norm"),
        (rf"{_IN} {_OF}(?:the )?(?:two|both) {_NORM}|\b(?:two|both) {_NORM} {_IN}", "x x_res"),
        (rf"{_OUT} of (?:the )?(?:two|both) {_NORM}", "x_norm x_ffin"),
        (rf"{_IN} {_OF}second {_NORM}|{_NORM} 2 \| (?:its )?{_IN}", "x_res"),
        (rf"{_IN} {_OF}(?:first )?{_NORM}|{_NORM} 1 \| (?:its )?{_IN}", "x"),
        (rf"{_OUT} {_OF}second {_NORM}|{_IN} {_OF}(?:mlp|ffn)\b|\bgate and up projections \| their (?:common )?{_IN}", "x_ffin"),
        (rf"{_OUT} {_OF}first {_NORM}|\bnormali[sz]ed {_IN}|what {_W}q,? ?{_W}k,? ?(?:and )?{_W}v multipl\w+"
         rf"|{_IN} {_OF}(?:fused )?(?:q, ?k,?(?: and)? ?v|qkv)\b(?: projections?)?"
         rf"|\b(?:q, ?k, ?v|qkv) projections \| their (?:common )?{_IN}", "x_norm"),
        (r"\bq, ?k, ?v,? ?(?:and )?o\b", "Q K V O"),
        (r"\b(?:one|a) (?:(?:fp32|float32) )?(?:number|value|statistic|float) (?:per|for each) row(?: of (?:the )?scores)?\b"
         r"|\blog-?sum-?exps?\b|\blse\b|\brow statistics\b", "lse"),
        (r"\bq, ?k,? ?(?:and )?v\b|\bquer(?:y|ies), keys?,? and values?\b", "Q K V"),
        (r"\bq (?:and|&) k\b|\bquer(?:y|ies) and keys?\b", "Q K"),
        (r"\bkeys? and values?\b", "K V"),
        (r"\bquer(?:y|ies)\b", "Q"),
        (r"\Av\Z|\band v\b", "V"),
        (r"\b(?:softmax|attention)(?: \| its)? (?:outputs?|weights?|probabilit(?:y|ies)|matri(?:x|ces)|results?)(?: p)?\b"
         r"|\bthe softmax\b", "P"),
        (rf"\b(?:heads'? outputs?(?: side by side)?|concatenated heads|mixed values|weighted (?:values|sum))\b"
         rf"|\b{_IN} {_OF}(?:{_W}o\b|(?:output|out) projection)|\boutput projection \| (?:its )?{_IN}", "O"),
        (r"\b(?:before and after|in front of and behind|input and output of) (?:the )?gelu\b", "U H"),
        (r"\b(?:the )?two branches\b|\bgate and up\b|\bboth outputs of gate and up\b", "G U"),
        (r"\bgate(?: before silu| branch| projection| output)?\b", "G"),
        (r"\bup(?: branch| projection| output)\b|\bup\b(?=[, ])", "U"),
        (rf"\b(?:their |the )?product(?: that enters (?:{_W}\w+|the down projection))?\b"
         rf"|\b{_IN} {_OF}(?:{_W}(?:down|2)\b|down projection)|\bdown projection \| (?:its )?{_IN}", "H"),
    )
)  # fmt: skip
_AND_ITS_OUTPUT = Wording(r"\A\W*(?:and )?(?:also )?its (?:normali[sz]ed )?outputs?\b", re.IGNORECASE)
_OUTPUT_OF = {"x": "x_norm", "x_res": "x_ffin"}
_SAYS_NO_MORE = re.compile(
    r"\b(?:the|an?|of|and|its|their|which|that|is|are|has|have|takes?|needs?|shape|size|fused|what|both|all|in|to|we|i|keep|kept|keeps|save|saves|saved|stored?|per|each"
    r"|for|layers?|blocks?|tokens?|tensors?|heads?|numbers?|values?|swiglu|mlp|ffn|attention|feed-?forward|two|three"
    r"|inside|with|as|width|wide|every|one|half|backward|pass|flash|kernel|bf16|fp16|fp32|after|last|come|comes|norm|included|loss|qk|pv|shared|bytes?|elements?|[a-uw-z])\b"
    r"|[\W\d_]+",
    re.IGNORECASE,
)


def named_tensors(words: str) -> frozenset[str]:
    """The tensors that words name; none where they name something besides that is not known.

    >>> sorted(named_tensors("SwiGLU: the gate before SiLU, the up branch, and their product"))
    ['G', 'H', 'U']
    >>> sorted(named_tensors("the gate and a dropout mask"))
    []
    """
    found: set[str] = set()
    rest = re.sub(r"\s+(?=[,;])", "", words)
    if not any("|" in place.group() for pattern, _ in _TENSORS for place in pattern.finditer(rest)):
        rest = rest.rpartition(" | ")[2]
    for pattern, tensors in _TENSORS:
        for place in reversed(list(pattern.finditer(rest))):
            found.update(tensors.split())
            behind = rest[place.end() :]
            output = _AND_ITS_OUTPUT.match(behind)
            if output is not None and tensors in _OUTPUT_OF:
                found.add(_OUTPUT_OF[tensors])
                behind = behind[output.end() :]
            rest = f"{rest[: place.start()]} · {behind}"
    return frozenset() if _SAYS_NO_MORE.sub("", rest) else frozenset(found)


WHOLE: Summands = {(): 1}
SHARED: Summands = {(("tp", -1),): 1}  # of the devices that share a tensor
NARROWER = (Fraction(1, 2), Fraction(1, 4))  # than an element is said to be
ELEMENTS = "saved_activations"  # what is counted: numbers, or else bytes in one of two precisions
MIXED, SINGLE = "mixed-16", "fp32"
STATISTIC = "lse"  # of the rows of scores, which a fused kernel keeps


def kept_pair(case: Case, statement: Statement, item: Item, table: Summands, about: Subject) -> Pair | None:
    """What a list says that some tensors have together, held against their sizes: three of width 4d are 12bcd, not 8bcd.

    In bytes a mask has one for each of its elements, every other tensor as many as the document's precision has.
    """
    words = about.beside
    if statement.span.block.cell is not None:
        words = words.rpartition(" | ")[0]  # without the heading of the column
    tensors = named_tensors(words)
    if not tensors:
        return None
    letters = letters_of(table)
    per = ONE_TOKEN if not letters & {"b", "c"} else ONE_SEQUENCE if "b" not in letters else WHOLE
    every = ALL_BLOCKS if "L" in letters else SHARED if "tp" in letters else WHOLE
    ways = {name: times(times(way, per) or way, every) or way for name, way in _together(case, tensors)}
    if len(ways) < len((ELEMENTS, MIXED, SINGLE)):
        return None
    sizes, in_bytes = ways[ELEMENTS], (ways[MIXED], ways[SINGLE])
    shown, named = item.source.strip(), ", ".join(sorted(tensors))
    widths = element_types(words)
    if len(widths) == len(tensors) == 1 and about.in_bytes is not False:  # "the logits, kept in fp32"
        [width] = widths
        right, off = scaled(sizes, width), ratio(table, scaled(sizes, width))
        if off == 1:
            return Pair(
                "holds",
                "SC102",
                shown,
                message=f"{named} at {width} bytes each",
                quantity="activation_memory",
            )
        may_be_elements = not about.in_bytes and off == 1 / width
        if off in NARROWER and not may_be_elements and len(statement.items) == 1:
            return Pair("differs", "SC201", shown, written(right), written(minus(right, table)),
                        f"{named}: {width} bytes each are {written(right)}", "activation_memory")  # fmt: skip
    half = case.suppositions.half
    if about.in_bytes and half is not None and not widths and every is not SHARED:
        return _in_bytes(statement, shown, table, ways[MIXED if half else SINGLE], named)
    if table == sizes or (about.in_bytes is not False and table in in_bytes):
        return Pair("holds", "SC102", shown, message=f"the sizes of {named}", quantity="saved_activations")
    slip = one_slip(table, sizes, sure=True) if every is not SHARED else None
    if slip is None or len(statement.items) > 1:
        return None
    return Pair("differs", "SC201", shown, written(sizes), written(slip.difference),
                f"{slip.words}; the elements of {named} are {written(sizes)}", "saved_activations")  # fmt: skip


def _in_bytes(statement: Statement, shown: str, table: Summands, right: Summands, named: str) -> Pair | None:
    """What is said to be bytes, where the document says of how many bits its tensors are."""
    if table == right:
        return Pair("holds", "SC102", shown, message=f"the bytes of {named}", quantity="activation_memory")
    slip = one_slip(table, right, sure=True)
    if slip is None or len(statement.items) > 1:
        return None
    return Pair("differs", "SC201", shown, written(right), written(slip.difference),
                f"{slip.words}; the bytes of {named} are {written(right)}", "activation_memory")  # fmt: skip


def _together(case: Case, tensors: frozenset[str]) -> Iterator[tuple[str, Summands]]:
    """The elements of some tensors of the document's model, then their bytes in each precision; nothing where it lacks one."""
    convention = "textbook+flash" if STATISTIC in tensors else "textbook"
    for quantity, precision in (
        (ELEMENTS, SINGLE),
        *(("activation_memory", each) for each in (MIXED, SINGLE)),
    ):
        supposed = case.suppositions.under(case.suppositions.designs[0], convention, precision)
        sizes = {_name(piece): piece.amount for piece in reversed(book(supposed).pieces(quantity))}
        if tensors <= sizes.keys():
            yield ELEMENTS if quantity == ELEMENTS else precision, total(sizes[name] for name in tensors)


def _name(piece: Piece) -> str:
    """A tensor as words name it: a mask and what it leaves are not what it is laid on."""
    own = piece.term.tensor
    return own if own.startswith("mask_") or own.endswith("_dropped") else piece.tensor
