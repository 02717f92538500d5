"""The live page: the closed forms as JavaScript and as trees, so that a page can put any numbers in."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any, NamedTuple

from sympy import Expr, Integer, Poly, PolynomialError, Symbol

from symcost.conventions import convention
from symcost.derive import Derivation
from symcost.errors import SymcostError
from symcost.lower import lower
from symcost.notation.arranging import (
    Call,
    Group,
    Letter,
    Node,
    Power,
    Product,
    Quotient,
    Root,
    Sum,
    arranged,
)
from symcost.notation.arranging import Number as Figure
from symcost.notation.printing import JavaScript, Piece, Text, latex_name
from symcost.report.blocks import Document, Of
from symcost.report.lecture.flops import by_growth
from symcost.report.lecture.limits import shortcut
from symcost.report.lecture.talk import NAMES, Talk, named
from symcost.report.steps import beside, ratio, worked_out
from symcost.symbols import GLOSSARY, QUANTITIES, SYMBOLS, Notation
from symcost.tables.gpus import GPUS
from symcost.tables.optimizers import OPTIMIZERS
from symcost.tables.precisions import PRECISIONS, states
from symcost.terms import Number, Terms
from symcost.training import TOKENS, Costs

# Conventions that the page offers beside the report's own.
OFFERED = (
    "textbook", "textbook+flash", "textbook+checkpoint", "textbook+flash+checkpoint", "megatron-2022",
    "megatron-2022+selective", "torch-eager", "torch-compile", "torch-fused", "hf-bf16", "autocast", "jax",
)  # fmt: skip

# What the fields begin with where neither the reader nor the model's source gives a number.
STARTS: Mapping[str, Number] = {
    "b": 1, "c": 2048, "d": 4096, "d_ff": 11008, "h": 32, "h_kv": 32, "d_k": 128, "L": 32, "v": 32000,
    "v_0": 32000, "c_max": 4096, "E": 8, "k": 2, "d_expert": 14336, "d_shared": 14336, "D": 10**9,
    "MFU": Fraction(2, 5), "HFU": Fraction(1, 2), "price": 2, "w": 4,
}  # fmt: skip
START_GPU = "a100-80gb"
OTHERWISE = 16  # for any other letter

SUMS: Mapping[str, tuple[str, ...]] = {
    "static_memory": ("parameter_memory", "gradient_memory", "optimizer_memory"),
    "peak_memory": ("parameter_memory", "gradient_memory", "optimizer_memory", "activation_memory"),
}
PASSES = ("forward_flops", "backward_flops", "recompute_flops")


@dataclass
class Forms:
    """Forms and words by number, each once: `functions` in JavaScript, `trees` for the page's own pen.

    What a line with values in between works out (an inner sum, a product of the outer one) is a form of its
    own, which functions and trees refer to. `letters` are those of all forms that were asked for.
    """

    notation: Notation
    functions: list[str] = field(default_factory=list)
    trees: list[Any] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    letters: dict[str, None] = field(default_factory=dict)
    _forms: dict[Any, int] = field(default_factory=dict)
    _words: dict[str, int] = field(default_factory=dict)

    def form(self, form: Expr) -> int:
        """The number of a form."""
        self.letters |= dict.fromkeys(sorted(symbol.name for symbol in form.free_symbols))
        if form not in self._forms:
            tree = arranged(form, self.notation)
            self._forms[form] = self._add(worked_out(tree, self._part), worked_out(beside(tree), self._part))
        return self._forms[form]

    def multiple(self, costs: Costs, quantity: str, of: str, called: str) -> int:
        """A quantity as a number times another, 4N, where it is that, else its form."""
        total = costs[quantity].total
        factor = ratio(total, costs[of].total)
        return self.form(total if factor is None else factor * named(called))

    def sum_of(self, quantities: Sequence[str]) -> int:
        """A sum of quantities by their names on the board, in this order."""
        names = [named(NAMES[quantity]) for quantity in quantities]
        tree = Sum(tuple((False, Letter(name)) for name in names))
        return self._add(tree, tree)

    def word(self, word: str) -> int:
        if word not in self._words:
            self._words[word] = len(self.words)
            self.words.append(word)
        return self._words[word]

    def terms(self, terms: Terms, reasons: dict[tuple[str, str], int]) -> list[list[int]]:
        """Each term as amount, times, tensor, place, reason; `reasons` are those told before, by place and tensor."""
        rows = []
        for term in terms:
            key = (term.place, term.tensor)
            if key not in reasons:
                reasons[key] = self.word(term.reason)
            sizes = [self.form(term.amount), self.form(term.times)]
            rows.append([*sizes, self.word(term.tensor), self.word(term.place), reasons[key]])
        return rows

    def _part(self, node: Node) -> Node:
        return Letter(Symbol(f"{PART}{self._add(node, node)}"))

    def _add(self, computed: Node, written: Node) -> int:
        if (computed, written) not in self._forms:
            self._forms[computed, written] = len(self.trees)
            self.functions.append(f"k=>{_Computed().write(computed).signs}")
            self.trees.append(plain_tree(written))
        return self._forms[computed, written]


PART = "#"  # before the number of a form that is part of another


class _Computed(JavaScript):
    """JavaScript in which letters are looked up in `k`, and parts of a form are worked out from it."""

    def name(self, name: str) -> Piece:
        return Piece(f"F[{name.removeprefix(PART)}](k)" if name.startswith(PART) else f"k.{name}")


def plain_tree(node: Node) -> Any:
    """A tree as lists: numbers and letters as they are, else a sign and what it joins."""
    match node:
        case Figure(value):
            whole = Fraction(value)
            return int(whole) if whole.denominator == 1 else ["/", whole.numerator, whole.denominator]
        case Letter(symbol):
            name = str(symbol.name)
            return [PART, int(name.removeprefix(PART))] if name.startswith(PART) else name
        case Sum(items):
            return ["+", *(piece for negative, item in items for piece in (int(negative), plain_tree(item)))]
        case Group(inside):
            return ["(", plain_tree(inside)]
        case Product(factors):
            return ["*", *map(plain_tree, factors)]
        case Quotient(above, below):
            return ["/", plain_tree(above), plain_tree(below)]
        case Power(base, exponent):
            return ["^", plain_tree(base), plain_tree(exponent)]
        case Root(inside):
            return ["√", plain_tree(inside)]
        case Call(function, arguments):
            return ["f", function, *map(plain_tree, arguments)]
    raise TypeError(f"{type(node).__name__} is no part of a form")


class Page(NamedTuple):
    """The style of a page, its script and data, and the policy under which nothing else is loaded or run."""

    style: str
    script: str
    data: str
    policy: str
    numbers: Mapping[Expr, int]

    def key(self, of: Of) -> str:
        """How the page's script is told which number stands in a place."""
        return " ".join(str(self.numbers[part]) if isinstance(part, Expr) else part for part in of)


def page(document: Document) -> Page:
    """What makes a document a page that recomputes.

    Without talks there is nothing to put numbers into, and no script; under a layout the page stands still,
    since its controls know no mesh. One talk makes one panel; two stand side by side.
    """
    talks = () if document.stands_still else document.talks
    style, script, data = _asset("html/style.css") + _asset("live/live.css"), "", ""
    numbers: dict[Expr, int] = {}
    if talks:
        forms = Forms(talks[0].notation)
        panels = [_panel(talk, forms) for talk in talks]
        numbers = {form: forms.form(form) for form in document.forms()}
        data = in_script(_data(talks, panels, forms))
        functions = ",\n".join(forms.functions)
        parts = "\n".join(_asset(f"live/{name}.js") for name in ("numbers", "formulas", "charts", "live"))
        script = f'"use strict";\n(() => {{\nconst F = [\n{functions}\n];\n{parts}}})();\n'
    runs = f"script-src {digest(script)}; " if script else ""
    policy = (
        f"default-src 'none'; {runs}style-src-elem {digest(style)}; style-src-attr 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return Page(style, script, data, policy, numbers)


def _data(talks: Sequence[Talk], panels: Sequence[Mapping[str, Any]], forms: Forms) -> dict[str, Any]:
    names = {"parameters": "N", **NAMES, "flops_per_token": "F_token"}
    del names["memory_per_sequence"]  # M_sequence is what a sequence adds: the rest of it is M_fixed
    tied = [name for panel in panels for name, _ in panel["ties"]]
    letters = [*forms.letters, *tied, *names.values(), "M_fixed", "M_sequence", "M_decimal", "M"]
    return {
        "letters": {name: _letter(name, talks[0].notation) for name in dict.fromkeys(letters)},
        "names": names,
        "meanings": {each.name: [each.meaning, each.unit] for each in QUANTITIES.values()},
        "trees": forms.trees,
        "words": forms.words,
        "panels": panels,
    }


def in_script(data: Any) -> str:
    r"""JSON that may stand inside a script element: nothing in it ends the element.

    >>> in_script("</script>&")
    '"\\u003c/script\\u003e\\u0026"'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})


def digest(text: str) -> str:
    """How a content security policy names an inline script or style.

    >>> digest("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    return (
        resources.files("symcost.report").joinpath("templates", *name.split("/")).read_text(encoding="utf-8")
    )


def _letter(name: str, notation: Notation) -> dict[str, Any]:
    """How a letter is written, and what it counts."""
    shown = notation.letters.get(name, name)
    entry = GLOSSARY.get(name)
    written: dict[str, Any] = {"text": Text(notation).name(shown).signs, "latex": latex_name(shown)}
    if entry is not None:
        written |= {"meaning": entry.meaning, "unit": entry.unit, "whole": entry.whole, "most": entry.most}
    return written


# ------------------------------------------------------------------------------------------- one panel


def _panel(talk: Talk, forms: Forms) -> dict[str, Any]:
    costs = talk.costs
    earlier, forms.letters = forms.letters, {}
    names = list(dict.fromkeys([costs.convention.name, *OFFERED]))
    conventions = [each for each in (_convention(talk, name, forms) for name in names) if each]
    ties = {symbol.name: form for symbol, form in costs.ties.items()}
    made = {
        "model": costs.model.name,
        "parameters": forms.form(costs["parameters"].total),
        "conventions": conventions,
        "precisions": [_precision(costs, name, forms) for name in PRECISIONS],
        "optimizers": [_optimizer(costs, name, forms) for name in OPTIMIZERS],
        "sums": {quantity: forms.sum_of(parts) for quantity, parts in SUMS.items()},
        "run": _run(costs, forms),
        "shortcut": _shortcut(costs, forms),
        "ties": [[name, forms.form(form)] for name, form in ties.items()],
    }
    own = {NAMES[quantity] for quantity in NAMES} | {"N", "peak", "M", "M_fixed", "M_sequence", "M_decimal"}
    used = forms.letters.keys() - own - ties.keys()
    forms.letters |= earlier
    letters = [name for name in GLOSSARY if name in used | {"n"}]
    known = talk.known
    start = {name: float(known.get(name, STARTS.get(name, OTHERWISE))) for name in letters}
    if "c" in start and "c_max" in known:
        start["c"] = min(start["c"], float(known["c_max"]))
    made["under"], made["optimizer"] = costs.convention.name, costs.optimizer.name
    made["precision"] = "" if costs.precision.name == costs.convention.precision else costs.precision.name
    return {**made, "start": start, "gpus": _gpus(talk)}


def _convention(talk: Talk, name: str, forms: Forms) -> dict[str, Any] | None:
    """What a convention keeps and computes; None where the model cannot be read under it."""
    costs, under = talk.costs, convention(name)
    try:
        program = lower(costs.model.loss, under)
        memory, reasons = {}, dict[tuple[str, str], int]()
        for element in ("fp32", "bf16"):
            there = _beside(costs, under, Derivation(program, element))
            memory[element] = {
                "total": forms.multiple(there, "activation_memory", "saved_activations", "N_A"),
                "terms": forms.terms(there["activation_memory"], reasons),
                "straight": all(_straight(term.amount) for term in there["activation_memory"]),
            }
        shares = [
            [name, forms.form(part.total)] for name, part in by_growth(there["forward_flops"], "c").items()
        ]
        made = {
            "saved_activations": forms.form(there["saved_activations"].total),
            "forward_flops": forms.form(there["forward_flops"].total),
            "backward_flops": forms.multiple(there, "backward_flops", "forward_flops", "F_forward"),
            "recompute_flops": forms.form(there["recompute_flops"].total),
            "step_flops": _step(there, forms),
            "training_time": forms.form(_time(costs, again=bool(there["recompute_flops"].terms))),
        }
    except SymcostError:
        return None
    return {
        "name": under.name,
        "precision": under.precision,
        "memory": memory,
        "shares": shares,
        "forms": made,
    }


def _beside(costs: Costs, under: Any, derivation: Derivation) -> Costs:
    """The same model under another convention, already lowered."""
    there = copy(costs)
    there.convention, there.derivation, there._found = under, derivation, {}
    return there


@cache
def _straight(amount: Expr) -> bool:
    """Whether an amount grows by the same with every sequence, or not at all."""
    try:
        return bool(Poly(amount, SYMBOLS["b"]).degree() <= 1)
    except PolynomialError:
        return False


def _with(costs: Costs, **parts: Any) -> Costs:
    """The same model under another optimizer or precision, with the parameters already derived."""
    there = copy(costs)
    there._found = {"parameters": costs["parameters"]}
    for name, part in parts.items():
        setattr(there, name, part)
    return there


def _precision(costs: Costs, name: str, forms: Forms) -> dict[str, Any]:
    precision = PRECISIONS[name]
    there = _with(costs, precision=precision)
    return {
        "name": name,
        "matmul": precision.matmul,
        "element": "fp32" if precision.activation == 4 else "bf16",
        **{
            quantity: forms.multiple(there, quantity, "parameters", "N")
            for quantity in ("parameter_memory", "gradient_memory")
        },
    }


def _optimizer(costs: Costs, name: str, forms: Forms) -> dict[str, Any]:
    """FLOPs of an update, and for each precision the states' bytes."""
    optimizer = OPTIMIZERS[name]
    found: dict[int, int] = {}
    memory = {}
    for precision in PRECISIONS.values():
        size = sum(state.bytes or 0 for state in states(optimizer, precision))
        if size not in found:
            there = _with(costs, optimizer=optimizer, precision=precision)
            found[size] = forms.multiple(there, "optimizer_memory", "parameters", "N")
        memory[precision.name] = found[size]
    there = _with(costs, optimizer=optimizer)
    flops = forms.multiple(there, "optimizer_flops", "parameters", "N")
    return {"name": name, "optimizer_flops": flops, "optimizer_memory": memory}


def _run(costs: Costs, forms: Forms) -> dict[str, int]:
    """The run and its money in the names of what was found before."""
    names = {quantity: named(called) for quantity, called in NAMES.items()}
    found = {
        "flops_per_token": (names["forward_flops"] + names["backward_flops"]) / TOKENS,
        "steps": costs["steps"].total,
        "training_flops": names["step_flops"] * _seen(costs),
        "gpu_hours": SYMBOLS["n"] * names["training_time"] / 3600,
        "cost": names["gpu_hours"] * SYMBOLS["price"],
    }
    return {quantity: forms.form(form.xreplace(costs.ties)) for quantity, form in found.items()}


def _shortcut(costs: Costs, forms: Forms) -> int | None:
    """The usual shortcut to the largest batch, with a memory of powers of ten."""
    found = shortcut(costs)
    return found and forms.form(found.form.xreplace({SYMBOLS["M"]: named("M_decimal")}))


def _step(costs: Costs, forms: Forms) -> int:
    """The FLOPs of a step by the names of its parts, those that there are."""
    passes = [quantity for quantity in PASSES if costs[quantity].terms]
    if "accumulation" not in costs.given:
        return forms.sum_of([*passes, "optimizer_flops"])
    batch = sum((named(NAMES[quantity]) for quantity in passes), Integer(0))
    return forms.form(SYMBOLS["accumulation"] * batch + named(NAMES["optimizer_flops"]))


def _many(costs: Costs) -> Expr:
    """How many batches a step sees."""
    return SYMBOLS["accumulation"] if "accumulation" in costs.given else Integer(1)


def _seen(costs: Costs) -> Expr:
    """How many steps' worth of tokens the run sees."""
    return SYMBOLS["epochs"] * SYMBOLS["D"] / (TOKENS * _many(costs))


def _time(costs: Costs, again: bool) -> Expr:
    """The time of the run: what is computed again is no work of the model, but work of the hardware."""
    by_hardware = "HFU" in costs.given
    step = named(NAMES["step_flops"])
    done = step - _many(costs) * named(NAMES["recompute_flops"]) if again and not by_hardware else step
    rate = SYMBOLS["n"] * SYMBOLS["peak"] * SYMBOLS["HFU" if by_hardware else "MFU"]
    return (_seen(costs) * done / rate).xreplace(costs.ties)


def _gpus(talk: Talk) -> list[dict[str, Any]]:
    """The report's own GPU first, then all others; `peak` is by element type."""
    chosen = talk.gpu.name if talk.gpu is not None else START_GPU
    cards = sorted(GPUS.values(), key=lambda card: card.name != chosen)
    rows: list[dict[str, Any]] = [
        {"name": card.name, "memory": card.memory, "peak": dict(card.peak),
         "price": None if card.price is None else float(card.price)}
        for card in cards
    ]  # fmt: skip
    own = talk.known.get("peak")
    kind = talk.costs.precision.matmul
    if own is not None and rows[0]["peak"].get(kind) != own:
        given = {
            **rows[0],
            "name": f"{rows[0]['name']}, peak as given",
            "peak": dict.fromkeys(_kinds(), int(own)),
        }
        rows.insert(0, given)
    return rows


def _kinds() -> Iterable[str]:
    return dict.fromkeys(precision.matmul for precision in PRECISIONS.values())
