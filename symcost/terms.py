"""Terms: amounts with a tensor, a place and a reason. A closed form is the sum of its terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from sympy import Add, Expr, Integer, Rational, Symbol

from symcost import notation as printing
from symcost import rules
from symcost.dimensions import dimension_of, spelled, unit_of
from symcost.errors import MissingValue, UnknownName, UsageError, nearest
from symcost.notation.printing import latex_name
from symcost.rules import Rule
from symcost.symbols import GLOSSARY, NOTATIONS, letter

Number = int | Fraction

ONE = Integer(1)
FALLBACKS = {name: entry.fallback for name, entry in GLOSSARY.items() if entry.fallback is not None}
LARGEST = 10**60  # and 1/LARGEST the smallest number that a letter can have: beyond lies a slip of the pen


@dataclass(frozen=True)
class Because:
    """Why a term is there, in words; `latex` is its formula where it has one."""

    words: str

    def __str__(self) -> str:
        return self.words

    @property
    def latex(self) -> str:
        return ""


@dataclass(frozen=True)
class GradientReads(Because):
    """A gradient asks for the tensor: which rule's, of which input, at which place."""

    words: str = ""
    rule: Rule = rules.ADD
    slot: int = 0
    inputs: tuple[str, ...] = ()
    result: str = ""
    transposed: bool = False  # a contraction that reads its right factor by its last axes: x·Wᵀ

    def __str__(self) -> str:
        return f"{self.words}: {self.formula(rules.TEXT)}"

    @property
    def latex(self) -> str:
        return self.formula(rules.LATEX)

    def formula(self, words: rules.Words) -> str:
        """`∂W_Q = x_normᵀ·∂Q`, in one output's signs."""
        name = latex_name if words is rules.LATEX else str
        names = [name(each) for each in self.inputs]
        of, arrives = names[self.slot], words.gradient.format(name(self.result))
        if self.rule is rules.CONTRACT:
            other, turned = names[1 - self.slot], words.transpose.format
            if self.slot == 0:
                product = (arrives, other if self.transposed else turned(other))
            else:
                product = (turned(arrives), other) if self.transposed else (turned(other), arrives)
            return f"{words.gradient.format(of)} = {words.dot.join(product)}"
        slots: dict[Symbol, str] = {each.symbol: name(each.symbol.name) for each in self.rule.statistics}
        slots |= dict(zip(self.rule.takes, names, strict=False))
        slots |= {rules.y: name(self.result), rules.dy: arrives}
        if self.rule.row is not None:
            slots[rules.row] = f"{words.total}({rules.write(self.rule.row, slots, words)})"
        for symbol, form in self.rule.means.items():
            slots[symbol] = f"{words.average}({rules.write(form, slots, words)})"
        gradient = self.rule.gradient(self.rule.takes[self.slot])
        assert gradient is not None
        slots |= {symbol: name(symbol.name) for symbol in gradient.free_symbols if symbol not in slots}
        return f"{words.gradient.format(of)} = {rules.write(gradient, slots, words)}"


@dataclass(frozen=True)
class Term:
    """One summand: `amount` × `times`, the tensor it stands for, the place it is charged to, and why.

    `also` names the other readers of the same tensor.
    """

    amount: Expr
    times: Expr
    tensor: str
    place: str
    because: Because
    quantity: str
    also: tuple[str, ...] = ()

    @property
    def total(self) -> Expr:
        """The amount, as often as it is there."""
        return self.amount * self.times

    @property
    def reason(self) -> str:
        """Why it is there and who else reads the tensor, in words."""
        return f"{self.because}; also read by {', '.join(self.also)}" if self.also else str(self.because)

    def to_dict(self) -> dict[str, str]:
        """Plain data: the forms as code, the reason in words."""
        return {
            "amount": printing.code(self.amount),
            "times": printing.code(self.times),
            "tensor": self.tensor,
            "place": self.place,
            "because": self.reason,
        }


@dataclass(frozen=True)
class Terms:
    """What one quantity is made of. `total` is never typed in: it is the sum of the terms.

    `numbers` are a model's own numbers, used where `at` is given none; `ties` are the forms that were put in
    for letters (d_ff = 4d), which a number given for such a letter must agree with. `scopes` are all places
    of the model, those without terms too. `outer` is a factor of all terms that a lecturer writes in front of
    the sum (one over the tokens of a step). `sizes` raises an error where numbers cannot be together, as those
    of a mesh of devices.
    """

    quantity: str
    unit: str
    terms: tuple[Term, ...]
    model: str = ""
    convention: str = ""
    scope: str = "model"
    numbers: Mapping[str, Number] = field(default_factory=dict)
    ties: Mapping[Symbol, Expr] = field(default_factory=dict)
    scopes: tuple[str, ...] = field(default=(), repr=False)
    outer: Expr = ONE
    sizes: Callable[[Mapping[str, Number]], None] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def total(self) -> Expr:
        """The closed form, with the factor that all terms share written outside.

        >>> import symcost
        >>> symcost.derive("cs190c")["saved_activations"].of("block").latex()
        '20bcd+bhc^2'
        """
        alike = Counter((term.amount, term.times) for term in self.terms)
        inner = Add(*(many * times * (amount / self.outer) for (amount, times), many in alike.items()))
        return self.outer * inner

    def __iter__(self) -> Iterator[Term]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __add__(self, other: Terms) -> Terms:
        if self.unit != other.unit:
            raise UsageError(
                f"{self.quantity} is in {self.unit} and {other.quantity} in {other.unit}: "
                "they cannot be added. Ask for both in one unit."
            )
        return replace(self, terms=self.terms + other.terms, numbers={**other.numbers, **self.numbers})

    def __sub__(self, other: Terms) -> Terms:
        """What the two do not share: the terms of `self` alone, and those of `other` alone taken away.

        >>> import symcost
        >>> eager, book = (symcost.derive("cs190c", under=name) for name in ("torch-eager", "textbook"))
        >>> more = (eager["saved_activations"] - book["saved_activations"]).of("block.mlp")
        >>> [term.tensor for term in more], more.text()
        (['silu_G'], '4bcd')
        """
        if self.unit != other.unit:
            raise UsageError(
                f"{other.quantity} is in {other.unit} and {self.quantity} in {self.unit}: no difference."
            )
        shared = Counter(map(_same, self.terms)) & Counter(map(_same, other.terms))
        taken = tuple(replace(term, amount=-term.amount) for term in _without(other.terms, shared))
        return replace(self, terms=(*_without(self.terms, shared), *taken))

    def called(self, quantity: str) -> Terms:
        """The same terms under the name of another quantity of the same unit."""
        return replace(self, quantity=quantity)

    def replaced(self, terms: tuple[Term, ...]) -> Terms:
        """Other terms under the same heading."""
        return replace(self, terms=terms)

    def scaled(self, factor: Expr, *, quantity: str = "", unit: str = "", each: str = "") -> Terms:
        """Every amount times `factor`, whose letters bring their units; the number in it is in `each`.

        `unit` is the unit wanted: another size of what comes out (hours for seconds) puts their ratio in.
        Raises UsageError where it measures something else.

        >>> import symcost
        >>> symcost.derive("cs190c")["step_flops"].scaled(Integer(1), unit="s")
        Traceback (most recent call last):
        symcost.errors.UsageError: step_flops: FLOPs times 1 is in FLOP, not in s.
        """
        made = unit_of(self.unit) * dimension_of(factor) * unit_of(each)
        wanted = unit or (self.unit if made.dimension == unit_of(self.unit).dimension else spelled(made))
        if made.dimension != unit_of(wanted).dimension:
            raise UsageError(
                f"{quantity or self.quantity}: {self.unit} times {printing.text(factor)} "
                f"is in {spelled(made)}, not in {unit}."
            )
        ratio = made.scale / unit_of(wanted).scale
        factor = factor * Rational(ratio.numerator, ratio.denominator)
        times: Callable[[Expr], Expr] = lru_cache(maxsize=None)(lambda amount: amount * factor)
        return replace(
            self,
            terms=tuple(replace(term, amount=times(term.amount)) for term in self.terms),
            quantity=quantity or self.quantity,
            unit=wanted,
            outer=self.outer * factor,
        )

    def where(self, chosen: Callable[[Term], bool]) -> Terms:
        """Only the terms for which `chosen` is true."""
        return replace(self, terms=tuple(term for term in self.terms if chosen(term)))

    def of(self, scope: str) -> Terms:
        """The terms at a place: `block` (one block), `block.attention`, `head`, or one tensor, `head.logits`.

        A place of the model that has no terms gives a sum of none. Raises UnknownName with the nearest place
        where the model has no such place, or where the quantity is not made of places (steps).
        """
        if scope in ("", "model"):
            return self
        inside = tuple(
            term
            for term in self.terms
            if term.place == scope
            or term.place.startswith(f"{scope}.")
            or f"{term.place}.{term.tensor}" == scope
        )
        if not inside and not (scope in self.scopes and self._has_places()):
            known = list(dict.fromkeys([*self.places(), *self.scopes])) if self._has_places() else ["model"]
            raise UnknownName(
                f"'{scope}' is no place of {self.quantity} of {self.model}. {nearest(scope, known)}"
            )
        one = scope.split(".")[0] == "block"
        terms = tuple(replace(term, times=Integer(1)) for term in inside) if one else inside
        return replace(self, terms=terms, scope=scope)

    def _has_places(self) -> bool:
        """Whether the terms are charged to places of the model, and not to a run as a whole."""
        return not self.terms or any(term.place in self.scopes for term in self.terms)

    def places(self) -> list[str]:
        """Every place that has terms, and every tensor, in order."""
        found: dict[str, None] = {"model": None}
        for term in self.terms:
            parts = term.place.split(".")
            found |= {".".join(parts[:end]): None for end in range(1, len(parts) + 1)}
            found[f"{term.place}.{term.tensor}"] = None
        return list(found)

    def by_place(self) -> dict[str, Terms]:
        """The terms grouped by the place they are charged to, in order."""
        groups: dict[str, list[Term]] = {}
        for term in self.terms:
            groups.setdefault(term.place, []).append(term)
        return {place: replace(self, terms=tuple(terms)) for place, terms in groups.items()}

    def substituted(self, forms: Mapping[Symbol, Expr]) -> Terms:
        """The same terms with forms put in for letters."""
        put: Callable[[Expr], Expr] = lru_cache(maxsize=None)(lambda amount: amount.xreplace(dict(forms)))

        def changed(term: Term) -> Term:
            amount, times = put(term.amount), put(term.times)
            same = amount is term.amount and times is term.times  # most terms have none of the letters
            return term if same else replace(term, amount=amount, times=times)

        return replace(self, terms=tuple(map(changed, self.terms)), outer=put(self.outer)) if forms else self

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """The letters of the closed form, in the glossary's order."""
        names = {symbol.name for symbol in self.total.free_symbols}
        return tuple(name for name in GLOSSARY if name in names)

    def at(self, **values: float | Fraction) -> Number:
        """The exact value at these numbers: an int, or a Fraction where it is none.

        A float x is read as Fraction(str(x)). The model's own numbers stand in for what is not given; letters
        that the form lacks are ignored. Raises MissingValue, naming all letters that have no number,
        UnknownSymbol for a name that is not in the glossary, UsageError for a number that no such letter has.
        """
        numbers = self.known(values)
        missing = [name for name in self.letters if name not in numbers]
        if missing:
            raise MissingValue(
                f"{self.quantity}: {_listed(missing)} {'has' if len(missing) == 1 else 'have'} no number. "
                f"Give {'it' if len(missing) == 1 else 'them'} as in {missing[0]}=…: "
                + "; ".join(f"{name} is {GLOSSARY[name].meaning}" for name in missing)
                + "."
            )
        return evaluator(self.total)(numbers)

    def missing(self) -> list[str]:
        """The letters of the form that have no number of the model's own."""
        known = self.known({})
        return [name for name in self.letters if name not in known]

    def known(self, values: Mapping[str, object]) -> dict[str, Number]:
        """Every number that holds when `values` are given: theirs, the model's own, what follows by ties."""
        numbers = {**FALLBACKS, **self.numbers}
        for name, value in values.items():
            numbers[name] = counted(name, value)
        check_ties(self.ties, numbers, values)
        if self.sizes is not None and values:
            self.sizes(numbers)
        return numbers

    def compile(self, *letters: str, exact: bool = False) -> Callable[..., Any]:
        """A function of these letters over numbers, lists and arrays of any kind, for sweeps.

        It computes in float64, so a large product never overflows an integer, and is right to about 1 part in
        10¹⁵; arrays of Dask and JAX go through unchanged. `exact` gives Python's own integers and fractions
        instead, point by point. Raises MissingValue where other letters of the form have no number of the
        model's own.

        >>> import symcost
        >>> logits = symcost.derive("cs190c")["saved_activations"].of("head.logits")
        >>> logits.compile("b", "c", "v")(2, [10, 100], 1000).tolist()
        [20000.0, 200000.0]
        >>> logits.compile("b", "c", "v", exact=True)(2, 10**9, 10**12)
        2000000000000000000000
        """
        return compiled([self], letters, exact)

    def _in_letters(self, letters: Sequence[str]) -> Expr:
        """The form with the model's own numbers put in for all other letters."""
        rest = {name: value for name, value in self.known({}).items() if name not in letters}
        missing = [name for name in self.letters if name not in letters and name not in rest]
        if missing:
            raise MissingValue(
                f"{self.quantity}: {_listed(missing)} must be among the letters to compile for."
            )
        put_in = {letter(name).symbol: _expr(rest[name]) for name in self.letters if name in rest}
        return self.total.xreplace(put_in)

    def latex(self, notation: str = "lecture") -> str:
        """The closed form as a lecturer writes it, in a notation's letters."""
        return printing.latex(self.total, NOTATIONS[notation])

    def text(self, notation: str = "lecture") -> str:
        """The closed form in plain signs: 20bcd + bhc²."""
        return printing.text(self.total, NOTATIONS[notation])

    def to_dict(self, notation: str = "lecture") -> dict[str, Any]:
        """Plain data: unit, scope, expression, LaTeX, value (where every letter has a number) and terms."""
        return {
            "unit": self.unit,
            "scope": self.scope,
            "expression": printing.code(self.total),
            "latex": self.latex(notation),
            "value": None if self.missing() else plain(self.at()),
            "terms": [term.to_dict() for term in self.terms],
        }

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def _repr_html_(self) -> str:
        """A notebook shows the form and, in a table, the terms that it is the sum of."""
        from html import escape

        def row(tag: str, *cells: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        caption = f"{self.quantity} of {self.scope}: {self.text()} {self.unit}"
        rows = [
            row(
                "td",
                printing.text(term.amount),
                printing.text(term.times),
                term.tensor,
                term.place,
                term.reason,
            )
            for term in self.terms
        ]
        head = row("th", "amount", "times", "tensor", "place", "because")
        return f"<table><caption>{escape(caption)}</caption>{head}{''.join(rows)}</table>"

    def __str__(self) -> str:
        return self.text()


def _same(term: Term) -> tuple[str, str, Expr]:
    return term.place, term.tensor, term.total


def _without(terms: Iterable[Term], shared: Counter[tuple[str, str, Expr]]) -> Iterator[Term]:
    """The terms that are left when each of those shared is struck out once."""
    left = shared.copy()
    for term in terms:
        if left[_same(term)] > 0:
            left[_same(term)] -= 1
        else:
            yield term


def compiled(several: Sequence[Terms], letters: Sequence[str], exact: bool = False) -> Callable[..., Any]:
    """One function of these letters for several quantities, which share what they have in common.

    It gives an array for each, or the array itself for one. Raises as `Terms.compile` does.
    """
    from symcost.arrays import Compiled, pointwise

    symbols = [letter(name).symbol for name in letters]
    forms = [each._in_letters(letters) for each in several]
    if not exact:
        return Compiled(forms, symbols)
    functions = [pointwise(_of_values(form, letters), len(letters)) for form in forms]
    return functions[0] if len(functions) == 1 else lambda *arrays: tuple(each(*arrays) for each in functions)


def _of_values(form: Expr, letters: Sequence[str]) -> Callable[..., Number]:
    evaluate = evaluator(form)

    def at(*values: object) -> Number:
        return evaluate({name: _exact_number(value) for name, value in zip(letters, values, strict=True)})

    return at


def _exact_number(value: object) -> Number:
    return value if type(value) is int else _tidy(_exact(value))


def plain(value: Number) -> int | str:
    """A number for JSON: an int, or the string "p/q"."""
    return int(value) if value == int(value) else f"{value.numerator}/{value.denominator}"


def counted(name: str, value: object) -> Number:
    """The number given for a letter, exact. Raises UsageError for one that the letter cannot have.

    >>> counted("MFU", 0.5)
    Fraction(1, 2)
    """
    entry = letter(name)
    if type(value) is int and 0 < value < LARGEST:
        return value
    try:
        number = _exact(value)
    except (ValueError, OverflowError, ZeroDivisionError):
        raise UsageError(f"{name}: expected a finite number ({entry.meaning}), found {value!r}.") from None
    if number <= 0:
        raise UsageError(f"{name}: expected a positive number ({entry.meaning}), found {value}.")
    if not 1 <= number * LARGEST <= LARGEST**2:
        raise UsageError(
            f"{name}: expected a number between 10⁻⁶⁰ and 10⁶⁰ ({entry.meaning}), found one beyond."
        )
    if entry.most is not None and number > entry.most:
        raise UsageError(f"{name}: expected a number up to {entry.most} ({entry.meaning}), found {value}.")
    if number.denominator == 1:
        return int(number)
    if entry.whole:
        raise UsageError(f"{name}: expected a whole number ({entry.meaning}), found {value}.")
    return number


def _exact(value: object) -> Fraction:
    """A number of any kind as a fraction; a float as it is written. Raises ValueError for anything else."""
    if isinstance(value, int | Fraction | Decimal) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise ValueError
    return Fraction(str(value))


def check_ties(ties: Mapping[Symbol, Expr], numbers: dict[str, Number], given: Mapping[str, object]) -> None:
    """Adds the numbers that ties fix. Raises UsageError for one that is not whole or contradicts `given`."""
    for tied, form in ties.items():
        if not numbers.keys() >= _names_in(form):
            continue
        value = evaluator(form)(numbers)
        name = tied.name
        if GLOSSARY[name].whole and Fraction(value).denominator != 1:
            known = ", ".join(
                f"{symbol} = {numbers[symbol.name]}" for symbol in sorted(form.free_symbols, key=str)
            )
            raise UsageError(
                f"{name}: expected a whole number, found {name} = {printing.text(form)} = {value} "
                f"at {known}. Give {name} itself, or numbers that divide."
            )
        if name in given and numbers[name] != value:
            raise UsageError(
                f"{name}: found {numbers[name]}, expected {value}, since {name} = {printing.text(form)} "
                f"here. Free it with given {name}={name}."
            )
        numbers[name] = value


@lru_cache(maxsize=4096)
def _names_in(form: Expr) -> frozenset[str]:
    return frozenset(symbol.name for symbol in form.free_symbols)


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _expr(value: Number) -> Expr:
    from sympy import Rational

    return Integer(value) if isinstance(value, int) else Rational(value.numerator, value.denominator)


Evaluator = Callable[[Mapping[str, Number]], Number]


@lru_cache(maxsize=4096)
def evaluator(form: Expr) -> Evaluator:
    """A function that evaluates `form` exactly, in integers and fractions.

    >>> from symcost.symbols import b, c
    >>> evaluator(b * c**2 / 3)({"b": 1, "c": 2})
    Fraction(4, 3)
    """
    monomials = _monomials(form)
    if monomials is None:
        inner = _closure(form)
        return lambda numbers: _tidy(inner(numbers))

    def evaluate(numbers: Mapping[str, Number]) -> Number:
        total: Number = 0
        for coefficient, factors in monomials:
            product = coefficient
            for name, power in factors:
                product = product * numbers[name] if power == 1 else product * numbers[name] ** power
            total += product
        return total if type(total) is int else _tidy(total)

    return evaluate


def _monomials(form: Expr) -> list[tuple[Number, list[tuple[str, int]]]] | None:
    """The summands of a polynomial as coefficient and powers, or None where `form` is no flat polynomial."""
    summands = []
    for summand in Add.make_args(form):
        coefficient: Number = 1
        factors = []
        for factor in summand.as_ordered_factors() if summand.is_Mul else (summand,):
            base, power = factor.as_base_exp()
            if base.is_Symbol and power.is_Integer and power > 0:
                factors.append((base.name, int(power)))
            elif factor.is_Rational:
                coefficient *= Fraction(factor.p, factor.q) if factor.q != 1 else int(factor.p)
            else:
                return None
        summands.append((coefficient, factors))
    return summands


def _closure(form: Expr) -> Evaluator:
    """`form` as nested functions: sums, products, whole powers, floor, ceiling, greatest and least."""
    from math import ceil, floor, prod

    if form.is_Symbol:
        name = form.name
        return lambda numbers: numbers[name]
    if form.is_Rational:
        constant: Number = Fraction(form.p, form.q) if form.q != 1 else int(form.p)
        return lambda numbers: constant
    parts = [_closure(argument) for argument in form.args]
    kind = type(form).__name__
    if kind == "Add":
        return lambda numbers: sum(part(numbers) for part in parts)
    if kind == "Mul":
        return lambda numbers: prod(part(numbers) for part in parts)
    if kind == "Pow" and form.exp.is_Integer:
        base, power = parts[0], int(form.exp)
        return lambda numbers: Fraction(base(numbers)) ** power
    if kind == "floor":
        return lambda numbers: floor(parts[0](numbers))
    if kind == "ceiling":
        return lambda numbers: ceil(parts[0](numbers))
    if kind == "Max":
        return lambda numbers: max(part(numbers) for part in parts)
    if kind == "Min":
        return lambda numbers: min(part(numbers) for part in parts)
    raise UsageError(f"{kind} cannot be evaluated exactly in {printing.text(form)}.")


def _tidy(value: Number) -> Number:
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value
