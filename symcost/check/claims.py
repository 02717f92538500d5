"""Claims: what a form is said to be, held against what is derived; a bare form is looked up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sympy import Symbol

from symcost.check.announcing import wanted
from symcost.check.case import Case
from symcost.check.catalogue import CORE, ONE_TOKEN, Entry, book, same_under
from symcost.check.chains import SIZE_OF, TAKEN_BACK, approximates, unknown_words
from symcost.check.comparing import SIZES_OF_TERMS, Comparison
from symcost.check.context import words_before
from symcost.check.findings import Pair
from symcost.check.kept import kept_pair
from symcost.check.listed import of_the_listed, one_over_another
from symcost.check.meshes import MESH, mesh_of
from symcost.check.polynomials import Summands, form_of, has_letter, letters_of, minus, ratio, summands, times
from symcost.check.rates import worked
from symcost.check.recognising import public
from symcost.check.rules import ALL_PARAMETERS
from symcost.check.shares import crossing, overhead, parts_compared, share
from symcost.check.slips import dropped, written
from symcost.check.statements import EQUAL, Statement, plain_name
from symcost.check.subjects import ACTIVATIONS, FLOPS, MESSAGES, Subject
from symcost.check.wordings import Wording
from symcost.notation.numbers import scientific
from symcost.symbols import GLOSSARY, dp, h_kv, n

TOTALS = (*SIZE_OF, "C", "M", "T", "MFU")  # letters of ours that a document defines by what is derived
ADAPTERS = Wording(r"\bq?lora\b|\badapters?\b", re.IGNORECASE)
_ONE_HEAD = Wording(r"\bMQA\b|\b[Mm]ulti-?query\b")
SMALLEST = 8  # of the sizes that a number in a form may stand for


def claim(case: Case, statement: Statement, about: Subject) -> tuple[Pair | None, Entry | None]:
    """What is said of a statement's last form, and the derived form that it is meant to be."""
    forms = [item for item in statement.items if item.form.free_symbols and item.name is None]
    if TAKEN_BACK.search(words_before(statement.span)):
        return None, None
    crossed = crossing(case, statement, about, wanted(about))
    if crossed is not None:
        return crossed, None
    if not forms:
        return None, None
    if any(name in GLOSSARY and name not in TOTALS for name in statement.names):
        return None, None
    if not {*statement.relations} <= {*EQUAL, "lead"}:
        forms = forms[-1:]
    meant = None
    for item in reversed(forms):  # a chain says the same in each of its forms
        itself = (item, about) if "MFU" not in statement.names else None
        for each, told in filter(None, (itself, worked(case, statement, item, about))):
            judged = Claim(case, statement, each, told).judged()
            if judged[0] is not None and judged[0].verdict == "holds":
                return judged
            meant = judged if meant is None or meant[1] is None else meant
    return meant or (None, None)


@dataclass
class Claim(Comparison):
    """A form, the words about it, and the ways to take it."""

    def judged(self) -> tuple[Pair | None, Entry | None]:
        """Equal to what the words announce; else one slip away from it; else equal to something else; else unchecked."""
        tables = self._tables()
        kept = self._kept(tables)
        if kept is not None:
            return kept, None
        ways = (self._as_announced, self._as_a_rule, self._as_found)
        for way in ways:
            told = next(filter(None, map(way, tables)), None)
            if told is not None:
                return told
        if (adapted := self._of_adapters()) is not None:
            return adapted
        for small in (self._spared, self._with_a_letter, self._grouped, self._of_one_head):
            said = next(filter(None, map(small, tables)), None)
            if said is not None:
                return said
        return self._of_two_quantities(tables) or self.unchecked(tables), None

    def _tables(self) -> list[Summands]:
        """The form under each of the ties; GPUs that share states are data-parallel ranks, and what each parameter takes
        over their number is that of all parameters."""
        tables = self.case.tables(self.item.form)
        of_messages = bool(self.about.quantities & {*MESSAGES})
        if self.stage or of_messages:
            tables += [
                summands(form_of(table).xreplace({n: dp})) or {} for table in tables if has_letter(table, "n")
            ]
        if not self.stage or of_messages:
            return tables
        return [
            times(table, ALL_PARAMETERS) or table if letters_of(table) <= MESH else table for table in tables
        ]

    def _as_announced(self, table: Summands) -> tuple[Pair, Entry] | None:
        """What the words announce; behind ≈ without the terms that the document's own design has besides."""
        entry = next((each for each in self.announced(table) if each.table == table), None)
        if entry is None:
            return None
        full = self._of_the_first_design(entry) if self.statement.about else None
        if full is not None and dropped(table, full.table):
            return approximates(self.case, table, full.table, self.item.source.strip()), full
        return self.holds(entry), entry

    def _of_the_first_design(self, entry: Entry) -> Entry | None:
        """What the same is for the likeliest design, where it is of another."""
        first = self.case.suppositions.designs[0]
        if entry.supposed is None or entry.supposed.design == first:
            return None
        return same_under(entry, replace(entry.supposed, design=first))

    def _as_a_rule(self, table: Summands) -> tuple[Pair, Entry] | None:
        """What holds of any model, as 16 bytes of each parameter do; the recipe of those bytes is then known."""
        fitting = self._rules(table)
        for entry in fitting:
            if self._may_be(entry) and self._speaks_of_optimizer(entry):
                alike = (each for each in fitting if each.quantity == entry.quantity)
                self.case.settle_recipe([each.recipe for each in alike if each.recipe is not None])
                if self.column is not None and entry.stage:
                    self.case.meshes[self.column] = self.column_mesh | mesh_of(table)
                return self._by_rule(entry), entry
        return None

    def _as_found(self, table: Summands) -> tuple[Pair, Entry | None] | None:
        """One slip away from what the words announce, else what it equals of all that is derived, whatever they announce."""
        found = self.looked_up(table)
        slipped = self.slipped(table, found)
        if slipped is not None:
            return slipped
        unsaid = (
            found is None or found.quantity not in wanted(self.about) or self._is_for_another_count(found)
        )
        if unsaid and (listed := self._of_the_listed()) is not None:
            return listed, None
        if found is not None and (self._fits(found) or self._can_be_no_other(found)):
            return self.holds(found), found
        if (run := self.run(table)) is not None:
            return run, None
        return (self._out_of_place(table) or self._unmistakable(table)) if found is None else None

    def _of_two_quantities(self, tables: Sequence[Summands]) -> Pair | None:
        """What is said of a form that sets one quantity beside another: a share, what is added, a ratio, a sum of those
        in a list."""
        before = words_before(self.statement.span)
        beside = f"{before} {self.about.beside}"
        return (
            overhead(self.case, self.item, self.about)
            or (share(self.case, self.item, self.about, wanted(self.about)) if not tables else None)
            or one_over_another(self.case, self.item, beside)
            or parts_compared(self.case, self.item, self.about, f"{beside} {self.section}")
            or self._of_the_listed()
        )

    def _kept(self, tables: Sequence[Summands]) -> Pair | None:
        """What is said of the tensors that the words right beside a form name."""
        about = self.about
        counted = about.in_bytes is not None and about.quantities <= (
            FLOPS if about.in_bytes else frozenset()
        )
        if not (about.quantities & ACTIVATIONS or counted) or "checkpoint" in about.options or not tables:
            return None
        return kept_pair(self.case, self.statement, self.item, tables[0], about)

    def _of_adapters(self) -> tuple[Pair, Entry] | None:
        """A form with one name that nobody explained, which is derived if that counts the parameters of adapters."""
        knowledge = self.case.knowledge
        unknown = knowledge.unknown(self.item.form)
        if len(unknown) != 1 or not self.case.said_first(ADAPTERS):
            return None
        size = {Symbol(unknown[0], positive=True): GLOSSARY["N_adapter"].symbol}
        for table in self.case.tables(self.item.form.xreplace(size)):
            found = self.looked_up(table)
            if found is not None and len(table) > 1 and self._fits(found):
                self.case.learn(plain_name(unknown[0]), "N_adapter", self.statement.span.start)
                return self.holds(found), found
        return None

    def _with_a_letter(self, table: Summands) -> tuple[Pair, Entry] | None:
        """`2·b·32·s²`: a form with the number of a size in it, that is what the words announce with its letter put back."""
        for name, values in self.case.knowledge.numbers.items():
            if (
                name not in SIZES_OF_TERMS
                or len(values) != 1
                or values[0] < SMALLEST
                or has_letter(table, name)
            ):
                continue
            written_out = re.search(rf"(?<![\w.]){values[0]}(?![\w.])", self.item.source.replace(",", ""))
            lettered = times(table, {((name, 1),): 1 / values[0]}) if written_out else None
            for entry in self.announced(lettered) if lettered else ():
                if entry.table == lettered:
                    return self.holds(entry), entry
        return None

    def _spared(self, table: Summands) -> tuple[Pair, Entry] | None:
        """What fewer key and value heads spare, as in $2d(h - h_{kv})d_k$: what is derived with as many as query heads, and
        the rest of it; or one slip from that."""
        if not {"h", "h_kv"} <= letters_of(table) or min(table.values()) >= 0:
            return None
        shown, slipped = self.item.source.strip(), None
        for entry in self.announced(table):
            if not has_letter(entry.table, "h_kv"):
                continue
            full = summands(entry.total.xreplace({h_kv: GLOSSARY["h"].symbol})) or {}
            spared = minus(full, entry.table)
            words = f"what grouped heads spare of {entry.named()}"
            if spared == table:
                pair = Pair(
                    "holds", "SC102", shown, written(spared), message=words, quantity=public(entry.quantity)
                )
                return pair, replace(entry, table=spared, remark="spared by grouped heads")
            slip = (
                ratio(table, spared)
                if self.about.sharp and self._is_supposed(entry, letters_of(table))
                else None
            )
            if slip in (2, Fraction(1, 2)) and slipped is None:
                pair = Pair("differs", "SC201", shown, written(spared), written(minus(spared, table)),
                            f"{words} is {written(spared)}", public(entry.quantity), entry.scope)  # fmt: skip
                slipped = pair, entry
        return slipped

    def _grouped(self, table: Summands) -> tuple[Pair, Entry] | None:
        """`4·s·g·k` for scores and weighted sum, as if grouping had left fewer of them: every query head has its own."""
        if not has_letter(table, "h_kv") or not self.about.quantities or not self.about.quantities <= FLOPS:
            return None
        every = summands(form_of(table).xreplace({h_kv: GLOSSARY["h"].symbol})) or {}
        entries = (entry for each in self.case.books(letters_of(every)) for entry in each.some(every))
        core = (entry for entry in entries if entry.quantity in FLOPS and CORE.issuperset(entry.tensors))
        meant = next(core, None)
        if meant is None:
            return None
        words = f"grouping spares keys and values, and no scores: {meant.named()} is {written(every)}"
        return Pair("differs", "SC201", self.item.source.strip(), written(every), written(minus(every, table)), words,
                    public(meant.quantity), meant.scope), meant  # fmt: skip

    def _of_one_head(self, table: Summands) -> tuple[Pair, Entry] | None:
        """`2·d_h·l` for multi-query attention: what is derived for key and value heads, of which there is one."""
        lettered = times(table, {(("h_kv", 1),): 1})
        if not lettered or has_letter(table, "h_kv") or not _ONE_HEAD.search(self.about.beside):
            return None
        equal = (entry for entry in self.announced(lettered) if entry.table == lettered)
        return next(((self.holds(entry), entry) for entry in equal), None)

    def _of_the_listed(self) -> Pair | None:
        words = f"{words_before(self.statement.span)} {self.statement.span.after}"
        return of_the_listed(self.case, self.item, words)

    def run(self, table: Summands) -> Pair | None:
        """A whole run: the FLOPs of a step over its tokens, times a number that stands for tokens and speed."""
        step = book(self.case.first).entry("step_flops")
        if step is None:
            return None
        per_utilisation: Summands = {(("MFU", -1), *next(iter(ONE_TOKEN))): 1}
        for quantity, factor, words in (
            ("training_flops", ONE_TOKEN, "D·epochs"),
            ("training_time", per_utilisation, "D·epochs/(n·peak)"),
        ):
            form = times(step.table, factor)
            number = ratio(table, form) if form else None
            if number is not None:
                message = f"{quantity}, with {scientific(number, 4)} for {words}, supposing {self.case.first}"
                return Pair("holds", "SC102", self.item.source.strip(), message=message, quantity=quantity, scope="model",
                            convention=self.case.first.convention)  # fmt: skip
        return None

    def _speaks_of_optimizer(self, entry: Entry) -> bool:
        """Whether the document names the optimizer and the precision whose bytes these are, where they are not as usual."""
        return entry.recipe is None or all(map(self.case.said_first, entry.recipe.unusual))

    def unchecked(self, tables: Sequence[Summands]) -> Pair | None:
        """A bare form that equals nothing; a form beside others says nothing more."""
        knowledge, form = self.case.knowledge, self.item.form
        shown = self.item.source.strip()
        unknown = knowledge.unknown(knowledge.opened(form))
        alone = len(self.statement.items) == 1
        if unknown and len(unknown) == len(form.free_symbols) and alone:
            return Pair("no claim", "SC402", shown, message="names that stand for no cost")
        if not alone:
            return None
        if not tables or unknown:
            return Pair("unchecked", "SC302", shown, message=unknown_words(self.case, form))
        found = next(filter(None, map(self.looked_up, tables)), None)
        message = (
            "equals no derived quantity, and claims none by name"
            if found is None
            else f"equals {found.named()}, supposing {found.supposed}, which the words beside it do not name"
        )
        return Pair("unchecked", "SC302", shown, message=message)
