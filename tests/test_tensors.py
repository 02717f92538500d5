"""Tensors with named axes, compared by identity, and the graph that their values are."""

from itertools import product

import pytest
from sympy import Integer

from symcost import ops
from symcost.errors import UnknownSymbol
from symcost.symbols import GLOSSARY, b, c, d, h
from symcost.tensors import Role, Tensor, ops_between, size_of

SMALL = {"b": 2, "c": 3, "d": 5, "h": 2, "v": 7}


def test_two_tensors_are_the_same_only_if_they_are_one_object():
    one, other = Tensor("Q", ("b", "c", "d")), Tensor("Q", ("b", "c", "d"))
    assert one != other and len({one, other, one}) == 2


def test_a_later_tensor_has_a_larger_number():
    first, second = Tensor("x", ()), Tensor("y", ())
    assert first.number < second.number


@pytest.mark.parametrize(
    "axes", [(), ("b",), ("b", "c", "d"), ("b", "h", "c", "c'"), ("b", "c", "c'", "2", "d")]
)
def test_size_is_what_counting_its_elements_one_by_one_gives(axes):
    lengths = [int(axis) if axis.isdigit() else SMALL[axis.rstrip("'")] for axis in axes]
    counted = sum(1 for _ in product(*(range(length) for length in lengths)))
    assert size_of(axes).xreplace({GLOSSARY[name].symbol: Integer(n) for name, n in SMALL.items()}) == counted


def test_scores_have_two_axes_of_the_context():
    assert Tensor("P", ("b", "h", "c", "c'")).size == b * h * c**2


def test_an_axis_must_be_a_letter_of_the_glossary():
    with pytest.raises(UnknownSymbol, match="'rows'"):
        size_of(("b", "rows"))


def test_a_tensor_shows_its_name_and_axes():
    assert repr(Tensor("Q", ("b", "h", "c", "d_k"))) == "Q [b h c d_k]"


def test_the_values_are_the_graph_in_the_order_of_the_program():
    x, y = Tensor("x", ("b", "c", "d")), Tensor("y", ("b", "c", "d"))
    total = ops.add("total", x, y)
    twice = ops.add("twice", total, total)
    last = ops.multiply("last", twice, x)
    assert [op.name for op in ops_between((x, y), last)] == ["total", "twice", "last"]
    assert last.made_by is not None and last.made_by.inputs == (twice, x)


def test_the_walk_back_stops_at_the_leaves():
    x = Tensor("x", ("b", "c", "d"))
    middle = ops.scale("middle", x)
    end = ops.scale("end", middle)
    assert [op.name for op in ops_between((middle,), end)] == ["end"]
    assert ops_between((end,), end) == []


def test_the_body_of_a_composite_starts_at_its_inputs():
    x = Tensor("x", ("b", "c", "d"))
    y = ops.silu("y", ops.scale("before", x))
    assert y.made_by is not None
    assert [op.name for op in y.made_by.body_ops()] == ["sigmoid", "y"]


@pytest.mark.parametrize(
    ("made", "role"),
    [
        (ops.parameter("W", "d d_ff"), Role.PARAMETER),
        (ops.index("tokens", "b c"), Role.INDEX),
        (ops.constant("angles", "c d_k"), Role.CONSTANT),
        (ops.scale("z", Tensor("x", ("d",))), Role.ACTIVATION),
    ],
)
def test_a_tensor_knows_what_it_is_for(made, role):
    assert made.role is role


def test_one_element_has_size_one_and_d_is_a_letter():
    assert size_of(()) == 1 and size_of(("d",)) == d
