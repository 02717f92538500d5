"""Comparisons: a form that is not what the words announce, and the one slip that explains it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from symcost.check.announcing import OF_BOTH_PASSES, RANKS, wanted
from symcost.check.case import COMPUTED_AGAIN, OPTION_NAMES
from symcost.check.catalogue import BY_TENSOR, OF_ROUTING, OF_SIZES, PASSES, Entry, same_under
from symcost.check.chains import DROPS, approximates
from symcost.check.context import words_before, words_behind
from symcost.check.findings import Pair
from symcost.check.listed import ALL_BLOCKS
from symcost.check.meshes import MESH, layouts, mesh_of
from symcost.check.polynomials import Summands, has_letter, letters_of, ratio, summands, times
from symcost.check.recipes import element_types
from symcost.check.recognising import FEW_TERMS, OF_PASSES, Recognition
from symcost.check.rules import rules
from symcost.check.slips import Slip, dropped, one_slip, shared, slip_in_terms
from symcost.check.subjects import ACTIVATIONS, FLOPS, IN_BYTES, MESSAGES, said
from symcost.check.supposing import FOUR_WIDE
from symcost.check.wordings import Wording
from symcost.symbols import GLOSSARY, accumulation, d_k

LAST_NORM_LEFT_OUT = Wording(r"\b(?:last|final) (?:layer ?|rms ?)?norm\b[^.;]{0,30}\b(?:left out|ignored|neglected"
                                r"|not worth|omitted)|"
                                r"忽略最后", re.IGNORECASE)  # fmt: skip
SPEAKS_OF = {option: Wording(words, re.IGNORECASE) for option, words in (
    ("causal", r"causal|\bmask|triang"), ("flash", "flash|fused"), ("selective", "selective|recomput"),
    ("checkpoint", "checkpoint|recomput|remat"), ("gate-apart", r"silu|swish"),
)}  # fmt: skip
ENDS_OF_A_PART = Wording(r"\b(?:inputs?|outputs?)\b[^.;:,]{0,30}[:,( $`\\]*\Z", re.IGNORECASE)
OF_SOME = Wording(
    r"\b(?:all[- ]?gather|reduce[- ]?scatter|gather|scatter|forward|backward|half)(?:s|ed)?\b"
    r"|\b(?:one|each|single|an) (?:all-?reduce|of|phase|pass|collective)",
    re.IGNORECASE,
)  # words for some of the messages of a step
OF_ONE_KIND = frozenset(
    {*OF_ROUTING, "kv_cache_memory", "idle_parameters"}
)  # there is no more than one form for each
SHARING_PARAMETERS = RANKS - {"tp", "cp"}
SOFTMAX = frozenset({"P", "scores"})  # what words name of the tensors that attention keeps
SIZES_OF_TERMS = frozenset({"b", "c", "d", "d_ff", "d_k", "h", "h_kv", "v", "L"})
WHOLE = Wording(
    r"\b(?:whole|entire|full|complete) (?:model|block|layer|transformer|network|step)\b"
    r"|\b(?:altogether|all told|in total|total|sum)\b",
    re.IGNORECASE,
)  # that nothing of it is left out
SHAPE = re.compile(r"[^\d\s]+\s*(?:\\times|×)\s*\d?[^\d\s]+\Z")  # of a matrix: $d\times 4d$
_TOGETHER = Wording(
    r"\b(?:together|totals?|whole|entire|altogether|sum|summed|in all(?= ?[,:|=])|overall|model)\b"
    r"|\ball (?:the )?(?:\S+ )?(?:layers|blocks)(?: together)?(?=\W{0,3}[:)|,])",
    re.IGNORECASE,
)
_DECODES = Wording(r"\b(?:decod\w+|generat\w+|new token)\b", re.IGNORECASE)
_FORWARD = Wording(r"\bforward\b", re.IGNORECASE)
_DIVIDED = re.compile(r"/ ?\d|\\[dt]?frac\{[^{}]*\}\{\d+\}")
_EACH = Wording(r"\b(?:each|every)\b", re.IGNORECASE)
_TWO_NORMS = Wording(r"\b(?:two|both|2) (?:\w+ )?(?:rms|layer)?[ -]?norms?\b|\bnorms\b", re.IGNORECASE)
_ONE_NORM = Wording(
    r"\b(?:one|single) (?:rms|layer)?[ -]?norm\b[^.;]{0,20}\b(?:layer|block)\b", re.IGNORECASE
)
_EXTRA_NORM = Wording(
    r"\b(?:extra|additional|another|third|more|three|four|[34]) (?:rms|layer)?[ -]?norms?\b"
    r"|\bnorm\b[^.;]{0,30}\b(?:after|behind|on) (?:the |its )?embeddings?\b|\bembedding (?:rms|layer)?[ -]?norms?\b",
    re.IGNORECASE,
)
OF_MANY_TERMS = ("activation_memory", "saved_activations", "parameters", "forward_flops", "training")


@dataclass
class Comparison(Recognition):
    """A form, held against what is announced that it equals not: the slip that leads from one to the other."""

    def slipped(self, table: Summands, found: Entry | None) -> tuple[Pair, Entry | None] | None:
        """The derived form that the words announce without a doubt, where the written one is a single slip from it."""
        if not self._is_held_to_its_words(table):
            return None
        if found is not None and self.is_meant(found) and not self._lacks_an_option(found):
            return None
        shown = self.item.source.strip()
        behind = words_behind(self.case.document, self.statement.span)
        approximate = self.statement.about or bool(DROPS.search(behind))
        spoken = found is not None and found.quantity in wanted(self.about)
        best: tuple[tuple[int, int], Entry, Slip] | None = None
        for rank, entry in enumerate(self._with_dropped(self._sharp(table))):
            if approximate and dropped(table, entry.table):
                return approximates(self.case, table, entry.table, shown), entry
            slip = self._slip_from(table, entry)
            if slip is None or self._is_no_slip(table, entry, slip):
                continue
            if spoken and slip.dropped and not self.about.parts and not WHOLE.search(self.about.beside):
                continue
            score = (shared(table, entry.table), -rank)
            if best is None or score > best[0]:
                best = score, entry, slip
        if best is None or self.statement.about:
            return None
        _, entry, slip = best
        if self._is_of_gains(slip.difference, entry) or self._names_norms_elsewhere(entry):
            return None
        another = found is not None and self._is_another(found, entry)
        named = found is not None and found.quantity in self.about.named
        if slip.excess and found is not None and named and self._can_be_no_other(found):
            return None  # its heading names the larger
        if slip.excess and not self._is_plainly(entry) and (another or self._rules(table)):
            return self._either(found, entry, slip) if another and found is not None else None
        return self._told(table, entry, slip)

    def _is_held_to_its_words(self, table: Summands) -> bool:
        """Whether it is plain what a form is of, in letters that are all declared: then it must be that, or it differs."""
        about = self.about
        if not (about.sure_quantities or self.stage):
            return False
        if not self.stage and (about.qualified or (about.of_device and not mesh_of(table))):
            return False
        if not (self._is_sharp(table) or self.stage or self.statement.names or self.statement.label):
            return False
        _, name = self.item.form.as_coeff_Mul()
        own = name.is_Symbol and name.name in self.case.knowledge.definitions and name.name not in GLOSSARY
        # the name of another form, which is judged for itself, and a shape are no amounts
        return not own and self._is_declared and not SHAPE.match(self.item.source.strip())

    def _slip_from(self, table: Summands, entry: Entry) -> Slip | None:
        """The slip that leads from what is announced to a form, by its sum or by its terms as they were written."""
        slip = one_slip(table, entry.table, sure=self._is_sure or bool(entry.stage))
        if slip is None and len(self._addends) > len(table):
            slip = slip_in_terms(self._addends, entry.table)
        return slip

    @cached_property
    def _addends(self) -> list[Summands]:
        """The form's terms as they were written, before like ones were added up."""
        knowledge = self.case.knowledge
        opened = (self.case.tied(knowledge.translated(term.expr)) for term in self.item.part.terms)
        return [table for table in map(summands, opened) if table]

    def _is_no_slip(self, table: Summands, entry: Entry, slip: Slip) -> bool:
        """Whether what looks like a slip has a good reason."""
        letters, by_rule = letters_of(table), entry.supposed is None and not entry.stage
        narrow = min(element_types(self.statement.span.sentence.text), default=2) < 2  # "in int8"
        of_passes = len(PASSES & self.about.sure_quantities) > 1
        reasons = (
            entry.scope.startswith("block")
            and table == times(entry.table, ALL_BLOCKS),  # the same of all blocks
            times(table, ALL_BLOCKS) == entry.table and self._is_of_each(entry),
            has_letter(table, "D")
            and not has_letter(entry.table, "D"),  # tokens, of a sequence or of the training
            slip.dropped and self._is_more(letters),  # "all but the head"
            slip.share is not None
            and slip.share < 1
            and _DIVIDED.search(self.item.source),  # over 16 devices
            slip.share in OF_PASSES and entry.quantity in OF_BOTH_PASSES and self._may_be_forward,
            entry.quantity in FLOPS
            and _DECODES.search(self.statement.span.sentence.text)
            and _degree(table) < _degree(entry.table),
            has_letter(entry.table, "h") and not has_letter(table, "h") and self._is_fused(entry),
            entry.quantity == "backward_flops" and self._follows_forward,
            entry.stage  # it may be of a part, or of all devices together
            and not slip.factor
            and (slip.dropped or not letters & {*MESH, accumulation.name}),
            by_rule and (not slip.factor or self._is_another_rule(table)),  # it is only told by its letters
            slip.factor
            and entry.quantity in IN_BYTES
            and narrow,  # of elements that are smaller than the rest
            slip.factor
            and of_passes
            and shared(table, entry.table) < 2,  # it may be the FLOPs of another pass
        )
        return any(reasons)

    def _is_fused(self, entry: Entry) -> bool:
        """Whether heads are only in the statistics that a fused kernel keeps of each row of scores, which many leave out."""
        return entry.supposed is not None and "+flash" in entry.supposed.convention

    @property
    def _may_be_forward(self) -> bool:
        """Whether a form may be of the forward pass alone, below a heading or in a paragraph about training: where its
        paragraph has spoken of that pass before, or where nothing beside the form names one."""
        span = self.statement.span
        before = span.block.text[: max(0, span.sentence.start - span.block.start)]
        goes_on = _FORWARD.search(before) is not None and _FORWARD.search(span.sentence.text) is None
        named = self.about.near_quantities & (OF_BOTH_PASSES | PASSES) or self.statement.names
        return goes_on or not named

    @property
    def _follows_forward(self) -> bool:
        """Whether a sentence has spoken of the forward pass before a form, and not of the backward pass."""
        span = self.statement.span
        before = span.sentence.text[: max(0, span.start - span.sentence.start)]
        return _FORWARD.search(before) is not None and "backward" not in before.lower()

    def _is_of_each(self, entry: Entry) -> bool:
        """Whether a form is of each block, though all are spoken of: "all layers are alike: attention has $4d^2$"."""
        together = _TOGETHER.search(self.about.words) and not _EACH.search(self.statement.span.sentence.text)
        return entry.scope.startswith("block") and not together

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
        letters = letters_of(table)
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
        letters = letters_of(table)
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
            known = self._undeclared <= letters_of(alike)  # the other terms tell what letters stand for
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
            found = same_under(entry, replace(supposed, convention=convention))
            if found is not None and found.table == table:
                return found
        return None

    def _of_another_design(self, table: Summands, entry: Entry) -> Entry | None:
        """The same entry with or without biases, norms or learned positions, where that is the form."""
        supposed = entry.supposed
        if supposed is None or supposed.design.name:
            return None
        for feature in ("biased", "gains_counted", "learned_positions", "dropout"):
            design = supposed.design.but(**{feature: not getattr(supposed.design, feature)})
            found = same_under(entry, replace(supposed, design=design))
            if found is not None and found.table == table:
                return found
        return None

    def _on_another_layout(self, table: Summands, entry: Entry) -> Entry | None:
        """The same entry where the inputs of norms are split among tensor-parallel devices too, or are not, where that is
        the form and the words beside it name neither."""
        supposed = entry.supposed
        if supposed is None or not self.about.near_options.isdisjoint({"tensor", "sequence"}):
            return None
        for layout in layouts(letters_of(table), (), self.about.words):
            found = same_under(entry, replace(supposed, layout=layout))
            if found is not None and found.table == table:
                return found
        return None

    def _is_another_rule(self, table: Summands) -> bool:
        """Whether a form is the rule of thumb of another pass that the words before it name: so training is 6N."""
        words = self.statement.span.before.lower()
        return any(entry.quantity.partition("_")[0][:5] in words for entry in self._rules(table))

    def _is_sharp(self, table: Summands) -> bool:
        """Whether the words right beside a form name the part that it is of, or what it is of the whole model."""
        letters = letters_of(table)
        return (
            self.about.sharp
            or bool(mesh_of(table) and {"tensor", "sequence"} & self.about.options)
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
        letters = letters_of(table)
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


def _degree(table: Summands) -> int:
    """The highest power of the context: one less for a token that is decoded than for all of a sequence."""
    return max(dict(monomial).get("c", 0) for monomial in table)
