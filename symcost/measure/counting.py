"""One training step of a model in PyTorch, watched: what is kept, and how many FLOPs are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.flop_counter import FlopCounterMode

from symcost.conventions import Convention
from symcost.measure.pytorch import ATEN, Network
from symcost.measure.storages import Packed, Watch
from symcost.tensors import Tensor


@dataclass(frozen=True)
class Counted:
    """What one step keeps and computes. `saved` are bytes by place and name; `parameters` are elements."""

    parameters: int
    parameter_tensors: int
    saved: Mapping[str, int]
    seen_by_hooks: int
    forward_flops: int
    backward_flops: int
    optimizer_bytes: int


def count(
    loss: Tensor, convention: Convention, numbers: Mapping[str, int], element: str, *, fake: bool = False
) -> Counted:
    """Runs a model's forward pass, backward pass and AdamW update once, and counts.

    Tensors that are `fake` have sizes but no contents.
    """
    with _one_thread(), FakeTensorMode() if fake else nullcontext():
        network = Network(loss, convention, numbers, element)
        saved, seen = _saved(network)
        forward, backward = _flops(network)
        parameters = list(network.parameters.values())
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        return Counted(
            sum(parameter.numel() for parameter in parameters),
            len(parameters),
            saved,
            seen,
            forward,
            backward,
            _optimizer_bytes(trained),
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Small products are slower on many threads than on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _saved(network: Network) -> tuple[Mapping[str, int], int]:
    """Bytes of the storages alive when only the loss is held, by name; and what autograd's hooks saw."""
    watch, packed = Watch(), Packed()
    for parameter in network.parameters.values():
        watch.storages.add(parameter)
    with watch, packed:
        loss = network.run(watch)
    there = (*network.parameters.values(), *network.buffers.values(), loss)
    alive = [storage for storage in watch.storages.without(there) if storage.alive]
    seen = sum(storage.bytes for storage in packed.storages.without(there))
    saved: Counter[str] = Counter()
    for storage in alive:
        saved[storage.name] += storage.bytes
    return saved, seen


def _flops(network: Network) -> tuple[int, int]:
    """FLOPs of the products forward and backward; PyTorch has no formula for attention on a CPU."""
    counter = FlopCounterMode(display=False, custom_mapping=ATTENTION_FLOPS)
    with counter:
        loss = network.run()
        forward = counter.get_total_flops()
        loss.backward()
    return forward, counter.get_total_flops() - forward


def _attention(query: Any, key: Any, value: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    b, h, c, d_k = query
    return 2 * int(b * h * c * key[2] * (d_k + value[-1]))


def _attention_backward(gradient: Any, query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> int:
    b, h, c, d_k = query
    scores, weights = 2 * b * h * c * key[2] * d_k, 2 * b * h * c * key[2] * value[-1]
    return int(
        3 * scores + 2 * weights
    )  # the scores once more, then a gradient for each factor of both products


ATTENTION_FLOPS = {
    ATEN._scaled_dot_product_flash_attention_for_cpu: _attention,
    ATEN._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}


def _optimizer_bytes(trained: list[torch.nn.Parameter]) -> int:
    optimizer = torch.optim.AdamW(trained, foreach=False)
    optimizer.step()
    states = {
        StorageWeakRef(value.untyped_storage()).cdata: value.untyped_storage().nbytes()
        for state in optimizer.state.values()
        for value in state.values()
    }
    return sum(states.values())
