"""symcost derives, in closed form and with a reason for every term, what it costs to train a transformer."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from symcost.errors import SymcostError as SymcostError
    from symcost.families import load as load
    from symcost.solve import solve as solve
    from symcost.tables.gpus import GPUS as GPUS
    from symcost.training import derive as derive

_HOMES = {
    "load": "symcost.families",
    "derive": "symcost.training",
    "solve": "symcost.solve",
    "check": "symcost.check",
    "report": "symcost.report",
    "compare": "symcost.compare",
    "sweep": "symcost.sweep",
    "measure": "symcost.measure",
    "GPUS": "symcost.tables.gpus",
    "SymcostError": "symcost.errors",
}

__all__ = [
    "GPUS",
    "SymcostError",
    "__version__",
    "check",
    "compare",
    "derive",
    "load",
    "measure",
    "report",
    "solve",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """The public names, imported when first used, so that `symcost --help` need not wait for sympy."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'symcost' has no attribute '{name}'")


class _Package(ModuleType):
    """The package: importing the room `solve` must not hide the public function of the same name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted(__all__)
