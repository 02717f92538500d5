"""Published runs: what is reported must agree with itself."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symcost.errors import UnknownName
from symcost.tables.gpus import GPUS
from symcost.tables.runs import RUNS, Run, run


@pytest.mark.parametrize("name", [name for name in RUNS if name.startswith("gpt-3")])
def test_gpt_3s_flops_are_six_n_d_to_the_three_digits_printed(name: str) -> None:
    """Brown et al. 2020, table D.1."""
    assert f"{run(name).six_n_d:.1e}" == f"{run(name).flops:.1e}"
    assert abs(run(name).six_n_d - run(name).flops) < Fraction(3, 1000) * run(name).flops


@pytest.mark.parametrize(
    ("name", "within"),
    [("llama-3.1-405b", "0.005"), ("palm-540b", "0.001"), ("chinchilla-70b", "0.03")],
)
def test_reported_flops_are_six_n_d(name: str, within: str) -> None:
    assert abs(run(name).six_n_d - run(name).flops) <= Fraction(within) * run(name).flops


def test_gophers_flops_hold_the_third_that_was_computed_again() -> None:
    """Rae et al. 2021: the forward pass is computed twice, which makes 8·N·D of 6·N·D at most."""
    assert Fraction("1.2") < Fraction(run("gopher-280b").flops, run("gopher-280b").six_n_d) < Fraction("1.34")


@pytest.mark.parametrize(
    ("prefix", "names", "total"),
    [
        (
            "pythia",
            ("70m", "160m", "410m", "1b", "1.4b", "2.8b", "6.9b", "12b"),
            136_070,
        ),  # Pythia
        ("llama-2", ("7b", "13b", "34b", "70b"), 3_311_616),  # Touvron et al. 2023, Llama 2, table 2
        ("llama-3", ("8b", "70b"), 7_700_000),  # Llama 3 model card
        ("llama-3.1", ("8b", "70b", "405b"), 39_300_000),  # Llama 3.1 model card
    ],
)
def test_gpu_hours_add_up_to_the_total_printed_below_them(
    prefix: str, names: tuple[str, ...], total: int
) -> None:
    assert sum(run(f"{prefix}-{name}").gpu_hours for name in names) == total


def test_deepseek_v3s_hours_at_its_price_are_the_dollars_of_its_table() -> None:
    """DeepSeek-V3, table 1: 5.328 million dollars of pre-training; 180,000 hours for each trillion tokens."""
    deepseek = run("deepseek-v3")
    assert deepseek.gpu_hours * GPUS[deepseek.gpu].price == 5_328_000
    assert Fraction(deepseek.gpu_hours * 10**12, deepseek.tokens) == 180_000


def test_utilisation_from_gpu_hours_stays_below_what_was_reported_for_the_steps_alone() -> None:
    """Pauses and restarts only lose time: 38 to 43 per cent for Llama 3.1 405B, 46.2 for PaLM 540B."""
    for name in ("llama-3.1-405b", "palm-540b"):
        assert Fraction("0.3") < run(name).utilisation() < run(name).mfu[0]


@pytest.mark.parametrize("entry", RUNS.values(), ids=lambda entry: entry.name)
def test_every_run_has_a_source_a_known_gpu_and_a_possible_utilisation(entry: Run) -> None:
    assert entry.source
    assert entry.gpu is None or entry.gpu in GPUS
    assert entry.utilisation() is None or Fraction("0.1") < entry.utilisation() < Fraction("0.7")
    assert all(type(number) is int for number in (entry.parameters, entry.tokens))


def test_an_unknown_run_names_the_nearest() -> None:
    with pytest.raises(
        UnknownName, match=r"'llama2-7b' is not a known training run\. Did you mean 'llama-2-7b'"
    ):
        run("llama2-7b")
