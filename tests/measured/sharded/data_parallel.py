"""Sequences split over processes: ZeRO's first two stages by hand, its third as PyTorch's FSDP has it."""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from whole import Way, alike, attention, batch, block, gradients, logits_of, loss_of, of_block, parameters
from wires import Kept, all_reduce, own, reduce_scatter


def run(way, sizes, wires):
    """`ddp`, `zero-1`, `zero-2`, `fsdp` or `hsdp`: what is kept, sent, and held of what is learned."""
    world = dist.get_world_size()
    tokens, targets = batch(sizes, world * sizes["b"])
    _, expected = gradients(sizes, tokens, targets)
    steps = fully_sharded if way in ("fsdp", "hsdp") else by_hand
    plain = Way(lambda Q, K, V: attention(Q, K, V, sizes["h"]))
    return steps(way, sizes, wires, own(tokens, 0), own(targets, 0), plain, expected)


def by_hand(way, sizes, wires, tokens, targets, plain, expected):
    world = dist.get_world_size()
    mine = {name: nn.Parameter(each.float()) for name, each in parameters(sizes).items()}
    reduced = {}

    def reduce(name):
        """The gradient of all processes' sequences; under ZeRO, of this one's part of the elements."""
        whole = mine[name].grad.flatten()
        with wires.during("update"):
            if way == "ddp":
                reduced[name] = whole.copy_(all_reduce(whole) / world)
            else:
                reduced[name] = reduce_scatter(whole, 0) / world
        if way == "zero-1":
            reduced[name] = part_of(whole).copy_(reduced[name])
        elif way == "zero-2":
            mine[name].grad = None

    with wires, Kept(mine.values()) as kept:
        loss = loss_of(tokens, targets, mine, plain)
        saved = kept.bytes
        if way == "zero-2":
            for name, each in mine.items():
                each.register_post_accumulate_grad_hook(lambda _, name=name: reduce(name))
        with wires.during("backward"):
            loss.backward()
        for name in mine if way != "zero-2" else ():
            reduce(name)
        right = alike(reduced, {
            name: each.flatten() if way == "ddp" else own(each.flatten(), 0) for name, each in expected.items()
        })  # fmt: skip
        parts = {
            name: nn.Parameter(each.data.view(-1) if way == "ddp" else part_of(each.data.view(-1)))
            for name, each in mine.items()
        }
        states = stepped(parts, reduced)
        with wires.during("update"):
            for name, each in mine.items() if way != "ddp" else ():
                whole = [part.contiguous() for part in each.data.view(-1).chunk(world)]
                dist.all_gather(whole, parts[name].data.clone())
                each.data.copy_(torch.cat(whole).view_as(each))
    return {"saved": saved, "right": right, "held": bytes_of([*mine.values(), *reduced.values(), *states])}


def part_of(flat):
    """This process's part of all elements in a row, in place."""
    return flat.chunk(dist.get_world_size())[dist.get_rank()]


def stepped(parts, reduced):
    """One update; the optimizer's states."""
    for name, each in parts.items():
        each.grad = reduced[name].view_as(each)
    return updated(torch.optim.AdamW(parts.values(), foreach=False))


def updated(optimizer):
    optimizer.step()
    return [each for state in optimizer.state.values() for each in state.values()]


def bytes_of(tensors):
    """Bytes of all storages, each once."""
    storages = (local(each).untyped_storage() for each in tensors)
    return sum({each.data_ptr(): each.nbytes() for each in storages}.values())


def local(tensor):
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


class Block(nn.Module):
    def __init__(self, of_it, plain):
        super().__init__()
        self.plain, self.names = plain, list(of_it)
        for name, each in of_it.items():
            self.register_parameter(name, nn.Parameter(each.float()))

    def forward(self, x):
        return block(x, {name: getattr(self, name) for name in self.names}, self.plain)


class Whole(nn.Module):
    def __init__(self, sizes, plain):
        super().__init__()
        p = parameters(sizes)
        self.plain = plain
        self.blocks = nn.ModuleList(Block(of_block(p, number), plain) for number in range(sizes["L"]))
        self.W_E, self.W_U, self.g = (nn.Parameter(p[name].float()) for name in ("W_E", "W_U", "g"))

    def forward(self, tokens, targets):
        x = self.plain.look_up(tokens, self.W_E)
        for each in self.blocks:
            x = each(x)
        return self.plain.lose(logits_of(x, {"W_U": self.W_U, "g": self.g}, self.plain), targets)


def fully_sharded(way, sizes, wires, tokens, targets, plain, expected):
    world = dist.get_world_size()
    shape, names = ((2, world // 2), ("dp", "shard")) if way == "hsdp" else ((world,), ("dp",))
    mesh = init_device_mesh("cpu", shape, mesh_dim_names=names)
    model = Whole(sizes, plain)
    for each in (*model.blocks, model):
        fully_shard(each, mesh=mesh, reshard_after_forward=True)
    with wires, Kept() as kept:
        loss = model(tokens, targets)
        saved = kept.bytes
        with wires.during("backward"):
            loss.backward()
        named = {name.removeprefix("blocks."): each for name, each in model.named_parameters()}
        states = updated(torch.optim.AdamW(model.parameters(), foreach=False))
        sent = len(wires.sent)
    found = {name: each.grad.full_tensor() for name, each in named.items()}
    held = bytes_of([*named.values(), *(each.grad for each in named.values()), *states])
    return {"saved": saved, "right": alike(found, expected), "held": held, "sent": wires.sent[:sent]}
