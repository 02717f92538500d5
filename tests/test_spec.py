"""A model written by hand: TOML or a dict, all faults at once."""

import pytest

import symcost
from symcost.errors import ConfigError
from symcost.families import load
from symcost.model import Attention, Experts, FeedForward
from symcost.symbols import d, d_ff, d_k, h

SPEC = """
name = "mine"
norm = "layer"
tied = true
causal_mask = true

[attention]
positions = "rope"
grouped = true
biased = "QKV"

[feed_forward]
kind = "gelu"
biased = true

[numbers]
d = 512
L = 8
h = 8
h_kv = 2
v = 32000

[ties]
d_ff = "4*d"
d_k = "d/h"
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "spec.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_spec_says_what_a_model_is_made_of(written):
    model = load(written(SPEC))
    assert model.name == "mine" and model.numbers["h_kv"] == 2
    assert model.ties == {d_ff: 4 * d, d_k: d / h}
    (block,) = model.architecture.blocks
    assert block.attention == Attention("rope", grouped=True, biased="QKV")
    assert block.feed_forward == FeedForward("gelu", biased=True)


def test_its_parameters_are_those_added_up_by_hand(written):
    """A block: two norms, four projections with three biases, two matrices with two biases."""
    attention = 2 * 512 * 512 + 2 * 512 * 128 + 512 + 2 * 128
    feeds = 2 * 512 * 2048 + 2048 + 512
    by_hand = 32000 * 512 + 2 * 512 + 8 * (4 * 512 + attention + feeds)
    assert symcost.derive(load(written(SPEC)))["parameters"].at() == by_hand


def test_a_spec_may_begin_with_another_model():
    model = load({"like": "llama-3-8b", "numbers": {"L": 4}, "experts": {"normalised": True}})
    assert model.numbers["L"] == 4 and model.numbers["d"] == 4096
    (block,) = model.architecture.blocks
    assert block.attention == Attention("rope", grouped=True) and block.feed_forward == Experts(
        normalised=True
    )


def test_several_kinds_of_block_are_a_list():
    kinds = [
        {"name": "dense", "times": "L_dense"},
        {"name": "moe", "times": "L_moe", "experts": {"shared": True}},
    ]
    model = load({"blocks": kinds, "numbers": {"L_dense": 1, "L_moe": 3}})
    assert [block.place for block in model.architecture.blocks] == ["block.dense", "block.moe"]


def test_what_is_frozen_and_adapted_is_a_key():
    model = load({"like": "llama-2-7b", "lora": {"r": 16, "on": ["Q", "V"]}, "quantised": "nf4"})
    assert symcost.derive(model)["gradient_memory"].at() == 4 * 8_388_608
    assert load({"freeze": ["embedding"]}).architecture.frozen == ("embedding",)


def test_every_fault_is_told_at_once_with_its_field():
    wrong = {
        "nrom": "rms",
        "tied": "yes",
        "attention": {"groupd": True},
        "feed_forward": {"kind": "swigl"},
        "numbers": {"d": -3},
    }
    with pytest.raises(ConfigError) as caught:
        load(wrong)
    told = str(caught.value)
    for each in (
        "nrom: this field is not understood. Did you mean 'norm'?",
        "tied: expected true or false, found 'yes'",
        "attention.groupd: this field is not understood. Did you mean 'grouped'",
        "feed_forward.kind: expected 'swiglu'",
        "numbers.d: expected a positive whole number, found -3",
    ):
        assert each in told
    assert "\n" not in told and "pydantic" not in told


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"numbers": {"d_fff": 4}}, "Did you mean 'd_ff'"),
        ({"ties": {"d_ff": "4*zz"}}, "ties.d_ff"),
        ({"ties": {"d_ff": "4*d"}, "numbers": {"d_ff": 8}}, "give one of the two"),
        ({"like": "llma"}, "Did you mean 'llama'"),
        ({"freeze": ["embed"]}, "Did you mean 'embedding'"),
        ({"lora": {"on": ["Z"]}}, "no matrix"),
        ({"blocks": 3}, "blocks: expected a list"),
        ({"blocks": [{"times": "L_x"}]}, "L_x"),
        ({"numbers": {"d": True}}, "numbers.d"),
        ({"numbers": {"d": 4.5}}, "numbers.d"),
    ],
)
def test_a_fault_names_its_field_and_the_mend(spec, told):
    with pytest.raises(ConfigError) as caught:
        load(spec)
    assert told in str(caught.value)


def test_broken_toml_is_told_with_its_place(written):
    with pytest.raises(ConfigError, match="expected TOML"):
        load(written("[attention"))


def test_a_form_from_a_spec_is_read_and_never_run():
    with pytest.raises(ConfigError):
        load({"ties": {"d_ff": "__import__('os').getcwd()"}})
