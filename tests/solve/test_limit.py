"""A limit as data: what it says of itself, as JSON, in a pickle and in a notebook."""

from __future__ import annotations

import json
import pickle

import pytest

import symcost
from symcost.solve import solve

SHAPE = {"c": 256, "d": 1024, "h": 16, "L": 12, "v": 32_000}


@pytest.fixture(scope="module")
def largest():
    return solve(symcost.derive("cs190c")["peak_memory"], "b", at_most="24 GiB", given=SHAPE)


def test_the_json_has_the_answer_its_proof_and_what_binds(largest):
    data = json.loads(json.dumps(largest.to_dict()))
    assert (data["for"], data["quantity"], data["relation"], data["unit"]) == (
        "b",
        "peak_memory",
        "<=",
        "bytes",
    )
    assert (data["limit"], data["floor"], data["left"]) == (25_769_803_776, 63, 277_725_184)
    assert data["certificate"] == {"k": 63, "at_k": 25_492_078_592, "next": 64, "at_next": 25_828_933_632}
    assert data["value"] == "1312231/20560"
    assert data["form"].startswith("(M - ")
    assert data["numbers"] == SHAPE
    assert data["binds"][0]["quantity"] == "activation_memory"
    assert data["terms"][0]["term"] == "block.attention.P"


def test_a_least_number_is_a_ceiling_in_the_json():
    given = {**SHAPE, "b": 4, "D": 1.03e8, "epochs": 5, "peak": 35.6e12, "MFU": 0.5}
    data = solve(symcost.derive("cs190c")["training_time"], "n", at_most="1 h", given=given).to_dict()
    assert data["ceiling"] == 12
    assert "floor" not in data


def test_a_limit_can_be_pickled(largest):
    again = pickle.loads(pickle.dumps(largest))
    assert (again.floor, again.form, again.left) == (largest.floor, largest.form, largest.left)


def test_a_notebook_shows_the_form(largest):
    assert largest._repr_latex_().startswith(r"$b_{\max} = \frac{M-")


def test_the_limits_letter_is_another_where_the_form_has_it_already():
    """C = C would say nothing: the budget's own C is limited by `limit`."""
    found = solve(symcost.derive("budget")["training_flops"], "C", at_most=10**20)
    assert found.form.free_symbols == {symcost.symbols.SYMBOLS["limit"]}
