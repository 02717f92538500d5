"""Whatever is written, in whatever style, is read as it was meant; nothing but a ReadError is ever raised."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import I, Rational, Symbol, nan, oo, zoo

from symcost.errors import ReadError, UsageError
from symcost.notation.reading import (
    read,
    read_amount,
    read_assignment,
    read_expression,
    read_limit,
    read_list,
)

printing = pytest.importorskip("symcost.notation.printing")

NAMES = [
    "b",
    "c",
    "d",
    "h",
    "L",
    "v",
    "N",
    "E",
    "e",
    "I",
    "S",
    "N_p",
    "d_ff",
    "d_model",
    "M_per_sample",
    "alpha",
]
LATEX_NAMES = {
    "N_p": ["N_p", "N_{p}", r"N_\mathrm{p}", r"N_{\text{p}}"],
    "d_ff": ["d_{ff}", r"d_\text{ff}", r"d_{\mathrm{ff}}", r"d\_ff"],
    "d_model": ["d_{model}", r"d_{\text{model}}", r"\text{d\_model}"],
    "M_per_sample": [r"M_{per\_sample}", r"M_{\text{per sample}}"],
    "alpha": [r"\alpha"],
}


class Said(NamedTuple):
    """A formula in one spelling, and its value at each point; `tight`: how strongly its parts hold."""

    text: str
    value: dict[int, Fraction]
    tight: int  # 0 a sum, 1 a product, 2 one factor


POINTS = [
    {name: Fraction(3 + (7 * at + 5 * position) % 11) for at, name in enumerate(NAMES)}
    for position in range(3)
]
numbers = st.integers(0, 10**6)


def said(text: str, worth, tight: int) -> Said:
    return Said(text, {at: worth(point) for at, point in enumerate(POINTS)}, tight)


def combined(text: str, left: Said, right: Said, sign, tight: int) -> Said:
    return Said(text, {at: sign(left.value[at], right.value[at]) for at in left.value}, tight)


def bracketed(draw: st.DrawFn, inner: Said, latex: bool) -> str:
    if inner.tight == 2:
        return inner.text
    pairs = ["()", ("\\left(", "\\right)"), ("\\left[", "\\right]")] if latex else ["()"]
    left, right = draw(st.sampled_from(pairs))
    return f"{left}{inner.text}{right}"


@st.composite
def spellings(draw: st.DrawFn, latex: bool, depth: int = 3) -> Said:
    kind = (
        draw(st.sampled_from(["name", "number", "sum", "product", "power", "fraction"])) if depth else "name"
    )
    if kind == "name":
        name = draw(st.sampled_from(NAMES))
        shown = draw(st.sampled_from(LATEX_NAMES.get(name, [name]))) if latex else name
        return said(shown + " " * latex, lambda point: point[name], 2)
    if kind == "number":
        number = draw(numbers)
        shown = draw(st.sampled_from([f"{number}", f"{number:,}", f"{number}.0"]))
        shown = shown.replace(",", "{,}") if latex else shown
        return said(shown, lambda point: Fraction(number), 2)
    left, right = draw(spellings(latex, depth - 1)), draw(spellings(latex, depth - 1))
    if kind == "sum":
        sign = draw(st.sampled_from(["+", " + "]))
        return combined(left.text + sign + right.text, left, right, lambda a, b: a + b, 0)
    if kind == "product":
        times = draw(st.sampled_from([r" \times ", r"\cdot ", "*"] if latex else [" × ", "·", "*", " * "]))
        shown = [one.text if one.tight else bracketed(draw, one, latex) for one in (left, right)]
        return combined(times.join(shown), left, right, lambda a, b: a * b, 1)
    if kind == "power":
        power = draw(st.integers(2, 3))
        forms = [f"^{power}", f"^{{{power}}}"] if latex else [f"^{power}", f"**{power}", "²³"[power - 2]]
        base = draw(spellings(latex, 0)) if left.tight == 2 else left
        shown = bracketed(draw, base, latex).rstrip() + draw(st.sampled_from(forms)) + " " * latex
        return combined(shown, base, base, lambda a, _: a**power, 2)
    below = combined("", right, right, lambda a, _: a * a + 1, 2)  # never zero
    if latex:
        square = bracketed(draw, right, True)
        form = draw(st.sampled_from([r"\frac", r"\dfrac", r"\tfrac"]))
        shown = f"{form}{{{left.text}}}{{{square} \\cdot {square} + 1}}"
        return combined(shown, left, below, lambda a, b: a / b, 2)
    square = bracketed(draw, right, False)
    shown = f"{bracketed(draw, left, False)}/({square}*{square} + 1)"
    return combined(shown, left, below, lambda a, b: a / b, 1)


def assert_meant(meant: Said, form: str) -> None:
    (part,) = read(meant.text, form, names=NAMES).parts
    for at, point in enumerate(POINTS):
        values = {Symbol(name, positive=True): Rational(value.numerator) for name, value in point.items()}
        got = part.expr.subs(values)
        assert Fraction(int(got.p), int(got.q)) == meant.value[at]


@settings(max_examples=150, deadline=None)
@given(spellings(latex=True))
def test_latex_in_any_style_is_read_as_it_was_meant(meant):
    assert_meant(meant, "latex")


@settings(max_examples=150, deadline=None)
@given(spellings(latex=False))
def test_text_in_any_style_is_read_as_it_was_meant(meant):
    assert_meant(meant, "text")


@settings(max_examples=60, deadline=None)
@given(spellings(latex=False))
def test_what_is_printed_reads_back(meant):
    """Printing and reading are two rooms: each checks the other."""
    expr = read(meant.text, "text", names=NAMES).parts[0].expr
    for write, form in ((printing.latex, "latex"), (printing.text, "text"), (printing.code, "code")):
        again = read(write(expr), form, names=NAMES).parts[0].expr
        for point in POINTS:
            values = {Symbol(name, positive=True): Rational(value.numerator) for name, value in point.items()}
            assert again.subs(values) == expr.subs(values)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("bcdhLvNBTKsx"), min_size=1, max_size=9), st.integers(2, 9))
def test_a_run_of_letters_is_a_product_and_its_power_is_of_the_last(run, power):
    """Declared letters are never a word, a unit or a suffix."""
    (part,) = read(f"{'7' + ''.join(run)}^{power}", names=set(run)).parts
    expected = 7 * Symbol(run[-1], positive=True) ** power
    for letter in run[:-1]:
        expected *= Symbol(letter, positive=True)
    assert part.expr == expected


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 9999), st.integers(0, 4), st.integers(-20, 30))
def test_a_number_keeps_its_digits_in_every_notation(mantissa, decimals, power):
    digits = f"{mantissa / 10**decimals:.{decimals}f}"
    value = Fraction(mantissa, 10**decimals) * Fraction(10) ** power
    for text, form in (
        (f"{digits}e{power}", "code"),
        (f"{digits} * 10^({power})", "text"),
        (rf"{digits}\times 10^{{{power}}}", "latex"),
    ):
        (part,) = read(text, form).parts
        assert Fraction(int(part.expr.p), int(part.expr.q)) == value
        assert (part.printed.digits, part.printed.step) == (digits, Fraction(10) ** (power - decimals))


TOKENS = (Path(__file__).parent / "fixtures" / "tokens.txt").read_text(encoding="utf-8").splitlines()


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from([*TOKENS, " ", "\n"]), max_size=25).map("".join) | st.text(max_size=40),
    st.sampled_from(["latex", "text", "code"]),
)
def test_random_tokens_raise_nothing_but_a_read_error(text, form):
    try:
        found = read_list(text, form)
    except ReadError as error:
        assert 1 <= error.column <= len(text) + 1
        assert "\n" not in str(error)
        return
    for part in (part for reading in found for part in reading.parts):
        assert 0 <= part.start < part.end <= len(text)
        assert all(part.start <= term.start < term.end <= part.end for term in part.terms + part.inner)
        assert not part.expr.has(nan, zoo, oo, I)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*TOKENS, " "]), max_size=12).map("".join) | st.text(max_size=30))
def test_what_users_type_raises_nothing_but_a_usage_error(text):
    for reader in (read_expression, read_amount, read_assignment, read_limit):
        try:
            reader(text)
        except UsageError as error:
            assert "\n" not in str(error)
