"""Errors: one root, one line, and the nearest known name as the mend."""

import inspect

import pytest

from symcost import errors
from symcost.errors import ReadError, SymcostError, UsageError, nearest

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_one_root_and_says_who_can_mend_it(kind):
    assert issubclass(kind, SymcostError)
    assert kind.__doc__ and kind.__doc__.strip().endswith(".")


def test_a_slip_of_the_pen_is_mended_by_name():
    assert nearest("peak_memroy", ["peak_memory", "static_memory"]) == "Did you mean 'peak_memory'?"


def test_the_case_of_a_name_does_not_hide_the_nearest():
    assert nearest("CS190C", ["cs190c", "llama"]) == "Did you mean 'cs190c'?"


def test_two_names_equally_near_are_both_offered():
    assert nearest("a100", ["a100-40", "a100-80"]) == "Did you mean 'a100-80' or 'a100-40'?"


def test_where_nothing_is_near_all_names_are_listed_or_another_mend_is_given():
    assert nearest("xyz", ["llama", "gpt"]) == "Known are: llama, gpt."
    assert nearest("xyz", ["llama", "gpt"], "See symcost list models.") == "See symcost list models."


def test_a_formula_that_cannot_be_read_knows_its_column():
    assert ReadError("no", column=7).column == 7
    assert isinstance(ReadError("no"), UsageError)
