"""Lowering: how a convention turns values into steps over held tensors."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer

from symcost import ops, rules
from symcost.conventions import CONVENTIONS, SecondRun, convention
from symcost.lower import lower
from symcost.symbols import L
from symcost.tensors import Role, Tensor

TEXTBOOK = CONVENTIONS["textbook"]


def learned(name: str, axes: str) -> Tensor:
    return ops.parameter(name, axes)


def row_of_layers() -> Tensor:
    """x → L blocks of one product and a SiLU → a product."""
    x = ops.gather("x_0", learned("W_E", "v d"), ops.index("tokens", "b c"), "b c d")

    def block(x: Tensor) -> Tensor:
        y = ops.contract("y", "b c d, d d_ff -> b c d_ff", x, learned("W_1", "d d_ff"))
        z = ops.contract("z", "b c d_ff, d_ff d -> b c d", ops.silu("a", y), learned("W_2", "d_ff d"))
        return ops.add("x_out", x, z)

    x = ops.repeat("block", L, lambda x: ops.part("mlp", block, x), x)
    return ops.contract("logits", "b c d, v d -> b c v", x, learned("W_U", "v d"))


def labels(steps):
    return [step.label for step in steps]


def test_a_part_has_a_place_of_its_own_and_a_repeat_counts_l_times():
    program = lower(row_of_layers(), TEXTBOOK)
    assert labels(program.steps) == [
        "x_0",
        "block.mlp.y",
        "block.mlp.a",
        "block.mlp.z",
        "block.mlp.x_out",
        "logits",
    ]
    assert [step.times for step in program.steps] == [Integer(1), L, L, L, L, Integer(1)]


def test_parameters_are_found_in_the_order_in_which_they_are_read():
    program = lower(row_of_layers(), TEXTBOOK)
    assert [(each.name, each.place) for each in program.parameters] == [
        ("W_E", ""), ("W_1", "block.mlp"), ("W_2", "block.mlp"), ("W_U", ""),
    ]  # fmt: skip


def test_a_composite_taken_whole_is_one_step_and_apart_its_bodys():
    apart = replace(TEXTBOOK, whole=TEXTBOOK.whole - {rules.SILU})
    assert labels(lower(row_of_layers(), apart).steps)[1:4] == [
        "block.mlp.y",
        "block.mlp.sigmoid",
        "block.mlp.a",
    ]


def test_a_region_computed_again_keeps_its_inputs_alone():
    program = lower(row_of_layers(), convention("textbook+checkpoint"))
    [region] = program.regions
    assert (region.place, [held.name for held in region.inputs]) == ("block", ["x"])
    assert [event.label for event in program.outermost] == ["x_0", "block", "logits"]


def test_a_textbook_runs_all_of_a_region_again_and_pytorch_stops_where_the_last_tensor_is_saved():
    """The last product of a block saves only its inputs, so that PyTorch need not make it a second time."""
    [region] = lower(row_of_layers(), convention("textbook+checkpoint")).regions
    assert labels(region.again()) == ["block.mlp.y", "block.mlp.a", "block.mlp.z", "block.mlp.x_out"]
    again = replace(convention("textbook+checkpoint"), second_run=SecondRun.TO_THE_LAST_THAT_SAVES)
    [region] = lower(row_of_layers(), again).regions
    assert labels(region.again()) == ["block.mlp.y", "block.mlp.a"]


def test_what_needs_no_gradient_asks_for_nothing():
    """Nobody wants a gradient of data, so the product of data and a weight keeps the data alone."""
    x = Tensor("x", ("b", "c", "d"))  # data: no parameter leads to it
    y = ops.contract("y", "b c d, d d_ff -> b c d_ff", x, learned("W", "d d_ff"))
    [step] = lower(y, TEXTBOOK).steps
    assert [held.name for held, _ in step.saves] == [
        "x"
    ]  # ∂W reads x; nobody asks for ∂x, which would read W
    assert step.result.wants and not step.inputs[0].wants


def test_a_view_keeps_the_storage_of_its_base():
    K = ops.contract(
        "K", "b c d, d h_kv d_k -> b h_kv c d_k", Tensor("x", ("b", "c", "d")), learned("W_K", "d h_kv d_k")
    )
    repeated = ops.repeat_heads("K_repeated", K)
    program = lower(repeated, TEXTBOOK)
    assert program.steps[-1].result.storage is program.steps[0].result
    own = lower(repeated, CONVENTIONS["torch-eager"])
    assert own.steps[-1].result.storage is own.steps[-1].result


@pytest.mark.parametrize("name", CONVENTIONS)
def test_every_tensor_that_a_step_saves_is_there_by_then(name):
    """What a gradient reads was read by the step, made by it, or written down by it."""
    import symcost

    program = lower(symcost.load("llama").loss, CONVENTIONS[name])
    for step in program.steps:
        there = {id(held) for held in (*step.inputs, *step.makes)}
        for held, position in step.saves:
            assert id(held) in there or held.maker is step or held.maker is None
            assert step.inputs[position].wants


@pytest.mark.parametrize("name", CONVENTIONS)
def test_lowering_leaves_the_model_as_it_was(name):
    """The same values can be lowered under one convention after the other."""
    loss = row_of_layers()
    before = labels(lower(loss, TEXTBOOK).steps)
    lower(loss, CONVENTIONS[name])
    assert labels(lower(loss, TEXTBOOK).steps) == before


def test_a_dropout_mask_is_held_as_a_mask():
    x = ops.scale("x", learned("W", "b c d"))
    dropped = lower(ops.dropout("y", x), TEXTBOOK).steps[-1]
    assert [(held.name, held.role) for held, _ in dropped.saves] == [("mask_y", Role.MASK)]
