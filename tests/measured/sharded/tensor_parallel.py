"""Matrices by columns and rows, as a lecturer would shard them by hand; tokens between them split or not, and
so the vocabulary.
"""

from dataclasses import replace
from functools import partial

import torch
import torch.distributed as dist
from torch.autograd import Function
from torch.distributed.device_mesh import init_device_mesh
from torch.utils.checkpoint import checkpoint
from whole import Way, alike, attention, batch, gradients, loss_of, parameters
from wires import Kept, Mean, all_gather, all_reduce, along, own, rank, reduce_scatter, world


class Columns(Function):
    """x·W for several matrices split by columns; on the way back their parts of ∂x are added up, and sent
    once.
    """

    @staticmethod
    def forward(context, x, split, *matrices):
        context.save_for_backward(x, *matrices)
        context.split = split
        whole = all_gather(x) if split else x
        return tuple(whole @ W for W in matrices)

    @staticmethod
    def backward(context, *arriving):
        x, *matrices = context.saved_tensors
        whole = all_gather(x) if context.split else x
        part = sum(dy @ W.T for dy, W in zip(arriving, matrices, strict=True))
        of_matrices = [torch.einsum("bci,bco->io", whole, dy) for dy in arriving]
        return (reduce_scatter if context.split else all_reduce)(part), None, *of_matrices


class Sum(Function):
    """The sum of all parts, whole or each process's tokens of it: behind a product split by rows."""

    @staticmethod
    def forward(context, part, split):
        context.split = split
        return (reduce_scatter if split else all_reduce)(part)

    @staticmethod
    def backward(context, arriving):
        return all_gather(arriving) if context.split else arriving, None


class Table(Function):
    """Rows of a table split by rows: each process looks up those that it has, and the sum is taken."""

    @staticmethod
    def forward(context, tokens, split, W):
        local = tokens - rank() * W.shape[0]
        here = (local >= 0) & (local < W.shape[0])
        context.save_for_backward(tokens)
        context.split, context.rows = split, W.shape[0]
        found = W[local.clamp(0, W.shape[0] - 1)] * here.unsqueeze(-1)
        return (reduce_scatter if split else all_reduce)(found)

    @staticmethod
    def backward(context, dx):
        (tokens,) = context.saved_tensors
        dx = all_gather(dx) if context.split else dx
        local = tokens - rank() * context.rows
        here = (local >= 0) & (local < context.rows)
        dW = dx.new_zeros(context.rows, dx.shape[-1])
        return None, None, dW.index_add(0, local[here], dx[here])


class SplitLogSoftmax(Function):
    """log softmax over a split vocabulary: the largest and the sum of each row go round."""

    @staticmethod
    def forward(context, logits):
        largest = all_reduce(logits.amax(-1), dist.ReduceOp.MAX).unsqueeze(-1)
        total = all_reduce((logits - largest).exp().sum(-1)).unsqueeze(-1)
        log_p = logits - largest - total.log()
        context.save_for_backward(log_p)
        return log_p

    @staticmethod
    def backward(context, arriving):
        (log_p,) = context.saved_tensors
        return arriving - log_p.exp() * all_reduce(arriving.sum(-1)).unsqueeze(-1)


class SplitLoss(Function):
    """The mean of −log p at the targets, each in one process's part of the vocabulary."""

    @staticmethod
    def forward(context, log_p, targets):
        local = targets - rank() * log_p.shape[-1]
        here = (local >= 0) & (local < log_p.shape[-1])
        local = local.clamp(0, log_p.shape[-1] - 1)
        picked = (log_p.gather(-1, local.unsqueeze(-1)).squeeze(-1) * here).sum()
        weight = log_p.new_tensor(targets.numel())
        context.save_for_backward(targets, weight)
        context.shape = log_p.shape
        return -all_reduce(picked) / weight

    @staticmethod
    def backward(context, arriving):
        targets, weight = context.saved_tensors
        local = targets - rank() * context.shape[-1]
        here = ((local >= 0) & (local < context.shape[-1])).float()
        gradient = torch.zeros(context.shape)
        index = local.clamp(0, context.shape[-1] - 1).unsqueeze(-1)
        gradient.scatter_(-1, index, (-arriving / weight * here).unsqueeze(-1))
        return gradient, None


BY_COLUMNS, BY_ROWS = {"W_Q", "W_K", "W_V", "W_1", "W_3"}, {"W_O", "W_2"}


def run(way, sizes, wires):
    """`tp`, with `-sp` where tokens are split too, `-v` where the vocabulary is, and `-again` where blocks are
    computed again; `+ddp` is for pairs of processes with sequences of their own.
    """
    way, _, copies = way.partition("+")
    width = 2 if copies else dist.get_world_size()
    mesh = init_device_mesh("cpu", (dist.get_world_size() // width, width), mesh_dim_names=("dp", "tp"))
    with along(mesh["tp"].get_group()):
        return replica(way, sizes, wires, mesh["dp"].get_group())


def replica(way, sizes, wires, copies):
    split, vocabulary = "sp" in way.split("-"), "v" in way.split("-")
    by_rows = BY_ROWS | ({"W_E", "W_U"} if vocabulary else set())

    def part(name, whole):
        short = name.rpartition(".")[2]
        return own(whole, 1) if short in BY_COLUMNS else own(whole, 0) if short in by_rows else whole

    def columns(x, *matrices):
        return Columns.apply(x, split, *matrices)

    sharded = Way(
        attend=lambda Q, K, V: attention(Q, K, V, sizes["h"] // world()),
        columns=columns,
        rows=lambda x, W: Sum.apply(x @ W, split),
    )
    if vocabulary:
        sharded = replace(
            sharded, head=columns,
            look_up=lambda tokens, W: Table.apply(tokens, split, W),
            lose=lambda logits, targets: SplitLoss.apply(SplitLogSoftmax.apply(logits), targets),
        )  # fmt: skip
    if "again" in way.split("-"):
        sharded = replace(sharded, go=partial(checkpoint, use_reentrant=False))
    tokens, targets = batch(sizes, dist.get_world_size(copies) * sizes["b"])
    lost, expected = gradients(sizes, tokens, targets)
    with along(copies):
        tokens, targets = own(tokens, 0), own(targets, 0)
    mine = {name: part(name, each).float().requires_grad_() for name, each in parameters(sizes).items()}
    if split and not vocabulary:
        tokens, targets = own(tokens, 1), own(targets, 1)
    with wires, Kept(mine.values()) as kept:
        loss = loss_of(tokens, targets, mine, sharded)
        saved = kept.bytes
        loss = Mean.apply(loss) if split and not vocabulary else loss
        with wires.during("backward"):
            loss.backward()
        with wires.during("update"):
            for name, each in mine.items():  # what is whole here saw a part of the tokens alone
                if split and name.rpartition(".")[2] not in BY_COLUMNS | by_rows:
                    each.grad = all_reduce(each.grad)
            with along(copies):
                for each in mine.values() if world() > 1 else ():
                    each.grad = all_reduce(each.grad) / world()
    with along(copies):
        mean = all_reduce(loss.detach()) / world()
    found = {name: each.grad for name, each in mine.items()}
    right = alike(found, {name: part(name, each) for name, each in expected.items()})
    return {"saved": saved, "right": right and abs(mean.item() - lost) < 1e-4}
