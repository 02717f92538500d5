"""Rows of a table that are numbered by stage, factors of a collective, and numbers of models that go by their size."""

import pytest

from symcost.check import check_text

STATES = "Adam in mixed precision. $\\Psi$ is the number of parameters, $N_d$ the number of data-parallel GPUs.\n\n"


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "row, right, wrong",
    [
        ("1: optimizer sharded", "$4\\Psi + 12\\Psi/N_d$", "$2\\Psi + 12\\Psi/N_d$"),
        ("2: gradients too", "$2\\Psi(1 + 7/N_d)$", "$2\\Psi(1 + 6/N_d)$"),
        ("3: weights too", "$16\\Psi/N_d$", "$32\\Psi/N_d$"),
    ],
)
def test_a_row_is_of_the_stage_that_numbers_it(row, right, wrong):
    table = f"{STATES}## What each ZeRO stage leaves\n\n| stage | one GPU |\n|---|---|\n| {row} | {{}} |\n"
    assert (said(table.format(right)), said(table.format(wrong))) == ("holds", "differs")


def test_the_factor_of_a_ring_is_not_all_that_is_sent():
    volume = f"{STATES}## Is stage 3 slower?\n\nPer step and GPU it sends $3\\Psi$ numbers"
    assert said(f"{volume}.") == "holds"
    assert said(f"{volume} (the ring factor $(N_d-1)/N_d$ left out).") != "differs"
