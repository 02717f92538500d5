"""The report of a model: the whole derivation in a lecture's order, from costs to a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from sympy import Add, Expr, Integer

import symcost
from symcost.derive import Account
from symcost.notation import latex
from symcost.notation.numbers import grouped, rounded, significant, with_unit
from symcost.notation.printing import latex_name, substituted
from symcost.report.document import (
    Block,
    Bullets,
    Code,
    Document,
    Equation,
    Inline,
    Line,
    Math,
    Paragraph,
    Section,
    Strong,
    Substitution,
    Table,
    Warning,
    line,
)
from symcost.solve import Limit, solve
from symcost.symbols import GIB, GLOSSARY, NOTATIONS, QUANTITIES, Notation
from symcost.tables.gpus import Gpu
from symcost.tables.optimizers import operations
from symcost.tables.precisions import states
from symcost.terms import Number, Term, Terms, evaluator
from symcost.training import Costs

# What a lecturer calls each quantity on the board.
NAMES: Mapping[str, str] = {
    "parameters": "N",
    "saved_activations": "N_A",
    "parameter_memory": r"M_{\mathrm{parameters}}",
    "gradient_memory": r"M_{\mathrm{gradients}}",
    "optimizer_memory": r"M_{\mathrm{optimizer}}",
    "activation_memory": r"M_{\mathrm{activations}}",
    "static_memory": r"M_{\mathrm{static}}",
    "memory_per_sequence": r"M_{\mathrm{sequence}}",
    "peak_memory": r"M_{\mathrm{peak}}",
    "forward_flops": r"F_{\mathrm{forward}}",
    "backward_flops": r"F_{\mathrm{backward}}",
    "recompute_flops": r"F_{\mathrm{again}}",
    "optimizer_flops": r"F_{\mathrm{optimizer}}",
    "step_flops": r"F_{\mathrm{step}}",
    "steps": r"\mathrm{steps}",
    "training_flops": r"F_{\mathrm{training}}",
    "training_time": "T",
    "gpu_hours": r"\mathrm{GPU\text{-}hours}",
    "cost": r"\mathrm{cost}",
}


@dataclass(frozen=True)
class Example:
    """Numbers that a source puts in, where the reader gives none."""

    numbers: Mapping[str, Number]
    gpu: str
    source: str


EXAMPLES: Mapping[str, Example] = {
    "cs190c": Example(
        {"b": 4, "c": 256, "d": 1024, "L": 12, "v": 32000, "h": 16, "D": 103_000_000, "epochs": 5, "n": 4,
         "MFU": Fraction(1, 2)},
        "rtx-3090",
        "CS190C 2026, lecture 9, parts 3 and 4 (h = 16 added, which the lecture leaves open)",
    )
}  # fmt: skip


@dataclass(frozen=True)
class Lecture:
    """What a report is about: the costs, the numbers put in, a GPU for the limits, and the letters to write in."""

    costs: Costs
    numbers: Mapping[str, Number] = field(default_factory=dict)
    gpu: Gpu | None = None
    notation: Notation = NOTATIONS["lecture"]
    example: Example | None = None

    def document(self) -> Document:
        """All sections in order."""
        model, convention = self.costs.model, self.costs.convention
        sections = (
            self.assumptions(),
            self.parameters(),
            self.activations(),
            self.gradients(),
            self.optimizer(),
            self.peak(),
            self.flops(),
            *self.limits(),
            *self.time(),
        )
        return Document(
            f"What it costs to train {model.name}",
            f"Derived by symcost {symcost.__version__} under the convention {convention.name}.",
            sections,
            self.summary(),
        )

    def summary(self) -> tuple[str, ...]:
        """The main results, a line each."""
        rows = []
        for quantity in ("parameters", "peak_memory", "step_flops", "training_time"):
            terms = self.costs[quantity]
            value = self.value(terms)
            shown = f" = {with_unit(value, terms.unit)}" if value is not None else ""
            rows.append(f"{quantity:14} {terms.text(self.notation.name)}{shown}")
        limit = self.b_max
        if limit is not None and self.gpu is not None:
            rows.append(f"{'b_max':14} {limit.floor} sequences on {self.gpu.name} ({with_unit(self.gpu.memory, 'bytes')})")
        return tuple(rows)

    # ---------------------------------------------------------------- what is supposed

    def assumptions(self) -> Section:
        costs, convention, precision = self.costs, self.costs.convention, self.costs.precision
        entry = [
            line("Model ", Code(costs.model.name), f": {costs.model.source}."),
            line("Convention ", Code(convention.name), f": {convention.note or convention.source}. Source: {convention.source}."),
            line("Optimizer ", Code(costs.optimizer.name), f": {costs.optimizer.source}."),
            line("Precision ", Code(precision.name), f": {precision.note}. Source: {precision.source}."),
        ]
        if costs.ties:
            ties = [Math(f"{self.letter(symbol.name)}={self.form(form)}") for symbol, form in costs.ties.items()]
            entry.append(line("Ties: ", *_comma(ties), "."))
        if self.numbers:
            source = f" ({self.example.source})" if self.example else ""
            put = [Math(f"{self.letter(name)}={_exact(value)}") for name, value in self.numbers.items() if name in self.used]
            entry.append(line("Numbers put in", source, ": ", *_comma(put), "."))
        if self.gpu is not None:
            entry.append(line("GPU ", Code(self.gpu.name), f": {with_unit(self.gpu.memory, 'bytes')} of memory. "
                              f"Source: {self.gpu.source}."))  # fmt: skip
        rows = tuple(
            (line(Math(self.letter(name))), line(GLOSSARY[name].meaning), line(GLOSSARY[name].unit or "–"))
            for name in GLOSSARY
            if name in self.used
        )
        return Section(
            "Assumptions",
            (
                Bullets(tuple(entry)),
                Table(("letter", "meaning", "unit"), rows, left=3),
                Paragraph(line(
                    "What is derived is not all that a driver shows: rounding and fragmentation of the allocator, workspaces "
                    "of kernels and the context of the driver come on top."
                )),
            ),
        )  # fmt: skip

    # ---------------------------------------------------------------- parameters

    def parameters(self) -> Section:
        terms = self.costs["parameters"]
        rows = []
        for place, inside in terms.by_place().items():
            for term in inside:
                rows.append((line(Code(place)), line(Math(latex_name(term.tensor))), line(self.shape(term)),
                             line(Math(self.form(term.amount)))))  # fmt: skip
        blocks: list[Block] = [
            Table(("layer", "parameter", "shape", "elements"), tuple(rows), left=3),
            *self.one_block(terms, r"N_{\mathrm{block}}"),
            *self.result(terms),
        ]
        blocks += self.result(self.costs["parameter_memory"])
        return Section("Parameters", tuple(blocks))

    def shape(self, term: Term) -> str:
        words = str(term.because)
        return words.rsplit("has the shape ", 1)[-1]

    def one_block(self, terms: Terms, name: str) -> list[Block]:
        """The sum for one block, where there is one kind of block."""
        if "block" not in {term.place.split(".")[0] for term in terms}:
            return []
        return [Equation(name, (latex(terms.of("block").total, self.notation),))]

    # ---------------------------------------------------------------- activations

    def activations(self) -> Section:
        listed = self.costs.convention.listed is not None
        rule = (
            "Under this convention the result of every listed operation is kept."
            if listed
            else "What a gradient reads must be kept until the way back; parameters are there in any case."
        )
        blocks: list[Block] = [Paragraph(line(rule, " A tensor is charged to the first step that asks for it."))]
        sizes = {id(kept): term for kept, term in zip(self.costs.derivation.kept, self.costs["saved_activations"], strict=True)}
        rows: list[tuple[Line, ...]] = []
        for account in self.costs.derivation.account():
            rows.append((line(Code(account.label)), self.gradient_cell(account), self.keeps_cell(account, sizes),
                         self.elements_cell(account, sizes)))  # fmt: skip
        blocks.append(Table(("step", "its gradients", "so it keeps", "elements"), tuple(rows), left=3))
        terms = self.costs["saved_activations"]
        blocks += [*self.one_block(terms, r"N_{A,\mathrm{block}}"), *self.result(terms)]
        blocks += self.result(self.costs["activation_memory"])
        return Section("Saved activations", tuple(blocks))

    def gradient_cell(self, account: Account) -> Line:
        if not account.gradients:
            return line("none")
        return line(*_comma([Math(gradient.latex) for gradient in account.gradients], "; "))

    def keeps_cell(self, account: Account, sizes: Mapping[int, Term]) -> Line:
        pieces: list[Inline] = _comma([Math(latex_name(kept.tensor.name)) for kept in account.keeps])
        notes = [f"{name} {why}" for name, why in account.already]
        if not pieces:
            pieces = ["nothing"]
            if not notes and account.gradients:
                notes = ["the slope is constant"]
        return line(*pieces, f" ({'; '.join(notes)})") if notes else line(*pieces)

    def elements_cell(self, account: Account, sizes: Mapping[int, Term]) -> Line:
        amounts = [sizes[id(kept)].amount for kept in account.keeps]
        if not amounts:
            return line("0")
        return line(Math(self.form(Add(*amounts))))

    # ---------------------------------------------------------------- gradients, optimizer, peak

    def gradients(self) -> Section:
        size = self.costs.precision.gradient
        words = f"Each trained parameter has one gradient of the same shape, at {size} bytes an element."
        return Section("Gradients", (Paragraph(line(words)), *self.result(self.costs["gradient_memory"])))

    def optimizer(self) -> Section:
        optimizer = self.costs.optimizer
        kept = states(optimizer, self.costs.precision)
        rows = tuple((line(Code(state.name)), line(state.meaning), line(str(state.bytes))) for state in kept)
        blocks: list[Block] = [Paragraph(line("For each trained parameter ", Code(optimizer.name), " keeps:"))]
        blocks.append(Table(("state", "meaning", "bytes"), rows, left=2))
        blocks += self.result(self.costs["optimizer_memory"])
        return Section("Optimizer", tuple(blocks))

    def peak(self) -> Section:
        costs = self.costs
        peak, static, saved = costs["peak_memory"], costs["static_memory"], costs["activation_memory"]
        blocks: list[Block] = [
            Paragraph(line("At the end of the forward pass all of these are there at once:")),
            Equation(
                NAMES["peak_memory"],
                (
                    "+".join(NAMES[name] for name in ("parameter_memory", "gradient_memory", "optimizer_memory", "activation_memory")),
                    self.form(static.total) + "+" + self.form(saved.total),
                    self.form(peak.total),
                ),
            ),
            *self.result(static),
            *self.result(saved),
            *self.result(peak),
        ]  # fmt: skip
        return Section("Peak memory", tuple(blocks))

    # ---------------------------------------------------------------- FLOPs

    def flops(self) -> Section:
        costs = self.costs
        blocks: list[Block] = [
            Paragraph(line("A multiply and an add are two FLOPs, so a matrix product costs 2 for each point of its joint axes.")),
            self.product_table(costs["forward_flops"]),
            *self.one_block(costs["forward_flops"], r"F_{\mathrm{block}}"),
            *self.result(costs["forward_flops"]),
            Paragraph(line("On the way back each input that has a gradient takes one product over the same axes:")),
            self.product_table(costs["backward_flops"]),
            *self.result(costs["backward_flops"]),
        ]
        if costs["recompute_flops"].terms:
            blocks += [
                Paragraph(line("What was not kept is computed a second time:")),
                self.product_table(costs["recompute_flops"]),
                *self.result(costs["recompute_flops"]),
            ]
        rows = []
        for step in costs.optimizer.steps:
            counted = operations(step)
            rows.append((line(Math(step.latex)), line(*_comma([operation.because for operation in counted], "; ")),
                         line(str(len(counted)))))  # fmt: skip
        each = costs.optimizer.flops_per_parameter
        counts = "+".join(str(len(operations(step))) for step in costs.optimizer.steps)
        blocks += [
            Paragraph(line("The update, operation by operation, for each element:")),
            Table(("line", "operations", "FLOPs"), tuple(rows), left=2),
            Paragraph(line("Together ", Math(f"{counts}={each}"), " for each parameter.")),
            *self.result(costs["optimizer_flops"]),
            *self.result(costs["step_flops"]),
        ]
        return Section("FLOPs of one step", tuple(blocks))

    def product_table(self, terms: Terms) -> Table:
        rows = tuple(
            (line(Code(term.place)), line(self.tensor(term.tensor)), line(str(term.because).removeprefix(f"{term.place}.")),
             line(Math(self.form(term.amount))), line(Math(self.form(term.times))))
            for term in terms
        )  # fmt: skip
        return Table(("layer", "result", "why", "FLOPs", "times"), rows, left=3)

    def tensor(self, name: str) -> Math:
        return Math(rf"\partial {latex_name(name[1:])}" if name.startswith("∂") else latex_name(name))

    # ---------------------------------------------------------------- limits and time

    @cached_property
    def b_max(self) -> Limit | None:
        """The largest batch that fits the GPU, where there is one and the numbers suffice."""
        if self.gpu is None:
            return None
        peak = self.costs["peak_memory"]
        if any(name not in self.known and name != "b" for name in peak.letters) or "b" not in peak.letters:
            return None
        return solve(peak, "b", at_most=self.gpu.memory, given=self.given)

    def limits(self) -> list[Section]:
        limit = self.b_max
        if limit is None or limit.form is None or self.gpu is None:
            return []
        static, each = self.costs["static_memory"], self.costs["memory_per_sequence"]
        room, share = self.value(static), self.value(each)
        assert room is not None and share is not None
        memory = with_unit(self.gpu.memory, "bytes", "latex")
        blocks: list[Block] = [
            Paragraph(line("The memory grows with every sequence; it is turned round for the largest batch.")),
            Equation(r"M", (f"{NAMES['static_memory']}+b\\,{NAMES['memory_per_sequence']}",)),
            Substitution(
                r"b_{\max}",
                rf"\left\lfloor{self.form(limit.form)}\right\rfloor",
                rf"\left\lfloor\frac{{{memory}-{with_unit(room, 'bytes', 'latex')}}}{{{with_unit(share, 'bytes', 'latex')}}}\right\rfloor",
                rf"{limit.floor}\ \text{{sequences}}",
            ),
        ]
        proof = limit.certificate
        if proof is not None:
            at, after = _exact(proof.at_k), _exact(proof.at_next)
            between = rf"{at}\le {_exact(limit.limit)}<{after}" if proof.at_next > limit.limit else rf"{at}"
            blocks.append(Paragraph(line(
                "Proof, in whole bytes: ", Math(between), f": {proof.k} sequences fit, {proof.next} do not. ",
                f"{with_unit(limit.left, 'bytes')} are left.",
            )))  # fmt: skip
        elif limit.missing:
            blocks.append(Warning(line(f"Not one sequence fits: {with_unit(limit.missing, 'bytes')} are missing.")))
        rows = tuple(
            (line(Code(name)), line(with_unit(amount, "bytes")), line(f"{rounded(100 * share, 1)} %"))
            for name, amount, share in limit.binds()
        )
        blocks.append(Table(("what binds", "memory at the limit", "share"), rows))
        blocks += self.shortcut(limit)
        return [Section(f"The largest batch on {self.gpu.name}", tuple(blocks))]

    def shortcut(self, limit: Limit) -> list[Block]:
        """The usual shortcut (no norms, nothing outside the blocks but the tables), and what it promises too much."""
        costs, decimal = self.costs, self.gpu.memory // GIB * 10**9 if self.gpu else 0
        static = costs["static_memory"].where(lambda term: _degree(term) > 1)
        blocks_only = costs["memory_per_sequence"].where(lambda term: term.place.startswith("block"))
        dropped_static = costs["static_memory"].where(lambda term: _degree(term) <= 1)
        dropped_each = costs["memory_per_sequence"].where(lambda term: not term.place.startswith("block"))
        form = (GLOSSARY["M"].symbol - static.total) / blocks_only.total
        numbers = {**self.known, "M": decimal}
        promised = evaluator(form)(numbers)
        fits = solve(costs["peak_memory"], "b", at_most=decimal, given=self.given)
        if promised // 1 == fits.floor or not dropped_each.terms:
            return []
        return [
            Paragraph(line("A shortcut drops the norms and all that is kept outside the blocks:")),
            Substitution(
                r"b_{\max}",
                rf"\approx {self.form(form)}",
                substituted(form, self.symbols(numbers), "latex", self.notation),
                significant(promised, 4),
            ),
            Warning(line(
                Strong("Unsafe: "), f"with {grouped(decimal)} bytes ({rounded(Fraction(decimal, 10**9))} GB) it promises "
                f"{promised // 1} sequences, where {fits.floor} fit ({limit.floor} on {with_unit(limit.limit, 'bytes')}). It leaves out ",
                Math(self.form(dropped_static.total)), " of what is always there and ", Math(self.form(dropped_each.total)),
                " of every sequence. Each of these takes memory, so leaving any out can only promise more than fits.",
            )),
        ]  # fmt: skip

    def time(self) -> list[Section]:
        costs = self.costs
        blocks: list[Block] = [
            Paragraph(line("A step sees ", Math("bc"), " tokens; the run takes as many steps as it needs to see all tokens.")),
            *self.result(costs["steps"]),
            *self.result(costs["training_flops"]),
            Paragraph(line("The GPUs work at MFU times their peak:")),
            *self.result(costs["training_time"]),
            *self.result(costs["gpu_hours"]),
        ]
        if "price" in self.numbers:
            blocks += self.result(costs["cost"])
        return [Section("Training time", tuple(blocks))]

    # ---------------------------------------------------------------- numbers

    @property
    def given(self) -> dict[str, Number]:
        return {name: value for name, value in self.numbers.items() if name != "b"}

    @cached_property
    def known(self) -> dict[str, Number]:
        """The numbers put in, the model's own, and what follows by ties."""
        return self.costs["peak_memory"].known(self.numbers)

    @cached_property
    def used(self) -> set[str]:
        """The letters that occur anywhere in the report."""
        return {name for quantity in ("peak_memory", "training_time", "steps") for name in self.costs[quantity].letters}

    def value(self, terms: Terms) -> Number | None:
        """The exact value, where every letter has a number."""
        if any(name not in self.known for name in terms.letters):
            return None
        return evaluator(terms.total)(self.known)

    def result(self, terms: Terms) -> list[Block]:
        """A quantity three times: letters, numbers put in, value with unit; letters alone where numbers lack."""
        name, value = NAMES[terms.quantity], self.value(terms)
        letters = self.form(terms.total)
        if value is None:
            return [Equation(name, (letters,))]
        numbers = substituted(terms.total, self.symbols(self.known), "latex", self.notation)
        return [Substitution(name, letters, numbers, self.shown(value, QUANTITIES[terms.quantity].unit))]

    def shown(self, value: Number, unit: str) -> str:
        exact = with_unit(value, unit, "latex")
        if unit == "bytes" and value == int(value):
            return rf"{_exact(value)}\,\mathrm{{B}}={exact}"
        if unit == "FLOPs" and value == int(value) and value < 10**15:
            return rf"{_exact(value)}\,\mathrm{{FLOPs}}"
        return exact

    def symbols(self, numbers: Mapping[str, Number]) -> dict[Expr, Number]:
        return {GLOSSARY[name].symbol: value for name, value in numbers.items()}

    def letter(self, name: str) -> str:
        return latex(GLOSSARY[name].symbol, self.notation)

    def form(self, expression: Expr) -> str:
        return latex(expression, self.notation)


def _degree(term: Term) -> int:
    """In how many widths (d, v, …) a term is: the gain of a norm has one."""
    widths = {GLOSSARY[name].symbol for name in "d d_ff v h d_k h_kv c_max d_expert".split()}
    return sum(
        int(power) for factor in term.amount.as_ordered_factors() for base, power in (factor.as_base_exp(),) if base in widths
    )


def _comma(items: Sequence[Inline], sign: str = ", ") -> list[Inline]:
    pieces: list[Inline] = []
    for item in items:
        pieces += [sign, item] if pieces else [item]
    return pieces


def _exact(value: Number) -> str:
    if isinstance(value, Fraction) and value.denominator != 1:
        return rounded(value, 6).replace(",", "{,}")
    return grouped(int(value)).replace(",", "{,}")


__all__ = ["EXAMPLES", "Example", "Integer", "Lecture"]
