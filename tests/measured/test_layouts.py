"""Layouts against PyTorch: the same model sharded by hand on 2 and 4 processes joined by gloo on this
machine.

Exact: what each process keeps in bytes, and every message in kind, part of the step and elements. The
sharded run's loss and gradients are those of the whole model, so that no message is missing. gloo has no
all-to-all for all types, so Ulysses and experts are not measured here, and its reduce-scatter is made of a
sum and a slice.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import symcost
from symcost.layouts import ACTIVATIONS, Layout, Split
from symcost.symbols import SYMBOLS
from symcost.terms import ONE

if os.environ.get("SYMCOST_REQUIRE_TORCH") != "1":
    pytest.importorskip("torch", reason="PyTorch is not installed; the extra `measure` brings it")

WIDTHS = (Split("h", "tp"), Split("d_ff", "tp"))
TOKENS = Split("c", "tp", of=frozenset({ACTIVATIONS}), beside=("d",))
VOCABULARY = Split("v", "tp")
RULES = {
    "tp": WIDTHS,
    "tp-sp": (*WIDTHS, TOKENS),
    "tp-v": (*WIDTHS, VOCABULARY),
    "tp-sp-v": (*WIDTHS, VOCABULARY, TOKENS),
}


def sharded(world, way, sizes):
    script = Path(__file__).parent / "sharded.py"
    arguments = [sys.executable, str(script), str(world), way, *map(str, sizes.values())]
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("way", RULES)
@pytest.mark.parametrize(
    ("world", "sizes"),
    [
        (2, {"b": 2, "c": 6, "d": 16, "h": 4, "L": 2, "v": 24}),
        (4, {"b": 3, "c": 8, "d": 24, "h": 4, "L": 1, "v": 12}),
    ],
)
def test_each_process_keeps_and_sends_what_is_derived(world, way, sizes):
    layout = Layout(way, ("tp",), RULES[way], numbers={"tp": world})
    costs = symcost.derive("cs190c", under="torch-eager", layout=layout, given=sizes)
    expected = Counter()
    for message in costs.derivation.messages:
        whole = replace(message.term(costs.layout), amount=message.size, times=ONE)
        times = sizes["L"] if message.times == SYMBOLS["L"] else 1
        expected[message.kind, message.when, costs["message_bytes"].replaced((whole,)).at()] += times

    for process in sharded(world, way, sizes):
        assert process["loss"]
        assert process["gradients"]
        assert process["saved"] == costs["activation_memory"].at()
        assert Counter(map(tuple, process["sent"])) == expected
