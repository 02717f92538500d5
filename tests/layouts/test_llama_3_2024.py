"""Grattafiori et al. 2024, The Llama 3 Herd of Models: the runs of table 4, 405B on 8,192 and 16,384 GPUs.

Section 3.3.2: optimizer states and gradients are split over dp, parameters are not gathered anew; stages are
interleaved, the first and the last with one block less; V, the chunks of a stage, is not printed: one block
each is supposed here, since the first chunk holds the embedding alone.
"""

from fractions import Fraction

import pytest

import symcost
from symcost.tables.gpus import gpu

CARD = gpu("h100-sxm")
CHUNKS = 8
RUNS = {  # GPUs, tp, cp, pp, dp, context, sequences of each replica, TFLOP/s of a GPU, BF16 MFU in per cent
    "8K GPUs": (8192, 8, 1, 16, 64, 8192, 32, 430, 43),
    "16K GPUs": (16384, 8, 1, 16, 128, 8192, 16, 400, 41),
    "long context": (16384, 8, 16, 16, 8, 131072, 16, 380, 38),
}


def run(name):
    _, tp, cp, pp, dp, context, sequences, *_ = RUNS[name]
    blocks = ":".join(["7", *["8"] * (pp - 2), "7"])
    sizes = f"tp={tp},cp={cp},dp={dp},blocks={blocks}"
    return symcost.derive(
        "llama-3-405b", under="textbook+flash", precision="mixed-18",
        layout=f"megatron-tp-sp+cp-ring+pp-interleaved+zero-2,{sizes}",
        given={"b": 1, "c": context, "accumulation": sequences, "chunks": CHUNKS},
    )  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_a_batch_has_sixteen_million_tokens_on_all_gpus(name):
    numbers = run(name)["steps"].known({})
    assert numbers["n"] == RUNS[name][0]
    assert numbers["b"] * numbers["c"] * numbers["accumulation"] * numbers["dp"] == 16 * 1024**2


def test_sixteen_million_tokens_over_sixteen_thousand_gpus_are_a_thousand_each():
    numbers = run("16K GPUs")["steps"].known({})
    tokens = numbers["b"] * numbers["c"] * numbers["accumulation"] * numbers["dp"]
    assert tokens / numbers["n"] == 1024


@pytest.mark.parametrize("name", RUNS)
def test_the_printed_mfu_is_the_printed_rate_over_the_peak(name):
    """Rates are printed to tens of TFLOP/s, MFU to per cent."""
    *_, rate, mfu = RUNS[name]
    least, most = (Fraction(100 * each * 10**12, CARD.peak_for("bf16")) for each in (rate - 5, rate + 5))
    assert least - Fraction(1, 2) <= mfu <= most + Fraction(1, 2)


@pytest.mark.parametrize("name", RUNS)
def test_the_printed_mfu_lies_below_the_step_in_which_nothing_waits(name):
    time = run(name).step_time(CARD)
    assert 100 * time.mfu(time.overlapped) > RUNS[name][-1]


@pytest.mark.parametrize("name", RUNS)
def test_every_stage_fits_without_computing_activations_again(name):
    """Section 3.3.2: sequences of 8K tokens needed no activation checkpointing; nor does a sixteenth of
    128K.
    """
    costs = run(name)
    assert all(costs.on(str(stage))["peak_memory"].at() < CARD.memory for stage in range(16))


@pytest.mark.parametrize("name", RUNS)
def test_the_bubble_is_as_printed(name):
    """Section 3.3.2: (PP − 1)/(V·M)."""
    _, _, _, pp, _, _, sequences, *_ = RUNS[name]
    assert run(name)["bubble"].at() == Fraction(pp - 1, CHUNKS * sequences)
