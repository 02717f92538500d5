"""`symcost compare` and `derive --sensitivity` as people type them."""

import json

import pytest

from symcost.cli import main


@pytest.fixture
def run(capsys):
    """Runs one command: its exit status, what it printed, and its complaint."""

    def command(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        printed = capsys.readouterr()
        return stop.value.code, printed.out, printed.err

    return command


def test_why_6nd_and_megatron_disagree_stands_in_the_second_line(run):
    status, out, err = run("compare", "6ND", "megatron-lm", "--model", "llama-2-7b", "--given", "c=4096")
    assert (status, err) == (0, "")
    assert out.splitlines()[1].startswith(
        "They are equal but for half the score and value products, the embedding look-up"
    )


def test_json_is_one_document(run):
    _, out, _ = run("compare", "textbook", "textbook+flash", "--model", "cs190c", "--format", "json")
    data = json.loads(out)
    assert (data["first"], data["second"]) == ("textbook", "textbook+flash")
    assert data["comparisons"][0]["difference"] == "L*(b*h*c**2 - b*h*c)"


def test_markdown_has_a_row_for_each_part(run):
    _, out, _ = run("compare", "palm", "pytorch", "--model", "llama-2-7b", "--format", "markdown")
    assert "| embedding look-up | $6bcdv$ | $0$ | $6bcdv$ |" in out


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("6ND", "megatronlm"), "Did you mean 'megatron-lm'"),
        (("6ND", "textbook", "--notation", "megatrn"), "'megatrn' is not a notation"),
        (("6*N*", "6ND"), "'6*N*': column"),
        (("textbook", "adamw"), "nothing to compare"),
        (("6ND", "pytorch", "--quantity", "peak_memory"), "6ND does not count peak_memory"),
        (("textbook", "torch-eager", "--quantity", "peak"), "'peak' is not a quantity"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(run, arguments, answer):
    status, out, err = run("compare", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("symcost: ") and answer in err


def test_tools_are_listed_with_their_sources(run):
    _, out, _ = run("list", "tools")
    assert "megatron-lm" in out and "num_floating_point_operations" in out


def test_sensitivity_says_what_leads_and_what_one_more_costs(run):
    _, out, _ = run("derive", "gpt2", "forward_flops", "--sensitivity", "--given", "b=1,c=1024")
    assert "score and value products overtake all linear layers of the blocks at c = 6d = 4,608" in out
    assert "one more costs 24bcd² + 4bc²d" in out
    assert "39.8 %  block.mlp: 16Lbcd²" in out


def test_sensitivity_as_json_has_exact_values(run):
    _, out, _ = run(
        "derive", "cs190c", "parameters", "--sensitivity", "--given", "d=8,h=2,L=3,v=5", "--format", "json"
    )
    (found,) = json.loads(out)
    layers = found["letters"]["L"]
    assert (layers["one_more"], layers["one_more_value"]) == ("16*d**2 + 2*d", 16 * 64 + 16)
    assert sum(share["value"] for share in found["shares"]) == 3 * (16 * 64 + 16) + 2 * 8 * 5 + 8
