"""Layouts on the command line: one device's costs, sizes that divide, meshes in order."""

import json
import re
from fractions import Fraction

import pytest

import symcost
from symcost.cli import main
from symcost.layouts import COMPOSED, LAYOUTS
from symcost.notation.numbers import with_unit


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


def test_list_quantities_names_those_of_a_device(run):
    listed = {
        each["name"]: each["about"] for each in json.loads(run("list", "quantities", "--format", "json")[1])
    }
    laid = {name for name, about in listed.items() if about.startswith("under a layout")}
    assert laid == {"message_bytes", "message_bytes_per_token", "memory_traffic", "bubble"}
    assert laid <= set(symcost.derive("llama", layout="3d"))


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


TIMED = (
    *("derive", "llama-2-7b", "--layout", "megatron-tp+ddp,tp=8,dp=4", "--given", "b=1,c=4096"),
    *("--gpu", "a100-80gb", "--precision", "mixed-16", "--format", "json"),
)


def test_links_between_nodes_are_slower_than_those_inside(run):
    """Eight 200 Gb/s adapters for eight GPUs: 25 GB/s each; NVLink carries 300 GB/s in one direction."""
    times = [json.loads(run(*TIMED, *more)[1])["step_time"] for more in ((), ("--links", "dp=25GB/s"))]
    sent = symcost.derive("llama-2-7b", precision="mixed-16", layout="megatron-tp+ddp,tp=8,dp=4",
                          given={"b": 1, "c": 4096}).sent_over()["dp",].at()  # fmt: skip
    slower = sent * (Fraction(1, 25 * 10**9) - Fraction(1, 300 * 10**9))
    assert Fraction(times[1]["messages"]) - Fraction(times[0]["messages"]) == slower
    assert times[0]["compute"] == times[1]["compute"]


@pytest.mark.parametrize(
    ("links", "named"),
    [
        ("pp=25GB/s", "pp is no axis of the mesh, which has tp, dp"),
        ("dp", "as in dp=25GB/s, found 'dp'"),
        ("dp=25GB", "B/s"),
        ("dp=0", "positive number of bytes a second along dp"),
        ("dp=fast", "'fast' is no number"),
    ],
)
def test_links_that_cannot_be_are_one_line(run, links, named):
    status, out, err = run(*TIMED, "--links", links)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert named in err


@pytest.mark.parametrize(
    "command", [("derive", "llama-2-7b"), ("solve", "llama-2-7b", "--for", "b"), ("report", "llama-2-7b")]
)
def test_links_without_a_step_to_time_are_refused(run, command):
    status, _, err = run(*command, "--links", "dp=25GB/s", "--gpu", "a100-80gb", "--given", "c=4096")
    assert status == 2
    assert re.match("symcost: (--)?links: expected", err)


SCALED = (
    *("solve", "llama-2-7b", "--for", "mesh", "--sweep", "n=4:64:x4", "--given", "global_batch=64,c=4096"),
    *("--gpu", "a100-80gb", "--under", "textbook+flash", "--links", "dp=25GB/s"),
)


def test_sweeping_gpus_gives_the_quickest_mesh_of_each_number(run):
    status, out, _ = run(*SCALED, "--format", "json")
    assert status == 0
    for row in json.loads(out)["meshes"]:
        alone = [f"n={row['n']}" if each == "n=4:64:x4" else each for each in SCALED]
        alone[alone.index("--sweep")] = "--given"
        [first, *_] = json.loads(run(*alone, "--format", "json")[1])["meshes"]
        assert {name: row[name] for name in first} == first
        assert row["rate"] * row["serial"] == pytest.approx(64 * 4096)
    assert [each.split()[0] for each in run(*SCALED)[1].splitlines()[3:]] == ["4", "16", "64"]


def test_the_sweep_is_drawn(run, tmp_path):
    status, out, _ = run(*SCALED, "--output", str(tmp_path / "scaling.svg"))
    assert status == 0
    assert "3 numbers of GPUs" in out
    assert "tokens a second" in (tmp_path / "scaling.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--sweep", "c=1024:4096:x2"), "a sweep of n alone, found c"),
        (("--sweep", "n=1:8", "--given", "n=8"), "n = 8 among the numbers too"),
        (("--output", "a.svg"), "a sweep of n to draw"),
    ],
)
def test_a_sweep_of_meshes_is_one_of_gpus(run, more, named):
    arguments = ("--given", "global_batch=64,c=4096", "--gpu", "a100-80gb", *more)
    status, _, err = run("solve", "llama-2-7b", "--for", "mesh", *arguments)
    assert status == 2
    assert named in err


def test_the_largest_context_lies_on_the_mesh_in_equal_parts(run):
    """24 devices split the tokens: the next context that they can have is too long."""
    arguments = (
        "--layout",
        "megatron-tp-sp+cp-ring,tp=8,cp=3",
        "--given",
        "b=1",
        "--under",
        "textbook+flash",
    )
    _, out, _ = run(
        *("solve", "llama-2-7b", "--for", "c", "--gpu", "a100-80gb", "--format", "json"), *arguments
    )
    largest = json.loads(out)["floor"]
    memory = symcost.derive("llama-2-7b", layout=arguments[1], under="textbook+flash", given={"b": 1})[
        "peak_memory"
    ]
    assert largest % 24 == 0
    assert memory.at(c=largest) <= 80 * 2**30 < memory.at(c=largest + 24)


def test_a_swept_size_of_the_mesh_must_divide(run):
    swept = ("--layout", "megatron-tp-sp", "--given", "c=4096", "--gpu", "a100-80gb", "--sweep")
    status, out, _ = run("solve", "llama-2-7b", "--for", "b", *swept, "tp=4:32:x2")
    assert status == 0
    assert [line.split()[:2] for line in out.splitlines()[-4:]] == [
        ["4", "2"], ["8", "5"], ["16", "12"], ["32", "25"],
    ]  # fmt: skip
    status, _, err = run("solve", "llama-2-7b", "--for", "b", *swept, "tp=4:64:x2")
    assert status == 2
    assert "tp = 64 does not divide h = 32" in err


def test_solving_for_the_mesh_ranks_what_fits(run):
    arguments = ("--for", "mesh", "--given", "n=8,global_batch=64,c=4096", "--gpu", "a100-80gb")
    status, out, _ = run("solve", "llama-2-7b", *arguments, "--under", "textbook+flash", "--format", "json")
    found = json.loads(out)
    assert status == 0
    assert found["gpus"] == 8
    times = [mesh["serial"] for mesh in found["meshes"]]
    assert times
    assert times == sorted(times)


def test_where_no_mesh_fits_the_leanest_says_what_is_missing(run):
    """ZeRO's 16 bytes for each of 7B parameters, all of them on every device."""
    arguments = ("--given", "n=8,global_batch=64,c=4096", "--gpu", "rtx-3060", "--layout", "ddp")
    status, _, err = run("solve", "llama-2-7b", "--for", "mesh", *arguments)
    costs = symcost.derive("llama-2-7b", precision="mixed-16", layout="ddp,dp=8", given={"b": 1, "c": 4096})
    missing = costs["peak_memory"].at() - 12 * 2**30
    assert status == 1
    assert f"ddp with dp = 8, needs {with_unit(missing + 12 * 2**30, 'bytes')}" in err
    assert f"{with_unit(missing, 'bytes')} are missing" in err


def test_axes_of_one_device_are_not_shown(run):
    columns = run(*SCALED)[1].splitlines()[2].split()
    assert [each for each in columns if each in ("tp", "pp", "cp", "ep", "dp", "shard")] == ["tp", "pp", "dp"]


@pytest.mark.parametrize(
    ("layout", "named"),
    [("megatron-tp,tp=3", "tp = 3"), ("nowhere", "not a layout"), ("pp-1f1b,pp=33", "32 blocks")],
)
@pytest.mark.parametrize("command", ["derive", "report"])
def test_a_layout_that_cannot_be_is_one_line_and_status_two(run, command, layout, named):
    status, out, err = run(command, "llama-2-7b", "--layout", layout)
    assert status == 2
    assert not out
    assert named in err
    assert err.count("\n") == 1


def test_links_without_a_number_for_every_letter_are_one_line(run):
    status, out, err = run(
        "derive", "llama-2-7b", "--layout", "megatron-tp,tp=2", "--gpu", "a100-80gb", "--links", "tp=25GB/s"
    )
    assert (status, out) == (2, "") and "found none for b, c. Give them with --given." in err
