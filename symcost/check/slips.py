"""Slips: how a form that somebody wrote is one step away from the form that is derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symcost.check.meshes import MESH
from symcost.check.polynomials import Monomial, Summands, form_of, minus, ratio, times
from symcost.notation import text

FACTORS = (
    Fraction(2),
    Fraction(1, 2),
    Fraction(3),
    Fraction(1, 3),
    Fraction(4),
    Fraction(1, 4),
    Fraction(3, 2),
    Fraction(2, 3),
)


MOST_SURE = 8  # of the numbers in a factor that a lone term may be off by


HEADS_EXCHANGED = {
    frozenset({("d", 1), ("h", -2)}): "the number of heads stands for the size of a head",
    frozenset({("d", -1), ("h", 2)}): "the size of a head stands for the number of heads",
    frozenset({("d", 1), ("h", -1), ("h_kv", -1)}): "the number of key heads stands for the size of a head",
    frozenset({("d", -1), ("h", 1), ("h_kv", 1)}): "the size of a head stands for the number of key heads",
    frozenset({("d", -1), ("d_k", 1), ("h", 1)}): "the width of the model stands for that of all heads",
    frozenset({("d", 1), ("d_k", -1), ("h", -1)}): "the width of all heads stands for that of the model",
}  # by how much the powers of letters are off


@dataclass(frozen=True)
class Slip:
    """One step from the derived form to the written one, in words; `difference` is derived minus written."""

    words: str
    difference: Summands
    dropped: bool = False  # terms are only left out
    added: bool = False  # a term is only too much
    factor: bool = False  # terms have another coefficient
    share: Fraction | None = None  # what is written over what is derived, where it is one factor in all

    @property
    def excess(self) -> bool:
        """Whether only too much is written: more often the right form of something larger than a slip in this one."""
        return self.added or (self.share is not None and self.share > 1)


def written(table: Summands) -> str:
    """A table in plain signs."""
    return text(form_of(table))


def one_slip(document: Summands, derived: Summands, *, sure: bool = False) -> Slip | None:
    """The single slip between two forms, or None where they are further apart or the same.

    `sure` says that the words leave no doubt which form is meant, so that a lone term may be held against it.

    >>> from symcost.symbols import b, c, d, h
    >>> from symcost.check.polynomials import summands
    >>> one_slip(summands(20*b*c*d), summands(20*b*c*d + b*h*c**2)).words
    'missing bhc²'
    """
    apart = _Apart(document, derived)
    if not apart.difference:
        return None
    kinds = (
        _terms_left_out_or_added(apart),
        _letters_changed(apart, sure),
        _bracket_off(apart),
        _terms_merged(apart),
        _factor_off(apart, sure),
    )
    return next((slip for slip in kinds if slip is not None), None)


class _Apart:
    """What two forms have alike, what only one of them has, and the terms whose coefficients differ."""

    def __init__(self, document: Summands, derived: Summands) -> None:
        self.document, self.derived, self.difference = document, derived, minus(derived, document)
        self.extra = {monomial: value for monomial, value in document.items() if monomial not in derived}
        self.lost = {monomial: value for monomial, value in derived.items() if monomial not in document}
        both = [monomial for monomial in document if monomial in derived]
        self.changed = [monomial for monomial in both if derived[monomial] != document[monomial]]
        self.alike = len(both) > len(self.changed)


def _terms_left_out_or_added(apart: _Apart) -> Slip | None:
    if apart.changed or not apart.alike:
        return None
    if len(apart.lost) == 1 and not apart.extra:
        return Slip(f"missing {written(apart.lost)}", apart.difference, dropped=True)
    if (
        len(apart.extra) == 1 and not apart.lost and min(apart.extra.values()) > 0
    ):  # what is subtracted is meant to be
        return Slip(f"{written(apart.extra)} too much", apart.difference, added=True)
    return None


def _letters_changed(apart: _Apart, sure: bool) -> Slip | None:
    """As many terms on either side that the other lacks, of which one letter makes the difference."""
    told = apart.alike or sure or _tells(apart.document, apart.derived)
    if apart.changed or not apart.extra or len(apart.extra) != len(apart.lost) or not told:
        return None
    words = _group_slip(apart.extra, apart.lost)
    return Slip(words, apart.difference) if words else None


def _bracket_off(apart: _Apart) -> Slip | None:
    """A bracket beside terms that are alike, with a letter too much or too few in it: 1 + (p - 1)/m for 1 + (p - 1)/(pm)."""
    wrong, right = (
        {monomial: value for monomial, value in table.items() if monomial in (*other, *apart.changed)}
        for table, other in ((apart.document, apart.extra), (apart.derived, apart.lost))
    )
    if not (apart.alike and len(wrong) == len(right) > 1):
        return None
    words = _missing_factor(wrong, right)
    return Slip(words, apart.difference) if words else None


def _terms_merged(apart: _Apart) -> Slip | None:
    """A term that became another one of the form, so that this one has too large a coefficient; or the reverse."""
    if len(apart.changed) != 1 or len(apart.lost) + len(apart.extra) != 1:
        return None
    [monomial], [(single, value)] = apart.changed, (apart.lost or apart.extra).items()
    grown = apart.document[monomial] - apart.derived[monomial]
    words = None
    if apart.lost and grown == value:
        words = _letter_slip(monomial, single)
    elif apart.extra and -grown == value:
        words = _letter_slip(single, monomial)
    wrong = monomial if apart.lost else single
    return Slip(words.format(written({wrong: value})), apart.difference) if words else None


def _factor_off(apart: _Apart, sure: bool) -> Slip | None:
    """One coefficient that is another, or a familiar factor in all terms that differ."""
    if apart.extra or apart.lost:
        return None
    changed = {monomial: apart.derived[monomial] for monomial in apart.changed}
    [first, *others] = apart.changed
    factor = ratio({monomial: apart.document[monomial] for monomial in apart.changed}, changed)
    if apart.alike and not others:
        return _coefficient(first, apart)
    if factor is None:
        return None
    if factor in FACTORS and not others and 1 not in (factor.numerator, factor.denominator):
        return replace(_coefficient(first, apart), share=factor)
    if factor in FACTORS:
        where = f" in {written(changed)}" if apart.alike else ""
        return Slip(f"{_factor_words(factor)}{where}", apart.difference, factor=True, share=factor)
    lone = not others and not apart.alike and apart.document[first] != 1
    near = max(factor.numerator, factor.denominator) <= MOST_SURE
    return replace(_coefficient(first, apart), share=factor) if sure and lone and near else None


def _coefficient(monomial: Monomial, apart: _Apart) -> Slip:
    right, wrong = apart.derived[monomial], apart.document[monomial]
    words = f"the coefficient of {written({monomial: 1})} should be {right}, not {wrong}"
    return Slip(words, apart.difference, factor=True)


def _group_slip(wrong: Summands, right: Summands) -> str | None:
    """One letter slip that explains all terms that are not alike, such as a letter missing in the last bracket."""
    if len(wrong) == 1:
        [(wrong_key, value)], [(right_key, expected)] = wrong.items(), right.items()
        words = _letter_slip(wrong_key, right_key) if value == expected else None
        return words.format(written(wrong)) if words else None
    return _missing_factor(wrong, right)


def _missing_factor(wrong: Summands, right: Summands) -> str | None:
    """The letter that all of some terms lack, or have too much."""
    names = {name for table in (wrong, right) for monomial in table for name, _ in monomial}
    for name in sorted(names):
        for power in (1, -1):
            if times(wrong, {((name, power),): Fraction(1)}) == dict(right):
                return f"the factor {name} is {'missing' if power > 0 else 'too much'} in {written(wrong)}"
    return None


def slip_in_terms(terms: Sequence[Summands], derived: Summands) -> Slip | None:
    """The slip in one addend of a sum that was written with two addends alike: 24bcd² + 4bcd² for 24bcd² + 4bc²d."""
    written_terms = [item for term in terms if len(term) == 1 for item in term.items()]
    if len(written_terms) != len(terms) or len(terms) != len(derived):
        return None
    right = dict(derived)
    rest = []
    for monomial, value in written_terms:
        if right.get(monomial) == value:
            del right[monomial]
        else:
            rest.append((monomial, value))
    if len(rest) != 1 or len(right) != 1:
        return None
    [(wrong, coefficient)], [(expected, value)] = rest, right.items()
    words = _letter_slip(wrong, expected) if coefficient == value else None
    if words is None:
        return None
    return Slip(words.format(written({wrong: coefficient})), {expected: value})


def _tells(document: Summands, derived: Summands) -> bool:
    """A lone term is only held against another where its coefficient tells that they belong together."""
    return len(document) == len(derived) == 1 and next(iter(document.values())) not in (1, 2)


def _letter_slip(wrong: Monomial, right: Monomial) -> str | None:
    """An exponent or a letter that is another, as words with a place for the written term."""
    one, other = dict(wrong), dict(right)
    changed = {name: (one.get(name, 0), other.get(name, 0)) for name in one.keys() | other.keys()
               if one.get(name, 0) != other.get(name, 0)}  # fmt: skip
    if (
        changed.keys() <= MESH
        and len({(not found, not expected) for found, expected in changed.values()}) == 1
    ):
        sizes = "·".join(sorted(changed))
        if not any(found for found, _ in changed.values()):
            return f"the factor {sizes} is missing in {{}}"
        if not any(expected for _, expected in changed.values()):
            return f"the factor {sizes} is too much in {{}}"
    heads = HEADS_EXCHANGED.get(
        frozenset((name, expected - found) for name, (found, expected) in changed.items())
    )
    if heads is not None:
        return f"{heads} in {{}}"
    if len(changed) == 1:
        [(name, (found, expected))] = changed.items()
        if abs(found - expected) == 1:
            if not found or not expected:
                return f"the factor {name} is {'missing' if not found else 'too much'} in {{}}"
            return f"the exponent of {name} in {{}} should be {expected}"
    if len(changed) == 2 and sum(found - expected for found, expected in changed.values()) == 0:
        (lost,) = [name for name, (found, expected) in changed.items() if found < expected] or [""]
        (gained,) = [name for name, (found, expected) in changed.items() if found > expected] or [""]
        if lost and gained and all(abs(found - expected) == 1 for found, expected in changed.values()):
            return f"{gained} should be {lost} in {{}}"
        if one.get(lost, 0) == other.get(gained, 0) and one.get(gained, 0) == other.get(lost, 0):
            return f"{gained} and {lost} are exchanged in {{}}"
    return None


def _factor_words(factor: Fraction) -> str:
    if factor < 1:
        return f"a factor {1 / factor} is missing"
    return f"a factor {factor} too much"


def dropped(document: Summands, derived: Summands) -> Summands | None:
    """The terms of the derived form that the written one leaves out, where it only leaves out; else None."""
    if not document or any(derived.get(monomial) != value for monomial, value in document.items()):
        return None
    rest = {monomial: value for monomial, value in derived.items() if monomial not in document}
    return rest or None


def shared(document: Summands, derived: Summands) -> int:
    """How many terms both have alike."""
    return sum(derived.get(monomial) == value for monomial, value in document.items())
