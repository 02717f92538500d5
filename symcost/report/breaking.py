"""Long formulas in lines: how wide one is, where it may be broken, and forms below each other."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NO_WIDTH = re.compile(
    r"\\(?:left|right|bigl|bigr|mathrm|text|textstyle|operatorname|quad)\b ?|\\[,;!]|[{}^_]"
)
SIGNS = {"=": "=", "≈": r"\approx"}


def aligned(name: str, forms: Sequence[str], sign: str = "=", room: int = 1000) -> str:
    r"""A name and the forms it equals below each other, aligned at the sign, none wider than `room` signs.

    >>> aligned("N", ["4d^2", "64"])
    'N &= 4d^2 \\\\\n&= 64'
    """
    rows = []
    for place, form in enumerate(forms):
        first, *rest = broken(form, room - (0 if place else width(name)))
        start = f"{name} &{SIGNS[sign]}" if not place else "&="
        rows += [f"{start} {first}", *(rf"&\quad{{}}{line}" for line in rest)]
    return " \\\\\n".join(rows)


def width(latex: str) -> int:
    r"""About how many signs wide a formula is on paper: a command is one, a plus or minus with its space two.

    >>> width(r"\left(16d^2+2d\right)"), width(r"\frac{M-x}{y}")
    (10, 4)
    """
    signs = re.sub(r"\\[A-Za-z]+ ?", "x", _NO_WIDTH.sub("", _flat(latex)))
    return len(signs) + signs.count("+") + signs.count("-")


def _flat(latex: str) -> str:
    """Fractions as their wider side."""
    while found := re.search(r"\\frac\{", latex):
        above, end = _group(latex, found.end() - 1)
        below, end = _group(latex, end)
        latex = latex[: found.start()] + max(above, below, key=width) + latex[end:]
    return latex


def _group(latex: str, start: int) -> tuple[str, int]:
    """What stands in the braces that open at `start`, and where they have closed."""
    depth = 0
    for at in range(start, len(latex)):
        depth += {"{": 1, "}": -1}.get(latex[at], 0)
        if not depth:
            return latex[start + 1 : at], at + 1
    return latex[start + 1 :], len(latex)


def broken(latex: str, room: int) -> list[str]:
    r"""A formula in lines of at most `room` signs where it can be broken, which is at the signs of its sums.

    Outer sums are broken before inner ones; the brackets of a sum that is broken keep one size.

    >>> broken(r"L\left(a+b\right)+\left(c+d\right)", 9)
    ['L\\left(a+b\\right)', '+\\left(c+d\\right)']
    """
    if width(latex) <= room:
        return [latex]
    for depth in range(5):
        lines = _filled(_pieces(latex, depth), room)
        if all(width(line) <= room for line in lines):
            return [_same_size(line) for line in lines] if depth else lines
    on_one_line = _without_fraction(latex)
    if on_one_line != latex:
        return broken(on_one_line, room)
    return [_same_size(line) for line in lines]


def _without_fraction(latex: str) -> str:
    """The widest fraction as a quotient on one line, which can be broken; brackets around keep their size."""
    starts = [found.end() - 1 for found in re.finditer(r"\\frac\{", latex)]
    if not starts:
        return latex
    start = max(starts, key=lambda at: width(r"\frac" + latex[at:]))
    above, end = _group(latex, start)
    below, end = _group(latex, end)
    sides = [part if width(part) == 1 else rf"\left({part}\right)" for part in (above, below)]
    line = f"{latex[: start - 5]}{'/'.join(sides)}{latex[end:]}"
    return re.sub(r"\\(?:left|right)(\\([lr])(?:floor|ceil))", r"\\big\2\1", line)


def _pieces(latex: str, depth: int) -> list[str]:
    """The formula cut before each + and −, and after each comma, at most `depth` round brackets deep."""
    pieces, start, braces, brackets, at = [], 0, 0, 0, 0
    while at < len(latex):
        if latex.startswith((r"\left", r"\right"), at):
            opens = latex.startswith(r"\left", at)
            at += 5 if opens else 6
            if latex[at] in "()":
                brackets += 1 if opens else -1
            else:
                braces += 1 if opens else -1
        elif latex[at] == "\\":
            at += 1
        elif latex[at] in "{}":
            braces += 1 if latex[at] == "{" else -1
        elif latex[at] in "()":
            brackets += 1 if latex[at] == "(" else -1
        elif latex[at] in "+-" and not braces and brackets <= depth and latex[start:at].strip():
            pieces.append(latex[start:at])
            start = at
        elif latex[at] == "," and not braces and brackets <= depth:
            pieces.append(latex[start : at + 1])
            start = at + 1
        at += 1
    return [*pieces, latex[start:]]


def _filled(pieces: Sequence[str], room: int) -> list[str]:
    lines: list[str] = []
    for piece in pieces:
        if lines and width(lines[-1] + piece) <= room:
            lines[-1] += piece
        else:
            lines.append(piece)
    return lines


def flowing(latex: str) -> str:
    r"""A formula that TeX may break in a narrow column: no brackets that stretch, and room after a comma.

    >>> flowing(r"\max\left(b,c+1{,}024\right)")
    '\\max(b,\\allowbreak{}c+1{,}024)'
    """
    plain = latex.replace(r"\left(", "(").replace(r"\right)", ")")
    return re.sub(r"(?<![{\\]),", r",\\allowbreak{}", plain)


def _same_size(line: str) -> str:
    """A line in which round brackets may stay open: none of them stretches."""
    return line.replace(r"\left(", r"\bigl(").replace(r"\right)", r"\bigr)")
