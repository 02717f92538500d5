"""Hugging Face configs: exact counts for every family, and an error for what is not understood."""

import json
from pathlib import Path

import pytest

import symcost
from symcost.errors import ConfigError
from symcost.families import FAMILIES, from_config, load

FIXTURES = Path(__file__).parent / "fixtures"


def facts(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))["models"]


PUBLISHED, TINY, VARIANTS = facts("published_shapes"), facts("tiny_shapes"), facts("families")
RELEASED = facts("released_configs")
LLAMA = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 2,
    "num_attention_heads": 4, "vocab_size": 1000,
}  # fmt: skip


def counted(config, under, b, c):
    """Parameters, forward FLOPs, forward and backward FLOPs, saved bytes."""
    costs = symcost.derive(from_config(config, "model"), under=under)
    forward = costs["forward_flops"].at(b=b, c=c)
    return {
        "parameters": costs["parameters"].at(),
        "forward": forward,
        "both": forward + costs["backward_flops"].at(b=b, c=c),
        "saved": costs["activation_memory"].at(b=b, c=c),
    }


# ------------------------------------------------------------------------------------------- exact counts


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_shape_has_the_parameters_and_flops_measured(name):
    fact = PUBLISHED[name]
    found = counted(fact["config"], "textbook", 1, fact["c"])
    assert {each: found[each] for each in ("parameters", "forward", "both")} == {
        each: fact[each] for each in ("parameters", "forward", "both")
    }


@pytest.mark.parametrize("name", [name for name, fact in PUBLISHED.items() if "saved" in fact])
def test_a_published_shape_keeps_the_bytes_measured(name):
    """At full size, one sequence: heads stay views where one matrix makes them all or where they share one
    key.
    """
    fact = PUBLISHED[name]
    assert counted(fact["config"], "hf-eager+one-sequence", 1, fact["c"])["saved"] == fact["saved"]


def convention_of(name, fact):
    if "dropout" in name:  # on a CPU, attention with dropout has no flash kernel
        return "hf-eager+dropout" if fact["attention"] == "eager" else "hf-sdpa+dropout+math"
    return f"hf-{fact['attention']}" + ("+bf16" if "bf16" in name else "")


@pytest.mark.parametrize("name", TINY)
def test_a_tiny_shape_keeps_the_bytes_measured(name):
    fact = TINY[name]
    found = counted(fact["config"], convention_of(name, fact), fact["b"], fact["c"])
    assert (found["parameters"], found["saved"]) == (fact["parameters"], fact["saved"])


@pytest.mark.parametrize("name", [name for name, fact in TINY.items() if fact["attention"] == "eager"])
def test_a_tiny_shape_multiplies_as_counted(name):
    fact = TINY[name]
    found = counted(fact["config"], "textbook", fact["b"], fact["c"])
    assert (found["forward"], found["both"]) == (fact["forward"], fact["both"])


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_each_family_has_the_parameters_and_flops_measured(name):
    fact = VARIANTS[name]
    found = counted(fact["config"], "textbook", 2, 6)
    measured = [each for each in ("parameters", "forward", "both") if each in fact]
    assert {each: found[each] for each in measured} == {each: fact[each] for each in measured}


# What these keep besides, as measured: GPT-J and CodeGen look their angles up for queries and keys apart;
# Falcon keeps the indices that split its matrix; MPT its positions; gpt-oss clamps its gate in place.
OTHERWISE = {"gptj", "codegen", "falcon-7b", "falcon-40b", "falcon-11b", "mpt", "mpt-clipped", "gpt_oss"}


@pytest.mark.parametrize(
    "name", [name for name, fact in VARIANTS.items() if "eager" in fact and name not in OTHERWISE]
)
def test_a_variant_of_each_family_keeps_the_bytes_measured(name):
    fact = VARIANTS[name]
    assert counted(fact["config"], "hf-eager", 2, 6)["saved"] == fact["eager"]


def test_every_family_is_measured():
    measured = {fact["config"]["model_type"] for fact in VARIANTS.values()}
    assert set(FAMILIES) - measured == {"kimi_k2"}  # read as deepseek_v3


# ---------------------------------------------------------------------------------- configs as they are found


def parameters(config):
    return symcost.derive(load(config))["parameters"].at()


@pytest.mark.parametrize("name", RELEASED)
def test_a_config_as_it_was_released_describes_the_known_model(name):
    assert parameters(RELEASED[name]) == parameters(name)


def test_fields_under_other_names_mean_the_same():
    """BLOOM's released configs say n_embed and num_attention_heads, transformers hidden_size and n_head."""
    sizes = {"model_type": "bloom", "vocab_size": 100}
    assert parameters(
        sizes | {"n_embed": 48, "n_layer": 2, "num_attention_heads": 6, "n_inner": None}
    ) == parameters(sizes | {"hidden_size": 48, "num_hidden_layers": 2, "n_head": 6})


def test_a_null_field_is_a_missing_one():
    assert parameters(LLAMA | {"num_key_value_heads": None, "head_dim": None}) == parameters(LLAMA)


def test_what_a_released_config_carries_besides_changes_nothing():
    besides = {
        "architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16", "rms_norm_eps": 1e-5,
        "rope_scaling": {"factor": 8.0, "rope_type": "llama3"}, "rope_theta": 500000.0, "use_cache": True,
        "bos_token_id": 128000, "eos_token_id": [128001, 128008], "transformers_version": "4.43.0",
        "max_position_embeddings": 131072, "pretraining_tp": 1, "attention_dropout": 0.0, "mlp_bias": False,
    }  # fmt: skip
    assert parameters(LLAMA | besides) == parameters(LLAMA)


def test_a_model_that_also_sees_is_read_by_its_text_part():
    text = {"hidden_size": 48, "intermediate_size": 52, "num_hidden_layers": 7, "num_attention_heads": 6,
            "num_key_value_heads": 2, "head_dim": 12, "vocab_size": 101}  # fmt: skip
    whole = {"model_type": "gemma3", "text_config": text, "vision_config": {"hidden_size": 1152}}
    assert parameters(whole) == VARIANTS["gemma3"]["parameters"]


def test_the_rotated_part_of_a_head_may_stand_among_the_rope_parameters():
    phi = {**VARIANTS["phi"]["config"]}
    factor = phi.pop("partial_rotary_factor")
    moved = phi | {"rope_parameters": {"rope_theta": 10000.0, "partial_rotary_factor": factor}}
    assert load(moved).numbers["d_r"] == load(VARIANTS["phi"]["config"]).numbers["d_r"]


def test_kinds_of_block_have_places_and_counts_of_their_own():
    costs = symcost.derive("deepseek-v2-lite")
    assert costs["parameters"].of("block.dense.mlp").at() == 3 * 2048 * 10944
    assert costs["parameters"].of("block.moe.mlp.shared").at() == 3 * 2048 * 2 * 1408
    assert load("gemma-3-1b").numbers["L_local"] == 22 and load("gemma-3-1b").numbers["L_global"] == 4


def test_dropout_is_there_where_its_probability_is_not_zero():
    assert load("gpt2").architecture.drops == {"embedding", "weights", "results"}
    assert load("gpt2-xl").loss is not None
    off = {"attn_pdrop": 0.0, "resid_pdrop": 0.0, "embd_pdrop": 0.0}
    config = {
        "model_type": "gpt2",
        "n_embd": 8,
        "n_layer": 1,
        "n_head": 2,
        "n_positions": 16,
        "vocab_size": 11,
    }
    assert load(config | off).architecture.drops == frozenset()


# ------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"quantization_config": {"quant_method": "fp8"}}, "quantization_config"),
        ({"num_experts": 8}, "num_experts"),
        ({"hidden_size": 63}, "hidden_size"),
        ({"hidden_size": "64"}, "hidden_size"),
        ({"hidden_size": 64.0}, "hidden_size"),
        ({"hidden_size": True}, "hidden_size"),
        ({"hidden_size": -64}, "hidden_size"),
        ({"hidden_size": None}, "hidden_size"),
        ({"n_embd": 128}, "hidden_size = 64 and n_embd = 128"),
        ({"num_key_value_heads": 3}, "num_key_value_heads"),
        ({"hidden_act": "quick_gelu"}, "hidden_act"),
        ({"attention_bias": "yes"}, "attention_bias"),
        ({"attention_dropout": 2}, "attention_dropout"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "architectures"),
        ({"layer_types": ["linear_attention"] * 2}, "layer_types"),
        ({"model_type": "lama"}, "Did you mean 'llama'?"),
        ({"clip_qkv": 8.0}, "clip_qkv"),
    ],
)  # fmt: skip
def test_a_field_that_is_not_understood_is_named(change, told):
    with pytest.raises(ConfigError, match="config") as caught:
        from_config(LLAMA | change, "model")
    assert told in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "missing", ["hidden_size", "num_hidden_layers", "vocab_size", "intermediate_size", "model_type"]
)
def test_a_field_that_is_missing_is_named(missing):
    config = {name: value for name, value in LLAMA.items() if name != missing}
    with pytest.raises(ConfigError, match=missing):
        from_config(config, "model")


def test_more_chosen_experts_than_experts_are_refused():
    config = VARIANTS["mixtral"]["config"] | {"num_experts_per_tok": 9}
    with pytest.raises(ConfigError, match="num_experts_per_tok"):
        from_config(config, "model")


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "expected JSON"), ("[]", "an object of fields, found list"), ("", "expected JSON"),
     ('{"model_type": 3}', "model_type")],
)  # fmt: skip
def test_a_broken_file_is_told_with_its_place(tmp_path, text, told):
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_config_is_read_from_a_file_and_named_after_its_folder(tmp_path):
    folder = tmp_path / "my-llama"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    assert load(folder / "config.json").name == "my-llama"
    with pytest.raises(ConfigError, match="found a directory"):
        load(str(folder) + "/")
