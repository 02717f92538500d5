"""Quotes: what somebody else writes, held against what the document itself has given for the same quantity."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from sympy import Expr, floor

from symcost.check.case import MOST_BACK, Case, Given
from symcost.check.chains import TAKEN_BACK, equal
from symcost.check.context import words_before
from symcost.check.documents import Span
from symcost.check.findings import Pair
from symcost.check.literals import literals
from symcost.check.numbers import compare
from symcost.check.polynomials import Monomial, minus, summands
from symcost.check.slips import dropped, one_slip, shared, written
from symcost.check.statements import Item, Statement
from symcost.check.subjects import Subject, said
from symcost.check.wordings import Wording
from symcost.notation import text as plain_text

# Who is quoted: pages and persons, of whom any verb tells that; and anybody, of whom only a verb of writing does.
_PAGE = (
    r"\b(?:slides?|deck|(?:work|cheat)?sheets?|hand-?outs?|drafts?|posts?|blogs?|wiki(?:s|pedia)?|readmes?|forums?|threads?"
    r"|(?:colleague|(?:lab|class|team) ?mate|professor)s?|chatgpt|interns?|students?|readers?|reviewers?|friends?|tutorials?"
    r"|papers?|articles?|(?:text)?books?|notes|calculators?|spreadsheets?|code-?bases?|repositor(?:y|ies)"
    r"|comments?|answers?|submissions?|regrade requests?|repl(?:y|ies)|snippets?|scripts?|channels?|mailing lists?|issues?"
    r"|groups?|overheard"
    r"|(?:old(?:er)?|earl(?:y|ier)|first|last|previous) versions?)\b"
)
_ANYBODY = r"\b(?:some|many|several|others?|people|someone|somebody|they|groups?|authors)\b"
_WRITES = (
    r"\b(?:writ(?:es?|ten)|wrote|sa(?:ys?|id)|claim(?:s|ed)?|reads?|quot(?:es?|ed)|stat(?:es?|ed)|print(?:s|ed)?|puts?"
    r"|list(?:s|ed)?|report(?:s|ed)?|conclud(?:es?|ed)|suggest(?:s|ed)?|argu(?:es?|ed))\b"
)
_HAS = (
    r"\b(?:gives?|gave|has|have|had|shows?|shown|uses?|used|gets?|got|keeps?|kept|counts?|counted|was|is|adds?|insists?|sees?"
    r"|saw|found)\b"
)
_QUOTES = Wording(
    rf"{_PAGE}(?:.*(?:{_WRITES}|{_HAS})|.{{0,12}}\bI (?:read|saw|found)\b)|{_ANYBODY}.{{0,60}}{_WRITES}"
    r"|\b(?:(?:from|according to) (?:an?|one|some|the) .{0,30}"
    rf"|(?:seen|read|found|written) (?:it )?(?:on|in) (?:(?:an?|some|the) )?.{{0,20}}){_PAGE}"
    r"|\b(?:seen|read|found|written) (?:it )?elsewhere"
    r"|\b(?:often|sometimes|frequently) (?:sees?|reads?|finds?|seen|quoted|written)\b"
    r"|\b(?:common|frequent|popular|usual) (?:error|mistake|misreading|slip)s?\b",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED_BEHIND = Wording(
    r"\A[^.;]{0,40}\b(?:(?:on|in|from) (?:his|her|their|an?|some)|says?|writes?|wrote|claims?) [^.;]{0,20}(?:whiteboard|notebook|"
    rf"{_PAGE})",
    re.IGNORECASE,
)
_SPEECH = re.compile(r"[\"“„«]|``")  # what opens direct speech
_SPEECH_ENDS = re.compile(r"[\"”“»]|''")
_SPEAKS = Wording(rf"{_PAGE}|{_ANYBODY}|{_WRITES}", re.IGNORECASE)
# Words by which what follows is the author's own again, or is of other things than what he gave.
_OWN_AGAIN = Wording(
    r"\b(?:but|whereas|while|correct(?:ly)?|right(?:ly)?|wrong(?:ly)?|mistaken|really|actually|in fact|should|we|instead)\b",
    re.IGNORECASE,
)
_OTHERWISE = Wording(
    r"\b(?:if|when|unless|with|without|causal|triangle|half|halves|count(?:s|ed|ing)?|includ\w+|exclud\w+|ignor\w+|neglect\w+|recomput\w+)\b",
    re.IGNORECASE,
)
_OTHERWISE_BEHIND = Wording(
    r"\b(?:if|when|unless|without|causal|triangle|counting|including|excluding|ignoring|neglecting|wrong|mistaken|forgets)\b",
    re.IGNORECASE,
)
_KEEPS = Wording(r"\b(?:keeps?|kept)\b", re.IGNORECASE)  # notes keep formulas, layers keep tensors
FEWEST_SHARED = 2  # terms, or factors of products of numbers, that two of one quantity have in common


def is_quoted(span: Span) -> bool:
    """Whether the sentence tells a formula as somebody else's, of the same things and without a judgement of it."""
    before = span.sentence.text[: max(0, span.start - span.sentence.start)]
    behind = span.sentence.text[max(0, span.end - span.sentence.start) :]
    if _is_speech(before, behind):
        return True
    found = _QUOTES.search(before)
    if found is None and not _QUOTED_BEHIND.search(behind):
        return False
    since = before[found.start() :] if found is not None else before
    return not (_OWN_AGAIN.search(since) or _OTHERWISE.search(before) or _OTHERWISE_BEHIND.search(behind))


def _is_speech(before: str, behind: str) -> bool:
    """Whether a formula stands in the direct speech of somebody who is named before it."""
    opened = list(_SPEECH.finditer(before))
    if not opened or not _SPEECH_ENDS.search(behind):
        return False
    closed = len(opened) % 2 == 0 if opened[-1][0] == '"' else _SPEECH_ENDS.search(before, opened[-1].end())
    return not closed and _SPEAKS.search(before, 0, opened[-1].start()) is not None


def says_the_same(span: Span) -> bool:
    """Whether a sentence says outright that its formula is for what was given: "for the same thing"."""
    return (
        re.search(r"\bfor (?:the|this|that) same\b|\bfor (?:it|them|that|this)\b[.,)]", span.sentence.text)
        is not None
    )


def quoted(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """`M = 16N + A` on last year's sheet, where the document itself has `M = 16N + 4A` and that holds."""
    if statement.about or not is_quoted(statement.span) or TAKEN_BACK.search(words_before(statement.span)):
        return None
    item = _said(statement)
    beside = _beside_a_form if item.form.free_symbols else _beside_a_product
    given = _forms(case, statement, about) if item.form.free_symbols else _products(case, statement)
    return next((pair for own in given if (pair := beside(case, statement, own)) is not None), None)


def _said(statement: Statement) -> Item:
    """What a statement says a name is: its last form in letters, or its arithmetic."""
    sides = [item for item in statement.items if item.name is None] or statement.items
    return next((item for item in reversed(sides) if item.form.free_symbols), sides[0])


# ------------------------------------------------------------------------------------------------ forms in letters


def _forms(case: Case, statement: Statement, about: Subject) -> Iterator[Given]:
    """What the document gave for the same quantity: by its name; in the row that is named; right before, or near it."""
    forms = [own for own in case.given[: -MOST_BACK - 1 : -1] if _said(own.statement).form.free_symbols]
    if statement.names:
        yield from (own for own in forms if set(own.statement.names) & set(statement.names))
        return
    section = [own for own in forms if own.statement.span.block.headings == statement.span.block.headings]
    words = _plain(statement.span.sentence.text)
    named = [own for own in section if (cell := own.statement.span.block.cell) and _plain(cell.row) in words]
    if named:
        yield named[0]
        return
    if (
        section
        and section[0].statement.span.block.cell is None
        and _same_subject(about, section[0].about, statement.span.sentence.text)
    ):
        yield section[0]
    yield from (
        own for own in section[1:] if _is_one_slip_off(case, _said(statement).form, _said(own.statement).form)
    )


def _is_one_slip_off(case: Case, document: Expr, own: Expr) -> bool:
    """Whether two forms share terms, and one slip leads from one to the other; a term that is left out is no such."""
    one, other = (summands(case.tied(case.knowledge.opened(form))) for form in (document, own))
    if not one or not other or shared(one, other) < FEWEST_SHARED:
        return False
    return one_slip(one, other) is not None and not dropped(one, other)


def _plain(words: str) -> str:
    return " ".join(re.findall(r"[\w-]+", words.lower()))


def _same_subject(quote: Subject, own: Subject, sentence: str) -> bool:
    """Whether nothing that is said of a quote tells it from what the document has: quantities, parts, how many blocks."""
    named = quote.near_quantities if not _KEEPS.search(sentence) else frozenset()
    times = said(sentence).times
    return (
        (not named or not own.near_quantities or bool(named & own.near_quantities))
        and (not (quote.sharp and quote.parts) or quote.parts == own.parts)
        and (not times or not own.times or times == own.times)
        and (not quote.near_per or quote.near_per == own.per)
    )


def _beside_a_form(case: Case, statement: Statement, own: Given) -> Pair | None:
    """The same form holds; another one of the same letters differs, where the document's own was proven."""
    item, given = _said(statement), _said(own.statement)
    shown = item.source.strip()
    one, other = _whole(case, item.form), _whole(case, given.form)
    if equal(case, one, other):
        return Pair("holds", "SC101", shown, message=f"as in {given.source.strip()}") if own.holds else None
    if not own.holds or len(item.form.free_symbols ^ given.form.free_symbols) > 1:
        return None
    document, derived = summands(case.tied(one)), summands(case.tied(other))
    if document is None or derived is None:
        known = one.free_symbols == other.free_symbols and all(
            summands(part) for form in (one, other) for part in form.as_numer_denom()
        )
        if not known:
            return None
        words, difference = "not the same", ""
    else:
        slip = one_slip(document, derived, sure=True)
        lost = dropped(document, derived)
        shorthand = lost and max(map(_degree, lost)) < max(map(_degree, document))
        if shorthand or (slip is None and not document.keys() & derived.keys()):
            return None
        words = slip.words if slip is not None else f"the document itself has {written(derived)}"
        difference = written(minus(derived, document))
    return Pair("differs", "SC202", shown, plain_text(given.form), difference,
                f"{words}; {given.source.strip()} holds for the same")  # fmt: skip


def _degree(monomial: Monomial) -> int:
    return sum(power for _, power in monomial)


def _whole(case: Case, form: Expr) -> Expr:
    """A form with its definitions put in, without the rounding to a whole number."""
    return case.knowledge.opened(form.args[0] if isinstance(form, floor) else form)


# ------------------------------------------------------------------------------------------- products of numbers


def _products(case: Case, statement: Statement) -> Iterator[Given]:
    """The arithmetic of the section before this one, the nearest first."""
    for own in case.given[: -MOST_BACK - 1 : -1]:
        if own.statement.span.block.headings != statement.span.block.headings:
            return
        if own.holds and len(own.statement.items) > 1 and not _said(own.statement).form.free_symbols:
            yield own


def _beside_a_product(case: Case, statement: Statement, own: Given) -> Pair | None:
    """Two results in one unit, whose products share most of their factors, for one quantity: the quoted one differs."""
    (theirs, result), (ours, right) = ((_said(each), each.items[-1]) for each in (statement, own.statement))
    if result.part.printed is None or right.part.printed is None:
        return None
    one, other = (
        Counter((literal.value, literal.power) for literal in literals(case, item, each.span.form))
        for item, each in ((theirs, statement), (ours, own.statement))
    )
    alike = (one & other).total()
    apart = max(one.total(), other.total()) - alike
    stated = {
        number for numbers in case.knowledge.numbers.values() for number in numbers
    } | case.amounts.keys()
    foreign = {value for value, _ in one - other} - stated  # another card, another model
    if alike < FEWEST_SHARED or not 0 < apart <= alike or foreign:
        return None
    units = [None if item.unit is None else item.unit.dimension for item in (result, right)]
    if units[0] != units[1] or result.part.printed.percent != right.part.printed.percent:
        return None
    if compare(right.part.printed.value * right.scale, result.part.printed, result.unit, True).holds:
        return None
    shown = f"{theirs.source.strip()} = {result.source.strip()}"
    return Pair("differs", "SC203", shown, right.source.strip(), "",
                f"{ours.source.strip()} = {right.source.strip()} holds for the same")  # fmt: skip
