"""Statements: what a formula says, side by side, in the glossary's letters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

from sympy import Expr, Symbol

from symcost.check.documents import Span
from symcost.check.knowledge import OWN, Knowledge
from symcost.check.wordings import Wording
from symcost.errors import ReadError
from symcost.notation.reading import Part, Reading, read_list, read_part
from symcost.notation.units import SCALE_WORDS, SUFFIXES, Unit
from symcost.notation.units import unit as unit_called
from symcost.symbols import GLOSSARY

EQUAL = ("=", "≈")
LEADS = {"=": "=", "==": "=", "≈": "≈", "~": "≈", "->": "→", "→": "→", "=>": "⇒", "⇒": "⇒", "⟹": "⇒"}
LONE_SIGNS = frozenset(
    (r"\Rightarrow", r"\rightarrow", r"\to", r"\approx", r"\times", r"\cdot", "=", "≈", "→", "⇒")
)

_MONEY = re.compile(r"(?<![\\\w])\\?\$\s?(?=[\d.])")
_DOLLARS = Wording(
    r"(\$\s?[\d.,]+\s*(?:million|billion|thousand|[kKMB])?)(\s*(?:dollars|USD))", re.IGNORECASE
)  # said twice
_REMARK = re.compile(r"(?<=[\w)])\s*\((?:[a-z][\w ,-]*)\)")
_OPERATOR = r"\\(?:approx|sim|leq?|geq?|to|times|cdot|frac|q?quad)\b"
_LABEL = Wording(
    r"\s*\\(?:text(?:rm|bf|it)?|mathrm)\{(?P<words>[^{}]*)\}"
    r"(?:\s*&?\s*(?==|\\approx|≈)"
    rf"|(?P<more>(?:(?!{_OPERATOR})[^=≈<>+*/\d:&]){{0,40}}):?\s*(?:\\q?quad\b|&|\\[,;: ]|\s{{3}})+\s*)"
)  # the words before a relation, or in the first column of an alignment
_ROW_LABEL = re.compile(r"\s*(?P<words>[^=≈:+]*[A-Za-z][^=≈:+]*?)\s*:(?!=)\s+(?=\S)")  # QK^T : 2bc^2d
_TENSOR_LABEL = re.compile(
    r"\s*(?P<words>[^:]*[A-Za-z][^:]*?)\s*:(?!=)\s*(?:\\(?:q?quad\b|[;, ])|&|\s{2})\s*(?=\S)"
)  # H = GELU(U) : \quad 8bcd
_TEXT = Wording(r"\\(?:text\w*|math\w+|operatorname)\{([^{}]*)\}")
_IN_BRACKETS = re.compile(r"\(([a-z][^()]*)\)?\s*\Z")  # words, at the end
_WITH_UNIT = re.compile(r"[\d)]\s+[A-Za-z]+(?=\s*(?:\Z|[×x*·/+]))")  # 1.45e6 s, though s is a letter
_UNIT_BEHIND = re.compile(
    r"\A[\s\"'*]*([A-Za-zµ]+(?:\s?/\s?[A-Za-z]+|\sper\s[A-Za-z]+)?(?:[- ](?:seconds|minutes|hours|days|years))?)"
)
_SCALED = re.compile(r"\d[\d,]*\.\d+[KMBT]")
_SCALE_BEHIND = Wording(rf"\s*({'|'.join(SCALE_WORDS)})\b", re.IGNORECASE)
_SUFFIX_BEHIND = re.compile(r"[$`]([KMBT])(?![\w/])")  # $174$B
_ABOUT = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|approx\.?|some|nearly|almost|or so|circa)|~|≈|约)\s*\$?`?\Z",
    re.IGNORECASE,
)
_ABOUT_SIGN = re.compile(r"≈|\\approx|\\sim|~=|(?<!\w)~")
_FIGURE = re.compile(r"[\d.,\s{}\\^·×]+(?:\s*(?:[KMBT]|\\text\{[^}]*\}|[A-Za-z]{1,5}))?")
_CALL = re.compile(r"[^()]*[A-Za-z}]\s*\(\s*([A-Za-z]\w*|\d+)\s*\)\s*")  # M(b), M(8)
LONGEST_LETTER = 2  # B, MB: letters that a unit may also be
_VALUES = Wording(r"value|number|result|total|equals|bytes|FLOPs|count|size|数值", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """One side of a relation, in the glossary's letters; `source` is what stands in the document.

    `unit` is printed with it, or stands in the words behind it.
    """

    form: Expr
    part: Part
    source: str
    unit: Unit | None

    @property
    def name(self) -> str | None:
        """The name that the side is, where it is one alone."""
        return self.form.name if isinstance(self.form, Symbol) else None

    @property
    def is_number(self) -> bool:
        return not self.form.free_symbols

    @property
    def scale(self) -> Fraction:
        return self.unit.scale if self.unit is not None else Fraction(1)


@dataclass
class Statement:
    """One formula: its sides with the relation between each two, and a label in words.

    `continued` says that its first side is that of the formula before, which it leads on from; `cut_off` that a factor
    stands before it that was not found with it; `about` that it is meant to be near, by a sign or a word; `argument` is
    the letter that it defines a function of.
    """

    span: Span
    items: list[Item]
    relations: list[str]
    label: str = ""
    continued: bool = False
    cut_off: bool = False
    about: bool = False
    argument: Symbol | None = None

    @property
    def single(self) -> bool:
        """Whether it is one relation between two sides."""
        return len(self.items) == 2

    @property
    def names(self) -> list[str]:
        return [item.name for item in self.items if item.name is not None]


_ASIDE = re.compile(
    r"(?:&+|\\q?quad|\s\s)\s*(?:\\(?:text|textrm|textit|mbox|mathrm)\{[\s,;(]*)+([^{}]*?)[\s)]*\}\s*[.,;]?\s*(?:\\\\)?\s*\Z"
)  # words behind a formula in its own column
_CONDITION = re.compile(r"\\q?quad\s*\(((?:[^()]|\\[()])*=[^()]*)\)\s*[.,]?\s*\Z")


def readings(span: Span, knowledge: Knowledge) -> tuple[str, tuple[Reading, ...]]:
    """The formulas of a span and the words that label them. Raises ReadError where it cannot be read."""
    text = _DOLLARS.sub(lambda found: found[1] + " " * len(found[2]), span.text)
    names = knowledge.names()
    found = _label(span, text)
    label = _said(" ".join(filter(None, found.groups()))) if found else ""
    if found is not None:
        text = " " * found.end() + text[found.end() :]
    try:
        return label, read_list(text, span.form, names=names)
    except ReadError:
        aside = _ASIDE.search(text) if span.form == "latex" else None
        if aside is not None:  # F &= 96Blsh^2 & \text{full}
            label, text = f"{label} {aside[1]}".strip(), text[: aside.start()] + _blank(aside)
            with suppress(ReadError):
                return label, read_list(text, span.form, names=names)
        mended = (_CONDITION if span.form == "latex" else _REMARK).sub(_blank, text)
        mended = _MONEY.sub(_blank, mended)
        if mended == text:
            raise
        return label, read_list(mended, span.form, names=names)


def _label(span: Span, text: str) -> re.Match[str] | None:
    """The words that label a formula, where it opens with some."""
    if span.form != "latex":
        return None
    rows = (_ROW_LABEL, _TENSOR_LABEL) if span.display else ()
    found = next((found for pattern in (_LABEL, *rows) if (found := pattern.match(text))), None)
    if found is not None and _said(found[0].rstrip("= ")) in GLOSSARY:
        return None  # \text{MFU} = 0.4
    return found


def condition(span: Span, knowledge: Knowledge) -> Mapping[Expr, Expr]:
    r"""What a formula is said to hold for in brackets behind it: `\qquad (d_{attn} = d_{ff}/4 = d)`, as letters to put in."""
    found = _CONDITION.search(span.text) if span.form == "latex" else None
    if found is None:
        return {}
    try:
        [reading] = read_list(found[1], span.form, names=knowledge.names())
    except (ReadError, ValueError):
        return {}
    *others, last = (knowledge.translated(part.expr) for part in reading.parts)
    factors = ((other.as_coeff_Mul(), last) for other in others)
    return {name: last / factor for (factor, name), last in factors if isinstance(name, Symbol)}


def _said(label: str) -> str:
    r"""A label as words: of a tensor with how it is made only what is said of it in brackets.

    >>> _said(r"H = \mathrm{GELU}(U)\ \text{(input of } W_2)"), _said(r"y = \mathrm{LN}(x)")
    ('input of W_2', '')
    """
    words = " ".join(_TEXT.sub(r"\1", label).replace("\\ ", " ").split())
    said = _IN_BRACKETS.search(words) if "\\text" in label else None
    return said[1].strip() if said else "" if "=" in words else words


def unlabelled(span: Span) -> str:
    """A formula without the words that label it."""
    label = _label(span, span.text)
    return span.text[label.end() :] if label else span.text


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def statement(
    span: Span,
    reading: Reading,
    label: str,
    knowledge: Knowledge,
    previous: Item | None,
    cell_before: Span | None,
) -> Statement:
    """A reading in the glossary's letters; where it leads on from the formula before, that formula's last side comes first."""
    items = [_item(part, span, knowledge, last=part is reading.parts[-1]) for part in reading.parts]
    relations = list(reading.relations)
    lead = reading.leading if not span.before.strip(" ,;:.—–-") else None
    lead = (
        (
            lead
            or _lead_before(span)
            or (_lead_of_cell(span, cell_before) if items and items[0].is_number else None)
        )
        if not label
        else None
    )
    made = Statement(span, items, relations, reading.label or label)
    _take_as_function(made, knowledge)
    made.about = bool(_ABOUT_SIGN.search(span.text) or _ABOUT.search(span.before))
    made.cut_off = bool(re.search(r"(?:[x×·*/+]|\\times)\s*\Z", span.before))
    if cell_before is not None and span.block.headings != cell_before.block.headings:
        lead = None  # another section
    name = items[0].name or "" if items and relations[:1] == ["="] else ""
    counted_in = unit_called(name) if len(name) > LONGEST_LETTER and name not in knowledge.names() else None
    if (
        previous is not None and counted_in is not None and not span.before.strip()
    ):  # `4Lhd` bytes = 131,072 B
        items[0], made.continued = replace(previous, unit=counted_in), True
        return made
    if (
        lead in ("→", "⇒")
        and previous is not None
        and relations == ["="]
        and name == "b"
        and previous.is_number
    ):
        items.insert(0, previous)  # 3.4 -> b = 3
        relations.insert(0, "⇒")
        return made
    if previous is not None and items and lead == "+":
        items[0] = replace(items[0], form=previous.form + items[0].form)
        made.continued = True
    elif previous is not None and items and (lead in EQUAL or (lead in ("→", "⇒") and not relations)):
        items.insert(0, previous)
        relations.insert(0, lead if lead in EQUAL else "lead")
        made.continued = True
    return made


def _take_as_function(made: Statement, knowledge: Knowledge) -> None:
    """Takes `M(b) = …` as a form in b that is called M, where b is in the form, and `M(8)` as what that is at 8."""
    call = _CALL.fullmatch(made.items[0].source)
    if call is None or made.relations[:1] not in (["="], ["≈"]):
        return
    first, second = made.items[:2]
    argument = Symbol(knowledge.letter(call[1]), positive=True)
    value, name = first.form.as_coeff_Mul()
    if argument in second.form.free_symbols and isinstance(name / argument, Symbol):
        made.argument, form = argument, name / argument
    elif str(name) in knowledge.functions:
        letter, defined = knowledge.functions[str(name)]
        form = defined.xreplace({letter: value})
    else:
        return
    made.items[0] = replace(first, form=form)


def _item(part: Part, span: Span, knowledge: Knowledge, *, last: bool) -> Item:
    source = span.text[part.start : part.end]
    if part.expr.free_symbols and span.form != "latex" and _is_amount(source):
        part = _amount(part, source, span)
    form = knowledge.translated(part.expr)
    unit = part.unit
    if unit is None and last and not form.free_symbols:
        size = _size_behind(span)
        if size is not None and part.printed is not None:  # $103.0$ million
            part, form = (
                replace(part, expr=part.expr * size, printed=part.printed.times(Fraction(size))),
                form * size,
            )
        unit = _unit_after(span)
    return Item(form, part, source, unit)


def _size_behind(span: Span) -> int | None:
    """What the word or the suffix right behind a formula multiplies it by."""
    word = _SCALE_BEHIND.match(span.after)
    suffix = _SUFFIX_BEHIND.match(span.block.text, span.end - span.block.start)
    return SCALE_WORDS[word[1].lower()] if word else SUFFIXES[suffix[1]] if suffix else None


def _is_amount(source: str) -> bool:
    """Whether all words in some arithmetic are units, or it is a number with a suffix, though the document uses one of them
    as a letter: 56.4B where $B$ is the batch."""
    if _SCALED.fullmatch(source.strip()):
        return True
    words = re.findall(r"(?<![\d.])[A-Za-z]+", source)
    return bool(_WITH_UNIT.search(source)) and all(word == "x" or unit_called(word) for word in words)


def _amount(part: Part, source: str, span: Span) -> Part:
    """The same read as an amount with a unit, where it can be."""
    try:
        again = read_part(source, span.form)
    except ReadError:
        return part
    return part if again.expr.free_symbols else replace(again, start=part.start, end=part.end)


def _lead_before(span: Span) -> str | None:
    """The relation that stands between a formula and the one before it: `a`=`b`."""
    words = span.before.strip()
    if words in LEADS:
        return LEADS[words]
    ending = re.search(r"(=>|->|==?|≈|→|⇒)\s*\Z", words)
    return LEADS[ending[1]] if ending and len(words) <= 3 else None


def _lead_of_cell(span: Span, before: Span | None) -> str | None:
    """A number in the next cell of a table's row, under a heading such as "value", is what the formula comes to."""
    cell = span.block.cell
    if before is None or cell is None or before.block.cell is None or before.block is span.block:
        return None
    same_row = cell.row == before.block.cell.row and span.line == before.line
    return "=" if same_row and _FIGURE.fullmatch(span.text) and _VALUES.search(cell.column) else None


def _unit_after(span: Span) -> Unit | None:
    """The unit in the words right behind a number: `$2.87$ GB`, `$1.3$ tokens per second`."""
    ahead = _UNIT_BEHIND.match(span.after)
    if ahead is None:
        return None
    for words in (ahead[1], ahead[1].split()[0], ahead[1].split("/")[0]):
        known = unit_called(words)
        if known is not None and (len(words) > 1 or words in "sh"):
            return known
    return None


def plain_name(name: str) -> str:
    """A document's own name as it stands there."""
    return name.removeprefix(OWN)
