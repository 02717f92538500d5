"""From blocks to a document: the formulas of each block in order, with sentence, neighbours and place."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from symcost.check.delimiters import TAKEN, Found, scan, without_layout
from symcost.check.documents import (
    Block,
    Directive,
    Document,
    FrontMatter,
    Kind,
    Sentence,
    Span,
    Stray,
    level,
    line_starts,
    place,
)
from symcost.check.prose import formulas, sentences

LONGEST_SENTENCE = 1_000  # characters

_DIRECTIVE = re.compile(r"\s*+symcost:\s*+")
_FIGURE = re.compile(r"\d+(?:\.\d+)?e\+?\d+|\d{1,3}(?:[,_]\d{3})+")  # 4.51e12, 2,127,057,600
_BARE = re.compile(r"\W*?(\d{1,3}(?:,\d{3})+|\d{4,}|\d+\.\d+)\W*")  # a cell that is one number
_OPERATION = re.compile(
    r"[\w)\]²³}]\s*+(?:[*×·⋅∗/+^=≈<>−]|-(?=\s))+\s*+[\w(\[.\\$-]"
    r"|(?<![\w.])\d++(?:\.\d++)?(?:[A-Za-z_(Α-ω]{2}|[A-Za-z_(Α-ω]\b)"
)
_PROGRAM = re.compile(
    r"[\"'{};@#&|\\?!]|\$(?!\s?\d)|://|--|\.(?:py|png|jpg|json|md|txt|sh|cu|cpp|yaml|toml)\b|==\s*\d+\.\d+\."
)


def assemble(
    text: str,
    kind: Kind,
    blocks: Iterable[Block],
    *,
    front_matter: FrontMatter | None = None,
    comments: Iterable[tuple[int, str]] = (),
    broken: Iterable[tuple[int, str]] = (),
) -> Document:
    """The document of these blocks; `comments` and `broken`, (position, words), are those outside of them."""
    lines = line_starts(level(text))
    blocks = tuple(blocks)
    spans: list[Span] = []
    comments, broken = list(comments), list(broken)
    for block in blocks:
        seen = scan(block.text, tex=kind == "tex")
        comments += ((block.start + at, comment) for at, comment in seen.comments)
        broken += ((block.start + at, message) for at, message in seen.strays)
        spans += _spans(block, seen.found, seen.prose, lines)
    spans.sort(key=lambda span: span.start)
    starts = [span.start for span in spans]
    directives = tuple(
        Directive(comment[found.end() :].strip(), at, *place(lines, at), precedes=bisect_right(starts, at))
        for at, comment in sorted(comments)
        if (found := _DIRECTIVE.match(comment))
    )
    strays = tuple(Stray(at, *place(lines, at), message) for at, message in sorted(broken))
    return Document(text, kind, front_matter, blocks, tuple(spans), strays, directives)


def _spans(block: Block, delimited: list[Found], prose: str, lines: list[int]) -> Iterable[Span]:
    in_prose = [
        Found(start, end, start, end, "text", amount_only=amount_only)
        for start, end, amount_only in formulas(prose)
    ]
    if (
        block.cell is not None
        and block.cell.row
        and not in_prose
        and not delimited
        and (bare := _BARE.fullmatch(prose))
    ):
        in_prose = [Found(*bare.span(1), *bare.span(1), "text", amount_only=True)]
    found = sorted((*delimited, *in_prose)) if in_prose else delimited
    if not found:
        return
    bounds = list(_bearable(sentences(prose), found))
    plain = block.text.replace("\n", " ")
    around = [Sentence(plain[start:end], block.start + start) for start, end in bounds]
    sentence_starts = [start for start, _ in bounds]
    for index, this in enumerate(found):
        number = max(bisect_right(sentence_starts, this.start) - 1, 0)
        sentence_start, sentence_end = bounds[number]
        before = found[index - 1].closes if index else 0
        after = found[index + 1].opens if index + 1 < len(found) else len(prose)
        inside = block.text[this.start : this.end]
        line, column = place(lines, block.start + this.start)
        end_line, end_column = place(lines, block.start + this.end)
        yield Span(
            text=_as_written(inside, prose[this.start : this.end], this.form),
            form=this.form,
            display=this.display,
            start=block.start + this.start,
            end=block.start + this.end,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            block=block,
            sentence=around[number],
            before=_words(prose[max(before, sentence_start) : this.opens]),
            after=_words(prose[this.closes : min(after, max(sentence_end, this.closes))]),
            row=this.row,
            arithmetic=this.form != "code" or is_arithmetic(inside),
            amount_only=this.amount_only or (this.form == "code" and bool(_FIGURE.fullmatch(inside))),
        )


def _bearable(bounds: Iterable[tuple[int, int]], found: list[Found]) -> Iterator[tuple[int, int]]:
    """The same sentences, a very long one cut behind its formulas: the words around a formula are read for each."""
    index = 0
    for start, end in bounds:
        while index < len(found) and (closes := found[index].closes) < end:
            if closes - start > LONGEST_SENTENCE:
                yield start, closes
                start = closes
            index += 1
        yield start, end


def _as_written(inside: str, prose: str, form: str) -> str:
    if form == "latex":
        return without_layout(inside)
    if form == "text":  # emphasis and tags are gone from the prose, a line's end is a space
        return prose.replace("\n", " ").replace("\\_", "_").replace("\\$", "$")
    return inside.replace("\n", " ")


def _words(prose: str) -> str:
    return " ".join(prose.replace(TAKEN, " ").split())


def is_arithmetic(code: str) -> bool:
    """Whether code in a sentence may be a formula: an operator between operands, or a number before a name.

    >>> [is_arithmetic(code) for code in ("4*d_model", "4d_model", "d_qk=d_v", "seq_len", "[b,c,d]")]
    [True, True, True, False, False]
    """
    return len(code) <= 4000 and not _PROGRAM.search(code) and _OPERATION.search(code) is not None
