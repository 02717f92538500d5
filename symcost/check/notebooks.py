"""Documents in other clothes, read as Markdown or TeX: notebooks, reStructuredText, docstrings, TeX in several files."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from symcost.check.pieces import Origin, Pieces
from symcost.errors import UsageError

MOST_INPUTS = 64  # files that one TeX document may bring in
DEEPEST = 8  # \\input inside \\input
MOST_EXPANDED = 4 * 2**20  # characters of a TeX document with all that it brings in
MOST_CELLS = 5_000


def suffix(file: str) -> str:
    return PurePath(file).suffix.lower()


def taken_apart(text: str, file: str) -> tuple[Pieces, str]:
    """A document as pieces of Markdown, TeX or plain text, with the name by which it is to be read.

    >>> pieces, name = taken_apart("The scores take :math:`bhc^2`.", "notes.rst")
    >>> pieces.text, name
    ('The scores take       $bhc^2$.\\n', 'notes.rst.md')
    """
    reader = READERS.get(suffix(file))
    if reader is None:
        pieces = Pieces()
        pieces.add(text, Origin(file, 1, 1))
        return pieces, file
    read, ending = reader
    return read(text, file), f"{file}{ending}"


# ---------------------------------------------------------------------------------------------- notebooks


def notebook(text: str, file: str) -> Pieces:
    """Markdown cells as they are, and the comments of code cells; the file's name is followed by the cell's number."""
    import nbformat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is not ours to mend
            cells = nbformat.reads(text, as_version=4).cells
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        nbformat.ValidationError,
    ) as error:
        raise UsageError(f"{file}: expected a Jupyter notebook, found: {_first_line(error)}.") from None
    if len(cells) > MOST_CELLS:
        raise UsageError(
            f"{file}: expected at most {MOST_CELLS:,} cells, found {len(cells):,}. Split the notebook."
        )
    made = Pieces()
    for number, cell in enumerate(cells, 1):
        place = f"{file}:cell {number}"
        source = _HALF.sub("\N{REPLACEMENT CHARACTER}", cell.get("source", ""))
        if cell.get("cell_type") == "markdown":
            made.add(source, Origin(place, 1, 1))
        elif cell.get("cell_type") == "code":
            _comments(source, place, made)
        made.add("\n\n", Origin(place, max(source.count("\n") + 1, 1), 1, moved=True))
    return made


_HALF = re.compile("[\ud800-\udfff]")  # half a character, which JSON can write and no file can hold


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120].rstrip(".")


_COMMENT = re.compile(r"(?:^|(?<=\s))#+!?[ \t]?(?P<words>.*)$")


def _comments(source: str, place: str, made: Pieces, first: int = 1) -> None:
    """The comments of Python code, those that follow each other as one paragraph."""
    last = 0
    for line, column, words in _comments_of(source):
        if line != last + 1:
            made.add("\n", Origin(place, first + line - 1, column, moved=True))
        made.add(words, Origin(place, first + line - 1, column))
        made.add("\n", Origin(place, first + line - 1, column, moved=True))
        last = line


def _comments_of(source: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and words of each comment; where the code is no Python, by the sign # alone."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        for number, line in enumerate(source.split("\n"), 1):
            found = _COMMENT.search(line)
            if found:
                yield number, found.start("words") + 1, found["words"]
        return
    for token in tokens:
        if token.type == tokenize.COMMENT:
            words = token.string.lstrip("#!")
            kept = words.lstrip()
            yield token.start[0], token.start[1] + len(token.string) - len(kept) + 1, kept


# ------------------------------------------------------------------------------------------------- Python


def docstrings(text: str, file: str) -> Pieces:
    """The docstrings and comments of a Python file, in the order in which they stand."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is not ours to mend
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{file}: expected Python, found: {_first_line(error)}.") from None
    found: list[tuple[int, int, str]] = list(_comments_of(text))
    lines = text.split("\n")
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body
            first = body[0].value if body and isinstance(body[0], ast.Expr) else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found += _docstring(first, lines)
    made, last = Pieces(), 0
    for line, column, words in sorted(found):
        if line != last + 1:
            made.add("\n", Origin(file, line, column, moved=True))
        made.add(words, Origin(file, line, column))
        made.add("\n", Origin(file, line, column, moved=True))
        last = line
    return _restructured(made)


def _docstring(node: ast.Constant, lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """The lines of a docstring without its quotes and indentation; examples (>>>) are left out."""
    last = node.end_lineno or node.lineno
    for number in range(node.lineno, last + 1):
        line = lines[number - 1]
        if number == last:
            line = (
                re.sub(r"(?:\"\"\"|'''|\"|').*\Z", "", line[: node.end_col_offset])
                if number != node.lineno
                else line
            )
        start = 0
        if number == node.lineno:
            opened = re.compile(r"[rRuUbBfF]*(?:\"\"\"|'''|\"|')").match(line, node.col_offset)
            start = opened.end() if opened else node.col_offset
            line = re.sub(r"(?:\"\"\"|'''|\"|')\s*\Z", "", line) if number == last else line
        words = line[start:]
        kept = words.lstrip()
        yield number, start + len(words) - len(kept) + 1, "" if kept.startswith((">>>", "...")) else kept


# --------------------------------------------------------------------------------------- reStructuredText

_ROLE = re.compile(r":math:`([^`]*)`")
_DIRECTIVE = re.compile(r"\.\. math::[ \t]*(?P<body>.*)$")


def restructured(text: str, file: str) -> Pieces:
    """The roles `:math:` and the directives `.. math::` as Markdown writes formulas."""
    made = Pieces()
    made.add(text, Origin(file, 1, 1))
    return _restructured(made)


def _restructured(read: Pieces) -> Pieces:
    """The same lines with other delimiters and without their indentation; literal blocks are left out."""
    made = Pieces()
    formula: int | None = None  # indentation of the directive that is open
    literal: int | None = None  # indentation of the line that ends in ::
    begun = apart = (
        False  # whether the formula has begun, and whether a blank line sets another one apart from it
    )
    place = ("", 1, 1)
    for number, line in enumerate(read.text.split("\n"), 1):
        words = line.lstrip()
        indent = len(line) - len(words)
        place = read.place(number, indent + 1) if read.origins else place
        origin, added = Origin(*place), Origin(*place, moved=True)
        if words and formula is not None and indent <= formula:
            made.add("$$\n\n", added)
            formula = None
        if words and literal is not None and indent <= literal:
            literal = None
        directive = _DIRECTIVE.match(words) if formula is None and literal is None else None
        if directive:
            formula = indent
            made.add("\n$$\n", added)
            made.add(directive["body"], Origin(place[0], place[1], place[2] + directive.start("body")))
            made.add("\n" if directive["body"] else "", added)
            begun, apart = bool(directive["body"]), False
        elif formula is not None and not words:
            apart = begun
        elif literal is not None or (formula is not None and re.match(r":\w+:", words)):
            continue
        else:
            if formula is not None:
                made.add("$$\n\n$$\n" if apart else "", added)
                begun, apart = True, False
            literal = indent if words.rstrip().endswith("::") and formula is None else literal
            made.add(_ROLE.sub(lambda role: f"{'$':>7}{role[1]}$", words), origin)
            made.add("\n", added)
    if formula is not None:
        made.add("$$\n", Origin(*place, moved=True))
    return made


# ---------------------------------------------------------------------------------------------------- TeX

_INPUT = re.compile(r"(?<!\\)\\(?:input|include|subfile)\s*\{([^{}\n]{1,200})\}")
_BODY = r"\{((?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\}){0,120})\}"
_NEW_COMMAND = re.compile(
    rf"\\(?:newcommand|renewcommand|providecommand)\*?\s*\{{?\\([A-Za-z]+)\}}?\s*{_BODY}"
    rf"|\\def\s*\\([A-Za-z]+)\s*{_BODY}"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)")


def tex(text: str, file: str) -> Pieces:
    r"""A TeX document with the files that it brings in, and with plain abbreviations written out.

    Files are looked for beside the document and below, nowhere else. `\newcommand{\seq}{s}` is an abbreviation;
    commands with arguments, and those that speak of others of their own, stay as they are.
    """
    made = Pieces()
    _Tex(Path(file).parent, made).read(text, file, 0)
    return made


class _Tex:
    """One document being put together: its folder, the abbreviations met so far, how much was read."""

    def __init__(self, folder: Path, made: Pieces) -> None:
        self.folder, self.made = folder, made
        self.short: dict[str, str] = {}
        self.inputs = 0

    def read(self, text: str, file: str, depth: int) -> None:
        position, line, column = 0, 1, 1
        lines = [0]
        lines += [found.end() for found in re.finditer("\n", text)]
        for found in re.finditer(f"{_INPUT.pattern}|{_NEW_COMMAND.pattern}|{_COMMAND.pattern}", text):
            name, defined = found[1], found[2] or found[4]
            line, column = _line_of(lines, found.start())
            if name is not None:
                inner = self._file(name) if depth < DEEPEST and not _commented(text, found.start()) else None
                if inner is None:
                    continue
                self._verbatim(text, position, found.start(), file, lines)
                self.made.add("\n", Origin(file, line, column, moved=True))
                self.read(inner[1], inner[0], depth + 1)
                position = found.end()
            elif defined is not None:
                body = (found[3] if found[2] else found[5]) or ""
                if f"\\{defined}" not in body and "#" not in body:
                    self.short[defined] = body
                self._verbatim(text, position, found.start(), file, lines)
                position = found.end()
            elif found[6] in self.short:
                self._verbatim(text, position, found.start(), file, lines)
                self.made.add(self._opened(found[6]), Origin(file, line, column, moved=True))
                position = found.end()
            if self.made.length > MOST_EXPANDED:
                raise UsageError(
                    f"{file}: expected at most {MOST_EXPANDED:,} characters with all that it brings in, found more. Split it."
                )
        self._verbatim(text, position, len(text), file, lines)

    def _opened(self, name: str) -> str:
        """What an abbreviation stands for, with those in it written out, a few deep."""
        form = f"\\{name}"
        for _ in range(4):
            form = _COMMAND.sub(lambda found: self.short.get(found[1], found[0]), form)
            if len(form) > 2_000:
                return self.short[name]
        return f"{{{form}}}" if re.search(r"[+\-]", form) else f" {form} " if form[-1:].isalpha() else form

    def _verbatim(self, text: str, start: int, end: int, file: str, lines: list[int]) -> None:
        if end > start:
            self.made.add(text[start:end], Origin(file, *_line_of(lines, start)))

    def _file(self, name: str) -> tuple[str, str] | None:
        """The file of that name inside the document's folder, and its text; None where there is none to read."""
        self.inputs += 1
        if self.inputs > MOST_INPUTS or "\0" in name:
            return None
        for candidate in (self.folder / name.strip(), self.folder / f"{name.strip()}.tex"):
            try:
                inside = candidate.resolve().is_relative_to(self.folder.resolve())
                if inside and candidate.is_file() and candidate.stat().st_size <= MOST_EXPANDED:
                    return str(candidate), candidate.read_text(encoding="utf-8", errors="strict")
            except (OSError, ValueError, RuntimeError):
                continue
        return None


def _line_of(lines: list[int], position: int) -> tuple[int, int]:
    from symcost.check.documents import place

    return place(lines, position)


def _commented(text: str, position: int) -> bool:
    start = text.rfind("\n", 0, position) + 1
    return re.search(r"(?<!\\)%", text[start:position]) is not None


READERS: dict[str, tuple[Callable[[str, str], Pieces], str]] = {
    ".ipynb": (notebook, ".md"),
    ".rst": (restructured, ".md"),
    ".py": (docstrings, ".md"),
    ".tex": (tex, ".tex"),
    ".ltx": (tex, ".tex"),
}
