"""Layouts on the command line: one device's costs, sizes that divide, meshes in order."""

import json

import pytest

from symcost.cli import main
from symcost.layouts import COMPOSED, LAYOUTS


@pytest.fixture
def run(capsys):
    """Runs a command; answers exit status, standard output and standard error."""

    def command(*arguments):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return command


def test_list_layouts_names_them_all_with_a_source(run):
    status, out, _ = run("list", "layouts", "--format", "json")
    listed = json.loads(out)
    assert status == 0
    assert {each["name"] for each in listed} == {*LAYOUTS, *COMPOSED}


def test_derive_shows_what_one_device_holds(run):
    status, out, _ = run("derive", "gpt", "parameters", "--scope", "block.mlp.W_1", "--layout", "megatron-tp")
    assert status == 0
    assert "d·d_ff/tp" in out


def test_messages_are_a_quantity_whose_terms_name_who_asks(run):
    """Every collective is one term: which one, over what, when, and for which op."""
    _, out, _ = run("derive", "gpt", "message_bytes", "--layout", "megatron-tp")
    assert "all-reduce over tp, forward, for block.attention.y" in out
    assert "all-reduce over tp, backward, for block.mlp.U" in out


def test_with_a_gpu_and_all_numbers_the_step_is_timed(run):
    arguments = (
        "--layout",
        "zero-3,dp=8",
        "--given",
        "b=1,c=2048",
        "--gpu",
        "a100-80gb",
        "--precision",
        "mixed-16",
    )
    _, out, _ = run("derive", "llama-2-7b", *arguments)
    assert "all at once" in out
    assert "one after the other" in out


def test_solving_for_a_size_of_the_mesh_names_the_smallest_that_divides(run):
    """Seven devices would just do, but do not divide 32 heads."""
    arguments = ("--for", "tp", "--given", "c=4096,b=4", "--gpu", "a100-80gb", "--layout", "megatron-tp-sp")
    status, out, _ = run("solve", "llama-2-7b", *arguments)
    assert status == 0
    assert "least whole number: tp = 7" in out
    assert "smallest that divides what it splits: tp = 8" in out


def test_solving_for_the_mesh_ranks_what_fits(run):
    arguments = ("--for", "mesh", "--given", "n=8,global_batch=64,c=4096", "--gpu", "a100-80gb")
    status, out, _ = run("solve", "llama-2-7b", *arguments, "--under", "textbook+flash", "--format", "json")
    found = json.loads(out)
    assert status == 0
    assert found["gpus"] == 8
    times = [mesh["serial"] for mesh in found["meshes"]]
    assert times
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("layout", "named"),
    [("megatron-tp,tp=3", "tp = 3"), ("nowhere", "not a layout"), ("pp-1f1b,pp=33", "32 blocks")],
)
def test_a_layout_that_cannot_be_is_one_line_and_status_two(run, layout, named):
    status, out, err = run("derive", "llama-2-7b", "--layout", layout)
    assert status == 2
    assert not out
    assert named in err
    assert err.count("\n") == 1
