"""Experts split over processes, each with sequences of its own: tokens are sent to their experts and back.

Every expert gets equally many tokens, as layouts suppose: which ones is fixed, and the router gives the
weights.
"""

import torch
import torch.distributed as dist
from torch.autograd import Function
from torch.nn.functional import silu
from whole import Way, alike, attention, batch, gradients, loss_of, parameters
from wires import Kept, all_reduce, all_to_all, own

OF_EXPERTS = {"W_1", "W_2", "W_3"}


class ToExperts(Function):
    """[E n m], by expert → [E/n' n·n' m], the tokens of all n' processes for this one's experts; or back."""

    @staticmethod
    def forward(context, x, back):
        context.back = back
        return _sent(x, back)

    @staticmethod
    def backward(context, arriving):
        return _sent(arriving, not context.back), None


def _sent(x, back):
    world = dist.get_world_size()
    if back:
        of_processes = x.unflatten(1, (world, -1)).transpose(0, 1)
        return all_to_all(of_processes).flatten(0, 1)
    return all_to_all(x.unflatten(0, (world, -1))).transpose(0, 1).flatten(1, 2)


def here(x, back):
    """All experts are here."""
    return x


def mixture(sizes, send):
    E, k = sizes["E"], sizes["k"]

    def feed(x, p, way):
        b, c, d = x.shape
        token = torch.arange(b * c).repeat_interleave(k)
        expert = torch.arange(b * c * k) % E
        by_expert = torch.argsort(expert, stable=True)
        scores = torch.softmax(x @ p["W_R"], -1)
        w = scores.gather(-1, expert.view(b, c, k))
        w = w / w.sum(-1, keepdim=True)
        x_e = send(x.flatten(0, 1).index_select(0, token[by_expert]).unflatten(0, (E, -1)), False)
        w_e = send(w.flatten().index_select(0, by_expert).view(E, -1, 1), False)
        G, U = x_e @ p["W_1"], x_e @ p["W_3"]
        z_e = ((silu(G) * U) @ p["W_2"]) * w_e
        z_e = send(z_e, True).flatten(0, 1)
        return torch.zeros(b * c, d, dtype=x.dtype).index_add(0, token[by_expert], z_e).view(b, c, d)

    return feed


def run(way, sizes, wires):
    world = dist.get_world_size()
    attend = lambda Q, K, V: attention(Q, K, V, sizes["h"])  # noqa: E731
    tokens, targets = batch(sizes, world * sizes["b"])
    _, expected = gradients(sizes, tokens, targets, Way(attend, feed=mixture(sizes, here)))

    def part(name, whole):
        return own(whole, 0) if name.rpartition(".")[2] in OF_EXPERTS else whole

    mine = {name: part(name, each).float().requires_grad_() for name, each in parameters(sizes).items()}
    with wires, Kept(mine.values()) as kept:
        loss = loss_of(
            own(tokens, 0), own(targets, 0), mine, Way(attend, feed=mixture(sizes, ToExperts.apply))
        )
        saved = kept.bytes
        with wires.during("backward"):
            loss.backward()
        with wires.during("update"):
            for name, each in mine.items():
                if name.rpartition(".")[2] not in OF_EXPERTS:
                    each.grad = all_reduce(each.grad)
    found = {name: each.grad / world for name, each in mine.items()}
    return {
        "saved": saved,
        "right": alike(found, {name: part(name, each) for name, each in expected.items()}),
    }
