"""Places: the numbers that letters have where a number stands, by its row, its model and the words beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from symcost.check.case import Case
from symcost.check.documents import Span
from symcost.check.knowledge import SIZES, Knowledge
from symcost.check.meanings import plain_name, said_counts
from symcost.check.naming import named_model, numbers_of
from symcost.check.tables import model_sizes
from symcost.check.wordings import Wording
from symcost.notation.units import SCALE_WORDS, SUFFIXES
from symcost.symbols import GLOSSARY

DEVICES = Wording(
    r"(?<![\w.,])(\d[\d,]*)[ -](?:(?:[\w-]+ )?(?:GPUs?|TPUs?|devices|ranks|replicas|accelerators|chips|cards)"
    r"|[A-Z]\d{2,3}s?)\b(?![ -]?(?:hours?|days?|h|seconds?)\b)"
)
NUMBER_WORDS = {word: Fraction(count) for count, word in enumerate(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split(), 2)}  # fmt: skip
_BESIDE = re.compile(
    r"(?<![\w}])(\\?[A-Za-z][\w\\]*(?:_?\{[\w\\]+\})?)[\s$`]*(?:=|\\approx|≈)[\s$`]*"
    r"(\d[\d,]*(?:\{,\}\d{3})*(?:\.\d+)?(?:e\d+)?)(?:\s?(?:\\times|\\cdot|[×·])\s?10\^\{?(\d+)\}?)?([KMBTk]\b)?(?!\s?[*+/^\w])"
)
_AS_MANY = re.compile(r"[$`](\w+) ?= ?([A-Za-z]\w*)[$`]")  # n_kv = n_q
_COUNTED = {
    "b": Wording(r"(?<![\w.,=*×·])(\d[\d,]*|[a-z]+) (?:[a-z]+ ){0,1}(?:sequences|samples)\b"),
    "c": Wording(
        r"(?:\b(?:sequences?|contexts?|context length|window|prompts?) of |length )(\d[\d,]*)(?: tokens)?(?![\w.])"
    ),
}
_OF_BATCH = re.compile(
    r"\b(?:batch(?:es)?|step) of (?:about |some )?(\d[\d,]*(?:\.\d+)?(?:e\d+)?) ?([kKMB]|thousand|million)? ?tokens\b"
)
_TRAINED = Wording(r"(?<![\w.,])(\d+(?:\.\d+)?) ?([BT]|billion|trillion) tokens\b")
MOST_SIZES = 2  # of models, that the words near a number may mean


def in_force(case: Case, span: Span) -> Iterator[Knowledge]:
    """What is known where a number stands, the likeliest first: with the numbers stated beside it, without, anywhere else."""
    there, beside = case.there(span), stated_beside(case, span)
    ways = [*([there.at(beside)] if beside else []), there, case.knowledge]
    ways = [_with_rates(case, known) for known in ways]
    stated = any("N" in known.numbers for known in ways)
    sizes = [] if stated else model_sizes(case.document, span)[:MOST_SIZES]
    for at, known in enumerate(ways):
        if known not in ways[:at]:
            by_form = known.evaluated(GLOSSARY["N"].symbol)  # says it more exactly than a name, 22B
            yield from (known,) if by_form else ()
            yield from (known.at({"N": size}) for size in sizes)
            yield from () if by_form else (known,)
    case.named = name = named_model(span.sentence.text) or case.named
    if name:
        yield replace(
            there, values={**{letter: (size,) for letter, size in numbers_of(name).items()}, **there.values}
        )


def stated_beside(case: Case, span: Span) -> dict[str, Fraction]:
    """The numbers that a sentence, or what leads to a list, gives letters; those right before a number go first."""
    found: dict[str, Fraction] = {}
    at, text = max(0, span.start - span.sentence.start), span.sentence.text
    for part in (text[:at], text[at:], *reversed(span.block.lead)):
        for name, digits, power, suffix in reversed(_BESIDE.findall(part)):
            value = _value(digits) * Fraction(10) ** int(power or 0) * SUFFIXES.get(suffix, 1)
            found.setdefault(case.knowledge.letter(plain_name(name)), value)
        for letter, pattern in _COUNTED.items():
            for digits in reversed(pattern.findall(part)):
                if digits in NUMBER_WORDS or digits[0].isdigit():
                    found.setdefault(letter, NUMBER_WORDS.get(digits) or _value(digits))
        for digits, scale in reversed(_OF_BATCH.findall(part)):
            tokens = _value(digits.lower()) * SUFFIXES.get(scale, SCALE_WORDS.get(scale, 1))
            lengths = [found["c"]] if "c" in found else list(case.knowledge.numbers.get("c", ()))
            length = lengths[0] if lengths and lengths[0] else Fraction(1)
            found.setdefault("c", length)
            found.setdefault("b", tokens / length)
        for digits, scale in reversed(_TRAINED.findall(part)):
            found.setdefault("D", _value(digits) * (SUFFIXES.get(scale) or SCALE_WORDS[scale]))
        for letter, digits in said_counts(part):
            found.setdefault(letter, _value(digits))
        for names in _AS_MANY.findall(part):
            few, many = (case.knowledge.letter(plain_name(name)) for name in names)
            if {few, many} <= SIZES and many in case.knowledge.numbers:
                found.setdefault(few, case.knowledge.numbers[many][0])
    if not {"n", "dp"} & (case.knowledge.numbers.keys() | found.keys()):
        cell = span.block.cell
        for part in (
            text,
            *((cell.row, cell.column) if cell is not None else ()),
            *reversed(span.block.lead),
        ):
            counts = {_value(count) for count in DEVICES.findall(part)}
            if len(counts) == 1:
                found |= dict.fromkeys(("n", "dp"), counts.pop())
                break
    return {name: value for name, value in found.items() if value}


def _with_rates(case: Case, known: Knowledge) -> Knowledge:
    """The same with the last number stated in the unit of a rate for a letter that has none: 3.35 TB/s for a bandwidth."""
    rate = case.rates.get("byte")
    said = {"bandwidth": rate.value} if rate is not None and "bandwidth" not in known.numbers else {}
    return known.at(said) if said else known


def _value(digits: str) -> Fraction:
    return Fraction(re.sub(r"[,{}]", "", digits))
