"""Forms over arrays: the same numbers as exact evaluation, block after block, in any kind of array."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Max, Min, ceiling

import symcost
from symcost.arrays import BLOCK, Compiled, factored
from symcost.symbols import SYMBOLS, D, L, N, b, c, d, h, n, v
from symcost.terms import evaluator

LETTERS = (b, c, d, h, L, v)
FORM = symcost.derive("cs190c")["peak_memory"].total


def exact(form, letters, *values):
    return evaluator(form)(dict(zip((letter.name for letter in letters), values, strict=True)))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.integers(1, 200)] * 6), min_size=1, max_size=5))
def test_every_point_is_what_exact_evaluation_gives(points):
    found = Compiled((FORM,), LETTERS)(*np.array(points).T)
    assert found.tolist() == [exact(FORM, LETTERS, *point) for point in points]


def test_blocks_do_not_show():
    """Across the ends of blocks, flat and as an open grid."""
    flat = np.arange(1, 3 * BLOCK + 7)
    assert Compiled((b * c + 1,), (b, c))(flat, 3).tolist() == (3 * flat + 1).tolist()
    grid = Compiled((b * c + d,), (b, c, d))(
        np.arange(70)[:, None, None], np.arange(50)[:, None], np.arange(90)
    )
    expected = np.arange(70)[:, None, None] * np.arange(50)[:, None] + np.arange(90)
    assert grid.shape == (70, 50, 90) and (grid == expected).all()


def test_a_large_product_does_not_overflow():
    """6·N·D for 70e9 parameters and 2e12 tokens is 8.4e23; 64-bit integers give 9061859561857613824."""
    flops = Compiled((6 * N * D,), (N, D))(np.array([70 * 10**9]), np.array([2 * 10**12]))
    assert flops[0] == 8.4e23
    assert (6 * np.array([70 * 10**9]) * np.array([2 * 10**12]))[0] == 9061859561857613824


def test_several_forms_share_one_function():
    first, second = Compiled((b * c, b * c + d), (b, c, d))([1, 2], 3, 4)
    assert first.tolist() == [3, 6] and second.tolist() == [7, 10]


def test_a_form_without_some_letters_fills_the_shape_all_the_same():
    assert Compiled((b + 0 * c,), (b, c))([1, 2], [[1], [2], [3]]).shape == (3, 2)


def test_the_greatest_the_least_and_the_ceiling_of_arrays():
    form = Max(b, c, 3) + Min(b, c) + ceiling(b / n)
    points = [(1, 5, 2), (7, 2, 3), (3, 3, 2)]
    found = Compiled((form,), (b, c, n))(*np.array(points).T)
    assert found.tolist() == [exact(form, (b, c, n), *point) for point in points]


def test_numbers_give_a_number():
    assert Compiled((b * c,), (b, c))(2, 3) == 6.0


def test_a_wrong_number_of_arrays_is_python_s_own_error():
    with pytest.raises(TypeError, match=r"expected 2 values \(b, c\), found 1"):
        Compiled((b * c,), (b, c))(2)


def test_it_travels():
    again = pickle.loads(pickle.dumps(Compiled((FORM,), LETTERS)))
    assert again(4, 256, 1024, 16, 12, 32000) == exact(FORM, LETTERS, 4, 256, 1024, 16, 12, 32000)


def test_the_factored_form_is_the_same_with_fewer_operations():
    nested = factored(FORM, LETTERS)
    assert nested.expand() == FORM.expand()
    assert nested.count_ops() < FORM.count_ops()


def test_arrays_of_jax_pass_through_a_jit():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    found = jax.jit(Compiled((Max(b * c, d) + ceiling(b / 2),), (b, c, d)))(jax.numpy.arange(1, 4), 2.0, 5.0)
    assert isinstance(found, jax.Array) and found.tolist() == [6, 6, 8]


def test_arrays_of_dask_stay_lazy():
    dask = pytest.importorskip("dask.array", reason="the extra scale (Dask) is not installed")
    found = Compiled((b * c + 1,), (b, c))(dask.arange(5, chunks=2), 3)
    assert isinstance(found, dask.Array) and found.compute().tolist() == [1, 4, 7, 10, 13]


def test_exact_numbers_where_asked():
    flops = symcost.derive("bare")["training_flops"].compile("N", "D", exact=True)
    found = flops(np.array([70 * 10**9, 7 * 10**9]), 2 * 10**12)
    assert found.tolist() == [6 * 70 * 10**9 * 2 * 10**12, 6 * 7 * 10**9 * 2 * 10**12]
    assert type(found[0]) is int


def test_names_in_the_glossary_are_names_of_python():
    """A compiled form is a Python function with letters for arguments."""
    assert all(name.isidentifier() for name in SYMBOLS)
