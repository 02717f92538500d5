"""Ranges as people type them: what they run through, and what is refused."""

from fractions import Fraction

import pytest

from symcost.errors import UnknownSymbol, UsageError
from symcost.sweep import read_range


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("c=1024:131072:x2", tuple(1024 * 2**i for i in range(8))),
        ("b=1:4", (1, 2, 3, 4)),
        ("b = 1 : 10 : 4", (1, 5, 9)),
        ("b=3:3", (3,)),
        ("b=1,2,5", (1, 2, 5)),
        ("c=2**10:2**12:*2", (1024, 2048, 4096)),
        ("MFU=0.3:0.6:0.1", (Fraction(3, 10), Fraction(2, 5), Fraction(1, 2), Fraction(3, 5))),
        ("M=24GiB:80GiB:x2", (24 * 2**30, 48 * 2**30)),
    ],
)
def test_a_range_runs_through(text, values):
    found = read_range(text)
    assert found.exact == values and len(found) == len(values)
    assert found.floats.tolist() == [float(value) for value in values]


@pytest.mark.parametrize("text", ["c=1024:131072:x2", "b=1:64:3", "b=1,2,5,9,11"])
def test_the_parts_of_a_range_are_the_range(text):
    whole = read_range(text)
    parts = [whole.part(start, min(start + 3, len(whole))).exact for start in range(0, len(whole), 3)]
    assert sum(parts, ()) == whole.exact


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("c", "expected letter=from:to:step, as in c=1024:131072:x2, found 'c'"),
        ("c=", "expected letter=from:to:step"),
        ("c=1:2:3:4", "expected letter=from:to:step"),
        ("c=1:2:", "expected letter=from:to:step"),
        ("c=4:2", "expected a rising range, found 'c=4:2', which falls"),
        ("c=1:8:x1", "expected a rising range, found a factor of 1"),
        ("c=1:8:0", "expected a rising range, found a step of 0"),
        ("c=1:2:0.5", "expected whole numbers"),
        ("c=0:8", "c: expected a positive number"),
        ("MFU=0.5:1.5:0.5", "MFU: expected a number up to 1"),
        ("c=1:d", "found the form 'd'"),
        ("c=1:10**12", "expected at most 1,000,000,000 values, found 1,000,000,000,000"),
    ],
)
def test_a_range_that_is_none_is_refused_in_one_line(text, answer):
    with pytest.raises(UsageError) as caught:
        read_range(text)
    assert answer in str(caught.value) and "\n" not in str(caught.value)


def test_a_letter_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(UnknownSymbol, match="Write 'c' \\(context length\\)"):
        read_range("seq_len=1:2")
