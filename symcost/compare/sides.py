"""What can be compared: a tool's count, a convention, model, optimizer, precision, layout, or a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

from sympy import Add, Expr, Integer, Symbol, cancel, expand

from symcost import symbols as s
from symcost.compare.parts import Forms, Parts, applied
from symcost.conventions import CONVENTIONS
from symcost.errors import ReadError, UnknownName, UnknownSymbol, UsageError, nearest
from symcost.families import known_models
from symcost.layouts import COMPOSED, LAYOUTS
from symcost.layouts import layout as laid_out
from symcost.model import LETTERS
from symcost.notation import text
from symcost.notation.reading import read_expression
from symcost.symbols import NOTATIONS, QUANTITIES
from symcost.tables import tools
from symcost.tables.optimizers import OPTIMIZERS
from symcost.tables.precisions import PRECISIONS
from symcost.tables.tools import ALIASES, BATCH_FLOPS, tool
from symcost.terms import Number, Term, Terms
from symcost.training import TOKENS, Costs, derive

PASSES = ("forward_flops", "backward_flops", "recompute_flops")
OTHER = "other terms"
NAME = re.compile(r"[A-Za-z][\w.-]*(\+[\w-]+)*")  # what is rather a name than a formula


class Kind(Enum):
    """What a name on the command line stands for."""

    TOOL = "a tool's count"
    CONVENTION = "a convention"
    MODEL = "a model"
    OPTIMIZER = "an optimizer"
    PRECISION = "a precision"
    LAYOUT = "a layout"
    FORMULA = "a formula"


# What is compared where no quantity is named.
USUAL: Mapping[Kind, tuple[str, ...]] = {
    Kind.CONVENTION: ("saved_activations", "activation_memory", BATCH_FLOPS),
    Kind.MODEL: ("parameters", "saved_activations", BATCH_FLOPS),
    Kind.OPTIMIZER: ("optimizer_memory", "optimizer_flops"),
    Kind.PRECISION: ("static_memory", "activation_memory"),
    Kind.LAYOUT: ("static_memory", "activation_memory"),
}


@dataclass(frozen=True)
class Side:
    """One of the two that are compared.

    `forms` is what it counts, by name of the part; the names of both sides are alike where both count the
    same. `numbers` are known letters; `times` says how often a part's forward FLOPs are counted, where that
    is a number.
    """

    name: str
    about: str
    forms: Forms
    numbers: Mapping[str, Number] = field(default_factory=dict)
    times: Mapping[str, Expr] = field(default_factory=dict)
    because: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Expr:
        """The sum of its parts."""
        return Add(*self.forms.values())


def kind_of(name: str) -> Kind:
    """What a name stands for; what is no name at all is a formula.

    >>> [kind_of(name).name for name in ("6ND", "textbook+flash", "llama-2-7b", "adamw", "6*N*D")]
    ['TOOL', 'CONVENTION', 'MODEL', 'OPTIMIZER', 'FORMULA']
    """
    if name.lower() in ALIASES:
        return Kind.TOOL
    if name.partition("+")[0].strip() in CONVENTIONS:
        return Kind.CONVENTION
    if name in LETTERS or name in known_models() or Path(name).suffix in (".json", ".toml"):
        return Kind.MODEL
    if name in OPTIMIZERS:
        return Kind.OPTIMIZER
    if re.split(r"[+,]", name)[0].strip() in (*LAYOUTS, *COMPOSED):
        return Kind.LAYOUT
    return Kind.PRECISION if name in PRECISIONS else Kind.FORMULA


@dataclass(frozen=True)
class Setting:
    """What both sides share: the model and how it is derived, unless a side is just that."""

    model: Any = None
    under: str = "textbook"
    given: Mapping[str, Any] = field(default_factory=dict)
    optimizer: str = "adamw"
    precision: str | None = None
    notation: str = "lecture"

    def costs(self, kind: Kind | None = None, name: str = "") -> Costs:
        """The costs with one of the choices replaced by a side's name."""
        changed = {
            Kind.MODEL: {"model": name},
            Kind.CONVENTION: {"under": name},
            Kind.OPTIMIZER: {"optimizer": name},
            Kind.PRECISION: {"precision": name},
            Kind.LAYOUT: {"layout": name},
        }.get(kind, {}) if kind else {}  # fmt: skip
        chosen: dict[str, Any] = {
            "model": self.model or "llama", "under": self.under, "given": self.given,
            "optimizer": self.optimizer, "precision": self.precision, **changed,
        }  # fmt: skip
        return derive(chosen.pop("model"), **chosen)

    @cached_property
    def plain(self) -> Costs:
        """The costs that tools' multiples are of: every product once."""
        return derive(self.model or "llama", under="textbook", given=self.given, optimizer=self.optimizer)

    @cached_property
    def parts(self) -> Parts:
        """The model taken apart."""
        return Parts(self.plain)


def quantities(first: str, second: str, notation: str = "lecture", bare: bool = False) -> tuple[str, ...]:
    """What to compare where nobody says: what both count. Raises UsageError where that is nothing."""
    kinds = kind_of(first), kind_of(second)
    if Kind.TOOL in kinds:
        counted = [
            tool(name).quantities
            for name, kind in zip((first, second), kinds, strict=True)
            if kind is Kind.TOOL
        ]
        common = [quantity for quantity in counted[0] if quantity in counted[-1]]
        if not common:
            raise UsageError(
                f"{first} counts {_listed(counted[0])}, {second} {_listed(counted[1])}: nothing to compare."
            )
        return (common[0],)
    if bare:
        return ("",)
    if Kind.FORMULA in kinds:
        named = second if kinds[0] is Kind.FORMULA else first
        formulas = [name for name, kind in zip((first, second), kinds, strict=True) if kind is Kind.FORMULA]
        if len(formulas) == 2 or any(read(formula, notation).has(s.D) for formula in formulas):
            return (BATCH_FLOPS,)
        raise UsageError(f"{named} has many quantities. Say which, as in --quantity saved_activations.")
    if kinds[0] is not kinds[1]:
        raise UsageError(
            f"{first} is {kinds[0].value} and {second} {kinds[1].value}: nothing to compare. "
            "Give two of a kind."
        )
    return USUAL[kinds[0]]


def _listed(names: Collection[str]) -> str:
    return " and ".join(BATCH_WORDS if name == BATCH_FLOPS else name for name in names)


BATCH_WORDS = "FLOPs of one batch"


def read(formula: str, notation: str = "lecture") -> Expr:
    """A formula in a notation's letters, as one in the glossary's. Raises UsageError where it cannot be read.

    >>> read("72*b*s*l*h**2", "megatron")
    72*L*b*c*d**2
    """
    if notation not in NOTATIONS:
        raise UnknownName(f"'{notation}' is not a notation. {nearest(notation, NOTATIONS)}")
    theirs = {name: ours for ours, name in NOTATIONS[notation].letters.items()}
    try:
        form = read_expression(formula, theirs)
    except (ReadError, UnknownSymbol) as error:
        if NAME.fullmatch(formula):
            known = [
                *tools.TOOLS,
                *CONVENTIONS,
                *LETTERS,
                *known_models(),
                *OPTIMIZERS,
                *PRECISIONS,
                *LAYOUTS,
            ]
            raise UnknownName(
                f"'{formula}' is no tool, convention, model, optimizer, precision or layout. "
                + nearest(formula, known, "See symcost list tools, or write a formula such as 6*N*D.")
            ) from None
        raise UsageError(f"'{formula}': {error}") from None
    return form.xreplace({Symbol(name, positive=True): s.symbol(ours) for name, ours in theirs.items()})


def side(name: str, quantity: str, setting: Setting, other: str) -> Side:
    """One side of a comparison of `quantity`, in parts that the other side counts as well."""
    kind = kind_of(name)
    if kind is Kind.FORMULA:
        return _of_formula(name, quantity, setting, kind_of(other))
    if kind is Kind.TOOL:
        return _of_tool(name, quantity, setting, other)
    costs = setting.costs(kind, name)
    known = costs["forward_flops"].known({})
    about = {
        Kind.CONVENTION: costs.convention.source,
        Kind.MODEL: costs.model.source,
        Kind.OPTIMIZER: costs.optimizer.source,
        Kind.PRECISION: costs.precision.source,
        Kind.LAYOUT: laid_out(name).source if kind is Kind.LAYOUT else "",
    }[kind]
    if quantity == BATCH_FLOPS:
        forms = Parts(costs).grouped(passes(costs))
        times = {} if kind is Kind.MODEL else _times(forms, setting.parts.flops)
        return Side(name, about, forms, known, times)
    if quantity not in QUANTITIES:
        raise UnknownName(f"'{quantity}' is not a quantity. {nearest(quantity, [*QUANTITIES, BATCH_FLOPS])}")
    if quantity == "parameters" and kind_of(other) is Kind.TOOL:
        return Side(name, about, Parts(costs).parameters, known)
    group = _grouping(kind, kind_of(other), quantity)
    forms, because = _grouped(costs[quantity], group)
    if kind not in (Kind.CONVENTION, Kind.OPTIMIZER):
        because = {}
    return Side(name, about, forms, known, because=because)


def passes(costs: Costs) -> Terms:
    """Forward, backward and recomputed FLOPs of one batch; the update of the parameters apart."""
    found = costs[PASSES[0]]
    for each in PASSES[1:]:
        found = found + costs[each]
    return found


def _times(forms: Forms, base: Forms) -> dict[str, Expr]:
    """How often each part's forward FLOPs are counted, where that is a number."""
    found = {}
    for part, form in forms.items():
        if part in base and form:
            ratio = cancel(form / base[part])
            if ratio.is_Rational:
                found[part] = ratio
    return found


Group = Callable[[Term], str]


def _grouping(kind: Kind, other: Kind, quantity: str) -> Group:
    """By what a quantity's terms are held against those of the other side."""
    if other is Kind.TOOL:
        return _part_of_memory
    if other is Kind.MODEL:
        return lambda term: term.place
    if quantity == "optimizer_flops":
        return lambda term: str(term.because).partition(": ")[2]
    if quantity == "optimizer_memory":
        return lambda term: term.tensor.partition(" of ")[0]
    if kind in (Kind.OPTIMIZER, Kind.PRECISION, Kind.LAYOUT):
        return lambda term: _MEMORIES.get(term.quantity, term.place)
    return lambda term: f"{term.tensor} ({term.place})"


_MEMORIES = {
    "parameter_memory": tools.WEIGHTS,
    "gradient_memory": tools.GRADIENTS,
    "optimizer_memory": tools.STATES,
}


def _part_of_memory(term: Term) -> str:
    if term.quantity in _MEMORIES:
        return _MEMORIES[term.quantity]
    if term.place.startswith("block"):
        return tools.IN_BLOCKS
    return tools.AT_INPUT if term.place.startswith("embedding") else tools.AT_HEAD


def _grouped(terms: Terms, group: Group) -> tuple[Forms, dict[str, str]]:
    """The sum of each group, and the reason that all its terms share."""
    found: dict[str, list[Term]] = {}
    for term in terms:
        found.setdefault(group(term), []).append(term)
    because = {}
    for name, alike in found.items():
        reasons = {
            str(term.because).partition(": ")[2] if len(alike) > 1 else str(term.because) for term in alike
        }
        if len(reasons) == 1:
            because[name] = reasons.pop()
    return {name: Add(*(term.total for term in alike)) for name, alike in found.items()}, because


# ----------------------------------------------------------------------------------------- tools and formulas


def _of_tool(name: str, quantity: str, setting: Setting, other: str) -> Side:
    called = tool(name)
    counts = {count.quantity: count for count in called.counts}
    if quantity not in counts:
        raise UsageError(
            f"{called.name} does not count {quantity}, but {_listed(called.quantities)}. Ask for that."
        )
    about = f"{called.source}; {called.note}" if called.note else called.source
    known = setting.plain["forward_flops"].known({})
    count = counts[quantity]
    if quantity in (BATCH_FLOPS, "parameters"):
        base = setting.parts.flops if quantity == BATCH_FLOPS else setting.parts.parameters
        forms = applied(count, base)
        times = _times(forms, base) if quantity == BATCH_FLOPS else {}
        return Side(called.name, about, forms, known, times)
    in_letters = setting.model is not None or kind_of(other) not in (Kind.TOOL, Kind.FORMULA)
    own = {s.N: setting.plain["parameters"].total} if in_letters else {}
    ties = dict(setting.plain.ties)
    forms = {part: form.xreplace(own).xreplace(ties) for part, form in count.forms.items()}
    return Side(called.name, about, forms, known)


def _of_formula(formula: str, quantity: str, setting: Setting, other: Kind) -> Side:
    form = read(formula, setting.notation)
    shown = text(form, NOTATIONS[setting.notation])
    if not quantity:
        own = (
            {s.N: setting.plain["parameters"].total, **setting.plain.ties}
            if setting.model is not None
            else {}
        )
        return Side(shown, "", _by_monomial(form.xreplace(own)), _numbers(setting))
    costs = setting.plain
    known = costs["forward_flops"].known({})
    form = form.xreplace(dict(costs.ties))
    if quantity == BATCH_FLOPS:
        forms = in_parts(form, setting.parts)
        return Side(shown, "", forms, known, _times(forms, setting.parts.flops))
    return Side(shown, "", _by_monomial(form.xreplace({s.N: costs["parameters"].total})), known)


def _numbers(setting: Setting) -> Mapping[str, Number]:
    if setting.model is not None:
        return setting.plain["forward_flops"].known({})
    from symcost.terms import counted

    return {
        name: counted(name, value)
        for name, value in setting.given.items()
        if not isinstance(value, str | Expr)
    }


def _by_monomial(form: Expr) -> Forms:
    """Each summand under its own name: its letters, without the number."""
    found: Forms = {}
    for summand in Add.make_args(expand(form)):
        letters = summand.as_coeff_Mul()[1]
        found[text(letters)] = found.get(text(letters), Integer(0)) + summand
    return found


def in_parts(form: Expr, parts: Parts) -> Forms:
    """A formula for the FLOPs of a batch in the model's parts: 6·N·D by parameter, 96·Lbcd² by product.

    D stands for the b·c tokens of the batch, N for the parameters. What fits no part is "other terms".
    """
    spread = expand(form.xreplace({s.D: TOKENS}))
    each = spread.coeff(s.N, 1)
    found: Forms = {part: expand(each * amount) for part, amount in parts.parameters.items()} if each else {}
    if each and tools.EMBEDDING in found and tools.EMBEDDING not in parts.flops:
        found[tools.HEAD] = found.pop(tools.EMBEDDING)  # the head's own, where they are shared
    left = _monomials((spread - expand(each * s.N)).xreplace({s.N: parts.costs["parameters"].total}))
    for group in _alike({part: parts.flops[part] for part in tools.PRODUCTS if part in parts.flops}):
        share = _monomials(Add(*(parts.flops[part] for part in group)))
        ratios = {left[letters] / amount for letters, amount in share.items() if letters in left}
        if len(ratios) == 1 and share.keys() <= left.keys():
            times = ratios.pop()
            for letters in share:
                del left[letters]
            for part in group:
                found[part] = found.get(part, Integer(0)) + times * parts.flops[part]
    rest = Add(*(letters * amount for letters, amount in left.items()))
    return {**found, OTHER: rest} if rest else found


def _monomials(form: Expr) -> dict[Expr, Expr]:
    pairs = (summand.as_coeff_Mul() for summand in Add.make_args(expand(form)) if summand)
    return {letters: number for number, letters in pairs}


def _alike(base: Forms) -> list[list[str]]:
    """Parts that share a product of letters, as those of 4d² and 8d² parameters: not to be told apart."""
    groups: list[tuple[set[Expr], list[str]]] = []
    for part, form in base.items():
        letters, names = set(_monomials(form)), [part]
        for group in [each for each in groups if each[0] & letters]:
            groups.remove(group)
            letters |= group[0]
            names = [*group[1], *names]
        groups.append((letters, names))
    return [names for _, names in groups]


def aligned(first: Side, second: Side) -> tuple[Side, Side]:
    """Both sides by their products of letters, where their parts have no name in common."""
    if first.forms.keys() & second.forms.keys() or not first.forms or not second.forms:
        return first, second
    return replace(first, forms=_by_monomial(first.total)), replace(second, forms=_by_monomial(second.total))
