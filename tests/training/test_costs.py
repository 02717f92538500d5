"""Training runs: accumulation, MFU and HFU, time, money, energy, and what generation keeps."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from sympy import expand

import symcost
from symcost.errors import UsageError
from symcost.symbols import HFU, MFU, D, L, accumulation, b, bandwidth, c, d, dp, epochs, h, n, peak, v, w
from symcost.tables.gpus import gpu
from symcost.tables.runs import run

SHAPE = {"b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32_000}
FORWARD = L * (32 * b * c * d**2 + 4 * b * c**2 * d) + 2 * b * c * d * v  # CS190C lecture 9, part 2
UPDATE = 15 * (2 * d * v + d + L * (2 * d + 16 * d**2))


@pytest.fixture(scope="module")
def costs():
    return symcost.derive("cs190c")


def total(quantity, **given):
    return symcost.derive("cs190c", given=given)[quantity].total


def test_the_lectures_run_has_no_accumulation_in_it(costs):
    assert expand(costs["step_flops"].total - (3 * FORWARD + UPDATE)) == 0
    seen = epochs * D / (b * c)
    assert expand(costs["training_time"].total - seen * (3 * FORWARD + UPDATE) / (n * peak * MFU)) == 0


def test_accumulation_repeats_the_passes_but_not_the_update():
    """b is the micro-batch: a step has `accumulation` forward and backward passes and one update."""
    step = 3 * accumulation * FORWARD + UPDATE
    assert expand(total("step_flops", accumulation="accumulation") - step) == 0
    run = epochs * D / (b * c * accumulation) * step
    assert expand(total("training_flops", accumulation="accumulation") - run) == 0


def test_accumulation_keeps_the_memory_of_one_micro_batch(costs):
    """b·c tokens are in flight at a time, and the gradients are there in the lecture's sum anyway."""
    for quantity in ("saved_activations", "activation_memory", "peak_memory"):
        assert total(quantity, accumulation=8) == costs[quantity].total


def test_accumulated_gradients_are_there_at_every_moment():
    """Without it no gradient exists while the loss turns round; with it those of the passes before do."""
    alone, accumulated = (symcost.derive("cs190c", given=given) for given in ({}, {"accumulation": 8}))
    gradients = alone["gradient_memory"].total
    for moment in ("forward end", "loss backward"):
        assert expand(accumulated.moments()[moment].total - alone.moments()[moment].total - gradients) == 0


def test_steps_count_every_token_of_all_gpus_once():
    """9,999 tokens in steps of 2 × 16 tokens, 8 micro-batches and 3 replicas: a loop that takes them away."""
    costs = symcost.derive(
        "cs190c", given={"accumulation": 8, "dp": 3, "b": 2, "c": 16, "D": 99_999, "epochs": 2}
    )
    left, steps = 2 * 99_999, 0
    while left > 0:
        left, steps = left - 2 * 16 * 8 * 3, steps + 1
    assert costs["steps"].at() == steps
    assert costs["steps"].total.free_symbols == {D, epochs, b, c, accumulation, dp}


def test_mfu_leaves_out_what_is_computed_again_and_hfu_counts_it():
    """Chowdhery et al. 2022, PaLM, appendix B: model FLOPs are those of one forward and one backward pass."""
    checkpointed = {"under": "textbook+checkpoint"}
    plain = symcost.derive("llama", given={"h_kv": "h"})
    by_model = symcost.derive("llama", given={"h_kv": "h"}, **checkpointed)
    by_hardware = symcost.derive("llama", given={"h_kv": "h", "HFU": "HFU"}, **checkpointed)
    assert expand(by_model["training_time"].total - plain["training_time"].total) == 0
    assert (
        by_hardware["training_time"].total.free_symbols >= {HFU}
        and MFU not in by_hardware["training_time"].total.free_symbols
    )
    done = by_hardware["training_flops"].total
    assert expand(by_hardware["training_time"].total * (n * peak * HFU) - done) == 0
    assert expand(done - by_model["training_time"].total * (n * peak * MFU)) != 0


def test_time_hours_money_and_energy_follow_from_each_other(costs):
    """Eight GPUs of 400 W for an hour and a half at $2: 12 GPU-hours, $24, 4.8 kWh."""
    flops = costs["training_flops"].at(**SHAPE, D=10**6)
    at = {
        **SHAPE,
        "D": 10**6,
        "n": 8,
        "MFU": 0.5,
        "peak": Fraction(flops) / (4 * 5400),
        "price": 2,
        "watts": 400,
    }
    assert costs["training_time"].at(**at) == 5400
    assert costs["gpu_hours"].at(**at) == 12
    assert costs["cost"].at(**at) == 24
    assert costs["energy"].at(**at) == Fraction("4.8")


def test_a_pflop_day_is_a_day_of_ten_to_the_fifteenth(costs):
    at = {**SHAPE, "D": 10**9}
    assert costs["pflop_days"].at(**at) == costs["training_flops"].at(**at) / Fraction(10**15 * 24 * 3600)


def test_a_letter_for_bytes_takes_the_place_of_every_size(costs):
    memory = total("peak_memory", w="w")
    assert expand(memory.subs(w, 4) - costs["peak_memory"].total) == 0
    assert total("kv_cache_memory", w="w") == 2 * L * b * c * d * w


def test_the_cache_holds_a_key_and_a_value_of_each_token_and_head():
    """Llama-2-70B: 80 blocks, 8 heads of 128 for keys and values, 2 bytes: 320 KiB a token."""
    costs = symcost.derive("llama-2-70b", precision="bf16")
    assert costs["kv_cache_memory"].at(b=1, c=1) == 320 * 1024


def test_generation_is_as_fast_as_memory_is_read():
    """13.5 GB of Llama-2-7B in 16 bits at 2.039 TB/s: some 150 tokens a second for one short sequence."""
    costs = symcost.derive("llama-2-7b", precision="bf16")
    at = {"b": 1, "c": 1, "bandwidth": gpu("a100-80gb").bandwidth}
    assert costs["decode_rate"].at(**at) * costs["decode_time"].at(**at) == 1
    assert 150 < costs["decode_rate"].at(**at) < 152
    assert costs["decode_time"].total == costs["inference_memory"].total / bandwidth


def test_a_sparse_rate_is_remarked_upon_and_a_dense_one_is_not():
    """NVIDIA's H100 datasheet prints 1,979 TFLOP/s for bf16 with sparsity; dense it is half of that."""
    (remark,) = symcost.derive("cs190c", given={"peak": 1979e12}).remarks
    assert "with sparsity" in remark and "989.4 TFLOP/s dense" in remark
    assert symcost.derive("cs190c", given={"peak": 989e12}).remarks == ()
    assert symcost.derive("cs190c").remarks == ()


def test_tied_letters_stand_in_the_runs_forms_too():
    time = symcost.derive("bare", given={"D": "20*N"})["training_time"]
    assert "D" not in time.letters


@pytest.mark.parametrize(
    ("name", "context", "lowest", "highest"),
    [
        ("llama-2-7b", 4096, "0.44", "0.48"),
        ("llama-2-13b", 4096, "0.42", "0.45"),
        ("llama-2-70b", 4096, "0.44", "0.48"),
    ],
)
def test_published_gpu_hours_are_the_exact_forms_at_a_plausible_mfu(name, context, lowest, highest):
    """Touvron et al. 2023, Llama 2, table 2: hours of A100-80GB at 312 TFLOP/s for 2·10¹² tokens."""
    published = run(name)
    costs = symcost.derive(name, given={"b": 1024, "c": context, "D": published.tokens})
    at_full_peak = costs["gpu_hours"].at(MFU=1, peak=gpu(published.gpu).peak_for("bf16"))
    assert Fraction(lowest) < at_full_peak / published.gpu_hours < Fraction(highest)


def test_both_utilisations_at_once_are_refused():
    with pytest.raises(UsageError, match="expected MFU or HFU, found both"):
        symcost.derive("cs190c", given={"MFU": 0.4, "HFU": 0.5})


def test_steps_are_rounded_up(costs):
    assert costs["steps"].at(b=4, c=256, D=10**6, epochs=3) == math.ceil(3 * 10**6 / 1024)


def test_heads_may_stay_free_in_the_shape(costs):
    assert h in costs["peak_memory"].total.free_symbols
