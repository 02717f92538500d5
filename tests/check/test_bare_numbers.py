"""Numbers by themselves, told by those before them: right, wrong, and wrong ones that must not be proven."""

import pytest

from symcost.check import check_text


def verdict(text):
    """The verdict of the last formula of a text, or of none."""
    found = check_text(text, "a.md")
    return found[-1].verdict if found else "none"


@pytest.mark.parametrize(
    "text",
    [
        "The run takes $5.88\\times 10^{23} / (1.6\\times 10^{17}) = 3.68\\times 10^{6}$ s, which is $42.6$ days.",
        "For this model that is 1.99 GB or 1.85 GiB.",
        "$N$ is the number of parameters, $N = 6{,}738{,}415{,}616$. We add $39{,}976{,}960$, which is 0.59% of N.",
        "The model has $1.86\\times10^9$ parameters, of which $407.6\\text{M}$ are active, i.e. 21.9% of them.",
        "At $1.80 per hour, the run of 4.09 h costs $7.36.",
        "The tables are 38.6M, the blocks 84.9M, which makes => 124M.",
        "The cache needs 327,680 bytes per token, i.e. 1280 MiB for a sequence of 4096 tokens.",
    ],
)
def test_a_number_is_told_by_those_before_it(text):
    assert verdict(text) == "holds"


@pytest.mark.parametrize(
    "text",
    [
        "The run takes $5.88\\times 10^{23} / (1.6\\times 10^{17}) = 3.68\\times 10^{6}$ s, which is $1020$ days.",
        "The cache needs 327,680 bytes per token, i.e. 1342 MiB for a sequence of 4096 tokens.",
        "$\\frac{85.90 - 5.37}{3.364} = 23.94 \\Rightarrow b_{\\max} = 24$",
    ],
)
def test_a_familiar_slip_from_the_number_before_differs(text):
    assert verdict(text) == "differs"


@pytest.mark.parametrize(
    "text",
    [
        "The run takes 14,720 s on one card and 2.1 h on eight.",
        "The model has $1.86\\times10^9$ parameters, of which $407.6\\text{M}$ are active, i.e. 27.3% of them.",
        "At $1.80 per hour, the run of 4.09 h costs $8.17.",
        "The cache needs 327,680 bytes per token. We have 1400 MiB for 4096 tokens.",
    ],
)
def test_other_numbers_are_neither_proven_nor_wrong(text):
    assert verdict(text) not in ("holds", "differs")


@pytest.mark.parametrize(
    "text",
    [
        "$b$ sequences of $c$ tokens, width $d$, $L$ layers. With $L=24, d=2048, h=32, c=1024$ attention wins once "
        "$c > 20d/h$, that is $c = 1280$. The inputs are $Lcd$ numbers, here $24\\cdot 1024\\cdot 2048 = 50.3\\text{M}$.",
        "With $N$ parameters and $C$ FLOPs, $N = \\sqrt{C/120}$. A budget of $C = 10^{24}$ buys $N = 91.3\\text{B}$.",
        "$\\frac{85.90 - 5.37}{3.364} = 23.94 \\Rightarrow b_{\\max} = 23$",
    ],
)
def test_bounds_roots_and_whole_numbers(text):
    assert [finding.verdict for finding in check_text(text, "a.md") if finding.verdict == "differs"] == []
    assert verdict(text) == "holds"


MODELS = (
    "A GPT without biases, `vocab_size = 50304`, `block_size = 1024`.\n\n| config | `n_layer` | `d_model` | `n_head` |\n"
    "|---|---|---|---|\n| small | 12 | 768 | 12 |\n| medium | 24 | 1024 | 16 |\n\n"
)
ZERO = (
    "$\\Psi$ is the number of parameters, $N_d$ the number of data-parallel GPUs. GB is $10^9$ bytes.\n\n"
    "| stage | per GPU | 7.5B, $N_d=64$ |\n|---|---|---|\n| none | $16\\Psi$ | 120 GB |\n"
    "| one | $4\\Psi + 12\\Psi/N_d$ | NUMBER |\n"
)


@pytest.mark.parametrize(
    "text, right, wrong",
    [
        (
            f"{MODELS}The table of tokens has `vocab_size * d_model` weights, for small NUMBER.",
            "38.6M",
            "51.5M",
        ),
        (
            f"{MODELS}The table of tokens has `vocab_size * d_model` weights, for medium NUMBER.",
            "51.5M",
            "38.6M",
        ),
        (
            "Models:\n\n    Tiny-1B   L = 16, d = 2048\n    Big-70B   L = 80, d = 8192\n\n"
            "With $L$ layers of width $d$, the inputs of all layers take $2Ld$ bytes a token, for the 70B NUMBER.",
            "1.31 MB",
            "65.5 kB",
        ),
    ],
)
def test_the_sizes_in_force_are_those_of_the_model_that_is_named(text, right, wrong):
    assert verdict(text.replace("NUMBER", right)) == "holds"
    assert verdict(text.replace("NUMBER", wrong)) != "differs"


def test_a_column_says_what_the_forms_beside_it_come_to():
    assert verdict(ZERO.replace("NUMBER", "31.4 GB")) == "holds"
    assert verdict(ZERO.replace("NUMBER", "61.4 GB")) == "differs"


@pytest.mark.parametrize(
    "text, right, wrong",
    [
        (
            f"{MODELS}Weights, activations and the cache are bf16. For small and a window of 1024 tokens the KV cache is ",
            "`2 * 2 * 12 * 768 * 1024` = 37.7 MB.",
            "`2 * 12 * 768 * 1024` = 18.9 MB.",
        ),
        (
            "A GPT: $b$ batch size, $s$ sequence length, $h$ hidden size, $a$ heads, $l$ layers. "
            "$l=96, h=12288, a=96, s=2048$.\n\n"
            "## Activations kept for backward\n\nWith full recomputation, storing the fp16 layer inputs only, $b=1$, it is ",
            "$2\\cdot 96\\cdot 2048\\cdot 12288\\approx 4.8$ GB.",
            "$96\\cdot 2048\\cdot 12288\\approx 2.4$ GB.",
        ),
    ],
)
def test_elements_are_no_bytes(text, right, wrong):
    assert verdict(text + right) == "holds"
    assert verdict(text + wrong) == "differs"


RUNS = (
    "With $N$ parameters and $D$ tokens, training takes $C = 6ND$ FLOPs.\n\nThe unit is the PF-day.\n\n"
    "1. one\n2. two\n3. three\n4. four\n5. five\n6. six\n\n## Runs\n\n"
    "| run | $N$ | $D$ | $C$ (FLOPs) | PF-days |\n|---|---|---|---|---|\n| GPT-3 | 175B | 300B | $SUM$ | 3,646 |\n"
)


def test_a_column_that_a_name_heads_is_what_its_form_comes_to_in_each_row():
    right, wrong = (
        {finding.text: finding.verdict for finding in check_text(RUNS.replace("SUM", number), "a.md")}
        for number in ("3.15\\times 10^{23}", "5.15\\times 10^{23}")
    )
    assert right["3.15\\times 10^{23}"] == right["3,646"] == "holds"
    assert wrong["5.15\\times 10^{23}"] != "holds" and "3,646" not in wrong


@pytest.mark.parametrize("said", ["({})", ", about {}", ", or {}", ", that is {}"])
@pytest.mark.parametrize(("number", "verdict"), [("2.48 days", "holds"), ("59 days", "differs")])
def test_a_time_said_again_in_another_unit(said, number, verdict):
    text = f"The run takes 2.14e5 s{said.format(number) if said[0] == ',' else ' ' + said.format(number)}."
    assert check_text(text, "note.md")[-1].verdict == verdict


def test_a_letter_with_two_forms_behind_a_number_is_no_fault():
    text = (
        "Let $N$ be parameters, $T$ tokens of a run, $T = 5N$, later $T = 20N$.\n\n"
        "For $N = 70\\times10^9$ the training FLOPs per token, and for 15T tokens in all."
    )
    assert {finding.verdict for finding in check_text(text)} == {"no claim"}
