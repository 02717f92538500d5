"""Bounds of a step's time, by hand."""

from fractions import Fraction

import symcost
from symcost.layouts.timing import StepTime
from symcost.tables.gpus import gpu

TIME = StepTime(Fraction(4), Fraction(1), Fraction(7), Fraction(1, 4), Fraction(3), Fraction(4))


def test_one_after_the_other_and_all_at_once():
    """4 s of work wait a quarter more; 7 s of messages come on top, or beside."""
    assert TIME.serial == 4 + 1 + 7
    assert TIME.overlapped == 7
    assert TIME.binds == "messages"


def test_utilisation_is_useful_work_over_the_time():
    assert TIME.mfu() == Fraction(3, 12)
    assert TIME.mfu(6) == Fraction(1, 2)
    assert TIME.hfu(8) == Fraction(1, 2)


def test_without_messages_and_memory_traffic_the_bounds_are_one():
    alone = StepTime(Fraction(2), Fraction(0), Fraction(0), Fraction(0), Fraction(2), Fraction(2))
    assert alone.serial == alone.overlapped == 2
    assert alone.mfu() == 1


def test_a_slower_link_between_nodes_counts_for_its_mesh_axis_alone():
    costs = symcost.derive("llama-2-7b", layout="megatron-tp+ddp,tp=8,dp=4", given={"b": 1, "c": 4096})
    card = gpu("a100-80gb")
    quick, slow = (costs.step_time(card, links=links) for links in ({}, {"dp": 25 * 10**9}))
    over_dp = costs.sent_over()["dp",].at()
    assert slow.messages - quick.messages == over_dp * (Fraction(1, 25 * 10**9) - Fraction(2, card.link))
