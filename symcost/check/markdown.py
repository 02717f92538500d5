"""Markdown and its dialects (GitHub, Marp, MyST, Quarto): markdown-it finds the blocks, each with its place.

Only block structure is asked of markdown-it. Its reading of what is inside a paragraph has no positions, and
takes two prices for a formula; `delimiters` does that part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from symcost.check.assembly import assemble
from symcost.check.delimiters import ENVIRONMENTS
from symcost.check.documents import Block, Cell, Document, FrontMatter, level, line_starts


def read(text: str) -> Document:
    """The document in a Markdown text.

    >>> document = read("# Parameters\\n\\n| part | size |\\n|---|---|\\n| block | $16d^2$ |\\n")
    >>> span = document.spans[0]
    >>> span.line, span.column, span.block.cell, span.block.headings
    (5, 12, Cell(column='size', row='block'), ('Parameters',))
    """
    source = level(text)
    head = _FRONT.match(source)
    front_matter, broken = symcost_block(head[2], head.start(2)) if head and head[1] == "---" else (None, [])
    if head:
        source = re.sub(r"[^\n]", " ", head.group()) + source[head.end() :]
    if "{" in source:
        source = _without_directives(source)
    blocks = _Reader(source).blocks(_tokens(source))
    return assemble(text, "markdown", blocks, front_matter=front_matter, broken=broken)


# Front matter

_FRONT = re.compile(r"\ufeff?(---|\+\+\+)[ \t]*\n((?:(?!(?:---|\.\.\.|\+\+\+)[ \t]*(?:\n|\Z)).*\n)*)"
                    r"(?:---|\.\.\.|\+\+\+)[ \t]*(?:\n|\Z)")  # fmt: skip
_ENTRY = re.compile(r"( *+)([A-Za-z][A-Za-z0-9_-]*+)[ \t]*+:(?:[ \t]++(.*))?\Z")


def symcost_block(front: str, start: int = 0) -> tuple[FrontMatter | None, list[tuple[int, str]]]:
    """The `symcost:` entry of front matter and the lines of it that cannot be read, with their positions.

    Only `key: value` lines and blocks indented under a key are known: no lists, tags, anchors or references.

    >>> symcost_block("title: x\\nsymcost:\\n  model: cs190c\\n  given:\\n    b: 4  # sequences\\n")
    ({'model': 'cs190c', 'given': {'b': '4'}}, [])
    """
    found: FrontMatter | None = None
    broken: list[tuple[int, str]] = []
    open_blocks: list[tuple[int, FrontMatter]] = []
    at = start
    for line in front.split("\n"):
        here, at = at, at + len(line) + 1
        words = re.sub(r"(?:^|\s)#.*", "", line).rstrip()
        if not words:
            continue
        entry = _ENTRY.match(words)
        indent = len(words) - len(words.lstrip(" "))
        if indent == 0:
            open_blocks = []
            if entry and entry[2] == "symcost":
                found = {} if found is None else found
                open_blocks = [(0, found)]
                if entry[3]:
                    broken.append(
                        (here, f"expected symcost: alone on its line, found '{entry[3][:60]}' after it.")
                    )
            continue
        if not open_blocks:
            continue
        while len(open_blocks) > 1 and indent <= open_blocks[-1][0]:
            open_blocks.pop()
        value = (entry[3] or "").strip() if entry else ""
        if entry is None or value[:1] in ("&", "*", "!", "{", "[", "|", ">") or len(open_blocks) > 3:
            broken.append((here, f"expected 'key: value' under symcost:, found '{words.strip()[:60]}'."))
            continue
        if value:
            open_blocks[-1][1][entry[2]] = value.strip("\"'")
        else:
            inner: FrontMatter = {}
            open_blocks[-1][1][entry[2]] = inner
            open_blocks.append((indent, inner))
    return found, broken


# MyST

_FENCE = re.compile(r" {0,3}(`{3,}+|~{3,}+|:{3,}+)(?:\{([\w:.-]+)\})?(.*)\Z")
_OPTION = re.compile(r"\s*+:[\w-]++:(?:\s|\Z)")
_OF_TEXT = frozenset(
    "note warning tip hint important attention caution danger error seealso admonition dropdown card tab-item aside margin "
    "sidebar proof theorem lemma corollary definition remark example exercise solution".split()
)


def _without_directives(source: str) -> str:
    """The same source, equally long, where directives that hold text are text, and `:::{math}` is a formula.

    >>> _without_directives("```{note}\\n$d$\\n```").split()
    ['$d$']
    """
    lines = source.split("\n")
    opened: list[tuple[str, str]] = []  # the marks that a directive begins with, and what it holds
    options = False
    for number, line in enumerate(lines):
        if options and _OPTION.match(line):
            lines[number] = " " * len(line)
            continue
        options = False
        found = _FENCE.match(line)
        if found is None or ("`" in found[1] and "`" in found[3]):
            continue
        marks, name, rest = found[1], found[2] or "", found[3]
        if opened and not name and not rest.strip() and marks.startswith(opened[-1][0]):
            holds = opened.pop()[1]
        elif opened and opened[-1][1] == "code":
            continue
        else:
            holds = _held(marks, name)
            opened.append((marks, holds))
            options = holds in ("text", "formula")
        if holds in ("text", "formula"):
            lines[number] = ("$$" if holds == "formula" else "").ljust(len(line))
    return "\n".join(lines)


def _held(marks: str, name: str) -> str:
    """What is between such marks: text, a formula, code, or whatever it is by itself."""
    if name.rsplit(":", 1)[-1] in _OF_TEXT:
        return "text"
    if marks.startswith(":"):
        return "formula" if name == "math" else "itself"
    return "code"


# Block structure


@cache
def _parser() -> MarkdownIt:
    """markdown-it with tables and displayed formulas; what nests deeper than 40 levels is left unread."""
    parser = MarkdownIt("commonmark", {"maxNesting": 40}).enable("table").disable("reference")
    interrupts = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("code", "display", _display, {"alt": interrupts})
    return parser


def _tokens(source: str) -> list[Token]:
    """The blocks of a source; what is inside a paragraph is left alone."""
    parser = _parser()
    tokens: list[Token] = []
    parser.block.parse(source, parser, {"unclosed": {}}, tokens)
    return tokens


_OPENING = re.compile(rf"\$\$|\\\[|\\\\\[|\\begin\{{((?:{ENVIRONMENTS})\*?)\}}")
_CLOSING = {"$$": "$$", "\\[": "\\]", "\\\\[": "\\\\]"}


def _display(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A displayed formula over several lines: what stands in it is no list, heading or paragraph's end."""
    if state.is_code_block(start):
        return False
    opening = _OPENING.match(state.src, state.bMarks[start] + state.tShift[start], state.eMarks[start])
    if opening is None:
        return False
    closing = _CLOSING.get(opening.group()) or f"\\end{{{opening[1]}}}"
    if state.src.find(closing, opening.end(), state.eMarks[start]) >= 0:
        return False  # on one line it is part of its paragraph
    unclosed: dict[str, int] = state.env["unclosed"]
    if start < unclosed.get(closing, 0):
        return False
    for line in range(start + 1, end):
        if state.sCount[line] < state.blkIndent and not state.isEmpty(line):
            end = line
            break
        if state.src.find(closing, state.bMarks[line], state.eMarks[line]) >= 0:
            if not silent:
                state.line = line + 1
                token = state.push("display", "", 0)
                token.map = [start, state.line]
                token.content = state.getLines(start, state.line, state.blkIndent, False)
            return True
    unclosed[closing] = end
    return False


# From tokens to blocks

_FORMULAS = re.compile(r"(?:(?:\$[^$]+\$|`[^`]+`)[\s,.;=]*+)++")
_CODE = re.compile(
    r"[;{}]|\w\(\w*\)|\]\(|://|^\s*(?:(?:import|from|def|class|for|while|if|return|print|pip|python3?|git|cd|export|sudo"
    r"|torchrun|bash|npm|docker|srun|sbatch|mkdir)\b|#!|>>>|\$ |--?\w)|\s--\w",
    re.MULTILINE,
)  # what a fence with a program in it has
_SIGNS_OF_CODE = re.compile(r"[$`\\|<>@!?\[\]\"']|(?<!\w)#|\.(?:py|sh|json|yaml|toml)\b")
_BOLD = re.compile(r"\*\*[^*]+\*\*:?|__[^_]+__:?")  # a paragraph of bold letters is a heading
_IMAGE = re.compile(r"!\[[^\[\]]*+\]\([^()\s]*+\)")


@dataclass
class _Container:
    """The document, a quote or a list item: what introduces the blocks in it."""

    introduction: str = ""


@dataclass
class _Reader:
    source: str
    lines: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = [*line_starts(self.source), len(self.source) + 1]

    def blocks(self, tokens: list[Token]) -> Iterator[Block]:
        headings: list[tuple[int, str]] = []
        containers = [_Container()]
        path: tuple[str, ...] = ()
        for index, token in enumerate(tokens):
            kind = token.type
            if kind in ("list_item_open", "blockquote_open"):
                containers.append(_Container())
            elif kind in ("list_item_close", "blockquote_close"):
                containers.pop()
            elif kind == "hr":
                containers[-1].introduction = ""
            elif kind == "table_open":
                yield from self.table(tokens, index, path, self.lead(containers))
            elif kind == "html_block":
                text, start = self.in_place(token, token.content)
                yield Block("html", text, start, path, self.lead(containers[:-1]))
            elif kind == "fence" and token.info.strip().split(" ")[0] in ("math", "{math}", "latex-math"):
                yield from self.fence(token, path, self.lead(containers))
            elif (
                kind == "fence"
                and token.info.strip() in ("", "text", "txt", "plain")
                and not _CODE.search(token.content)
            ) or (kind == "code_block" and not _CODE.search(token.content)):
                yield from self.notes(token, path, self.lead(containers))
            elif kind == "display":
                text, start = self.in_place(token, token.content)
                yield Block("math", text, start, path, self.lead(containers))
            elif kind == "inline" and tokens[index - 1].type in ("paragraph_open", "heading_open"):
                text, start = self.in_place(token, token.content)
                words = " ".join(text.split())
                if tokens[index - 1].type == "heading_open":
                    depth = int(tokens[index - 1].tag[1:])
                    headings = [heading for heading in headings if heading[0] < depth]
                    yield Block("heading", text, start, tuple(words for _, words in headings))
                    headings.append((depth, words))
                    path = tuple(words for _, words in headings)
                    containers = [_Container() for _ in containers]
                    continue
                alone = _OPENING.match(words) is not None or _FORMULAS.fullmatch(words) is not None
                lead = self.lead(containers if alone else containers[:-1])
                yield Block("paragraph" if len(containers) == 1 else "item", text, start, path, lead)
                if _BOLD.fullmatch(words):
                    path = (*(title for _, title in headings), words.strip("*_ :"))
                words = _IMAGE.sub("", words).strip()
                if words and not (alone and containers[-1].introduction):
                    containers[-1].introduction = words

    def lead(self, containers: list[_Container]) -> tuple[str, ...]:
        return tuple(container.introduction for container in containers if container.introduction)

    def in_place(self, token: Token, content: str, skip: int = 0) -> tuple[str, int]:
        """What a token holds, as long as in the file: quote signs and bullets before its lines are blanks."""
        first = (token.map or [0, 0])[0] + skip
        parts: list[str] = []
        start = begin = self.lines[first]
        for number, line in enumerate(content.rstrip("\n").split("\n")):
            begin = self.lines[first + number]
            whole = self.source[begin : self.lines[first + number + 1] - 1]
            words = line.strip()
            at = whole.rfind(words) if words else len(whole)
            if number == 0:
                start = begin + at
                parts.append(words + " " * (len(whole) - at - len(words)))
            else:
                parts.append(" " * at + words + " " * (len(whole) - at - len(words)))
        return "\n".join(parts).rstrip(), start

    def fence(self, token: Token, path: tuple[str, ...], lead: tuple[str, ...]) -> Iterator[Block]:
        """A fence whose content is a formula: its own lines become dollars for `delimiters` to find."""
        if not token.content.strip():
            return
        first, last = token.map or (0, 1)
        inside, start = self.in_place(token, token.content, skip=1)
        opens = self.lines[first]
        opens += self.source[opens:start].find(token.markup)
        before = "$$" + re.sub(r"[^\n]", " ", self.source[opens + 2 : start])
        last_line = self.source[self.lines[last - 1] : self.lines[last] - 1]
        closed = last - first - 2 == token.content.count("\n") and token.markup in last_line
        after = ""
        if closed:
            closes = self.lines[last - 1] + last_line.rfind(token.markup)
            after = re.sub(r"[^\n]", " ", self.source[start + len(inside) : closes]) + "$$"
        yield Block("math", before + inside + after, opens, path, lead)

    def notes(self, token: Token, path: tuple[str, ...], lead: tuple[str, ...]) -> Iterator[Block]:
        """Sums in a fence of no language, or set in by four blanks: each line stands for itself."""
        for number in range(*(token.map or (0, 0))):
            line = self.source[self.lines[number] : self.lines[number + 1] - 1]
            words = line.strip()
            fenced = token.markup and words.startswith(token.markup)
            if words and not fenced and not _SIGNS_OF_CODE.search(words):
                yield Block("item", words, self.lines[number] + line.index(words), path, lead)

    def table(
        self, tokens: list[Token], at: int, path: tuple[str, ...], lead: tuple[str, ...]
    ) -> Iterator[Block]:
        columns: list[str] = []
        row: list[str] = []
        in_head, line, position = True, 0, 0
        for index in range(at + 1, len(tokens)):
            token = tokens[index]
            if token.type == "table_close":
                return
            if token.type == "tbody_open":
                in_head = False
            elif token.type == "tr_open":
                row, line = [], (token.map or [0, 0])[0]
                position = self.lines[line]
            elif token.type == "inline":
                words = token.content.replace("|", "\\|")
                row.append(token.content)
                if in_head:
                    columns.append(token.content)
                start = self.source.find(words, position, self.lines[line + 1])
                if not words or start < 0:
                    continue
                position = start + len(words)
                column = columns[len(row) - 1] if len(row) <= len(columns) else ""
                cell = Cell("" if in_head else column, "" if in_head or len(row) == 1 else row[0])
                yield Block("cell", words.replace("\\|", " |"), start, path, lead, cell)
