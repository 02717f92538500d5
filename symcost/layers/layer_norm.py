"""LayerNorm: each token centred and divided by its standard deviation, times a gain, plus a shift."""

from symcost import ops
from symcost.ops import parameter
from symcost.tensors import Tensor


def layer_norm(
    x: Tensor,
    name: str = "x_norm",
    *,
    learned: bool = True,
    shifted: bool = True,
    around_one: bool = False,
    by_head: bool = False,
) -> Tensor:
    """x [b c d] → x_norm [b c d], with a gain and a shift where they are `learned`. A gain `around_one` is 1
    + g; `by_head` gives each head of x [b h c d_k] a gain of its own.

    Source: Ba, Kiros and Hinton 2016, "Layer Normalization", equation 4; Groeneveld et al. 2024, OLMo (not
    learned).
    """
    g = (parameter("g", _of_heads(x) if by_head else x.axes[-1]),) if learned else ()
    s = (parameter("s", x.axes[-1]),) if learned and shifted else ()
    return ops.layer_norm(name, x, *g, *s, around_one=around_one)


def centred_norm(x: Tensor, name: str = "x_norm", *, by_head: bool = False) -> Tensor:
    """x [b c d] → x_norm [b c d] without a shift, in steps that the published code spells out.

    `by_head` gives each head of x [b h c d_k] a gain of its own. Source: Cohere's Command R, the published
    code.
    """
    return ops.centred_norm(name, x, parameter("g", _of_heads(x) if by_head else x.axes[-1]))


def _of_heads(x: Tensor) -> str:
    return " ".join(axis for axis in x.axes if axis in ("h", "h_kv", x.axes[-1]))
