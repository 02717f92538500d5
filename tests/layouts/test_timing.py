"""Bounds of a step's time, by hand."""

from fractions import Fraction

import pytest

import symcost
from symcost.layouts.timing import StepTime
from symcost.tables.gpus import gpu

TIME = StepTime(Fraction(4), Fraction(1), Fraction(7), Fraction(1, 4), Fraction(3), Fraction(4))


def test_one_after_the_other_and_all_at_once():
    """4 s of work wait a quarter more; 7 s of messages come on top, or beside."""
    assert TIME.serial == 4 + 1 + 7
    assert TIME.overlapped == 7
    assert TIME.binds == "messages"


def test_utilisation_is_useful_work_over_the_time():
    assert TIME.mfu() == Fraction(3, 12)
    assert TIME.mfu(6) == Fraction(1, 2)
    assert TIME.hfu(8) == Fraction(1, 2)


def test_without_messages_and_memory_traffic_the_bounds_are_one():
    alone = StepTime(Fraction(2), Fraction(0), Fraction(0), Fraction(0), Fraction(2), Fraction(2))
    assert alone.serial == alone.overlapped == 2
    assert alone.mfu() == 1


# Grattafiori et al. 2024, table 4: GPUs, tp, cp, pp, dp, context, micro-batches of each replica, MFU.
LLAMA = {
    "8192 GPUs": (8192, 8, 1, 16, 64, 8192, 32, "43"),
    "16384 GPUs": (16384, 8, 1, 16, 128, 8192, 16, "41"),
    "long context": (16384, 8, 16, 16, 8, 131072, 16, "38"),
}


@pytest.mark.parametrize("name", LLAMA)
def test_llama_3_405b_lies_below_the_bound_and_fits(name):
    """The paper's MFU is below that of the step in which nothing waits; stages are uneven, 7 and 8 blocks,
    and the states are split over dp (section 3.3.2: parameters are not gathered anew for the way back).
    """
    gpus, tp, cp, pp, dp, c, m, mfu = LLAMA[name]
    blocks = ":".join(["7", *["8"] * 14, "7"])
    costs = symcost.derive(
        "llama-3-405b", under="textbook+flash", precision="mixed-16",
        layout=f"megatron-tp-sp+cp-ring+pp-interleaved+zero-1,tp={tp},cp={cp},dp={dp},blocks={blocks}",
        given={"b": 1, "c": c, "accumulation": m, "chunks": 8},
    )  # fmt: skip
    assert tp * cp * pp * dp == gpus
    assert dp * m * c == 16 * 1024**2  # 16 million tokens a batch
    card = gpu("h100-sxm")
    time = costs.step_time(card)
    assert 100 * time.mfu(time.overlapped) > int(mfu)
    assert costs["static_memory"].at() < card.memory


def test_sixteen_million_tokens_over_sixteen_thousand_gpus_are_a_thousand_each():
    costs = symcost.derive(
        "llama-3-405b", layout="3d,tp=8,pp=16,dp=128,accumulation=16,ceilings", given={"b": 1, "c": 8192}
    )
    numbers = costs["steps"].known({})
    tokens = numbers["b"] * numbers["c"] * numbers["accumulation"] * numbers["dp"]
    assert tokens / numbers["n"] == 1024


def test_a_slower_link_between_nodes_counts_for_its_mesh_axis_alone():
    costs = symcost.derive("llama-2-7b", layout="megatron-tp+ddp,tp=8,dp=4", given={"b": 1, "c": 4096})
    card = gpu("a100-80gb")
    quick, slow = (costs.step_time(card, links=links) for links in ({}, {"dp": 25 * 10**9}))
    over_dp = costs.sent_over()["dp",].at()
    assert slow.messages - quick.messages == over_dp * (Fraction(1, 25 * 10**9) - Fraction(2, card.link))
