"""A model built in PyTorch from its description, and what it keeps and counts beside what is derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symcost.conventions import OPTIONS, Convention, convention
from symcost.errors import UsageError
from symcost.model import Model
from symcost.training import Costs, derive

if TYPE_CHECKING:
    from symcost.measure.counting import Counted

SMALL: Mapping[str, int] = {
    "b": 2, "c": 6, "c_max": 8, "d": 24, "d_emb": 20, "d_ff": 40, "v": 29, "h": 4, "h_kv": 2, "d_k": 6,
    "d_r": 4, "d_n": 6, "d_v": 8, "d_c": 10, "d_cq": 14, "r": 2,
    "E": 4, "k": 2, "d_expert": 10, "d_shared": 12,
    "L": 2, "L_dense": 1, "L_moe": 2, "L_local": 2, "L_global": 1, "L_frozen": 1,
}  # fmt: skip
LARGE = 10**9  # FLOPs of a forward pass above which nothing is computed: tensors are fake
MEASURED = ("parameters", "activation_memory", "forward_flops", "backward_flops", "optimizer_memory")


@dataclass(frozen=True)
class Row:
    """One quantity, or one tensor of one: derived beside measured.

    >>> Row("head.x", "bytes", derived=8, measured=12).difference
    4
    """

    name: str
    unit: str
    derived: int
    measured: int

    @property
    def difference(self) -> int:
        return self.measured - self.derived


@dataclass(frozen=True)
class Measurement:
    """What PyTorch keeps and counts for a model, beside what is derived for it.

    `quantities` are totals; `tensors` are the bytes that are kept, by place and name, those that differ
    first. `hooks_agree` says whether autograd's own hooks see the same bytes; they do not see what selective
    checkpointing holds.
    """

    model: str
    convention: str
    numbers: Mapping[str, int]
    version: str
    quantities: tuple[Row, ...]
    tensors: tuple[Row, ...]
    hooks_agree: bool

    @property
    def equal(self) -> bool:
        """Whether all that is derived is equal to what was measured."""
        return not any(row.difference for row in (*self.quantities, *self.tensors))

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "model": self.model,
            "convention": self.convention,
            "given": dict(self.numbers),
            "torch": self.version,
            "equal": self.equal,
            "hooks_agree": self.hooks_agree,
            "quantities": [_plain(row) for row in self.quantities],
            "tensors": [_plain(row) for row in self.tensors],
        }


def measure(
    model: str | Path | Mapping[str, Any] | Model,
    *,
    under: str | Convention = "torch-eager",
    given: Mapping[str, int] | None = None,
    precision: str | None = None,
    fake: bool | None = None,
) -> Measurement:
    """Builds `model` from its own description in PyTorch, trains it for one step, and counts.

    Letters that `given` leaves open take small numbers. Where a forward pass would take more than 10⁹ FLOPs
    tensors are `fake`, unless said otherwise: they have sizes but no contents. With one sequence (b = 1)
    heads are not copied, so that what is derived is derived for that.
    Raises UsageError where PyTorch is missing, or where the convention or a layer cannot be run here.

    >>> measure("cs190c", under="torch-eager+checkpoint").equal  # doctest: +SKIP
    True
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise UsageError(
            "measure: PyTorch is not installed. Install it with: pip install 'symcost[measure]'."
        ) from None
    from symcost.measure.counting import count

    given = given or {}
    if given.get("b") == 1:
        under = OPTIONS["one-sequence"].change(convention(under))
    costs = derive(model, under=under, given=given, optimizer="adamw-torch", precision=precision)
    numbers = _numbers(costs, given)
    if fake is None:
        fake = _at(costs, "forward_flops", numbers) > LARGE
    derivation = costs.derivation
    counted = count(costs.model.loss, costs.convention, numbers, derivation.element, fake=fake)
    return Measurement(
        costs.model.name,
        costs.convention.name,
        {
            name: numbers[name]
            for name in numbers
            if any(name in costs[quantity].letters for quantity in MEASURED)
        },
        torch.__version__,
        _quantities(costs, numbers, counted),
        _tensors(costs, numbers, counted),
        counted.seen_by_hooks == sum(counted.saved.values()),
    )


def _numbers(costs: Costs, given: Mapping[str, int]) -> dict[str, int]:
    """A whole number for each letter of the glossary that sizes depend on."""
    tied = {symbol.name for symbol in costs.ties}
    fixed = tied | {name for name, value in costs.numbers.items() if value == 1}  # one head stays one head
    open_letters = {name: value for name, value in SMALL.items() if name not in fixed}
    known = costs["activation_memory"].known(open_letters | dict(given))
    return {name: int(value) for name, value in known.items() if Fraction(value).denominator == 1}


def _at(costs: Costs, quantity: str, numbers: Mapping[str, int]) -> int:
    return int(costs[quantity].at(**numbers))


def _quantities(costs: Costs, numbers: Mapping[str, int], counted: Counted) -> tuple[Row, ...]:
    derived = {quantity: _at(costs, quantity, numbers) for quantity in MEASURED}
    derived["backward_flops"] += _at(costs, "recompute_flops", numbers)
    measured = {
        "parameters": counted.parameters,
        "activation_memory": sum(counted.saved.values()),
        "forward_flops": counted.forward_flops,
        "backward_flops": counted.backward_flops,
        "optimizer_memory": counted.optimizer_bytes,
    }
    units = {quantity: costs[quantity].unit for quantity in MEASURED}
    return tuple(Row(name, units[name], derived[name], measured[name]) for name in MEASURED)


def _tensors(costs: Costs, numbers: Mapping[str, int], counted: Counted) -> tuple[Row, ...]:
    derived: dict[str, int] = {}
    for kept, term in zip(costs.derivation.kept, costs["activation_memory"], strict=True):
        name = f"{kept.tensor.place}.{kept.tensor.name}".lstrip(".")
        derived[name] = derived.get(name, 0) + int(costs["activation_memory"].replaced((term,)).at(**numbers))
    names = dict.fromkeys([*derived, *counted.saved])
    rows = [Row(name, "bytes", derived.get(name, 0), counted.saved.get(name, 0)) for name in names]
    return tuple(sorted(rows, key=lambda row: not row.difference))


def _plain(row: Row) -> dict[str, str | int]:
    return {"name": row.name, "unit": row.unit, "derived": row.derived, "measured": row.measured,
            "difference": row.difference}  # fmt: skip
