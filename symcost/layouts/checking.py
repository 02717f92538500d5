"""Which sizes a mesh can have: what must divide, and what cannot be larger than what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import gcd

from sympy import Expr, Symbol

from symcost.errors import UsageError
from symcost.layouts.device import OnDevice
from symcost.layouts.placing import FLAT, Layout, Placement
from symcost.notation import text
from symcost.symbols import GLOSSARY
from symcost.tensors import size_of
from symcost.terms import Number, evaluator

SHOWN = 12  # sizes named in an error


@dataclass(frozen=True)
class Divides:
    """`length`, as found in the tensor `where`, lies in equal parts over some mesh axes."""

    length: Expr
    over: tuple[str, ...]
    tensor: str


def divisions(device: OnDevice) -> tuple[Divides, ...]:
    """Every length that a layout splits over the axes of its mesh, once each.

    >>> from symcost.layouts import layout
    >>> from symcost import derive
    >>> [(each.length, each.over) for each in divisions(derive("gpt", layout="megatron-tp").derivation)]
    [(v, ('tp',)), (h, ('tp',)), (d_ff, ('tp',))]
    """
    found: dict[tuple[Expr, tuple[str, ...]], Divides] = {}
    layout = device.layout
    for label, placement in _placed(device):
        for axis, meshes in placement.items():
            over = tuple(mesh for mesh in meshes if not (axis == "b" and mesh in layout.own_data))
            if axis == FLAT or axis == "k" or not over:
                continue
            for part in axis.split("+"):
                length = size_of((part.lstrip("0123456789") or part,))
                found.setdefault((length, over), Divides(length, over, label))
    return tuple(found.values())


def _placed(device: OnDevice) -> Iterator[tuple[str, Placement]]:
    placing = device.placing
    for tensor in device.program.parameters:
        yield f"{tensor.place}.{tensor.name}", placing.lies(tensor)
    for step in device.program.steps:
        yield step.label, placing.lies(step.result)


@dataclass(frozen=True)
class Sizes:
    """What the sizes of a mesh must be like, asked of numbers: `sizes(numbers)`.

    Raises UsageError where the numbers known make a mesh that cannot be, naming the axis and what would do.
    """

    layout: Layout
    split: tuple[Divides, ...]
    ties: Mapping[Symbol, Expr]

    @classmethod
    def of(cls, device: OnDevice, ties: Mapping[Symbol, Expr]) -> Sizes:
        return cls(device.layout, divisions(device), ties)

    def __call__(self, numbers: Mapping[str, Number]) -> None:
        if not self.layout.ceilings:
            _divide(self.layout, self.split, self.ties, numbers)
        _stages(self.layout, numbers)
        _fits(self.layout, numbers)


def _divide(
    layout: Layout, split: tuple[Divides, ...], ties: Mapping[Symbol, Expr], numbers: Mapping[str, Number]
) -> None:
    known: dict[tuple[str, ...], list[tuple[Divides, int]]] = {}
    for each in split:
        length = each.length.xreplace(dict(ties))
        if all(symbol.name in numbers for symbol in length.free_symbols):
            known.setdefault(each.over, []).append((each, int(evaluator(length)(numbers))))
    for over, lengths in known.items():
        parts = layout.devices(over)
        if any(symbol.name not in numbers for symbol in parts.free_symbols):
            continue
        number = evaluator(parts)(numbers)
        for each, whole in lengths:
            if whole % number:
                named = GLOSSARY.get(str(each.length))
                what = f" ({named.meaning})" if named is not None else ""
                common = gcd(*(length for _, length in lengths))
                raise UsageError(
                    f"layout {layout.name}: {'·'.join(over)} = {number} does not divide "
                    f"{text(each.length)} = {whole}{what} of {each.tensor}. "
                    f"Sizes that do: {_divisors(common)}; or let ceilings round up."
                )


def _stages(layout: Layout, numbers: Mapping[str, Number]) -> None:
    if "pp" not in layout.mesh or "pp" not in numbers or "L" not in numbers:
        return
    stages, blocks = int(numbers["pp"]), int(numbers["L"])
    if layout.stage.isdigit() and int(layout.stage) >= stages:
        raise UsageError(
            f"layout {layout.name}: there is no stage {layout.stage}; stages are 0 to {stages - 1}. Name one of them."
        )
    if stages > blocks:
        raise UsageError(
            f"layout {layout.name}: pp = {stages} is more than the {blocks} blocks. "
            f"Sizes that do: {_divisors(blocks)}."
        )
    if layout.blocks:
        if sum(layout.blocks) != blocks:
            raise UsageError(
                f"layout {layout.name}: the stages have {sum(layout.blocks)} blocks together, "
                f"the model has {blocks}. Give them as many."
            )
        return
    parts = stages * int(numbers.get("chunks", 1)) if layout.schedule.passes != 1 else stages
    if blocks % parts and not layout.ceilings:
        over = "pp·chunks" if parts != stages else "pp"
        each, more = divmod(blocks, stages)
        uneven = ":".join(str(each + (stage < more)) for stage in range(stages)) if stages <= SHOWN else "…"
        raise UsageError(
            f"layout {layout.name}: {over} = {parts} does not divide the {blocks} blocks. Sizes that do: "
            f"{_divisors(blocks)}; or give each stage its own, as in blocks={uneven}, "
            "or let ceilings round up."
        )


def _fits(layout: Layout, numbers: Mapping[str, Number]) -> None:
    sizes = [layout.size(mesh) for mesh in layout.mesh]
    named = [symbol for symbol in sizes if symbol.is_Symbol]
    if "n" not in numbers or any(symbol.name not in numbers for symbol in named):
        return
    mesh, gpus = 1, int(numbers["n"])
    for symbol in named:
        mesh *= int(numbers[symbol.name])
    even = gpus % mesh == 0 if len(named) < len(sizes) else mesh == gpus
    if not even:
        product = "·".join(f"{symbol.name} = {numbers[symbol.name]}" for symbol in named)
        larger = "is larger than" if mesh > gpus else "does not fill"
        raise UsageError(
            f"layout {layout.name}: the mesh {product} has {mesh} devices and {larger} n = {gpus} GPUs. "
            + (
                f"Sizes that do: {_divisors(gpus)}."
                if len(named) < len(sizes)
                else f"Give n = {mesh}, or a smaller mesh."
            )
        )


def _divisors(number: int) -> str:
    found = [each for each in range(1, min(number, 10_000) + 1) if number % each == 0]
    return ", ".join(map(str, found[:SHOWN])) + (", …" if len(found) > SHOWN else "")
