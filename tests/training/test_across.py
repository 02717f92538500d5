"""Costs across devices: a step's quantities are one device's, a run's those of all together."""

import pytest
from sympy import expand

import symcost
from symcost.errors import UsageError
from symcost.symbols import SYMBOLS, b, c, v

tp = SYMBOLS["tp"]
GIVEN = {"b": 2, "c": 128, "D": 10**9, "MFU": 0.5, "peak": 10**14}


def test_the_run_costs_the_same_however_it_is_laid_out():
    alone = symcost.derive("llama-2-7b", given=GIVEN | {"n": 32})
    laid = symcost.derive("llama-2-7b", layout="megatron-tp+ddp,tp=8,dp=4", given=GIVEN)
    for quantity in ("training_flops", "training_time", "gpu_hours", "flops_per_token"):
        assert laid[quantity].at() == alone[quantity].at()


def test_more_replicas_take_fewer_steps():
    steps = [symcost.derive("llama-2-7b", layout=f"ddp,dp={dp}", given=GIVEN)["steps"].at() for dp in (1, 2)]
    assert steps[0] == pytest.approx(2 * steps[1], abs=1)


def test_devices_of_all_stages_hold_the_parameters_once():
    costs = symcost.derive("llama-2-7b", layout="megatron-tp+pp-1f1b,tp=1,pp=4")
    held = sum(costs.on(str(stage))["parameters"].at() for stage in range(4))
    assert held == symcost.derive("llama-2-7b")["parameters"].at()


def test_a_tied_table_is_held_by_the_first_and_the_last_stage():
    costs = symcost.derive("gpt2", layout="pp-1f1b,pp=4")
    held = sum(costs.on(str(stage))["parameters"].at() for stage in range(4))
    assert held - symcost.derive("gpt2")["parameters"].at() == 50257 * 768


def test_gradients_of_split_logits_are_split():
    moments = symcost.derive("llama", layout="megatron-tp").moments()
    more = moments["loss backward"].total - moments["forward end"].total
    assert expand(more - 4 * b * c * v / tp) == 0


def test_only_the_last_stage_turns_the_loss_round():
    first = symcost.derive("llama-2-7b", layout="pp-1f1b,pp=4", given={"b": 1, "c": 4096})
    last = first.on("last")
    assert set(last.moments()) - set(first.moments()) == {"loss backward"}
    for stage in (first, last):
        fullest = max(there.at() for there in stage.moments().values())
        assert stage["worst_moment_memory"].at() == fullest > stage["static_memory"].at()


def test_a_block_is_gathered_whole_with_its_gradients_under_zero_3():
    """Zhao et al. 2023, section 3.2.1: one unit's parameters are whole at a time; gradients until scattered."""
    moments = symcost.derive("llama", layout="zero-3").moments()
    whole = 4 * symcost.derive("llama")["parameters"].of("block").total
    loss = 4
    more = moments["block backward"].total - moments["forward end"].total
    assert expand(more - (2 * whole - loss)) == 0
    less = symcost.derive("llama", layout="zero-2").moments()
    assert expand(less["block backward"].total - less["forward end"].total - (whole - loss)) == 0
    assert "block backward" not in symcost.derive("llama", layout="zero-1").moments()


@pytest.mark.parametrize("layout", ["megatron-tp-sp+pp-1f1b,tp=4,pp=8", "ulysses+pp-1f1b,cp=8,pp=4"])
def test_all_devices_hold_keys_and_values_once(layout):
    alone = symcost.derive("llama-2-7b", given={"b": 3, "c": 4096})["kv_cache_memory"].at()
    laid = symcost.derive("llama-2-7b", layout=layout, given={"b": 3, "c": 4096})
    assert 32 * laid["kv_cache_memory"].at() == alone
    held = laid["parameter_memory"].at() + laid["kv_cache_memory"].at()
    assert laid["inference_memory"].at() == held


@pytest.mark.parametrize("quantity", ["decode_time", "decode_rate"])
def test_what_is_not_derived_for_a_device_says_so(quantity):
    with pytest.raises(UsageError, match="not derived for one device"):
        symcost.derive("llama", layout="ddp")[quantity]


@pytest.mark.parametrize("quantity", ["message_bytes", "memory_traffic", "bubble"])
def test_what_only_a_device_has_asks_for_a_layout(quantity):
    with pytest.raises(UsageError, match=f"{quantity}: expected a layout"):
        symcost.derive("llama")[quantity]


def test_a_size_given_twice_differently_is_an_error():
    with pytest.raises(UsageError, match="tp: found 4 among the numbers and 8 in the layout"):
        symcost.derive("llama", layout="megatron-tp,tp=8", given={"tp": 4})


def test_the_largest_micro_batch_of_a_device_is_solved_exactly():
    memory = symcost.derive("llama-2-7b", layout="megatron-tp-sp,tp=4", given={"c": 4096})["peak_memory"]
    limit = symcost.solve(memory, "b", at_most=80 * 2**30)
    assert memory.at(b=limit.floor) <= 80 * 2**30 < memory.at(b=limit.floor + 1)


def test_every_quantity_of_a_device_shows_and_pickles():
    import pickle

    costs = symcost.derive("llama", layout="4d")
    for quantity in costs:
        terms = pickle.loads(pickle.dumps(costs[quantity]))
        assert terms.total == costs[quantity].total
        assert terms.text()


@pytest.mark.parametrize(
    ("layout", "replicas"), [("ddp,dp=4", 4), ("hsdp,dp=2,n=8", 8), ("ep+ddp,ep=2,dp=4", 8)]
)
def test_every_device_with_its_own_sequences_shortens_the_run(layout, replicas):
    given = {"b": 1, "c": 1000, "D": 10**9}
    assert symcost.derive("mixtral-8x7b", layout=layout, given=given)["steps"].at() == 10**6 // replicas
