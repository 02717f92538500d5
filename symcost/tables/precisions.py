"""Precisions: bytes of a parameter, gradient, optimizer state and activation, each recipe with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symcost.tables import by_name, entry
from symcost.tables.optimizers import MASTER, Optimizer, State


@dataclass(frozen=True)
class Precision:
    """Bytes by role.

    `parameter` is the copy that the forward pass reads. `gradient` sums all copies that live until the
    update. `state` is for each optimizer state that names no size of its own. `master` asks for an fp32 copy
    beside the weights; it is counted with the optimizer's states, once, whoever asks for it. `reference` is
    a second, frozen copy of the model. `matmul` is the element type whose peak FLOP/s the products run at.
    """

    name: str
    parameter: int
    gradient: int
    state: int
    activation: int
    matmul: str
    source: str
    master: bool = False
    reference: int = 0
    note: str = ""


LECTURE = "CS190C 2026, lecture 9, part 1 (all fp32)"
SLIDES = "Lecture slides on memory and compute for training, number representations"

FP32 = Precision("fp32", 4, 4, 4, 4, "fp32", source=LECTURE, note="16 bytes a parameter with AdamW")
BF16 = Precision(
    "bf16", 2, 2, 2, 2, "bf16",
    source="PyTorch 2.13: AdamW keeps its states in the weights' type",
    note="everything in 16 bits, no fp32 copy: 8 bytes a parameter with AdamW",
)  # fmt: skip
MIXED_16 = Precision(
    "mixed-16", 2, 2, 4, 2, "bf16", master=True,
    source="Rajbhandari et al. 2020, ZeRO, section 3.1",
    note="16-bit weights and gradients beside fp32 weights and states: 2 + 2 + 12",
)  # fmt: skip

PRECISIONS: Mapping[str, Precision] = by_name(
    (
        FP32,
        BF16,
        replace(BF16, name="fp16", matmul="fp16", source=SLIDES, note="as bf16, with loss scaling"),
        Precision(
            "int8", 1, 1, 1, 1, "bf16",
            source=SLIDES,
            note="the slides' row for int8 weights and gradients; one byte for states and activations, and "
            "16-bit matrix products, are our reading",
        ),
        Precision(
            "autocast", 4, 4, 4, 2, "bf16",
            source="PyTorch 2.13, torch.amp",
            note="weights stay fp32; their 16-bit copies are activations of the convention `autocast`",
        ),
        Precision(
            "mixed-10", 2, 0, 4, 2, "bf16",
            source="Austin et al. 2025, How to Scale Your Model, chapter 5",
            note="bf16 weights, fp32 moments, gradients used up as they are made: 2 + 8",
        ),
        Precision(
            "mixed-12", 2, 2, 4, 2, "bf16",
            source="CS336 2025, lecture 2 (napkin estimate for eight H100: 2 + 2 + 4 + 4 bytes)",
            note="16-bit weights and gradients, fp32 moments, no fp32 copy",
        ),
        MIXED_16,
        replace(MIXED_16, name="mixed-16-fp16", matmul="fp16", note="mixed-16 in the type the paper used"),
        replace(
            MIXED_16, name="mixed-18", gradient=4,
            source="NVIDIA Megatron-LM, theoretical memory report, without a distributed optimizer",
            note="16-bit weights, fp32 gradients: 2 + 4 + 12; Hugging Face's guide to training on one GPU "
            "writes the same 18 as 6 + 8 + 4, the fp32 copy counted with the weights",
        ),
        replace(
            MIXED_16, name="mixed-20", gradient=6,
            source="Hugging Face 2025, The Ultra-Scale Playbook, section on memory for weights, gradients "
            "and optimizer states; DeepSpeed, ZeRO stage 2 memory estimate on one GPU",
            note="16-bit gradients and an fp32 copy of them: 2 + 2 + 4 + 12",
        ),
        replace(
            FP32, name="fp32-reference", reference=4,
            source="Hugging Face 2024, Preference Optimization for Vision Language Models (blog post)",
            note="preference tuning in fp32 beside a frozen reference model: 4 + 4 + 4 + 8 = 20 with AdamW",
        ),
        replace(
            BF16, name="bf16-reference", reference=2,
            source="Hugging Face 2024, Preference Optimization for Vision Language Models (blog post)",
            note="the same with two bytes each: 10 with AdamW",
        ),
    )
)  # fmt: skip


def precision(name: str) -> Precision:
    """The precision called `name`. Raises UnknownName, naming the nearest.

    >>> precision("mixed-16").master
    True
    """
    return entry(PRECISIONS, "precision", name)


def states(optimizer: Optimizer, precision: Precision) -> tuple[State, ...]:
    """What the optimizer keeps under this precision, with bytes; a master copy is there once at most.

    >>> from symcost.tables.optimizers import OPTIMIZERS
    >>> [(state.name, state.bytes) for state in states(OPTIMIZERS["adamw"], PRECISIONS["mixed-16"])]
    [('master', 4), ('m', 4), ('v', 4)]
    """
    own = tuple(
        replace(state, bytes=precision.state) if state.bytes is None else state for state in optimizer.states
    )
    return (MASTER, *own) if precision.master and MASTER not in own else own


def bytes_per_parameter(optimizer: Optimizer, precision: Precision) -> int:
    """Bytes of one parameter before any activation: weight, gradient, states and reference copy.

    >>> from symcost.tables.optimizers import OPTIMIZERS
    >>> bytes_per_parameter(OPTIMIZERS["adamw"], PRECISIONS["mixed-18"])
    18
    """
    kept = sum(state.bytes or 0 for state in states(optimizer, precision))
    return precision.parameter + precision.gradient + precision.reference + kept
