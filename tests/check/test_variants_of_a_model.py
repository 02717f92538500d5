"""What a document says of a variant of its model, what it spares, and what follows: right as it stands, and with a slip."""

import pytest

from symcost.check import check_text

GROUPED = (
    "The model has `L = 32` layers, width `d = 4096`, `n_q = 32` query heads, `n_kv = 8` key/value heads and a head dimension "
    "`d_h = 128`; `s` is the context length. bf16 throughout.\n\n"
)


def verdicts(text):
    return [each.verdict for each in check_text(f"{GROUPED}{text}", "a.md")][5:]


def said(text):
    """The verdict of the last formula of a text."""
    return verdicts(text)[-1]


@pytest.mark.parametrize(
    "right, wrong",
    [
        (  # what grouped heads spare
            "## How many parameters does GQA save?\n\nOnly the K and V projections shrink: `2*d*(n_q - n_kv)*d_h` per layer.",
            "## How many parameters does GQA save?\n\nOnly the K and V projections shrink: `4*d*(n_q - n_kv)*d_h` per layer.",
        ),
        (  # a unit between a form and its number
            "KV cache per token: `4*L*n_kv*d_h` bytes = 131,072 B.",
            "KV cache per token: `4*L*n_kv*d_h` bytes = 262,144 B.",
        ),
        (  # what somebody says before is no word about the form
            '## FLOPs of attention for one new token\n\n"Attention is linear here", so we write `4*L*s*d` per new '
            "token over all layers.",
            '## FLOPs of attention for one new token\n\n"Attention is quadratic", so he writes `4*L*s^2*d` per new '
            "token over all layers.",
        ),
    ],
)
def test_a_right_form_holds_and_a_slip_in_it_differs(right, wrong):
    assert said(right) == "holds"
    assert said(wrong) == "differs"


def test_the_sizes_of_a_variant_are_those_of_its_paragraph():
    variant = "MQA sets `n_kv = 1`: then the cache takes `4*L*n_kv*d_h` = 16,384 bytes per token."
    own = "\n\nThe KV cache of a token takes `4*L*n_kv*d_h` = "
    assert verdicts(f"{variant}{own}131,072 bytes.")[-2:] == ["holds", "holds"]
    assert said(f"{variant}{own}16,384 bytes.") != "holds"


@pytest.mark.parametrize("share, verdict", [("7.0%", ["holds"]), ("9.0%", [])])
def test_a_share_of_two_numbers_together(share, verdict):
    found = verdicts(f"In numbers 1.05e9 and 13.96e9, so the head is {share} of the two.")
    assert found[-1:] == verdict


def test_a_bandwidth_is_the_rate_that_was_stated():
    text = "The model has `N = 8.03e9` parameters. The card reads 3.35 TB/s, so a token takes `t ≈ 2*N/bandwidth`, that is "
    assert said(f"{text}4.8 ms.") == "holds"
    assert "holds" not in verdicts(f"{text}7.2 ms.")[-1:]


WIDE = (
    "- $L$ layers, $d$ width, $H$ heads of size $Q$, $F$ feed-forward width, $T$ tokens per sequence\n"
    "- $L=118$, $d=18432$, $H=48$, $Q=256$, $F=73728$, $T=2048$; multi-query attention, SwiGLU, no biases, one norm gain per "
    "layer and one at the end, table tied to the head\n\n"
)


@pytest.mark.parametrize(
    "label, form, verdict",
    [
        ("Parameters of the query and output projections of a layer", "2dHQ", "holds"),
        ("Parameters of the single key head and the single value head of a layer", "2dQ", "holds"),
        ("Forward FLOPs of the scores and the weighted sum of a layer, one sequence", "4T^2HQ", "holds"),
        ("Forward FLOPs of the attention of a layer, one sequence", "4TdQ(H+1) + 4T^2HQ", "holds"),
        ("Forward FLOPs of the attention of a layer, one sequence", "4TdQ(H+1) + 4T^2d", "differs"),
    ],
)
def test_one_key_head_and_heads_that_are_not_as_wide_as_the_model(label, form, verdict):
    assert check_text(f"{WIDE}{label}: ${form}$", "a.md")[-1].verdict == verdict


def test_gains_of_norms_are_counted_in_several_ways():
    model = "A GPT of $L$ layers, width $d$ and an MLP four times as wide, without biases. "
    assert check_text(f"{model}Parameters of a layer: $12d^2 + d$", "a.md")[-1].verdict != "differs"
    assert check_text(f"{model}Parameters of a layer: $10d^2 + 4d$", "a.md")[-1].verdict == "differs"
