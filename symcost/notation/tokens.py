"""Understands the marks of a formula: which letters are a name, which word a unit, which number has a suffix.

A run of letters becomes one name if the vocabulary (the glossary, the words of the field, the document's own
names) knows it, else a product of letters; a word after a number becomes its unit; `175B` is one number.
What is none of these is refused with its column, since a wrong reading would be worse than none. Where a
piece could be read in another way, a doubt is noted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from symcost.notation.marks import Form, Mark, canonical, fault
from symcost.notation.units import SCALE_WORDS, SUFFIXES, Unit, unit, word
from symcost.notation.vocabulary import (
    CALLS,
    FUNCTIONS,
    GREEK,
    JOINING,
    is_word,
    joins,
    looks_like_prose,
    words,
)
from symcost.symbols import letter_for

MOST_DIGITS = 1200
LONGEST_UNIT = 40  # characters


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as it was printed: its digits, and what scales them (a power of ten, a suffix, 1/100 for %).

    >>> number = PrintedNumber("3.79", Fraction(10) ** 25)
    >>> number.value == 379 * 10**23, number.decimals, number.step == 10**23, number.significant
    (True, 2, True, 3)
    """

    digits: str
    scale: Fraction = Fraction(1)
    percent: bool = False

    @property
    def value(self) -> Fraction:
        return Fraction(self.digits) * self.scale

    @property
    def decimals(self) -> int:
        """Digits after the point."""
        return len(self.digits.partition(".")[2])

    @property
    def step(self) -> Fraction:
        """What one unit of the last printed digit is worth."""
        return Fraction(abs(self.scale), 10**self.decimals)

    @property
    def significant(self) -> int:
        """Printed digits that say something; the trailing zeros of a whole number do not."""
        whole, point, decimals = self.digits.partition(".")
        return len((whole + decimals).lstrip("0") if point else whole.strip("0")) or 1

    def times(self, scale: Fraction) -> PrintedNumber:
        return PrintedNumber(self.digits, self.scale * scale, self.percent)


class Piece:
    """A mark understood: what the grammar is fed. `value`: a name, a PrintedNumber, a Unit, a relation …"""

    __slots__ = ("end", "start", "text", "type", "value")

    def __init__(self, type: str, text: str, start: int, end: int, value: Any = None) -> None:
        self.type = type
        self.text = text
        self.start = start
        self.end = end
        self.value = value


class Doubt(NamedTuple):
    """Where a formula could be read in another way, and how it was read."""

    start: int
    reading: str


def understand(marks: list[Mark], form: Form, names: Collection[str]) -> tuple[list[Piece], list[Doubt]]:
    """The pieces that the marks are, and the doubts about them. Raises ReadError.

    >>> from symcost.notation.marks import scan
    >>> [piece.value for piece in understand(scan("bcd_ff", 0, 6, "text", ()), "text", ())[0]]
    ['b', 'c', 'd_ff']
    """
    understanding = _Understanding(marks, form, names)
    return understanding.run(), understanding.doubts


def literal(digits: str, start: int) -> PrintedNumber:
    """The printed number that these digits are: `10{,}000`, `3.6e25`, `15'311`, `epow10`.

    >>> literal("3.6e25", 0).value == 36 * 10**24
    True
    """
    bare = re.sub(r"\{,\}|\\[,!]|[,'’_\u2009\u202f]", "", digits)
    spelled = re.sub(r"\s*e\s*(?:pow)?\s*\(?", "e", bare.rstrip(")"), flags=re.IGNORECASE)
    mantissa, _, exponent = spelled.partition("e")
    if len(mantissa) + len(exponent) > MOST_DIGITS or abs(int(exponent or 0)) > MOST_DIGITS:
        raise fault(start, "a number of too many digits", f"Keep it within {MOST_DIGITS}")
    return PrintedNumber(mantissa or "1", Fraction(10) ** int(exponent or 0))


# Kinds of pieces and of marks.

_ENDS = words(
    "NUMBER NAME UNIT SUP RPAR RSQB RBRACE RFLOOR RCEIL"
)  # what stands beside these multiplies them
_OPEN = words("LPAR LSQB LBRACE LFLOOR LCEIL")
_CLOSE = words("RPAR RSQB RBRACE RFLOOR RCEIL")
_STARTS = words("number word ident name text LPAR LSQB LBRACE LFLOOR LCEIL FRAC SQRT FUNC")
_WORDS = words("word text")
_AFTER_LETTER = words(
    "number sup CARET name ident LPAR LSQB FRAC SQRT LBRACE"
)  # so it is a factor, no suffix
_AFTER_UNIT = words("end REL TIMES PLUS MINUS SLASH RPAR COMMA")
_POWERS_OF_TEN = [kinds.split() for kinds in (
    "sup", "CARET number", "CARET LBRACE number RBRACE", "CARET LBRACE MINUS number RBRACE"
)]  # fmt: skip
_MEASURES = ({"byte": 1}, {"FLOP": 1})  # what products count
_NOTHING = Mark("end", "", 0, 0, 0)


class _Slash(NamedTuple):
    """A division whose denominator may go on: where its sign is among the pieces, and how it was written."""

    at: int
    glued: bool
    numeric: bool  # nothing but a number above


class _Understanding:
    """Walks over the marks from left to right and writes the pieces. Methods answer which mark comes next."""

    def __init__(self, marks: list[Mark], form: Form, names: Collection[str]) -> None:
        self.marks, self.form, self.names = marks, form, names
        self.latex = form == "latex"
        self.out: list[Piece] = []
        self.doubts: list[Doubt] = []
        self.divisions: list[_Slash | None] = [None]
        runs = [mark.text for mark in marks if mark.kind == "word"]
        self.letters = Counter(
            "".join(run for run in runs if len(run) == 1 or not (is_word(run) or word(run) or run in names))
        )

        self.scales = set() if self.latex else self.only_behind_long_numbers()

    def only_behind_long_numbers(self) -> set[str]:
        """The letters that stand nowhere but glued to a number of three digits or with a point: 16.8M + 2.1M."""
        behind: Counter[str] = Counter()
        for number, mark in zip(self.marks, self.marks[1:], strict=False):
            if number.kind == "number" and mark.kind == "word" and not mark.gap and mark.text in SUFFIXES:
                behind[mark.text] += "." in number.text or len(number.text) > 2
        return {letter for letter, count in behind.items() if count == self.letters[letter]}

    def run(self) -> list[Piece]:
        at = 0
        while at < len(self.marks):
            mark = self.marks[at]
            if mark.kind == "number":
                at = self.number(at)
            elif mark.kind in ("word", "text", "ident"):
                at = self.words(at)
            elif mark.kind == "MONEY":
                at = self.money(at)
            else:
                self.simple(mark, self.peek(at + 1))
                at += 1
        self.end_units()
        return self.out

    def peek(self, at: int) -> Mark:
        return self.marks[at] if at < len(self.marks) else _NOTHING

    def doubt(self, mark: Mark, reading: str) -> None:
        self.doubts.append(Doubt(mark.start, reading))

    @property
    def beside(self) -> bool:
        """Whether an operand that comes next stands beside another, so multiplies it."""
        return bool(self.out) and self.out[-1].type in _ENDS

    def put(self, type: str, mark: Mark, value: Any = None) -> None:
        self.out.append(Piece(type, mark.text, mark.start, mark.end, value))

    def put_operand(self, type: str, mark: Mark, value: Any) -> None:
        """A number, a name, or what opens a bracket."""
        if self.beside:
            self.refuse_open_function(mark)
            self.end_division(mark)
        self.put(type, mark, value)

    def put_name(self, mark: Mark, name: str) -> None:
        if not name[:1].isalpha() or not name.isascii():
            raise fault(mark.start, f"the name '{mark.text}'", "A name starts with a Latin letter")
        self.put_operand("NAME", mark, name)

    # Signs, and how far a slash reaches.

    def simple(self, mark: Mark, after: Mark) -> None:
        kind = mark.kind
        if kind == "name":
            self.put_name(mark, mark.text)
        elif kind == "sup":
            self.put("SUP", mark, self.exponent(mark))
        elif kind == "doubt":
            self.doubt(mark, mark.text)
        elif kind == "REL":
            self.relation(mark)
        elif kind == "PERCENT":
            raise fault(mark.start, "found '%'", "A percentage is a number with % after it")
        elif kind in _OPEN or kind in ("FRAC", "SQRT", "FUNC"):
            self.put_operand(kind, mark, int(mark.text) if kind == "SQRT" else mark.text)
            if kind in _OPEN:
                self.divisions.append(None)
        else:
            self.operator(mark, after)

    def operator(self, mark: Mark, after: Mark) -> None:
        """A sign between two operands, or what closes a bracket."""
        slash = self.divisions[-1]
        if mark.kind in _CLOSE:
            if len(self.divisions) > 1:
                self.divisions.pop()
        elif mark.kind in ("SLASH", "FLOORDIV"):
            numbers = [piece.type == "NUMBER" for piece in self.out[-1:]]
            before = self.out[-2].type if len(self.out) > 1 else ""
            numeric = numbers == [True] and before not in (*_ENDS, "CARET", "TIMES", "SLASH")
            self.divisions[-1] = _Slash(len(self.out), not mark.gap and not after.gap, numeric)
        elif mark.kind == "CARET":
            self.refuse_open_function(mark)
        else:
            self.divisions[-1] = None
            if mark.kind == "TIMES" and slash and len(self.out) > slash.at + 2 and self.form != "code":
                self.doubt(mark, f"what stands after '{mark.text}' is read as outside the denominator")
        self.put(mark.kind, mark, mark.text)

    def relation(self, mark: Mark) -> None:
        self.divisions[-1] = None
        if not self.out or self.out[-1].type != "REL":
            self.put("REL", mark, mark.text)
        elif {mark.text, self.out[-1].value} == {"=", "≈"}:
            self.out[-1].value = "≈"  # `= ~9 GB`
        else:
            raise fault(mark.start, f"'{mark.text}' after '{self.out[-1].text}'", "Write one relation")

    def end_division(self, mark: Mark) -> None:
        """Decides whether an operand belongs to the denominator beside it: in s/6h it does, in 8/3 d not."""
        slash = self.divisions[-1]
        if slash is None:
            return
        below = self.out[slash.at + 1 :]
        numbers = slash.numeric and len(below) == 1 and below[0].type == "NUMBER"
        outside = numbers and (mark.gap > 0 or mark.kind == "LPAR")
        if not outside and mark.gap and slash.glued and not self.latex:
            outside = True
            self.doubt(mark, f"'{mark.text}' after a blank is read as outside the denominator")
        elif outside and (self.latex or mark.kind == "LPAR"):
            self.doubt(mark, f"a fraction of numbers before '{mark.text}' is read as its factor")
        elif numbers and not outside:
            self.doubt(mark, f"'{mark.text}' is read as part of the denominator")
        if outside:
            self.out.append(Piece("TIMES", "", mark.start, mark.start, "×"))
            self.divisions[-1] = None

    def refuse_open_function(self, mark: Mark) -> None:
        """`log n d` and `log n^2` could mean two things."""
        if len(self.out) > 1 and self.out[-2].type == "FUNC":
            raise fault(
                mark.start, f"'{self.out[-2].text}' without brackets", "Write brackets round all it is of"
            )

    def exponent(self, mark: Mark) -> int:
        if len(mark.text) > 5 or mark.text in "+-":
            raise fault(mark.start, f"the exponent {mark.text}", "Lower it")
        return int(mark.text)

    # Numbers.

    def number(self, at: int, money: bool = False) -> int:
        mark = self.marks[at]
        if self.beside:
            last = self.out[-1]
            glued = not mark.gap and self.marks[at - 1].kind == "word"  # H100
            if last.type in ("NUMBER", "UNIT", "SUP") or (last.type == "NAME" and (glued or not self.latex)):
                raise fault(mark.start, f"'{mark.text}' beside '{last.text}'", "Write the sign between them")
        scientific = self.scientific_denominator(at)
        if scientific:
            return scientific
        printed, at = self.scaled(literal(mark.text, mark.start), at + 1, money)
        end = self.marks[at - 1].end
        self.put_operand("NUMBER", Mark("number", mark.text, mark.start, end, mark.gap), printed)
        if money:
            found, at = self.unit_from("USD", at)
            self.out.append(Piece("UNIT", "$", end, self.marks[at - 1].end, found))
        return at

    def scaled(self, printed: PrintedNumber, at: int, money: bool) -> tuple[PrintedNumber, int]:
        """The number with what scales it: 45 %, 3 million, 175B, 16KGPU."""
        mark = self.peek(at)
        if mark.kind == "PERCENT" and self.peek(at + 1).kind in (*_STARTS, "MONEY"):
            raise fault(mark.start, "'%' before another operand", "Write the sign between them")
        if mark.kind == "PERCENT":
            return PrintedNumber(printed.digits, printed.scale / 100, percent=True), at + 1
        if mark.kind not in _WORDS:
            return printed, at
        first, _, rest = mark.text.partition(" ")
        if mark.kind == "text" and first in (*SUFFIXES, *SCALE_WORDS) and unit(rest):  # 7\text{B params}
            self.marks[at : at + 1] = [Mark("text", first, *mark[2:]), Mark("text", rest, *mark[2:4], 2)]
            mark = self.marks[at]
        scale = SCALE_WORDS.get(mark.text.lower().removesuffix("s"))
        if scale:
            return printed.times(Fraction(scale)), at + 1
        if not self.latex and not mark.gap and mark.text[0] in SUFFIXES and word(mark.text) is None:
            rest = mark.text[1:]
            if len(rest) > 1 and word(rest) is not None and mark.text not in self.names:
                self.marks[at] = Mark("word", rest, mark.start + 1, mark.end, 2)
                self.marks.insert(at, Mark("word", mark.text[0], mark.start, mark.start + 1, 0))
                return printed.times(Fraction(SUFFIXES[mark.text[0]])), at + 1
        if self.is_suffix(at, printed, money):
            return printed.times(Fraction(SUFFIXES[mark.text])), at + 1
        return printed, at

    def is_suffix(self, at: int, printed: PrintedNumber, money: bool) -> bool:
        """Whether a letter glued to a number says how many: 175B, 300\\text{B}; a declared one does not."""
        mark, after = self.marks[at], self.peek(at + 1)
        letter = mark.text
        if letter not in SUFFIXES or (mark.gap and not money and mark.kind != "text"):
            return False
        if letter == "B" and after.kind == "SLASH" and self.spells_unit(at + 2):  # 16B/param
            return False
        if mark.kind == "text" or money:
            return True
        unit_follows = after.kind in _WORDS and bool(after.text) and word(after.text.split()[0]) is not None
        if letter in self.names:
            return False
        if letter in self.scales:
            return True
        if after.kind in _AFTER_LETTER or self.letters[letter] > 1:
            return False
        if after.kind in _WORDS and not (unit_follows or (after.gap == 2 and is_word(after.text))):
            return False
        if letter == "k" and not unit_follows:
            return False
        if self.latex or ("." not in printed.digits and printed.value < 7 and not unit_follows):
            power = len(str(SUFFIXES[letter])) - 1
            self.doubt(mark, f"'{letter}' after a number is read as 10^{power}")
        return True

    def scientific_denominator(self, at: int) -> int:
        """Puts x / 3.12 × 10^14 in brackets, x/(3.12·10^14), except in code; the mark after it, or 0."""
        mark = self.marks[at]
        if self.form == "code" or not self.out or self.out[-1].type != "SLASH":
            return 0
        if "." not in mark.text and all(piece.text != "10" for piece in self.out[-6:-1]):
            return 0  # a/2 × 10^9, but 1.4 × 10^12 / 70 × 10^9
        if self.peek(at + 1).kind != "TIMES" or self.peek(at + 2).text != "10":
            return 0
        kinds = [self.peek(at + 3 + step).kind for step in range(5)]
        lengths = [len(pattern) for pattern in _POWERS_OF_TEN if kinds[: len(pattern)] == pattern]
        if not lengths:
            return 0
        self.doubt(mark, f"{mark.text} × 10^… after a slash is read as one number")
        end = at + 3 + lengths[0]
        self.out.append(Piece("LPAR", "(", mark.start, mark.start))
        for piece in self.marks[at:end]:
            if piece.kind == "number":
                self.put("NUMBER", piece, literal(piece.text, piece.start))
            else:
                self.put("SUP" if piece.kind == "sup" else piece.kind, piece, piece.text)
                if piece.kind == "sup":
                    self.out[-1].value = self.exponent(piece)
        self.out.append(Piece("RPAR", ")", self.out[-1].end, self.out[-1].end))
        return end

    def money(self, at: int) -> int:
        mark = self.marks[at]
        if self.peek(at + 1).kind == "number":
            return self.number(at + 1, money=True)
        if self.beside and self.out[-1].type == "NUMBER":  # 2.50 $/h
            found, after = self.unit_from("USD", at + 1)
            self.out.append(Piece("UNIT", "$", mark.start, self.marks[after - 1].end, found))
            return after
        raise fault(mark.start, "found '$'", "A dollar sign stands before an amount")

    # Units.

    def spells_unit(self, at: int) -> bool:
        mark = self.peek(at)
        return mark.kind in _WORDS and unit(mark.text) is not None

    def unit_from(self, spelled: str, at: int) -> tuple[Unit | None, int]:
        """The longest unit that starts with `spelled` and goes on at the mark `at`, and the mark after it."""
        found = unit(spelled)
        while True:
            mark, after, reach = self.peek(at), self.peek(at + 1), at + 2
            if mark.kind == "SLASH":
                joint = "/"
            elif mark.kind == "MINUS" and not mark.gap and not after.gap:
                joint = "-"
            elif mark.kind == "word" and mark.text == "per":
                joint = " per "
            elif mark.kind in _WORDS and (mark.gap or mark.kind == "text") and unit(f"{spelled} {mark.text}"):
                joint, after, reach = " ", mark, at + 1  # A100 hours, \text{FLOPs} \text{per day}
            elif found and mark.kind == "word" and mark.text == "of" and mark.gap:
                while self.peek(at).kind == "word" and len(self.peek(at).text) > 1:  # TB of GPU memory
                    at += 1
                return found, at
            else:
                return found, at
            if after.kind not in (*_WORDS, "MONEY") or len(spelled) > LONGEST_UNIT:
                return found, at
            longer = unit(f"{spelled}{joint}{after.text}")
            next_mark = self.peek(reach)
            letter = len(after.text) == 1 and (
                (after.text == "h" and "h" in self.names)
                or (next_mark.kind in ("CARET", "sup", "LPAR", "word") and not next_mark.gap)
            )
            if longer is None or letter:
                return found, at
            spelled, found, at = f"{spelled}{joint}{after.text}", longer, reach

    def unit_at(self, at: int) -> int:
        """Puts the unit that stands beside an operand; the mark after it, or `at` if it is no unit."""
        mark = self.marks[at]
        if not self.can_be_unit(at):
            return at
        found, after = self.unit_from(mark.text, at + 1)
        if found is None:
            return at
        if "FLOPS" in found.spelling and "/" not in found.spelling:
            self.doubt(mark, "FLOPS is read as FLOP/s")
        elif "FLOPday" in found.spelling:
            self.doubt(mark, "FLOPdays is read as (FLOP/s)·days")
        elif mark.kind == "word" and len(found.spelling) == 1:
            self.doubt(mark, f"'{found.spelling}' is read as a unit")
        elif (
            mark.kind == "word"
            and len(mark.text) == 2
            and any(self.letters[letter] > 1 for letter in mark.text)
        ):
            self.doubt(mark, f"'{mark.text}' is read as a unit, though its letters stand elsewhere too")
        self.out.append(Piece("UNIT", found.spelling, mark.start, self.marks[after - 1].end, found))
        return after

    def can_be_unit(self, at: int) -> bool:
        """Whether a word beside an operand may be a unit. Declared letters win, short words need a number."""
        mark = self.marks[at]
        spelled, number = mark.text, self.after_number
        if len(spelled) == 1:
            return self.is_single_unit(at, number)
        if mark.kind == "text":
            return number or spelled not in self.names
        if mark.kind == "ident":
            return re.fullmatch("[A-Z]+[0-9]+", spelled) is not None  # A100 hours
        if spelled in self.names or all(letter in self.names for letter in spelled):
            return False
        if self.known_name(spelled) and not (number and mark.gap):  # 7B params; but 4·params
            return False
        if spelled in FUNCTIONS and self.peek(at + 1).kind == "LPAR":
            return False
        if len(spelled) > 2 or spelled[1] == "B":
            return len(spelled) > 2 or number or (mark.gap > 0 and not self.latex)
        return number and not self.latex and mark.gap > 0

    @property
    def after_number(self) -> bool:
        """Whether the operand before is a number, or a power of one: 10^9 s."""
        if self.out[-1].type == "NUMBER":
            return True
        kinds = " ".join(piece.type for piece in self.out[-6:])
        return re.search(r"NUMBER (?:SUP|CARET LBRACE (?:MINUS )?NUMBER RBRACE)\Z", kinds) is not None

    def is_single_unit(self, at: int, number: bool) -> bool:
        """Whether one letter after a number is a unit: `4 B`, `24 h`, `10 s`, `400 W`, `16 B/param`, `3\\text{s}`."""
        mark, after = self.marks[at], self.peek(at + 1)
        letter = mark.text
        if not number or letter not in "BshW":
            return False
        if mark.kind == "text" or (letter == "B" and after.kind == "SLASH" and self.spells_unit(at + 2)):
            return True
        ends = after.kind in _AFTER_UNIT or (after.kind == "word" and after.text in ("per", "x"))
        return mark.gap == 2 and ends and letter not in self.names and self.letters[letter] < 2

    def end_units(self) -> None:
        """A unit at the very end of a part, the only one in it, is the unit of the whole part."""
        last, count = None, 0
        for piece in [*self.out, Piece("REL", "", 0, 0)]:
            if piece.type == "REL":
                if last is not None and last.type == "UNIT" and count == 1:
                    last.type = "ENDUNIT"
                last, count = None, 0
            else:
                last, count = piece, count + (piece.type == "UNIT")

    # Words.

    def known_name(self, run: str) -> bool:
        """Whether a run of letters was declared, or is a word of the glossary (`tp`, `bs`, …: in code)."""
        if run in self.names:
            return True
        return letter_for(run) is not None and (len(run) > 2 or "_" in run or self.form == "code")

    def words(self, at: int) -> int:
        mark = self.marks[at]
        run = mark.text
        if self.beside:
            after = self.unit_at(at)
            if after > at:
                return after
        if mark.kind == "text":
            self.upright(at)
        elif run in ("x", "X") and self.is_times(at):
            self.operator(Mark("TIMES", "×", *mark[2:]), self.peek(at + 1))
        elif run in FUNCTIONS and self.peek(at + 1).kind == "LPAR":
            self.put_operand("FUNC", mark, FUNCTIONS[run])
        elif len(run) == 1 or run in self.names:
            self.letter(at)
        elif mark.kind == "ident":
            self.identifier(at)
        elif run in GREEK and len(run) > 2 and not self.latex:
            self.put_name(mark, run)
        elif self.is_joining(at):
            raise self.prose(mark)
        elif self.known_name(run) or is_word(run) or self.is_whole_word(at) or self.starts_phrase(at):
            return self.phrase(at)
        elif self.is_spelled(mark) and not self.in_prose(at):
            self.product(mark, self.peek(at + 1))
        elif looks_like_prose(run) and self.form == "code":
            self.refuse_call(at)
            self.doubt(mark, f"'{run}' is read as one name")
            self.put_name(mark, run)
        elif looks_like_prose(run) or self.in_prose(at):
            raise self.prose(mark)
        else:
            self.product(mark, self.peek(at + 1))
        return at + 1

    def letter(self, at: int) -> None:
        """One letter, or a declared word; `3x forward`, `x[0]` in code and `O(n²)` are no products."""
        mark, after = self.marks[at], self.peek(at + 1)
        if (
            mark.text == "x"
            and not self.latex
            and not mark.gap
            and after.kind == "word"
            and after.gap
            and self.beside
        ):
            raise fault(mark.start, "'x' after a number", "Write the sign and what it multiplies")
        if self.form == "code" and after.kind == "LSQB" and not after.gap:
            raise fault(after.start, f"an element of '{mark.text}'", "Name it")
        if mark.text == "O" and after.kind == "LPAR":
            self.doubt(mark, "O(…) is read as a product")
        self.put_name(mark, mark.text)

    def product(self, mark: Mark, after: Mark) -> None:
        """A run of letters that is no word: one factor for each letter."""
        if self.beside and self.out[-1].type == "UNIT":
            raise self.prose(mark)
        if mark.text in CALLS and (self.form == "code" or (after.kind == "LPAR" and not self.latex)):
            raise fault(
                mark.start, f"the function '{mark.text}'", "Known are floor, ceil, sqrt, log, min and max"
            )
        if letter_for(mark.text) and not self.latex and after.kind not in (*_STARTS, "CARET", "sup"):
            self.doubt(mark, f"'{mark.text}' is read as {'·'.join(mark.text)}")
        for offset, letter in enumerate(mark.text):
            start = mark.start + offset
            self.put_name(Mark("word", letter, start, start + 1, 0 if offset else mark.gap), letter)

    def is_spelled(self, mark: Mark) -> bool:
        """Whether a run, in LaTeX or right behind a number, has declared letters alone, each once: 5abus is no word."""
        letters = set(mark.text)
        stands_for_itself = self.latex or (self.beside and mark.gap == 0)
        return stands_for_itself and len(letters) == len(mark.text) and letters.issubset(self.names)

    def is_times(self, at: int) -> bool:
        """Whether the letter x is a sign: between two numbers, or (not in LaTeX) with blanks round it."""
        mark, after = self.marks[at], self.peek(at + 1)
        if not self.beside or "x" in self.names or after.kind not in _STARTS:
            return False
        numbers = self.out[-1].type == "NUMBER" and after.kind == "number"
        return numbers or (not self.latex and mark.gap > 0 and after.gap > 0)

    def is_whole_word(self, at: int) -> bool:
        """`tp`, `bs`, … of the glossary in plain text: one name if signs stand on both sides."""
        mark = self.marks[at]
        if self.latex or letter_for(mark.text) is None or self.beside:
            return False
        if self.peek(at + 1).kind in (*_STARTS, "CARET", "sup"):
            return False
        self.doubt(mark, f"'{mark.text}' is read as one name")
        return True

    def is_joining(self, at: int) -> bool:
        """Whether a run joins words, as in a sentence: `if`, `of`; but `as` may be a·s."""
        mark, after = self.marks[at], self.peek(at + 1)
        if mark.text.lower() not in JOINING or mark.text[1:] != mark.text[1:].lower():
            return False
        shown = mark.gap == 2 and (after.gap == 2 or after.kind == "end")
        return len(mark.text) > 2 or self.form == "code" or (shown and mark.text != "as")

    def starts_phrase(self, at: int) -> bool:
        """`KV cache`: letters before a word of the field that is no unit."""
        after = self.peek(at + 1)
        if (
            after.kind != "word"
            or after.gap < 2
            or self.known_name(after.text)
            or word(after.text) is not None
        ):
            return False
        return is_word(after.text)

    def in_prose(self, at: int) -> bool:
        """Whether an unknown run of some length stands beside another one, as in a sentence."""
        mark, after = self.marks[at], self.peek(at + 1)
        before = self.marks[at - 1] if at else _NOTHING
        if len(mark.text) < 3:
            return False
        return any(
            other.kind == "word"
            and gap == 2
            and len(other.text) > 2
            and other.text.islower()
            and not word(other.text)
            for other, gap in ((before, mark.gap), (after, after.gap))
        )

    def prose(self, mark: Mark) -> Exception:
        return fault(
            mark.start, f"the word '{mark.text}'", "Declare it, or write the formula apart from the text"
        )

    def refuse_call(self, at: int) -> None:
        mark, after = self.marks[at], self.peek(at + 1)
        if self.form == "code" and after.kind == "LSQB" and not after.gap:
            raise fault(after.start, f"an element of '{mark.text}'", "Name it")
        if after.kind == "LPAR" and mark.text not in self.names and letter_for(mark.text) is None:
            raise fault(
                mark.start, f"the function '{mark.text}'", "Known are floor, ceil, sqrt, log, min and max"
            )

    def phrase(self, at: int) -> int:
        """Words of the field side by side are one name: `states per parameter`, `GPU-hours`."""
        first = self.marks[at]
        spelled, end = [first.text], at + 1
        while first.text not in self.names:
            mark, after = self.peek(end), self.peek(end + 1)
            if self.is_hyphen(mark, after, spelled[-1]):
                spelled.append(after.text)
                end += 2
            elif mark.kind != "word" or mark.gap < 2 or len(mark.text) == 1:
                break
            elif (
                self.beside_sign and (measure := word(mark.text)) is not None and measure.powers in _MEASURES
            ):
                break  # seq * layers bytes
            elif mark.text in ("per", "of") and after.kind == "word" and is_word(after.text):
                spelled += [mark.text, after.text]
                end += 2
            elif self.known_name(mark.text) and self.known_name(spelled[-1]):
                break  # seq hidden: two factors
            elif is_word(mark.text):
                spelled.append(mark.text)
                end += 1
            else:
                raise self.prose(mark)
        self.refuse_call(end - 1)
        before = self.out[-1].type if self.out else ""
        counted = before == "NUMBER" and not self.latex and not self.known_name(spelled[0])  # 16K context
        if before == "UNIT" or counted:
            raise fault(first.start, f"the word '{first.text}' beside a number", "End the formula before it")
        whole = Mark("word", " ".join(spelled), first.start, self.marks[end - 1].end, first.gap)
        self.put_name(whole, "_".join(spelled))
        return end

    @property
    def beside_sign(self) -> bool:
        """Whether what comes next is multiplied, and so one factor."""
        return bool(self.out) and self.out[-1].type == "TIMES"

    def is_hyphen(self, mark: Mark, after: Mark, before: str) -> bool:
        """Whether a minus is the hyphen of GPU-hours or (not in LaTeX) of data-parallel."""
        if self.form == "code" or mark.kind != "MINUS" or mark.gap or after.gap or after.kind != "word":
            return False
        if unit(f"{before}-{after.text}") is not None:
            return True
        return (
            not self.latex
            and is_word(after.text)
            and not (self.known_name(before) or self.known_name(after.text))
        )

    def upright(self, at: int) -> None:
        """`\\text{…}` that is no unit: a name, or a remark in brackets, which is left out."""
        mark = self.marks[at]
        content = mark.text
        if content in FUNCTIONS and self.peek(at + 1).kind == "LPAR":
            self.put_operand("FUNC", mark, FUNCTIONS[content])
            return
        if self.beside and content.startswith("(") and content.endswith(")"):  # 2 \text{(fp16)}
            return
        name = canonical(content, mark.start)
        found = re.findall(r"[A-Za-z]+", content)
        if not name or joins(content):
            raise fault(mark.start, f"the words '{content}'", "End the formula before them")
        if (
            self.beside
            and len(name) > 1
            and not (self.known_name(name) or (len(found) == 1 and is_word(name)))
        ):
            raise fault(
                mark.start, f"the words '{content}' beside the formula", "End the formula before them"
            )
        self.refuse_call(at)
        self.put_name(mark, name)

    def identifier(self, at: int) -> None:
        mark = self.marks[at]
        if "_" not in mark.text and self.form != "code":
            raise fault(mark.start, f"'{mark.text}'", "Write a power with ^, a subscript with _")
        if self.form == "code":
            self.refuse_call(at)
        self.put_name(mark, mark.text.strip("_"))
