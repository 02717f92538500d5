"""Letters in lists and columns, in Greek, of several letters, and with a meaning of the document's own."""

import pytest

from symcost.check import check_text
from symcost.check.annotations import Settings
from symcost.check.columns import listings
from symcost.check.documents import find
from symcost.check.knowledge import read_legend
from symcost.check.legend import declared


def verdicts(text, file="a.md"):
    return [finding.verdict for finding in check_text(text, file)]


def letters(text, kind="markdown"):
    """The listed letters with what they mean and their numbers, as `L=L:32`."""
    found = [
        f"{name}={meaning}" + (f":{listing.numbers[at]}" if listing.numbers else "")
        for listing in listings(find(text, kind))
        for at, (name, meaning) in enumerate(zip(listing.names, listing.meanings, strict=False))
    ]
    return " ".join(found)


TWO_PAIRS_A_ROW = r"""
\begin{tabular}{llll}
$s$ & sequence length & $L$ & transformer layers \\
$h$ & hidden size & $t$ & tensor-parallel size \\
\end{tabular}
"""
IN_COLUMNS = """Letters:

  l      layers, 60
  n_h    heads, 128
  d_h    dimension per head, 128
  d_c    compressed key-value vector, 512 = 4 d_h
"""
HEADING = "| name | what it is | here |\n|---|---|---|\n"
SEVERAL_NAMES_A_ROW = """
| name | what it is | our 8B |
|---|---|---|
| $seq$, $mbs$ | tokens per sequence, sequences per micro-batch | 4096, 1 |
| $N_d$, $tp$, $pp$ | data-, tensor- and pipeline-parallel degree | |
| $h_{kv}$ | width of all key heads together | 1024 |
"""


@pytest.mark.parametrize(
    "text, kind, found",
    [
        (TWO_PAIRS_A_ROW, "tex", "s=c L=L h=d t=tp"),
        (IN_COLUMNS, "text", "l=L:60 n_h=h:128 d_h=d_k:128 d_c=d_c:512"),
        (f"{HEADING}| $\\Psi$ | number of parameters | 7 |\n| ℓ | layers | 32 |", "markdown", "Psi=N:7 ell=L:32"),
        (SEVERAL_NAMES_A_ROW, "markdown", "seq=c:4096 mbs=b:1 N_d=dp tp=tp pp=pp h_kv=all key heads:1024"),
        ("| model | `n_layer` | parameters |\n|---|---|---|\n| S | 12 | 124M |", "markdown", ""),  # headings declare nothing
    ],
)  # fmt: skip
def test_lists_declare_letters_with_their_numbers(text, kind, found):
    assert letters(text, kind) == found


@pytest.mark.parametrize(
    "text, kind",
    [
        ("| quantity | symbol | value |\n|---|---|---|\n| layers | $L$ | 32 |\n| hidden size | $h$ | 4096 |", "markdown"),
        ("| | symbol | GPT-3 |\n|---|---|---|\n| layers | L | 96 |\n| hidden size | h | 12288 |", "markdown"),
        ("| $L$ | $h$ |\n|---|---|\n| layers | hidden size |\n| 32 | 4096 |", "markdown"),
        ("- **L** — number of layers\n- **h** — hidden size", "markdown"),
        ("$(L, h)$ are layers and hidden size.", "markdown"),
        ("$$L = \\text{layers},\\quad h = \\text{hidden size}$$", "markdown"),
        ("\\begin{description}\\item[$L$] number of layers \\item[$h$] hidden size\\end{description}", "tex"),
        ("40 layers (L), hidden size 5120 (h)", "text"),
        ("  L    layers\n  h    hidden size", "text"),
    ],
)  # fmt: skip
def test_a_legend_is_read_in_any_layout(text, kind):
    knowledge = read_legend(find(text, kind), Settings())
    assert {name: meaning for _, name, meaning in knowledge.legend} == {"L": "L", "h": "d"}


@pytest.mark.parametrize("right, wrong", [("4 n_h d_h l", "4 n_h d_c l"), ("4 n_h d_h l", "2 n_h d_h l")])
def test_a_list_in_columns_gives_the_letters_of_a_plain_text(right, wrong):
    text = f"{IN_COLUMNS}\nThe keys and values of one token take %s bytes in bf16, over all layers."
    assert verdicts(text % right, "a.txt")[-1] == "holds"
    assert verdicts(text % wrong, "a.txt")[-1] != "holds"


def test_a_letter_that_a_list_declares_anew_has_its_new_meaning_from_there_on():
    text = """
# Training
A batch has $b$ sequences of $s$ tokens; $d$ is the model width and $L$ the number of layers.
The four attention matrices of one layer have $4d^2$ parameters.

# Serving
| letter | meaning |
|---|---|
| $D$ | model width |
| $d$ | head dimension |
| $n$ | query heads |

The four attention matrices of one layer have $4D^2$ parameters, also when written $4Dnd$.
"""
    found = [finding for finding in check_text(text) if finding.text in ("4d^2", "4D^2", "4Dnd")]
    assert [finding.verdict for finding in found] == ["holds"] * 3


def test_a_greek_sign_is_the_command_of_that_name():
    text = "A model with Ψ parameters is trained with Adam in mixed precision on $N_d$ GPUs with ZeRO.\n\n"
    text += "Per GPU, the optimizer states sharded: $4\\Psi + \\frac{%d\\Psi}{N_d}$ bytes."
    assert verdicts(text % 12)[-1] == "holds"
    assert verdicts(text % 10)[-1] != "holds"


@pytest.mark.parametrize("term, verdict", [("2h\\,h_{kv}", "holds"), ("4h\\,h_{kv}", "differs")])
def test_the_width_of_all_key_heads_is_no_number_of_heads(term, verdict):
    text = f"""
| name | what it is |
|---|---|
| $h$ | hidden size |
| $h_{{kv}}$ | width of all key heads together (same for values) |
| $a$ | query heads |

The four attention matrices of one layer have $2h^2 + {term}$ parameters; no biases.
"""
    assert verdicts(text)[-1] == verdict


@pytest.mark.parametrize(
    "text, found",
    [
        ("$L$ blocks of width $m$, $a$ heads of $k$ each", "L=L m=d a=h k=d_k"),
        ("the stream is $d$ wide and $\\ell$ deep, each head is $k$ wide", "d=d ell=L k=d_k"),
        ("$h$ heads with $k$ dimensions each, $v$ words", "h=h k=d_k v=v"),
        ("$n_h$ heads, each of dimension $d_h$", "n_h=h d_h=d_k"),
        ("$t$-way tensor parallelism and $d$-way data parallelism", "t=tp d=dp"),
        ("$P$ parameters, $G$ GPUs with a peak of $F$ FLOP/s, at utilisation $U$", "P=N G=n F=peak U=MFU"),
        ("$E$ experts, of which $k$ are active for each token", "E=E k=k"),
        ("$B$ sequences in $D$ dimensions, embedded in $M$ dimensions", "B=b M=d"),
        ("a card of $C$ bytes takes a global batch of $B$ sequences", "C= B=global_batch"),
        ("$tp$ tensor-parallel ranks, $pp$ pipeline stages, a batch of $bs$ tokens", "tp=tp pp=pp"),
        ("The number of parameters of the whole model is written $\\Phi$.", "Phi=N"),
        ("an attention window of $w$ tokens, a sliding window of $u$", "w=c u="),
    ],
)
def test_words_on_both_sides_say_what_a_letter_is(text, found):
    assert declared(text) == dict(each.split("=") for each in found.split())


@pytest.mark.parametrize("digits, holds", [("13.4", True), ("20.1", False)])
def test_the_size_that_a_model_goes_by_is_its_number_of_parameters(digits, holds):
    text = (
        f"Let $P$ be the number of parameters. The weights in fp16 take $2P$ bytes, for our 6.7B {digits} GB."
    )
    found = {finding.text: finding.verdict for finding in check_text(text)}
    assert (found.get(f"{digits} GB") == "holds") is holds


@pytest.mark.parametrize(
    "shape", ["three $D\\times F$ matrices", "matrices that go from $D$ to $F$ and back"]
)
def test_the_inner_width_of_an_mlp_shows_in_the_shape_of_its_matrices(shape):
    text = f"$L$ layers of width $D$, a SwiGLU MLP with {shape}, no biases.\n\nThe MLP of a layer has $%dDF$ parameters."
    assert verdicts(text % 3)[-1] == "holds"
    assert verdicts(text % 2)[-1] != "holds"


def test_sizes_in_brackets_are_no_width():
    found = check_text("We take $d=(8,4)$.", "note.md")
    assert [finding.verdict for finding in found] == ["unchecked"]


WAYS = """We train with $t$-way tensor, $p$-way pipeline and $d$-way data parallelism on $n = tpd$ GPUs; the global batch of
$B$ sequences is split into microbatches of $b$. {sizes}, that is $tpd = {devices}$ GPUs.
"""


@pytest.mark.parametrize(("devices", "verdict"), [("512", "holds"), ("256", "differs")])
def test_degrees_of_parallelism_are_read_with_their_sizes(devices, verdict):
    text = WAYS.format(sizes="Take $(t,p,d) = (8,4,16)$", devices=devices)
    assert dict(list(declared(text).items())[:6]) == {
        "t": "tp", "p": "pp", "d": "dp", "n": "n", "B": "global_batch", "b": "b",
    }  # fmt: skip
    assert check_text(text, "note.md")[-1].verdict == verdict


UNEXPLAINED = """# A small Llama

{legend} RMSNorm with a gain, no biases, a head of its own.

A block has $4d^2 + 3d{f} + 2d$ parameters, the model $L(4d^2 + 3d{f} + 2d) + 2Vd + d$.
"""


def test_a_letter_that_nobody_explains_is_what_makes_the_forms_come_out():
    text = UNEXPLAINED.format(legend="$L$ SwiGLU blocks of width $d$, vocabulary $V$.", f="q")
    found = check_text(text)
    assert [each.verdict for each in found[-2:]] == ["holds", "holds"]
    assert found.notes == (
        "q was read as inner width of the feed-forward layer, as only then its forms are derived",
    )


def test_of_two_letters_taken_for_one_each_gets_its_own():
    legend = "$L$ SwiGLU blocks (each has three matrices of width $f$), $d$ = `d_model`, vocabulary $V$."
    found = check_text(UNEXPLAINED.format(legend=legend, f="f"))
    assert [each.verdict for each in found[-2:]] == ["holds", "holds"]


def test_a_letter_is_not_understood_by_a_form_that_is_wrong_in_all_ways():
    text = UNEXPLAINED.format(legend="$L$ SwiGLU blocks of width $d$, vocabulary $V$.", f="q")
    found = check_text(text.replace("4d^2", "7d^2"))
    assert "holds" not in [each.verdict for each in found[-2:]] and found.notes == ()
