"""Limits against a plain count upwards: 12,000 random questions, many of them met exactly or missed by one.

Every form stands twice: for the solver, and as a Python function that a loop counts with.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Expr, Integer, Max, Min, ceiling, floor

from symcost.solve import solve
from symcost.symbols import L, b, c, d, d_k, h, v
from symcost.terms import Because, Term, Terms

FARTHEST = 120  # the loop counts up to here

RISING: list[tuple[str, Expr, Callable[[int, int, int, int], int]]] = [
    ("linear", c * b + d, lambda b, c, d, h: c * b + d),
    ("one power", d * b**2, lambda b, c, d, h: d * b**2),
    ("quadratic", h * b**2 + c * b + d, lambda b, c, d, h: h * b**2 + c * b + d),
    ("a product of sums", (b + c) * (h * b + d), lambda b, c, d, h: (b + c) * (h * b + d)),
    ("cubic", h * b**3 + c * b + d, lambda b, c, d, h: h * b**3 + c * b + d),
    ("padded", c * 8 * ceiling(b / 8) + d, lambda b, c, d, h: c * 8 * -(-b // 8) + d),
    ("with a floor", c * floor(b / 3) + h * b, lambda b, c, d, h: c * (b // 3) + h * b),
    ("the greater", Max(c * b + d, h * b**2), lambda b, c, d, h: max(c * b + d, h * b**2)),
    ("the lesser", Min(c * b**2, h * b + d) + b, lambda b, c, d, h: min(c * b**2, h * b + d) + b),
]
FALLING: list[tuple[str, Expr, Callable[[int, int, int, int], int]]] = [
    ("a share", c * d * h / b, lambda b, c, d, h: c * d * h / b),
    ("a share beside a constant", d + c * h / b, lambda b, c, d, h: d + c * h / b),
    ("a rounded share", d + ceiling(c * h / b), lambda b, c, d, h: d + math.ceil(c * h / b)),
    ("a quadratic share", d + c / b + h * c / b**2, lambda b, c, d, h: d + c / b + h * c / b**2),
]


def terms(form: Expr) -> Terms:
    """A quantity of one term, in bytes."""
    return Terms(
        "peak_memory", "bytes", (Term(form, Integer(1), "x", "block", Because("a test"), "peak_memory"),)
    )


sizes = st.integers(1, 10**6)


@pytest.mark.parametrize(("form", "loop"), [pytest.param(form, loop, id=name) for name, form, loop in RISING])
@settings(max_examples=150, deadline=None)
@given(c=sizes, d=sizes, h=sizes, hit=st.integers(1, FARTHEST - 20))
def test_the_largest_number_is_the_one_that_counting_finds(form, loop, c, d, h, hit):
    for limit in {loop(hit, c, d, h) + off for off in (-1, 0, 1, loop(1, c, d, h), c, d, h, h // 2)}:
        answer = solve(terms(form), "b", at_most=limit, given={"c": c, "d": d, "h": h}) if limit > 0 else None
        fits = [b for b in range(1, FARTHEST) if loop(b, c, d, h) <= limit]
        if answer is None or len(fits) == FARTHEST - 1:
            continue
        assert answer.floor == max(fits, default=0)
        assert answer.fits == bool(fits)
        proof = answer.certificate
        if fits:
            assert (proof.at_k, proof.at_next) == (loop(max(fits), c, d, h), loop(max(fits) + 1, c, d, h))
            assert proof.at_k <= limit < proof.at_next
            assert answer.left == limit - proof.at_k


@pytest.mark.parametrize(
    ("form", "loop"), [pytest.param(form, loop, id=name) for name, form, loop in FALLING]
)
@settings(max_examples=150, deadline=None)
@given(
    c=st.integers(1, 1000), d=st.integers(1, 1000), h=st.integers(1, 1000), hit=st.integers(1, FARTHEST - 20)
)
def test_the_least_number_is_the_one_that_counting_finds(form, loop, c, d, h, hit):
    for limit in {math.ceil(loop(hit, c, d, h)) + off for off in (-1, 0, 1, 7)}:
        enough = [b for b in range(1, FARTHEST) if loop(b, c, d, h) <= limit]
        if limit < 1 or not enough:
            continue
        answer = solve(terms(form), "b", at_most=limit, given={"c": c, "d": d, "h": h})
        assert answer.ceiling == min(enough)
        assert answer.certificate.at_k <= limit
        assert min(enough) == 1 or answer.certificate.at_next > limit


@settings(max_examples=300, deadline=None)
@given(c=sizes, d=sizes, h=sizes, hit=st.integers(1, FARTHEST - 20), off=st.sampled_from((-1, 0, 1)))
def test_at_least_asks_for_the_first_number_that_reaches_the_limit(c, d, h, hit, off):
    limit = c * hit + d + off
    reach = [b for b in range(1, FARTHEST) if c * b + d >= limit]
    answer = solve(terms(c_times_b_and_d), "b", at_least=limit, given={"c": c, "d": d})
    assert answer.ceiling == min(reach)


c_times_b_and_d = c * b + d


@settings(max_examples=300, deadline=None)
@given(
    heads=st.integers(1, 32), each=st.integers(1, 200), step=st.integers(1, 16), limit=st.integers(1, 10**5)
)
def test_a_tied_width_is_whole_at_the_answer(heads, each, step, limit):
    """d_k = d/h: only multiples of h count, and of `multiple_of` besides."""
    tied = Terms("peak_memory", "bytes", terms(each * d).terms, ties={d_k: d / h})
    fits = [width for width in range(1, limit // each + 1) if width % heads == 0 and width % step == 0]
    answer = solve(tied, "d", at_most=limit, given={"h": heads}, multiple_of=step)
    assert answer.floor == max(fits, default=0)


def lecture(b: int, c: int, d: int, h: int, L: int, v: int) -> int:
    """CS190C lecture 9, part 3: M_peak in bytes."""
    static = L * (256 * d**2 + 32 * d) + 32 * d * v + 16 * d
    return static + b * (L * (80 * c * d + 4 * h * c**2) + 8 * c * d + 4 * c * v)


@pytest.mark.parametrize("letter", ["b", "c", "L", "v"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_lectures_memory_is_solved_as_counting_does(letter, data):
    numbers = {name: data.draw(st.integers(1, most)) for name, most in SMALL.items()}
    numbers["d"] = numbers["h"] * data.draw(st.integers(1, 16))
    hit = data.draw(st.integers(1, 60))
    for off in (-1, 0, 1):
        limit = lecture(**{**numbers, letter: hit}) + off
        given = {name: value for name, value in numbers.items() if name != letter}
        answer = solve(LECTURE, letter, at_most=limit, given=given)
        assert answer.floor == max(
            k for k in range(100) if k == 0 or lecture(**{**numbers, letter: k}) <= limit
        )


SMALL = {"b": 64, "c": 300, "h": 8, "L": 24, "v": 5000}

LECTURE = Terms(
    "peak_memory",
    "bytes",
    terms(
        L * (256 * d**2 + 32 * d) + 32 * d * v + 16 * d
        + b * (L * (80 * c * d + 4 * h * c**2) + 8 * c * d + 4 * c * v)
    ).terms,
)  # fmt: skip
