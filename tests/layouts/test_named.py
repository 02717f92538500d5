"""Named layouts: each has a source, and what cannot be is named with what would do."""

import pytest

import symcost
from symcost.errors import SymcostError, UnknownName, UsageError
from symcost.layouts import COMPOSED, LAYOUTS, layout

ONE_DEVICE = (
    *("parameters", "static_memory", "activation_memory", "peak_memory", "kv_cache_memory"),
    *("inference_memory", "forward_flops", "step_flops"),
)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_has_a_source_and_says_what_it_does(name):
    assert LAYOUTS[name].source
    assert LAYOUTS[name].note


@pytest.mark.parametrize("name", COMPOSED)
def test_every_composition_has_a_source_and_is_made_of_layouts(name):
    parts = COMPOSED[name].parts.split("+")
    assert COMPOSED[name].source
    assert len(layout(name).mesh) == len(parts)
    assert set(parts) <= set(LAYOUTS)


@pytest.mark.parametrize("name", [*LAYOUTS, *COMPOSED])
def test_every_layout_has_costs(name):
    costs = symcost.derive("mixtral-8x7b", layout=name, under="textbook+flash")
    assert costs["peak_memory"].terms
    assert costs["step_flops"].terms


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "single"])
def test_a_mesh_of_one_device_is_the_model_itself(name):
    """Whatever the rules: with all sizes 1 every quantity is that of one device, and nothing is sent."""
    numbers = {"b": 3, "c": 32, "accumulation": 1, "chunks": 1}
    mesh = dict.fromkeys(("dp", "tp", "pp", "cp", "ep"), 1)
    costs = symcost.derive("mixtral-8x7b", layout=f"{name},stage=only", under="torch-eager", given={"n": 1})
    whole = symcost.derive("mixtral-8x7b", under="torch-eager")
    for quantity in ONE_DEVICE:
        assert costs[quantity].at(**numbers, **mesh) == whole[quantity].at(**numbers)
    if name not in ("zero-2", "zero-3", "fsdp", "hsdp"):  # a block of theirs is gathered even where it lies
        assert costs["worst_moment_memory"].at(**numbers, **mesh) == whole["worst_moment_memory"].at(
            **numbers
        )
    assert costs["message_bytes"].where(lambda term: "pp" not in str(term.because)).at(**numbers, **mesh) == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("megatron-tp,tp=3", ["tp = 3", "v = 32000", "Sizes that do: 1, 2, 4, 8, 16, 32"]),
        ("pp-1f1b,pp=33", ["pp = 33", "32 blocks", "Sizes that do: 1, 2, 4, 8, 16, 32"]),
        ("pp-1f1b,pp=5", ["pp = 5", "32 blocks", "blocks=7:7:6:6:6"]),
        ("megatron-tp+ddp,tp=4,dp=4,n=8", ["16 devices", "larger", "n = 8"]),
        ("megatron-tp+ddp,tp=2,dp=2,n=8", ["4 devices", "does not fill", "n = 8"]),
        ("hsdp,dp=3,n=8", ["3", "n = 8", "Sizes that do: 1, 2, 4, 8"]),
        ("megatron-tp+megatron-tp-sp", ["tp", "Leave out one"]),
        ("cp-ring+ulysses", ["cp", "c, h", "Leave out one"]),
        ("zero-1,tp=2", ["tp", "no axis", "dp"]),
        ("megatron-tp,tp=two", ["tp=two", "tp=8"]),
        ("megatron-tp,tp=0", ["tp=0"]),
        ("pp-1f1b,blocks=16:15", ["31 blocks", "32"]),
        ("pp-1f1b,blocks=16:16,pp=3", ["2 stages", "pp = 3"]),
        ("pp-1f1b,pp=2,stage=end", ["stage", "'end'"]),
        ("pp-1f1b,pp=2,stage=2", ["no stage 2", "0 to 1"]),
    ],
)
def test_what_cannot_be_is_named_with_what_would_do(name, words):
    with pytest.raises(UsageError) as caught:
        symcost.derive("llama-2-7b", layout=name)["peak_memory"].at(b=1, c=64)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"tp": 64, "pp": 4}, "tp = 64 does not divide h = 32"),
        ({"tp": 8, "pp": 64}, "pp = 64 is more than the 32 blocks"),
        ({"tp": 8, "pp": 4, "c": 1001}, "tp = 8 does not divide c = 1001"),
        ({"tp": 8, "pp": 4, "n": 16}, "n: found 16, expected 32, since n = tp·pp"),
    ],
)
def test_sizes_put_in_later_are_checked_as_well(sizes, words):
    memory = symcost.derive("llama-2-7b", layout="megatron-tp-sp+pp-1f1b")["peak_memory"]
    assert memory.at(tp=8, pp=4, b=1, c=64, accumulation=8) > 0
    with pytest.raises(UsageError, match=words):
        memory.at(**{"b": 1, "c": 64, "accumulation": 8} | sizes)
    with pytest.raises(UsageError, match=words):
        symcost.solve(memory, "b", at_most="80 GiB", given={"c": 64, "accumulation": 8} | sizes)


def test_experts_that_do_not_divide_are_named():
    with pytest.raises(UsageError, match=r"ep = 3 does not divide E = 8 \(experts\)"):
        symcost.derive("mixtral-8x7b", layout="ep,ep=3")


def test_an_unknown_layout_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="megatron-tp"):
        layout("megatron-pt")


def test_ceilings_let_heads_be_more_than_they_are():
    """Eight heads of keys and values on 16 devices: each device has one."""
    costs = symcost.derive("llama-2-70b", layout="megatron-tp,tp=16,ceilings")
    assert costs["parameters"].of("block.attention.W_K").at() == 8192 * 128


def test_uneven_stages_have_their_own_blocks():
    """Grattafiori et al. 2024, Llama 3, section 3.3.2: the first and the last of 16 stages have one block
    less.
    """
    blocks = ":".join(["7", *["8"] * 14, "7"])
    costs = symcost.derive("llama-3-405b", layout=f"megatron-tp+pp-1f1b,tp=8,blocks={blocks}")
    parameters = [
        costs.on(str(stage))["parameters"].where(lambda term: term.place.startswith("block")).at()
        for stage in range(16)
    ]
    whole = symcost.derive("llama-3-405b", layout="megatron-tp,tp=8")["parameters"]
    assert sum(parameters) == whole.where(lambda term: term.place.startswith("block")).at()
    assert parameters[1] * 7 == parameters[0] * 8


def test_the_fullest_stage_is_named():
    costs = symcost.derive("llama-2-7b", layout="pp-1f1b,pp=4,accumulation=8", given={"b": 1, "c": 4096})
    stage, fullest = costs.worst_stage()
    every = [costs.on(str(each))["peak_memory"].at() for each in range(4)]
    assert stage == 0
    assert fullest == max(every) == every[0]


def test_few_micro_batches_are_all_that_can_be_in_flight():
    many, few = (
        symcost.derive("llama-2-7b", layout=f"pp-1f1b,pp=8,accumulation={m}")["activation_memory"]
        .where(lambda term: term.place.startswith("block")).at(b=1, c=64)
        for m in (8, 2)
    )  # fmt: skip
    assert many == 4 * few


def test_a_bare_count_of_parameters_has_no_axes_to_split():
    with pytest.raises(SymcostError, match="none are known"):
        symcost.derive("bare", layout="zero-1")
