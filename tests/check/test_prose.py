"""symcost/check/prose.py and plain.py: what in a plain sentence is a formula, and what looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from symcost.check import check_text
from symcost.check.documents import find
from symcost.check.prose import formulas, sentences

FIXTURES = Path(__file__).parent / "fixtures" / "finding"


def read(text: str, *, amounts: bool = False) -> list[str]:
    return [text[start:end] for start, end, amount_only in formulas(text) if amount_only == amounts]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Params per layer ≈ 12·d² (attention 4·d², MLP 8·d²)", ["≈ 12·d²", "4·d²", "8·d²"]),
        ("C = 6 * 405 * 10^9 * 15*10^12 = 3.6 * 10^25", ["C = 6 * 405 * 10^9 * 15*10^12 = 3.6 * 10^25"]),
        ("one sequence is 3 x 2.916e11 = 8.75e11.", ["3 x 2.916e11 = 8.75e11"]),
        ("16 B/param -> 124.3e6 × 16 = 1.99 GB.", ["124.3e6 × 16 = 1.99 GB"]),
        ("2 × 1,600 × 6,400 + 2 × 6,400 -> 41.9 GFLOPs", ["2 × 1,600 × 6,400 + 2 × 6,400 -> 41.9 GFLOPs"]),
        ("Set 4·T²·d = 24·T·d² -> T = 6·d, done", ["4·T²·d = 24·T·d²", "T = 6·d"]),
        ("the entire formula becomes 6NP.", ["6NP"]),
        ("total 8.4 e23/(1.5e14*3600)  = 1.55e6 hours", ["8.4 e23/(1.5e14*3600)  = 1.55e6 hours"]),
        ("cost: 512 × 4.8 × 24 h × $2.50 ≈ $147k", ["512 × 4.8 × 24 h × $2.50 ≈ $147k"]),
        ("4096·4 B = 16 KiB per token", ["4096·4 B = 16 KiB"]),
        ("6ND / (GPUs × peak × MFU)", ["6ND / (GPUs × peak × MFU)"]),
        ("24·(12·1024² + 13·1024) + 2·1024 = 354.8M", ["24·(12·1024² + 13·1024) + 2·1024 = 354.8M"]),
        ("sbh(34+5as/h) bytes", ["sbh(34+5as/h) bytes"]),
        ("n_layers=12, d_model = 768", ["n_layers=12", "d_model = 768"]),
        ("2N + 2 n_layer n_ctx d_attn", ["2N + 2 n_layer n_ctx d_attn"]),
        ("N = 2dv + d + L (2d + 16d²) in total", ["N = 2dv + d + L (2d + 16d²)"]),
        ("N = 1.5B and D = 3e11 tokens", ["N = 1.5B", "D = 3e11 tokens"]),
        ("(2n-1)mp multiply-adds", ["(2n-1)mp"]),
        ("d^{2} + h^(1/2)", ["d^{2} + h^(1/2)"]),
        ("1 GiB = 2³⁰ B, no less", ["1 GiB = 2³⁰ B"]),
        ("x = −3·y", ["x = −3·y"]),
    ],
)
def test_arithmetic_in_a_sentence_is_found_whole(sentence, expected):
    assert read(sentence) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "GPT-2, Llama-3-8B and Qwen2.5-0.5B",
        "a or I, and A too",
        "on 2/27/2025, 2025-02-27 or 27.02.2025",
        "version 2.13.0, 3-5 pages, 24/7, 1/2 of them",
        "train/test and/or GPU/TPU, I/O, w/o, N/A",
        "data + tensor + pipeline",
        "3x forward, 8x faster, the 4th, a 3D torus",
        "state-of-the-art top-k 2-layer",
        "notes/run_3.py and me@example.org",
        "O(n²) and O(1)",
        "4096→4096, input → output, v → t",
        "macOS >= 1100 and GCC >= 10.1",
        "60ish of 1gpu",
        "N = 84.9M + embeddings",  # half a sum is no formula
        "N = 12·L·d² + (see the table)",
        "N = 12 × ",
        "embeddings + 12·d² of them",
        "3 × faster",
        "N = 12 \\times 768",
        "N = 12·d \ufffc",  # goes on in dollars
        "T² on its own",
        "6(floating point operations)",
    ],
)
def test_what_only_looks_like_arithmetic_is_left_alone(sentence):
    assert read(sentence) == []


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("the run takes 84 days; that is 34 days", ["84 days", "34 days"]),
        ("=> 124M", ["=> 124M"]),
        ("16 B/param and 12 bytes/param", ["16 B/param", "12 bytes/param"]),
        ("i.e. 4,608 for d", ["4,608"]),
        ("about 13% less, ~6 FLOPs, $2.50", ["13%", "~6 FLOPs", "$2.50"]),
        ("15.6 trillion tokens on 80GB", ["15.6 trillion tokens", "80GB"]),
        ("32 × 1024 = 32.8M => 234M", ["=> 234M"]),  # the sum of more than stands there
        ("4 parts, 2 modules, Figure 1, roughly 3 orders", []),
    ],
)
def test_an_amount_is_a_number_with_a_unit_or_one_that_is_claimed(sentence, expected):
    assert read(sentence, amounts=True) == expected


def test_a_page_of_words_without_arithmetic_has_none():
    text = (FIXTURES / "words.md").read_text(encoding="utf-8")
    assert [span.text for span in find(text, "markdown").spans if span.form == "text"] == []


def test_a_page_of_plain_arithmetic_is_found_line_by_line():
    document = find((FIXTURES / "prose.md").read_text(encoding="utf-8"), "markdown")
    formulas_of = {
        line: [
            span.text
            for span in document.spans
            if span.line == line and not span.amount_only and span.form == "text"
        ]
        for line in range(1, 24)
    }
    assert {line: texts for line, texts in formulas_of.items() if texts} == {
        3: ["≈ 16·d² + 2·d", "12 × 16 × 1024² = 201.3M", "32,000 × 1024 = 32.8M"],
        5: ["32·b·c·d² + 4·b·c²·d"],
        6: ["2*b*c*d*v"],
        8: ["6ND / (GPUs × peak × MFU)", "6 x 7e9 x 2e12 / (512 × 989e12 × 0.4) = 4.1e5 s ≈ 4.8 days"],
        10: ["7e9 × 16 = 112 GB", "512 × 115 h × $2.50 ≈ $147k"],
        12: ["4·c²·d = 32·c·d²", "c = 8·d", "d = 1024"],
        14: ["6NP", "2·N", "n_layers=12", "d_model = 768", "2^30 + 1"],
        20: ["16·d² + 2·d"],
        21: ["16·N bytes"],
        23: ["= 16·d²"],
    }


def test_a_plain_text_is_read_by_paragraphs_across_its_line_ends():
    document = find((FIXTURES / "mail.txt").read_text(encoding="utf-8"), "text")
    assert [(span.line, span.column, span.text) for span in document.spans] == [
        (5, 16, "8·b·c·d²"),
        (6, 19, "4·b·c²·d"),
        (7, 17, "24·b·c·d²"),
        (8, 3, "32·b·c·d² + 4·b·c²·d"),
        (10, 5, "b = 1"),
        (10, 12, "c = 1024"),
        (10, 22, "d = 768"),
        (11, 1, "32 × 1024 × 768² + 4 × 1024² × 768 = 22.5e9"),
        (12, 26, "$14,600"),
        (12, 41, "$2.50"),
    ]
    assert document.spans[0].block.lead == ("the forward pass of one block, counted by hand:",)
    assert document.spans[0].before == "projections:"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("N is 7B, i.e. 7e9, cf. No. 3. It fits.", ["N is 7B, i.e. 7e9, cf. No. 3.", "It fits."]),
        ("It takes 1.99 GB.\nThen more", ["It takes 1.99 GB.", "Then more"]),
        ("参数。显存。", ["参数。", "显存。"]),
        ("", [""]),
    ],
)
def test_sentences_end_where_a_reader_would_stop(text, expected):
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_a_word_with_a_hyphen_ends_before_the_full_stop():
    """In Python 3.11.2 a possessive group that failed half-way kept the full stop, and the number was not seen."""
    found = check_text("So 3.384e22 / 1.31e14 = 2.58e8 GPU-seconds, 2,990 GPU-days.\nNext.", "a.txt")
    assert [finding.text for finding in found][-1] == "2,990 GPU-days"
