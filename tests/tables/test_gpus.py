"""Accelerators: figures against a second way to them (cores and clocks, bus and data rate, matrix units)."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from fractions import Fraction

import pytest

from symcost import symbols
from symcost.errors import UnknownName
from symcost.tables import GIB
from symcost.tables.gpus import CONSUMER, DATA_CENTRE, GPUS, WORKSTATION, Gpu, gpu, remark_on_peak


def close(one: int, other: Fraction, within: str = "0.03") -> bool:
    return abs(one - other) <= Fraction(within) * other


@pytest.mark.parametrize(
    ("name", "cores", "megahertz"),  # boost clocks as the vendors print them
    [
        ("rtx-2080-ti", 4352, 1545), ("titan-rtx", 4608, 1770), ("rtx-3060", 3584, 1777),
        ("rtx-3080", 8704, 1710), ("rtx-3090", 10496, 1695), ("rtx-4080", 9728, 2505),
        ("rtx-4090", 16384, 2520), ("rtx-5090", 21760, 2407), ("t4", 2560, 1590), ("a10", 9216, 1695),
        ("a40", 10752, 1740), ("a6000", 10752, 1800), ("l4", 7424, 2040), ("l40s", 18176, 2520),
        ("p100", 3584, 1480), ("v100-16gb", 5120, 1530), ("v100-32gb", 5120, 1530),
        ("a30", 3584, 1440), ("a100-40gb", 6912, 1410), ("a100-80gb", 6912, 1410), ("h100-sxm", 16896, 1980),
        ("h100-pcie", 14592, 1755), ("h200", 16896, 1980), ("b200", 18944, 1980), ("mi250x", 14080, 1700),
    ],
)  # fmt: skip
def test_fp32_is_two_flops_for_each_core_and_cycle(name: str, cores: int, megahertz: int) -> None:
    assert close(gpu(name).peak["fp32"], Fraction(2 * cores * megahertz * 10**6))


@pytest.mark.parametrize(
    ("name", "element_type", "units", "flops_a_cycle", "megahertz"),
    [
        ("v100-32gb", "fp16", 640, 128, 1530),  # tensor cores, 64 multiply-adds each (Volta whitepaper)
        ("a100-80gb", "bf16", 432, 512, 1410),  # tensor cores, 256 multiply-adds each (Ampere whitepaper)
        ("h100-sxm", "bf16", 528, 1024, 1830),  # tensor cores, 512 multiply-adds each (Hopper whitepaper)
        ("mi250x", "bf16", 220, 1024, 1700),  # compute units (CDNA 2 whitepaper)
        ("mi300x", "bf16", 304, 2048, 2100),  # compute units (CDNA 3 whitepaper)
        ("tpu-v3", "bf16", 4, 2 * 128**2, 940),  # systolic arrays of 128 × 128 (Jouppi et al. 2020)
        ("tpu-v4", "bf16", 8, 2 * 128**2, 1050),  # Jouppi et al. 2023
        ("tpu-v5e", "bf16", 4, 2 * 128**2, 1500),
        ("tpu-v5p", "bf16", 8, 2 * 128**2, 1750),
    ],
)
def test_a_dense_peak_is_matrix_units_times_their_width_times_the_clock(
    name: str, element_type: str, units: int, flops_a_cycle: int, megahertz: int
) -> None:
    assert close(gpu(name).peak[element_type], Fraction(units * flops_a_cycle * megahertz * 10**6))


@pytest.mark.parametrize(
    ("name", "bits", "gigabits_a_pin"),
    [
        ("rtx-2080-ti", 352, "14"), ("titan-rtx", 384, "14"), ("rtx-3060", 192, "15"),
        ("rtx-3080", 320, "19"), ("rtx-3090", 384, "19.5"), ("rtx-4080", 256, "22.4"),
        ("rtx-4090", 384, "21"), ("rtx-5090", 512, "28"), ("t4", 256, "10"), ("a10", 384, "12.5"),
        ("a40", 384, "14.5"), ("a6000", 384, "16"), ("l4", 192, "12.5"), ("l40s", 384, "18"),
        ("a100-40gb", 5120, "2.43"), ("a100-80gb", 5120, "3.186"), ("h100-sxm", 5120, "5.23"),
        ("mi250x", 8192, "3.2"), ("mi300x", 8192, "5.2"),
    ],
)  # fmt: skip
def test_bandwidth_is_the_bus_times_its_data_rate(name: str, bits: int, gigabits_a_pin: str) -> None:
    assert close(gpu(name).bandwidth, bits * Fraction(gigabits_a_pin) * 10**9 / 8, within="0.01")


@pytest.mark.parametrize(
    ("name", "mebibytes_shown"),  # what the vendor's own tool shows of the card
    [("rtx-3090", 24_576), ("h100-sxm", 81_559), ("h200", 143_771), ("b200", 183_359), ("mi300x", 196_592)],
)
def test_memory_is_what_the_card_shows_and_at_most_one_per_cent_more(name: str, mebibytes_shown: int) -> None:
    shown = mebibytes_shown * 2**20
    assert shown <= gpu(name).memory <= shown * Fraction(101, 100)


def test_the_published_figures_that_lectures_and_papers_divide_by() -> None:
    assert GPUS["rtx-3090"].memory == 24 * 1024**3  # CS190C lecture 9, part 3
    assert gpu("a100-40gb").peak_for("bf16") == 312 * 10**12  # nanoGPT's transformer sizing
    assert gpu("tpu-v4").peak_for("bf16") == 275 * 10**12  # PaLM, appendix B
    assert gpu("h100-sxm").peak_for("bf16") == 9894 * 10**11  # half of the 1,979 with sparsity


@pytest.mark.parametrize("entry", GPUS.values(), ids=lambda entry: entry.name)
def test_every_entry_is_whole_sourced_and_never_faster_dense_than_sparse(entry: Gpu) -> None:
    assert entry.source
    assert (entry.price is None) == (entry.price_source == "")
    numbers = (entry.memory, entry.bandwidth, entry.link, *entry.peak.values(), *entry.sparse.values())
    assert all(type(number) is int and number > 0 for number in numbers)
    assert all(close(2 * entry.peak[element], Fraction(rate)) for element, rate in entry.sparse.items())


@pytest.mark.parametrize("entry", GPUS.values(), ids=lambda entry: entry.name)
def test_narrower_numbers_are_never_slower(entry: Gpu) -> None:
    rates = [
        entry.peak[element]
        for element in ("fp64", "fp32", "tf32", "bf16", "fp8", "fp4")
        if element in entry.peak
    ]
    assert rates == sorted(rates)


def test_there_are_two_dozen_accelerators_of_three_vendors_and_more() -> None:
    assert len(GPUS) >= 24
    assert {"rtx-3090", "a100-80gb", "h100-sxm", "mi300x", "gaudi-3", "tpu-v5e"} <= set(GPUS)


def test_an_element_type_without_a_published_peak_is_refused_by_name() -> None:
    with pytest.raises(UnknownName, match=r"t4 has no published peak for 'bf16'\. Known are: fp32, fp16\."):
        gpu("t4").peak_for("bf16")


def test_an_unknown_gpu_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'rtx-3090'"):
        gpu("rtx3090")


def test_an_entry_can_be_pickled_and_put_into_a_set() -> None:
    assert pickle.loads(pickle.dumps(gpu("l4"))) == gpu("l4")
    assert len(set(GPUS.values())) == len(GPUS)


def test_a_gibibyte_is_the_same_in_the_tables_as_in_the_glossary() -> None:
    assert GIB == symbols.GIB


@pytest.mark.parametrize("table", ["gpus", "precisions", "optimizers", "runs"])
def test_a_table_is_read_without_waiting_for_sympy(table: str) -> None:
    look = f"import sys, symcost.tables.{table}; sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


def test_cards_for_desks_and_for_halls_each_have_watts_and_a_year() -> None:
    assert len(CONSUMER) >= 5
    assert len(WORKSTATION) + len(DATA_CENTRE) >= 15
    assert all(entry.watts and entry.year >= 2016 for entry in (*CONSUMER, *WORKSTATION, *DATA_CENTRE))


def test_every_example_of_a_price_says_of_which_year_it_is() -> None:
    priced = [entry for entry in GPUS.values() if entry.price is not None]
    assert len(priced) >= 8
    assert all(re.search(r"\b20[12]\d\b", entry.price_source) for entry in priced)


@pytest.mark.parametrize(
    ("rate", "card", "dense"),  # what datasheets print with sparsity, and without
    [
        (1979e12, "h100-sxm", "989.4"),
        (624e12, "a100-40gb", "312"),
        (142e12, "rtx-3090", "71"),
        (4500e12, "b200", "2,250"),
    ],
)
def test_a_rate_with_sparsity_is_recognised(rate: float, card: str, dense: str) -> None:
    assert remark_on_peak(Fraction(str(rate))).endswith(f"which no run reaches: {dense} TFLOP/s dense.")
    assert f"{card}'s rate" in remark_on_peak(Fraction(str(rate)))


@pytest.mark.parametrize("entry", GPUS.values(), ids=lambda entry: entry.name)
def test_no_dense_16_bit_rate_is_taken_for_a_sparse_one(entry: Gpu) -> None:
    rates = [rate for element, rate in entry.peak.items() if element in ("bf16", "fp16", "fp32")]
    assert [remark_on_peak(rate) for rate in rates] == [""] * len(rates)
