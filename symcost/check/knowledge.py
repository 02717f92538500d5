"""What a document says of its letters, numbers and names, and from where on it holds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, islice, product

from sympy import Expr, Pow, Rational, Symbol

from symcost.check.annotations import Settings
from symcost.check.columns import lines, listings
from symcost.check.documents import Block, Document, Span
from symcost.check.legend import ALL_KEYS, FORMS, MORE_TOKENS, declared, listed, sizes
from symcost.check.meanings import (
    CUSTOMARY,
    PHRASES,
    meaning_of,
    plain_name,
    said_counts,
)
from symcost.check.naming import named_model, numbers_of
from symcost.check.wordings import Wording
from symcost.errors import SymcostError
from symcost.notation.numbers import grouped
from symcost.notation.reading import read, read_part
from symcost.notation.units import Unit
from symcost.symbols import GLOSSARY, NOTATIONS, d, h, letter_for
from symcost.terms import evaluator

FIRST = -1  # a position before every text
DIGITS = 40  # of a root
LONGEST_TIE = 24  # characters
MOST_WAYS = 8  # ways to take the numbers that a name was given
CUSTOMARY_FORMS: Mapping[str, Expr] = {
    "d_attn": GLOSSARY["h"].symbol * GLOSSARY["d_k"].symbol
}  # Kaplan et al. 2020
SIZES = frozenset(
    {"L", "d", "d_ff", "d_k", "h", "h_kv", "v", "E", "k"}
)  # that the number of parameters is made of
OWN = "own_"  # before a letter that the document uses in its own way
WIDTHS = ("d_ff", "d_expert")  # of which one document may tell several


@dataclass
class Knowledge:
    """The legend, the numbers and the definitions in force, as the document is read from top to bottom.

    `legend` lists (position, document's name, glossary letter), "" for what is declared but has no letter here; the
    first declaration of a name holds, wherever it stands, but for those that are declared `anew` further down.
    `values` and `definitions` are of names after translation; a name may have several values, as printed and exact.
    `forms` are what widths are said to be throughout: an inner width of 3d.
    `functions` are forms in a letter, by the names that are written with it in brackets: M(b).
    `earlier` are the values that were in force before, `in_words` the letters whose numbers only a sentence gives.
    `units` are those of the numbers that names were given, `described` the sizes of models that paragraphs describe in words,
    with where they stand.
    """

    legend: list[tuple[int, str, str]] = field(default_factory=list)
    anew: list[tuple[int, str, str]] = field(default_factory=list)
    values: dict[str, tuple[Fraction, ...]] = field(default_factory=dict)
    definitions: dict[str, list[Expr]] = field(
        default_factory=lambda: {name: [form] for name, form in CUSTOMARY_FORMS.items()}
    )
    functions: dict[str, tuple[Symbol, Expr]] = field(default_factory=dict)
    told: Settings = field(default_factory=Settings)
    forms: dict[str, Expr] = field(default_factory=dict)
    position: int = 0
    earlier: dict[str, list[tuple[Fraction, ...]]] = field(default_factory=dict)
    in_words: set[str] = field(default_factory=set)
    units: dict[str, Unit] = field(default_factory=dict)
    described: list[tuple[int, Mapping[str, Fraction]]] = field(default_factory=list)

    @property
    def declared(self) -> bool:
        """Whether the document declares letters at all."""
        return bool(self.legend)

    @property
    def prompt(self) -> Mapping[Symbol, Expr]:
        """The context as the tokens of a prompt, where the document has a letter for those that are generated behind it."""
        context = GLOSSARY["c"].symbol
        more = [
            Symbol(OWN + name, positive=True) for _, name, meaning in self.legend if meaning == MORE_TOKENS
        ]
        return {context: context - sum(more)} if more else {}

    @property
    def ambiguous(self) -> frozenset[str]:
        """The width, where two letters of the document were taken for it, so that one of them is not understood."""
        widths = [name for _, name, meaning in self.legend if len(name) == 1 and meaning == "d"]
        return frozenset({"d"}) if len(widths) > 1 else frozenset()

    def confused(self, written: Expr) -> frozenset[str]:
        """The letters of ours that two names of a form as it is written were taken for: one of them was not understood."""
        letters = Counter(self.letter(symbol.name) for symbol in written.free_symbols)
        return self.ambiguous.intersection(letters) | {letter for letter, many in letters.items() if many > 1}

    def names(self) -> frozenset[str]:
        """The names that the document declares, for the reader of formulas."""
        return frozenset(name for _, name, _ in self.legend) | frozenset(self.definitions)

    def letter(self, name: str) -> str:
        """The glossary letter for a document's name, or a name of the document's own."""
        anew = (
            meaning for at, again, meaning in reversed(self.anew) if again == name and at <= self.position
        )
        firsts = (meaning for _, declared, meaning in self.legend if declared == name)
        said = next(chain(anew, firsts), None)
        if said is not None:
            return said if said in GLOSSARY else OWN + name
        if len(name) > 1 and name in GLOSSARY:
            return name
        if name in CUSTOMARY:
            return CUSTOMARY[name]
        if len(name) > 1:
            return meaning_of(name) or name
        taken = any(
            meaning == name != other.upper() for _, other, meaning in self.legend
        )  # n stands for N too
        return name if name in GLOSSARY and not taken else OWN + name

    def translated(self, form: Expr) -> Expr:
        """A form of the document in the glossary's letters, definitions left as names."""
        return form.xreplace(
            {symbol: Symbol(self.letter(symbol.name), positive=True) for symbol in form.free_symbols}
        )

    def opened(self, form: Expr, depth: int = 8) -> Expr:
        """The form with the definitions in force put in for names, the latest of each; a width of which the document says
        more than one thing, as of two models, stays a letter."""
        unsettled = {name for name in WIDTHS if len({*self.definitions.get(name, ())}) > 1}
        for _ in range(depth):
            known = {
                symbol: self.definitions[symbol.name][-1]
                for symbol in form.free_symbols
                if symbol.name in self.definitions and symbol.name not in unsettled
            }
            if not known:
                return form
            form = form.xreplace(known)
        return form

    def unknown(self, form: Expr) -> list[str]:
        """The names in a form that stand for nothing known."""
        return sorted(
            symbol.name
            for symbol in form.free_symbols
            if symbol.name not in GLOSSARY
            and symbol.name not in self.definitions
            and symbol.name not in self.values
        )

    def evaluated(self, form: Expr) -> tuple[Fraction, ...]:
        """What a form comes to at the numbers in force: one value for each way to take them, none where one lacks.

        A name with numbers of its own stands for these; else its definitions are put in, each where it has several.
        """
        symbols = sorted((each for each in form.free_symbols if each.name not in self.numbers), key=str)
        several = next((each for each in symbols if len(self.definitions.get(each.name, ())) > 1), None)
        if several is None:
            return self._at_the_latest(form)
        latest_first = self.definitions[several.name][: -MOST_WAYS - 1 : -1]
        forms = (form.xreplace({several: each}) for each in latest_first)
        return tuple(dict.fromkeys(value for each in forms for value in self._at_the_latest(each)))

    def _at_the_latest(self, form: Expr) -> tuple[Fraction, ...]:
        """What a form comes to with the latest definition of each name."""
        for _ in range(8):
            unknown = [symbol for symbol in form.free_symbols if symbol.name not in self.numbers]
            known = {
                symbol: self.definitions[symbol.name][-1]
                for symbol in unknown
                if symbol.name in self.definitions
            }
            if not known:
                break
            form = form.xreplace(known)
        names = sorted(symbol.name for symbol in form.free_symbols)
        if any(name not in self.numbers for name in names):
            return ()
        found: dict[Fraction, None] = {}
        for values in islice(product(*(self.numbers[name] for name in names)), MOST_WAYS):
            with suppress(SymcostError, ArithmeticError, ValueError):
                found[_number(form, dict(zip(names, values, strict=True)))] = None
        return tuple(found)

    def give(self, name: str, values: Iterable[Fraction]) -> None:
        """Puts a number in force for a name, in place of the one before."""
        if name in self.values and self.values[name] != tuple(values):
            self.earlier.setdefault(name, []).append(self.values[name])
        self.values[name] = tuple(values)
        self.in_words.discard(name)

    def size_is(self, form: Expr) -> None:
        """The number of parameters has a form, under whatever name, where nothing else has been said of it."""
        if "N" not in self.numbers or "N" in self.in_words:
            self.definitions.setdefault("N", [form])

    def move_to(self, position: int) -> None:
        """Goes on to a formula; models described on the way are those that it is of."""
        self.position = position
        while self.described and self.described[0][0] <= position:
            for letter, value in self.described.pop(0)[1].items():
                if self.values.get(letter) != (value,):
                    self.give(letter, (value,))
                    self.in_words.add(letter)
                    self.values.pop("N", None)

    def at(self, numbers: Mapping[str, Fraction]) -> Knowledge:
        """The same with some numbers in force; the number of parameters is what its form says where a size is among them."""
        resized = bool(numbers.keys() & SIZES)
        values = {name: given for name, given in self.values.items() if name != "N" or not resized}
        return replace(self, values=values | {name: (number,) for name, number in numbers.items()})

    def evaluated_before(self, form: Expr) -> Iterator[tuple[str, Fraction]]:
        """What a form comes to by an earlier definition, or an earlier number of one letter: (which it is, the value)."""
        forms = [("", form)]
        for symbol in form.free_symbols:
            before = self.definitions.get(symbol.name, ())[:-1]
            forms += [("as it was defined before", form.xreplace({symbol: each})) for each in before]
        for words, each in forms:
            if words:
                yield from ((words, value) for value in self.evaluated(each))
            yield from self._at_earlier_numbers(each)

    def _at_earlier_numbers(self, form: Expr) -> Iterator[tuple[str, Fraction]]:
        for symbol in self.opened(form).free_symbols | form.free_symbols:
            for values in self.earlier.get(symbol.name, ()):
                then = replace(self, values={**self.values, symbol.name: values})
                shown = grouped(int(values[0])) if values[0].denominator == 1 else values[0]
                yield from (
                    (f"at {symbol.name} = {shown}, as before", value) for value in then.evaluated(form)
                )

    @property
    def numbers(self) -> Mapping[str, tuple[Fraction, ...]]:
        """The numbers in force: stated so far, and those given from outside."""
        return {**self.values, **{name: (value,) for name, value in self.told.given.items()}}


def _number(form: Expr, numbers: Mapping[str, Fraction]) -> Fraction:
    """What a form comes to: exactly, or where it has a root, to so many digits that no rounding shows."""
    roots = [power for power in form.atoms(Pow) if power.exp.is_Rational and not power.exp.is_Integer]
    if not roots or not all(power.exp.is_Rational for power in form.atoms(Pow)):
        return Fraction(evaluator(form)(numbers))
    known = {name: Rational(value.numerator, value.denominator) for name, value in numbers.items()}
    return Fraction(
        str(form.evalf(DIGITS, subs={symbol: known[symbol.name] for symbol in form.free_symbols}))
    )


_ACHIEVED = Wording(
    r"\$([A-Za-z])\$ (?:is |= )?(?:the )?(?:achieved|sustained|actual) flop/?s", re.IGNORECASE
)
_SHARE_OF_HEADS = Wording(
    r"\$([A-Za-z])\s?([A-Za-z])\$ (?:key[/ -](?:and )?value|kv) heads"
)  # $rh$ key/value heads
_CONFIGURED = re.compile(
    r"(?<!\w)[\"']?([a-z]+(?:_[a-z]+)+)[\"']?\s?[:=]\s?(\d[\d_]*)(?![\w.*]| ?[*/+-])"
)  # "hidden_size": 4096
_NUMBER_BESIDE = re.compile(
    r"`([a-z]+(?:_[a-z]+)+)` (\d[\d,_]*\d)(?!\w|\.\d| ?[·×*+/^])"
)  # `hidden_size` 5120
_OF_SIZE = re.compile(
    r"\b(?:the|our|an?) \W{0,2}(\d+(?:\.\d+)?)([ -]?(?:B|M|billion|million))(?:[- ]param\w+)?\b"
    r"(?![\W_]{0,3}(?:tokens?|FLOPs?|budget|steps|words|samples)\b)"
)  # our 6.7B, a 13-billion-parameter model
_IN_BRACKETS = re.compile(r"\([^()]*\)")
_COUNTED = re.compile(r"(?<![\w.,])(\d[\d,]*) (?:[a-z]+ ){1,3}\(\$?([A-Za-z])\$?\)")  # 40 layers (L)
_FOR_THESE = Wording(r"\s*(?:for these|for them|respectively|in this order)\b")
_ASSIGNED = re.compile(r"([A-Za-z]\w*)\s*=")
_LETTER = re.compile(r"\\?([A-Za-z]+)")
_LISTS = re.compile(
    r"(?<![\w\\^])[$`(\[]*([A-Za-z](?:[$`]?(?:,(?: and)? ?| and )[$`]?[A-Za-z]){1,4})[)\]]?[$`]*"
    r"(?:\s*[:=(]\s*|,? (?:is|are|stands? for|means?|denotes?|for|as) (?:the )?)"
    r"([a-z][\w/ -]+(?:,| and) [\w/ -]+(?:(?:,| and) [\w/ -]+)*)"
)  # (B, T): batch and sequence length
_IN_MATH = Wording(
    r"(?<![\w\\}])([A-Za-z](?:_\{?\w+\}?)?)\s*&?\s*=\s*&?\s*\\text\{([a-z][^{}]*)\}"
)  # L = \text{layers}
_CODE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*\Z")


def read_legend(document: Document, told: Settings, understood: Iterable[tuple[str, str]] = ()) -> Knowledge:
    """The letters that a document declares, in sentences, lists and tables, that it is told with, or that its forms tell."""
    knowledge = Knowledge(told=told)
    knowledge.legend += [(FIRST, name, letter) for name, letter in (*told.legend, *understood)]
    if told.notation is not None:
        letters = NOTATIONS[told.notation].letters
        knowledge.legend += [(FIRST, theirs, ours) for ours, theirs in letters.items()]
    _read_letters(document, knowledge)
    _read_letters_of_models(document, knowledge)
    _read_runs(document, knowledge)
    _read_definitions(document, knowledge)
    _read_forms(document, knowledge)
    _read_values(document, knowledge)
    _read_numbers_in_words(document, knowledge)
    return knowledge


def _read_letters(document: Document, knowledge: Knowledge) -> None:
    """What letters mean by the words beside them, in the cells of their rows, by names of code and in lists behind them."""
    for block in document.blocks:
        for name, meaning in _declared_in(block) if block.kind not in ("heading", "math") else ():
            if (meaning or name not in GLOSSARY) and meaning_of(name) in (None, meaning):
                knowledge.legend.append((block.start, name, meaning))
    for one, other in zip(document.spans, document.spans[1:], strict=False):
        if one.after.strip() in ("=", ":", "is", "is the", "for") and one.block is other.block:
            _name_beside(knowledge, one, other)
    for found in _IN_MATH.finditer(document.text):
        [meaning] = listed([found[1]], found[2])
        if meaning:
            knowledge.legend.append((found.start(), plain_name(found[1]), meaning))
    for position, span in enumerate(document.spans):
        if _FOR_THESE.match(span.after):
            _letters_for_these(knowledge, document.spans[max(0, position - 12) : position], span)
    knowledge.legend = _firsts(sorted(knowledge.legend))
    _read_lists(document, knowledge)
    _read_shapes(document, knowledge)
    knowledge.legend += _widths(knowledge, document.spans)
    if all(meaning != "b" for _, _, meaning in knowledge.legend):  # there is one batch
        knowledge.legend = [
            (at, name, "b" if meaning == "global_batch" else meaning)
            for at, name, meaning in knowledge.legend
        ]


def _read_runs(document: Document, knowledge: Knowledge) -> None:
    """`tp`, `dp`, `seq` in formulas: products, but for those with a letter that a document with a legend never declares, and
    that nobody takes for granted."""
    single = {name for _, name, _ in knowledge.legend if len(name) == 1} | _GRANTED
    known = {name for _, name, _ in knowledge.legend}
    if len(known) < FEWEST_SIZES:
        return
    runs = {run for span in document.spans if span.form == "latex" for run in _RUN.findall(span.text)}
    for run in sorted(runs - known):
        letter = letter_for(run)
        if letter is not None and not single.issuperset(run):
            knowledge.legend.append((FIRST, run, letter))


_GRANTED = frozenset("abcdfghklnstv")
_RUN = re.compile(r"(?<![\\A-Za-z_{])[a-z]{2,3}(?![A-Za-z])")


def _read_letters_of_models(document: Document, knowledge: Knowledge) -> None:
    """`BLOOM-7B1, h = 4096, L = 30`: letters that no words explain, by the sizes of the known model that a sentence names."""
    said: dict[tuple[int, str], list[tuple[int, str, Fraction]]] = {}
    for span in document.spans:
        found = _IS_NUMBER.fullmatch(span.text.replace("{,}", ","))
        if found is not None:
            one = span.start, plain_name(found[1]), Fraction(found[2].replace(",", ""))
            said.setdefault((span.sentence.start, span.sentence.text), []).append(one)
    known = {name for _, name, _ in knowledge.legend}
    taken = {meaning for _, _, meaning in knowledge.legend}
    for (_, sentence), given in said.items():
        model = named_model(sentence) if len(given) >= FEWEST_SIZES else None
        sizes = numbers_of(model) if model is not None else {}
        told = [(at, name, letter) for at, name, number in given
                if (letter := next((each for each in _TOLD if sizes.get(each) == number), None)) is not None]  # fmt: skip
        if len(told) >= FEWEST_SIZES:
            knowledge.legend += [each for each in told if each[1] not in known and each[2] not in taken]


_IS_NUMBER = re.compile(r"\s*(\\?[A-Za-z]\w*(?:_\{\\?[\w{}]+\})?)\s*=\s*(\d[\d,]*)\s*")
_TOLD = ("L", "d", "h", "h_kv", "d_k", "d_ff", "v")  # sizes by which a model is known
FEWEST_SIZES = 3  # that tell that the letters are those of a known model


def _declared_in(block: Block) -> Iterator[tuple[str, str]]:
    """Letters and meanings in the sentences of one block."""
    text = block.text
    for name, words in lines(block):
        start, end = name.start - block.start, words.start - block.start + len(words.text)
        text = f"{text[:start]}{';':{end - start}}{text[end:]}"
    found = declared(text)
    for names, words in _LISTS.findall(text):
        letters = re.findall(r"\b[A-Za-z]\b", names)
        said = listed(letters, words)
        found |= dict(zip(letters, said, strict=False)) if all(said) else {}
    yield from found.items()


def _read_lists(document: Document, knowledge: Knowledge) -> None:
    """What lists say of letters, which goes before what sentences do; another list, or one in another section, declares a
    letter anew from there on."""
    listed_before: dict[str, str] = {}
    for listing in listings(document):
        for name, meaning in zip(listing.names, listing.meanings, strict=False):
            if len(name) > 1 and not meaning:
                continue
            at, before = next(
                ((at, said) for at, other, said in knowledge.legend if other == name), (FIRST, None)
            )
            elsewhere = 0 <= at < listing.start and _section(document, at) != _section(
                document, listing.start
            )
            if before is not None and before != meaning and (name in listed_before or elsewhere):
                knowledge.anew.append((listing.start, name, meaning))
            elif name not in listed_before:
                knowledge.legend = [each for each in knowledge.legend if each[1] != name]
                knowledge.legend.append((listing.start, name, meaning))
            listed_before[name] = meaning
    knowledge.legend.sort(key=lambda each: each[0])


def _read_shapes(document: Document, knowledge: Knowledge) -> None:
    """The inner width of an MLP that goes from the model's width to it: three $D \\times F$ matrices, from $d$ to $f$."""
    for block in document.blocks:
        for shape in _OF_MLP.finditer(block.text):
            names = [plain_name(each) for each in shape.groups()]
            letters = [knowledge.letter(name) for name in names]
            if letters[0] == "d" and letters[1] in (OWN + names[1], names[1]):
                knowledge.legend.append((block.start, names[1], "d_ff"))


def _section(document: Document, position: int) -> tuple[str, ...]:
    at = bisect_right(document.blocks, position, key=lambda block: block.start)
    return document.blocks[max(at - 1, 0)].headings


def _read_definitions(document: Document, knowledge: Knowledge) -> None:
    """Letters of the document's own that words define: achieved FLOP/s, the share of heads that have keys and values."""
    for block in document.blocks:
        for achieved in _ACHIEVED.findall(block.text):
            if knowledge.letter(achieved) == OWN + achieved:
                knowledge.definitions[OWN + achieved] = [GLOSSARY["peak"].symbol * GLOSSARY["MFU"].symbol]
    for _, name, meaning in knowledge.legend:
        if meaning in FORMS:
            knowledge.definitions[OWN + name] = [FORMS[meaning]]
    for share in dict.fromkeys(_SHARE_OF_HEADS.findall(document.text)):
        if knowledge.letter(share[1]) == "h":
            knowledge.legend += [(FIRST, share[0], ""), (FIRST, "h_kv", "h_kv")]
            knowledge.definitions[OWN + share[0]] = [GLOSSARY["h_kv"].symbol / GLOSSARY["h"].symbol]


_OF_MLP = Wording(
    r"\b(?i:mlps?|ffns?|feed-?forward|swiglu|geglu)\b[^.;:]{0,60}?(?<![\w^])\$?([A-Za-z](?:_\{?\w+\}?)?)\$?"
    r" ?(?:\\times|×|x|by|→|->|to|\\to) ?\$?([A-Za-z](?:_\{?\w+\}?)?)(?![\w^])"
)
_POWERS = {"M": 10**6, "million": 10**6, "B": 10**9, "billion": 10**9}


def _read_numbers_in_words(document: Document, knowledge: Knowledge) -> None:
    """Numbers of letters in configurations and sentences, for those that no table gives one."""
    named = (*_CONFIGURED.findall(document.text), *_NUMBER_BESIDE.findall(document.text))
    found = [(meaning_of(name) or "", number) for name, number in named]
    for block in document.blocks:
        found += [(knowledge.letter(name), number) for number, name in _COUNTED.findall(block.text)]
        found += said_counts(block.text) if block.kind in ("paragraph", "item") else ()
    said = [(letter, Fraction(re.sub("[_,]", "", number))) for letter, number in found]
    spoken_of = {
        Fraction(number) * _POWERS[power.strip(" -")] for number, power in _OF_SIZE.findall(document.text)
    }
    said += [("N", size) for size in spoken_of if len(spoken_of) == 1]  # one model
    for block in document.blocks if len(spoken_of) < 2 else ():
        outright = _IN_BRACKETS.sub(" ", block.text)
        sizes = [
            *said_counts(outright),
            *((meaning_of(name) or "", many) for name, many in _NUMBER_BESIDE.findall(outright)),
        ]
        told = {letter: Fraction(re.sub("[_,]", "", many)) for letter, many in sizes if letter in SIZES}
        if block.kind in ("paragraph", "item") and len(told) > FEWEST_SIZES:
            knowledge.described.append((block.start, told))
    for letter, value in said:
        if letter in GLOSSARY and letter not in knowledge.values:
            knowledge.values[letter] = (value,)
            knowledge.in_words.add(letter)


def _letters_for_these(knowledge: Knowledge, before: Sequence[Span], span: Span) -> None:
    """`vocab = 50257, ctx = 1024` … "I write $V, T$ for these": the letters, in the order of the names before."""
    letters = [_plain_letter(part) for part in span.text.split(",")]
    names = [name for each in before if each.block is span.block for name in _ASSIGNED.findall(each.text)]
    if len(letters) > 1 and all(letters) and len(names) >= len(letters):
        for letter, name in zip(letters, names[-len(letters) :], strict=True):
            meaning = meaning_of(name) or PHRASES.get(name.lower())
            if meaning:
                knowledge.legend += [(span.start, letter, meaning), (span.start, name, meaning)]


def _plain_letter(text: str) -> str:
    found = _LETTER.fullmatch(text.strip())
    return found[1] if found else ""


def _read_values(document: Document, knowledge: Knowledge) -> None:
    """Numbers that a list gives letters: `| n_layers | decoder layers | 32 |`, where one column has numbers."""
    for listing in listings(document):
        knowledge.position = listing.start
        for name, number in zip(listing.names, listing.numbers, strict=False):
            letter = knowledge.letter(name)
            explained = bool(listing.meanings) or meaning_of(name) == letter
            if explained and (letter in GLOSSARY or letter == OWN + name):
                knowledge.values.setdefault(letter, (number,))
    knowledge.position = 0
    for _, name, meaning in knowledge.legend:  # 1024 for all keys is 8 heads of 4096/32
        known = knowledge.evaluated(h / d) if meaning == ALL_KEYS and OWN + name in knowledge.values else ()
        for share in known:
            knowledge.values.setdefault("h_kv", (knowledge.values[OWN + name][0] * share,))


def _firsts(legend: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """The first declaration of each name: it is the one that holds."""
    found: dict[str, tuple[int, str, str]] = {}
    for entry in legend:
        found.setdefault(entry[1], entry)
    return list(found.values())


def _widths(knowledge: Knowledge, spans: Iterable[Span]) -> Iterator[tuple[int, str, str]]:
    """The model's width, or the size of a head, where a document only says that heads make the width up: d = nk."""
    heads, size = (GLOSSARY[name].symbol for name in ("h", "d_k"))
    declared_letters = {meaning for _, _, meaning in knowledge.legend}
    for span in spans:
        sides = [side.strip() for side in span.text.split("=")]
        if len(sides) != 2 or len(span.text) > LONGEST_TIE:
            continue
        name, other = sorted(sides, key=len)
        with suppress(SymcostError):
            form = read_part(other, span.form, names=knowledge.names()).expr
            if name not in knowledge.names():
                if knowledge.letter(name) == "d" and knowledge.translated(form) == heads * size:
                    yield span.start, name, "d"
                    return
            elif knowledge.letter(name) == "d" and "d_k" not in declared_letters and form.is_Mul:
                rest = [each for each in form.args if knowledge.translated(each) != heads]
                if (
                    len(rest) == len(form.args) - 1 == 1
                    and rest[0].is_Symbol
                    and rest[0].name not in knowledge.names()
                ):
                    yield span.start, rest[0].name, "d_k"
                    return


def _read_forms(document: Document, knowledge: Knowledge) -> None:
    """The widths that words give as so many times the model's, as in "SwiGLU with inner width $3w$"."""
    declared_letters = {meaning for _, _, meaning in knowledge.legend}
    for block in document.blocks if document.kind != "text" else ():
        for letter, source, is_code in sizes(block.text) if block.kind != "math" else ():
            with suppress(SymcostError):
                said = read(source, "code" if is_code else "latex", names=knowledge.names())
                if said.shape is not None:
                    continue
                form = knowledge.translated(said.parts[-1].expr)
                times = form / GLOSSARY["d"].symbol
                if (
                    {*said.relations} <= {"="}
                    and times.is_Rational
                    and times.is_positive
                    and letter not in declared_letters
                ):
                    knowledge.forms.setdefault(letter, form)


def _name_beside(knowledge: Knowledge, one: Span, other: Span) -> None:
    """`$b$=`batch_size``: a letter and the name that code has for it."""
    letter, name = one.text.strip(), other.text.strip()
    if len(letter) > 1 and len(name) == 1:
        letter, name = name, letter
    if len(letter) == 1 and letter.isalpha() and _CODE_NAME.match(name) and len(name) > 1:
        meaning = letter_for(name)
        if meaning:
            knowledge.legend.append((one.start, letter, meaning))
