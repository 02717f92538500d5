"""Letters that no words explain, or that two were taken for: understood where the forms of a document are derived so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, islice, permutations

from sympy import Expr, Symbol

from symcost.check.case import Case
from symcost.check.knowledge import Knowledge
from symcost.check.meanings import CUSTOMARY, plain_name
from symcost.check.polynomials import Summands, letters_of, summands
from symcost.symbols import GLOSSARY

SIZES = tuple("c b d d_ff h h_kv d_k v L".split())  # what a letter may stand for
MOST_FORMS, MOST_LETTERS, MOST_BOOKS = 24, 2, 12
LONGEST = 8  # signs of what is a letter, n_kv for one, rather than a name
WEIGHTS = (1, 2, 4)  # of a form with one term, with two, with more: the less likely it is met by chance
SUM = WEIGHTS[1]  # one form at least is more than a product
ENOUGH = 3  # that forms weigh together, and one more for another letter


def understood(case: Case) -> dict[str, str]:
    """What letters stand for that the words of a document leave open: the one way in which forms come out as derived.

    Only forms that nothing was said of speak for it, one with three terms or more, or one with two and another one; and
    no other way may fit as many.
    """
    forms = list(dict.fromkeys(case.open))[:MOST_FORMS]
    letters = _unclear(case.knowledge, forms)
    meanings = {meaning for _, name, meaning in case.knowledge.legend if name not in letters}
    free = [meaning for meaning in SIZES if meaning not in meanings]
    together = len(letters) > 1 and any(_names(form).issuperset(letters) for form in forms)
    found = _best(case, forms, letters, free) if together else {}
    for letter in letters if not found else ():
        found |= _best(case, forms, [letter], [meaning for meaning in free if meaning not in found.values()])
    return found


def _best(case: Case, forms: Sequence[Expr], letters: Sequence[str], free: Sequence[str]) -> dict[str, str]:
    """The one meaning of some letters that has the most forms derived, where there are enough."""
    speak = [form for form in forms if _names(form) & {*letters} and _is_clear(case.knowledge, form, letters)]
    best: dict[str, str] = {}
    most, could = ENOUGH + len(letters) - 2, sum(_weight_of(summands(form) or {}) for form in speak)
    for some in permutations(free, len(letters)) if could > most else ():
        told = dict(zip(letters, some, strict=True))
        if "h_kv" in some and "h" in free and "h" not in some:
            continue  # grouped heads are beside others
        weights = [_weight(case, form, told) for form in speak]
        weight = sum(weights) if max(weights) >= SUM else 0
        if weight >= most:
            best, most = (told if weight > most else {}), weight
    return best


def notes(letters: Mapping[str, str]) -> Iterator[str]:
    """What is told of letters that were understood by the forms of a document alone."""
    for name, meaning in letters.items():
        yield f"{plain_name(name)} was read as {GLOSSARY[meaning].meaning}, as only then its forms are derived"


def _unclear(knowledge: Knowledge, forms: Sequence[Expr]) -> list[str]:
    """The letters in some forms that the document does not explain, and those that share a meaning; the commonest first."""
    said: dict[str, str] = {}
    for _, name, meaning in knowledge.legend:
        said.setdefault(name, meaning)
    used = Counter(
        name
        for form in forms
        for name in _names(form)
        if len(name) <= LONGEST and name not in knowledge.definitions
    )
    unsaid = {name: CUSTOMARY.get(name, name) for name in used.keys() - said.keys()}
    several = Counter([*said.values(), *unsaid.values()])
    contested = {meaning for meaning in SIZES if several[meaning] > 1 and meaning in said.values()}
    return [
        name
        for name, _ in used.most_common()
        if (name in said and said[name] in contested)
        or (name in unsaid and (unsaid[name] in contested or unsaid[name] not in GLOSSARY))
    ][:MOST_LETTERS]


def _is_clear(knowledge: Knowledge, form: Expr, but: Collection[str]) -> bool:
    """Whether all letters of a form are understood but for some."""
    others = _names(form).difference(but, knowledge.definitions)
    return all(knowledge.letter(name) in GLOSSARY for name in others)


def _names(form: Expr) -> set[str]:
    return {symbol.name for symbol in form.free_symbols}


def _weight(case: Case, form: Expr, told: Mapping[str, str]) -> int:
    """How much it says that a form is derived if letters stand for something: nothing where it is not."""
    put_in = {name: GLOSSARY[meaning].symbol for name, meaning in told.items()}
    meant = form.xreplace(
        {symbol: put_in[symbol.name] for symbol in form.free_symbols if symbol.name in put_in}
    )
    rest = {symbol for symbol in form.free_symbols if symbol.name not in put_in}
    ours = {symbol: Symbol(case.knowledge.letter(symbol.name), positive=True) for symbol in rest}
    table = case.table(case.knowledge.opened(meant.xreplace(ours)))
    if not table:
        return 0
    letters = letters_of(table)
    books = chain(case.books(letters), case.other_books(letters))
    derived = any(entry for each in islice(books, MOST_BOOKS) for entry in each.equal(table))
    return _weight_of(table) if derived else 0


def _weight_of(table: Summands) -> int:
    return WEIGHTS[min(len(table), len(WEIGHTS)) - 1] if table else 0
