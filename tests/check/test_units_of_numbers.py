"""Products of numbers and the unit printed behind them, in a sentence or two: right, wrong, and not to be called wrong."""

import pytest

from symcost.check import check_text


def verdict(text):
    """The verdict of the last formula of a text."""
    return check_text(text, "a.md")[-1].verdict


@pytest.mark.parametrize(
    "text, right, wrong",
    [
        ("A step takes 573 s. All steps take $5.73\\times10^7 / 3600 \\approx 15{,}900$ UNIT.", "hours", "days"),
        ("It needs 502K GPU-hours. On 1,024 GPUs that is `502K / 1,024` = 490 UNIT.", "hours", "days"),
        ("The run takes $1.01\\times10^6$ s on 512 GPUs, $512\\cdot 1.01\\times10^6 = 5.17\\times10^8$ UNIT.",
         "GPU-seconds", "GPU-hours"),
        ("GPT-3: $3.15\\times 10^{23} / (10^{15}\\times 3600) = 87{,}500$ UNIT.", "PF-hours", "PF-days"),
        ("The run took 256 GPUs 5.0 days, so we were billed for $256 \\times 5.0 = 1{,}280$ UNIT.", "GPU-days", "GPU-hours"),
        ("The constants add $8/64 = 0.125$ bit per weight, for 6.4e9 weights $0.125 \\cdot 6.4e9 = 0.8$ UNIT.", "Gbit", "GB"),
        ("It takes 33.8 days. At $1.50 per GPU-UNIT, 1024 × 33.8 × 1.50 = $51.9k.", "day", "hour"),
    ],
)  # fmt: skip
def test_a_product_is_in_the_unit_that_its_numbers_give_it(text, right, wrong):
    assert verdict(text.replace("UNIT", right)) == "holds"
    assert verdict(text.replace("UNIT", wrong)) == "differs"


@pytest.mark.parametrize(
    "text",
    [
        "The model took 1.8M GPU-days. On 3,600 GPUs that is 1.8e6 / 3600 = 500 days.",
        "A day has 24 × 3600 = 86,400 s, and a PF-day is 10^15 × 24 × 3600 = 8.64e19 FLOP.",
        "At 2.5 s a step, a day is good for 86,400 / 2.5 = 34,560 steps.",
        "We read 146e3 tokens/s, in an hour 3600 × 146e3 = 5.26e8 tokens.",
        "The node costs $48 per day, which is 48 / 24 = $2 an hour.",
        "It ran for 100 days on 64 GPUs, 100 × 24 × 64 = 153,600 GPU-hours.",
        "The run was 7.23e23 FLOP. It took 1.3M GPU-hours, so 7.23e23 / (1.3e6 × 3600) = 154 TFLOP/s per GPU.",
        "Scales add 0.25 bit per weight: for 7e9 weights 7e9 × 0.25 / 8 = 0.22 GB.",
        "Each of the 12 B/param counts: 12 × 7e9 = 84 GB.",
        "A card draws 0.7 kW. A month of it is 0.7 × 24 × 30 = 504 kWh.",
        "Eight hours a night for 45 nights are 8 × 45 / 24 = 15 days.",
        "A step takes 500 ms, so 1e6 steps take 500 × 1e6 / 1000 / 86400 = 5.79 days.",
        "A run of 90 hours costs 90 × $1.80 = $162, on 8 GPUs 8 × 90 × $1.80 = $1,296.",
    ],
)
def test_conversions_and_counts_are_told_apart(text):
    assert {finding.verdict for finding in check_text(text, "a.md")} <= {"holds", "no claim"}


@pytest.mark.parametrize("formula", ["0 × 5 GB = 3 GB", "-2 × 5 GB = 3 GB", "10^300 × 5 GB = 3 GB"])
def test_numbers_of_no_size_and_of_any_come_to_an_end(formula):
    text = f"A file of 5 GB is read in 2 s.\n\nTogether that is {formula}."
    assert check_text(text)[-1].verdict in ("differs", "unchecked", "no claim")


RUN = "We train for 3.2 hours on 8 H100. At $2.50 per GPU-hour {sentence}"


@pytest.mark.parametrize(
    "sentence, verdict_of_it",
    [
        ("the run costs 3.2 × $2.50 = $8.", "differs"),  # one of the eight
        ("the run costs 8 × 3.2 × $2.50 = $64.", "holds"),
        ("one GPU costs 3.2 × $2.50 = $8.", "holds"),
        ("the run costs `3.2 h * $2.50 = $8`.", "differs"),
    ],
)
def test_a_price_for_one_device_is_not_that_of_all(sentence, verdict_of_it):
    assert verdict(RUN.format(sentence=sentence)) == verdict_of_it


@pytest.mark.parametrize(
    "text, verdict_of_it",
    [
        ("The MFU is 39.5 %. With all activations computed again the HFU is 39.5% × 8/6 = 52.7%.", "holds"),
        ("The MFU is 39.5 %. With all activations computed again the HFU is 39.5% × 6/8 = 29.6%.", "differs"),
        ("We log an HFU of 52.7 %, so without what is done twice the MFU is 52.7% × 6/8 = 39.5%.", "holds"),
        ("We log an HFU of 39.5 %, so without what is done twice the MFU is 39.5% × 8/6 = 52.7%.", "differs"),
        ("A share of 39.5% × 6/8 = 29.6% of the budget is for hardware.", "holds"),
    ],
)
def test_the_hardware_does_at_least_what_the_model_needs(text, verdict_of_it):
    assert verdict(text) == verdict_of_it
