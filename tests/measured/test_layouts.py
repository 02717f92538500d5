"""Layouts against PyTorch: the same model on 2 and 4 processes joined by gloo on this machine.

Exact, for every process: the bytes that it keeps (of a pipeline the most at any time), what it holds of
parameters, gradients and states, and every message in kind, part of the step and bytes, as PyTorch's
dispatcher ran them. Gradients are those of the whole model, so that no message is missing.

FSDP and the pipeline's schedules are PyTorch's own; FSDP gathers the parameters of a block at once, so that
its messages are compared by their sum. gloo runs all kinds of message; that experts get unequally many tokens,
and CUDA's fused kernels and overlap, are not measured here.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import symcost
from symcost.layouts import ACTIVATIONS, Layout, Split
from symcost.layouts.messages import AGAIN, BACKWARD, PASS, RING
from symcost.model import Architecture, Attention, Block, Experts, Model
from symcost.terms import ONE

if os.environ.get("SYMCOST_REQUIRE_TORCH") != "1":
    pytest.importorskip("torch", reason="PyTorch is not installed; the extra `measure` brings it")

WIDTHS = (Split("h", "tp"), Split("d_ff", "tp"))
TOKENS = Split("c", "tp", of=frozenset({ACTIVATIONS}), beside=("d",))
LAYOUTS = {  # each way to shard by hand, and the layout that says so
    "tp": Layout("tp", ("tp",), WIDTHS),
    "tp-sp": Layout("tp-sp", ("tp",), (*WIDTHS, TOKENS)),
    "tp-v": "megatron-tp",
    "tp-sp-v": "megatron-tp-sp",
    "tp-v-again": "megatron-tp",
    "tp-sp-v-again": "megatron-tp-sp",
    "tp-sp-v+ddp": "megatron-tp-sp+ddp",
    "ulysses-flash": "ulysses",
}
EXPERTS = Model("experts", Architecture((Block(Attention(), Experts(normalised=True)),)))
UNDER = {
    **dict.fromkeys(("cp-ring", "ulysses-flash"), "torch-eager+flash"),
    **dict.fromkeys(("tp-v-again", "tp-sp-v-again"), "torch-eager+checkpoint"),
}
SMALL = {"b": 2, "c": 8, "d": 16, "h": 4, "L": 4, "v": 24}
OTHER = {"b": 3, "c": 12, "d": 24, "h": 8, "L": 1, "v": 12}
ROUTED = {"E": 4, "k": 2, "d_expert": 12, "d_k": "d/h"}
UNEVEN = {"L": 5, "accumulation": 5, "blocks": [1, 1, 2, 1]}
CASES = {
    2: [
        *((way, SMALL) for way in ("tp", "tp-sp", "tp-v", "tp-sp-v", "ddp", "zero-1", "zero-2", "fsdp")),
        *((way, SMALL) for way in ("cp-ring", "ulysses", "ulysses-flash")),
        ("tp-v-again", SMALL),
        ("tp-sp-v-again", SMALL),
        ("ep", SMALL | ROUTED),
        ("pp-gpipe", SMALL | {"accumulation": 4}),
        ("pp-1f1b", SMALL | {"accumulation": 4}),
        ("pp-interleaved", SMALL | {"accumulation": 4, "chunks": 2}),
    ],
    4: [
        *((way, OTHER) for way in ("tp", "tp-sp", "tp-v", "tp-sp-v", "tp-sp-v+ddp", "zero-1", "zero-2")),
        *((way, OTHER) for way in ("fsdp", "hsdp", "cp-ring", "ulysses", "ulysses-flash")),
        ("ep", OTHER | ROUTED),
        ("pp-gpipe", SMALL | UNEVEN),
        ("pp-1f1b", SMALL | UNEVEN),
        ("pp-interleaved", SMALL | {"accumulation": 8, "chunks": 2, "L": 8}),
    ],
}


@cache
def answers(world, meeting_place):
    """What each process found, for every case: one start of the processes for all of them."""
    cases = json.dumps([{"way": way, "sizes": sizes} for way, sizes in CASES[world]])
    script = str(Path(__file__).parent / "sharded")
    started = [
        subprocess.Popen(
            [sys.executable, script, str(rank), str(world), str(meeting_place), cases],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(world)
    ]  # fmt: skip
    try:
        told = [process.communicate(timeout=120) for process in started]
    finally:
        for process in started:
            process.kill()
    return [json.loads(found or "null") or errors for found, errors in told]


@pytest.fixture(scope="module")
def meeting_place(tmp_path_factory):
    return tmp_path_factory.mktemp("gloo")


def derived(way, sizes, world, rank):
    """The costs of one process."""
    layout = symcost.layouts.layout(LAYOUTS.get(way, way))
    given = {name: value for name, value in sizes.items() if name != "blocks"}
    mesh = {layout.mesh[0]: world} if len(layout.mesh) == 1 else {"n": world, "dp": 2}
    mesh |= {"tp": world // 2} if way == "tp-sp-v+ddp" else {}
    layout = replace(layout.on(str(rank)), blocks=tuple(sizes.get("blocks", ()))).numbered(**mesh)
    model = EXPERTS if "E" in sizes else "cs190c"
    return symcost.derive(
        model, under=UNDER.get(way, "torch-eager"), optimizer="adamw-torch", layout=layout, given=given
    )


def expected(costs):
    """Kind, part of the step and bytes of every message, each as often as it is sent."""
    terms = costs["message_bytes"]
    for message in costs.derivation.messages:
        term = message.term(costs.layout)
        whole, parts, times = (
            terms.replaced((replace(term, amount=form, times=ONE),)).at()
            for form in (message.bytes * message.size, costs.layout.devices(message.over), message.times)
        )
        if message.kind == RING:  # one part after the other goes to the neighbour
            yield from [(PASS, message.when, whole / parts)] * (times * (parts - 1))
        else:
            yield from [(message.kind, message.when, whole)] * times


def told(way, sent):
    """Messages as they can be compared; a block is computed again on the way back."""
    sent = [(kind, BACKWARD if part == AGAIN else part, size) for kind, part, size in sent]
    if way in ("fsdp", "hsdp"):
        of_kind = Counter()
        for kind, _, size in sent:
            of_kind[kind] += size
        return of_kind
    return Counter((kind, None if way.startswith("pp") else part, size) for kind, part, size in sent)


@pytest.mark.parametrize(
    ("world", "number"),
    [
        pytest.param(world, number, id=f"{way}-on-{world}")
        for world, cases in CASES.items()
        for number, (way, _) in enumerate(cases)
    ],
)
def test_each_process_keeps_holds_and_sends_what_is_derived(meeting_place, world, number):
    way, sizes = CASES[world][number]
    for rank, processes in enumerate(answers(world, meeting_place / str(world))):
        assert isinstance(processes, list), processes
        found, costs = processes[number], derived(way, sizes, world, rank)
        assert found["right"]
        assert found["saved"] == costs["activation_memory"].at()
        assert found.get("held", costs["static_memory"].at()) == costs["static_memory"].at()
        assert told(way, found["sent"]) == told(way, expected(costs))
