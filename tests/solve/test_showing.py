"""A limit in words: every row of it, and what is said where nothing fits."""

from __future__ import annotations

import re

import pytest

import symcost
from symcost.solve import showing, solve
from symcost.symbols import NOTATIONS

SHAPE = {"c": 256, "d": 1024, "h": 16, "L": 12, "v": 32_000}
RUN = {**SHAPE, "b": 4, "D": 1.03e8, "epochs": 5, "peak": 35.6e12}
LECTURE = NOTATIONS["lecture"]


@pytest.fixture(scope="module")
def costs():
    return symcost.derive("cs190c")


def test_the_rows_are_form_numbers_root_whole_number_proof_and_what_binds(costs):
    found = solve(costs["peak_memory"], "b", at_most="24 GiB", given=SHAPE)
    assert list(showing.rows(found, LECTURE)) == [
        "peak_memory = L(256d² + 32d + 80bcd + 4bhc²) + (32dv + 16d + 8bcd + 4bcv) <= 24 GiB",
        "b = (M − (L(256d² + 32d) + (32dv + 16d)))/(L(80cd + 4hc²) + (8cd + 4cv))",
        "  = (25,769,803,776 − (12(256·1,024² + 32·1,024) + (32·1,024·32,000 + 16·1,024)))"
        "/(12(80·256·1,024 + 4·16·256²) + (8·256·1,024 + 4·256·32,000))",
        "  = 1312231/20560 = 63.8245",
        "largest whole number: b = 63",
        "proof: in bytes, at 63 it is 25,492,078,592; at 64 it is 25,828,933,632",
        "left: 264.9 MiB",
        "what binds: activation_memory 83.2 %, optimizer_memory 8.4 %, parameter_memory 4.2 %, "
        "gradient_memory 4.2 %",
        "top terms: block.attention.P 12.4 %, block.mlp.G 12.4 %, block.mlp.U 12.4 %, block.mlp.H 12.4 %, "
        "head.logits 8.1 %",
    ]


def test_a_surd_is_shown_exactly_and_rounded(costs):
    found = solve(costs["peak_memory"], "c", at_most="24 GiB", given={**SHAPE, "b": 4})
    assert "= 2015.33" in "\n".join(showing.rows(found, LECTURE)).replace(",", "")


def test_two_neighbours_that_round_alike_are_told_apart_by_their_distance_from_the_limit():
    costs = symcost.derive("bare", given={"N": 7e9, "price": 2.5, "MFU": 0.4, "peak": 989e12})
    rows = showing.rows(solve(costs["cost"], "D", at_most="1e6 USD"), LECTURE)
    (proof,) = (row for row in rows if row.startswith("proof"))
    assert re.fullmatch(r"proof: in USD, at .* below the limit; at .* above the limit", proof)


@pytest.mark.parametrize(
    ("quantity", "letter", "at_most", "given", "says"),
    [
        ("peak_memory", "b", "4 GiB", SHAPE, r"at b = 1 \d+(\.\d+)? MiB \([\d,]+ bytes\) are missing"),
        ("training_time", "MFU", "1 h", {**RUN, "n": 4}, r"at MFU = 1, the most there can be, 1,630\.38 s"),
        ("training_flops", "b", "1e17 FLOP", RUN, "however large b is, .* are missing"),
        ("cost", "price", "1 USD", {**RUN, "MFU": 0.5}, None),
    ],
)
def test_a_shortfall_says_how_much_is_missing_and_where(costs, quantity, letter, at_most, given, says):
    given = {name: value for name, value in given.items() if name != letter}
    found = solve(costs[quantity], letter, at_most=at_most, given=given)
    if says is None:
        assert found.fits
        return
    assert not found.fits
    assert re.search(says, showing.shortfall(found))


@pytest.mark.parametrize(
    ("quantity", "letter", "at_most", "line"),
    [
        ("peak_memory", "b", "24 GiB", r"b=\left\lfloor \frac{M-"),
        ("training_time", "n", "1 h", r"n=\left\lceil \frac{"),
        ("training_time", "MFU", "1 day", r"\mathrm{MFU}=\frac{"),
    ],
)
def test_one_line_of_latex_has_the_brackets_of_the_answer(costs, quantity, letter, at_most, line):
    given = {name: value for name, value in {**RUN, "n": 4, "MFU": 0.5}.items() if name != letter}
    assert showing.line(solve(costs[quantity], letter, at_most=at_most, given=given), LECTURE).startswith(
        line
    )
