"""Announcements: the derived forms that the words about a form may mean, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product

from symcost.check.case import Case
from symcost.check.catalogue import (
    BLOCK,
    CORE,
    OF_ROUTING,
    OF_SIZES,
    PER_SEQUENCE,
    QUANTITIES,
    SIZED,
    Entry,
    book,
)
from symcost.check.chains import SIZE_OF
from symcost.check.context import section
from symcost.check.meshes import layouts, mesh_of
from symcost.check.polynomials import Summands, key, letters_of, scaled
from symcost.check.rules import EACH_TIME, ONCE, rules
from symcost.check.statements import Item, Statement
from symcost.check.subjects import (
    ACTIVATIONS,
    FLOPS,
    IN_BYTES,
    MEMORY,
    MESSAGES,
    PARAMETERS,
    Part,
    Subject,
    quantity_of_name,
    said,
)
from symcost.check.supposing import SINGLE, Supposed
from symcost.check.tables import row_of
from symcost.check.wordings import Wording
from symcost.symbols import accumulation, dp, n

_STAGE = re.compile(r"\bstages? ([123])\b|\bzero[- :]{0,2}([123])\b|\A[A-Za-z] ([123])\b", re.IGNORECASE)
BY_STEP = frozenset({"N", accumulation.name})
SENT = {
    ONCE: Wording(r"\bno_?\s?sync\b|\bonce\b|\b(?:the|until) (?:last|end)\b|\blocal(?:ly)?\b", re.IGNORECASE),
    EACH_TIME: Wording(r"\b(?:every|each|per) micro-?\s?(?:batch|step)", re.IGNORECASE),
}  # of the gradients of a step
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
NEXT = 60  # characters behind a form that still say what it is of
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
OF_BOTH_PASSES = frozenset({"training", "step_flops", "training_flops", "training_time"})
TOTAL_MEMORY = frozenset({"static_memory", "peak_memory"})
CAPACITY = Wording(r"\bcapacity factor\W*(?:of|is|=)?\W*(\d+(?:\.\d+)?)", re.IGNORECASE)
RANKS = frozenset({"n", "dp", "tp", "pp", "cp", "ep"})  # that share what a model takes
EXPERTS, SHARED = "block.mlp.experts", "block.mlp.shared"
NORMS: tuple[Part, ...] = (("block.norm_1", frozenset()), ("block.norm_2", frozenset()))
_REPEATS = Wording(
    r"\b(?:repeat(?:s|ed)?|re-?run|computed again)\b", re.IGNORECASE
)  # the forward pass of attention


@dataclass
class Announcement:
    """A form, and what the words about it announce that it is."""

    case: Case
    statement: Statement
    item: Item
    about: Subject

    @cached_property
    def stage(self) -> str:
        """Which stage of ZeRO a form is said to be of: by its number, that of its table's row, or what is sharded."""
        words, cell = self.about.words, self.statement.span.block.cell
        span = self.statement.span
        behind = span.sentence.text[max(0, span.end - span.sentence.start) :][:NEXT]
        if _NOT_SHARDED.search(f"{self.about.beside} {behind}"):  # nothing is shared
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
        named_else = bool(self.about.quantities) and self.about.quantities.isdisjoint(PARAMETERS)
        if sizes and (sizes[0] != "parameters" or named_else):
            self.about = self.about.of(sizes[0])
        by_name = next(filter(None, map(quantity_of_name, self.statement.names)), None)
        if by_name is not None and not sizes:
            self.about = self.about.of("training" if by_name == "step_flops" else by_name)
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

    def _rules(self, table: Summands) -> list[Entry]:
        """What a form is of any model, where words name a stage of ZeRO at that stage."""
        found = rules().get(key(table), []) if not self.column_mesh else []
        mesh = self.column_mesh | mesh_of(table)
        if self.stage or mesh or self.about.quantities & MESSAGES:
            found = [*found, *rules(letters_of(table) | mesh | {"dp"}).get(key(table), [])]
        meant = wanted(self.about)
        fitting = [entry for entry in found if self.stage in ("", entry.stage) and self._is_so_often(entry)]
        return sorted(fitting, key=lambda entry: entry.quantity not in meant)

    def announced(self, table: Summands) -> Iterator[Entry]:
        """The derived forms that the words may mean, the likeliest first."""
        about = self.about
        letters = letters_of(table)
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

    def _is_so_often(self, entry: Entry) -> bool:
        """Whether gradients are sent as often in a step as the words say: after every micro-batch, or once."""
        said = [often for often, pattern in SENT.items() if pattern.search(self.about.words)]
        return len(said) != 1 or not any(entry.remark.endswith(often) for often in SENT.keys() - said)


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
    if quantity in ACTIVATIONS and (len(parts) > 1 or any(tensors for _, tensors in parts)):
        yield BLOCK
    if not parts and (quantity in ACTIVATIONS or (quantity in MESSAGES and laid_out)):
        yield BLOCK
