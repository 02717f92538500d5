"""Terms: sums that are never typed in, exact values, and arithmetic that loses nothing."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Add, Integer, Max, Min, Mul, Rational, Symbol, ceiling, expand, floor

import symcost
from symcost.errors import MissingValue, UnknownName, UnknownSymbol, UsageError
from symcost.symbols import GLOSSARY, L, b, c, d, d_ff, h, v
from symcost.terms import Because, Term, Terms, counted, evaluator, plain

LETTERS = [b, c, d, h, v]
PLACES = ["embedding", "block.attention", "block.mlp", "block.norm_1", "head"]

# --------------------------------------------------------------------------------- making things up

numbers = st.fixed_dictionaries({symbol.name: st.integers(1, 40) for symbol in (*LETTERS, L)})
coefficients = st.fractions(min_value=-50, max_value=50, max_denominator=12).filter(bool)
powers = st.lists(st.integers(0, 3), min_size=len(LETTERS), max_size=len(LETTERS))


@st.composite
def monomials(draw):
    """A product with a number in front, as a form and as a plain Python function of the same."""
    coefficient, exponents = draw(coefficients), draw(powers)
    form = Rational(coefficient.numerator, coefficient.denominator) * Mul(
        *(letter**power for letter, power in zip(LETTERS, exponents, strict=True))
    )

    def value(at: dict[str, int]) -> Fraction:
        product = coefficient
        for letter, power in zip(LETTERS, exponents, strict=True):
            for _ in range(power):
                product *= at[letter.name]
        return product

    return form, value


@st.composite
def some_terms(draw):
    """A few terms at places of a model, in bytes."""
    made = []
    for number, (form, _) in enumerate(draw(st.lists(monomials(), max_size=8))):
        place = draw(st.sampled_from(PLACES))
        times = L if place.startswith("block") else Integer(1)
        made.append(Term(form, times, f"x_{number % 3}", place, Because("it is made up"), "peak_memory"))
    return Terms("peak_memory", "bytes", tuple(made), "made up")


quick = settings(max_examples=60, deadline=None)


# --------------------------------------------------------------------------------------- arithmetic


@quick
@given(some_terms(), some_terms())
def test_a_sum_of_terms_is_the_sum_of_their_totals(one, other):
    assert expand((one + other).total - one.total - other.total) == 0
    assert len(one + other) == len(one) + len(other)


@quick
@given(some_terms(), some_terms())
def test_a_difference_of_terms_is_the_difference_of_their_totals(one, other):
    assert expand((one - other).total - one.total + other.total) == 0


@quick
@given(some_terms(), some_terms())
def test_what_two_share_is_not_in_their_difference(one, other):
    assert not (one - one).terms
    assert (one + other - other).total.expand() == one.total.expand()


@quick
@given(some_terms())
def test_places_share_out_the_whole_and_lose_nothing(terms):
    assert expand(Add(*(part.total for part in terms.by_place().values())) - terms.total) == 0
    inside, outside = (
        terms.where(lambda term, yes=yes: term.place.startswith("block") is yes) for yes in (True, False)
    )
    assert expand(inside.total + outside.total - terms.total) == 0


@quick
@given(some_terms())
def test_one_block_is_an_lth_of_all_blocks(terms):
    blocks = terms.where(lambda term: term.place.startswith("block."))
    if blocks.terms:
        assert expand(L * terms.of("block").total - blocks.total) == 0


@quick
@given(some_terms(), numbers)
def test_putting_forms_in_for_letters_and_evaluating_go_in_any_order(terms, at):
    forms = {d: 4 * h, v: c**2}
    put = {**at, "d": 4 * at["h"], "v": at["c"] ** 2}
    assert terms.substituted(forms).at(**at) == terms.at(**put)


@quick
@given(some_terms(), numbers)
def test_bytes_are_elements_times_the_bytes_of_one(terms, at):
    assert terms.scaled(Integer(4)).at(**at) == 4 * terms.at(**at)


def test_what_is_measured_in_different_units_is_not_added():
    costs = symcost.derive("cs190c")
    for combine in (lambda one, other: one + other, lambda one, other: one - other):
        with pytest.raises(UsageError, match="bytes"):
            combine(costs["peak_memory"], costs["step_flops"])


# --------------------------------------------------------------------------------------- evaluation


@quick
@given(st.lists(monomials(), min_size=1, max_size=6), numbers)
def test_a_polynomial_is_evaluated_as_plain_fractions_do(summands, at):
    form = Add(*(each for each, _ in summands))
    exact = sum((value(at) for _, value in summands), Fraction(0))
    found = evaluator(form)(at)
    assert found == exact
    assert type(found) is (int if exact.denominator == 1 else Fraction)


@quick
@given(st.lists(monomials(), min_size=1, max_size=4), numbers)
def test_a_form_that_is_no_polynomial_is_evaluated_as_sympy_does(summands, at):
    one = Add(*(each for each, _ in summands))
    for form in (
        ceiling(one / 7) * 8,
        floor(one / c),
        Max(one, b * d),
        Min(one, b * d) + h,
        one / (b + c),
        (one + 1) ** 3,
    ):
        put = form.xreplace({GLOSSARY[name].symbol: Integer(value) for name, value in at.items()})
        assert evaluator(form)(at) == Fraction(int(put.p), int(put.q))


def test_large_numbers_stay_exact_where_floats_would_not():
    """3·2⁸⁰ + 1 needs 82 bits; a float has 53."""
    assert evaluator(3 * d**2 + 1)({"d": 2**40}) == 3 * 2**80 + 1


def test_what_cannot_be_evaluated_exactly_is_refused():
    with pytest.raises(UsageError, match="cannot be evaluated exactly"):
        evaluator(b ** Rational(1, 2))({"b": 2})


# ------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("name", "given", "exact"),
    [
        ("b", 4, 4),
        ("MFU", 0.1, Fraction(1, 10)),  # as it is written, not as the machine holds it
        ("MFU", Fraction(1, 3), Fraction(1, 3)),
        ("MFU", Decimal("0.35"), Fraction(7, 20)),
        ("D", 1.03e8, 103_000_000),
        ("d", np.int64(1024), 1024),
        ("MFU", np.float32(0.5), Fraction(1, 2)),
        ("d", Integer(1024), 1024),
        ("peak", 35.6e12, 35_600_000_000_000),
    ],
)
def test_any_kind_of_number_is_read_exactly(name, given, exact):
    read = counted(name, given)
    assert read == exact and type(read) in (int, Fraction)


@pytest.mark.parametrize(
    ("name", "given", "complaint"),
    [
        ("b", 0, "expected a positive number"),
        ("b", -3, "expected a positive number"),
        ("b", 1.5, "expected a whole number"),
        ("L", Fraction(7, 2), "expected a whole number"),
        ("b", float("nan"), "expected a finite number"),
        ("b", float("inf"), "expected a finite number"),
        ("b", "4", "expected a finite number"),
        ("b", None, "expected a finite number"),
        ("b", True, "expected a finite number"),
        ("b", [4], "expected a finite number"),
        ("b", np.array([4, 5]), "expected a finite number"),
        ("b", 10**200, "expected a number between"),
        ("MFU", 1.5, "expected a number up to 1"),
    ],
)
def test_a_number_that_a_letter_cannot_have_is_refused(name, given, complaint):
    with pytest.raises(UsageError, match=rf"^{name}: {complaint}"):
        counted(name, given)


@pytest.mark.parametrize(("value", "shown"), [(63, 63), (Fraction(6, 3), 2), (Fraction(7, 2), "7/2")])
def test_json_has_whole_numbers_and_fractions_as_text(value, shown):
    assert plain(value) == shown


# --------------------------------------------------------------------------------- letters and ties


@pytest.fixture(scope="module")
def memory():
    return symcost.derive("cs190c")["peak_memory"]


def test_all_letters_that_are_missing_are_named_at_once(memory):
    with pytest.raises(
        MissingValue, match=r"^peak_memory: c, d, h and L have no number.*c is context length"
    ):
        memory.at(b=4, v=32_000)


def test_one_letter_that_is_missing_is_named(memory):
    with pytest.raises(MissingValue, match=r"^peak_memory: L has no number. Give it as in L=…"):
        memory.at(b=4, c=256, d=1024, h=16, v=32_000)


def test_a_name_that_is_no_letter_is_answered_with_the_nearest(memory):
    with pytest.raises(UnknownSymbol, match="Did you mean 'd_ff'"):
        memory.at(d_f=4096)


def test_a_letter_of_the_glossary_that_the_form_lacks_is_ignored():
    parameters = symcost.derive("cs190c")["parameters"].of("block")
    assert parameters.at(d=1024, b=4, MFU=0.5) == 16 * 1024**2 + 2 * 1024


def test_a_number_that_contradicts_a_tie_is_refused(memory):
    with pytest.raises(UsageError, match=r"^d_ff: found 1000, expected 4096, since d_ff = 4d here"):
        memory.at(b=4, c=256, d=1024, h=16, L=12, v=32_000, d_ff=1000)


def test_a_number_that_agrees_with_a_tie_is_taken(memory):
    free = {"b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32_000}
    assert memory.at(**free, d_ff=4096, d_k=64) == memory.at(**free)


def test_heads_that_do_not_divide_the_width_are_refused(memory):
    with pytest.raises(
        UsageError, match=r"^d_k: expected a whole number, found d_k = d/h = 1024/3 at d = 1024, h = 3"
    ):
        memory.at(b=4, c=256, d=1024, h=3, L=12, v=32_000)


def test_a_tie_that_was_freed_binds_no_more():
    wide = symcost.derive("cs190c", given={"d_ff": "d_ff"})["parameters"].of("block.mlp")
    assert wide.total == 3 * d * d_ff
    assert wide.at(d=8, d_ff=1) == 24


def test_a_models_own_numbers_stand_in_and_others_go_before_them():
    block = symcost.derive("llama-2-7b")["parameters"].of("block.norm_1")
    assert block.at() == 4096  # Touvron et al. 2023, Llama 2: width 4096
    assert block.at(d=8192) == 8192


# ------------------------------------------------------------------------------------------- places


def test_a_place_of_the_model_without_terms_sums_to_nothing():
    saved = symcost.derive("cs190c", under="textbook+checkpoint")["saved_activations"]
    assert saved.of("block.attention").total == 0
    assert symcost.derive("cs190c")["forward_flops"].of("embedding").total == 0


def test_a_place_that_there_is_not_is_answered_with_the_nearest():
    with pytest.raises(
        UnknownName,
        match=r"'block\.atention' is no place of saved_activations of cs190c\. Did you mean 'block\.at",
    ):
        symcost.derive("cs190c")["saved_activations"].of("block.atention")


@pytest.mark.parametrize("quantity", ["steps", "worst_moment_memory"])
def test_what_belongs_to_a_run_as_a_whole_has_no_places(quantity):
    with pytest.raises(UnknownName, match="Known are: model"):
        symcost.derive("cs190c")[quantity].of("block")


def test_a_block_can_be_asked_for_a_part_and_a_part_for_a_tensor():
    saved = symcost.derive("cs190c")["saved_activations"]
    assert saved.of("block").of("block.mlp").total == saved.of("block.mlp").total
    assert saved.of("block.mlp").of("block.mlp.G").total == 4 * b * c * d


# ------------------------------------------------------------------------------------------- sweeps


def test_a_compiled_form_agrees_with_exact_values(memory):
    evaluate = memory.compile("b", "c", "d", "h", "L", "v")
    batches, contexts = np.arange(1, 9), np.array([[128], [1024]])
    grid = evaluate(batches, contexts, 1024, 16, 12, 32_000)
    for row, context in zip(grid, (128, 1024), strict=True):
        exact = [memory.at(b=n, c=context, d=1024, h=16, L=12, v=32_000) for n in range(1, 9)]
        assert row.tolist() == exact  # below 2⁵³ every whole number is a float


def test_a_compiled_form_never_overflows_an_integer():
    """4·10¹⁹ is beyond 64 bits: as int64 it would come out negative."""
    square = symcost.derive("cs190c")["parameters"].of("block.attention").compile("d")
    assert square(np.array([10**10 // 2, 10**4], dtype=np.int64)).tolist() == [1e20, 4e8]
    assert square(np.int64(10**10)) == 4e20


def test_a_compiled_form_takes_numbers_lists_and_arrays():
    logits = symcost.derive("cs190c")["saved_activations"].of("head.logits").compile("b", "c", "v")
    assert logits([1, 2], 2, 5).tolist() == [10.0, 20.0]
    assert logits(np.arange(3), 2, np.ones((2, 1))).shape == (2, 3)
    assert logits(1, 2, 5) == 10.0


def test_a_compiled_form_uses_a_models_own_numbers_and_asks_for_the_rest(memory):
    llama = symcost.derive("llama-2-7b")["activation_memory"]
    assert llama.compile("b", "c")(1, 4096) == llama.at(b=1, c=4096)
    with pytest.raises(MissingValue, match="must be among the letters to compile for"):
        memory.compile("b")
    with pytest.raises(UnknownSymbol, match=r"'batch' is not a letter of the glossary\. Write 'b'"):
        memory.compile("batch")


def test_a_symbol_of_another_make_is_not_mixed_up_with_ours():
    """A plain Symbol('b') is not positive, and so another letter."""
    assert Symbol("b") != b
