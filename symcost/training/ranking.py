"""Ranking: every mesh that a model can lie on, its memory and time in bulk, and which of them is the
quickest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symcost.errors import UsageError
from symcost.layouts import layout
from symcost.layouts.checking import Divides, divisions
from symcost.layouts.named import SHARD
from symcost.model import Model
from symcost.symbols import SYMBOLS
from symcost.tables.gpus import Gpu
from symcost.terms import compiled, evaluator
from symcost.training.across import Across, Links, check_links, link_of
from symcost.training.costs import Given

if TYPE_CHECKING:
    from numpy.typing import NDArray

MICRO_BATCHES = (1, 2, 4, 8, 16)
PARTS = ("compute", "memory", "messages")
DOUBLING = tuple(2**power for power in range(17))  # sizes of a mesh axis that splits no length
MESH = ("tp", "pp", "cp", "ep", "dp", SHARD)


@dataclass(frozen=True)
class Ranking:
    """Points of many layouts, the quickest first among those that fit: columns of equal length.

    `layouts` and `conventions` are named by the columns `layout` and `under`. A mesh has `n` devices; `shard`
    of them hold one copy under hsdp. `bytes` is that of the fuller of the first and the last stage; `serial`
    and `overlapped` bound the seconds of a step of the slower of the two, `mfu` is that of the serial one;
    `binds` is the longest part, as a place in PARTS. `tokens` are those of a step.
    """

    layouts: tuple[str, ...]
    conventions: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]] = field(repr=False)
    most: int = 0
    tokens: int = 0

    def __len__(self) -> int:
        return len(self.columns["serial"])

    def rows(self, count: int = 10) -> Iterator[dict[str, Any]]:
        """The first so many, as plain data."""
        for place in range(min(count, len(self))):
            row = {name: column[place].item() for name, column in self.columns.items()}
            row["layout"], row["under"] = self.layouts[row["layout"]], self.conventions[row["under"]]
            yield row | {"binds": PARTS[row["binds"]]}

    def frontier(self) -> list[dict[str, Any]]:
        """The points that no other beats in both bytes and time, from the quickest to the leanest."""
        import numpy

        least = numpy.minimum.accumulate(self.columns["bytes"])
        first = numpy.flatnonzero(numpy.diff(least, prepend=numpy.inf) < 0)
        return list(self._of(first).rows(len(first)))

    def by_gpus(self) -> list[dict[str, Any]]:
        """The quickest point of every number of GPUs, from the fewest; with its tokens a second."""
        import numpy

        first = numpy.unique(self.columns["n"], return_index=True)[1]
        return [row | {"rate": self.tokens / row["serial"]} for row in self._of(first).rows(len(first))]

    def _of(self, places: NDArray[Any]) -> Ranking:
        return replace(self, columns={name: column[places] for name, column in self.columns.items()})


def rank(
    model: str | Path | Mapping[str, Any] | Model,
    gpu: Gpu,
    *,
    gpus: int | Sequence[int],
    global_batch: int,
    given: Given,
    layouts: Iterable[str] = ("megatron-tp-sp+pp-1f1b+zero-1",),
    under: Iterable[str] = ("textbook+flash",),
    precision: str = "mixed-16",
    micro_batches: Sequence[int] = MICRO_BATCHES,
    links: Links | None = None,
    fits: bool = True,
) -> Ranking:
    """Every mesh of so many GPUs on which the model lies evenly, ranked by the seconds of a step, serially.

    A step sees `global_batch` sequences; `gpus` may name several numbers; `links` are those of
    `Across.step_time`. Pipelines have as many micro-batches as stages at least. With `fits` only points
    within the GPU's memory stay. Computed in float64, in bulk; the first few can be asked for exactly by
    `derive`. Raises UsageError where no mesh does.
    """
    import numpy

    named, conventions = tuple(layouts), tuple(under)
    check_links(links or {}, (axis for name in named for axis in layout(name).mesh))
    found: list[dict[str, NDArray[Any]]] = []
    for which, name in enumerate(named):
        for way, convention in enumerate(conventions):
            costs = _derived(model, name, convention, given, precision)
            points = _points(costs, [gpus] if isinstance(gpus, int) else gpus, global_batch, micro_batches)
            if points is None:
                continue
            columns = _measured(costs, gpu, points, links or {})
            columns["layout"] = numpy.full_like(points["b"], which)
            columns["under"] = numpy.full_like(points["b"], way)
            found.append(columns)
    if not found:
        raise UsageError(
            f"rank: no mesh of {gpus} GPUs divides the model and {global_batch} sequences. Change either."
        )
    together = {name: numpy.concatenate([each[name] for each in found]) for name in found[0]}
    if fits:
        kept = numpy.flatnonzero(together["bytes"] <= gpu.memory)
        together = {name: column[kept] for name, column in together.items()}
    order = numpy.argsort(together["serial"], kind="stable")
    columns = {name: column[order] for name, column in together.items()}
    return Ranking(named, conventions, columns, gpu.memory, global_batch * int(costs.numbers["c"]))


def fewest_gpus(
    model: str | Path | Mapping[str, Any] | Model,
    gpu: Gpu,
    *,
    global_batch: int,
    given: Given,
    at_most: int = 4096,
    **choices: Any,
) -> dict[str, Any]:
    """The fewest GPUs, among powers of two, on which a layout fits, and the quickest mesh of so many.

    Raises UsageError where nothing fits up to `at_most`, and where no mesh divides.
    """
    powers = [2**power for power in range(at_most.bit_length()) if 2**power <= at_most]
    fitting = rank(model, gpu, gpus=powers, global_batch=global_batch, given=given, **choices).by_gpus()
    if not fitting:
        raise UsageError(
            f"fewest_gpus: nothing fits on up to {at_most} × {gpu.name}. "
            "Allow more, or split or compute again more."
        )
    return fitting[0]


def _derived(model: Any, layout: str, convention: str, given: Given, precision: str) -> Across:
    from symcost.training import derive

    of_a_step = {"accumulation": SYMBOLS["accumulation"], **given}
    costs = derive(model, under=convention, given=of_a_step, precision=precision, layout=layout)
    if not isinstance(costs, Across):
        raise UsageError(f"rank: '{layout}' has no mesh. Rank layouts that have one.")
    return costs


def _points(
    costs: Across, gpus: Sequence[int], global_batch: int, micro_batches: Sequence[int]
) -> dict[str, NDArray[Any]] | None:
    """All sizes of the mesh whose product is one of `gpus` and that divide what they split, times
    micro-batches.
    """
    import numpy

    layout = costs.layout
    mesh = sorted(layout.mesh, key=MESH.index)
    meshes = [point | {"n": number} for number in gpus for point in _factored(number, mesh)]
    if not meshes:
        return None
    sizes = {name: numpy.array([point[name] for point in meshes]) for name in (*mesh, "n")}
    one = numpy.ones(len(meshes), dtype=int)
    numbers = {name: sizes.get(name, one) for name in (*MESH, "n")}
    even = numpy.full(len(meshes), True)
    for each in () if layout.ceilings else divisions(costs.derivation):
        even &= _length(costs, each) % numpy.prod([numbers[name] for name in each.over], axis=0) == 0
    blocks = costs.numbers.get("L")
    if blocks is not None:
        stages = numbers["pp"] * (int(costs.numbers.get("chunks", 1)) if layout.schedule.passes != 1 else 1)
        even &= stages <= blocks if layout.ceilings else int(blocks) % stages == 0
    numbers = {name: column[even] for name, column in numbers.items()}
    batches = numpy.array(micro_batches)
    numbers = {name: numpy.repeat(column, len(batches)) for name, column in numbers.items()}
    numbers["b"] = numpy.tile(batches, int(even.sum()))
    replicas = numpy.prod([numbers[name] for name in layout.own_data], axis=0)
    numbers["accumulation"] = global_batch // (replicas * numbers["b"])
    whole = (numbers["accumulation"] * replicas * numbers["b"] == global_batch) & (
        numbers["accumulation"] >= numbers["pp"]
    )
    return {name: column[whole] for name, column in numbers.items()} if whole.any() else None


def _length(costs: Across, each: Divides) -> int:
    length = each.length.xreplace(dict(costs.ties))
    unknown = [symbol.name for symbol in length.free_symbols if symbol.name not in costs.numbers]
    if unknown:
        raise UsageError(
            f"rank: {', '.join(unknown)} must be known, since {'·'.join(each.over)} splits it. Give it."
        )
    return int(evaluator(length)(costs.numbers))


def _factored(number: int, mesh: Sequence[str]) -> Iterator[dict[str, int]]:
    """Every way to write a number as a product of sizes."""
    if len(mesh) <= 1:
        if mesh or number == 1:
            yield dict.fromkeys(mesh, number)
        return
    for size in range(1, number + 1):
        if number % size == 0:
            for rest in _factored(number // size, mesh[1:]):
                yield {mesh[0]: size, **rest}


def _measured(
    costs: Across, gpu: Gpu, points: Mapping[str, NDArray[Any]], links: Links
) -> dict[str, NDArray[Any]]:
    """Bytes, seconds and utilisation at many points, by the same forms: of the fullest and the slowest
    stage.
    """
    import numpy

    if "pp" not in costs.layout.mesh:
        return dict(points) | _of_stage(costs, gpu, points, links)
    first, last, only = (
        _of_stage(costs.on(stage), gpu, points, links) for stage in ("first", "last", "only")
    )
    found = {}
    slower = last["serial"] > first["serial"]
    for name in only:
        several = numpy.where(slower, last[name], first[name])
        if name == "bytes":
            several = numpy.maximum(first[name], last[name])
        found[name] = numpy.where(points["pp"] == 1, only[name], several)
    return dict(points) | found


def _of_stage(
    costs: Across, gpu: Gpu, points: Mapping[str, NDArray[Any]], links: Links
) -> dict[str, NDArray[Any]]:
    import numpy

    sent = costs.sent_over()
    whole = [costs.whole[name] for name in ("forward_flops", "backward_flops")]
    asked = [costs["peak_memory"], costs["step_flops"], costs["memory_traffic"], *whole, *sent.values()]
    letters = [name for name in points if name in SYMBOLS]
    found = compiled(asked, letters)(*(points[name] for name in letters))
    held, flops, traffic, forward, backward, *messages = (
        numpy.broadcast_to(each, points["b"].shape) for each in found
    )
    peak = gpu.peak_for(costs.precision.matmul)
    compute, memory, sending = flops / peak, traffic / gpu.bandwidth, numpy.zeros(points["b"].shape)
    for over, amount in zip(sent, messages, strict=True):
        sending = sending + amount / float(link_of(gpu, over, links))
    bubble = (points["pp"] - 1) / points["accumulation"]
    if costs.layout.schedule.passes != 1:
        bubble = bubble / int(costs.numbers.get("chunks", 1))
    busy = numpy.maximum(compute, memory) * (1 + bubble)
    useful = (
        (forward + backward) * points["accumulation"] / (points["tp"] * points["pp"] * points["cp"]) / peak
    )
    return {
        "bytes": held,
        "serial": busy + sending,
        "overlapped": numpy.maximum(busy, sending),
        "mfu": useful / (busy + sending),
        "binds": numpy.argmax(numpy.stack([compute, memory, sending]), axis=0),
    }


def smallest(costs: Across, letter: str, at_most: int) -> tuple[int, int] | None:
    """The smallest size of a mesh axis that divides what it splits and keeps peak memory within `at_most`.

    It and the bytes, or None where no size does. An axis that splits no length (dp) is tried by powers of two.

    >>> from symcost import derive
    >>> laid = derive("llama-2-7b", layout="megatron-tp-sp", given={"b": 4, "c": 4096})
    >>> smallest(laid, "tp", 80 * 2**30)
    (8, 65416527872)
    """
    lengths = [_length(costs, each) for each in divisions(costs.derivation) if letter in each.over]
    if letter == "pp" and "L" in costs.numbers:
        lengths.append(int(costs.numbers["L"]))
    memory = costs["peak_memory"]
    for size in _divisors(gcd(*lengths)) if lengths else DOUBLING:
        held = memory.at(**{letter: size})
        if held <= at_most:
            return size, int(held)
    return None


def _divisors(number: int) -> Iterator[int]:
    return (size for size in range(1, number + 1) if number % size == 0)
