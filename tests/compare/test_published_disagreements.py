"""What well-known tools answer for the same model, each run at a fixed version in November 2026.

Training FLOPs of one sequence, parameters and activations, as the tools printed them.
"""

import pytest

import symcost
from symcost.compare import Parts, compare
from symcost.compare.sides import Setting, side
from symcost.tables.tools import BATCH_FLOPS, TOOLS
from symcost.terms import evaluator


def counted(tool, quantity, model, **given):
    """A tool's count of a model at these numbers."""
    found = side(tool, quantity, Setting(model, given=given), "6ND")
    return evaluator(found.total)(found.numbers)


@pytest.mark.parametrize(
    ("tool", "printed"),  # 10¹² FLOPs, Llama-2-7B, 4096 tokens
    [
        ("pytorch", "188.764"),
        ("llm-analysis", "188.764"),
        ("simumax", "188.764"),
        ("olmo-core", "188.764"),
        ("levanter", "188.918"),
        ("simumax-executed", "193.162"),
        ("llm-viewer", "185.830"),
        ("verl", "178.791"),
        ("megatron-lm", "175.570"),
        ("maxtext", "175.570"),
        ("6ND", "165.603"),  # printed as 165.6 for N = 6.738e9
        ("litgpt", "209.584"),
        ("cookbook", "238.568"),
        ("genz", "95.993"),
    ],
)
def test_the_flops_of_one_sequence_through_llama_2_7b(tool, printed):
    assert f"{counted(tool, BATCH_FLOPS, 'llama-2-7b', b=1, c=4096) / 1e12:.3f}" == printed


@pytest.mark.parametrize(
    ("tool", "printed"), [("megatron-lm", "421.6"), ("pytorch", "474.4"), ("litgpt", "570.6")]
)
def test_the_spread_over_a_sequence_of_8192_tokens_through_llama_3_8b(tool, printed):
    assert f"{counted(tool, BATCH_FLOPS, 'llama-3-8b', b=1, c=8192) / 1e12:.1f}" == printed


@pytest.mark.parametrize(
    ("tool", "printed"),  # one of two experts; no router; with router; with scores' mask; all experts
    [
        ("llm-analysis", 201.1),
        ("megatron-lm", 326.48),
        ("maxtext", 326.50),
        ("simumax", 339.7),
        ("levanter", 339.8),
        ("litgpt", 1191.7),
    ],
)
def test_experts_are_where_tools_differ_most(tool, printed):
    assert counted(tool, BATCH_FLOPS, "mixtral-8x7b", b=1, c=4096) / 1e12 == pytest.approx(printed, rel=2e-4)


@pytest.mark.parametrize(
    ("tool", "model", "given", "printed"),
    [
        ("llm-analysis", "llama-3-8b", {}, 7_504_924_672),  # head forgotten
        ("cookbook", "llama-3-8b", {"c": 8192}, 8_064_606_208),  # positions that are not there
        ("nanogpt", "gpt2", {}, 124_337_664),  # no biases
        ("megatron-lm", "gpt2", {"v": 50304}, 123_606_528),  # padded vocabulary, no positions, no biases
        ("cookbook", "gpt2", {"c": 1024}, 162_991_104),  # never tied
        ("megatron-lm", "llama-3-8b", {}, 8_030_261_248),
    ],
)
def test_parameters(tool, model, given, printed):
    assert counted(tool, "parameters", model, **given) == printed


@pytest.mark.parametrize(
    ("tool", "printed"),  # GB, one sequence of 4096 tokens, 16-bit elements, no recomputation but where said
    [("cookbook", "104.2"), ("megatron-lm-without-sp", "19.5"), ("megatron-lm", "16.0")],
)
def test_activations_of_llama_2_7b(tool, printed):
    assert f"{float(counted(tool, 'activation_memory', 'llama-2-7b', b=1, c=4096)) / 1e9:.1f}" == printed


@pytest.mark.parametrize(
    ("tool", "bytes_each"),
    [("megatron-lm", 18), ("llm-analysis", 18), ("cookbook", 18), ("calculon", 16), ("deepspeed-zero2", 20),
     ("accelerate", 16), ("accelerate-bf16", 8)],
)  # fmt: skip
def test_bytes_of_a_parameter_on_one_device(tool, bytes_each):
    parameters = symcost.derive("llama-2-7b")["parameters"].at()
    assert counted(tool, "static_memory", "llama-2-7b") == bytes_each * parameters


@pytest.mark.parametrize(
    ("first", "second", "per_cent"),  # against the exact count, Llama-2-7B at 4096 tokens
    [("megatron-lm", "pytorch", "-7.0"), ("6ND", "pytorch", "-12.3"), ("verl", "pytorch", "-5.3"),
     ("litgpt", "pytorch", "11.0"), ("cookbook", "pytorch", "26.4"), ("genz", "pytorch", "-49.1")],
)  # fmt: skip
def test_per_cent_are_known_as_soon_as_the_context_is(first, second, per_cent):
    (found,) = compare(first, second, model="llama-2-7b", given={"c": 4096})
    assert f"{100 * float(found.relative):.1f}" == per_cent


def test_the_parts_of_a_model_add_up_to_its_own_counts():
    """Parts are a grouping of derived terms, so nothing is lost or counted twice."""
    for model in ("llama-2-7b", "gpt2", "mixtral-8x7b", "deepseek-v3", "gemma-2-2b"):
        costs = symcost.derive(model)
        parts = Parts(costs)
        known = costs["forward_flops"].known({"b": 1, "c": 512, "c_max": 4096})
        exact = sum(
            evaluator(parts.flops[part])(known)
            for part in TOOLS["pytorch"].counts[0].times
            if part in parts.flops
        )
        assert exact == costs["forward_flops"].at(b=1, c=512)
        assert sum(evaluator(form)(known) for form in parts.parameters.values()) == costs["parameters"].at(
            c_max=4096
        )
