"""Lists of the tensors that a layer keeps: what the words name, and how large that is together."""

import pytest

from symcost.check import check_text
from symcost.check.kept import named_tensors

LETTERS = "$b$ sequences of $c$ tokens, width $d$, $h$ heads, SwiGLU with $d_{ff}=4d$. We keep for the backward pass:\n\n"


@pytest.mark.parametrize(
    "words, right, wrong",
    [
        ("input and output of the first norm", "2bcd", "bcd"),
        ("$Q$, $K$, $V$", "3bcd", "3bc^2d"),
        ("softmax probabilities", "bhc^2", "bhcd"),
        ("the gate, the up branch and their product", "12bcd", "8bcd"),
        ("the heads' outputs side by side, input of $W_O$", "bcd", "b^2cd"),
    ],
)
def test_the_sizes_of_what_is_named_are_held_against_a_form(words, right, wrong):
    verdicts = [check_text(f"{LETTERS}- {words}: ${form}$")[-1].verdict for form in (right, wrong)]
    assert verdicts == ["holds", "differs"]


@pytest.mark.parametrize(
    "words, tensors",
    [
        ("the MLP before and after GELU", "U H"),
        ("RMSNorm 2 | its input", "x_res"),
        ("SiLU, product | both outputs of gate and up", "G U"),
        ("queries and the input of the output projection", "Q O"),
        ("the gate, and what our kernel writes besides", ""),  # nobody knows how much that is
    ],
)
def test_which_tensors_words_name(words, tensors):
    assert named_tensors(words) == frozenset(tensors.split())


LOGITS = """A GPT of $L$ layers, width $d$, vocabulary $v$, microbatch $b$, context $c$,
with dropout, $t$-way tensor parallelism, bf16.

The logits, kept in {type} for the loss: {form} bytes.
"""


@pytest.mark.parametrize(
    ("kind", "form", "verdict"),
    [
        ("fp32", r"$\frac{4bcv}{t}$", "holds"),
        ("fp32", r"$\frac{2bcv}{t}$", "differs"),
        ("bf16", r"$\frac{2bcv}{t}$", "holds"),
        ("fp32", "$4bcv$", "holds"),
        ("fp32", "$2bcv$", "differs"),
    ],
)
def test_the_type_that_words_name_tells_the_bytes_of_a_tensor(kind, form, verdict):
    text = LOGITS.format(type=kind, form=form)
    assert check_text(text, "note.md")[-1].verdict == verdict
