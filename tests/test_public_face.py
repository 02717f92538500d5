"""The names that people and scripts hold on to: what `import symcost` offers, and the shape of its data."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping
from fractions import Fraction

import pytest
from sympy import Symbol, expand

import symcost
from symcost.symbols import L, b, c, d, h, v

LECTURE = {"b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32000}
REST = {name: value for name, value in LECTURE.items() if name != "b"}
RUN = {"D": 1.03e8, "epochs": 5, "n": 4, "peak": 35.6e12, "MFU": 0.5, "price": 1.8}
QUANTITIES = (
    "parameters",
    "parameter_memory",
    "gradient_memory",
    "optimizer_memory",
    "activation_memory",
    "static_memory",
    "memory_per_sequence",
    "peak_memory",
    "worst_moment_memory",
    "saved_activations",
    "forward_flops",
    "backward_flops",
    "recompute_flops",
    "optimizer_flops",
    "step_flops",
    "flops_per_token",
    "training_flops",
    "steps",
    "training_time",
    "gpu_hours",
    "cost",
    "kv_cache_memory",
)


@pytest.fixture(scope="module")
def costs():
    return symcost.derive(
        symcost.load("cs190c"), under="textbook", given={}, optimizer="adamw", precision="fp32"
    )


@pytest.fixture(scope="module")
def memory(costs):
    return costs["peak_memory"]


@pytest.fixture(scope="module")
def limit(memory):
    return symcost.solve(memory, "b", at_most=symcost.GPUS["rtx-3090"].memory, given=REST)


# ---------------------------------------------------------------------------------------- the names


@pytest.mark.parametrize(
    "name", ["load", "derive", "solve", "check", "report", "GPUS", "SymcostError", "__version__"]
)
def test_a_public_name_is_there_and_listed(name):
    assert getattr(symcost, name) is not None
    assert name in dir(symcost)


def test_the_version_is_a_plain_number():
    assert all(part.isdigit() for part in symcost.__version__.split("."))


def test_a_name_that_there_is_not_is_pythons_own_error():
    with pytest.raises(AttributeError, match="no attribute 'resolve'"):
        getattr(symcost, "resolve")  # noqa: B009


def test_importing_a_room_does_not_hide_the_function_of_its_name():
    import symcost.check
    import symcost.derive
    import symcost.report
    import symcost.solve

    assert all(callable(getattr(symcost, name)) for name in ("derive", "solve", "check", "report"))


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_promised_quantity_can_be_asked_for(costs, quantity):
    terms = costs[quantity]
    assert terms.quantity == quantity and terms.unit
    assert isinstance(terms.at(**LECTURE, **RUN), int | Fraction)


def test_costs_are_a_mapping_of_quantities(costs):
    assert isinstance(costs, Mapping)
    assert set(QUANTITIES) <= set(costs)
    assert len(costs) == len(list(costs))


def test_a_quantity_that_there_is_not_is_answered_with_the_nearest(costs):
    with pytest.raises(
        symcost.SymcostError, match=r"'peak_memroy' is not a quantity\. Did you mean 'peak_memory'"
    ):
        costs["peak_memroy"]


@pytest.mark.parametrize("name", ["llama-2-7b", "gpt2", "gpt2-xl"])
def test_a_published_model_has_numbers_of_its_own(name):
    assert symcost.derive(name)["parameters"].at() > 10**8


def test_a_model_may_be_a_name_a_dict_or_a_model(tmp_path):
    """A dict with model_type is the same as the config.json that holds it."""
    config = {"model_type": "llama", "hidden_size": 8, "intermediate_size": 32, "num_hidden_layers": 2,
              "num_attention_heads": 2, "vocab_size": 10, "tie_word_embeddings": False}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = symcost.load(config)
    ways = [config, loaded, tmp_path / "config.json", str(tmp_path / "config.json")]
    totals = {symcost.derive(way)["parameters"].at() for way in ways}
    assert totals == {2 * 10 * 8 + 8 + 2 * (4 * 8 * 8 + 3 * 8 * 32 + 2 * 8)}


# ------------------------------------------------------------------------------------------- scopes


@pytest.mark.parametrize(
    ("scope", "form"),
    [
        ("model", L * (20 * b * c * d + b * h * c**2) + 2 * b * c * d + b * c * v),
        ("block", 20 * b * c * d + b * h * c**2),
        ("block.attention", 5 * b * c * d + b * h * c**2),
        ("block.mlp", 13 * b * c * d),
        ("block.norm_1", b * c * d),
        ("block.norm_2", b * c * d),
        ("embedding", 0),
        ("final_norm", b * c * d),
        ("head", b * c * d + b * c * v),
        ("block.attention.P", b * h * c**2),
        ("head.logits", b * c * v),
    ],
)
def test_every_promised_scope(costs, scope, form):
    """CS190C lecture 9, part 1.2."""
    assert expand(costs["saved_activations"].of(scope).total - form) == 0


# ------------------------------------------------------------------------------------------- values


def test_forms_stay_in_letters(memory):
    assert {symbol.name for symbol in memory.total.free_symbols} == set(LECTURE)
    assert {term.times for term in memory.terms} == {1, L}


def test_a_value_is_an_int_where_it_is_whole_and_else_a_fraction(costs, memory):
    assert memory.at(**LECTURE) == 5_617_631_232 and type(memory.at(**LECTURE)) is int
    seconds = costs["training_time"].at(**LECTURE, **RUN)
    assert type(seconds) is Fraction and round(float(seconds), 2) == 10_460.76


def test_a_float_is_read_as_it_is_written(costs):
    """0.1 is a tenth, not 0.1000000000000000055."""
    time = costs["training_time"]
    assert time.at(**LECTURE, **{**RUN, "MFU": 0.1}) == time.at(**LECTURE, **{**RUN, "MFU": Fraction(1, 10)})


def test_the_same_derivation_gives_the_same_terms_again(costs):
    again = symcost.derive("cs190c")
    assert [term.to_dict() for term in again["peak_memory"]] == [
        term.to_dict() for term in costs["peak_memory"]
    ]


# --------------------------------------------------------------------------------------- plain data


def test_terms_turn_into_the_promised_dict(costs):
    data = json.loads(json.dumps(costs["saved_activations"].to_dict()))
    assert {key: data[key] for key in ("unit", "scope", "value")} == {
        "unit": "elements",
        "scope": "model",
        "value": None,
    }
    assert data["expression"] == "L*(20*b*c*d + b*h*c**2) + 2*b*c*d + b*c*v"
    assert data["latex"] == r"L\left(20bcd+bhc^2\right)+\left(2bcd+bcv\right)"
    assert data["terms"][1] == {
        "amount": "b*c*d", "times": "L", "tensor": "x_norm", "place": "block.attention",
        "because": "block.attention.Q: ∂W_Q = x_normᵀ·∂Q; also read by block.attention.K, block.attention.V",
    }  # fmt: skip
    assert all(set(term) == {"amount", "times", "tensor", "place", "because"} for term in data["terms"])


def test_costs_turn_into_the_promised_dict(costs):
    data = json.loads(json.dumps(costs.to_dict("saved_activations")))
    assert data["model"] == "cs190c" and data["convention"] == "textbook" and data["given"] == {}
    assert list(data["quantities"]) == ["saved_activations"]


def test_a_limit_turns_into_the_promised_dict(limit):
    data = json.loads(json.dumps(limit.to_dict()))
    assert (data["for"], data["quantity"], data["limit"], data["unit"]) == (
        "b",
        "peak_memory",
        25_769_803_776,
        "bytes",
    )
    assert data["form"].startswith("(M - ") and data["latex"].startswith(r"\frac{M-")
    top, bottom = map(int, data["value"].split("/"))
    assert data["floor"] == top // bottom == 63
    proof = data["certificate"]
    assert proof["k"] == 63 and proof["at_k"] <= data["limit"] < proof["at_next"]
    assert data["left"] == data["limit"] - proof["at_k"]


def test_a_limit_has_form_value_floor_and_certificate(limit, memory):
    assert limit.floor == 63 and limit.certificate.k == 63
    assert Symbol("M", positive=True) in limit.form.free_symbols
    assert 63 < limit.value < 64
    assert limit.certificate.at_k == memory.at(b=63, **REST)
    assert limit.certificate.at_next == memory.at(b=64, **REST)


# --------------------------------------------------------------------------- pickling and notebooks


@pytest.mark.parametrize(
    "under", ["textbook", "every-output", "megatron-2022", "torch-eager+flash", "torch-compile+checkpoint"]
)
def test_terms_survive_pickling_and_copying(under):
    for terms in symcost.derive("gpt", under=under).values():
        for again in (pickle.loads(pickle.dumps(terms)), copy.deepcopy(terms)):
            assert again == terms
            assert again.total == terms.total
            assert [str(term.because) for term in again] == [str(term.because) for term in terms]


def test_a_limit_survives_pickling(limit):
    again = pickle.loads(pickle.dumps(limit))
    assert again.to_dict() == limit.to_dict() and again.latex() == limit.latex()


def test_a_notebook_shows_a_form_as_latex_and_its_terms_as_a_table(costs):
    saved = costs["saved_activations"].of("block.mlp")
    assert saved._repr_latex_() == "$13bcd$"
    table = saved._repr_html_()
    assert table.startswith("<table>") and table.endswith("</table>")
    assert table.count("<tr>") == 1 + len(saved) and "∂W_2 = Hᵀ·∂z" in table
    assert str(saved) == "13bcd"


def test_what_stands_in_a_table_cannot_become_markup(costs):
    """A model's name comes from a file that a stranger wrote."""
    from dataclasses import replace

    nasty = replace(costs["parameters"], scope="<script>alert(1)</script>")
    assert "<script>" not in nasty._repr_html_()


def test_a_notebook_shows_a_limit_as_latex(limit):
    assert limit._repr_latex_().startswith(r"$b_{\max} = \frac{M-")


# ---------------------------------------------------------------------------------------- notations


@pytest.mark.parametrize(
    ("notation", "latex"),
    [
        ("lecture", r"L\left(32bcd^2+4bc^2d\right)+2bcdv"),
        ("megatron", r"l\left(32sbh^2+4s^2bh\right)+2sbhV"),
    ],
)
def test_the_same_form_is_printed_in_the_letters_of_a_source(costs, notation, latex):
    assert costs["forward_flops"].latex(notation) == latex


def test_the_order_of_letters_and_terms_is_the_notations():
    """Korthikanti et al. 2022, equation 1: sbh(34 + 5as/h), written out."""
    memory = symcost.derive("gpt", under="megatron-2022", given={"d_ff": "4*d"})["activation_memory"].of(
        "block"
    )
    assert memory.latex("megatron") == "34sbh+5as^2b"
    assert memory.latex() == "34bcd+5bhc^2"


# -------------------------------------------------------------------------------------- the lecture


def test_llama_2_7b_from_its_config():
    """Touvron et al. 2023; totals counted on the Hugging Face model itself."""
    costs = symcost.derive("llama-2-7b")
    assert costs["parameters"].at() == 6_738_415_616
    assert costs["forward_flops"].at(b=1, c=4096) == 62_921_270_886_400


@pytest.mark.parametrize(
    ("optimizer", "bytes_each"),
    [("adamw", 8), ("adamw-master", 12), ("adamw-8bit", 6), ("sgd-momentum", 8)],
)
def test_an_optimizers_bytes_for_each_parameter(optimizer, bytes_each):
    """Two moments; a master copy besides; 8-bit moments and a master copy; momentum and a master copy."""
    precision = "fp32" if optimizer == "adamw" else "mixed-16"
    costs = symcost.derive("cs190c", optimizer=optimizer, precision=precision)
    assert expand(costs["optimizer_memory"].total - bytes_each * costs["parameters"].total) == 0


@pytest.mark.parametrize(("optimizer", "flops_each"), [("adamw", 15), ("adamw-torch", 14)])
def test_an_optimizers_flops_for_each_parameter(optimizer, flops_each):
    """The lecture's 3 + 4 + 5 + 3; PyTorch's loop makes one less."""
    costs = symcost.derive("cs190c", optimizer=optimizer)
    assert expand(costs["optimizer_flops"].total - flops_each * costs["parameters"].total) == 0
