"""What a process sends and keeps, seen from inside PyTorch: collectives as its dispatcher runs them, and the
storages that autograd holds.
"""

from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch.utils._python_dispatch import TorchDispatchMode

# Which argument of each collective is all that it is about.
KINDS = {
    "c10d::allreduce_": ("all-reduce", 0),
    "c10d::allgather_": ("all-gather", 0),
    "c10d::_allgather_base_": ("all-gather", 0),
    "c10d::reduce_scatter_": ("reduce-scatter", 1),
    "c10d::_reduce_scatter_base_": ("reduce-scatter", 1),
    "c10d::alltoall_base_": ("all-to-all", 1),
    "c10d::send": ("send", 0),
}


class Wires(TorchDispatchMode):
    """Every message of this process: its kind, the part of the step, and its bytes."""

    def __init__(self):
        super().__init__()
        self.sent, self.part = [], "forward"

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kind, whole = KINDS.get(function.name().partition(".")[0], (None, 0))
        if kind is not None:
            self.sent.append((kind, self.part, sum(each.nbytes for each in _tensors(args[whole]))))
        return function(*args, **(kwargs or {}))

    @contextmanager
    def during(self, part):
        before, self.part = self.part, part
        yield
        self.part = before


def _tensors(argument):
    if isinstance(argument, torch.Tensor):
        return [argument]
    return [tensor for each in argument for tensor in _tensors(each)]


class Kept(torch.autograd.graph.saved_tensors_hooks):
    """The bytes of floating-point storages that autograd holds, now and at most; none of those in `besides`.

    A storage whose memory was given back, as FSDP does with gathered parameters, has none.
    """

    def __init__(self, besides=()):
        self.besides = {each.untyped_storage().data_ptr() for each in besides}
        self.held, self.most = {}, 0
        super().__init__(self._pack, lambda handle: handle.tensor)

    def __enter__(self):
        super().__enter__()
        return self

    @property
    def bytes(self):
        return sum({address: each.nbytes() for address, each in self.held.values()}.values())

    def _pack(self, tensor):
        handle = _Handle(tensor.detach(), self.held)
        storage = tensor.untyped_storage()
        if tensor.is_floating_point() and storage.data_ptr() not in self.besides:
            self.held[id(handle)] = (storage._cdata, storage)
            self.most = max(self.most, self.bytes)
        return handle


class _Handle:
    """What autograd holds in a tensor's place, until the graph lets go of it."""

    def __init__(self, tensor, held):
        self.tensor, self.held = tensor, held

    def __del__(self):
        self.held.pop(id(self), None)


GROUP = [None]  # the processes that messages go round in; None are all


@contextmanager
def along(group):
    GROUP.append(group)
    yield
    GROUP.pop()


def world():
    return dist.get_world_size(GROUP[-1])


def rank():
    return dist.get_rank(GROUP[-1])


def own(x, dim):
    """This process's part along one axis."""
    return x.chunk(world(), dim)[rank()].contiguous()


def all_reduce(x, operation=dist.ReduceOp.SUM):
    total = x.contiguous().clone()
    dist.all_reduce(total, op=operation, group=GROUP[-1])
    return total


def all_gather(x, dim=1):
    parts = [torch.empty_like(x) for _ in range(world())]
    dist.all_gather(parts, x.contiguous(), group=GROUP[-1])
    return torch.cat(parts, dim)


def reduce_scatter(x, dim=1):
    """A part of a sum → this process's part of the whole sum."""
    parts = [part.contiguous() for part in x.chunk(world(), dim)]
    mine = torch.empty_like(parts[0])
    dist.reduce_scatter(mine, parts, group=GROUP[-1])
    return mine


def all_to_all(x):
    """[n …] → [n …]: the j-th part goes to process j, and its part comes here."""
    received = torch.empty_like(x, memory_format=torch.contiguous_format)
    dist.all_to_all_single(received, x.contiguous())
    return received


class Mean(torch.autograd.Function):
    """The mean loss of all tokens, of which each process has an equal part."""

    @staticmethod
    def forward(context, loss):
        return all_reduce(loss) / world()

    @staticmethod
    def backward(context, arriving):
        return arriving / world()
