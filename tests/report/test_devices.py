"""The report of one device of a layout: its share of everything, its messages, the bounds of its step."""

import ast
import re
from fractions import Fraction

import nbformat
import pytest

import symcost
from symcost.errors import UsageError
from symcost.report import FORMATS, document, side_by_side, write
from symcost.report.blocks import Substitution, Table
from symcost.report.pictures import with_pictures

N = 8_030_261_248  # parameters of the published checkpoint of Llama-3-8B
SPLIT = {
    "layout": "zero-3,dp=8",
    "given": {"b": 1, "c": 8192, "D": 10**10, "MFU": Fraction(2, 5)},
    "under": "textbook+flash+checkpoint",
    "precision": "mixed-16",
    "gpu": "h100-sxm",
}
STAGES = {
    "given": {"b": 1, "c": 4096, "tp": 2, "pp": 4, "dp": 2, "accumulation": 8},
    "gpu": "a100-80gb",
    "precision": "mixed-16",
}


@pytest.fixture(scope="module")
def split():
    return document("llama-3-8b", **SPLIT)


def results(made):
    found = [block for each in made.sections for block in each.blocks if isinstance(block, Substitution)]
    return {block.name.text: block for block in reversed(found)}


def table(made, column):
    """The rows of the table with that column, as text."""
    tables = [block for each in made.sections for block in each.blocks if isinstance(block, Table)]
    (found,) = (each for each in tables if column in each.columns)
    return [["".join(getattr(piece, "text", piece) for piece in cell) for cell in row] for row in found.rows]


@pytest.mark.parametrize(
    ("name", "value"),
    [  # Rajbhandari et al. 2020, ZeRO: an Nth of 2 + 2 + 12 bytes a parameter, 3·Ψ elements sent (sections 5 and 7)
        ("N_device", N // 8),
        ("M_parameters", 2 * N // 8),
        ("M_gradients", 2 * N // 8),
        ("M_optimizer", 12 * N // 8),
        ("B_sent", 3 * 2 * N * 7 // 8),
    ],
)
def test_a_device_holds_its_share_and_sends_three_times_the_parameters(split, name, value):
    assert results(split)[name].value.text.startswith(f"{value:,}")


def test_the_letters_still_say_how_many_parameters_the_model_has(split):
    assert ["N", "parameters of the model", "parameters", f"{N:,}"] in table(split, "unit")
    assert ["n", "GPUs", "GPUs", "dp = 8"] in table(split, "unit")


def test_every_parameter_is_gathered_twice_and_its_gradient_scattered(split):
    """Each row names the op that asks; the bytes of all rows are those that the terms add up to."""
    sent = [(row[0], row[1], row[2], row[3]) for row in table(split, "asked for by")]
    assert ("block.mlp.z", "forward", "all-gather over dp", "W_2") in sent
    assert ("block.mlp.z", "backward", "all-gather over dp", "W_2") in sent
    assert ("block.mlp.z", "update", "reduce-scatter over dp", "∂W_2") in sent
    assert len(sent) == 3 * len(symcost.derive("llama-3-8b")["parameters"].terms)


def test_a_step_takes_between_its_longest_part_and_all_of_them(split):
    """H100 SXM: 989.4 TFLOP/s in 16 bits, NVLink 900 GB/s in both directions."""
    computed = re.match(r"[\d,]+", results(split)["F_step"].value.text)[0].replace(",", "")
    compute, messages = Fraction(computed) / 989_400_000_000_000, Fraction(3 * 2 * N * 7, 8 * 450 * 10**9)
    times = {row[0]: float(row[1].removesuffix(" s")) for row in table(split, "bound")}
    assert times["all at once"] == pytest.approx(float(compute), rel=1e-3)
    assert times["one after the other"] == pytest.approx(float(compute + messages), rel=1e-3)


def test_a_slower_link_binds():
    made = document("llama-3-8b", **SPLIT, links={"dp": 25 * 10**9})
    (sent,) = (row for row in table(made, "rate") if row[0] == "messages")
    assert sent[2] == "25 GB/s"
    assert "What binds is messages." in write(made, "md")


def test_the_tokens_of_a_step_are_those_of_all_replicas(split):
    assert results(split)["steps"].value.text == f"{-(-(10**10) // (8 * 8192)):,} steps"
    assert r"A step sees $`bc\,\mathrm{dp}`$ tokens" in write(split, "md")


def test_a_page_of_a_layout_stands_still_and_says_so(split):
    alone = document("cs190c")
    for page in (str(write(split, "html")), str(write(side_by_side(alone, split), "html"))):
        assert "This page stands still" in page
        assert "<script" not in page and "data-of" not in page
    assert "stands still" not in str(write(alone, "html"))


def test_no_plot_changes_the_number_of_gpus_under_a_layout(split):
    names = [picture.name for picture in with_pictures(split).pictures]
    assert "report-memory-against-batch" in names
    assert "report-time-and-cost" not in names


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "pdf"])
def test_a_layout_is_told_in_every_format(split, name):
    written = str(write(split, name))
    assert re.search("zero.{0,5}-.{0,5}3", written)
    assert "Messages between devices" in written


@pytest.mark.parametrize("model", ["llama", "gpt", "mixtral-8x7b"])
@pytest.mark.parametrize("layout", ["fsdp", "hsdp", "3d", "megatron-tp-sp", "cp-ring", "ulysses", "ep+ddp"])
def test_without_numbers_a_device_is_told_in_letters(model, layout):
    made = document(model, layout=layout, under="torch-fused", given={"E": 8} if model != "gpt" else {})
    assert f"for one device of {layout}" in made.subtitle
    assert table(made, "asked for by")


def test_a_pipeline_stage_is_told_what_it_has_and_the_fullest_is_named():
    first, last = (
        document("llama-2-7b", layout=f"3d,stage={stage}", **STAGES) for stage in ("first", "last")
    )
    assert "Kept by `head`" in write(last, "md")
    assert "Kept by `head`" not in write(first, "md")
    assert "the fullest is 0, with" in write(first, "md")


def test_a_step_has_its_passes_as_often_as_there_are_micro_batches():
    """Of the passes 8, of the update one: F_step's numbers add up."""
    found = results(document("llama-2-7b", layout="3d", **STAGES))
    passes = [
        int(found[name].value.text.split(" ")[0].replace(",", "")) for name in ("F_forward", "F_backward")
    ]
    update = int(found["F_update"].value.text.split(" ")[0].replace(",", ""))
    assert found["F_step"].value.text.startswith(f"{8 * sum(passes) + update:,} FLOPs")
    assert found["F_step"].numbers[0].text.count("8·") == 2


def test_the_notebook_derives_the_same_device_again():
    made = document("llama-2-7b", layout="3d", links={"dp": 25 * 10**9}, **STAGES)
    cells = [cell.source for cell in nbformat.reads(write(made, "ipynb"), as_version=4).cells
             if cell.cell_type == "code"]  # fmt: skip
    found = {}
    for source in [*cells[:2], *(cell for cell in cells if cell.startswith("time ="))]:
        tree = ast.parse(source)
        exec(compile(tree, "cell", "exec"), found)
    assert (
        f"{found['costs']['message_bytes'].at(**found['numbers']):,} B" in results(made)["B_sent"].value.text
    )
    longest = table(made, "bound")[1][1]
    assert float(found["time"].serial) == pytest.approx(float(longest.removesuffix(" s")), rel=1e-3)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"layout": "ddp"}, "expected a GPU and a layout"),
        ({"gpu": "h100-sxm"}, "expected a GPU and a layout"),
        ({"gpu": "h100-sxm", "layout": "megatron-tp"}, "dp is no axis of the mesh, which has tp"),
    ],
)
def test_links_ask_for_a_gpu_and_a_layout_that_has_them(options, named):
    with pytest.raises(UsageError, match=named):
        document("llama-3-8b", links={"dp": 10**9}, **options)
