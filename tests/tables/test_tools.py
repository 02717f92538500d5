"""The table of tools: names that can be typed, parts that exist, sources."""

import pytest

from symcost.errors import UnknownName
from symcost.symbols import QUANTITIES
from symcost.tables.tools import BATCH_FLOPS, ELEMENTS, LEARNED, PRODUCTS, SCORES, TOOLS, tool


@pytest.mark.parametrize("each", TOOLS.values(), ids=lambda each: each.name)
def test_a_tool_counts_known_quantities_of_known_parts_and_has_a_source(each):
    assert each.source and each.quantities
    for count in each.counts:
        assert count.quantity in {BATCH_FLOPS, *QUANTITIES}
        assert set(count.times) <= {*LEARNED, *PRODUCTS, SCORES, ELEMENTS}
        assert count.times or count.forms
        assert all(times != 0 for times in count.times.values())


def test_no_tool_counts_a_quantity_twice():
    assert all(len(set(each.quantities)) == len(each.quantities) for each in TOOLS.values())


def test_capitals_do_not_matter_in_a_name():
    assert tool("6nd") is TOOLS["6ND"]


def test_an_unknown_tool_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'megatron-lm'"):
        tool("megatron-ml")
