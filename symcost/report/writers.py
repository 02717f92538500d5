"""Writers: a document in one format. A format is a folder of templates and a way to escape what users wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from symcost.errors import UnknownName, nearest
from symcost.report.document import Code, Document, Inline, Line, Math, Strong


@dataclass(frozen=True)
class Format:
    """One way to write a document: its file's ending, its folder of templates, and how a piece is written."""

    name: str
    suffix: str
    inline: Callable[[Inline], str]
    autoescape: bool = False


_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|$~])")


def _markdown(piece: Inline) -> str:
    match piece:
        case Math(latex):
            return f"${latex}$"
        case Code(text):
            return "`" + text.replace("`", "'").replace("|", "\\|") + "`"
        case Strong(text):
            return f"**{_markdown(text)}**"
        case _:
            return _MARKDOWN_SIGNS.sub(r"\\\1", piece)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {each.name: each for each in (Format("md", ".md", _markdown),)}
)


def format_of(name: str) -> Format:
    """The format of that name. Raises UnknownName with the nearest."""
    if name not in FORMATS:
        raise UnknownName(f"'{name}' is not a format. {nearest(name, FORMATS)}")
    return FORMATS[name]


def write(document: Document, to: str = "md", **more: Any) -> str:
    """The document's text in a format: the same input gives the same bytes."""
    chosen = format_of(to)
    text = _environment(to).get_template(f"document{chosen.suffix}.j2").render(document=document, **more)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _environment(name: str) -> Environment:
    chosen = FORMATS[name]
    environment = Environment(
        loader=PackageLoader("symcost.report", f"templates/{name}"),
        undefined=StrictUndefined,
        autoescape=chosen.autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def write_line(pieces: Line | str) -> str:
        return chosen.inline(pieces) if isinstance(pieces, str) else "".join(chosen.inline(piece) for piece in pieces)

    environment.filters["line"] = write_line
    return environment
