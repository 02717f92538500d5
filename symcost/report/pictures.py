"""The plots of a report: those that its numbers suffice for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from symcost.errors import NoLimit
from symcost.report import plots
from symcost.report.blocks import Document, Picture
from symcost.report.lecture.talk import Talk

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTEXTS = tuple(2**power for power in range(8, 18))
MOST_GPUS = 64  # the least of the greatest numbers of GPUs


def with_pictures(document: Document, stem: str = "report") -> Document:
    """The same document with every plot that its numbers suffice for; their names begin with `stem`."""
    several = len(document.talks) > 1
    pictures = tuple(
        Picture(
            f"{stem}-{name}-{at}" if several else f"{stem}-{name}",
            words(figure),
            partial(plots.drawn, figure),
        )
        for at, talk in enumerate(document.talks, 1)
        for name, figure in _figures(talk)
    )
    return replace(document, pictures=pictures)


def words(figure: Figure) -> str:
    """The title, which states the finding."""
    return str(figure.axes[0].get_title(loc="left"))


def _figures(talk: Talk) -> Iterator[tuple[str, Figure]]:
    costs, known = talk.costs, talk.known
    kept, forward = costs["activation_memory"], costs["forward_flops"]
    if talk.value(kept) is not None:
        yield "saved-activations", plots.saved_by_tensor(kept, talk.numbers)
    if talk.b_max is not None and talk.gpu is not None:
        if talk.b_max.integer:
            yield "memory-against-batch", plots.memory_against(talk.b_max)
        given = {name: value for name, value in talk.numbers.items() if name != "b"}
        with suppress(NoLimit):
            memory, limit = costs["peak_memory"], talk.gpu.memory
            yield "frontier", plots.frontier(memory, "b", "c", at_most=limit, values=CONTEXTS, given=given)
    if talk.value(forward) is not None:
        yield "shares-of-flops", plots.shares_against(forward, "c", CONTEXTS, talk.numbers)
    timed = {*costs["training_time"].letters, *costs["cost"].letters}
    if talk.across is None and all(letter in known for letter in timed):  # a mesh has as many GPUs as it has
        most = max(MOST_GPUS, ceil(known["n"]))
        counts = [2**power for power in range((most - 1).bit_length() + 1)]
        yield (
            "time-and-cost",
            plots.time_and_cost(costs["training_time"], costs["cost"], counts, talk.numbers),
        )
