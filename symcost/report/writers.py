"""Writers: a document in one format.

A format is a folder of templates: `document.<ending>.j2` writes the document, and its ending says how what
users wrote is escaped. No templates are a notebook (JSON), a PDF, and the terminal, whose tables rich sets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from symcost.errors import UnknownName, UsageError, nearest
from symcost.report import escaping, slides
from symcost.report.blocks import Break, Document, Equation, Line, Substitution, Table
from symcost.report.breaking import aligned, flowing

ESCAPES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "md": escaping.markdown,
        "qmd": escaping.markdown,
        "tex": escaping.tex,
        "html": escaping.html,
        "txt": str,
    }
)
_TEMPLATE = re.compile(r"document((?:\.[a-z0-9]+)+)\.j2\Z")


@dataclass(frozen=True)
class Format:
    """One way to write a document: its name, the ending of its files, and what writes it."""

    name: str
    suffix: str
    write: Callable[[Document], str | bytes]


def _from_folder(name: str, suffix: str, folder: Path | None = None) -> Format:
    return Format(name, suffix, lambda document: _rendered(document, name, suffix, folder))


def _rendered(document: Document, name: str, suffix: str, folder: Path | None) -> str:
    template = f"document{suffix}.j2"
    try:
        text = _environment(suffix.rsplit(".", 1)[-1], folder).get_template(
            template if folder else f"{name}/{template}"
        ).render(document=document)  # fmt: skip
    except Exception as error:  # a template of the user's own may fail in any way
        if folder is None:
            raise
        raise UsageError(f"{folder / template}: expected a template that renders, found: {error}.") from None
    return re.sub(r"[ \t]+\n", "\n", re.sub(r"\n\s*\n\s*\n+", "\n\n", text)).strip() + "\n"


def _pdf(document: Document) -> bytes:
    from symcost.report.pdf import compiled

    files = {f"{picture.name}.pdf": picture.drawn("pdf") for picture in document.pictures}
    return compiled(str(FORMATS["tex"].write(document)), files)


def _notebook(document: Document) -> str:
    from symcost.report.notebook import notebook

    return notebook(document)


def _terminal(document: Document) -> str:
    from symcost.report.terminal import terminal

    return terminal(document)


def _formats() -> Mapping[str, Format]:
    """Every folder of templates, in the order of the alphabet, then those that are no templates."""
    found = []
    for folder in sorted(
        resources.files("symcost.report").joinpath("templates").iterdir(), key=lambda each: each.name
    ):
        names = (
            [match for each in folder.iterdir() if (match := _TEMPLATE.match(each.name))]
            if folder.is_dir()
            else []
        )
        found += [_from_folder(folder.name, names[0][1])] if names else []
    found += [
        Format("pdf", ".pdf", _pdf),
        Format("ipynb", ".ipynb", _notebook),
        Format("text", ".txt", _terminal),
    ]
    return MappingProxyType({each.name: each for each in found})


FORMATS: Mapping[str, Format] = _formats()


def format_of(name: str, templates: str | Path | None = None) -> Format:
    """The format of that name; `templates` is a folder with templates of the user's own for it.

    Such a folder holds one `document.<ending>.j2`; it is rendered in a sandbox and may import symcost's own
    templates ("md/pieces.j2"). Raises UnknownName, and UsageError for a folder without a template.
    """
    if templates is not None:
        return _of_user(name, Path(templates))
    if name not in FORMATS:
        raise UnknownName(f"'{name}' is not a format. {nearest(name, FORMATS)}")
    return FORMATS[name]


def format_of_file(file: str | Path) -> Format:
    """The format that a file's ending asks for, the longest that there is. Raises UsageError.

    >>> format_of_file("talk.marp.md").name, format_of_file("notes.md").name
    ('marp', 'md')
    """
    fitting = [each for each in FORMATS.values() if str(file).endswith(each.suffix)]
    if not fitting:
        known = ", ".join(each.suffix for each in FORMATS.values())
        raise UsageError(f"{file}: expected a name that ends in one of {known}, found none of them.")
    return max(fitting, key=lambda each: len(each.suffix))


def _of_user(name: str, folder: Path) -> Format:
    known = ", ".join(f"document.{ending}.j2" for ending in ESCAPES)
    if not folder.is_dir():
        raise UsageError(f"{folder}: expected a folder with one of {known}, found none.")
    names = [match for each in sorted(folder.iterdir()) if (match := _TEMPLATE.match(each.name))]
    if len(names) != 1 or names[0][1].rsplit(".", 1)[-1] not in ESCAPES:
        raise UsageError(f"{folder}: expected one template, {known}, found {len(names) or 'none'}.")
    return _from_folder(name, names[0][1], folder)


def write(document: Document, to: str = "md", templates: str | Path | None = None) -> str | bytes:
    """The document in a format, text or (PDF) bytes: the same input gives the same bytes."""
    return format_of(to, templates).write(document)


# ------------------------------------------------------------------------------------ templates


_SIGNS_OF_TEX = {  # Jinja's own would meet those of TeX
    "variable_start_string": "<<",
    "variable_end_string": ">>",
    "block_start_string": "<%",
    "block_end_string": "%>",
    "comment_start_string": "<#",
    "comment_end_string": "#>",
}


@cache
def _environment(ending: str, folder: Path | None) -> Environment:
    """Templates for one ending: whatever they print is escaped, unless a filter or macro has made it safe."""
    escape = ESCAPES[ending]

    def escaped(value: Any) -> Any:
        return value if isinstance(value, Markup) or value is None else Markup(escape(str(value)))

    own = PackageLoader("symcost.report", "templates")
    settings: dict[str, Any] = _SIGNS_OF_TEX if ending == "tex" else {}
    environment = (_Sandbox if folder else Environment)(
        loader=ChoiceLoader([FileSystemLoader(folder), own]) if folder else own,
        undefined=StrictUndefined,
        autoescape=True,
        finalize=escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **settings,
    )
    environment.filters |= {
        "code_span": lambda text, bar="|": Markup(escaping.markdown_code(text, bar)),
        "texttt": lambda text: Markup(escaping.tex_code(text)),
        "yaml": lambda text: Markup(escaping.yaml(text)),
        "mathml": lambda latex, display=False: Markup(escaping.mathml(latex, display)),
        "aligned": _aligned,
        "lettered": _lettered,
        "latex": lambda math: Markup(math.latex),
        "flowing": lambda math: Markup(flowing(math.latex)),
        "in_slides": slides.slides,
        "column_widths": _column_widths,
        "anchor": _anchor,
        "page": _page,
        "latex_path": Markup,
    }
    return environment


def _page(document: Document) -> Any:
    from symcost.report.live import page

    return page(document)


def _aligned(block: Equation | Substitution, room: int) -> Markup:
    return Markup(aligned(block.name.latex, [form.latex for form in block.forms], block.sign, room))


def _lettered(block: Equation | Substitution, room: int) -> int:
    """How many lines of `aligned` are in letters."""
    letters = block.letters if isinstance(block, Substitution) else block.forms
    return aligned(block.name.latex, [form.latex for form in letters], block.sign, room).count("&")


PAPER = 100  # signs that a line of a table holds on paper
NARROW = 14  # signs that a column of words needs at least


def _column_widths(table: Table) -> Markup:
    """LaTeX's columns: as wide as they need where all fit, else what may be long shares what is left.

    A column in which lines are broken has a width of its own in any case.
    """
    columns = range(len(table.columns))
    needed = [
        1.0 + max(1.1 * len(table.columns[at]), *(slides.long(row[at]) for row in table.rows))
        for at in columns
    ]
    room = PAPER - 2.4 * len(needed)
    shared = {at for at in columns if table.align[at] == "w"} if sum(needed) > room else set()
    while sum(needed) > room and len(shared) < len(needed):
        alone = sum(needed[at] for at in columns if at not in shared)
        if shared and (room - alone) / len(shared) >= NARROW:
            break
        shared.add(max((at for at in columns if at not in shared), key=needed.__getitem__))
    left = room - sum(needed[at] for at in columns if at not in shared)
    wanted = sum(needed[at] for at in shared)
    widths = {at: left * needed[at] / wanted for at in shared}
    widths |= {
        at: needed[at] for at in columns if at not in shared and any(Break() in row[at] for row in table.rows)
    }
    kinds = {"r": "left", "l": "right", "w": "right"}
    return Markup("".join(
        rf">{{\ragged{kinds[align]}\arraybackslash}}p{{{widths[at] / PAPER:.3f}\linewidth}}" if at in widths
        else "r" if align == "r" else "l"
        for at, align in enumerate(table.align)
    ))  # fmt: skip


def pieces(macro: str) -> Callable[[Line], str]:
    """A macro of Markdown's pieces as a function: for a notebook's cells."""
    module = _environment("md", None).get_template("md/pieces.j2").module
    return lambda line: str(getattr(module, macro)(line)).strip()


def _anchor(line: Any) -> str:
    """A name for a heading that addresses may hold."""
    words = "".join(piece if isinstance(piece, str) else getattr(piece, "text", "") for piece in line)
    return "-".join(re.findall(r"[a-z0-9]+", words.lower()))


LONGEST = 1000


class _Sandbox(ImmutableSandboxedEnvironment):
    """A sandbox that also refuses long products of strings, and powers: both fill memory in one step."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("a power is not allowed here")
        size = max((_size(side) for side in (left, right)), default=0)
        if size > LONGEST and not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"more than {LONGEST} signs by one multiplication are not allowed here")
        return super().call_binop(context, operator, left, right)


def _size(side: Any) -> float:
    return side if isinstance(side, int | float) else len(side)
