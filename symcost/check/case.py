"""The case: what is known of a document while its formulas are judged, and forms made comparable by it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import NamedTuple

from sympy import Expr, Rational, Symbol

from symcost.check.catalogue import Book, Entry, book
from symcost.check.documents import Document, Span
from symcost.check.knowledge import SIZES, Knowledge
from symcost.check.legend import ALL_HEADS, FORMS
from symcost.check.meanings import meaning_of, plain_name
from symcost.check.models import Model, model_at, models_of
from symcost.check.polynomials import Summands, letters_of, summands
from symcost.check.recipes import SHARED, Recipe
from symcost.check.statements import Item, Statement
from symcost.check.subjects import Subject
from symcost.check.supposing import FOUR_WIDE, Design, Supposed, Suppositions, kind, suppositions
from symcost.check.tables import row_values
from symcost.check.wordings import Wording
from symcost.notation.numbers import rounded
from symcost.notation.units import Unit
from symcost.symbols import GLOSSARY, b


def _printed_rounded(value: Fraction, text: str) -> bool:
    """Whether a text prints a large number with three digits or more: 13.0e9, 13.0B, 7.62 × 10^9."""
    for power, marks in ((9, r"e9|\s?B\b|\s?billion|\s?(?:\\times|\\cdot|[×·x*])\s?10\^?\{?[9⁹]"),
                         (6, r"e6|\s?M\b|\s?million|\s?(?:\\times|\\cdot|[×·x*])\s?10\^?\{?[6⁶]")):  # fmt: skip
        for digits in (1, 2, 3):
            shown = rounded(value / 10**power, digits)
            if len(shown.replace(".", "")) >= 3 and re.search(
                rf"(?<![\d.]){re.escape(shown)}(?:{marks})", text
            ):
                return True
    return False


_CODE_NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
_FULL_HEADS = Wording(
    r"multi-?head|without grouping|no grouping|\bfull heads|\ball heads|\bmha\b",
    re.IGNORECASE,
)
_FEW_HEADS = Wording(
    r"\b(?:kv|k/v|key|key[- /](?:and )?value)[- ]heads\b|\bgrouped\b|\bGQA\b|\bkv groups", re.IGNORECASE
)
MOST_DESIGNS = 8
MOST_BACK = 100  # statements that one may be held against
_MASKED = Wording(r"causal|\bmask|triang|diagonal|\bsees\b", re.IGNORECASE)
EXACT = "causal-exact"  # nobody writes c(c + 1) who does not mean it
COMPUTED_AGAIN = ("flash", "selective", "checkpoint")  # options with which some steps are done a second time
OPTION_NAMES = (*COMPUTED_AGAIN, "causal", "gate-apart")


@dataclass(frozen=True)
class Amount:
    """A number that the document states: in base units, in which unit, of which quantities, in which formula."""

    value: Fraction
    unit: Unit | None
    about: Subject
    span: Span

    @property
    def printed(self) -> Fraction:
        """The number that stands before the unit."""
        return self.value / self.unit.scale if self.unit is not None else self.value


@dataclass(frozen=True)
class Stated:
    """A form in letters that the document stated: how it was written, where, and the name that it is a bound of (c > 8d)."""

    form: Expr
    source: str
    span: Span
    bounds: str = ""


@dataclass(frozen=True)
class Product:
    """Arithmetic that came to the number beside it."""

    left: Item
    right: Item
    statement: Statement


@dataclass(frozen=True)
class Given:
    """A statement of the document's own, what its words are about, and whether it was found right or wrong."""

    statement: Statement
    about: Subject
    holds: bool
    wrong: bool = False


class Guess(NamedTuple):
    """What a table's cell should be by its column, what that is in words, the share it may be off, whether a form says so,
    and what it was with the numbers that were in force earlier."""

    value: Fraction
    words: str
    slack: Fraction = Fraction(0)
    by_form: bool = True
    before: tuple[tuple[str, Fraction], ...] = ()


@dataclass
class Case:
    """One document with its legend, what is supposed of it, and what it has said so far.

    `meant` are the derived forms that names of the document stand for, also where it wrote them down wrong; `wrong` the
    names whose forms differ, `proven` the derived forms that it has written down right. `amounts` are the numbers stated,
    by their values, `said` the same in order, `rates` the last of each kind of rate, `products` the arithmetic that was right,
    `columns` what the numbers of a table's columns turned out to be, `sizes` the large numbers that it counts with.
    `named` is the known model that it speaks of; `last` the last form in letters, `bare` those of the section that stood
    alone, `given` all that it has said, `open` the forms as they are written of which nothing could be said.
    `recipes` are the ways to keep a parameter's states that it may mean, the likeliest first, `meshes` the sizes of a mesh
    in a table's columns, `of_columns` what its cells should be by where they start, `firsts` where the document first says
    what it was searched for, `nearby` what sections suppose that speak of another kind of model.
    """

    document: Document
    knowledge: Knowledge
    meant: dict[str, Entry] = field(default_factory=dict)
    amounts: dict[Fraction, list[Amount]] = field(default_factory=dict)
    columns: dict[object, set[object]] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    proven: list[Entry] = field(default_factory=list)
    sizes: set[Fraction] = field(default_factory=set)
    named: str = ""
    said: list[Amount] = field(default_factory=list)
    rates: dict[str, Amount] = field(default_factory=dict)
    products: list[Product] = field(default_factory=list)
    last: Stated | None = None
    bare: list[Stated] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    open: list[Expr] = field(default_factory=list)
    firsts: dict[Wording, re.Match[str] | None] = field(default_factory=dict)
    recipes: tuple[Recipe, ...] = SHARED
    meshes: dict[object, frozenset[str]] = field(default_factory=dict)
    nearby: dict[tuple[str, frozenset[str]], Suppositions] = field(default_factory=dict)
    of_columns: dict[int, Guess | None] = field(default_factory=dict)

    def said_first(self, pattern: Wording) -> re.Match[str] | None:
        """Where the document first says something, which is looked for once."""
        if pattern not in self.firsts:
            self.firsts[pattern] = pattern.search(self.document.text)
        return self.firsts[pattern]

    @cached_property
    def suppositions(self) -> Suppositions:
        """What the document is held against."""
        knowledge = self.knowledge
        return suppositions(self.document.text, self.letters | self.sized, knowledge.told, knowledge.forms,
                            wide_heads=self._has_wide_heads)  # fmt: skip

    @property
    def _has_wide_heads(self) -> bool:
        """Whether the one number that the document states for the model's width is not that of all its heads together."""
        width, heads, size, together = map(self._stated, ("d", "h", "d_k", ALL_HEADS))
        if together is None and heads is not None and size is not None:
            together = heads * size
        return width is not None and together is not None and together != width

    def _stated(self, meaning: str) -> int | None:
        """The one number that the document states anywhere for the letter with this meaning, if there is one."""
        names = [re.escape(name) for _, name, said in self.knowledge.legend if said == meaning]
        stated = (
            re.compile(rf"(?<![\w\\])(?:{'|'.join(names)}) *= *(\d[\d,]*)(?![\d.]*[\w*/^+-])")
            if names
            else None
        )
        found = set(stated.findall(self._plain)) if stated is not None else set()
        return int(found.pop().replace(",", "")) if len(found) == 1 else None

    @cached_property
    def _plain(self) -> str:
        return plain_name(self.document.text)

    def __post_init__(self) -> None:
        self.sized = frozenset(self.knowledge.values) & frozenset(
            GLOSSARY
        )  # letters whose numbers tables or words give

    @cached_property
    def letters(self) -> frozenset[str]:
        """The letters of ours that the document declares, or names in words that everybody knows."""
        words = {
            letter
            for name in set(_CODE_NAME.findall(self._plain))
            if (letter := meaning_of(name)) is not None
        }
        legend = (*self.knowledge.legend, *self.knowledge.anew)
        said = {meaning for _, _, meaning in legend}
        in_forms = {symbol.name for meaning in said & FORMS.keys() for symbol in FORMS[meaning].free_symbols}
        return frozenset(said & GLOSSARY.keys() | in_forms | words)

    def settle_recipe(self, fitting: Collection[Recipe]) -> None:
        """Of the ways to keep a parameter's states, those that a form of the document fits are left."""
        self.recipes = tuple(recipe for recipe in self.recipes if recipe in fitting) or self.recipes

    @cached_property
    def first(self) -> Supposed:
        """The likeliest supposition."""
        return self.suppositions.first()

    @cached_property
    def ties(self) -> dict[Symbol, Expr]:
        """The forms that are put in for letters under the likeliest supposition."""
        return dict(book(self.first).costs.ties)

    def learn(self, name: str, letter: str, position: int) -> None:
        """A name of the document's own turns out to be a letter of ours."""
        self.knowledge.legend.append((position, plain_name(name), letter))
        self.__dict__.pop("letters", None)

    def tied(self, form: Expr) -> Expr:
        return form.xreplace(self.ties)

    def table(self, form: Expr) -> Summands | None:
        """A form as a table under the ties, where it is a sum of products of letters that are known."""
        table = summands(self.tied(form))
        if table and letters_of(table) <= GLOSSARY.keys():
            return table
        return None

    def tables(self, form: Expr) -> list[Summands]:
        """The ways to take a form: as it stands, with names of the model's size as N, with what the names are meant to be,
        and with what they were said to be."""
        knowledge = self.knowledge
        letters = form.free_symbols
        entries = {symbol: entry for symbol in letters if (entry := self.meant.get(symbol.name)) is not None}
        meant = {symbol: entry.total for symbol, entry in entries.items()}
        sizes = {
            symbol: GLOSSARY["N"].symbol
            for symbol, entry in entries.items()
            if entry.quantity == "parameters" and not entry.parts
        }
        if b not in letters:  # a step on all GPUs
            form = form.xreplace({GLOSSARY["global_batch"].symbol: b})
        own = {
            symbol: knowledge.definitions[symbol.name][-1]
            for symbol in letters
            if symbol.name not in GLOSSARY and symbol.name in knowledge.definitions
        }
        ways = [
            form,
            form.xreplace(knowledge.prompt),
            form.xreplace(own),
            form.xreplace(sizes),
            knowledge.opened(form.xreplace(meant)),
            knowledge.opened(form),
            self.with_numbers(form.xreplace(sizes)),
            self.with_numbers(form),
        ]
        found: list[Summands] = []
        for way in dict.fromkeys(ways):
            table = self.table(way)
            if table is not None and table not in found:
                found.append(table)
        return found

    def with_numbers(self, form: Expr) -> Expr:
        """A sum with numbers put in for the document's own letters, where it has said so: $(4 + K)N$ with $K = 12$."""
        found = {}
        for symbol in form.free_symbols if len(summands(form) or ()) > 1 else ():
            values = self.knowledge.values.get(symbol.name, ())
            if symbol.name not in GLOSSARY and len(values) == 1:
                found[symbol] = Rational(values[0].numerator, values[0].denominator)
        return form.xreplace(found)

    def supposed(
        self, about: Subject, text: str, section: str, *, precise: bool, letters: Collection[str]
    ) -> Iterator[Supposed]:
        """What a form in some letters is held against, the likeliest first; `text` is that of its block, `section` all
        that its section has said so far.

        `precise` also varies the bytes. A form without d_ff is also held against what the document ties it to, and against
        d_ff = 4d; one without h_kv against full heads, where the words say so; one with a letter for the bytes of an
        element against what is in that letter.
        """
        precise = precise and "w" not in letters
        found = list(self._written_in(letters, self._supposed(self.suppositions, about, precise)))
        first = self.suppositions.designs[0].written_in(letters)
        few = self.said_first(_FEW_HEADS)
        so_far = (
            few is not None and few.end() <= self.knowledge.position
        )  # further down they are another model's
        ungrouped = not (so_far or "h_kv" in self.letters) or self._has_full_heads(text)
        if first.grouped and "h_kv" not in letters and ungrouped:
            found += [
                replace(each, design=replace(first, grouped=False)) for each in found if each.design == first
            ]
        if (near := self.near(section, letters)) is not None:
            found += self._written_in(letters, self._supposed(near, about, precise))
        yield from found
        if "d_ff" not in letters and "d_ff" not in dict(self.suppositions.ties):
            widths = dict.fromkeys((*self.knowledge.definitions.get("d_ff", ()), FOUR_WIDE))
            for each, width in product(found, widths):
                if "d_ff" not in dict(each.ties):
                    yield replace(each, ties=(*each.ties, ("d_ff", width)))

    def _has_full_heads(self, text: str) -> bool:
        """Whether a text speaks of as many key and value heads as query heads: multi-head, K = N."""
        few, every = (
            [name for _, name, meaning in self.knowledge.legend if meaning == letter]
            for letter in ("h_kv", "h")
        )
        equations = {f"{one}={other}" for one in few for other in every}
        equations |= {f"{other}={one}" for one in few for other in every}
        plain = re.sub(r"[\s$`]", "", text)
        return any(equation in plain for equation in equations) or bool(_FULL_HEADS.search(text))

    def near(self, text: str, letters: Collection[str]) -> Suppositions | None:
        """What the text before a form in some letters supposes, where it speaks of the other kind of model than the
        document's own."""
        own = self.suppositions
        gated, told = kind(text)
        if own.designs[0].name or not told or gated == own.designs[0].gated:
            return None
        asked = text, frozenset(letters)
        if asked not in self.nearby:
            there = suppositions(text, letters, self.knowledge.told)
            self.nearby[asked] = replace(there, half=own.half, precisions=own.precisions)
        return self.nearby[asked]

    def _supposed(self, given: Suppositions, about: Subject, precise: bool) -> Iterator[Supposed]:
        chosen = "".join(f"+{name}" for name in OPTION_NAMES if name in about.options)
        if "checkpoint" in about.options and "selective" in about.options:
            chosen = chosen.replace("+checkpoint", "")
        endings = [chosen] if not chosen or about.near_options else [chosen, ""]
        if _MASKED.search(about.words):
            endings.append(f"+{EXACT}")
        base = given.conventions[0]
        for ending in endings:
            if any(part in base for part in ending.split("+") if part):
                ending = ""
            for design in given.designs[:MOST_DESIGNS]:
                if not precise or base.startswith("megatron"):
                    yield given.under(design, f"{base}{ending}")
                    continue
                for precision in given.precisions:
                    yield given.under(design, f"{base}{ending}", precision)

    def books_on(self, layouts: Collection[str]) -> Iterator[Book]:
        """Where a form in the sizes of a mesh is looked up: on one device of a layout, with steps computed again or not."""
        given = self.suppositions
        bytes_known = given.half is not None or given.conventions[0].startswith("megatron")
        for layout, option in product(layouts, ("", *COMPUTED_AGAIN)):
            if option and option in given.conventions[0]:
                continue
            convention = "+".join(filter(None, (given.conventions[0], option)))
            for precision in given.precisions[: 1 if bytes_known else 2]:
                yield book(replace(given.under(given.designs[0], convention, precision), layout=layout))

    def _written_in(self, letters: Collection[str], supposed: Iterable[Supposed]) -> Iterator[Supposed]:
        """What some suppositions are for a form in these letters, each once.

        Adapters are beside a base in the bytes that the document names, if it names some.
        """
        given = self.suppositions
        in_letters = (("w", GLOSSARY["w"].symbol),) if "w" in letters else ()
        found: dict[Supposed, None] = {}
        for each in supposed:
            design = each.design.written_in(letters)
            named = design.adapted and given.half is not None
            precision = given.precisions[0] if named else each.precision
            found[replace(each, design=design, precision=precision, ties=(*each.ties, *in_letters))] = None
        return iter(found)

    def books_of(self, designs: Iterable[Design], letters: Collection[str]) -> Iterator[Book]:
        """The forms of some designs, in these letters."""
        given = self.suppositions
        supposed = (given.under(design, given.conventions[0]) for design in designs)
        return map(book, self._written_in(letters, supposed))

    def books(self, letters: Collection[str]) -> Iterator[Book]:
        """Where a form in some letters is looked up that the words do not announce: designs first, then bytes."""
        given = self.suppositions
        first, base = given.designs[0], given.conventions[0]
        bytewise = () if base.startswith("megatron") else given.precisions
        yield from self.books_of(given.designs[:MOST_DESIGNS], letters)
        yield from map(book, self._written_in(letters, (given.under(first, base, each) for each in bytewise)))

    def other_books(self, letters: Collection[str]) -> Iterator[Book]:
        """The same of other designs, conventions and options."""
        given = self.suppositions
        first, base = given.designs[0], given.conventions[0]
        options = [
            f"{base}+{option}" for option in ("flash", "checkpoint", "causal", EXACT) if option not in base
        ]
        others = (given.under(first, convention) for convention in (*given.conventions[1:], *options))
        yield from self.books_of(given.others, letters)
        yield from map(book, self._written_in(letters, others))

    @cached_property
    def models(self) -> list[Model]:
        """The models that the document gives sizes."""
        return models_of(self.document, self.knowledge)

    def there(self, span: Span) -> Knowledge:
        """What is known where a formula stands: at the numbers of its row, of its column, of the model that it speaks of."""
        model = model_at(self.document, span, self.models)
        sizes = dict(model.sizes) if model is not None else {}
        beside = row_values(self.document, span, self.knowledge)
        if "N" in self.knowledge.definitions and not SIZES.isdisjoint(sizes):
            beside.pop("N", None)  # its form says it more exactly than its name, 22B
        sizes |= beside
        return self.knowledge.at(sizes) if sizes else self.knowledge

    def settle_size(self) -> None:
        """Takes what is derived for N, the number of parameters, where the document prints that very number."""
        knowledge = self.knowledge
        known = "N" in knowledge.numbers and "N" not in knowledge.in_words
        if known or "N" in knowledge.definitions:
            return
        entry = book(self.first).entry("parameters")
        for value in knowledge.evaluated(entry.total) if entry is not None else ():
            if value in self.amounts or _printed_rounded(value, self.document.text):
                knowledge.values["N"] = (value,)
