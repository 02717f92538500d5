"""Formulas are read as their writers meant them, or refused with the place that stopped the reader."""

from __future__ import annotations

import ast
import math
import operator
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest
from sympy import Expr, Symbol

from symcost.errors import ReadError, UnknownName, UnknownSymbol, UsageError
from symcost.notation.reading import (
    Part,
    read,
    read_amount,
    read_assignment,
    read_expression,
    read_limit,
    read_list,
    read_number,
    read_part,
)
from symcost.symbols import SYMBOLS, d, v

FORMULAS = tomllib.loads((Path(__file__).parent / "fixtures" / "formulas.toml").read_text(encoding="utf-8"))
RELATIONS = tuple("=≈≤≥<>⇒→≪≫≠∝")


# An independent way to the value of a truth: Python's own grammar, walked over exact fractions.

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
}
CALLS = {
    "F": Fraction,
    "floor": math.floor,
    "ceil": math.ceil,
    "max": max,
    "min": min,
    "sqrt": lambda x: root(x, 2),
    "cbrt": lambda x: root(x, 3),
    "log2": lambda x: Fraction(math.log2(x)).limit_denominator(10**6),
}


def root(value: Fraction, degree: int) -> Fraction:
    found = Fraction(
        round(float(value.numerator) ** (1 / degree)), round(float(value.denominator) ** (1 / degree))
    )
    assert found**degree == value
    return found


def power(base: Fraction, exponent: Fraction) -> Fraction:
    exponent = Fraction(exponent)
    if exponent.denominator == 1:
        return Fraction(base) ** exponent.numerator
    return Fraction(float(base) ** float(exponent)).limit_denominator(10**6)


def worth(truth: str, values: Mapping[str, Fraction]) -> Fraction:
    def walk(node: ast.AST) -> Fraction:
        match node:
            case ast.Constant(int() as value):
                return Fraction(value)
            case ast.Name(name):
                return values[name.rstrip("_")]
            case ast.UnaryOp(sign, of):
                return OPERATORS[type(sign)](walk(of))
            case ast.BinOp(left, ast.Pow(), right):
                return power(walk(left), walk(right))
            case ast.BinOp(left, sign, right):
                return OPERATORS[type(sign)](walk(left), walk(right))
            case ast.Call(ast.Name(name), arguments):
                return Fraction(CALLS[name](*map(walk, arguments)))
        raise AssertionError(ast.dump(node))

    return walk(ast.parse(truth, mode="eval").body)


def letters(truth: str) -> set[str]:
    tree = ast.parse(truth, mode="eval")
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id.rstrip("_") for node in ast.walk(tree) if isinstance(node, ast.Name)} - called


def letter_in_exponent(truth: str) -> bool:
    powers = [node for node in ast.walk(ast.parse(truth)) if isinstance(getattr(node, "op", None), ast.Pow)]
    return any(
        isinstance(node, ast.Name) and node.id != "F" for power in powers for node in ast.walk(power.right)
    )


def assert_says(expr: Expr, truth: str) -> None:
    """The same letters, and the same value where each letter is a sixth power (so that roots are whole)."""
    names = sorted(letters(truth))
    assert {symbol.name for symbol in expr.free_symbols} <= set(names)
    assert all(symbol == Symbol(symbol.name, positive=True) for symbol in expr.free_symbols)
    for start in (2, 3, 5):
        size = 1 if letter_in_exponent(truth) else 6
        values = {name: Fraction(start + position) ** size for position, name in enumerate(names)}
        got = expr.subs({Symbol(name, positive=True): int(value) for name, value in values.items()})
        expected = worth(truth, values)
        if got.is_Rational:
            assert Fraction(int(got.p), int(got.q)) == expected
        else:
            assert math.isclose(float(got), float(expected), rel_tol=1e-6)


def assert_part(part: Part, truth: str) -> None:
    expected, _, unit = truth.rstrip("}").partition(" {")
    assert_says(part.expr, expected)
    assert (part.unit.spelling if part.unit else "") == unit


def assert_chain(text: str, form: str, row: list[str], names: str = "") -> None:
    reading = read(text, form, names=names.split())
    leading = row[0] if row[0] in (*RELATIONS, "+") else None
    chain = row[1:] if leading else row
    assert reading.leading == leading
    assert list(reading.relations) == chain[1::2]
    assert len(reading.parts) == len(chain[::2])
    for part, truth in zip(reading.parts, chain[::2], strict=True):
        assert_part(part, truth)


@pytest.mark.parametrize("row", FORMULAS["latex"], ids=lambda row: row[0])
def test_latex_is_read_as_written(row):
    assert_chain(row[0], "latex", row[1:])


@pytest.mark.parametrize("row", FORMULAS["text"], ids=lambda row: row[0])
def test_plain_text_is_read_as_written(row):
    assert_chain(row[0], "text", row[1:])


@pytest.mark.parametrize("row", FORMULAS["code"], ids=lambda row: row[0])
def test_code_is_read_as_python_reads_it(row):
    assert_chain(row[0], "code", row[1:])


@pytest.mark.parametrize(
    "row", FORMULAS["declared"], ids=lambda row: f"{row[2]} where {row[0] or 'nothing'} is declared"
)
def test_what_a_document_declares_wins(row):
    assert_chain(row[2], row[1], row[3:], names=row[0])


@pytest.mark.parametrize(("form", "text", "label", "truth"), FORMULAS["labels"])
def test_words_before_a_colon_are_a_label(form, text, label, truth):
    reading = read(text, form)
    assert reading.label == label
    assert_part(reading.parts[0], truth)


@pytest.mark.parametrize("row", FORMULAS["shapes"], ids=lambda row: row[1])
def test_a_shape_is_no_product(row):
    form, text, label, *lengths = row
    reading = read(text, form)
    assert (reading.parts, reading.label or "") == ((), label)
    assert len(reading.shape.lengths) == len(lengths)
    for length, truth in zip(reading.shape.lengths, lengths, strict=True):
        assert_says(length, truth)
    assert_says(reading.shape.elements, "*".join(f"({length})" for length in lengths))


@pytest.mark.parametrize(("form", "text", "column", "word"), FORMULAS["refused"])
def test_what_is_not_understood_is_refused_at_its_column(form, text, column, word):
    with pytest.raises(ReadError) as caught:
        read_list(text, form)
    assert caught.value.column == column
    assert word in str(caught.value)
    assert str(caught.value).startswith(f"column {column}: ")


def test_a_list_is_read_one_by_one():
    """CS190C 2026, lecture 9, part 2.3: the numbers of its example."""
    found = read_list(r"b=4, c=256, d=1,024, v=32000, \text{MFU}=0.5")
    assert [str(one.parts[0].expr) for one in found] == ["b", "c", "d", "v", "MFU"]
    assert [one.parts[1].expr for one in found] == [4, 256, 1024, 32000, Fraction(1, 2)]


def test_the_lines_of_an_alignment_are_apart_unless_they_go_on():
    found = read_list(r"\begin{align} A &= 11sbh \\ &\quad + s \\ B &= 19sbh \end{align}")
    assert [len(one.parts) for one in found] == [2, 2]
    assert [len(one.parts[1].terms) for one in found] == [2, 1]


def test_one_formula_is_asked_for_and_two_are_no_answer():
    with pytest.raises(ReadError, match="2 formulas"):
        read("a, b")


# Where things stand.


def test_a_part_and_its_terms_say_where_they_stand():
    text = r"N_p = 2dv+d-L(2d+16d^2) = 8~\text{GB}"
    left, middle, right = read(text).parts
    stands = [text[term.start : term.end] for term in middle.terms]
    assert text[left.start : left.end] == "N_p"
    assert stands == ["2dv", "d", "L(2d+16d^2)"]
    assert [text[term.start : term.end] for term in middle.inner] == ["2d", "16d^2"]
    assert_says(middle.terms[2].expr, "-L*(2*d + 16*d**2)")
    assert text[right.start : right.end] == r"8~\text{GB}"


def test_positions_count_code_points_of_the_text_given():
    text = "𝑑² × 10 + ℎ"
    (part,) = read(text, "text").parts
    assert [text[term.start : term.end] for term in part.terms] == ["𝑑² × 10", "ℎ"]


def test_the_terms_of_a_part_add_up_to_it():
    (part,) = read("16[2dv+d] - 4(x-y) + bcv/2").parts
    assert sum(term.expr for term in part.terms) == part.expr


# Numbers and units.


@pytest.mark.parametrize(
    ("text", "form", "value", "decimals", "step", "significant"),
    [
        (r"3.617", "latex", Fraction(3617, 1000), 3, Fraction(1, 1000), 4),
        (r"3.79 \times 10^{25} \; FLOPs", "latex", 379 * 10**23, 2, 10**23, 3),
        ("1.97e14", "text", 197 * 10**12, 2, 10**12, 3),
        ("3.8 × 10²⁵", "text", 38 * 10**24, 1, 10**24, 2),
        ("84.9M", "text", 849 * 10**5, 1, 10**5, 3),
        ("$147k", "text", 147_000, 0, 1000, 3),
        (r"44.9\%", "latex", Fraction(449, 1000), 1, Fraction(1, 1000), 3),
        ("1200 years", "text", 1200, 0, 1, 2),
        ("-1.50", "text", Fraction(-3, 2), 2, Fraction(1, 100), 3),
        ("10^{18}", "latex", 10**18, 0, 10**18, 1),
        ("(1,024)", "text", 1024, 0, 1, 4),
    ],
)
def test_a_bare_number_remembers_how_it_was_printed(text, form, value, decimals, step, significant):
    printed = read(text, form).parts[0].printed
    assert (printed.value, printed.decimals) == (value, decimals)
    assert (printed.step, printed.significant) == (step, significant)


@pytest.mark.parametrize("text", ["2 \\cdot 3", "x", "24*1024^3", "1+2", "2^{30}", "1/3"])
def test_what_is_computed_was_not_printed(text):
    assert read(text).parts[0].printed is None


def test_percent_is_remembered():
    assert read("45%", "text").parts[0].printed.percent


def test_the_unit_of_a_part_is_kept_apart_from_its_value():
    (part,) = read("1.5 TiB", "text").parts
    assert (part.expr, part.unit.scale, part.unit.powers) == (Fraction(3, 2), 2**40, {"byte": 1})
    assert part.units_inside == ()


def test_a_unit_in_the_middle_is_multiplied_in_and_remembered():
    (part,) = read(r"\frac{6 \times 10^{15} \text{ FLOPs}}{3 \text{ TFLOP/s}} \cdot x").parts
    assert_says(part.expr, "2000*x")
    above, below = part.units_inside
    assert (above * below).powers == {"s": 1}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("N = 70B", "latex"),
        ("8/3d", "latex"),
        ("8 TFLOPS", "text"),
        ("3 h", "text"),
        ("a/b c", "text"),
        ("10^12", "latex"),
    ],
)
def test_a_reading_that_could_be_another_carries_a_doubt(text, form):
    assert read(text, form).parts[-1].doubts


@pytest.mark.parametrize("text", ["20bcd+bhc^2", "24GB", r"P=174.6\text{B}", r"\frac{8}{3}d", "s/6h"])
def test_a_plain_reading_carries_none(text):
    assert all(part.doubts == () for part in read(text).parts)


# Hostile input.

HOSTILE = {
    "a tower of powers": "9^{9^{9^9}}",
    "a tower in text": "9^9^9^9^9",
    "ten thousand braces": "{" * 10_000 + "}" * 10_000,
    "sixty-one brackets": "(" * 61 + "a" + ")" * 61,
    "a long formula": "a+" * 2000 + "a",
    "a chain of powers": "x^" * 1000 + "x",
    "nested roots": r"\sqrt{" * 59 + "2" + "}" * 59,
    "nested fractions": r"\frac{1}{" * 59 + "x" + "}" * 59,
    "nested fractions, too many": r"\frac{1}{" * 500 + "x" + "}" * 500,
    "many signs": "-" * 3000 + "a",
    "a sum to the fortieth": "(1+d+c+b+h+L)^{40}",
    "powers of powers": "((x^{8})^{8})^{8}",
    "a large literal": "1e99999",
    "many digits": "9" * 3999,
    "many large powers": "2^{4000}" * 400,
    "a root of a large number": r"\sqrt{2^{4000}+1}",
    "a ceiling of a root": r"\lceil\sqrt{9^{1200}+1}\rceil",
    "a unit without end": "24 " + "GB/" * 1300 + "s",
    "many relations": "=" * 3900,
    "many labels": "a:" * 1900,
    "many primes": "x" + "'" * 3000,
    "a long name": r"\text{" + "a " * 1900 + "}",
    "many arguments": "max(" + "a," * 1500 + "b)",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("form", ["latex", "text", "code"])
def test_hostile_input_is_refused_or_left_unexpanded(text, form):
    try:
        found = read_list(text, form)
    except ReadError:
        return
    assert all(part.expr.count_ops() < 10_000 for one in found for part in one.parts)


def test_a_tower_of_powers_is_refused_for_its_size():
    with pytest.raises(ReadError, match="4096 bits"):
        read("9^{9^{9^9}}")


@pytest.mark.parametrize("text", ["2^{4096}", "x^{65}", "((x^{8})^{8})^{8}", "(xy)^{33}"])
def test_a_power_over_the_bound_is_refused(text):
    with pytest.raises(ReadError):
        read(text)


def test_a_power_of_a_sum_stays_as_it_is():
    assert read("(1+d)^{40}").parts[0].expr == (1 + d) ** 40


def test_the_first_character_over_the_limit_is_named():
    with pytest.raises(ReadError) as caught:
        read("a" * 4001)
    assert caught.value.column == 4001


# What users type.


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("32e9", 32 * 10**9),
        ("24GiB", 24 * 2**30),
        ("24 GiB", 24 * 2**30),
        ("2**20", 2**20),
        ("1/3", Fraction(1, 3)),
        ("0.5", Fraction(1, 2)),
        ("50%", Fraction(1, 2)),
        ("80GB", 80 * 10**9),
        ("35.6 TFLOP/s", 356 * 10**11),
        ("2 h", 7200),
        ("40K", 40_000),
        ("1_000", 1000),
        ("1.5e-3", Fraction(3, 2000)),
        ("300 B", 300),
    ],
)
def test_numbers_are_exact_and_in_base_units(text, value):
    found = read_number(text)
    assert found == value
    assert isinstance(found, int) == (Fraction(value).denominator == 1)


@pytest.mark.parametrize(
    "text", ["", "x", "1e99999", "3 apples", "1/0", "2**9999", "1,5", "4*d", "--1", "0x10", "nan", "inf"]
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ReadError):
        read_number(text)


def test_an_amount_tells_its_unit():
    value, unit = read_amount("312 TFLOP/s")
    assert (value, unit.powers, unit.spelling) == (312 * 10**12, {"FLOP": 1, "s": -1}, "TFLOP/s")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4*d", 4 * d),
        ("4d", 4 * d),
        ("8*d/3", 8 * d / 3),
        ("d_model**2", d**2),
        ("tp*pp", SYMBOLS["tp"] * SYMBOLS["pp"]),
        ("hidden_size + vocab_size", d + v),
        ("bcd", SYMBOLS["b"] * SYMBOLS["c"] * d),
    ],
)
def test_an_expression_is_in_the_letters_of_the_glossary(text, expected):
    assert read_expression(text) == expected


def test_padding_is_an_expression():
    assert_says(read_expression("ceil(v/64)*64"), "ceil(v/64)*64")


def test_an_unknown_letter_is_named_with_its_column_and_the_nearest():
    with pytest.raises(UnknownSymbol, match=r"column 3: 'd_fff'.*d_ff"):
        read_expression("4*d_fff")


def test_names_of_the_caller_are_known_too():
    assert read_expression("2*d_fff", names=["d_fff"]) == 2 * Symbol("d_fff", positive=True)


@pytest.mark.parametrize(
    "text", ["", "a=b", "4 GB", "1e5 +", "d;import os", "__import__('os')", "().__class__"]
)
def test_an_expression_is_nothing_else(text):
    with pytest.raises(UsageError):
        read_expression(text)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("b=4", "b", 4),
        ("d_ff=4*d", "d_ff", 4 * d),
        ("d_ff = d_ff", "d_ff", SYMBOLS["d_ff"]),
        ("hidden_size=768", "d", 768),
        ("M=24GiB", "M", 24 * 2**30),
        ("N=7B", "N", 7 * 10**9),
        ("D=2T", "D", 2 * 10**12),
        ("MFU=50%", "MFU", Fraction(1, 2)),
        ("peak=312 TFLOP/s", "peak", 312 * 10**12),
        ("price=2.5 USD/h", "price", Fraction(5, 2)),
    ],
)
def test_an_assignment_is_in_the_letters_own_unit(text, name, value):
    assert read_assignment(text) == (name, value)


@pytest.mark.parametrize("text", ["M=3 hours", "peak=24 GB", "b", "=4", "b=", "x y=3", "q=4", "b=4;c=5"])
def test_an_assignment_that_makes_no_sense_is_refused(text):
    with pytest.raises(UsageError):
        read_assignment(text)


def test_a_limit_is_a_quantity_a_relation_and_an_amount():
    name, relation, value, unit = read_limit("peak_memory <= 24 GiB")
    assert (name, relation, value, unit.spelling) == ("peak_memory", "<=", 24 * 2**30, "GiB")
    assert read_limit("training_time ≤ 3 days")[1:3] == ("<=", 3 * 86400)


def test_a_limit_of_no_quantity_names_the_nearest():
    with pytest.raises(UnknownName, match="peak_memory"):
        read_limit("peak_memori <= 24 GiB")


def test_numbers_are_read_without_the_parser():
    """A value on the command line should not wait for a grammar."""
    program = (
        "import sys; from symcost.notation.reading import read_assignment, read_limit;"
        "read_assignment('M=24GiB'); read_limit('peak_memory <= 80GB'); sys.exit('lark' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_a_shape_is_no_formula():
    with pytest.raises(ReadError, match="shape of a tensor"):
        read_part("(8,4,16)")
