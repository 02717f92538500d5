"""Figures of notes, slides and posts that people wrote, each out of a command; some are wrong there.

A row names the document, the line and what stands there. Sources: "Estimation of LLM" (a note of January
2025 on training time), "The FAQs of LLM Training" (February 2025), "Estimate Cost of Training LLMs from
Scratch" (notes of a video course), "Training Large Language Models: Memory and Compute Requirements"
(slides), CS190C 2026 lecture 9, and two notes in the manner of such, one after Narayanan et al. 2021.
"""

from __future__ import annotations

import shlex

import pytest
from click.testing import CliRunner

import symcost
from symcost.cli import commands
from symcost.solve import solve
from symcost.symbols import GB, GIB

TIME = "training_time_note.md"
FAQ = "training_faq.md"
COST = "training_cost_notes.md"
SLIDES = "memory_compute_slides.md"
LECTURE = "cs190c_lec9.md"
MEGATRON = "02_gpt_megatron_notes.md"
POST = "09_plain_text_post.md"

SHAPE = "c=256,d=1024,h=16,L=12,v=32000"
LLAMA_3 = "N=405e9,D=15e12,n=16000,peak=400e12,MFU=1"
LLAMA_2 = "N=70e9,D=2e12,MFU=0.5,price=1.8"

FIGURES = [
    (TIME, 16, "3.6e25", "derive bare training_flops --given N=405e9,D=15e12", "3.645 × 10²⁵ FLOPs"),
    (
        TIME,
        20,
        "97 days; from the 3.6e25 of line 16 it is 65.1",
        "derive budget training_time --given C=3.6e25,n=16000,peak=400e12,MFU=1 --in days",
        "65.10 days",
    ),
    (
        TIME,
        20,
        "97 days; from 6·405e9·15e12 it is 65.9",
        f"derive bare training_time --given {LLAMA_3} --in days",
        "65.92 days",
    ),
    (FAQ, 17, "3.79e25", "derive bare training_flops --given N=405e9,D=15.6e12", "3.791 × 10²⁵ FLOPs"),
    (
        FAQ,
        24,
        "8.64e19 FLOPs a day",
        "solve budget --for C --limit 'training_time <= 1 day' --given n=1,peak=1e15,MFU=1",
        "C = 86,400,000,000,000,000,000",
    ),
    (
        FAQ,
        28,
        "438657 days",
        "derive budget training_time --given C=3.79e25,n=1,peak=1e15,MFU=1 --in days",
        "438,657.41 days",
    ),
    (
        FAQ,
        28,
        "1200 years, truncated",
        "derive budget training_time --given C=3.79e25,n=1,peak=1e15,MFU=1 --in years",
        "1,201.80 years",
    ),
    (
        FAQ,
        41,
        "27 days, truncated",
        "derive budget training_time --given C=3.79e25,n=16000,peak=1e15,MFU=1 --in days",
        "27.42 days",
    ),
    (
        FAQ,
        82,
        "8.1 TB with a reference model in fp32",
        "derive bare static_memory --precision fp32-reference --given N=405e9 --in TB",
        "8.1 TB",
    ),
    (
        FAQ,
        86,
        "20 GB for 1 billion",
        "derive bare static_memory --precision fp32-reference --given N=1e9 --in GB",
        "20 GB",
    ),
    (COST, 48, "8.4e23", "derive bare training_flops --given N=70e9,D=2e12", "8.4 × 10²³ FLOPs"),
    (
        COST,
        90,
        "1.55e6 hours, from a rounded 1.5e14; exactly half of 312 gives 1.496e6",
        f"derive bare gpu_hours --gpu a100-80gb --precision mixed-16 --given {LLAMA_2}",
        "1,495,726.50 GPU-hours",
    ),
    (
        COST,
        93,
        "$3 million, rounded up from $2.80 million; exactly half of 312 gives $2.69 million",
        f"derive bare cost --gpu a100-80gb --precision mixed-16 --given {LLAMA_2}",
        "$2.69 million",
    ),
    (
        COST,
        90,
        "1.55e6 hours: truncated from 1.556e6",
        "derive bare gpu_hours --given N=70e9,D=2e12,peak=1.5e14,MFU=1",
        "1,555,555.56 GPU-hours",
    ),
    (
        COST,
        93,
        "$3 million: from the rounded rate it is $2.80 million",
        "derive bare cost --given N=70e9,D=2e12,peak=1.5e14,MFU=1,price=1.8",
        "$2.8 million",
    ),
    (SLIDES, 16, "6PD", "derive bare training_flops", "training_flops 6ND·epochs FLOPs"),
    (SLIDES, 16, "C = τT", "derive budget training_time", "training_time C/(n·MFU·peak) s"),
    (SLIDES, 28, "2PD forward", "derive bare forward_flops", "forward_flops 2bcN FLOPs"),
    (SLIDES, 30, "4PD backward", "derive bare backward_flops", "backward_flops 4bcN FLOPs"),
    (SLIDES, 47, "1 PFLOP-day", "derive budget pflop_days --given C=8.64e19", "= 1 PFLOP-days"),
    (
        SLIDES,
        56,
        "D = 20P",
        "solve bare --for N --limit 'training_flops <= 5.76e23' --given D=20*N",
        "N = √(C/(120·epochs))",
    ),
    (SLIDES, 86, "4 bytes", "derive bare parameter_memory --precision fp32", "parameter_memory 4N bytes"),
    (SLIDES, 87, "2 bytes", "derive bare parameter_memory --precision bf16", "parameter_memory 2N bytes"),
    (SLIDES, 88, "1 byte", "derive bare parameter_memory --precision int8", "parameter_memory N bytes"),
    (
        SLIDES,
        97,
        "12 bytes",
        "derive bare optimizer_memory --optimizer adamw-master",
        "optimizer_memory 12N bytes",
    ),
    (
        SLIDES,
        103,
        "6 bytes",
        "derive bare optimizer_memory --optimizer adamw-8bit",
        "optimizer_memory 6N bytes",
    ),
    (
        SLIDES,
        111,
        "8 bytes",
        "derive bare optimizer_memory --optimizer sgd-momentum",
        "optimizer_memory 8N bytes",
    ),
    (SLIDES, 122, "4 bytes", "derive bare gradient_memory --precision fp32", "gradient_memory 4N bytes"),
    (SLIDES, 123, "2 bytes", "derive bare gradient_memory --precision bf16", "gradient_memory 2N bytes"),
    (
        LECTURE,
        893,
        "24·1024³ B",
        f"solve cs190c --for b --gpu rtx-3090 --given {SHAPE}",
        "largest whole number: b = 63\n",
    ),
    (
        LECTURE,
        895,
        "24·10⁹ B",
        f"solve cs190c --for b --limit 'peak_memory <= 24 GB' --given {SHAPE}",
        "largest whole number: b = 58\n",
    ),
    (
        LECTURE,
        944,
        "10461.9974 s, from a coefficient rounded to 3.617e-6",
        f"derive cs190c training_time --given {SHAPE},b=4,D=1.03e8,epochs=5,n=4,peak=35.6e12,MFU=0.5",
        "10,460.76 s = 2.906 h",
    ),
    (
        MEGATRON,
        52,
        "34 days",
        "derive bare training_time --under textbook+checkpoint --in days "
        "--given N=175e9,D=300e9,n=1024,peak=140e12,HFU=1",
        "33.91 days",
    ),
    (
        POST,
        27,
        "4.1e5 s ≈ 4.8 days",
        "derive bare training_time --given N=7e9,D=2e12,n=512,peak=989e12,MFU=0.4",
        "414,718.15 s = 4.800 days",
    ),
    (
        POST,
        28,
        "$147k",
        "derive bare cost --given N=7e9,D=2e12,n=512,peak=989e12,MFU=0.4,price=2.5",
        "$147,000",
    ),
]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        pytest.param(command, shown, id=f"{document}:{line}: {there}")
        for document, line, there, command, shown in FIGURES
    ],
)
def test_a_figure_comes_out_of_a_command(command: str, shown: str) -> None:
    answer = CliRunner().invoke(commands, shlex.split(command), standalone_mode=False)
    assert answer.exception is None
    assert shown in answer.stdout


def test_no_reading_of_the_time_note_gives_its_97_days() -> None:
    """training_time_note.md, line 20: its own numbers give 65 days, which is two thirds of what it prints."""
    given = {"C": 3.6e25, "n": 16_000, "peak": 400e12, "MFU": 1}
    days = symcost.derive("budget", given=given)["training_time"].at() / 86_400
    assert 65 < days < 66 < 97


@pytest.mark.parametrize(("memory", "largest"), [(80 * GB, 3), (80 * GIB, 4)])
def test_gpt_2_xls_shape_in_the_lectures_form_fits_three_or_four_sequences(memory: int, largest: int) -> None:
    """48 blocks of 1600 with 25 heads (Radford et al. 2019, table 2); 80 GB are 80·10⁹ B or 80 GiB."""
    shape = {"c": 1024, "d": 1600, "h": 25, "L": 48, "v": 50_257}
    limit = solve(symcost.derive("cs190c")["peak_memory"], "b", at_most=memory, given=shape)
    assert limit.floor == largest
    assert limit.certificate.at_k <= memory < limit.certificate.at_next
