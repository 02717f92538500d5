"""What a report talks about, and how each result is put on the board."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from sympy import Expr, Integer, Symbol

from symcost.errors import NoLimit
from symcost.layouts.timing import StepTime
from symcost.report.blocks import Block, Break, Code, Equation, Line, Math, Substitution, joined
from symcost.report.lecture.examples import Example
from symcost.report.recipe import Recipe
from symcost.report.steps import Board, exact, name, ratio, together, valued
from symcost.rules import TEXT
from symcost.solve import Limit, solve
from symcost.symbols import NOTATIONS, Notation
from symcost.tables.gpus import Gpu
from symcost.tensors import size_of
from symcost.terms import GradientReads, Number, Term, Terms, evaluator
from symcost.training import Costs
from symcost.training.across import Across, Links

# What a lecturer calls each quantity on the board.
NAMES: Mapping[str, str] = {
    "saved_activations": "N_A",
    "parameter_memory": "M_parameters",
    "gradient_memory": "M_gradients",
    "optimizer_memory": "M_optimizer",
    "activation_memory": "M_activations",
    "static_memory": "M_static",
    "memory_per_sequence": "M_sequence",
    "peak_memory": "M_peak",
    "forward_flops": "F_forward",
    "backward_flops": "F_backward",
    "recompute_flops": "F_again",
    "optimizer_flops": "F_update",
    "step_flops": "F_step",
    "steps": "steps",
    "training_flops": "F_training",
    "training_time": "T_training",
    "gpu_hours": "H",
    "cost": "cost",
}
OF_ONE_DEVICE: Mapping[str, str] = {
    "message_bytes": "B_sent",
    "memory_traffic": "B_moved",
    "bubble": "bubble",
}


def named(called: str) -> Symbol:
    """A quantity of the board as a symbol, so that forms can be written in it."""
    return Symbol(called, positive=True)


@dataclass(frozen=True)
class Talk:
    """The costs, the numbers put in, a GPU for the limits, and the letters to write in."""

    costs: Costs
    numbers: Mapping[str, Number] = field(default_factory=dict)
    gpu: Gpu | None = None
    notation: Notation = NOTATIONS["lecture"]
    example: Example | None = None
    recipe: Recipe = field(default_factory=Recipe)
    links: Links = field(default_factory=dict)

    # One device of many.

    @property
    def across(self) -> Across | None:
        """The costs where they are those of one device of a layout."""
        return self.costs if isinstance(self.costs, Across) else None

    @property
    def count(self) -> str:
        """What the parameters here are called: N of the model, or N_device of one device."""
        return "N" if self.across is None else "N_device"

    @cached_property
    def step_time(self) -> StepTime | None:
        """The bounds of one step's time, on a GPU of a layout whose numbers suffice."""
        counted = ("step_flops", *OF_ONE_DEVICE)
        if self.across is None or self.gpu is None or any(self.value(each) is None for each in counted):
            return None
        return self.across.step_time(self.gpu, self.links, **self.numbers)

    # Numbers.

    @cached_property
    def known(self) -> dict[str, Number]:
        """The numbers put in, the model's own, and what follows by ties."""
        return self.costs["peak_memory"].known(self.numbers)

    @cached_property
    def board(self) -> Board:
        """The board with all numbers: those of letters, and those of the quantities named on it."""
        values: dict[str, Number] = dict(self.known)
        if self.across is not None:
            whole = self.value(self.across.whole["parameters"])
            values |= {"N": whole} if whole is not None else {}
        for quantity, called in (("parameters", self.count), *NAMES.items()):
            value = self.value(quantity)
            if value is not None:
                values[called] = value
        return Board(self.notation, values)

    def value(self, of: str | Terms) -> Number | None:
        """The exact value of a quantity, where every letter has a number."""
        terms = self.costs[of] if isinstance(of, str) else of
        if any(letter not in self.known for letter in terms.letters):
            return None
        return evaluator(terms.total)(self.known)

    # Names and forms.

    @cached_property
    def letters_alone(self) -> Board:
        return Board(self.notation)

    def letter(self, letter: str) -> Math:
        """A letter as the notation writes it."""
        return self.letters_alone.letter(letter)

    def form(self, expression: Expr) -> Math:
        """A form in the notation's letters."""
        return self.letters_alone.form(expression)

    def name(self, quantity: str) -> Math:
        """What a quantity is called on the board."""
        if quantity == "parameters":
            return self.letter("N") if self.across is None else name(self.count)
        return name({**NAMES, **OF_ONE_DEVICE}[quantity])

    def axes(self, axes: Iterable[str]) -> Math:
        """Lengths with crosses between: d × d_ff."""
        lengths = [self.axis(axis) for axis in axes]
        return Math(
            r"\times ".join(each.latex for each in lengths), " × ".join(each.text for each in lengths)
        )

    def axis(self, axis: str) -> Math:
        """The length of one axis in letters: h + 2h_kv in brackets, c' with its prime."""
        bare = axis.rstrip("'")
        form = self.form(size_of((bare,)))
        if "+" in bare:
            return Math(rf"\left({form.latex}\right)", f"({form.text})")
        primes = "'" * (len(axis) - len(bare))
        return Math(form.latex + primes, form.text + primes)

    def gradient(self, gradient: GradientReads) -> Math:
        """∂W_Q = x_normᵀ·∂Q."""
        return Math(gradient.latex, gradient.formula(TEXT))

    # Forms in the names of quantities found before.

    def multiple(self, quantity: str, of: str, called: str) -> Expr | None:
        """A quantity as a number times another (4N, 2F_forward), where it is that."""
        factor = ratio(self.costs[quantity].total, self.costs[of].total)
        return None if factor is None else factor * named(called)

    def by_parameters(self, quantity: str) -> Expr | None:
        """A quantity as a number times N, where it is that."""
        return self.multiple(quantity, "parameters", self.count)

    def by_counts(self) -> Expr | None:
        """The peak as 16N + 4N_A, where it is that."""
        static = self.by_parameters("static_memory")
        saved = self.multiple("activation_memory", "saved_activations", "N_A")
        return None if static is None or saved is None else static + saved

    def verified(self, quantity: str, form: Expr) -> Expr | None:
        """A form in names of the board, if it is what the quantity's terms add up to."""
        quantities = {named(called): each for each, called in NAMES.items()}
        quantities[named(self.count)] = "parameters"
        totals = {
            symbol: self.costs[quantities[symbol]].total for symbol in form.free_symbols & quantities.keys()
        }
        return (
            form
            if ratio(form.xreplace(totals).xreplace(self.costs.ties), self.costs[quantity].total) == 1
            else None
        )

    # Results.

    def result(
        self, quantity: str, by_name: Expr | None = None, sum_of: Sequence[str] = (), both: bool = False
    ) -> list[Block]:
        """A quantity in letters, with the numbers put in, and as a value; where numbers lack, in letters.

        `by_name` is the form in names of quantities found before (4N), which then stands for the closed form
        (`both`: beside it); `sum_of` names quantities that it is the sum of.
        """
        terms, called = self.costs[quantity], self.name(quantity)
        letters: list[Math] = [together(*map(self.name, sum_of), sign="+")] if sum_of else []
        letters += [self.form(by_name)] if by_name is not None else []
        if by_name is None or sum_of or both:
            letters.append(self.board.factored(terms.total))
        value = self.value(terms)
        if value is None:
            return [Equation(called, tuple(letters), of=quantity)]
        unit = "parameters" if quantity == "parameters" else terms.unit
        if sum_of and by_name is None:
            numbers = [together(*(exact(self.value(part) or 0) for part in sum_of), sign="+")]
        else:
            form = terms.total if by_name is None else by_name
            numbers = [each for each in (self.board.put_in(form), self.board.between(form)) if each]
        return [Substitution(called, tuple(letters), tuple(numbers), valued(value, unit), of=quantity)]

    def one_block(self, quantity: str, called: Math) -> list[Block]:
        """The sum for one block, where there is one kind of block."""
        inside = [term for term in self.costs[quantity] if term.place.split(".")[0] == "block"]
        if not inside or len({term.times for term in inside}) > 1:
            return []
        return [Equation(called, (self.form(added(inside)),), of="block")]

    @cached_property
    def b_max(self) -> Limit | None:
        """The largest batch that fits the GPU, where there is one and the numbers suffice."""
        peak = self.costs["peak_memory"]
        if self.gpu is None or any(letter not in self.known and letter != "b" for letter in peak.letters):
            return None
        try:
            return solve(peak, "b", at_most=self.gpu.memory, given=self.numbers)
        except NoLimit:
            return None

    @property
    def b_max_name(self) -> Math:
        letter = self.letter("b")
        return Math(rf"{letter.latex}_{{\max}}", f"{letter.text}_max")


class Row(NamedTuple):
    """A row of a table about steps or parameters: its label, its cells, and how often it is there."""

    label: str
    cells: tuple[Line, ...]
    times: Expr


def told_once(rows: Iterable[Row]) -> list[tuple[Line, Row]]:
    """Rows that say the same of several kinds of block as one, its labels below each other, its times added."""
    rows = list(rows)
    kinds = len({row.times for row in rows if row.label.startswith("block.")}) > 1
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        inside = row.label.split(".")[2:] if kinds and row.label.startswith("block.") else [row.label]
        found.setdefault((*inside, row.cells), []).append(row)
    return [
        (
            joined((Code(each.label) for each in alike), Break()),
            alike[0]._replace(times=sum((each.times for each in alike), Integer(0))),
        )
        for alike in found.values()
    ]


def added(terms: Iterable[Term]) -> Expr:
    """What terms come to, each once."""
    return sum((term.amount for term in terms), Integer(0))
