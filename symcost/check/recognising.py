"""Recognition: what a form equals of all that is derived, whether the words let it be that, and what is said then."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

from symcost.check.announcing import EXPERTS, OF_BOTH_PASSES, Announcement, wanted
from symcost.check.case import EXACT
from symcost.check.catalogue import Entry, book
from symcost.check.findings import Pair
from symcost.check.meshes import layouts, mesh_of
from symcost.check.polynomials import Summands, letters_of, ratio
from symcost.check.slips import Slip, written
from symcost.check.subjects import (
    ACTIVATIONS,
    FLOPS,
    HALF_SQUARE,
    IN_BYTES,
    MEMORY,
    NO_DISCOUNT,
    PARAMETERS,
    WHOLE_SQUARE,
    said,
)
from symcost.check.wordings import Wording
from symcost.notation import text as plain_text

APPROXIMATED = FLOPS | {"training_time"}  # by so many FLOPs a parameter and token
HEAD_ONCE = Wording(
    r"\b(?:not|except|without) (?:for )?the (?:\w+ )?(?:head|logits)\b|\b(?:head|logits) (?:is|are) not\b",
    re.IGNORECASE,
)
OF_PASSES: Mapping[Fraction | None, str] = {
    Fraction(1, 3): "the factor 3 of forward and backward together is missing",
    Fraction(2, 3): "the backward pass is counted once, not twice",
}  # what a share of both passes has left out
AGAIN_BY_RULE = "computed again"  # of a rule of thumb
FEW_TERMS = 3
CONVENTION_FREE = PARAMETERS | {"forward_flops"}


@dataclass
class Recognition(Announcement):
    """A form, what of all that is derived it equals, and what is then said of it."""

    def looked_up(self, table: Summands) -> Entry | None:
        """The derived form that this is: one that the words allow, else any; the likeliest design before others,
        whole places before some steps of one."""
        letters = letters_of(table)
        other: Entry | None = None
        mesh, once = mesh_of(table), HEAD_ONCE.search(self.about.words)
        laid = layouts(letters_of(table), self.about.options, self.about.words) if mesh - {"dp"} else ()
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

    @property
    def _takes_the_whole_square(self) -> bool:
        """Whether it is said of a form, or of all of a document that never speaks of half the scores, that no mask halves it."""
        said = self.case.said_first
        return bool(WHOLE_SQUARE.search(self.about.words) or (said(NO_DISCOUNT) and not said(HALF_SQUARE)))

    def is_meant(self, found: Entry) -> bool:
        """Whether a form that equals some derived form may well be meant as that, since the words further off name it."""
        about = self.about
        if self._is_of_another_kind(found):
            return False
        in_block = any(place.startswith("block") for place, _ in found.parts)
        if in_block and not found.every and about.times == "all" and about.sharp:
            return False  # of one block, where the words beside it say of all
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
        return self.case.near(self.section, letters_of(found.table)) is None

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
        near = self.case.near(self.section, letters_of(entry.table))
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


def public(quantity: str) -> str:
    """The catalogue's quantity by the name that `derive` has for it."""
    return {
        "training": "step_flops",
        "all_again": "step_flops",
        "backward_pass": "backward_flops",
        "kv_cache": "kv_cache_memory",
    }.get(quantity, quantity)
