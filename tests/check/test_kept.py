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
        ("softmax output, its mask, the dropped-out copy", "P mask_P_dropped P_dropped"),
        ("mask of the softmax dropout", "mask_P_dropped"),
        ("dropped-out softmax and V", "P_dropped V"),
        ("input of the output projection, mask after it", "O mask_y_dropped"),
        ("MLP: input of the first linear map", "x_ffin"),
        ("GELU input", "U"),
        ("input of the second MLP layer, mask after it", "H mask_z_dropped"),
        ("dropout mask after it", ""),  # after what stands in the row before
        ("the gate, and what our kernel writes besides", ""),  # nobody knows how much that is
    ],
)
def test_which_tensors_words_name(words, tensors):
    assert named_tensors(words) == frozenset(tensors.split())


BYTES = """A GPT with GELU of inner width $4h$, LayerNorm, biases and dropout, in fp16: $b$ sequences of $s$ tokens,
width $h$, $a$ heads, $L$ layers. Kept by one layer:

| tensor | bytes |
|---|---|
| {words} | ${form}$ |
"""


@pytest.mark.parametrize(
    "words, right, wrong",
    [
        ("input of the GELU", "8bsh", "4bsh"),  # 4bsh are its elements
        ("mask of the softmax dropout", "as^2b", "2as^2b"),  # a mask has one byte for each
        ("dropped-out softmax and V", "2as^2b + 2bsh", "2as^2b + bsh"),
        ("Q and K", "4bsh", "2bsh"),
    ],
)
def test_bytes_are_those_of_the_type_that_the_document_names(words, right, wrong):
    verdicts = [check_text(BYTES.format(words=words, form=form))[-1].verdict for form in (right, wrong)]
    assert verdicts == ["holds", "differs"]


def test_keys_of_groups_of_heads_are_narrower_than_the_model():
    text = "A Llama of width $d$: $h$ query heads and $g$ key/value heads of $k$ each, $b$ sequences of $s$ tokens.\n\n{}"
    said = "Keys and values of a layer are ${}$ elements."
    verdicts = [check_text(text.format(said.format(form)))[-1].verdict for form in ("2bsgk", "2bsd")]
    assert verdicts == ["holds", "differs"]


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
