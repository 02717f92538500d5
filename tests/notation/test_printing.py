"""Closed forms stand on the page as their authors wrote them; what is printed means what was derived."""

from __future__ import annotations

import ast
import math
import operator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Add, Expr, Max, Min, Mul, Rational, Symbol, ceiling, expand, floor, sqrt

from symcost.notation.printing import code, javascript, latex, substituted, terms, text
from symcost.symbols import MFU, NOTATIONS, SYMBOLS, D, L, M, N, b, c, d, d_ff, d_k, epochs, h, n, peak, v

# CS190C 2026, lecture 9: what its slides write, term by term.
N_p = 2 * d * v + d + L * (2 * d + 16 * d**2)
N_B = 20 * b * c * d + b * h * c**2
N_A = L * N_B + 2 * b * c * d + b * c * v
PEAK = 16 * N_p + 4 * N_A
FORWARD = L * (32 * b * c * d**2 + 4 * b * c**2 * d) + 2 * b * c * d * v
STEP = 3 * FORWARD + 15 * N_p
STATIC = L * (256 * d**2 + 32 * d) + 32 * d * v + 16 * d
ONE_SEQUENCE = L * (80 * c * d + 4 * h * c**2) + 8 * c * d + 4 * c * v
LECTURE = {b: 4, c: 256, d: 1024, h: 16, L: 12, v: 32000}

t = SYMBOLS["tp"]


@pytest.mark.parametrize(
    ("form", "slide"),
    [
        (N_B, "20bcd+bhc^2"),
        (L * N_B, r"L\left(20bcd+bhc^2\right)"),
        (FORWARD, r"L\left(32bcd^2+4bc^2d\right)+2bcdv"),
        (
            PEAK,
            r"L\left(256d^2+32d+80bcd+4bhc^2\right)+\left(32dv+16d+8bcd+4bcv\right)",
        ),
        (
            (M - STATIC) / ONE_SEQUENCE,
            r"\frac{M-\left(L\left(256d^2+32d\right)+\left(32dv+16d\right)\right)}"
            r"{L\left(80cd+4hc^2\right)+\left(8cd+4cv\right)}",
        ),
    ],
)
def test_the_lecture_reads_as_on_its_slides(form, slide):
    """CS190C lecture 9, parts 1.2, 2.1, 1.4 and 3."""
    assert latex(form) == slide


def test_the_largest_batch_stands_in_floor_brackets():
    """CS190C lecture 9, part 3: the floor of (M − static) over one sequence."""
    assert latex(floor((M - 16 * d) / (4 * c * v))) == r"\left\lfloor\frac{M-16d}{4cv}\right\rfloor"
    assert text(floor((M - STATIC) / ONE_SEQUENCE)) == (
        "⌊(M − (L(256d² + 32d) + (32dv + 16d)))/(L(80cd + 4hc²) + (8cd + 4cv))⌋"
    )


def test_training_time_is_one_fraction():
    """CS190C lecture 9, part 4, with GPUs and peak in letters."""
    assert latex(STEP * D * epochs / (b * c * n * MFU * peak)) == (
        r"\frac{D\,\mathrm{epochs}\,\left(L\left(240d^2+30d+96bcd^2+12bc^2d\right)"
        r"+\left(30dv+15d+6bcdv\right)\right)}{bcn\,\mathrm{MFU}\,\mathrm{peak}}"
    )


@pytest.mark.parametrize(
    ("notation", "form", "latex_form", "text_form"),
    [
        # Korthikanti et al. 2022, table 2: sbh(34 + 5as/h), or sbh(10 + 24/t + 5as/(ht)) over t devices.
        ("megatron", 34 * b * c * d + 5 * b * h * c**2, "34sbh+5as^2b", "34sbh + 5as²b"),
        (
            "megatron",
            b * c * d * (10 + 24 / t + 5 * h * c / (d * t)),
            r"10sbh+\frac{24sbh+5as^2b}{t}",
            "10sbh + (24sbh + 5as²b)/t",
        ),
        ("megatron", 12 * L * d**2, "12lh^2", "12lh²"),
        # Kaplan et al. 2020, equation 2.1: N ≈ 12 n_layer d_model².
        ("kaplan", 12 * L * d**2, r"12n_{\mathrm{layer}}d_{\mathrm{model}}^2", "12n_layer·d_model²"),
        # Austin et al. 2025, chapter 4: 18BTDF for the gated MLP, 12BT²NH for attention.
        ("jax-book", 18 * b * c * d * d_ff, "18BTDF", "18BTDF"),
        ("jax-book", 12 * b * c**2 * h * d_k, "12BT^2NH", "12BT²NH"),
        # Rajbhandari et al. 2020, figure 1: 16Ψ/N_d at stage 3.
        ("zero", 16 * N / SYMBOLS["dp"], r"\frac{16\Psi}{N_d}", "16Ψ/N_d"),
    ],
)
def test_other_sources_read_as_they_write(notation, form, latex_form, text_form):
    assert latex(form, NOTATIONS[notation]) == latex_form
    assert text(form, NOTATIONS[notation]) == text_form


@pytest.mark.parametrize(
    ("form", "latex_form", "text_form", "code_form"),
    [
        (3 * b * c * d_ff, r"3bcd_{\mathrm{ff}}", "3bc·d_ff", "3*b*c*d_ff"),
        (d_ff * v, r"d_{\mathrm{ff}}v", "d_ff·v", "d_ff*v"),
        (2 * n * MFU * peak, r"2n\,\mathrm{MFU}\,\mathrm{peak}", "2n·MFU·peak", "2*n*MFU*peak"),
        (L * b * c * d, "Lbcd", "Lbcd", "L*b*c*d"),
        (16 * L * d**2, "16Ld^2", "16Ld²", "16*L*d**2"),
        (L * b * c * d + 2 * d + v, "Lbcd+2d+v", "Lbcd + 2d + v", "L*b*c*d + 2*d + v"),
        (b * c + 4 * b * c * v + 1, "4bcv+bc+1", "4bcv + bc + 1", "4*b*c*v + b*c + 1"),
        (Rational(3, 2) * b * c - d, r"\frac{3}{2}bc-d", "3bc/2 − d", "3*b*c/2 - d"),
        (b * c / 2, r"\frac{bc}{2}", "bc/2", "b*c/2"),
        (-b * c, "-bc", "−bc", "-b*c"),
        (d**12 / c, r"\frac{d^{12}}{c}", "d¹²/c", "d**12/c"),
        (sqrt(b * c), r"\sqrt{bc}", "√(bc)", "sqrt(b*c)"),
        (d / sqrt(d_k), r"\frac{d}{\sqrt{d_k}}", "d/√d_k", "d/sqrt(d_k)"),
        (6 * N * D, "6ND", "6ND", "6*N*D"),
        (2 * M, r"2\cdot M", "2·M", "2*M"),  # 2M would be two million
        (2 ** (n + 1) * b, r"b\cdot2^{n+1}", "b·2^(n + 1)", "b*2**(n + 1)"),
        (
            128 * d * ceiling(v / 128),
            r"128d\left\lceil\frac{v}{128}\right\rceil",
            "128d⌈v/128⌉",
            "128*d*ceil(v/128)",
        ),
        (
            Max(16 * N, 12 * N + 8 * b * c * v),
            r"\max\left(16N,12N+8bcv\right)",
            "max(16N, 12N + 8bcv)",
            "max(16*N, 12*N + 8*b*c*v)",
        ),
        (Rational(0), "0", "0", "0"),
        (Rational(-3, 2), r"-\frac{3}{2}", "−3/2", "-3/2"),
    ],
)
def test_signs(form, latex_form, text_form, code_form):
    assert latex(form) == latex_form
    assert text(form) == text_form
    assert code(form) == code_form


def test_code_is_what_the_json_face_shows():
    """The form of the saved activations in the project's JSON example."""
    assert code(N_A) == "L*(20*b*c*d + b*h*c**2) + 2*b*c*d + b*c*v"


def test_expanded_on_request():
    assert latex(N_A, collect=False) == "20Lbcd+Lbhc^2+2bcd+bcv"


def test_a_quotient_that_comes_out_even_is_no_quotient():
    """FLOPs of a token: 3 × (32bcd² + 4bc²d) over bc."""
    assert latex(3 * (32 * b * c * d**2 + 4 * b * c**2 * d) / (b * c)) == "96d^2+12cd"


def test_products_of_functions_and_sums_stay_products():
    """Steps times the FLOPs of one."""
    assert text(ceiling(D / (b * c)) * FORWARD) == "⌈D/(bc)⌉(L(32bcd² + 4bc²d) + 2bcdv)"


def test_a_long_product_is_printed_as_given():
    letters = [Symbol(f"x_{i}", positive=True) for i in range(9)]
    long = Mul(*[Add(letters[i], letters[i - 1], 7) for i in range(9)])
    assert code(long).count("(") == 9
    assert meaning(code(long), {x.name: 2 for x in letters}) == 11**9


def test_a_minus_comes_first_only_if_all_is_negative():
    assert latex(b * h * c**2 - 20 * b * c * d) == "bhc^2-20bcd"
    assert latex(-N_A) == r"-L\left(20bcd+bhc^2\right)-\left(2bcd+bcv\right)"
    assert code(-N_A) == "-L*(20*b*c*d + b*h*c**2) - (2*b*c*d + b*c*v)"


def test_letters_that_would_spell_a_word_are_kept_apart():
    """`dp` is the data-parallel size, so d times p is not written like it."""
    assert text(3 * d * Symbol("p", positive=True)) == "3d·p"


def test_greek_letters_do_not_run_into_the_next():
    assert latex(N * Symbol("q", positive=True), NOTATIONS["zero"]) == r"\Psi q"


def test_numbers_in_place_of_letters():
    """CS190C lecture 9 with the numbers of its last slide."""
    assert substituted(PEAK, LECTURE) == (
        r"12\left(256\cdot1{,}024^2+32\cdot1{,}024+80\cdot4\cdot256\cdot1{,}024+4\cdot4\cdot16\cdot256^2\right)"
        r"+\left(32\cdot1{,}024\cdot32{,}000+16\cdot1{,}024+8\cdot4\cdot256\cdot1{,}024"
        r"+4\cdot4\cdot256\cdot32{,}000\right)"
    )


def test_letters_without_a_number_stay():
    assert substituted(N_B, {c: 256, d: 1024}, style="text") == "20b·256·1,024 + bh·256²"
    assert substituted(6 * N * D / (n * MFU * peak), {MFU: Fraction(1, 2), n: 4}) == (
        r"\frac{6ND}{4\cdot0.5\,\mathrm{peak}}"
    )


def test_a_value_can_be_written_in_words():
    limit = floor((M - 16 * d) / (4 * c))
    assert substituted(limit, {c: 2, d: 3}, display={M: r"24\,\mathrm{GiB}"}) == (
        r"\left\lfloor\frac{24\,\mathrm{GiB}-16\cdot3}{4\cdot2}\right\rfloor"
    )
    assert substituted(limit, {c: 2, d: 3}, style="text", display={M: "24 GiB"}) == "⌊(24 GiB − 16·3)/(4·2)⌋"


def test_terms_come_in_the_order_of_the_page():
    assert terms(PEAK) == (
        256 * L * d**2,
        32 * L * d,
        80 * L * b * c * d,
        4 * L * b * c**2 * h,
        32 * d * v,
        16 * d,
        8 * b * c * d,
        4 * b * c * v,
    )


def test_only_forms_are_printed():
    with pytest.raises(TypeError, match="sympy expression or an exact number, not str"):
        latex("20bcd")  # type: ignore[arg-type]


# What is printed means what was derived: `code` is read by Python's own parser and evaluated here.

OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda x, y: Fraction(x) / y,
    ast.Pow: operator.pow,
}
FUNCTIONS = {"floor": math.floor, "ceil": math.ceil, "max": max, "min": min}


def meaning(source: str, values: dict[str, int]) -> Fraction:
    """The value of a line of Python arithmetic, by a walk over its syntax tree."""

    def walk(node: ast.AST) -> Fraction:
        match node:
            case ast.Expression(body):
                return walk(body)
            case ast.Constant(int(value)):
                return Fraction(value)
            case ast.Name(name):
                return Fraction(values[name])
            case ast.UnaryOp(ast.USub(), operand):
                return -walk(operand)
            case ast.BinOp(left, operation, right):
                return Fraction(OPERATIONS[type(operation)](walk(left), walk(right)))
            case ast.Call(ast.Name(function), arguments):
                return Fraction(FUNCTIONS[function](*map(walk, arguments)))
        raise AssertionError(ast.dump(node))

    return walk(ast.parse(source, mode="eval"))


LETTERS = (L, b, c, d, h, v, d_ff)
letters = st.sampled_from(LETTERS)
numbers = st.builds(Rational, st.integers(1, 300), st.sampled_from([1, 1, 1, 1, 2, 3]))
signed = st.builds(operator.mul, numbers, st.sampled_from([1, 1, 1, -1]))
monomials = st.builds(lambda number, factors: Mul(number, *factors), signed, st.lists(letters, max_size=5))
polynomials = st.lists(monomials, min_size=1, max_size=8).map(lambda parts: Add(*parts))
forms = st.recursive(
    st.one_of(letters, numbers, polynomials),
    lambda parts: st.one_of(
        st.builds(operator.add, parts, parts),
        st.builds(operator.sub, parts, parts),
        st.builds(operator.mul, parts, parts),
        st.builds(lambda x, y: x / y, parts, letters),
        st.builds(lambda x, y, z: x / (y + z), parts, letters, letters),
        st.builds(lambda x, k: x**k, parts, st.integers(1, 3)),
        st.builds(lambda x, k: floor(x / k), parts, st.integers(2, 9)),
        st.builds(lambda x, k: ceiling(x / k), parts, st.integers(2, 9)),
        st.builds(Max, parts, parts),
        st.builds(Min, parts, parts),
    ),
    max_leaves=6,
)
shapes = st.fixed_dictionaries({letter.name: st.integers(1, 50) for letter in LETTERS})


def exact(form: Expr, shape: dict[str, int]) -> Fraction:
    value = form.subs({letter: shape[letter.name] for letter in LETTERS})
    return Fraction(int(value.p), int(value.q))


@settings(deadline=None)
@given(forms, shapes, st.booleans())
def test_code_means_the_form(form, shape, collect):
    assert meaning(code(form, collect=collect), shape) == exact(form, shape)


@settings(deadline=None)
@given(polynomials)
def test_a_polynomial_prints_alike_however_it_is_given(form):
    assert latex(expand(form)) == latex(form)
    assert latex(Add(*form.args[::-1], evaluate=False) if form.is_Add else form) == latex(form)


@given(st.permutations([16 * N_p, 4 * L * N_B, 8 * b * c * d, 4 * b * c * v]))
def test_the_peak_prints_alike_in_any_order(parts):
    assert latex(Add(*parts, evaluate=False)) == latex(PEAK)


@given(polynomials)
def test_terms_add_up_to_the_form(form):
    assert expand(Add(*terms(form)) - form) == 0


@given(polynomials)
def test_terms_without_the_batch_letter_come_first_and_widths_fall(form):
    """Within the terms that have the same power of L."""
    notation = NOTATIONS["lecture"]
    widths = [SYMBOLS[name] for name in notation.widths]

    def place(term: Expr) -> tuple[object, ...]:
        powers = term.as_powers_dict()
        return -powers[L], term.is_Number, b in powers, [-powers[letter] for letter in widths]

    places = [place(term) for term in terms(form)]
    assert places == sorted(places)


reading = pytest.importorskip("symcost.notation.reading")


@pytest.mark.parametrize("name", ["lecture", "megatron", "kaplan", "palm"])
@settings(deadline=None, max_examples=40)
@given(form=forms, shape=shapes)
def test_what_is_printed_reads_back(name, form, shape):
    """By the readers, told the notation's letters as a document's legend would tell them."""
    notation = NOTATIONS[name]
    spelled = {letter.name: notation.letters.get(letter.name, letter.name) for letter in LETTERS}
    expected = exact(form, shape)
    for line, style in ((latex(form, notation), "latex"), (text(form, notation), "text")):
        (part,) = reading.read(line, style, names=spelled.values()).parts
        read = part.expr.subs({Symbol(spelled[name], positive=True): value for name, value in shape.items()})
        assert (read.p, read.q) == (expected.numerator, expected.denominator), line


def test_javascript_divides_once_and_raises_by_a_function():
    """`-b**2` is an error in JavaScript, and 1/64 is not exact."""
    assert javascript(64 * ceiling(v / 64) - d**2) == "64*Math.ceil(v/64) - Math.pow(d, 2)"
    assert javascript(-(d**2)) == "-Math.pow(d, 2)"
