"""The terminal: tables set by rich, formulas in plain signs aligned at the sign, the model as a tree."""

from __future__ import annotations

from io import StringIO
from textwrap import wrap

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from symcost.report.blocks import (
    Block,
    Break,
    Bullets,
    Code,
    Document,
    Equation,
    Line,
    Math,
    Strong,
    Substitution,
    Table,
)
from symcost.report.escaping import plain

WIDTH = 100


def terminal(document: Document, width: int = WIDTH, color: bool = False) -> str:
    """The document as text, `width` signs wide; `color` adds a terminal's colours."""
    out = StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, color_system="standard" if color else None,
        highlight=False, force_jupyter=False,
        legacy_windows=False, markup=False, emoji=False,
    )  # fmt: skip
    console.print(Text(plain(document.title), style="bold"))
    console.print(plain(document.subtitle))
    for section in document.sections:
        title = _line(section.title)
        title.stylize("bold")
        console.print()
        console.print(title)
        console.print(("=" if section.level == 2 else "-") * min(title.cell_len, width))
        for block in section.blocks:
            console.print()
            _print(console, block, width)
    return "\n".join(row.rstrip() for row in out.getvalue().splitlines()) + "\n"


def _print(console: Console, block: Block, width: int) -> None:
    match block:
        case Table():
            console.print(_table(block))
        case Equation() | Substitution():
            console.print(Text("\n".join(_forms(block, width)), style="cyan"))
        case Bullets(lines=lines):
            for line in lines:
                rows = wrap(_line(line).plain, width - 2)
                console.print("\n".join(f"{'- ' if not at else '  '}{row}" for at, row in enumerate(rows)))
        case _:
            text = _line(block.line)
            if block.kind == "warning":
                text = Text("! ") + text
            console.print(text)


def _table(block: Table) -> RichTable:
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for at, (column, align) in enumerate(zip(block.columns, block.align, strict=True)):
        tree = bool(block.indent) and not at  # a branch must not be broken
        table.add_column(
            plain(column), justify="right" if align == "r" else "left", overflow="fold", no_wrap=tree
        )
    for row, branch in zip(block.rows, _branches(block), strict=True):
        first, *others = (_line(cell) for cell in row)
        table.add_row(Text(branch) + first, *others)
    return table


def _branches(block: Table) -> list[str]:
    """The lines of the tree before each row's first cell."""
    if not block.indent:
        return [""] * len(block.rows)
    branches = []
    for at, depth in enumerate(block.indent):
        below = block.indent[at + 1 :]
        # a level goes on where a later row stands at it before any row stands above it
        goes_on = [any(other == level and min(below[: here + 1]) >= level for here, other in enumerate(below))
                   for level in range(1, depth + 1)]  # fmt: skip
        lines = "".join("│  " if more else "   " for more in goes_on[:-1])
        branches.append(lines + ("├─ " if goes_on[-1] else "└─ ") if depth else "")
    return branches


def _forms(block: Equation | Substitution, width: int) -> list[str]:
    """A name and its forms, aligned at the sign; a long form is broken before its signs."""
    start = f"  {block.name.text} "
    rows = []
    for at, form in enumerate(block.forms):
        sign = block.sign if not at else "="
        before = start if not at else " " * len(start)
        first, *rest = _broken(form.text, width - len(start) - 2)
        rows += [f"{before}{sign} {first}", *(f"{' ' * len(start)}    {row}" for row in rest)]
    return rows


def _broken(text: str, room: int) -> list[str]:
    """A formula in lines, broken before a sign between its terms."""
    pieces = text.replace(" + ", "\n+ ").replace(" − ", "\n− ").replace(" - ", "\n- ").split("\n")
    rows: list[str] = []
    for piece in pieces:
        if rows and len(rows[-1]) + 1 + len(piece) <= room - 4:
            rows[-1] += f" {piece}"
        else:
            rows.append(piece)
    return rows


def _line(line: Line) -> Text:
    text = Text()
    for piece in line:
        match piece:
            case Math(text=signs):
                text.append(plain(signs), style="cyan")
            case Code(text=code):
                text.append(plain(code), style="green")
            case Strong(text=words):
                text.append(plain(words), style="bold")
            case Break():
                text.append("\n")
            case _:
                text.append(plain(piece))
    return text
