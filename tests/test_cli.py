"""The command line, run in this process: what it prints, and the status that it leaves with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import symcost
from symcost.cli import main

HEAVY = ("lark", "pydantic", "jinja2", "rich", "matplotlib")
GIVEN = "c=256,d=1024,h=16,L=12,v=32000"
LECTURE = f"b=4,{GIVEN}"
ROOT = Path(__file__).parent.parent


@pytest.fixture
def run(capsys):
    """Runs a command; answers exit status, standard output and standard error."""

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return command


def loaded(*command: str) -> set[str]:
    """The modules that a command has imported by its end, in a process of its own."""
    run = f"from symcost.cli import main\ntry: main({list(command)})\nexcept SystemExit: pass"
    return set(fresh("-c", f"{run}\nimport sys; print(*sys.modules)").stdout.splitlines()[-1].split())


def fresh(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        cwd=ROOT,
        **options,
    )


# --------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_names_every_command_in_a_line(run, arguments):
    status, out, err = run(*arguments)
    assert (status, err) == (0, "")
    for command in ("derive", "solve", "report", "list"):
        assert re.search(rf"^  {command} +\w", out, re.MULTILINE)


@pytest.mark.parametrize("command", ["derive", "solve", "report", "list"])
def test_every_command_has_help(run, command):
    status, out, err = run(command, "--help")
    assert (status, err) == (0, "") and out.startswith(f"Usage: symcost {command}")


def test_the_version_is_that_of_the_package(run):
    assert run("--version") == (0, f"symcost, version {symcost.__version__}\n", "")


def test_help_loads_neither_sympy_nor_numpy():
    assert loaded("--help") & {"sympy", "numpy", *HEAVY} == set()


def test_deriving_loads_only_what_it_needs():
    assert loaded("derive", "cs190c") & {"numpy", *HEAVY} == set()


def test_python_m_symcost_is_the_same_program():
    assert fresh("-m", "symcost", "--version").stdout == f"symcost, version {symcost.__version__}\n"


# ------------------------------------------------------------------------------------------- derive


def test_derive_shows_every_quantity_in_letters(run):
    status, out, err = run("derive", "cs190c")
    assert (status, err) == (0, "")
    assert out.startswith("cs190c under textbook, adamw, fp32\n")
    assert re.search(
        r"^peak_memory +L\(256d² \+ 32d \+ 80bcd \+ 4bhc²\) \+ \(32dv \+ 16d \+ 8bcd \+ 4bcv\) bytes$",
        out,
        re.M,
    )


def test_one_quantity_is_shown_with_its_terms_and_reasons(run):
    _, out, _ = run("derive", "cs190c", "saved_activations", "--scope", "block.attention")
    rows = [re.split(r"  +", row.strip()) for row in out.splitlines()[3:]]
    assert rows[0] == ["amount", "tensor", "place", "because"]
    assert [row[1] for row in rows[1:]] == ["x_norm", "K", "Q", "P", "V", "O"]
    assert rows[4][3].startswith("block.attention.P: ∂S = P ⊙ (∂P − Σ(P ⊙ ∂P))")
    assert rows[1][3].endswith("also read by block.attention.K, block.attention.V")


def test_numbers_give_a_value_with_its_unit_and_all_digits(run):
    _, out, _ = run("derive", "cs190c", "step_flops", "--given", LECTURE)
    assert "= 1.481 × 10¹² FLOPs (1,480,935,201,792 FLOPs)" in out


def test_latex_is_the_lectures_line(run):
    _, out, _ = run("derive", "cs190c", "peak_memory", "forward_flops", "--format", "latex")
    assert out.splitlines() == [
        r"L\left(256d^2+32d+80bcd+4bhc^2\right)+\left(32dv+16d+8bcd+4bcv\right)",
        r"L\left(32bcd^2+4bc^2d\right)+2bcdv",
    ]


def test_megatrons_letters(run):
    options = (
        "--under",
        "megatron-2022",
        "--notation",
        "megatron",
        "--given",
        "d_ff=4*d",
        "--format",
        "latex",
    )
    assert run("derive", "gpt", "activation_memory", "--scope", "block", *options) == (
        0,
        "34sbh+5as^2b\n",
        "",
    )


def test_markdown_has_a_table_of_terms(run):
    _, out, _ = run("derive", "cs190c", "saved_activations", "--scope", "head", "--format", "markdown")
    assert out.startswith("**saved_activations** of `head`: $bcd+bcv$ elements\n")
    assert "| $bcv$ | $1$ | `logits` | `head` |" in out


def test_json_is_one_document_and_nothing_else(run):
    status, out, err = run("derive", "cs190c", "saved_activations", "--format", "json")
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert (data["model"], data["convention"], data["given"]) == ("cs190c", "textbook", {})
    saved = data["quantities"]["saved_activations"]
    assert saved["expression"] == "L*(20*b*c*d + b*h*c**2) + 2*b*c*d + b*c*v"
    assert (saved["unit"], saved["scope"], saved["value"]) == ("elements", "model", None)
    assert set(saved["terms"][0]) == {"amount", "times", "tensor", "place", "because"}


def test_json_writes_a_fraction_as_text(run):
    _, out, _ = run(
        "derive",
        "cs190c",
        "training_time",
        "--given",
        f"{LECTURE},D=1.03e8,MFU=0.5,peak=35.6e12",
        "--format",
        "json",
    )
    top, bottom = json.loads(out)["quantities"]["training_time"]["value"].split("/")
    assert 2092 < int(top) / int(bottom) < 2093 * 4


def test_a_scope_alone_shows_every_quantity_that_is_there(run):
    status, out, _ = run("derive", "cs190c", "--scope", "block.mlp")
    assert status == 0
    assert "parameters of block.mlp 12d² elements" in out and "forward_flops of block.mlp 24bcd² FLOPs" in out
    assert "steps" not in out


def test_a_tensor_that_is_not_kept_says_why(run):
    _, out, _ = run("derive", "cs190c", "saved_activations", "--scope", "block.attention.S")
    assert "S is not kept: no gradient reads it" in out


def test_a_place_computed_again_says_so(run):
    _, out, _ = run(
        "derive", "cs190c", "saved_activations", "--scope", "block.mlp", "--under", "textbook+checkpoint"
    )
    assert "block.mlp keeps nothing: block computes it again." in out


@pytest.mark.parametrize(
    ("given", "letter", "value"),
    [
        (["D=32e9"], "D", 32_000_000_000),
        (["M=24GiB"], "M", 25_769_803_776),
        (["M=24 GB"], "M", 24_000_000_000),
        (["c=2**20"], "c", 1_048_576),
        (["b=4, c=256"], "c", 256),
        (["b=4", "c=256"], "b", 4),
        (["MFU=0.35"], "MFU", "7/20"),
        (["peak=35.6 TFLOP/s"], "peak", 35_600_000_000_000),
        (["d_ff=4*d"], "d_ff", "4*d"),
        (["d_ff=8*d/3"], "d_ff", "8*d/3"),
        (["d_ff=min(4*d, 8192)"], "d_ff", "min(8192, 4*d)"),
    ],
)
def test_given_takes_numbers_units_powers_and_forms(run, given, letter, value):
    status, out, err = run(
        "derive",
        "llama",
        "parameters",
        "--format",
        "json",
        *(part for each in given for part in ("--given", each)),
    )
    assert (status, err) == (0, "")
    assert str(json.loads(out)["given"][letter]).replace(" ", "").lower() == str(value).replace(" ", "")


def test_a_form_given_replaces_a_letter_and_a_letter_given_as_itself_is_free(run):
    def parameters(model, *given):
        _, out, _ = run("derive", model, "parameters", "--scope", "block.mlp", "--format", "json", *given)
        return json.loads(out)["quantities"]["parameters"]["expression"]

    assert parameters("llama", "--given", "d_ff=4*d") == "12*d**2"
    assert parameters("cs190c", "--given", "d_ff=d_ff") == "3*d*d_ff"


# -------------------------------------------------------------------------------------------- solve


def solved(run, *options):
    status, out, err = run("solve", "cs190c", "--for", "b", "--given", GIVEN, "--format", "json", *options)
    return status, json.loads(out), err


@pytest.mark.parametrize(
    ("options", "largest"),
    [
        (("--limit", "peak_memory <= 24 GiB"), 63),
        (("--limit", "peak_memory<=24GiB"), 63),
        (("--limit", "peak_memory <= 24 GB"), 58),
        (("--limit", "peak_memory <= 24e9"), 58),
        (("--limit", "peak_memory <= 25769803776"), 63),
        (("--gpu", "rtx-3090"), 63),  # 24 GiB; a GPU alone sets the memory limit
        (("--given", "M=24GiB"), 63),
    ],
)
def test_the_largest_batch_of_the_lecture(run, options, largest):
    status, data, err = solved(run, *options)
    assert (status, err, data["floor"]) == (0, "", largest)
    proof = data["certificate"]
    assert proof["at_k"] <= data["limit"] < proof["at_next"]


def test_a_limit_is_shown_with_form_numbers_root_and_proof(run):
    status, out, err = run("solve", "cs190c", "--for", "b", "--gpu", "rtx-3090", "--given", GIVEN)
    assert (status, err) == (0, "")
    assert "b = (M − (L(256d² + 32d) + (32dv + 16d)))/(L(80cd + 4hc²) + (8cd + 4cv))" in out
    assert "= 63.8245" in out and "largest whole number: b = 63" in out
    assert "25,492,078,592" in out and "25,828,933,632" in out  # at 63, which fits, and at 64, which does not


def test_the_longest_context_is_the_root_of_a_quadratic(run):
    given = GIVEN.replace("c=256", "b=4")
    _, out, _ = run(
        "solve", "cs190c", "--for", "c", "--gpu", "rtx-3090", "--given", given, "--format", "json"
    )
    data = json.loads(out)
    static = 12 * (256 * 1024**2 + 32 * 1024) + 32 * 1024 * 32000 + 16 * 1024

    def peak(c):
        return static + 12 * (80 * 4 * c * 1024 + 4 * 4 * 16 * c * c) + 8 * 4 * c * 1024 + 4 * 4 * c * 32000

    assert data["floor"] == max(c for c in range(1, 10_000) if peak(c) <= 24 * 2**30)
    assert "sqrt" in data["form"]


def test_where_nothing_fits_the_missing_bytes_are_named_and_the_status_is_one(run):
    """One byte less than one sequence needs."""
    memory = symcost.derive("cs190c")["peak_memory"].at(b=1, c=256, d=1024, h=16, L=12, v=32000)
    status, data, err = solved(run, "--limit", f"peak_memory <= {memory - 1}")
    assert (status, data["floor"], data["missing"]) == (1, 0, 1)
    assert err.count("\n") == 1 and "nothing fits" in err and "1 B" in err
    status, data, err = solved(run, "--limit", f"peak_memory <= {memory}")
    assert (status, data["floor"], data["left"], err) == (0, 1, 0, "")


def test_a_sweep_is_a_table_over_another_letter(run):
    given = GIVEN.replace("c=256,", "")
    _, out, _ = run(
        "solve",
        "cs190c",
        "--for",
        "b",
        "--gpu",
        "rtx-3090",
        "--given",
        given,
        "--sweep",
        "c=256:1024:x2",
        "--format",
        "json",
    )
    rows = json.loads(out)["rows"]
    assert [row["c"] for row in rows] == [256, 512, 1024]
    assert rows[0]["b"] == 63 and rows[0]["b"] > rows[1]["b"] > rows[2]["b"]


# ------------------------------------------------------------------------------------------- report


def test_a_report_is_written_and_its_path_is_the_last_line(run, tmp_path):
    status, out, err = run("report", "cs190c", "--output", str(tmp_path))
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == f"report: {tmp_path / 'cs190c.md'}"
    assert "266,888,192" in out and "63 sequences" in out
    text = (tmp_path / "cs190c.md").read_text(encoding="utf-8")
    assert text.startswith("# What it costs to train cs190c")
    shown = re.findall(r"\]\((.*?\.svg)\)", text)
    assert len(shown) == 4 and {path.name for path in tmp_path.iterdir()} == {"cs190c.md", *shown}


def test_a_report_is_written_without_its_plots_on_request(run, tmp_path):
    assert run("report", "cs190c", "--no-plots", "--output", str(tmp_path))[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["cs190c.md"]


def test_a_report_goes_to_a_folder_that_is_made_for_it(run, tmp_path):
    assert run("report", "cs190c", "--output", str(tmp_path / "new" / "folder"))[0] == 0
    assert (tmp_path / "new" / "folder" / "cs190c.md").exists()


def test_a_report_can_be_read_from_standard_output(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run("report", "cs190c", "--output", "-")
    assert status == 0 and out.startswith("# What it costs to train cs190c")
    assert not list(tmp_path.iterdir())


def test_the_report_says_that_the_lectures_shortcut_is_unsafe_and_why(run):
    """(24·10⁹ − (256Ld² + 32dv)) / (4Lc(20d + hc)) gives 65, where 58 fit on 24·10⁹ B and 63 on 24 GiB."""
    out = run("report", "cs190c", "--output", "-")[1].replace("{,}", ",")
    assert all(
        number in out for number in ("65", "63", "58", "266,888,192", "1,480,935,201,792", "10,460.76")
    )
    assert "Unsafe" in out and "32Ld+16d" in out


# --------------------------------------------------------------------------------------------- list


@pytest.mark.parametrize(
    "what", ["models", "conventions", "gpus", "optimizers", "precisions", "notations", "quantities"]
)
def test_what_there_is_can_be_listed_with_its_source(run, what):
    status, out, err = run("list", what, "--format", "json")
    assert (status, err) == (0, "")
    rows = json.loads(out)
    assert rows and all(all(row.values()) for row in rows)
    names = [row["name"] for row in rows]
    assert len(names) == len(set(names))
    assert all(name in run("list", what)[1] for name in names)


def test_every_listed_model_derives(run):
    for row in json.loads(run("list", "models", "--format", "json")[1]):
        costs = symcost.derive(row["name"])
        assert costs[next(iter(costs))].terms


# ------------------------------------------------------------------------------------- real configs

# Configs of published models with what was counted on the models themselves (Hugging Face transformers on
# PyTorch's meta device): parameters, and forward FLOPs of one sequence of c tokens by PyTorch's own counter.
COUNTED = json.loads((ROOT / "tests" / "fixtures" / "published_shapes.json").read_text(encoding="utf-8"))[
    "models"
]
LLAMA_2_7B = {
    "config": {
        "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32000, "hidden_act": "silu",
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-05, "tie_word_embeddings": False,
    },
    "c": 4096, "parameters": 6_738_415_616, "forward": 62_921_270_886_400,
}  # fmt: skip
REAL = [
    "llama-1-65b",
    "llama-2-70b",
    "llama-3.1-405b",
    "mistral-nemo-12b",
    "tinyllama-1.1b",
    "qwen2.5-32b",
    "gpt2-large",
]


@pytest.mark.parametrize("name", ["llama-2-7b", *REAL])
def test_a_config_file_of_a_published_model(run, tmp_path, name):
    """Llama 1 to 3, Mistral, TinyLlama, Qwen2 and GPT-2, as the files lie beside their weights."""
    known = COUNTED.get(name, LLAMA_2_7B)
    path = tmp_path / name / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps(known["config"]))
    given = f"b=1,c={known['c']}"
    status, out, err = run(
        "derive", str(path), "parameters", "forward_flops", "--given", given, "--format", "json"
    )
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert data["model"] == name
    assert data["quantities"]["parameters"]["value"] == known["parameters"]
    assert data["quantities"]["forward_flops"]["value"] == known["forward"]


# ------------------------------------------------------------------------------------- as a process


def test_a_reader_who_leaves_early_is_no_error():
    """symcost list models | head -1"""
    with subprocess.Popen(
        [sys.executable, "-m", "symcost", "list", "gpus"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
    ) as process:  # fmt: skip
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
def test_a_full_disk_is_one_line_and_status_two():
    with Path("/dev/full").open("w") as full:
        left = subprocess.run(
            [sys.executable, "-m", "symcost", "list", "gpus"], stdout=full, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        )  # fmt: skip
    assert left.returncode == 2
    assert (
        left.stderr
        == "symcost: standard output: expected a place to write to, found: No space left on device.\n"
    )


def test_mathematical_signs_are_written_where_the_terminal_knows_none():
    ascii_only = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
    }
    command = [sys.executable, "-m", "symcost", "derive", "cs190c", "parameters"]
    left = subprocess.run(command, capture_output=True, env=ascii_only, cwd=ROOT)
    assert (left.returncode, left.stderr) == (0, b"")
    assert "16d² + 2d" in left.stdout.decode("utf-8")
