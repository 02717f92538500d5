"""Sweeps against exact evaluation point by point, in one table, in blocks, in files and for limits."""

import csv
import itertools

import numpy as np
import pytest

import symcost
from symcost.errors import MissingValue, UsageError
from symcost.sweep import Limits, grid, sweep, write
from symcost.sweep.grid import memory

GIVEN = {"d": 1024, "h": 16, "L": 12, "v": 32000}


@pytest.fixture(scope="module")
def costs():
    return symcost.derive("cs190c", given=GIVEN)


def test_every_row_is_the_exact_value_at_its_point(costs):
    terms = costs["peak_memory"]
    table = sweep(terms, exact=True, c="256:1024:x2", b=[1, 2, 3]).table()
    points = list(itertools.product((256, 512, 1024), (1, 2, 3)))
    assert list(table.rows()) == [(c, b, terms.at(c=c, b=b)) for c, b in points]


def test_in_float64_it_is_the_same_as_long_as_numbers_have_15_digits(costs):
    several = [costs[name] for name in ("peak_memory", "activation_memory", "step_flops")]
    points = {"c": "256:4096:x2", "b": "1:9:4"}
    exact, floats = (list(sweep(several, exact=each, **points).table().rows()) for each in (True, False))
    assert exact == floats


@pytest.mark.parametrize("points", [1, 2, 5, 7, 12, 100])
def test_blocks_are_the_table_in_pieces(costs, points):
    swept = sweep(costs["peak_memory"], c="256:2048:x2", b=[1, 2, 3], L="1:2")
    blocks = list(swept.blocks(points))
    assert all(len(block) <= points for block in blocks)
    assert [row for block in blocks for row in block.rows()] == list(swept.table().rows())


def test_where_a_tied_count_is_no_whole_number_there_is_no_value():
    """d_k = d/h with h = 4."""
    parameters = symcost.derive("cs190c", given={"h": 4, "L": 1, "v": 10})["parameters"]
    for exact in (True, False):
        rows = list(sweep(parameters, exact=exact, d="2:8:2").table().rows())
        assert [value for _, value in rows] == [None, parameters.at(d=4), None, parameters.at(d=8)]


def test_a_model_s_own_number_may_be_swept():
    table = sweep(symcost.derive("llama-2-7b")["parameters"], exact=True, L=[32, 40]).table()
    assert table["parameters (elements)"][0] == 6_738_415_616


def test_a_file_has_a_row_for_each_point(costs, tmp_path):
    swept = sweep(costs["peak_memory"], c="256:1024:x2", b="1:5")
    assert write(swept.blocks(4), tmp_path / "points.csv") == 15
    with (tmp_path / "points.csv").open(encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["c", "b", "peak_memory (bytes)"]
    assert [tuple(map(int, row)) for row in rows] == list(swept.table().rows())


def test_a_parquet_file_holds_the_same_columns(costs, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    swept = sweep(costs["peak_memory"], c="256:1024:x2", b="1:5")
    write(swept.blocks(4), tmp_path / "points.parquet")
    read = parquet.read_table(tmp_path / "points.parquet").to_pydict()
    assert list(read) == list(swept.columns)
    assert list(zip(*read.values(), strict=True)) == list(swept.table().rows())


def test_a_file_that_cannot_be_ended_is_not_left_behind(costs, tmp_path):
    def broken():
        yield sweep(costs["peak_memory"], c=[256], b=[1]).table()
        raise UsageError("no more")

    with pytest.raises(UsageError, match="no more"):
        write(broken(), tmp_path / "points.csv")
    assert not list(tmp_path.iterdir())


def test_another_kind_of_file_is_refused(costs, tmp_path):
    with pytest.raises(
        UsageError, match=r"expected a file that ends in \.csv or \.parquet, found '.*points\.xlsx'"
    ):
        write([], tmp_path / "points.xlsx")


def test_limits_are_solved_at_every_point(costs):
    """CS190C lecture 9, part 3: 63 sequences of 256 tokens on 24 GiB."""
    found = Limits(costs["peak_memory"], "b", grid(c=[256, 512, 1024]), {"at_most": 24 * 2**30}).table()
    assert found["b"].tolist() == [63, 27, 11]
    left = 24 * 2**30 - costs["peak_memory"].at(b=63, c=256)
    assert found["left (bytes)"][0] == left


@pytest.mark.parametrize(
    ("ranges", "answer"),
    [
        ({"n": "1:4"}, "n does not appear in peak_memory. Sweep one of b, c, d, h, L, v"),
        ({"d_ff": "1:4"}, "d_ff = 4d is put in for d_ff. Free it with --given d_ff=d_ff"),
        ({"c": []}, "c: expected at least one value to sweep, found none"),
        ({}, "expected at least one letter with its values, found none"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused_in_one_line(costs, ranges, answer):
    with pytest.raises(UsageError) as caught:
        sweep(costs["peak_memory"], **ranges)
    assert answer in str(caught.value) and "\n" not in str(caught.value)


def test_letters_without_a_number_are_all_named(costs):
    with pytest.raises(
        MissingValue, match=r"b has no number. Give it as in --given b=…, or sweep it as well"
    ):
        sweep(costs["peak_memory"], c="1:4")


def test_a_sweep_that_would_not_fit_says_how_large_it_is_and_offers_blocks(costs):
    swept = sweep(costs["peak_memory"], b="1:1000000", c="1:1000000")
    with pytest.raises(
        UsageError, match=r"1,000,000,000,000 points of 3 columns take 21\.83 TiB, .*blocks\(\)"
    ):
        swept.table()
    assert memory() < 2**44  # or else it would fit
    first = next(swept.blocks(10))
    assert len(first) == 10 and np.all(first["b"] == 1)


def test_what_is_solved_for_cannot_be_swept(costs):
    with pytest.raises(UsageError, match="b is what is solved for. Sweep another letter"):
        Limits(costs["peak_memory"], "b", grid(b=[1, 2]))


def test_a_letter_is_swept_once():
    from symcost.sweep import Grid, read_range

    with pytest.raises(UsageError, match="c is swept twice"):
        Grid((read_range("c=1:2"), read_range("c=3:4")))
