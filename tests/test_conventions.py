"""Conventions are data: each has a source, and options change only what they say."""

import pickle

import pytest
from sympy import expand

from symcost import rules
from symcost.conventions import CONVENTIONS, OPTIONS, Work, convention
from symcost.derive import Derivation
from symcost.errors import UnknownName, UsageError
from symcost.lower import lower
from symcost.model import LETTERS, Architecture, Attention, Block
from symcost.symbols import L, b, c, d, d_ff, d_k, h, h_kv, v


def kept(model, under, place=""):
    """Bytes by tensor that one block (or another place) keeps, with d_k = d/h and all heads apart."""
    found = Derivation(lower(LETTERS[model].loss, convention(under))).activation_memory
    return {
        term.tensor: expand(term.amount.xreplace({d_k: d / h}).xreplace({h_kv: h}))
        for term in found
        if term.place.startswith(place)
    }


def flops(model, under, quantity):
    found = getattr(Derivation(lower(LETTERS[model].loss, convention(under))), quantity)
    return expand(sum(term.total for term in found).xreplace({d_k: d / h}))


@pytest.mark.parametrize("entry", [*CONVENTIONS.values(), *OPTIONS.values()], ids=lambda entry: entry.name)
def test_every_convention_and_option_names_its_source(entry):
    assert entry.source
    assert getattr(entry, "note", "") or entry.meaning


@pytest.mark.parametrize("base", CONVENTIONS)
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_goes_with_every_convention(base, option):
    found = convention(f"{base}+{option}")
    assert found.name == f"{base}+{option}"
    assert Derivation(lower(LETTERS["llama"].loss, found)).activation_memory


def test_a_convention_pickles():
    for name in CONVENTIONS:
        assert pickle.loads(pickle.dumps(convention(name))).name == name


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("texbook", UnknownName, "Did you mean 'textbook'"),
        ("textbook+flahs", UnknownName, "Did you mean 'flash'"),
        ("textbook+flash+flash", UsageError, "Say it once"),
    ],
)
def test_a_wrong_name_is_answered_with_the_mend(name, error, says):
    with pytest.raises(error, match=says):
        convention(name)


def test_a_kernel_keeps_one_number_a_row_instead_of_the_weights():
    """Dao et al. 2022, FlashAttention, algorithm 4."""
    eager, flash = kept("cs190c", "textbook"), kept("cs190c", "textbook+flash")
    assert eager.keys() - flash.keys() == {"P"}
    assert flash.keys() - eager.keys() == {"lse"}
    assert flash["lse"] == 4 * b * h * c


def test_kernels_of_a_gpu_keep_their_random_state_which_is_shown_apart():
    """Results of the operations on meta tensors: 24, 16 and 16 bytes a call."""
    for option, size in (("flash-gpu", 24), ("efficient", 16), ("cudnn", 16)):
        found = Derivation(
            lower(LETTERS["llama"].loss, convention(f"torch-eager+{option}"))
        ).activation_memory
        (state,) = (term for term in found if term.tensor == "random_state")
        assert state.amount == size
        assert "measured" in str(state.because)


def test_flash_on_top_of_flash_changes_nothing():
    assert kept("llama", "torch-fused+flash") == kept("llama", "torch-fused")


def test_selective_recomputation_drops_what_grows_with_the_square_of_the_context():
    """Korthikanti et al. 2022, section 5: 34sbh bytes are left of 34sbh + 5as²b."""
    tied = {d_ff: 4 * d}
    block = kept("gpt", "megatron-2022+selective", "block")
    assert expand(sum(block.values()).xreplace(tied)) == 34 * b * c * d
    assert expand(sum(kept("gpt", "megatron-2022", "block").values()).xreplace(tied)) == (
        34 * b * c * d + 5 * b * h * c**2
    )


def test_selective_recomputation_runs_both_products_of_the_core_again_and_flash_only_the_scores():
    assert flops("cs190c", "textbook+selective", "recompute_flops") == 4 * L * b * c**2 * d
    assert flops("cs190c", "textbook+flash", "recompute_flops") == 2 * L * b * c**2 * d


@pytest.mark.parametrize(("under", "copies"), [("autocast", 3), ("torch-eager+norm-fp32", 1)])
def test_readers_make_their_own_cast_under_autocast_and_share_one_in_transformers(under, copies):
    """Queries, keys and values read the norm's fp32 result in bf16."""
    found = Derivation(lower(LETTERS["llama"].loss, convention(under))).kept
    made = [kept.tensor.maker for kept in found if kept.tensor.name == "x_norm"]
    assert [step.rule for step in made] == [rules.CAST] * copies


def test_a_weights_cast_is_kept_once_for_each_block():
    """torch.autocast caches casts of parameters: 2(4d² + 3d·d_ff) bytes a block and 2dv for the head."""
    found = Derivation(lower(LETTERS["cs190c"].loss, convention("autocast"))).kept
    casts = [kept.tensor for kept in found if kept.tensor.learned]
    inside = sum(2 * cast.size.xreplace({d_k: d / h}) for cast in casts if cast.place.startswith("block"))
    assert expand(inside - 2 * (4 * d**2 + 3 * d * d_ff)) == 0
    assert [2 * cast.size for cast in casts if cast.place == "head"] == [2 * d * v]


def test_what_selective_checkpointing_keeps_is_chosen_by_the_kind_of_work():
    products = kept("cs190c", "torch-eager+keep-mm", "block")
    assert set(products) == {"x", "Q", "K", "V", "y", "G", "U", "z"}
    both = kept("cs190c", "torch-eager+keep-mm+keep-bmm", "block")
    assert set(both) - set(products) == {"scores", "O"}
    assert convention("torch-eager+keep-mm").keeps == {Work.PRODUCT}


def test_a_packed_projection_is_kept_whole_while_a_view_of_it_is_read():
    """A kernel reads V as a view; a batched product reads copies."""
    packed = Architecture((Block(Attention("rope", packed=True)),)).loss()
    names = {
        under: {kept.tensor.name for kept in Derivation(lower(packed, convention(under))).kept}
        for under in ("torch-eager", "torch-eager+flash")
    }
    assert "QKV" in names["torch-eager+flash"]
    assert "QKV" not in names["torch-eager"]
    assert "V" in names["torch-eager"]


def test_jax_takes_softmax_apart_and_pytorch_does_not():
    assert {"exponential", "row_sum", "1/row_sum^2", "P"} <= set(kept("cs190c", "jax", "block.attention"))
    assert rules.SOFTMAX in convention("torch-eager").whole
