"""The call that a notebook makes again."""

from fractions import Fraction

import pytest

from symcost.report.recipe import Recipe
from symcost.tables.gpus import gpu


@pytest.mark.parametrize(
    ("number", "written"), [(1024, "1_024"), (Fraction(1, 2), "0.5"), (Fraction(1, 3), "Fraction(1, 3)")]
)
def test_numbers_are_written_so_that_they_are_read_back_exactly(number, written):
    (_, put) = Recipe("cs190c", {}, {"MFU": number}).setup(None, "fp32")
    assert f"'MFU': {written}" in put
    found = {}
    exec(put, found)
    assert Fraction(str(found["numbers"]["MFU"])) == number


def test_a_gpu_brings_its_peak_and_price_unless_they_are_given():
    card = gpu("h100-sxm")
    assert 'numbers["peak"]' in Recipe("x").setup(card, "bf16")[1]
    assert 'numbers["price"]' not in Recipe("x", {}, {"price": 2}).setup(card, "bf16")[1]
