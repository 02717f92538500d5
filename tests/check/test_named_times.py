"""Named times, defined by FLOPs over a rate or by one another: right as they stand, and with a slip."""

import pytest

from symcost.check import check_text
from symcost.check.legend import declared

LETTERS = "`C` is the training compute in FLOPs, `n` the number of GPUs, `peak` the peak FLOP/s of one, `mfu` the utilization. "


def said(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


def test_a_comma_behind_the_number_of_a_letter_ends_what_is_said_of_it():
    text = "`L` = 40 layers, width `d` = 5,120, context `s` = 4,096, output head not tied"
    assert declared(text) == {"L": "L", "d": "d", "s": "c"}


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("`gpu_hours = C / (peak * mfu) / 3600`", "`gpu_hours = C / (peak * mfu) / 60`"),
        ("`gpu_hours = C / (peak * mfu * 3600)`", "`gpu_hours = C * mfu / (peak * 3600)`"),
        ("`days = C / (n * peak * mfu) / 86400`", "`days = C / (n * peak * mfu) / 3600`"),
        ("`days = C / (n * peak * mfu) / (3600 * 24)`", "`days = C / (n * peak * mfu) / (60 * 24)`"),
        ("`days = gpu_hours / (24 * n)`", "`days = gpu_hours / n`"),
        ("`days = gpu_hours / (24 * n)`", "`days = gpu_hours * n / 24`"),
        ("`gpu_hours = 24 * n * days`", "`gpu_hours = 24 * days / n`"),
        (
            r"$\text{GPU-hours} = \frac{C}{\text{peak}\cdot\text{MFU}\cdot 3600}$",
            r"$\text{GPU-hours} = \frac{C}{\text{peak}\cdot\text{MFU}\cdot 60}$",
        ),
    ],
)
def test_a_named_time_is_its_work_over_its_rate_in_its_unit(right, wrong):
    assert said(f"{LETTERS}Then {right}.") == "holds"
    assert said(f"{LETTERS}Then {wrong}.") == "differs"


@pytest.mark.parametrize(
    "other",
    [
        "`days = tokens / tokens_per_day`",
        "`hours = C / rate / 60`",
        "`days = C / (peak * mfu) / 86400`",  # may be of one GPU
        "`gpu_hours = C / peak / 3600`",  # peak may be what is reached
        "`hours = minutes_of_talk / 60`",
    ],
)
def test_a_time_of_something_else_is_left_alone(other):
    assert said(f"{LETTERS}Then {other}.") != "differs"


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("1.2e22 / (0.4 × 312e12) = 9.6e7 GPU-seconds", "0.4 × 1.2e22 / 312e12 = 1.54e7 GPU-seconds"),
        ("1.2e22 / (312e12 × 0.4 × 86400) = 1113 GPU-days", "0.4 × 1.2e22 / (312e12 × 86400) = 178 GPU-days"),
    ],
)
def test_a_utilisation_makes_a_time_longer(right, wrong):
    run = f"{LETTERS}- `C` = 1.2e22 FLOPs\n- `peak` = 312e12 FLOP/s\n\nAt an MFU of 40% it takes "
    assert said(f"{run}{right}.") == "holds"
    assert said(f"{run}{wrong}.") == "differs"


def test_a_utilisation_said_in_passing_is_that_of_the_next_formula():
    time = r"$$\text{GPU-hours} = \frac{C}{\text{peak}\cdot\text{MFU}\cdot 3600} = FIGURE$$"
    run = f"{LETTERS}\n\n- `C` = 1.2e22 FLOPs\n- `peak` = 312e12 FLOP/s\n\nSay you get 40%:\n\n"
    assert said(run + time.replace("FIGURE", r"26\,700")) == "holds"
    assert said(run + time.replace("FIGURE", r"21\,300")) == "unchecked"


HOURS = "The run takes 345,000 GPU-hours.\n\n| GPUs | wall clock |\n|---|---|\n| 512 | 28.1 days |\n| 1,024 | 14.0 days |\n"


def test_a_column_of_days_is_the_hours_of_all_devices_over_their_number():
    assert [each.verdict for each in check_text(f"{HOURS}| 2,048 | 7.0 days |\n", "a.md")][-3:] == [
        "holds"
    ] * 3
    assert said(f"{HOURS}| 2,048 | 3.5 days |\n") == "differs"
    other = HOURS.replace("28.1", "31.2").replace("14.0", "17.1")  # it does not scale perfectly
    assert not check_text(f"{other}| 2,048 | 9.5 days |\n", "a.md")


MODEL = "`N` parameters, `V` vocabulary, `d` width, `L` layers, `s` context, as in Llama, head not tied. "


@pytest.mark.parametrize(
    "right, wrong",
    [
        (
            "Training, per token: `6*(N - V*d) + 12*L*s*d` FLOPs.",
            "Training, per token: `6*(N - V*d) + 12*L*s*d^2` FLOPs.",
        ),
        (
            "Scores and weighted values cost `4*s*d` FLOPs per token and layer in the forward pass.",
            "Scores and weighted values cost `2*s*d` FLOPs per token and layer in the forward pass.",
        ),
        (
            "- `V*d` = 32,000 × 5,120 = 163.84M\n- `d` = 5,120\n\nParameters of the head: `V*d` = 163.8M",
            "- `V*d` = 32,000 × 5,120 = 163.84M\n- `d` = 5,120\n\nParameters of the head: `V*d` = 181.2M",
        ),
    ],
)
def test_what_leads_from_one_formula_to_the_next_is_of_the_first(right, wrong):
    assert said(f"{MODEL}\n\n{right}") == "holds"
    assert said(f"{MODEL}\n\n{wrong}") == "differs"


def test_what_follows_for_another_pass_is_of_the_same_products():
    text = (
        "Scores and weighted values cost `4*s*d` FLOPs per token and layer in the forward pass, therefore `12*L*s*d` per "
        "token in training, over all layers."
    )
    assert said(f"{MODEL}\n\n{text}") == "holds"
