"""Published shapes by name: their totals, beside those measured and published, and a few figures of the
field.
"""

import json
from pathlib import Path

import pytest

import symcost
from symcost.families import known_models, load

FACTS = json.loads((Path(__file__).parent / "fixtures" / "parameters.json").read_text(encoding="utf-8"))
MODELS = FACTS["models"]


def test_the_fixture_knows_every_known_model():
    assert set(MODELS) == set(known_models())
    assert len(MODELS) >= 60


@pytest.mark.parametrize("name", MODELS)
def test_its_parameters_are_those_that_transformers_builds(name):
    assert symcost.derive(name)["parameters"].at() == MODELS[name]["measured"]


@pytest.mark.parametrize("name", [name for name, totals in MODELS.items() if "published" in totals])
def test_its_parameters_are_those_of_the_released_weights(name):
    assert symcost.derive(name)["parameters"].at() == MODELS[name]["published"]


def test_every_known_model_names_its_source_and_its_kind():
    for name, config in known_models().items():
        assert config["_source"] and config["model_type"], name


def test_a_known_name_may_be_written_in_capitals():
    assert load("Llama-2-7B").name == "llama-2-7b"


def test_mixtral_multiplies_113_times_10_to_the_12_in_one_sequence():
    """Mixtral 8x7B, forward at 4096 tokens, two of eight experts: 113.2·10¹² (PyTorch's counter says
    20.9·10¹²).
    """
    flops = symcost.derive("mixtral-8x7b")["forward_flops"].at(b=1, c=4096)
    assert round(flops / 10**12, 1) == 113.2


def test_llama_2_7b_takes_the_lectures_gigabytes_and_in_transformers_a_tenth_more():
    """fp32, one sequence of 4096 tokens: 103.87 GB by the lecture's formula, 114.01 GB measured, 45.31 GB
    with flash.
    """
    model = load("llama-2-7b")
    kept = {
        under: round(symcost.derive(model, under=under)["activation_memory"].at(b=1, c=4096) / 10**9, 2)
        for under in ("textbook", "hf-eager", "hf-sdpa")
    }
    assert kept == {"textbook": 103.87, "hf-eager": 114.01, "hf-sdpa": 45.31}


@pytest.mark.parametrize(
    ("name", "c", "gigabytes"),  # measured with transformers 5.23.0, attention sdpa, fp32, one sequence
    [("llama-3-8b", 8192, 101.29), ("qwen2.5-7b", 4096, 51.07), ("gpt2-xl", 1024, 9.03)],
)
def test_with_flash_attention(name, c, gigabytes):
    kept = symcost.derive(name, under="hf-sdpa")["activation_memory"].at(b=1, c=c)
    assert round(kept / 10**9, 2) == gigabytes


@pytest.mark.parametrize(
    ("name", "billions"),  # of the reports: Mixtral 12.9, DeepSeek-V3 37, Qwen3 3.3 and 22, Llama 4 17
    [("mixtral-8x7b", 12.9), ("deepseek-v3", 37.6), ("qwen3-30b-a3b", 3.4), ("qwen3-235b-a22b", 22.2),
     ("llama-4-scout", 17.2), ("llama-3-8b", 8.0)],
)  # fmt: skip
def test_the_parameters_that_one_token_meets(name, billions):
    costs = symcost.derive(name)
    active = costs["parameters"].replaced(costs.derivation.active_parameters).substituted(costs.ties)
    assert round(active.at() / 10**9, 1) == billions


def test_deepseek_v3_without_its_routers_biases():
    """671,026,404,352 as transformers counts, whose router biases are buffers: 58 blocks of 256 experts more,
    if not.
    """
    assert symcost.derive("deepseek-v3")["parameters"].at() == 671_026_404_352


@pytest.mark.parametrize(
    (
        "name",
        "elements",
    ),  # of one token in one block: 2·8·128; the latent and the rotated part, 512 + 64; 2·256
    [("llama-3-8b", 2048), ("deepseek-v2-lite", 576), ("gemma-2b", 512)],
)
def test_what_generation_keeps_of_a_token(name, elements):
    cache = symcost.derive(name, precision="bf16")["kv_cache_memory"].at(b=1, c=1)
    assert cache == 2 * elements * load(name).numbers["L"]
