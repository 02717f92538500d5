"""Formulas of a lecture, a blog note and a paper's notes, and what is said of each."""

import pytest

from symcost.check import check_text

LEGEND = (
    "Let $b$=`batch_size`, $c$=`seq_len`, $d$=`d_model`, $v$=`vocab_size`, $h$=`num_heads`, $L$=`num_layers`. "
    "The feed-forward layer is SwiGLU with `d_ff`=`4*d_model`, norms are RMSNorm, everything is float32.\n\n"
)


def said(text, legend=LEGEND):
    """The last finding of a text behind the legend."""
    return check_text(legend + text)[-1]


def test_a_block_without_its_attention_weights_differs_by_the_tensor_that_is_missing():
    finding = said("For each Transformer Block one keeps $N_B = 20bcd$ activations (elements) in total.")
    assert (finding.verdict, finding.derived) == ("differs", "20bcd + bhc²")
    assert "bhc² = P" in finding.message and "∂S = P ⊙ (∂P − Σ(P ⊙ ∂P))" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "The saved activations of each Transformer Block are $20bcd+bhc^2$ in total.",
        "Parameters of the hidden layers: $L(2d+16d^2)$ in total.",
        "Total parameters: $N_p=2dv+d+L(2d+16d^2)$",
        "FLOPs of the forward pass: $F_{forward}=L(32bcd^2+4bc^2d)+2bcdv$",
        "FLOPs: $bh(2ccd/h)=2bc^2d$",
        "The peak memory is $16[2dv+d+L(2d+16d^2)]+4[L(20bcd+bhc^2)+2bcd+bcv]$ bytes.",
        "AdamW takes $3+4+5+3=15$ FLOPs for each element.",
    ],
)
def test_closed_forms_of_the_cs190c_lecture_hold(text):
    assert said(text).verdict == "holds"


def test_a_gigabyte_that_is_meant_as_a_gibibyte_holds_with_a_remark():
    finding = said("$M_{3090}=24GB=24*1024^3$")
    assert finding.verdict == "holds" and "GiB" in finding.message


def test_the_lectures_shortcut_is_unsafe_and_says_what_it_drops():
    """CS190C lecture 9, part 3: 65 are promised, 58 fit in 24·10⁹ B and 63 in 24 GiB."""
    findings = check_text(
        LEGEND
        + r"$\Rightarrow b_{max} \approx \frac{ 24 \times 10^9 - ( 256 L d^2 + 32 d v ) }{ 4 L c ( 20 d + h c ) }$"
        + "\n\nSuppose $c=256$, $d=1024$, $L=12$, $v=32000$, $h=16$."
    )
    [unsafe] = [finding for finding in findings if finding.code == "SC111"]
    assert unsafe.verdict == "approximates"
    assert all(words in unsafe.message for words in ("32Ld", "16d", "8cd", "4cv", "65 where 58 fit (63"))


def test_97_days_are_65():
    """A note on training time: 6·405e9·15e12 FLOPs on 16,000 GPUs of 400 TFLOP/s."""
    text = "C = 6 * 405 * 10^9 * 15*10^12 = 3.6 * 10^25\n\nC/(16 * 1000 * 400 * 10^12) = 97 days\n"
    first, second = check_text(text)
    assert first.verdict == "holds"
    assert second.verdict == "differs" and "65.10 days" in second.message and "65.92 days" in second.message


def test_a_tensor_equation_is_no_claim():
    assert said(r"$\frac{\partial L}{\partial x}=\frac{\partial L}{\partial y}W^T$").verdict == "no claim"


@pytest.mark.parametrize(
    "formula",
    [
        "9^{9^{9^9}}",
        "(1+d+c+b+h+L)^{40}",
        "{" * 10_000 + "d" + "}" * 10_000,
        r"\def\x{\x\x}\x",
        "__import__('os').system('x')",
        "d = " + "(" * 500 + "b" + ")" * 500,
    ],
)
def test_a_hostile_formula_is_at_most_a_finding(formula):
    for finding in check_text(f"Here: ${formula}$ and `{formula}`"):
        assert finding.verdict in ("unchecked", "no claim")
