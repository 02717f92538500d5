"""Deciding: what each formula of a document claims, and whether it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from sympy import Expr, Symbol

from symcost.check import numbers
from symcost.check.catalogue import Entry, Supposed, catalogue
from symcost.check.documents import Document, Span
from symcost.check.findings import Finding, Pair, worst
from symcost.check.knowledge import OWN, Knowledge, read_legend
from symcost.check.meanings import SOME, STEPS, Subject, quantity_of_name, subject, time_name
from symcost.check.polynomials import Summands, form_of, minus, ratio, summands
from symcost.check.slips import Slip, dropped, one_slip, shared, slip_in_terms, written
from symcost.check.supposing import suppositions
from symcost.errors import ReadError, SymcostError
from symcost.notation import text as plain_text
from symcost.notation.numbers import grouped, rounded, scientific
from symcost.notation.reading import Part, Reading, read, read_list
from symcost.notation.units import Unit
from symcost.notation.units import unit as unit_called
from symcost.symbols import GLOSSARY
from symcost.training import TOKENS

EQUAL = ("=", "≈")
LEADS = {"=": "=", "==": "=", "≈": "≈", "~": "≈", "->": "→", "→": "→", "=>": "⇒", "⇒": "⇒", "⟹": "⇒"}
FOUR_WIDE = {GLOSSARY["d_ff"].symbol: 4 * GLOSSARY["d"].symbol}  # what a document may leave unsaid
DOLLARS = re.compile(r"(\$\s?[\d.,]+\s*(?:million|billion|thousand|[kKMB])?)(\s*(?:dollars|USD))", re.IGNORECASE)  # said twice
AMOUNT = re.compile(r"\s*\d+(?:[.,]\d+)*(?:e[+-]?\d+)?\s+(?:s|h|d|B|T|K|M|days|hours)\s*")  # 1.45e6 s, though s is a letter
FIGURE = re.compile(r"[\d.,\s{}\\^·×]+(?:\s*(?:[KMBT]|\\text\{[^}]*\}|[A-Za-z]{1,5}))?")
VALUES = re.compile(r"value|number|result|total|equals|bytes|FLOPs|count|size", re.IGNORECASE)
LONE_SIGNS = frozenset((r"\Rightarrow", r"\rightarrow", r"\to", r"\approx", r"\times", r"\cdot", "=", "≈", "→", "⇒"))
NO_CLAIM = Pair("no claim", "SC401", "")

# Words before a formula that make it an assumption, an equation to be solved, or somebody's former belief.
SUPPOSES = re.compile(r"\b(?:suppose|supposing|assum\w+|let|set|setting|if|when|where|say|take|"
                      r"i used to believe|used to think|pick|choose)\b[^.;:]{0,60}$", re.IGNORECASE)  # fmt: skip
PUTS_IN = re.compile(r"\b(?:with|for|using|given|at|suppose|let|take|say|assum\w+|where|if)\b[^.;:]{0,60}$", re.IGNORECASE)
TAKEN_BACK = re.compile(r"\b(?:i used to believe|used to think|is not|not|wrongly|instead of)\b[^.]{0,40}$", re.IGNORECASE)
DROPS = re.compile(r"ignor|neglect|drop|leav\w+ out|left out|not worth|without the|approximat|roughly|omit|small next to|"
                   r"忽略|省略", re.IGNORECASE)  # fmt: skip
ABOUT = re.compile(r"(?:\b(?:about|around|roughly|approximately|approx\.?|some|nearly|almost|or so|circa)|~|≈|约)\s*\$?`?\Z", re.IGNORECASE)
TENSORS = re.compile(r"\\partial|\\theta|\\alpha|\\beta_|\\in\b|\\mathbb|\\nabla|softmax|\^T\b|\^\\top|\\odot|\\text\{(?:Softmax|RMS|SiLU|CE)|_\{?t-1|_t\b|→\s*$")
UNIT_AHEAD = re.compile(r"\A\s*\**\s*([A-Za-zµ]+(?:/[A-Za-z]+)?(?:-(?:days|hours))?)")


@dataclass(frozen=True)
class Item:
    """One side of a relation, in the glossary's letters; `source` is what stands in the document."""

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


class Judge:
    """One document, read from top to bottom, with what it has said so far."""

    def __init__(
        self, document: Document, file: str = "", *, model: str | None = None, under: str | None = None,
        notation: str | None = None, given: dict[str, Fraction] | None = None,
    ) -> None:  # fmt: skip
        self.document, self.file = document, file
        self.knowledge: Knowledge = read_legend(document, notation)
        self.knowledge.given = dict(given or {})
        self.model, self.under = model, under
        self.previous: Item | None = None
        self.previous_span: Span | None = None
        self._right: dict[str, Expr] = {}
        self._cut_off = False  # whether a factor stands before the formula that was not found with it
        self._single = True  # whether the statement at hand is one relation between two sides

    @cached_property
    def supposed(self) -> list[Supposed]:
        """What the document is held against, the likeliest first."""
        return list(suppositions(self.document.text, self.knowledge, self.model, self.under))

    def findings(self) -> Iterator[Finding]:
        """One finding for each formula, and for each piece of broken markup, in order."""
        strays = [(stray.start, self._stray(stray.line, stray.column, stray.message)) for stray in self.document.strays]
        for span in self.document.spans:
            while strays and strays[0][0] < span.start:
                yield strays.pop(0)[1]
            self.knowledge.position = span.start
            pairs = self.judge(span)
            if pairs:
                yield self._finding(span, pairs)
        yield from (finding for _, finding in strays)

    def _stray(self, line: int, column: int, message: str) -> Finding:
        return Finding(self.file, line, column, line, column + 1, "$", "unchecked", "SC303", message)

    def _finding(self, span: Span, pairs: Sequence[Pair]) -> Finding:
        said = worst([pair for pair in pairs if pair.verdict != "no claim"] or pairs)
        return Finding(
            self.file, span.line, span.column, span.end_line, span.end_column, span.text, said.verdict, said.code,
            said.message, said.quantity, said.scope, said.convention, said.document, said.derived, said.difference,
            said.fix, tuple(pairs),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------ one formula

    def judge(self, span: Span) -> list[Pair]:
        """What is said of one formula: a verdict for each pair of its chain, and for what it claims to be."""
        if span.text.strip() in LONE_SIGNS:
            return []
        if span.form == "code" and not span.arithmetic and not self._known_name(span):
            return []
        text = DOLLARS.sub(lambda found: found[1] + " " * len(found[2]), span.text)
        try:
            readings = read_list(text, span.form, names=self.knowledge.names())
        except ReadError as error:
            self.previous = None
            if span.amount_only or (span.form == "text"):
                return []
            if TENSORS.search(span.text):
                return [Pair("no claim", "SC402", span.text, message="a tensor equation, a derivative or an update")]
            return [Pair("unchecked", "SC301", span.text, message=f"could not be read: {error}")]
        pairs: list[Pair] = []
        for reading in readings:
            pairs += self._statement(span, reading)
        return pairs

    def _known_name(self, span: Span) -> bool:
        return bool(re.fullmatch(r"[A-Za-z_]\w*", span.text)) and self.knowledge.letter(span.text) in GLOSSARY

    def _statement(self, span: Span, reading: Reading) -> list[Pair]:
        if reading.shape is not None:
            return [replace(NO_CLAIM, document=span.text, message="a shape")]
        items = [self._item(part, span, last) for part, last in _with_last(reading.parts)]
        if not items:
            return []
        relations = list(reading.relations)
        lead = reading.leading if not span.before.strip(" ,;:.—–-") else None
        lead = lead or _lead_before(span) or self._cell_lead(span)
        previous = self.previous if self.previous is not None and lead in (*EQUAL, "→", "⇒", "+") else None
        if lead == "+" and previous is not None:
            items[0] = replace(items[0], form=previous.form + items[0].form)
            self.previous = items[0]
            return [replace(NO_CLAIM, document=span.text, message="one more summand of the sum that goes on")]
        if previous is not None and lead is not None:
            items.insert(0, previous)
            relations.insert(0, "=" if lead == "=" else lead if lead == "≈" else "lead")
        elif span.amount_only:
            self.previous = items[-1]
            return []
        self._single = len(items) == 2
        self._cut_off = bool(re.search(r"(?:[x×·*/+]|\\times)\s*\Z", span.before))
        pairs = self._implied(items, relations) + self._pairs(items, relations, span)
        if TENSORS.search(span.text) and not any(self._values(item) for item in items):
            return [Pair("no claim", "SC402", span.text, message="a tensor equation, a derivative or an update")]
        pairs += self._claims(items, relations, span, continued=previous is not None)
        self._learn(items, relations, span, pairs)
        self.previous, self.previous_span = items[-1], span
        if not pairs:
            pairs = [replace(NO_CLAIM, document=span.text, message="a symbol or a number by itself")]
        return pairs

    def _cell_lead(self, span: Span) -> str | None:
        """A number in the next cell of a table's row, under a heading such as "value", is what the formula comes to."""
        before = self.previous_span
        if before is None or span.block.cell is None or before.block.cell is None or before.block is span.block:
            return None
        if not FIGURE.fullmatch(span.text):
            return None
        same_row = span.block.cell.row == before.block.cell.row and span.line == before.line
        return "=" if same_row and VALUES.search(span.block.cell.column) else None

    def _implied(self, items: list[Item], relations: list[str]) -> list[Pair]:
        """`4bs²d = 32bsd² ⇒ s = 8d`: what follows from an equation is put into it."""
        if relations[-3:] != ["=", "⇒", "="] or items[-2].name is None:
            return []
        left, right, solution = items[-4].form, items[-3].form, {items[-2].form: items[-1].form}
        one, other = summands(left.xreplace(solution)), summands(right.xreplace(solution))
        shown = " ".join(item.source for item in items[-4:])
        if one is None or other is None:
            return []
        if one == other:
            return [Pair("holds", "SC101", shown, message="it solves the equation")]
        factor = ratio(other, one)
        return [Pair("differs", "SC202", shown, derived=written(one), difference=written(minus(one, other)),
                     message=f"put in, the left side is {written(one)} and the right side {written(other)}"
                     + (f": {items[-2].source} should be {_number(factor, None)} times that" if factor else ""))]  # fmt: skip

    def _item(self, part: Part, span: Span, last: bool) -> Item:
        source = span.text[part.start : part.end]
        if part.expr.free_symbols and AMOUNT.fullmatch(source):
            with suppress(ReadError):
                part = replace(read(source, span.form).parts[0], start=part.start, end=part.end)
        form = self.knowledge.translated(part.expr)
        unit = part.unit
        if unit is None and last and not form.free_symbols:
            unit = _unit_after(span)
        return Item(form, part, span.text[part.start : part.end], unit)

    # --------------------------------------------------------------------------------------------- chains

    def _pairs(self, items: list[Item], relations: list[str], span: Span) -> list[Pair]:
        pairs = []
        for position, relation in enumerate(relations):
            if relation in (*EQUAL, "→", "⇒", "lead"):
                earlier = items[:position]
                pairs.append(self._pair(items[position], relation, items[position + 1], span, earlier))
        return [pair for pair in pairs if pair is not None]

    def _pair(self, left: Item, relation: str, right: Item, span: Span, earlier: list[Item]) -> Pair:
        about = relation == "≈" or bool(ABOUT.search(span.before)) or bool(re.search(r"≈|\\approx|\\sim", span.text))
        shown = f"{left.source} {relation if relation != 'lead' else '='} {right.source}"
        if left.name and right.is_number and self._single and PUTS_IN.search(_words_before(span)) and relation == "=":
            return replace(NO_CLAIM, document=shown, message="an assumption")
        if not span.display and SUPPOSES.search(_words_before(span)) and relation == "=" and not (
            left.is_number or right.name
        ):
            if left.name or TAKEN_BACK.search(_words_before(span)) or re.search(r"\bset\b|\bwhen\b|\bif\b", _words_before(span), re.I):
                return replace(NO_CLAIM, document=shown, message="an assumption, or an equation to be solved")
        if right.is_number:
            return self._number_pair(left, right, about, relation, shown, earlier)
        if left.is_number and right.name is None:
            return self._number_pair(right, left, about, relation, shown, earlier)
        return self._form_pair(left, relation, right, about, shown, span)

    def _number_pair(
        self, left: Item, right: Item, about: bool, relation: str, shown: str, earlier: list[Item]
    ) -> Pair:
        exact = self._values(left)
        before = [value for item in earlier for value in self._values(item)]
        if left.name and not exact:
            stem = time_name(left.name)
            exact = self._time_values(left.name) if stem else ()
            if not exact:
                return replace(NO_CLAIM, document=shown, message=f"{left.source} is given a number")
        if left.name and not self._single:
            return replace(NO_CLAIM, document=shown, message=f"{left.source} is given a number")
        if not exact and not before:
            missing = ", ".join(self._plain(name) for name in self._lacking(left.form)) or "a letter"
            return Pair("unchecked", "SC302", shown, message=f"no number is known for {missing}")
        printed = right.part.printed
        if printed is None:
            here = self._values(right)
            if any(value * left.scale == other * right.scale for value in exact for other in here):
                return Pair("holds", "SC101", shown)
            ways = [(value * left.scale, other * right.scale) for value in exact for other in here]
            if about and any(abs(one - other) <= numbers.NEAR * abs(one) for one, other in ways):
                return Pair("holds", "SC103", shown, message="about, within two per cent")
            if self._same_but_for_units(left, right, ways):
                return Pair("holds", "SC101", shown, message=self._binary_remark(left, right))
            return self._wrong_number(left, right, ways, shown, relation)
        for value in (*exact, *before):
            for candidate in self._candidates(value, left, right):
                match = numbers.compare(candidate, printed, right.unit, about)
                if match.holds:
                    remark = (match.remark + self._unrounded(left)).removeprefix("; ")
                    return Pair("holds", "SC103" if match.remark else "SC101", shown, message=remark)
        for value in exact if left.unit is None or "byte" not in left.unit.powers else ():
            for candidate in self._candidates(value, left, right):
                meant = numbers.binary(candidate, printed, right.unit)
                if meant:
                    return Pair("depends", "SC120", shown, message=f"right if {meant} is meant: {_both_units(candidate, right.unit)}")
        ways = [(value * left.scale, printed.value * right.scale) for value in exact]
        if left.is_number and right.unit is not None and left.unit is None and printed is not None:
            inner = self._binary_remark(left, right)
            if inner:
                return Pair("holds", "SC103", shown, message=inner)
        return self._wrong_number(left, right, ways, shown, relation)

    def _values(self, item: Item) -> tuple[Fraction, ...]:
        return self.knowledge.evaluated(item.form)

    def _time_values(self, name: str) -> tuple[Fraction, ...]:
        """A time under another unit's name: T_hours from what is known of T_seconds."""
        stem, scale = time_name(name) or ("", 1)
        for other in [*self.knowledge.numbers, *self.knowledge.definitions]:
            known = time_name(other)
            if known and known[0] == stem and other != name:
                values = self.knowledge.evaluated(Symbol(other, positive=True))
                return tuple(value * known[1] / scale for value in values)
        return ()

    def _candidates(self, value: Fraction, left: Item, right: Item) -> Iterator[Fraction]:
        """The value in base units, as the units of either side allow it to be read."""
        yield value * left.scale
        inside = Fraction(1)
        for unit in left.part.units_inside:
            inside *= unit.scale
            if unit.dimension != (right.unit.dimension if right.unit else None):
                yield value / unit.scale
        if inside != 1:
            yield value / inside
        if right.unit is not None and left.unit is None and not left.part.units_inside:
            yield value * right.unit.scale
        if left.is_number and right.part.printed is not None and right.part.printed.scale in numbers.BINARY:
            yield value * right.part.printed.scale * right.scale  # 1.2 + 0.1 = 1.3 billion

    def _same_but_for_units(self, left: Item, right: Item, ways: list[tuple[Fraction, Fraction]]) -> bool:
        """24GB = 24·1024³: the same, if GB means GiB."""
        return bool(self._binary_remark(left, right))

    def _binary_remark(self, left: Item, right: Item) -> str:
        for one, other in ((left, right), (right, left)):
            if one.unit is None or one.part.printed is None or one.unit.scale.denominator != 1:
                continue
            binary = numbers.BINARY.get(int(one.unit.scale))
            if binary is None:
                continue
            for value in self._values(other):
                if value * other.scale == one.part.printed.value * binary:
                    meant = one.unit.spelling.replace("B", "iB")
                    return (f"{one.source.strip()} is meant as {one.part.printed.digits} {meant}: {grouped(int(value * other.scale))} B, "
                            f"not {grouped(int(one.part.printed.value * one.unit.scale))}")
        return ""

    def _unrounded(self, left: Item) -> str:
        """What the name comes to by an earlier definition that this one rounds."""
        if not left.name or len(self.knowledge.definitions.get(left.name, ())) < 2:
            return ""
        forms = self.knowledge.definitions[left.name]
        values = [found[0] for form in forms if (found := self.knowledge.evaluated(form))]
        if len(set(values)) > 1:
            return f"; its coefficient was rounded on the way: unrounded it is {rounded(values[0], 2)}"
        return ""

    def _wrong_number(
        self, left: Item, right: Item, ways: list[tuple[Fraction, Fraction]], shown: str, relation: str
    ) -> Pair:
        timed = left.unit is not None and "s" in left.unit.powers and right.unit is None
        if relation in ("lead", "⇒") or not ways or self._cut_off or timed:
            return Pair("unchecked", "SC302", shown, message="what the sign leads on from is not certain")
        if left.name and relation != "≈" and left.name in GLOSSARY:
            return replace(NO_CLAIM, document=shown, message=f"{left.source} is given a number")
        if right.unit is not None and left.unit is not None and not left.unit.measures(right.unit):
            return Pair("unchecked", "SC204", shown, message=f"{left.unit.spelling} and {right.unit.spelling} are of two kinds")
        exact, value = ways[0]
        each = " or ".join(dict.fromkeys(_number(one / right.scale, right.unit) for one, _ in ways))
        slip = numbers.slip(exact, value)
        code = "SC204" if "s/h" in slip or "s/day" in slip or "h/day" in slip else "SC203"
        message = f"{left.source.strip()} is {each}, not {_number(value / right.scale, right.unit)}"
        return Pair("differs", code, shown, derived=each, difference=_number((exact - value) / right.scale, right.unit),
                    message=message + (f": {slip}" if slip else ""))  # fmt: skip

    def _form_pair(self, left: Item, relation: str, right: Item, about: bool, shown: str, span: Span) -> Pair:
        knowledge = self.knowledge
        if isinstance(left.form, Symbol) and left.form == right.form:
            return replace(NO_CLAIM, document=shown)
        one, other = knowledge.opened(left.form), knowledge.opened(right.form)
        if self._equal(one, other) or self._equal(left.form, right.form):
            return Pair("holds", "SC101", shown)
        named = self._named_forms(left.form, right.form)
        if named is not None:
            return Pair("holds", "SC102", shown, message=named)
        if left.name is not None or right.name is not None:
            name, form = (left.name, right) if left.name is not None else (right.name, left)
            assert name is not None
            if name not in knowledge.definitions:
                return replace(NO_CLAIM, document=shown, message=f"{self._plain(name)} is defined")
        values = [(a * left.scale, c * right.scale) for a in self._values(left) for c in self._values(right)]
        if any(a == c for a, c in values):
            return Pair("holds", "SC101", shown, message="at the numbers known")
        first, second = summands(self._tied(one)), summands(self._tied(other))
        if first and second:
            factor = ratio(first, second)
            if factor is not None and abs(factor - 1) <= Fraction(1, 2000):
                return Pair("holds", "SC101", shown, message=f"with a coefficient rounded by {_percent(factor - 1)}")
        if knowledge.unknown(one) or knowledge.unknown(other) or first is None or second is None:
            if relation == "≈" or about:
                return self._about(left, right, shown)
            return Pair("unchecked", "SC302", shown, message=self._unknown_words(one, other))
        if relation in ("lead", "→", "⇒"):
            return Pair("unchecked", "SC302", shown, message="what the arrow leads on from is not certain")
        missing = dropped(second, first)
        if about or (missing and DROPS.search(span.block.text)):
            return self._approximates(second, first, shown, (left, right))
        if left.unit is not None or right.unit is not None or left.part.units_inside or right.part.units_inside:
            return Pair("unchecked", "SC302", shown, message="the units of both sides could not be settled")
        if left.name is not None and left.name in knowledge.definitions:
            return self._redefined(left, first, second, shown)
        slip = one_slip(second, first)
        if slip is None and not _related(first, second):
            return Pair("unchecked", "SC302", shown, message="the two sides have nothing in common; an equation to be solved?")
        difference = minus(first, second)
        words = slip.words if slip is not None else f"the left side is {written(first)}, the right side {written(second)}"
        return Pair("differs", "SC202", shown, derived=written(first), difference=written(difference), message=words,
                    fix=written(first) if slip is not None else "")  # fmt: skip

    def _redefined(self, left: Item, first: Summands, second: Summands, shown: str) -> Pair:
        if one_slip(second, first) is None:
            return replace(NO_CLAIM, document=shown, message=f"{left.source.strip()} is defined again, as something else")
        return Pair("unchecked", "SC205", shown, derived=written(first), difference=written(minus(first, second)),
                    message=f"{left.source.strip()} was {written(first)} before")  # fmt: skip

    def _about(self, left: Item, right: Item, shown: str) -> Pair:
        values = [(a * left.scale, c * right.scale) for a in self._values(left) for c in self._values(right)]
        if values and all(a for a, _ in values):
            a, c = values[0]
            return Pair("approximates", "SC110", shown, message=f"{_percent(c / a - 1)} off at the numbers known")
        return replace(NO_CLAIM, document=shown, message="an approximation of something that is not derived")

    def _approximates(self, document: Summands, derived: Summands, shown: str, sides: tuple[Item, Item] | None = None) -> Pair:
        rest = minus(derived, document)
        error = self._error(document, derived)
        words = f"drops {written(rest)}" + (f", {error}" if error else "")
        return Pair("approximates", "SC110", shown, derived=written(derived), difference=written(rest), message=words)

    def _error(self, document: Summands, derived: Summands) -> str:
        here, exact = (self.knowledge.evaluated(form_of(table)) for table in (document, derived))
        if here and exact and exact[0]:
            off = here[0] / exact[0] - 1
            return f"{_percent(abs(off))} too {'little' if off < 0 else 'much'} at the numbers known"
        return ""

    def _equal(self, one: Expr, other: Expr) -> bool:
        first, second = summands(one), summands(other)
        if first is None or second is None:
            return one == other
        return any(first == second for first, second in ((first, second), *(
            (summands(one.xreplace(ties)), summands(other.xreplace(ties))) for ties in (self._ties, {**self._ties, **FOUR_WIDE})
        )))  # fmt: skip

    @cached_property
    def _ties(self) -> dict[Symbol, Expr]:
        return dict(self.supposed[0].costs.ties)

    def _tied(self, form: Expr) -> Expr:
        return form.xreplace(self._ties)

    def _named_forms(self, left: Expr, right: Expr) -> str | None:
        """Equal once names such as F_forward or M_static are taken as the derived quantities that they speak of."""
        names = {symbol: quantity for symbol in (left + right).free_symbols if (quantity := quantity_of_name(symbol.name))}
        if not names or left in names and right in names:
            return None
        for supposed in self.supposed[:6]:
            found = catalogue(supposed)
            put = {symbol: entry.total for symbol, quantity in names.items() if (entry := found.entry(quantity))}
            if len(put) < len(names):
                continue
            one, other = (self._tied(self.knowledge.opened(form.xreplace(put))) for form in (left, right))
            first, second = summands(one), summands(other)
            if first is not None and first == second:
                means = ", ".join(f"{symbol} = {quantity}" for symbol, quantity in sorted(names.items(), key=str))
                return f"with {means} as derived for {supposed}"
        return None

    # ------------------------------------------------------------------------------ claims about quantities

    def _claims(self, items: list[Item], relations: list[str], span: Span, *, continued: bool) -> list[Pair]:
        """What the forms of a statement are held against: the derived quantities."""
        forms = [item for item in items if item.form.free_symbols and item.name is None]
        if not forms or TAKEN_BACK.search(_words_before(span)):
            return []
        names = [item.name for item in items if item.name is not None]
        if any(name in GLOSSARY and name != "N" for name in names):
            return []
        if names and not span.display and SUPPOSES.search(_words_before(span)) and not any(map(quantity_of_name, names)):
            return []
        item = forms[-1] if continued or len(forms) > 1 else forms[0]
        table = summands(self._tied(self.knowledge.opened(item.form)))
        closed = summands(self._tied(item.form))
        shown = item.source.strip()
        if "b_max" in names:
            return self._batch_claim(item, shown)
        for each in (closed, table):
            if each and all(name in GLOSSARY for monomial in each for name, _ in monomial):
                found = self._look_up(each, self._subject(span, names), f"{span.before} {span.sentence.text} {span.block.text}")
                if found is None:
                    continue
                doubtful = not self._speaks_of(found, span, names) or self._part_for_whole(found, span)
                wrong = self._one_slip_away(each, span, names, relations, shown, item, found) if doubtful else None
                return [wrong if wrong is not None else self._found(found, shown, span)]
        unknown = self.knowledge.unknown(self.knowledge.opened(item.form))
        if unknown and len(unknown) == len(item.form.free_symbols) and len(items) == 1:
            return [Pair("no claim", "SC402", shown, message="names that stand for no cost")]
        if table is None or unknown:
            return [Pair("unchecked", "SC302", shown, message=self._unknown_words(item.form))] if len(items) == 1 else []
        run = self._run_claim(table, shown)
        if run is not None:
            return [run]
        wrong = self._one_slip_away(table, span, names, relations, shown, item)
        if wrong is not None:
            return [wrong]
        if len(items) == 1:
            return [Pair("unchecked", "SC302", shown, message="equals no derived quantity, and claims none by name")]
        return []

    def _speaks_of(self, entry: Entry, span: Span, names: Sequence[str]) -> bool:
        """Whether the words right beside a formula, where they name a quantity, name that of the entry."""
        cell = span.block.cell
        near = subject(f"{span.before} {span.after} {cell.column if cell else ''}").quantities
        for name in names:
            near = subject(name.removeprefix(OWN).replace("_", " ")).quantities or near
        return not near or entry.quantity in near

    def _part_for_whole(self, entry: Entry, span: Span) -> bool:
        """Whether a form equals only some tensors of a place, where the words beside it name the place or other steps."""
        if not entry.partial:
            return False
        near = _near(span)
        steps = [tensors for pattern, place, tensors in STEPS if place == entry.scope and pattern.search(near)]
        if len(steps) == 1:
            return not set(entry.tensors) <= steps[0]
        return entry.scope in subject(near).scopes and not SOME.search(near)

    def _subject(self, span: Span, names: Sequence[str]) -> Subject:
        """What the words around a formula say it is: the nearest first, the heading where the sentence says nothing."""
        cell = span.block.cell
        near = f"{span.before} {span.after} {f'{cell.column} {cell.row}' if cell else ''}"
        stated = subject(near)
        wider = subject(f"{span.sentence.text} {' '.join(span.block.lead[-2:])}")
        above = subject(" ".join(span.block.headings[-1:]))
        quantities = stated.quantities or wider.quantities or above.quantities
        scopes = stated.scopes or wider.scopes or above.scopes
        for name in names:
            quantity = {"N": "parameters"}.get(name) or quantity_of_name(name)
            words = subject(name.removeprefix(OWN).replace("_", " "))
            quantities = frozenset({quantity}) if quantity else words.quantities or quantities
            scopes = words.scopes or scopes
        return Subject(quantities, scopes)

    def _look_up(self, table: Summands, about: Subject, words: str) -> Entry | None:
        """The derived quantity that a form equals: the subject's own before others, the likeliest supposition first."""
        own = [each for each in self.supposed if each.convention == self.supposed[0].convention]
        others = [each for each in self.supposed if each.convention != self.supposed[0].convention]
        spare: Entry | None = None
        for group, partial in ((own, False), (own, True), (others, False), (others, True)):
            for supposed in group:
                found = catalogue(supposed).find(table, partial=partial)
                if found:
                    best = max(found, key=lambda entry: _fit(entry, about, words))
                    fits = not about.quantities or best.quantity in about.quantities
                    if fits and (not about.scopes or best.scope in about.scopes):
                        return best
                    if spare is None or fits and spare.quantity not in about.quantities:
                        spare = best
            if spare is not None and (spare.quantity in about.quantities or not about.quantities):
                return spare
        return spare

    def _found(self, entry: Entry, shown: str, span: Span) -> Pair:
        first = self.supposed[0]
        own = entry.supposed.convention == first.convention or entry.remark
        convention = entry.supposed.convention
        option = convention.partition("+")[2]
        told = option and re.search({"flash": "flash", "checkpoint": "checkpoint|recomput"}[option], self.document.text, re.I)
        remark = f"{entry.named()}{f', {entry.remark}' if entry.remark else ''}, supposing {entry.supposed}"
        if own or told or entry.quantity in ("parameters", "forward_flops", "backward_flops", "parameter_memory"):
            return Pair("holds", "SC102", shown, plain_text(entry.total), "", remark, entry.quantity, entry.scope, convention)
        if convention.startswith("megatron") and re.search(r"dropout|mask|megatron|byte", self.document.text, re.I):
            return Pair("holds", "SC102", shown, plain_text(entry.total), "", remark, entry.quantity, entry.scope, convention)
        return Pair("depends", "SC120", shown, plain_text(entry.total), "", f"right under {convention}: {remark}",
                    entry.quantity, entry.scope, convention)  # fmt: skip

    def _run_claim(self, table: Summands, shown: str) -> Pair | None:
        """A whole run: the FLOPs of a step over its tokens, times a number that stands for tokens and speed."""
        for supposed in self.supposed[:3]:
            step = catalogue(supposed).entry("step_flops")
            if step is None:
                continue
            for quantity, below in (("training_flops", 1 / TOKENS), ("training_time", 1 / (TOKENS * GLOSSARY["MFU"].symbol))):
                form = summands(step.total * below)
                factor = ratio(table, form) if form else None
                if factor is not None:
                    words = "D·epochs" if quantity == "training_flops" else "D·epochs/(n·peak)"
                    return Pair("holds", "SC102", shown, message=f"{quantity}, with {_number(factor, None)} for {words}, supposing {supposed}",
                                quantity=quantity, scope="model", convention=supposed.convention)  # fmt: skip
        return None

    def _one_slip_away(
        self, table: Summands, span: Span, names: Sequence[str], relations: Sequence[str], shown: str, item: Item,
        found: Entry | None = None,
    ) -> Pair | None:
        """The derived form that the words announce, where the written one is a single slip from it.

        Where the form equals something else (`found`), only a slip within the same quantity is said.
        """
        about = self._subject(span, names)
        if not about.quantities or not (about.scopes or names):
            return None
        approximate = "≈" in relations or bool(ABOUT.search(span.before)) or bool(DROPS.search(_around(self.document, span)))
        stated = subject(_near(span))
        sure = bool(stated.quantities) and len(stated.scopes) == 1
        addends = [each for term in item.part.terms if (each := summands(self._tied(self.knowledge.translated(term.expr))))]
        best: tuple[int, Entry, Slip] | None = None
        for supposed in self.supposed[:6]:
            for entry in self._announced(supposed, about, span):
                left_out = dropped(table, entry.table)
                if left_out and approximate:
                    return self._approximates(table, entry.table, shown)
                slip = one_slip(table, entry.table, sure=sure)
                if slip is not None and slip.added and len(about.scopes) > 1:
                    continue
                if slip is None and len(addends) > len(table):
                    slip = slip_in_terms(addends, entry.table)
                if found is not None and slip is not None and (slip.dropped or _elsewhere(found, entry, about)):
                    continue
                if slip is not None and (best is None or shared(table, entry.table) > best[0]):
                    best = (shared(table, entry.table), entry, slip)
        if best is None or approximate:
            return None
        _, entry, slip = best
        self._right[shown] = entry.total
        return Pair("differs", "SC201", shown, plain_text(entry.total), written(slip.difference),
                    self._explained(entry, slip.words, slip.difference), entry.quantity, entry.scope, str(entry.supposed),
                    fix=plain_text(entry.total))  # fmt: skip

    def _announced(self, supposed: Supposed, about: Subject, span: Span) -> Iterator[Entry]:
        """The derived forms that the words speak of: the steps that they name, else the places."""
        near = _near(span)
        token = bool(re.search(r"per token|each token|a token", near, re.IGNORECASE))
        steps = [(place, tensors) for pattern, place, tensors in STEPS if pattern.search(near)]
        for quantity in about.quantities:
            if len(steps) == 1:
                yield from catalogue(supposed).some(quantity, *steps[0], per_token=token)
                continue
            for entry in catalogue(supposed).whole:
                fits = entry.quantity == quantity and entry.scope in (about.scopes or {"model"})
                if fits and (entry.remark == "for one token" if token and "flops" in quantity else not entry.remark):
                    yield entry

    def _explained(self, entry: Entry, words: str, difference: Summands) -> str:
        """The slip, the form, and the tensors that make up the difference with the gradient that asks for each."""
        missing = [term for term in entry.terms if summands(term.amount) == difference]
        reasons = "; ".join(f"{term.tensor} ({term.because})" for term in missing[:3])
        more = f" and {len(missing) - 3} more of that size" if len(missing) > 3 else ""
        return f"{words}{f' = {reasons}{more}' if reasons else ''}; {entry.named()} is {plain_text(entry.total)} for {entry.supposed}"

    def _batch_claim(self, item: Item, shown: str) -> list[Pair]:
        """A largest batch: the memory left over what is always there, over that of one sequence, with what is dropped."""
        entries = catalogue(self.supposed[0])
        static, each = entries.entry("static_memory"), entries.entry("memory_per_sequence")
        if static is None or each is None:
            return []
        top, bottom = item.form.as_numer_denom()
        kept_each, numerator = summands(self._tied(bottom)), summands(self._tied(top))
        if not kept_each or not numerator or () not in numerator:
            return []
        memory = numerator[()]
        kept_static = {monomial: -value for monomial, value in numerator.items() if monomial}
        factor = _common(kept_each, each.table)
        if factor is None:
            return []
        memory, kept_static = memory / factor, {monomial: value / factor for monomial, value in kept_static.items()}
        kept_each = {monomial: value / factor for monomial, value in kept_each.items()}
        left_static, left_each = minus(static.table, kept_static), minus(each.table, kept_each)
        if not left_static and not left_each:
            return [Pair("holds", "SC102", shown, message=f"the largest batch, supposing {self.supposed[0]}")]
        if any(value < 0 for value in (*left_static.values(), *left_each.values())):
            return []
        counts = self._batches(memory, kept_static, kept_each, static.table, each.table)
        names = ", ".join(written({monomial: value}) for table in (left_static, left_each) for monomial, value in table.items())
        return [Pair("approximates", "SC111", shown, difference=names, quantity="peak_memory", message=(
            f"unsafe: it drops {names}, so it promises more than fits{counts}"))]  # fmt: skip

    def _batches(self, memory: Fraction, kept_static: Summands, kept_each: Summands, static: Summands, each: Summands) -> str:
        numbers_known = {name: values[0] for name, values in self._later_numbers().items()}
        if "h" not in numbers_known and numbers_known.get("d", Fraction(0)) % 64 == 0 and "d" in numbers_known:
            numbers_known["h"] = numbers_known["d"] / 64
        needed = {name for table in (static, each) for monomial in table for name, _ in monomial}
        if not needed <= numbers_known.keys():
            return ""
        at = lambda table: sum(value * _product(monomial, numbers_known) for monomial, value in table.items())  # noqa: E731
        promised = (memory - at(kept_static)) // at(kept_each)
        fits = (memory - at(static)) // at(each)
        nominal = memory / 10**9
        also = ""
        if nominal.denominator == 1:
            also = f" ({(nominal * 2**30 - at(static)) // at(each)} if GiB is meant)"
        return f": {promised} where {fits} fit{also}, at h = {numbers_known['h']}"

    def _later_numbers(self) -> dict[str, tuple[Fraction, ...]]:
        """Numbers in force, and those that the document states further down."""
        found = dict(self.knowledge.numbers)
        for span in self.document.spans:
            if span.start <= self.knowledge.position or span.form != "latex":
                continue
            try:
                readings = read_list(span.text, span.form, names=self.knowledge.names())
            except SymcostError:
                continue
            for reading in readings:
                if len(reading.parts) == 2 and reading.parts[1].printed is not None and isinstance(reading.parts[0].expr, Symbol):
                    name = self.knowledge.letter(reading.parts[0].expr.name)
                    found.setdefault(name, (reading.parts[1].printed.value,))
        return found

    # ------------------------------------------------------------------------------------ what is learnt

    def _learn(self, items: list[Item], relations: list[str], span: Span, pairs: Sequence[Pair]) -> None:
        """Names that a statement gives a number or a form; of a wrong form also the right one, for what follows."""
        if TAKEN_BACK.search(_words_before(span)) or not set(relations) <= {"=", "≈", "lead"}:
            return
        names = [item for item in items if item.name is not None]
        for named in names[:1]:
            assert named.name is not None
            rest = [item for item in items if item is not named]
            values: dict[Fraction, None] = {}
            for item in rest:
                if item.is_number:
                    for value in self._values(item):
                        values[value * item.scale] = None
                elif self._defines(named.form, item.form):
                    forms = self.knowledge.definitions.setdefault(named.name, [])
                    forms += [form for form in (*self._mended(pairs), item.form) if form not in forms]
            if values:
                self.knowledge.values[named.name] = tuple(values)
            break

    def _mended(self, pairs: Sequence[Pair]) -> list[Expr]:
        """The derived forms that were said instead of wrong ones."""
        return [form for pair in pairs if pair.code == "SC201" and (form := self._right.get(pair.document)) is not None]

    def _defines(self, name: Symbol, form: Expr) -> bool:
        """Whether a form says what a name is: in letters that are known, and a letter of ours only where one may be tied."""
        if name.name in GLOSSARY and name.name not in ("N", "d_ff", "d_k", "h_kv"):
            return False
        return not self.knowledge.unknown(form) and name not in self.knowledge.opened(form).free_symbols

    def _lacking(self, form: Expr) -> list[str]:
        opened = self.knowledge.opened(form)
        return sorted(symbol.name for symbol in opened.free_symbols if symbol.name not in self.knowledge.numbers)

    def _unknown_words(self, *forms: Expr) -> str:
        names = sorted({name for form in forms for name in self.knowledge.unknown(self.knowledge.opened(form))})
        if not names:
            return "nothing to hold it against"
        return f"{', '.join(self._plain(name) for name in names)}: the document does not say what this stands for"

    @staticmethod
    def _plain(name: str) -> str:
        return name.removeprefix(OWN)


def _fit(entry: Entry, about: Subject, words: str) -> tuple[int, int, int, int]:
    """How well an entry fits what the words speak of: its quantity, its tensors by name, its place, wholes before parts."""
    named = sum(bool(re.search(rf"(?<!\w){re.escape(tensor)}(?!\w)", words)) for tensor in entry.tensors)
    return (
        entry.quantity in about.quantities,
        entry.scope in about.scopes,
        named if entry.partial and named == len(entry.tensors) else 0,
        not entry.partial,
    )


def _elsewhere(found: Entry, entry: Entry, about: Subject) -> bool:
    """Whether a form that equals one of the quantities spoken of would be held against another."""
    return found.quantity in about.quantities and entry.quantity != found.quantity


def _with_last(parts: Sequence[Part]) -> Iterator[tuple[Part, bool]]:
    for position, part in enumerate(parts):
        yield part, position == len(parts) - 1


def _lead_before(span: Span) -> str | None:
    """The relation that stands between a formula and the one before it: `a`=`b`."""
    words = span.before.strip()
    if words in LEADS:
        return LEADS[words]
    ending = re.search(r"(=>|->|==?|≈|→|⇒)\s*\Z", words)
    return LEADS[ending[1]] if ending and len(words) <= 3 else None


def _unit_after(span: Span) -> Unit | None:
    """The unit in the words right behind a number: `$2.87$ GB`."""
    ahead = UNIT_AHEAD.match(span.after)
    if ahead is None:
        return None
    known = unit_called(ahead[1])
    return known if known is not None and len(ahead[1]) > 1 else None


def _words_before(span: Span) -> str:
    start = span.start - span.sentence.start
    return span.sentence.text[max(0, start - 90) : max(0, start)]


def _near(span: Span) -> str:
    """The words right beside a formula: its cell's row and column, or what stands before and behind it."""
    cell = span.block.cell
    return f"{cell.row} {cell.column}" if cell is not None else f"{span.before} {span.after}"


def _around(document: Document, span: Span) -> str:
    """The words of the block and what follows it directly, where authors say what they left out."""
    return document.text[span.block.start : span.end + 160]


def _related(first: Summands, second: Summands) -> bool:
    """Whether two sums share a term, or are each a single term in the same letters."""
    if any(second.get(monomial) == value for monomial, value in first.items()):
        return True
    return bool(first.keys() & second.keys())


def _common(document: Summands, derived: Summands) -> Fraction | None:
    """The factor between the terms that both have, where it is one for all."""
    factors = {value / derived[monomial] for monomial, value in document.items() if monomial in derived}
    return factors.pop() if len(factors) == 1 and document.keys() <= derived.keys() else None


def _product(monomial: Sequence[tuple[str, int]], known: dict[str, Fraction]) -> Fraction:
    result = Fraction(1)
    for name, power in monomial:
        result *= known[name] ** power
    return result


def _percent(value: Fraction) -> str:
    return f"{rounded(abs(value) * 100, 3)} %"


def _number(value: Fraction, unit: Unit | None) -> str:
    large = abs(value) >= 10**7 or 0 < abs(value) < Fraction(1, 100)
    shown = scientific(value, 4) if large else rounded(value, 2)
    return f"{shown} {unit.spelling}" if unit is not None else shown


def _both_units(value: Fraction, unit: Unit | None) -> str:
    if unit is None:
        return rounded(value, 2)
    return f"{rounded(value / 10**9, 2)} GB are {rounded(value / 2**30, 2)} GiB"
