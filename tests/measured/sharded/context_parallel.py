"""Tokens split over processes: keys and values pass round a ring, or heads are exchanged for tokens."""

import math

import torch
import torch.distributed as dist
from torch.autograd import Function
from whole import Way, alike, attention, batch, gradients, loss_of, parameters
from wires import Kept, Mean, all_reduce, all_to_all, own


class Exchange(Function):
    """[b c/n m] → [b c m/n], or back: m, the heads, are exchanged for tokens."""

    @staticmethod
    def forward(context, x, back):
        context.back = back
        return _exchanged(x, back)

    @staticmethod
    def backward(context, arriving):
        return _exchanged(arriving, not context.back), None


def _exchanged(x, back):
    split, joined = (1, 2) if back else (2, 1)
    received = all_to_all(torch.stack(x.chunk(dist.get_world_size(), split)))
    return torch.cat(received.unbind(), joined)


def ulysses(Q, K, V, heads, inside=attention):
    """Jacobs et al. 2023, section 3.2."""
    Q, K, V = (Exchange.apply(each, False) for each in (Q, K, V))
    return Exchange.apply(inside(Q, K, V, heads // dist.get_world_size()), True)


def passed_on(*tensors):
    """Tensors of the process before this one in the ring; its own go to the next."""
    rank, world = dist.get_rank(), dist.get_world_size()
    received = [torch.empty(each.shape) for each in tensors]
    waits = [dist.irecv(each, (rank - 1) % world) for each in received]
    for each in tensors:
        dist.send(each.contiguous(), (rank + 1) % world)
    for each in waits:
        each.wait()
    return received


class Ring(Function):
    """softmax(Q·Kᵀ)·V of one's own queries, one part of keys and values after the other, in so many turns.

    Kept are Q, K, V, the result and each row's log-sum-exp. Source: Liu et al. 2023, Ring Attention, section
    3; on the way back the gradients of keys and values pass round behind them.
    """

    @staticmethod
    def forward(context, Q, K, V, turns):
        context.turns = turns
        root = math.sqrt(Q.shape[-1])
        keys, values, parts, sums = K, V, [], []
        for turn in range(turns):
            if turn:
                keys, values = passed_on(keys, values)
            scores = Q @ keys.transpose(-1, -2) / root
            sums.append(torch.logsumexp(scores, -1))
            parts.append(torch.softmax(scores, -1) @ values)
        total = torch.logsumexp(torch.stack(sums), 0)
        weighed = (part * (each - total).exp().unsqueeze(-1) for part, each in zip(parts, sums, strict=True))
        O = torch.empty_like(Q).copy_(sum(weighed))  # as its queries lie
        context.save_for_backward(Q, K, V, O, total)
        return O

    @staticmethod
    def backward(context, dO):
        Q, keys, values, O, total = context.saved_tensors
        root = math.sqrt(Q.shape[-1])
        rows = (dO * O).sum(-1, keepdim=True)
        dQ, mine, theirs = 0, None, None
        for turn in range(context.turns):
            if turn:
                keys, values = passed_on(keys, values)
            P = (Q @ keys.transpose(-1, -2) / root - total.unsqueeze(-1)).exp()
            dS = P * (dO @ values.transpose(-1, -2) - rows)
            dQ = dQ + dS @ keys / root
            here = dS.transpose(-1, -2) @ Q / root, P.transpose(-1, -2) @ dO
            if turn == 0:
                mine = here
            elif turn == 1:
                theirs = here
            else:
                theirs = [sum(pair) for pair in zip(passed_on(*theirs), here, strict=True)]
        if theirs is not None:
            mine = (sum(pair) for pair in zip(mine, passed_on(*theirs), strict=True))
        return dQ, *mine, None


def flash(Q, K, V, heads, turns=1):
    Q, K, V = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in (Q, K, V))
    return Ring.apply(Q, K, V, turns).transpose(1, 2).flatten(2)


WAYS = {
    "cp-ring": lambda Q, K, V, heads: flash(Q, K, V, heads, dist.get_world_size()),
    "ulysses": ulysses,
    "ulysses-flash": lambda Q, K, V, heads: ulysses(Q, K, V, heads, flash),
}


def run(way, sizes, wires):
    tokens, targets = batch(sizes, sizes["b"])
    lost, expected = gradients(sizes, tokens, targets)
    mine = {name: each.float().requires_grad_() for name, each in parameters(sizes).items()}
    with wires, Kept(mine.values()) as kept:
        split = Way(lambda Q, K, V: WAYS[way](Q, K, V, sizes["h"]))
        loss = loss_of(own(tokens, 1), own(targets, 1), mine, split)
        saved = kept.bytes
        loss = Mean.apply(loss)
        with wires.during("backward"):
            loss.backward()
        with wires.during("update"):
            found = {name: all_reduce(each.grad) for name, each in mine.items()}
    return {"saved": saved, "right": alike(found, expected) and abs(loss.item() - lost) < 1e-4}
