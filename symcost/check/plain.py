"""Plain text, read as paragraphs: notes, posts, mail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symcost.check.assembly import assemble
from symcost.check.documents import Block, Document, level

# Of a list, a quote, or a rule.
_BULLET = re.compile(
    r"^[ \t]*+(?:[-*+•–▪►]|\d{1,3}[.)]|>++)(?=[ \t])|^[ \t]*+[=\-_*~#]{3,}+[ \t]*+$",
    re.MULTILINE,
)


def read(text: str) -> Document:
    """The document in a plain text: paragraphs are its blocks, and one that ends with a colon leads the next.

    >>> [span.text for span in read("Memory:\\n\\n- 16 B/param -> 7e9 × 16 = 112 GB").spans]
    ['16 B/param', '7e9 × 16 = 112 GB']
    """
    source = level(text)
    return assemble(source, "text", blocks(_BULLET.sub(lambda match: " " * len(match.group()), source)))


def blocks(source: str) -> Iterator[Block]:
    lead: tuple[str, ...] = ()
    for start, end in paragraphs(source):
        block = Block("paragraph", source[start:end], start, lead=lead)
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
