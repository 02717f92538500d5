"""What encloses a formula: dollars, brackets, environments, backticks. One pass over a block, left to right.

The rest of the block is its prose: equally long, with everything that is no text blanked out and a sign that
no writer types (U+FFFC) over each formula found.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Literal, NamedTuple

TAKEN = "\N{OBJECT REPLACEMENT CHARACTER}"

ENVIRONMENTS = "equation|align|alignat|flalign|gather|multline|eqnarray|math|displaymath|dmath"
_INNER = "aligned|alignedat|gathered|split"  # stands inside a displayed formula and has rows of its own
_ONE_FORMULA = frozenset(("equation", "math", "displaymath", "dmath", "multline"))  # however many lines


class Found(NamedTuple):
    """A formula in a block: [start, end) inside its delimiters, [opens, closes) with them."""

    start: int
    end: int
    opens: int
    closes: int
    form: Literal["latex", "code", "text"]
    display: bool = False
    row: int = 0
    amount_only: bool = False


class Scan(NamedTuple):
    """What one block holds. Positions are the block's own."""

    found: list[Found]
    prose: str
    strays: list[tuple[int, str]]
    comments: list[tuple[int, str]]


def scan(text: str, *, tex: bool = False) -> Scan:
    """The delimited formulas of one block and the prose between them.

    >>> scan("So $N_A$ is `L*N_B`, about $5.").prose.replace(TAKEN, "_")
    'So _____ is _______, about $5.'
    """
    return _Scanner(text, tex).scan()


_SPECIAL = re.compile(r"[\\`$<&]|\]\(|\bhttps?://\S*+|\bwww\.\S*+|:[a-z0-9_+]++:(?!`)")
_TEX_SPECIAL = re.compile(r"[\\$~{}]")
_ESCAPED_OR_DOLLAR = re.compile(r"\\.|\$", re.DOTALL)
_BEGIN = re.compile(rf"\\begin\{{((?:{ENVIRONMENTS}|{_INNER})\*?)\}}(?:\{{\d*\}})?")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*+)(?:[\s/][^<>]*+)?>|<(?:https?:|mailto:)[^\s<>]*+>")
_HIDDEN = {"style", "script", "math", "svg", "textarea"}
_DESTINATION = re.compile(
    r"""\]\([^()\s]*+(?:\([^()\s]*+\)[^()\s]*+)*+(?:\s++(?:"[^"]*+"|'[^']*+'))?\s*+\)"""
)
_ENTITY = re.compile(r"&(#?\w{1,10});")
_ENTITIES = {"times": "×", "middot": "·", "sdot": "⋅", "minus": "−", "divide": "÷", "asymp": "≈", "sup2": "²",
             "sup3": "³", "lt": "<", "gt": ">", "le": "≤", "ge": "≥", "rarr": "→", "rArr": "⇒"}  # fmt: skip
_ROLE = re.compile(r"(?:\{(?:math|eq)\}|:math:)\Z")
_COMMAND = re.compile(r"\\(?:[A-Za-z]++\*?|.)", re.DOTALL)
_MONEY = re.compile(r"\$\s?\d")
_VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_]{2,}\b")  # of a shell
_WORDS = re.compile(r"(?:^|\s)[a-z]{2,}[,.;]?\s")
_MATHEMATICAL = re.compile(r"[\\^_=+*/<>≈×·−]|\d[A-Za-z]")


class _Scanner:
    def __init__(self, text: str, tex: bool) -> None:
        self.text = text
        self.tex = tex
        self.found: list[Found] = []
        self.strays: list[tuple[int, str]] = []
        self.comments: list[tuple[int, str]] = []
        self.pieces: list[str] = []
        self.copied = 0  # the prose is complete up to here
        self.dollars = [m.start() for m in _ESCAPED_OR_DOLLAR.finditer(text) if m.group() == "$"]
        self.next_at: dict[str, tuple[int, int]] = {}
        self.ticks: dict[int, list[int]] | None = None

    def scan(self) -> Scan:
        special = _TEX_SPECIAL if self.tex else _SPECIAL
        at = 0
        while match := special.search(self.text, at):
            start, sign = match.start(), match.group()
            if sign == "$":
                at = self.dollar(start)
            elif sign == "\\":
                at = self.backslash(start)
            elif sign == "`":
                at = self.backtick(start)
            elif sign == "<":
                at = self.angle(start)
            elif sign == "](":
                link = _DESTINATION.match(self.text, start)
                at = self.blank(start, link.end() if link else start + 1)
            elif sign == "&":
                entity = _ENTITY.match(self.text, start)
                at = self.blank(start, entity.end(), _ENTITIES.get(entity[1], " ")) if entity else start + 1
            elif sign == "}" or sign == "{" or sign == "~":
                at = self.blank(start, start + 1)
            else:  # a web address, an emoji
                at = self.blank(start, match.end())
        prose = "".join((*self.pieces, self.text[self.copied :]))
        return Scan(self.found, prose if self.tex else without_emphasis(prose), self.strays, self.comments)

    # each of these takes the sign at `at` and says where to go on

    def blank(self, start: int, end: int, instead: str = " ") -> int:
        self.pieces.append(self.text[self.copied : start])
        self.pieces.append(instead.ljust(end - start) if instead != TAKEN else TAKEN * (end - start))
        self.copied = end
        return end

    def take(
        self, opens: int, start: int, end: int, closes: int, *, display: bool = False, wraps: bool = False
    ) -> int:
        self.blank(opens, closes, TAKEN)
        parts = rows(self.text, start, end, wraps=wraps) if display else [trimmed(self.text, start, end)]
        for number, (first, last) in enumerate(parts):
            before = opens if number == 0 else parts[number - 1][1]
            after = closes if number == len(parts) - 1 else last
            inside = trimmed(without_layout(self.text[first:last]), 0, last - first, first)
            self.found.append(Found(*inside, before, after, "latex", display, number))
        return closes

    def take_code(self, opens: int, start: int, end: int, closes: int) -> int:
        self.found.append(Found(*trimmed(self.text, start, end), opens, closes, "code"))
        return self.blank(opens, closes, TAKEN)

    def seek(self, closing: str, start: int) -> int:
        """The next place of `closing` from `start` on, or -1; asked for in order, the text is read once."""
        asked, known = self.next_at.get(closing, (0, -2))
        if known == -2 or (known != -1 and known < start) or asked > start:
            known = self.text.find(closing, start)
            self.next_at[closing] = (start, known)
        return known

    def stray(self, at: int, expected: str) -> None:
        found = self.text[at : at + 40].partition("\n")[0].strip()
        self.strays.append((at, f"expected {expected} before this block ends, found none after '{found}'. "
                                f"Close the formula, or write \\$ for a dollar."))  # fmt: skip

    def dollar(self, at: int) -> int:
        text = self.text
        if text.startswith("$$", at):
            index = bisect_right(self.dollars, at + 1)
            while index < len(self.dollars) - 1 and self.dollars[index + 1] != self.dollars[index] + 1:
                index += 1  # a single dollar inside
            if index >= len(self.dollars) - 1:
                self.stray(at, "a closing $$")
                return self.blank(at, at + 2)
            close = self.dollars[index]
            if not text[at + 2 : close].strip():
                return self.blank(at, close + 2)
            return self.take(at, at + 2, close, close + 2, display=True)
        if text.startswith("$`", at):
            close = self.seek("`$", at + 2)
            if close > 0 and "\n\n" not in text[at:close]:
                return self.take(at, at + 2, close, close + 2)
        index = bisect_right(self.dollars, at)
        if index < len(self.dollars):
            close = self.dollars[index]
            unpaired = (len(self.dollars) - index) % 2 == 0
            if self.tex or self.encloses(at, close, unpaired):
                return self.take(at, at + 1, close, close + 1)
        if self.tex or not self.is_no_formula(at):
            self.stray(at, "a closing $")
            return self.blank(at, at + 1)
        return at + 1

    def encloses(self, at: int, close: int, unpaired: bool) -> bool:
        """Whether two dollars enclose a formula rather than being two prices or one that was left open."""
        text, content = self.text, self.text[at + 1 : close]
        if not content.strip() or "`" in content or text[close + 1 : close + 2].isdigit():
            return False
        if _VARIABLE.match(text, at) and text[close + 1 : close + 2].isupper():
            return False
        wordy = "\\" not in content and _WORDS.search(content) is not None
        if text[at - 1 : at].isdigit() and not (content[0].isalpha() or content[0] in "\\({"):
            return False
        if content[0].isspace() != content[-1].isspace():
            return not (unpaired or wordy or content[0].isdigit())
        return not (wordy and (unpaired or content[0].isdigit()))

    def is_no_formula(self, at: int) -> bool:
        text = self.text
        before, after = text[at - 1 : at] if at else " ", text[at + 1 : at + 2] or " "
        return (
            _MONEY.match(text, at) is not None
            or _VARIABLE.match(text, at) is not None
            or before.isdigit()
            or "/" in (before, after)
            or (not before.isalnum() and not (after.isalnum() or after in "\\({["))
        )

    def backslash(self, at: int) -> int:
        text = self.text
        following = text[at + 1 : at + 2]
        if text.startswith("\\begin{", at) and (begin := _BEGIN.match(text, at)):
            closing = f"\\end{{{begin[1]}}}"
            close = self.seek(closing, begin.end())
            if close < 0:
                self.stray(at, closing)
                return self.blank(at, begin.end())
            wraps = begin[1].rstrip("*") in _ONE_FORMULA
            return self.take(at, begin.end(), close, close + len(closing), display=True, wraps=wraps)
        for opening, closing in (("\\(", "\\)"), ("\\[", "\\]"), ("\\\\(", "\\\\)"), ("\\\\[", "\\\\]")):
            if text.startswith(opening, at) and not (self.tex and len(opening) == 3):
                start = at + len(opening)
                close = self.seek(closing, start)
                again = text.find(opening, start, max(close, start))
                if close > 0 and again < 0 and (self.tex or self.is_mathematical(start, close)):
                    return self.take(at, start, close, close + len(closing), display="[" in opening)
        if self.tex:
            return self.command(at)
        if following == "*":
            return self.blank(at, at + 2, " ∗")  # a product sign, not emphasis
        if following in "_$" or following.isalnum():
            return at + 2
        return self.blank(at, at + 1) + len(following)

    def is_mathematical(self, start: int, end: int) -> bool:
        """Whether escaped brackets in Markdown hold a formula rather than words or a footnote's number."""
        content = self.text[start:end].strip()
        return _MATHEMATICAL.search(content) is not None or (len(content) == 1 and content.isalpha())

    def command(self, at: int) -> int:
        """A TeX command outside formulas: its name is no text, its argument is."""
        name = _COMMAND.match(self.text, at)
        if name is None:
            return at + 1
        if name.group() in ("\\_", "\\$"):
            return at + 2
        if name.group() in ("\\%", "\\&", "\\#"):
            return self.blank(at, at + 1) + 1
        return self.blank(at, name.end(), " ")

    def backtick(self, at: int) -> int:
        if self.ticks is None:
            self.ticks = {}
            for run in re.finditer("`+", self.text):
                self.ticks.setdefault(len(run.group()), []).append(run.start())
        length = 1
        while self.text.startswith("`", at + length):
            length += 1
        places = self.ticks.get(length, [])
        index = bisect_right(places, at)
        if index >= len(places):
            return at + length
        start, close = at + length, places[index]
        if not self.text[start:close].strip():
            return self.blank(at, close + length)
        role = _ROLE.search(self.text, max(self.copied, at - 8), at)
        if role:
            return self.take(role.start(), start, close, close + length)
        return self.take_code(at, start, close, close + length)

    def angle(self, at: int) -> int:
        text = self.text
        if text.startswith("<!--", at):
            close = self.seek("-->", at + 4)
            close = len(text) if close < 0 else close
            self.comments.append((at, text[at + 4 : close]))
            return self.blank(at, min(close + 3, len(text)))
        tag = _TAG.match(text, at)
        if tag is None:
            return at + 1
        name = (tag[1] or "").lower()
        opening = not tag.group().startswith("</")
        if name in _HIDDEN and opening and not tag.group().endswith("/>"):
            close = self.seek(f"</{tag[1]}", tag.end())
            return self.blank(at, close if close > 0 else len(text))
        if name == "code" and opening and (close := self.seek("</code>", tag.end())) > 0:
            if "<" not in text[tag.end() : close] and text[tag.end() : close].strip():
                return self.take_code(at, tag.end(), close, close + len("</code>"))
            return self.blank(at, tag.end())
        if name == "sup" and opening:
            return self.blank(at, tag.end(), "^")
        return self.blank(at, tag.end(), TAKEN if name == "sub" else " ")


def trimmed(text: str, start: int, end: int, offset: int = 0) -> tuple[int, int]:
    """[start, end) without the white space at its ends, moved on by `offset`."""
    inside = text[start:end]
    if not inside.strip():
        return start + offset, start + offset
    return start + offset + len(inside) - len(inside.lstrip()), start + offset + len(inside.rstrip())


_ROW_SIGN = re.compile(r"\\(begin|end)\{[^{}]*+\}|\\\\(?:\[[^\]\n]{0,200}+\])?|\\.|[{}]", re.DOTALL)
_INNER_BEGIN = re.compile(rf"\s*+\\begin\{{((?:{_INNER})\*?)\}}(?:\{{\d*\}}|\[[a-z]?\])?")


def rows(text: str, start: int, end: int, *, wraps: bool = False) -> list[tuple[int, int]]:
    """The rows of a displayed formula; `wraps` where only those of an `aligned` around all of it count.

    >>> source = r"\\begin{aligned} a &= b \\\\\\\\ &= c \\end{aligned}"
    >>> [source[first:last] for first, last in rows(source, 0, len(source))]
    ['a &= b', '&= c']
    """
    while begin := _INNER_BEGIN.match(text, start, end):
        closing = f"\\end{{{begin[1]}}}"
        inside_end = trimmed(text, start, end)[1] - len(closing)
        if text.find(closing, begin.end(), end) != inside_end:
            break
        start, end, wraps = begin.end(), inside_end, False
    if wraps:
        return [trimmed(text, start, end)]
    cuts, depth = [start], 0
    for sign in _ROW_SIGN.finditer(text, start, end):
        if sign[1] == "begin" or sign.group() == "{":
            depth += 1
        elif sign[1] == "end" or sign.group() == "}":
            depth -= 1
        elif sign.group().startswith("\\\\") and depth == 0:
            cuts += [sign.start(), sign.end()]
    cuts.append(end)
    parts = [trimmed(text, first, last) for first, last in zip(cuts[::2], cuts[1::2], strict=True)]
    return [(first, last) for first, last in parts if first < last] or [trimmed(text, start, end)]


_LAYOUT = re.compile(
    r"(?<!\\)&|\\(?:label|tag)\*?\{[^{}\n]*+\}|\\(?:nonumber|notag|displaystyle|hline)\b"
    r"|^[ \t]*+:\w++:[^\n]*+",  # the options of a MyST block
    re.MULTILINE,
)


def without_layout(latex: str) -> str:
    """A formula without labels and alignment signs, equally long; a matrix keeps its `&`."""
    if "\\begin" in latex:
        return latex
    return _LAYOUT.sub(lambda match: " " * len(match.group()), latex)


_EMPHASIS = re.compile(r"(?<!\\)(?:\*+|_+|~~)")
_PUNCTUATION = frozenset(".,;:!?…\"'()[]{}–—-«»“”‘’/，。；：！？、（）")


def without_emphasis(prose: str) -> str:
    """The same prose with the signs of emphasis blanked out, and those of multiplication left.

    >>> without_emphasis("**6NP** is 6 * N*P, *not* 2*N*P")
    '  6NP   is 6 * N*P,  not  2*N*P'
    """
    open_runs: dict[str, list[tuple[int, int]]] = {"*": [], "_": [], "~": []}
    blanks: list[tuple[int, int]] = []
    for run in _EMPHASIS.finditer(prose):
        start, end = run.span()
        left, right = prose[start - 1 : start] or " ", prose[end : end + 1] or " "
        opens = not right.isspace() and (left.isspace() or left in _PUNCTUATION) and left not in ")]}"
        closes = not left.isspace() and (right.isspace() or right in _PUNCTUATION) and right not in "([{"
        waiting = open_runs[prose[start]]
        if closes and waiting:
            blanks += [waiting.pop(), (start, end)]
        elif opens:
            waiting.append((start, end))
    if not blanks:
        return prose
    pieces, copied = [], 0
    for start, end in sorted(blanks):
        pieces += [prose[copied:start], " " * (end - start)]
        copied = end
    return "".join((*pieces, prose[copied:]))
