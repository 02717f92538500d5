"""Rajbhandari et al. 2020, ZeRO: figure 1 and section 7."""

from fractions import Fraction

import pytest

SHAPE = {"d": 64, "h": 4, "L": 3, "v": 128, "b": 1, "c": 16, "c_max": 16}
PSI, DEVICES = 7_500_000_000, 64


@pytest.fixture
def of_each_parameter(gpt):
    """An amount on one of 64 devices for each parameter of the model."""
    import symcost

    numbers = {**SHAPE, "d_ff": "4*d", "d_k": "d/h"}
    N = symcost.derive(gpt, given=numbers)["parameters"].at()

    def of(layout, quantity):
        costs = symcost.derive(
            gpt, under="megatron-2022", precision="mixed-16", layout=f"{layout},dp={DEVICES}", given=numbers
        )
        return Fraction(costs[quantity].at()) / N

    return of


@pytest.mark.parametrize(
    ("layout", "published"),
    [("ddp", "120"), ("zero-1", "31.4"), ("zero-2", "16.6"), ("zero-3", "1.9"), ("fsdp", "1.9")],
)
def test_gigabytes_of_a_model_of_7_5_billion_parameters_on_64_devices(of_each_parameter, layout, published):
    gigabytes = of_each_parameter(layout, "static_memory") * PSI / 10**9
    assert f"{float(gigabytes):.{len(published.partition('.')[2])}f}" == published


@pytest.mark.parametrize(
    ("layout", "volume"), [("ddp", 2), ("zero-1", 2), ("zero-2", 2), ("zero-3", 3), ("fsdp", 3)]
)
def test_a_device_sends_this_many_times_the_parameters(of_each_parameter, layout, volume):
    """Section 7: 2Ψ, 2Ψ and 3Ψ elements, with (devices − 1)/devices taken as one; elements take 2 bytes."""
    sent = of_each_parameter(layout, "message_bytes") / 2
    assert sent == volume * Fraction(DEVICES - 1, DEVICES)


def test_hsdp_reduces_what_is_left_among_its_copies(gpt):
    """Zhao et al. 2023, section 3.2.2: gathered and scattered in a shard group, then reduced among copies."""
    import symcost
    from symcost.symbols import SYMBOLS

    costs = symcost.derive(gpt, layout="hsdp", given={"d_ff": "4*d", "d_k": "d/h"})
    found = {
        (message.kind, message.over): message.size / (SYMBOLS["d"] * SYMBOLS["d_ff"])
        for message in costs.derivation.messages
        if message.tensor in ("W_1", "∂W_1")
    }
    shard = SYMBOLS["n"] / SYMBOLS["dp"]
    assert found == {
        ("all-gather", ("shard",)): 1,
        ("reduce-scatter", ("shard",)): 1,
        ("all-reduce", ("dp",)): 1 / shard,
    }


def test_bytes_of_every_stage_fall(of_each_parameter):
    held = [of_each_parameter(name, "static_memory") for name in ("ddp", "zero-1", "zero-2", "zero-3")]
    assert held == sorted(held, reverse=True)
