"""What sentences and lists say of letters, in the ways that people write them."""

import pytest

from symcost.check import check_text
from symcost.check.legend import declared


@pytest.mark.parametrize(
    "text, letters",
    [
        ("$b$ sequences, $c$ tokens per sequence, $h$ heads of size $d/h$, $d$ model width", "b=b c=c h=h d=d"),
        ("A batch is $B$ sequences of $T$ tokens; there are $L$ layers and $V$ vocabulary entries.", "B=b T=c L=L V=v"),
        ("$D$ is the model dimension, $F$ the MLP's, $N$ the number of query heads, $K$ of key/value heads, $H$ the head "
         "size", "D=d F=d_ff N=h K=h_kv H=d_k"),
        ("width d = 4096 and a = 32 query heads, head size k = 128, SwiGLU with f = 14336", "d=d a=h k=d_k f=d_ff"),
        ("L = layers, d = width, H = heads, T = context, V = vocabulary", "L=L d=d H=h T=c V=v"),
        ("$E$ routed SwiGLU experts of inner width $f$, of which a token visits $K$, plus $S$ shared experts which all visit",
         "E=E f=d_expert K=k S=E_shared"),
        ("$d$ data-parallel replicas, $b$ sequences in a micro-batch, $B$ sequences in the global batch",
         "d=dp b=b B=global_batch"),
        ("We write $\\Psi$ for the number of parameters and $s$ for the\nsequence length.", "Psi=N s=c"),
        ("a model with $N$ parameters is trained on $D$ tokens", "N=N D=D"),
        ("s sequence, b microbatch, h hidden, a heads", "s=c b=b h=d a=h"),
        ("N   = 13e9     parameters\nD   = 1.3e12   training tokens\nG   = 12   GPUs", "N=N D=D G=n"),
        ("其中 $b$ 为批大小，$s$ 为序列长度", "b=b s=c"),
        ("With memory $M$ the largest batch is $b_{\\max}$.", ""),  # no letter is said to be the batch
        ("the routed experts ($N_e$ parameters in all layers)", ""),  # some parameters are not N
        ("Every head has width $h_a = h/a$", "h_a=d_k"),
        ("A model with a vocabulary and a width; `SwiGLU` layers.", ""),  # no letters
        ("NB = 40 blocks, width W = 5120, gated feed-forward F = 13824, GB = 10^9 bytes", "NB=L W=d F=d_ff"),
        ("$n_h=16$ heads of $d_h=128$", "n_h=h d_h=d_k"),
        ("$N_r=64$ routed experts and $N_s=2$ shared ones, all SwiGLU of inner width $m$; a token visits both shared experts "
         "and $K_r=6$ routed ones", "N_r=E N_s=E_shared m=d_expert K_r=k"),
    ],
)  # fmt: skip
def test_what_letters_are_said_to_mean(text, letters):
    assert declared(text) == dict(each.split("=") for each in letters.split())


@pytest.mark.parametrize(
    "text, verdict",
    [
        ("SwiGLU with inner width $3w$", "holds"),
        ("a gated MLP whose width is $3w$", "holds"),
        ("SwiGLU with inner width $4w$", "differs"),
    ],
)
def test_a_width_that_is_said_as_a_form_holds_throughout(text, verdict):
    document = (
        f"A decoder of width $w$ with {text} and no biases.\n\nThe MLP of one layer has $9w^2$ parameters."
    )
    assert check_text(document)[-1].verdict == verdict


def test_a_table_lists_several_letters_in_a_row():
    rows = ("B, T | sequences in the batch, tokens per sequence", "D | model width", "F | MLP width (= 4D)")
    table = "\n".join(f"| {row} |" for row in ("symbol | meaning", "---|---", *rows))
    text = f"{table}\n\nForward FLOPs of the gate projection of one layer: $2BTDF$."
    assert check_text(text)[-1].verdict == "holds"
