"""Forms that equal several derived quantities: the words beside each say which one is meant."""

import pytest

from symcost.check import check_text

MODEL = (
    "$B$ sequences of $T$ tokens, model dimension $D$, MLP dimension $F$, $N$ query heads, $K$ key/value heads of size $H$, "
    "$L$ layers. The MLP is gated; no biases.\n\n"
)


@pytest.mark.parametrize(
    "words, form, quantity",
    [
        ("Training FLOPs of gate and up", "12BTDF", "step_flops"),
        ("Backward FLOPs of the MLP", "12BTDF", "backward_flops"),
        ("Training FLOPs of the two attention products of a layer", "12BT^2NH", "step_flops"),
    ],
)
def test_what_a_form_is_follows_from_the_words(words, form, quantity):
    finding = check_text(f"{MODEL}{words}: ${form}$.")[-1]
    assert (finding.verdict, finding.quantity) == ("holds", quantity)


def test_the_products_of_attention_have_all_query_heads():
    text = f"{MODEL}Training FLOPs of the two attention products of a layer: $12BT^2KH$."
    assert check_text(text)[-1].verdict == "differs"


def test_a_name_comes_to_what_its_form_says_also_in_an_example():
    example = "In the example with $D=4096$ and $F=11008$, $P = 135.3$ million."
    text = f"{MODEL}Each layer has $P = 3DF$ parameters in its MLP. {example}"
    assert [finding.verdict for finding in check_text(text)][-1] == "holds"


@pytest.mark.parametrize(
    "told, formula",
    [
        ("Our GPT has biases, no position table, a tied head and no LayerNorm after the last layer.", "N = L(12d^2 + 13d) + vd"),
        ("Model A has a GELU MLP, model B a SwiGLU one. Both have MLPs of width $4d$. Forward FLOPs of a layer of A:",
         "24bcd^2 + 4bc^2d"),
        ("Attention is fused, in bf16, with SwiGLU of width $4d$ and no biases.\n\nBytes that a layer keeps for backward:",
         "40bcd + 4bch"),
    ],
)  # fmt: skip
def test_what_a_document_says_of_its_model_holds_for_its_formulas(told, formula):
    letters = "$b$ sequences, $c$ tokens each, width $d$, $h$ heads, $L$ layers, vocabulary $v$.\n\n"
    assert check_text(f"{letters}{told} ${formula}$.")[-1].verdict == "holds"


@pytest.mark.parametrize("form, right", [("4LBNT^2", True), ("4LNT^2", False)])
def test_what_is_said_of_a_batch_has_the_batch(form, right):
    text = f"{MODEL}All is fp32. The saved attention probabilities of all layers take, for the whole batch, ${form}$ bytes."
    assert (check_text(text)[-1].verdict == "holds") == right


def test_what_goes_on_with_and_is_of_the_same_quantity():
    told = "Forward, one layer: $$4BTD^2+4BTDKH+4BT^2D+6BTDF$$ and $2BTDV$ for the logits."
    text = f"{MODEL}$V$ vocabulary.\n\n## Training FLOPs\n\n{told}"
    assert [finding.verdict for finding in check_text(text)][-2:] == ["holds", "holds"]


def test_what_is_included_in_brackets_names_no_part():
    text = (
        "GPT in fp16 with biases and dropout masks of one byte: $s$ tokens, $b$ sequences, width $h$, $a$ heads.\n\n"
        "Bytes that attention keeps for the backward pass in one layer (softmax output, its mask included): $11sbh+5as^2b$."
    )
    assert check_text(text)[-1].verdict == "holds"


@pytest.mark.parametrize(
    "words, form, slip",
    [
        ("Training FLOPs of the MLP of one layer", "12BTDF", "the backward pass is counted once"),
        ("Parameters of the MLP of one layer", "2DF", "the coefficient of d·d_ff should be 3, not 2"),
        ("Parameters of the MLP of one layer", "6DF", "a factor 2 too much"),
    ],
)
def test_a_slip_is_told_in_the_words_of_what_it_is_of(words, form, slip):
    finding = check_text(f"{MODEL}{words}: ${form}$.")[-1]
    assert finding.verdict == "differs" and finding.message.startswith(slip)


@pytest.mark.parametrize(
    "words, verdict",
    [
        ("Parameters of the MLP of a layer: $6DF$", "differs"),
        ("## Parameters of a layer\n\nThe MLP: $6DF$", "unchecked"),
    ],
)
def test_an_excess_is_told_only_of_what_the_words_right_beside_name(words, verdict):
    """`6DF` is also what a token costs in the MLP: under a heading alone it is not certain which of them is meant."""
    assert check_text(f"{MODEL}{words}", "a.md")[-1].verdict == verdict


@pytest.mark.parametrize(
    "sentence, verdict",
    [
        ("With groups this term stays $4TD$.", "holds"),
        ('Someone wrote: "with grouped heads this term shrinks to $4TKH$".', "differs"),
    ],
)
def test_groups_of_heads_have_no_fewer_scores(sentence, verdict):
    text = f"{MODEL}## FLOPs\n\nOne token costs $4TD$ in each layer for scores and weighted sum. {sentence}\n"
    found = check_text(text, "note.md")[-1]
    assert found.verdict == verdict
    assert verdict == "holds" or "spares keys and values, and no scores" in found.message
