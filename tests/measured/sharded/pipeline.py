"""Blocks split over processes, run by PyTorch's own schedules: what each stage keeps at most, and sends."""

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe, ScheduleInterleaved1F1B
from whole import Way, alike, attention, batch, block, gradients, logits_of, loss, of_block, parameters
from wires import Kept

SCHEDULES = {
    "pp-gpipe": ScheduleGPipe, "pp-1f1b": Schedule1F1B, "pp-interleaved": ScheduleInterleaved1F1B,
}  # fmt: skip


class Stage(nn.Module):
    """Some blocks in a row; the first has the embedding as well, the last the head."""

    def __init__(self, sizes, numbers):
        super().__init__()
        p = parameters(sizes)
        self.numbers, self.way = numbers, Way(lambda Q, K, V: attention(Q, K, V, sizes["h"]))
        self.first, self.last = numbers[0] == 0, numbers[-1] == sizes["L"] - 1
        held = {f"{number}.{name}": each for number in numbers for name, each in of_block(p, number).items()}
        held |= {"W_E": p["W_E"]} if self.first else {}
        held |= {"W_U": p["W_U"], "g": p["g"]} if self.last else {}
        self.p = nn.ParameterDict({name.replace(".", "_"): each.float() for name, each in held.items()})
        self.names = list(held)

    def named(self):
        return {name: self.p[name.replace(".", "_")] for name in self.names}

    def forward(self, x):
        p = self.named()
        x = self.way.look_up(x, p["W_E"]) if self.first else x
        for number in self.numbers:
            x = block(x, of_block(p, number), self.way)
        return logits_of(x, p, self.way) if self.last else x


def run(way, sizes, wires):
    """A step of `accumulation` micro-batches; with `chunks`, each process has several stages."""
    rank, world = dist.get_rank(), dist.get_world_size()
    many, chunks = sizes["accumulation"], sizes.get("chunks", 1)
    counts = sizes.get("blocks") or [sizes["L"] // (world * chunks)] * (world * chunks)
    first = [sum(counts[:number]) for number in range(len(counts))]
    numbers = [range(start, start + count) for start, count in zip(first, counts, strict=True)]
    modules = [Stage(sizes, numbers[rank + chunk * world]) for chunk in range(chunks)]
    passed = torch.empty(sizes["b"], sizes["c"], sizes["d"], requires_grad=True)
    tokens, targets = batch(sizes, many * sizes["b"])
    stages = [
        PipelineStage(
            module, rank + chunk * world, world * chunks, torch.device("cpu"),
            input_args=(tokens[: sizes["b"]] if module.first else passed,),
            output_args=(torch.empty(*passed.shape[:2], sizes["v"], requires_grad=True) if module.last else passed,),
        )
        for chunk, module in enumerate(modules)
    ]  # fmt: skip
    schedule = SCHEDULES[way](stages if chunks > 1 else stages[0], many, loss_fn=loss)
    mine = {name: each for module in modules for name, each in module.named().items()}
    read = [tokens] if rank == 0 else []
    aims = {"target": targets} if rank == world - 1 else {}
    schedule.step(*read, **aims)  # in a first step, stages greet each other
    for each in mine.values():
        each.grad = None
    with wires, Kept(mine.values()) as kept:
        schedule.step(*read, **aims)
    _, expected = gradients(sizes, tokens, targets)
    return {"saved": kept.most, "right": alike({name: each.grad for name, each in mine.items()}, expected)}
