"""N parameters or C FLOPs and no layers: the rules C = 6·N·D, 8·N·D and C = τ·T."""

from __future__ import annotations

import pytest

import symcost
from symcost.errors import UsageError
from symcost.symbols import HFU, MFU, C, D, N, b, c, epochs, n, peak
from symcost.tables.gpus import gpu
from symcost.tables.runs import RUNS, run


@pytest.mark.parametrize(
    ("quantity", "form"),  # Anthony et al. 2023, Transformer Math 101; Kaplan et al. 2020, table 1
    [
        ("parameters", N),
        ("forward_flops", 2 * N * b * c),
        ("backward_flops", 4 * N * b * c),
        ("flops_per_token", 6 * N),
        ("training_flops", 6 * N * D * epochs),
        ("training_time", 6 * N * D * epochs / (n * peak * MFU)),
        ("static_memory", 16 * N),
        ("optimizer_flops", 15 * N),
    ],
)
def test_a_bare_count_of_parameters_costs_by_the_rules(quantity, form):
    assert symcost.derive("bare")[quantity].total == form


def test_checkpointing_makes_eight_of_six():
    """Narayanan et al. 2021, section 5.1: 8·T·P/(n·X), with X the FLOP/s that are achieved, all counted."""
    costs = symcost.derive("bare", under="textbook+checkpoint", given={"HFU": "HFU"})
    assert costs["training_flops"].total == 8 * N * D * epochs
    assert costs["training_time"].total == 8 * N * D * epochs / (n * peak * HFU)
    by_model = symcost.derive("bare", under="textbook+checkpoint")
    assert by_model["training_time"].total == 6 * N * D * epochs / (n * peak * MFU)


def test_a_budget_is_spent_in_the_time_that_its_rate_takes():
    costs = symcost.derive("budget")
    assert costs["training_time"].total == C / (n * peak * MFU)
    assert list(costs) == ["training_flops", "pflop_days", "training_time", "gpu_hours", "cost", "energy"]


@pytest.mark.parametrize(
    ("precision", "optimizer", "each"),
    [
        ("bf16", "adamw", 8),  # PyTorch: all in 16 bits
        ("mixed-12", "adamw", 12),  # CS336 2025, lecture 2
        ("fp32", "adamw", 16),  # CS190C 2026, lecture 9
        ("mixed-16", "adamw", 16),  # Rajbhandari et al. 2020, section 3.1
        ("mixed-18", "adamw", 18),  # Megatron-LM
        ("mixed-20", "adamw", 20),  # The Ultra-Scale Playbook
        ("fp32-reference", "adamw", 20),  # Preference Optimization for Vision Language Models
        ("bf16", "adamw-8bit", 10),  # slides: 2 + 2 and 4 + 1 + 1
        ("bf16", "sgd-momentum", 12),  # slides: 2 + 2 and 4 + 4
    ],
)
def test_bytes_of_a_parameter_by_recipe(precision, optimizer, each):
    costs = symcost.derive("bare", precision=precision, optimizer=optimizer)
    assert costs["static_memory"].total == each * N


@pytest.mark.parametrize("name", [name for name, entry in RUNS.items() if entry.utilisation() is not None])
def test_a_published_run_is_the_rule_at_its_own_utilisation(name):
    """Hours reported = 6·N·D over the peak and the utilisation that the table works out from them."""
    entry = run(name)
    given = {"N": entry.active or entry.parameters, "D": entry.tokens, "MFU": entry.utilisation()}
    hours = symcost.derive("bare", given=given)["gpu_hours"].at(peak=gpu(entry.gpu).peak_for("bf16"))
    assert hours == entry.gpu_hours


@pytest.mark.parametrize(
    "quantity", ["saved_activations", "peak_memory", "kv_cache_memory", "worst_moment_memory"]
)
def test_what_depends_on_layers_is_refused(quantity):
    with pytest.raises(UsageError, match=rf"bare: {quantity} depends on layers, and none are known"):
        symcost.derive("bare")[quantity]
    with pytest.raises(UsageError, match=rf"budget: {quantity} depends on layers"):
        symcost.derive("budget")[quantity]


def test_there_is_no_layer_to_ask_why_of():
    with pytest.raises(UsageError, match="there are no layers to derive from"):
        symcost.derive("bare").why("block.attention.S")


def test_a_memory_limit_is_for_what_is_always_there():
    assert symcost.derive("bare").fills == "static_memory"
    assert symcost.derive("cs190c").fills == "peak_memory"
