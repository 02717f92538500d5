"""Wrong calls and broken files: one line that says what to do, status 2, and nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symcost.cli import main

GIVEN = "c=256,d=1024,h=16,L=12,v=32000"
LLAMA = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100, "tie_word_embeddings": False,
}  # fmt: skip


@pytest.fixture
def complaint(capsys):
    """Runs a call that is wrong; answers its one line."""

    def run(*arguments: str, status: int = 2) -> str:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        out, err = capsys.readouterr()
        assert left.value.code == status
        assert status == 1 or out == "", "a call that fails prints nothing but its complaint"
        assert err.startswith("symcost: ") and err.endswith("\n") and err.count("\n") == 1
        assert "Traceback" not in err and "symcost/" not in err
        return err.removeprefix("symcost: ").rstrip("\n")

    return run


# ------------------------------------------------------------------------------------ unknown names


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("nonsense", "'nonsense' is not a command. Known are: derive, solve"),
        ("dervie cs190c", "'dervie' is not a command. Did you mean 'derive'?"),
        ("derive", "derive: Missing argument 'MODEL'. See symcost derive --help."),
        ("derive cs190c --colour red", "derive: No such option"),
        ("derive cs190c --format xml", "derive: Invalid value for '--format': 'xml' is not one of"),
        ("derive cs190", "'cs190' is not a model. Did you mean 'cs190c'?"),
        ("derive llama2-7b", "Did you mean 'llama-2-7b'"),
        ("derive cs190c peak_memroy", "'peak_memroy' is not a quantity. Did you mean 'peak_memory'?"),
        ("derive cs190c --scope blok", "'blok' is no place of parameters of cs190c. Did you mean 'block'"),
        ("derive cs190c steps --scope block", "'block' is no place of steps of cs190c. Known are: model."),
        ("derive cs190c saved_activations --scope block.attention.PP", "Did you mean 'block.attention.P'"),
        ("derive cs190c --under textbok", "'textbok' is not a convention. Did you mean 'textbook'?"),
        ("derive cs190c --under textbook+flsh", "'+flsh' is not an option. Did you mean 'flash'"),
        ("derive cs190c --optimizer adam", "'adam' is not a known optimizer. Did you mean 'adamw'"),
        ("derive cs190c --precision fp3", "'fp3' is not a known precision. Did you mean 'fp32'"),
        ("derive cs190c --notation megatro", "'megatro' is not a notation. Did you mean 'megatron'?"),
        ("derive cs190c --gpu rtx-309", "'rtx-309' is not a known GPU. Did you mean 'rtx-3090'"),
        ("report cs190c --to mdd", "'mdd' is not a format. Did you mean 'md'"),
        ("report cs190c --notation lektur", "'lektur' is not a notation."),
        ("list gpu", "list: Invalid value for"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(complaint, arguments, answer):
    assert answer in complaint(*arguments.split())


# ------------------------------------------------------------------------------------ what is given


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("q=3", "'q' is not in the glossary"),
        ("d_f=3", "Did you mean 'd_ff'"),
        ("d_ff=4*q", "'q'"),
        ("b", "'b' is no assignment. Write it as b=4 or d_ff=4*d."),
        ("b=", "no assignment"),
        ("=4", "no assignment"),
        ("b=0", "b: expected a positive number (batch size), found 0."),
        ("b=-4", "b: expected a positive number (batch size), found -4."),
        ("b=1.5", "b: expected a whole number (batch size), found 3/2."),
        ("L=2.5", "L: expected a whole number (transformer blocks), found 5/2."),
        ("b=nan", "--given 'b=nan':"),
        ("b=inf", "--given 'b=inf':"),
        ("b=1e100", "b: expected a number between 10⁻⁶⁰ and 10⁶⁰ (batch size), found one beyond."),
        ("b=1e999999999", "too many digits"),
        ("b=9**9**9**9", "Lower it"),
        ("b=" + "9" * 5000, "Keep it within"),
        ("b=" + "(" * 5000 + "4" + ")" * 5000, "Keep it within"),
        ("b=" + "(" * 900 + "4" + ")" * 900, "--given 'b=((((("),
        ("b=4,b=5", "--given: b is given twice, as 4 and as 5. Give it once."),
        ("d=d_ff", "found a circle: d_k = d/h, d_ff = 4*d, d = d_ff. Free one of them."),
        ("d_ff=2*d,d=d_ff", "found a circle"),
        (
            "h=3,d=1024",
            "d_k: expected a whole number, found d_k = d/h = 1024/3 at d = 1024, h = 3. Give d_k itself",
        ),
        ("MFU=1.5", "MFU: expected a number up to 1"),
        ("M=24 apples", "--given 'M=24 apples'"),
        ("b=4 5 6", "--given 'b=4 5 6'"),
        ("b=４", "--given 'b=４': column 1"),
        ("ｂ=4", "no assignment"),
        ("b=__import__('os').system('true')", "--given 'b=__import__"),
        ("b=4;rm", "--given 'b=4;rm'"),
    ],
)
def test_a_value_that_cannot_be_is_answered_with_what_was_expected(complaint, given, answer):
    line = complaint("derive", "cs190c", "peak_memory", "--given", given)
    assert answer in "symcost: " + line
    assert len(line) < 700, "even where what was given is long"


def test_a_missing_value_is_named_only_where_a_number_is_asked_for(complaint):
    assert complaint("solve", "cs190c", "--for", "b", "--gpu", "rtx-3090").startswith(
        "peak_memory: c, d, h, L and v have no number. Give them as in c=…: c is context length;"
    )


# ------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ((), 'solve: expected a limit, found none. Give --limit "peak_memory <= 24 GiB" or --gpu NAME.'),
        (("--limit", "24 GiB"), "'24 GiB' is no limit. Write it as peak_memory <= 24 GiB."),
        (("--limit", ""), "is no limit"),
        (("--limit", "peak_memory <="), "Write it as"),
        (("--limit", "peak_memory < 24 GiB"), "--limit: expected <= or >= after peak_memory, found <"),
        (("--limit", "peak <= 24 GiB"), "'peak' is no quantity"),
        (("--limit", "peak_memory <= 0"), "--limit: expected a positive number of bytes, found 0."),
        (("--limit", "peak_memory <= -3 GiB"), "--limit: expected a positive number of bytes, found -3"),
        (("--limit", "peak_memory <= 3 days"), "bytes"),
        (("--limit", "peak_memory <= 24 Gb"), "'"),
        (("--limit", "peak_memory <= many"), "m"),
        (("--limit", "parameters <= 1e9"), "b does not appear in parameters, which is in d, L, v"),
        (
            ("--gpu", "rtx-3090", "--multiple-of", "0"),
            "multiple_of: expected a positive whole number, found 0.",
        ),
        (("--gpu", "rtx-3090", "--sweep", "c"), "--sweep: expected letter=from:to:step"),
        (("--gpu", "rtx-3090", "--sweep", "c=4:2"), "--sweep: expected a rising range"),
        (("--gpu", "rtx-3090", "--sweep", "c=1:8:x1"), "--sweep: expected a rising range"),
        (("--gpu", "rtx-3090", "--sweep", "c=1:9"), "--sweep: c is swept and given as 256. Leave out one."),
        (
            ("--gpu", "rtx-3090", "--sweep", "b=1:4"),
            "--sweep: b is what is solved for. Sweep another letter.",
        ),
        (("--gpu", "rtx-3090", "--sweep", "q=1:4"), "--sweep: 'q' is not in the glossary"),
    ],
)
def test_a_limit_that_is_none_is_answered_with_how_one_looks(complaint, options, answer):
    assert answer in complaint("solve", "cs190c", "--for", "b", "--given", GIVEN, *options)


@pytest.mark.parametrize(
    ("ranges", "points"), [(["c=1:99999999"], "99,999,999"), (["c=1:999", "L=1:999"], "998,001")]
)
def test_a_table_that_nobody_would_read_is_not_begun(complaint, ranges, points):
    """One solution a point: a slip in a range must not run for hours."""
    sweep = [part for each in ranges for part in ("--sweep", each)]
    line = complaint(
        "solve", "cs190c", "--for", "b", "--gpu", "rtx-3090", "--given", "d=1024,h=16,v=32000", *sweep
    )
    assert f"expected at most 100,000 points, found {points}" in line


def test_a_letter_to_solve_for_must_be_in_the_glossary(complaint):
    assert "'batch' is not a letter of the glossary. Write 'b' (batch size)." in complaint(
        "solve", "cs190c", "--for", "batch", "--gpu", "rtx-3090", "--given", GIVEN
    )


def test_a_limit_below_the_static_memory_names_the_missing_bytes_with_status_one(complaint):
    """Static memory is 16 bytes for each of 266,888,192 parameters; one sequence needs 336,855,040 more."""
    missing = 16 * 266_888_192 + 336_855_040 - 2**30
    line = complaint(
        "solve", "cs190c", "--for", "b", "--limit", "peak_memory <= 1 GiB", "--given", GIVEN, status=1
    )
    assert "nothing fits" in line and f"{missing:,} bytes" in line


def test_a_wrong_call_wins_over_nothing_fits(complaint):
    complaint(
        "solve",
        "cs190c",
        "--for",
        "b",
        "--limit",
        "peak_memory <= 1 GiB",
        "--given",
        GIVEN,
        "--notation",
        "x",
    )


# ------------------------------------------------------------------------------------------ configs


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{", "config.json:1:2: expected JSON, found"),
        ("", "config.json:1:1: expected JSON, found"),
        ("[1, 2]", "config.json: expected an object of fields, found list."),
        ("3", "config.json: expected an object of fields, found int."),
        ('{"model_type": 3}', "config.json"),
        (
            '{"architectures": ["LlamaForCausalLM"]}',
            "config.json: expected the field 'model_type', found none.",
        ),
        ('{"model_type": "lama"}', "Did you mean 'llama'?"),
        ('{"model_type": "t5"}', "model_type: 't5' is not understood."),
        ("[" * 100_000, "config.json: expected a config, found brackets nested too deeply."),
        ('{"model_type": "llama", "hidden_size": NaN}', "config.json"),
    ],
)
def test_a_broken_config_names_its_place(complaint, tmp_path, text, answer):
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    assert answer in complaint("derive", str(path))


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"hidden_size": None}, "expected the field 'hidden_size', found none"),
        ({"num_hidden_layers": None}, "expected the field 'num_hidden_layers', found none"),
        ({"vocab_size": "100"}, "vocab_size: expected a positive whole number, found '100'."),
        ({"vocab_size": 0}, "vocab_size: expected a positive whole number, found 0."),
        ({"vocab_size": -5}, "vocab_size: expected a positive whole number, found -5."),
        ({"vocab_size": 1.5}, "vocab_size: expected a positive whole number, found 1.5."),
        ({"vocab_size": True}, "vocab_size: expected a positive whole number, found True."),
        ({"vocab_size": [100]}, "vocab_size: expected a positive whole number, found [100]."),
        ({"hidden_size": 65}, "hidden_size"),
        ({"num_key_value_heads": 3}, "num_key_value_heads"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings"),
        ({"hidden_act": "swish7"}, "hidden_act"),
        ({"extra_experts": 8}, "extra_experts: this field is not understood"),
        ({"hidden_sise": 64, "hidden_size": None}, "hidden_si"),
    ],
)
def test_a_field_that_changes_a_count_is_understood_or_refused(complaint, tmp_path, change, answer):
    """Never a wrong number."""
    config = {key: value for key, value in {**LLAMA, **change}.items() if value is not None}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    line = complaint("derive", str(path), "parameters")
    assert str(path) in line and answer in line


def test_a_file_that_is_none(complaint, tmp_path):
    assert "found a directory. Name the file in it." in complaint("derive", str(tmp_path))
    assert "found no such file" in complaint("derive", str(tmp_path / "config.json"))
    assert "found no such file" in complaint("derive", str(tmp_path / "a" / "b.toml"))
    (tmp_path / "config.json").write_bytes(b"\xff\xfe{\x00")
    assert "expected UTF-8 text" in complaint("derive", str(tmp_path / "config.json"))


@pytest.mark.parametrize("name", ["", " ", "\n", "💥", "../..", "cs190c\x00", "-", "a" * 5000])
def test_a_name_that_no_model_has(complaint, name):
    complaint("derive", "--", name)


# ------------------------------------------------------------------------------------------ reports


def left_behind(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_in_the_way_of_a_folder_leaves_nothing_behind(complaint, tmp_path):
    (tmp_path / "taken").write_text("mine")
    assert "expected a place to write to, found: Not a directory" in complaint(
        "report", "cs190c", "--output", str(tmp_path / "taken" / "reports")
    )
    assert left_behind(tmp_path) == ["taken"]


def test_a_folder_in_the_way_of_the_report_leaves_nothing_behind(complaint, tmp_path):
    (tmp_path / "cs190c.md").mkdir()
    assert "expected a file to write to, found a directory" in complaint(
        "report", "cs190c", "--output", str(tmp_path)
    )
    assert left_behind(tmp_path) == []


def test_of_two_formats_both_are_written_or_none(complaint, tmp_path):
    complaint("report", "cs190c", "--to", "md,nonsense", "--output", str(tmp_path))
    assert left_behind(tmp_path) == []


def test_a_report_that_was_there_stays_where_a_new_one_fails(complaint, tmp_path):
    (tmp_path / "cs190c.md").write_text("the report of yesterday")
    complaint("report", "cs190c", "--output", str(tmp_path), "--given", "b=0")
    assert (tmp_path / "cs190c.md").read_text() == "the report of yesterday"
    assert left_behind(tmp_path) == ["cs190c.md"]


@pytest.mark.parametrize("call", ["os.fdopen", "pathlib.Path.replace"])
def test_a_disk_that_fails_in_the_middle_leaves_nothing_behind(complaint, tmp_path, monkeypatch, call):
    """While the file is written, and while it is moved to its place."""

    def fails(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(call, fails)
    assert "expected a place to write to, found: No space left on device." in complaint(
        "report", "cs190c", "--output", str(tmp_path)
    )
    assert left_behind(tmp_path) == []
