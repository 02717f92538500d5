"""Formulas in plain prose: the longest stretches of a sentence that are arithmetic, and bare amounts.

A sentence is read once, from left to right, as numbers, names, operators, relations and brackets. What stands
between an operator and a word is left alone (half a sum is no formula), and so is what only looks like
arithmetic: dates, versions, model names, ranges, `and/or`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# The longest first; a token that is no part of any formula is a `word` or `other`. No group is possessive: before
# Python 3.11.5 one that fails half-way keeps what it has begun (python/cpython issue 106052).
_TOKEN = re.compile(
    r"""
    (?P<space>\s++)
  | (?P<other>\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}(?![\w.])      # a date
      | \d++(?:\.\d++){2,}                                  # a version
      | \d++(?:st|nd|rd|th)\b
      | \d++(?:\.\d++)?[xX×](?=\s++[A-Za-z]{2}|\s*+[.,;:)])   # 3x forward, 8x faster
      | [1-4]D\b | \d[xX]{2}\b                               # 3D parallelism, error 5xx
      | (?<![\w^*/+(×·])\d++(?:[.,]\d++){0,4}[-–—]\d++(?:[.,]\d++){0,4}(?![\w^²]|[.,]\d) )  # a range, 3-5
  | (?P<word>(?<!\w)(?![A-Za-z]-(?:[A-Za-z]|\d{1,2})\b)         # but n-1
      (?: [^\W\d_][^\W_]*+(?:/\w++)?[-–.@]\w++(?:[-–/.@]\w++)*    # GPT-2, GPU-hours, i.e., notes.md
        | [^\W\d_]{2}\w*+(?:/\w++){2,}(?:\.\w++)* ) )                       # a/b/c
  | (?P<number>(?:(?:\bUS|\bA)?\\?\$\s?)?
      (?: \d{1,3}(?:[,'’\u2009\u202f]\d{3})+(?!\d|[,'’\u2009\u202f]\d{3})(?:\.\d++)? | \d++(?:\.\d++)? | (?<![\w.])\.\d++ )
      (?:\s?[eE][+-]?\d++(?![A-Za-z]))?  (?:\s?%)? )
  | (?P<name>[A-Za-zͰ-Ͽℎℓ][A-Za-z0-9Ͱ-Ͽ]*+(?:\\?_(?:\{[^{}\s]{1,40}\}|[A-Za-z0-9]++))*[′']{0,2}
      (?![A-Za-z]|\\?_(?:\{[^{}\s]{1,40}\}|[A-Za-z0-9])) )
  | (?P<sup>[⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ⁺⁻]+)
  | (?P<arrow>--?>|={1,3}>|[→⇒⟹⟶])
  | (?P<rel>:=|<=|>=|!=|~=|==?|[≈≃≅≡≤≥≪≫≠∝]|(?<![<>])[<>](?![<>])|~)
  | (?P<other2>--++|<<|>>|\+\+|://)
  | (?P<power>\^(?:\{[^{}\s]{1,20}\})?|\*\*(?=[\d(A-Za-z]))
  | (?P<op>[*×·⋅∗∙÷/+−-])
  | (?P<open>[(\[])
  | (?P<close>[)\]])
  | (?P<comma>,)
  | (?P<other3>\uFFFC++|.)
    """,
    re.VERBOSE | re.DOTALL,
)  # fmt: skip
_KINDS = {"other2": "other", "other3": "other"}

# Words that stand in formulas as they are. Single letters and names with a subscript need not be listed.
NAMES = re.compile(
    r"(?:MFU|HFU|GPUs|gpus|FLOPs|FLOPS|flops|[Pp]arams|parameters|tokens|steps|epochs?|batch|seq|hidden|vocab|layers"
    r"|heads|experts|peak|price|[Tt]ime|[Cc]ost|[Mm]emory|Mem|bsz|bs|mbs|dim|ffn|hours|days|seconds|bytes"
    r"|dp|tp|pp|cp|ep|utili[sz]ation)\Z"
)
_UNIT = re.compile(
    r"""(?:[kKMGTPE]i?B|B|[kKMGT]?[Bb]ytes?|[kKMG]?bits?|(?:[kKMGTPEZ]|giga|tera|peta|exa)?-?[Ff][Ll][Oo][Pp][Ss]?
      |s|secs?|seconds?|min|minutes?|h|hrs?|hours?|d|days?|weeks?|months?|years?|ms|us|µs
      |(?:[GT]PU|[A-Z]\d{2,3})-?(?:hours?|days?|h)|PF-days?|(?:[KMGTP]?FLOPs?|[KMGTP]?FLOP/s)-?(?:days?|s|seconds?)|FLOPdays?
      |USD|dollars?|EUR|k|K|M|B|T|b|t|bn|[Tt]housand|[Mm]illions?|[Bb]illions?|[Tt]rillions?
      |tokens?|params?|parameters?|sequences?|elements?|W|kW|MW|Wh|kWh|MWh|GWh)\Z""",
    re.VERBOSE,
)
_SCALE = re.compile(r"(?:[kKMBTbt]|bn|[a-zA-Z]+(?:ion|and)s?)\Z")
_PER = re.compile(
    r"(?:s|secs?|seconds?|h|hrs?|hour|d|day|params?|parameter|tokens?|GPU|gpu|element|value|layer|step|sequence"
    r"|sample|B|bytes?|FLOP|word|number)\Z"
)
_LETTERS = re.compile(r"[B-DF-HJ-NP-TV-Zb-df-hj-np-tv-zτΨΦ]{2,6}\Z")  # bcd is a product, this is not
_ABBREVIATED = re.compile(
    r"(?:[CGT]PU|MLP|FFN|LLM|LM|RNN|CNN|SGD|MHA|GQA|MQA|HBM|PCIE|NVME|KV|QKV|HF|ML|PDF|VS|HTTP|LR|GPT|PP|TP|DP|SP"
    r"|XL|RMS|LN|BF|FP|PS|NB|CTRL|CMD|PGO|MS|MR|DR|ST|HW|SW)S?\Z",
    re.IGNORECASE,
)
_FACTORS = re.compile(r"(?!pm|px|mm|cm|km|nm|[xX]\Z)(?:[ab-df-hj-np-tv-zA-Zτ]{1,6}|\w*_\w*)\Z")  # 12LHQT
_PREPOSITIONS = re.compile(r"(?:for|in|at|per|if|when|on|with|and|or|as|by|so|but|because|instead)\Z")
_ARTICLES = frozenset(("a", "A", "I"))
_CALLED = frozenset(("int", "floor", "ceil", "sqrt"))
_CUTS_OFF = frozenset(("\ufffc", "\\", "{", "}"))  # behind these the formula goes on, but not as prose
_CLAIMS = re.compile(
    r"(?:\bi\.e\.,?|\b(?:about|around|roughly|approximately|nearly|almost|gives?|takes?|needs?|costs?|totals?"
    r"|equals?|makes?|yields?|that is|prints?|over|under|only))\s*+\Z"
)
_FIGURE = re.compile(
    r"\d+(?:\.\d+)?\s?[eE]\+?\d+|\d{1,3}(?:,\d{3}){2,}"
)  # no mere count: 4.51e12, 41,943,040
_WORTH_READING = re.compile(r"[\d=≈<>≤≥*×·⋅∗÷/+−→⇒^²³]")
_STARTS = frozenset(("number", "name", "open", "op", "rel", "arrow"))
_DEEPEST = 40  # brackets in brackets
_HIGHEST = 3  # powers of powers


class Stretch(NamedTuple):
    """A formula in prose, or one amount: [start, end)."""

    start: int
    end: int
    amount_only: bool


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int
    glued: bool  # nothing stands between it and the one before


class _Piece(NamedTuple):
    """Some tokens read as one operand, a sum or a group: up to token `end`, and how much it says."""

    end: int
    operations: int  # those that nobody writes by accident
    strong: bool = True  # not only letters that may be an abbreviation
    amount: bool = False  # one number with a unit
    number: bool = False  # one number


def formulas(prose: str) -> Iterator[Stretch]:
    """The stretches of `prose` that are formulas or amounts, in order.

    >>> text = "Params per layer ≈ 12·d² (attention 4·d²), GPT-2 takes 3 x 2.9e11 = 8.7e11 FLOPs."
    >>> [text[start:end] for start, end, _ in formulas(text)]
    ['≈ 12·d²', '4·d²', '3 x 2.9e11 = 8.7e11 FLOPs']
    """
    return _Reader(prose).stretches() if _WORTH_READING.search(prose) else iter(())


class _Reader:
    def __init__(self, prose: str) -> None:
        self.prose = prose
        self.tokens = _tokens(prose)
        self.partner = _partners(self.tokens)
        self.groups: dict[int, _Piece | None] = {}

    def kind(self, at: int) -> str:
        return self.tokens[at].kind if 0 <= at < len(self.tokens) else "end"

    def glued(self, at: int) -> bool:
        return 0 <= at < len(self.tokens) and self.tokens[at].glued

    # an operand: 12, 768², d_model, 6ND, 24·(…), 4 bytes/param

    def operand(self, at: int, depth: int, *, joined: bool = False) -> _Piece | None:
        """The operand that starts with token `at`; `joined`: an operator or a relation stands before it."""
        first = self.primary(at, depth, joined=joined)
        if first is None:
            return None
        end, operations, strong, bracketed, number = first
        powers = spaced = 0
        while True:
            kind = self.kind(end)
            if kind == "sup":
                end, powers = end + 1, powers + 1
            elif kind == "power":
                braced = self.tokens[end].text.endswith("}")
                exponent = end + 1 if braced else self.exponent(end + 1, depth)
                if exponent is None or powers > _HIGHEST:
                    return None
                end, powers = exponent, powers + 1
            elif kind == "open" and self.glued(end) and self.tokens[end - 1].text == "O":
                return None  # O(n²)
            elif kind in ("name", "open") and self.glued(end) and self.is_factor(end):
                factor = _Piece(end + 1, 0) if kind == "name" else self.group(end, depth)
                if factor is None:
                    return None  # 6(words)
                end, operations, number = factor.end, operations + factor.operations + 1, False
                strong = strong or kind == "open"
            elif kind == "name" and self.glued(end) and not _UNIT.match(self.tokens[end].text):
                return None  # 60ish, 1gpu
            elif kind == "name" and self.tokens[at].kind != "name" and self.is_symbol(end, spaced > 0):
                end, spaced, number = end + 1, spaced + 1, False
            elif kind == "open" and self.opens_factor(end, joined or operations > 0, depth):
                end, operations, number = self.partner[end] + 1, operations + 1, False
            else:
                break
        operations += max(spaced - 1, 0)
        after = self.unit(end, number)
        amount = (number and after > end) or (bracketed and after == first.end)
        if number and (self.tokens[at].text.endswith("%") or "$" in self.tokens[at].text):
            amount = True
        return _Piece(after, operations, strong, amount, number)

    def is_factor(self, at: int) -> bool:
        """Whether a glued token multiplies: the letters of 6ND do, the unit of 80GB does not."""
        token, before = self.tokens[at], self.tokens[at - 1]
        if token.kind == "open":
            return token.text == "(" or before.kind != "name"
        if before.kind != "number" or self.kind(at + 1) in ("sup", "power"):
            return True
        return not _UNIT.match(token.text) and _FACTORS.match(token.text) is not None

    def is_symbol(self, at: int, again: bool) -> bool:
        """Whether a name behind a space multiplies, as in `2 n_layer d`; `again`: one before it does."""
        name = self.tokens[at].text
        if (
            self.tokens[at].start - self.tokens[at - 1].end > 1
            or self.prose[self.tokens[at].start - 1] == "\n"
        ):
            return False  # of another column or line
        if NAMES.match(name) or name in _ARTICLES or name in "xX" or not self.is_name(at, name):
            return False
        if len(name) == 1 and _UNIT.match(name) and not again:
            return self.kind(at + 1) == "name" and self.is_symbol(at + 1, True)
        return len(name) == 1 or not _UNIT.match(name)

    def opens_factor(self, at: int, sure: bool, depth: int) -> bool:
        """Whether a bracket behind a space multiplies, as in `dv + L (2d + 16d²)`, or is a remark."""
        before = self.tokens[at - 1]
        if not sure or before.kind != "name" or not (len(before.text) == 1 or "_" in before.text):
            return False
        inside = self.group(at, depth)
        return inside is not None and inside.operations > 0

    def primary(self, at: int, depth: int, *, joined: bool = False) -> _Piece | None:
        kind = self.kind(at)
        if kind == "number":
            return _Piece(at + 1, 0, number=True)
        if kind == "open":
            return self.group(at, depth)
        if kind != "name":
            return None
        name = self.tokens[at].text
        if name in _CALLED and self.kind(at + 1) == "open" and self.glued(at + 1):
            return self.group(at + 1, depth)
        if not self.is_name(at, name) and not (joined and len(name) > 2 and _UNIT.match(name)):
            return None
        follows = self.kind(at + 1)
        if name in _ARTICLES and not self.glued(at + 1):
            if joined and follows in ("name", "word"):
                return None
            if not joined and follows == "rel" and self.tokens[at + 1].text in "~<>≈":
                return None
        initials = _LETTERS.match(name) is not None and not NAMES.match(name)
        return _Piece(at + 1, 0, strong=not initials or follows in ("sup", "power"))

    def is_name(self, at: int, name: str) -> bool:
        if name == "e":  # a letter in 2·L·e·w, none in 8.4*e pow 23
            return self.kind(at - 1) == "op" and self.kind(at + 1) not in ("name", "word", "number")
        if (
            self.multiplies(at)
            or (at == 0 and self.kind(1) == "rel" and self.tokens[1].text == "=")  # psi = 2*d
            or len(name.rstrip("'′")) == 1
            or "_" in name
            or NAMES.match(name)
            or self.kind(at + 1) in ("sup", "power")
        ):
            return True
        return _LETTERS.match(name) is not None and not _ABBREVIATED.match(name)

    def multiplies(self, at: int) -> bool:
        """Whether a word is a factor of a product without blanks, as in `3*hid*ff` and `hid*(2*voc + 1)`."""
        signs = [
            sign for sign in (at - 1, at + 1) if self.kind(sign) == "op" and self.tokens[sign].text in "*×·"
        ]
        return any(
            self.glued(sign)
            and self.glued(sign + 1)
            and self.kind(2 * sign - at) in ("number", "name", "open", "close", "sup")
            for sign in signs
        )

    def exponent(self, at: int, depth: int) -> int | None:
        if self.kind(at) == "op" and self.tokens[at].text in "-−+":
            at += 1
        if self.kind(at) in ("number", "name"):
            return at + 1
        group = self.group(at, depth) if self.kind(at) == "open" else None
        return group.end if group else None

    def unit(self, at: int, number: bool) -> int:
        """Where the unit that starts with token `at` ends; `at` itself if there is none."""
        if self.kind(at) not in ("name", "word"):
            return at
        if not _UNIT.match(self.tokens[at].text):
            counted = (
                number and NAMES.match(self.tokens[at].text) and self.kind(at + 1) in ("op", "rel", "arrow")
            )
            return at + 1 if counted else at  # 512 GPUs × …
        text = self.tokens[at].text
        if len(text) == 1 and not self.glued(at):
            follows = self.tokens[at + 1].text if self.kind(at + 1) in ("name", "word") else ""
            if not number or text in "bt" or self.kind(at + 1) in ("sup", "power"):
                return at
            if self.kind(at + 1) == "open" and not self.is_remark(at + 1):
                return at
            if follows and text not in "Bsh" and not _UNIT.match(follows):
                return at
        end = at + 1
        if len(text) <= 8 and number and self.kind(end) in ("name", "word") and not self.glued(end):
            following = self.tokens[end].text  # 2 trillion tokens, 75.8k GPU-hours
            if len(following) > 2 and _UNIT.match(following) and _SCALE.match(text):
                end += 1
        while self.kind(end) == "op" and self.tokens[end].text == "/" and self.kind(end + 1) == "name":
            if not (self.glued(end) and self.glued(end + 1) and _PER.match(self.tokens[end + 1].text)):
                break
            end += 2
        return end

    def is_remark(self, at: int) -> bool:
        """Whether a bracket has one amount in it: `2.14e5 s (59 hours)`."""
        inside = self.group(at, 1) if not self.glued(at) else None
        return inside is not None and inside.amount

    def group(self, at: int, depth: int) -> _Piece | None:
        """A bracket with arithmetic in it. Each is read once, so nested ones cost no more than flat ones."""
        if at not in self.groups:
            self.groups[at] = None
            if at in self.partner and depth < _DEEPEST:
                inside = self.sum(at + 1, depth + 1)
                if inside and inside.end == self.partner[at]:
                    self.groups[at] = _Piece(inside.end + 1, inside.operations, amount=inside.amount)
        return self.groups[at]

    # a sum: operands with operators between them

    def sum(self, at: int, depth: int = 0, *, joined: bool = False) -> _Piece | None:
        """The longest sum from token `at` on; None where it breaks off behind an operator."""
        if self.kind(at) == "op" and self.tokens[at].text in "-−+" and self.glued(at + 1):
            at += 1
        piece = self.operand(at, depth, joined=joined)
        if piece is None:
            return None
        operations, strong, amount, number = piece.operations, piece.strong, piece.amount, piece.number
        end = piece.end
        while weight := self.operator(end, depth):
            piece = self.operand(end + 1, depth, joined=True)
            if piece is None:
                return None
            operations += weight - 1
            strong, amount, number, end = strong or piece.strong, False, False, piece.end
        return _Piece(end, operations, strong, amount, number)

    def operator(self, at: int, depth: int) -> int:
        """0: none; 1: one that ordinary words have too (`s/step`, `n-1`); 2: a sure one."""
        kind = self.kind(at)
        if kind == "name" and self.tokens[at].text in "xX":
            left = self.kind(at - 1)
            if left not in ("number", "close", "sup") and not (
                left == "name" and len(self.tokens[at - 1].text) == 1
            ):
                return 0
            follows = self.kind(at + 1)
            spaced = not self.glued(at) and not self.glued(at + 1)
            if follows == "number":
                return 2
            return 2 if spaced and follows in ("open", "name") and self.operand(at + 1, depth) else 0
        if kind != "op":
            return 0
        text = self.tokens[at].text
        before, after = not self.glued(at), not self.glued(at + 1)
        if text == "-":
            if before != after:
                return 0
            if before:
                return 1 if self.kind(at - 1) == self.kind(at + 1) == "number" else 2
            return 1 if depth and not (self.kind(at - 1) == self.kind(at + 1) == "number") else 0
        if text == "/":
            return 2 if self.kind(at + 1) == "open" or self.kind(at - 1) == "close" else 1
        if text == "+" and before != after:
            return 0
        return 2

    # a chain: sums with relations between them

    def stretches(self) -> Iterator[Stretch]:
        at = 0
        while at < len(self.tokens):
            if self.tokens[at].kind not in _STARTS:
                at += 1
                continue
            start, parts, end = self.chain(at)
            yield from self.statements(parts)
            at = max(end, start + 1, at + 1)

    def chain(self, at: int) -> tuple[int, list[tuple[int, int, _Piece | None]], int]:
        """(first token, parts, end): each part is its relation's token (or -1), its first token, its sum."""
        parts: list[tuple[int, int, _Piece | None]] = []
        start = at
        relation = -1
        if self.kind(at) in ("rel", "arrow"):
            if self.tokens[at].text in "<>":
                return start, parts, at + 1
            if self.glued(at + 1) and self.glued(at) and self.tokens[at].kind == "arrow":
                return start, parts, at + 1
            relation, at = at, at + 1
        while True:
            broken = self.hangs(at) if relation < 0 else False
            piece = self.sum(at, joined=relation >= 0)
            if piece is None:
                return start, parts, self.past(at) if relation < 0 else max(at, start + 1)
            if broken or self.operator(piece.end, 0):
                parts.append((relation, at, None))
            else:
                parts.append((relation, at, piece))
            at = piece.end
            if self.kind(at) not in ("rel", "arrow"):
                return start, parts, at
            if self.kind(at) == "arrow" and self.glued(at) and self.glued(at + 1):
                return start, parts, at
            relation, at = at, at + 1

    def past(self, at: int) -> int:
        """Where to go on after a sum that breaks off: behind what it had read."""
        if self.kind(at) == "open":
            return at + 1
        end = at + 1
        piece = self.operand(at, 0)
        while piece is not None:
            end = piece.end
            if not self.operator(end, 0):
                break
            if self.kind(end + 1) == "open":
                return end + 1
            piece = self.operand(end + 1, 0, joined=True)
            end += 1
        return end

    def hangs(self, at: int) -> bool:
        """Whether an operator before token `at` has something on its left that is no operand."""
        if self.kind(at - 1) == "op":
            text = self.tokens[at - 1].text
            if text in "-+" and not self.glued(at):
                return text == "+" and at >= 2 and self.kind(at - 2) != "open"
            return text not in "-−"
        return self.kind(at - 1) == "power"

    def statements(self, parts: list[tuple[int, int, _Piece | None]]) -> Iterator[Stretch]:
        """One stretch for each statement of a chain.

        An arrow before an equation starts a new one, and so does one behind anything but bare arithmetic.
        """
        run: list[tuple[int, int, _Piece]] = []
        for index, (relation, first, piece) in enumerate(parts):
            arrow = relation >= 0 and self.kind(relation) == "arrow"
            equation_follows = index + 1 < len(parts) and self.kind(parts[index + 1][0]) == "rel"
            computed = len(run) == 1 and run[0][2].operations > 0
            if piece is None or (arrow and run and (equation_follows or not computed)):
                yield from self.stretch(run)
                run = []
                relation = -1 if equation_follows else relation
            if piece is not None:
                run.append((relation, first, piece))
        yield from self.stretch(run)

    def stretch(self, run: list[tuple[int, int, _Piece]]) -> Iterator[Stretch]:
        if not run:
            return
        relation, first, piece = run[0]
        start = self.tokens[relation if relation >= 0 else first].start
        last = run[-1][2].end - 1
        end = self.tokens[last].end
        if relation < 0 and self.kind(first) == "open" and self.partner.get(first) == last:
            start, end = start + 1, end - 1  # a bracket around all of it is a remark's
        operations = any(part.operations for _, _, part in run)
        sure = (
            any(part.strong for _, _, part in run) if operations else all(part.strong for _, _, part in run)
        )
        behind = self.tokens[last + 1].text if last + 1 < len(self.tokens) else ""
        if len(run) > 1 or operations:
            if sure and behind[:1] not in _CUTS_OFF:
                yield Stretch(start, end, False)
        elif piece.amount or (
            piece.number
            and (
                self.kind(relation) == "rel"
                or _FIGURE.match(self.tokens[first].text)
                or self.is_claimed(piece.end, start)
            )
        ):
            yield Stretch(start, end, True)

    def is_claimed(self, at: int, start: int) -> bool:
        """Whether a bare number that ends before token `at` is what a sentence says: `i.e. 4,608 for …`."""
        if self.kind(at) in ("name", "word") and not _PREPOSITIONS.match(self.tokens[at].text):
            return False
        return _CLAIMS.search(self.prose, max(0, start - 20), start) is not None


def _tokens(prose: str) -> list[_Token]:
    tokens: list[_Token] = []
    last = -1
    for match in _TOKEN.finditer(prose):
        kind = match.lastgroup or "other"
        if kind != "space":
            kind = _KINDS.get(kind, kind)
            tokens.append(_Token(kind, match.group(), match.start(), match.end(), match.start() == last))
            last = match.end()
    return tokens


def _partners(tokens: list[_Token]) -> dict[int, int]:
    """The closing bracket of each opening one."""
    partners: dict[int, int] = {}
    waiting: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind == "open":
            waiting.append(at)
        elif token.kind == "close" and waiting:
            partners[waiting.pop()] = at
    return partners


_SENTENCE_END = re.compile(r"[.!?…]['\"”’)\]]*+(?=\s)\s*+|[。！？；]\s*+")
_ABBREVIATION = re.compile(
    r"\b(?:i\.e|e\.g|approx|ca|cf|vs|etc|[Nn]o|[Ff]igs?|[Ee]qs?|[Ss]ec|al|resp|incl|[Cc]h|p|pp)\Z"
)


def sentences(prose: str) -> list[tuple[int, int]]:
    """[start, end) of each sentence.

    >>> text = "N is 7B, i.e. 7e9. It takes 14 GB."
    >>> [text[start:end] for start, end in sentences(text)]
    ['N is 7B, i.e. 7e9.', 'It takes 14 GB.']
    """
    parts: list[tuple[int, int]] = []
    start = len(prose) - len(prose.lstrip())
    for stop in _SENTENCE_END.finditer(prose):
        at, following = stop.start(), prose[stop.end() : stop.end() + 1]
        abbreviated = stop.group()[0] == "." and _ABBREVIATION.search(prose, max(start, at - 8), at)
        if following and not following.islower() and not abbreviated:
            parts.append((start, at + len(stop.group().rstrip())))
            start = stop.end()
    end = len(prose.rstrip())
    if start < end:
        parts.append((start, end))
    return parts or [(0, len(prose))]
