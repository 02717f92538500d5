"""Models: the sizes that a document gives each of several models, and which of them a formula speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from symcost.check.columns import listings
from symcost.check.documents import Document, Span
from symcost.check.knowledge import SIZES, Knowledge
from symcost.check.meanings import phrases
from symcost.check.tables import cell_values
from symcost.check.wordings import Wording
from symcost.notation.units import SUFFIXES
from symcost.symbols import GLOSSARY

_NEXT = 60  # characters behind a formula in which the model is named that it is of
FURTHEST = 10_000  # characters before a formula in which the model may have been named
FEWEST = 2  # sizes that make a model of what a line or a row lists
_LINE = re.compile(
    r"^[ \t]*(?:[-*•][ \t]+)?(?P<name>(?:[A-Za-z][\w.]*|\d[\d.]*[MBT]\b)(?:[- ][\w.]+){0,3})"
    r"(?:[ \t]*\([^()\n]*\))?[.:,]*[ \t]+(?=\$?\\?[A-Za-z]\w*(?: ?= ?[A-Za-z]\w*)* ?= ?\d)",
    re.MULTILINE,
)
_ASIDE = re.compile(
    r"(?<![\w-])(?P<name>[\w.-]*\d[BMT]|[A-Z][\w.]*(?:[- ](?:[A-Z\d][\w.]*|large|medium|small|xl|base|tiny|nano|mini))*)"
    r"(?:\s+[a-z]+){0,4}\s+\((?=\s*\\?[A-Za-z]\w*\s*=\s*\d)"
)  # the 22B model (L = 48, …; the GPT-2 large shape (V = 50257, …
_SIZES = re.compile(
    r"([A-Za-z]\w*(?: ?= ?[A-Za-z]\w*)*) ?= ?(\d[\d,]*(?:\.\d+)?(?:e\d+)?)(?![.\w]| ?\\(?:text|mathrm))"
)
_BY_SIZE = re.compile(
    r"\b(?:the|our|an?) \W?(?P<name>(?P<size>\d+(?:\.\d+)?)(?P<power>[MBT]))(?![\w-])"
    r"(?![\W_]{0,3}(?:tokens?|FLOPs?|budget|steps|words)\b)(?:\W{0,3}\((?:\w+ )?\$?(?P<exact>\d[\d,]*(?:\.\d+)?(?:e\d+)?)"
    r"(?: (?:parameters|params))?\))?"
)  # the 3B (exactly 3.2e9 parameters)
_OF = Wording(r"\W{0,3}(?:for|of|on|with) (?:(?:the|our|an?) )?\W?([\w.-]*\w)")  # 38.4 GB for the 3B
_FILE = Wording(r"\.(?:ya?ml|json|toml|py)\Z")
_SIZE = re.compile(r"\d[\d.]*[MBTmbt]")  # 22B
_TAIL = re.compile(r"(?=\d)[\w.]+\Z")  # the 70B of Llama-2-70B


@dataclass(frozen=True)
class Model:
    """A model of the document's own: its name, and the numbers of its letters."""

    name: str
    sizes: Mapping[str, Fraction]

    def named(self, text: str, others: Iterable[Model]) -> int:
        """Where a text names it last, -1 where it does not; the end of its name is enough where no other ends so."""
        ways = [self.name]
        tail = _TAIL.search(self.name)
        if tail is not None and not any(
            other.name.endswith(tail.group()) for other in others if other is not self
        ):
            ways.append(tail.group())
        found = [
            each.start()
            for way in ways
            for each in re.finditer(rf"(?<![\w-]){re.escape(way)}(?![\w-])", text, re.IGNORECASE)
        ]
        return max(found, default=-1)


def models_of(document: Document, knowledge: Knowledge) -> list[Model]:
    """The models that a document gives sizes, in rows or columns of tables or in lines that start with their names; else
    those that go by their size."""
    found = [
        Model(name, sizes)
        for name, sizes in (
            *_in_rows(document, knowledge),
            *_in_columns(document, knowledge),
            *_in_lines(document, knowledge),
        )
    ] or list(_by_size(document))
    found = list({(model.name, *sorted(model.sizes.items())): model for model in found}.values())  # each once
    return found if len(found) > 1 else []


def model_at(document: Document, span: Span, models: list[Model]) -> Model | None:
    """The one that is named right behind a formula, or that its row, column or sentence names, else what is before it."""
    start = span.start - span.block.start
    cell = span.block.cell
    behind = _OF.match(document.text, span.end, span.end + _NEXT)
    texts = [
        behind[1] if behind is not None else "",
        *((cell.row, cell.column) if cell is not None else ()),
        span.sentence.text[: span.end - span.sentence.start],
        span.sentence.text,
        span.block.text[:start],
        *reversed(span.block.lead),
        document.text[max(0, span.block.start - FURTHEST) : span.block.start],
    ]
    for text in texts if models else ():
        places = {model.named(text, models): model for model in models}
        if places and max(places) >= 0:
            return places[max(places)]
    return None


def _in_rows(document: Document, knowledge: Knowledge) -> Iterator[tuple[str, dict[str, Fraction]]]:
    for row in document.rows:
        sizes = cell_values(row, knowledge)
        name = row[0].text.strip(" *$`")
        if len(sizes) >= FEWEST and name and (not name[0].isdigit() or _SIZE.fullmatch(name)):
            yield name, sizes


def _in_columns(document: Document, knowledge: Knowledge) -> Iterator[tuple[str, dict[str, Fraction]]]:
    """`| hidden | 2048 | 4096 |` below `1b.yaml` and `8b.yaml`: a model in each column, its sizes in the rows."""
    found: dict[str, dict[str, Fraction]] = {}
    for listing in listings(document):
        for heading, numbers in listing.columns if len(listing.columns) > 1 else ():
            name = _FILE.sub("", heading.strip(" *$`"))
            for each, number in zip(listing.names, numbers, strict=True):
                letter = knowledge.letter(each)
                if letter in GLOSSARY and re.search(r"\w", name):
                    found.setdefault(name, {}).setdefault(letter, number)
    return ((name, sizes) for name, sizes in found.items() if len(SIZES.intersection(sizes)) >= FEWEST)


def _by_size(document: Document) -> Iterator[Model]:
    """`the 3B (exactly 3.2e9 parameters)`, `the 30B`."""
    found: dict[str, Fraction] = {}
    for each in _BY_SIZE.finditer(document.text):
        if each["exact"] or each["name"] not in found:
            exact = (each["exact"] or "").replace(",", "")
            found[each["name"]] = Fraction(exact or each["size"]) * (1 if exact else SUFFIXES[each["power"]])
    return (Model(name, {"N": size}) for name, size in found.items())


def _in_lines(document: Document, knowledge: Knowledge) -> Iterator[tuple[str, dict[str, Fraction]]]:
    for block in document.blocks:
        if block.kind in ("heading", "cell", "math"):
            continue
        text = re.sub(r"[$`{}*]", " ", block.text)
        starts = [*_LINE.finditer(text), *_ASIDE.finditer(text)]
        for at, found in enumerate(starts):
            end = starts[at + 1].start() if at + 1 < len(starts) else len(text)
            sizes: dict[str, Fraction] = {}
            for names, digits in _SIZES.findall(text[found.end() : end]):
                for name in re.split(r" ?= ?", names):
                    letter = knowledge.letter(name)
                    if letter in GLOSSARY:
                        sizes.setdefault(letter, Fraction(digits.replace(",", "")))
            of_a_letter = phrases(found["name"])  # "inner width $f = 14336$" names no model
            if len(sizes) >= FEWEST and not of_a_letter:
                yield found["name"].strip("."), sizes
