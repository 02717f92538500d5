"""Two counts held against each other: what is said, what is refused, and where they cross."""

from fractions import Fraction

import pytest
from sympy import Rational

from symcost.compare import compare, showing
from symcost.compare.saying import sentence
from symcost.errors import UnknownName, UsageError
from symcost.symbols import NOTATIONS, L, M, N, b, c, d, dp, h, v
from symcost.tables.tools import BATCH_FLOPS, TOOLS

NARAYANAN = "96*b*c*L*d**2*(1+c/(6*d)+v/(16*L*d))"  # Narayanan et al. 2021, section 5.1


def only(*sides, **options):
    (found,) = compare(*sides, **options)
    return found


def text(found, notation="lecture"):
    return "\n".join(showing.rows(found, NOTATIONS[notation]))


def test_6nd_and_megatron_differ_by_half_of_attention_and_the_look_up():
    found = only("6ND", "megatron-lm", model="llama-2-7b", given={"c": 4096})
    assert sentence(found) == (
        "They are equal but for half the score and value products, the embedding look-up and what is below 0.1 %."
    )
    assert found.difference == -6 * L * b * c**2 * d + 12 * L * b * c * d + 6 * b * c * d * v + 6 * b * c * d


def test_they_cross_where_half_of_attention_is_as_much_as_the_look_up():
    """6·b·c·d·v + 6·b·c·(2Ld + d) = 6·L·b·c²·d, solved on paper."""
    crossing = only("6ND", "megatron-lm", model="llama-2-7b").crossings[0]
    assert (crossing.letter, crossing.form) == ("c", (v + 2 * L + 1) / L)
    assert crossing.before is True and crossing.value == Fraction(32000 + 64 + 1, 32)


def test_narayanan_s_formula_is_the_exact_count_and_one_more_forward_pass_of_the_blocks():
    found = only(NARAYANAN, "pytorch", model="gpt2-xl")
    assert found.difference == 24 * L * b * c * d**2 + 4 * L * b * c**2 * d
    assert sentence(found).startswith("They are equal but for one forward pass of the ")
    assert "head" not in sentence(found)


def test_the_same_formula_may_stand_in_megatron_s_letters():
    theirs = only(
        "96*b*s*l*h**2*(1+s/(6*h)+V/(16*l*h))", "narayanan-2021", model="gpt2-xl", notation="megatron"
    )
    assert not theirs.differing


def test_6nd_in_text_is_taken_apart_by_the_model_s_parameters():
    """The rule and the tool of that name agree part by part, tied or not, with experts or without."""
    for model in ("llama-2-7b", "gpt2", "mixtral-8x7b"):
        assert not only("6*N*D", "6ND", model=model).differing


def test_an_exact_count_and_6nd_differ_by_attention_and_what_is_no_product():
    found = only("6ND", "textbook", model="gpt2")
    parts = {row.name: row.difference for row in found.differing}
    assert parts["score and value products"] == -12 * L * b * c**2 * d
    assert set(parts) == {"score and value products", "learned positions", "norm gains", "norm shifts", "biases",
                          "final norm's gain"}  # fmt: skip


def test_a_tied_embedding_is_the_head_s_and_an_untied_one_a_look_up():
    tied, untied = (only("6ND", "pytorch", model=model) for model in ("gpt2", "llama-2-7b"))
    assert "embedding look-up" not in {row.name for row in tied.differing}
    assert "embedding look-up" in {row.name for row in untied.differing}


@pytest.mark.parametrize(
    ("option", "times", "words"),
    [
        ("textbook+causal", Rational(3, 2), "half the score and value products"),
        ("textbook+flash", Rational(7, 2), "the scores that flash attention makes again"),
        ("textbook+checkpoint", 4, "one forward pass of the attention projections, score and value products and "
                                   "feed-forward layers"),
    ],
)  # fmt: skip
def test_an_option_of_a_convention_is_named_by_what_it_changes(option, times, words):
    found = only("textbook", option, model="cs190c", quantity=BATCH_FLOPS)
    assert found.second.times["score and value products"] == times
    assert words in sentence(found)


def test_textbook_and_pytorch_keep_other_tensors():
    kept, _ = compare("textbook", "torch-eager", model="cs190c")
    only_there = {row.name: row.second for row in kept.differing if row.first == 0}
    assert only_there["silu_G (block.mlp)"] == 4 * L * b * c * d
    assert only_there["x_hat (block.norm_1)"] == L * b * c * d
    assert "silu_G (block.mlp)" in sentence(kept)


def test_one_optimizer_against_another_is_told_state_by_state():
    memory, flops = compare("adamw", "adamw-8bit", model="cs190c")
    assert {row.name for row in memory.differing} == {"m", "v", "master"}
    assert not flops.differing


def test_two_models_of_one_form_differ_in_their_numbers():
    parameters = compare("llama-2-7b", "llama-2-13b")[0]
    assert parameters.values == (6_738_415_616, 13_015_864_320)  # the published checkpoints
    assert "d is 4096 and 5120, L is 32 and 40" in sentence(parameters)


def test_zero_spreads_over_devices_what_its_stage_says():
    found = only("zero-stage-1", "zero-stage-2")
    assert [row.name for row in found.differing] == ["gradients"]
    assert found.differing[0].difference == 2 * N - 2 * N / dp


def test_a_layout_of_the_engine_agrees_with_the_paper_s_recipe():
    found = only("zero-stage-3", "zero-3,dp=8", model="llama-2-7b", precision="mixed-16")
    assert not found.differing


def test_two_formulas_are_compared_without_a_model():
    found = only("b*c*d*(20+c*h/d)", "20*b*c*d+b*h*c**2")
    assert not found.differing and sentence(found).endswith("are equal.")
    found = only("20*b*c*d", "20*b*c*d+b*h*c**2")
    assert found.difference == -b * h * c**2


def test_a_count_may_be_held_against_bytes():
    assert only("4*N", "M").difference == 4 * N - M


def test_the_table_names_parts_forms_and_sources():
    shown = text(only("6ND", "megatron-lm", model="llama-2-7b", given={"b": 1, "c": 4096}))
    assert "score and value products  0" in shown
    assert "−7.5 %" in shown and "−5.7 % of megatron-lm" in shown
    assert "They cross at c = (2L + v + 1)/L = 1,002.03; below that 6ND is larger." in shown
    assert "Kaplan et al. 2020" in shown


def test_a_table_can_be_written_in_another_notation():
    shown = text(only("6ND", "megatron-lm", model="llama-2-7b", notation="megatron"), "megatron")
    assert "6ls²bh" in shown


def test_json_is_plain():
    import json

    data = only("6ND", "megatron-lm", model="llama-2-7b", given={"b": 1, "c": 4096}).to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["first"]["value"] == 165_603_302_178_816
    assert [part["part"] for part in data["parts"] if part["difference"] == "-6*L*b*c**2*d"] == [
        "score and value products"
    ]


def test_every_tool_has_a_source_and_counts_what_the_model_has():
    for tool in TOOLS.values():
        assert len(tool.source) > 10 and tool.counts
        for quantity in tool.quantities:
            (found,) = compare(tool.name, tool.name, model="mixtral-8x7b", quantity=quantity)
            assert found.first.total != 0 and not found.differing


@pytest.mark.parametrize(
    ("sides", "answer"),
    [
        (("M/(n*peak)", "6*N*D"), "they cannot be compared"),
        (("M", "C"), "M is in byte and C in FLOP: they cannot be compared"),
        (("textbook", "adamw"), "textbook is a convention and adamw an optimizer: nothing to compare"),
        (
            ("zero-stage-2", "6ND"),
            "zero-stage-2 counts static_memory, 6ND FLOPs of one batch: nothing to compare",
        ),
        (("20*b*c*d", "textbook"), "Say which, as in --quantity saved_activations"),
        (("6*N*z", "6ND"), "'6*N*z': column 5: 'z' is not in the glossary"),
    ],
)
def test_what_has_nothing_in_common_is_refused_in_one_line(sides, answer):
    with pytest.raises(UsageError, match=None) as caught:
        compare(*sides)
    assert answer in str(caught.value) and "\n" not in str(caught.value)


def test_a_name_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'megatron-lm'"):
        compare("megatronlm", "6ND")


def test_a_tool_is_asked_only_for_what_it_counts():
    with pytest.raises(UsageError, match="levanter does not count parameters, but FLOPs of one batch"):
        compare("levanter", "6ND", quantity="parameters")


def test_scores_are_counted_once_for_each_pair_of_tokens():
    """Levanter counts a mask of 3 operations a score, three times over for forward and backward."""
    found = only("levanter", "pytorch", model="llama-2-7b")
    assert found.difference == 9 * L * b * h * c**2
