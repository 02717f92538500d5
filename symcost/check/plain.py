"""Plain text, read as paragraphs: notes, posts, mail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symcost.check.assembly import assemble
from symcost.check.documents import Block, Document, level

# Of a list, a quote, or a rule.
_BULLET = re.compile(
    r"^[ \t]*+(?:[-*+•–▪►]|\d{1,3}[.)]|>++)(?=[ \t])|^[ \t]*+[=\-_*~#]{3,}+[ \t]*+$",
    re.MULTILINE,
)


_HEADING = re.compile(
    r"^[ \t]*+(?P<underlined>[^\n]{3,80})\n[ \t]*+(?:={3,}|-{3,}|~{3,})[ \t]*+$"
    r"|^={2,}+[ \t]*+(?P<framed>[^\n=]{3,80}?)[ \t]*+={2,}+[ \t]*+$"
    r"|^(?:\d{1,2}[.)][ \t]++)?(?P<capitals>[A-Z][A-Z /&,-]{3,60}(?:\([^()\n]{3,120}\))?)[ \t]*+$"
    r"|(?<=\n\n)\d{1,2}[.)][ \t]++(?P<numbered>[A-Z][^\n.:;=]{2,60})(?=\n\n)"
    r"|(?<=\n\n)\d{1,2}[.)][ \t]++(?P<shouted>[A-Z]{4,}(?: [A-Z]{2,})*)(?=[ (,:][^\n]*\n\n)",
    re.MULTILINE,
)


def read(text: str) -> Document:
    """The document in a plain text: paragraphs are its blocks, and one that ends with a colon leads the next.

    >>> [span.text for span in read("Memory:\\n\\n- 16 B/param -> 7e9 × 16 = 112 GB").spans]
    ['16 B/param', '7e9 × 16 = 112 GB']
    """
    source = level(text)
    titles = [
        (found.start(found.lastgroup or 0), found[found.lastgroup or 0])
        for found in _HEADING.finditer(source)
    ]
    source = _HEADING.sub(_blank, source)
    return assemble(source, "text", blocks(_BULLET.sub(_blank, source), titles))


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found.group())


def blocks(source: str, titles: Sequence[tuple[int, str]] = ()) -> Iterator[Block]:
    """The paragraphs of a text with the headings above them; the first heading is the title where it is no section."""
    lead: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    waiting = list(titles)
    for start, end in paragraphs(source):
        while waiting and waiting[0][0] < start:
            at, words = waiting.pop(0)
            path = (*path[:1], words) if titles[0][0] < at else (words,)
            lead = ()
            yield Block("heading", words, at, path[:-1])
        block = Block("paragraph", source[start:end], start, path, lead)
        lead = (" ".join(block.text.split()),) if block.text.endswith(":") else ()
        yield block


def paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """[start, end) of each stretch of lines without a blank line between them.

    >>> list(paragraphs("a\\nb\\n\\n c"))
    [(0, 3), (6, 7)]
    """
    first, last = -1, -1
    for line in re.finditer(r"[^\n]+", text):
        words = line.group()
        if not words.strip():
            continue
        if first >= 0 and text.count("\n", last, line.start()) > 1:
            yield first, last
            first = -1
        if first < 0:
            first = line.start() + len(words) - len(words.lstrip())
        last = line.start() + len(words.rstrip())
    if first >= 0:
        yield first, last
