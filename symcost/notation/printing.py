"""Prints a closed form as a lecturer writes it: LaTeX, plain text or code, in letters or in numbers.

The form is first put in order (`arranging`), then written by one of four pens that only know signs.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from html.entities import name2codepoint
from itertools import pairwise
from typing import Any, NamedTuple

from sympy import Expr, Symbol

from symcost.notation.arranging import (
    Call,
    Group,
    Letter,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Root,
    Sum,
    arranged,
    terms,
    times,
)
from symcost.notation.numbers import Exact, Style, written_out
from symcost.notation.vocabulary import JOINING
from symcost.symbols import GLOSSARY, NOTATIONS, Notation

__all__ = ["code", "javascript", "latex", "latex_name", "substituted", "terms", "text"]

SUM, SLASH, PRODUCT, POWER, ATOM = range(5)  # how tightly a piece holds together
MILLION = "M"  # right after a number it would not read as the memory limit


class Piece(NamedTuple):
    """A part of the line: its signs, how tightly they hold, and the edges its neighbours in a product meet.

    An edge is `digits`, `letter`, `word`, `bracket`, `fraction`, `root` or `open` (what follows would
    join it).
    """

    signs: str
    level: int = ATOM
    left: str = "bracket"
    right: str = "bracket"


class Pen(ABC):
    """Writes a tree. `values` puts numbers in place of letters, `display` any words; styles differ below."""

    plus, minus, lead = "+", "-", "-"
    separator = ","
    point_out_groups = True

    def __init__(
        self,
        notation: Notation | None = None,
        values: Mapping[Any, Exact] | None = None,
        display: Mapping[Any, str] | None = None,
    ) -> None:
        self.letters = (notation or NOTATIONS["lecture"]).letters
        self.values = values or {}
        self.display = display or {}
        self.writes: dict[type, Callable[[Any], Piece]] = {
            Sum: self.sum,
            Group: self.group,
            Product: self.product,
            Quotient: self.quotient,
            Power: self.power,
            Root: self.root,
            Call: self.call,
            Letter: self.letter,
            Number: lambda node: self.number(node.value),
        }

    def write(self, node: Node, level: int = SUM) -> Piece:
        """The piece for `node`, in brackets if it holds less tightly than `level`."""
        piece = self.writes[type(node)](node)
        return piece if piece.level >= level else Piece(self.brackets(piece.signs))

    def sum(self, node: Sum) -> Piece:
        signs = ""
        for negative, item in node.items:
            sign = (self.minus if negative else self.plus) if signs else self.lead if negative else ""
            if isinstance(item, Group) and not (negative or self.point_out_groups):
                signs += sign + self.sum(item.inside).signs
            else:
                signs += sign + self.write(item, SLASH).signs
        return Piece(signs, SUM)

    def group(self, node: Group) -> Piece:
        return Piece(self.brackets(self.sum(node.inside).signs))

    def product(self, node: Product) -> Piece:
        pieces = [self.write(factor, PRODUCT) for factor in node.factors]
        signs = pieces[0].signs
        for before, piece in pairwise(pieces):
            signs += self.joint(before, piece, signs) + piece.signs
        return Piece(signs, PRODUCT, pieces[0].left, pieces[-1].right)

    def letter(self, node: Letter) -> Piece:
        """A letter, or what stands in its place."""
        if node.symbol in self.display:
            return Piece(self.display[node.symbol], POWER, "digits", "digits")
        if node.symbol not in self.values:
            return self.name(self.letters.get(node.symbol.name, node.symbol.name))
        value = Fraction(self.values[node.symbol])
        short = written_out(value, places=6)
        if short is None:
            return self.number(value)
        return Piece(self.thousands(short), ATOM if value >= 0 else SUM, "digits", "digits")

    def listed(self, node: Call) -> str:
        return self.separator.join(self.write(argument).signs for argument in node.arguments)

    def brackets(self, inside: str) -> str:
        return f"({inside})"

    def thousands(self, number: str) -> str:
        return number

    # What a style says.

    @abstractmethod
    def name(self, name: str) -> Piece: ...

    @abstractmethod
    def number(self, value: Exact) -> Piece: ...

    @abstractmethod
    def joint(self, left: Piece, right: Piece, before: str) -> str:
        """The sign between two factors; `before` is all that is written so far."""

    @abstractmethod
    def power(self, node: Power) -> Piece: ...

    @abstractmethod
    def quotient(self, node: Quotient) -> Piece: ...

    @abstractmethod
    def root(self, node: Root) -> Piece: ...

    @abstractmethod
    def call(self, node: Call) -> Piece: ...


class Latex(Pen):
    """The signs of LaTeX."""

    def brackets(self, inside: str) -> str:
        return rf"\left({inside}\right)"

    def thousands(self, number: str) -> str:
        return number.replace(",", "{,}")

    def name(self, name: str) -> Piece:
        signs = latex_name(name)
        edge = "word" if signs.startswith(r"\mathrm") else "letter"
        return Piece(signs, ATOM, edge, edge)

    def number(self, value: Exact) -> Piece:
        if value.denominator == 1:
            return Piece(str(value), ATOM, "digits", "digits")
        return Piece(rf"\frac{{{value.numerator}}}{{{value.denominator}}}", POWER, "fraction", "fraction")

    def joint(self, left: Piece, right: Piece, before: str) -> str:
        runs_together = right.signs == MILLION or right.left == "fraction"
        if right.left == "digits" or (left.right in ("digits", "fraction") and runs_together):
            sign = r"\cdot"
        elif "word" in (left.right, right.left):
            sign = r"\,"
        else:
            sign = ""
        runs_on = right.signs[0].isalpha() and _COMMAND_AT_END.search(sign or before)
        return sign + " " if runs_on else sign

    def power(self, node: Power) -> Piece:
        base = self.write(node.base, ATOM)
        exponent = self.write(node.exponent).signs
        if isinstance(node.exponent, Number) and isinstance(node.exponent.value, Fraction):
            exponent = str(node.exponent.value)
        above = exponent if len(exponent) == 1 else f"{{{exponent}}}"
        return Piece(f"{base.signs}^{above}", POWER, base.left, base.right)

    def quotient(self, node: Quotient) -> Piece:
        above, below = self.write(node.above).signs, self.write(node.below).signs
        return Piece(rf"\frac{{{above}}}{{{below}}}", POWER, "fraction", "fraction")

    def root(self, node: Root) -> Piece:
        return Piece(rf"\sqrt{{{self.write(node.inside).signs}}}", POWER)

    def call(self, node: Call) -> Piece:
        inside = self.listed(node)
        if not node.arguments:
            return self.name(node.function)
        if node.function in ("floor", "ceil"):
            space = " " if inside[0].isalpha() else ""
            return Piece(rf"\left\l{node.function}{space}{inside}\right\r{node.function}")
        if node.function == "exp":
            return Piece(f"e^{{{inside}}}", POWER, "letter", "letter")
        command = rf"\{node.function}" if node.function in ("max", "min", "log") else ""
        return Piece((command or rf"\operatorname{{{node.function}}}") + self.brackets(inside), ATOM, "word")


_COMMAND_AT_END = re.compile(r"\\[A-Za-z]+\Z")

GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|"
    "omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)


@lru_cache(maxsize=512)
def latex_name(name: str) -> str:
    r"""A name in LaTeX: one letter as it is, more in roman, what follows the first `_` as a subscript.

    >>> latex_name("n_ctx"), latex_name("N_p"), latex_name("Psi"), latex_name("price")
    ('n_{\\mathrm{ctx}}', 'N_p', '\\Psi', '\\mathrm{price}')
    """
    if name in GLOSSARY and GLOSSARY[name].latex:
        return GLOSSARY[name].latex
    base, _, below = (name, "", "") if name.endswith("_") else name.partition("_")
    start = base if len(base) == 1 else f"\\{base}" if GREEK.fullmatch(base) else _roman(base)
    if len(below) < 2:
        return f"{start}_{below}" if below else start
    return f"{start}_{{{below if below.isdigit() else _roman(below)}}}"


def _roman(word: str) -> str:
    escaped = word.replace("_", r"\_").replace("−", "-").replace(" ", r"\ ")
    return rf"\mathrm{{{escaped}}}"


class OneLine(Pen):
    """What text and code share: a fraction is a slash, and the last sign of its product."""

    plus, minus = " + ", " - "
    separator = ", "

    def number(self, value: Exact) -> Piece:
        return Piece(str(value), ATOM if value.denominator == 1 else SLASH, "digits", "digits")

    def product(self, node: Product) -> Piece:
        first, *others = node.factors
        if isinstance(first, Number) and isinstance(first.value, Fraction):
            above = times([Number(first.value.numerator), *others])
            return self.quotient(Quotient(above, Number(first.value.denominator)))
        return super().product(node)

    def quotient(self, node: Quotient) -> Piece:
        above, below = self.write(node.above, PRODUCT), self.write(node.below, POWER)
        return Piece(f"{above.signs}/{below.signs}", SLASH)


class Text(OneLine):
    """The signs of plain text, which the text reader reads back."""

    minus, lead = " − ", "−"

    def name(self, name: str) -> Piece:
        signs = chr(name2codepoint[name]) if GREEK.fullmatch(name) else name
        edge = "letter" if len(signs) == 1 else "word"
        return Piece(signs, ATOM, edge, edge)

    def joint(self, left: Piece, right: Piece, before: str) -> str:
        if left.right == "digits" and right.left != "digits":
            word = right.left == "word" and "_" not in right.signs
            return "·" if word or right.signs == MILLION else ""
        if left.right in ("word", "open") or right.left in ("digits", "word", "root"):
            return "·"
        run = _LETTERS_AT_END.search(before)
        return "·" if run and right.left == "letter" and _spells(run[0] + right.signs[0]) else ""

    def power(self, node: Power) -> Piece:
        base = self.write(node.base, ATOM)
        if isinstance(node.exponent, Number) and isinstance(node.exponent.value, int):
            above = str(node.exponent.value).translate(_SUPERSCRIPTS)
            return Piece(base.signs + above, POWER, base.left, base.right)
        return Piece(f"{base.signs}^{self.write(node.exponent, ATOM).signs}", POWER, base.left, "open")

    def root(self, node: Root) -> Piece:
        return Piece(f"√{self.write(node.inside, ATOM).signs}", POWER, "root", "open")

    def call(self, node: Call) -> Piece:
        inside = self.listed(node)
        if node.function in ("floor", "ceil"):
            return Piece(f"⌊{inside}⌋" if node.function == "floor" else f"⌈{inside}⌉")
        return Piece(f"{node.function}({inside})" if inside else node.function, ATOM, "word")


_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LETTERS_AT_END = re.compile(r"[A-Za-z]+\Z")
_WORDS = {"max", "min", "log", "exp", "sqrt", "floor", "ceil", "mod", "abs"} | {
    word for letter in GLOSSARY.values() for word in (letter.name, *letter.words) if len(word) > 1
}


@lru_cache(maxsize=1024)
def _spells(letters: str) -> bool:
    """Whether a run of letters is a word that joins others, or ends in one that is known, as `2bdp` does in `dp`."""
    return letters in JOINING - {"as"} or any(letters.endswith(word) for word in _WORDS)


class Code(OneLine):
    """The signs of Python; a bracket that only guides the eye is left out."""

    point_out_groups = False
    functions: Mapping[str, str] = {}

    def name(self, name: str) -> Piece:
        return Piece(name)

    def joint(self, left: Piece, right: Piece, before: str) -> str:
        return "*"

    def power(self, node: Power) -> Piece:
        return Piece(f"{self.write(node.base, ATOM).signs}**{self.write(node.exponent, ATOM).signs}", POWER)

    def root(self, node: Root) -> Piece:
        return self.call(Call("sqrt", (node.inside,)))

    def call(self, node: Call) -> Piece:
        name = self.functions.get(node.function, node.function)
        return Piece(f"{name}({self.listed(node)})" if node.arguments else name)


class JavaScript(Code):
    """The signs of JavaScript, where `-b**2` is no expression."""

    functions: Mapping[str, str] = {
        name: f"Math.{name}" for name in ("floor", "ceil", "max", "min", "sqrt", "log", "exp", "abs", "pow")
    }

    def power(self, node: Power) -> Piece:
        return self.call(Call("pow", (node.base, node.exponent)))


# The public face.


def latex(expr: Expr | Exact, notation: Notation | None = None, collect: bool = True) -> str:
    r"""`expr` in LaTeX, collected by L; `collect=False` expands it.

    >>> from symcost.symbols import L, b, c, d, h, v
    >>> latex(L * (20 * b * c * d + b * h * c**2) + 2 * b * c * d + b * c * v)
    'L\\left(20bcd+bhc^2\\right)+\\left(2bcd+bcv\\right)'
    """
    return Latex(notation).write(arranged(expr, notation, collect)).signs


def text(expr: Expr | Exact, notation: Notation | None = None, collect: bool = True) -> str:
    """`expr` in plain text, collected by L; the text reader reads it back.

    >>> from symcost.symbols import b, c, d, d_ff, h
    >>> text(8 * b * c * d + 3 * b * c * d_ff + b * h * c**2)
    '8bcd + 3bc·d_ff + bhc²'
    """
    return Text(notation).write(arranged(expr, notation, collect)).signs


def code(expr: Expr | Exact, notation: Notation | None = None, collect: bool = True) -> str:
    """`expr` in Python's signs, collected by L.

    >>> from symcost.symbols import L, b, c, d, h, v
    >>> code(L * (20 * b * c * d + b * h * c**2) + 2 * b * c * d + b * c * v)
    'L*(20*b*c*d + b*h*c**2) + 2*b*c*d + b*c*v'
    """
    return Code(notation).write(arranged(expr, notation, collect)).signs


def javascript(expr: Expr | Exact) -> str:
    """`expr` in JavaScript's signs; a division stays one division.

    >>> from sympy import ceiling
    >>> from symcost.symbols import v
    >>> javascript(64 * ceiling(v / 64))
    '64*Math.ceil(v/64)'
    """
    return JavaScript().write(arranged(expr)).signs


def substituted(
    expr: Expr | Exact,
    values: Mapping[Symbol, Exact],
    style: Style = "latex",
    notation: Notation | None = None,
    display: Mapping[Symbol, str] | None = None,
) -> str:
    """The same line with numbers in place of letters; letters without a value stay.

    `display` writes a letter in words of its own, as `24 GiB` for a limit in bytes.

    >>> from symcost.symbols import L, b, c, d
    >>> substituted(16 * L * d**2 + 2 * b * c * d, {L: 12, d: 1024, b: 4}, style="text")
    '16·12·1,024² + 2·4c·1,024'
    """
    pen = Latex if style == "latex" else Text
    return pen(notation, values, display).write(arranged(expr, notation)).signs
