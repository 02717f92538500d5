"""Chains: whether two neighbouring forms are the same, under the definitions in force."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor, prod

from sympy import Expr, Symbol, cancel, expand_log, log

from symcost.check.case import MOST_BACK, Case
from symcost.check.catalogue import book
from symcost.check.context import words_before
from symcost.check.findings import Pair
from symcost.check.numbers import NEAR
from symcost.check.polynomials import Monomial, Summands, form_of, minus, ratio, reduced, summands
from symcost.check.slips import dropped, one_slip, shared, written
from symcost.check.statements import EQUAL, Item, Statement, condition, plain_name
from symcost.check.subjects import quantity_of_name
from symcost.check.supposing import FOUR_WIDE
from symcost.check.wordings import Wording
from symcost.notation import text as plain_text
from symcost.notation.numbers import rounded
from symcost.symbols import GLOSSARY, d_ff

NO_CLAIM = Pair("no claim", "SC401", "")

UNCERTAIN = "what the sign leads on from is not certain"

# Words before a formula that make it an assumption, an equation to be solved, or somebody's former belief.
SUPPOSES = Wording(r"\b(?:suppose|supposing|assum\w+|let|set|setting|if|when|where|say|take|"
                      r"i used to believe|used to think|pick|choose)\b[^.;:]{0,60}$", re.IGNORECASE)  # fmt: skip
SOLVES = Wording(r"\b(?:set|when|if|where|once|until|as soon as|at which|solve)\b[^.;]{0,60}$", re.IGNORECASE)
TAKEN_BACK = Wording(
    r"\b(?:i used to believe|used to think|is not|not|wrongly|instead of)\b[^.:,()]{0,40}$", re.IGNORECASE
)
_INFERRED = Wording(r"\bthen\b", re.IGNORECASE)  # what follows is no longer assumed
DROPS = Wording(r"ignor|neglect|drop|leav\w+ out|left out|not worth|without the|approximat|roughly|omit|small next to|"
                   r"forget|忽略|省略|近似", re.IGNORECASE)  # fmt: skip

ANOTHER_CASE = Wording(
    r"\b(?:with(?:out)?|if|when|now|under|instead|becomes?|unless|recomput\w+|count\w*|other|causal|shard\w*)\b",
    re.IGNORECASE,
)


def assumed(left: Item, right: Item, relation: str, statement: Statement) -> bool:
    """Whether a relation is an assumption or an equation to be solved, and so claims nothing by itself."""
    span = statement.span
    words = _INFERRED.split(words_before(span))[-1]
    if relation != "=" or span.display or left.is_number or right.name is not None:
        return False
    return bool(SUPPOSES.search(words)) and bool(
        left.name or TAKEN_BACK.search(words) or SOLVES.search(words)
    )


def form_pair(case: Case, left: Item, relation: str, right: Item, shown: str, statement: Statement) -> Pair:
    """Two forms side by side: the same, near, defined, or different."""
    knowledge = case.knowledge
    if left.name is not None and left.form == right.form:
        return replace(NO_CLAIM, document=shown)
    where = condition(statement.span, knowledge)
    one, other = (knowledge.opened(form.xreplace(where)) for form in (left.form, right.form))
    if equal(case, one, other) or (not where and equal(case, left.form, right.form)):
        return Pair("holds", "SC101", shown, message="under the condition beside it" if where else "")
    if right.name is not None and relation in ("⇒", "→"):
        return replace(NO_CLAIM, document=shown, message=f"{right.source.strip()} follows")
    one, other = case.with_numbers(one), case.with_numbers(other)
    if equal(case, one, other):
        return Pair("holds", "SC101", shown, message="at the numbers of the document's own letters")
    as_named = named_forms(case, left.form, right.form, shown)
    if as_named is not None:
        return as_named
    for name in (left.name, right.name):
        if name is not None and name not in knowledge.definitions:
            return replace(NO_CLAIM, document=shown, message=f"{plain_name(name)} is defined")
    if any(
        a * left.scale == c * right.scale
        for a in knowledge.evaluated(left.form)
        for c in knowledge.evaluated(right.form)
    ):
        return Pair("holds", "SC101", shown, message="at the numbers known")
    if len(statement.items) > 2 and (roots := _roots(one, other, shown)) is not None:
        return roots
    first, second = summands(case.tied(one)), summands(case.tied(other))
    factor = ratio(first, second) if first and second else None
    if factor is not None and abs(factor - 1) <= ROUNDED:
        return Pair("holds", "SC101", shown, message=f"with a coefficient rounded by {percent(factor - 1)}")
    if first and second and _at_numbers(case, first, second, right, statement):
        return Pair("holds", "SC103", shown, message="at the numbers known, rounded")
    if left.name in knowledge.definitions and (first is None or second is None):
        return Pair("unchecked", "SC205", shown, message=f"{left.source.strip()} was another form before")
    if left.name is not None and left.name in GLOSSARY and knowledge.unknown(other):
        return replace(NO_CLAIM, document=shown, message=f"{plain_name(left.name)} is defined")
    if knowledge.unknown(one) or knowledge.unknown(other) or first is None or second is None:
        if statement.about:
            return _about(case, left, right, shown)
        return Pair("unchecked", "SC302", shown, message=unknown_words(case, one, other))
    if relation in ("lead", "→", "⇒"):
        return Pair("unchecked", "SC302", shown, message=UNCERTAIN)
    missing = dropped(second, first)
    if statement.about or (missing and DROPS.search(statement.span.block.text)):
        return approximates(case, second, first, shown)
    if left.name is not None and left.name in knowledge.definitions:
        return _redefined(left, first, second, shown)
    if any(item.unit is not None or item.part.units_inside for item in (left, right)):
        return Pair("unchecked", "SC302", shown, message="the units of both sides could not be settled")
    if _is_equation(statement, left, right):
        return replace(NO_CLAIM, document=shown, message="an equation to be solved")
    sizes = (one.free_symbols ^ other.free_symbols) & SIZES
    slip = one_slip(second, first) if not sizes else None
    if sizes or (slip is None and not _related(first, second)):
        return Pair(
            "unchecked",
            "SC302",
            shown,
            message="the two sides have nothing in common; an equation to be solved?",
        )
    words = (
        slip.words
        if slip is not None
        else f"the left side is {written(first)}, the right side {written(second)}"
    )
    return Pair("differs", "SC202", shown, derived=written(first), difference=written(minus(first, second)), message=words,
                fix=written(first) if slip is not None else "")  # fmt: skip


def _at_numbers(case: Case, first: Summands, second: Summands, right: Item, statement: Statement) -> bool:
    """Whether a form is `1.75e9·b` with the numbers known put in for all of its other letters, to the digits printed."""
    kept = {name for term in second for name, _ in term}
    digits = _COEFFICIENT.match(right.source.strip())
    known = {name: values[0] for name, values in case.there(statement.span).numbers.items() if values[0]}
    if digits is None or len(second) != 1 or not kept:
        return False
    made: dict[Monomial, Fraction] = {}
    for term, value in first.items():
        if any(name not in kept and name not in known for name, _ in term):
            return False
        size = prod((known[name] ** power for name, power in term if name not in kept), start=Fraction(value))
        rest = tuple((name, power) for name, power in term if name in kept)
        made[rest] = made.get(rest, Fraction(0)) + size
    factor = ratio(made, second)
    return factor is not None and abs(factor - 1) <= Fraction(1, 2 * int(digits[1].replace(".", "")))


_COEFFICIENT = re.compile(r"([1-9]\d*\.?\d*[1-9]\d*|[1-9]\d\d)(?![\d.])")  # of three digits or so
SIZE_OF = {"N": "parameters", "N_active": "active_parameters", "N_adapter": "adapter_parameters"}
SIZES = {GLOSSARY[name].symbol for name in SIZE_OF}
NEXT_TO = 3  # statements before one that may go with it
APART = 2  # times that an approximation of what comes on top may be off
ROUNDED = Fraction(1, 2000)  # what a coefficient may be rounded by
_SOLVING = Wording(r"\bsolv(?:e|es|ed|ing)\b", re.IGNORECASE)
_OF_LETTER = Wording(r"\w+_(?:opt|max|min|star|crit)")
_LARGEST = Wording(r"\b(?:largest|biggest|max\w*|fits?)\b", re.IGNORECASE)
_EXTREME = Wording(r"_[\\{\s]*(?:text\{|mathrm\{)?(max|min)\b")


def equal(case: Case, one: Expr, other: Expr) -> bool:
    """Whether two forms are the same polynomial, as they stand, under the ties, or with d_ff = 4d."""
    return any(
        _same(one.xreplace(ties), other.xreplace(ties))
        for ties in ({}, case.ties, {**case.ties, d_ff: FOUR_WIDE})
    )


def _same(one: Expr, other: Expr) -> bool:
    first, second = summands(one), summands(other)
    if first is not None and second is not None:
        return first == second
    (top, bottom), (over, under) = one.as_numer_denom(), other.as_numer_denom()
    crossed = summands(top * under)
    return bool(one == other) or (crossed is not None and crossed == summands(over * bottom))


def _roots(one: Expr, other: Expr, shown: str) -> Pair | None:
    """`20√(C/120) = √(C/6)`: two products with square roots, whose squares tell, since all letters are positive."""
    if summands(one) is not None and summands(other) is not None:
        return None
    first, second = summands(one**2), summands(other**2)
    factor = ratio(second, first) if first and second and len(first) == 1 else None
    if factor is None or factor == 1:
        return Pair("holds", "SC101", shown) if factor else None
    return Pair("differs", "SC202", shown, derived=plain_text(one),
                message=f"the square of the right side is {factor} times that of the left side")  # fmt: skip


def named_forms(case: Case, left: Expr, right: Expr, shown: str) -> Pair | None:
    """Names such as F_forward or M_static, and sizes of the model in a form (N − N_active), taken as the derived quantities
    that they speak of: equal, or one slip apart."""
    names = {
        symbol: quantity
        for symbol in (left + right).free_symbols
        if (
            quantity := quantity_of_name(symbol.name)
            or ("" if symbol in (left, right) else SIZE_OF.get(symbol.name))
        )
    }
    if not names or (left in names and right in names):
        return None
    for design in case.suppositions.designs[:3]:
        supposed = case.suppositions.under(design, case.suppositions.conventions[0])
        found = {
            symbol: entry for symbol, quantity in names.items() if (entry := book(supposed).entry(quantity))
        }
        if len(found) < len(names):
            return None
        put = {symbol: entry.total for symbol, entry in found.items()}
        first, second = (
            summands(case.tied(case.knowledge.opened(form.xreplace(put)))) for form in (left, right)
        )
        if first is None or second is None:
            return None
        means = ", ".join(
            f"{plain_name(symbol.name)} = {found[symbol].named()}" for symbol in sorted(found, key=str)
        )
        if first == second:
            return Pair("holds", "SC102", shown, message=f"with {means} as derived for {supposed}")
        factor = ratio(second, first)
        if (
            factor is not None
            and len(names) == len((left + right).free_symbols) > 1
            and not names.keys() & SIZES
        ):
            right_factor = form_of({(): 1 / factor})
            return Pair("differs", "SC201", shown, difference=written(minus(first, second)), convention=supposed.convention,
                        derived=f"{plain_name(str(left))} = {right_factor * right}",
                        message=f"the right side is {factor} times the left one, with {means}")  # fmt: skip
    return None


def implied(case: Case, statement: Statement) -> list[Pair]:
    """`4bs²d = 32bsd² ⇒ s = 8d`: what follows from an equation is put into it; `5.54 ⇒ b_max = 5` is rounded down."""
    items, relations = statement.items, statement.relations
    for at in range(len(relations) - 1):
        if relations[at] not in ("⇒", "→") or relations[at + 1] != "=" or items[at + 1].name is None:
            continue
        if at and relations[at - 1] == "=" and items[at + 1].form in items[at - 1].form.free_symbols:
            return [_solved(case, items[at - 1 : at + 3])]
        whole = _made_whole(case, statement, *items[at : at + 3])
        if whole is not None:
            return [whole]
    return []


def _made_whole(case: Case, statement: Statement, exact: Item, name: Item, whole: Item) -> Pair | None:
    """The largest or smallest whole number that a bound leaves: the next one down for b_max, or the largest b, up for n_min."""
    block = statement.span.block
    largest = name.name == "b" and _LARGEST.search(" ".join((block.text, *block.lead, *block.headings)))
    extreme = _EXTREME.search(name.source) or (_EXTREME.search("_max") if largest else None)
    values = [case.knowledge.evaluated(item.form) for item in (exact, whole)]
    if extreme is None or not all(len(each) == 1 for each in values):
        return None
    [[bound], [said]] = values
    shown = f"{exact.source.strip()} ⇒ {name.source.strip()} = {whole.source.strip()}"
    rounds = floor if extreme[1] == "max" else ceil
    if rounds(bound) == said:
        return Pair("holds", "SC101", shown, message="rounded to what the bound leaves")
    if abs(bound - said) >= 1:
        return None
    return Pair("differs", "SC203", shown, derived=str(rounds(bound)), difference=str(rounds(bound) - said),
                message=f"{said} is beyond the bound {rounded(bound, 4)}: it should be {rounds(bound)}")  # fmt: skip


def _solved(case: Case, items: Sequence[Item]) -> Pair:
    left, right, solution = items[0].form, items[1].form, {items[2].form: items[3].form}
    one, other = summands(case.tied(left.xreplace(solution))), summands(case.tied(right.xreplace(solution)))
    shown = f"{items[0].source} = {items[1].source} ⇒ {items[2].source} = {items[3].source}"
    if one is None or other is None:
        return Pair("unchecked", "SC302", shown, message="the equation could not be put to the test")
    if one == other:
        return Pair("holds", "SC101", shown, message="it solves the equation")
    factor = ratio(other, one)
    more = f": {items[2].source} should be {rounded(factor, 4)} times that" if factor else ""
    return Pair("differs", "SC202", shown, derived=written(one), difference=written(minus(one, other)),
                message=f"put in, the left side is {written(one)} and the right side {written(other)}{more}")  # fmt: skip


def solved_for(case: Case, statement: Statement) -> Pair | None:
    """`N_opt = √(C/120)` where it says `C = 120N²`, or `C = 6ND` and `D = 20N`; `b_max = M/A` where it has `A·b`,
    which then is M.
    """
    named = next(
        (item for item in statement.items if item.name and _OF_LETTER.fullmatch(plain_name(item.name))), None
    )
    forms = [item.form for item in statement.items if item.name is None and item.form.free_symbols]
    if named is None or not forms:
        return None
    letter = Symbol(case.knowledge.letter(plain_name(str(named.name)).rpartition("_")[0]), positive=True)
    shown = f"{named.source.strip()} = {statement.items[-1].source.strip()}"
    wrong = None
    for own in case.given[: -MOST_BACK - 1 : -1]:
        left, right = _equation(own.statement)
        if letter not in left.free_symbols | right.free_symbols:
            continue
        source = own.statement.span.text.strip()
        for tie in _ties(case, letter):
            one, other = left.xreplace(tie), right.xreplace(tie)
            if letter not in (one - other).free_symbols:
                continue  # the tie is this equation
            if equal(case, *(side.xreplace({letter: forms[0]}) for side in (one, other))):
                return Pair("holds", "SC101", shown, message=f"it solves {source}")
        if not _is_of_the_row(statement, own.statement):
            continue
        solution = reduced(right * letter / left)
        if letter not in solution.free_symbols:
            wrong = Pair("differs", "SC202", shown, derived=plain_text(solution),
                         message=f"put into {source}, it does not come to {plain_text(right)}")  # fmt: skip
    return wrong


def optimum_pair(case: Case, statement: Statement) -> Pair | None:
    r"""`N_opt = G(C/6)^{β/(α+β)}` and `D_opt = G^{-1}(C/6)^{α/(α+β)}` beside each other, put into `C = 6ND`."""
    mine = _optimum(statement)
    others = [pair for own in case.given[-NEXT_TO:] if (pair := _optimum(own.statement)) is not None]
    other = next((pair for pair in reversed(others) if mine is not None and pair[0] != mine[0]), None)
    if mine is None or other is None:
        return None
    budget, names = GLOSSARY["C"].symbol, f"{mine[0]} and {other[0]}"
    for own in reversed(case.given):
        forms = [item.form for item in own.statement.items]
        right = next((form for form in forms if {mine[0], other[0]} <= form.free_symbols), None)
        if right is not None and budget in forms and not own.wrong:
            over = (right / budget).xreplace(dict((mine, other)))
            shown, source = statement.span.text.strip(), own.statement.span.text.strip()
            if cancel(expand_log(log(over), force=True)) == 0:
                return Pair("holds", "SC101", shown, message=f"{names} together come to {source}")
            message = f"{names} put into {source} do not come to {plain_text(budget)}"
            return Pair("differs", "SC202", shown, message=message)
    return None


def _optimum(statement: Statement) -> tuple[Expr, Expr] | None:
    """The letter that a statement says the best of, and its form: N for `N_opt = …`."""
    if statement.relations != ["="] or statement.items[0].name is None:
        return None
    name = plain_name(statement.items[0].name)
    if not name.endswith("_opt") or name[:-4] not in ("N", "D"):
        return None
    return GLOSSARY[name[:-4]].symbol, statement.items[1].form


def is_optimum(statement: Statement) -> bool:
    """Whether a statement says which size or how many tokens are best."""
    return _optimum(statement) is not None


def _ties(case: Case, letter: Symbol) -> Iterator[dict[Expr, Expr]]:
    """What another letter is in terms of one, where a multiple was stated: $D = 20N$, so for D, N is D/20."""
    yield {}
    for own in case.given[: -MOST_BACK - 1 : -1]:
        forms = [item.form for item in own.statement.items]
        if len(forms) != 2 or own.statement.relations[0] not in EQUAL:
            continue
        multiple, other = forms[1].as_coeff_Mul()
        if multiple != 1 and other.is_Symbol and forms[0].is_Symbol and letter in (forms[0], other):
            yield {forms[0]: forms[1]} if letter == other else {other: letter / multiple}


def _equation(statement: Statement) -> tuple[Expr, Expr]:
    """The two sides of an equation; else a form and the memory that it may fill."""
    forms = [item.form for item in statement.items]
    return (forms[0], forms[1]) if statement.relations == ["="] else (forms[-1], GLOSSARY["M"].symbol)


def _is_of_the_row(statement: Statement, row: Statement) -> bool:
    """Whether a statement says that it solves the form of a table's row, by the name of that row."""
    cell = row.span.block.cell
    named = (
        cell is not None and cell.row.strip() and cell.row.strip() in statement.label and len(row.items) == 1
    )
    return bool(named and _SOLVING.search(" ".join(statement.span.block.lead)))


def _is_equation(statement: Statement, left: Item, right: Item) -> bool:
    """Whether what stands there is solved rather than claimed: a "when" before it, or its solution behind it."""
    after = statement.relations[statement.items.index(right) :]
    return bool(SOLVES.search(words_before(statement.span))) or after[:1] == ["⇒"] or after[:1] == ["→"]


def approximates(case: Case, document: Summands, derived: Summands, shown: str) -> Pair:
    """A form that leaves terms out, with its error at the numbers known."""
    rest = minus(derived, document)
    here, exact = (case.knowledge.evaluated(form_of(table)) for table in (document, derived))
    error = ""
    if here and exact and exact[0]:
        off = here[0] / exact[0] - 1
        error = f", {percent(abs(off))} too {'little' if off < 0 else 'much'} at the numbers known"
    return Pair("approximates", "SC110", shown, derived=written(derived), difference=written(rest),
                message=f"drops {written(rest)}{error}")  # fmt: skip


def _about(case: Case, left: Item, right: Item, shown: str) -> Pair:
    evaluated = case.knowledge.evaluated
    values = [(a * left.scale, c * right.scale) for a in evaluated(left.form) for c in evaluated(right.form)]
    if values and all(a for a, _ in values):
        a, c = values[0]
        more = (
            c - 1 if right.form.as_coeff_Add()[0] == 1 else 0
        )  # 1 + s/(18h): what comes on top is what is told
        if more and not 1 / APART <= (a - 1) / more <= APART:
            return Pair("differs", "SC203", shown, message=f"what it adds to 1 is {rounded(more, 4)}, but comes to "
                        f"{rounded(a - 1, 4)} at the numbers known")  # fmt: skip
        verdict = "approximates" if abs(c - a) <= 10 * NEAR * abs(a) else "unchecked"
        return Pair(verdict, "SC110", shown, message=f"{percent(c / a - 1)} off at the numbers known")
    return replace(NO_CLAIM, document=shown, message="an approximation of something that is not derived")


def _redefined(left: Item, first: Summands, second: Summands, shown: str) -> Pair:
    slip = one_slip(second, first)
    if slip is None:
        return replace(
            NO_CLAIM, document=shown, message=f"{left.source.strip()} is defined again, as something else"
        )
    stale = shared(second, first) and not (slip.dropped or slip.added)  # one place of it reads otherwise
    return Pair("unchecked", "SC205", shown, derived=written(first), difference=written(minus(first, second)),
                message=f"{left.source.strip()} was {written(first)} before", fix=written(first) if stale else "")  # fmt: skip


def restated(case: Case, statement: Statement, pair: Pair) -> Pair:
    """A name that had another form before differs where that form is what is derived for it, and this one a slip of it."""
    entries = [entry for name in statement.names if (entry := case.meant.get(name)) is not None]
    if pair.code != "SC205" or not pair.fix or ANOTHER_CASE.search(statement.span.sentence.text):
        return pair
    if pair.derived not in [written(entry.table) for entry in entries]:
        return pair
    form, message = statement.items[-1].source.strip(), f"{pair.message}, and that is what is derived"
    return replace(pair, verdict="differs", code="SC201", document=form, message=message)


def unknown_words(case: Case, *forms: Expr) -> str:
    """Which names the document does not explain."""
    names = sorted({name for form in forms for name in case.knowledge.unknown(case.knowledge.opened(form))})
    if not names:
        return "nothing to hold it against"
    return f"{', '.join(plain_name(name) for name in names)}: the document does not say what this stands for"


def _related(first: Summands, second: Summands) -> bool:
    """Whether two sums share a product of letters."""
    return bool(first.keys() & second.keys())


def percent(value: Fraction) -> str:
    """A share in per cent, without its sign."""
    return f"{rounded(abs(value) * 100, 3)} %"
