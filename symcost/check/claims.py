"""Claims: what a form is said to be, held against what is derived; a bare form is looked up."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain, islice, product

from sympy import Symbol

from symcost.check.case import COMPUTED_AGAIN, EXACT, OPTION_NAMES, Case
from symcost.check.catalogue import (
    BLOCK,
    BY_TENSOR,
    CORE,
    OF_ROUTING,
    OF_SIZES,
    ONE_TOKEN,
    PASSES,
    PER_SEQUENCE,
    QUANTITIES,
    SIZED,
    Entry,
    book,
)
from symcost.check.chains import DROPS, SIZE_OF, TAKEN_BACK, approximates, unknown_words
from symcost.check.context import section, words_before, words_behind
from symcost.check.findings import Pair
from symcost.check.kept import kept_pair
from symcost.check.listed import ALL_BLOCKS, of_the_listed, one_over_another
from symcost.check.meshes import MESH, layouts
from symcost.check.polynomials import Summands, form_of, key, minus, ratio, scaled, summands, times
from symcost.check.rates import worked
from symcost.check.recipes import element_types
from symcost.check.rules import ALL_PARAMETERS, EACH_TIME, ONCE, rules
from symcost.check.shares import crossing, overhead, parts_compared, share
from symcost.check.slips import Slip, dropped, one_slip, shared, slip_in_terms, written
from symcost.check.statements import EQUAL, Item, Statement, plain_name
from symcost.check.subjects import (
    ACTIVATIONS,
    FLOPS,
    HALF_SQUARE,
    IN_BYTES,
    MEMORY,
    MESSAGES,
    NO_DISCOUNT,
    PARAMETERS,
    WHOLE_SQUARE,
    Part,
    Subject,
    said,
)
from symcost.check.supposing import FOUR_WIDE, SINGLE, Supposed
from symcost.check.tables import row_of
from symcost.check.wordings import Wording
from symcost.notation import text as plain_text
from symcost.notation.numbers import scientific
from symcost.symbols import GLOSSARY, accumulation, d_k, dp, h_kv, n

TOTALS = (*SIZE_OF, "C", "M", "T")  # letters of ours that a document defines by what is derived
LAST_NORM_LEFT_OUT = Wording(r"\b(?:last|final) (?:layer ?|rms ?)?norm\b[^.;]{0,30}\b(?:left out|ignored|neglected"
                                r"|not worth|omitted)|"
                                r"忽略最后", re.IGNORECASE)  # fmt: skip
APPROXIMATED = FLOPS | {"training_time"}  # by so many FLOPs a parameter and token
_STAGE = re.compile(r"\bstages? ([123])\b|\bzero[- :]{0,2}([123])\b|\A[A-Za-z] ([123])\b", re.IGNORECASE)
SPEAKS_OF = {option: Wording(words, re.IGNORECASE) for option, words in (
    ("causal", r"causal|\bmask|triang"), ("flash", "flash|fused"), ("selective", "selective|recomput"),
    ("checkpoint", "checkpoint|recomput|remat"), ("gate-apart", r"silu|swish"),
)}  # fmt: skip
ENDS_OF_A_PART = Wording(r"\b(?:inputs?|outputs?)\b[^.;:,]{0,30}[:,( $`\\]*\Z", re.IGNORECASE)
BY_STEP = frozenset({"N", accumulation.name})
SENT = {
    ONCE: Wording(r"\bno_?\s?sync\b|\bonce\b|\b(?:the|until) (?:last|end)\b|\blocal(?:ly)?\b", re.IGNORECASE),
    EACH_TIME: Wording(r"\b(?:every|each|per) micro-?\s?(?:batch|step)", re.IGNORECASE),
}  # of the gradients of a step
OF_SOME = Wording(
    r"\b(?:all[- ]?gather|reduce[- ]?scatter|gather|scatter|forward|backward|half)(?:s|ed)?\b"
    r"|\b(?:one|each|single|an) (?:all-?reduce|of|phase|pass|collective)",
    re.IGNORECASE,
)  # words for some of the messages of a step
_STAGE_NAME = re.compile(r"P_?\{?(?:\\(?:text|mathrm)\{)?os((?:\+[a-z]+){0,2})")  # P_{os+g}: stage 2
_NUMBERED = re.compile(r"\W*([0-3])(?![\w.,]*\d|[\w%])")  # the row of a stage: "2", "2: gradients too"
_MARKER = re.compile(r"\s*([1-3])[.)]\s")  # of an item of a numbered list
_FULLY = Wording(r"\bfsdp\b|\bfully[- ]sharded\b", re.IGNORECASE)
_NOT_SHARDED = Wording(
    r"(?<!gradients )(?<!gradients are )(?<!gradients left )(?<!gradients kept )"  # all but these
    r"\b(?:without|no|before|not|un) ?(?:any )?(?:zero|shard\w*|partition\w*)\b"
    r"|\b(?:plain|ordinary|standard|vanilla) data[- ]parallel|\bddp\b",
    re.IGNORECASE,
)
_SHARDED = Wording(r"\bshard|\bpartition|\bsplit over|\bdistributed over", re.IGNORECASE)
_STATES = (
    Wording(r"optimi[sz]er|states", re.IGNORECASE),
    Wording("gradient", re.IGNORECASE),
    Wording("weight|param", re.IGNORECASE),
)  # what stage 1 shares, what 2 shares besides, what 3
AGAIN = {"backward_pass": "+", "all_again": "+checkpoint"}  # what is computed again, and by which option
HEAD_AGAIN = Wording(
    r"\b(?:head|logits) (?:is |are )?(?:repeated|too|included|as well|again)\b"
    r"|\b(?:whole|entire) forward(?: pass)?\b[^.;]{0,30}\b(?:again|twice|once more|a second time)\b",
    re.IGNORECASE,
)
HEAD_ONCE = Wording(
    r"\b(?:not|except|without) (?:for )?the (?:\w+ )?(?:head|logits)\b|\b(?:head|logits) (?:is|are) not\b",
    re.IGNORECASE,
)
OF_BOTH_PASSES = frozenset({"training", "step_flops", "training_flops", "training_time"})
OF_PASSES: Mapping[Fraction | None, str] = {
    Fraction(1, 3): "the factor 3 of forward and backward together is missing",
    Fraction(2, 3): "the backward pass is counted once, not twice",
}  # what a share of both passes has left out
TOTAL_MEMORY = frozenset({"static_memory", "peak_memory"})
ADAPTERS = Wording(r"\bq?lora\b|\badapters?\b", re.IGNORECASE)
OF_ONE_KIND = frozenset(
    {*OF_ROUTING, "kv_cache_memory", "idle_parameters"}
)  # there is no more than one form for each
CAPACITY = Wording(r"\bcapacity factor\W*(?:of|is|=)?\W*(\d+(?:\.\d+)?)", re.IGNORECASE)
RANKS = frozenset({"n", "dp", "tp", "pp", "cp", "ep"})  # that share what a model takes
SHARING_PARAMETERS = RANKS - {"tp", "cp"}
EXPERTS, SHARED = "block.mlp.experts", "block.mlp.shared"
NORMS: tuple[Part, ...] = (("block.norm_1", frozenset()), ("block.norm_2", frozenset()))
SOFTMAX = frozenset({"P", "scores"})  # what words name of the tensors that attention keeps
SIZES_OF_TERMS = frozenset({"b", "c", "d", "d_ff", "d_k", "h", "h_kv", "v", "L"})
WHOLE = Wording(
    r"\b(?:whole|entire|full|complete) (?:model|block|layer|transformer|network|step)\b"
    r"|\b(?:altogether|all told|in total|total|sum)\b",
    re.IGNORECASE,
)  # that nothing of it is left out
SHAPE = re.compile(r"[^\d\s]+\s*(?:\\times|×)\s*\d?[^\d\s]+\Z")  # of a matrix: $d\times 4d$
_TWO_NORMS = Wording(r"\b(?:two|both|2) (?:\w+ )?(?:rms|layer)?[ -]?norms?\b|\bnorms\b", re.IGNORECASE)
_ONE_NORM = Wording(
    r"\b(?:one|single) (?:rms|layer)?[ -]?norm\b[^.;]{0,20}\b(?:layer|block)\b", re.IGNORECASE
)
_REPEATS = Wording(
    r"\b(?:repeat(?:s|ed)?|re-?run|computed again)\b", re.IGNORECASE
)  # the forward pass of attention
AGAIN_BY_RULE = "computed again"  # of a rule of thumb
_ONE_HEAD = Wording(r"\bMQA\b|\b[Mm]ulti-?query\b")
_EXTRA_NORM = Wording(
    r"\b(?:extra|additional|another|third|more) (?:rms|layer)?[ -]?norms?\b"
    r"|\bnorm\b[^.;]{0,30}\b(?:after|behind|on) (?:the |its )?embeddings?\b",
    re.IGNORECASE,
)
FEW_TERMS = 3
SMALLEST = 8  # of the sizes that a number in a form may stand for
OF_MANY_TERMS = ("activation_memory", "saved_activations", "parameters", "forward_flops", "training")
CONVENTION_FREE = PARAMETERS | {"forward_flops"}


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
        for each, told in filter(None, ((item, about), worked(case, item, about))):
            judged = Claim(case, statement, each, told).judged()
            if judged[0] is not None and judged[0].verdict == "holds":
                return judged
            meant = judged if meant is None or meant[1] is None else meant
    return meant or (None, None)


@dataclass
class Claim:
    """One form, the words about it, and the ways to take it."""

    case: Case
    statement: Statement
    item: Item
    about: Subject

    @cached_property
    def stage(self) -> str:
        """Which stage of ZeRO a form is said to be of: by its number, that of its table's row, or what is sharded."""
        words, cell = self.about.words, self.statement.span.block.cell
        if _NOT_SHARDED.search(self.about.beside):  # nothing is shared
            return "0"
        rows = row_of(self.case.document, self.statement.span)
        named = _STAGE_NAME.search(rows[0].text) if rows else None
        if named is not None and self._is_shared_out:
            return str(1 + named[1].count("+"))
        heading = rows[0].cell.column if rows and rows[0].cell is not None else ""
        speaks_of_zero = "zero" in f"{heading} {words}".lower()
        found = _STAGE.search(words) if speaks_of_zero or "stage" in words.lower() else None
        if found is not None:
            return str(next(filter(None, found.groups())))
        numbered = _NUMBERED.match(cell.row) if cell is not None and speaks_of_zero else None
        if numbered is not None:
            return numbered[1]
        if self._is_shared_out and speaks_of_zero and (listed := self._number_in_a_list):
            return listed
        if _FULLY.search(self.about.beside):
            return "3"
        row = words.partition(" | ")[0] if _SHARDED.search(words) else ""
        states, gradients, weights = (bool(pattern.search(row)) for pattern in _STATES)
        if not states or (weights and not gradients):
            return ""
        return str(1 + gradients + weights)

    @property
    def _is_shared_out(self) -> bool:
        """Whether devices share something of what a form counts."""
        return any(symbol in (n, dp) for symbol in self.item.form.free_symbols)

    @property
    def _number_in_a_list(self) -> str:
        """The number from 1 to 3 of the list's item that a form stands in."""
        block, text = self.statement.span.block, self.case.document.text
        line = text[text.rfind("\n", 0, block.start) + 1 : block.end]
        marker = _MARKER.match(line) if block.kind == "item" else None
        return marker[1] if marker is not None else ""

    @property
    def column(self) -> tuple[str, tuple[str, ...]] | None:
        """The column of a table that a form stands in."""
        block = self.statement.span.block
        return (block.cell.column, block.headings) if block.cell is not None else None

    @property
    def column_mesh(self) -> frozenset[str]:
        """The sizes of a mesh in the forms above this one, among which each parameter is split in every row."""
        return self.case.meshes.get(self.column, frozenset()) - {"dp"} if self.column else frozenset()

    @cached_property
    def nearby(self) -> str:
        """What introduces a form, the text that it stands in, and the words about it."""
        block = self.statement.span.block
        return " ".join((*block.lead, block.text, self.about.words))

    @cached_property
    def section(self) -> str:
        """What the section of a form has said so far."""
        return "\n\n".join(block.text for block in section(self.case.document, self.statement.span))

    def __post_init__(self) -> None:
        """What a size of the model is said to be, and what is of all blocks or of none, whatever else is named."""
        sizes = [SIZE_OF[name] for name in self.statement.names if name in SIZE_OF]
        if sizes and sizes[0] != "parameters":
            self.about = self.about.of(sizes[0])
        if sizes or self.about.quantities == {"kv_cache_memory"}:
            self.about = replace(self.about, parts=())
        elif self.about.quantities and self.about.quantities <= {*OF_ROUTING}:
            self.about = replace(self.about, parts=BLOCK)
        core = any(tensors & CORE for _, tensors in self.about.parts)
        core = core and self.about.quantities <= OF_BOTH_PASSES and not self.statement.names
        if core and _REPEATS.search(self.about.beside):
            self.about = self.about.of("forward_flops")
        if not self.about.quantities & MESSAGES and self._is_traffic:
            self.about = self.about.of("messages")
        if "M" in self.statement.names:  # memory, whatever the words say that it is the sum of
            about = self.about
            self.about = replace(
                about,
                quantities=about.quantities & MEMORY | TOTAL_MEMORY,
                near_quantities=about.near_quantities and about.near_quantities & MEMORY | TOTAL_MEMORY,
                sure_quantities=about.sure_quantities & MEMORY,
            )

    @property
    def _is_traffic(self) -> bool:
        """Whether a form counts what is sent: in micro-batches and parameters alone, or an item of a list that is said to."""
        counts = {symbol.name for symbol in self.item.form.free_symbols}
        if counts >= BY_STEP and counts <= BY_STEP | {"n", "dp"}:
            return True
        block = self.statement.span.block
        lead = said(block.lead[-1]).quantities if block.kind == "item" and block.lead else frozenset()
        return bool(lead) and lead <= {*MESSAGES} and not self.about.in_bytes and bool(self.stage)

    def judged(self) -> tuple[Pair | None, Entry | None]:
        """Equal to what the words announce; else one slip away from it; else equal to something else; else unchecked."""
        tables = self.case.tables(self.item.form)
        if self.stage or self.about.quantities & set(
            MESSAGES
        ):  # GPUs that share the states are data-parallel ranks
            tables += [
                summands(form_of(table).xreplace({n: dp})) or {} for table in tables if _has(table, "n")
            ]
        kept = self._kept(tables)
        if kept is not None:
            return kept, None
        if (
            self.stage and not self.about.quantities & MESSAGES
        ):  # bytes of each parameter are those of all, over their number
            tables = [
                times(table, ALL_PARAMETERS) or table if _letters(table) <= MESH else table
                for table in tables
            ]
        for table in tables:
            for entry in self.announced(table):
                if entry.table == table:
                    return self.holds(entry), entry
        for table in tables:
            fitting = self._rules(table)
            for entry in fitting:
                if self._may_be(entry) and self._speaks_of_optimizer(entry):
                    self.case.settle_recipe(
                        [
                            each.recipe
                            for each in fitting
                            if each.recipe is not None and each.quantity == entry.quantity
                        ]
                    )
                    if self.column is not None and entry.stage:
                        self.case.meshes[self.column] = self.column_mesh | _mesh(table)
                    return self._by_rule(entry), entry
        for table in tables:
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
            run = self.run(table)
            if run is not None:
                return run, None
            odd = (self._out_of_place(table) or self._unmistakable(table)) if found is None else None
            if odd is not None:
                return odd
        small = (
            self._of_adapters()
            or next(filter(None, map(self._spared, tables)), None)
            or next(filter(None, map(self._with_a_letter, tables)), None)
            or next(filter(None, map(self._grouped, tables)), None)
            or next(filter(None, map(self._of_one_head, tables)), None)
        )
        if small is not None:
            return small
        of_a_whole = share(self.case, self.item, self.about, wanted(self.about)) if not tables else None
        words = f"{words_before(self.statement.span)} {self.about.beside}"
        told = (
            of_a_whole
            or overhead(self.case, self.item, self.about)
            or one_over_another(self.case, self.item, words)
            or parts_compared(self.case, self.item, self.about, f"{words} {self.section}")
            or self._of_the_listed()
        )
        return told or self.unchecked(tables), None

    def _kept(self, tables: Sequence[Summands]) -> Pair | None:
        """What is said of the tensors that the words right beside a form name."""
        about = self.about
        counted = about.in_bytes is not None and about.quantities <= (
            FLOPS if about.in_bytes else frozenset()
        )
        if not (about.quantities & ACTIVATIONS or counted) or "checkpoint" in about.options or not tables:
            return None
        return kept_pair(self.case, self.statement, self.item, tables[0], about)

    def _rules(self, table: Summands) -> list[Entry]:
        """What a form is of any model, where words name a stage of ZeRO at that stage."""
        found = rules().get(key(table), []) if not self.column_mesh else []
        mesh = self.column_mesh | _mesh(table)
        if self.stage or mesh or self.about.quantities & MESSAGES:
            found = [*found, *rules(_letters(table) | mesh | {"dp"}).get(key(table), [])]
        meant = wanted(self.about)
        fitting = [entry for entry in found if self.stage in ("", entry.stage) and self._is_so_often(entry)]
        return sorted(fitting, key=lambda entry: entry.quantity not in meant)

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
            if name not in SIZES_OF_TERMS or len(values) != 1 or values[0] < SMALLEST or _has(table, name):
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
        if not {"h", "h_kv"} <= _letters(table) or min(table.values()) >= 0:
            return None
        shown, slipped = self.item.source.strip(), None
        for entry in self.announced(table):
            if not _has(entry.table, "h_kv"):
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
                if self.about.sharp and self._is_supposed(entry, _letters(table))
                else None
            )
            if slip in (2, Fraction(1, 2)) and slipped is None:
                pair = Pair("differs", "SC201", shown, written(spared), written(minus(spared, table)),
                            f"{words} is {written(spared)}", public(entry.quantity), entry.scope)  # fmt: skip
                slipped = pair, entry
        return slipped

    def _grouped(self, table: Summands) -> tuple[Pair, Entry] | None:
        """`4·s·g·k` for scores and weighted sum, as if grouping had left fewer of them: every query head has its own."""
        if not _has(table, "h_kv") or not self.about.quantities or not self.about.quantities <= FLOPS:
            return None
        every = summands(form_of(table).xreplace({h_kv: GLOSSARY["h"].symbol})) or {}
        entries = (entry for each in self.case.books(_letters(every)) for entry in each.some(every))
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
        if not lettered or _has(table, "h_kv") or not _ONE_HEAD.search(self.about.beside):
            return None
        equal = (entry for entry in self.announced(lettered) if entry.table == lettered)
        return next(((self.holds(entry), entry) for entry in equal), None)

    def _of_the_listed(self) -> Pair | None:
        words = f"{words_before(self.statement.span)} {self.statement.span.after}"
        return of_the_listed(self.case, self.item, words)

    # ------------------------------------------------------------------------------ what the words announce

    def announced(self, table: Summands) -> Iterator[Entry]:
        """The derived forms that the words may mean, the likeliest first."""
        about = self.about
        letters = _letters(table)
        quantities = [name for name in QUANTITIES if name in wanted(about)]
        if not quantities:
            return
        of_model = "v" in letters or ("L" in letters and not about.sharp and about.times == "one")
        parts = about.parts or (BLOCK if about.times in ("one", "all") and not of_model else ())
        parts = () if self._is_more(letters) else parts
        in_block = any(place.startswith("block") for place, _ in parts)
        every = (
            {"one": (False,), "all": (True,), "model": (True, False)}.get(about.times, (False, True))
            if in_block
            else (True,)
        )
        pers = self._pers(letters)
        if "expert" in pers and "L" not in letters:
            every = (False,)
        laid = layouts(letters, about.options, about.words, self.stage)
        sent = layouts(letters, about.options, about.words, self.stage, sends=True)
        for supposed in self.case.supposed(
            about, self.nearby, self.section, precise=bool(set(quantities) & IN_BYTES), letters=letters
        ):
            for quantity, per in product(SIZED if letters & OF_SIZES and not letters & RANKS else (), pers):
                yield from book(supposed).sized(quantity, letters, per) if quantity in quantities else ()
            for quantity in quantities:
                if quantity in MESSAGES and not self._has_its_bytes(supposed):
                    continue
                if quantity in AGAIN and AGAIN[quantity] not in supposed.convention:
                    continue  # nothing is computed again
                if quantity == "all_again" and not HEAD_AGAIN.search(about.words):
                    continue
                for in_all in every:
                    for chosen in _choices(quantity, parts, sent != (SINGLE,), in_all):
                        for per, layout in product(
                            pers if quantity in PER_SEQUENCE or "expert" in pers else ("",),
                            sent if quantity in MESSAGES else laid,
                        ):
                            on = replace(supposed, layout=layout)
                            entry = book(on).entry(quantity, chosen, every=in_all, per=per)
                            if entry is not None:
                                yield from self._with_room(entry)
                            if (
                                entry is not None
                                and quantity in ACTIVATIONS
                                and "flash" in supposed.convention
                            ):
                                yield entry.without(
                                    tensor="lse", remark="without the statistics of the softmax's rows"
                                )

    def _is_more(self, letters: Collection[str]) -> bool:
        """Whether a form is of more than the parts that the words name: none is in the blocks that it counts, or none has
        to do with the vocabulary in it."""
        places = [place for place, _ in self.about.parts]
        in_blocks = [place.startswith("block") for place in places]
        return bool(places) and (
            ("L" in letters and not any(in_blocks)) or ("v" in letters and all(in_blocks))
        )

    def _with_room(self, entry: Entry) -> Iterator[Entry]:
        """The entry, of an expert's tokens also times each capacity factor that the document states."""
        yield entry
        for factor in (
            CAPACITY.findall(self.case.document.text) if entry.quantity == "tokens_of_expert" else ()
        ):
            remark = f"with a capacity factor of {factor}"
            yield replace(entry, table=scaled(entry.table, Fraction(factor)), remark=remark)

    def _has_its_bytes(self, supposed: Supposed) -> bool:
        """Whether bytes are those that the document speaks of."""
        given = self.case.suppositions
        return given.half is None or supposed.precision in (None, given.precisions[0])

    def _pers(self, letters: set[str]) -> Iterable[str]:
        """Whether a form is for a batch, a sequence or a token, by its letters and by what is said."""
        if self.about.per == "expert":
            return ("expert", "")
        if "b" in letters:
            return ("",)
        if self.about.per == "batch":
            return ("",)
        if self.about.near_per == "token":
            return ("token", "")
        if self.about.per == "token":
            return ("token", "sequence", "") if "c" in letters else ("token", "")
        return ("sequence", "token", "") if "c" in letters else ("", "token", "sequence")

    def looked_up(self, table: Summands) -> Entry | None:
        """The derived form that this is: one that the words allow, else any; the likeliest design before others,
        whole places before some steps of one."""
        letters = {name for monomial in table for name, _ in monomial}
        other: Entry | None = None
        mesh, once = _mesh(table), HEAD_ONCE.search(self.about.words)
        laid = layouts(_letters(table), self.about.options, self.about.words) if mesh - {"dp"} else ()
        for books, partial, own in (
            (self.case.books_on(laid), False, True),
            (islice(self.case.books(letters), 1), False, True),
            (islice(self.case.books(letters), 1), True, True),
            (self.case.books(letters), False, True),
            (self.case.books(letters), True, True),
            (self.case.other_books(letters), False, False),
        ):
            if other is not None and not own:
                break  # it has a meaning under the document's own convention
            for each in books:
                equal = each.some(table) if partial else each.equal(table)
                meant = (entry for entry in equal if not (once and entry.quantity == "all_again"))
                found = sorted(meant, key=self._fit, reverse=True)
                fitting = next(filter(self._fits, found), None)
                if fitting is not None:
                    return fitting
                other = other or next(iter(found), None)
        return other

    def _fits(self, entry: Entry) -> bool:
        """Whether the words allow that a form is meant as this."""
        return self._may_be(entry) and self._agrees(entry) and not self._is_less(entry)

    def _is_for_another_count(self, found: Entry) -> bool:
        """Whether a form is for one token where the words are about one sequence, or the reverse."""
        return {self.about.per, found.per} == {"token", "sequence"}

    def _can_be_no_other(self, found: Entry) -> bool:
        """Whether a form has so many terms that it is this, whatever the words beside it name."""
        return len(found.table) >= FEW_TERMS and not found.partial

    def _fit(self, entry: Entry) -> tuple[int, int]:
        """How well an entry fits what is said: its quantity, its place."""
        places = {place for place, _ in self.about.parts} or (
            {"block"} if self.about.times == "one" else {""}
        )
        return (
            entry.quantity in wanted(self.about),
            any(place in places for place, _ in entry.parts or (("", frozenset()),)),
        )

    def _may_be(self, entry: Entry) -> bool:
        """Whether the words near a form let it be this quantity; a stage of ZeRO is of all states together."""
        near = wanted(replace(self.about, quantities=self.about.near_quantities))
        if entry.quantity == "parameters" and "N" in self.statement.names:
            return True
        if AGAIN_BY_RULE in entry.remark and near <= FLOPS | {"step_flops", "training_time", "all_again"}:
            return True  # "another forward pass"
        if self.stage and entry.stage:
            of_states = "static_memory" in near and entry.quantity == "optimizer_memory"
            return entry.quantity == "static_memory" or entry.quantity in near or of_states
        if self.about.in_bytes:  # "4bcd bytes forward"
            near -= FLOPS
        if not near and self.about.quantities and self.about.quantities <= FLOPS and not self.about.in_bytes:
            return entry.quantity not in MEMORY
        return not near or entry.quantity in near

    def _agrees(self, found: Entry) -> bool:
        """Whether what a form equals is what the words are about, as far as they say: bytes, a token, a place."""
        about = self.about
        if (
            about.in_bytes is not None
            and about.in_bytes != (found.quantity in IN_BYTES)
            and found.quantity not in FLOPS
        ):
            return False
        if {about.near_per, found.per} == {"token", "sequence"} or (about.per == "batch" and found.per):
            return False
        if (
            found.partial
            and found.supposed
            and found.supposed.design.adapted
            and any(t for _, t in about.parts)
        ):
            return False  # of the matrices named, the adapters are known
        here = {place for place, _ in about.parts} if about.sharp else set()
        there = {place for place, _ in found.parts}
        return (
            not here
            or not there
            or any(one.startswith(other) or other.startswith(one) for one in here for other in there)
        )

    def _is_less(self, found: Entry) -> bool:
        """Whether a form is only some of the steps that the words beside it name: one projection of three."""
        if (
            not found.partial
            or not self.about.sharp
            or found.quantity in ACTIVATIONS
            or found.supposed is None
        ):
            return False
        if self.about.qualified or not (
            any(tensors for _, tensors in self.about.parts) or self.about.parts == ((EXPERTS, frozenset()),)
        ):
            return False  # "each of the shape"
        named = book(found.supposed).entry(found.quantity, self.about.parts, every=False, per=found.per)
        if named is None or named.table == found.table:
            return False
        return set(found.tensors) < set(named.tensors) or found.quantity in FLOPS

    # -------------------------------------------------------------------------------------- one slip away

    def slipped(self, table: Summands, found: Entry | None) -> tuple[Pair, Entry | None] | None:
        """The derived form that the words announce without a doubt, where the written one is a single slip from it."""
        about = self.about
        shown = self.item.source.strip()
        if (
            not (about.sure_quantities or self.stage)
            or ((about.qualified or (about.of_device and not _mesh(table))) and not self.stage)
            or not (self._is_sharp(table) or self.stage or self.statement.names or self.statement.label)
        ):
            return None
        _, name = self.item.form.as_coeff_Mul()
        own = name.is_Symbol and name.name in self.case.knowledge.definitions and name.name not in GLOSSARY
        if own or not self._is_declared or SHAPE.match(shown):
            return None  # what stands there is the name of another form, which is judged for itself
        if found is not None and self.is_meant(found) and not self._lacks_an_option(found):
            return None
        approximate = self.statement.about or bool(
            DROPS.search(words_behind(self.case.document, self.statement.span))
        )
        addends = [each for term in self.item.part.terms
                   if (each := summands(self.case.tied(self.case.knowledge.translated(term.expr))))]  # fmt: skip
        narrow = min(element_types(self.statement.span.sentence.text), default=2) < 2  # "in int8"
        letters = _letters(table)
        best: tuple[tuple[int, int], Entry, Slip] | None = None
        for rank, entry in enumerate(self._with_dropped(self._sharp(table))):
            if approximate and dropped(table, entry.table):
                return approximates(self.case, table, entry.table, shown), entry
            if entry.scope.startswith("block") and table == times(entry.table, ALL_BLOCKS):
                continue  # the same of all blocks
            if _has(table, "D") and not _has(entry.table, "D"):
                continue  # tokens, of a sequence or of the training
            slip = one_slip(table, entry.table, sure=self._is_sure or bool(entry.stage))
            if slip is None and len(addends) > len(table):
                slip = slip_in_terms(addends, entry.table)
            spoken = found is not None and found.quantity in wanted(about)
            if slip is None or (
                spoken and slip.dropped and not about.parts and not WHOLE.search(about.beside)
            ):
                continue
            if slip.dropped and self._is_more(_letters(table)):
                continue  # "all but the head"
            if entry.stage and not slip.factor and (slip.dropped or not letters & {*MESH, accumulation.name}):
                continue  # it may be of a part, or of all devices together
            if (
                entry.supposed is None
                and not entry.stage
                and (not slip.factor or self._is_another_rule(table))
            ):
                continue  # a rule of thumb is only told by its letters
            if slip.factor and entry.quantity in IN_BYTES and narrow:
                continue  # of elements that are smaller than those of the rest
            if slip.factor and len(PASSES & about.sure_quantities) > 1 and shared(table, entry.table) < 2:
                continue  # it may be the FLOPs of another pass
            score = (shared(table, entry.table), -rank)
            if best is None or score > best[0]:
                best = score, entry, slip
        if best is None or self.statement.about:
            return None
        _, entry, slip = best
        if self._is_of_gains(slip.difference, entry) or self._names_norms_elsewhere(entry):
            return None
        another = found is not None and self._is_another(found, entry)
        if (
            slip.excess
            and found is not None
            and found.quantity in about.named
            and self._can_be_no_other(found)
        ):
            return None  # its heading names the larger
        if slip.excess and not self._is_plainly(entry) and (another or self._rules(table)):
            return self._either(found, entry, slip) if another and found is not None else None
        return self._told(table, entry, slip)

    def _either(self, found: Entry, entry: Entry, slip: Slip) -> tuple[Pair, Entry | None] | None:
        """A form that is something else than the words name, and too much of what they name: which of them is not certain."""
        if found.quantity in wanted(self.about):
            return None
        message = f"either {found.named()}, or {entry.named()} with {slip.words}"
        return Pair("unchecked", "SC302", self.item.source.strip(), message=message), None

    def _lacks_an_option(self, found: Entry) -> bool:
        """Whether the words right beside name a fused kernel, or steps computed again, that a form is without."""
        had = found.supposed.convention.split("+") if found.supposed is not None else []
        named = self.about.near_options.intersection(COMPUTED_AGAIN)
        return found.quantity in FLOPS and not named <= set(had)

    def _is_of_gains(self, difference: Summands, entry: Entry) -> bool:
        """Whether a sum is only off by the gains of norms, of which models have more or fewer where nobody says two."""
        if self.case.said_first(_TWO_NORMS) and not self._has_other_norms:
            return False
        if not entry.pieces:  # a rule of thumb, without parameters that multiply nothing
            return all({("L", 1), *monomial} == {("L", 1), ("d", 1)} for monomial in difference)
        off = [
            piece.term.place
            for piece in entry.pieces
            if ratio(piece.in_all if entry.every else piece.amount, difference) is not None
        ]
        return len(entry.table) > 1 and bool(off) and all("norm" in place for place in off)

    @property
    def _has_other_norms(self) -> bool:
        """Whether the document says that its model has one norm a block, or one more than usual."""
        return any(self.case.said_first(each) is not None for each in (_ONE_NORM, _EXTRA_NORM))

    def _names_norms_elsewhere(self, entry: Entry) -> bool:
        """Whether a form is held against norms that only the rest of its sentence names: "the biases ($3h$) are split, the
        norms are not"."""
        of_norms, beside = (bool(parts) and all("norm" in place for place, _ in parts)
                            for parts in (entry.parts, said(self.about.beside).parts))  # fmt: skip
        return of_norms and not beside and self.statement.span.block.cell is None

    def _is_plainly(self, entry: Entry) -> bool:
        """Whether the words right beside name both the quantity and the part, "parameters of the MLP of one layer", or a
        quantity that is nothing else's, as a cache is."""
        beside = said(self.about.beside)
        quantities = wanted(replace(self.about, quantities=beside.quantities))
        return entry.quantity in quantities and bool(
            beside.parts or beside.times or len(beside.quantities) == 1
        )

    def _is_another(self, found: Entry, entry: Entry) -> bool:
        """Whether a document may well speak of one form where another is announced: of another pass or part, or of the same
        without an option that the words right beside do not name."""
        if (found.quantity, found.parts) != (entry.quantity, entry.parts):
            return True
        options, without = (
            frozenset(each.supposed.convention.split("+")[1:]) if each.supposed is not None else frozenset()
            for each in (entry, found)
        )
        return not (options - without) & self.about.near_options

    def _out_of_place(self, table: Summands) -> tuple[Pair, Entry] | None:
        """A form with a term of a size that nothing of the model has, one slip away from what the words or the document name."""
        letters = _letters(table)
        if not letters <= SIZES_OF_TERMS or not self._is_declared or self.statement.about:
            return None
        books = [*self.case.books(letters), *self.case.other_books(letters)]
        odd = [term for term in table if not any(each.has_size(term) for each in books)]
        if len(odd) != 1 or abs(table[odd[0]]) == 1:
            return None
        quantities = [name for name in BY_TENSOR if name in wanted(self.about)]
        parts = (entry for each in books[:1] for entry in each.beside(table, odd[0], quantities))
        for entry in chain(self.announced(table), reversed(self.case.proven), parts):
            slip = one_slip(table, entry.table, sure=True)
            if slip is not None and odd[0] in slip.difference and not (slip.added or slip.factor):
                return self.differs(entry, slip), entry
        return None

    def _unmistakable(self, table: Summands) -> tuple[Pair, Entry] | None:
        """A sum that is what the words may mean but for a letter or a coefficient in one of its terms.

        Where they name no quantity it may be any, since so many terms tell which it is.
        """
        letters = _letters(table)
        if len(table) < FEW_TERMS or letters & SHARING_PARAMETERS or self.statement.about:
            return None
        if self.case.knowledge.confused(self.item.part.expr):
            return None
        meant = (
            [self]
            if wanted(self.about)
            else [replace(self, about=self.about.of(each)) for each in OF_MANY_TERMS]
        )
        for entry in chain.from_iterable(each.announced(table) for each in meant):
            alike = {term: value for term, value in table.items() if entry.table.get(term) == value}
            known = self._undeclared <= _letters(alike)  # the other terms tell what letters stand for
            if not len(alike) == len(table) - 1 == len(entry.table) - 1 or not known:
                continue
            slip = one_slip(table, entry.table) if self._is_supposed(entry, letters) else None
            if slip is not None and not (self._has_other_norms and self._is_of_gains(slip.difference, entry)):
                return self._told(table, entry, slip)
        return None

    def _told(self, table: Summands, entry: Entry, slip: Slip) -> tuple[Pair, Entry]:
        """A slip, unless the form is right with an option or for another design."""
        other = (
            self._with_an_option(table, entry)
            or self._of_another_design(table, entry)
            or self._on_another_layout(table, entry)
        )
        return (self.depends(other), other) if other is not None else (self.differs(entry, slip), entry)

    def _with_an_option(self, table: Summands, entry: Entry) -> Entry | None:
        """The same entry under a causal mask, a fused kernel or with steps computed again, where that is the form."""
        supposed = entry.supposed
        if supposed is None:
            return None
        for option in OPTION_NAMES:
            before = supposed.convention.removesuffix("-exact") if option == "causal" else supposed.convention
            convention = before if option in before else f"{before}+{option}"
            if convention == supposed.convention or not self.case.said_first(SPEAKS_OF[option]):
                continue
            if option == "causal" and self._takes_the_whole_square:
                continue
            other = book(replace(supposed, convention=convention))
            found = other.entry(entry.quantity, entry.parts, every=entry.every, per=entry.per)
            if found is not None and found.table == table:
                return found
        return None

    @property
    def _takes_the_whole_square(self) -> bool:
        """Whether it is said of a form, or of all of a document that never speaks of half the scores, that no mask halves it."""
        said = self.case.said_first
        return bool(WHOLE_SQUARE.search(self.about.words) or (said(NO_DISCOUNT) and not said(HALF_SQUARE)))

    def _of_another_design(self, table: Summands, entry: Entry) -> Entry | None:
        """The same entry with or without biases, norms or learned positions, where that is the form."""
        supposed = entry.supposed
        if supposed is None or supposed.design.name:
            return None
        for feature in ("biased", "gains_counted", "learned_positions", "dropout"):
            design = supposed.design.but(**{feature: not getattr(supposed.design, feature)})
            other = book(replace(supposed, design=design))
            found = other.entry(entry.quantity, entry.parts, every=entry.every, per=entry.per)
            if found is not None and found.table == table:
                return found
        return None

    def _on_another_layout(self, table: Summands, entry: Entry) -> Entry | None:
        """The same entry where the inputs of norms are split among tensor-parallel devices too, or are not, where that is
        the form and the words beside it name neither."""
        supposed = entry.supposed
        if supposed is None or not self.about.near_options.isdisjoint({"tensor", "sequence"}):
            return None
        for layout in layouts(_letters(table), (), self.about.words):
            other = book(replace(supposed, layout=layout))
            found = other.entry(entry.quantity, entry.parts, every=entry.every, per=entry.per)
            if found is not None and found.table == table:
                return found
        return None

    def _is_another_rule(self, table: Summands) -> bool:
        """Whether a form is the rule of thumb of another pass that the words before it name: so training is 6N."""
        words = self.statement.span.before.lower()
        return any(entry.quantity.partition("_")[0][:5] in words for entry in self._rules(table))

    def _is_sharp(self, table: Summands) -> bool:
        """Whether the words right beside a form name the part that it is of, or what it is of the whole model."""
        letters = _letters(table)
        return (
            self.about.sharp
            or bool(_mesh(table) and {"tensor", "sequence"} & self.about.options)
            or (
                bool(self.about.near_quantities) and bool(letters & {"L", *OF_SIZES}) and not self.about.parts
            )
        )

    @property
    def _is_declared(self) -> bool:
        """Whether the document says what every letter of the form stands for."""
        return not self._undeclared

    @property
    def _undeclared(self) -> frozenset[str]:
        """The letters of the form that the document never says what they stand for, or says it twice, or of two names."""
        knowledge, form = self.case.knowledge, self.item.form
        unclear = knowledge.confused(self.item.part.expr)
        if not self.case.letters:
            return unclear
        opened = {each for way in self.case.tables(form) for monomial in way for each, _ in monomial}
        customary = {"d_k", "d_ff", "h_kv", "N", "D"}
        if d_k in form.free_symbols:  # the width over the number of heads
            customary |= {"d", "h"}
        if self.case.suppositions.designs[0].experts:
            customary |= {"E", "k"}
        return unclear | opened - self.case.letters - set(knowledge.numbers) - customary - set(
            knowledge.definitions
        )

    def _sharp(self, table: Summands) -> Iterator[Entry]:
        """Of what is announced, what a form may be held against: of the likeliest design and bytes, if these are said."""
        letters = _letters(table)
        for entry in self.announced(table):
            if (
                self._is_supposed(entry, letters)
                and self._is_spoken_of(entry)
                and self._is_of_these(entry, letters)
            ):
                yield entry
        yield from self._sharp_rules(letters)

    def _is_supposed(self, entry: Entry, letters: set[str]) -> bool:
        """Whether a form is derived for what the document says of its model, and nothing that it leaves open."""
        given, supposed = self.case.suppositions, entry.supposed
        if not given.width_said and any("mlp" in piece.place for piece in entry.pieces):
            return False  # a gated MLP has any width
        if supposed is None:
            return True
        first = given.designs[0]
        designs = (first.written_in(letters), replace(first, grouped="h_kv" in letters).written_in(letters))
        return (
            supposed.design in designs
            and ("d_ff", FOUR_WIDE) not in set(supposed.ties) - set(given.ties)
            and supposed.precision in (None, given.precisions[0])
        )

    def _is_spoken_of(self, entry: Entry) -> bool:
        """Whether the words leave no doubt about the quantity, and mean all of it."""
        about = self.about
        if entry.quantity not in wanted(replace(about, quantities=about.sure_quantities)):
            return False
        if entry.quantity in MESSAGES and OF_SOME.search(self.statement.span.sentence.text):
            return False
        of_some = any(tensors - SOFTMAX for _, tensors in about.parts) or self._names_a_tensor(entry)
        return not (entry.quantity in ACTIVATIONS and of_some)

    def _is_of_these(self, entry: Entry, letters: set[str]) -> bool:
        """Whether a form in these letters can be of as many bytes, devices, blocks, sequences and tokens."""
        about, given = self.about, self.case.suppositions
        megatron = given.conventions[0].startswith("megatron")
        bytes_known = "w" in letters or given.half is not None or megatron
        if entry.quantity in IN_BYTES and not (bytes_known and (about.in_bytes or megatron)):
            return False
        if "tp" in letters and not {"tensor", "sequence"} & about.options:
            return False
        if any(place.startswith("block") for place, _ in entry.parts):
            if entry.every and about.times != "all" and "L" not in letters:
                return False
            if entry.every and about.times != "all" and not about.parts and not letters & MESH:
                return False  # it may be of the whole model
            if not entry.every and "L" in letters and about.times != "one":
                return False
        of_token = entry.per == "token" and about.per != "token"
        return not (of_token or (entry.per == "sequence" and "c" not in letters))

    def _sharp_rules(self, letters: set[str]) -> Iterator[Entry]:
        """What holds of any model, where the words name it: FLOPs of the whole model, or a stage of ZeRO."""
        sure = self.about.sure_quantities
        if not self.about.parts:
            every = chain.from_iterable(rules().values()) if sure <= FLOPS else ()
            yield from (entry for entry in every if entry.quantity in sure)
        if not self.stage:
            return
        sent = sure & MESSAGES
        all_sent = len(sent) == 1 and not OF_SOME.search(self.statement.span.sentence.text)
        meant = sent if all_sent else {"static_memory"} - sent
        for entry in chain.from_iterable(rules(letters | self.column_mesh | {"dp"}).values()):
            of_recipe = entry.recipe in (None, self.case.recipes[0])
            if (
                entry.stage == self.stage
                and entry.quantity in meant
                and of_recipe
                and self._is_so_often(entry)
            ):
                yield entry

    def _is_so_often(self, entry: Entry) -> bool:
        """Whether gradients are sent as often in a step as the words say: after every micro-batch, or once."""
        said = [often for often, pattern in SENT.items() if pattern.search(self.about.words)]
        return len(said) != 1 or not any(entry.remark.endswith(often) for often in SENT.keys() - said)

    def _names_a_tensor(self, entry: Entry) -> bool:
        """Whether the words are about what goes into a part or comes out of it, not all that it keeps."""
        words = (words_before(self.statement.span), self.statement.label)
        found = next(filter(None, map(ENDS_OF_A_PART.search, words)), None)
        keeps_its_input = all("norm" in place for place, _ in entry.parts)
        return found is not None and not (keeps_its_input and found[0].lower().startswith("input")
                                          and "output" not in found[0].lower())  # fmt: skip

    def _with_dropped(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Entries, and the same without the last norm where the text leaves it out."""
        leaves_out = LAST_NORM_LEFT_OUT.search(words_behind(self.case.document, self.statement.span))
        for entry in entries:
            yield entry
            if leaves_out:
                yield entry.without("final_norm")

    @property
    def _is_sure(self) -> bool:
        """Whether the words leave no doubt which form is meant."""
        about = self.about
        return (about.sharp and bool(about.parts or about.times)) or (
            bool(about.near_quantities) and about.near_quantities <= OF_ONE_KIND
        )

    def is_meant(self, found: Entry) -> bool:
        """Whether a form that equals some derived form may well be meant as that, since the words further off name it."""
        about = self.about
        if self._is_of_another_kind(found):
            return False
        if (
            found.quantity in about.named & FLOPS
            and found.parts
            and not found.partial
            and found.parts == about.parts
        ):
            return True
        causal = found.supposed is not None and "+causal" in found.supposed.convention
        if found.quantity not in wanted(about) or (causal and self._takes_the_whole_square):
            return False
        if found.partial:
            named = {tensor for _, tensors in about.parts for tensor in tensors}
            return (
                not about.sharp
                or (found.quantity in ACTIVATIONS and not about.parts and about.times != "one")
                or {p.tensor for p in found.pieces} == named
                or (found.quantity in ACTIVATIONS and {p.tensor for p in found.pieces} < named)
            )
        if not about.parts and about.times in ("", "model") and not found.parts:
            return found.quantity in about.quantities
        some = {place for place, tensors in about.parts if tensors}  # "tokens + positions": both tables
        if some and len(found.table) > 1 and some == {place for place, _ in found.parts}:
            return True
        wider = said(about.words)
        named = {place for place, _ in wider.parts} | ({"block"} if wider.times == "one" else set())
        here, there = ({place for place, _ in parts} for parts in (about.parts, found.parts))
        return bool(there) and there <= named and not (about.sharp and there <= here)

    def _is_of_another_kind(self, found: Entry) -> bool:
        """Whether a form is of a gated MLP where the document has an ungated one, or the reverse, and its section none such."""
        given = self.case.suppositions
        if found.supposed is None or found.supposed.design not in given.others:
            return False
        return self.case.near(self.section, _letters(found.table)) is None

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

    # ------------------------------------------------------------------------------------------ what is said

    def holds(self, entry: Entry) -> Pair:
        """It equals a derived form: under the document's own convention, or under another one."""
        shown, derived = self.item.source.strip(), plain_text(entry.total)
        if entry.supposed is None:
            return Pair(
                "holds", "SC102", shown, derived, "", entry.named(), public(entry.quantity), entry.scope
            )
        convention = entry.supposed.convention
        remark = f"{entry.named()}, supposing {entry.supposed}"
        base, _, options = convention.partition("+")
        near = self.case.near(self.section, _letters(entry.table))
        of_near = near is not None and entry.supposed.design in near.designs
        given = near if near is not None and of_near else self.case.suppositions
        own = base == given.conventions[0].partition("+")[0]
        named = all(
            option in self.about.options or option in self.case.suppositions.conventions[0]
            for option in options.split("+")
            if option not in ("", EXACT)
        )
        if entry.supposed.design in given.others:
            return self.depends(entry)
        if (own and named) or (entry.quantity in CONVENTION_FREE and "causal" not in options):
            return Pair(
                "holds", "SC102", shown, derived, "", remark, public(entry.quantity), entry.scope, convention
            )
        return self.depends(entry)

    def _speaks_of_optimizer(self, entry: Entry) -> bool:
        """Whether the document names the optimizer and the precision whose bytes these are, where they are not as usual."""
        return entry.recipe is None or all(map(self.case.said_first, entry.recipe.unusual))

    def _by_rule(self, entry: Entry) -> Pair:
        """A rule of thumb holds as one; behind ≈ it approximates what the document has derived in full."""
        pair = self.holds(entry)
        derived = any(each.quantity in FLOPS | {"step_flops"} for each in self.case.proven)
        rounded = self.item is self.statement.items[0] and self.statement.items[-1].is_number
        if derived and self.statement.about and not rounded and entry.quantity in APPROXIMATED:
            return replace(pair, verdict="approximates", code="SC110")
        return pair

    def depends(self, entry: Entry) -> Pair:
        """It equals what is derived under another convention than the document's own."""
        convention = entry.supposed.convention if entry.supposed is not None else ""
        message = f"right under {convention}: {entry.named()}, supposing {entry.supposed}"
        return Pair("depends", "SC120", self.item.source.strip(), plain_text(entry.total), "", message,
                    public(entry.quantity), entry.scope, convention)  # fmt: skip

    def differs(self, entry: Entry, slip: Slip) -> Pair:
        """It is one slip away from a derived form: which one, and the tensors that make up the difference."""
        missing = [piece.term for piece in entry.pieces if ratio(piece.amount, slip.difference) is not None]
        reasons = "; ".join(f"{term.tensor} ({term.because})" for term in missing[:3])
        more = f" and {len(missing) - 3} more of that size" if len(missing) > 3 else ""
        of = f" for {entry.supposed}" if entry.supposed is not None else ""
        words = OF_PASSES.get(slip.share, slip.words) if entry.quantity in OF_BOTH_PASSES else slip.words
        message = f"{words}{f' = {reasons}{more}' if reasons else ''}; {entry.named()} is {plain_text(entry.total)}{of}"
        convention = entry.supposed.convention if entry.supposed is not None else ""
        return Pair("differs", "SC201", self.item.source.strip(), plain_text(entry.total), written(slip.difference), message,
                    public(entry.quantity), entry.scope, convention, plain_text(entry.total))  # fmt: skip

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


def _mesh(table: Summands) -> frozenset[str]:
    """The sizes of a mesh of devices in a form."""
    return MESH & _letters(table)


def _letters(table: Summands) -> set[str]:
    return {name for monomial in table for name, _ in monomial}


def _has(table: Summands, letter: str) -> bool:
    return any(name == letter for monomial in table for name, _ in monomial)


def wanted(about: Subject) -> frozenset[str]:
    """The quantities of the catalogue that words may mean."""
    wanted = set(about.quantities)
    if "training_flops" in wanted:
        wanted.add("training")
    if "training" in wanted:
        wanted |= {"step_flops", "training_time", "all_again"}
    if "kv_cache_memory" in wanted and not about.in_bytes:
        wanted.add("kv_cache")
    if about.in_bytes is False:
        wanted.discard("kv_cache_memory")
    if "backward_flops" in wanted:
        wanted.add("backward_pass")
    if "parameters" in wanted:
        wanted.add("adapter_parameters")
    if about.per == "batch":
        wanted.discard("memory_per_sequence")
    return frozenset(wanted)


def _choices(
    quantity: str, parts: tuple[Part, ...], laid_out: bool, every: bool
) -> Iterator[tuple[Part, ...]]:
    """The parts to look at: of activations also the places whole, since words name a tensor for many reasons; of
    experts also those that every token is sent to; of the norms of all blocks also the one behind them.

    Of activations, and of messages on one device of many, blocks alone are often counted.
    """
    if quantity.startswith("kv_cache"):
        yield ()
        return
    yield parts
    if every and parts == NORMS:
        yield (*parts, ("final_norm", frozenset()))
    if quantity in OF_ROUTING:
        yield ((EXPERTS, frozenset({"x_e"})),)  # one way
    if (EXPERTS, frozenset()) in parts:
        yield (*parts, (SHARED, frozenset()))
        yield ((SHARED, frozenset()),)
    if quantity in FLOPS and parts == (("block.attention", frozenset()),):
        yield (("block.attention", CORE),)  # "attention itself"
    if quantity in ACTIVATIONS and any(tensors for _, tensors in parts):
        yield BLOCK
    if not parts and (quantity in ACTIVATIONS or (quantity in MESSAGES and laid_out)):
        yield BLOCK


def public(quantity: str) -> str:
    """The catalogue's quantity by the name that `derive` has for it."""
    return {
        "training": "step_flops",
        "all_again": "step_flops",
        "backward_pass": "backward_flops",
        "kv_cache": "kv_cache_memory",
    }.get(quantity, quantity)
