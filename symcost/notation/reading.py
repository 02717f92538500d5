"""Reads formulas, numbers with units, assignments and limits exactly, and refuses what it is not sure of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from sympy import Expr, Mul

from symcost.errors import ReadError, UnknownName, UsageError, nearest
from symcost.notation.grammar import Node, Term, parse
from symcost.notation.marks import Form, fault, guard, plain, scan
from symcost.notation.tokens import Doubt, Piece, PrintedNumber, understand
from symcost.notation.units import SUFFIXES, Unit, unit
from symcost.notation.vocabulary import joins
from symcost.symbols import GLOSSARY, NAME, QUANTITIES, letter_for
from symcost.symbols import letter as glossary_letter

__all__ = [
    "Part",
    "PrintedNumber",
    "Reading",
    "Shape",
    "Term",
    "Unit",
    "read",
    "read_amount",
    "read_assignment",
    "read_expression",
    "read_limit",
    "read_list",
    "read_number",
]


@dataclass(frozen=True, slots=True)
class Part:
    """One side of a relation: `expr` in the document's own letters, text[start:end] where it stands.

    `terms` are the addends (one, if it is no sum), `inner` those of the sums inside its brackets. `unit` is
    the unit of the whole part, kept apart from its value; `units_inside` are units in the middle, whose
    scale is multiplied in (to the power −1 where they divide). `printed` says how a bare number was printed.
    `doubts` say how something was read that could mean something else.
    """

    expr: Expr
    start: int
    end: int
    terms: tuple[Term, ...]
    inner: tuple[Term, ...] = ()
    unit: Unit | None = None
    units_inside: tuple[Unit, ...] = ()
    printed: PrintedNumber | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """The lengths of a tensor's axes: `[b, h, c, d/h]`."""

    lengths: tuple[Expr, ...]
    start: int
    end: int

    @property
    def elements(self) -> Expr:
        return Mul(*self.lengths)


@dataclass(frozen=True, slots=True)
class Reading:
    """A chain of parts with a relation between each two, or a shape (then without parts).

    `label` is the prose before a colon (of a shape, its name too); `leading` the relation, or the `+`, that
    the formula starts with because it goes on from the one before. Relations are = ≈ ≤ ≥ < > ⇒ →, and ≪ ≫ ≠
    ∝.
    """

    text: str
    label: str | None
    leading: str | None
    parts: tuple[Part, ...]
    relations: tuple[str, ...]
    shape: Shape | None = None


def read(text: str, form: Form = "latex", *, names: Collection[str] = ()) -> Reading:
    """The one formula that `text` is, without its dollar signs or backticks.

    `names` are what the document declares (`N_p`, `B`, `seqlen`): they win over units, suffixes and words.
    Symbols are positive and have one spelling, `N_{p}` → N_p. A formula that ends in a relation is refused,
    as is whatever is not understood. Raises ReadError with the column.

    >>> reading = read("N_B = 20bcd+bhc^2")
    >>> reading.parts[1].expr, reading.relations
    (b*c**2*h + 20*b*c*d, ('=',))
    >>> [reading.text[term.start : term.end] for term in reading.parts[1].terms]
    ['20bcd', 'bhc^2']
    >>> read("24GB").parts[0].unit.scale
    Fraction(1000000000, 1)
    """
    found = read_list(text, form, names=names)
    if len(found) != 1:
        raise ReadError(f"{len(found)} formulas where one was expected. Read them with read_list.")
    return found[0]


def read_part(text: str, form: Form = "latex", *, names: Collection[str] = ()) -> Part:
    """The first side of the one formula that `text` is. Raises ReadError also for a tensor's shape, which has none.

    >>> read_part("12d^2 = 12288").expr
    12*d**2
    """
    reading = read(text, form, names=names)
    if reading.shape is not None:
        raise fault(reading.shape.start, "the shape of a tensor", "Write a formula")
    return reading.parts[0]


def read_list(text: str, form: Form = "latex", *, names: Collection[str] = ()) -> tuple[Reading, ...]:
    """The formulas of `text`: apart at commas, semicolons, \\quad and the lines of an alignment.

    A line that starts with a relation or a sign goes on from the line before. Raises ReadError.

    >>> [reading.parts[1].expr for reading in read_list("b=4, c=256, d=1024")]
    [4, 256, 1024]
    >>> [[part.expr for part in reading.parts] for reading in read_list("(t, p) = (8, 4)")]
    [[t, 8], [p, 4]]
    """
    guard(text)
    looks = plain(text)
    declared = frozenset(names)
    found = tuple(
        reading
        for span in _spans(looks, form)
        if looks[span.start : span.end].strip()
        for reading in _paired(text, looks, span, form, declared)
        or (_read(text, looks, span, form, declared),)
    )
    if not found:
        raise ReadError("column 1: nothing to read. Expected a formula.")
    return found


# Where one formula ends and the next begins.


class _Span(NamedTuple):
    """One formula of a text, and the label before it."""

    label: str | None
    start: int
    end: int


_LANDMARK = re.compile(
    r"(?P<words>\\text(?:rm|bf|it)?\{(?!\s*\()[^{}]*\})"
    r"|(?P<line>\\\\(?:\[[^\]]*\])?)|(?P<quad>\\q?quad(?![A-Za-z]))|(?P<turn>\\[{}]|[(\[{]|[)\]}])|\\."
    r"|(?P<comma>[,;])|(?P<colon>[:：](?!=))|(?P<newline>\n)"
)
_GOES_ON = re.compile(
    r"(?:\s|&|\\[,;:! ]|\\q?quad|~|\{\})*(?:[=+\-−≈≤≥<>⇒→×·*/]|\\(?:approx|sim|simeq|leq?|geq?|times|cdot"
    r"|equiv|Rightarrow|implies|rightarrow|to|lt|gt|propto|ll|gg)(?![A-Za-z]))"
)
_RELATION = re.compile(r"[=≈≤≥<>⇒]|\\(?:approx|leq?|geq?|sim|Rightarrow)(?![A-Za-z])")
_THOUSANDS = re.compile(r"[0-9]{3}(?![0-9])")


_QUADS = re.compile(r"\\q?quad(?![A-Za-z])")
_NEXT_COLUMN = re.compile(  # between words and the formula that they are of: \text{MLP:}\quad & 16bcd^2
    r"(?:\s|\\[,;: ])*(?:&|\\q?quad)(?:\s|&|\\q?quad)*"
    r"(?=[A-Za-z0-9({]|\\(?!\\|approx|sim|q?quad|leq?|geq?|text|times|cdot|to|implies|Rightarrow))"
)


def _spans(text: str, form: Form) -> Iterator[_Span]:
    start = label_end = 0
    label_start = 0
    depth = 0
    for found in _LANDMARK.finditer(text):
        kind, at = found.lastgroup, found.start()
        if kind == "turn":
            depth += 1 if found.group()[-1] in "([{" else -1
        elif kind is None or depth > 0:
            continue
        elif kind == "words":
            apart = _NEXT_COLUMN.match(text, found.end())
            opens = at >= start and not _QUADS.sub("", text[start:at]).strip(" &\n")
            if opens and (apart is not None or joins(found.group())):
                label_start, start = at, (apart or found).end()
                label_end = start
        elif kind == "colon":
            start = label_end = found.end()
        else:
            if (
                kind == "comma"
                and text[at - 1 : at].isdigit()
                and text[found.end() : found.end() + 1].isdigit()
            ):
                if _THOUSANDS.match(text, found.end()):
                    continue
                raise fault(at, "a comma between digits", "Write 1.5 for a fraction, 1, 5 for a list")
            if kind == "newline" and form != "code":
                continue
            if kind in ("line", "quad", "newline") and _GOES_ON.match(text, found.end()):
                continue
            if kind in ("quad", "newline") and not text[start:at].strip():
                continue
            yield _labelled(text, label_start, label_end, start, at)
            start = label_start = label_end = found.end()
    yield _labelled(text, label_start, label_end, start, len(text))


def _labelled(text: str, label_start: int, label_end: int, start: int, end: int) -> _Span:
    while end > start and (
        text[end - 1].isspace() or (text[end - 1] in ".,;" and text[end - 2 : end - 1] not in "\\.")
    ):
        end -= 1
    if label_end == label_start:
        return _Span(None, start, end)
    label = _QUADS.sub(" ", text[label_start:label_end]).strip(" &")
    if _RELATION.search(label) or not re.search(r"[^\W\d_]", label):
        raise fault(label_end - 1, "':' in a formula", "Before a colon stands a label in words")
    spelled = re.sub(r"\\(?:text|mathrm|textbf|mathbf|textit)|[{}*`]", "", re.sub(r"\\[,;:! ]|~", " ", label))
    return _Span(" ".join(spelled.replace("\\_", "_").split()).rstrip(":： "), start, end)


# One formula.


_IN_PAIRS = re.compile(r"\s*\(([^(){}]+,[^(){}]+)\)\s*=\s*\(([^(){}]+,[^(){}]+)\)\s*")
_BETWEEN = re.compile(r"[^,]+")


def _paired(text: str, looks: str, span: _Span, form: Form, names: frozenset[str]) -> tuple[Reading, ...]:
    """`(t, p, d) = (8, 4, 16)` as an equation for each of its letters; none where it is no such thing."""
    pair = _IN_PAIRS.fullmatch(looks, span.start, span.end)
    if pair is None:
        return ()
    sides = [
        [
            _read(text, looks, _Span(None, *each.span()), form, names).parts
            for each in _BETWEEN.finditer(looks, *pair.span(side))
        ]
        for side in (1, 2)
    ]
    if len(sides[0]) != len(sides[1]):
        raise fault(span.start, f"{len(sides[0])} sides beside {len(sides[1])}", "Give each its own")
    return tuple(
        Reading(text, span.label, None, (*left, *right), ("=",)) for left, right in zip(*sides, strict=True)
    )


def _read(text: str, looks: str, span: _Span, form: Form, names: frozenset[str]) -> Reading:
    marks = scan(looks, span.start, span.end, form, names)
    pieces, doubts = understand(marks, form, names)
    label, leading = span.label, None
    if not pieces:
        raise fault(span.start, "nothing to read", "Expected a formula")
    shape = _shape_label(pieces, label)
    if shape is not None:
        lengths = parse(pieces[shape:], "shape")
        if shape:
            label = text[pieces[0].start : pieces[shape].start].strip()
        axes = Shape(tuple(length.expr for length in lengths), pieces[shape].start, pieces[-1].end)
        return Reading(text, label, None, (), (), axes)
    if pieces[0].type == "PLUS":
        leading = "+"
        pieces = pieces[1:]
    chain = parse(pieces)
    if isinstance(chain[0], Piece):
        leading = chain[0].value
        chain = chain[1:]
    parts = tuple(_part(node, whole, doubts) for node, whole in chain[::2])
    return Reading(text, label, leading, parts, tuple(piece.value for piece in chain[1::2]))


def _part(node: Node, whole: Unit | None, doubts: list[Doubt]) -> Part:
    within = tuple(why for start, why in doubts if node.start <= start <= node.end)
    return Part(
        node.expr,
        node.start,
        node.end,
        node.terms,
        node.inner,
        whole,
        node.units,
        node.printed,
        tuple(dict.fromkeys(within)),
    )


def _shape_label(pieces: list[Piece], label: str | None) -> int | None:
    """Where the bracket of a shape opens: `[b,c,d]`, `(b,c,d)`, `W[d,d]`, after a label `[d]`; else None."""
    first = next((at for at, piece in enumerate(pieces) if piece.type != "NAME"), 0)
    opens = pieces[first].type
    if opens != "LSQB" and (first or opens != "LPAR"):
        return None
    depth = commas = 0
    for at, piece in enumerate(pieces):
        if piece.type in ("LSQB", "LPAR", "LBRACE"):
            depth += 1
        elif piece.type in ("RSQB", "RPAR", "RBRACE"):
            depth -= 1
            if depth == 0 and at < len(pieces) - 1:
                return None
        elif piece.type == "COMMA" and depth == 1:
            commas += 1
    if commas or (label is not None and pieces[first].type == "LSQB"):
        return first
    return None


# What users type: expressions over the glossary, numbers, assignments, limits.


def read_expression(text: str, names: Collection[str] = ()) -> Expr:
    """One expression over the letters of the glossary, as in `given`: `4*d`, `8*d/3`, `ceil(v/64)*64`.

    A word of configs or papers stands for its letter; `names` may be used besides. Raises ReadError, and
    UnknownSymbol for a name that is neither.

    >>> read_expression("ceil(v/64)*64 + 2*d_model")
    2*d + 64*ceiling(v/64)
    """
    guard(text)
    known = frozenset(names)
    pieces, _ = understand(
        scan(text, 0, len(text), "code", known | GLOSSARY.keys()), "code", known | GLOSSARY.keys()
    )
    for piece in pieces:
        if piece.type == "NAME" and piece.value not in known:
            piece.value = (
                letter_for(piece.value) or glossary_letter(piece.value, f"column {piece.start + 1}").name
            )
        elif piece.type in ("REL", "UNIT", "ENDUNIT"):
            raise fault(piece.start, f"'{piece.text}' in an expression", "Write letters, numbers and signs")
    if not pieces:
        raise fault(0, "nothing to read", "Expected an expression")
    ((node, _),) = parse(pieces)
    return node.expr


_AMOUNT = re.compile(
    r"\s*(?P<sign>[-−]?)\s*(?P<base>[0-9][0-9_]*(?:\.[0-9]+)?|\.[0-9]+)(?:[eE](?P<exponent>[+-]?[0-9]{1,4}))?"
    r"(?:\s*(?:\*\*|\^)\s*(?P<power>[0-9]{1,4}))?(?:\s*/\s*(?P<below>[0-9]{1,40}))?\s*(?P<rest>%|\$?[A-Za-z].*?)?\s*\Z"
)


def read_amount(text: str) -> tuple[int | Fraction, Unit | None]:
    """An exact amount in base units (bytes, FLOPs, seconds, USD), and the unit it was written in.

    `B` is bytes; K, M and T after a number are counts. Raises ReadError.

    >>> read_amount("24 GiB")[0], read_amount("35.6 TFLOP/s")[0], read_amount("1/3"), read_amount("2**20")
    (25769803776, 35600000000000, (Fraction(1, 3), None), (1048576, None))
    """
    found = _AMOUNT.match(text) if len(text) <= 200 else None
    if found is None:
        raise ReadError(f"'{_shown(text)}' is no number. Write it as 32e9, 1/3, 2**20, 50% or 24 GiB.")
    value = Fraction(found["base"].replace("_", "")) * Fraction(10) ** int(found["exponent"] or 0)
    if found["power"]:
        power = int(found["power"])
        if power * max(value.numerator.bit_length(), value.denominator.bit_length()) > 4096:
            raise ReadError(f"'{_shown(text)}' is too large a number.")
        value **= power
    if found["below"]:
        if not int(found["below"]):
            raise ReadError(f"'{_shown(text)}' divides by zero.")
        value /= int(found["below"])
    if found["sign"]:
        value = -value
    rest, measured = found["rest"], None
    if rest == "%":
        value /= 100
    elif rest in SUFFIXES and rest != "B":
        value *= SUFFIXES[rest]
    elif rest:
        measured = unit(rest)
        if measured is None:
            known = nearest(
                rest, ("GiB", "MiB", "TiB", "KiB", "GB", "MB", "TB", "kB", "hours", "days", "TFLOP/s", "USD")
            )
            raise ReadError(f"'{rest}' after a number is no unit. {known}", found.start("rest") + 1)
        value *= measured.scale
    return _whole(value), measured


def read_number(text: str) -> int | Fraction:
    """An exact number in base units, as for `given` and limits.

    >>> read_number("32e9"), read_number("24GiB"), read_number("50%"), read_number("0.5")
    (32000000000, 25769803776, Fraction(1, 2), Fraction(1, 2))
    """
    return read_amount(text)[0]


def _whole(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def read_assignment(text: str) -> tuple[str, int | Fraction | Expr]:
    """A letter of the glossary and what it is given: a number in the letter's own unit, or a form.

    Raises ReadError, UnknownSymbol, and UsageError where the unit is not the letter's.

    >>> [read_assignment(text) for text in ("d_ff=4*d", "M=24GiB", "N=7B", "price=2 USD/h")]
    [('d_ff', 4*d), ('M', 25769803776), ('N', 7000000000), ('price', 2)]
    """
    name, equals, value = text.partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not NAME.match(name) or not value:
        raise ReadError(f"'{_shown(text)}' is no assignment. Write it as b=4 or d_ff=4*d.")
    meant = glossary_letter(letter_for(name) or name)
    if not _AMOUNT.match(value):
        return meant.name, read_expression(value)
    if letter_for(value) is not None:
        return meant.name, read_expression(value)
    try:
        amount, measured = read_amount(value)
    except ReadError:
        return meant.name, read_expression(value)  # 4d
    if measured is None:
        return meant.name, amount
    own = unit(_OWN_UNITS.get(meant.unit, meant.unit))
    if own is not None and own.measures(measured):
        return meant.name, _whole(Fraction(amount) / own.scale)
    if measured.spelling == "B":  # what is not counted in bytes: billions
        return meant.name, amount * 10**9
    raise UsageError(
        f"{meant.name} ({meant.meaning}) is counted in {meant.unit or 'no unit'}, but '{_shown(value)}' in "
        f"{measured.spelling}. Write the number alone, or in its own unit."
    )


def _shown(text: str) -> str:
    """The start of what was typed, on one line."""
    return " ".join(text[:60].split())


_OWN_UNITS = {"tokens per sequence": "tokens", "parameters": "params"}

_LIMIT = re.compile(
    r"\s*(?P<name>[A-Za-z]\w*)\s*(?P<relation><=|>=|=<|==?|<|>|≤|≥)\s*(?P<value>.+)\Z", re.DOTALL
)
_RELATIONS = {"≤": "<=", "=<": "<=", "≥": ">=", "==": "="}


def read_limit(text: str) -> tuple[str, str, int | Fraction, Unit | None]:
    """A quantity, its relation, the amount in base units and the unit it was written in.

    Raises ReadError, and UnknownName for a quantity that is none.

    >>> read_limit("peak_memory <= 24 GiB")[:3]
    ('peak_memory', '<=', 25769803776)
    """
    found = _LIMIT.match(text)
    if found is None:
        raise ReadError(f"'{_shown(text)}' is no limit. Write it as peak_memory <= 24 GiB.")
    if found["name"] not in QUANTITIES:
        raise UnknownName(f"'{found['name']}' is no quantity. {nearest(found['name'], QUANTITIES)}")
    value, measured = read_amount(found["value"])
    return found["name"], _RELATIONS.get(found["relation"], found["relation"]), value, measured
