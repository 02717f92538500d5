"""Solving: which whole number, with which proof, and what is said where there is none."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Integer, Max, ceiling, sqrt

import symcost
from symcost.errors import MissingValue, NoLimit, UnknownSymbol, UsageError
from symcost.solve import LIMITS, solve
from symcost.symbols import MFU, SYMBOLS, C, D, N, T, b, c, d, n, peak, price
from symcost.terms import Because, Term, Terms

SHAPE = {"c": 256, "d": 1024, "h": 16, "L": 12, "v": 32_000}
RUN = {**SHAPE, "b": 4, "D": 1.03e8, "epochs": 5, "peak": 35.6e12}


def terms(form, unit="bytes", ties=None):
    quantity = {"bytes": "peak_memory", "s": "training_time", "FLOPs": "training_flops"}[unit]
    one = Term(Integer(1) * form, Integer(1), "x", "block", Because("a test"), quantity)
    return Terms(quantity, unit, (one,), ties=ties or {})


@pytest.fixture(scope="module")
def costs():
    return symcost.derive("cs190c")


# What the answer says.


@pytest.mark.parametrize(
    ("letter", "answer"),
    # What a loop over the lecture's form finds on 24 GiB, at b = 4 where b is not sought.
    [("b", 63), ("c", 2015), ("L", 66), ("v", 578_662)],
)
def test_any_letter_of_the_lectures_memory_has_its_largest_number(costs, letter, answer):
    given = {name: value for name, value in {**SHAPE, "b": 4}.items() if name != letter}
    limit = solve(costs["peak_memory"], letter, at_most="24 GiB", given=given)
    memory = costs["peak_memory"]
    assert limit.floor == answer
    assert memory.at(**given, **{letter: answer}) <= 24 * 2**30 < memory.at(**given, **{letter: answer + 1})
    assert limit.left == 24 * 2**30 - memory.at(**given, **{letter: answer})


def test_a_width_is_one_that_its_heads_divide(costs):
    """d = 2572 would fit, but d/h must be whole: 160 heads' widths of 16."""
    limit = solve(costs["peak_memory"], "d", at_most="24 GiB", given={**SHAPE, "b": 4})
    assert (limit.floor, limit.certificate.next) == (2560, 2576)
    assert limit.floor % SHAPE["h"] == 0


def test_a_width_can_be_asked_to_be_a_multiple_of_128(costs):
    limit = solve(costs["peak_memory"], "d", at_most="30 GiB", given={**SHAPE, "b": 4}, multiple_of=128)
    assert limit.floor % 128 == 0
    assert limit.certificate.next == limit.floor + 128


def test_heads_end_where_their_width_would_be_no_whole_number(costs):
    """h must divide d = 1024: with memory for 1617 heads the last is 1024, and the tie is why."""
    limit = solve(costs["peak_memory"], "h", at_most="24 GiB", given={**SHAPE, "b": 4})
    assert limit.floor == 1024
    assert "d_k = d/h would be no whole number" in limit.certificate.why


def test_the_fewest_gpus_are_the_least_number_that_keeps_the_time(costs):
    limit = solve(costs["training_time"], "n", at_most="1 h", given={**RUN, "MFU": 0.5})
    hours = [costs["training_time"].at(**RUN, MFU=0.5, n=gpus) / 3600 for gpus in (11, 12)]
    assert limit.ceiling == 12
    assert hours[0] > 1 >= hours[1]


def test_a_global_batch_is_split_evenly_over_gpus_and_accumulation():
    """accumulation = 1024/(8·b): of the 100 sequences that fit, only divisors of 128 keep it whole."""
    costs = symcost.derive(
        "cs190c", given={"accumulation": "global_batch/(n*b)", "global_batch": 1024, "n": 8}
    )
    limit = solve(costs["peak_memory"], "b", at_most="36 GiB", given=SHAPE)
    assert limit.floor == 64
    assert solve(costs["peak_memory"], "b", at_most="24 GiB", given=SHAPE).floor == 32


def test_a_padded_vocabulary_is_solved_before_padding():
    """v = 64·⌈v_0/64⌉ is rounded up, so the largest v_0 is itself a multiple of 64."""
    costs = symcost.derive("cs190c", given={"v": "64*ceil(v_0/64)"})
    given = {"c": 256, "d": 1024, "h": 16, "L": 12, "b": 4}
    limit = solve(costs["peak_memory"], "v_0", at_most="24 GiB", given=given)
    assert limit.floor % 64 == 0
    assert limit.form is None
    assert limit.floor == 578_662 // 64 * 64  # what fits without padding, cut to a multiple


def test_at_least_asks_for_enough_tokens_a_second():
    """Each of b sequences gets a token in the time that 4·N bytes and its cache are read."""
    costs = symcost.derive("cs190c", given=SHAPE)
    limit = solve(costs["decode_rate"], "b", at_least=1000, given={"bandwidth": 936e9})
    rates = [costs["decode_rate"].at(b=k, bandwidth=936e9) for k in (limit.ceiling - 1, limit.ceiling)]
    assert rates[0] < 1000 <= rates[1]


def test_the_largest_batch_beside_the_cache():
    """Llama-2-7B in 16 bits: 2·32·4096·4096·2 bytes of cache a sequence beside 13.5 GB of weights."""
    costs = symcost.derive("llama-2-7b", precision="bf16")
    limit = solve(costs["inference_memory"], "b", at_most="80 GiB", given={"c": 4096})
    cache = 2 * 32 * 4096 * 4096 * 2
    assert limit.floor == (80 * 2**30 - 2 * 6_738_415_616) // cache


@pytest.mark.parametrize(
    ("quantity", "letter", "at_most", "value"),
    [
        ("training_time", "MFU", "1 day", Fraction(49_653_751_883, 820_224_000_000)),  # n = 4
        ("cost", "price", 100, None),
    ],
)
def test_a_letter_that_is_no_count_is_answered_by_the_exact_root(costs, quantity, letter, at_most, value):
    given = {**RUN, "n": 4, "MFU": 0.5}
    limit = solve(costs[quantity], letter, at_most=at_most, given=given)
    assert (limit.floor, limit.ceiling, limit.certificate) == (None, None, None)
    assert value is None or limit.value == value
    put = {**given, letter: limit.value}
    assert costs[quantity].at(**put) == limit.limit


def test_bytes_of_an_element_are_solved_like_any_letter():
    """At b = 64 the lecture's shape needs a little less than 4 bytes an element to fit 24 GiB."""
    costs = symcost.derive("cs190c", given={"w": "w"})
    limit = solve(costs["peak_memory"], "w", at_most="24 GiB", given={**SHAPE, "b": 64})
    assert limit.value == Fraction(2_097_152, 525_491)
    assert costs["peak_memory"].at(**SHAPE, b=64, w=4) == symcost.derive("cs190c")["peak_memory"].at(
        **SHAPE, b=64
    )


@pytest.mark.parametrize(
    ("quantity", "unit", "form", "letter", "root"),
    [
        ("training_flops", "FLOPs", 6 * N * D, N, C / (6 * D)),
        ("training_flops", "FLOPs", 120 * N**2, N, sqrt(C / 120)),
        ("training_time", "s", C / (n * peak * MFU), n, C / (MFU * T * peak)),
    ],
)
def test_a_root_is_written_with_the_limits_own_letter(quantity, unit, form, letter, root):
    numbers = {"N": 10**9, "D": 10**12, "C": 10**24, "n": 8, "peak": 10**15, "MFU": 0.5}
    limit = solve(terms(form, unit), letter.name, at_most=10**23, given=numbers)
    assert limit.form.doit().equals(root)


def test_what_binds_adds_up_to_one(costs):
    limit = solve(costs["peak_memory"], "b", at_most="24 GiB", given=SHAPE)
    names = [name for name, _, _ in limit.binds()]
    assert names == ["activation_memory", "optimizer_memory", "parameter_memory", "gradient_memory"]
    assert sum(share for _, _, share in limit.binds()) == 1
    assert sum(amount for _, amount, _ in limit.binds()) == limit.certificate.at_k
    assert limit.top_terms(1)[0][0] == "block.attention.P"


def test_a_limit_in_words_is_the_limit_in_bytes(costs):
    in_words = solve(costs["peak_memory"], "b", at_most="24 GiB", given=SHAPE)
    assert in_words == solve(costs["peak_memory"], "b", at_most=24 * 2**30, given=SHAPE)


def test_a_part_has_its_own_limit(costs):
    """One block's attention keeps 5bcd + bhc² elements of 4 bytes, x_norm among them."""
    attention = costs["activation_memory"].of("block.attention")
    limit = solve(attention, "b", at_most="1 GiB", given=SHAPE)
    each = attention.at(**SHAPE, b=1)
    assert limit.floor == 2**30 // each


# Where nothing fits.


def test_too_little_memory_names_the_missing_bytes(costs):
    limit = solve(costs["peak_memory"], "b", at_most="4 GiB", given=SHAPE)
    assert (limit.floor, limit.fits) == (0, False)
    assert limit.missing == costs["peak_memory"].at(**SHAPE, b=1) - 4 * 2**30
    static = solve(costs["peak_memory"], "b", at_most="1 GiB", given=SHAPE)
    assert (static.floor, static.certificate) == (0, None)


def test_no_mfu_above_one_answers(costs):
    limit = solve(costs["training_time"], "MFU", at_most="1 h", given={**RUN, "n": 4})
    assert not limit.fits
    assert limit.missing == costs["training_time"].at(**RUN, n=4, MFU=1) - 3600


def test_a_quantity_that_only_comes_near_its_limit_is_never_enough():
    """6 + 4/b falls towards 6 and never reaches it; below 6 the rest is missing for any b."""
    assert not solve(terms(6 + 4 / b), "b", at_most=6).fits
    assert solve(terms(6 + 4 / b), "b", at_most=4).missing == 2


# What is refused, in one line.


@pytest.mark.parametrize(
    ("form", "letter", "wants", "says"),
    [
        (3 * c, "b", {"at_most": 5}, "b does not appear in peak_memory, which is in c"),
        (b * c, "b", {"at_most": 0}, "limit: expected a positive number of bytes, found 0"),
        (b * c, "b", {"at_most": -4}, "limit: expected a positive number of bytes, found -4"),
        (b * c, "b", {"at_most": float("nan")}, "limit: expected a positive number of bytes, found nan"),
        (b * c, "b", {"at_most": "3 days"}, r"peak_memory is in bytes, found days \(s\)"),
        (b * c, "b", {}, "expected one limit, at_most or at_least, found both or none"),
        (b * c, "b", {"at_most": 1, "at_least": 1}, "expected one limit, at_most or at_least"),
        (b * c, "b", {"at_most": 1, "multiple_of": 0}, "multiple_of: expected a positive whole number"),
        (d * b + c / b, "b", {"at_most": 500}, "peak_memory turns at b = 2.236"),
        (Integer(8), "c", {"at_most": 500}, "c does not appear in peak_memory, which is in no letters"),
        (1 - 1 / b, "b", {"at_most": 10}, "keeps the limit for every b: it does not bind"),
        (ceiling(b / 3) - ceiling(b / 5), "b", {"at_most": 10}, "cannot be shown to rise or fall with b"),
        (Max(b, c) * MFU, "MFU", {"at_most": 10**9}, "keeps the limit for every MFU up to 1"),
        (ceiling(price * c), "price", {"at_most": 10}, "has no closed form in price"),
    ],
)  # fmt: skip
def test_what_has_no_limit_is_refused_by_name(form, letter, wants, says):
    numbers = {"b": 2, "c": 5, "d": 1, "MFU": 0.5, "price": 2}
    with pytest.raises(UsageError, match=says):
        solve(terms(form), letter, given=numbers, **wants)


def test_a_tied_letter_says_how_to_free_it(costs):
    with pytest.raises(NoLimit, match=r"d_ff = 4d is put in for it\. Free it with given d_ff=d_ff"):
        solve(costs["peak_memory"], "d_ff", at_most=1, given=SHAPE)
    freed = symcost.derive("cs190c", given={"d_ff": "d_ff"})["peak_memory"]
    assert solve(freed, "d_ff", at_most="24 GiB", given={**SHAPE, "b": 4}).floor > 4096


def test_every_missing_letter_is_named(costs):
    with pytest.raises(MissingValue, match="L and v have no number"):
        solve(costs["peak_memory"], "b", at_most=1, given={"c": 256, "d": 1024, "h": 16})


def test_an_unknown_letter_is_named(costs):
    with pytest.raises(UnknownSymbol, match="'seq' is not a letter of the glossary"):
        solve(costs["peak_memory"], "seq", at_most=1)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"d_ff": "4*d", "d": "d_ff/4"}, "found a circle"),
        ({"MFU": 1.5}, "MFU: expected a number up to 1"),
        ({"price": -2}, "price: expected a positive number"),
        ({"price": 0}, "price: expected a positive number"),
        ({"peak": float("inf")}, "peak: expected a finite number"),
        ({"MFU": 0.4, "HFU": 0.5}, "expected MFU or HFU, found both"),
        ({"M": "3 days"}, "M .memory limit. is counted in bytes"),
        ({"n": "n + 1"}, "found a circle"),
    ],
)
def test_what_cannot_be_given_is_refused_in_one_line(given, says):
    with pytest.raises(UsageError, match=says) as error:
        symcost.derive("cs190c", given=given)
    assert "\n" not in str(error.value)


def test_numbers_of_any_length_are_solved_exactly():
    assert solve(terms(3 * b), "b", at_most=10**300).floor == 10**300 // 3


def test_a_maximum_is_turned_round_part_by_part():
    """max(3b + 10, b²) ≤ 1000: 330 by the first, 31.6 by the second."""
    limit = solve(terms(Max(3 * b + 10, b**2)), "b", at_most=1000)
    assert limit.floor == 31
    assert limit.value == sqrt(1000)


def test_the_letters_for_limits_stand_in_the_glossary():
    assert set(LIMITS.values()) == {SYMBOLS[name] for name in ("M", "T", "budget", "C")}
