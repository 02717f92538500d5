"""Rows of a table that are numbered by stage, factors of a collective, and numbers of models that go by their size."""

import pytest

from symcost.check import check_text

STATES = "Adam in mixed precision. $\\Psi$ is the number of parameters, $N_d$ the number of data-parallel GPUs.\n\n"


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "row, right, wrong",
    [
        ("1: optimizer sharded", "$4\\Psi + 12\\Psi/N_d$", "$2\\Psi + 12\\Psi/N_d$"),
        ("2: gradients too", "$2\\Psi(1 + 7/N_d)$", "$2\\Psi(1 + 6/N_d)$"),
        ("3: weights too", "$16\\Psi/N_d$", "$32\\Psi/N_d$"),
    ],
)
def test_a_row_is_of_the_stage_that_numbers_it(row, right, wrong):
    table = f"{STATES}## What each ZeRO stage leaves\n\n| stage | one GPU |\n|---|---|\n| {row} | {{}} |\n"
    assert (said(table.format(right)), said(table.format(wrong))) == ("holds", "differs")


def test_the_factor_of_a_ring_is_not_all_that_is_sent():
    volume = f"{STATES}## Is stage 3 slower?\n\nPer step and GPU it sends $3\\Psi$ numbers"
    assert said(f"{volume}.") == "holds"
    assert said(f"{volume} (the ring factor $(N_d-1)/N_d$ left out).") != "differs"


BY_SIZE = (
    "Two models, *the 3B* (exactly 3.2e9 parameters) and the 30B. $\\Psi$ is the number of parameters, $N_d$ the number of "
    "data-parallel GPUs.\n\n"
)


@pytest.mark.parametrize(
    "text, right, wrong",
    [
        ("Adam takes `2 + 2 + 4 + 4 + 4 = 16` bytes per parameter. The 3B needs {} GB.", "51.2", "48.0"),
        ("Adam takes `2 + 2 + 4 + 4 + 4 = 16` bytes per parameter, so {} GB for the 30B.", "480", "512"),
    ],
)
def test_bytes_of_a_parameter_are_multiplied_by_the_size_that_a_model_goes_by(text, right, wrong):
    assert said(BY_SIZE + text.format(right)) == "holds"
    assert not [each for each in check_text(BY_SIZE + text.format(wrong), "a.md") if wrong in each.text]


def test_a_column_of_one_model_is_what_the_forms_beside_it_come_to_on_so_many_devices():
    table = (
        f"{BY_SIZE}## ZeRO\n\nFor the 30B on 64 GPUs:\n\n| stage | one GPU | the 30B |\n|---|---|---|\n"
        "| 1 | $4\\Psi + 12\\Psi/N_d$ | 125.6 GB |\n| 2 | $2\\Psi + 14\\Psi/N_d$ | {} GB |\n"
    )
    assert (said(table.format("66.6")), said(table.format("65.6"))) == ("holds", "differs")


def test_the_utilisation_of_training_counts_the_backward_pass_too():
    text = (
        "Training: 3 × 29.0 = 87.0 GFLOPs per token. One GPU with a peak of 989 TFLOP/s does 4,770 tokens/s. "
        "A dashboard shows 4770 × {}e9 / 989e12 = {} MFU for this {}."
    )
    assert said(text.format("87.0", "42.0%", "training job")) == "holds"
    assert said(text.format("29.0", "14.0%", "training job")) == "differs"
    assert said(text.format("29.0", "14.0%", "forward pass")) == "holds"


def test_a_percentage_comes_on_top():
    text = "The run costs 87,600 × $2.20 ≈ $193k. With a spare 12% for restarts {}."
    assert said(text.format("$216k")) == "holds"
    assert check_text(text.format("$205k"), "a.md")[-1].text != "$205k"
