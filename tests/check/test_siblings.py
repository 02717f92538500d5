"""Calculations made twice: the second one right, without a number that holds for it too, and rightly without it."""

import pytest

from symcost.check import check_text

RUN = "10,000 sequences of 2048 tokens, 3 epochs.\n\n- plain: `3 * 10,000 * 2048 * 29.9e9 / (0.4 * 312e12) = 14,720 s`\n"
PRICE = "We pay $1.80 per GPU-hour and train on 8 A100.\n\n- small: 2.38 h; 8 × 2.38 × $1.80 ≈ $34\n"
SHARE = "At 45% of peak a step takes `9.63e17 / (0.45 * 4096 * 4.59e14) = 1.14 s`. "


def verdict(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "text",
    [
        RUN + "- with checkpointing: `3 * 10,000 * 2048 * 44.0e9 / (0.3 * 312e12) = 8.02 h`",
        RUN + "- one epoch of it: `10,000 * 2048 * 44.0e9 / (0.3 * 312e12) = 2.67 h`",
        PRICE + "- medium: 13.5 h, hence 8 × 13.5 × $1.80 ≈ $194",
        PRICE + "- on a single one 13.5 h, hence for this one 13.5 × $1.80 ≈ $24",
        SHARE + "A pod of 8960, still at 45%, needs `4.25e23 / (0.45 * 8960 * 4.59e14) = 2.30e5 s`.",
        SHARE + "At full speed the pod of 8960 would need `4.25e23 / (8960 * 4.59e14) = 1.03e5 s`.",
    ],
)
def test_a_second_calculation_holds(text):
    assert verdict(text) == "holds"


@pytest.mark.parametrize(
    "text",
    [
        RUN + "- with checkpointing: `10,000 * 2048 * 44.0e9 / (0.3 * 312e12) = 2.67 h`",
        PRICE + "- medium: 13.5 h, hence 13.5 × $1.80 ≈ $24",
        SHARE + "A pod of 8960, still at 45%, needs `4.25e23 / (8960 * 4.59e14) = 1.03e5 s`.",
    ],
)
def test_a_second_calculation_lacks_what_holds_for_both(text):
    assert verdict(text) == "differs"
