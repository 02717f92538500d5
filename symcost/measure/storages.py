"""What lives in PyTorch's memory: storages, not tensors, seen in two independent ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from symcost import rules
from symcost.measure.pytorch import ATEN, Listener
from symcost.tensors import Op


@dataclass
class Storage:
    """One storage, held weakly: its bytes, and the name of what lies in it."""

    weak: StorageWeakRef
    bytes: int
    name: str

    @property
    def alive(self) -> bool:
        return not self.weak.expired()


COPIES = {ATEN.clone.default, ATEN._to_copy.default}
RESULTS: Mapping[
    Any, tuple[str, ...]
] = {  # what the results of an operation are called, where no step says so
    ATEN._log_softmax.default: ("log_p",),
    ATEN.nll_loss_forward.default: ("", "total_weight"),
    ATEN.native_layer_norm.default: ("", "mean", "rstd"),
    ATEN.zeros.default: ("rstd",),
    ATEN.logsumexp.default: ("log_sum",),
    ATEN._scaled_dot_product_flash_attention_for_cpu.default: ("", "lse"),
}


class Storages:
    """Storages by address. A weak reference keeps its address from being used again."""

    def __init__(self) -> None:
        self.found: dict[int, Storage] = {}
        self.views: dict[tuple[int, int], str] = {}  # the names of parts of a storage, by address and offset

    def add(self, tensor: torch.Tensor, name: str = "") -> None:
        """Notes a tensor's storage, unless it is known, under a first name."""
        storage = tensor.untyped_storage()
        weak = StorageWeakRef(storage)
        if weak.cdata not in self.found:
            self.found[weak.cdata] = Storage(weak, storage.nbytes(), name)

    def name(self, tensor: torch.Tensor, name: str, *, part: bool = False) -> None:
        """Names a storage, or the part of it that begins where `tensor` does; the last name counts."""
        address = StorageWeakRef(tensor.untyped_storage()).cdata
        if part:
            self.views[address, tensor.storage_offset()] = name
        elif address in self.found:
            self.found[address].name = name

    def name_copy(self, source: torch.Tensor, copy: torch.Tensor, place: str) -> None:
        """Calls a copy as its source is called, at the place where it was made."""
        address = StorageWeakRef(source.untyped_storage()).cdata
        if address in self.found:
            name = self.views.get((address, source.storage_offset()), self.found[address].name)
            self.name(copy, f"{place}.{name.rpartition('.')[2]}")

    def without(self, tensors: Iterable[torch.Tensor]) -> list[Storage]:
        """Every storage but those of some tensors (parameters, buffers, inputs)."""
        others = {StorageWeakRef(tensor.untyped_storage()).cdata for tensor in tensors}
        return [storage for address, storage in self.found.items() if address not in others]


class Watch(TorchDispatchMode, Listener):  # type: ignore[misc]
    """Notes the storage of every tensor that any operation makes; sees caches and closures that hooks do not.

    `place` and `made` say where the program is, and what to call a storage that nothing else names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.storages = Storages()
        self.place, self.made = "", ""

    def step(self, op: Op, place: str) -> None:
        self.place = place
        self.made = f"{place}.mask_{op.name}" if op.rule is rules.DROPOUT else f"made in {place}.{op.name}"

    def named(self, value: torch.Tensor, place: str, name: str, *, part: bool = False) -> None:
        self.storages.name(value, f"{place}.{name}".lstrip("."), part=part)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        values = result if isinstance(result, tuple | list) else (result,)
        for value, name in zip_longest(values, RESULTS.get(func, ()), fillvalue=""):
            if isinstance(value, torch.Tensor):
                self.storages.add(value, f"{self.place}.{name}" if name else self.made)
        if func in COPIES:
            self.storages.name_copy(args[0], result, self.place)
        return result


class Packed(torch.autograd.graph.saved_tensors_hooks):  # type: ignore[misc]
    """Notes the storage of every tensor that autograd packs.

    What it hands back is cut from the graph: a step that keeps its own result would otherwise hold itself for
    ever.
    """

    def __init__(self) -> None:
        self.storages = Storages()
        super().__init__(self._pack, lambda tensor: tensor)

    def _pack(self, tensor: torch.Tensor) -> torch.Tensor:
        self.storages.add(tensor)
        return tensor.detach()
