"""Rules from axes to mesh axes: what they split, and what a device's share is."""

import pytest

from symcost.layouts import ACTIVATIONS, GRADIENTS, PARAMETERS, STATES, Layout, Split, layout
from symcost.symbols import SYMBOLS

b, c, d, d_ff, h, d_k, tp, dp, cp = (
    SYMBOLS[name] for name in ["b", "c", "d", "d_ff", "h", "d_k", "tp", "dp", "cp"]
)


def axes(text):
    return tuple(text.split())


@pytest.mark.parametrize(
    ("tensor", "share"),
    [
        ("b c d", b * c * d / tp),
        ("b c d_ff", b * c * d_ff / tp),
        ("b h c c'", b * h * c**2 / tp),
        ("b h c d_k", b * h * c * d_k / tp),
        ("b c", b * c),
        ("b c 2d_ff", 2 * b * c * d_ff / tp),
    ],
)
def test_sequence_parallelism_splits_tokens_only_where_nothing_else_is_split(tensor, share):
    """Korthikanti et al. 2022, section 4.2.2."""
    sp = layout("megatron-tp-sp")
    assert sp.share(axes(tensor), sp.place(axes(tensor), ACTIVATIONS)) == share


def test_a_mesh_axis_splits_a_tensor_once_and_the_first_rule_that_fits_wins():
    table = Layout("by hand", ("tp",), (Split("d", "tp"), Split("c", "tp")))
    assert table.place(axes("b c d"), ACTIVATIONS) == {"d": ("tp",)}
    assert table.place(axes("b c"), ACTIVATIONS) == {"c": ("tp",)}


def test_one_axis_can_lie_over_two_mesh_axes():
    both = layout("megatron-tp-sp+cp-ring")
    assert both.share(axes("b c d"), both.place(axes("b c d"), ACTIVATIONS)) == b * c * d / (tp * cp)


def test_each_replica_has_sequences_of_its_own():
    """b counts those of one replica, so that data parallelism does not divide them."""
    ddp = layout("ddp")
    placement = ddp.place(axes("b c d"), ACTIVATIONS)
    assert placement == {"b": ("dp",)}
    assert ddp.share(axes("b c d"), placement) == b * c * d


@pytest.mark.parametrize(
    ("name", "of", "share"),
    [
        ("zero-1", STATES, 1 / dp), ("zero-1", GRADIENTS, 1), ("zero-1", PARAMETERS, 1),
        ("zero-2", STATES, 1 / dp), ("zero-2", GRADIENTS, 1 / dp), ("zero-2", PARAMETERS, 1),
        ("zero-3", STATES, 1 / dp), ("zero-3", GRADIENTS, 1 / dp), ("zero-3", PARAMETERS, 1 / dp),
    ],
)  # fmt: skip
def test_zero_splits_states_then_gradients_then_parameters(name, of, share):
    """Rajbhandari et al. 2020, section 5."""
    zero = layout(name)
    assert zero.share(axes("d d_ff"), zero.place(axes("d d_ff"), of)) == d * d_ff * share


def test_ceilings_are_taken_where_asked():
    from sympy import ceiling

    uneven = layout("megatron-tp,ceilings")
    assert uneven.share(axes("d h d_k"), uneven.place(axes("d h d_k"), PARAMETERS)) == d * d_k * ceiling(
        h / tp
    )


def test_parts_of_all_elements_in_a_row_are_rounded_up_too():
    """Rajbhandari et al. 2020 split what is learned in equal parts; the last one is filled up."""
    from sympy import ceiling

    padded = layout("zero-3,ceilings")
    placement = padded.place(axes("d d_ff"), PARAMETERS)
    assert padded.share(axes("d d_ff"), placement) == ceiling(d * d_ff / dp)


def test_tensor_parallel_and_zero_share_one_matrix():
    both = layout("megatron-tp+zero-3")
    assert both.share(axes("d d_ff"), both.place(axes("d d_ff"), STATES)) == d * d_ff / (tp * dp)
