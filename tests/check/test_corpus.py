"""The corpus of published formulas: every verdict is derived anew and held against the one that is expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symcost.check.corpus import as_markdown, check_corpus, judge, read_corpus, sources
from symcost.errors import UsageError

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "formulas"
SOURCES = sources(FOLDER)
ABOUT = '[source]\ntitle = "T"\nauthors = "A"\nyear = 2026\nfound = "F"\n'


def verdict_of(**keys: object) -> str:
    """The verdict of one claim with these keys, as TOML writes them."""
    written = {"id": "a", "place": "1", "verdict": "holds", "why": "", **keys}
    rows = [f"{name} = {json.dumps(value)}" for name, value in written.items()]
    [finding] = check_corpus(ABOUT + "[[claim]]\n" + "\n".join(rows), "t.toml")
    return finding.verdict


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.file)
def test_every_claim_of_a_source_has_the_verdict_that_is_expected(source):
    wrong = [
        f"{each.claim.id}: {each.finding.verdict}, {each.finding.message}"
        for each in judge(source)
        if not each.expected
    ]
    assert not wrong, "\n".join(wrong)


def test_the_corpus_has_the_sources_of_the_field():
    files = {source.file for source in SOURCES}
    assert {"cs190c-lecture-9.toml", "kaplan-2020.toml", "palm-2022.toml", "zero-2020.toml", "nanogpt.toml",
            "megatron-narayanan-2021.toml", "megatron-korthikanti-2022.toml", "transformer-math-101.toml",
            "flash-attention.toml", "chinchilla-2022.toml", "lora-2021.toml", "latent-attention.toml"} <= files  # fmt: skip
    assert sum(len(source.claims) for source in SOURCES) >= 120


def test_few_claims_are_left_unchecked():
    left = [claim.id for source in SOURCES for claim in source.claims if claim.verdict == "unchecked"]
    assert len(left) <= 3, left


def test_the_report_of_published_formulas_is_the_one_that_is_kept():
    """`symcost check formulas/ --report reports/published-formulas.md` writes it again."""
    written = as_markdown([(source, judge(source)) for source in SOURCES])
    assert written == (ROOT / "reports" / "published-formulas.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("says", "expected"),  # CS190C lecture 9: 20bcd + bhc² for each block
    [
        ("20bcd+bhc^2", "holds"),
        ("21bcd+bhc^2", "differs"),
        ("20bcd", "differs"),
        (r"\approx 20bcd", "approximates"),
    ],
)
def test_a_claim_is_decided_by_its_formula_and_not_by_what_is_expected(says, expected):
    for typed in ("holds", "differs"):
        found = verdict_of(
            says=says, quantity="saved_activations", scope="block", under="textbook", verdict=typed
        )
        assert found == expected


@pytest.mark.parametrize(
    ("under", "expected"),  # Korthikanti et al. 2022, equation 1
    [({}, "depends"), ({"under": "megatron-2022"}, "holds"), ({"under": "textbook"}, "differs")],
)
def test_a_source_that_names_no_convention_is_held_against_the_others_too(under, expected):
    says = "34bcd + 5bhc^2"
    spec = 'given = { d_ff = "4*d" }\nmodel = "gpt"\n'
    keys = "".join(f'{name} = "{value}"\n' for name, value in under.items())
    text = (f'{ABOUT}[[claim]]\nid = "a"\nplace = "1"\nverdict = "holds"\nwhy = ""\nsays = "{says}"\n'
            f'quantity = "activation_memory"\nscope = "block"\n{spec}{keys}')  # fmt: skip
    [found] = check_corpus(text, "t.toml")
    assert found.verdict == expected


def test_a_claim_without_a_quantity_is_only_held_against_itself():
    assert verdict_of(says="3b(2cdd)=6bcd^2") == "holds"
    assert verdict_of(says="3b(2cdd)=5bcd^2") == "differs"
    assert verdict_of(says="D = 20N") == "no claim"


def test_a_printed_number_is_held_against_the_value_at_the_numbers_given():
    """Megatron-LM (2021), section 5.1: 175B parameters, 300B tokens, 1024 GPUs, 140 TFLOP/s: 34 days."""
    text = (
        ABOUT
        + """[[claim]]
id = "a"
place = "1"
verdict = "holds"
why = ""
says = "{} days"
form = "text"
model = "bare"
under = "textbook+checkpoint"
given = {{ N = 175e9, D = 300e9, n = 1024, peak = 140e12, HFU = 1 }}
quantity = "training_time"
"""
    )
    verdicts = [check_corpus(text.format(days), "t.toml")[0].verdict for days in (34, 33.9, 24)]
    assert verdicts == ["holds", "holds", "differs"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[claim]", "expected TOML"),
        ("a = 1", "expected a table [source]"),
        (
            ABOUT + "[[claim]]\nid = 'a'\nsays = 'b'\nplace = ''\nverdict = 'right'\nwhy = ''",
            "verdict: 'right' is not known",
        ),
        (
            ABOUT + "[[claim]]\nid = 'a'\nquantty = 'b'",
            "'quantty' is not a key of a claim. Did you mean 'quantity'?",
        ),
        (ABOUT + "[[claim]]\nid = 'a'", "expected text for says, place, verdict, why"),
        ("[[claim]]\na" + ".a" * 50_000 + " = 1", "one of many"),
        ("[[claim]]\na = " + "[" * 50_000, "expected TOML"),
    ],
)
def test_a_broken_corpus_is_told_in_one_line(text, words):
    with pytest.raises(UsageError) as told:
        read_corpus(text, "t.toml")
    assert words in str(told.value) and "\n" not in str(told.value)


def test_an_unknown_letter_leaves_a_claim_unchecked_and_says_which():
    [finding] = check_corpus(
        f'{ABOUT}[[claim]]\nid = "a"\nplace = "1"\nverdict = "holds"\nwhy = ""\nsays = "3 Q d"\nquantity = "parameters"',
        "t.toml",
    )
    assert finding.verdict == "unchecked" and "'Q'" in finding.message
