"""The report of a model in a lecture's order, one file for each part of the lecture."""

from __future__ import annotations

import symcost
from symcost.report.blocks import Document
from symcost.report.lecture.activations import activations
from symcost.report.lecture.assumptions import assumptions
from symcost.report.lecture.devices import devices
from symcost.report.lecture.examples import EXAMPLES, Example
from symcost.report.lecture.flops import flops
from symcost.report.lecture.layers import layers, parameters
from symcost.report.lecture.limits import limits
from symcost.report.lecture.memory import memory
from symcost.report.lecture.results import results, summary
from symcost.report.lecture.run import run
from symcost.report.lecture.talk import NAMES, OF_ONE_DEVICE, Talk

__all__ = ["EXAMPLES", "NAMES", "OF_ONE_DEVICE", "Example", "Talk", "lecture"]


def lecture(talk: Talk) -> Document:
    """The whole derivation as a document, all sections in order."""
    device = f", for one device of {talk.across.layout.name}" if talk.across is not None else ""
    sections = (
        *results(talk),
        assumptions(talk),
        layers(talk),
        parameters(talk),
        *activations(talk),
        *memory(talk),
        *flops(talk),
        *devices(talk),
        *limits(talk),
        run(talk),
    )
    return Document(
        f"What it costs to train {talk.costs.model.name}",
        f"Derived by symcost {symcost.__version__} under the convention {talk.costs.convention.name}{device}.",
        sections,
        summary(talk),
        talk.costs.model.name,
        (talk,),
    )
