"""Numbers by themselves and in tables: right as they stand, wrong with a slip, and best left alone."""

import pytest

from symcost.check import check_text


def verdicts(text, name="a.md"):
    """The verdicts of a text by what stands there."""
    return {finding.text: finding.verdict for finding in check_text(text, name)}


STATES = (
    "Let $P$ be the number of parameters, sharded over $n$ GPUs. Our 6.7B:\n\n1. optimizer sharded: $4P + \\frac{12P}{n}$\n"
    "2. gradients as well: $2P + \\frac{14P}{n}$\n\n"
)


@pytest.mark.parametrize(
    "text, number",
    [
        (STATES + "For $n=16$ it needs 31.8 GB in the first stage.", "31.8 GB"),  # 4·6.7 + 12·6.7/16
        (STATES + "On 64 GPUs that leaves 14.9 GB in the second.", "14.9 GB"),  # 2·6.7 + 14·6.7/64
        ("The run takes $1.2\\times10^{22}$ FLOPs, the cluster does $3.33\\times10^{16}$ FLOP/s: 4.2 days.", "4.2 days"),
        ("It takes 20B tokens at 51.5k tokens/s per GPU. On 8 GPUs that is 13.5 h.", "13.5 h"),
        ("$b$ sequences of $s$ tokens, width $d$: $24bsd^2 + 4bs^2d$ FLOPs. With $b=1$, $s=2048$, $d=1024$ the second term "
         "is 25.0% of it.", "25.0%"),  # 4s/(24d + 4s)
        ("A step sees 491,520 tokens, so 100,000 of them see 49.2B tokens.", "49.2B tokens"),
        ("Let $d$=`d_model`, $v$=`vocab_size`. With $v=50257$, $d=1600$ the table, $dv$, has `80,411,200` weights.",
         "80,411,200"),
    ],
)  # fmt: skip
def test_a_number_is_what_a_likely_way_comes_to(text, number):
    assert verdicts(text)[number] == "holds"


@pytest.mark.parametrize(
    "text, number",
    [
        (STATES + "For $n=16$ it needs 33.8 GB in the first stage.", "33.8 GB"),
        (STATES + "For $n=16$ it needs 3 GB more.", "3 GB"),  # one digit is met by anything
        (
            "The run takes $1.2\\times10^{22}$ FLOPs, the cluster does $3.33\\times10^{16}$ FLOP/s: 4.8 days.",
            "4.8 days",
        ),
    ],
)
def test_a_number_that_nothing_comes_to_is_left_alone(text, number):
    assert verdicts(text).get(number, "no claim") == "no claim"


ZERO = (
    "A model with Ψ parameters, K = 12 bytes of optimizer states, $N_d$ GPUs. The 13B model.\n\n"
    "| stage | bytes per GPU |\n|---|---|\n"
    "| $P_1$ | $4\\Psi + \\frac{K\\Psi}{N_d}$ |\n| $P_2$ | $2\\Psi + \\frac{(2+K)\\Psi}{N_d}$ |\n\nGB per GPU:\n\n"
    "| $N_d$ | $P_1$ | $P_2$ |\n|---|---|---|\n| 8 | 71.5 | FIRST |\n| 32 | 56.9 | 31.7 |\n| 128 | 53.2 | 27.4 |\n"
)
BYTES = (
    "| optimizer | bytes of a parameter | Mistral-7B |\n|---|---|---|\n| AdamW | 18 | 121.4 GiB |\n"
    "| 8-bit AdamW | 12 | 80.9 GiB |\n| momentum | 14 | CELL |\n| SGD | 10 | 67.4 GiB |\n"
)
SIZES = (
    "| model | plain | with a buffer |\n|---|---|---|\n| 8.03B | 128 GB | 161 GB |\n| 70.6B | 1,130 GB | CELL |\n"
    "| 405B | 6,480 GB | 8,100 GB |\n"
)


@pytest.mark.parametrize(
    "text, right, wrong",
    [
        (ZERO.replace("FIRST", "CELL"), "48.8", "45.5"),  # 26 + 14·13/8
        (BYTES, "94.4 GiB", "80.7 GiB"),  # 14 · 6.744
        (SIZES, "1,412 GB", "1,271 GB"),  # 20 · 70.6
    ],
)
def test_the_rows_of_a_column_tell_what_it_is(text, right, wrong):
    assert verdicts(text.replace("CELL", right))[right] == "holds"
    assert verdicts(text.replace("CELL", wrong))[wrong] == "differs"


@pytest.mark.parametrize(
    "table",
    [
        # measured, so nothing says that a row is wrong
        "| sequences | measured memory |\n|---|---|\n| 1 | 10.0 GB |\n| 2 | 20.0 GB |\n| 4 | 40.0 GB |\n| 8 | 71.0 GB |\n",
        # one row of another case
        "| setup | bytes of a parameter | GB |\n|---|---|---|\n| plain | 16 | 112.0 GB |\n| SGD | 12 | 84.0 GB |\n"
        "| 8-bit | 10 | 70.0 GB |\n| ZeRO-3 on 8 GPUs | 16 | 14.0 GB |\n",
        # 128k tokens are 131,072
        "| context | cache |\n|---|---|\n| 8192 | 1.07 GB |\n| 32768 | 4.29 GB |\n| 128k | 17.2 GB |\n",
        # a small part besides
        "| layers | parameters |\n|---|---|\n| 12 | 124.4M |\n| 24 | 354.8M |\n| 36 | 774.0M |\n| 48 | 1557.6M |\n",
    ],
)
def test_a_column_that_is_of_several_cases_is_left_alone(table):
    assert "differs" not in verdicts(f"Sizes.\n\n{table}").values()


@pytest.mark.parametrize(
    "text, right, wrong",
    [
        ("A token has 34,560 elements. In bf16 a token takes X.", "69.1 KB", "34.6 KB"),
        ("Let $N$ be the parameters, $N = 8.03\\times10^9$. It sends $3N$ bf16 values a step, X.", "48.2 GB", "24.1 GB"),
        ("Let $N$ be the parameters. Count elements: stage 3 sends $3N$. In fp16, with 13B parameters, it is X.",
         "3 × 13e9 × 2 = 78 GB", "3 × 13e9 = 39 GB"),
    ],
)  # fmt: skip
def test_elements_are_no_bytes(text, right, wrong):
    assert verdicts(text.replace("X", right)).get(right, "no claim") != "differs"
    assert verdicts(text.replace("X", wrong))[wrong] == "differs"


def test_elements_of_one_byte_are_as_many_bytes():
    text = "A token has 34,560 elements. In bf16 a token takes 69.1 KB, in int8 34.6 KB."
    assert "differs" not in verdicts(text).values()


GPT = (
    "A GPT without biases: $b$ sequences, $c$ tokens, width $d$, $L$ blocks, vocabulary $v$, inner width $4d$. "
    "$L=24$, $d=1024$, $c=2048$, $v=32000$. Matrix products only.\n\n## FLOPs\n\n"
)


def test_a_training_step_is_not_the_forward_pass_alone():
    """6 sequences: L(24bcd² + 4bc²d) + 2bcdv by hand."""
    forward = 24 * (24 * 6 * 2048 * 1024**2 + 4 * 6 * 2048**2 * 1024) + 2 * 6 * 2048 * 1024 * 32000
    for passes, verdict in ((3, "holds"), (1, "differs")):
        number = f"{passes * forward / 1e12:.2f}\\times10^{{12}}"
        assert verdicts(f"{GPT}- six sequences, one training step: ${number}$ FLOPs")[number] == verdict
