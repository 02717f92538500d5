"""A model's design, read from what a document's sentences say outright, in passing or of other models."""

import pytest

from symcost.check import check_text
from symcost.check.supposing import LIKE_GPT, LIKE_LLAMA, designs


@pytest.mark.parametrize(
    "text, design",
    [
        ("A GPT. The head shares its matrix with the token embedding.", LIKE_GPT),
        ("GELU (two matrices). One table is shared by input and output.", LIKE_GPT),
        ("SwiGLU. The embedding weights are shared with the head.", LIKE_LLAMA.but(tied=True)),
        ("SwiGLU. Input table and head are separate.", LIKE_LLAMA),
        ("A GELU MLP; the head has its own matrix.", LIKE_GPT.but(tied=False)),
        (
            "GELU, no biases anywhere, a LayerNorm has a gain and nothing else.",
            LIKE_GPT.but(biased=False, shifted=False),
        ),
        ("GELU. A bias on every linear layer, no bias in the norms.", LIKE_GPT),
        ("RMSNorm and SwiGLU, no norm after the last block.", LIKE_LLAMA.but(final_norm=False)),
    ],
)
def test_what_is_said_outright_is_the_design(text, design):
    assert designs(text, {"L", "d"})[0][0] == design


@pytest.mark.parametrize(
    "text, first, other",
    [
        (  # of a case
            "A GPT, head and embedding tied. With `--untie` the head gets its own matrix.",
            LIKE_GPT,
            LIKE_GPT.but(tied=False),
        ),
        (  # of another model
            "Our SwiGLU model is a Llama. The formula is that of a GPT block with dropout masks.",
            LIKE_LLAMA,
            LIKE_LLAMA.but(dropout=True),
        ),
        (  # of one formula
            "SwiGLU; the final norm keeps 2bcd. The quick form (no head, no last norm) gives 6.9.",
            LIKE_LLAMA,
            LIKE_LLAMA.but(final_norm=False),
        ),
        (  # of both kinds
            "SwiGLU. Weights are tied. Embedding and head are not shared.",
            LIKE_LLAMA.but(tied=True),
            LIKE_LLAMA,
        ),
    ],
)
def test_what_is_disputed_is_read_both_ways(text, first, other):
    found, _ = designs(text, {"L", "d"})
    assert found[0] == first
    assert other in found


SLIDES = (
    "- a batch is **b** sequences of **c** tokens, **d** the width, **h** heads, **L** blocks, **v** the vocabulary size\n"
    "- RMSNorm (gain only), SwiGLU with inner width 4d, no bias, input table and head separate; fp32\n"
)
README = (
    "`L` blocks, `H` heads, `d` width, `T` context length, `V` vocabulary. A GPT with GELU, the MLP is `4*d` wide; the head "
    "shares its matrix with the token embedding; no biases anywhere, a LayerNorm has a gain and nothing else.\n\n"
    "With `--untie` the head gets its own matrix.\n\n"
)


@pytest.mark.parametrize(
    "text, right, wrong",
    [
        (
            f"{SLIDES}\nThe quick form (no head, no last norm) is 6.9.\n\n# Parameters\n\n$N = {{}}$",
            "2d(v + 8Ld + L) + d",
            "2d(v + 6Ld + L) + d",
        ),
        (f"{README}# Parameters\n\n| part | count |\n|---|---|\n| one block | `{{}}` |",
         "12*d**2 + 2*d", "12*d**2 + 2*d**2"),
    ],
)  # fmt: skip
def test_a_form_of_the_design_as_it_is_said_holds_and_its_slip_differs(text, right, wrong):
    verdicts = [check_text(text.format(form), "a.md")[-1].verdict for form in (right, wrong)]
    assert verdicts == ["holds", "differs"]


def test_a_formula_of_another_kind_of_model_is_held_against_that():
    """Korthikanti et al. 2022, equation 2, quoted where the model is a Llama."""
    text = (
        "A Llama-like model: $L$ layers, $h$ hidden size, $f$ inner width of the SwiGLU MLP, $a$ query heads, $s$ sequence "
        "length, $b$ batch size.\n\n## Activations\n\nThe usual formula was derived for a GPT block (GELU, $4h$, dropout masks "
        "of one byte, all else 16 bit); it counts bytes:\n\n$$m_{act} = Lbsh\\left(34 + \\frac{5as}{h}\\right)$$\n\n"
        "- **Selective recomputation** drops everything of size $s^2$ and leaves $34Lbsh$.\n"
    )
    formulas = [each for each in check_text(text, "a.md") if "34" in each.text]
    assert [each.verdict for each in formulas] == ["holds", "holds"]
    assert all("supposing gpt" in each.message for each in formulas)
