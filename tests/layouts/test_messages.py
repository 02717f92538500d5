"""Messages that follow from axes: what is gathered, summed, exchanged, and which op asks for it."""

import pytest
from sympy import expand, simplify

import symcost
from symcost.layouts import Layout, Split
from symcost.symbols import SYMBOLS

b, c, d, d_ff, h, h_kv, d_k, v, k, L = (
    SYMBOLS[name] for name in ["b", "c", "d", "d_ff", "h", "h_kv", "d_k", "v", "k", "L"]
)
tp, cp, ep, dp, accumulation = (SYMBOLS[name] for name in ["tp", "cp", "ep", "dp", "accumulation"])


def messages(layout, model="gpt", under="megatron-2022", **given):
    return symcost.derive(model, under=under, layout=layout, given=given).derivation.messages


def told(found):
    """Kind and tensor of each message, in the order of the step."""
    return [(message.kind, message.tensor) for message in found]


def of_block(found, when):
    return [each for each in found if each.place.startswith("block") and each.when == when]


def test_sequence_parallelism_gathers_before_a_layer_and_scatters_after_it():
    """Korthikanti et al. 2022, section 4.2.2 and figure 5."""
    found = messages("megatron-tp-sp")
    assert told(of_block(found, "forward")) == [
        ("all-gather", "x_norm"), ("reduce-scatter", "y"), ("all-gather", "x_ffin"), ("reduce-scatter", "z"),
    ]  # fmt: skip


def test_on_the_way_back_the_kept_part_is_gathered_a_second_time():
    """Section 4.2.2: Y is not kept whole; an extra all-gather is done on the way back."""
    found = of_block(messages("megatron-tp-sp"), "backward")
    assert sorted(told(found)) == sorted(
        [
            ("all-gather", "∂z"), ("all-gather", "x_ffin"), ("reduce-scatter", "∂x_ffin"),
            ("all-gather", "∂y"), ("all-gather", "x_norm"), ("reduce-scatter", "∂x_norm"),
        ]
    )  # fmt: skip


def test_sequence_parallelism_sends_as_much_as_all_reduces_do_but_for_the_second_gather():
    def sent(layout):
        costs = symcost.derive("gpt", under="megatron-2022", layout=layout)
        return sum(
            each.sent(costs.layout) for each in costs.derivation.messages
            if each.place.startswith("block") and each.when != "update" and each.tensor not in extra
        )  # fmt: skip

    extra = set()
    reduced, everything = sent("megatron-tp"), sent("megatron-tp-sp")
    assert simplify(everything - reduced - 2 * b * c * d * (tp - 1) / tp) == 0


def test_gains_of_norms_are_summed_where_tokens_are_split_and_nowhere_else():
    assert {each.tensor for each in messages("megatron-tp-sp") if each.when == "update"} == {
        "∂g", "∂s", "∂bias_y", "∂bias_z", "∂W_P",
    }  # fmt: skip
    assert not [each for each in messages("megatron-tp") if each.when == "update"]


def test_a_split_vocabulary_sends_rows_of_the_loss_and_not_the_logits():
    """Shoeybi et al. 2019, section 3: b × s in place of b × s × v; the row's largest and its sum."""
    head = [
        each for each in messages("megatron-tp") if each.place.startswith("head") and each.when == "forward"
    ]
    assert [(each.kind, each.tensor, each.size) for each in head] == [
        ("all-reduce", "row_max", b * c), ("all-reduce", "row_sum", b * c), ("all-reduce", "loss", 1),
    ]  # fmt: skip


def test_rows_of_a_split_table_are_looked_up_where_they_lie_and_added():
    """Shoeybi et al. 2019, section 3: an all-reduce after the input embedding."""
    found = [each for each in messages("megatron-tp") if each.asks == "embedding.x_0"]
    assert [(each.kind, each.size) for each in found] == [("all-reduce", b * c * d)]


def test_a_block_computed_again_sends_again_but_for_what_its_end_makes():
    """All is run again under the textbook; PyTorch stops before the last product, and so before its
    all-reduce.
    """
    textbook = of_block(messages("megatron-tp", under="megatron-2022+checkpoint"), "second run")
    assert told(textbook) == [("all-reduce", "y"), ("all-reduce", "z")]
    eager = of_block(messages("megatron-tp", model="llama", under="torch-eager+checkpoint"), "second run")
    assert told(eager) == [("all-reduce", "y")]


def test_attention_computed_again_sends_nothing():
    """Korthikanti et al. 2022, section 5: heads are split."""
    assert not [
        each for each in messages("megatron-tp", under="megatron-2022+selective") if each.when == "second run"
    ]


def test_keys_and_values_pass_round_the_ring_once_forward():
    """Liu et al. 2023: every block of keys and values visits every device: (cp − 1)/cp of both, at their
    own heads.
    """
    found = [
        each for each in messages("cp-ring", model="llama", under="textbook+flash") if each.when == "forward"
    ]
    ring = [each for each in found if each.kind == "ring"]
    assert sum(each.size for each in ring) == 2 * b * h_kv * c * d_k
    assert told(found) == [*told(ring), ("all-reduce", "loss")]


def test_gradients_of_keys_and_values_pass_round_the_ring_too():
    found = [
        each for each in messages("cp-ring", model="llama", under="textbook+flash") if each.when == "backward"
    ]
    assert {(each.kind, each.tensor.startswith("∂")) for each in found} == {("ring", False), ("ring", True)}
    assert expand(sum(each.size for each in found) - 4 * b * h_kv * c * d_k) == 0


def test_ulysses_exchanges_queries_keys_values_and_the_result():
    """Jacobs et al. 2023, section 3.2: 4·N·h/P elements a block, each device holding N/P tokens; their
    gradients as many.
    """
    for when in ("forward", "backward"):
        found = of_block(messages("ulysses", model="gpt"), when)
        assert [each.kind for each in found] == ["all-to-all"] * 4
        assert expand(sum(each.size for each in found) - 4 * b * c * h * d_k / cp) == 0


def test_what_came_in_exchange_is_kept_beside_what_was_sent_where_gradients_read_both():
    """Flash attention's gradient reads O by heads, that of W_O by tokens."""
    kept = symcost.derive("gpt", under="textbook+flash", layout="ulysses")["saved_activations"]
    readers = [term.reason.split(":")[0] for term in kept if term.tensor == "O"]
    assert readers == ["block.attention.O", "block.attention.y"]
    assert {term.amount for term in kept if term.tensor == "O"} == {b * c * d / cp}


def test_experts_exchange_tokens_twice_each_way():
    """Lepikhin et al. 2020, GShard, section 3.2: an all-to-all before and one after the experts; besides
    them goes one weight for each token and expert.
    """
    found = messages("ep", model="mixtral-8x7b", under="textbook")
    for when in ("forward", "backward"):
        tokens = [each for each in of_block(found, when) if each.size == b * c * k * d]
        assert [each.kind for each in tokens] == ["all-to-all"] * 2
    assert {each.size for each in found if each.kind == "all-to-all"} == {b * c * k * d, b * c * k}


def test_gradients_of_experts_stay_where_the_experts_are():
    updated = {
        each.tensor
        for each in messages("ep", model="mixtral-8x7b", under="textbook")
        if each.when == "update"
    }
    assert not updated & {"∂W_1", "∂W_2", "∂W_3"}
    assert "∂W_R" in updated


def test_with_data_parallelism_besides_experts_are_summed_over_it_alone():
    over = {each.tensor: each.over for each in messages("ep+ddp", model="mixtral-8x7b", under="textbook")
            if each.when == "update"}  # fmt: skip
    assert over["∂W_1"] == ("dp",)
    assert set(over["∂W_R"]) == {"dp", "ep"}


def test_a_tied_table_is_summed_between_the_first_and_the_last_stage():
    """Narayanan et al. 2021 hold the table on both; LLaMA's is not tied."""
    first = messages("pp-1f1b", model="gpt")
    assert [each.size for each in first if each.when == "update"] == [v * d]
    assert not [each for each in messages("pp-1f1b", model="llama") if each.when == "update"]


@pytest.mark.parametrize("axis", ["d_ff", "h"])
def test_splitting_one_width_alone_takes_one_all_reduce_each_way(axis):
    """No layer knows of it: a layout made by hand, of one rule."""
    one = Layout("one", ("tp",), (Split(axis, "tp"),))
    found = messages(one)
    assert [each.kind for each in found] == ["all-reduce"] * 2
    assert {each.size for each in found} == {b * c * d}


def test_messages_of_a_token_depend_on_neither_batch_nor_context():
    """Four all-reduces of bsh elements a block, each sent twice but for one part (Shoeybi et al. 2019)."""
    terms = symcost.derive("gpt", under="megatron-2022", layout="megatron-tp")["message_bytes_per_token"]
    block = terms.of("block").total
    assert simplify(block - 4 * 2 * 2 * d * (tp - 1) / tp) == 0
    assert terms.unit == "bytes/token"


def test_every_message_names_the_op_that_asks_and_why():
    terms = symcost.derive("gpt", layout="megatron-tp-sp+pp-1f1b+zero-1")["message_bytes"]
    assert all(" for " in str(term.because) and ":" in str(term.because) for term in terms)


def test_every_parameter_is_gathered_anew_for_the_way_back():
    """Rajbhandari et al. 2020, section 7.2.2; a norm's gradient reads its gain."""
    found = messages("zero-3", model="llama", under="torch-eager")
    ways = [
        sorted((each.tensor, each.place) for each in found if each.kind == "all-gather" and each.when == when)
        for when in ("forward", "backward")
    ]
    assert ways[0] == ways[1]


def test_gathered_parameters_are_gathered_for_every_micro_batch_and_updated_once():
    costs = symcost.derive("llama", layout="zero-3", given={"accumulation": "accumulation"})
    found = [each for each in costs.derivation.messages if each.tensor in ("W_1", "∂W_1")]
    assert [(each.when, each.times) for each in found] == [
        ("forward", L * accumulation), ("backward", L * accumulation), ("update", L),
    ]  # fmt: skip
