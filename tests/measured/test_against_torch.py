"""What is derived is what PyTorch keeps and counts here: exact integers, tensor by tensor.

Where PyTorch is not installed these tests are skipped; with SYMCOST_REQUIRE_TORCH=1 they fail instead.
"""
# ruff: noqa: E402

import gc
import os
import random
import weakref
from dataclasses import replace
from importlib import util
from pathlib import Path

import pytest

REASON = "PyTorch is not installed; the extra `measure` brings it: pip install 'symcost[measure]'"
if os.environ.get("SYMCOST_REQUIRE_TORCH") != "1":
    pytest.importorskip("torch", reason=REASON)

import torch

from symcost.conventions import convention
from symcost.errors import UsageError
from symcost.families import load
from symcost.measure import measure
from symcost.measure.counting import count
from symcost.model import Architecture, Attention, Block, FeedForward, Model

SHAPES = range(6)
PHI = Architecture(
    (Block(Attention("rope-part", packed=True, biased="QKVO"), FeedForward("gelu-tanh", biased=True)),),
    norm="layer", layout="parallel", causal_mask=True,
)  # fmt: skip
QWEN = Architecture(
    (Block(Attention("rope", grouped=True, biased="QKV", qk_norm="rms")),), causal_mask=True, tied=True
)
MODELS = {
    "plain": load("cs190c"),
    "llama": load("llama"),
    "gpt": load("gpt"),
    "qwen": Model("qwen", QWEN),
    "phi": Model("phi", PHI),
}
CASES = [
    ("plain", "torch-eager", "fp32"),
    ("plain", "torch-eager", "bf16"),
    ("plain", "torch-eager+checkpoint", "fp32"),
    ("plain", "torch-eager+checkpoint+reentrant", "fp32"),
    ("plain", "torch-eager+checkpoint-attention", "fp32"),
    ("plain", "torch-eager+checkpoint-mlp", "fp32"),
    ("plain", "torch-eager+keep-mm", "fp32"),
    ("plain", "torch-eager+keep-mm+keep-bmm", "fp32"),
    ("plain", "torch-eager+logsumexp", "fp32"),
    ("plain", "torch-eager+selective", "fp32"),
    ("plain", "torch-fused+math", "bf16"),
    ("llama", "torch-eager", "fp32"),
    ("llama", "torch-eager+flash", "fp32"),
    ("llama", "torch-eager+flash+grouped", "fp32"),
    ("llama", "torch-eager+flash+checkpoint", "fp32"),
    ("llama", "torch-eager+flash+keep-mm+keep-attention", "fp32"),
    ("llama", "torch-eager+norm-fp32+flash", "bf16"),
    ("llama", "hf-eager", "fp32"),
    ("llama", "hf-sdpa", "fp32"),
    ("llama", "hf-bf16", "bf16"),
    ("llama", "autocast", "autocast"),
    ("llama", "autocast+checkpoint", "autocast"),
    ("gpt", "torch-eager", "fp32"),
    ("gpt", "hf-bf16", "bf16"),
    ("gpt", "autocast", "autocast"),
    ("qwen", "torch-eager+flash", "fp32"),
    ("phi", "hf-sdpa", "fp32"),
]


def random_numbers(model, seed):
    """Small numbers for every letter that the model leaves open; at least two of each, corners apart."""
    draw = random.Random(seed)
    groups, each, half = draw.randint(2, 3), draw.randint(2, 3), draw.randint(2, 5)
    numbers = {"h_kv": groups, "h": groups * each, "d_k": 2 * half, "d_r": 2, "d": groups * each * 2 * half}
    numbers |= {"b": draw.randint(2, 4), "c": draw.randint(2, 9), "c_max": 16, "L": draw.randint(1, 3)}
    numbers |= {"d_ff": draw.randint(5, 60), "v": draw.randint(5, 60)}
    tied = {letter.name for letter in model.ties}
    return {letter: number for letter, number in numbers.items() if letter not in tied}


def records():
    """The module that reads the fixture and builds its models."""
    path = Path(__file__).parent.parent / "test_torch_records.py"
    module = util.module_from_spec(spec := util.spec_from_file_location("records", path))
    spec.loader.exec_module(module)
    return module


RECORDS = records()
ELSEWHERE = [
    "jax+operations",
    "jax+checkpoint+operations",
    "torch-compile",
    "torch-eager+flash-gpu",
    "torch-fused",
]
ROWS = [(name, row) for name, row in RECORDS.ROWS if RECORDS.RECORDS[name]["under"] not in ELSEWHERE]


@pytest.mark.parametrize("seed", SHAPES)
@pytest.mark.parametrize(("name", "under", "precision"), CASES)
def test_parameters_bytes_flops_and_every_tensor_are_equal(name, under, precision, seed):
    model = MODELS[name]
    found = measure(
        model, under=under, given=random_numbers(model, f"{name} {under} {seed}"), precision=precision
    )
    assert [row.measured for row in found.quantities] == [row.derived for row in found.quantities]
    assert {row.name: row.measured for row in found.tensors} == {
        row.name: row.derived for row in found.tensors
    }


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_the_recorded_numbers_are_measured_again(name, row):
    """The fixture holds what another script measured, on models written by hand."""
    derived = RECORDS.derived(name)
    numbers = dict(zip(RECORDS.LETTERS, row, strict=False))
    counted = count(derived.program.loss, derived.program.convention, numbers, derived.element)
    both = counted.forward_flops + counted.backward_flops
    saved = sum(counted.saved.values())
    assert [counted.parameters, saved, counted.forward_flops, both, counted.optimizer_bytes] == row[
        len(RECORDS.LETTERS) :
    ]


def test_hooks_see_the_same_bytes_but_for_what_selective_checkpointing_holds():
    for under in ("torch-eager", "torch-eager+checkpoint", "autocast"):
        assert measure("cs190c", under=under).hooks_agree
    assert not measure("cs190c", under="torch-eager+keep-mm").hooks_agree


def test_tensors_without_contents_give_the_same_counts():
    real, fake = (measure("llama", under="hf-sdpa", fake=fake) for fake in (False, True))
    assert fake.to_dict() == real.to_dict()


def test_a_model_of_published_size_is_measured_without_its_contents():
    """Two blocks of Llama 2 7B, one sequence of 4096 tokens: about 5 GB if they were there."""
    shape = {"b": 1, "c": 4096, "d": 4096, "d_ff": 11008, "h": 32, "L": 2, "v": 32000}
    found = measure("llama-2-7b", under="hf-eager", given=shape)
    assert found.equal
    assert {row.name: row.measured for row in found.quantities}["activation_memory"] > 5 * 10**9


def test_one_sequence_leaves_packed_heads_where_they_are():
    """With b = 1 transposed heads are views, so that one packed tensor is kept instead of three copies."""
    found = measure("gpt2", under="torch-eager", given={"b": 1})
    assert found.equal
    assert "block.attention.QKV_biased" in {row.name for row in found.tensors}


def test_a_measurement_holds_nothing_afterwards():
    model = load("cs190c")
    alive = []

    class Seen(torch.nn.Parameter):
        def __new__(cls, *args, **kwargs):
            made = super().__new__(cls, *args, **kwargs)
            alive.append(weakref.ref(made))
            return made

    parameter, torch.nn.Parameter = torch.nn.Parameter, Seen
    try:
        measure(model)
    finally:
        torch.nn.Parameter = parameter
    gc.collect()
    assert alive
    assert not [made for made in alive if made() is not None]


@pytest.mark.parametrize(
    ("model", "under", "says"),
    [
        ("llama", "torch-fused", "runs on a GPU alone"),
        ("gpt", "torch-eager+flash", "Add '+math'"),
        ("mixtral-8x7b", "torch-eager", "has no counterpart here"),
    ],
)
def test_what_cannot_be_measured_here_is_said_in_one_line(model, under, says):
    with pytest.raises(UsageError, match=says.replace("+", r"\+")):
        measure(model, under=under)


def test_a_difference_is_shown_by_tensor():
    """The textbook does not keep x̂, rstd and SiLU's result, which PyTorch keeps."""
    found = measure("cs190c", under=replace(convention("torch-eager"), name="none", statistics={}))
    assert not found.equal
    assert found.tensors[0].difference > 0
    assert found.tensors[0].name.endswith(("rstd", "total_weight"))
