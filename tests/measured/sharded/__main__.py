"""Small models on several processes joined by gloo: what each keeps and sends, and whether its gradients are
right. Written as a lecturer would shard them, independent of symcost.

Run as `python sharded RANK WORLD MEETING-PLACE CASES`, CASES a JSON list of ways with sizes; prints one JSON
document.
"""

import json
import sys

import context_parallel
import data_parallel
import experts
import pipeline
import tensor_parallel
import torch
import torch.distributed as dist
from wires import Wires

RUNS = {
    **dict.fromkeys(("tp", "tp-sp", "tp-v", "tp-sp-v"), tensor_parallel.run),
    **dict.fromkeys(("tp-v-again", "tp-sp-v-again", "tp-sp-v+ddp"), tensor_parallel.run),
    **dict.fromkeys(("ddp", "zero-1", "zero-2", "fsdp", "hsdp"), data_parallel.run),
    **dict.fromkeys(context_parallel.WAYS, context_parallel.run),
    **dict.fromkeys(pipeline.SCHEDULES, pipeline.run),
    "ep": experts.run,
}


def main(rank, world, meeting_place, cases):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting_place}", rank=rank, world_size=world)
    answers = []
    for case in cases:
        wires = Wires()
        answers.append({"sent": wires.sent, **RUNS[case["way"]](case["way"], case["sizes"], wires)})
        dist.barrier()
    print(json.dumps(answers))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4]))
