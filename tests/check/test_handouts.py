"""What handouts write: lists of tensors, memory as a function of the batch, largest batches; right, and with a slip."""

import pytest

from symcost.check import check_text

GPT = (
    "A GPT with $L=36$ blocks of width $d=1280$, $h=20$ heads, $n=1024$ tokens per sequence, a vocabulary of $v=50257$ and "
    "$b$ sequences per step. The MLP has width $4d$ and a GELU; linear layers have biases, positions are learned, the head "
    "is tied, there is no dropout. One GB is $10^9$ bytes.\n\n"
)


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.tex")[-1].verdict


def kept(*rows):
    """A text that lists what a block keeps."""
    listed = " \\\\\n".join(rows)
    return f"{GPT}What a block saves for backward, in bf16, two bytes a number:\n\\begin{{align}}\n{listed}\n\\end{{align}}\n"


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # the tensor is said in brackets
            kept(r"g = \mathrm{GELU}(u)\ \text{(input of } W_2) &: \quad 8bnd"),
            kept(r"g = \mathrm{GELU}(u)\ \text{(input of } W_2) &: \quad 2bnd"),
        ),
        (
            kept(r"Z = PV\ \text{(input of the output projection)} &: \quad 2bnd"),
            kept(r"Z = PV\ \text{(input of the output projection)} &: \quad 8bnd"),
        ),
    ],
)
def test_a_row_of_a_list_of_tensors_is_judged(right, wrong):
    assert (said(right), said(wrong)) == ("holds", "differs")


def test_how_a_tensor_is_made_is_a_label():
    rows = (
        r"y_1 = \mathrm{LN}(x_1) &: \quad 2bnd",
        r"P = \mathrm{softmax}(QK^\top/\sqrt{d/h}) &: \quad 2bhn^2",
        r"u = y_2W_1 + c_1 &: \quad 8bnd",
    )
    found = check_text(kept(*rows), "a.tex")[-len(rows) :]
    assert [finding.verdict for finding in found] == ["holds"] * len(rows)


PEAK = f"{GPT}With $N = 774{{,}}030{{,}}080$ parameters we take states plus activations, $M(b) = 16N + L(32bnd + 2bhn^2)$ bytes, "


@pytest.mark.parametrize(
    "right, wrong",
    [
        (f"{PEAK}so $M(8) = 36.5$ GB.", f"{PEAK}so $M(8) = 15.4$ GB."),  # at b = 1
        (  # a conversion, and the same the wrong way
            "The states take $16 \\times 0.774 = 12.38$ GB, or $11.53$ GiB.",
            "The states take $16 \\times 0.774 = 12.38$ GB, or $13.30$ GiB.",
        ),
        (  # the head is named, but the form is of a whole step
            f"{GPT}Blocks are run twice forward, the head only once, so a step with recomputation costs "
            "$4L(24bnd^2 + 4bn^2d) + 6bndv$ FLOPs.",
            f"{GPT}Blocks are run twice forward, the head only once, so a step with recomputation costs "
            "$4L(24bnd^2 + 4bn^2d) + 8bndv$ FLOPs.",
        ),
    ],
)
def test_a_formula_with_a_slip_differs(right, wrong):
    assert (said(right), said(wrong)) == ("holds", "differs")


def test_what_a_function_of_the_batch_gives_each_sequence():
    assert said(f"{PEAK}so every sequence costs $3.02$ GB.") == "holds"
    assert said(f"{PEAK}so every sequence costs $3.92$ GB.") != "holds"


MIXTURE = (
    "A mixture of experts: $L$ layers, width $d$, $h$ query heads and $g$ key/value heads of size $d_h$, expert width $f$, "
    "vocabulary $V$. Each layer has `E` experts, `k` of them per token, and `m` *shared* experts that see every token. "
    "Experts are SwiGLU, the router is one matrix, two RMSNorms per layer, one at the end, no biases, input and output "
    "table separate.\n\n"
    "| | L | d | h | g | d_h | E | k | m | f | V |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
    "| Heron | 24 | 2048 | 16 | 4 | 128 | 32 | 4 | 1 | 1024 | 65,536 |\n"
    "| Egret | 32 | 4096 | 32 | 8 | 128 | 8 | 2 | 0 | 14,336 | 32,000 |\n\n"
    "## Total and active parameters\n\n"
)
TOTAL = "$$N_{tot} = L(2d^2 + 2d\\,g\\,d_h + 3(E+m)df + dE + 2d) + 2Vd + d$$\n\n"


@pytest.mark.parametrize(
    "right, wrong",
    [
        (f"{MIXTURE}In total\n\n{TOTAL}", f"{MIXTURE}In total\n\n{TOTAL.replace('3(E+m)', '3E')}"),
        (  # of what a token is sent to
            f"{MIXTURE}A token uses $N_{{act}} = L(2d^2 + 2d\\,g\\,d_h + 3(k+m)df + dE + 2d) + 2Vd + d$.",
            f"{MIXTURE}A token uses $N_{{act}} = L(2d^2 + 2d\\,g\\,d_h + 3k\\,df + dE + 2d) + 2Vd + d$.",
        ),
        (  # a token is not sent to all experts
            f"{MIXTURE}Egret on a trillion tokens: 6 × 12.9e9 × 1e12 = 7.74e22 FLOPs.",
            f"{MIXTURE}Egret on a trillion tokens: 6 × 46.7e9 × 1e12 = 2.80e23 FLOPs.",
        ),
    ],
)
def test_shared_experts_are_in_every_total(right, wrong):
    verdicts = check_text(right, "a.md")[-1].verdict, check_text(wrong, "a.md")[-1].verdict
    assert verdicts == ("holds", "differs")


def test_a_name_is_held_against_its_form_at_the_sizes_of_the_model_that_the_line_names():
    of_heron = f"{MIXTURE}In total\n\n{TOTAL}* Heron: the model has $N_{{tot}} = %s$ billion."
    assert check_text(of_heron % "5.50", "a.md")[-1].verdict == "holds"
    assert check_text(of_heron % "4.98", "a.md")[-1].verdict != "holds"


def test_a_dense_model_takes_all_its_parameters():
    text = f"{MIXTURE}A dense model as large as Egret takes 6 × 46.7e9 × 1e12 = 2.80e23 FLOPs."
    assert check_text(text, "a.md")[-1].verdict == "holds"


def test_what_one_token_costs_at_the_sizes_of_the_model_that_the_sentence_names():
    text = f"{MIXTURE}With a sequence length $T$, Heron at $T = 4096$ does %s GFLOPs per token forward."
    proven = [check_text(text % each, "a.md")[-1].code == "SC102" for each in ("3.09", "9.27")]
    assert proven == [True, False]
