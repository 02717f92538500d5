"""LaTeX documents: sections, paragraphs, items and tables, without comments, verbatim text and preamble."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symcost.check.assembly import assemble
from symcost.check.delimiters import ENVIRONMENTS
from symcost.check.documents import Block, Cell, Document, level


def read(text: str) -> Document:
    r"""The document in a LaTeX text.

    >>> document = read("\\section{Parameters}\nA block has $16d^2$ of them.  % not $x$\n")
    >>> document.spans[0].text, document.spans[0].line, document.spans[0].block.headings
    ('16d^2', 2, ('Parameters',))
    """
    source, comments = _without_comments(level(text))
    source = _LABELLED.sub(r"\1 \2:", source)
    return assemble(text, "tex", _blocks(source), comments=comments)


_VERBATIM = "verbatim|Verbatim|lstlisting|minted|comment|tikzpicture|thebibliography|filecontents"
_HIDDEN = re.compile(
    rf"\\begin\{{(?P<environment>(?:{_VERBATIM})\*?)\}}|\\verb\*?(?P<quote>[^\w\s*])"
    r"|\\(?:label|(?:eq|page|auto|c|C)?ref|cite\w*+|url|href|includegraphics|input|include|vspace|hspace|bibliography"
    r"|bibliographystyle|usepackage|documentclass|newcommand|renewcommand|def)\b\*?(?:\[[^\]\n]{0,200}+\])*+(?:\{[^{}\n]*+\})?"
    r"|\\(?P<ends>begin|end)\{document\}|\\.|(?P<comment>%[^\n]*+)",
    re.DOTALL,
)


def _without_comments(source: str) -> tuple[str, list[tuple[int, str]]]:
    """The source with all that is not set as text blanked out, and the comments with their positions."""
    pieces: list[str] = []
    comments: list[tuple[int, str]] = []
    copied = at = 0
    unclosed: set[str] = set()
    while match := _HIDDEN.search(source, at):
        start, at = match.span()
        if match["comment"] is not None:
            comments.append((start, match["comment"].lstrip("%")))
        elif match["environment"] is not None:
            closing = f"\\end{{{match['environment']}}}"
            end = -1 if closing in unclosed else source.find(closing, at)
            if end < 0:
                unclosed.add(closing)
                continue
            at = end + len(closing)
        elif match["quote"] is not None:
            line_end = source.find("\n", at)
            end = source.find(match["quote"], at, line_end if line_end >= 0 else len(source))
            if end < 0:
                continue
            at = end + 1
        elif match["ends"] is not None:
            if match["ends"] == "begin":
                pieces, copied = [], 0  # the preamble
                start = 0
            else:
                at = len(source)
        elif len(match.group()) == 2:
            continue  # an escaped sign
        pieces += [source[copied:start], re.sub(r"[^\n]", " ", source[start:at])]
        copied = at
    return "".join((*pieces, source[copied:])), comments


_LABELLED = re.compile(r"(\\item)\[([^\[\]\n]{0,200}+)\]")  # the label of an item stands before its words
_SECTIONS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph")
_STRUCTURE = re.compile(
    r"\n[ \t]*\n"
    rf"|\\(?P<section>{'|'.join(_SECTIONS)})\*?(?:\[[^\]\n]{{0,200}}+\])?"
    r"\{(?P<title>[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+)\}"
    r"|\\item\b"
    r"|\\(?P<edge>begin|end)\{(?P<environment>[A-Za-z]++\*?)\}|\\."
)
_FORMULA = re.compile(rf"(?:{ENVIRONMENTS}|aligned|alignedat|gathered|split|array|cases|[bpvBV]?matrix)\*?\Z")
_LIST = frozenset(("itemize", "enumerate", "description"))
_TABLE = frozenset(("tabular", "tabularx", "longtable", "tabulary"))
_DISPLAY = re.compile(r"\$\$|\\\[|\\begin\{")
_COLUMNS = re.compile(r"(?:\{[^{}\n]*+(?:\{[^{}\n]*+\}[^{}\n]*+)*+\}|\[[a-z]\])*+")


def _blocks(source: str) -> Iterator[Block]:
    headings: list[tuple[int, str]] = []
    introductions = [""]
    item = False
    copied = at = 0
    unclosed: set[str] = set()

    def paragraph(end: int) -> Iterator[Block]:
        words = source[copied:end]
        start = copied + len(words) - len(words.lstrip())
        if words.strip():
            alone = _DISPLAY.match(source, start) is not None
            above = introductions if alone else introductions[:-1]
            path, lead = tuple(title for _, title in headings), tuple(filter(None, above))
            yield Block("item" if item else "paragraph", words.strip(), start, path, lead)
            if not alone:
                introductions[-1] = " ".join(words.split())

    while match := _STRUCTURE.search(source, at):
        environment = match["environment"]
        at = match.end()
        if match.group()[0] == "\\" and len(match.group()) == 2:
            continue
        if environment and _FORMULA.match(environment):
            continue
        yield from paragraph(match.start())
        copied = at
        if match["section"]:
            depth = _SECTIONS.index(match["section"])
            headings = [heading for heading in headings if heading[0] < depth]
            title = match["title"]
            yield Block("heading", title, match.start("title"), tuple(name for _, name in headings))
            headings.append((depth, " ".join(title.split())))
            introductions, item = [""], False
        elif match.group().startswith("\\item"):
            item = True
            introductions[-1] = ""
        elif environment in _LIST:
            if match["edge"] == "begin" and len(introductions) < 20:
                introductions.append("")
            elif match["edge"] == "end" and len(introductions) > 1:
                introductions.pop()
            item = match["edge"] == "begin" or len(introductions) > 1
        elif environment and environment.rstrip("*") in _TABLE and match["edge"] == "begin":
            closing = f"\\end{{{environment}}}"
            end = -1 if closing in unclosed else source.find(closing, at)
            if end < 0:
                unclosed.add(closing)
                continue
            columns = _COLUMNS.match(source, at)
            start = columns.end() if columns else at
            path, lead = tuple(title for _, title in headings), tuple(filter(None, introductions))
            yield from _table(source, start, end, path, lead)
            copied = at = end + len(closing)
    yield from paragraph(len(source))


_ROW = re.compile(r"\\\\(?:\[[^\]\n]{0,200}+\])?")
_RULE = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|cline\{[^{}\n]*+\}|cmidrule(?:\([a-z]*+\))?\{[^{}\n]*+\})"
)


def _table(
    source: str, start: int, end: int, path: tuple[str, ...], lead: tuple[str, ...]
) -> Iterator[Block]:
    """The cells of a `tabular`; its first row is the header."""
    columns: list[str] = []
    cuts = [start, *(cut for row in _ROW.finditer(source, start, end) for cut in row.span()), end]
    for first, last in zip(cuts[::2], cuts[1::2], strict=True):
        row = _RULE.sub(lambda rule: " " * len(rule.group()), source[first:last])
        cells = [*re.finditer(r"(?:[^&\\]|\\.|\\\Z)*+", row, re.DOTALL)]
        texts = [cell.group() for cell in cells if cell.group().strip()]
        head = not columns
        if head:
            columns = [" ".join(text.split()) for text in re.split(r"(?<!\\)&", row) if texts]
        number = 0
        for cell in cells:
            words = cell.group()
            column = (
                0 if not cell.start() else row.count("&", 0, cell.start()) - row.count("\\&", 0, cell.start())
            )
            if words.strip():
                at = first + cell.start() + len(words) - len(words.lstrip())
                name = columns[column] if column < len(columns) and not head else ""
                beside = " ".join(texts[0].split()) if number and not head else ""
                yield Block("cell", words.strip(), at, path, lead, Cell(name, beside))
                number += 1
