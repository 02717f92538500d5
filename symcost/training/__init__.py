"""Memory, step, run, time and money: closed forms made of terms."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symcost.conventions import Convention, convention
from symcost.errors import UsageError
from symcost.families import load
from symcost.model import Model
from symcost.symbols import DEVICE_QUANTITIES
from symcost.training.approximations import Approximation, approximations
from symcost.training.bare import COUNTED
from symcost.training.costs import ON_REQUEST, TOKENS, Costs, Given

if TYPE_CHECKING:
    from symcost.layouts import Layout
    from symcost.training.across import Across
    from symcost.training.optimum import Optimum, compute_optimal
    from symcost.training.ranking import Ranking, fewest_gpus, rank

__all__ = [
    "DEVICE_QUANTITIES",
    "ON_REQUEST",
    "TOKENS",
    "Across",
    "Approximation",
    "Costs",
    "Given",
    "Optimum",
    "Ranking",
    "approximations",
    "compute_optimal",
    "derive",
    "fewest_gpus",
    "rank",
]


_HOMES = {
    "Across": "across",
    "Optimum": "optimum",
    "compute_optimal": "optimum",
    "Ranking": "ranking",
    "fewest_gpus": "ranking",
    "rank": "ranking",
}


def __getattr__(name: str) -> Any:
    """What one device costs and what is optimal, imported when first asked for."""
    if name in _HOMES:
        return getattr(import_module(f"symcost.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'symcost.training' has no attribute '{name}'")


def derive(
    model: str | Path | Mapping[str, Any] | Model,
    *,
    under: str | Convention = "textbook",
    given: Given | None = None,
    optimizer: str = "adamw",
    precision: str | None = None,
    layout: str | Layout = "single",
) -> Costs:
    """Every cost of training `model`, as closed forms with a reason for each term.

    `model` is a known name, a path to a `config.json` or a spec, or a dict of either; `bare` is N parameters
    with no more known of them, `budget` a run of C FLOPs. `given` puts in numbers and forms: `{"h_kv": 8,
    "d_ff": "4*d"}`; `{"d_ff": "d_ff"}` frees a letter, and `{"accumulation": 8}`, `dp`, `HFU` or `w` (bytes
    of an element) bring one in. `precision` is what the convention supposes (fp32 for the textbook) unless
    given. Under a `layout`, as in "megatron-tp+zero-1" or "pp-1f1b,pp=8", the costs are those of one device.

    Raises UnknownName, UnknownSymbol or ConfigError, each naming the mend.

    >>> derive("cs190c")["forward_flops"].latex()
    'L\\\\left(32bcd^2+4bc^2d\\\\right)+2bcdv'
    >>> derive("bare")["training_time"].text()
    '6ND·epochs/(n·MFU·peak)'
    """
    kind, known = COUNTED.get(str(model), (Costs, None))
    if layout == "single":
        return kind(known or load(model), convention(under), given or {}, optimizer, precision)
    from symcost.layouts import layout as laid_out
    from symcost.training.across import Across

    mesh = laid_out(layout)
    if not mesh.mesh:
        return kind(known or load(model), convention(under), given or {}, optimizer, precision)
    if known is not None:
        raise UsageError(
            f"{known.name}: a layout splits the axes of layers, and none are known. Ask a model, as llama."
        )
    return Across(load(model), convention(under), given or {}, optimizer, precision, mesh)
