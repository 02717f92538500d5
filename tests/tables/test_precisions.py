"""Precisions: bytes by role, and what a parameter takes together with an optimizer."""

from __future__ import annotations

import pytest

from symcost.errors import UnknownName
from symcost.tables.gpus import GPUS
from symcost.tables.optimizers import OPTIMIZERS
from symcost.tables.precisions import PRECISIONS, bytes_per_parameter, precision, states


@pytest.mark.parametrize(
    ("optimizer", "name", "published"),
    [
        ("adamw", "fp32", 16),  # CS190C lecture 9, part 1: 4 + 4 + 8
        ("adamw", "bf16", 8),  # PyTorch 2.13, pure bf16: 2 + 2 + 4
        ("adamw", "mixed-10", 10),  # How to Scale Your Model, chapter 5: 2 + 8
        ("adamw", "mixed-12", 12),  # CS336 2025, lecture 2: 2 + 2 + 8
        ("adamw", "mixed-16", 16),  # ZeRO, section 3.1: 2 + 2 + 12
        ("adamw", "mixed-18", 18),  # Megatron-LM: 2 + 4 + 12
        ("adamw", "mixed-20", 20),  # DeepSpeed ZeRO-2 on one GPU: 4 + 16
        ("adamw", "fp32-reference", 20),  # 8.1 TB for 405e9 parameters, preference tuning
        ("adamw-8bit", "mixed-16", 10),  # slides on memory: 2 + 2 + 6
        ("sgd-momentum", "mixed-16", 12),  # the same slides: 2 + 2 + 8
    ],
)
def test_a_parameter_takes_the_bytes_published(optimizer: str, name: str, published: int) -> None:
    assert bytes_per_parameter(OPTIMIZERS[optimizer], PRECISIONS[name]) == published


def test_a_master_copy_asked_for_twice_is_kept_once() -> None:
    """ZeRO's K = 12, whether the optimizer or the precision brings the fp32 copy."""
    for name in ("adamw", "adamw-master"):
        kept = states(OPTIMIZERS[name], PRECISIONS["mixed-16"])
        assert [(state.name, state.bytes) for state in kept] == [("master", 4), ("m", 4), ("v", 4)]


def test_an_optimizer_that_names_its_sizes_keeps_them_under_every_precision() -> None:
    """bitsandbytes: one byte for each moment, whatever the weights are."""
    for entry in PRECISIONS.values():
        assert sum(state.bytes or 0 for state in states(OPTIMIZERS["adamw-8bit"], entry)) == 6


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", PRECISIONS)
def test_every_state_has_bytes_once_optimizer_and_precision_meet(optimizer: str, name: str) -> None:
    kept = states(OPTIMIZERS[optimizer], PRECISIONS[name])
    assert all(state.bytes for state in kept)
    assert len({state.name for state in kept}) == len(kept)


@pytest.mark.parametrize("entry", PRECISIONS.values(), ids=lambda entry: entry.name)
def test_every_precision_has_a_source_and_a_gpu_that_computes_in_it(entry) -> None:  # type: ignore[no-untyped-def]
    assert entry.source
    assert any(entry.matmul in gpu.peak for gpu in GPUS.values())


def test_a_precision_named_after_its_bytes_takes_them_with_adamw() -> None:
    named = {name: int(name.split("-")[1]) for name in PRECISIONS if name.startswith("mixed-")}
    assert named == {name: bytes_per_parameter(OPTIMIZERS["adamw"], PRECISIONS[name]) for name in named}


def test_an_unknown_precision_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"'fp-32' is not a known precision\. Did you mean 'fp32'"):
        precision("fp-32")
