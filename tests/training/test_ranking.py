"""Ranking of meshes: in bulk the same as one by one."""

from fractions import Fraction

import pytest

import symcost
from symcost.errors import UsageError
from symcost.tables.gpus import gpu
from symcost.training.ranking import fewest_gpus, rank

GIVEN = {"c": 4096}
CARD = gpu("a100-80gb")


@pytest.fixture(scope="module")
def ranking():
    return rank(
        "llama-2-7b", CARD, gpus=16, global_batch=64, given=GIVEN,
        layouts=("megatron-tp-sp+pp-1f1b+zero-1", "zero-3"),
        under=("textbook+flash", "textbook+flash+checkpoint"),
    )  # fmt: skip


def test_each_row_is_what_derive_gives(ranking):
    for row in list(ranking.rows(len(ranking)))[::7]:
        mesh = ("dp",) if row["layout"] == "zero-3" else ("tp", "pp", "dp")
        sizes = ",".join(f"{letter}={row[letter]}" for letter in mesh)
        first = symcost.derive(
            "llama-2-7b", under=row["under"], precision="mixed-16", layout=f"{row['layout']},{sizes}",
            given={**GIVEN, "b": row["b"], "accumulation": row["accumulation"]},
        )  # fmt: skip
        stages = [first, first.on("last")]
        slower = max((stage.step_time(CARD) for stage in stages), key=lambda time: time.serial)
        assert row["bytes"] == pytest.approx(
            max(float(stage["peak_memory"].at()) for stage in stages), rel=1e-12
        )
        assert row["serial"] == pytest.approx(float(slower.serial), rel=1e-12)
        assert row["overlapped"] == pytest.approx(float(slower.overlapped), rel=1e-12)
        assert row["mfu"] == pytest.approx(float(slower.mfu()), rel=1e-12)
        assert row["binds"] == slower.binds


def test_every_mesh_has_all_gpus_and_sees_the_whole_batch(ranking):
    for row in ranking.rows(len(ranking)):
        assert row["tp"] * row["pp"] * row["cp"] * row["ep"] * row["dp"] == 16
        assert row["dp"] * row["b"] * row["accumulation"] == 64
        assert row["bytes"] <= CARD.memory


def test_copies_of_a_sharded_model_are_ranked():
    """Zhao et al. 2023, section 3.2.2: dp copies, each over n/dp devices, all with their own sequences."""
    found = list(rank("llama-2-7b", CARD, gpus=16, global_batch=64, given=GIVEN, layouts=("hsdp",)).rows(100))
    assert {(row["dp"], row["shard"]) for row in found} <= {(1, 16), (2, 8), (4, 4), (8, 2), (16, 1)}
    for row in found:
        assert 16 * row["b"] * row["accumulation"] == 64
        costs = symcost.derive(
            "llama-2-7b", under="textbook+flash", precision="mixed-16", layout=f"hsdp,dp={row['dp']},n=16",
            given={**GIVEN, "b": row["b"], "accumulation": row["accumulation"]},
        )  # fmt: skip
        assert row["bytes"] == pytest.approx(float(costs["peak_memory"].at()), rel=1e-12)
        assert row["serial"] == pytest.approx(float(costs.step_time(CARD).serial), rel=1e-12)


def test_chunks_of_interleaved_stages_divide_the_blocks():
    found = rank("llama-2-7b", CARD, gpus=16, global_batch=64, given=GIVEN | {"chunks": 4}, fits=False,
                 layouts=("pp-interleaved+megatron-tp",))  # fmt: skip
    assert {row["pp"] for row in found.rows(len(found))} == {1, 2, 4, 8}


def test_no_mesh_that_divides_is_left_out():
    found = rank("llama-2-7b", CARD, gpus=16, global_batch=64, given=GIVEN, micro_batches=(1,), fits=False)
    expected = {
        (tp, pp, dp)
        for tp in range(1, 17) for pp in range(1, 17) for dp in range(1, 17)
        if tp * pp * dp == 16 and 32 % tp == 0 and 32 % pp == 0 and 64 % dp == 0 and 64 // dp >= pp
    }  # fmt: skip
    assert {(row["tp"], row["pp"], row["dp"]) for row in found.rows(len(found))} == expected


def test_the_quickest_comes_first_and_the_frontier_gets_leaner(ranking):
    times = [row["serial"] for row in ranking.rows(len(ranking))]
    assert times == sorted(times)
    frontier = ranking.frontier()
    assert frontier[0]["serial"] == times[0]
    held = [row["bytes"] for row in frontier]
    assert held == sorted(held, reverse=True)


def test_the_fewest_gpus_fit_and_half_of_them_do_not():
    choices = {
        "global_batch": 64,
        "given": GIVEN,
        "layouts": ("zero-3",),
        "under": ("textbook+flash+checkpoint",),
    }
    found = fewest_gpus("llama-2-7b", gpu("rtx-3090"), **choices)
    assert found["bytes"] <= gpu("rtx-3090").memory
    half = rank("llama-2-7b", gpu("rtx-3090"), gpus=found["n"] // 2, fits=False, **choices)
    assert min(row["bytes"] for row in half.rows(len(half))) > gpu("rtx-3090").memory
    assert Fraction(16 * 6_738_415_616, found["n"]) < gpu("rtx-3090").memory


def test_what_is_wrong_with_a_choice_is_said_and_not_taken_for_a_mesh_that_does_not_fit():
    with pytest.raises(UsageError, match="pp is no axis of the mesh, which has dp"):
        fewest_gpus("llama-2-7b", CARD, global_batch=64, given=GIVEN, layouts=("zero-3",), links={"pp": 1})
    with pytest.raises(UsageError, match=r"nothing fits on up to 3 × rtx-3090"):
        fewest_gpus("llama-2-70b", gpu("rtx-3090"), global_batch=64, given=GIVEN, at_most=3)


def test_a_number_of_gpus_that_nothing_divides_is_named():
    with pytest.raises(UsageError, match="no mesh of 7 GPUs"):
        rank("llama-2-7b", CARD, gpus=7, global_batch=64, given=GIVEN)
