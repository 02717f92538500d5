"""Deciding: a document read from top to bottom, and what is said of each of its formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

from sympy import Expr

from symcost.check import amounts, numbers
from symcost.check.annotated import annotated_claim
from symcost.check.annotations import Annotation, beside, claims_of, of_front_matter, settings
from symcost.check.batches import without_batch
from symcost.check.case import Case, Given, Stated
from symcost.check.catalogue import Entry
from symcost.check.chains import (
    NO_CLAIM,
    TAKEN_BACK,
    UNCERTAIN,
    assumed,
    form_pair,
    implied,
    is_optimum,
    optimum_pair,
    restated,
    solved_for,
)
from symcost.check.claims import claim
from symcost.check.collectives import collective
from symcost.check.context import levels, section, words_before
from symcost.check.counts import counted
from symcost.check.decoders import decoder_pair
from symcost.check.documents import Block, Document, Span
from symcost.check.explained import explained
from symcost.check.figures import figure
from symcost.check.findings import Finding, Pair, worst
from symcost.check.knowledge import SIZES, Knowledge, read_legend
from symcost.check.largest import largest_batch, without_static
from symcost.check.literals import placeholders, state
from symcost.check.measures import unit_pair, without_devices
from symcost.check.meshes import MESH
from symcost.check.products import IN_SIDES, product_pair
from symcost.check.quotes import is_quoted, quoted, says_the_same
from symcost.check.shares import MEETING
from symcost.check.siblings import sibling_pair
from symcost.check.solving import solution, split_of_compute
from symcost.check.spelled import spelled
from symcost.check.statements import (
    EQUAL,
    LONE_SIGNS,
    Item,
    Statement,
    plain_name,
    readings,
    statement,
    unlabelled,
)
from symcost.check.states import state_pair
from symcost.check.subjects import Subject, subject, told_options
from symcost.check.substituted import substituted
from symcost.check.tables import figure_beside
from symcost.check.times import named_time, utilised
from symcost.check.utilisation import hardware_pair, pass_pair, utilisation_pair
from symcost.check.waiting import waiting
from symcost.check.wordings import Wording
from symcost.errors import ReadError
from symcost.notation.reading import Reading, read_part
from symcost.symbols import GLOSSARY

TENSORS = re.compile(
    r"\\partial|\\theta|\\alpha|\\beta_|\\in\b|\\mathbb|\\nabla|softmax|\^T\b|\^\\top|\\odot|\\text\{(?:Softmax|RMS"
    r"|SiLU|CE)|_\{?t-1|(?<![A-VX-Z])_t\b|→\s*$"
)
PUTS_IN = Wording(
    r"\b(?:with|for|using|given|at|suppose|let|take|say|assum\w+|where|if)\b"
    r"(?:(?!\b(?:needs?|takes|costs?|gives?|makes?|has|reaches|comes to)\b)[^.;:]){0,60}$",
    re.IGNORECASE,
)
IS = re.compile(
    r"\b([A-Za-z]\w*)\s+(?:is|are|=|equals|≈)\s*(?:about|around|roughly|some|approximately|nearly)?\s*\Z"
)
LIMITS = frozenset("≪≫")
COUNTS = frozenset(
    {"parameters", "active_parameters", "adapter_parameters", "idle_parameters"}
)  # of parameters
CERTAIN = ("holds", "differs")
BOUNDS = ("<", ">", "≤", "≥", "≪", "≫")
_GOES_ON_IN_WORDS = Wording(r"(?:and|plus)\b", re.IGNORECASE)  # of what the formula before is of
_BECOMES = Wording(r"\b(?:this|it|that) (?:becomes|grows to|rises to|drops to|falls to)\W*\Z", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*(?:&|\\q?quad|\{\}|\\[,;!:])*\s*[+−-]")
_TIMES = re.compile(r"\s*(?:\*|×|·|\\cdot|\\times)\s*")
_OF_VARIANT = Wording(r"\b(?:MQA|MHA|GQA|multi-?query|multi-?head|instead|would|were)\b", re.IGNORECASE)
TIED_LETTERS = (
    *("N", "N_matmul", "N_active", "D", "C"),
    *("d_ff", "d_k", "h_kv"),
)  # letters of ours that a document may define


class Judge:
    """One document, read from top to bottom."""

    def __init__(
        self, document: Document, file: str = "", *, model: str | None = None, under: str | None = None,
        notation: str | None = None, given: Mapping[str, Any] | None = None, letters: Iterable[tuple[str, str]] = (),
    ) -> None:  # fmt: skip
        self.document, self.file = document, file
        told = settings(model, under, notation, given=given).over(
            of_front_matter(document.front_matter, file)
        )
        self.case = Case(document, read_legend(document, told.over(beside(file)), letters))
        self.case.meant |= dict(explained(self.case))
        self.annotated = {directive.precedes: claim for directive, claim in claims_of(document.directives)}
        self.previous: Item | None = None
        self.previous_span: Span | None = None
        self.about: Subject | None = None
        self.entry: Entry | None = None  # what the formula before is
        self.options: tuple[Block | None, frozenset[str]] = None, frozenset()  # what a paragraph has named
        self.variants: dict[
            str, tuple[Block, tuple[Fraction, ...]]
        ] = {}  # the model's own numbers, where another had others
        self.defined = ""  # the name that the last chain is of
        self.unfinished: tuple[Item, str] | None = None  # what a sum over several lines is held against

    @property
    def knowledge(self) -> Knowledge:
        """The document's legend, numbers and definitions."""
        return self.case.knowledge

    def findings(self) -> Iterator[Finding]:
        """One finding for each formula, and for each piece of broken markup, in order."""
        strays = list(self.document.strays)
        for position, span in enumerate(self.document.spans):
            while strays and strays[0].start < span.start:
                yield self._stray(strays.pop(0))
            self.case.knowledge.move_to(span.start)
            pairs = self.judged(position)
            if pairs:
                yield self._finding(span, pairs)
        yield from map(self._stray, strays)

    def _stray(self, stray: object) -> Finding:
        line, column, message = stray.line, stray.column, stray.message  # type: ignore[attr-defined]
        return Finding(self.file, line, column, line, column + 1, "$", "unchecked", "SC303", message)

    def _finding(self, span: Span, pairs: Sequence[Pair]) -> Finding:
        found = worst([pair for pair in pairs if pair.verdict != "no claim"] or pairs)
        return Finding(
            self.file, span.line, span.column, span.end_line, span.end_column, span.text, found.verdict, found.code,
            found.message, found.quantity, found.scope, found.convention, found.document, found.derived, found.difference,
            found.fix, tuple(pairs),
        )  # fmt: skip

    # --------------------------------------------------------------------------------------------- one formula

    def judged(self, position: int) -> list[Pair]:
        """What is said of one formula: for each pair of its chain, and for what it claims to be."""
        span = self.document.spans[position]
        for name, (block, values) in list(self.variants.items()):
            if block is not span.block:  # the sizes of a variant were those of its paragraph
                self.case.knowledge.values[name] = values
                del self.variants[name]
        text = span.text.strip()
        if (
            text in LONE_SIGNS
            or (span.form == "code" and not (span.arithmetic or span.amount_only or self._known_name(span)))
            or any(text == model.name for model in self.case.models)
        ):
            return []
        claimed = self.annotated.get(position)
        if isinstance(claimed, str):
            return [Pair("unchecked", "SC303", span.text, message=claimed)]
        try:
            label, found = readings(span, self.case.knowledge)
        except ReadError as error:
            self.previous = None
            if span.form == "text":
                return []
            if TENSORS.search(unlabelled(span)) or IN_SIDES.search(span.text):
                return [
                    Pair(
                        "no claim", "SC402", span.text, message="a tensor equation, a derivative or an update"
                    )
                ]
            return [Pair("unchecked", "SC301", span.text, message=f"could not be read: {error}")]
        return [pair for reading in found for pair in self._statement(position, reading, label)]

    def _goes_on(self, position: int) -> bool:
        """Whether the next line of an alignment adds to the last side of this one."""
        following = self.document.spans[position + 1 : position + 2]
        span = self.document.spans[position]
        return (
            bool(following) and following[0].row == span.row + 1 and bool(_GOES_ON.match(following[0].text))
        )

    def _known_name(self, span: Span) -> bool:
        """Whether code is a name that we have a letter for, or that what follows defines: `tokens` = `n * b * T`."""
        is_name = re.fullmatch(r"[A-Za-z_]\w*", span.text) is not None
        return is_name and (self.case.knowledge.letter(span.text) in GLOSSARY or span.after.strip() == "=")

    def _statement(self, position: int, reading: Reading, label: str) -> list[Pair]:
        span = self.document.spans[position]
        if reading.shape is not None:
            return [replace(NO_CLAIM, document=span.text, message="a shape")]
        if not reading.parts:
            return []
        made = self._made(span, reading, label)
        last = made.items[-1]
        if self._goes_on(position):
            unfinished = (made.items[-2], made.relations[-1]) if made.relations else self.unfinished
            self.previous, self.unfinished = last, unfinished
            return [replace(NO_CLAIM, document=span.text, message="one summand of a sum that goes on")]
        self.unfinished = None
        if span.amount_only and not made.continued:
            return self._amount(position, made)
        if any("N" in {symbol.name for symbol in item.form.free_symbols} for item in made.items):
            self.case.settle_size()
        words = [
            " ".join(
                (*filter(None, [made.label]), *(_spoken(name) for name in made.names if name not in MESH))
            ),
            *levels(self.document, position),
        ]
        about = self._about(span, made, words)
        pairs = self._said_of(position, made, about, words)
        if pairs is None:
            message = "a tensor equation, a derivative or an update"
            return [Pair("no claim", "SC402", span.text, message=message)]
        self._keep(made, about, pairs)
        if span.form == "code" and not span.arithmetic and all(pair.verdict == "no claim" for pair in pairs):
            return []  # a name by itself
        return pairs or [replace(NO_CLAIM, document=span.text, message="a symbol or a number by itself")]

    def _made(self, span: Span, reading: Reading, label: str) -> Statement:
        """The statement of a reading, with what it goes on from and what the next cell of its row says that it comes to."""
        made = statement(span, reading, label, self.case.knowledge, self.previous, self.previous_span)
        if reading.leading == "+" and made.continued and self.unfinished is not None:
            left, relation = self.unfinished
            made.items.insert(0, left)
            made.relations.insert(0, relation)
        [*before, last] = made.items
        if not before and not span.amount_only and last.is_number and last.part.printed is None:
            beside = figure_beside(self.document, span)
            if beside is not None:
                with suppress(ReadError):
                    _put_beside(made, beside)
        return made

    def _amount(self, position: int, made: Statement) -> list[Pair]:
        """A number by itself."""
        span, [last] = made.span, made.items[-1:]
        self.previous = last
        self._learn_in_words(span, last)
        about = subject(["", *levels(self.document, position)])
        if last.unit is not None and last.unit.powers == {"param": 1} and not about.near_quantities & COUNTS:
            about = about.of("parameters")
        pair = figure(self.case, made, about)
        state(self.case, last, about, span)
        return [pair] if pair is not None else []

    def _about(self, span: Span, made: Statement, words: Sequence[str]) -> Subject:
        """What the words say of a statement, with what its names, its section, the formula before and its units add."""
        about = subject(words)
        if self._is_fused(span):
            about = replace(about, options=about.options | {"flash"})
        for name in made.names:
            if name in self.case.meant:
                about = about.of(self.case.meant[name].quantity)
        if _GOES_ON_IN_WORDS.match(words[1]) and not about.near_quantities and self.entry is not None:
            about = about.of(self.entry.quantity)
        if self.entry is not None and self.entry.scope == "model" and _BECOMES.search(words_before(span)):
            about = about.of(self.entry.quantity)
        if ("the same" in words[1].lower() or words[1].startswith("+")) and self.about is not None:
            about = about.with_options(self.about)
        block, options = self.options
        self.options = span.block, about.near_options | (options if block is span.block else frozenset())
        if _of_mesh(made):
            introduced = (told_options(words)[0] for words in span.block.lead)
            about = about.supposing(self.options[1].union(*introduced))
        if any(item.unit is not None and "byte" in item.unit.powers for item in made.items):
            return about.counted_in_bytes()
        if any(item.unit is not None and item.unit.powers == {"FLOP": 1} for item in made.items):
            return about.counted_in_flops()
        return about

    def _said_of(
        self, position: int, made: Statement, about: Subject, words: Sequence[str]
    ) -> list[Pair] | None:
        """What is said of each pair of a chain and of what it claims to be; None where it is of tensors."""
        self.entry, solved = None, solution(self.case, made)
        if solved is not None:
            return [solved]
        pairs = implied(self.case, made) + self._pairs(made, about, words)
        waits = waiting(self.case, made, about, words)
        tensors = waits is None and TENSORS.search(unlabelled(made.span)) and not is_optimum(made)
        if tensors and not any(self.case.knowledge.evaluated(item.form) for item in made.items):
            return None
        claimed = self.annotated.get(position)
        if isinstance(claimed, Annotation):
            return pairs + annotated_claim(self.case, made, about, claimed)
        if any(pair.verdict == "differs" for pair in pairs):
            return pairs
        told = (
            waits
            or optimum_pair(self.case, made)
            or split_of_compute(self.case, made)
            or named_time(self.case, made)
            or collective(self.case, made, about, words)
            or counted(made, words)
            or decoder_pair(self.case, made, about, words)
            or state_pair(self.case, made, words)
            or spelled(self.case, made)
            or substituted(self.case, made)
            or product_pair(self.case, made, words)
        )
        claims = [told] if told is not None else self._claims(made, about)
        if any(pair.verdict == "holds" for pair in claims):  # one of several cases, each with its own form
            pairs = [pair for pair in pairs if pair.code != "SC205"]
        return [restated(self.case, made, pair) for pair in pairs] + claims

    def _keep(self, made: Statement, about: Subject, pairs: Sequence[Pair]) -> None:
        """What a statement leaves for those behind it: names, numbers and forms, and whether it was right."""
        span, last, knowledge = made.span, made.items[-1], self.case.knowledge
        quoted_here = is_quoted(span)
        if not quoted_here:
            self._learn(made)
        self._remember(made, pairs)
        wrong = any(pair.verdict == "differs" for pair in pairs)
        if self.entry is None and not any(pair.verdict in CERTAIN for pair in pairs):
            self.case.open += [
                item.part.expr for item in made.items if item.form.free_symbols and item.name is None
            ]
        if self.entry is not None and self.entry.quantity not in about.quantities:
            about = about.of(self.entry.quantity)
        if not quoted_here:
            holds = not wrong and any(pair.verdict == "holds" for pair in pairs)
            self.case.given.append(Given(made, about, holds, wrong))
        if wrong:
            self.case.wrong.update(made.names)
        else:
            for item in made.items[1:-1]:
                if item.unit is not None:  # 1.085e6 s ≈ 12.6 days
                    state(self.case, item, about, span)
            state(self.case, last, about, span, made.names)
            if made.argument is not None and made.names:
                knowledge.functions[made.names[0]] = (made.argument, knowledge.opened(last.form))
        if (
            not LIMITS.issuperset(made.relations) or not made.relations
        ):  # s ≪ d is what the form before is for
            self.previous, self.previous_span, self.about = last, span, about

    def _is_fused(self, span: Span) -> bool:
        """Whether the section of a formula has said that attention is one fused kernel."""
        texts = (*span.block.headings, *(block.text for block in section(self.document, span)))
        return any("flash" in told_options(text)[0] for text in texts)

    # ---------------------------------------------------------------------------------------------- its chain

    def _pairs(self, made: Statement, about: Subject, words: Sequence[str]) -> list[Pair]:
        pairs = []
        for at, relation in enumerate(made.relations):
            concludes = relation == "⇒" and made.relations[at + 1 :][:1] == ["="]
            if concludes and made.items[at + 1].name is not None:
                continue
            if relation in (*EQUAL, "→", "⇒", "lead"):
                pairs.append(self._pair(made, at, relation, about, words))
        certain = [pair for pair in pairs if pair.message != UNCERTAIN]
        return certain or pairs

    def _pair(self, made: Statement, at: int, relation: str, about: Subject, words: Sequence[str]) -> Pair:
        left, right, span = made.items[at], made.items[at + 1], made.span
        shown = f"{left.source.strip()} {relation if relation != 'lead' else '='} {right.source.strip()}"
        if left.name and self._is_bound(made, left.name):
            reached = replace(left, form=self.case.last.form) if self.case.last else left
            return amounts.number_pair(self.case, reached, right, "lead", shown, (), made)
        puts_in = left.name and right.is_number and made.single and PUTS_IN.search(words_before(span))
        if (puts_in and relation == "=") or assumed(left, right, relation, made):
            known = amounts.as_defined(self.case, left, right, shown)
            return known or replace(
                NO_CLAIM, document=shown, message="an assumption, or an equation to be solved"
            )
        if left.is_number and not right.is_number and right.name is None:
            left, right = right, left
        if not right.is_number:
            return form_pair(self.case, left, relation, right, shown, made)
        pair = amounts.number_pair(self.case, left, right, relation, shown, made.items[:at], made)
        if pair.verdict == "differs" and at == 0 and made.continued and self._is_unproven(left):
            return replace(
                pair, verdict="unchecked", code="SC302", message=f"{pair.message}; either may be meant"
            )
        if pair.verdict == "holds" and right is made.items[-1]:
            pair = (
                unit_pair(self.case, left, right, words[1:3], made)
                or without_devices(self.case, left, right, made)
                or hardware_pair(self.case, left, right, made)
                or utilisation_pair(self.case, left, right, made)
                or utilised(self.case, left, right, made)
                or pass_pair(self.case, left, right, about, made)
                or sibling_pair(self.case, left, right, made)
                or pair
            )
        return pair

    def _is_unproven(self, left: Item) -> bool:
        """Whether a form of which the number stands in the next cell is not known to be right itself."""
        before = self.case.given[-1] if self.case.given else None
        cell = before is not None and before.statement.span.block.cell is not None
        return cell and not before.holds and bool(left.form.free_symbols)  # type: ignore[union-attr]

    # --------------------------------------------------------------------------------------------- its claims

    def _claims(self, made: Statement, about: Subject) -> list[Pair]:
        pair, entry = self._claim(made, about)
        found = entry is not None and not entry.partial and not says_the_same(made.span)
        if not found and (pair is None or pair.verdict != "differs"):
            beside = quoted(self.case, made, about)
            pair, entry = (beside, None) if beside is not None else (pair, entry)
        if pair is None or pair.verdict == "unchecked":
            pair = without_batch(self.case, made) or pair
        if entry is not None and pair is not None and pair.verdict == "holds" and entry.supposed is not None:
            self.case.proven.append(entry)
            if entry.quantity == "parameters" and not entry.parts and not entry.per:
                self.case.knowledge.size_is(entry.total)
        self.entry = entry
        if entry is not None:
            for name in made.names:
                self.case.meant.setdefault(name, entry)
        return [pair] if pair is not None else []

    def _claim(self, made: Statement, about: Subject) -> tuple[Pair | None, Entry | None]:
        """What is said of a statement itself, and the derived form that it is meant to be."""
        forms = [item for item in made.items if item.form.free_symbols]
        if not forms:
            return figure(self.case, made, about), None
        if (lacking := without_static(self.case, made)) is not None:
            return lacking, None
        if "b_max" in made.names:
            found = (largest_batch(self.case, item) for item in forms if item.name is None)
            return next((pair for pair in found if pair is not None), None), None
        solved = solved_for(self.case, made)
        return (solved, None) if solved is not None else claim(self.case, made, about)

    # ------------------------------------------------------------------------------------------ what is learnt

    def _remember(self, made: Statement, pairs: Sequence[Pair]) -> None:
        """The last form in letters, and those that stand alone in a section, for what the text says of them later."""
        forms = [item for item in made.items if item.form.free_symbols and item.name is None]
        headings = made.span.block.headings
        self.case.bare = [each for each in self.case.bare if each.span.block.headings == headings]
        if forms and not any(pair.verdict == "differs" for pair in pairs):
            bounded = made.names[0] if made.names and not {*made.relations}.isdisjoint(BOUNDS) else ""
            self.case.last = Stated(forms[-1].form, forms[-1].source.strip(), made.span, bounded)
            if len(made.items) == 1:
                self.case.bare.append(self.case.last)
        elif forms:
            self.case.last = None

    def _learn(self, made: Statement) -> None:
        """Names that a statement gives a number or a form."""
        if made.names and self._is_bound(made, made.names[0]):
            return
        if TAKEN_BACK.search(words_before(made.span)) or not set(made.relations) <= {"=", "≈", "lead"}:
            return
        self._learn_in_order(made)
        named = next((item for item in made.items if item.name is not None), None)
        knowledge = self.case.knowledge
        if named is None or named.name is None:
            if made.continued and self.defined in knowledge.definitions and made.items[-1].form.free_symbols:
                knowledge.definitions[self.defined].insert(0, made.items[-1].form)  # another form of it
            elif not made.continued:
                self.defined = ""
            return
        self.defined = named.name
        if MEETING.search(words_before(made.span)):
            return  # where one thing overtakes another, and not what the model has
        values: dict[Fraction, None] = {}
        for item in made.items:
            if item is named:
                continue
            if item.is_number:
                if item.unit is not None:
                    knowledge.units[named.name] = item.unit
                for value in knowledge.evaluated(item.form):
                    values[value * item.scale] = None
            elif self._defines(named.form, item.form):
                forms = knowledge.definitions.setdefault(named.name, [])
                entry = self.case.meant.get(named.name)
                if entry is not None and not forms:
                    forms.append(entry.total)
                if item.form not in forms and forms and "≈" in made.relations:
                    forms.insert(0, item.form)  # says less than the form that was there
                elif item.form not in forms:
                    forms.append(item.form)
                if named.name in knowledge.in_words and knowledge.evaluated(item.form):
                    del knowledge.values[named.name]  # "a 13B model" says less than its form
                    knowledge.in_words.remove(named.name)
        for value in knowledge.evaluated(named.form) if len(values) == 1 else ():
            [printed] = list(values)[:1]
            if (
                abs(value - printed) <= abs(printed) * numbers.NEAR / 10
            ):  # the number printed is this one, rounded
                values[value] = None
        if values:
            if (
                named.name in SIZES
                and named.name in knowledge.values
                and _OF_VARIANT.search(made.span.sentence.text)
            ):
                self.variants.setdefault(named.name, (made.span.block, knowledge.values[named.name]))
            knowledge.give(named.name, values)

    def _is_bound(self, made: Statement, name: str) -> bool:
        """Whether a number is the bound that the sentence has just set: "once c > 20d/h, here c = 1280"."""
        last = self.case.last
        return (
            last is not None and last.bounds == name and last.span.sentence.start == made.span.sentence.start
        )

    def _learn_in_order(self, made: Statement) -> None:
        """Numbers of letters that have none, from a product of letters beside one of as many numbers: `V·d = 32 × 512`."""
        knowledge = self.case.knowledge
        for one, other in zip(made.items, made.items[1:], strict=False):
            letters = [knowledge.letter(name) for name in _TIMES.split(one.source.strip())]
            factors = placeholders(other, made.span.form)[1] if len(letters) > 1 and other.is_number else []
            numbers = dict(zip(letters, (each.value for each in factors), strict=False))
            if len(factors) == len(numbers) == len(letters) and set(letters) <= GLOSSARY.keys():
                known = knowledge.numbers
                if all(known.get(letter, (value,)) == (value,) for letter, value in numbers.items()):
                    knowledge.values |= {
                        letter: (value,) for letter, value in numbers.items() if letter not in known
                    }

    def _learn_in_words(self, span: Span, item: Item) -> None:
        """`N is about 355M`: a number that a sentence gives a letter."""
        found = IS.search(span.before)
        letter = self.case.knowledge.letter(found[1]) if found else ""
        if letter in GLOSSARY and item.is_number and not TAKEN_BACK.search(words_before(span)):
            for value in self.case.knowledge.evaluated(item.form):
                self.case.knowledge.values.setdefault(letter, (value * item.scale,))

    def _defines(self, name: Expr, form: Expr) -> bool:
        """Whether a form says what a name is: in letters that are known, and a letter of ours only where one may be tied."""
        if str(name) in GLOSSARY and str(name) not in TIED_LETTERS:
            return False
        if str(name) == "h_kv" and "h_kv" in self.case.letters:
            return False  # "compared with K = N": a case, not a definition
        return (
            not self.case.knowledge.unknown(form)
            and name not in self.case.knowledge.opened(form).free_symbols
        )


def _of_mesh(made: Statement) -> bool:
    """Whether a form has the size of a mesh in it, so that it is of one of many devices."""
    return any(symbol.name in MESH for item in made.items for symbol in item.form.free_symbols)


def _put_beside(made: Statement, figure: str) -> None:
    """What stands in the next cell is what the formula comes to."""
    part = read_part(figure, "text")
    made.items.append(Item(part.expr, part, figure, None))
    made.relations.append("=")


def _spoken(name: str) -> str:
    """A name as words: `F_scores` is "F scores"."""
    return plain_name(name).replace("_", " ")
