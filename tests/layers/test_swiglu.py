"""SwiGLU by itself. Source: CS190C 2026, lecture 9, parts 1.1, 1.2 and 2.1."""

from functools import partial

from symcost import ops
from symcost.layers.swiglu import swiglu
from symcost.symbols import b, c, d, d_expert, d_ff


def test_it_keeps_its_input_both_branches_and_the_gated_product(alone):
    layer = alone(swiglu)
    assert layer.kept == ["x", "G", "U", "H"]
    assert layer.saved == b * c * d + 3 * b * c * d_ff


def test_it_is_three_matrices_and_backward_is_twice_forward(alone):
    layer = alone(swiglu)
    assert layer.parameters == 3 * d * d_ff
    assert layer.forward == 6 * b * c * d * d_ff and layer.backward == 2 * layer.forward


def test_pytorch_keeps_the_result_of_silu_besides(alone):
    assert alone(swiglu, under="torch-eager").saved - alone(swiglu).saved == b * c * d_ff


def test_another_gate_and_another_width_change_no_more_than_that(alone):
    geglu = alone(partial(swiglu, gate=ops.gelu_gate))
    narrow = alone(partial(swiglu, width="d_expert"))
    assert geglu.saved == alone(swiglu).saved
    assert narrow.parameters == 3 * d * d_expert
